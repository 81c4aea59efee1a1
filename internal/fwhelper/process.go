package fwhelper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"honeyguide/internal/caged"
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
	writeWithin  = 10 * time.Second // for it to read what it is sent
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
	p.m.starts.Add(1)
	p.mu.Lock()
	p.starts++
	p.mu.Unlock()
	proved := false
	err := caged.Run(ctx, caged.Options{
		Name:  "firewall",
		Start: sandbox.Options{Path: p.opts.Path, Args: p.opts.Args, NoNamespaces: p.opts.NoNamespaces, NetAdmin: true},
		Conns: conns, Memory: memory, Insecure: p.opts.Insecure, Setup: p.opts.Setup, Log: p.opts.Log,
	}, func(ctx context.Context, conn *ipc.Conn, layers []string) error {
		proved = true
		defer p.gone()
		p.mu.Lock()
		p.layers = layers
		p.mu.Unlock()
		return p.serve(ctx, conn)
	})
	if err != nil && !proved {
		p.refused(err)
	}
	return err
}

// serve hands answers out, while what is wanted is put in force: only then may
// others ask.
func (p *Process) serve(ctx context.Context, conn *ipc.Conn) error {
	ctx, end := context.WithCancel(ctx)
	group := supervise.New(p.opts.Log)
	group.Go(ctx, "firewall refill", func(ctx context.Context) error {
		if err := p.refill(ctx, conn); err != nil && ctx.Err() == nil {
			p.refused(err)
			p.opts.Log.LogAttrs(ctx, slog.LevelError, "firewall not refilled", slog.Any("error", err))
			return conn.Close() // another process tries again
		}
		return nil
	})
	err := p.receive(conn)
	end()
	return errors.Join(err, group.Wait()) // or it would let others ask what is gone
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
