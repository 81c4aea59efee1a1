package warden

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/safetext"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
)

// How long the core waits for a process.
const (
	helloWithin = 15 * time.Second // for the proof of its cage
	readyWithin = 60 * time.Second // for its sensors to serve
	writeWithin = 10 * time.Second // for it to read what it is sent
	stopWithin  = 8 * time.Second  // for it to end when told to
	exitWithin  = 2 * time.Second  // for it to exit once its socket is closed
)

// defaultConns is what a process holds when the setup does not say.
const defaultConns = 12000

// A life is one sensor process from its start to its end.
type life struct {
	w      *Warden
	proc   *sandbox.Process
	conn   *ipc.Conn
	began  time.Time
	served time.Time // zero before it was ready
	inbox  *inbox
	open   map[string]honeyguide.Event // connect events of sessions that have not closed
	logs   bucket
	asked  chan netip.Addr // sources whose worlds the process wants
}

// life runs one process to its end and says how long it served.
func (w *Warden) life(ctx context.Context) (time.Duration, error) {
	l, err := w.start(ctx)
	if err != nil {
		if !w.everServed() && ctx.Err() == nil {
			return 0, &finalError{err}
		}
		return 0, err
	}
	defer l.conn.Close()
	fault := l.run(ctx)
	exit, err := l.reap(ctx, fault)
	if err != nil {
		return 0, err
	}
	w.relay.drain()
	err = l.end(ctx, exit, fault)
	if l.served.IsZero() {
		return 0, err
	}
	return w.now().Sub(l.served), err
}

// reap waits for the end of a process that closed its socket, and makes one
// that broke the rules or takes too long end.
func (l *life) reap(ctx context.Context, fault error) (sandbox.Exit, error) {
	if errors.Is(fault, ipc.ErrProtocol) {
		_ = l.proc.Kill()
	}
	gone := make(chan struct{})
	group := supervise.New(l.w.log)
	group.Go(context.WithoutCancel(ctx), "reap", func(context.Context) error {
		t := time.NewTimer(exitWithin)
		defer t.Stop()
		select {
		case <-gone:
			return nil
		case <-t.C:
			return l.proc.Kill()
		}
	})
	exit, err := l.proc.Wait()
	close(gone)
	return exit, errors.Join(err, group.Wait())
}

func (w *Warden) everServed() bool {
	select {
	case <-w.ready:
		return true
	default:
		return false
	}
}

