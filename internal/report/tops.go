package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"honeyguide/internal/state"
)

// A Ranked is one name and how often it was counted.
type Ranked struct {
	Name   string
	By     state.BySeverity
	Events int64 // where the kind counts them
}

// busiest is how many sources of each step are looked at: who is not among the
// busiest of any hour is not among those of a day.
const busiest = 100

// Rank sums the counts of a kind over a window by name, most first. For sources
// it looks at the hundred busiest of each hour or day.
func Rank(ctx context.Context, tx state.Tx, w Window, kind state.TallyKind) ([]Ranked, error) {
	all := map[string]*Ranked{}
	q := state.TallyQuery{Kind: kind, Step: w.Count, From: w.Since, To: w.Until}
	if kind == state.TallySource {
		q.Most = busiest
	}
	err := tx.Tallies().Read(ctx, q, func(x state.Tally) error {
		r := all[x.Name]
		if r == nil {
			r = &Ranked{Name: x.Name}
			all[x.Name] = r
		}
		r.By.Add(x.By)
		r.Events += x.Weight
		return nil
	})
	out := make([]Ranked, 0, len(all))
	for _, r := range all {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.By.Total(), a.By.Total()), cmp.Compare(b.By.Worst(), a.By.Worst()), cmp.Compare(a.Name, b.Name))
	})
	return out, err
}

// Over returns the alerts of each step of the window's series.
func Over(ctx context.Context, tx state.Tx, w Window) ([]state.BySeverity, error) {
	out := make([]state.BySeverity, w.steps(w.Series))
	err := tx.Tallies().Read(ctx, state.TallyQuery{Kind: state.TallyAlert, Step: w.Alerts, From: w.Since, To: w.Until}, func(x state.Tally) error {
		if i, ok := w.Place(x.At); ok {
			out[i].Add(x.By)
		}
		return nil
	})
	return out, err
}

// Place returns the step of the window's series a moment falls in.
func (w *Window) Place(at time.Time) (int, bool) { return w.place(at, w.Series) }

// Points returns the number of steps of the window's series.
func (w *Window) Points() int { return w.steps(w.Series) }
