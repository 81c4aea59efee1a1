// Package runs carries playbooks out. A run is one playbook applied once; each
// of its steps makes plans, one for each target, and every plan goes its way:
// planned, (waiting,) applying, applied, verified, and at the end expired or
// reverted.
//
// # Durability
//
// What is to be done is written down before it is done, and what came of it
// afterwards, in the transaction that takes the job off the queue. A crash in
// between leaves a plan in state applying, which is applied again under the same
// ID: actions leave one effect for one ID (see [respond.Action]). So a run ends in
// a final state whatever is killed when, and nothing is done twice.
//
// Where speed matters nothing stands between the decision and the act: the
// transaction that opens or grows an incident writes the run, its first step's
// plans and the job, claimed already, and the engine gets them by hand
// ([Engine.Begin]) the moment it is committed.
//
// # What holds a run up
//
// An approval, the stop switch, a limit of its playbook, or the pause before the
// next attempt. Each is written in the run and has an end: approvals lapse, and a
// step that is not over by its deadline makes the run say that it is stuck.
package runs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/jobs"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// Config is what the operator says about runs.
type Config struct {
	Mode  honeyguide.Mode // of playbooks that name none
	Fresh time.Duration   // incidents whose newest event is older are only planned for; 0 = an hour
	Node  string          // name of this node
	// Since is when the state was put back from a backup: incidents whose newest
	// event is older were acted on before. Zero: never.
	Since time.Time
}

// Deps is what the engine stands on.
type Deps struct {
	State   state.Store
	Shelf   *playbook.Shelf
	Actions map[string]respond.Action // by the name playbooks call them
	// Contained notes that a containing act of an incident was verified. Nil: nobody
	// needs to know.
	Contained func(ctx context.Context, tx state.Tx, incident string, at time.Time, by string) error
	// Summary counts what a digest tells. Nil: nothing.
	Summary func(ctx context.Context, from, to time.Time) (playbook.Summary, error)
	// Audit takes an entry of every act before it is done; while it does not, runs
	// wait. Nil: nothing is written down.
	Audit   audit.Recorder
	Metrics *telemetry.Registry
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

// An Engine carries playbooks out. It is safe for concurrent use.
type Engine struct {
	cfg   Config
	dep   Deps
	queue *jobs.Queue
	log   *slog.Logger
	now   func() time.Time
	m     *metrics

	halted atomic.Pointer[honeyguide.HaltState]

	locks  locks     // of plans
	looked time.Time // by the watch alone: what the clock said then

	mu    sync.Mutex
	fresh []*work       // claimed by the transactions that made them
	ring  chan struct{} // rings when there is something in fresh
}

// Kinds of jobs.
const (
	jobRun   = "run"   // Key: run. Takes it as far as it goes
	jobEnd   = "end"   // Key: plan. Its time is over, or somebody reverts it
	jobLapse = "lapse" // Key: run/step. Nobody approved in time
	jobRenew = "renew" // Key: plan. Somebody confirmed it: it holds until its full time
)

// lease is how long a worker has a job before another takes it. It is extended
// before every act.
const lease = time.Minute

// attempts of a job: they are counted per step, so the queue never gives up.
const attempts = 1 << 30

// New returns an engine over what the store holds.
func New(ctx context.Context, cfg Config, dep Deps) (*Engine, error) {
	if dep.State == nil || dep.Shelf == nil {
		return nil, errors.New("runs: state and shelf are needed")
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Mode == "" {
		cfg.Mode = honeyguide.ModeDryRun
	}
	if cfg.Fresh <= 0 {
		cfg.Fresh = time.Hour
	}
	e := &Engine{
		cfg: cfg, dep: dep, queue: jobs.New(dep.State, dep.Now), log: dep.Log, now: dep.Now, m: newMetrics(dep.Metrics), ring: make(chan struct{}, 1),
	}
	for name := range dep.Actions { // there from the start, so that the first one is seen
		for _, s := range []honeyguide.PlanState{honeyguide.PlanApplied, honeyguide.PlanVerified, honeyguide.PlanFailed, honeyguide.PlanExpired, honeyguide.PlanReverted} {
			e.m.plans.With(name, string(s)).Add(0)
		}
	}
	e.locks.held = map[string]*lockOf{}
	h, err := e.readHalt(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the stop switch: %w", err)
	}
	e.setHalt(h)
	return e, nil
}

// work is one claimed job, with its run and plans where the one who claimed it
// knows them.
type work struct {
	job   state.Job
	run   *honeyguide.Run
	plans []honeyguide.Plan // of the step at hand, in state applying
	at    time.Time         // of the decision
}

// push hands claimed work to the workers.
func (e *Engine) push(list ...*work) {
	e.mu.Lock()
	e.fresh = append(e.fresh, list...)
	e.mu.Unlock()
	e.wake()
}

func (e *Engine) wake() {
	select {
	case e.ring <- struct{}{}:
	default:
	}
}

// pop takes the oldest of it.
func (e *Engine) pop() *work {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.fresh) == 0 {
		return nil
	}
	w := e.fresh[0]
	e.fresh[0] = nil
	if e.fresh = e.fresh[1:]; len(e.fresh) == 0 {
		e.fresh = nil
	} else {
		e.wake() // for the next worker
	}
	return w
}

// metrics are what the engine counts.
type metrics struct {
	runs, plans, skipped, stuck *telemetry.CounterVec
	delay                       *telemetry.HistogramVec
	halted                      *telemetry.GaugeVec
}

func newMetrics(r *telemetry.Registry) *metrics {
	m := &metrics{
		runs:    r.Counter("honeyguide_runs_total", "Runs of playbooks that ended, by state.", "state"),
		plans:   r.Counter("honeyguide_acts_total", "Acts that ended an attempt, by action and state.", "action", "state"),
		skipped: r.Counter("honeyguide_runs_skipped_total", "Runs that did not begin because too many were under way."),
		stuck:   r.Counter("honeyguide_runs_stuck_total", "Runs whose step was not over by its deadline."),
		delay: r.Histogram("honeyguide_response_seconds", "Time from the decision to the verified act, by action.",
			[]float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 30, 300}, "action"),
		halted: r.Gauge("honeyguide_response_halted", "1 while the stop switch is on."),
	}
	for _, s := range []honeyguide.RunState{honeyguide.RunDone, honeyguide.RunFailed, honeyguide.RunCancelled, honeyguide.RunReverted, honeyguide.RunPlanned} {
		m.runs.With(string(s)).Add(0)
	}
	m.skipped.Add(0)
	m.stuck.Add(0)
	m.halted.Set(0)
	return m
}
