package sshwire

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Bounds of what connections may make a server hold. The first two are of bytes
// that arrived and were not read.
const (
	maxUnread   = 192 << 20 // of all connections together
	fairUnread  = 256 << 10 // of one connection, which it always may have
	maxChannels = 256       // of one connection at a time, opened and not closed
)

// errUnread ends a connection that sends what nobody reads when memory is short.
var errUnread = errors.New("input that nobody reads")

// A Mux answers what a peer asks once it is in. Its methods are called by the
// goroutine that reads the connection, which must not be held up: what takes
// time runs beside it.
type Mux interface {
	// Global answers a global request.
	Global(name string, payload []byte) bool
	// Session counts a new session channel in; false refuses it.
	Session() bool
	// Serve returns who answers the requests on a channel that was counted in.
	Serve(ch *Channel) Requests
	// Refuse is told of every other channel asked for and says why not.
	Refuse(kind string, extra []byte) (reason uint32, text string)
}

// A Requests answers what the peer asks on one session channel, in order, and
// at last is told of its end.
type Requests interface {
	Request(ctx context.Context, r Request)
	End()
}

// A Request is one request on a channel. Its payload is valid until Request
// returns; Answer must be called before that.
type Request struct {
	Name    string
	Payload []byte
	Answer  func(ok bool) // does nothing when the peer wants none
}

// openFailed is the reason sshd gives for every channel it knows no better one
// for (RFC 4254 section 5.1: connect failed).
const openFailed = 2

// mux is the state of a connection's channels.
type mux struct {
	mu       sync.Mutex
	cond     sync.Cond
	channels []*Channel // by id
	unread   int
	noMore   bool // no-more-sessions@openssh.com
	ended    bool
}

// count counts unread bytes in or out. m.mu is held.
func (m *mux) count(c *Conn, n int) error {
	m.unread += n
	if all := c.server.unread.Add(int64(n)); n > 0 && all > maxUnread && m.unread > fairUnread {
		return errUnread
	}
	return nil
}

// drop forgets what a channel has not read. m.mu is held.
func (m *mux) drop(ch *Channel) {
	_ = m.count(ch.c, -len(ch.in)-ch.pushed)
	ch.in, ch.pushed, ch.sink = nil, 0, nil
}

// forget frees a channel's number when both sides have closed it. m.mu is held.
func (m *mux) forget(ch *Channel) {
	if ch.closed && ch.gotClose {
		m.channels[ch.id] = nil
	}
}

// end ends all channels with the connection.
func (m *mux) end() {
	m.mu.Lock()
	m.ended = true
	for _, ch := range m.channels {
		if ch != nil {
			m.drop(ch)
		}
	}
	m.cond.Broadcast()
	m.mu.Unlock()
}

// channel returns an open channel.
func (m *mux) channel(id uint32, what string) (*Channel, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if uint64(id) >= uint64(len(m.channels)) || m.channels[id] == nil {
		return nil, protestf("%s packet referred to nonexistent channel %d", what, id)
	}
	return m.channels[id], nil
}

// Serve gives what the peer asks for to m until the peer is gone or breaks the
// rules, which is what the error says. All channels have ended then.
func (c *Conn) Serve(ctx context.Context, m Mux) (err error) {
	defer func() { c.abandon(err) }() // also when a handler panics
	return c.serve(ctx, m)
}

// abandon ends the connection's channels.
func (c *Conn) abandon(err error) {
	c.leave(err)
	c.mux.mu.Lock()
	open := c.mux.channels
	c.mux.channels = nil
	c.mux.mu.Unlock()
	for _, ch := range open {
		if ch != nil && !ch.gotClose && ch.by != nil {
			ch.by.End()
		}
	}
}

func (c *Conn) serve(ctx context.Context, m Mux) error {
	for {
		p, err := c.next()
		if err == nil {
			err = c.handle(ctx, m, p)
		}
		if err == nil && c.in.traffic.worn(c.limitIn) {
			c.wantKex()
		}
		if err != nil {
			return err
		}
	}
}

// wantKex asks the peer for new keys.
func (c *Conn) wantKex() {
	c.wmu.Lock()
	if !c.kexing {
		c.beginKex()
	}
	c.wmu.Unlock()
}

// handle answers one message. It is not inlined, so that its frame is not on
// the stack of a reader that waits.
//
//go:noinline
func (c *Conn) handle(ctx context.Context, m Mux, p []byte) error {
	f := fields{p: p[1:]}
	switch p[0] {
	case msgKexInit:
		return c.exchange(p)
	case msgGlobalRequest:
		return c.global(m, &f)
	case msgOpen:
		return c.open(m, &f)
	case msgRequest:
		return c.request(ctx, &f)
	case msgData:
		return c.data(&f)
	case msgExtendedData:
		_, err := c.mux.channel(f.number(), "extended data")
		return err // a session has no use for it
	case msgWindowAdjust:
		return c.adjust(&f)
	case msgEOF, msgClose:
		return c.end(p[0], &f)
	case msgOpenConfirm: // we open none
		return protestf("open confirmation packet referred to nonexistent channel %d", f.number())
	case msgOpenFailure:
		return protestf("open failure packet referred to nonexistent channel %d", f.number())
	case msgGlobalSuccess, msgGlobalFailure, msgRequestSuccess, msgRequestFailure:
		return nil
	}
	return c.unimplemented()
}

