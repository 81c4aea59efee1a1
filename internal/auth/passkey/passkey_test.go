package passkey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
)

var here = virtualwebauthn.RelyingParty{ID: "soc.example", Name: "Honeyguide", Origin: "https://soc.example:8443"}

// newKey makes a key. The authenticator leaves leading zeros of a coordinate out,
// which no real one does and the library refuses, so such keys are passed over.
func newKey() virtualwebauthn.Credential {
	for {
		k := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(k.Key.AttestationData()) == 77 { // COSE_Key of P-256 with 32 bytes each
			return k
		}
	}
}

// A stage is a party, its clock, and two people with a device each.
type stage struct {
	t        *testing.T
	party    *Party
	at       time.Time
	ann, bob *person
}

type person struct {
	user   User
	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
}

func newStage(t *testing.T) *stage {
	t.Helper()
	place, err := PlaceOf("https://soc.example:8443", "127.0.0.1:8443")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	if s.party, err = New(place, func() time.Time { return s.at }); err != nil {
		t.Fatal(err)
	}
	s.ann, s.bob = s.join("ann", "h-ann"), s.join("bob", "h-bob")
	return s
}

// join registers a key of a new user.
func (s *stage) join(name, handle string) *person {
	s.t.Helper()
	p := &person{
		user:   User{Handle: []byte(handle), Name: name},
		device: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(handle)}),
		key:    newKey(),
	}
	k, err := s.register(p, p.key, here)
	if err != nil {
		s.t.Fatalf("register %s: %v", name, err)
	}
	p.user.Keys = append(p.user.Keys, k)
	p.device.AddCredential(p.key)
	return p
}

func (s *stage) register(p *person, key virtualwebauthn.Credential, rp virtualwebauthn.RelyingParty) (Key, error) {
	s.t.Helper()
	raw, err := s.party.BeginRegistration(p.user)
	if err != nil {
		s.t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.party.FinishRegistration(p.user, []byte(virtualwebauthn.CreateAttestationResponse(rp, p.device, key, *options)))
}

// answer lets a device answer the options of a sign-in.
func (s *stage) answer(raw json.RawMessage, p *person, rp virtualwebauthn.RelyingParty) []byte {
	s.t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	p.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(rp, p.device, p.key, *options))
}

func (s *stage) find(handle []byte) (User, error) {
	for _, p := range []*person{s.ann, s.bob} {
		if bytes.Equal(p.user.Handle, handle) {
			return p.user, nil
		}
	}
	return User{}, errors.New("nobody")
}

func (s *stage) begin(f func() (json.RawMessage, error)) json.RawMessage {
	s.t.Helper()
	raw, err := f()
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

func (s *stage) second(p *person) json.RawMessage {
	s.t.Helper()
	return s.begin(func() (json.RawMessage, error) { return s.party.BeginSecond(p.user) })
}

func reason(err error) Reason {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Reason
	}
	return Reason(fmt.Sprint(err))
}

func TestSignIn(t *testing.T) {
	s := newStage(t)
	for range 3 {
		e, err := s.party.FinishSole(s.find, s.answer(s.begin(s.party.BeginSole), s.ann, here))
		if err != nil || e.User.Name != "ann" || !e.Verified || e.Key.Counter != s.ann.key.Counter {
			t.Fatalf("sole: %+v, %v", e, err)
		}
		s.ann.user.Keys[0] = e.Key
		e, err = s.party.FinishSecond(s.ann.user, s.answer(s.second(s.ann), s.ann, here))
		if err != nil || e.Key.Counter != s.ann.key.Counter {
			t.Fatalf("second: %+v, %v", e, err)
		}
		s.ann.user.Keys[0] = e.Key
	}
	rsa := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA)
	k, err := s.register(s.ann, rsa, here)
	if err != nil {
		t.Fatal(err)
	}
	s.ann.user.Keys = append(s.ann.user.Keys, k)
	both := s.second(s.ann)
	if n := strings.Count(string(both), `"public-key"`); n != 2 {
		t.Errorf("%d keys may be used: %s", n, both)
	}
	s.ann.key = rsa
	if e, err := s.party.FinishSecond(s.ann.user, s.answer(both, s.ann, here)); err != nil || !bytes.Equal(e.Key.ID, rsa.ID) {
		t.Errorf("the second key: %+v, %v", e, err)
	}
}