// start starts the process and hands it over to a life. The listeners' copies
// and the other end of the pair are closed here.
func (w *Warden) start(ctx context.Context) (*life, error) {
	files, err := w.socks.files()
	if err != nil {
		return nil, err
	}
	core, sensor, err := ipc.Pair()
	if err != nil {
		closeAll(files)
		return nil, err
	}
	files = append([]*os.File{sensor}, files...)
	began := w.now()
	proc, err := w.launcher.Start(ctx, sandbox.Options{
		Path: w.opts.Path, Args: w.opts.Args, Files: files, NoNamespaces: w.opts.NoNamespaces,
	})
	closeAll(files)
	if err != nil {
		core.Close()
		return nil, err
	}
	w.update(func(h *Health) { h.PID, h.Level, h.Refused = proc.Pid, proc.Level, proc.Refused })
	conn, err := ipc.FromFile(core, ipc.Core)
	if err != nil {
		_ = proc.Kill()
		_, _ = proc.Wait()
		return nil, err
	}
	conn.Limit(w.opts.Quota, time.Now)
	return &life{
		w: w, proc: proc, conn: conn, began: began, inbox: newInbox(), open: map[string]honeyguide.Event{},
		asked: make(chan netip.Addr, maxAsked),
	}, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// run talks to the process until it is gone or has to go, and says what was
// wrong with it. nil means that it closed its socket.
func (l *life) run(ctx context.Context) error {
	if err := l.greet(); err != nil {
		return err
	}
	// Its last events are taken while it is stopped, after ctx has ended.
	lasting, finish := context.WithCancel(context.WithoutCancel(ctx))
	defer finish()
	talking, silence := context.WithCancel(lasting)
	group := supervise.New(l.w.log)
	defer l.forget()
	group.Go(lasting, "append", func(ctx context.Context) error { return l.append(ctx) })
	group.Go(talking, "packets", l.packets)
	group.Go(talking, "worlds", l.answer)
	group.Go(talking, "stop", func(talking context.Context) error { return l.stop(ctx, talking, finish) })
	err := l.receive(lasting)
	silence()
	l.inbox.close()
	_ = l.conn.SetWriteDeadline(time.Unix(1, 0)) // releases who still writes to it
	if gerr := group.Wait(); err == nil {
		err = gerr
	}
	return err
}

// greet exchanges the first frames: how to close the cage, the proof of it,
// who the process is.
func (l *life) greet() error {
	o := &l.w.opts
	conns := o.Setup.Limits.Conns
	if conns <= 0 {
		conns = defaultConns
	}
	err := l.send(ipc.Cage{
		Listeners: len(l.w.socks.listeners), Namespaces: l.proc.Namespaces,
		Conns: conns, Procs: o.Procs, Memory: o.Memory, Insecure: o.Insecure,
	})
	if err != nil {
		return err
	}
	_ = l.conn.SetReadDeadline(time.Now().Add(helloWithin))
	hello, err := ipc.Expect[ipc.Hello](l.conn)
	if err != nil {
		return err
	}
	l.w.update(func(h *Health) {
		h.Layers, h.Probes, h.Open, h.CageTook = hello.Layers, hello.Probes, hello.Open, hello.Took
	})
	if !o.Insecure && hello.Failure == "" && len(hello.Open) > 0 {
		hello.Failure = "the cage does not hold: " + hello.Open[0]
	}
	if hello.Failure != "" {
		return &finalError{&honeyguide.Error{
			Code:    honeyguide.CodeUnavailable,
			Message: "sensors cannot be caged on this host, so they do not listen (--insecure runs them without this protection)",
			Err:     errors.New(safetext.TermN(hello.Failure, 500)),
		}}
	}
	l.report(hello)
	setup := o.Setup
	setup.Now = l.w.now()
	_ = l.conn.SetReadDeadline(time.Now().Add(readyWithin))
	return l.send(setup)
}

// report writes the layers in force into the log.
func (l *life) report(hello ipc.Hello) {
	attrs := []slog.Attr{
		slog.Int("pid", l.proc.Pid), slog.String("level", l.proc.Level),
		slog.Int("probes", hello.Probes), slog.Int("open", len(hello.Open)), slog.Duration("took", hello.Took),
	}
	weak := len(hello.Open) > 0
	for _, layer := range hello.Layers[:min(len(hello.Layers), 16)] {
		if layer.State != sandbox.On {
			attrs = append(attrs, slog.String("layer_"+safetext.TermN(layer.Name, 30),
				safetext.TermN(layer.State+": "+layer.Detail, 200)))
		}
		weak = weak || layer.Name == sandbox.LayerSeccomp && layer.State != sandbox.On
	}
	if weak {
		l.w.log.LogAttrs(context.Background(), slog.LevelWarn, "sensor process runs without a closed cage", attrs...)
		return
	}
	l.w.log.LogAttrs(context.Background(), slog.LevelInfo, "sensor process caged", attrs...)
}

// send writes a message; a process that does not read is given up.
func (l *life) send(m ipc.Message) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	if err := l.conn.Send(m); err != nil {
		return fmt.Errorf("send %T: %w", m, err)
	}
	return nil
}

// packets sends relayed datagrams until ctx ends.
func (l *life) packets(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-l.w.relay.queue:
			if err := l.send(p); err != nil {
				_ = l.proc.Kill()
				return err
			}
		}
	}
}

// stop tells the process to end when ctx does, and ends it when it does not.
func (l *life) stop(ctx, talking context.Context, finish context.CancelFunc) error {
	select {
	case <-talking.Done():
		return nil
	case <-ctx.Done():
	}
	_ = l.send(ipc.Stop{})
	t := time.NewTimer(l.w.opts.patience)
	defer t.Stop()
	select {
	case <-talking.Done():
	case <-t.C:
		_ = l.proc.Kill()
		finish()           // nor wait for a store that takes nothing
		_ = l.conn.Close() // nor read on at the pace of its quota
	}
	return nil
}

