package statetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func suppression(reason string, ends time.Time) honeyguide.Suppression {
	return honeyguide.Suppression{
		Match: honeyguide.Match{Rule: "brute_force", Src: "203.0.113.0/24"}, Reason: reason, Owner: "ops", CreatedBy: "admin",
		ExpiresAt: ends,
	}
}

// suppressions: full values are stored, counts stay, those that hold are told
// from those that ended.
func suppressions(b *bench) {
	day := 24 * time.Hour
	short, long, lifted := suppression("short", start.Add(time.Hour)), suppression("long \xff", start.Add(day)), suppression("lifted", start.Add(day))
	b.up(func(ctx context.Context, tx state.Tx) error {
		for _, s := range []*honeyguide.Suppression{&short, &long, &lifted} {
			s.CreatedAt = b.clock.step(time.Second)
			if err := tx.Suppressions().Save(ctx, s); err != nil {
				return err
			}
		}
		lifted.LiftedAt, lifted.LiftedBy = start.Add(time.Minute), "admin"
		again := lifted
		again.Alerts = 99 // counts are the store's
		return errors.Join(tx.Suppressions().Save(ctx, &again), tx.Suppressions().Hit(ctx, long.Short, 2, 30, start.Add(time.Hour)),
			tx.Suppressions().Hit(ctx, long.ID, 0, 5, start.Add(2*time.Hour)))
	})
	long.Alerts, long.Events, long.LastAt = 2, 35, start.Add(2*time.Hour)
	if short.Short != "SUP-1" || long.Short != "SUP-2" || long.Reason != "long \ufffd" || long.ID == "" {
		b.Errorf("as stored: %+v %+v", short, long)
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		for id, want := range map[string]honeyguide.Suppression{"sup-1": short, long.ID: long, "SUP-3": lifted} {
			got, err := tx.Suppressions().Get(ctx, id)
			if err != nil {
				return err
			}
			b.same("get "+id, got, want)
		}
		_, err := tx.Suppressions().Get(ctx, "SUP-9")
		b.code("get of none", err, honeyguide.CodeNotFound)
		for at, want := range map[time.Time][]honeyguide.Suppression{start: {short, long}, start.Add(time.Hour): {long}, start.Add(day): nil} {
			got, err := tx.Suppressions().Holding(ctx, at)
			if err != nil {
				return err
			}
			b.same(fmt.Sprint("holding at ", at), got, want)
		}
		all := pages(b, 1, func(p state.Page) ([]honeyguide.Suppression, string, error) {
			return tx.Suppressions().List(ctx, state.SuppressionQuery{Page: p})
		})
		b.same("all", all, []honeyguide.Suppression{lifted, long, short})
		some := pages(b, 1, func(p state.Page) ([]honeyguide.Suppression, string, error) {
			return tx.Suppressions().List(ctx, state.SuppressionQuery{Page: p, HoldsAt: start.Add(time.Hour)})
		})
		b.same("those that hold", some, []honeyguide.Suppression{long})
		return nil
	})
}

// suppressedAlerts: what one suppression hides of one DedupeKey is one row, apart
// from the open alert about the same, and can be asked for.
func suppressedAlerts(b *bench) {
	hidden := func(sup string) honeyguide.Alert {
		a := alert("k")
		a.Status, a.Suppression = honeyguide.AlertSuppressed, sup
		return a
	}
	open := b.saveAlerts(alert("k"))[0]
	first := b.saveAlerts(hidden("one"))[0]
	if first.Short == open.Short || first.Status != honeyguide.AlertSuppressed {
		b.Fatalf("hidden: %+v", first)
	}
	b.clock.step(time.Second)
	list := []honeyguide.Alert{hidden("one"), alert("k"), hidden("two")}
	b.up(func(ctx context.Context, tx state.Tx) error {
		created, err := tx.Alerts().SaveAll(ctx, list)
		b.same("created", created, []bool{false, false, true})
		return err
	})
	b.same("shorts", []string{list[0].Short, list[1].Short, list[2].Short}, []string{first.Short, open.Short, "A-3"})
	b.same("counts", []int64{list[0].Count, list[1].Count}, []int64{6, 6})
	for name, c := range map[string]struct {
		q    state.AlertQuery
		want []string
	}{
		"all":         {state.AlertQuery{}, []string{"A-3", "A-2", "A-1"}},
		"shown":       {state.AlertQuery{Shown: true}, []string{"A-1"}},
		"suppressed":  {state.AlertQuery{Status: []honeyguide.AlertStatus{honeyguide.AlertSuppressed}}, []string{"A-3", "A-2"}},
		"by one":      {state.AlertQuery{Suppression: "one"}, []string{"A-2"}},
		"shown words": {state.AlertQuery{Shown: true, Text: "brute"}, []string{"A-1"}},
	} {
		b.see(func(ctx context.Context, tx state.Tx) error {
			all := pages(b, 1, func(p state.Page) ([]honeyguide.Alert, string, error) {
				c.q.Page = p
				return tx.Alerts().List(ctx, c.q)
			})
			var got []string
			for _, a := range all {
				got = append(got, a.Short)
			}
			sortShorts(got)
			b.same(name, got, c.want)
			n, err := tx.Alerts().Counts(ctx, c.q)
			b.same(name+" counted", n[honeyguide.SeverityMedium], int64(len(c.want)))
			return err
		})
	}
	// Freed, it is an open alert again, or a conflict while there is another.
	b.up(func(ctx context.Context, tx state.Tx) error {
		a := list[0]
		a.Status, a.Suppression = honeyguide.AlertNew, ""
		b.code("second open one", tx.Alerts().Put(ctx, &a), honeyguide.CodeConflict)
		return nil
	})
}

