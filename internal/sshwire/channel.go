package sshwire

import (
	"errors"
	"io"
	"slices"
)

// Sizes of session channels as sshd has them: a channel opens with no window;
// what was asked for gets one of 2 MiB when it starts.
const (
	channelWindow = 2 << 20
	channelPacket = 32 << 10
	// A window is topped up after three packets, or at half.
	windowSlack = 3 * channelPacket
	// sshd bears with a tenth of the window beyond it.
	windowGrace = channelWindow / 10
)

// A Channel is one open session channel.
type Channel struct {
	c          *Conn
	id, peer   uint32
	peerPacket uint32

	// All below is guarded by the mux's lock.
	window   uint32 // what the peer takes
	local    uint32 // what the peer may send
	consumed uint32 // read since the last adjustment
	exceeded uint32
	in       []byte
	sink     func(p []byte) int
	pushed   int // bytes given to sink and not yet taken
	granted  bool
	peerEOF  bool
	gotClose bool
	sentEnd  bool // EOF is sent, or the channel closed: nothing more leaves
	closed   bool // CLOSE is sent
	by       Requests
}

var errChannel = errors.New("channel closed")

// Read reads what the peer sent; io.EOF says that it sends no more.
func (ch *Channel) Read(p []byte) (int, error) {
	m := &ch.c.mux
	m.mu.Lock()
	for len(ch.in) == 0 && !ch.over() {
		m.cond.Wait()
	}
	if len(ch.in) == 0 {
		m.mu.Unlock()
		return 0, io.EOF
	}
	n := copy(p, ch.in)
	if ch.in = ch.in[n:]; len(ch.in) == 0 {
		ch.in = nil
	}
	_ = m.count(ch.c, -n)
	more := ch.consume(n)
	m.mu.Unlock()
	if more > 0 {
		_ = ch.c.replyNow(appendNumber(appendNumber([]byte{msgWindowAdjust}, ch.peer), more))
	}
	return n, nil
}

// Feed gives what arrives to sink instead of keeping it for Read. The
// goroutine that reads the connection calls it, so sink keeps a copy and does
// not wait; what it returns is of no interest. [Channel.Taken] is told when the
// bytes are used up. It is called before the first byte can arrive: while the
// request that starts something is answered.
func (ch *Channel) Feed(sink func(p []byte) int) {
	m := &ch.c.mux
	m.mu.Lock()
	ch.sink = sink
	m.mu.Unlock()
}

// Taken says that n bytes given to the sink of Feed are used up, so that the
// peer may send more.
func (ch *Channel) Taken(n int) {
	m := &ch.c.mux
	m.mu.Lock()
	n = min(n, ch.pushed)
	ch.pushed -= n
	_ = m.count(ch.c, -n)
	more := ch.consume(n)
	m.mu.Unlock()
	if more > 0 {
		_ = ch.c.replyNow(appendNumber(appendNumber([]byte{msgWindowAdjust}, ch.peer), more))
	}
}

// over reports whether nothing more comes. The mux's lock is held.
func (ch *Channel) over() bool { return ch.peerEOF || ch.gotClose || ch.closed || ch.c.mux.ended }

// consume counts bytes read and returns by how much the peer's window grows
// now: after three packets, as with sshd, which hands on whole packets, or at
// half. The mux's lock is held.
func (ch *Channel) consume(n int) (grow uint32) {
	ch.consumed += uint32(n)
	slack := channelWindow-ch.local <= windowSlack || len(ch.in)+ch.pushed > 0
	if ch.over() || slack && ch.local >= channelWindow/2 {
		return 0
	}
	grow = ch.consumed
	ch.local += grow
	ch.consumed = 0
	return grow
}

// Write sends output. It waits while the peer's window is used up.
func (ch *Channel) Write(p []byte) (int, error) {
	return ch.write(appendNumber([]byte{msgData}, ch.peer), p)
}

// Stderr returns a writer of error output (RFC 4254 section 5.2).
func (ch *Channel) Stderr() io.Writer { return stderr{ch} }

type stderr struct{ ch *Channel }

// Write sends error output.
func (s stderr) Write(p []byte) (int, error) {
	return s.ch.write(appendNumber(appendNumber([]byte{msgExtendedData}, s.ch.peer), 1), p)
}

