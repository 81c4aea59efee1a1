// Package supervise starts the goroutines of the house. Every one of them has
// a name, recovers from panics, and ends when its context does; what should
// live as long as the process is restarted with growing pauses.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Pauses between restarts of a kept function: the first, doubled each time up
// to the last. A function that ran for calm starts over with the first.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 30 * time.Second
	calm       = time.Minute
)

// A Group is a set of named goroutines. The zero value is not usable; see New.
type Group struct {
	log *slog.Logger
	wg  sync.WaitGroup

	mu    sync.Mutex
	first error         // of the functions started with Go
	again chan struct{} // closed and replaced by Nudge
}

// New returns an empty group. A nil log discards.
func New(log *slog.Logger) *Group {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Group{log: log, again: make(chan struct{})}
}

// Nudge ends the pauses before restarts: what kept functions from working is
// over.
func (g *Group) Nudge() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.again)
	g.again = make(chan struct{})
}

func (g *Group) nudged() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.again
}

// Go runs fn once. Its error, or its panic as an error, is kept for Wait;
// the end of ctx is no error.
func (g *Group) Go(ctx context.Context, name string, fn func(context.Context) error) {
	g.wg.Go(func() {
		if err := Call(ctx, name, fn); err != nil && ctx.Err() == nil {
			g.log.LogAttrs(ctx, slog.LevelError, "task ended", slog.String("task", name), slog.Any("error", err))
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.first == nil {
				g.first = err
			}
		}
	})
}

// Keep runs fn until ctx ends and starts it again whenever it returns or
// panics, with pauses from 100 ms to 30 s.
func (g *Group) Keep(ctx context.Context, name string, fn func(context.Context) error) {
	g.wg.Go(func() {
		pause := firstPause
		for ctx.Err() == nil {
			began := time.Now()
			err := Call(ctx, name, fn)
			if ctx.Err() != nil {
				return
			}
			if time.Since(began) > calm {
				pause = firstPause
			}
			g.log.LogAttrs(ctx, slog.LevelWarn, "task restarts",
				slog.String("task", name), slog.Any("error", err), slog.Duration("pause", pause))
			next := min(2*pause, lastPause)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			case <-g.nudged():
				next = firstPause
			}
			pause = next
		}
	})
}

// Wait returns when every goroutine of the group has ended, with the first
// error of those started with Go.
func (g *Group) Wait() error {
	g.wg.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.first
}

// A PanicError is a recovered panic.
type PanicError struct {
	Task  string
	Value any
	Stack []byte
}

// Error says which task panicked and with what.
func (p *PanicError) Error() string { return fmt.Sprintf("%s: panic: %v", p.Task, p.Value) }

// Call runs fn and turns a panic into a [PanicError]. context.Canceled counts
// as a clean end when ctx itself has ended.
func Call(ctx context.Context, name string, fn func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Task: name, Value: v, Stack: debug.Stack()}
		}
	}()
	err = fn(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
