package privacy

import (
	"context"
	"time"
)

// Kept says how long one class of data is kept and how it stands.
type Kept struct {
	Class  string
	Days   int       // 0: for ever
	Oldest time.Time // of what is there
	Next   time.Time // when the oldest goes
	Kept   int64     // rows, days or files there are
	Spared int64     // old enough to go, and kept by open incidents or holds
	Last   int64     // removed by the last run
	LastAt time.Time
}

// Retention says how each class stands.
func (d *Desk) Retention(ctx context.Context) ([]Kept, error) {
	return nil, ctx.Err()
}
