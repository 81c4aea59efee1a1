package pagerduty_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/pagerduty"
	"honeyguide/internal/respond/respondtest"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const key = "0123456789abcdef0123456789abcdef"

type event struct {
	RoutingKey  string `json:"routing_key"`
	EventAction string `json:"event_action"`
	DedupKey    string `json:"dedup_key"`
	Payload     struct {
		Summary, Severity, Source string
		Details                   map[string]string `json:"custom_details"`
	}
}

func world(last *event) func() respondtest.World {
	return func() respondtest.World {
		seen := map[string]bool{}
		return respondtest.World{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var e event
				if err := json.NewDecoder(r.Body).Decode(&e); err != nil || e.RoutingKey != key || len(e.Payload.Summary) > 4*1024 || e.Payload.Source == "" || len(e.DedupKey) > 255 {
					w.WriteHeader(400)
					fmt.Fprint(w, `{"status":"invalid event","message":"Event object is invalid","errors":[]}`)
					return
				}
				*last = e
				seen[e.Payload.Details["reference"]] = true
				w.WriteHeader(202)
				fmt.Fprintf(w, `{"status":"success","message":"Event processed","dedup_key":%q}`, e.DedupKey)
			}),
			Effects: func() (out []string) {
				for k := range seen {
					out = append(out, k)
				}
				return out
			},
		}
	}
}

func TestConformance(t *testing.T) {
	var last event
	respondtest.Run(t, respondtest.Subject{
		Kind: pagerduty.Kind, World: world(&last), Secrets: []string{key},
		Config: func(url string) map[string]any { return map[string]any{"url": url + "/v2/enqueue", "routing_key": key} },
		Check: func(t *testing.T, _ []respondtest.Heard) {
			if last.DedupKey != "01JINCIDENT" || last.Payload.Severity != "error" {
				t.Errorf("got %+v", last)
			}
		},
	})
}

// One incident is one alert there, from trigger to resolve.
func TestEvents(t *testing.T) {
	var last event
	fake := respondtest.NewFake(t, world(&last)().Handler)
	for update, word := range map[string]string{"trigger": "trigger", "acknowledge": "acknowledge"} {
		door := respondtest.NewDoor(fake.Roots())
		a, err := pagerduty.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"url": fake.URL, "routing_key": key, "update": update}), respondtest.Deps(t, "pd", door))
		if err != nil {
			t.Fatal(err)
		}
		door.Open(t, a)
		for ours, theirs := range map[string]string{respond.EventTrigger: "trigger", respond.EventUpdate: word, respond.EventResolve: "resolve"} {
			for s, want := range map[honeyguide.Severity]string{honeyguide.SeverityCritical: "critical", honeyguide.SeverityMedium: "warning", honeyguide.SeverityLow: "info"} {
				ref, err := a.(respond.Messenger).Send(t.Context(), respond.Message{ID: "n1", Key: "I-9", Event: ours, Severity: s, Title: "x"})
				if err != nil || ref != "I-9" || last.DedupKey != "I-9" || last.EventAction != theirs || last.Payload.Severity != want {
					t.Errorf("%s: %q, %v, %+v", ours, ref, err, last)
				}
			}
		}
	}
	if err := pagerduty.Kind.Check(respondtest.Decode(map[string]any{"routing_key": "short"})); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a short key: %v", err)
	}
}
