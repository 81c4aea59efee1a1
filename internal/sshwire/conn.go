package sshwire

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Reasons of DISCONNECT (RFC 4253 section 11.1) that sshd gives.
const disconnectProtocol = 2

// A protest is an error the peer is told of before its connection is closed.
type protest struct {
	reason uint32
	text   string
}

// Error returns the words sent.
func (p *protest) Error() string { return p.text }

func protestf(format string, args ...any) error {
	return &protest{disconnectProtocol, fmt.Sprintf(format, args...)}
}

var (
	errDisconnect = errors.New("the peer disconnected")
	errFlood      = errors.New("too many answers waiting for new keys")
)

// maxPending bounds the answers that wait for the end of a key exchange.
const maxPending = 64 << 10

// A Conn is one connection. One goroutine reads it; any may write.
type Conn struct {
	server  *Server
	version string // the peer's
	in      inbound
	session []byte // identifier: the first exchange hash
	hostKey string // algorithm negotiated

	// First the lock of the writing half, then that of the channels.
	wmu      sync.Mutex
	wcond    sync.Cond // kexing or broken changed
	out      outbound
	ourInit  []byte // KEXINIT sent and not yet answered
	kexing   bool   // only key exchange messages may leave
	pending  [][]byte
	held     int // bytes in pending
	broken   bool
	limitIn  uint64
	limitOut uint64
	dirty    atomic.Bool // out holds what is not flushed

	strict  bool
	initial bool // the first key exchange is not over
	authed  bool
	delayed [2]bool // compression agreed on, in and out, that begins with the login

	mux mux
}

// newConn makes a connection over a stream.
func (s *Server) newConn(stream Stream, version string) *Conn {
	c := &Conn{server: s, version: version, initial: true}
	c.wcond.L, c.mux.cond.L = &c.wmu, &c.mux.mu
	c.in = inbound{stream: stream, idle: c.idle, open: clearText{}}
	if c.in.lender, _ = stream.(Lender); c.in.lender != nil {
		c.in.lend, c.in.back = c.in.lendSmall, c.in.release
	}
	c.out = outbound{stream: stream, seal: clearText{}}
	return c
}

// idle sends the answers that have gathered, before the reader waits.
func (c *Conn) idle() error {
	if !c.dirty.Load() {
		return nil
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.flushLocked()
}

func (c *Conn) flushLocked() error {
	c.dirty.Store(false)
	return c.out.flush()
}

// next returns the payload of the next message that is not for this layer.
func (c *Conn) next() ([]byte, error) {
	for {
		p, err := c.in.next()
		if err != nil {
			return nil, err
		}
		switch t := p[0]; {
		case t == 0 || t >= msgLocalMin:
			return nil, protestf("Invalid ssh2 packet type: %d", t)
		case t == msgDisconnect:
			return nil, errDisconnect
		case c.initial && c.strict:
			return p, nil
		case t == msgIgnore || t == msgDebug || t == msgUnimplemented:
			continue
		}
		return p, nil
	}
}

// reply sends a message from the reader's goroutine; it leaves before the reader
// waits for input. While keys are exchanged it waits its turn without the
// reader waiting, who has to do the exchange.
func (c *Conn) reply(payload ...[]byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.kexing {
		var whole []byte
		for _, p := range payload {
			whole = append(whole, p...)
		}
		if c.held += len(whole); c.held > maxPending {
			return errFlood
		}
		c.pending = append(c.pending, whole)
		return nil
	}
	return c.putLocked(payload...)
}

// putLocked queues a message; c.wmu is held.
func (c *Conn) putLocked(payload ...[]byte) error {
	if c.broken || c.out.err != nil {
		return errClosed
	}
	c.out.put(payload...)
	c.dirty.Store(true)
	if c.out.traffic.bytes > c.limitOut && !c.kexing && c.authed {
		c.beginKex()
	}
	if len(c.out.buf) > smallBuffer {
		return c.flushLocked()
	}
	return nil
}

// unimplemented answers a message nobody expects (RFC 4253 section 11.4).
func (c *Conn) unimplemented() error {
	return c.reply(appendNumber([]byte{msgUnimplemented}, c.in.seq-1))
}

// replyNow replies and does not wait for the reader to send it.
func (c *Conn) replyNow(payload ...[]byte) error {
	if err := c.reply(payload...); err != nil {
		return err
	}
	return c.idle()
}

// turnLocked waits, on any goroutine but the reader's, until no key exchange is
// in the way. c.wmu is held.
func (c *Conn) turnLocked() error {
	for c.kexing && !c.broken {
		c.wcond.Wait()
	}
	if c.broken {
		return errClosed
	}
	return nil
}

// errClosed says that nothing more can be sent.
var errClosed = errors.New("connection closed")

// protestWait bounds how long a peer may take to be told why it is cut off.
const protestWait = 2 * time.Second

// leave tells the peer why the connection ends, where sshd would, and releases
// who waits for it. Without a word answers that have not left are lost, as
// those of a process that dies.
func (c *Conn) leave(err error) {
	var why *protest
	tell := errors.As(err, &why)
	if d, ok := c.out.stream.(interface{ SetWriteDeadline(time.Time) error }); ok {
		// Who writes to a peer that reads nothing lets go of the lock.
		wait := time.Duration(0)
		if tell {
			wait = protestWait
		}
		_ = d.SetWriteDeadline(time.Now().Add(wait))
	}
	c.wmu.Lock()
	if tell && !c.broken {
		c.out.put(appendString(appendString(appendNumber([]byte{msgDisconnect}, why.reason), why.text), ""))
		_ = c.flushLocked()
	}
	c.out.release()
	c.broken = true
	c.pending = nil
	c.wcond.Broadcast()
	c.wmu.Unlock()
	c.in.release()
	c.mux.end()
}

// Notify sends a global request that wants no answer.
func (c *Conn) Notify(name string, payload []byte) error {
	head := appendBool(appendString([]byte{msgGlobalRequest}, name), false)
	return c.reply(head, payload)
}

// Debug sends a message that clients show when they are asked to be verbose.
func (c *Conn) Debug(text string) error {
	return c.reply(appendString(appendString([]byte{msgDebug, 0}, text), ""))
}
