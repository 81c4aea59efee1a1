package pipeline

import (
	"context"
	"slices"

	"honeyguide"
	"honeyguide/internal/detect"
)

// hidden is what suppressions hid of one verdict.
type hidden struct {
	alerts int // new ones
	events int64
}

// suppress saves the alerts that are known noise, marked and in no incident, and
// returns the others. Whether a suppression holds is asked of the clock, not of
// the events: it is an operator's word about what is shown from now on.
func (w *applying) suppress(ctx context.Context, alerts []honeyguide.Alert) ([]honeyguide.Alert, error) {
	if len(alerts) == 0 {
		return alerts, nil
	}
	holding, err := w.tx.Suppressions().Holding(ctx, w.now)
	if err != nil {
		return nil, err
	}
	noise := detect.NewSuppressor(holding)
	if noise.Empty() {
		return alerts, nil
	}
	var live, quiet []honeyguide.Alert
	for i := range alerts {
		a := alerts[i]
		s := noise.Find(&a)
		if s == nil {
			live = append(live, a)
			continue
		}
		a.Status, a.Suppression, a.CreatedAt = honeyguide.AlertSuppressed, s.ID, w.now
		quiet = append(quiet, a)
	}
	if len(quiet) == 0 {
		return alerts, nil
	}
	return live, w.hide(ctx, quiet)
}

// hide saves suppressed alerts and counts them where their suppression is.
func (w *applying) hide(ctx context.Context, quiet []honeyguide.Alert) error {
	type hit struct {
		by             string
		alerts, events int64
	}
	var hits []hit
	at := make([]int, len(quiet))
	for i := range quiet {
		at[i] = slices.IndexFunc(hits, func(h hit) bool { return h.by == quiet[i].Suppression })
		if at[i] < 0 {
			at[i] = len(hits)
			hits = append(hits, hit{by: quiet[i].Suppression})
		}
		hits[at[i]].events += quiet[i].Count
		w.hidden.events += quiet[i].Count
	}
	created, err := w.tx.Alerts().SaveAll(ctx, quiet)
	if err != nil {
		return err
	}
	for i, fresh := range created {
		if fresh {
			hits[at[i]].alerts++
			w.hidden.alerts++
		}
	}
	for _, h := range hits {
		if err := w.tx.Suppressions().Hit(ctx, h.by, h.alerts, h.events, w.now); err != nil {
			return err
		}
	}
	return nil
}
