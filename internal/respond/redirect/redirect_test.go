package redirect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/redirect"
	"honeyguide/internal/state"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wall is a firewall in memory that holds one redirect.
type wall struct {
	respond.Firewall
	d     respond.Detour
	there bool
	fail  error
}

func (w *wall) Redirect(_ context.Context, d respond.Detour) error {
	w.d, w.there = d, w.fail == nil
	return w.fail
}

func (w *wall) Unredirect(context.Context, respond.Detour) error {
	w.there = false
	return w.fail
}

func (w *wall) Redirected(_ context.Context, d respond.Detour) (bool, error) {
	return w.there && w.d.To == d.To && w.d.From == d.From && w.d.Port == d.Port, w.fail
}

// books is a state that holds plans and nothing else.
type books struct {
	state.Store
	list []*honeyguide.Plan
}

func (b *books) View(_ context.Context, fn func(state.Tx) error) error { return fn(view{b: b}) }

type view struct {
	state.Tx
	b *books
}

func (v view) Plans() state.Plans { return plans{b: v.b} }

type plans struct {
	state.Plans
	b *books
}

func (p plans) InForce(_ context.Context, action, target string, fn func(*honeyguide.Plan) error) error {
	for _, x := range p.b.list {
		if x.Action == action && x.Target == target && x.State.InForce() {
			if err := fn(x); err != nil {
				return err
			}
		}
	}
	return nil
}

func open(t *testing.T, dep respond.Deps) respond.Action {
	t.Helper()
	g, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	dep.Guard, dep.Now = g, func() time.Time { return noon }
	a, err := redirect.Kind.Open(t.Context(), nil, dep)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(target string, params map[string]string) respond.Request {
	return respond.Request{Target: target, Params: params, Mode: honeyguide.ModeApply, Reason: "test", Now: noon}
}

func TestPlan(t *testing.T) {
	a := open(t, respond.Deps{})
	p, err := a.Plan(t.Context(), request("203.0.113.7", map[string]string{"port": "22", "to": "2222", "ttl": "1h"}))
	if err != nil || p.State != honeyguide.PlanPlanned || p.Target != "203.0.113.7" || !p.ExpiresAt.Equal(noon.Add(time.Hour)) ||
		p.Effect != "New connections from 203.0.113.7 to tcp port 22 would be sent to port 2222 of this host for 1h0m0s." {
		t.Errorf("got %+v, %v", p, err)
	}
	if p, err := a.Plan(t.Context(), request("10.0.0.1", map[string]string{"port": "22", "to": "2222"})); err != nil || p.State != honeyguide.PlanRefused {
		t.Errorf("private: %+v, %v", p, err)
	}
	for what, params := range map[string]map[string]string{
		"port":  {"to": "2222"},
		"to":    {"port": "22"},
		"want":  {"port": "22", "to": "decoy"},
		"proto": {"port": "22", "to": "2222", "proto": "icmp"},
		"ttl":   {"port": "22", "to": "2222", "ttl": "soon"},
		"take":  {"port": "22", "to": "[2001:db8::1]:22"},
	} {
		if _, err := a.Plan(t.Context(), request("203.0.113.7", params)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := a.Plan(t.Context(), request("evil.example", map[string]string{"port": "22", "to": "2222"})); err == nil {
		t.Error("a name was planned")
	}
	if (&redirect.Config{}).Validate() == nil {
		t.Error("a redirect without an end")
	}
}

func TestLife(t *testing.T) {
	ctx := t.Context()
	w, b := &wall{}, &books{}
	a := open(t, respond.Deps{Firewall: w, State: b})
	planned := func(id, target string, ttl string) *honeyguide.Plan {
		p, err := a.Plan(ctx, request(target, map[string]string{"port": "53", "proto": "udp", "to": "5353", "ttl": ttl}))
		if err != nil {
			t.Fatal(err)
		}
		p.ID, p.State = id, honeyguide.PlanApplying
		b.list = append(b.list, &p)
		return &p
	}
	long, short := planned("long", "2001:db8::7", "24h"), planned("short", "2001:db8::7", "1h")
	if _, err := a.Apply(ctx, *short); err != nil {
		t.Fatal(err)
	}
	if w.d.To.String() != "[::]:5353" || w.d.Proto != "udp" || !w.d.Until.Equal(noon.Add(24*time.Hour)) {
		t.Errorf("%+v", w.d)
	}
	if err := a.(respond.Verifier).Verify(ctx, *short); err != nil {
		t.Error(err)
	}
	long.State = honeyguide.PlanReverting
	if err := a.(respond.Reverter).Revert(ctx, *long); err != nil || !w.there || !w.d.Until.Equal(noon.Add(time.Hour)) {
		t.Errorf("the long one undone: %v, %+v", err, w)
	}
	short.State = honeyguide.PlanReverting
	if err := a.(respond.Reverter).Revert(ctx, *short); err != nil || w.there {
		t.Errorf("both undone: %v, %+v", err, w)
	}
	if err := a.(respond.Verifier).Verify(ctx, *short); err == nil {
		t.Error("verified although it is not there")
	}
	w.fail = errors.New("busy")
	if _, err := a.Apply(ctx, *short); err == nil || respond.IsPermanent(err) {
		t.Errorf("a firewall that fails: %v", err)
	}
	if _, err := open(t, respond.Deps{}).Apply(ctx, *short); !respond.IsPermanent(err) {
		t.Errorf("no firewall: %v", err)
	}
}