// global answers a global request.
func (c *Conn) global(m Mux, f *fields) error {
	name, wanted := f.text(), f.bool()
	if f.bad {
		return errCorrupt
	}
	ok, reply := false, []byte(nil)
	switch name {
	case proveRequest:
		reply, ok = c.prove(f.p)
	case "no-more-sessions@openssh.com":
		ok, c.mux.noMore = m.Global(name, f.p), true
	default:
		ok = m.Global(name, f.p)
	}
	switch {
	case !wanted:
		return nil
	case ok:
		return c.reply([]byte{msgGlobalSuccess}, reply)
	}
	return c.reply([]byte{msgGlobalFailure})
}

// open answers the request for a channel.
func (c *Conn) open(m Mux, f *fields) error {
	kind, peer, window, packet := f.text(), f.number(), f.number(), f.number()
	if f.bad {
		return errCorrupt
	}
	if kind != "session" {
		reason, text := m.Refuse(kind, f.p)
		return c.refuse(peer, reason, text)
	}
	if c.mux.noMore {
		return protestf("Possible attack: attempt to open a session after additional sessions disabled")
	}
	ch := &Channel{c: c, peer: peer, window: window, peerPacket: packet}
	if !c.mux.admit(ch) || !m.Session() {
		c.mux.mu.Lock()
		ch.closed, ch.gotClose = true, true
		if int(ch.id) < len(c.mux.channels) && c.mux.channels[ch.id] == ch {
			c.mux.forget(ch)
		}
		c.mux.mu.Unlock()
		return c.refuse(peer, openFailed, "open failed")
	}
	ch.by = m.Serve(ch)
	p := []byte{msgOpenConfirm}
	for _, n := range []uint32{peer, ch.id, 0, channelPacket} {
		p = appendNumber(p, n)
	}
	return c.reply(p)
}

// admit gives a channel the lowest free number.
func (m *mux) admit(ch *Channel) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, other := range m.channels {
		if other == nil {
			ch.id, m.channels[i] = uint32(i), ch
			return true
		}
	}
	if len(m.channels) >= maxChannels {
		return false
	}
	ch.id = uint32(len(m.channels))
	m.channels = append(m.channels, ch)
	return true
}

func (c *Conn) refuse(peer, reason uint32, text string) error {
	p := appendNumber(appendNumber([]byte{msgOpenFailure}, peer), reason)
	return c.reply(appendString(appendString(p, text), ""))
}

// request answers a request on a channel.
func (c *Conn) request(ctx context.Context, f *fields) error {
	id, name, wanted := f.number(), f.text(), f.bool()
	if f.bad {
		return errCorrupt
	}
	c.mux.mu.Lock()
	if uint64(id) >= uint64(len(c.mux.channels)) || c.mux.channels[id] == nil {
		c.mux.mu.Unlock()
		return protestf("server_input_channel_req: unknown channel %d", id)
	}
	ch := c.mux.channels[id]
	gone := ch.gotClose
	wanted = wanted && !ch.closed
	c.mux.mu.Unlock()
	if gone {
		return nil
	}
	if name == "eow@openssh.com" {
		return nil
	}
	var failed error
	ch.by.Request(ctx, Request{Name: name, Payload: f.p, Answer: func(ok bool) { failed = ch.answer(name, wanted, ok) }})
	return failed
}

// data takes what the peer sent on a channel.
func (c *Conn) data(f *fields) error {
	id, p := f.number(), f.bytes()
	if f.bad {
		return errCorrupt
	}
	ch, err := c.mux.channel(id, "data")
	if err != nil {
		return err
	}
	return ch.deliver(p)
}

// adjust widens the peer's window.
func (c *Conn) adjust(f *fields) error {
	id, n := f.number(), f.number()
	if f.bad {
		return errCorrupt
	}
	c.mux.mu.Lock()
	defer c.mux.mu.Unlock()
	if uint64(id) >= uint64(len(c.mux.channels)) || c.mux.channels[id] == nil {
		return nil // sshd only logs it
	}
	ch := c.mux.channels[id]
	if ch.window+n < ch.window {
		return fmt.Errorf("%w: window of %d grows by %d", errCorrupt, ch.window, n)
	}
	ch.window += n
	c.mux.cond.Broadcast()
	return nil
}

// end takes the peer's end of input, or its close.
func (c *Conn) end(kind byte, f *fields) error {
	what := "ieof"
	if kind == msgClose {
		what = "oclose"
	}
	id := f.number()
	if f.bad {
		return errCorrupt
	}
	ch, err := c.mux.channel(id, what)
	if err != nil {
		return err
	}
	c.mux.mu.Lock()
	was := ch.gotClose
	ch.peerEOF = true
	if kind == msgClose {
		ch.gotClose = true
		c.mux.drop(ch)
		c.mux.forget(ch)
	}
	c.mux.cond.Broadcast()
	c.mux.mu.Unlock()
	if kind == msgClose && !was {
		ch.by.End()
	}
	return nil
}
