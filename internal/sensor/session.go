package sensor

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
)

// Limits of what one session may leave behind. What is beyond them is counted
// and said once, in a gap event at the end of the session.
const (
	maxEvents  = 20000    // events of one session
	maxAttr    = 32 << 10 // bytes of one text attribute
	maxPending = 256      // exposures waiting for their command
	transcript = 1 << 10  // last bytes of the peer kept for the report of a panic
)

// A Sink takes what sessions leave behind. Its methods wait while the core is
// slow, which slows the peers and keeps memory bounded; once the way to the
// core is gone they return at once.
type Sink interface {
	Event(e honeyguide.Event)
	Chunk(c ipc.Chunk)
	Piece(p ipc.Piece)
}

// A Session is one connection of one peer. It is the connection, the way to
// report what happened on it, and the place where outgoing bytes are searched
// for bait.
type Session struct {
	net.Conn
	ID      string
	Src     netip.AddrPort
	Dst     netip.AddrPort
	Started time.Time

	name    string // sensor instance
	service string // sensor kind
	world   *World
	sink    Sink
	now     func() time.Time
	facing  uint16 // port the peer reached, as it sees it; 0: that of Dst

	in, out atomic.Int64
	opaque  atomic.Bool // Write carries no plain text
	hidden  atomic.Bool // neither does Read
	mu      sync.Mutex
	tail    []byte // last bytes read
	events  int
	lost    int   // events not sent
	room    int64 // recorded bytes left
	cut     bool  // recording ended early
	wire    uint16
	term    uint16
	running string // command or request being answered
	pending []exposure
	seen    map[report]bool
	work    sync.WaitGroup // what Go started
	samples capture        // files the peer brought
}

// report is an exposure already reported.
type report struct {
	token int
	by    string
}

// exposure is bait that left, or was read, in the command being run.
type exposure struct {
	token int  // index into the world's baits
	sent  bool // seen in what went to the peer
}

// Opaque says that what is written to the connection is not plain text, so
// that it need not be searched for bait; such a sensor gives the plain text to
// [Session.Record] or [Session.Sent].
func (s *Session) Opaque() { s.opaque.Store(true) }

// Hidden says that from now on nothing read from the connection is plain text:
// the report of a panic then quotes what was typed instead, see
// [Session.Record].
func (s *Session) Hidden() {
	s.hidden.Store(true)
	s.mu.Lock()
	s.tail = nil
	s.mu.Unlock()
}

// Read reads from the peer.
func (s *Session) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	s.in.Add(int64(n))
	if !s.hidden.Load() {
		s.remember(p[:n])
	}
	return n, err
}

// ReadLent reads as Read does, but borrows the buffer only once there is
// something to read, so that a peer who says nothing needs none: lend gets it,
// back returns it when there was nothing after all.
func (s *Session) ReadLent(lend func() []byte, back func()) (n int, err error) {
	var buf []byte
	sc, ok := s.Conn.(syscall.Conn)
	if !ok {
		return s.Read(lend())
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		buf = lend()
		for {
			n, failed = syscall.Read(int(fd), buf)
			if failed != syscall.EINTR {
				break
			}
		}
		if failed == syscall.EAGAIN {
			back()
		}
		return failed != syscall.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case failed != nil:
		return 0, os.NewSyscallError("read", failed)
	case n == 0:
		return 0, io.EOF
	}
	s.in.Add(int64(n))
	if !s.hidden.Load() {
		s.remember(buf[:n])
	}
	return n, nil
}

