package oidc

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"honeyguide/internal/seal"
)

// CookieName is the cookie that holds a sign-in under way. It has to be set with
// Path=/, Secure, HttpOnly and SameSite=Lax: the provider sends the browser back
// from another site, and a Strict cookie would stay behind.
const CookieName = "__Host-honeyguide-oidc"

// CookieLife is how long a sign-in may take.
const CookieLife = 10 * time.Minute

// maxCookie is less than what browsers keep.
const maxCookie = 3500

// A flight is a sign-in under way: what was sent to the provider, and where to go
// after it. It travels in the browser, sealed.
type flight struct {
	Provider string    `json:"p"`
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of PKCE (RFC 7636)
	To       string    `json:"t"`
	Until    time.Time `json:"u"`
}

// Flights seals sign-ins under way and knows those that have ended. One is shared
// by all providers. Its key lives as long as the process: after a restart people
// press the button again.
type Flights struct {
	box  *seal.Box
	now  func() time.Time
	mu   sync.Mutex
	used map[string]time.Time // states that came back, and when they may be forgotten
}

// maxUsed bounds the states remembered. When all are young, the sign-in that comes
// back is refused: it could not be told from one that came back before.
const maxUsed = 20_000

// NewFlights returns an empty register. now is the clock.
func NewFlights(now func() time.Time) *Flights {
	return &Flights{box: seal.Random(), now: now, used: map[string]time.Time{}}
}

// random returns 256 random bits as text.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// begin makes a flight and its cookie.
func (f *Flights) begin(provider, to string) (flight, string, error) {
	fl := flight{Provider: provider, State: random(), Nonce: random(), Verifier: random(), To: Local(to), Until: f.now().Add(CookieLife).UTC()}
	raw, err := json.Marshal(fl)
	if err != nil {
		return fl, "", err
	}
	return fl, base64.RawURLEncoding.EncodeToString(f.box.Seal(raw, CookieName)), nil
}

// land opens the cookie of a flight and compares its state. Each state lands once.
func (f *Flights) land(provider, state, cookie string) (flight, error) {
	var fl flight
	no := func(reason string) (flight, error) { return fl, refuse(State, reason, nil) }
	if cookie == "" {
		return no("the browser brings no sign-in that was begun here")
	}
	raw, err := base64.RawURLEncoding.DecodeString(cookie)
	if len(cookie) > maxCookie || err != nil {
		return no("the cookie of the sign-in cannot be read")
	}
	plain, err := f.box.Open(raw, CookieName)
	if err != nil || json.Unmarshal(plain, &fl) != nil {
		return no("the cookie of the sign-in is not ours, or from before a restart")
	}
	now := f.now()
	switch left := fl.Until.Sub(now); {
	case left <= 0 || left > CookieLife+time.Minute:
		return no("the sign-in was begun too long ago")
	case fl.Provider != provider:
		return no("the sign-in was begun with another provider")
	case state == "":
		return no("the provider sent no state back")
	case subtle.ConstantTimeCompare([]byte(state), []byte(fl.State)) != 1:
		return no("the state is not the one that was sent")
	case !f.first(fl.State, fl.Until, now):
		return no("the sign-in was finished already")
	}
	return fl, nil
}

// first reports whether a state has not landed before, and notes that it has now.
func (f *Flights) first(state string, until, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, landed := f.used[state]; landed {
		return false
	}
	if len(f.used) >= maxUsed {
		for s, t := range f.used {
			if now.After(t) {
				delete(f.used, s)
			}
		}
	}
	if len(f.used) >= maxUsed {
		return false
	}
	f.used[state] = until.Add(2 * time.Minute)
	return true
}

// Local returns a path of this site that a browser may be sent to, "/" for
// everything else.
func Local(to string) string {
	bad := len(to) > maxText || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
		strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f })
	if bad {
		return "/"
	}
	return to
}
