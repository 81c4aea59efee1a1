package statetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func incident(key string) honeyguide.Incident {
	return honeyguide.Incident{
		Key: key, Title: "Attack of " + key, Severity: honeyguide.SeverityHigh, Phase: honeyguide.PhaseNew, Score: 60,
		FirstAt: start, LastAt: start, DueAt: start.Add(time.Hour), Attackers: []string{"203.0.113.7"}, Sessions: []string{"s1"},
		Attacks: []honeyguide.Technique{{ID: "T1110", Why: "x"}}, AlertCount: 1, EventCount: 3,
		Plans: []honeyguide.Plan{{ID: "p", Action: "block_ip", Target: "203.0.113.7", State: honeyguide.PlanPlanned}},
	}
}

func (b *bench) saveIncident(i honeyguide.Incident) (honeyguide.Incident, bool) {
	b.Helper()
	var created bool
	b.up(func(ctx context.Context, tx state.Tx) (err error) {
		created, err = tx.Incidents().Save(ctx, &i)
		return err
	})
	return i, created
}

// incidents: one open incident per key; the full value is written over it.
func incidents(b *bench) {
	i, created := b.saveIncident(incident("attacker:203.0.113.7"))
	if !created || i.Short != "I-1" || i.ID == "" || i.Status != honeyguide.IncidentNew || !i.CreatedAt.Equal(start) || !i.UpdatedAt.Equal(start) {
		b.Errorf("stored as %+v", i)
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, id := range []string{i.ID, "I-1", "i-1"} {
			got, err := tx.Incidents().Get(ctx, id)
			b.code("get "+id, err, "")
			b.same("get "+id, got, i)
		}
		got, err := tx.Incidents().OpenByKey(ctx, i.Key)
		b.same("by key", got, i)
		_, err2 := tx.Incidents().Get(ctx, "I-2")
		b.code("get what is not there", err2, honeyguide.CodeNotFound)
		_, err2 = tx.Incidents().OpenByKey(ctx, "attacker:other")
		b.code("key of nobody", err2, honeyguide.CodeNotFound)
		return err
	})
	// The same key again: the full value, under the old names.
	b.clock.step(time.Minute)
	full := incident(i.Key)
	full.Title, full.AlertCount, full.Attackers, full.CreatedAt = "Wider attack", 9, []string{"198.51.100.9"}, start.Add(time.Hour)
	full.Status = honeyguide.IncidentInProgress
	want := full
	want.Plans = []honeyguide.Plan{} // they stand by themselves
	want.ID, want.Short, want.CreatedAt, want.UpdatedAt = i.ID, i.Short, i.CreatedAt, b.clock.now()
	got, created := b.saveIncident(full)
	b.same("created", created, false)
	b.same("merged", got, want)
	b.see(func(ctx context.Context, tx state.Tx) error {
		for a, n := range map[string]int{"198.51.100.9": 1, "203.0.113.7": 0} {
			list, _, err := tx.Incidents().List(ctx, state.IncidentQuery{Attacker: a})
			if err != nil || len(list) != n {
				b.Errorf("attacker %s: %d incidents, %v", a, len(list), err)
			}
		}
		list, _, err := tx.Incidents().List(ctx, state.IncidentQuery{Text: "wider"})
		b.same("by its words", list, []honeyguide.Incident{want})
		return err
	})
	// Closed, the key is free again.
	got.Status = honeyguide.IncidentClosed
	closed, _ := b.saveIncident(got)
	second, created := b.saveIncident(incident(i.Key))
	if !created || second.Short != "I-2" || second.ID == i.ID {
		b.Errorf("after closing: %s, created %v", second.Short, created)
	}
	// An edit of the closed one finds it by its ID; reopening it would make two.
	closed.Title = "Edited"
	if e, _ := b.saveIncident(closed); e.ID != i.ID || e.Title != "Edited" {
		b.Errorf("the edit went to %s", e.Short)
	}
	closed.Status = honeyguide.IncidentInProgress
	err := b.Update(b.Context(), func(tx state.Tx) error { _, err := tx.Incidents().Save(b.Context(), &closed); return err })
	b.code("reopen beside an open one", err, honeyguide.CodeConflict)
	second.Status = honeyguide.IncidentResolved
	b.saveIncident(second)
	if r, created := b.saveIncident(closed); created || r.ID != i.ID || r.Status != honeyguide.IncidentInProgress {
		b.Errorf("reopened as %s %s", r.Short, r.Status)
	}
	err = b.Update(b.Context(), func(tx state.Tx) error {
		_, err := tx.Incidents().Save(b.Context(), &honeyguide.Incident{Title: "x"})
		return err
	})
	b.code("no key", err, honeyguide.CodeInvalid)
	big := incident("big")
	for n := range 3 * state.MaxMembers {
		big.Sessions = append(big.Sessions, fmt.Sprint("s", n))
	}
	big, _ = b.saveIncident(big)
	if len(big.Sessions) != state.MaxMembers || big.Sessions[state.MaxMembers-1] != fmt.Sprint("s", 3*state.MaxMembers-1) {
		b.Errorf("%d sessions kept, last %s", len(big.Sessions), big.Sessions[len(big.Sessions)-1])
	}
}

