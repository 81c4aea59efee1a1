package statetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// holds: a hold is kept, found, released, ends by itself, and is bounded.
func holds(b *bench) {
	h := honeyguide.Hold{Object: "attacker:203.0.113.7", Reason: "the prosecutor asks\x00", By: "anna"}
	until := honeyguide.Hold{Object: "session:s1", Reason: "for a week", By: "ben", Until: start.Add(time.Hour)}
	for name, bad := range map[string]honeyguide.Hold{"no object": {Reason: "x"}, "no reason": {Object: "session:s1"}} {
		b.code(name, b.Update(b.Context(), func(tx state.Tx) error { return tx.Holds().Save(b.Context(), &bad) }), honeyguide.CodeInvalid)
	}
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(tx.Holds().Save(ctx, &h), tx.Holds().Save(ctx, &until))
	})
	b.same("names", []string{h.Short, until.Short, h.Reason}, []string{"H-1", "H-2", "the prosecutor asks\uFFFD"})
	b.listsHolds(true, until, h)
	changed := h
	changed.Object, changed.By, changed.Released, changed.ReleasedBy = "session:other", "mallory", state.Time(start.Add(time.Minute)), "carol"
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Holds().Save(ctx, &changed) })
	b.same("what it is about stays", []string{changed.Object, changed.By}, []string{h.Object, "anna"})
	b.listsHolds(true, until)
	b.listsHolds(false, until, changed)
	b.clock.step(2 * time.Hour)
	b.listsHolds(true)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Holds().Get(ctx, "h-1")
		b.same("get", got, changed)
		_, none := tx.Holds().Get(ctx, "H-77")
		b.code("nobody", none, honeyguide.CodeNotFound)
		return err
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i := range state.MaxHolds {
			if err := tx.Holds().Save(ctx, &honeyguide.Hold{Object: fmt.Sprint("session:", i), Reason: "many"}); err != nil {
				return err
			}
		}
		return nil
	})
	err := b.Update(b.Context(), func(tx state.Tx) error {
		return tx.Holds().Save(b.Context(), &honeyguide.Hold{Object: "session:more", Reason: "many"})
	})
	b.code("one more than there may be", err, honeyguide.CodeConflict)
}

func (b *bench) listsHolds(active bool, want ...honeyguide.Hold) {
	b.Helper()
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Holds().List(ctx, active)
		b.same(fmt.Sprint("holds, active ", active), got, append([]honeyguide.Hold{}, want...))
		return err
	})
}

// heldRows are two of everything: one below what is held, one beside it.
func (b *bench) heldRows(at time.Time) (in, joined honeyguide.Incident) {
	b.up(func(ctx context.Context, tx state.Tx) error {
		in, joined = incident("held"), incident("taker")
		in.Sessions, in.Attackers = []string{"s-incident"}, []string{"203.0.113.50"}
		joined.Sessions, joined.Attackers = []string{}, []string{}
		for _, i := range []*honeyguide.Incident{&joined, &in} {
			i.Status, i.CreatedAt, i.UpdatedAt, i.FirstAt, i.LastAt = honeyguide.IncidentClosed, at, at, at, at
			if i == &in {
				i.LastAt = at.AddDate(0, 0, 2)
			}
			if i == &in {
				i.Joined = joined.ID
			}
			if _, err := tx.Incidents().Save(ctx, i); err != nil {
				return err
			}
		}
		for name, src := range map[string]string{"s-incident": "203.0.113.50", "s-alert": "203.0.113.51", "s-own": "203.0.113.52", "s-attacker": "203.0.113.7", "s-free": "203.0.113.99"} {
			s := session(name)
			s.Src, s.StartedAt, s.LastAt, s.EndedAt = addr(src), at, at, at
			if err := tx.Sessions().Save(ctx, &s); err != nil {
				return err
			}
			a := alert(name)
			a.ID, a.Session, a.Src, a.Time, a.LastAt, a.CreatedAt = "a-"+name, name, addr(src), at, at, at
			a.Attacker, a.Observed = src, nil
			if name == "s-alert" {
				a.Incident = joined.ID
			}
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
			sum := fmt.Sprintf("%064x", len(name)*1000+int(name[2]))
			if err := tx.Samples().Sight(ctx, honeyguide.Sample{ID: sum}, honeyguide.Sighting{EventID: name, Session: name, Time: at, Src: addr(src)}); err != nil {
				return err
			}
		}
		return tx.Timeline().Add(ctx, &honeyguide.TimelineEntry{Incident: "gone", Kind: honeyguide.EntryComment, At: at, Text: "free"})
	})
	return in, joined
}