// TestRefused walks through what a key may be refused for.
func TestRefused(t *testing.T) {
	evil := virtualwebauthn.RelyingParty{ID: here.ID, Origin: "https://soc.example.evil.test:8443"}
	other := virtualwebauthn.RelyingParty{ID: "evil.test", Origin: here.Origin}
	port := virtualwebauthn.RelyingParty{ID: here.ID, Origin: "https://soc.example"}
	plain := virtualwebauthn.RelyingParty{ID: here.ID, Origin: "http://soc.example:8443"}
	sole := func(s *stage, p *person, rp virtualwebauthn.RelyingParty) error {
		_, err := s.party.FinishSole(s.find, s.answer(s.begin(s.party.BeginSole), p, rp))
		return err
	}
	for name, c := range map[string]struct {
		want Reason
		do   func(*stage) error
	}{
		"evil origin":  {WrongOrigin, func(s *stage) error { return sole(s, s.ann, evil) }},
		"another port": {WrongOrigin, func(s *stage) error { return sole(s, s.ann, port) }},
		"without TLS":  {WrongOrigin, func(s *stage) error { return sole(s, s.ann, plain) }},
		"wrong place":  {WrongPlace, func(s *stage) error { return sole(s, s.ann, other) }},
		"replay": {Stale, func(s *stage) error {
			a := s.answer(s.begin(s.party.BeginSole), s.ann, here)
			if _, err := s.party.FinishSole(s.find, a); err != nil {
				return err
			}
			_, err := s.party.FinishSole(s.find, a)
			return err
		}},
		"a failure spends the challenge": {Stale, func(s *stage) error {
			raw := s.begin(s.party.BeginSole)
			if _, err := s.party.FinishSole(s.find, s.answer(raw, s.ann, evil)); reason(err) != WrongOrigin {
				return err
			}
			_, err := s.party.FinishSole(s.find, s.answer(raw, s.ann, here))
			return err
		}},
		"a challenge of one's own": {Stale, func(s *stage) error {
			own := json.RawMessage(`{"challenge":"` + base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + `"}`)
			_, err := s.party.FinishSole(s.find, s.answer(own, s.ann, here))
			return err
		}},
		"late": {Stale, func(s *stage) error {
			raw := s.begin(s.party.BeginSole)
			s.at = s.at.Add(life)
			_, err := s.party.FinishSole(s.find, s.answer(raw, s.ann, here))
			return err
		}},
		"clock set back": {Stale, func(s *stage) error {
			raw := s.begin(s.party.BeginSole)
			s.at = s.at.Add(-time.Hour)
			_, err := s.party.FinishSole(s.find, s.answer(raw, s.ann, here))
			return err
		}},
		"challenge of a sole sign-in as a second factor": {Stale, func(s *stage) error {
			_, err := s.party.FinishSecond(s.ann.user, s.answer(s.begin(s.party.BeginSole), s.ann, here))
			return err
		}},
		"challenge of a second factor as a sole sign-in": {Stale, func(s *stage) error {
			_, err := s.party.FinishSole(s.find, s.answer(s.second(s.ann), s.ann, here))
			return err
		}},
		"challenge of a registration as a second factor": {WrongUser, func(s *stage) error { // its ceremony is Ann's, the answer Bob's
			raw := s.begin(func() (json.RawMessage, error) { return s.party.BeginRegistration(s.ann.user) })
			_, err := s.party.FinishSecond(s.bob.user, s.answer(raw, s.bob, here))
			return err
		}},
		"Bob's key for Ann's second factor": {Unknown, func(s *stage) error {
			s.bob.device.Options.UserHandle = nil
			_, err := s.party.FinishSecond(s.ann.user, s.answer(s.second(s.ann), s.bob, here))
			return err
		}},
		"Bob's key and handle for Ann's second factor": {WrongUser, func(s *stage) error {
			_, err := s.party.FinishSecond(s.ann.user, s.answer(s.second(s.ann), s.bob, here))
			return err
		}},
		"Ann's ceremony finished by Bob": {WrongUser, func(s *stage) error {
			_, err := s.party.FinishSecond(s.bob.user, s.answer(s.second(s.ann), s.bob, here))
			return err
		}},
		"Bob's key with Ann's handle": {Unknown, func(s *stage) error {
			s.bob.device.Options.UserHandle = s.ann.user.Handle
			return sole(s, s.bob, here)
		}},
		"Ann's key id signed by Bob": {Unsigned, func(s *stage) error {
			s.bob.device.Options.UserHandle = s.ann.user.Handle
			s.bob.key.ID = s.ann.key.ID
			return sole(s, s.bob, here)
		}},
		"nobody's handle": {Unknown, func(s *stage) error {
			s.ann.device.Options.UserHandle = []byte("h-carol")
			return sole(s, s.ann, here)
		}},
		"no handle": {Malformed, func(s *stage) error {
			s.ann.device.Options.UserHandle = nil
			return sole(s, s.ann, here)
		}},
		"counter back": {Copied, func(s *stage) error {
			s.ann.user.Keys[0].Counter = 9
			return sole(s, s.ann, here)
		}},
		"counter still": {Copied, func(s *stage) error {
			s.ann.user.Keys[0].Counter = 1
			_, err := s.party.FinishSecond(s.ann.user, s.answer(s.second(s.ann), s.ann, here))
			return err
		}},
		"nobody there": {Absent, func(s *stage) error {
			s.ann.device.Options.UserNotPresent = true
			return sole(s, s.ann, here)
		}},
		"nobody verified": {Unverified, func(s *stage) error {
			s.ann.device.Options.UserNotVerified = true
			return sole(s, s.ann, here)
		}},
		"a key taken away": {Unknown, func(s *stage) error {
			s.ann.user.Keys = nil
			return sole(s, s.ann, here)
		}},
		"no key to ask for": {Unknown, func(s *stage) error {
			_, err := s.party.BeginSecond(User{Handle: []byte("x"), Name: "x"})
			return err
		}},
		"registration on an evil origin": {WrongOrigin, func(s *stage) error {
			_, err := s.register(s.ann, newKey(), evil)
			return err
		}},
		"registration for another place": {WrongPlace, func(s *stage) error {
			_, err := s.register(s.ann, newKey(), other)
			return err
		}},
		"the same key again": {Known, func(s *stage) error {
			_, err := s.register(s.ann, s.ann.key, here)
			return err
		}},
		"Ann's registration finished by Bob": {WrongUser, func(s *stage) error {
			raw := s.begin(func() (json.RawMessage, error) { return s.party.BeginRegistration(s.ann.user) })
			options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
			if err != nil {
				return err
			}
			made := virtualwebauthn.CreateAttestationResponse(here, s.bob.device, newKey(), *options)
			_, err = s.party.FinishRegistration(s.bob.user, []byte(made))
			return err
		}},
		"an assertion as a registration": {Malformed, func(s *stage) error {
			_, err := s.party.FinishRegistration(s.ann.user, s.answer(s.second(s.ann), s.ann, here))
			return err
		}},
		"a signature changed": {Unsigned, func(s *stage) error {
			a := s.answer(s.begin(s.party.BeginSole), s.ann, here)
			b := s.answer(s.begin(s.party.BeginSole), s.ann, here)
			var one, two map[string]any
			if err := errors.Join(json.Unmarshal(a, &one), json.Unmarshal(b, &two)); err != nil {
				return err
			}
			one["response"].(map[string]any)["signature"] = two["response"].(map[string]any)["signature"]
			raw, err := json.Marshal(one)
			if err != nil {
				return err
			}
			_, err = s.party.FinishSole(s.find, raw)
			return err
		}},
		"huge": {Malformed, func(s *stage) error {
			_, err := s.party.FinishSole(s.find, bytes.Repeat([]byte(" "), MaxCredential+1))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			if got := reason(c.do(s)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCopiedNamesTheKey(t *testing.T) {
	s := newStage(t)
	s.ann.user.Keys[0].Counter = 100
	_, err := s.party.FinishSole(s.find, s.answer(s.begin(s.party.BeginSole), s.ann, here))
	if r, ok := errors.AsType[*Refusal](err); !ok || !bytes.Equal(r.Key, s.ann.key.ID) || !strings.Contains(err.Error(), "after 100") {
		t.Errorf("%v", err)
	}
}

// TestOptions checks the members browsers read.
func TestOptions(t *testing.T) {
	s := newStage(t)
	var made struct {
		Challenge string
		RP        struct{ ID, Name string }
		User      struct{ ID, Name, DisplayName string }
		Params    []struct {
			Alg int
		} `json:"pubKeyCredParams"`
		Exclude   []struct{ ID string } `json:"excludeCredentials"`
		Timeout   int
		Selection struct{ ResidentKey, UserVerification string } `json:"authenticatorSelection"`
	}
	raw := s.begin(func() (json.RawMessage, error) { return s.party.BeginRegistration(s.ann.user) })
	if err := json.Unmarshal(raw, &made); err != nil {
		t.Fatal(err)
	}
	id := base64.RawURLEncoding.EncodeToString(s.ann.user.Handle)
	if made.RP.ID != "soc.example" || made.User.ID != id || made.User.Name != "ann" || made.User.DisplayName != "ann" ||
		len(made.Params) != 3 || len(made.Exclude) != 1 || made.Timeout != 300000 || made.Selection.ResidentKey != "preferred" || len(made.Challenge) < 22 {
		t.Errorf("%s", raw)
	}
	raw = s.begin(s.party.BeginSole)
	if strings.Contains(string(raw), "allowCredentials") || !strings.Contains(string(raw), `"userVerification":"required"`) || !strings.Contains(string(raw), `"rpId":"soc.example"`) {
		t.Errorf("a sign-in by a key alone tells: %s", raw)
	}
}

func TestChallengesAreBounded(t *testing.T) {
	s := newStage(t)
	second := s.second(s.ann)
	first := s.begin(s.party.BeginSole)
	for range maxChallenges {
		s.begin(s.party.BeginSole)
	}
	if n := s.party.open.age.Len(); n != maxChallenges || len(s.party.open.byID) != n {
		t.Errorf("%d wait, %d known", n, len(s.party.open.byID))
	}
	if _, err := s.party.FinishSole(s.find, s.answer(first, s.ann, here)); reason(err) != Stale {
		t.Errorf("the oldest: %v", err)
	}
	if _, err := s.party.FinishSecond(s.ann.user, s.answer(second, s.ann, here)); err != nil {
		t.Errorf("a flood at the door pushes out who is in: %v", err)
	}
	s.at = s.at.Add(2 * life)
	s.begin(s.party.BeginSole)
	if n := s.party.open.age.Len(); n != 1 {
		t.Errorf("%d wait after all ended", n)
	}
}

func TestPlaceOf(t *testing.T) {
	for _, c := range []struct{ public, listen, id, origin string }{
		{"https://SOC.example", "127.0.0.1:8443", "soc.example", "https://soc.example"},
		{"https://soc.example:443", "127.0.0.1:8443", "soc.example", "https://soc.example"},
		{"https://soc.example:8443", "", "soc.example", "https://soc.example:8443"},
		{"", "127.0.0.1:8443", "localhost", "https://localhost:8443"},
		{"", "[::1]:443", "localhost", "https://localhost"},
		{"", ":8443", "localhost", "https://localhost:8443"},
		{"", "0.0.0.0:8443", "localhost", "https://localhost:8443"},
		{"", "localhost:9000", "localhost", "https://localhost:9000"},
		{"", "soc.internal:8443", "soc.internal", "https://soc.internal:8443"},
		{"https://192.0.2.1:8443", "127.0.0.1:8443", "", ""},
		{"https://[2001:db8::1]", "127.0.0.1:8443", "", ""},
		{"http://soc.example", "127.0.0.1:8443", "", ""},
		{"", "nonsense", "", ""},
	} {
		p, err := PlaceOf(c.public, c.listen)
		if p.ID != c.id || c.id != "" && !slices.Equal(p.Origins, []string{c.origin}) || (err == nil) != (c.id != "") {
			t.Errorf("%q, %q: %+v, %v", c.public, c.listen, p, err)
		}
		if err == nil {
			if _, err := New(p, time.Now); err != nil {
				t.Errorf("%+v: %v", p, err)
			}
		}
	}
}

func FuzzFinish(f *testing.F) {
	place, err := PlaceOf("", "localhost:8443")
	if err != nil {
		f.Fatal(err)
	}
	p, err := New(place, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	device, key := virtualwebauthn.NewAuthenticator(), newKey()
	f.Add([]byte(virtualwebauthn.CreateAssertionResponse(here, device, key, virtualwebauthn.AssertionOptions{Challenge: []byte("0123456789abcdef")})))
	f.Add([]byte(virtualwebauthn.CreateAttestationResponse(here, device, key, virtualwebauthn.AttestationOptions{Challenge: []byte("0123456789abcdef")})))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		u := User{Handle: []byte("x"), Name: "x"}
		if _, err := p.FinishRegistration(u, raw); err == nil {
			t.Error("registered")
		}
		if _, err := p.FinishSole(func([]byte) (User, error) { return u, nil }, raw); err == nil {
			t.Error("signed in")
		}
		if _, err := p.FinishSecond(u, raw); err == nil {
			t.Error("confirmed")
		}
	})
}
