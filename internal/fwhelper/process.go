package fwhelper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/safetext"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// Options say how the process is started.
type Options struct {
	Path         string   // program; "" means this one
	Args         []string // that make the program call [Child]
	Setup        ipc.FirewallSetup
	NoNamespaces bool
	Insecure     bool
	// Refill tells all that is to be in force, whenever the process starts: it
	// knows nothing, and the kernel may hold what is wanted no more. nil means
	// nothing is.
	Refill  func(ctx context.Context) (Table, error)
	Metrics *telemetry.Registry
	Log     *slog.Logger
	Now     func() time.Time // nil means time.Now
}

// How long the core waits for the process.
const (
	helloWithin  = 15 * time.Second
	writeWithin  = 10 * time.Second
	answerWithin = 60 * time.Second // the largest replace takes a few
	conns        = 16
	memory       = 256 << 20
)

// A Process starts the process that commands the firewall, keeps it alive, and
// asks it. It is safe for concurrent use once Run runs.
type Process struct {
	opts Options
	m    metrics

	turn sync.Mutex // held by the one who sends: the frames of an ask come together

	mu      sync.Mutex
	conn    *ipc.Conn // nil: not ready
	ready   chan struct{}
	last    uint64
	waiting map[uint64]chan ipc.FirewallAnswer // who waits, by id; it closes when the process ends
	layers  []string
	starts  int64
	refusal string
	admins  []netip.Addr // told again to every process
}

// New returns a process that has not been started. Run starts it.
func New(o Options) *Process {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Process{opts: o, m: newMetrics(o.Metrics), ready: make(chan struct{}), waiting: map[uint64]chan ipc.FirewallAnswer{}}
}

// Run starts the process, puts in force what Refill says, and hands answers out
// until the process or ctx ends. It is called again after an error.
func (p *Process) Run(ctx context.Context) error {
	group := supervise.New(p.opts.Log)
	launcher := sandbox.NewLauncher(func(name string, fn func()) {
		group.Go(context.WithoutCancel(ctx), name, func(context.Context) error { fn(); return nil })
	})
	defer func() { launcher.Close(); _ = group.Wait() }()
	proc, conn, err := p.start(ctx, launcher)
	if err != nil {
		p.refused(err)
		return err
	}
	over, end := context.WithCancel(ctx)
	group.Go(context.WithoutCancel(ctx), "firewall stop", func(context.Context) error {
		<-over.Done()
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_ = conn.Send(ipc.Stop{})
		return conn.Close()
	})
	err = p.greet(proc, conn)
	if err == nil {
		refilled := make(chan struct{})
		group.Go(over, "firewall refill", func(ctx context.Context) error {
			defer close(refilled)
			if err := p.refill(ctx, conn); err != nil && ctx.Err() == nil {
				p.refused(err)
				p.opts.Log.LogAttrs(ctx, slog.LevelError, "firewall not refilled", slog.Any("error", err))
				end()
			}
			return nil
		})
		err = p.receive(conn)
		end()
		<-refilled // or it would let others ask what is gone
	}
	p.gone()
	end()
	_ = proc.Kill()
	exit, werr := proc.Wait()
	if ctx.Err() != nil {
		return nil
	}
	err = errors.Join(fmt.Errorf("firewall process ended (%v): %s", exit, safetext.TermN(strings.TrimSpace(exit.Output), 300)), err, werr)
	return err
}

// start starts the process with one end of a pair and nothing else.
func (p *Process) start(ctx context.Context, l *sandbox.Launcher) (*sandbox.Process, *ipc.Conn, error) {
	core, child, err := ipc.Pair()
	if err != nil {
		return nil, nil, err
	}
	p.m.starts.Add(1)
	p.mu.Lock()
	p.starts++
	p.mu.Unlock()
	proc, err := l.Start(ctx, sandbox.Options{
		Path: p.opts.Path, Args: p.opts.Args, Files: []*os.File{child}, NoNamespaces: p.opts.NoNamespaces, NetAdmin: true,
	})
	child.Close()
	if err != nil {
		core.Close()
		return nil, nil, err
	}
	conn, err := ipc.FromFile(core, ipc.Core)
	if err != nil {
		_ = proc.Kill()
		_, _ = proc.Wait()
		return nil, nil, err
	}
	return proc, conn, nil
}