// heldBack: retention takes what is old, and nothing of what is held; when the
// holds are released it takes the rest.
func heldBack(b *bench) {
	old := start.Add(-100 * 24 * time.Hour)
	in, joined := b.heldRows(old)
	var all []honeyguide.Hold
	b.up(func(ctx context.Context, tx state.Tx) error {
		for _, object := range []string{"incident:" + in.Short, "session:s-own", "attacker:203.0.113.7"} {
			h := honeyguide.Hold{Object: object, Reason: "court"}
			if err := tx.Holds().Save(ctx, &h); err != nil {
				return err
			}
			all = append(all, h)
		}
		return nil
	})
	b.heldBy(in, joined, all)
	b.dropAll()
	b.leaves([]string{"s-alert", "s-attacker", "s-incident", "s-own"}, 2, 4, 4)
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i := range all {
			all[i].Released = start
			if err := tx.Holds().Save(ctx, &all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	b.dropAll()
	b.leaves([]string{}, 0, 0, 0)
}

// heldBy checks what each object is kept by.
func (b *bench) heldBy(in, joined honeyguide.Incident, all []honeyguide.Hold) {
	b.Helper()
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, c := range []struct {
			kind state.HeldKind
			name string
			want string
		}{
			{state.HeldIncident, in.ID, "H-1"},
			{state.HeldIncident, joined.ID, "H-1"},
			{state.HeldIncident, "other", ""},
			{state.HeldSession, "s-incident", "H-1"},
			{state.HeldSession, "s-alert", "H-1"},
			{state.HeldSession, "s-own", "H-2"},
			{state.HeldSession, "s-attacker", "H-3"},
			{state.HeldSession, "s-free", ""},
			{state.HeldAlert, "a-s-own", "H-2"},
			{state.HeldAlert, "a-s-alert", "H-1"},
			{state.HeldAlert, "a-s-free", ""},
			{state.HeldSample, fmt.Sprintf("%064x", 5000+'o'), "H-2"},
			{state.HeldSample, fmt.Sprintf("%064x", 6000+'f'), ""},
			{state.HeldAddress, "203.0.113.7", "H-3"},
			{state.HeldAddress, "203.0.113.50", "H-1"},
			{state.HeldAddress, "203.0.113.52", "H-2"},
			{state.HeldAddress, "203.0.113.99", ""},
		} {
			h, held, err := tx.Holds().On(ctx, c.kind, c.name)
			if err != nil {
				return err
			}
			if h.Short != c.want || held != (c.want != "") {
				b.Errorf("%s %s is held by %q (%v), want %q", c.kind, c.name, h.Short, held, c.want)
			}
		}
		days, err := tx.Holds().Days(ctx)
		var want []string
		for n := range 3 { // those of the incident, from its first event to its last
			want = append(want, start.AddDate(0, 0, n-100).Format(time.DateOnly))
		}
		b.same("days", slices.Sorted(maps.Keys(days)), want)
		return err
	})
	b.same("holds", len(all), 3)
}

func (b *bench) dropAll() {
	b.Helper()
	for range 100 {
		var n int64
		b.up(func(ctx context.Context, tx state.Tx) (err error) {
			n, err = tx.Retention().Drop(ctx, start.Add(-24*time.Hour), 2)
			return err
		})
		if n == 0 {
			return
		}
	}
	b.Error("retention does not end")
}

