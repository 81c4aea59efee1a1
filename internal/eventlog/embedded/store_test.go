package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/eventlog/eventlogtest"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/telemetry"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// manual is a clock set by hand.
type manual struct{ ns atomic.Int64 }

func at(t time.Time) *manual {
	c := &manual{}
	c.set(t)
	return c
}

func (c *manual) set(t time.Time) { c.ns.Store(t.UnixNano()) }
func (c *manual) now() time.Time  { return time.Unix(0, c.ns.Load()).UTC() }

func put(t testing.TB, s eventlog.Log, events ...honeyguide.Event) {
	t.Helper()
	if _, err := s.Append(t.Context(), eventlog.Batch{Events: events, Urgent: true}); err != nil {
		t.Fatal(err)
	}
}

func shut(t testing.TB, s *embedded.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSecondWriterIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quick, eventlog.Deps{Dir: dir})
	if _, err := embedded.Open(t.Context(), quick, eventlog.Deps{Dir: dir}); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("second open: %v", err)
	}
	shut(t, s)
	shut(t, open(t, quick, eventlog.Deps{Dir: dir}))
}

// TestReaderBeside follows a log that another store, as of another process, writes.
func TestReaderBeside(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	w := open(t, quick, eventlog.Deps{Dir: dir, Now: c.now})
	gen := eventlogtest.NewGen(1, noon, time.Second)
	put(t, w, gen.Some(700)...)
	r := open(t, quick, eventlog.Deps{Dir: dir, ReadOnly: true})
	if _, err := r.Append(t.Context(), eventlog.Batch{Events: gen.Some(1)}); !errors.Is(err, eventlog.ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	if _, err := r.Drop(t.Context(), noon); !errors.Is(err, eventlog.ErrReadOnly) {
		t.Errorf("drop: %v", err)
	}
	for day := range 3 {
		c.set(noon.AddDate(0, 0, day))
		put(t, w, gen.Some(50)...)
		put(t, w, gen.Some(600)...)
		want, got := eventlogtest.All(t, w), eventlogtest.All(t, r)
		if len(got) != len(want) || got[len(got)-1].Event.ID != want[len(want)-1].Event.ID {
			t.Fatalf("day %d: reader sees %d records, want %d", day, len(got), len(want))
		}
		if a, _ := w.Next(t.Context(), ""); true {
			if b, err := r.Next(t.Context(), ""); a != b || err != nil {
				t.Errorf("reader says %d is next, %v, want %d", b, err, a)
			}
		}
	}
	eventlogtest.CheckFind(t, r, 2, 15)
	shut(t, w)
	if n := len(eventlogtest.All(t, r)); n != 700+3*650 {
		t.Errorf("%d records after the writer ended", n)
	}
	shut(t, r)
}

// TestTailIsMerged appends events one at a time: few blocks are left, whatever the
// rate, also across restarts.
func TestTailIsMerged(t *testing.T) {
	dir := t.TempDir()
	gen := eventlogtest.NewGen(3, noon, time.Second)
	const total = 2600
	for n := 0; n < total; {
		s := open(t, quick, eventlog.Deps{Dir: dir})
		for range 700 {
			if n++; n <= total {
				put(t, s, gen.Next())
			}
		}
		full, small := s.Blocks()
		if full > n/1024+1 || small > 1024 {
			t.Errorf("after %d events: %d full blocks, %d small ones", n, full, small)
		}
		shut(t, s)
	}
	s := open(t, quick, eventlog.Deps{Dir: dir})
	defer shut(t, s)
	if recs := eventlogtest.All(t, s); len(recs) != total || recs[total-1].Seq != total {
		t.Errorf("%d records", len(recs))
	}
}

func TestSealedDay(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	var mu sync.Mutex
	sums := map[string]string{}
	dep := eventlog.Deps{Dir: dir, Now: c.now, Sealed: func(day, sum string) {
		mu.Lock()
		defer mu.Unlock()
		sums[day] = sum
	}}
	s := open(t, quick, dep)
	gen := eventlogtest.NewGen(4, noon, time.Second)
	const days = 6
	for day := range days {
		c.set(noon.AddDate(0, 0, day))
		for range 3 {
			put(t, s, gen.Some(400)...)
		}
	}
	before := eventlogtest.All(t, s)
	shut(t, s) // waits for the sealing
	if len(sums) != days-1 || len(sums["2026-03-14"]) != 64 {
		t.Errorf("sealed %v", sums)
	}
	for _, name := range files(t, dir) {
		if strings.Contains(name, "-wal") || strings.Contains(name, "-shm") || strings.HasPrefix(name, ".") {
			t.Errorf("%s is left", name)
		}
	}
	for day, sum := range sums {
		if got := sum256(t, filepath.Join(dir, day+".db")); got != sum {
			t.Errorf("day %s has another sum than was told", day)
		}
	}
	s = open(t, quick, dep)
	defer shut(t, s)
	after := eventlogtest.All(t, s)
	if len(after) != len(before) || after[777].Event.ID != before[777].Event.ID {
		t.Errorf("%d records after sealing, %d before", len(after), len(before))
	}
	eventlogtest.CheckFind(t, s, 5, 20)
	if n := s.OpenFiles(); n > quick.OpenFiles+1 {
		t.Errorf("%d files open, at most %d and today's", n, quick.OpenFiles)
	}
	if full, small := s.Blocks(); full+small > days*3 {
		t.Errorf("%d blocks", full+small)
	}
	if s.FilterBytes() == 0 {
		t.Error("no filters in memory")
	}
}

// readElsewhere reads a file with one block in another connection, which keeps its
// journal in use until done is called.
func readElsewhere(t *testing.T, file string) (done func()) {
	t.Helper()
	other, err := sqldb.Open(t.Context(), sqldb.Options{Path: file, ReadOnly: true, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM blk").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	return func() {
		t.Helper()
		if err := errors.Join(tx.Rollback(), other.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnsealedDaysAreSealedAtStart covers a crash between roll and seal: the
// file is as the writer left it.
func TestUnsealedDaysAreSealedAtStart(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	s := open(t, quick, eventlog.Deps{Dir: dir, Now: c.now})
	put(t, s, eventlogtest.NewGen(6, noon, time.Second).Some(300)...)
	c.set(noon.AddDate(0, 0, 1))
	done := readElsewhere(t, filepath.Join(dir, "2026-03-14.db")) // so sealing fails
	put(t, s, eventlogtest.NewGen(7, noon, time.Second).Some(10)...)
	shut(t, s)
	done()
	sealed := make(chan string, 2)
	s = open(t, quick, eventlog.Deps{Dir: dir, Now: c.now, Sealed: func(day, _ string) { sealed <- day }})
	defer shut(t, s)
	if day := <-sealed; day != "2026-03-14" {
		t.Errorf("sealed %s", day)
	}
	if recs := eventlogtest.All(t, s); len(recs) != 310 {
		t.Errorf("%d records", len(recs))
	}
}

func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".new-2026-03-14.db", ".new-2026-03-14.db-journal", "2026-03-01.db.drop"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, quick, eventlog.Deps{Dir: dir, Now: at(noon).now})
	put(t, s, honeyguide.Event{})
	shut(t, s)
	if got := files(t, dir); !slices.Equal(got, []string{"2026-03-14.db", "LOCK"}) {
		t.Errorf("files %v", got)
	}
}

// spoil changes a byte in the middle of a group of a block.
func spoil(t testing.TB, path, table string, lo int) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var d []byte
	if err := db.QueryRow("SELECT d FROM "+table+" WHERE lo = $1", lo).Scan(&d); err != nil {
		t.Fatal(err)
	}
	d[len(d)/2] ^= 0x10
	if _, err := db.Exec("UPDATE "+table+" SET d = $1 WHERE lo = $2", d, lo); err != nil {
		t.Fatal(err)
	}
}

func gaps(t testing.TB, s eventlog.Finder) (out []honeyguide.Event) {
	t.Helper()
	for r, err := range s.Find(t.Context(), eventlog.Query{Activities: []string{honeyguide.ActivityGap}}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.Event)
	}
	return out
}

func TestSpoiltBlockIsLeftOut(t *testing.T) {
	for _, table := range []string{"hot", "cold"} {
		t.Run(table, func(t *testing.T) {
			dir, c := t.TempDir(), at(noon)
			dep := eventlog.Deps{Dir: dir, Now: c.now, Metrics: telemetry.NewRegistry()}
			s := open(t, quick, dep)
			for range 4 {
				put(t, s, eventlogtest.NewGen(8, noon, time.Second).Some(1024)...)
			}
			shut(t, s)
			spoil(t, filepath.Join(dir, "2026-03-14.db"), table, 1025)
			s = open(t, quick, dep)
			var faults []eventlog.Fault
			if err := s.Check(t.Context(), func(f eventlog.Fault) { faults = append(faults, f) }); err != nil || len(faults) != 1 || faults[0].Lo != 1025 || faults[0].N != 1024 {
				t.Errorf("check: %+v, %v", faults, err)
			}
			read := readAll(t, s, 3*1024+1) // and the gap event
			if len(read) != 3*1024+1 || read[1024].Seq != 2049 {
				t.Errorf("%d records, the 1025th is %d", len(read), read[1024].Seq)
			}
			if n := countFound(t, s, eventlog.Query{}); n != 3*1024+1 {
				t.Errorf("found %d", n)
			}
			shut(t, s)
			s = open(t, quick, dep) // it is known now and not said again
			defer shut(t, s)
			if n := countFound(t, s, eventlog.Query{}); n != 3*1024+1 {
				t.Errorf("found %d after a restart", n)
			}
			g := gaps(t, s)
			if len(g) != 1 || g[0].Int(honeyguide.AttrCount) != 1024 || !strings.Contains(g[0].Str(honeyguide.AttrDetail), "1025 to 2048") {
				t.Errorf("gap events %+v", g)
			}
			var metrics strings.Builder
			if _, err := dep.Metrics.WriteTo(&metrics); err != nil || !strings.Contains(metrics.String(), "honeyguide_eventlog_corrupt_blocks_total 1") {
				t.Errorf("metrics %v:\n%s", err, metrics.String())
			}
		})
	}
}

// readAll reads from the beginning until n records came.
func readAll(t testing.TB, s eventlog.Log, n int) (out []eventlog.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for pos := eventlog.Seq(0); len(out) < n; pos = out[len(out)-1].Seq {
		recs, err := s.Read(ctx, pos, 500)
		if err != nil {
			t.Fatalf("after %d records: %v", len(out), err)
		}
		out = append(out, recs...)
	}
	return out
}

func countFound(t testing.TB, s eventlog.Finder, q eventlog.Query) (n int) {
	t.Helper()
	for _, err := range s.Find(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestSpoiltFileIsPutAside(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	s := open(t, quick, eventlog.Deps{Dir: dir, Now: c.now})
	put(t, s, eventlogtest.NewGen(9, noon, time.Second).Some(500)...)
	c.set(noon.AddDate(0, 0, 1))
	put(t, s, eventlogtest.NewGen(10, noon, time.Second).Some(200)...)
	shut(t, s)
	bad := filepath.Join(dir, "2026-03-15.db")
	if err := os.WriteFile(bad, []byte(strings.Repeat("no database at all ", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, quick, eventlog.Deps{Dir: dir, Now: c.now, AtLeast: 700})
	defer shut(t, s)
	put(t, s, honeyguide.Event{Session: "later"})
	recs := readAll(t, s, 502)
	if recs[499].Seq != 500 || recs[500].Event.Activity != honeyguide.ActivityGap || recs[500].Seq != 701 || recs[501].Event.Session != "later" {
		t.Errorf("records %d, %d %s, %d", recs[499].Seq, recs[500].Seq, recs[500].Event.Activity, recs[501].Seq)
	}
	if _, err := os.Stat(bad + ".bad"); err != nil {
		t.Error(err)
	}
	eventlogtest.CheckFind(t, s, 1, 10)
}

func TestCursorBeyondTheEnd(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quick, eventlog.Deps{Dir: dir})
	put(t, s, honeyguide.Event{})
	shut(t, s)
	if _, err := embedded.Open(t.Context(), quick, eventlog.Deps{Dir: dir, AtLeast: 2}); honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), "backup") {
		t.Errorf("open: %v", err)
	}
	shut(t, open(t, quick, eventlog.Deps{Dir: dir, AtLeast: 1}))
	empty := open(t, quick, eventlog.Deps{Dir: t.TempDir(), AtLeast: 41})
	defer shut(t, empty)
	put(t, empty, honeyguide.Event{})
	if first, last, err := empty.Ends(t.Context()); first != 42 || last != 42 || err != nil {
		t.Errorf("ends %d, %d, %v", first, last, err)
	}
}

// TestFullDisk fills a small file system: what was acknowledged stays, what was
// not is refused, and writing goes on when there is room.
func TestFullDisk(t *testing.T) {
	dir := tmpfs(t, "size=6m")
	s := open(t, quick, eventlog.Deps{Dir: filepath.Join(dir, "log"), Now: at(noon).now})
	defer shut(t, s)
	gen := eventlogtest.NewGen(11, noon, time.Second)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	stored := 0
	var err error
	for err == nil {
		if _, err = s.Append(t.Context(), eventlog.Batch{Outbox: "box", First: int64(stored + 1), Events: gen.Some(1000)}); err == nil {
			stored += 1000
		}
	}
	if !errors.Is(err, eventlog.ErrFull) {
		t.Fatalf("after %d events: %v, want ErrFull", stored, err)
	}
	if n := countFound(t, s, eventlog.Query{}); n != stored || stored == 0 {
		t.Errorf("%d found of %d stored, on a full disk", n, stored)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), eventlog.Batch{Outbox: "box", First: int64(stored + 1), Events: gen.Some(1000)}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if n := len(eventlogtest.All(t, s)); n != stored+1000 {
		t.Errorf("%d records, want %d", n, stored+1000)
	}
}

// TestReadersDuringEverything reads, asks, rolls, merges and drops at the same
// time; a reader must see every number from where it began, in order.
func TestReadersDuringEverything(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	cfg := quick
	cfg.RecentMiB, cfg.FilterMiB = 0, 0
	s := open(t, cfg, eventlog.Deps{Dir: dir, Now: c.now})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for pos := eventlog.Seq(0); ; {
				recs, err := s.Read(ctx, pos, 333)
				if errors.Is(err, eventlog.ErrTrimmed) {
					first, _, err := s.Ends(ctx)
					if err != nil {
						return
					}
					pos = first - 1
					continue
				}
				if err != nil {
					if ctx.Err() == nil {
						t.Errorf("read: %v", err)
					}
					return
				}
				for _, r := range recs {
					if pos++; r.Seq != pos {
						t.Errorf("record %d where %d was due", r.Seq, pos)
						return
					}
				}
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			prev := eventlog.Seq(1 << 62)
			for r, err := range s.Find(ctx, eventlog.Query{Severity: honeyguide.SeverityMedium, Limit: 2000}) {
				if err != nil && ctx.Err() == nil {
					t.Errorf("find: %v", err)
					return
				}
				if err == nil && r.Seq >= prev {
					t.Errorf("find: %d after %d", r.Seq, prev)
					return
				}
				prev = r.Seq
			}
		}
	})
	gen := eventlogtest.NewGen(12, noon, time.Millisecond)
	for i := range 240 {
		if i%60 == 59 {
			c.set(noon.AddDate(0, 0, i/60+1))
			if _, err := s.Drop(t.Context(), noon.AddDate(0, 0, i/60)); err != nil {
				t.Error(err)
			}
		}
		put(t, s, gen.Some(1+i*i%97)...)
	}
	cancel()
	wg.Wait()
	if _, err := s.Drop(t.Context(), noon.AddDate(1, 0, 0)); err != nil {
		t.Error(err)
	}
	shut(t, s)
	if got := files(t, dir); len(got) != 2 { // the newest day and LOCK
		t.Errorf("files %v", got)
	}
}

