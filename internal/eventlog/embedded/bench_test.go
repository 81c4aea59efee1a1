package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/eventlog/eventlogtest"
)

var benchStart = time.Date(2026, 3, 14, 1, 0, 0, 0, time.UTC)

const (
	batch          = 1000
	benchProducers = 4
)

// ring makes batches once, so that making events is not measured.
func ring(n int) [][]honeyguide.Event {
	gen := eventlogtest.NewGen(1, benchStart, 50*time.Microsecond)
	out := make([][]honeyguide.Event, n)
	for i := range out {
		out[i] = gen.Some(batch)
	}
	return out
}

// BenchmarkAppend stores batches of 1000 with four producers, and in turns writes
// the same blocks to a bare file with fdatasync. The ratio is what SQLite, the
// tail, the catalogue and the acknowledgements cost.
func BenchmarkAppend(b *testing.B) {
	batches := ring(64)
	dir := b.TempDir()
	s := open(b, embedded.Config{}, eventlog.Deps{Dir: filepath.Join(dir, "log")})
	bare := newBare(b, filepath.Join(dir, "bare"))
	var inLog, inFile time.Duration
	events := 0
	for b.Loop() {
		start := time.Now()
		var wg sync.WaitGroup
		for p := range benchProducers {
			wg.Go(func() {
				for i := p; i < len(batches); i += benchProducers {
					if _, err := s.Append(b.Context(), eventlog.Batch{Events: batches[i]}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		inLog += time.Since(start)
		start = time.Now()
		for i := range batches {
			bare.put(b, batches[i])
		}
		inFile += time.Since(start)
		events += len(batches) * batch
	}
	if err := s.Close(); err != nil { // brings the journal in: the file has its size
		b.Fatal(err)
	}
	b.ReportMetric(float64(events)/inLog.Seconds(), "events/s")
	b.ReportMetric(float64(events)/inFile.Seconds(), "bare-events/s")
	b.ReportMetric(inFile.Seconds()/inLog.Seconds(), "ratio")
	b.ReportMetric(float64(folderSize(b, filepath.Join(dir, "log")))/float64(events), "B/event")
	b.ReportMetric(0, "ns/op")
}

// bare is the same codec without a log around it.
type bare struct {
	file *os.File
	enc  *colblock.Encoder
	n    int64
}

func newBare(b *testing.B, path string) *bare {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	enc, err := colblock.NewEncoder(1)
	if err != nil {
		b.Fatal(err)
	}
	return &bare{file: f, enc: enc}
}

func (w *bare) put(b *testing.B, events []honeyguide.Event) {
	canon, _, err := eventlog.Admit(eventlog.Batch{Events: events})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]*colblock.Row, len(canon))
	for i := range rows {
		w.n++
		rows[i] = &colblock.Row{Outbox: "bare", Number: w.n, Derived: true, Event: canon[i]}
		rows[i].Event.ID = colblock.EventID("bare", w.n, canon[i].Time)
	}
	blk, err := w.enc.Encode(rows)
	if err != nil {
		b.Fatal(err)
	}
	for _, g := range [][]byte{blk.Hot, blk.Cold, blk.Raw, blk.Bloom} {
		if _, err := w.file.Write(g); err != nil {
			b.Fatal(err)
		}
	}
	if err := syscall.Fdatasync(int(w.file.Fd())); err != nil {
		b.Fatal(err)
	}
}

func folderSize(b *testing.B, dir string) (n int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			b.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

// BenchmarkLatency appends 20,000 events a second in batches of 20 and reports
// how long an acknowledgement takes, while a reader follows and another asks for
// the newest events of high severity ten times a second.
func BenchmarkLatency(b *testing.B) {
	s := open(b, embedded.Config{}, eventlog.Deps{Dir: b.TempDir()})
	defer s.Close()
	ctx, cancel := context.WithCancel(b.Context())
	var background sync.WaitGroup
	background.Go(func() { follow(ctx, b, s) })
	var asked []time.Duration
	background.Go(func() { asked = ask(ctx, b, s) })
	batches := ring(8)
	var mu sync.Mutex
	var took []time.Duration
	for b.Loop() {
		var wg sync.WaitGroup
		tick := time.NewTicker(time.Millisecond)
		for i := range 2000 { // two seconds
			<-tick.C
			wg.Go(func() {
				at := 20 * (i % (batch / 20))
				start := time.Now()
				if _, err := s.Append(ctx, eventlog.Batch{Events: batches[i/50%8][at : at+20]}); err != nil {
					b.Error(err)
				}
				mu.Lock()
				took = append(took, time.Since(start))
				mu.Unlock()
			})
		}
		wg.Wait()
		tick.Stop()
	}
	cancel()
	background.Wait()
	b.ReportMetric(quantile(took, 0.5), "p50-ms")
	b.ReportMetric(quantile(took, 0.99), "p99-ms")
	b.ReportMetric(quantile(asked, 0.99), "newest100-p99-ms")
	b.ReportMetric(0, "ns/op")
}

func follow(ctx context.Context, b *testing.B, s eventlog.Log) {
	for pos := eventlog.Seq(0); ; {
		recs, err := s.Read(ctx, pos, 1000)
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
			return
		}
		pos = recs[len(recs)-1].Seq
	}
}

func ask(ctx context.Context, b *testing.B, s eventlog.Finder) (took []time.Duration) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return took
		case <-tick.C:
		}
		start := time.Now()
		for _, err := range s.Find(ctx, eventlog.Query{Severity: honeyguide.SeverityHigh, Limit: 100}) {
			if err != nil && !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
		}
		took = append(took, time.Since(start))
	}
}

