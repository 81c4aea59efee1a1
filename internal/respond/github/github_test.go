package github_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/respond"
	"honeyguide/internal/respond/github"
	"honeyguide/internal/respond/respondtest"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const token = "github_pat_0123456789"

type issue struct {
	Number int      `json:"number"`
	Title  string   `json:"title"`
	Body   string   `json:"body"`
	Labels []string `json:"labels"`
}

// world is GitHub: the newest issues come first, a hundred a page.
func world() respondtest.World {
	var issues []issue
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/acme/soc/issues", func(w http.ResponseWriter, r *http.Request) {
		out := []map[string]any{}
		for i := len(issues) - 1; i >= 0 && len(out) < 100 && r.FormValue("labels") == "honeyguide" && r.FormValue("page") == "1"; i-- {
			out = append(out, map[string]any{"number": issues[i].Number, "body": issues[i].Body})
		}
		_ = json.NewEncoder(w).Encode(out)
	})
	mux.HandleFunc("POST /repos/acme/soc/issues", func(w http.ResponseWriter, r *http.Request) {
		var i issue
		if json.NewDecoder(r.Body).Decode(&i) != nil || i.Title == "" || len(i.Body) > 65536 {
			w.WriteHeader(422)
			fmt.Fprint(w, `{"message":"Validation Failed"}`)
			return
		}
		i.Number = len(issues) + 1
		issues = append(issues, i)
		w.WriteHeader(201)
		_ = json.NewEncoder(w).Encode(map[string]any{"number": i.Number, "html_url": "x"})
	})
	mux.HandleFunc("GET /repos/acme/soc/issues/{n}", func(w http.ResponseWriter, r *http.Request) {
		for _, i := range issues {
			if fmt.Sprint(i.Number) == r.PathValue("n") {
				_ = json.NewEncoder(w).Encode(map[string]any{"number": i.Number, "body": i.Body})
				return
			}
		}
		w.WriteHeader(404)
	})
	return respondtest.World{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+token {
				w.WriteHeader(401)
				return
			}
			mux.ServeHTTP(w, r)
		}),
		Effects: func() (out []string) {
			for _, i := range issues {
				out = append(out, fmt.Sprint(i.Number))
			}
			return out
		},
	}
}

func TestConformance(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: github.Kind, World: world, Secrets: []string{token}, Own: true,
		Config: func(url string) map[string]any {
			return map[string]any{"url": url, "token": token, "repository": "acme/soc"}
		},
		// A list of issues is what its list is.
		Check: func(t *testing.T, heard []respondtest.Heard) {
			for _, h := range heard {
				if h.Method != "POST" {
					continue
				}
				var i issue
				if err := json.Unmarshal(h.Body, &i); err != nil {
					t.Fatal(err)
				}
				fence, _, _ := strings.Cut(i.Body, "\n")
				parts := strings.Split(i.Body, "\n"+fence+"\n")
				if strings.Trim(fence, "`") != "" || len(fence) < 3 || len(parts) != 2 || !strings.HasPrefix(parts[1], "\n[Open in Honeyguide](https://console.example.org/incidents/01JINCIDENT)\n\n<!-- honeyguide:") || len(parts[1]) > 120 {
					t.Errorf("not one block of code: %.300q", i.Body)
				}
			}
		},
	})
}

// Its limits come with status 403, and with the time they end.
func TestLimits(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"secondary": {"Retry-After": "60"}, "primary": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC).Unix())},
	} {
		fake := respondtest.NewFake(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(403)
			fmt.Fprint(w, `{"message":"API rate limit exceeded"}`)
		}))
		door := respondtest.NewDoor(fake.Roots())
		a, err := github.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"url": fake.URL, "token": token, "repository": "acme/soc"}), respondtest.Deps(t, "github", door))
		if err != nil {
			t.Fatal(err)
		}
		door.Open(t, a)
		p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("", nil), "p1")
		_, err = a.Apply(t.Context(), p)
		if wait, ok := errors.AsType[*respond.Wait](err); !ok || respond.IsPermanent(err) || wait.For != time.Minute {
			t.Errorf("%s: %v", name, err)
		}
	}
}