func (ch *Channel) write(head, p []byte) (n int, err error) {
	for n < len(p) {
		if err := ch.await(); err != nil {
			return n, err
		}
		sent, err := ch.chunk(head, p[n:])
		n += sent
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// await waits until the peer takes something.
func (ch *Channel) await() error {
	m := &ch.c.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	for ch.window == 0 && !ch.shut() {
		m.cond.Wait()
	}
	if ch.shut() {
		return errChannel
	}
	return nil
}

// shut reports whether nothing more may be sent. The mux's lock is held.
func (ch *Channel) shut() bool { return ch.sentEnd || ch.closed || ch.gotClose || ch.c.mux.ended }

// chunk sends as much of p as fits in one packet.
func (ch *Channel) chunk(head, p []byte) (n int, err error) {
	c := ch.c
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.turnLocked(); err != nil {
		return 0, err
	}
	c.mux.mu.Lock()
	if !ch.shut() {
		n = int(min(uint32(min(len(p), channelPacket)), ch.window, ch.peerPacket))
		ch.window -= uint32(n)
	} else {
		err = errChannel
	}
	c.mux.mu.Unlock()
	if n == 0 || err != nil {
		return 0, err
	}
	var size [4]byte
	if err := c.putLocked(head, appendNumber(size[:0], uint32(n)), p[:n]); err != nil {
		return 0, err
	}
	return n, c.flushLocked()
}

// Exit sends the end of output and an exit status, and closes the channel. With
// sshd the two are in this order unless the program is reaped before its last
// output is read.
func (ch *Channel) Exit(status int) {
	p := appendString(appendNumber([]byte{msgRequest}, ch.peer), "exit-status")
	ch.finish(appendNumber(appendBool(p, false), uint32(status&0xff)))
}

// ExitSignal does as Exit does for a command that died of a signal, which it
// takes by Linux' number.
func (ch *Channel) ExitSignal(number int) {
	name, ok := signalNames[number]
	if !ok {
		name = "SIG@openssh.com"
	}
	p := appendString(appendNumber([]byte{msgRequest}, ch.peer), "exit-signal")
	p = appendString(appendBool(p, false), name)
	p = appendBool(p, false) // no core: the limit of its size is 0
	ch.finish(appendString(appendString(p, ""), ""))
}

// signalNames are the signals RFC 4254 section 6.10 has names for; sshd calls
// all others by one name of its own.
var signalNames = map[int]string{
	1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 6: "ABRT", 8: "FPE", 9: "KILL", 10: "USR1",
	11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM",
}

// Close closes the channel.
func (ch *Channel) Close() { ch.finish(nil) }

// finish sends the end, a last request, if any, and closes the channel.
func (ch *Channel) finish(last []byte) {
	c := ch.c
	c.mux.mu.Lock()
	if ch.closed || c.mux.ended {
		c.mux.mu.Unlock()
		return
	}
	end := !ch.sentEnd && !ch.gotClose
	ch.closed, ch.sentEnd = true, true
	c.mux.drop(ch)
	c.mux.forget(ch)
	c.mux.cond.Broadcast()
	c.mux.mu.Unlock()
	if end {
		_ = c.reply(appendNumber([]byte{msgEOF}, ch.peer))
	}
	if end && last != nil {
		_ = c.reply(last)
	}
	_ = c.replyNow(appendNumber([]byte{msgClose}, ch.peer))
}

// deliver takes data the peer sent.
func (ch *Channel) deliver(p []byte) error {
	m := &ch.c.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	if !ch.granted || len(p) > channelPacket {
		return nil // sshd drops it
	}
	if uint32(len(p)) > ch.local {
		ch.exceeded += uint32(len(p)) - ch.local
		ch.local = 0
		if ch.exceeded > windowGrace {
			return protestf("channel %d: peer ignored channel window", ch.id)
		}
	} else {
		ch.local -= uint32(len(p))
		ch.exceeded = 0
	}
	if ch.closed || ch.peerEOF {
		return nil
	}
	if ch.sink != nil {
		sink := ch.sink
		ch.pushed += len(p)
		err := m.count(ch.c, len(p))
		m.mu.Unlock()
		sink(p)
		m.mu.Lock()
		return err
	}
	ch.in = append(ch.in, p...)
	m.cond.Broadcast()
	return m.count(ch.c, len(p))
}

// answer answers a request; what starts something grants the window first.
func (ch *Channel) answer(name string, wanted, ok bool) error {
	c := ch.c
	if ok && slices.Contains([]string{"shell", "exec", "subsystem"}, name) {
		c.mux.mu.Lock()
		grant := !ch.granted && !ch.closed
		if grant {
			ch.granted, ch.local = true, channelWindow
		}
		c.mux.mu.Unlock()
		if grant {
			if err := c.reply(appendNumber(appendNumber([]byte{msgWindowAdjust}, ch.peer), channelWindow)); err != nil {
				return err
			}
		}
	}
	if !wanted {
		return nil
	}
	kind := byte(msgRequestFailure)
	if ok {
		kind = msgRequestSuccess
	}
	return c.reply(appendNumber([]byte{kind}, ch.peer))
}
