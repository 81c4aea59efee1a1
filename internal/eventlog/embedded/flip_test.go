package embedded_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
)

// TestFlippedBytes spoils day files at random places, one to eight bytes at a
// time, and reads what is left: nothing crashes, no event comes back other than it
// was stored, and what is missing is said.
func TestFlippedBytes(t *testing.T) {
	whole := t.TempDir()
	day := noon
	now := func() time.Time { return day }
	const days, batches, size = 3, 6, 400
	stored := map[string]string{}
	s, err := embedded.Open(t.Context(), embedded.Config{}, eventlog.Deps{Dir: whole, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for d := range days {
		day = noon.AddDate(0, 0, d)
		for b := range batches {
			var batch []honeyguide.Event
			for i := range size {
				e := honeyguide.Event{Time: day.Add(time.Duration(b*size+i) * time.Millisecond), Observed: day, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Sensor: "flip"}
				e.ID = honeyguide.DerivedID(e.Time, "flip", e.Time.String())
				e.Set(honeyguide.AttrMessage, strings.Repeat("said "+e.ID+" ", 1+i%3))
				stored[e.ID] = e.Str(honeyguide.AttrMessage)
				batch = append(batch, e)
			}
			if _, err := s.Append(t.Context(), eventlog.Batch{Events: batch}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	rnd := rand.New(rand.NewPCG(7, 11))
	harmed := 0
	for round := range rounds {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.db"))
		if err != nil || len(files) != days {
			t.Fatalf("%v %v", files, err)
		}
		flip(t, rnd, files[rnd.IntN(len(files))])
		if flipped(t, round, dir, now, stored) {
			harmed++
		}
	}
	if harmed < rounds/4 {
		t.Errorf("%d of %d rounds did any harm: the flips prove nothing", harmed, rounds)
	}
}

func flip(t *testing.T, rnd *rand.Rand, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 1 + rnd.IntN(8) {
		raw[rnd.IntN(len(raw))] ^= byte(1 << rnd.IntN(8))
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// flipped opens a spoilt log, reads everything in both ways and writes on. It
// reports whether anything was missing.
func flipped(t *testing.T, round int, dir string, now func() time.Time, stored map[string]string) bool {
	t.Helper()
	s, err := embedded.Open(t.Context(), embedded.Config{Linger: time.Millisecond, QueueMiB: 8, OpenFiles: 4, ReadBlocks: 1, RecentMiB: 1, FilterMiB: 1}, eventlog.Deps{Dir: dir, Now: now})
	if err != nil {
		if strings.Contains(err.Error(), "mixed") || strings.Contains(err.Error(), "format") || strings.Contains(err.Error(), "no event file") {
			return true // it says what is wrong, and a person decides
		}
		t.Errorf("round %d: the log does not open: %v", round, err)
		return false
	}
	defer s.Close()
	seen, gaps := read(t, round, s, stored)
	e := honeyguide.Event{Time: now(), Observed: now(), Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Sensor: "after"}
	if _, err := s.Append(t.Context(), eventlog.Batch{Events: []honeyguide.Event{e}}); err != nil {
		t.Errorf("round %d: nothing can be stored any more: %v", round, err)
	}
	again, more := read(t, round, s, stored) // what was found while reading is said by now
	if again < len(stored) && gaps+more == 0 {
		t.Errorf("round %d: %d of %d events are missing, and nothing says so", round, len(stored)-again, len(stored))
	}
	return seen < len(stored)
}

// read reads the log in order and counts the events that are as they were, and
// what the gap events speak of.
func read(t *testing.T, round int, s *embedded.Store, stored map[string]string) (seen, gaps int) {
	t.Helper()
	first, last, err := s.Ends(t.Context())
	if err != nil {
		t.Errorf("round %d: %v", round, err)
		return 0, 0
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for pos := first - 1; pos < last; {
		wait, stop := context.WithTimeout(ctx, 300*time.Millisecond)
		recs, err := s.Read(wait, pos, 1000)
		stop()
		if errors.Is(err, context.DeadlineExceeded) {
			return seen, gaps // the end is spoilt, and nothing comes behind it
		}
		if err != nil {
			t.Errorf("round %d: read after %d: %v", round, pos, err)
			return seen, gaps
		}
		for _, r := range recs {
			pos = r.Seq
			if r.Event.Activity == honeyguide.ActivityGap {
				gaps++
				continue
			}
			if r.Event.Sensor != "flip" {
				continue
			}
			if want, ok := stored[r.Event.ID]; !ok || r.Event.Str(honeyguide.AttrMessage) != want {
				t.Errorf("round %d: event %d is not what was stored: %q", round, r.Seq, r.Event.ID)
				continue
			}
			seen++
		}
	}
	return seen, gaps
}
