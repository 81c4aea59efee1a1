package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// Config says how the consumer works.
type Config struct {
	Name     string              // of its cursor; "" means detect
	Min      honeyguide.Severity // least severity that opens an incident; 0 means medium
	Batch    int                 // events read at a time; 0 means 4096
	WarmUp   int                 // events read again at the start; 0 means 50,000, below 0 none
	WarmSpan time.Duration       // and not older than this before the cursor; 0 means 1 h
	Triage   detect.TriageConfig
	SLA      detect.SLA // how soon incidents are to be answered; zero means the default
	// Memory is what the alerts of one transaction may take, about, in bytes; a
	// backlog is written in pieces of that size. 0 means 256 MiB.
	Memory int64
}

// Deps is what a consumer works with.
type Deps struct {
	Log   eventlog.Log
	State state.Store
	// Detectors opens fresh detectors; it is called at each start, because what
	// they remember is rebuilt from the log.
	Detectors func(ctx context.Context) ([]Detector, error)
	Responder Responder                   // nil: nothing is done
	Recording func(session string) string // name of a session's recording, "" for none; nil: none
	Metrics   *telemetry.Registry
	Logger    *slog.Logger     // nil: none
	Now       func() time.Time // nil: time.Now
}

// A Consumer reads the log and writes what follows from it.
type Consumer struct {
	cfg Config
	dep Deps
	m   *metrics
	log *slog.Logger

	sessions *detect.Memory[honeyguide.Session] // as last committed
	links    *detect.Memory[string]             // as last committed, "" for none

	epoch string        // of links, see refresh
	apart map[pair]bool // incidents correlation may not join

	wall func() time.Time // measures work; says nothing about events

	mu   sync.Mutex
	done eventlog.Seq
	wake chan struct{} // closed and replaced when done moves

	turn   chan struct{}      // holds one: who has it may touch what is remembered
	stop   context.CancelFunc // of the judging under way
	paused int                // how many want it to stand still
}

// Pauses between attempts to write a verdict.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
)