// TestDropTakesWhatWasPutAside: what nobody can read must not stay for ever.
func TestDropTakesWhatWasPutAside(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	s := open(t, quick, eventlog.Deps{Dir: dir, Now: c.now})
	defer shut(t, s)
	put(t, s, honeyguide.Event{Time: noon})
	for _, name := range []string{"2026-01-01.db.bad", "2026-01-01.db.bad-wal", "2026-01-01.db.bad1", "2026-03-13.db.bad"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dropped, err := s.Drop(t.Context(), noon.AddDate(0, 0, -30))
	if err != nil || len(dropped) != 3 {
		t.Errorf("dropped %v, %v", dropped, err)
	}
	if got := files(t, dir); !slices.Contains(got, "2026-03-13.db.bad") || slices.ContainsFunc(got, func(n string) bool { return strings.HasPrefix(n, "2026-01") }) {
		t.Errorf("files %v", got)
	}
}

func TestClockFarAheadKeepsHistory(t *testing.T) {
	c := at(noon)
	s := open(t, quick, eventlog.Deps{Dir: t.TempDir(), Now: c.now})
	defer shut(t, s)
	put(t, s, honeyguide.Event{Time: noon})
	c.set(noon.AddDate(0, 0, 1))
	put(t, s, honeyguide.Event{Time: noon})
	c.set(noon.AddDate(9, 0, 0))
	put(t, s, honeyguide.Event{Time: noon}) // goes into the newest file: nobody confirmed the jump
	if _, err := s.Drop(t.Context(), noon.AddDate(8, 0, 0)); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("drop by a clock nine years ahead: %v", err)
	}
	if recs := eventlogtest.All(t, s); len(recs) != 3 {
		t.Errorf("%d records", len(recs))
	}
	c.set(noon.AddDate(9, 0, 0).Add(2 * time.Minute)) // it stays there
	put(t, s, honeyguide.Event{Time: noon})
	if dropped, err := s.Drop(t.Context(), noon.AddDate(8, 0, 0)); err != nil || len(dropped) != 2 {
		t.Errorf("dropped %v, %v", dropped, err)
	}
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*embedded.Config){
		"linger": func(c *embedded.Config) { c.Linger = time.Minute }, "queue": func(c *embedded.Config) { c.QueueMiB = 0 },
		"open_files": func(c *embedded.Config) { c.OpenFiles = 0 }, "read_blocks": func(c *embedded.Config) { c.ReadBlocks = 0 },
	} {
		cfg := quick
		change(&cfg)
		if _, err := embedded.Open(t.Context(), cfg, eventlog.Deps{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := embedded.Kind.Open(t.Context(), nil, eventlog.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), eventlog.Batch{Events: []honeyguide.Event{{}}}); err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestQueueBound appends far more than the queue may hold at once.
func TestQueueBound(t *testing.T) {
	cfg := quick
	cfg.QueueMiB = 1
	s := open(t, cfg, eventlog.Deps{Dir: t.TempDir()})
	defer shut(t, s)
	var wg sync.WaitGroup
	for p := range 40 {
		wg.Go(func() {
			e := honeyguide.Event{Session: fmt.Sprint(p), Raw: make([]byte, 200<<10)}
			if _, err := s.Append(t.Context(), eventlog.Batch{Events: []honeyguide.Event{e}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, last, _ := s.Ends(t.Context()); last != 40 {
		t.Errorf("%d events", last)
	}
}
