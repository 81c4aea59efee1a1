package jira_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"honeyguide/internal/respond"
	"honeyguide/internal/respond/jira"
	"honeyguide/internal/respond/respondtest"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const token = "j1ra-t0ken-0123"

type fields struct {
	Labels      []string        `json:"labels"`
	Summary     string          `json:"summary,omitempty"`
	Description json.RawMessage `json:"description,omitempty"`
}

type issue struct {
	Key    string `json:"key"`
	Fields fields `json:"fields"`
}

var question = regexp.MustCompile(`^project = "SEC" AND labels = "([^"]+)" ORDER BY created ASC$`)

// world is Jira. The search of Cloud and that of Data Center stand at other places.
func world(version string) func() respondtest.World {
	return func() respondtest.World {
		var issues []issue
		mux := http.NewServeMux()
		search := map[string]string{"3": "/search/jql", "2": "/search"}[version]
		mux.HandleFunc("GET /rest/api/"+version+search, func(w http.ResponseWriter, r *http.Request) {
			m := question.FindStringSubmatch(r.FormValue("jql"))
			if m == nil {
				w.WriteHeader(400)
				fmt.Fprint(w, `{"errorMessages":["Error in the JQL Query"]}`)
				return
			}
			out := []issue{}
			for _, i := range issues {
				if strings.Contains(strings.Join(i.Fields.Labels, " "), m[1]) {
					out = append(out, issue{i.Key, fields{Labels: i.Fields.Labels}})
				}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"issues": out, "isLast": true})
		})
		mux.HandleFunc("POST /rest/api/"+version+"/issue", func(w http.ResponseWriter, r *http.Request) {
			var i issue
			if json.NewDecoder(r.Body).Decode(&i) != nil || i.Fields.Summary == "" || len(i.Fields.Summary) > 1000 || strings.Contains(i.Fields.Summary, "\n") || (i.Fields.Description[0] == '{') != (version == "3") {
				w.WriteHeader(400)
				fmt.Fprint(w, `{"errorMessages":[],"errors":{"summary":"The summary is invalid because it contains newline characters."}}`)
				return
			}
			i.Key = fmt.Sprintf("SEC-%d", len(issues)+1)
			issues = append(issues, i)
			w.WriteHeader(201)
			fmt.Fprintf(w, `{"id":"1000%d","key":%q,"self":"x"}`, len(issues), i.Key)
		})
		mux.HandleFunc("GET /rest/api/"+version+"/issue/{key}", func(w http.ResponseWriter, r *http.Request) {
			for _, i := range issues {
				if i.Key == r.PathValue("key") {
					_ = json.NewEncoder(w).Encode(i)
					return
				}
			}
			w.WriteHeader(404)
			fmt.Fprint(w, `{"errorMessages":["Issue does not exist or you do not have permission to see it."]}`)
		})
		return respondtest.World{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, pass, basic := r.BasicAuth(); basic && pass != token || !basic && r.Header.Get("Authorization") != "Bearer "+token {
					w.WriteHeader(401)
					return
				}
				mux.ServeHTTP(w, r)
			}),
			Effects: func() (out []string) {
				for _, i := range issues {
					out = append(out, i.Key)
				}
				return out
			},
		}
	}
}

func TestConformance(t *testing.T) {
	for flavour, version := range map[string]string{"cloud": "3", "server": "2"} {
		t.Run(flavour, func(t *testing.T) {
			respondtest.Run(t, respondtest.Subject{
				Kind: jira.Kind, World: world(version), Secrets: []string{token}, Own: true,
				Config: func(url string) map[string]any {
					c := map[string]any{"url": url, "token": token, "project": "SEC", "flavour": flavour, "user": "soc@example.org"}
					if flavour == "server" {
						delete(c, "user")
					}
					return c
				},
				Check: func(t *testing.T, heard []respondtest.Heard) {
					for _, h := range heard {
						var i issue
						if h.Method != "POST" {
							continue
						}
						if err := json.Unmarshal(h.Body, &i); err != nil {
							t.Fatal(err)
						}
						if s := string(i.Fields.Description); flavour == "server" && (strings.Count(s, "{noformat}") != 2 || strings.Count(strings.ReplaceAll(s, "{noformat}", ""), "{") != strings.Count(s, "{ ")) {
							t.Errorf("markup arrives: %.300s", s)
						}
					}
				},
			})
		})
	}
}

// An issue that was deleted, or is somebody else's, is not there.
func TestVerify(t *testing.T) {
	fake := respondtest.NewFake(t, world("3")().Handler)
	door := respondtest.NewDoor(fake.Roots())
	a, err := jira.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"url": fake.URL, "token": token, "project": "SEC", "user": "u"}), respondtest.Deps(t, "jira", door))
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("", nil), "p1")
	r, err := a.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Ref = r.Ref
	if err := a.(respond.Verifier).Verify(t.Context(), p); err != nil {
		t.Error(err)
	}
	other, _ := respondtest.Plan(t.Context(), a, respondtest.Request("", map[string]string{"key": "another"}), "p2")
	for _, ref := range []string{r.Ref, "SEC-99", "", "../../x"} {
		other.Ref = ref
		if err := a.(respond.Verifier).Verify(t.Context(), other); err == nil {
			t.Errorf("%q is there", ref)
		}
	}
}
