package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/eventlog/eventlogtest"
	"honeyguide/internal/sqldb"
)

// unharmed says that no file was put aside and nothing was given up.
func unharmed(t testing.TB, dir string, s eventlog.Finder) {
	t.Helper()
	for _, name := range files(t, dir) {
		if strings.Contains(name, ".bad") {
			t.Errorf("%s was put aside", name)
		}
	}
	for _, g := range gaps(t, s) {
		t.Errorf("given up: %s", g.Str(honeyguide.AttrDetail))
	}
}

// TestMidnightOnAFullDisk lets days begin and old ones go while the disk has no
// room, or nearly none.
func TestMidnightOnAFullDisk(t *testing.T) {
	dir, c := tmpfs(t, "size=8m"), at(noon)
	log, ballast := filepath.Join(dir, "log"), filepath.Join(dir, "ballast")
	s := open(t, quick, eventlog.Deps{Dir: log, Now: c.now})
	gen := eventlogtest.NewGen(3, noon, time.Second)
	stored, refused := 0, 0
	try := func(n int) error {
		_, err := s.Append(t.Context(), eventlog.Batch{Outbox: "box", First: int64(stored + 1), Events: gen.Some(n), Urgent: true})
		if err == nil {
			stored += n
		}
		return err
	}
	day := noon
	for _, leave := range []int{0, 4, 16, 40, 60, 80, 120, 200} {
		if err := try(100); err != nil {
			t.Fatal(err)
		}
		fill(t, ballast, leave<<10)
		day = day.AddDate(0, 0, 1)
		c.set(day)
		for range 3 {
			if err := try(100); err != nil {
				refused++
				if !errors.Is(err, eventlog.ErrFull) {
					t.Errorf("%d KiB left: %v, want ErrFull", leave, err)
				}
			}
			if n := countFound(t, s, eventlog.Query{}); n != stored {
				t.Errorf("%d KiB left: %d found of %d stored", leave, n, stored)
			}
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if err := try(100); err != nil {
			t.Fatalf("with room again, %d KiB before: %v", leave, err)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused: the disk was never full")
	}
	shut(t, s)
	s = open(t, quick, eventlog.Deps{Dir: log, Now: c.now, AtLeast: eventlog.Seq(stored)})
	if n := len(eventlogtest.All(t, s)); n != stored {
		t.Errorf("%d records after a start, want %d", n, stored)
	}
	unharmed(t, log, s)
	// Letting old days go is what makes room: it needs none.
	fill(t, ballast, 0)
	dropped, err := s.Drop(t.Context(), day)
	if err != nil || len(dropped) == 0 {
		t.Errorf("on a full disk %v is dropped: %v", dropped, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := try(100); err != nil {
		t.Errorf("after that: %v", err)
	}
	shut(t, s)
}

// fill takes all room of a file system but some bytes.
func fill(t testing.TB, path string, leave int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if n, err := f.Write(block); err != nil || n < len(block) {
			block = block[:len(block)/2]
		}
	}
	if st, err := f.Stat(); err == nil && leave > 0 {
		_ = f.Truncate(max(st.Size()-int64(leave), 0))
	}
}

// hesitant ends after it was asked so many times whether it has.
type hesitant struct {
	context.Context
	left atomic.Int64
	end  context.CancelFunc
}

func (h *hesitant) look() {
	if h.left.Add(-1) == 0 {
		h.end()
	}
}

func (h *hesitant) Done() <-chan struct{} { h.look(); return h.Context.Done() }
func (h *hesitant) Err() error            { h.look(); return h.Context.Err() }

// TestStartCutShort ends the start after a crash at every moment: whoever is told
// to stop while the files are looked at has not found them damaged.
func TestStartCutShort(t *testing.T) {
	whole, c := t.TempDir(), at(noon)
	s := open(t, quick, eventlog.Deps{Dir: whole, Now: c.now})
	put(t, s, eventlogtest.NewGen(5, noon, time.Second).Some(900)...)
	c.set(noon.AddDate(0, 0, 1))
	put(t, s, eventlogtest.NewGen(6, noon, time.Second).Some(300)...)
	crashed := t.TempDir()
	if err := os.CopyFS(crashed, os.DirFS(whole)); err != nil { // as a crash leaves it: with its journal
		t.Fatal(err)
	}
	shut(t, s)
	cut := 0
	for n := int64(1); ; n += 3 {
		dir := filepath.Join(t.TempDir(), "log")
		if err := os.CopyFS(dir, os.DirFS(crashed)); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		h := &hesitant{Context: ctx, end: end}
		h.left.Store(n)
		first, err := embedded.Open(h, quick, eventlog.Deps{Dir: dir, Now: c.now})
		if err == nil {
			shut(t, first)
		} else {
			cut++
		}
		end()
		again := open(t, quick, eventlog.Deps{Dir: dir, Now: c.now, AtLeast: 1200})
		if recs := eventlogtest.All(t, again); len(recs) != 1200 {
			t.Errorf("cut at %d: %d records", n, len(recs))
		}
		unharmed(t, dir, again)
		shut(t, again)
		if err == nil || t.Failed() {
			break
		}
	}
	if cut < 5 {
		t.Errorf("the start was cut short %d times only", cut)
	}
}

// TestNoDescriptors leaves the process no file to open: nothing is taken for
// damaged, and with descriptors everything goes on.
func TestNoDescriptors(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	cfg := quick
	cfg.RecentMiB, cfg.FilterMiB, cfg.OpenFiles = 0, 0, 1
	s := open(t, cfg, eventlog.Deps{Dir: dir, Now: c.now})
	stored := 0
	for day := range 4 {
		c.set(noon.AddDate(0, 0, day))
		put(t, s, eventlogtest.NewGen(uint64(day), noon, time.Second).Some(200)...)
		stored += 200
	}
	restore := noDescriptors(t)
	c.set(noon.AddDate(0, 0, 4))
	if _, err := s.Append(t.Context(), eventlog.Batch{Events: []honeyguide.Event{{Session: "midnight"}}, Urgent: true}); err == nil {
		t.Error("a new day began without a descriptor")
	}
	failed := 0
	for _, err := range s.Find(t.Context(), eventlog.Query{}) {
		if err != nil {
			failed++
		}
	}
	if other, err := embedded.Open(t.Context(), cfg, eventlog.Deps{Dir: dir, Now: c.now, ReadOnly: true}); err == nil {
		t.Error("a log was opened without a descriptor")
		shut(t, other)
	}
	restore()
	if failed == 0 {
		t.Error("every day could be read: the limit proves nothing")
	}
	put(t, s, honeyguide.Event{Session: "later"})
	if n := countFound(t, s, eventlog.Query{}); n != stored+1 {
		t.Errorf("%d found of %d", n, stored+1)
	}
	unharmed(t, dir, s)
	shut(t, s)
	restore = noDescriptors(t)
	if _, err := embedded.Open(t.Context(), cfg, eventlog.Deps{Dir: dir, Now: c.now}); err == nil {
		t.Error("started without a descriptor")
	}
	restore()
	s = open(t, cfg, eventlog.Deps{Dir: dir, Now: c.now})
	defer shut(t, s)
	if n := len(eventlogtest.All(t, s)); n != stored+1 {
		t.Errorf("%d records after a start, want %d", n, stored+1)
	}
	unharmed(t, dir, s)
}

// noDescriptors lets this process open no file more until restore is called.
func noDescriptors(t testing.TB) (restore func()) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	now := was
	now.Cur = 0 // what is open stays open
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
		t.Fatal(err)
	}
	restore = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(restore)
	return restore
}

// TestSpoiltNumbers spoils what a day file says about itself, in ways the engine
// lets through.
func TestSpoiltNumbers(t *testing.T) {
	for name, stmts := range map[string][]string{
		"counts beyond a number": {"UPDATE minute SET c = 9223372036854775807", "INSERT INTO minute VALUES (1, 1, 9223372036854775807)"},
		"counts below nothing":   {"UPDATE minute SET c = -5"},
		"a block of no events":   {"PRAGMA ignore_check_constraints = ON", "UPDATE blk SET n = 0 WHERE lo = (SELECT max(lo) FROM blk)"},
		"less than no events":    {"PRAGMA ignore_check_constraints = ON", "UPDATE blk SET n = -44 WHERE lo = (SELECT max(lo) FROM blk)"},
		"a block far away":       {"UPDATE blk SET lo = 9223372036854775000 WHERE lo = (SELECT max(lo) FROM blk)"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, c := t.TempDir(), at(noon)
			s := open(t, quick, eventlog.Deps{Dir: dir, Now: c.now})
			put(t, s, eventlogtest.NewGen(8, noon, time.Second).Some(1100)...)
			shut(t, s)
			db, err := sqldb.Open(t.Context(), sqldb.Options{Path: filepath.Join(dir, "2026-03-14.db"), MaxConns: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, stmt := range stmts {
				if _, err := db.Exec(stmt); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, quick, eventlog.Deps{Dir: dir, Now: c.now})
			defer shut(t, s)
			put(t, s, honeyguide.Event{Session: "later"})
			_, last, err := s.Ends(t.Context())
			if err != nil || last < 1 || last > 10_000 {
				t.Errorf("the log ends at %d, %v", last, err)
			}
			if found := countFound(t, s, eventlog.Query{}); found < 1100 && len(gaps(t, s)) == 0 {
				t.Errorf("%d are found, and nothing says that others are missing", found)
			}
		})
	}
}

// TestSealedLater: a day that could not be sealed at midnight is, once it can be.
func TestSealedLater(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := at(noon)
		sealed := make(chan string, 2)
		s := open(t, quick, eventlog.Deps{Dir: dir, Now: c.now, Sealed: func(day, _ string) { sealed <- day }})
		defer shut(t, s)
		put(t, s, eventlogtest.NewGen(6, noon, time.Second).Some(300)...)
		done := readElsewhere(t, filepath.Join(dir, "2026-03-14.db"))
		c.set(noon.AddDate(0, 0, 1))
		put(t, s, honeyguide.Event{})
		done()
		select {
		case day := <-sealed:
			if day != "2026-03-14" {
				t.Errorf("sealed %s", day)
			}
		case <-time.After(10 * time.Minute):
			t.Error("not sealed after ten minutes")
		}
	})
}
