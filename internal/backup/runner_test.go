package backup_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/backup"
	"honeyguide/internal/telemetry"
)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// TestRunner makes what is due, tells when it fails or is overdue, and lets a
// backup to another place change nothing of that.
func TestRunner(t *testing.T) {
	n := newNode(t)
	c := &clock{at: time.Now().UTC()}
	job := n.job(filepath.Join(t.TempDir(), "b"))
	job.Now = c.now
	job.Erased = func(context.Context) ([]byte, error) { return fmt.Appendf(nil, "%v", c.now()), nil } // another one each time
	type trouble struct {
		overdue bool
		why     string
	}
	said := make(chan trouble, 9)
	r := backup.NewRunner(backup.Options{
		Base: job, Every: time.Hour, Keep: 2, Metrics: telemetry.NewRegistry(), Log: slog.New(slog.DiscardHandler),
		Failed: func(_ context.Context, overdue bool, why string) { said <- trouble{overdue, why} },
	})
	once := func(j backup.Job) backup.Progress {
		t.Helper()
		_, err := r.Start(t.Context(), j)
		n.must(err)
		return r.Status(t.Context(), time.Minute)
	}
	quiet := func(what string) {
		t.Helper()
		if len(said) > 0 {
			t.Errorf("%s: %+v", what, <-said)
		}
	}
	if s := r.Status(t.Context(), 0); s.Next.After(c.now()) || s.Overdue {
		t.Errorf("at first: %+v", s)
	}
	first := once(job)
	if first.Error != "" || first.ID == "" || first.Bytes == 0 || first.Last.ID != first.ID || !first.Next.Equal(c.now().Add(time.Hour)) {
		t.Fatalf("%+v", first)
	}
	// One to another place, good or not, puts nothing off and is no news to others.
	c.move(time.Minute)
	bad := job
	bad.To = filepath.Join(n.data, "inside")
	elsewhere := job
	elsewhere.To = filepath.Join(t.TempDir(), "elsewhere")
	for _, j := range []backup.Job{bad, elsewhere} {
		if s := once(j); (s.Error != "") != (j.To == bad.To) || s.Last.ID != first.ID || s.Last.Error != "" || !s.Next.Equal(first.Next) {
			t.Errorf("to %s: %+v", j.To, s)
		}
	}
	quiet("to another place")
	// A configured one that fails is told, and tried again before the next is due.
	broken := job
	broken.Recipient = "age1nobody"
	broken.Plain = false
	s := once(broken)
	if s.Last.Error == "" || s.Last.ID != first.ID || s.Overdue {
		t.Errorf("%+v", s)
	}
	if x := <-said; x.overdue || x.why != s.Error {
		t.Errorf("told: %+v", x)
	}
	// Two hours after the last good one people are told, even if nothing fails.
	c.move(2 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	end := make(chan error, 1)
	go func() { end <- r.Run(ctx) }()
	if x := <-said; !x.overdue {
		t.Errorf("told: %+v", x)
	}
	// And the one that is due is made meanwhile.
	for at := time.Now(); r.Status(ctx, time.Second).Last.ID == first.ID && time.Since(at) < time.Minute; {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	n.must(<-end)
	if s := r.Status(t.Context(), 0); s.Last.ID == first.ID || s.Last.Error != "" || s.Overdue {
		t.Errorf("%+v", s)
	}
	quiet("at the end")
}