// remember keeps the last bytes of the peer.
func (s *Session) remember(p []byte) {
	if len(p) > transcript {
		p = p[len(p)-transcript:]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if over := len(s.tail) + len(p) - transcript; over > 0 {
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
	s.tail = append(s.tail, p...)
}

// Write sends to the peer and searches what is sent for bait.
func (s *Session) Write(p []byte) (int, error) {
	if !s.opaque.Load() {
		s.Sent(p)
	}
	n, err := s.Conn.Write(p)
	s.out.Add(int64(n))
	return n, err
}

// Emit reports an event. ID, Time, Observed, Sensor, Service, Session, Src and
// Dst are filled in where they are empty; text attributes are cut to 32 KiB.
func (s *Session) Emit(e honeyguide.Event) {
	s.mu.Lock()
	s.events++
	if s.events > maxEvents && e.Activity != honeyguide.ActivityClose && e.Activity != honeyguide.ActivityGap {
		s.lost++
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.fill(&e)
	s.sink.Event(e)
}

func (s *Session) fill(e *honeyguide.Event) {
	now := s.now().UTC()
	if e.Time.IsZero() {
		e.Time = now
	}
	e.Observed = now
	if e.ID == "" {
		e.ID = honeyguide.NewID(now)
	}
	if e.Class == 0 {
		e.Class = honeyguide.ClassNetwork
	}
	if e.Severity == 0 {
		e.Severity = honeyguide.SeverityLow
	}
	e.Sensor, e.Service, e.Session = s.name, s.service, s.ID
	e.Src.Addr, e.Dst.Addr = s.Src, s.Dst
	for name, v := range e.Attrs {
		if text, ok := v.(string); ok && len(text) > maxAttr {
			e.Attrs[name] = strings.ToValidUTF8(text[:maxAttr], "")
		}
	}
}

// Record keeps a piece of the session's terminal: stream 'o' for what the peer
// sees, 'i' for what it typed, 'r' for a new size as "80x24", 'x' for the exit
// status. What the peer sees is also searched for bait.
func (s *Session) Record(stream byte, p []byte) {
	s.mu.Lock()
	fits := int64(len(p)) <= s.room
	if fits {
		s.room -= int64(len(p))
	} else {
		s.room, s.cut = 0, true
	}
	s.mu.Unlock()
	switch {
	case stream == 'o':
		s.look(&s.term, p)
	case stream == 'i' && s.hidden.Load():
		s.remember(p)
	}
	if len(p) == 0 || !fits {
		return
	}
	for piece := range slices.Chunk(p, ipc.MaxChunk) {
		s.sink.Chunk(ipc.Chunk{Session: s.ID, Time: s.now().UTC(), Stream: stream, Data: slices.Clone(piece)})
	}
}

// Sent searches what was sent to the peer for bait without recording it.
func (s *Session) Sent(p []byte) { s.look(&s.wire, p) }

func (s *Session) look(state *uint16, p []byte) {
	if s.world == nil {
		return
	}
	s.mu.Lock()
	*state = s.world.bait.search(*state, p, s.exposed)
	s.mu.Unlock()
}

// exposed notes that bait left; s.mu is held.
func (s *Session) exposed(token int) { s.expose(token, true) }

// expose notes that bait left or was read; s.mu is held.
func (s *Session) expose(token int, sent bool) {
	for i := range s.pending {
		if s.pending[i].token == token {
			s.pending[i].sent = s.pending[i].sent || sent
			return
		}
	}
	if len(s.pending) < maxPending {
		s.pending = append(s.pending, exposure{token, sent})
	}
}

// Running says which command or request is being answered: what is exposed
// from here on is reported as its doing.
func (s *Session) Running(what string) {
	s.mu.Lock()
	s.running = what
	s.mu.Unlock()
}

// Ran says that the command or request is answered: bait that left during it is
// reported, once per token and command.
func (s *Session) Ran(what string) {
	s.mu.Lock()
	pending := s.pending
	s.pending, s.running = nil, ""
	fresh := pending[:0]
	for _, x := range pending {
		key := report{x.token, what}
		if s.seen[key] || len(s.seen) >= maxPending {
			continue
		}
		if s.seen == nil {
			s.seen = map[report]bool{}
		}
		s.seen[key] = true
		fresh = append(fresh, x)
	}
	s.mu.Unlock()
	for _, x := range fresh {
		s.Emit(s.world.exposureEvent(x, what))
	}
}

// begin reports the connection.
func (s *Session) begin() {
	e := honeyguide.Event{Class: honeyguide.ClassNetwork, Activity: honeyguide.ActivityConnect}
	e.Set(honeyguide.AttrProtocol, s.service)
	s.Emit(e)
}

// end reports how the connection ended and what was given up on it.
func (s *Session) end() {
	s.samples.finish()
	s.mu.Lock()
	lost, cut, running, pending := s.lost, s.cut, s.running, len(s.pending)
	s.mu.Unlock()
	if pending > 0 {
		s.Ran(running)
	}
	if lost > 0 || cut {
		e := honeyguide.Event{Activity: honeyguide.ActivityGap}
		e.Set(honeyguide.AttrCount, lost)
		e.Set(honeyguide.AttrDetail, gapDetail(lost, cut))
		s.Emit(e)
	}
	e := honeyguide.Event{Class: honeyguide.ClassNetwork, Activity: honeyguide.ActivityClose}
	e.Set(honeyguide.AttrDuration, s.now().Sub(s.Started).Milliseconds())
	e.Set(honeyguide.AttrBytesIn, s.in.Load())
	e.Set(honeyguide.AttrBytesOut, s.out.Load())
	s.Emit(e)
}

func gapDetail(lost int, cut bool) string {
	switch {
	case lost > 0 && cut:
		return "events and recording beyond the limits of one session"
	case lost > 0:
		return "events beyond the limit of one session"
	default:
		return "recording beyond the limit of one session"
	}
}

// Go runs fn beside ServeConn; the host waits for it before the session ends.
// A panic in it is reported and closes the connection, as one in ServeConn.
func (s *Session) Go(fn func()) {
	s.work.Go(func() {
		defer s.guard()
		fn()
	})
}

// guard recovers a panic of the decoy, reports it and closes the connection.
func (s *Session) guard() {
	if r := recover(); r != nil {
		s.crashed(fmt.Sprint(r))
		_ = s.Conn.Close()
	}
}

// crashed reports that the decoy itself failed on what the peer sent.
func (s *Session) crashed(why string) {
	e := honeyguide.Event{Activity: honeyguide.ActivityUnsupported, Severity: honeyguide.SeverityMedium}
	e.Set(honeyguide.AttrDetail, "the decoy failed: "+why)
	s.mu.Lock()
	e.Raw = append([]byte(nil), s.tail...)
	s.mu.Unlock()
	s.Emit(e)
}

// life returns the context of a session: it ends with ctx and after limit, and
// its end closes the connection, so that no read outlives it.
func (s *Session) life(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	stop := context.AfterFunc(ctx, func() { _ = s.Conn.Close() })
	return ctx, func() { stop(); cancel() }
}
