package abuseipdb_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/respond/abuseipdb"
	"honeyguide/internal/respond/respondtest"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const key = "abuse-k3y-0123456789"

func world() respondtest.World {
	seen := map[string]bool{}
	return respondtest.World{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/v2/report" || r.Header.Get("Key") != key || r.FormValue("categories") == "" {
				w.WriteHeader(422)
				fmt.Fprint(w, `{"errors":[{"detail":"The categories field is required.","status":422}]}`)
				return
			}
			seen[r.FormValue("ip")] = true
			fmt.Fprintf(w, `{"data":{"ipAddress":%q,"abuseConfidenceScore":52}}`, r.FormValue("ip"))
		}),
		Effects: func() (out []string) {
			for k := range seen {
				out = append(out, k)
			}
			return out
		},
	}
}

func TestConformance(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: abuseipdb.Kind, World: world, Target: "198.51.100.7", Secrets: []string{key}, Fill: []string{"comment", "title", "text"},
		Config: func(url string) map[string]any { return map[string]any{"url": url, "key": key} },
		Check: func(t *testing.T, heard []respondtest.Heard) {
			for _, h := range heard {
				form, err := url.ParseQuery(string(h.Body))
				if err != nil || form.Get("comment") != "Honeypot: password guessing, first seen 2026-03-01 11:00 UTC." || form.Get("categories") != "18" {
					t.Errorf("reported %v, %v", form, err)
				}
			}
		},
	})
}

// Nothing of our own is ever reported.
func TestRefused(t *testing.T) {
	a, err := abuseipdb.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"key": key}), respondtest.Deps(t, "abuseipdb", nil))
	if err != nil {
		t.Fatal(err)
	}
	for target, why := range map[string]string{
		"10.0.0.1": "private", "fd00::1": "private", "127.0.0.1": "loopback", "192.0.2.77": "own", "203.0.113.9": "no attacker of the incident", "224.0.0.1": "no attacker",
	} {
		r := respondtest.Request(target, nil)
		if why != "no attacker of the incident" && why != "no attacker" {
			r.Incident.Attackers = append(r.Incident.Attackers, target)
		}
		p, err := a.Plan(t.Context(), r)
		if why == "own" {
			why = "an address of this host"
		}
		if err != nil || p.State != honeyguide.PlanRefused || !strings.Contains(p.Reason, why) {
			t.Errorf("%s: %s, %q, %v", target, p.State, p.Reason, err)
		}
	}
	for _, bad := range []string{"198.51.100.0/24", "evil.example", ""} {
		if _, err := a.Plan(t.Context(), respondtest.Request(bad, nil)); err == nil {
			t.Errorf("%q was planned", bad)
		}
	}
	if _, err := a.Plan(t.Context(), respondtest.Request("198.51.100.7", map[string]string{"categories": "18&comment=x"})); err == nil {
		t.Error("categories that are none")
	}
}
