package auth

import (
	"errors"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth/totp"
)

const year = 365 * 24 * time.Hour

// TestClockJumps sets the clock on and back by a year, in both orders: a login
// never lasts longer than its limits, one of a wrong time ends with it, and the
// right time lets everybody in again.
func TestClockJumps(t *testing.T) {
	for name, jump := range map[string]time.Duration{"a year ahead": year, "a year back": -year} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.user("anna", ScopeAnalyst)
			_, before := h.login("anna", from("192.0.2.1"))
			h.step(jump)
			h.out("the login of before", before.Cookie)
			_, meanwhile := h.login("anna", from("192.0.2.1"))
			h.in("one of meanwhile", meanwhile.Cookie)
			l, err := h.s.AddUser(t.Context(), local, honeyguide.User{Name: "bert", Role: string(ScopeAnalyst)})
			if err != nil {
				t.Fatal(err)
			}
			h.step(-jump)
			h.out("one of meanwhile", meanwhile.Cookie)
			if jump < 0 { // a link of a year ago
				if _, err := h.s.UseLink(t.Context(), from("192.0.2.9"), l.Token, "bert", goodPassword); err == nil {
					t.Error("a link is good for a year")
				}
			}
			_, after := h.login("anna", from("192.0.2.1"))
			h.in("one of after", after.Cookie)
			h.step(IdleLimit)
			for what, c := range map[string]Caller{"before": before, "meanwhile": meanwhile, "after": after} {
				h.out("idle, the login of "+what, c.Cookie)
			}
			// Guessing is slowed down as ever: what was guessed meanwhile counts no more,
			// and locks nobody out for a year.
			h.step(jump)
			for range 20 {
				_, _ = h.s.Login(t.Context(), from("192.0.2.66"), "anna", "wrong password!")
			}
			h.step(-jump)
			looked := 0
			for range 50 {
				if _, err := h.s.Login(t.Context(), from("192.0.2.66"), "anna", "wrong password!"); errors.Is(err, ErrWrong) {
					looked++
				}
			}
			if looked == 0 || looked > networkBurst {
				t.Errorf("%d of 50 guesses are looked at", looked)
			}
		})
	}
}

// TestCodesAndClockJumps: a code is good once, whatever the clock does. One that was
// used in a wrong future makes those of now older than it: they are refused until
// then, and a recovery code is the way in.
func TestCodesAndClockJumps(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.user("anna", ScopeResponder)
	p, c := h.login("anna", from("192.0.2.1"))
	by := Actor{p, c}
	n, err := h.s.BeginTOTP(ctx, by)
	if err != nil {
		t.Fatal(err)
	}
	code := func() honeyguide.Secret {
		t.Helper()
		text, err := totp.Code(n.Secret, h.clock())
		if err != nil {
			t.Fatal(err)
		}
		return honeyguide.Secret(text)
	}
	codes, err := h.s.ConfirmTOTP(ctx, by, code())
	if err != nil {
		t.Fatal(err)
	}
	half := func() Caller {
		t.Helper()
		a, err := h.s.Login(ctx, from("192.0.2.1"), "anna", goodPassword)
		if err != nil || a.State != StateSecond {
			t.Fatalf("%+v, %v", a, err)
		}
		c := from("192.0.2.1")
		c.Cookie = a.Cookie
		return c
	}
	h.step(time.Hour)
	right := code()
	h.step(-year)
	if _, err := h.s.TOTP(ctx, half(), right); err == nil {
		t.Error("a year back: a code of another year is right")
	}
	if _, err := h.s.TOTP(ctx, half(), code()); err == nil {
		t.Error("a year back: a code older than the last is right")
	}
	h.step(year)
	if a, err := h.s.TOTP(ctx, half(), right); err != nil || a.State != StateIn {
		t.Errorf("back again: the code of now: %+v, %v", a, err)
	}
	if _, err := h.s.TOTP(ctx, half(), right); err == nil {
		t.Error("back again: the code of now is right twice")
	}
	h.step(time.Hour)
	h.step(year)
	if a, err := h.s.TOTP(ctx, half(), code()); err != nil || a.State != StateIn {
		t.Errorf("a year ahead: the code of then: %+v, %v", a, err)
	}
	h.step(-year)
	if _, err := h.s.TOTP(ctx, half(), code()); err == nil {
		t.Error("after a year ahead: a code older than the last is right")
	}
	if a, err := h.s.Recovery(ctx, half(), codes[0]); err != nil || a.State != StateIn {
		t.Errorf("after a year ahead: a recovery code: %+v, %v", a, err)
	}
}
