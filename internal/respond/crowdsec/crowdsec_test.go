package crowdsec_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/crowdsec"
	"honeyguide/internal/respond/respondtest"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const password = "w4tcher-passw0rd"

type object = map[string]any

// lapi is a Local API: alerts with their decisions, and an allowlist. tokens counts
// how many it gave out; only the newest is taken.
type lapi struct {
	alerts  []object
	tokens  int
	allowed map[string]bool
	old     bool // it has no allowlists
	skip    bool // it leaves alerts out
}

func (l *lapi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	say := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	if path == "/watchers/login" {
		var in object
		if json.NewDecoder(r.Body).Decode(&in) != nil || in["machine_id"] != "hg" || in["password"] != password {
			say(401, object{"code": 401, "message": "incorrect Username or Password"})
			return
		}
		l.tokens++
		say(200, object{"code": 200, "expire": time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC), "token": fmt.Sprintf("eyJ.t0ken.%d", l.tokens)})
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer eyJ.t0ken.%d", l.tokens) {
		say(401, object{"code": 401, "message": "token is expired"})
		return
	}
	switch {
	case strings.HasPrefix(path, "/allowlists/check/") && !l.old:
		say(200, object{"allowlisted": l.allowed[strings.TrimPrefix(path, "/allowlists/check/")], "reason": "ours"})
	case path == "/alerts" && r.Method == "POST":
		var in []object
		if json.NewDecoder(r.Body).Decode(&in) != nil || len(in) != 1 {
			say(400, object{"message": "validation failure list"})
			return
		}
		for _, name := range []string{"scenario", "scenario_hash", "scenario_version", "message", "events_count", "start_at", "stop_at", "capacity", "leakspeed", "simulated", "events", "source"} {
			if _, ok := in[0][name]; !ok {
				say(500, object{"message": "validation failure list: " + name + " in body is required"})
				return
			}
		}
		if l.skip {
			say(201, []string{})
			return
		}
		in[0]["id"] = len(l.alerts) + 1
		for i, d := range in[0]["decisions"].([]any) {
			d.(object)["id"] = 100*(len(l.alerts)+1) + i
		}
		l.alerts = append(l.alerts, in[0])
		say(201, []string{fmt.Sprint(len(l.alerts))})
	case path == "/alerts":
		var out []object // null when empty
		for _, a := range l.alerts {
			if s := a["source"].(object); s["scope"] == r.FormValue("scope") && s["value"] == r.FormValue("value") && a["scenario"] == r.FormValue("scenario") {
				out = append(out, a)
			}
		}
		say(200, out)
	case strings.HasPrefix(path, "/decisions/") && r.Method == "DELETE":
		id, _ := strconv.Atoi(strings.TrimPrefix(path, "/decisions/"))
		for _, a := range l.alerts {
			for _, d := range a["decisions"].([]any) {
				if d := d.(object); d["id"] == id && !strings.HasPrefix(d["duration"].(string), "-") {
					d["duration"] = "-1s"
					say(200, object{"nbDeleted": "1"})
					return
				}
			}
		}
		say(404, object{"message": "decision not found"})
	default:
		say(404, object{"message": "Page or Method not found"})
	}
}

func world() respondtest.World {
	l := &lapi{}
	return respondtest.World{Handler: l, Effects: func() (out []string) {
		for _, a := range l.alerts {
			out = append(out, fmt.Sprint(a["message"]))
		}
		return out
	}}
}

func settings(url string) map[string]any {
	return map[string]any{"url": url, "machine": "hg", "password": password}
}

func TestConformance(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: crowdsec.Kind, World: world, Config: settings, Target: "198.51.100.7", Secrets: []string{password, "t0ken"}, Fill: []string{"title", "text", "scenario"},
	})
}

func open(t *testing.T, l *lapi) respond.Action {
	t.Helper()
	fake := respondtest.NewFake(t, l)
	door := respondtest.NewDoor(fake.Roots())
	a, err := crowdsec.Kind.Open(t.Context(), respondtest.Decode(settings(fake.URL)), respondtest.Deps(t, "crowdsec", door))
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	return a
}

