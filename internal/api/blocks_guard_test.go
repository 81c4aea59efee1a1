package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheGuardIsAskedBeforeABlock(t *testing.T) {
	r := newRig(t, func(d *Deps) {
		d.Refuse = func(p netip.Prefix) string {
			if p.Overlaps(netip.MustParsePrefix("203.0.113.0/24")) {
				return "it is ours"
			}
			return ""
		}
	})
	for _, c := range []struct {
		ask  string
		code int
		want GuardWord
	}{
		{"203.0.113.7", 200, GuardWord{"203.0.113.7", "it is ours"}},
		{"198.51.100.9/24", 200, GuardWord{"198.51.100.0/24", ""}},
		{"2001:DB8::1", 200, GuardWord{"2001:db8::1", ""}},
		{"nobody", 400, GuardWord{}},
		{"", 422, GuardWord{}},
	} {
		w := r.call(http.MethodGet, "/api/v1/guard?address="+c.ask, bootstrap, nil)
		if w.Code != c.code {
			t.Errorf("%q: %d %s, want %d", c.ask, w.Code, w.Body, c.code)
			continue
		}
		var got GuardWord
		if w.Code == http.StatusOK && json.Unmarshal(w.Body.Bytes(), &got) != nil {
			t.Errorf("%q: no JSON: %s", c.ask, w.Body)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q: (-want +got)\n%s", c.ask, d)
		}
	}
}

func TestTheNodeSaysHowItStands(t *testing.T) {
	r := newRig(t, func(d *Deps) {
		d.Node = "n1"
		d.Standing = func(context.Context) (Standing, error) {
			return Standing{Firewall: &FirewallState{Serving: true, Blocks: 2, Layers: []string{}}, Disks: []DiskState{{"data", 100, 40}}}, nil
		}
	})
	ask := func() (got Standing) {
		w := r.call(http.MethodGet, "/api/v1/standing", bootstrap, nil)
		if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &got) != nil {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return got
	}
	want := Standing{
		Status: "ready", Reasons: []string{}, Node: "n1", Version: "test",
		Firewall: &FirewallState{Serving: true, Blocks: 2, Layers: []string{}}, Disks: []DiskState{{"data", 100, 40}},
	}
	if d := cmp.Diff(want, ask()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	r.mu.Lock()
	r.health = []string{"the state does not answer"}
	r.mu.Unlock()
	want.Status, want.Reasons = "not_ready", []string{"the state does not answer"}
	if d := cmp.Diff(want, ask()); d != "" {
		t.Errorf("with trouble (-want +got)\n%s", d)
	}
}
