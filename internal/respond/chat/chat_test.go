package chat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/respond"
	"honeyguide/internal/respond/chat"
	"honeyguide/internal/respond/respondtest"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const token = "123456:AAbbCCddEEffGG"

var reference = regexp.MustCompile(`Reference: (p-[a-z0-9-]+)`)

// text is the part of a request that people read.
func text(t testing.TB, flavour string, raw []byte) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	s, _ := v[map[string]string{"telegram": "text", "discord": "content", "mattermost": "text"}[flavour]].(string)
	return s
}

func world(t testing.TB, flavour string) respondtest.World {
	seen := map[string]int{}
	return respondtest.World{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			said := text(t, flavour, raw)
			id := reference.FindStringSubmatch(said)
			limit := map[string]int{"telegram": 4096, "discord": 2000, "mattermost": 4000}[flavour]
			if id == nil || len([]rune(said)) > limit && flavour != "telegram" || flavour == "telegram" && r.URL.Path != "/bot"+token+"/sendMessage" {
				w.WriteHeader(400)
				fmt.Fprint(w, `{"ok":false,"error_code":400,"description":"Bad Request"}`)
				return
			}
			if seen[id[1]] == 0 {
				seen[id[1]] = len(seen) + 1
			}
			switch flavour {
			case "telegram":
				fmt.Fprintf(w, `{"ok":true,"result":{"message_id":%d,"chat":{"id":-100}}}`, seen[id[1]])
			case "discord":
				fmt.Fprintf(w, `{"id":"11037%d","type":0}`, seen[id[1]])
			default:
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

// block is all of a message but what stands in its block of code, which must be one.
func block(t *testing.T, flavour, s string) string {
	t.Helper()
	if flavour == "telegram" {
		head, rest, _ := strings.Cut(s, "<pre>")
		in, tail, ok := strings.Cut(rest, "</pre>")
		if !ok || strings.ContainsAny(in, "<>\"") {
			t.Errorf("no block, or markup in it: %.200q", s)
		}
		return head + tail
	}
	fence := regexp.MustCompile("(?m)^`{3,}$").FindString(s)
	parts := strings.Split(s, "\n"+fence+"\n")
	if fence == "" || len(parts) != 3 || strings.Contains(parts[1], fence) {
		t.Errorf("%d blocks: %.200q", len(parts), s)
		return ""
	}
	return parts[0] + parts[2]
}

func TestConformance(t *testing.T) {
	for _, flavour := range []string{"telegram", "discord", "mattermost"} {
		t.Run(flavour, func(t *testing.T) {
			around := ""
			respondtest.Run(t, respondtest.Subject{
				Kind: chat.Kind, World: func() respondtest.World { return world(t, flavour) }, Secrets: []string{token, "hook-k3y-1234"},
				Config: func(url string) map[string]any {
					if flavour == "telegram" {
						return map[string]any{"flavour": flavour, "url": url, "token": token, "channel": "-100"}
					}
					return map[string]any{"flavour": flavour, "url": url + "/hooks/hook-k3y-1234"}
				},
				Check: func(t *testing.T, heard []respondtest.Heard) {
					for _, h := range heard {
						rest := block(t, flavour, text(t, flavour, h.Body))
						if around == "" {
							around = rest
						}
						if rest != around {
							t.Errorf("outside of the block stands %q, before %q", rest, around)
						}
					}
				},
			})
		})
	}
}

// Telegram says in the body alone how long to wait.
func TestWait(t *testing.T) {
	fake := respondtest.NewFake(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(429)
		fmt.Fprint(w, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 9","parameters":{"retry_after":9}}`)
	}))
	door := respondtest.NewDoor(fake.Roots())
	a, err := chat.Kind.Open(t.Context(), respondtest.Decode(map[string]any{"flavour": "telegram", "url": fake.URL, "token": token, "channel": "1"}), respondtest.Deps(t, "tg", door))
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	_, err = a.(respond.Messenger).Send(t.Context(), respond.Message{ID: "n"})
	if wait, ok := errors.AsType[*respond.Wait](err); !ok || respond.IsPermanent(err) || wait.For != 9*time.Second {
		t.Errorf("got %v", err)
	}
}