// leaves checks what is left.
func (b *bench) leaves(sessions []string, incidents, alerts, samples int) {
	b.Helper()
	b.see(func(ctx context.Context, tx state.Tx) error {
		se, _, e1 := tx.Sessions().List(ctx, state.SessionQuery{})
		in, _, e2 := tx.Incidents().List(ctx, state.IncidentQuery{})
		al, _, e3 := tx.Alerts().List(ctx, state.AlertQuery{})
		sa, _, e4 := tx.Samples().List(ctx, state.SampleQuery{})
		got := []string{}
		for _, s := range se {
			got = append(got, s.ID)
		}
		slices.Sort(got)
		b.same("sessions left", got, sessions)
		b.same("incidents, alerts, samples left", []int{len(in), len(al), len(sa)}, []int{incidents, alerts, samples})
		return errors.Join(e1, e2, e3, e4)
	})
}

// custody: steps are numbered and chained for each incident.
func custody(b *bench) {
	var all []honeyguide.CustodyStep
	b.up(func(ctx context.Context, tx state.Tx) error {
		for _, act := range []string{honeyguide.CustodyCollected, honeyguide.CustodyExported} {
			s := honeyguide.CustodyStep{Incident: "I-1", Act: act, By: "anna", Kind: "user", Reason: "court \xff", N: 99, Prev: "x", Hash: "y"}
			if err := tx.Custody().Add(ctx, &s); err != nil {
				return err
			}
			all = append(all, s)
		}
		return tx.Custody().Add(ctx, &honeyguide.CustodyStep{Incident: "I-2", Act: honeyguide.CustodyViewed})
	})
	b.code("no incident", b.Update(b.Context(), func(tx state.Tx) error {
		return tx.Custody().Add(b.Context(), &honeyguide.CustodyStep{Act: "viewed"})
	}), honeyguide.CodeInvalid)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Custody().List(ctx, "I-1", 0)
		b.same("chain", got, all)
		tail, err2 := tx.Custody().List(ctx, "I-1", 1)
		b.same("tail", tail, all[1:])
		return errors.Join(err, err2)
	})
	prev := ""
	for i, s := range all {
		if s.N != int64(i+1) || s.Prev != prev || s.Hash != s.Sum() || s.Hash == "" {
			b.Errorf("step %d is not linked: %+v", i, s)
		}
		prev = s.Hash
	}
}

// bundles are found by all their names, and listed.
func bundles(b *bench) {
	one := honeyguide.Bundle{ID: "one", Manifest: fmt.Sprintf("%064x", 1<<30), Incident: "I-1", State: honeyguide.BundleCollecting, Recipients: []string{}}
	two := honeyguide.Bundle{ID: "two", Manifest: fmt.Sprintf("%064x", 2), Incident: "I-2", Imported: true, State: honeyguide.BundleReady, Recipients: []string{"age1x"}}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Bundles().Save(ctx, &one) })
	b.clock.step(time.Minute)
	b.up(func(ctx context.Context, tx state.Tx) error {
		one.State = honeyguide.BundleReady
		return errors.Join(tx.Bundles().Save(ctx, &two), tx.Bundles().Save(ctx, &one))
	})
	b.code("no id", b.Update(b.Context(), func(tx state.Tx) error { return tx.Bundles().Save(b.Context(), &honeyguide.Bundle{}) }), honeyguide.CodeInvalid)
	b.code("the same twice", b.Update(b.Context(), func(tx state.Tx) error {
		return tx.Bundles().Save(b.Context(), &honeyguide.Bundle{ID: "three", Manifest: one.Manifest})
	}), honeyguide.CodeConflict)
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, name := range []string{one.ID, "e-1", one.Manifest[:60]} {
			got, err := tx.Bundles().Get(ctx, name)
			b.same("get "+name, got, one)
			if err != nil {
				return err
			}
		}
		_, none := tx.Bundles().Get(ctx, one.Manifest[:10]) // both begin so
		b.code("ambiguous", none, honeyguide.CodeNotFound)
		all := pages(b, 1, func(p state.Page) ([]honeyguide.Bundle, string, error) {
			return tx.Bundles().List(ctx, state.BundleQuery{Page: p})
		})
		b.same("all", all, []honeyguide.Bundle{two, one})
		of, _, err := tx.Bundles().List(ctx, state.BundleQuery{Incident: "I-1"})
		b.same("of an incident", of, []honeyguide.Bundle{one})
		came, _, err2 := tx.Bundles().List(ctx, state.BundleQuery{Imported: true})
		b.same("imported", came, []honeyguide.Bundle{two})
		return errors.Join(err, err2)
	})
}
