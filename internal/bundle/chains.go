package bundle

import (
	"context"

	"honeyguide"
	"honeyguide/internal/state"
)

// Chains goes over every chain of custody there is and says how many there are and
// in how many a step is missing, was changed or does not follow from the one before.
func Chains(ctx context.Context, tx state.Tx) (all, broken int64, err error) {
	names := map[string]bool{}
	for q := (state.BundleQuery{Page: state.Page{Limit: state.MaxLimit}}); ; {
		list, next, err := tx.Bundles().List(ctx, q)
		if err != nil {
			return 0, 0, err
		}
		for _, b := range list {
			names[chainOf(b)] = true
		}
		if q.After = next; next == "" {
			break
		}
	}
	holds, err := tx.Holds().List(ctx, false)
	if err != nil {
		return 0, 0, err
	}
	for i := range holds {
		if kind, name := holds[i].Held(); kind == honeyguide.HoldIncident {
			names[name] = true
		}
	}
	for name := range names {
		steps, err := chain(ctx, tx, name)
		if err != nil {
			return 0, 0, err
		}
		all++
		var before honeyguide.CustodyStep
		for i := range steps {
			if _, why := steps[i].Follows(&before); why != "" {
				broken++
				break
			}
			before = steps[i]
		}
	}
	return all, broken, nil
}
