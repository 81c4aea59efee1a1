package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/jobs"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func open(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func queue(t testing.TB) (*jobs.Queue, *sqlite.Store, *clock) {
	t.Helper()
	s, c := open(t, t.TempDir()), &clock{t: start}
	return jobs.New(s, c.now), s, c
}

func add(t testing.TB, q *jobs.Queue, s state.Store, list ...*jobs.Job) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx state.Tx) error { return q.Add(t.Context(), tx, list...) }); err != nil {
		t.Fatal(err)
	}
	q.Wake()
}

func claim(t testing.TB, q *jobs.Queue, n int, lease time.Duration) []jobs.Job {
	t.Helper()
	list, err := q.Claim(t.Context(), nil, n, lease)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// done finishes a job with an effect: a mark that must be set once per job.
func done(ctx context.Context, q *jobs.Queue, s state.Store, j jobs.Job) error {
	return s.Update(ctx, func(tx state.Tx) error {
		key := fmt.Sprint("effect ", j.ID)
		before, err := tx.Meta().Get(ctx, key)
		if err != nil {
			return err
		}
		if err := tx.Meta().Put(ctx, key, before+"x"); err != nil {
			return err
		}
		return q.Done(ctx, tx, j)
	})
}

func effects(t testing.TB, s state.Store, id int64) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(tx state.Tx) error {
		v, err := tx.Meta().Get(t.Context(), fmt.Sprint("effect ", id))
		n = len(v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCrashBetweenClaimAndDone closes the store under a claimed job, as a crash
// does, and finishes the job in the next life.
func TestCrashBetweenClaimAndDone(t *testing.T) {
	dir, c := t.TempDir(), &clock{t: start}
	s := open(t, dir)
	q := jobs.New(s, c.now)
	add(t, q, s, &jobs.Job{Kind: "block", Arg: []byte("203.0.113.7")})
	first := claim(t, q, 1, time.Minute)[0]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	q = jobs.New(s, c.now)
	if got := claim(t, q, 1, time.Minute); len(got) != 0 {
		t.Fatalf("claimed under a lease: %+v", got)
	}
	c.step(time.Minute)
	second := claim(t, q, 1, time.Minute)
	if len(second) != 1 || second[0].ID != first.ID || second[0].Attempt != 2 || string(second[0].Arg) != "203.0.113.7" {
		t.Fatalf("after the lease: %+v", second)
	}
	if err := done(t.Context(), q, s, second[0]); err != nil {
		t.Fatal(err)
	}
	c.step(time.Hour)
	if got := claim(t, q, 1, time.Minute); len(got) != 0 {
		t.Errorf("a finished job came back: %+v", got)
	}
	if n := effects(t, s, first.ID); n != 1 {
		t.Errorf("%d effects", n)
	}
}

// TestClockJumps claims a job while the clock is a year ahead and crashes: with the
// right time nobody waits a year for it. A year back, jobs wait for their time.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	dir, c := t.TempDir(), &clock{t: start}
	life := func() (*jobs.Queue, *sqlite.Store) {
		t.Helper()
		s, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir, Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return jobs.New(s, c.now), s
	}
	q, s := life()
	add(t, q, s, &jobs.Job{Kind: "now"}, &jobs.Job{Kind: "later", RunAt: start.Add(time.Hour)})
	c.step(year)
	ahead := claim(t, q, 1, time.Minute)
	if len(ahead) != 1 || ahead[0].Kind != "now" {
		t.Fatalf("a year ahead: %+v", ahead)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c.step(-year)
	q, s = life()
	again := claim(t, q, 5, time.Minute)
	if len(again) != 1 || again[0].ID != ahead[0].ID || again[0].Attempt != 2 {
		t.Fatalf("with the right time: %+v", again)
	}
	c.step(-year) // and the lease is one of a year ahead to whoever looks now
	if got := claim(t, q, 5, time.Minute); len(got) != 0 {
		t.Errorf("claimed twice, or before its time: %+v", got)
	}
	if err := done(t.Context(), q, s, again[0]); err != nil {
		t.Errorf("its holder has lost it: %v", err)
	}
	c.step(year + time.Hour)
	if got := claim(t, q, 5, time.Minute); len(got) != 1 || got[0].Kind != "later" {
		t.Errorf("an hour later: %+v", got)
	}
}

// TestLostLease lets a slow worker finish after another took over: its effect is undone.
func TestLostLease(t *testing.T) {
	q, s, c := queue(t)
	add(t, q, s, &jobs.Job{Kind: "k"})
	slow := claim(t, q, 1, time.Minute)[0]
	if err := q.Extend(t.Context(), slow, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	c.step(2 * time.Minute)
	quick := claim(t, q, 1, time.Minute)[0]
	for name, err := range map[string]error{
		"done":   done(t.Context(), q, s, slow),
		"extend": q.Extend(t.Context(), slow, time.Hour),
		"fail":   q.Fail(t.Context(), slow, errors.New("x"), start),
	} {
		if !errors.Is(err, jobs.ErrLost) {
			t.Errorf("%s of the slow worker: %v", name, err)
		}
	}
	if n := effects(t, s, slow.ID); n != 0 {
		t.Errorf("the slow worker left %d effects", n)
	}
	if err := done(t.Context(), q, s, quick); err != nil {
		t.Error(err)
	}
	if err := done(t.Context(), q, s, quick); !errors.Is(err, jobs.ErrLost) {
		t.Errorf("done twice: %v", err)
	}
	if n := effects(t, s, slow.ID); n != 1 {
		t.Errorf("%d effects", n)
	}
}

func TestKeyIsUniqueWhileItLives(t *testing.T) {
	q, s, c := queue(t)
	a, b, other := &jobs.Job{Kind: "k", Key: "u", MaxAttempts: 1}, &jobs.Job{Kind: "k", Key: "u"}, &jobs.Job{Kind: "l", Key: "u"}
	add(t, q, s, a, b, other)
	if a.ID == 0 || b.ID != 0 || other.ID == 0 {
		t.Errorf("ids %d %d %d", a.ID, b.ID, other.ID)
	}
	j := claim(t, q, 1, time.Minute)[0]
	if add(t, q, s, b); b.ID != 0 {
		t.Error("added beside a running job")
	}
	if err := q.Fail(t.Context(), j, errors.New("no"), c.now()); err != nil {
		t.Fatal(err)
	}
	if add(t, q, s, b); b.ID == 0 {
		t.Error("a dead job keeps its key")
	}
}

// TestWorkersNeverShare lets four workers race for jobs that are failed, lost and
// done; every job has one effect.
func TestWorkersNeverShare(t *testing.T) {
	s := open(t, t.TempDir())
	q := jobs.New(s, nil)
	const n = 300
	list := make([]*jobs.Job, n)
	for i := range list {
		list[i] = &jobs.Job{Kind: "k", RunAt: start, MaxAttempts: 100}
	}
	add(t, q, s, list...)
	var mu sync.Mutex
	held := map[string]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				got, err := q.Claim(t.Context(), []string{"k"}, 7, time.Hour)
				if err != nil || len(got) == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				for _, j := range got {
					id := fmt.Sprint(j.ID, "/", j.Attempt)
					mu.Lock()
					if held[id] {
						t.Errorf("job %s was handed out twice", id)
					}
					held[id] = true
					mu.Unlock()
					if j.Attempt == 1 && j.ID%5 == 0 {
						err = q.Fail(t.Context(), j, errors.New("again"), start)
					} else {
						err = done(t.Context(), q, s, j)
					}
					if err != nil {
						t.Errorf("job %s: %v", id, err)
					}
				}
			}
		})
	}
	wg.Wait()
	if want := n + n/5; len(held) != want {
		t.Errorf("%d claims, want %d", len(held), want)
	}
	for _, j := range list {
		if e := effects(t, s, j.ID); e != 1 {
			t.Errorf("job %d has %d effects", j.ID, e)
		}
	}
}

