package teams_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"honeyguide/internal/respond"
	"honeyguide/internal/respond/respondtest"
	"honeyguide/internal/respond/teams"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

var reference = regexp.MustCompile(`"(p-[a-z0-9-]+)"`)

func world() respondtest.World {
	seen := map[string]bool{}
	return respondtest.World{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			id := reference.FindStringSubmatch(string(raw))
			if id == nil || len(raw) > 20<<10 {
				w.WriteHeader(413)
				return
			}
			seen[id[1]] = true
			w.WriteHeader(202)
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
		Kind: teams.Kind, World: world, Secrets: []string{"s1gn4ture"},
		Config: func(url string) map[string]any {
			return map[string]any{"url": url + "/workflows/1/triggers?sig=s1gn4ture"}
		},
		Check: func(t *testing.T, heard []respondtest.Heard) {
			for _, h := range heard {
				var v any
				if err := json.Unmarshal(h.Body, &v); err != nil || strings.Contains(string(h.Body), `"TextBlock"`) || strings.Contains(string(h.Body), `"FactSet"`) {
					t.Errorf("%v, or an element that knows Markdown: %.200s", err, h.Body)
				}
			}
		},
	})
}

func TestErrorsInSuccess(t *testing.T) {
	for text, want := range map[string]string{
		"": "sent", "1": "sent",
		"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x": "again",
		"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 403 with ContextId x": "never",
		"Webhook Bad Request - message too large": "never",
	} {
		fake := respondtest.NewFake(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
		door := respondtest.NewDoor(fake.Roots())
		a, err := teams.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"url": fake.URL + "/x"}), respondtest.Deps(t, "teams", door))
		if err != nil {
			t.Fatal(err)
		}
		door.Open(t, a)
		_, err = a.(respond.Messenger).Send(t.Context(), respond.Message{ID: "n1", Title: "x"})
		if got := map[bool]string{true: "sent", false: map[bool]string{true: "never", false: "again"}[respond.IsPermanent(err)]}[err == nil]; got != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
