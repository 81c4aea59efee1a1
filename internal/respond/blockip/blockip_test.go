package blockip_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blockip"
	"honeyguide/internal/state"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// books is a state that holds plans and nothing else.
type books struct {
	state.Store
	state.Tx
	state.Plans
	list []*honeyguide.Plan
}

func (b *books) View(_ context.Context, fn func(state.Tx) error) error { return fn(view{b.Tx, b}) }

type view struct {
	state.Tx
	b *books
}

func (v view) Plans() state.Plans { return v.b }

func (b *books) InForce(_ context.Context, action, target string, fn func(*honeyguide.Plan) error) error {
	for _, p := range b.list {
		if p.Action == action && p.Target == target && p.State.InForce() {
			if err := fn(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *books) Count(_ context.Context, q state.PlanCount) (n int64, _ error) {
	for _, p := range b.list {
		if p.Action == q.Action && (!q.InForce || p.State.InForce()) && (q.Since.IsZero() || !p.AppliedAt.Before(q.Since)) {
			n++
		}
	}
	return n, nil
}

// wall is a firewall in memory.
type wall struct {
	respond.Firewall
	ends map[netip.Prefix]time.Time
	fail error
}

func (w *wall) Block(_ context.Context, list ...respond.Barred) error {
	for _, b := range list {
		w.ends[b.Prefix] = b.Until
	}
	return w.fail
}

func (w *wall) Unblock(_ context.Context, list ...netip.Prefix) error {
	for _, p := range list {
		delete(w.ends, p)
	}
	return w.fail
}

func (w *wall) Barred(_ context.Context, p netip.Prefix) (time.Time, bool, error) {
	until, ok := w.ends[p]
	return until, ok, w.fail
}

func open(t *testing.T, cfg respond.Config, dep respond.Deps, settings string) respond.Action {
	t.Helper()
	g, err := respond.NewGuard(cfg, func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	dep.Guard = g
	dep.Now = func() time.Time { return noon.Add(time.Minute) }
	a, err := blockip.Kind.Open(t.Context(), func(into any) error {
		if settings == "" {
			return nil
		}
		c := into.(*blockip.Config)
		c.Most, c.PerMinute = 3, 2
		return nil
	}, dep)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(target string, params map[string]string) respond.Request {
	return respond.Request{
		Incident: &honeyguide.Incident{ID: "i1", CreatedAt: noon}, Playbook: "contain", Step: "block", Target: target,
		Params: params, Mode: honeyguide.ModeDryRun, Reason: "test", Now: noon.Add(time.Minute),
	}
}

func TestPlan(t *testing.T) {
	a := open(t, respond.Defaults(), respond.Deps{}, "")
	p, err := a.Plan(t.Context(), request("::ffff:203.0.113.7", nil))
	if err != nil {
		t.Fatal(err)
	}
	if p.Target != "203.0.113.7" || p.State != honeyguide.PlanPlanned || !p.ExpiresAt.Equal(noon.Add(24*time.Hour+time.Minute)) ||
		p.Params["command"] != "nft add element inet honeyguide blk4 { 203.0.113.7 timeout 86400s }" || !strings.Contains(p.Effect, "203.0.113.7") {
		t.Errorf("got %+v", p)
	}
	again, _ := a.Plan(t.Context(), request("203.0.113.7", map[string]string{"ttl": "9000h"}))
	if again.Target != p.Target || again.ExpiresAt.Sub(noon.Add(time.Minute)) != respond.MaxTTL {
		t.Errorf("got %+v", again)
	}
	for target, command := range map[string]string{
		"2001:db8::7": "blk6 { 2001:db8::7 ", "198.51.100.0/24": "cidr4 { 198.51.100.0/24 ", "2001:db8::/48": "cidr6 { 2001:db8::/48 ",
	} {
		if p, _ := a.Plan(t.Context(), request(target, nil)); !strings.Contains(p.Params["command"], command) {
			t.Errorf("%s: %+v", target, p)
		}
	}
}

// The more often an address was blocked before, the longer it is.
func TestLadder(t *testing.T) {
	a := open(t, respond.Defaults(), respond.Deps{}, "")
	for before, want := range map[int64]time.Duration{0: time.Hour, 1: 24 * time.Hour, 2: 168 * time.Hour, 3: 720 * time.Hour, 9: 720 * time.Hour, -1: time.Hour} {
		r := request("203.0.113.7", map[string]string{"ladder": "1h, 24h,168h,720h", "ttl": "5m"})
		r.Before = before
		p, err := a.Plan(t.Context(), r)
		if err != nil || p.ExpiresAt.Sub(r.Now) != want {
			t.Errorf("%d: %v, %v, want %v", before, p.ExpiresAt.Sub(r.Now), err, want)
		}
	}
	for _, bad := range []string{"1h,soon", strings.Repeat("1h,", 40) + "1h"} {
		if _, err := a.Plan(t.Context(), request("203.0.113.7", map[string]string{"ladder": bad})); err == nil || !strings.Contains(err.Error(), "ladder") {
			t.Errorf("%.20s: %v", bad, err)
		}
	}
}

func TestGuardRefuses(t *testing.T) {
	p, err := open(t, respond.Defaults(), respond.Deps{}, "").Plan(t.Context(), request("127.0.0.1", nil))
	if err != nil || p.State != honeyguide.PlanRefused || !strings.Contains(p.Reason, "loopback") || !p.ExpiresAt.IsZero() {
		t.Errorf("got %+v, %v", p, err)
	}
	p, err = open(t, respond.Config{BlockPrivate: true}, respond.Deps{}, "").Plan(t.Context(), request("127.0.0.1", nil))
	if err != nil || p.State != honeyguide.PlanPlanned {
		t.Errorf("trial: got %+v, %v", p, err)
	}
}

func TestNonsenseIsAnError(t *testing.T) {
	a := open(t, respond.Defaults(), respond.Deps{}, "")
	if _, err := a.Plan(t.Context(), request("evil.example", nil)); err == nil {
		t.Error("a name was planned")
	}
	if _, err := a.Plan(t.Context(), request("203.0.113.7", map[string]string{"ttl": "soon"})); err == nil {
		t.Error("a ttl was made up")
	}
	if _, err := blockip.Kind.Open(t.Context(), nil, respond.Deps{}); err == nil {
		t.Error("opens without a guard")
	}
	if err := (&blockip.Config{}).Validate(); err == nil {
		t.Error("a block without an end")
	}
}

func plan(id string, state honeyguide.PlanState, left time.Duration) *honeyguide.Plan {
	return &honeyguide.Plan{ID: id, Action: "block_ip", Target: "203.0.113.7", Mode: honeyguide.ModeApply, State: state, ExpiresAt: noon.Add(left)}
}

// An address stays blocked as long as the longest of the plans on it, whatever
// the order they come and go in.
func TestLatestEnd(t *testing.T) {
	ctx := t.Context()
	one, two := plan("one", honeyguide.PlanApplying, time.Hour), plan("two", honeyguide.PlanVerified, 24*time.Hour)
	b, w := &books{list: []*honeyguide.Plan{one, two}}, &wall{ends: map[netip.Prefix]time.Time{}}
	a := open(t, respond.Defaults(), respond.Deps{State: b, Firewall: w}, "")
	target := netip.MustParsePrefix("203.0.113.7/32")
	holds := func(what string, left time.Duration) {
		t.Helper()
		want := noon.Add(left)
		if left == 0 {
			want = time.Time{}
		}
		if got := w.ends[target]; !got.Equal(want) {
			t.Errorf("%s: until %v, want %v", what, got, want)
		}
	}
	if _, err := a.Apply(ctx, *one); err != nil {
		t.Fatal(err)
	}
	holds("the other one's end is later", 24*time.Hour)
	verifier, reverter := a.(respond.Verifier), a.(respond.Reverter)
	if err := verifier.Verify(ctx, *one); err != nil {
		t.Error(err)
	}
	two.State = honeyguide.PlanReverting
	if err := reverter.Revert(ctx, *two); err != nil {
		t.Fatal(err)
	}
	holds("the long one undone", time.Hour)
	two.State, one.State = honeyguide.PlanReverted, honeyguide.PlanReverting
	if err := reverter.Revert(ctx, *one); err != nil {
		t.Fatal(err)
	}
	holds("both undone", 0)
	if err := verifier.Verify(ctx, *one); err == nil {
		t.Error("verified although it is not there")
	}
	w.ends[target] = noon.Add(30 * time.Minute)
	if err := verifier.Verify(ctx, *one); err == nil || !strings.Contains(err.Error(), "only") {
		t.Errorf("an end too early: %v", err)
	}
	one.State, two.State = honeyguide.PlanReverting, honeyguide.PlanReverting
	if err := errors.Join(reverter.Revert(ctx, *one), reverter.Revert(ctx, *two)); err != nil {
		t.Fatal(err)
	}
	holds("both undone at a time", 0)
}

func TestApplyRefuses(t *testing.T) {
	ctx := t.Context()
	w := &wall{ends: map[netip.Prefix]time.Time{}}
	a := open(t, respond.Config{NeverBlockLoopback: true, Allow: []string{"203.0.113.0/24"}}, respond.Deps{Firewall: w}, "")
	if _, err := a.Apply(ctx, *plan("one", honeyguide.PlanApplying, time.Hour)); !respond.IsPermanent(err) || !strings.Contains(err.Error(), "allowlist") {
		t.Errorf("on the allowlist by now: %v", err)
	}
	a = open(t, respond.Defaults(), respond.Deps{Firewall: w}, "")
	if _, err := a.Apply(ctx, *plan("one", honeyguide.PlanApplying, time.Second)); !respond.IsPermanent(err) {
		t.Errorf("over already: %v", err)
	}
	a = open(t, respond.Defaults(), respond.Deps{}, "")
	if _, err := a.Apply(ctx, *plan("one", honeyguide.PlanApplying, time.Hour)); !respond.IsPermanent(err) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("no firewall: %v", err)
	}
	a = open(t, respond.Defaults(), respond.Deps{NoFire: "respond.firewall is off"}, "")
	if _, err := a.Apply(ctx, *plan("one", honeyguide.PlanApplying, time.Hour)); !respond.IsPermanent(err) || !strings.Contains(err.Error(), "is off") {
		t.Errorf("switched off: %v", err)
	}
	w.fail = errors.New("busy")
	a = open(t, respond.Defaults(), respond.Deps{Firewall: w}, "")
	if _, err := a.Apply(ctx, *plan("one", honeyguide.PlanApplying, time.Hour)); err == nil || respond.IsPermanent(err) {
		t.Errorf("a firewall that fails: %v", err)
	}
	if len(w.ends) > 1 {
		t.Errorf("blocked: %v", w.ends)
	}
}

// What asks for too many blocks is refused, and its owner is told.
func TestLimits(t *testing.T) {
	ctx := t.Context()
	var told []string
	b, w := &books{}, &wall{ends: map[netip.Prefix]time.Time{}}
	a := open(t, respond.Defaults(), respond.Deps{State: b, Firewall: w, Halt: func(why string) { told = append(told, why) }}, "small")
	r := request("203.0.113.7", nil)
	r.Mode = honeyguide.ModeApply
	for i, want := range []honeyguide.PlanState{honeyguide.PlanPlanned, honeyguide.PlanPlanned, honeyguide.PlanRefused} {
		if p, err := a.Plan(ctx, r); err != nil || p.State != want {
			t.Errorf("plan %d: %+v, %v", i, p, err)
		}
	}
	r.Now = r.Now.Add(time.Minute)
	if p, _ := a.Plan(ctx, r); p.State != honeyguide.PlanPlanned {
		t.Errorf("a minute later: %+v", p)
	}
	if len(told) != 1 || !strings.Contains(told[0], "max_per_minute") {
		t.Errorf("told %q", told)
	}
	for _, id := range []string{"a", "b", "c"} {
		p := plan(id, honeyguide.PlanVerified, time.Hour)
		p.Target, p.AppliedAt = "198.51.100."+id, noon.Add(-time.Hour)
		b.list = append(b.list, p)
	}
	next := plan("next", honeyguide.PlanApplying, time.Hour)
	b.list = append(b.list, next)
	if _, err := a.Apply(ctx, *next); !respond.IsPermanent(err) || !strings.Contains(err.Error(), "max_blocks)") {
		t.Errorf("one too many: %v", err)
	}
	r.Now = noon.Add(119 * time.Second) // the count is not a minute old
	if p, _ := a.Plan(ctx, r); p.State != honeyguide.PlanRefused || !strings.Contains(p.Reason, "3 blocks are in force") {
		t.Errorf("planned although it is full: %+v", p)
	}
	b.list = b.list[1:]
	if _, err := a.Apply(ctx, *next); err != nil {
		t.Errorf("there is room: %v", err)
	}
	b.list[0].AppliedAt, b.list[1].AppliedAt, b.list[0].State = noon.Add(30*time.Second), noon.Add(30*time.Second), honeyguide.PlanReverted
	if _, err := a.Apply(ctx, *next); !respond.IsPermanent(err) || !strings.Contains(err.Error(), "per_minute") {
		t.Errorf("too fast: %v", err)
	}
	if len(told) != 4 {
		t.Errorf("told %q", told)
	}
}
