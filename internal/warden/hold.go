package warden

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"honeyguide/internal/supervise"
)

// Held is the state of a process that was stopped on purpose.
const Held = "held"

// A hold keeps the process from running.
type hold struct {
	until time.Time
	why   string
	over  chan struct{} // closed by Release
}

// Hold stops the process until a time or Release, whichever is first. Its doors
// stay ours, and whoever knocks meanwhile is turned away. Holding again moves the
// end.
func (w *Warden) Hold(until time.Time, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	over := make(chan struct{})
	if w.hold != nil {
		close(w.hold.over) // whoever waits looks again
	}
	w.hold = &hold{until, why, over}
	if w.end != nil {
		w.end()
	}
}

// Release lets the process run again. It is no error when it was not held.
func (w *Warden) Release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hold != nil {
		close(w.hold.over)
		w.hold = nil
	}
}

// Held reports whether the process is stopped on purpose, and has ended.
func (w *Warden) Held() bool { return w.Health().State == Held }

// holding returns the hold in force.
func (w *Warden) holding() *hold {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hold != nil && !w.now().Before(w.hold.until) {
		w.hold = nil
	}
	return w.hold
}

// living returns the context of one process, which a hold ends.
func (w *Warden) living(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancel(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end = end
	if w.hold != nil {
		end()
	}
	return ctx, end
}

// rest waits while the process is held.
func (w *Warden) rest(ctx context.Context) {
	for h := w.holding(); h != nil && ctx.Err() == nil; h = w.holding() {
		w.update(func(x *Health) { x.LastExit = "stopped on purpose: " + h.why })
		w.enter(Held)
		w.turnAway(ctx, h)
	}
}

// acceptPause is how long a door without descriptors waits.
const acceptPause = 100 * time.Millisecond

// turnAway closes the connections that come while h holds.
func (w *Warden) turnAway(ctx context.Context, h *hold) {
	group := supervise.New(w.log)
	for _, l := range w.socks.listeners {
		group.Go(ctx, "turn away", func(context.Context) error {
			for {
				c, err := l.Accept()
				if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
					return nil // the deadline below, or the end
				}
				if err != nil { // no descriptor is left
					select {
					case <-ctx.Done():
					case <-h.over:
					case <-time.After(acceptPause):
					}
					continue
				}
				if t, ok := c.(*net.TCPConn); ok {
					_ = t.SetLinger(0)
				}
				_ = c.Close()
			}
		})
	}
	t := time.NewTimer(h.until.Sub(w.now()))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-h.over:
	}
	for _, l := range w.socks.listeners {
		_ = l.SetDeadline(time.Unix(1, 0))
	}
	_ = group.Wait()
	for _, l := range w.socks.listeners {
		_ = l.SetDeadline(time.Time{})
	}
}
