package eventlog

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/telemetry"
)

// Seq is the place of an event in the log: 1, 2, 3, ...; 0 is before the first.
type Seq int64

// A Batch is what one Append stores. Events[i] is number First+i of Outbox for
// good; numbers begin at 1. Local producers leave Outbox and First zero.
type Batch struct {
	Outbox string
	First  int64
	Events []honeyguide.Event
	Urgent bool // store at once, do not wait for more to share the fsync
}

// A Receipt says what became of a batch.
type Receipt struct {
	Lo        Seq   // number of the first event stored, 0 when none was
	Stored    int   // events stored, at Lo, Lo+1, ...
	Duplicate int   // events dropped because their number was known
	Next      int64 // the outbox number wanted next
}

// A Record is an event in its place. It is shared: do not change what it
// points at.
type Record struct {
	Seq   Seq
	Event honeyguide.Event
}

// A Log takes events and hands them out in order.
type Log interface {
	// Append returns when the batch is durable and visible, all of it or
	// nothing. Nothing is stored with a *GapError, an *EventError (which names
	// the event refused), ErrTooLarge, ErrFull, ErrReadOnly and ErrClosed.
	// With ctx's error the outcome is unknown: send the same numbers again.
	// The log keeps the events; the caller must not change what they point at.
	Append(ctx context.Context, b Batch) (Receipt, error)
	// Read returns up to max committed records after pos, in order; at the end
	// it waits. Records a disk has spoilt are left out. ErrTrimmed: retention
	// took pos+1. A max of 0 means 1000.
	Read(ctx context.Context, pos Seq, max int) ([]Record, error)
	// Ends returns the numbers of the first and last record there are. An empty
	// log has last = first-1.
	Ends(ctx context.Context) (first, last Seq, err error)
	// Next returns the number wanted next from an outbox, 1 for an unknown one.
	// The empty name is the log's own outbox.
	Next(ctx context.Context, outbox string) (int64, error)
}

// A Keeper looks after what is stored.
type Keeper interface {
	// Drop forgets whole days that ended before a time, in name and by the time
	// of every event in them, and returns their names. The newest day stays.
	Drop(ctx context.Context, before time.Time) (dropped []string, err error)
	// Check reads everything and reports what is damaged.
	Check(ctx context.Context, report func(Fault)) error
}

// A Fault is one damaged range that Check found.
type Fault struct {
	Where  string // file or other place
	Lo     Seq    // first record affected, 0 when unknown
	N      int    // how many
	Reason string
}

// A Store is a log that also answers questions and can be looked after.
type Store interface {
	Log
	Finder
	Keeper
	Close() error
}

// Deps is what the host lends to every kind.
type Deps struct {
	Dir      string // folder for the kind's files; made when absent
	ReadOnly bool   // look only; another process may be writing
	AtLeast  Seq    // highest number any cursor knows: numbers given out are above it
	Log      *slog.Logger
	Metrics  *telemetry.Registry
	Now      func() time.Time
	// Full says that no event is to be taken, because what room there is belongs to
	// others; Append then gives ErrFull. nil: never.
	Full func() bool
	// Sealed is told about a finished day and the SHA-256 of its file, in hex.
	Sealed func(day, sum string)
	// Holder says which days must stay whatever their age; nil: none.
	Holder Holder
}

// A Holder knows the days (UTC, as 2006-01-02) whose events somebody holds, and
// by what. Drop asks it each time; when it cannot answer, nothing is dropped.
type Holder interface {
	Days(ctx context.Context) (map[string]honeyguide.Hold, error)
	// Sources are the addresses all of whose events somebody holds: a day that has
	// one of them stays.
	Sources(ctx context.Context) (map[netip.Addr]honeyguide.Hold, error)
}

// Set is the list of kinds of event logs.
type Set = kind.Set[Deps, Store]
