// Package statetest holds what every implementation of state.Store must do. A
// kind runs it from a test of its own:
//
//	func TestStore(t *testing.T) {
//		statetest.Run(t, func(t testing.TB, dep state.Deps) state.Store { ... })
//	}
package statetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Open opens the store in dep.Dir, a folder that may hold one already. The caller
// closes it.
type Open func(t testing.TB, dep state.Deps) state.Store

// start is when the clock of every test starts.
var start = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) step(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	return c.t
}

// bench is a store under test.
type bench struct {
	*testing.T
	state.Store
	open  Open
	dep   state.Deps
	clock *clock
}

// Run runs every clause, each on a store of its own.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"Transactions", transactions},
		{"Snapshot", snapshot},
		{"Concurrency", concurrency},
		{"Reopen", reopen},
		{"ReadOnly", readOnly},
		{"AlertInsert", alertInsert},
		{"AlertMerge", alertMerge},
		{"AlertSaveAll", alertSaveAll},
		{"AlertBounds", alertBounds},
		{"AlertStatus", alertStatus},
		{"AlertPut", alertPut},
		{"AlertList", alertList},
		{"AlertText", alertText},
		{"Enrichments", enrichments},
		{"Attackers", attackers},
		{"Incidents", incidents},
		{"IncidentList", incidentList},
		{"Sessions", sessions},
		{"SessionList", sessionList},
		{"Tokens", tokens},
		{"Exposures", exposures},
		{"Samples", samples},
		{"SampleBounds", sampleBounds},
		{"Verdicts", verdicts},
		{"VerdictBounds", verdictBounds},
		{"Models", models},
		{"Plans", plans},
		{"PlansInForce", force},
		{"Runs", runs},
		{"Targets", targets},
		{"Allowlist", allowlist},
		{"Replies", replies},
		{"Timeline", timeline},
		{"Moves", moves},
		{"Notices", notices},
		{"Playbooks", playbooks},
		{"Blocks", blocks},
		{"DeadLetters", deadLetters},
		{"Cursors", cursors},
		{"Checkpoints", checkpoints},
		{"Meta", meta},
		{"Jobs", jobs},
		{"JobLeases", jobLeases},
		{"Paging", paging},
		{"BadCursors", badCursors},
		{"Hostile", hostile},
		{"Suppressions", suppressions},
		{"SuppressedAlerts", suppressedAlerts},
		{"IncidentChanges", incidentChanges},
		{"SuppressionRetention", suppressionRetention},
		{"Tallies", tallies},
		{"Clocks", clocks},
		{"Views", views},
		{"Users", users},
		{"Credentials", credentials},
		{"Logins", logins},
		{"Roles", roles},
		{"APIKeys", apiKeys},
		{"Retention", retention},
		{"Holds", holds},
		{"HeldBack", heldBack},
		{"Custody", custody},
		{"Bundles", bundles},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // most of the time goes to waiting for the disk
			clk := &clock{t: start}
			b := &bench{T: t, open: open, dep: state.Deps{Dir: t.TempDir(), Now: clk.now}, clock: clk}
			b.Store = open(t, b.dep)
			t.Cleanup(func() {
				if err := b.Store.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			c.test(b)
		})
	}
}

// up runs fn in an Update that must succeed.
func (b *bench) up(fn func(ctx context.Context, tx state.Tx) error) {
	b.Helper()
	if err := b.Update(b.Context(), func(tx state.Tx) error { return fn(b.Context(), tx) }); err != nil {
		b.Fatalf("update: %v", err)
	}
}

// see runs fn in a View that must succeed.
func (b *bench) see(fn func(ctx context.Context, tx state.Tx) error) {
	b.Helper()
	if err := b.View(b.Context(), func(tx state.Tx) error { return fn(b.Context(), tx) }); err != nil {
		b.Fatalf("view: %v", err)
	}
}

// code checks the code of an error; "" means that there must be none.
func (b *bench) code(what string, err error, want honeyguide.Code) {
	b.Helper()
	var e *honeyguide.Error
	switch {
	case want == "" && err != nil:
		b.Errorf("%s: %v", what, err)
	case want != "" && (!errors.As(err, &e) || e.Code != want):
		b.Errorf("%s: %v, want code %s", what, err, want)
	case want != "" && e.Message == "":
		b.Errorf("%s: the error says nothing to the user", what)
	}
}

// same compares two values to the last nil.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	b.Errorf("%s:\n got %.3000s\nwant %.3000s", what, g, w)
}

func addr(s string) honeyguide.Endpoint {
	return honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(s), 4000)}
}

// alert makes a plain alert about something.
func alert(key string) honeyguide.Alert {
	return honeyguide.Alert{
		Time: start, LastAt: start, Detector: "behaviour", RuleID: "brute_force", Title: "Brute force against " + key,
		Severity: honeyguide.SeverityMedium, Category: honeyguide.CategoryFailedAuth, Score: 40,
		Reasons: []honeyguide.Reason{{Feature: "severity", Weight: 40, Text: "Medium."}},
		Attacks: []honeyguide.Technique{{ID: "T1110.001", Tactic: "credential-access", Why: "many passwords"}},
		Src:     addr("203.0.113.7"), Dst: addr("192.0.2.1"), Count: 3, EventIDs: []string{"e1", "e2"},
		Evidence:  []honeyguide.Evidence{{EventID: "e1", Time: start, Text: "root:toor"}},
		DedupeKey: key, Observed: []honeyguide.Observable{{Name: "src", Type: "ip", Value: "203.0.113.7"}},
	}
}

// saveAlerts stores copies and returns them as stored.
func (b *bench) saveAlerts(list ...honeyguide.Alert) []honeyguide.Alert {
	b.Helper()
	out := make([]honeyguide.Alert, len(list))
	b.up(func(ctx context.Context, tx state.Tx) error {
		copy(out, list)
		for i := range out {
			if _, err := tx.Alerts().Save(ctx, &out[i]); err != nil {
				return fmt.Errorf("alert %d: %w", i, err)
			}
		}
		return nil
	})
	return out
}

// pages reads a list to its end and checks what holds for all lists.
func pages[T any](b *bench, limit int, list func(p state.Page) ([]T, string, error)) []T {
	b.Helper()
	all := []T{}
	for p := (state.Page{Limit: limit}); ; {
		items, next, err := list(p)
		if err != nil {
			b.Fatalf("list: %v", err)
		}
		if items == nil {
			b.Fatal("a list is nil")
		}
		if len(items) > p.Rows() || next != "" && len(items) != p.Rows() {
			b.Fatalf("%d rows on a page of %d, next %q", len(items), p.Rows(), next)
		}
		all = append(all, items...)
		if next == "" {
			return all
		}
		p.After = next
	}
}
