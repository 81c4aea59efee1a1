package sensor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/safetext"
)

// Limits say how much a listener gives to its peers. Zero fields mean the
// defaults in brackets.
type Limits struct {
	PerSource int           // connections of one address at a time [100]
	Total     int           // connections at a time [10000]
	Life      time.Duration // longest connection [1h]
	Recording int64         // recorded bytes of one connection [16 MiB]
}

func (l Limits) orDefault() Limits {
	if l.PerSource <= 0 {
		l.PerSource = 100
	}
	if l.Total <= 0 {
		l.Total = 10000
	}
	if l.Life <= 0 {
		l.Life = time.Hour
	}
	if l.Recording <= 0 {
		l.Recording = 16 << 20
	}
	return l
}

// A Server runs one sensor on its listener.
type Server struct {
	Name    string // instance
	Service string // kind
	Sensor  Sensor
	World   *World
	Sink    Sink
	Log     *slog.Logger
	Now     func() time.Time
	Limits  Limits
	Door    *Doorman // shared by the sensors of a process; nil: one of its own
	Facing  uint16   // port outsiders reach it on; 0: the one it is bound to
}

// Serve accepts connections until ctx ends, then closes the listener, ends the
// connections and returns nil when the last one is done. An error says that the
// listener broke.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.Limits = s.Limits.orDefault()
	if s.Door == nil {
		s.Door = NewDoorman(s.Limits)
	}
	var sessions sync.WaitGroup
	defer sessions.Wait() // after the cancel below
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	wait := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept on %s: %w", s.Name, err)
		case err != nil:
			// Out of descriptors or a peer gone before its turn: try again.
			s.Log.LogAttrs(ctx, slog.LevelWarn, "accept_failed", slog.String("sensor", s.Name), slog.String("error", err.Error()))
			if !pause(ctx, wait) {
				return nil
			}
			wait = min(2*wait, time.Second)
			continue
		}
		wait = 5 * time.Millisecond
		src := addrPort(conn.RemoteAddr())
		if ok, first := s.Door.admit(src.Addr()); !ok {
			s.refuse(conn)
			if first {
				s.crowded(src, addrPort(conn.LocalAddr()), 1)
			}
			continue
		}
		sessions.Go(func() { s.serve(ctx, conn, src) })
	}
}

// pause waits, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// refuse hangs up, with the words the program has for it. It does not wait for
// the peer to take them.
func (s *Server) refuse(conn net.Conn) {
	if r, ok := s.Sensor.(Refuser); ok {
		_ = conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = conn.Write(r.Refusal())
	}
	_ = conn.Close()
}

// crowded reports connections that were refused.
func (s *Server) crowded(src, dst netip.AddrPort, n int) {
	e := honeyguide.Event{Activity: honeyguide.ActivityGap}
	e.Set(honeyguide.AttrCount, n)
	e.Set(honeyguide.AttrDetail, "connections refused: too many at a time")
	s.Session(nil, src, dst).Emit(e)
}

// Session returns a session of this server on conn, which may be nil for single
// packets.
func (s *Server) Session(conn net.Conn, src, dst netip.AddrPort) *Session {
	now := s.Now()
	return &Session{
		Conn: conn, ID: honeyguide.NewID(now), Src: src, Dst: dst, Started: now,
		name: s.Name, service: s.Service, world: s.World, sink: s.Sink, now: s.Now, facing: s.Facing, room: s.Limits.orDefault().Recording,
	}
}

// serve runs one connection to its end. Nothing a peer sends ends more than
// this connection. Its frame stays on the stack while the peer does, so what is
// done before and after is done elsewhere.
func (s *Server) serve(ctx context.Context, conn net.Conn, src netip.AddrPort) {
	ses, release := s.enter(conn, src)
	life, done := ses.life(ctx, s.Limits.Life)
	err := ses.run(life, s.Sensor)
	_ = conn.Close()
	done()
	ses.work.Wait()
	release()
	s.leave(ctx, ses, err)
}

// enter begins the session of a connection. release says that it is over.
//
//go:noinline
func (s *Server) enter(conn net.Conn, src netip.AddrPort) (ses *Session, release func()) {
	ses, release = s.Session(conn, src, addrPort(conn.LocalAddr())), func() {}
	if s.World != nil {
		release = s.World.hold(src.Addr())
	}
	ses.begin()
	return ses, release
}

// leave reports the end of a session.
//
//go:noinline
func (s *Server) leave(ctx context.Context, ses *Session, err error) {
	if refused := s.Door.leave(ses.Src.Addr()); refused > 1 {
		s.crowded(ses.Src, ses.Dst, refused-1) // the first one is reported already
	}
	ses.end()
	if err != nil && ctx.Err() == nil {
		s.Log.LogAttrs(context.WithoutCancel(ctx), slog.LevelDebug, "session_failed", slog.String("sensor", s.Name),
			slog.String("session", ses.ID), slog.String("error", safetext.TermN(err.Error(), 300)))
	}
}

// run calls the sensor and turns its panic into an event.
func (s *Session) run(ctx context.Context, sensor Sensor) error {
	defer s.guard()
	return sensor.ServeConn(ctx, s)
}

// Packet lets the sensor answer one datagram. There is no answer when the sensor
// has none, speaks no datagrams, or would answer with more than it was asked.
func (s *Server) Packet(ctx context.Context, src netip.AddrPort, data []byte) (reply []byte) {
	ps, ok := s.Sensor.(PacketSensor)
	if !ok {
		return nil
	}
	ses := s.Session(nil, src, netip.AddrPort{})
	ses.tail = data[:min(len(data), transcript)]
	defer func() {
		if r := recover(); r != nil {
			ses.crashed(fmt.Sprint(r))
			reply = nil
		}
	}()
	reply = ps.ServePacket(ctx, ses, data)
	if len(reply) > len(data) {
		return nil
	}
	return reply
}

// addrPort returns the address of one side of a connection, zero when it has
// none.
func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.TCPAddr:
		return unmapped(a.AddrPort())
	case *net.UDPAddr:
		return unmapped(a.AddrPort())
	}
	return netip.AddrPort{}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
