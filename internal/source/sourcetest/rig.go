// Package sourcetest holds every kind of source to the promises of package
// source, over a log in memory and a state the test brings.
package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// A Rig is a core without anything but one source.
type Rig struct {
	T       testing.TB
	Kind    kind.Kind[source.Deps, source.Source]
	Decode  kind.Decode // the configuration; nil: the defaults
	Feed    source.Feed
	Log     eventlog.Store
	State   state.Store
	Mappers []ingest.Format // nil: [Mapper] alone
	In      source.Input
	Metrics *telemetry.Registry

	// Full makes the log refuse events, Stuck the state to keep places.
	Full, Stuck atomic.Bool

	host *source.Host
	stop func()
	died atomic.Bool // the run before was killed: nothing it does counts any more
}

// Mapper takes records with a number "n", and an id of their own when they have
// an "id"; lines of text are theirs when they begin with "n=".
type Mapper struct{}

// Match takes what has a number.
func (Mapper) Match(r *ingest.Record) int {
	if r.Root.Get("n").Type() != ingest.Missing {
		return ingest.MatchSure
	}
	return 0
}

// Map makes one event of a record.
func (Mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	n, ok := r.Root.Get("n").Int()
	if !ok {
		return dst, &ingest.FieldError{Field: "n", Why: "not a number"}
	}
	e := honeyguide.Event{Time: time.Unix(1_795_000_000+n, 0), Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Severity: honeyguide.SeverityLow}
	e.Set(honeyguide.AttrProduct, "sourcetest")
	e.Set("n", n)
	if id := r.Root.Get("id").Text(); id != "" {
		e.ID = ingest.RecordID(e.Time, "sourcetest", id)
	}
	return append(dst, e), nil
}

// Line is a record without an id of its own.
func Line(n int) string { return `{"n":` + strconv.Itoa(n) + `}` + "\n" }

// Lines are the records from a up to b.
func Lines(a, b int) string {
	var s []byte
	for n := a; n < b; n++ {
		s = append(s, Line(n)...)
	}
	return string(s)
}

// Start opens the source and runs it.
func (r *Rig) Start() {
	r.T.Helper()
	if err := r.TryStart(); err != nil {
		r.T.Fatal(err)
	}
}

// TryStart is Start for tests that expect a failure.
func (r *Rig) TryStart() error {
	mappers := r.Mappers
	if mappers == nil {
		mappers = []ingest.Format{{Name: "sourcetest", Mapper: Mapper{}}}
	}
	life := &life{rig: r}
	host, err := source.NewHost(source.HostDeps{
		Take: life.take, Log: r.Log, Find: r.Log, State: life, Mappers: mappers, Seen: ingest.NewSeen(1 << 16), Metrics: r.Metrics,
	}, []source.Instance{{
		Name: "test", Kind: r.Kind, Enabled: true, Feed: r.Feed, Decode: r.Decode, Deps: source.Deps{In: r.In, Listen: listen},
	}})
	if err != nil {
		return err
	}
	if err := host.Open(r.T.Context()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.T.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := host.Run(ctx); err != nil {
			r.T.Errorf("run: %v", err)
		}
	})
	r.host = host
	r.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	r.T.Cleanup(r.stop)
	life.kill = r.stop
	r.died.Store(false)
	return nil
}

// Stop ends the run as a core that is told to stop does.
func (r *Rig) Stop() { r.stop() }

// Kill ends the run as kill -9 does: nothing more reaches log and state.
func (r *Rig) Kill() {
	r.died.Store(true)
	r.stop()
}

// Status returns what is told about the source.
func (r *Rig) Status() source.Status { return r.host.List()[0] }

// Await waits until n events are stored.
func (r *Rig) Await(n int) {
	r.T.Helper()
	r.Eventually(fmt.Sprintf("%d events", n), func() bool { return len(r.Numbers()) >= n })
}

// Eventually waits for something to become true.
func (r *Rig) Eventually(what string, ok func() bool) {
	r.T.Helper()
	for began := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			r.T.Fatalf("not within 20 s: %s; %d events, status %+v", what, len(r.Numbers()), r.Status())
		}
	}
}

// Events returns what is stored, in order.
func (r *Rig) Events() []honeyguide.Event {
	r.T.Helper()
	var out []honeyguide.Event
	for rec, err := range r.Log.Find(context.Background(), eventlog.Query{}) {
		if err != nil {
			r.T.Fatal(err)
		}
		out = append(out, rec.Event)
	}
	slices.Reverse(out)
	return out
}

// Numbers returns the numbers of the stored records, in order.
func (r *Rig) Numbers() []int {
	r.T.Helper()
	var out []int
	for _, e := range r.Events() {
		n, _ := e.Attrs["n"].(int64)
		out = append(out, int(n))
	}
	return out
}

// Once checks that the records from 0 up to n are stored, each once.
func (r *Rig) Once(n int) {
	r.T.Helper()
	times := map[int]int{}
	for _, x := range r.Numbers() {
		times[x]++
	}
	for i := range n {
		if times[i] != 1 {
			r.T.Errorf("record %d of %d is stored %d times", i, n, times[i])
		}
		delete(times, i)
	}
	if len(times) > 0 {
		r.T.Errorf("%d records nobody wrote", len(times))
	}
}

// Dead returns the dead letters, oldest first.
func (r *Rig) Dead() []honeyguide.DeadLetter {
	r.T.Helper()
	var out []honeyguide.DeadLetter
	err := r.State.View(context.Background(), func(tx state.Tx) (err error) {
		out, _, err = tx.DeadLetters().List(context.Background(), state.DeadLetterQuery{Page: state.Page{Limit: state.MaxLimit}})
		return err
	})
	if err != nil {
		r.T.Fatal(err)
	}
	slices.Reverse(out)
	return out
}

// A life is what one run sees of log and state.
type life struct {
	rig  *Rig
	kill func()
}

var (
	errDead  = errors.New("this process was killed")
	errFull  = errors.New("no room left")
	errStuck = errors.New("disk I/O error")
)

func (l *life) take(ctx context.Context, events []honeyguide.Event) (eventlog.Seq, error) {
	switch {
	case l.rig.died.Load():
		return 0, errDead
	case l.rig.Full.Load():
		return 0, errFull
	}
	r, err := l.rig.Log.Append(ctx, eventlog.Batch{Events: events})
	return r.Lo + eventlog.Seq(r.Stored) - 1, err
}

func (l *life) View(ctx context.Context, fn func(state.Tx) error) error {
	return l.rig.State.View(ctx, fn)
}

func (l *life) Update(ctx context.Context, fn func(state.Tx) error) error {
	switch {
	case l.rig.died.Load():
		return errDead
	case l.rig.Stuck.Load():
		return errStuck
	}
	return l.rig.State.Update(ctx, fn)
}

// Close is the test's own business.
func (l *life) Close() error { return nil }

// listen opens a door on loopback.
func listen(ctx context.Context, network, addr string) (net.Listener, net.PacketConn, error) {
	var lc net.ListenConfig
	if network == "udp" {
		c, err := lc.ListenPacket(ctx, network, addr)
		return nil, c, err
	}
	l, err := lc.Listen(ctx, network, addr)
	return l, nil, err
}
