package source

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"honeyguide/internal/ingest"
	"honeyguide/internal/safetext"
	"honeyguide/internal/telemetry"
)

// metrics are what all sources count, by source.
type metrics struct {
	records, events, rejected, duplicates, ignored, dropped, bytes, errors *telemetry.CounterVec
	lagBytes, lagSeconds, up                                               *telemetry.GaugeVec
}

func newMetrics(r *telemetry.Registry) *metrics {
	counter := func(name, help string) *telemetry.CounterVec {
		return r.Counter("honeyguide_source_"+name+"_total", help, "source")
	}
	return &metrics{
		records:    counter("records", "Records a source brought."),
		events:     counter("events", "Events of a source that were stored."),
		rejected:   counter("rejected", "Records of a source that became dead letters."),
		duplicates: counter("duplicates", "Records of a source that were stored before."),
		ignored:    counter("ignored", "Records of a source left out on purpose."),
		dropped:    counter("dropped", "Records of a source given up at the door because of a limit."),
		bytes:      counter("bytes", "Bytes a source brought."),
		errors:     counter("errors", "Times a source could not go on at once."),
		lagBytes:   r.Gauge("honeyguide_source_lag_bytes", "Bytes known to be there and not read yet.", "source"),
		lagSeconds: r.Gauge("honeyguide_source_lag_seconds", "How old the newest record of a source was when it was stored.", "source"),
		up:         r.Gauge("honeyguide_source_up", "1 when nothing keeps the source from its work.", "source"),
	}
}

// start makes every series of a source exist with 0, so that the first increase
// is seen.
func (m *metrics) start(name string) {
	for _, c := range []*telemetry.CounterVec{m.records, m.events, m.rejected, m.duplicates, m.ignored, m.dropped, m.bytes, m.errors} {
		c.With(name).Add(0)
	}
	m.lagBytes.With(name).Set(0)
	m.up.With(name).Set(1)
}

// What can be wrong with a source, each on its own.
const (
	faultStore  = iota // the log or the state does not take
	faultSource        // the source itself
	faults
)

// book is what is told about a source.
type book struct {
	name string
	m    *metrics

	mu     sync.Mutex
	status Status
	wrong  [faults]string
	ended  bool
}

func (b *book) read(sums []ingest.Summary, size int, now time.Time) {
	var all Status
	var newest time.Time
	for i := range sums {
		sum := &sums[i]
		for _, n := range sum.Dropped {
			all.Ignored += n
		}
		all.Records += sum.Records
		all.Rejected += sum.Rejected
		all.Duplicates += sum.Duplicates
		if sum.LastAt.After(newest) {
			newest = sum.LastAt
		}
	}
	b.m.records.With(b.name).Add(float64(all.Records))
	b.m.rejected.With(b.name).Add(float64(all.Rejected))
	b.m.duplicates.With(b.name).Add(float64(all.Duplicates))
	b.m.ignored.With(b.name).Add(float64(all.Ignored))
	b.m.bytes.With(b.name).Add(float64(size))
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.status
	s.Records += all.Records
	s.Rejected += all.Rejected
	s.Duplicates += all.Duplicates
	s.Ignored += all.Ignored
	s.Bytes += int64(size)
	s.LastAt = now
	if !newest.IsZero() {
		s.LagSeconds = max(0, now.Sub(newest).Seconds())
		b.m.lagSeconds.With(b.name).Set(s.LagSeconds)
	}
}

func (b *book) stored(n int64) {
	b.m.events.With(b.name).Add(float64(n))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.Events += n
}

func (b *book) refused(size int64) {
	b.m.records.With(b.name).Add(1)
	b.m.rejected.With(b.name).Add(1)
	b.m.bytes.With(b.name).Add(float64(size))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.Records++
	b.status.Rejected++
	b.status.Bytes += size
}

func (b *book) kept(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.SavedAt = at
}

// well says that what was wrong is over.
func (b *book) well(what int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wrong[what] == "" {
		return
	}
	b.wrong[what] = ""
	if b.detail() == "" {
		b.m.up.With(b.name).Set(1)
	}
}

// detail is the first thing that is wrong; mu is held.
func (b *book) detail() string {
	for _, text := range b.wrong {
		if text != "" {
			return text
		}
	}
	return ""
}

// fault notes and tells what keeps a source from its work.
func (s *Sink) fault(ctx context.Context, what int, err error) {
	text := safetext.TermN(err.Error(), 500)
	b := &s.book
	b.m.errors.With(b.name).Add(1)
	b.m.up.With(b.name).Set(0)
	b.mu.Lock()
	fresh := b.wrong[what] != text
	b.wrong[what] = text
	b.status.Errors++
	b.mu.Unlock()
	if fresh { // the same words again and again help nobody
		s.host.dep.Logger.LogAttrs(ctx, slog.LevelWarn, "source cannot go on", slog.String("source", s.name), slog.String("error", text))
	}
}

// Fault says what keeps the source from its work while it goes on trying. It is
// shown until [Sink.Well].
func (s *Sink) Fault(ctx context.Context, err error) { s.fault(ctx, faultSource, err) }

// Well says that what was told by Fault is over.
func (s *Sink) Well() { s.book.well(faultSource) }

// Drop counts records given up because of a limit.
func (s *Sink) Drop(n int64) {
	s.book.m.dropped.With(s.name).Add(float64(n))
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	s.book.status.Dropped += n
}

// maxStreams bounds the streams that are shown.
const maxStreams = 1000

// Show says what the source reads at the moment and how many bytes it is behind.
func (s *Sink) Show(streams []Stream, behind int64) {
	s.book.m.lagBytes.With(s.name).Set(float64(behind))
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	s.book.status.Streams = streams[:min(len(streams), maxStreams)]
	s.book.status.LagBytes = behind
}

// look returns the status as it is shown.
func (b *book) look() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.status
	s.Detail = b.detail()
	switch {
	case b.ended:
		s.State = StateDone
	case s.Detail != "":
		s.State = StateFailing
	case s.Records == 0:
		s.State = StateWaiting
	default:
		s.State = StateRunning
	}
	s.Streams = append([]Stream{}, s.Streams...)
	return s
}
