package misp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"honeyguide"
	"honeyguide/internal/respond/misp"
	"honeyguide/internal/respond/respondtest"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const key = "misp-automat10n-key"

var uuid5 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

type attribute struct {
	UUID, Type, Category, Value string
	ToIDS                       bool `json:"to_ids"`
}

type event struct {
	Event struct {
		UUID, Info, Date string
		Published        bool
		Attribute        []attribute
		Tag              []struct{ Name string }
	}
}

func world() respondtest.World {
	events := map[string]event{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events/view/{uuid}", func(w http.ResponseWriter, r *http.Request) {
		e, ok := events[r.PathValue("uuid")]
		if !ok {
			w.WriteHeader(404)
			fmt.Fprint(w, `{"name":"Invalid event","message":"Invalid event","url":"/events/view"}`)
			return
		}
		_ = json.NewEncoder(w).Encode(e)
	})
	mux.HandleFunc("POST /events/add", func(w http.ResponseWriter, r *http.Request) {
		var e event
		if json.NewDecoder(r.Body).Decode(&e) != nil || !uuid5.MatchString(e.Event.UUID) || e.Event.Info == "" || e.Event.Published {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"saved":false,"name":"Could not add Event","errors":{"info":["Info cannot be empty."]}}`)
			return
		}
		if _, again := events[e.Event.UUID]; again {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"saved":false,"name":"Could not add Event","errors":"Event already exists"}`)
			return
		}
		events[e.Event.UUID] = e
		_ = json.NewEncoder(w).Encode(e)
	})
	return respondtest.World{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != key {
				w.WriteHeader(403)
				return
			}
			mux.ServeHTTP(w, r)
		}),
		Effects: func() (out []string) {
			for k := range events {
				out = append(out, k)
			}
			return out
		},
	}
}

func TestConformance(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: misp.Kind, World: world, Secrets: []string{key}, Own: true, Fill: []string{"title", "text", "attributes"},
		Config: func(url string) map[string]any { return map[string]any{"url": url, "key": key} },
		// A 404 to the question says that the event is not there; the same to the event is a failure.
		Check: func(t *testing.T, heard []respondtest.Heard) {
			for _, h := range heard {
				var e event
				if h.Method != "POST" {
					continue
				}
				if err := json.Unmarshal(h.Body, &e); err != nil || len(e.Event.Attribute) != 1 || e.Event.Attribute[0].Value != "198.51.100.7" || e.Event.Attribute[0].ToIDS {
					t.Errorf("%+v, %v", e, err)
				}
			}
		},
	})
}

// What is pushed of what was observed: indicators, no users, no tokens, nothing private.
func TestAttributes(t *testing.T) {
	fake := respondtest.NewFake(t, world().Handler)
	door := respondtest.NewDoor(fake.Roots())
	a, err := misp.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"url": fake.URL, "key": key, "to_ids": true}), respondtest.Deps(t, "misp", door))
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	r := respondtest.Request("", nil)
	r.Incident.Attackers = []string{"198.51.100.7", "10.0.0.5", "token:x", "2001:db8::7"}
	r.Alerts[0].Observed = []honeyguide.Observable{
		{Type: "url", Value: "http://evil.example/x.sh"},
		{Type: "user", Value: "root"},
		{Type: "token", Value: "AKIA"},
		{Type: "hash", Value: "nonsense"},
		{Type: "hash", Value: fmt.Sprintf("%064x", 7)},
		{Type: "domain", Value: "evil\u202e.example"},
	}
	p, err := respondtest.Plan(t.Context(), a, r, "p1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	var e event
	for _, h := range fake.Heard() {
		if h.Method == "POST" {
			if err := json.Unmarshal(h.Body, &e); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := ""
	for _, at := range e.Event.Attribute {
		got += fmt.Sprintln(at.Type, at.Value, at.ToIDS)
	}
	if want := "ip-src 198.51.100.7 true\nip-src 2001:db8::7 true\nurl http://evil.example/x.sh false\nsha256 " + fmt.Sprintf("%064x", 7) + " false\n"; got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}
