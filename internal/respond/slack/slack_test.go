package slack_test

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
	"honeyguide/internal/respond/slack"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

var reference = regexp.MustCompile(`Reference: (p-[a-z0-9-]+)`)

// world is Slack: a webhook says ok, the API says so in JSON and gives a stamp.
func world() respondtest.World {
	seen := map[string]string{}
	return respondtest.World{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			var body struct {
				Channel string
				Blocks  []any
			}
			id := reference.FindStringSubmatch(string(raw))
			switch err := json.Unmarshal(raw, &body); {
			case err != nil || len(body.Blocks) == 0 || len(body.Blocks) > 50 || id == nil:
				w.WriteHeader(400)
				fmt.Fprint(w, "invalid_payload")
			case r.URL.Path == "/api/chat.postMessage":
				if r.Header.Get("Authorization") != "Bearer xoxb-s3cret-token" || body.Channel != "C024" {
					fmt.Fprint(w, `{"ok":false,"error":"not_authed"}`)
					return
				}
				if seen[id[1]] == "" {
					seen[id[1]] = fmt.Sprintf("1503435956.%06d", len(seen))
				}
				fmt.Fprintf(w, `{"ok":true,"channel":"C024","ts":%q}`, seen[id[1]])
			default:
				seen[id[1]] = "ok"
				fmt.Fprint(w, "ok")
			}
		}),
		Effects: func() (out []string) {
			for k := range seen {
				out = append(out, k)
			}
			return out
		},
	}
}

// plainOnly fails when an attacker's text stands where Slack reads formats.
func plainOnly(t *testing.T, heard []respondtest.Heard) {
	for _, h := range heard {
		var v any
		if err := json.Unmarshal(h.Body, &v); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(h.Body), "mrkdwn\",") {
			t.Error("a format in the blocks")
		}
		respondtest.Strings(v, func(s string) {
			if strings.ContainsAny(s, "<>") || len([]rune(s)) > 3000 {
				t.Errorf("%.80q arrives", s)
			}
			if rest := strings.ReplaceAll(s, "https://console.example.org", ""); strings.Contains(rest, "://") {
				t.Errorf("a link arrives: %.80q", s)
			}
		})
	}
}

func TestWebhook(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: slack.Kind, World: world, Check: plainOnly, Secrets: []string{"T0/B0/s3cretpath", "s3cretpath"},
		Config: func(url string) map[string]any { return map[string]any{"url": url + "/services/T0/B0/s3cretpath"} },
	})
}

func TestBot(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: slack.Kind, World: world, Check: plainOnly, Secrets: []string{"xoxb-s3cret-token"},
		Config: func(url string) map[string]any {
			return map[string]any{"url": url + "/api/chat.postMessage", "token": "xoxb-s3cret-token", "channel": "C024"}
		},
	})
}

// An answer of 200 may still say no.
func TestAnswersOfTheAPI(t *testing.T) {
	for word, permanent := range map[string]bool{"channel_not_found": true, "invalid_auth": true, "ratelimited": false, "internal_error": false, "": false} {
		fake := respondtest.NewFake(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"ok":false,"error":%q}`, word) }))
		door := respondtest.NewDoor(fake.Roots())
		a, err := slack.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"url": fake.URL + "/x", "token": "xoxb-1", "channel": "C"}), respondtest.Deps(t, "slack", door))
		if err != nil {
			t.Fatal(err)
		}
		door.Open(t, a)
		if _, err := a.(respond.Messenger).Send(t.Context(), respond.Message{ID: "n1", Title: "x"}); err == nil || respond.IsPermanent(err) != permanent || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v", word, err)
		}
	}
}