func quantile(d []time.Duration, q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return float64(d[int(q*float64(len(d)-1))].Microseconds()) / 1000
}

// filled is a log with a million events.
func filled(b *testing.B) *embedded.Store {
	s := open(b, embedded.Config{RecentMiB: 0, Linger: time.Millisecond, QueueMiB: 64, FilterMiB: 64, OpenFiles: 8, ReadBlocks: 4}, eventlog.Deps{Dir: b.TempDir()})
	b.Cleanup(func() { s.Close() })
	gen := eventlogtest.NewGen(2, benchStart, 80*time.Millisecond) // about a day
	for range 500 {
		if _, err := s.Append(b.Context(), eventlog.Batch{Events: gen.Some(2048)}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkRead reads a log of a million events from the disk, in order.
func BenchmarkRead(b *testing.B) {
	s := filled(b)
	n := 0
	for b.Loop() {
		for pos := eventlog.Seq(0); pos < 500*2048; {
			recs, err := s.Read(b.Context(), pos, 1000)
			if err != nil {
				b.Fatal(err)
			}
			pos = recs[len(recs)-1].Seq
			n += len(recs)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkFind asks a log of a million events.
func BenchmarkFind(b *testing.B) {
	s := filled(b)
	for _, q := range []struct {
		name string
		eventlog.Query
	}{
		{"newest", eventlog.Query{Limit: 100}},
		{"severity", eventlog.Query{Severity: honeyguide.SeverityHigh, Limit: 100}},
		{"absent-session", eventlog.Query{Session: "nobody"}},
		{"rare-word", eventlog.Query{Word: "raretoken"}},
		{"technique-severity", eventlog.Query{Technique: "T1496", Severity: honeyguide.SeverityCritical, Limit: 100}},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				for _, err := range s.Find(b.Context(), q.Query) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("histogram", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Histogram(b.Context(), eventlog.Query{}, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("top-sources", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Top(b.Context(), eventlog.Query{}, eventlog.DimSrc, 20); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("top-users", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Top(b.Context(), eventlog.Query{}, honeyguide.AttrUser, 20); err != nil {
				b.Fatal(err)
			}
		}
	})
}