func TestDecisions(t *testing.T) {
	for name, c := range map[string]struct {
		lapi   *lapi
		target string
		fails  respondtest.Verdict
		scope  string
	}{
		"address":          {&lapi{}, "198.51.100.7", respondtest.Works, "Ip"},
		"prefix":           {&lapi{}, "198.51.100.0/24", respondtest.Works, "Range"},
		"IPv6":             {&lapi{}, "2001:db8::7", respondtest.Works, "Ip"},
		"no allowlists":    {&lapi{old: true}, "198.51.100.7", respondtest.Works, "Ip"},
		"on its allowlist": {&lapi{allowed: map[string]bool{"198.51.100.7": true}}, "198.51.100.7", respondtest.Fails, ""},
		"left out":         {&lapi{skip: true}, "198.51.100.7", respondtest.Retries, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, c.lapi)
			p, err := respondtest.Plan(t.Context(), a, respondtest.Request(c.target, map[string]string{"ttl": "90m"}), "p1")
			if err != nil {
				t.Fatal(err)
			}
			_, err = a.Apply(t.Context(), p)
			if (err == nil) != (c.fails == respondtest.Works) || respond.IsPermanent(err) != (c.fails == respondtest.Fails) {
				t.Fatalf("apply: %v", err)
			}
			if err != nil {
				if len(c.lapi.alerts) != 0 {
					t.Error("pushed all the same")
				}
				return
			}
			d := c.lapi.alerts[0]["decisions"].([]any)[0].(object)
			if d["scope"] != c.scope || d["value"] != c.target || d["duration"] != "1h30m0s" || d["origin"] != "honeyguide" || d["type"] != "ban" {
				t.Errorf("decided %v", d)
			}
		})
	}
}

// Undoing one plan leaves the ban of another.
func TestRevertIsOfOnePlan(t *testing.T) {
	l := &lapi{}
	a := open(t, l)
	var plans []honeyguide.Plan
	for _, id := range []string{"p1", "p2"} {
		p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("198.51.100.7", nil), id)
		if _, err := a.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	if err := a.(respond.Reverter).Revert(t.Context(), plans[0]); err != nil {
		t.Fatal(err)
	}
	if err := a.(respond.Verifier).Verify(t.Context(), plans[0]); err == nil {
		t.Error("the first still holds")
	}
	if err := a.(respond.Verifier).Verify(t.Context(), plans[1]); err != nil {
		t.Errorf("the second is gone: %v", err)
	}
}

// A token that is not taken any more is replaced; one that holds is kept.
func TestToken(t *testing.T) {
	l := &lapi{}
	a := open(t, l)
	p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("198.51.100.7", nil), "p1")
	if _, err := a.Apply(t.Context(), p); err != nil || l.tokens != 1 {
		t.Fatalf("%v, %d tokens", err, l.tokens)
	}
	l.tokens++ // it forgot ours
	if err := a.(respond.Verifier).Verify(t.Context(), p); err != nil || l.tokens != 3 {
		t.Errorf("%v, %d tokens", err, l.tokens)
	}
}

func TestRefused(t *testing.T) {
	a := open(t, &lapi{})
	for _, target := range []string{"127.0.0.1", "10.0.0.1", "192.0.2.77", "203.0.0.0/8"} {
		p, err := a.Plan(t.Context(), respondtest.Request(target, nil))
		if err != nil || p.State != honeyguide.PlanRefused {
			t.Errorf("%s: %s, %v", target, p.State, err)
		}
		if target == "203.0.0.0/8" {
			continue
		}
		p.ExpiresAt = p.CreatedAt.AddDate(3000, 0, 0)
		if _, err := a.Apply(t.Context(), p); !respond.IsPermanent(err) {
			t.Errorf("%s applied: %v", target, err)
		}
	}
	for _, bad := range []string{"", "evil.example", "1.2.3.4; reboot"} {
		if _, err := a.Plan(t.Context(), respondtest.Request(bad, nil)); err == nil {
			t.Errorf("%q was planned", bad)
		}
	}
}
