package eventlog

import (
	"context"

	"honeyguide"
)

// A Rewriter takes out of stored events what the law says must go. It is the
// one exception from the rule that a stored event never changes: number, time,
// identity and order stay, and so does how many events there are.
type Rewriter interface {
	// Rewrite hands every event of the days that r names to r.Change and stores what
	// comes back. When it returns nil no file holds what was changed any more: blocks,
	// filters, free pages and journals were made anew. It may be called again
	// after any failure; what was done already is found done.
	Rewrite(ctx context.Context, r Rewrite) (Rewritten, error)
}

// Rewrite says what changes.
type Rewrite struct {
	// Change returns an event as it is to be, and how many values in it changed; 0
	// leaves it alone. What the event it is given points at must stay as it is.
	Change func(honeyguide.Event) (honeyguide.Event, int)
	Day    func(day string) bool // which days, by the date they arrived on; nil: all
}

// Rewritten says what changed.
type Rewritten struct {
	Events int64 // that changed
	Values int64 // changed in them
	Days   []string
	// Left are files and blocks that cannot be read, and therefore cannot be shown
	// to be free of anything.
	Left []string
}
