package eventlog

import (
	"fmt"

	"honeyguide"
	"honeyguide/internal/colblock"
)

// Bounds of what one Append takes.
const (
	MaxEvent       = 256 << 10 // bytes of one event, see Size
	MaxBatchEvents = 1 << 16
	MaxBatchBytes  = 32 << 20
	maxOutbox      = 64 // bytes of an outbox name
)

// Size estimates the bytes of an event; limits are measured with it.
func Size(e *honeyguide.Event) int { return colblock.Size(e) }

// EventID is the id a log gives an event that has none.
func EventID(outbox string, number int64, e *honeyguide.Event) string {
	return colblock.EventID(outbox, number, e.Time)
}

// Admit checks a batch and returns its events in the form in which they are
// stored, and their size in bytes. The caller's slice and maps stay as they are.
// The error is an *EventError, ErrTooLarge or says what is wrong with the outbox.
func Admit(b Batch) ([]honeyguide.Event, int, error) {
	if err := admitOutbox(b); err != nil {
		return nil, 0, err
	}
	if len(b.Events) > MaxBatchEvents {
		return nil, 0, fmt.Errorf("%w: batch of %d events, at most %d", ErrTooLarge, len(b.Events), MaxBatchEvents)
	}
	events := make([]honeyguide.Event, len(b.Events))
	total := 0
	for i := range events {
		events[i] = b.Events[i]
		if err := colblock.Canon(&events[i]); err != nil {
			return nil, 0, &EventError{i, err}
		}
		size := Size(&events[i])
		if size > MaxEvent {
			return nil, 0, &EventError{i, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, MaxEvent)}
		}
		total += size
	}
	if total > MaxBatchBytes {
		return nil, 0, fmt.Errorf("%w: batch of %d bytes, at most %d", ErrTooLarge, total, MaxBatchBytes)
	}
	return events, total, nil
}

func admitOutbox(b Batch) error {
	switch {
	case b.Outbox == "" && b.First != 0:
		return fmt.Errorf("batch with number %d of no outbox", b.First)
	case b.Outbox == "":
		return nil
	case len(b.Outbox) > maxOutbox:
		return fmt.Errorf("outbox name of %d bytes, at most %d", len(b.Outbox), maxOutbox)
	case b.First < 1:
		return fmt.Errorf("outbox %q: numbers begin at 1, got %d", b.Outbox, b.First)
	}
	for _, c := range []byte(b.Outbox) {
		if c < '!' || c > '~' {
			return fmt.Errorf("outbox %q: want printable characters without spaces", b.Outbox)
		}
	}
	return nil
}
