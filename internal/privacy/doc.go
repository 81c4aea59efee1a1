// Package privacy keeps the promises about people's data: it says what is held
// about somebody, hands it out, erases it from everything there is, and lets what
// is old go, class by class.
//
// # Erasing
//
// An erasure that was asked for is written down before anything is changed and
// is finished whatever happens: at the next start it goes on where it was cut
// off. The value is replaced by a mark of random bits (see package personal) in
// the event log, the state, recordings and the personal part of the audit log;
// worlds in which it stands are forgotten. Then nobody, with whatever key, can
// tell whom the mark stands for. The ledger keeps a keyed hash of the value,
// so that a backup from before can be brought to the same state after it was
// restored, and so that somebody who asks again can be answered.
//
// A legal hold beats erasing and retention, and is named.
package privacy

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/personal"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// Events is the event log as this room needs it.
type Events interface {
	eventlog.Finder
	eventlog.Rewriter
}

// Recordings are what sessions looked like.
type Recordings interface {
	Rewrite(ctx context.Context, r *personal.Rewriter, look bool, only func(session string, last time.Time) bool) (sessions []string, err error)
}

// Trail is the audit log. Its entries stay; the personal part of those that
// match goes.
type Trail interface {
	// Find calls fn for every entry, newest first, until it returns false.
	Find(ctx context.Context, fn func(honeyguide.AuditEntry) bool) error
	// Erase takes the personal part away of every entry in which match finds
	// something, and returns how many those were, and what matches and cannot go.
	Erase(ctx context.Context, match func(text string) bool, why string) (n int, left []string, err error)
}

// Deps is what a desk works with.
type Deps struct {
	State      state.Store
	Rows       state.Rewriter
	Events     Events
	Recordings Recordings // nil: there are none
	// Worlds forgets, or with look only counts, the worlds of a source and those in
	// which has finds something. Nil: there are none.
	Worlds func(ctx context.Context, s personal.Subject, has func([]byte) bool, look bool) (int, error)
	Trail  Trail // nil: there is none
	// Copies removes the copies of older data the program keeps by itself, and names
	// those somebody has put aside. Nil: there are none.
	Copies func() (aside []string, err error)

	// Held names the legal hold that keeps a subject's data, "" when none does. Nil:
	// there are no holds.
	Held func(ctx context.Context, s personal.Subject) (string, error)
	// Busy says why a value is still needed, "" when it is not: an address that is
	// blocked now, an account that may still log in. Nil: nothing is.
	Busy func(ctx context.Context, s personal.Subject) (string, error)
	// Still calls fn while nothing is judged. Nil: it is just called.
	Still     func(ctx context.Context, fn func(context.Context) error) error
	Retention *Retention // nil: nothing grows old
	// Forget lets go of what is remembered in memory. Nil: nothing is.
	Forget func(ctx context.Context) error
	// Pseudonyms returns those of the installation's key, nil when it has none; made
	// says that it is to have one, which is durable before it returns. Nil: nothing
	// becomes a pseudonym.
	Pseudonyms func(made bool) (*personal.Pseudonyms, error)
	// ForgetKey destroys the key of pseudonyms; the next one is another.
	ForgetKey func() error
	// Days are the days whose events a hold keeps. Nil: none.
	Days func(ctx context.Context) (map[string]honeyguide.Hold, error)
	// Sources are the addresses whose doings a hold keeps. Nil: none.
	Sources func(ctx context.Context) (map[netip.Addr]honeyguide.Hold, error)
	// HeldSession reports whether a hold keeps a session's recording. Nil: none.
	HeldSession func(session string) bool

	Box     *seal.Box // of the values that wait to be erased
	Key     []byte    // of the hashes in the ledger
	Metrics *telemetry.Registry
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

// A Desk answers requests of people about their data.
type Desk struct {
	dep  Deps
	log  *slog.Logger
	wake chan struct{}
	work sync.Mutex // one erasure at a time

	mu   sync.Mutex // of the ledger
	done chan struct{}

	erased, values, waiting func(float64)
}

// NewDesk returns a desk. Run finishes what was asked for.
func NewDesk(dep Deps) *Desk {
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	if dep.Still == nil {
		dep.Still = func(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }
	}
	d := &Desk{dep: dep, log: dep.Log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if dep.Metrics == nil {
		dep.Metrics = telemetry.NewRegistry()
	}
	erased := dep.Metrics.Counter("honeyguide_privacy_erasures_total", "Erasures carried out to their end.")
	values := dep.Metrics.Counter("honeyguide_privacy_erased_values_total", "Rows, events and files that erasures changed.")
	waiting := dep.Metrics.Gauge("honeyguide_privacy_erasures_waiting", "Erasures asked for and not finished.")
	erased.Add(0)
	values.Add(0)
	waiting.Set(0)
	d.erased, d.values, d.waiting = erased.Add, values.Add, waiting.Set
	return d
}

// Run finishes the erasures that were asked for, now and whenever one comes.
func (d *Desk) Run(ctx context.Context) error {
	const again = time.Minute
	for {
		left, err := d.Finish(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.LogAttrs(ctx, slog.LevelError, "erasure is not finished; it is tried again", slog.Any("error", err))
		}
		var retry <-chan time.Time
		if left > 0 {
			retry = time.After(again)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.wake:
		case <-retry:
		}
	}
}

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