func incidentList(b *bench) {
	statuses := []honeyguide.IncidentStatus{
		honeyguide.IncidentNew, honeyguide.IncidentInProgress, honeyguide.IncidentOnHold, honeyguide.IncidentResolved, honeyguide.IncidentClosed,
	}
	var all []honeyguide.Incident
	for n := range 60 {
		i := incident(fmt.Sprint("key", n))
		i.Severity, i.Status = honeyguide.Severity(n%6), statuses[n%5]
		i.Attackers = []string{fmt.Sprintf("203.0.113.%d", n%4), "shared"}
		i.CreatedAt = start.Add(time.Duration(n/2) * time.Second)
		i, _ = b.saveIncident(i)
		all = append(all, i)
	}
	slices.SortFunc(all, func(x, y honeyguide.Incident) int { return cmpDesc(x.CreatedAt, y.CreatedAt, x.ID, y.ID) })
	for name, c := range map[string]struct {
		q    state.IncidentQuery
		want func(i *honeyguide.Incident) bool
	}{
		"all":      {state.IncidentQuery{}, func(*honeyguide.Incident) bool { return true }},
		"severity": {state.IncidentQuery{Severity: honeyguide.SeverityHigh}, func(i *honeyguide.Incident) bool { return i.Severity >= honeyguide.SeverityHigh }},
		"status":   {state.IncidentQuery{Status: statuses[:3]}, func(i *honeyguide.Incident) bool { return state.OpenIncident(i.Status) }},
		"attacker": {state.IncidentQuery{Attacker: "203.0.113.2"}, func(i *honeyguide.Incident) bool { return i.Attackers[0] == "203.0.113.2" }},
		"shared":   {state.IncidentQuery{Attacker: "shared"}, func(*honeyguide.Incident) bool { return true }},
		"words":    {state.IncidentQuery{Text: "attack 203.0.113.1"}, func(i *honeyguide.Incident) bool { return i.Attackers[0] == "203.0.113.1" }},
		"key":      {state.IncidentQuery{Text: "key31"}, func(i *honeyguide.Incident) bool { return i.Key == "key31" }},
		"time": {state.IncidentQuery{From: start.Add(5 * time.Second), To: start.Add(9 * time.Second)}, func(i *honeyguide.Incident) bool {
			return !i.CreatedAt.Before(start.Add(5*time.Second)) && i.CreatedAt.Before(start.Add(9*time.Second))
		}},
	} {
		want := []honeyguide.Incident{}
		for _, i := range all {
			if c.want(&i) {
				want = append(want, i)
			}
		}
		b.see(func(ctx context.Context, tx state.Tx) error {
			got := pages(b, 7, func(p state.Page) ([]honeyguide.Incident, string, error) {
				q := c.q
				q.Page = p
				return tx.Incidents().List(ctx, q)
			})
			b.same(name, got, want)
			return nil
		})
	}
}

