// Package state is the room of what is known and worked on: alerts, incidents,
// sessions, honeytokens, plans, jobs, dead letters and the cursors of those who
// read the event log. Events themselves live in the log; what is learnt from
// them lives here and names them.
//
// # Transactions
//
// Everything happens in [Store.View] or [Store.Update]. An Update is one
// transaction: all of it or nothing, and on the disk when it returns nil. A
// consumer of the log writes its effects and moves its cursor in one Update, so
// each event takes effect exactly once whatever crashes. The function may run
// more than once and must have no effects outside its Tx. A Tx is for one
// goroutine and dies with the function; calling Update inside an Update waits
// for ever.
//
// # What is stored
//
// Input is never refused for being ugly: it comes from attackers, and a row that
// cannot be written would stop the consumer behind it. Save tidies the value it
// is given (see [TidyAlert] and its siblings) and leaves in it what Get will
// return: times in UTC with microseconds, text as UTF-8 with U+FFFD for each bad
// byte, addresses unmapped, lists within their bounds and never nil.
//
// # Lists
//
// Lists are newest first and have a total order, so pages neither repeat nor
// lose rows that were there when the first page was read. A cursor is opaque,
// belongs to one list and is checked before use.
//
// # Errors
//
// A [honeyguide.Error] with CodeNotFound for a row that is not there, CodeInvalid
// for a cursor or a query that makes no sense, CodeConflict for a lost race,
// CodeForbidden for a write to a store opened for reading, CodeUnavailable when
// the disk is full or locked by another process.
package state

import (
	"context"
	"log/slog"
	"time"

	"honeyguide/internal/kind"
)

// A Store keeps the state. It is safe for concurrent use.
type Store interface {
	// View runs fn on one consistent snapshot. Writes inside fn fail.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn in one transaction, which is durable when Update returns nil
	// and has left no trace when it returns an error or panics. fn may run more than
	// once. Updates run one at a time. ctx ending while the commit runs leaves the
	// outcome unknown: read again.
	Update(ctx context.Context, fn func(Tx) error) error
	// Close waits for what runs and closes the store.
	Close() error
}

// A Tx hands out the nouns of one transaction.
type Tx interface {
	Alerts() Alerts
	Incidents() Incidents
	Sessions() Sessions
	Tokens() Tokens
	Samples() Samples
	Verdicts() Verdicts
	Models() Models
	Enrichments() Enrichments
	Attackers() Attackers
	Plans() Plans
	Runs() Runs
	Timeline() Timeline
	Notices() Notices
	Playbooks() Playbooks
	Allowlist() Allowlist
	Replies() Replies
	DeadLetters() DeadLetters
	Jobs() Jobs
	Acts() Acts
	Cursors() Cursors
	Checkpoints() Checkpoints
	Meta() Meta
	Identity
	Suppressions() Suppressions
	IncidentChanges() IncidentChanges
	Tallies() Tallies
	Views() Views
	Preferences() Preferences
	Notes() Notes
	Holds() Holds
	Custody() Custody
	Bundles() Bundles
	Retention() Retention
}

// Deps is what the host lends to a kind.
type Deps struct {
	Dir      string               // data folder, which exists; the caller holds its lock unless ReadOnly
	ReadOnly bool                 // for a second process beside the one that writes
	Schema   func(have, want int) // with ReadOnly: told the schema there is, and the one this program works with
	Memory   int64                // bytes its caches may take together; 0 = as many as they like
	Now      func() time.Time     // nil = time.Now
	Log      *slog.Logger         // nil = none
}

// Kind is one implementation of the room.
type Kind = kind.Kind[Deps, Store]

// Set is the list of kinds there are.
type Set = kind.Set[Deps, Store]
