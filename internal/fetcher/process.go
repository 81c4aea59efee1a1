package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"honeyguide/internal/caged"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/telemetry"
)

// Options say how the process is started.
type Options struct {
	Path         string   // program; "" means this one
	Args         []string // that make the program call [Child]
	Setup        ipc.FetchSetup
	NoNamespaces bool
	Insecure     bool
	Metrics      *telemetry.Registry
	Log          *slog.Logger
}

// How long the core waits for the process.
const (
	writeWithin = 10 * time.Second // for it to read what it is sent
	grace       = 5 * time.Second  // beyond the time a request may take
	conns       = 256
	memory      = 128 << 20
)

// errGone says that the process died before it answered.
var errGone = errors.New("the fetcher process is gone")

// A Process starts the process that reaches out, keeps it alive, and asks it. It
// is safe for concurrent use once Run runs.
type Process struct {
	opts     Options
	requests *telemetry.CounterVec
	restarts *telemetry.CounterVec

	mu     sync.Mutex
	conn   *ipc.Conn // nil: not ready
	ready  chan struct{}
	last   uint64
	asked  map[uint64]*asked
	layers []string
}

// asked is one request that waits for its answer.
type asked struct {
	mu   sync.Mutex // held while a piece is written
	w    io.Writer
	n    int64
	most int64
	err  error // of w
	done chan ipc.Fetched
}

// New returns a process that has not been started. Run starts it.
func New(o Options) *Process {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.Setup.Ports) == 0 {
		o.Setup.Ports = DefaultPorts
	}
	p := &Process{opts: o, ready: make(chan struct{}), asked: map[uint64]*asked{}}
	p.requests = o.Metrics.Counter("honeyguide_fetcher_requests_total", "Requests to the network, by how they ended.", "result")
	p.restarts = o.Metrics.Counter("honeyguide_fetcher_starts_total", "Times the fetcher process was started.")
	for _, r := range []string{"ok", codeRefused, codeTooLarge, codeOther} {
		p.requests.With(r).Add(0)
	}
	return p
}

// Permit opens ways beyond the ports for all. They hold from the next start of the
// process on, so it is called before Run.
func (p *Process) Permit(ways ...Way) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range ways {
		if !slices.Contains(p.opts.Setup.Ways, w) {
			p.opts.Setup.Ways = append(slices.Clone(p.opts.Setup.Ways), w)
		}
	}
}

// PermitInside lets hosts have private addresses, for the settings name them. It
// is called before Run.
func (p *Process) PermitInside(hosts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range hosts {
		if h = hostName(h); !slices.Contains(p.opts.Setup.Inside, h) {
			p.opts.Setup.Inside = append(slices.Clone(p.opts.Setup.Inside), h)
		}
	}
}

// Run starts the process and hands answers out until the process or ctx ends. It
// is called again after an error.
func (p *Process) Run(ctx context.Context) error {
	p.mu.Lock()
	setup := p.opts.Setup
	p.mu.Unlock()
	p.restarts.Add(1)
	return caged.Run(ctx, caged.Options{
		Name:  "fetcher",
		Start: sandbox.Options{Path: p.opts.Path, Args: p.opts.Args, NoNamespaces: p.opts.NoNamespaces, HostNetwork: true},
		Conns: conns, Memory: memory, Insecure: p.opts.Insecure, Setup: setup, Log: p.opts.Log,
	}, func(_ context.Context, conn *ipc.Conn, layers []string) error {
		defer p.gone()
		p.serve(conn, layers)
		return p.receive(conn)
	})
}

// Layers returns the layers of the cage, nil before it is closed.
func (p *Process) Layers() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.layers
}

// serve lets requests through.
func (p *Process) serve(conn *ipc.Conn, layers []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.layers = conn, layers
	close(p.ready)
}

// gone fails what waits.
func (p *Process) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.conn, p.ready = nil, make(chan struct{})
	}
	for id, a := range p.asked {
		delete(p.asked, id)
		a.done <- ipc.Fetched{Error: errGone.Error(), Code: codeOther}
	}
}

// receive hands out what the process sends until it is gone.
func (p *Process) receive(conn *ipc.Conn) error {
	for {
		m, err := conn.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case ipc.FetchBody:
			p.body(conn, &m)
		case ipc.Fetched:
			if a := p.take(m.ID); a != nil {
				a.done <- m
			}
		default:
			return fmt.Errorf("%w: %T out of turn", ipc.ErrProtocol, m)
		}
	}
}

// body writes a piece where it belongs. The process is not believed that it
// keeps to the size it was given.
func (p *Process) body(conn *ipc.Conn, m *ipc.FetchBody) {
	p.mu.Lock()
	a := p.asked[m.ID]
	p.mu.Unlock()
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return
	}
	if a.n += int64(len(m.Data)); a.n > a.most {
		a.err = fmt.Errorf("%w: more than was asked for", ErrTooLarge)
	} else if _, err := a.w.Write(m.Data); err != nil {
		a.err = fmt.Errorf("keep the answer: %w", err)
	}
	if a.err != nil {
		_ = conn.Send(ipc.FetchStop{ID: m.ID})
	}
}

func (p *Process) take(id uint64) *asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.asked[id]
	delete(p.asked, id)
	return a
}