func session(id string) honeyguide.Session {
	return honeyguide.Session{
		ID: id, Sensor: "ssh", Service: "ssh", Src: addr("203.0.113.7"), Dst: addr("192.0.2.1"), StartedAt: start, LastAt: start,
		Client: "SSH-2.0-Go", Events: 2, Logins: 1, Severity: honeyguide.SeverityLow,
	}
}

// sessions: the full value under its ID.
func sessions(b *bench) {
	s := session("s1")
	save := func() {
		b.Helper()
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Sessions().Save(ctx, &s) })
		b.see(func(ctx context.Context, tx state.Tx) error {
			got, err := tx.Sessions().Get(ctx, s.ID)
			b.same("stored", got, s)
			return err
		})
	}
	found := func(q state.SessionQuery) bool {
		b.Helper()
		var n int
		b.see(func(ctx context.Context, tx state.Tx) error {
			list, _, err := tx.Sessions().List(ctx, q)
			n = len(list)
			return err
		})
		return n == 1
	}
	save()
	save()
	if !found(state.SessionQuery{Open: true}) || found(state.SessionQuery{Recorded: true}) || found(state.SessionQuery{User: "root"}) {
		b.Error("a fresh session is listed wrongly")
	}
	s.User, s.Recording, s.EndedAt, s.Commands, s.Tokens = "root", "s1.cast", start.Add(time.Minute), 5, []string{"tok"}
	s.Client = "SSH-2.0-PUTTY"
	save()
	if found(state.SessionQuery{Open: true}) || !found(state.SessionQuery{Recorded: true}) || !found(state.SessionQuery{User: "root"}) {
		b.Error("an ended session is listed wrongly")
	}
	if !found(state.SessionQuery{Text: "putty root"}) || found(state.SessionQuery{Text: "SSH-2.0-Go"}) {
		b.Error("the words of a session did not follow")
	}
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Sessions().Save(b.Context(), &honeyguide.Session{}) })
	b.code("no id", err, honeyguide.CodeInvalid)
	err = b.View(b.Context(), func(tx state.Tx) error { _, err := tx.Sessions().Get(b.Context(), "nobody"); return err })
	b.code("get what is not there", err, honeyguide.CodeNotFound)
}

