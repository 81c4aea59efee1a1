package warden

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// Options describe one sensor process.
type Options struct {
	Name string   // of the process, the Sensor of what the warden itself reports: the persona
	Path string   // program; "" means this one
	Args []string // arguments that make the program call Child

	// Setup is what the process is told. Its Sensors say by Network and Addr
	// where to listen; the warden fills in Listener, the address as bound and,
	// at each start, Now.
	Setup ipc.Setup

	ConfigKey func(sensor string) string // where a user changes a sensor's address; nil means sensors.NAME.listen

	NoNamespaces bool  // start it in the host's namespaces
	Insecure     bool  // let it serve although the cage has a gap
	Procs        int   // GOMAXPROCS of the process; 0 means all
	Memory       int64 // soft memory limit in bytes; 0 means none
	Quota        ipc.Quota

	// Append makes events durable. It is called by one goroutine at a time and
	// again with the same events while it fails; an eventlog.EventError gives
	// the one event up that it names.
	Append func(ctx context.Context, events []honeyguide.Event) error
	// Chunks keeps pieces of recordings in their order and says how many of
	// them it kept; nil drops them. Their sessions are safe as file names. It is
	// called by the goroutine that calls Append, with what was recorded before
	// the events it appends next.
	Chunks func(ctx context.Context, chunks []ipc.Chunk) (kept int, err error)

	// Worlds keeps what attackers left behind, under Name; nil keeps nothing.
	Worlds Worlds

	// Samples keeps the files peers bring; nil keeps none. It is called by the
	// goroutine that calls Append.
	Samples Samples

	Log     *slog.Logger        // nil discards
	Metrics *telemetry.Registry // nil counts nothing
	Now     func() time.Time    // nil means time.Now

	patience time.Duration // with a process that was told to end; 0 means stopWithin
}

// Samples keeps the content of files that come in pieces. owner names one life
// of a sensor process.
type Samples interface {
	Stage(owner string, p ipc.Piece) error
	// Seal makes the content that an event of activity sample is about durable and
	// writes into the event what is true of it.
	Seal(owner string, e *honeyguide.Event)
	// Drop gives up what was staged and not sealed.
	Drop(owner string)
}

// States of a sensor process.
const (
	Starting = "starting"
	Serving  = "serving"
	Waiting  = "waiting" // for the next start after a death
	Stopped  = "stopped"
)

// Health is what is known of a sensor process now.
type Health struct {
	State      string
	PID        int
	Level      string      // how it was started
	Refused    []string    // stronger ways the host refused
	Layers     []ipc.Layer // of its cage, as it reported them
	Probes     int         // escape attempts of its self-test
	Open       []string    // of those, the ones that succeeded
	CageTook   time.Duration
	ReadyTook  time.Duration // from the start to Serving
	Since      time.Time     // of the state
	Restarts   int
	Violations int
	LastExit   string // how the last one ended, "" before
}

// A Warden keeps one sensor process running.
type Warden struct {
	opts  Options
	log   *slog.Logger
	now   func() time.Time
	socks *sockets
	relay *relay
	count counters
	ready chan struct{} // closed when the first process serves
	once  sync.Once

	mu     sync.Mutex
	health Health
	hold   *hold  // nil: it may run
	end    func() // ends the process at hand

	numbers  numbers           // used by the life alone
	launcher *sandbox.Launcher // set by Run
}

// New opens the sockets of the sensors. The error names every address that
// cannot be had, who holds it, and the configuration key to change.
func New(ctx context.Context, o Options) (*Warden, error) {
	if o.Append == nil || o.Name == "" || len(o.Setup.Sensors) == 0 {
		return nil, errors.New("warden: a name, a sensor and Append are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.patience == 0 {
		o.patience = stopWithin
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ConfigKey == nil {
		o.ConfigKey = func(sensor string) string { return "sensors." + sensor + ".listen" }
	}
	socks, err := openSockets(ctx, &o)
	if err != nil {
		return nil, err
	}
	w := &Warden{
		opts: o, now: o.Now, socks: socks, ready: make(chan struct{}),
		log:     o.Log.With(slog.String("process", o.Name)),
		count:   newCounters(o.Metrics, o.Name),
		numbers: numbers{boot: honeyguide.NewID(o.Now())},
	}
	w.relay = newRelay(socks.packets, o.Now, w.count)
	w.enter(Starting)
	return w, nil
}

// Sensors returns the sensors with the addresses they are bound to.
func (w *Warden) Sensors() []ipc.SensorSetup {
	return append([]ipc.SensorSetup(nil), w.opts.Setup.Sensors...)
}

// Ready is closed when the first process serves.
func (w *Warden) Ready() <-chan struct{} { return w.ready }

// Health says how the process is now.
func (w *Warden) Health() Health {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.health
}

// Check is nil while the process serves, or says what is wrong.
func (w *Warden) Check(context.Context) error {
	if h := w.Health(); h.State != Serving {
		return fmt.Errorf("sensor process %s is %s since %s; last end: %s",
			w.opts.Name, h.State, h.Since.UTC().Format(time.RFC3339), h.LastExit)
	}
	return nil
}

func (w *Warden) update(change func(*Health)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.health)
}

func (w *Warden) enter(state string) {
	up := 0.0
	if state == Serving {
		up = 1
	}
	w.update(func(h *Health) {
		h.State, h.Since = state, w.now()
		w.count.up.Set(up)
	})
	if state == Serving {
		w.once.Do(func() { close(w.ready) })
	}
}

// Close closes the sockets. It is called when Run has returned or was never called.
func (w *Warden) Close() error { return w.socks.close() }

// Pauses between two starts: the first, doubled up to the last; a process that
// served for calm begins again with the first.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
	calm       = time.Minute
)

// Run keeps the process running until ctx ends, and then lets it finish what
// it has. It returns early only when there is no use in another start: the
// cage does not hold here, or the first process could not be set up.
func (w *Warden) Run(ctx context.Context) error {
	defer w.enter(Stopped)
	group := supervise.New(w.log)
	relaying, stop := context.WithCancel(ctx)
	w.launcher = sandbox.NewLauncher(func(name string, fn func()) {
		group.Go(relaying, name, func(context.Context) error { fn(); return nil })
	})
	w.relay.serve(relaying, group)
	err := w.keep(ctx)
	w.launcher.Close()
	stop()
	w.relay.release()
	if gerr := group.Wait(); err == nil {
		err = gerr
	}
	return err
}

func (w *Warden) keep(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		w.rest(ctx)
		w.enter(Starting)
		living, end := w.living(ctx)
		served, err := w.life(living)
		end()
		if ctx.Err() != nil {
			return nil
		}
		if w.holding() != nil {
			pause = firstPause
			continue
		}
		if final, ok := errors.AsType[*finalError](err); ok {
			return final.err
		}
		if served > calm {
			pause = firstPause
		}
		w.enter(Waiting)
		w.update(func(h *Health) { h.Restarts++ })
		w.count.restarts.Add(1)
		w.log.LogAttrs(ctx, slog.LevelWarn, "sensor process restarts", slog.Duration("pause", pause), slog.Any("error", err))
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, lastPause)
	}
	return nil
}

// A finalError makes another start useless.
type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