// TestWork runs a worker over jobs that go well, fail, panic and have an effect that fails.
func TestWork(t *testing.T) {
	q, s, c := queue(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan string, 100)
	mark := func(ctx context.Context, tx state.Tx) error { return tx.Meta().Put(ctx, "mark", "set") }
	handlers := map[string]jobs.Handler{
		"good": func(context.Context, jobs.Job) (func(context.Context, state.Tx) error, error) {
			seen <- "good"
			return mark, nil
		},
		"bad": func(context.Context, jobs.Job) (func(context.Context, state.Tx) error, error) {
			seen <- "bad"
			return mark, errors.New("no")
		},
		"panic": func(context.Context, jobs.Job) (func(context.Context, state.Tx) error, error) {
			seen <- "panic"
			panic("oh")
		},
		"sour": func(context.Context, jobs.Job) (func(context.Context, state.Tx) error, error) {
			return func(context.Context, state.Tx) error { seen <- "sour"; return errors.New("effect") }, nil
		},
		"last": func(context.Context, jobs.Job) (func(context.Context, state.Tx) error, error) {
			cancel()
			return nil, nil
		},
	}
	add(t, q, s, &jobs.Job{Kind: "bad", MaxAttempts: 1}, &jobs.Job{Kind: "panic", MaxAttempts: 1}, &jobs.Job{Kind: "sour", MaxAttempts: 1},
		&jobs.Job{Kind: "nobody"}, &jobs.Job{Kind: "good"}, &jobs.Job{Kind: "last"})
	if err := q.Work(ctx, nil, handlers); err != nil {
		t.Fatal(err)
	}
	close(seen)
	var got []string
	for s := range seen {
		got = append(got, s)
	}
	if fmt.Sprint(got) != "[bad panic sour good]" {
		t.Errorf("handlers ran: %v", got)
	}
	err := s.View(t.Context(), func(tx state.Tx) error {
		list, _, err := tx.Jobs().List(t.Context(), state.JobQuery{Dead: true})
		if len(list) != 3 {
			t.Errorf("%d dead jobs, want 3: %+v", len(list), list)
		}
		for _, j := range list {
			if j.Error == "" {
				t.Errorf("job %d died without a word", j.ID)
			}
		}
		v, err2 := tx.Meta().Get(t.Context(), "mark")
		if v != "set" {
			t.Error("the effect of the good job is missing")
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	c.step(time.Hour)
	if got := claim(t, q, 10, time.Minute); len(got) != 2 { // nobody's, and the one whose worker was stopped
		t.Errorf("left: %+v", got)
	}
}

func TestWaitWakes(t *testing.T) {
	q, s, c := queue(t)
	add(t, q, s, &jobs.Job{Kind: "k", RunAt: start.Add(time.Hour)})
	if err := q.Wait(t.Context(), nil); err != nil { // the Wake of add is pending
		t.Fatal(err)
	}
	c.step(time.Hour)
	if err := q.Wait(t.Context(), nil); err != nil { // due: no pause at all
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Wait(ctx, []string{"other"}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a dead context: %v", err)
	}
}

// TestIdleWritesNothing: looking for jobs that are not there leaves the disk alone.
func TestIdleWritesNothing(t *testing.T) {
	dir, c := t.TempDir(), &clock{t: start}
	s := open(t, dir)
	q := jobs.New(s, c.now)
	add(t, q, s, &jobs.Job{Kind: "k", RunAt: start.Add(time.Hour)})
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, sqlite.FileName+"-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	for range 10 {
		if got := claim(t, q, 1, time.Minute); len(got) != 0 {
			t.Fatalf("claimed %+v", got)
		}
	}
	if after := size(); after != before {
		t.Errorf("the log grew from %d to %d bytes", before, after)
	}
	c.step(time.Hour)
	if got := claim(t, q, 1, time.Minute); len(got) != 1 || size() == before {
		t.Errorf("claimed %+v with a log of %d bytes", got, size())
	}
}

func TestBackoff(t *testing.T) {
	for attempt, want := range map[int]time.Duration{
		-1: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 12: 2048 * time.Second, 13: time.Hour, 1 << 40: time.Hour,
	} {
		if got := jobs.Backoff(attempt); got != want {
			t.Errorf("after attempt %d: %v, want %v", attempt, got, want)
		}
	}
}

func TestAddNeedsAKind(t *testing.T) {
	q, s, _ := queue(t)
	err := s.Update(t.Context(), func(tx state.Tx) error { return q.Add(t.Context(), tx, &jobs.Job{}) })
	if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

// BenchmarkJobs claims ten and finishes them in one transaction.
func BenchmarkJobs(b *testing.B) {
	s := open(b, b.TempDir())
	q := jobs.New(s, nil)
	n := 0
	for b.Loop() {
		b.StopTimer()
		list := make([]*jobs.Job, 500)
		for i := range list {
			list[i] = &jobs.Job{Kind: "k", RunAt: start}
		}
		add(b, q, s, list...)
		b.StartTimer()
		for {
			got := claim(b, q, 10, time.Minute)
			if len(got) == 0 {
				break
			}
			err := s.Update(b.Context(), func(tx state.Tx) error {
				for _, j := range got {
					if err := q.Done(b.Context(), tx, j); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			n += len(got)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "jobs/s")
}
