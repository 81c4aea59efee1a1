package embedded

import (
	"context"
	"time"

	"honeyguide/internal/eventlog"
)

// Append stores a batch.
func (s *Store) Append(ctx context.Context, b eventlog.Batch) (eventlog.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return eventlog.Receipt{}, err
	}
	if s.readOnly {
		return eventlog.Receipt{}, eventlog.ErrReadOnly
	}
	events, size, err := eventlog.Admit(b)
	if err != nil {
		return eventlog.Receipt{}, err
	}
	start := time.Now()
	done := make(chan result, 1) // once handed over, the request is the writer's
	r := &request{outbox: b.Outbox, first: b.First, rows: newRows(events), size: size, urgent: b.Urgent, at: start, done: done}
	if err := s.queue.put(ctx, r); err != nil {
		return eventlog.Receipt{}, err
	}
	select {
	case res := <-done:
		if res.err == nil {
			s.met.wait.Observe(time.Since(start).Seconds())
		}
		return res.receipt, res.err
	case <-ctx.Done(): // the writer may store it all the same
		return eventlog.Receipt{}, ctx.Err()
	}
}
