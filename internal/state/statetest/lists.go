package statetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// lists calls every list with a page.
var lists = map[string]func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error){
	"alerts": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.Alerts().List(ctx, state.AlertQuery{Page: p})
		return len(l), next, err
	},
	"incidents": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.Incidents().List(ctx, state.IncidentQuery{Page: p})
		return len(l), next, err
	},
	"sessions": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.Sessions().List(ctx, state.SessionQuery{Page: p})
		return len(l), next, err
	},
	"tokens": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.Tokens().List(ctx, p)
		return len(l), next, err
	},
	"plans": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.Plans().List(ctx, state.PlanQuery{Page: p})
		return len(l), next, err
	},
	"blocks": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.Plans().Blocks(ctx, p)
		return len(l), next, err
	},
	"dead letters": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.DeadLetters().List(ctx, state.DeadLetterQuery{Page: p})
		return len(l), next, err
	},
	"jobs": func(ctx context.Context, tx state.Tx, p state.Page) (int, string, error) {
		l, next, err := tx.Jobs().List(ctx, state.JobQuery{Page: p})
		return len(l), next, err
	},
}

// fill puts n rows into every list.
func fill(b *bench, n int) {
	b.Helper()
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i := range n {
			id := fmt.Sprint("row", i)
			a, in, s := alert(id), incident(id), session(id)
			_, e1 := tx.Alerts().Save(ctx, &a)
			_, e2 := tx.Incidents().Save(ctx, &in)
			err := errors.Join(e1, e2, tx.Sessions().Save(ctx, &s), tx.Tokens().Save(ctx, &honeyguide.Honeytoken{ID: id}),
				tx.Plans().Save(ctx, &honeyguide.Plan{ID: id, Action: state.ActionBlockIP, Target: id}),
				tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{ID: id}), tx.Jobs().Add(ctx, &state.Job{Kind: "k"}))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// paging: sizes are bounded, the last page has no cursor, rows that come later do
// not disturb a reader.
func paging(b *bench) {
	const n = state.MaxLimit + 50
	fill(b, n)
	for name, list := range lists {
		b.see(func(ctx context.Context, tx state.Tx) error {
			for limit, want := range map[int]int{0: state.DefaultLimit, -5: state.DefaultLimit, 1: 1, 37: 37, state.MaxLimit: state.MaxLimit, 1 << 40: state.MaxLimit} {
				got, next, err := list(ctx, tx, state.Page{Limit: limit})
				if err != nil || got != want || next == "" {
					b.Errorf("%s, limit %d: %d rows, next %q, %v", name, limit, got, next, err)
				}
			}
			_, next, err := list(ctx, tx, state.Page{Limit: state.MaxLimit})
			if err != nil {
				return err
			}
			got, next, err := list(ctx, tx, state.Page{After: next, Limit: 50}) // exactly the rest
			if got != 50 || next != "" {
				b.Errorf("%s: last page has %d rows, next %q", name, got, next)
			}
			return err
		})
	}
	// A reader on page two does not meet what is saved meanwhile.
	var p state.Page
	seen := map[string]int{}
	for page := 0; page == 0 || p.After != ""; page++ {
		b.see(func(ctx context.Context, tx state.Tx) error {
			list, next, err := tx.Alerts().List(ctx, state.AlertQuery{Page: p})
			for _, a := range list {
				seen[a.ID]++
			}
			p.After = next
			return err
		})
		b.clock.step(time.Second)
		b.saveAlerts(alert(fmt.Sprint("late", page)))
	}
	for id, times := range seen {
		if times != 1 {
			b.Errorf("%s was listed %d times", id, times)
		}
	}
	b.same("rows", len(seen), n)
}

// badCursors: nothing but a cursor of the list is taken.
func badCursors(b *bench) {
	fill(b, 3)
	cursors := map[string]string{}
	for name, list := range lists {
		b.see(func(ctx context.Context, tx state.Tx) (err error) {
			_, cursors[name], err = list(ctx, tx, state.Page{Limit: 1})
			return err
		})
	}
	for name, list := range lists {
		bad := []string{"x", " ", "0", "AQ", "-1", strings.Repeat("A", 100_000), "'; DROP TABLE alert; --", "\x00", "\xff", cursors[name] + "A", cursors[name] + "=", "\n" + cursors[name]}
		for other, c := range cursors {
			if other != name {
				bad = append(bad, c)
			}
		}
		for _, c := range bad {
			err := b.View(b.Context(), func(tx state.Tx) error {
				_, _, err := list(b.Context(), tx, state.Page{After: c})
				return err
			})
			b.code(fmt.Sprintf("%s after %.30q", name, c), err, honeyguide.CodeInvalid)
		}
	}
}

// hostile: every text field takes what an attacker sends, and Get returns what Save left.
func hostile(b *bench) {
	for i, bad := range []string{
		"\x00", "\xff\xfe", "a\x00b", "'; DROP TABLE alert; --", `"quoted" \ "`, "\x1b[2J\x1b]0;x\a", "\u202egnp.exe", "\ufffd", `\ufffd`, "𝔘𝔫𝔦", "\xed\xa0\x80",
		"<script>alert(1)</script>&", "\r\n", "%00%0a", strings.Repeat("\xff", 3000), strings.Repeat("x", 300_000), "$1", "NULL", "\u2028", "é\xcc",
	} {
		u := fmt.Sprint(i) // what must differ differs
		ep := honeyguide.Endpoint{
			Addr: netip.AddrPortFrom(netip.MustParseAddr("::ffff:203.0.113.7"), 1), Hostname: bad, Country: bad, ASOrg: bad,
		}
		if i%2 == 0 {
			ep.Addr = netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone("]:%"+bad), 1)
		}
		if i%3 == 0 {
			ep.Addr = netip.AddrPortFrom(netip.Addr{}, 99)
		}
		tech := []honeyguide.Technique{{ID: bad, Tactic: bad, Why: bad}, {ID: bad + ".1"}}
		odd := []time.Time{{}, time.Unix(0, 0), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(123456, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 999, time.FixedZone("x", 86399))}[i%5]
		a := honeyguide.Alert{ // its status is none of ours, so it is not open
			ID: bad + u, Time: odd, LastAt: odd, CreatedAt: odd, Detector: bad, RuleID: bad, Title: bad, Category: bad, Score: -1, Status: honeyguide.AlertStatus(bad),
			Reasons: []honeyguide.Reason{{Feature: bad, Text: bad}}, Attacks: tech, Src: ep, Dst: ep, Sensor: bad, Session: bad, Attacker: bad, Incident: bad,
			Count: -1, EventIDs: []string{bad}, Evidence: []honeyguide.Evidence{{EventID: bad, Time: odd, Text: bad}}, DedupeKey: bad + u,
			Observed: []honeyguide.Observable{{Name: bad, Type: bad, Value: bad}},
		}
		p := honeyguide.Plan{
			ID: bad + u, Incident: bad, Playbook: bad, Step: bad, Action: bad, Target: bad, Params: map[string]string{bad: bad}, Effect: bad, Mode: honeyguide.Mode(bad),
			State: honeyguide.PlanState(bad), Reason: bad, CreatedAt: odd, ExpiresAt: odd,
		}
		in := honeyguide.Incident{
			ID: bad + u, Key: bad + u, Title: bad, Status: honeyguide.IncidentStatus(bad), Phase: honeyguide.Phase(bad), Attackers: []string{bad}, Sessions: []string{bad},
			Attacks: tech, Plans: []honeyguide.Plan{p}, CreatedAt: odd, UpdatedAt: odd, FirstAt: odd, LastAt: odd, DueAt: odd,
		}
		s := honeyguide.Session{
			ID: bad + u, Sensor: bad, Service: bad, Src: ep, Dst: ep, StartedAt: odd, EndedAt: odd, LastAt: odd, User: bad, Client: bad, Recording: bad, Tokens: []string{bad},
		}
		h := honeyguide.Honeytoken{ID: bad + u, Kind: bad, Style: bad, Proof: bad, Persona: bad, Path: bad, User: bad, Fingerprint: bad, Last4: bad, CreatedAt: odd}
		x := honeyguide.Exposure{Token: bad + u, EventID: bad, Time: odd, Src: ep, Session: bad, By: bad}
		b.up(func(ctx context.Context, tx state.Tx) error {
			_, e1 := tx.Alerts().Save(ctx, &a)
			_, e2 := tx.Incidents().Save(ctx, &in)
			return errors.Join(e1, e2, tx.Sessions().Save(ctx, &s), tx.Plans().Save(ctx, &p), tx.Tokens().Save(ctx, &h), tx.Tokens().Expose(ctx, x),
				tx.Tokens().Use(ctx, bad+u, bad, odd), tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{ID: bad + u, Source: bad, Reason: bad, Raw: []byte(bad), Time: odd}),
				tx.Cursors().Move(ctx, bad+u, 0, 1), tx.Meta().Put(ctx, bad, bad), tx.Jobs().Add(ctx, &state.Job{Kind: bad, Key: bad + u, Arg: []byte(bad), RunAt: odd}))
		})
		b.see(func(ctx context.Context, tx state.Tx) error {
			name := func(what string) string { return fmt.Sprintf("%s of %.30q", what, bad) }
			a2, e1 := tx.Alerts().Get(ctx, a.ID)
			in2, e2 := tx.Incidents().Get(ctx, in.ID)
			s2, e3 := tx.Sessions().Get(ctx, bad+u)
			p2, e4 := tx.Plans().Get(ctx, bad+u)
			h2, e5 := tx.Tokens().Get(ctx, bad+u)
			at, e6 := tx.Cursors().Cursor(ctx, bad+u)
			xs, e7 := tx.Tokens().Exposures(ctx, bad+u)
			b.same(name("alert"), a2, a)
			b.same(name("incident"), in2, in)
			b.same(name("session"), s2, s)
			b.same(name("plan"), p2, p)
			b.same(name("token"), []any{h2.ID, h2.Path, h2.Exposures, h2.Uses}, []any{h.ID, h.Path, int64(1), int64(1)})
			b.same(name("cursor"), at, int64(1))
			b.same(name("exposures"), len(xs), 1)
			byAll, _, e8 := tx.Alerts().List(ctx, state.AlertQuery{
				Rule: bad, Detector: bad, Incident: bad, Session: bad, Attacker: bad, Technique: bad, Status: []honeyguide.AlertStatus{honeyguide.AlertStatus(bad)},
			})
			if !slices.ContainsFunc(byAll, func(x honeyguide.Alert) bool { return x.ID == a.ID }) {
				b.Errorf("%s do not find it", name("filters"))
			}
			_, _, e9 := tx.Alerts().List(ctx, state.AlertQuery{Text: bad, Src: bad})
			_, _, e10 := tx.Sessions().List(ctx, state.SessionQuery{Text: bad, Src: bad, User: bad, Service: bad})
			_, _, e11 := tx.Incidents().List(ctx, state.IncidentQuery{Text: bad, Attacker: bad})
			return errors.Join(e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11)
		})
	}
	for _, list := range lists { // nothing of it stops a list
		b.see(func(ctx context.Context, tx state.Tx) error {
			for next, page := "", 0; page == 0 || next != ""; page++ {
				var err error
				if _, next, err = list(ctx, tx, state.Page{After: next, Limit: 3}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}
