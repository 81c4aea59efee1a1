package respond_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

func openStore(tb testing.TB) state.Store {
	tb.Helper()
	store, err := sqlite.Kind.Open(tb.Context(), nil, state.Deps{Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

func TestAllowlist(t *testing.T) {
	ctx, now := t.Context(), time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store := openStore(t)
	l, err := respond.OpenAllowlist(ctx, store, clock)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	guard.More = l.Prefixes
	refused := func(target string) string {
		t.Helper()
		p, err := respond.ParseTarget(target)
		if err != nil {
			t.Fatal(err)
		}
		return guard.Refuse(p)
	}
	for address, want := range map[string]string{
		"": "address", "no address": "address", "0.0.0.0/0": "wider", "2000::/3": "wider", "::/0": "wider", "::ffff:0.0.0.0/90": "address",
	} {
		if _, err := l.Add(ctx, &honeyguide.Allowed{Address: address, Reason: "x"}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := l.Add(ctx, &honeyguide.Allowed{Address: "203.0.113.7"}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := l.Add(ctx, &honeyguide.Allowed{Address: "203.0.113.7", Reason: "x", ExpiresAt: now}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("over before it begins: %v", err)
	}
	a := honeyguide.Allowed{Address: "::ffff:203.0.113.77/120", Reason: "the office", ExpiresAt: now.Add(time.Hour)}
	if p, err := l.Add(ctx, &a); err != nil || a.Address != "203.0.113.0/24" || p.String() != a.Address {
		t.Fatalf("%v, %v, %v", p, a, err)
	}
	if _, err := l.Add(ctx, &honeyguide.Allowed{Address: "2001:db8::7", Reason: "monitoring"}); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"203.0.113.9": "allowlist", "203.0.113.0/25": "allowlist", "203.0.114.1": "", "2001:db8::7": "allowlist", "2001:db8::/64": "allowlist", "2001:db8::8": "",
	} {
		if got := refused(target); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q", target, got)
		}
	}
	// It is there after a start, and the entry with an end ends.
	if l, err = respond.OpenAllowlist(ctx, store, clock); err != nil || len(l.Prefixes()) != 2 {
		t.Fatalf("after a start: %v, %v", l.Prefixes(), err)
	}
	guard.More = l.Prefixes
	now = now.Add(time.Hour)
	if why := refused("203.0.113.9"); why != "" {
		t.Errorf("after its end: %s", why)
	}
	if _, err := l.Remove(ctx, "2001:db8:0::7"); err != nil || refused("2001:db8::7") != "" {
		t.Errorf("removed: %v, %q", err, refused("2001:db8::7"))
	}
	if _, err := l.Remove(ctx, "2001:db8::7"); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := l.Remove(ctx, "x"); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("no address: %v", err)
	}
}

// hold stores plans in force on targets.
func hold(tb testing.TB, store state.Store, action string, targets ...string) {
	tb.Helper()
	err := store.Update(tb.Context(), func(tx state.Tx) error {
		for _, target := range targets {
			p := honeyguide.Plan{ID: action + " " + target, Action: action, Target: target, Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified}
			if err := tx.Plans().Save(tb.Context(), &p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

type find func(context.Context, state.Tx, netip.Prefix, func(*honeyguide.Plan) error) error

func found(tb testing.TB, store state.Store, f find, target string) (ids []string) {
	tb.Helper()
	p, err := respond.ParseTarget(target)
	if err != nil {
		tb.Fatal(err)
	}
	err = store.View(tb.Context(), func(tx state.Tx) error {
		return f(tb.Context(), tx, p, func(p *honeyguide.Plan) error { ids = append(ids, p.ID); return nil })
	})
	if err != nil {
		tb.Fatal(err)
	}
	return ids
}

// undoable is an action that can be undone, and does nothing.
type undoable struct{ respond.Action }

func (undoable) Revert(context.Context, honeyguide.Plan) error { return nil }

func TestOverlappingAndCovering(t *testing.T) {
	store := openStore(t)
	hold(t, store, state.ActionBlockIP, "203.0.113.7", "203.0.113.0/24", "203.0.113.0/28", "203.0.114.1", "2001:db8::1", "2001:db8::/48", "odd")
	hold(t, store, "edge", "203.0.113.7")
	hold(t, store, "ticket", "203.0.113.7")
	l, err := respond.OpenAllowlist(t.Context(), store, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(t, store, l.Overlapping, "203.0.113.7"); len(got) != 3 {
		t.Errorf("before it knows the actions: %q", got)
	}
	l.Undoes(map[string]respond.Action{state.ActionBlockIP: undoable{}, "edge": undoable{}, "ticket": nil})
	for target, want := range map[string][]string{
		"203.0.113.7":       {"block_ip 203.0.113.0/24", "block_ip 203.0.113.0/28", "block_ip 203.0.113.7", "edge 203.0.113.7"},
		"203.0.113.200":     {"block_ip 203.0.113.0/24"},
		"203.0.114.0/23":    {"block_ip 203.0.114.1"},
		"203.0.112.0/22":    {"block_ip 203.0.113.0/24", "block_ip 203.0.113.0/28", "block_ip 203.0.113.7", "block_ip 203.0.114.1", "edge 203.0.113.7"},
		"2001:db8:0:1::/64": {"block_ip 2001:db8::/48"},
		"198.51.100.1":      nil,
	} {
		got := found(t, store, l.Overlapping, target)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("overlapping %s: %q, want %q", target, got, want)
		}
	}
	for target, want := range map[string][]string{
		"203.0.113.7":    {"block_ip 203.0.113.0/28", "block_ip 203.0.113.0/24"},
		"203.0.113.0/28": {"block_ip 203.0.113.0/24"},
		"203.0.113.0/24": nil,
		"2001:db8::1":    {"block_ip 2001:db8::/48"},
		"203.0.114.1":    nil,
	} {
		if got := found(t, store, respond.Covering, target); !slices.Equal(got, want) {
			t.Errorf("covering %s: %q, want %q", target, got, want)
		}
	}
}

// BenchmarkOverlapping finds the one block an entry of the allowlist lifts among
// a hundred thousand.
func BenchmarkOverlapping(b *testing.B) {
	store := openStore(b)
	l, err := respond.OpenAllowlist(b.Context(), store, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	var all []string
	for i := range 100_000 {
		all = append(all, fmt.Sprintf("%d.%d.%d.%d", 20+i>>16&255, i>>16, i>>8&255, i&255))
	}
	hold(b, store, state.ActionBlockIP, all...)
	for _, target := range []string{"20.0.77.7", "20.0.77.0/24"} {
		b.Run(target, func(b *testing.B) {
			for b.Loop() {
				if got := found(b, store, l.Overlapping, target); len(got) == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