func sessionList(b *bench) {
	var all []honeyguide.Session
	b.up(func(ctx context.Context, tx state.Tx) error {
		for n := range 100 {
			s := session(fmt.Sprintf("s%03d", n))
			s.Service, s.Sensor = []string{"ssh", "http", "telnet"}[n%3], fmt.Sprint("sensor", n%4)
			s.Src = addr(fmt.Sprintf("2001:db8::%d", n%5))
			s.StartedAt = start.Add(time.Duration(n/4) * time.Second)
			s.Severity = honeyguide.Severity(n % 6)
			if n%2 == 0 {
				s.User, s.EndedAt = []string{"root", "admin"}[n/2%2], start.Add(time.Hour)
			}
			if n%6 == 0 {
				s.Recording = s.ID + ".cast"
			}
			if err := tx.Sessions().Save(ctx, &s); err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	})
	slices.SortFunc(all, func(x, y honeyguide.Session) int { return cmpDesc(x.StartedAt, y.StartedAt, x.ID, y.ID) })
	for name, c := range map[string]struct {
		q    state.SessionQuery
		want func(s *honeyguide.Session) bool
	}{
		"all":      {state.SessionQuery{}, func(*honeyguide.Session) bool { return true }},
		"service":  {state.SessionQuery{Service: "http"}, func(s *honeyguide.Session) bool { return s.Service == "http" }},
		"sensor":   {state.SessionQuery{Sensor: "sensor2"}, func(s *honeyguide.Session) bool { return s.Sensor == "sensor2" }},
		"source":   {state.SessionQuery{Src: "2001:0db8:0::2"}, func(s *honeyguide.Session) bool { return state.Addr(s.Src) == "2001:db8::2" }},
		"user":     {state.SessionQuery{User: "admin"}, func(s *honeyguide.Session) bool { return s.User == "admin" }},
		"recorded": {state.SessionQuery{Recorded: true}, func(s *honeyguide.Session) bool { return s.Recording != "" }},
		"open":     {state.SessionQuery{Open: true}, func(s *honeyguide.Session) bool { return s.EndedAt.IsZero() }},
		"severity": {state.SessionQuery{Severity: honeyguide.SeverityCritical}, func(s *honeyguide.Session) bool { return s.Severity == honeyguide.SeverityCritical }},
		"words":    {state.SessionQuery{Text: "admin ssh"}, func(s *honeyguide.Session) bool { return s.User == "admin" }},
		"time": {state.SessionQuery{From: start.Add(3 * time.Second), To: start.Add(9 * time.Second)}, func(s *honeyguide.Session) bool {
			return !s.StartedAt.Before(start.Add(3*time.Second)) && s.StartedAt.Before(start.Add(9*time.Second))
		}},
		"together": {state.SessionQuery{Service: "ssh", User: "root", Recorded: true, Text: "root"}, func(s *honeyguide.Session) bool {
			return s.Service == "ssh" && s.User == "root" && s.Recording != ""
		}},
	} {
		want := []honeyguide.Session{}
		for _, s := range all {
			if c.want(&s) {
				want = append(want, s)
			}
		}
		b.see(func(ctx context.Context, tx state.Tx) error {
			got := pages(b, 7, func(p state.Page) ([]honeyguide.Session, string, error) {
				q := c.q
				q.Page = p
				return tx.Sessions().List(ctx, q)
			})
			b.same(name, got, want)
			return nil
		})
	}
}

// tokens: planting again loses nothing; numbers are short ids.
func tokens(b *bench) {
	h := honeyguide.Honeytoken{ID: "tok1", Kind: "aws_key", Style: "provable", Path: "/root/.aws/credentials", Fingerprint: "abc", Last4: "WXYZ"}
	save := func() {
		b.Helper()
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Tokens().Save(ctx, &h) })
	}
	save()
	if h.Short != "HT-1" || !h.CreatedAt.Equal(start) {
		b.Errorf("stored as %s %v", h.Short, h.CreatedAt)
	}
	at := start.Add(time.Minute + 789*time.Nanosecond)
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(
			tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "tok1", EventID: "e1", Time: at, By: "cat credentials"}),
			tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "tok1", EventID: "e1", Time: at}),
			tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "tok1", EventID: "e2", Time: start}),
			tx.Tokens().Use(ctx, "tok1", "e3", at),
			tx.Tokens().Use(ctx, "tok1", "e3", at.Add(time.Hour)),
		)
	})
	b.clock.step(time.Hour)
	h = honeyguide.Honeytoken{ID: "tok1", Kind: "aws_key", Path: "/new/place"}
	save() // planted again at the next start
	want := honeyguide.Honeytoken{
		ID: "tok1", Short: "HT-1", Kind: "aws_key", Path: "/new/place", CreatedAt: start,
		Exposures: 2, Uses: 1, ExposedAt: start.Add(time.Minute), UsedAt: start.Add(time.Minute),
	}
	b.same("planted again", h, want)
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, id := range []string{"tok1", "HT-1", "ht-1"} {
			got, err := tx.Tokens().Get(ctx, id)
			b.code("get "+id, err, "")
			b.same("get "+id, got, want)
		}
		uses, err := tx.Tokens().Uses(ctx, "tok1", start)
		b.code("uses", err, "")
		b.same("uses", uses, []state.TokenUse{{Token: "tok1", EventID: "e3", At: start.Add(time.Minute)}})
		uses, err = tx.Tokens().Uses(ctx, "tok1", start.Add(2*time.Minute))
		b.code("uses", err, "")
		b.same("later uses", uses, []state.TokenUse{})
		_, err = tx.Tokens().Get(ctx, "HT-2")
		b.code("get what is not there", err, honeyguide.CodeNotFound)
		return nil
	})
	for what, c := range map[string]struct {
		fn   func(state.Tokens) error
		want honeyguide.Code
	}{
		"no id": {func(t state.Tokens) error { return t.Save(b.Context(), &honeyguide.Honeytoken{}) }, honeyguide.CodeInvalid},
		"expose unknown": {func(t state.Tokens) error {
			return t.Expose(b.Context(), honeyguide.Exposure{Token: "x", EventID: "e"})
		}, honeyguide.CodeNotFound},
		"use unknown": {func(t state.Tokens) error { return t.Use(b.Context(), "x", "e", at) }, honeyguide.CodeNotFound},
		"no event":    {func(t state.Tokens) error { return t.Use(b.Context(), "tok1", "", at) }, honeyguide.CodeInvalid},
	} {
		b.up(func(_ context.Context, tx state.Tx) error { // none of these spoils the transaction
			b.code(what, c.fn(tx.Tokens()), c.want)
			return nil
		})
	}
	for n := range 30 {
		h = honeyguide.Honeytoken{ID: fmt.Sprint("more", n)}
		save()
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		var got []string
		for _, h := range pages(b, 7, func(p state.Page) ([]honeyguide.Honeytoken, string, error) { return tx.Tokens().List(ctx, p) }) {
			got = append(got, h.Short)
		}
		var want []string
		for n := 31; n > 0; n-- {
			want = append(want, fmt.Sprint("HT-", n))
		}
		b.same("list", got, want)
		return nil
	})
}