// greet says what the process may never do and checks the proof of its cage.
func (p *Process) greet(proc *sandbox.Process, conn *ipc.Conn) error {
	_ = conn.SetWriteDeadline(time.Now().Add(writeWithin))
	err := conn.Send(ipc.Cage{Namespaces: proc.Namespaces, Conns: conns, Memory: memory, Insecure: p.opts.Insecure})
	if err == nil {
		err = conn.Send(p.opts.Setup)
	}
	if err != nil {
		return fmt.Errorf("greet the firewall process: %w", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(helloWithin))
	hello, err := expect[ipc.Hello](conn)
	if err != nil {
		p.refused(err)
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})
	if hello.Failure != "" || len(hello.Open) > 0 && !p.opts.Insecure {
		err := fmt.Errorf("the firewall process cannot serve: %s", safetext.TermN(hello.Failure+strings.Join(hello.Open, ", "), 300))
		p.refused(err)
		return err
	}
	var layers []string
	for _, l := range hello.Layers[:min(len(hello.Layers), 16)] {
		layers = append(layers, safetext.TermN(l.Name+": "+l.State, 60))
	}
	p.mu.Lock()
	p.layers = layers
	p.mu.Unlock()
	p.opts.Log.LogAttrs(context.Background(), slog.LevelInfo, "firewall process caged",
		slog.Int("pid", proc.Pid), slog.String("level", proc.Level), slog.Int("probes", hello.Probes), slog.Int("open", len(hello.Open)))
	return nil
}

// refused remembers why the process could not be started.
func (p *Process) refused(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = safetext.TermN(err.Error(), 300)
}

// refill puts in force what is wanted, and lets others ask.
func (p *Process) refill(ctx context.Context, conn *ipc.Conn) error {
	var t Table
	if p.opts.Refill != nil {
		var err error
		if t, err = p.opts.Refill(ctx); err != nil {
			return fmt.Errorf("read what is to be in force: %w", err)
		}
	}
	p.mu.Lock()
	admins := p.admins
	p.mu.Unlock()
	if _, err := p.exchange(ctx, conn, adminsAsk(admins)); err != nil {
		return err
	}
	a, err := p.exchange(ctx, conn, p.replaceAsk(t))
	if err != nil {
		return err
	}
	p.warn(ctx, &a)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.refusal = conn, ""
	close(p.ready)
	return nil
}

// warn tells what a refill could not put in force.
func (p *Process) warn(ctx context.Context, a *ipc.FirewallAnswer) {
	for _, r := range a.Refused[:min(len(a.Refused), 5)] {
		p.opts.Log.LogAttrs(ctx, slog.LevelWarn, "block not put in force", slog.String("reason", safetext.TermN(r.Reason, 200)))
	}
}

// gone fails what waits, and makes who asks then wait for the next process.
func (p *Process) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.conn, p.ready = nil, make(chan struct{})
	}
	for id, who := range p.waiting {
		delete(p.waiting, id)
		close(who)
	}
}

// receive hands out what the process sends until it is gone. An answer nobody
// waits for is one somebody gave up.
func (p *Process) receive(conn *ipc.Conn) error {
	for {
		m, err := conn.Receive()
		if err != nil {
			return err
		}
		a, ok := m.(ipc.FirewallAnswer)
		if !ok {
			return fmt.Errorf("%w: %T out of turn", ipc.ErrProtocol, m)
		}
		if who := p.take(a.ID); who != nil {
			who <- a
		}
	}
}

func (p *Process) take(id uint64) chan ipc.FirewallAnswer {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.waiting[id]
	delete(p.waiting, id)
	return who
}
