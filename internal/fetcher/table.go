package fetcher

import (
	"context"
	"sync"
)

// A table remembers how to end each request under way.
type table struct {
	mu    sync.Mutex
	stops map[uint64]context.CancelFunc
}

func newTable() *table { return &table{stops: map[uint64]context.CancelFunc{}} }

// begin returns the context of request id and what to call when it is over.
func (t *table) begin(ctx context.Context, id uint64) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stops[id] = cancel
	return ctx, func() {
		cancel()
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.stops, id)
	}
}

// stop ends a request, if it is under way.
func (t *table) stop(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cancel := t.stops[id]; cancel != nil {
		cancel()
	}
}
