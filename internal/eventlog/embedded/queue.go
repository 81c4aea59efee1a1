package embedded

import (
	"context"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

// A request is a batch on its way to the writer.
type request struct {
	outbox string // "" is the log's own
	first  int64
	rows   []colblock.Row // the events; the writer says which numbers they have
	size   int
	urgent bool
	at     time.Time            // when it was handed over; monotonic
	bad    map[eventlog.Seq]int // blocks given up that these events speak of
	done   chan result          // takes one; nil once answered
	got    eventlog.Receipt     // what the answer will be
	do     func() error         // not nil: no batch, but work for the writer between two commits
}

type result struct {
	receipt eventlog.Receipt
	err     error
}

// newRows makes rows of admitted events.
func newRows(events []honeyguide.Event) []colblock.Row {
	rows := make([]colblock.Row, len(events))
	for i := range events {
		rows[i].Event = events[i]
	}
	return rows
}

// A queue holds requests in order, bounded in bytes. When it is full, callers
// wait: that is the back-pressure.
type queue struct {
	mu      sync.Mutex
	reqs    []*request
	events  int
	bytes   int64
	max     int64
	urgent  bool
	closed  bool
	arrived chan struct{} // holds one when something may have changed for the writer
	room    chan struct{} // closed and replaced when bytes were taken out
}

func (q *queue) init(max int64) {
	q.max, q.arrived, q.room = max, make(chan struct{}, 1), make(chan struct{})
}

// put waits for room and hands r over.
func (q *queue) put(ctx context.Context, r *request) error {
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return eventlog.ErrClosed
		}
		if q.bytes == 0 || q.bytes+int64(r.size) <= q.max {
			q.reqs = append(q.reqs, r)
			q.events += len(r.rows)
			q.bytes += int64(r.size)
			q.urgent = q.urgent || r.urgent
			q.mu.Unlock()
			q.poke()
			return nil
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// push hands over what must not wait, whatever the bound; false when closed.
func (q *queue) push(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.reqs = append(q.reqs, r)
	q.events += len(r.rows)
	q.bytes += int64(r.size)
	q.poke()
	return true
}

func (q *queue) poke() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// ready says how long the writer may linger before it should take what there is:
// negative when there is nothing.
func (q *queue) ready(linger time.Duration) (wait time.Duration, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.reqs) == 0:
		return -1, q.closed
	case q.closed || q.urgent || q.events >= blockEvents || q.bytes >= blockBytes:
		return 0, q.closed
	}
	return max(linger-time.Since(q.reqs[0].at), 0), false
}

// take removes requests for one commit: at least one, and about commitBytes.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, events, size := 0, 0, 0
	for n < len(q.reqs) && (n == 0 || events+len(q.reqs[n].rows) <= commitEvents && size+q.reqs[n].size <= commitBytes) {
		events += len(q.reqs[n].rows)
		size += q.reqs[n].size
		n++
	}
	taken := q.reqs[:n:n]
	if q.reqs = q.reqs[n:]; len(q.reqs) == 0 {
		q.reqs, q.urgent = nil, false
	}
	q.events -= events
	q.bytes -= int64(size)
	close(q.room)
	q.room = make(chan struct{})
	return taken
}

// close lets no more in and reports whether it was open.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	close(q.room) // waiting callers see that it is closed
	q.room = make(chan struct{})
	q.poke()
	return true
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}
