package pipeline

import (
	"context"
	"slices"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// changeMove is the kind of a change by which a person put some alerts of an
// incident into another one.
const changeMove = "move"

// Gather puts alerts into an incident that is open, or into a new one when into is
// "". An incident of which all alerts go is merged. One change is returned for
// each incident that gave alerts; each can be undone. changed counts the alerts
// that were not in it before.
func Gather(ctx context.Context, tx state.Tx, into, title string, ids []string, by, reason string, now time.Time) (taker honeyguide.Incident, changes []honeyguide.IncidentChange, changed int, err error) {
	of := map[string][]honeyguide.Alert{}
	seen := map[string]bool{}
	var givers []string
	for _, id := range ids {
		a, err := tx.Alerts().Get(ctx, id)
		if err != nil {
			return taker, nil, 0, err
		}
		if of[a.Incident] == nil {
			givers = append(givers, a.Incident)
		}
		if !seen[a.ID] {
			seen[a.ID] = true
			of[a.Incident] = append(of[a.Incident], a)
		}
	}
	if taker, err = gathering(ctx, tx, into, title, ids, now); err != nil {
		return taker, nil, 0, err
	}
	for _, from := range givers {
		if from == taker.ID {
			continue
		}
		changed += len(of[from])
		if from == "" {
			if _, err := hand(ctx, tx, of[from], taker.ID); err != nil {
				return taker, nil, 0, err
			}
			continue
		}
		list, err := give(ctx, tx, from, &taker, of[from], by, reason, now)
		if err != nil {
			return taker, nil, 0, err
		}
		changes = append(changes, list...)
		if taker, err = tx.Incidents().Get(ctx, taker.ID); err != nil { // a merge saved it
			return taker, nil, 0, err
		}
	}
	return taker, changes, changed, rebuild(ctx, tx, &taker, now)
}

// gathering returns the incident that takes alerts.
func gathering(ctx context.Context, tx state.Tx, into, title string, ids []string, now time.Time) (in honeyguide.Incident, err error) {
	if into != "" {
		in, err = tx.Incidents().Get(ctx, into)
		if err == nil && !state.OpenIncident(in.Status) {
			err = clash(in.Short + " is " + string(in.Status) + "; reopen it, or choose another one")
		}
		return in, err
	}
	in = honeyguide.Incident{
		Key: pinned + honeyguide.DerivedID(now, "gather", strconv.Itoa(len(ids)), ids[0]), Title: title, Status: honeyguide.IncidentNew, Phase: honeyguide.PhaseNew, CreatedAt: now, UpdatedAt: now,
	}
	_, err = tx.Incidents().Save(ctx, &in)
	return in, err
}

// give moves alerts of one incident to another.
func give(ctx context.Context, tx state.Tx, from string, taker *honeyguide.Incident, alerts []honeyguide.Alert, by, reason string, now time.Time) ([]honeyguide.IncidentChange, error) {
	giver, err := tx.Incidents().Get(ctx, from)
	if err != nil {
		return nil, err
	}
	counts, err := tx.Alerts().Counts(ctx, state.AlertQuery{Incident: giver.ID})
	if err != nil {
		return nil, err
	}
	var all int64
	for _, n := range counts {
		all += n
	}
	if all == int64(len(alerts)) && giver.Joined == "" {
		return Merge(ctx, tx, taker.ID, []string{giver.ID}, by, reason, now)
	}
	moved, err := hand(ctx, tx, alerts, taker.ID)
	if err != nil {
		return nil, err
	}
	c := honeyguide.IncidentChange{Kind: changeMove, From: giver.ID, Into: taker.ID, At: now, By: by, Reason: reason, Keys: []string{}, Status: giver.Status, Phase: giver.Phase, Title: giver.Title}
	if err := tx.IncidentChanges().Add(ctx, &c, moved); err != nil {
		return nil, err
	}
	if err := tell(ctx, tx, &giver, taker, "moved", by, reason, c.Alerts, now); err != nil {
		return nil, err
	}
	return []honeyguide.IncidentChange{c}, rebuild(ctx, tx, &giver, now)
}

// hand gives alerts to an incident and returns their ids.
func hand(ctx context.Context, tx state.Tx, alerts []honeyguide.Alert, into string) (ids []string, err error) {
	for i := range alerts {
		alerts[i].Incident = into
		if err := tx.Alerts().Put(ctx, &alerts[i]); err != nil {
			return nil, err
		}
		ids = append(ids, alerts[i].ID)
	}
	return ids, nil
}

// handBack undoes a move: what is still in the taker returns.
func handBack(ctx context.Context, tx state.Tx, c *honeyguide.IncidentChange, giver, taker *honeyguide.Incident, ids []string, by string, now time.Time) error {
	_, err := move(ctx, tx, state.AlertQuery{Incident: taker.ID}, giver.ID, func(a *honeyguide.Alert) bool {
		_, found := slices.BinarySearch(ids, a.ID)
		return found
	})
	if err != nil {
		return err
	}
	if err := tell(ctx, tx, giver, taker, "taken back what went", by, c.Short, c.Alerts, now); err != nil {
		return err
	}
	if err := rebuild(ctx, tx, giver, now); err != nil {
		return err
	}
	return rebuild(ctx, tx, taker, now)
}
