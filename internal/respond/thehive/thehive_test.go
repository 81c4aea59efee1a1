package thehive_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"honeyguide/internal/respond"
	"honeyguide/internal/respond/respondtest"
	"honeyguide/internal/respond/thehive"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const key = "th3hive-k3y-0123"

type object = map[string]any

// world is TheHive: alerts by their triple, cases by alert.
func world(patched *int) func() respondtest.World {
	return func() respondtest.World {
		alerts, byID := map[string]object{}, map[string]object{}
		say := func(w http.ResponseWriter, status int, v any) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(v)
		}
		mux := http.NewServeMux()
		mux.HandleFunc("POST /api/v1/alert", func(w http.ResponseWriter, r *http.Request) {
			var a object
			if json.NewDecoder(r.Body).Decode(&a) != nil || a["title"] == "" || a["description"] == "" || a["type"] == "" {
				say(w, 400, object{"type": "BadRequest", "message": "invalid"})
				return
			}
			triple := fmt.Sprint(a["type"], "/", a["source"], "/", a["sourceRef"])
			if alerts[triple] != nil {
				say(w, 400, object{"type": "CreateError", "message": "Alert already exists"})
				return
			}
			a["_id"] = fmt.Sprintf("~4%d", len(alerts))
			alerts[triple], byID[a["_id"].(string)] = a, a
			say(w, 201, a)
		})
		mux.HandleFunc("GET /api/v1/alert/{id}", func(w http.ResponseWriter, r *http.Request) {
			if a := byID[r.PathValue("id")]; a != nil {
				say(w, 200, a)
				return
			}
			say(w, 404, object{"type": "NotFoundError", "message": "Alert not found"})
		})
		mux.HandleFunc("PATCH /api/v1/alert/{id}", func(w http.ResponseWriter, r *http.Request) {
			*patched++
			w.WriteHeader(204)
		})
		mux.HandleFunc("POST /api/v1/alert/{id}/observable", func(w http.ResponseWriter, _ *http.Request) {
			say(w, 400, object{"type": "CreateError", "message": "Observable already exists"})
		})
		mux.HandleFunc("POST /api/v1/alert/{id}/case", func(w http.ResponseWriter, r *http.Request) {
			a := byID[r.PathValue("id")]
			if a == nil || a["caseId"] != nil {
				say(w, 400, object{"type": "BadRequest", "message": "Alert is already imported"})
				return
			}
			a["caseId"] = "~case" + r.PathValue("id")[1:]
			say(w, 201, object{"_id": a["caseId"], "number": 1})
		})
		mux.HandleFunc("POST /api/v1/query", func(w http.ResponseWriter, r *http.Request) {
			var q struct{ Query []object }
			raw, _ := io.ReadAll(r.Body)
			out := []object{}
			if json.Unmarshal(raw, &q) == nil && len(q.Query) == 3 && q.Query[0]["_name"] == "listAlert" {
				if eq, ok := q.Query[1]["_eq"].(object); ok && eq["_field"] == "sourceRef" {
					for _, a := range alerts {
						if a["sourceRef"] == eq["_value"] {
							out = append(out, a)
						}
					}
				}
			}
			say(w, 200, out)
		})
		return respondtest.World{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+key || r.Header.Get("X-Organisation") != "soc" {
					say(w, 401, object{"type": "AuthenticationError", "message": "Authentication failure"})
					return
				}
				mux.ServeHTTP(w, r)
			}),
			Effects: func() (out []string) {
				for k := range alerts {
					out = append(out, k)
				}
				return out
			},
		}
	}
}

func TestConformance(t *testing.T) {
	for _, as := range []string{"alert", "case"} {
		t.Run(as, func(t *testing.T) {
			patched := 0
			respondtest.Run(t, respondtest.Subject{
				Kind: thehive.Kind, World: world(&patched), Secrets: []string{key}, Fill: []string{"title", "text", "observables"},
				// Each text is a message of its own, so that each is raised, not brought up to date.
				Own: true,
				Config: func(url string) map[string]any {
					return map[string]any{"url": url, "key": key, "organisation": "soc", "as": as}
				},
				Check: func(t *testing.T, heard []respondtest.Heard) {
					for _, h := range heard {
						var a struct {
							Description string
							Observables []struct{ DataType, Data string }
						}
						if h.Path != "/api/v1/alert" {
							continue
						}
						if err := json.Unmarshal(h.Body, &a); err != nil {
							t.Fatal(err)
						}
						fence, _, _ := strings.Cut(a.Description, "\n")
						if strings.Trim(fence, "`") != "" || len(fence) < 3 || strings.Count("\n"+a.Description+"\n", "\n"+fence+"\n") != 2 || strings.Count(a.Description, fence) != 2 {
							t.Errorf("not one block of code: %.200q", a.Description)
						}
						if len(a.Observables) != 1 || a.Observables[0].Data != "198.51.100.7" {
							t.Errorf("observables %+v", a.Observables)
						}
					}
				},
			})
		})
	}
}

// A second alert of one incident is the first, brought up to date.
func TestUpdate(t *testing.T) {
	patched := 0
	w := world(&patched)()
	fake := respondtest.NewFake(t, w.Handler)
	door := respondtest.NewDoor(fake.Roots())
	a, err := thehive.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"url": fake.URL, "key": key, "organisation": "soc"}), respondtest.Deps(t, "hive", door))
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	for i := range 2 {
		p, err := respondtest.Plan(t.Context(), a, respondtest.Request("", nil), fmt.Sprint("p", i))
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Apply(t.Context(), p)
		if err != nil || r.Ref != "~40" || patched != i {
			t.Errorf("%d: %+v, %v, %d updates", i, r, err, patched)
		}
		if err := a.(respond.Verifier).Verify(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("", map[string]string{"key": "another"}), "p9")
	if err := a.(respond.Verifier).Verify(t.Context(), p); err == nil {
		t.Error("what was never raised is there")
	}
	if n := len(w.Effects()); n != 1 {
		t.Errorf("%d alerts", n)
	}
}