// NewConsumer returns a consumer. Run starts it.
func NewConsumer(cfg Config, dep Deps) *Consumer {
	if cfg.Name == "" {
		cfg.Name = "detect"
	}
	if cfg.Min == 0 {
		cfg.Min = honeyguide.SeverityMedium
	}
	if cfg.Memory <= 0 {
		cfg.Memory = maxAlerts * alertBytes
	}
	if cfg.Batch <= 0 {
		cfg.Batch = 4096
	}
	if cfg.WarmUp == 0 {
		cfg.WarmUp = 50_000
	}
	if cfg.WarmSpan == 0 {
		cfg.WarmSpan = time.Hour
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Logger == nil {
		dep.Logger = slog.New(slog.DiscardHandler)
	}
	return &Consumer{
		cfg: cfg, dep: dep, m: newMetrics(dep.Metrics), log: dep.Logger, wall: time.Now, wake: make(chan struct{}), turn: make(chan struct{}, 1),
		sessions: detect.NewMemory(20_000, func() honeyguide.Session { return honeyguide.Session{} }),
		links:    detect.NewMemory(memoryOfKeys, func() string { return "" }),
	}
}

// Run judges the log until ctx ends. It may be called again after it returned,
// but not twice at a time.
func (c *Consumer) Run(ctx context.Context) error {
	for {
		paused, err := c.runOnce(ctx)
		if !paused || ctx.Err() != nil {
			return err
		}
	}
}

// runOnce judges until ctx ends or somebody wants it to stand still.
func (c *Consumer) runOnce(ctx context.Context) (paused bool, err error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-c.turn }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c.mu.Lock()
	c.stop, paused = stop, c.paused > 0
	c.mu.Unlock()
	if !paused {
		err = c.judgeOn(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop = nil
	return paused || c.paused > 0, err
}

// Pause calls fn while nothing is judged and nothing is remembered: fn may change
// what the log and the state hold. Judging begins anew after it, from the cursor
// and with what is there then.
func (c *Consumer) Pause(ctx context.Context, fn func(context.Context) error) error {
	c.mu.Lock()
	c.paused++
	if c.stop != nil {
		c.stop()
	}
	c.mu.Unlock()
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		c.resume()
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	defer c.resume()
	err := fn(ctx)
	c.sessions = detect.NewMemory(20_000, func() honeyguide.Session { return honeyguide.Session{} })
	c.links = detect.NewMemory(memoryOfKeys, func() string { return "" })
	return err
}

func (c *Consumer) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused--
}

// judgeOn judges from the cursor until ctx ends.
func (c *Consumer) judgeOn(ctx context.Context) error {
	detectors, err := c.dep.Detectors(ctx)
	if err != nil {
		return fmt.Errorf("open detectors: %w", err)
	}
	for _, d := range detectors {
		c.m.detectors.With(d.Name).Add(0)
	}
	j := newJudge(detectors, c.cfg.Triage, c.log, func(name string) { c.m.detectors.With(name).Add(1) })
	pos, err := c.cursor(ctx)
	if err != nil {
		return err
	}
	if err := c.recall(ctx, j); err != nil {
		return err
	}
	if err := c.warmUp(ctx, j, pos); err != nil {
		return fmt.Errorf("read the last events again: %w", err)
	}
	j.recall(ctx, pos+1)
	c.reached(pos)
	// Judging the next verdict and writing the last one keep two cores busy.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	verdicts := make(chan *verdict)
	group := supervise.New(c.log)
	group.Go(ctx, "judge", func(ctx context.Context) error {
		defer close(verdicts)
		return c.judgeAll(ctx, j, pos, verdicts)
	})
	for v := range verdicts {
		if err = c.write(ctx, v); err != nil {
			break
		}
		c.reached(v.to)
	}
	ended := ctx.Err()
	stop()
	return cmp.Or(err, group.Wait(), ended)
}

// Bounds of what one transaction takes when writing lags behind: what is
// merged in memory costs the state nothing, so a backlog is written in large
// pieces, and a quiet log at once.
const (
	maxEvents  = 1 << 18
	maxAlerts  = 1 << 16
	minAlerts  = 1 << 10
	alertBytes = 4 << 10 // of an alert that is judged, written and remembered
	// fewEvents is the least that is written while there is more to judge,
	// unless that takes longer than patience.
	fewEvents = 1 << 16
	patience  = time.Second
)

// Under load verdicts keep a distance: a session's events come within moments
// of each other, and its row, its alert and its incident are then written once
// instead of with every few events. A quiet log is written at once: each event
// of the last verdict holds the next one up by perEvent, at most by maxDistance.
const (
	perEvent    = time.Millisecond
	maxDistance = 200 * time.Millisecond
	enough      = 4096 // events of a verdict that waits for no more
)

// A stretch is what was read of the log at a time.
type stretch struct {
	recs []eventlog.Record
	from eventlog.Seq // what lies between it and the stretch before is gone
	last eventlog.Seq // the end of the log
}

// judgeAll judges the log after pos and hands out verdicts as fast as they are
// taken. While none is, the verdict at hand grows.
func (c *Consumer) judgeAll(ctx context.Context, j *judge, pos eventlog.Seq, out chan<- *verdict) error {
	ctx, stop := context.WithCancel(ctx)
	read := make(chan stretch, 1) // one is read while one is judged
	group := supervise.New(c.log)
	defer func() { stop(); _ = group.Wait() }()
	group.Go(ctx, "read", func(ctx context.Context) error {
		defer close(read)
		return c.readAll(ctx, pos, read)
	})
	var last eventlog.Seq
	var due <-chan time.Time
	piece := int(min(max(c.cfg.Memory/alertBytes, minAlerts), maxAlerts))
	ripe := false      // the verdict at hand has waited long enough
	var next time.Time // when the next verdict may be handed out
	for v := newVerdict(pos); ; {
		in, to := read, out
		switch n := len(v.merged.Alerts()); {
		case v.to == v.from, !ripe && v.to < last && v.events < fewEvents && n < piece:
			to = nil // nothing to write yet
		case v.events >= maxEvents, n >= piece:
			in = nil
		}
		if to != nil && v.kept == nil {
			v.kept = j.keep(ctx, c.wall(), v.to, v.to == last)
		}
		var turn <-chan time.Time
		if early := next.Sub(c.wall()); to != nil && v.events < enough && early > 0 {
			to, turn = nil, time.After(early)
		}
		select {
		case s, more := <-in:
			if !more {
				return cmp.Or(group.Wait(), ctx.Err())
			}
			if v.to == v.from {
				due, ripe = time.After(patience), false
			}
			v.to, last = max(v.to, s.from), s.last
			j.judge(ctx, v, s.recs)
			j.note(v, s.recs)
			c.m.lag.Set(float64(max(last-v.to, 0)))
		case to <- v:
			next = c.wall().Add(min(time.Duration(v.events)*perEvent, maxDistance))
			n := len(v.merged.Alerts())
			v = newVerdict(v.to)
			v.merged.Grow(min(n+n/8, piece)) // under load the next is about as large
		case <-turn:
		case <-due:
			ripe = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// readAll reads the log after pos.
func (c *Consumer) readAll(ctx context.Context, pos eventlog.Seq, out chan<- stretch) error {
	for {
		recs, err := c.dep.Log.Read(ctx, pos, c.cfg.Batch)
		switch {
		case errors.Is(err, eventlog.ErrTrimmed):
			if pos, err = c.skip(ctx, pos); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("read event log: %w", err)
		}
		s := stretch{recs: recs, from: pos}
		if len(recs) > 0 {
			pos = recs[len(recs)-1].Seq
		}
		if _, s.last, err = c.dep.Log.Ends(ctx); err != nil {
			return fmt.Errorf("read ends of the event log: %w", err)
		}
		select {
		case out <- s:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write writes what follows from a verdict. It is tried until it works: the
// next one may not overtake it.
func (c *Consumer) write(ctx context.Context, v *verdict) error {
	began := c.wall()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		out, err := c.apply(ctx, v)
		switch {
		case err == nil:
			if len(out.answers) > 0 {
				c.dep.Responder.Begin(out.answers) // first: somebody is attacked now
			}
			c.count(v, out)
			c.m.batch.Observe(c.wall().Sub(began).Seconds())
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case honeyguide.ErrorCode(err) == honeyguide.CodeConflict, honeyguide.ErrorCode(err) == honeyguide.CodeForbidden:
			return err // the cursor is another's
		}
		c.m.retries.Add(1)
		c.log.LogAttrs(ctx, slog.LevelError, "state not written, trying again", slog.Any("error", err), slog.Duration("pause", pause))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// count remembers and counts what is now durable.
func (c *Consumer) count(v *verdict, out *outcome) {
	for _, s := range out.sessions {
		*c.sessions.At(s.ID) = s
	}
	for key, to := range out.links {
		*c.links.At(key) = to
	}
	c.m.suppressedAlerts.Add(float64(out.hidden.alerts))
	c.m.suppressedEvents.Add(float64(out.hidden.events))
	for _, a := range out.live {
		c.m.category.With(a.Category).Add(float64(a.Count))
		if a.Severity >= honeyguide.SeverityMedium {
			c.m.threats.Add(float64(a.Count))
		}
	}
	for _, sev := range out.created {
		c.m.alerts.With(sev.String()).Add(1)
	}
	for _, d := range out.delays {
		c.m.detect.Observe(max(d, 0).Seconds())
	}
	for _, r := range out.answers {
		for i := range r.Plans {
			c.m.plans.With(string(r.Plans[i].State)).Add(1)
		}
	}
	c.m.incidents.Add(float64(out.opened))
	c.m.events.Add(float64(v.events))
	c.m.tokens.Add(float64(len(v.exposed) + len(v.used)))
	c.m.unknownTokens.Add(float64(out.unknown))
}

func (c *Consumer) cursor(ctx context.Context) (eventlog.Seq, error) {
	var pos int64
	err := c.dep.State.View(ctx, func(tx state.Tx) (err error) {
		pos, err = tx.Cursors().Cursor(ctx, c.cfg.Name)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read position: %w", err)
	}
	return eventlog.Seq(pos), nil
}

// recall gives triage back what it remembered. Without it triage starts anew:
// what is unusual shows again within hours.
func (c *Consumer) recall(ctx context.Context, j *judge) error {
	var seq int64
	var memory []byte
	err := c.dep.State.View(ctx, func(tx state.Tx) (err error) {
		seq, memory, err = tx.Models().Memory(ctx, c.cfg.Name)
		return err
	})
	if err != nil || memory == nil {
		return err
	}
	if err := j.triage.Recall(memory); err != nil {
		c.log.LogAttrs(ctx, slog.LevelWarn, "triage has lost its memory and starts anew", slog.Any("error", err))
		return nil
	}
	j.known = eventlog.Seq(seq)
	return nil
}

// skip returns where to go on behind what retention took unseen.
func (c *Consumer) skip(ctx context.Context, pos eventlog.Seq) (eventlog.Seq, error) {
	first, _, err := c.dep.Log.Ends(ctx)
	if err != nil {
		return pos, fmt.Errorf("read ends of the event log: %w", err)
	}
	if first-1 <= pos {
		return pos, nil
	}
	if pos > 0 { // a new consumer has missed nothing
		c.m.trimmed.Add(1)
		c.log.LogAttrs(ctx, slog.LevelWarn, "retention took events the detectors had not seen", slog.Int64("from", int64(pos+1)), slog.Int64("to", int64(first-1)))
	}
	return first - 1, nil
}

// warmUp lets the judge see the last events before pos again.
func (c *Consumer) warmUp(ctx context.Context, j *judge, pos eventlog.Seq) error {
	if c.cfg.WarmUp < 0 || pos == 0 {
		return nil
	}
	first, _, err := c.dep.Log.Ends(ctx)
	if err != nil {
		return err
	}
	// Only what is young enough counts; the newest event is the clock.
	newest, err := c.dep.Log.Read(ctx, max(first-1, pos-1), 1)
	if err != nil || len(newest) == 0 || newest[0].Seq > pos {
		return err
	}
	from := newest[0].Event.Time.Add(-c.cfg.WarmSpan)
	learnt, err := c.readLearnt(ctx, j, pos)
	if err != nil {
		return err
	}
	young := false
	for at := max(first-1, min(pos-eventlog.Seq(c.cfg.WarmUp), learnt)); at < pos; {
		recs, err := c.dep.Log.Read(ctx, at, int(min(int64(pos-at), int64(c.cfg.Batch))))
		if err != nil {
			return err
		}
		if len(recs) == 0 || recs[0].Seq > pos {
			return nil
		}
		at = recs[len(recs)-1].Seq
		for i := range recs {
			if young = young || recs[i].Seq > learnt || !recs[i].Event.Time.Before(from); young {
				j.judge(ctx, newVerdict(at), recs[i:])
				break
			}
		}
	}
	return nil
}

// Reached is the number of the last event that is dealt with.
func (c *Consumer) Reached() eventlog.Seq {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

// reached says that everything up to pos is dealt with.
func (c *Consumer) reached(pos eventlog.Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pos > c.done {
		c.done = pos
	}
	close(c.wake)
	c.wake = make(chan struct{})
	c.m.position.Set(float64(pos))
}

// Idle returns when everything up to seq is judged and what follows from it is
// durable, or with ctx's error.
func (c *Consumer) Idle(ctx context.Context, seq eventlog.Seq) error {
	for {
		c.mu.Lock()
		done, wake := c.done, c.wake
		c.mu.Unlock()
		if done >= seq {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		}
	}
}

// Position returns the number of the last event dealt with.
func (c *Consumer) Position() eventlog.Seq {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}