// sortShorts puts the highest number first.
func sortShorts(list []string) {
	for i := range list {
		for j := i; j > 0 && list[j] > list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// incidentChanges: what was moved is remembered until it is undone, once.
func incidentChanges(b *bench) {
	one := honeyguide.IncidentChange{Kind: "merge", From: "i1", Into: "i2", By: "admin", Reason: "same story", Keys: []string{"attacker:203.0.113.7"}, Status: honeyguide.IncidentNew, Title: "was"}
	two := honeyguide.IncidentChange{Kind: "split", From: "i2", Into: "i3", By: "admin"}
	b.up(func(ctx context.Context, tx state.Tx) error {
		one.At, two.At = b.clock.now(), b.clock.step(time.Second)
		return errors.Join(tx.IncidentChanges().Add(ctx, &one, []string{"b", "a", "a"}), tx.IncidentChanges().Add(ctx, &two, nil))
	})
	if one.Short != "IC-1" || one.Alerts != 2 || two.Short != "IC-2" {
		b.Errorf("as stored: %+v %+v", one, two)
	}
	b.up(func(ctx context.Context, tx state.Tx) error {
		return tx.IncidentChanges().Undone(ctx, "ic-1", "admin", start.Add(time.Hour))
	})
	one.UndoneAt, one.UndoneBy = start.Add(time.Hour), "admin"
	carried := state.Carried{
		Timeline: []string{"e1"}, Plans: []string{"p1"}, Tasks: map[string]string{"T-2": "T-1"},
		Giver: state.Handling{Title: "was", Owner: "anna", Clock: honeyguide.Clock{TriagedAt: start, Reopened: 1}, Tasks: []honeyguide.Task{{ID: "T-1", Title: "look", CreatedAt: start}}},
	}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.IncidentChanges().Carry(ctx, one.ID, carried) })
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.IncidentChanges().Carry(b.Context(), "nobody", carried) })
	b.code("carried by none", err, honeyguide.CodeNotFound)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.IncidentChanges().Carried(ctx, one.ID)
		b.same("carried", got, carried)
		got, err2 := tx.IncidentChanges().Carried(ctx, two.ID)
		b.same("nothing carried", got, state.Carried{})
		return errors.Join(err, err2)
	})
	err = b.Update(b.Context(), func(tx state.Tx) error {
		return tx.IncidentChanges().Undone(b.Context(), one.ID, "admin", start)
	})
	b.code("undone twice", err, honeyguide.CodeConflict)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.IncidentChanges().Get(ctx, one.ID)
		b.same("get", got, one)
		moved, err2 := tx.IncidentChanges().Moved(ctx, one.ID)
		b.same("moved", moved, []string{"a", "b"})
		_, err3 := tx.IncidentChanges().Get(ctx, "IC-7")
		b.code("get of none", err3, honeyguide.CodeNotFound)
		for incident, want := range map[string][]honeyguide.IncidentChange{"": {two, one}, "i1": {one}, "i2": {two, one}, "i9": {}} {
			all := pages(b, 1, func(p state.Page) ([]honeyguide.IncidentChange, string, error) {
				return tx.IncidentChanges().List(ctx, state.ChangeQuery{Page: p, Incident: incident})
			})
			b.same("of "+incident, all, want)
		}
		return errors.Join(err, err2)
	})
}

// suppressionRetention: what ended long ago goes, with what it moved; what holds
// stays, however old it is.
func suppressionRetention(b *bench) {
	old := start.Add(-100 * 24 * time.Hour)
	ended, lifted, holds := suppression("ended", old.Add(time.Hour)), suppression("lifted", start.Add(time.Hour)), suppression("holds", start.Add(time.Hour))
	lifted.LiftedAt = old.Add(time.Minute)
	past, now := honeyguide.IncidentChange{Kind: "merge", From: "a", Into: "b", At: old}, honeyguide.IncidentChange{Kind: "merge", From: "c", Into: "d", At: start}
	b.up(func(ctx context.Context, tx state.Tx) error {
		var errs []error
		for _, s := range []*honeyguide.Suppression{&ended, &lifted, &holds} {
			s.CreatedAt = old
			errs = append(errs, tx.Suppressions().Save(ctx, s))
		}
		errs = append(errs, tx.IncidentChanges().Add(ctx, &past, []string{"x"}), tx.IncidentChanges().Add(ctx, &now, []string{"y"}))
		return errors.Join(errs...)
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		n, err := tx.Retention().Drop(ctx, start.Add(-24*time.Hour), 100)
		b.same("dropped", n, int64(3))
		return err
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		left, _, err := tx.Suppressions().List(ctx, state.SuppressionQuery{})
		b.same("suppressions left", left, []honeyguide.Suppression{holds})
		changes, _, err2 := tx.IncidentChanges().List(ctx, state.ChangeQuery{})
		b.same("changes left", changes, []honeyguide.IncidentChange{now})
		moved, err3 := tx.IncidentChanges().Moved(ctx, past.ID)
		b.same("what the dropped one moved", moved, []string{})
		return errors.Join(err, err2, err3)
	})
}
