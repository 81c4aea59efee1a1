package statetest

import (
	"context"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// tallies: after inserts, merges, verdicts, changes of status and retention the
// counts are those of counting the alerts one by one.
func tallies(b *bench) {
	at := func(n int) time.Time { return start.Add(time.Duration(n) * 20 * time.Minute) }
	var list []honeyguide.Alert
	for n := range 60 {
		a := alert(fmt.Sprint("k", n%40)) // a third of them merge
		a.Severity, a.RuleID = honeyguide.Severity(1+n%5), fmt.Sprint("rule", n%3)
		a.Src = addr(fmt.Sprintf("203.0.113.%d", n%7))
		a.Src.Country, a.Sensor = []string{"", "ZZ", "<b>"}[n%3], "ssh"
		a.Time, a.CreatedAt, a.LastAt = at(n).Add(-time.Duration(n)*time.Second), at(n), at(n)
		if n%10 == 0 {
			a.Attacks = append(a.Attacks, honeyguide.Technique{ID: "t1059"}, honeyguide.Technique{ID: "T1059"})
		}
		if n == 7 {
			a.Detector = "violation"
		}
		list = append(list, a)
	}
	b.saveAlerts(list...)
	b.pass("A-8", honeyguide.VerdictFalsePositive, "drill")
	b.up(func(ctx context.Context, tx state.Tx) error {
		for n, status := range []honeyguide.AlertStatus{honeyguide.AlertSuppressed, honeyguide.AlertClosed, honeyguide.AlertAcknowledged} {
			a, err := tx.Alerts().Get(ctx, fmt.Sprint("A-", 3+n))
			if err != nil {
				return err
			}
			if a.Status = status; n == 1 {
				a.Severity = honeyguide.SeverityCritical
			}
			if err := tx.Alerts().Put(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	b.sameTallies()
	b.up(func(ctx context.Context, tx state.Tx) error {
		b.code("counting alerts by hand", tx.Tallies().Add(ctx, state.TallyAlert, start, "", 1, 1), honeyguide.CodeInvalid)
		for range 3 {
			if err := tx.Tallies().Add(ctx, state.TallyEvent, start, "NL", honeyguide.SeverityLow, 5); err != nil {
				return err
			}
		}
		return nil
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		var got []state.Tally
		err := tx.Tallies().Read(ctx, state.TallyQuery{Kind: state.TallyEvent, Step: state.TallyDay, From: start.Add(-24 * time.Hour), To: start.Add(time.Hour)}, func(x state.Tally) error {
			got = append(got, x)
			return nil
		})
		b.same("events", got, []state.Tally{{At: start.Truncate(24 * time.Hour), Name: "NL", By: state.BySeverity{honeyguide.SeverityLow: 15}}})
		return err
	})
	b.clock.step(200 * 24 * time.Hour)
	b.up(func(ctx context.Context, tx state.Tx) error {
		_, err := tx.Retention().Drop(ctx, at(30), 1000)
		return err
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		open, err := tx.Tallies().Open(ctx)
		n, e := tx.Alerts().Counts(ctx, state.AlertQuery{Status: []honeyguide.AlertStatus{honeyguide.AlertNew}})
		for s, want := range n {
			if got := open[honeyguide.AlertNew][s]; got != want {
				b.Errorf("after retention %d new alerts of %s are counted, there are %d", got, s, want)
			}
		}
		if e != nil {
			return e
		}
		return err
	})
}

// sameTallies compares what is counted with what is there.
func (b *bench) sameTallies() {
	b.Helper()
	type sum map[string]int64
	want := map[state.TallyKind]sum{}
	add := func(kind state.TallyKind, name string, n int64) {
		if want[kind] == nil {
			want[kind] = sum{}
		}
		want[kind][name] += n
	}
	openNow := map[honeyguide.AlertStatus]state.BySeverity{}
	b.see(func(ctx context.Context, tx state.Tx) error {
		all, _, err := tx.Alerts().List(ctx, state.AlertQuery{Page: state.Page{Limit: state.MaxLimit}})
		if err != nil {
			return err
		}
		for i := range all {
			a := &all[i]
			now := openNow[a.Status]
			now[a.Severity]++
			openNow[a.Status] = now
			if a.Status == honeyguide.AlertSuppressed {
				continue
			}
			add(state.TallyAlert, "", 1)
			add(state.TallyRule, a.RuleID, 1)
			add(state.TallySource, state.Addr(a.Src), 1)
			add(state.TallySensor, a.Sensor, 1)
			add(state.TallyCountry, a.Src.Country, 1)
			ids := map[string]bool{}
			for _, x := range a.Attacks {
				id := map[string]string{"t1059": "T1059"}[x.ID]
				if id == "" {
					id = x.ID
				}
				if !ids[id] {
					add(state.TallyTechnique, id, 1)
					add(state.TallyTechnique, id+" events", a.Count)
				}
				ids[id] = true
			}
			d, _ := state.Delay(a)
			add(state.TallyDetect, state.TallyBucket(d), 1)
			add(state.TallyDetect, state.TallyBucket(d)+" events", d.Milliseconds())
			if what := state.Never(a); what != "" {
				add(state.TallyNever, what, 1)
			}
		}
		open, err := tx.Tallies().Open(ctx)
		for status, by := range open {
			if by == (state.BySeverity{}) {
				delete(open, status)
			}
		}
		b.same("open alerts", open, openNow)
		if err != nil {
			return err
		}
		for kind, names := range want {
			for _, step := range []time.Duration{state.TallyHour, state.TallyDay} {
				got := sum{}
				q := state.TallyQuery{Kind: kind, Step: step, From: start.Add(-48 * time.Hour), To: start.Add(48 * time.Hour)}
				err := tx.Tallies().Read(ctx, q, func(x state.Tally) error {
					got[x.Name] += x.By.Total()
					if x.Weight != 0 {
						got[x.Name+" events"] += x.Weight
					}
					if x.At.Unix()%int64(step/time.Second) != 0 {
						b.Errorf("%s: a step begins at %s", kind, x.At)
					}
					return nil
				})
				if err != nil {
					return err
				}
				for name, n := range names {
					if n == 0 {
						delete(names, name)
					}
				}
				b.same(fmt.Sprintf("%s by %s", kind, step), got, names)
			}
		}
		return nil
	})
}

// clocks: an incident is waited for until somebody answered; how long that took
// is counted once.
func clocks(b *bench) {
	i := honeyguide.Incident{Key: "attacker:1", Title: "one", Severity: honeyguide.SeverityHigh, CreatedAt: start, DueAt: start.Add(time.Hour)}
	other := honeyguide.Incident{Key: "attacker:2", Title: "two", Severity: honeyguide.SeverityHigh, CreatedAt: start, DueAt: start.Add(2 * time.Hour)}
	save := func(list ...*honeyguide.Incident) {
		b.up(func(ctx context.Context, tx state.Tx) error {
			for _, i := range list {
				if _, err := tx.Incidents().Save(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	save(&i, &other)
	look := func(after time.Duration, want state.Clocks, first string) {
		b.Helper()
		b.see(func(ctx context.Context, tx state.Tx) error {
			got, err := tx.Tallies().Clocks(ctx, start.Add(after))
			b.same(fmt.Sprint("clocks after ", after), got, want)
			if err != nil {
				return err
			}
			due, err := tx.Tallies().Due(ctx, 1)
			if len(due) != 1 || due[0].Short != first {
				b.Errorf("due first: %+v, want %s", due, first)
			}
			return err
		})
	}
	look(time.Minute, state.Clocks{Waiting: 2}, "I-1")
	look(50*time.Minute, state.Clocks{Waiting: 2, AtRisk: 1}, "I-1")
	look(61*time.Minute, state.Clocks{Waiting: 2, Missed: 1}, "I-1")
	i.Clock.ContainedAt = start.Add(10 * time.Minute)
	save(&i)
	i.Clock.QualifiedAt = start.Add(20 * time.Minute)
	save(&i)
	look(3*time.Hour, state.Clocks{Waiting: 1, Missed: 1}, "I-2")
	b.see(func(ctx context.Context, tx state.Tx) error {
		n := 0
		err := tx.Tallies().Read(ctx, state.TallyQuery{Kind: state.TallyRespond, Step: state.TallyDay, From: start.Add(-24 * time.Hour), To: start.Add(24 * time.Hour)}, func(x state.Tally) error {
			n++
			d := state.TallyDuration(x.Name)
			if x.By.Total() != 1 || x.Weight != 600_000 || d < 9*time.Minute+40*time.Second || d > 10*time.Minute+20*time.Second {
				b.Errorf("counted %+v as %s", x, d)
			}
			return nil
		})
		if n != 1 {
			b.Errorf("%d answers, want one", n)
		}
		return err
	})
}

// views: people see their own views and shared ones; preferences are written over
// what was read only.
func views(b *bench) {
	hostile := "<img src=x onerror=alert(1)>\u202e\x1b]0;x\a\xff"
	mine := state.View{Name: hostile, Room: "alerts", Query: "rule:x", Owner: "eve", OwnerName: "Eve"}
	theirs := state.View{Name: "b", Room: "alerts", Owner: "bob", Shared: true}
	private := state.View{Name: "c", Room: "hunt", Owner: "bob"}
	b.up(func(ctx context.Context, tx state.Tx) error {
		for _, v := range []*state.View{&mine, &theirs, &private} {
			if err := tx.Views().Save(ctx, v); err != nil {
				return err
			}
		}
		again := mine
		again.Owner, again.Name = "mallory", "renamed"
		if err := tx.Views().Save(ctx, &again); err != nil {
			return err
		}
		if again.Owner != "eve" || again.Edition != 2 || !again.CreatedAt.Equal(mine.CreatedAt) {
			b.Errorf("saved again: %+v", again)
		}
		return nil
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		got := pages(b, 1, func(p state.Page) ([]state.View, string, error) {
			return tx.Views().List(ctx, state.ViewQuery{Page: p, Owner: "eve"})
		})
		names := ""
		for _, v := range got {
			names += v.Name + " "
		}
		if names != "b renamed " && names != "renamed b " {
			b.Errorf("eve sees %q", names)
		}
		_, err := tx.Views().Get(ctx, "nothing")
		b.code("a view that is not there", err, honeyguide.CodeNotFound)
		return nil
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		b.code("remove", tx.Views().Remove(ctx, theirs.ID), "")
		b.code("remove again", tx.Views().Remove(ctx, theirs.ID), honeyguide.CodeNotFound)
		e, err := tx.Preferences().Put(ctx, "eve", []byte(`{"theme":"dark"}`), 0)
		if err != nil || e != 1 {
			b.Errorf("first preferences: edition %d, %v", e, err)
		}
		_, err = tx.Preferences().Put(ctx, "eve", []byte(`{}`), 0)
		b.code("over another edition", err, honeyguide.CodeConflict)
		_, err = tx.Preferences().Put(ctx, "eve", make([]byte, state.MaxPreferences+1), -1)
		b.code("too large", err, honeyguide.CodeInvalid)
		for n := range state.MaxNotes + 3 {
			if err := tx.Notes().Add(ctx, &state.Note{Attacker: "attacker:1", By: "eve", Text: fmt.Sprint(hostile, n), At: start.Add(time.Duration(n) * time.Second)}); err != nil {
				return err
			}
		}
		list, err := tx.Notes().Of(ctx, "attacker:1")
		if len(list) != state.MaxNotes || list[0].At.Before(list[1].At) {
			b.Errorf("%d notes are kept", len(list))
		}
		return err
	})
	for range 3 { // as many as one person may have
		b.up(func(ctx context.Context, tx state.Tx) error {
			for range state.MaxViews / 2 {
				v := state.View{Name: "x", Room: "alerts", Owner: "max"}
				if err := tx.Views().Save(ctx, &v); err != nil {
					b.code("one too many", err, honeyguide.CodeConflict)
					return nil
				}
			}
			return nil
		})
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		got := pages(b, 100, func(p state.Page) ([]state.View, string, error) {
			return tx.Views().List(ctx, state.ViewQuery{Page: p, Owner: "max"})
		})
		if len(got) != state.MaxViews {
			b.Errorf("%d views of one person", len(got))
		}
		return nil
	})
}
