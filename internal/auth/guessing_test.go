package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth/oidc"
)

// TestGuessingIsTold: a burst is told of once, whoever it is against, and again
// after an hour.
func TestGuessingIsTold(t *testing.T) {
	var told []Guessing
	h := newHouse(t, func(o *Options) {
		o.Guessing = func(_ context.Context, g Guessing) error {
			told = append(told, g)
			return errors.New("nobody listens") // changes nothing
		}
	})
	h.user("anna", ScopeAnalyst)
	guess := func(name string, net, n int) (evaluated int) {
		for i := range n {
			_, err := h.s.Login(t.Context(), from(fmt.Sprintf("203.0.%d.%d", net, i)), name, "wrong")
			if errors.Is(err, ErrWrong) {
				evaluated++
			} else if _, ok := errors.AsType[*WaitError](err); !ok {
				t.Fatal(err)
			}
		}
		return evaluated
	}
	if got := guess("anna", 1, strangerBurst); got != strangerBurst || len(told) != 0 {
		t.Fatalf("%d looked at, told %v", got, told)
	}
	if got := guess("anna", 2, 50); got != 0 || len(told) != 1 || told[0].User != "anna" || told[0].Codes || told[0].Address.String() != "203.0.2.0" || !told[0].At.Equal(h.clock()) {
		t.Fatalf("%d looked at, told %+v", got, told)
	}
	if guess("nobody", 3, 50); len(told) != 2 || told[1].User != "" {
		t.Fatalf("told %+v", told)
	}
	h.step(alarmEvery + time.Minute)
	if guess("anna", 4, 50); len(told) != 3 {
		t.Fatalf("an hour later told %+v", told)
	}
	for i := range 100 { // more than are told of
		guess(fmt.Sprint("name-", i), 10+i, strangerBurst+1)
	}
	if n := len(told) - 3; n == 0 || n > alarmsBurst {
		t.Errorf("%d of 100 bursts at once were told of", n)
	}
}

// TestReplacedLoginIsRevoked: who logs in anew in a browser ends what is open of the
// login before.
func TestReplacedLoginIsRevoked(t *testing.T) {
	var gone []string
	h := newHouse(t, func(o *Options) { o.Revoked = func(ids ...string) { gone = append(gone, ids...) } })
	h.user("anna", ScopeAnalyst)
	p, c := h.login("anna", from("192.0.2.1"))
	gone = nil
	next, _ := h.login("anna", c)
	if !slices.Equal(gone, []string{p.Session}) || next.Session == p.Session {
		t.Errorf("revoked %v, want %s", gone, p.Session)
	}
	h.out("the login before", c.Cookie)
}

// TestProviderKeepsTheLastAdministrator: a provider cannot take the last one away.
func TestProviderKeepsTheLastAdministrator(t *testing.T) {
	h := newHouse(t)
	u := h.user("anna", ScopeAdmin)
	says := oidc.Identity{Provider: "corp", Issuer: "https://op.example", Subject: "1", Name: "anna", Role: string(ScopeViewer)}
	err := h.s.follow(t.Context(), from("192.0.2.1"), &u, says)
	if r, ok := errors.AsType[*Refused](err); !ok || r.Problem != problemLast {
		t.Fatalf("the last one: %v", err)
	}
	if f, err := h.s.User(t.Context(), "anna"); err != nil || f.Role != string(ScopeAdmin) {
		t.Errorf("%+v, %v", f.User, err)
	}
	h.user("ben", ScopeAdmin)
	if err := h.s.follow(t.Context(), from("192.0.2.1"), &u, says); err != nil || u.Role != string(ScopeViewer) {
		t.Errorf("one of two: %s, %v", u.Role, err)
	}
}

// TestLongPasskeyIds: two ids of the same beginning are two keys, however long.
func TestLongPasskeyIds(t *testing.T) {
	id := make([]byte, 1023) // as long as there are (WebAuthn, 6.1)
	other := slices.Clone(id)
	other[len(other)-1] = 1
	if a, b := lookupOf(id), lookupOf(other); a == b || len(a) != 64 || a == sumOf(honeyguide.Secret(id)) {
		t.Errorf("%s, %s", a, b)
	}
}
