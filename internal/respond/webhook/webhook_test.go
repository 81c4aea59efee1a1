package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"honeyguide/internal/respond/respondtest"
	"honeyguide/internal/respond/webhook"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

const secret, token = "whsec-0123456789abcdef", "tok-abcdefgh"

// verified does what docs/how-to/notify.md tells a receiver to do.
func verified(header string, body []byte) bool {
	t, v, ok := strings.Cut(header, ",v1=")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.TrimPrefix(t, "t=") + "."))
	mac.Write(body)
	return ok && hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(v))
}

func TestConformance(t *testing.T) {
	respondtest.Run(t, respondtest.Subject{
		Kind: webhook.Kind,
		Config: func(url string) map[string]any {
			return map[string]any{"url": url + "/hook/k3y-in-the-path", "secret": secret, "token": token}
		},
		Secrets: []string{secret, token, "k3y-in-the-path"},
		Fill:    []string{"title", "text", "attacker_param"},
		Params:  map[string]string{"attacker_param": "x"},
		// It may answer 200 with anything: its answers are not looked at.
		Verdict: map[string]respondtest.Verdict{"garbage": respondtest.Works, "garbage that is JSON": respondtest.Works},
		World: func() respondtest.World {
			seen := map[string]bool{}
			return respondtest.World{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					if !verified(r.Header.Get("X-Honeyguide-Signature"), body) || r.Header.Get("Authorization") != "Bearer "+token {
						w.WriteHeader(401)
						return
					}
					seen[r.Header.Get("Idempotency-Key")] = true
					w.WriteHeader(202)
				}),
				Effects: func() (out []string) {
					for k := range seen {
						out = append(out, k)
					}
					return out
				},
			}
		},
	})
}
