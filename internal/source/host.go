package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// HostDeps is what sources work with.
type HostDeps struct {
	// Take makes events durable and returns the number of the last one.
	Take    func(context.Context, []honeyguide.Event) (eventlog.Seq, error)
	Log     eventlog.Log
	Find    eventlog.Finder
	State   state.Store
	Mappers []ingest.Format
	Seen    *ingest.Seen // shared with whoever else takes records in
	Metrics *telemetry.Registry
	Logger  *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

// An Instance is one configured source.
type Instance struct {
	Name    string
	Kind    kind.Kind[Deps, Source]
	Enabled bool
	Feed    Feed
	Decode  kind.Decode
	Deps    Deps // Name, Log and Now are filled in
}

// A Host runs the sources of a core.
type Host struct {
	dep     HostDeps
	m       *metrics
	members []*member
	opened  bool
}

type member struct {
	Instance
	sink   *Sink
	source Source
}

// NewHost prepares sources without opening them. The error names the key that
// is wrong.
func NewHost(dep HostDeps, instances []Instance) (*Host, error) {
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Logger == nil {
		dep.Logger = slog.New(slog.DiscardHandler)
	}
	if dep.Seen == nil {
		dep.Seen = ingest.NewSeen(1 << 16)
	}
	h := &Host{dep: dep, m: newMetrics(dep.Metrics)}
	for _, in := range instances {
		zone, err := in.Feed.Location()
		if err != nil {
			return nil, fmt.Errorf("sources.%s.%w", in.Name, err)
		}
		s := &Sink{host: h, name: in.Name, marks: map[string][]byte{}, feed: ingest.Options{
			Name: in.Name, Format: in.Feed.Format, Mappers: dep.Mappers, Now: dep.Now, Zone: zone, Batch: batch, Seen: dep.Seen,
		}}
		s.book = book{name: in.Name, m: h.m, status: Status{Name: in.Name, Kind: in.Kind.Name, Format: in.Feed.Format}}
		if in.Feed.Format == "" {
			s.book.status.Format = ingest.FormatAuto
		}
		h.members = append(h.members, &member{Instance: in, sink: s})
	}
	return h, nil
}

// Open opens every enabled source: its doors, its settings. Nothing is read yet.
func (h *Host) Open(ctx context.Context) error {
	for _, m := range h.members {
		if !m.Enabled {
			continue
		}
		dep := m.Deps
		dep.Name, dep.Now = m.Name, h.dep.Now
		dep.Log = h.dep.Logger.With(slog.String("source", m.Name))
		src, err := m.Kind.Open(ctx, m.Decode, dep)
		if err != nil {
			return fmt.Errorf("open the source %s: %w", m.Name, err)
		}
		m.source = src
		h.m.start(m.Name)
	}
	h.opened = true
	return nil
}

// Run runs the opened sources until ctx ends and everything they brought is put
// away. A source that fails is started again after a pause.
func (h *Host) Run(ctx context.Context) error {
	g := supervise.New(h.dep.Logger)
	for _, m := range h.members {
		if m.source == nil {
			continue
		}
		g.Keep(ctx, "source "+m.Name, func(ctx context.Context) error { return h.run(ctx, m) })
		g.Keep(ctx, "places of "+m.Name, m.sink.upkeep)
	}
	return g.Wait()
}

// run is one life of a source.
func (h *Host) run(ctx context.Context, m *member) error {
	if err := m.sink.recall(ctx); err != nil {
		m.sink.fault(ctx, faultStore, err)
		return err
	}
	m.sink.book.well(faultStore)
	err := supervise.Call(ctx, m.Name, func(ctx context.Context) error { return m.source.Run(ctx, m.sink) })
	if ctx.Err() != nil {
		return m.sink.last(ctx)
	}
	if err != nil {
		m.sink.fault(ctx, faultSource, err)
		return errors.Join(err, m.sink.last(ctx))
	}
	if err := m.sink.last(ctx); err != nil {
		m.sink.fault(ctx, faultStore, err)
		return err
	}
	m.sink.book.end()
	<-ctx.Done() // there will never be more
	return nil
}

// stopTime bounds the last write of a source when the core stops.
const stopTime = 5 * time.Second

// last keeps the place a source has reached when it ends.
func (s *Sink) last(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.marks) == 0 && len(s.letters) == 0 && s.seq == s.kept {
		return nil
	}
	return s.save(ctx)
}

// upkeep keeps what waits to be kept when nothing more comes.
func (s *Sink) upkeep(ctx context.Context) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.rest(ctx); err != nil && ctx.Err() == nil {
			s.fault(ctx, faultStore, err)
		}
	}
}

func (b *book) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// List returns every source in the order of the configuration.
func (h *Host) List() []Status {
	out := []Status{}
	for _, m := range h.members {
		s := m.sink.book.look()
		switch {
		case !m.Enabled:
			s.State = StateOff
		case !h.opened:
			s.State = StateStopped
		}
		out = append(out, s)
	}
	return out
}