// exposures: newest first, the count goes on when the oldest are forgotten.
func exposures(b *bench) {
	const n = state.KeptExposures + 200
	b.up(func(ctx context.Context, tx state.Tx) error {
		for _, id := range []string{"tok1", "tok2"} {
			if err := tx.Tokens().Save(ctx, &honeyguide.Honeytoken{ID: id}); err != nil {
				return err
			}
		}
		for i := range n {
			e := honeyguide.Exposure{
				Token: "tok1", EventID: fmt.Sprintf("e%05d", i), Time: start.Add(time.Duration(i/2) * time.Second),
				Src: addr("203.0.113.7"), Session: "s", By: "cat \xff",
			}
			if err := tx.Tokens().Expose(ctx, e); err != nil {
				return err
			}
		}
		// One event may carry two tokens.
		return tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "tok2", EventID: "e00000", Time: start})
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		h, err := tx.Tokens().Get(ctx, "tok1")
		b.same("count", h.Exposures, int64(n))
		for _, name := range []string{"tok1", "HT-1"} {
			list, err := tx.Tokens().Exposures(ctx, name)
			if err != nil || len(list) != state.ListedExposures {
				b.Fatalf("%s: %d exposures, %v", name, len(list), err)
			}
			for i, e := range list {
				if want := fmt.Sprintf("e%05d", n-1-i); e.EventID != want || e.By != "cat \ufffd" || e.Src != addr("203.0.113.7") {
					b.Fatalf("%s: exposure %d is %+v, want %s", name, i, e, want)
				}
			}
		}
		list, err2 := tx.Tokens().Exposures(ctx, "tok2")
		b.same("of the other", len(list), 1)
		none, err3 := tx.Tokens().Exposures(ctx, "nobody")
		b.same("of nobody", none, []honeyguide.Exposure{})
		return errors.Join(err, err2, err3)
	})
}