// receive handles what the process sends until it is gone (nil) or breaks the
// rules.
func (l *life) receive(ctx context.Context) error {
	for {
		m, err := l.conn.Receive()
		switch {
		case errors.Is(err, io.EOF), ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := l.handle(ctx, m); err != nil {
			return err
		}
	}
}

func (l *life) handle(ctx context.Context, m ipc.Message) error {
	switch m := m.(type) {
	case ipc.Events:
		return l.events(ctx, m.Events)
	case ipc.Chunk:
		return l.chunk(ctx, m)
	case ipc.Piece:
		return l.piece(ctx, m)
	case ipc.PacketReply:
		l.w.relay.reply(m)
	case ipc.Log:
		l.log(ctx, m)
	case ipc.Recall:
		l.recall(m)
	case ipc.Remember:
		return l.remember(ctx, m)
	case ipc.Ready:
		if !l.served.IsZero() {
			return violation("ready twice")
		}
		l.served = l.w.now()
		_ = l.conn.SetReadDeadline(time.Time{})
		l.w.update(func(h *Health) { h.ReadyTook = l.served.Sub(l.began) })
		l.w.enter(Serving)
	default:
		return violation(fmt.Sprintf("%T out of turn", m))
	}
	return nil
}

// violation is a message of a known form that no sensor of ours sends.
func violation(what string) error { return fmt.Errorf("%w: %s", ipc.ErrProtocol, what) }

// events judges a batch and hands it to append. It waits while append has
// enough to do, and with it the process: that is the back-pressure.
func (l *life) events(ctx context.Context, events []honeyguide.Event) error {
	l.w.count.throttled.Set(l.conn.Throttled().Seconds())
	if len(events) == 0 {
		return nil
	}
	now := l.w.now().UTC().Truncate(time.Microsecond)
	for i := range events {
		if err := l.w.judge(&events[i], now); err != nil {
			return violation(err.Error())
		}
		l.track(&events[i])
	}
	return l.inbox.put(ctx, func(w *work) bool {
		if len(w.events) > 0 && len(w.events)+len(events) > ipc.MaxBatch {
			return false
		}
		if w.events == nil {
			w.events = events
		} else {
			w.events = append(w.events, events...)
		}
		return true
	})
}

// track remembers the sessions that are open.
func (l *life) track(e *honeyguide.Event) {
	switch {
	case e.Activity == honeyguide.ActivityClose:
		delete(l.open, e.Session)
	case e.Activity == honeyguide.ActivityConnect && len(l.open) < maxOpen:
		l.open[e.Session] = honeyguide.Event{
			Sensor: e.Sensor, Service: e.Service, Session: e.Session, Src: e.Src, Dst: e.Dst, Class: e.Class,
		}
	}
}

func (l *life) chunk(ctx context.Context, c ipc.Chunk) error {
	if !word(c.Session) {
		return violation("recording of a malformed session")
	}
	if l.w.opts.Chunks == nil {
		return nil
	}
	if now := l.w.now(); c.Time.Before(now.Add(-maxBehind)) || c.Time.After(now.Add(maxAhead)) {
		c.Time = now
	}
	return l.inbox.put(ctx, func(w *work) bool {
		if w.size > 0 && w.size+len(c.Data) > maxRecorded || len(w.chunks) >= ipc.MaxBatch {
			return false
		}
		w.chunks = append(w.chunks, c)
		w.size += len(c.Data)
		return true
	})
}

// Log lines a second a process may write, and how many at once.
const logRate, logBurst = 20, 200

// log writes a line of the process, escaped and within its rate.
func (l *life) log(ctx context.Context, m ipc.Log) {
	if !l.logs.take(l.w.now(), logRate, logBurst) {
		l.w.count.logsLost.Add(1)
		return
	}
	attrs := []slog.Attr{slog.String("said", safetext.TermN(m.Msg, 200))}
	for _, a := range m.Attrs[:min(len(m.Attrs), 16)] {
		if word(a.Key) {
			attrs = append(attrs, slog.String("said_"+a.Key, safetext.TermN(a.Value, 500)))
		}
	}
	level := min(max(m.Level, slog.LevelDebug), slog.LevelError)
	l.w.log.LogAttrs(ctx, level, "sensor process says", attrs...)
}

// isTimeout reports whether the process kept the core waiting.
func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
