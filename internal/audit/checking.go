package audit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide/internal/supervise"
)

// A CheckStatus says how the verification under way stands, or how the last one ended.
type CheckStatus struct {
	Running bool      `json:"running"`
	Done    int64     `json:"done" doc:"entries verified"`
	Of      int64     `json:"of" doc:"entries to verify"`
	Began   time.Time `json:"began,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Report  *Report   `json:"report,omitempty" doc:"what was found, once it is over"`
	Error   string    `json:"error,omitempty" doc:"why it did not come to an end"`
}

// checking is the verification of a running log; there is one at a time.
type checking struct {
	mu     sync.Mutex
	status CheckStatus
	done   atomic.Int64
	cancel context.CancelFunc
	ended  chan struct{}
}

// StartCheck begins to verify the whole log, unless that is under way. It goes
// on when ctx has ended.
func (l *Log) StartCheck(ctx context.Context, kept Kept) CheckStatus {
	c := &l.checking
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status.Running {
		return c.now()
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	point := l.Checkpoint()
	c.cancel, c.ended = cancel, make(chan struct{})
	c.status = CheckStatus{Running: true, Of: point.Size, Began: l.opt.Now().UTC()}
	c.done.Store(0)
	ended := c.ended
	supervise.New(l.log).Go(run, "audit verification", func(ctx context.Context) error {
		defer close(ended)
		defer cancel()
		defer func() { // also when it panics
			c.mu.Lock()
			defer c.mu.Unlock()
			c.status.Running = false
		}()
		r, err := l.Verify(ctx, kept, func(done, _ int64) { c.done.Store(done) })
		c.mu.Lock()
		defer c.mu.Unlock()
		c.status.Ended, c.status.Report = l.opt.Now().UTC(), r
		if err != nil {
			c.status.Error = "the log could not be read to the end"
		}
		return err
	})
	return c.now()
}

func (c *checking) now() CheckStatus {
	s := c.status
	s.Done = c.done.Load()
	return s
}

// stop ends a verification under way.
func (c *checking) stop() {
	c.mu.Lock()
	cancel, ended := c.cancel, c.ended
	c.mu.Unlock()
	if cancel != nil {
		cancel()
		<-ended
	}
}

// CheckStatus says how the last verification stands, after at most a while when
// it is under way.
func (l *Log) CheckStatus(ctx context.Context, while time.Duration) CheckStatus {
	c := &l.checking
	c.mu.Lock()
	running, ended := c.status.Running, c.ended
	c.mu.Unlock()
	if running && while > 0 {
		timer := time.NewTimer(while)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// Verify verifies the running log up to its newest checkpoint. Sealing files
// and dropping bodies wait meanwhile; recording does not.
func (l *Log) Verify(ctx context.Context, kept Kept, progress func(done, of int64)) (*Report, error) {
	l.moves.RLock()
	defer l.moves.RUnlock()
	point := l.Checkpoint()
	check := Check{Dir: l.dir, Key: l.public, Kept: kept, Progress: progress}
	if l.Refused() == "" {
		check.at = &point
	}
	r, err := Verify(ctx, check)
	if err != nil {
		return r, err
	}
	if r.Sound() {
		l.m.bad.Set(0)
		return r, nil
	}
	l.m.bad.Set(1)
	l.log.LogAttrs(ctx, slog.LevelError, "audit log is damaged", slog.Any("faults", r.Faults))
	return r, nil
}
