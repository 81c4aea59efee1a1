package eventlog

import (
	"errors"
	"fmt"
)

// Errors of a log. Compare with errors.Is.
var (
	ErrGap      = errors.New("outbox numbers are missing")         // see GapError
	ErrBadEvent = errors.New("event cannot be stored")             // see EventError
	ErrTooLarge = errors.New("too large for the event log")        // the batch, or one event of it
	ErrFull     = errors.New("no room left for the event log")     // free space, then send again
	ErrTrimmed  = errors.New("retention has taken these events")   // start again at the first there is
	ErrReadOnly = errors.New("event log is open for reading only") // another process writes
	ErrClosed   = errors.New("event log is closed")
	ErrUnsealed = errors.New("a finished day is still being sealed") // it takes moments; try again
	ErrQuery    = errors.New("query cannot be answered")             // the text says why
)

// A GapError says that a batch begins above the number wanted from its outbox.
type GapError struct {
	Outbox      string
	Wanted, Got int64
}

// Error names the number wanted.
func (e *GapError) Error() string {
	return fmt.Sprintf("outbox %q: got number %d, want %d next", e.Outbox, e.Got, e.Wanted)
}

// Is makes a gap comparable with ErrGap.
func (e *GapError) Is(target error) bool { return target == ErrGap }

// An EventError says which event of a batch cannot be stored and why.
type EventError struct {
	Index int
	Err   error
}

// Error names the event by its place in the batch.
func (e *EventError) Error() string { return fmt.Sprintf("event %d of the batch: %v", e.Index, e.Err) }

// Unwrap returns the reason.
func (e *EventError) Unwrap() error { return e.Err }

// Is makes a refused event comparable with ErrBadEvent.
func (e *EventError) Is(target error) bool { return target == ErrBadEvent }
