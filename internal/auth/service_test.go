package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth/password"
	"honeyguide/internal/auth/totp"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
)

const goodPassword honeyguide.Secret = "correct horse battery"

// house is a service over a real state, with a clock that a test moves.
type house struct {
	t     *testing.T
	s     *Service
	store state.Store

	mu      sync.Mutex
	now     time.Time
	entries []honeyguide.AuditEntry
	shut    error // of the audit log
}

func (h *house) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }

func (h *house) step(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

// Record keeps an entry.
func (h *house) Record(_ context.Context, e honeyguide.AuditEntry) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut == nil {
		h.entries = append(h.entries, e)
	}
	return h.shut
}

func newHouse(t *testing.T, edit ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, now: day}
	var err error
	if h.store, err = sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: h.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.store.Close() })
	o := Options{
		State: h.store, Audit: h, Now: h.clock, Cost: password.Cost{Memory: 64, Time: 1, Lanes: 1}, Box: seal.Random(),
		Metrics: telemetry.NewRegistry(), Listen: "127.0.0.1:8443",
	}
	for _, f := range edit {
		f(&o)
	}
	h.s = NewService(o)
	return h
}

var local = Actor{Principal: Principal{ID: "local", Name: "local", Scope: ScopeAdmin, Sort: SortLocal}}

// from is a caller at an address.
func from(addr string) Caller {
	a := netip.MustParseAddr(addr)
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return Caller{Address: a, Network: p}
}

// user makes a person with the good password.
func (h *house) user(name string, role Scope) honeyguide.User {
	h.t.Helper()
	l, err := h.s.AddUser(h.t.Context(), local, honeyguide.User{Name: name, Role: string(role)})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.s.UseLink(h.t.Context(), from("192.0.2.250"), l.Token, name, goodPassword); err != nil {
		h.t.Fatal(err)
	}
	return l.User
}

// login logs in and returns who it is, and the caller with the cookies.
func (h *house) login(name string, c Caller) (Principal, Caller) {
	h.t.Helper()
	a, err := h.s.Login(h.t.Context(), c, name, goodPassword)
	if err != nil {
		h.t.Fatal(err)
	}
	c.Cookie, c.Device = a.Cookie, a.Device
	p, err := h.s.Resume(h.t.Context(), c.Cookie)
	if err != nil {
		h.t.Fatal(err)
	}
	return p, c
}

func (h *house) out(what string, cookie honeyguide.Secret) {
	h.t.Helper()
	if _, err := h.s.Resume(h.t.Context(), cookie); !errors.Is(err, ErrNoLogin) {
		h.t.Errorf("%s: %v", what, err)
	}
}

func (h *house) in(what string, cookie honeyguide.Secret) {
	h.t.Helper()
	if _, err := h.s.Resume(h.t.Context(), cookie); err != nil {
		h.t.Errorf("%s: %v", what, err)
	}
}

func TestFirstRun(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	old, ok, err := h.s.FirstRun(ctx)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	l, _, err := h.s.FirstRun(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func() error{
		"the link of a start before": func() error {
			_, err := h.s.UseLink(ctx, from("192.0.2.1"), old.Token, "anna", goodPassword)
			return err
		},
		"no link": func() error { _, err := h.s.UseLink(ctx, from("192.0.2.2"), "", "anna", goodPassword); return err },
	} {
		if err := f(); !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, bad := range []struct {
		name string
		p    honeyguide.Secret
	}{{"anna", "short"}, {"anna", "xx-ANNA-xxxxxxx"}, {"anna", "aaaaaaaaaaaaaa"}, {"local", goodPassword}, {"a b", goodPassword}, {"", goodPassword}, {"anna", honeyguide.Secret(strings.Repeat("ab", 400))}} {
		if _, err := h.s.UseLink(ctx, from("192.0.2.3"), l.Token, bad.name, bad.p); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%q: %v", bad.name, err)
		}
	}
	a, err := h.s.UseLink(ctx, from("192.0.2.4"), l.Token, "anna", goodPassword)
	if err != nil || a.State != StateIn {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := h.s.UseLink(ctx, from("192.0.2.5"), l.Token, "eve", goodPassword); !errors.Is(err, ErrWrong) {
		t.Errorf("used twice: %v", err)
	}
	if _, ok, _ := h.s.FirstRun(ctx); ok {
		t.Error("a link although there is a user")
	}
	f, err := h.s.User(ctx, "anna")
	if err != nil || f.Role != "admin" || f.Kind != honeyguide.UserPerson {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestLinksEnd(t *testing.T) {
	h := newHouse(t)
	l, _, err := h.s.FirstRun(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.step(LinkLimit)
	if _, err := h.s.UseLink(t.Context(), from("192.0.2.4"), l.Token, "anna", goodPassword); !errors.Is(err, ErrWrong) {
		t.Errorf("a day later: %v", err)
	}
	h.step(-LinkLimit - time.Hour)
	if _, err := h.s.UseLink(t.Context(), from("192.0.2.5"), l.Token, "anna", goodPassword); !errors.Is(err, ErrWrong) {
		t.Errorf("before it was made: %v", err)
	}
}

func TestSessionsEnd(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.user("boss", ScopeAdmin)
	u := h.user("anna", ScopeAnalyst)
	ends := map[string]func(p Principal, c Caller) error{
		"logout": func(_ Principal, c Caller) error { return h.s.Logout(ctx, c) },
		"revoked": func(p Principal, _ Caller) error {
			_, err := h.s.EndLogins(ctx, local, u.ID, p.Session, "")
			return err
		},
		"all revoked": func(Principal, Caller) error { _, err := h.s.EndLogins(ctx, local, u.ID, "", ""); return err },
		"another role": func(Principal, Caller) error {
			r := "viewer"
			_, err := h.s.ChangeUser(ctx, local, u.ID, UserChange{Role: &r})
			return err
		},
		"and back": func(Principal, Caller) error {
			v := "viewer"
			if _, err := h.s.ChangeUser(ctx, local, u.ID, UserChange{Role: &v}); err != nil {
				return err
			}
			r := "analyst"
			_, err := h.s.ChangeUser(ctx, local, u.ID, UserChange{Role: &r})
			return err
		},
		"idle":           func(Principal, Caller) error { h.step(IdleLimit); return nil },
		"clock set back": func(Principal, Caller) error { h.step(-24 * time.Hour); return nil },
		"a day later":    func(Principal, Caller) error { h.step(24 * time.Hour); return nil },
		"another password": func(p Principal, c Caller) error {
			_, other := h.login("anna", from("192.0.2.9"))
			q, err := h.s.Resume(ctx, other.Cookie)
			if err != nil {
				return err
			}
			a, err := h.s.ChangePassword(ctx, Actor{q, other}, goodPassword, goodPassword+"!")
			if err == nil {
				h.in("the one that changed it", a.Cookie)
				h.out("its cookie of before", other.Cookie)
				p, _ := h.s.Resume(ctx, a.Cookie)
				other.Cookie = a.Cookie
				_, err = h.s.ChangePassword(ctx, Actor{p, other}, goodPassword+"!", goodPassword)
			}
			return err
		},
		"a reset link": func(Principal, Caller) error {
			l, err := h.s.ResetLink(ctx, local, u.ID, false)
			if err == nil {
				_, err = h.s.UseLink(ctx, from("192.0.2.77"), l.Token, "", goodPassword)
			}
			return err
		},
		"disabled": func(Principal, Caller) error {
			yes, no := true, false
			if _, err := h.s.ChangeUser(ctx, local, u.ID, UserChange{Disabled: &yes}); err != nil {
				return err
			}
			_, err := h.s.ChangeUser(ctx, local, u.ID, UserChange{Disabled: &no})
			return err
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			h.t = t
			p, c := h.login("anna", from("192.0.2.1"))
			if !h.s.Holds(ctx, p) {
				t.Error("it does not hold at first")
			}
			if err := end(p, c); err != nil {
				t.Fatal(err)
			}
			h.out(name, c.Cookie)
			if h.s.Holds(ctx, p) {
				t.Error("it holds still")
			}
		})
	}
	h.t = t
}

func TestSessionLimits(t *testing.T) {
	h := newHouse(t)
	h.user("anna", ScopeAnalyst)
	_, c := h.login("anna", from("192.0.2.1"))
	for range 35 {
		h.step(20 * time.Minute)
		h.in("in use", c.Cookie)
		if err := h.s.flush(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	h.step(20 * time.Minute)
	h.out("after twelve hours", c.Cookie)
}

func TestCookiesMove(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.user("anna", ScopeAnalyst)
	p, c := h.login("anna", from("192.0.2.1"))
	if !p.Confirmed {
		t.Error("a fresh login is not confirmed")
	}
	if _, again := h.login("anna", c); again.Cookie == c.Cookie {
		t.Error("the same cookie after another login")
	} else {
		h.out("the cookie that came with the login", c.Cookie)
		c = again
	}
	h.step(ConfirmLimit)
	p, err := h.s.Resume(ctx, c.Cookie)
	if err != nil || p.Confirmed {
		t.Errorf("five minutes later: %+v, %v", p, err)
	}
	if _, err := h.s.Confirm(ctx, Actor{p, c}, "wrong", ""); !errors.Is(err, ErrWrong) {
		t.Errorf("a wrong password: %v", err)
	}
	a, err := h.s.Confirm(ctx, Actor{p, c}, goodPassword, "")
	if err != nil || a.Cookie == c.Cookie {
		t.Fatalf("%+v, %v", a, err)
	}
	h.out("the cookie of before", c.Cookie)
	if p, err := h.s.Resume(ctx, a.Cookie); err != nil || !p.Confirmed {
		t.Errorf("%+v, %v", p, err)
	}
	text := a.Cookie.Reveal()
	for i := range text {
		bad := []byte(text)
		bad[i] = "AB"[map[bool]int{true: 1}[bad[i] == 'A']]
		h.out("tampered", honeyguide.Secret(bad))
	}
	for _, bad := range []honeyguide.Secret{"", "x", a.Cookie + "A", honeyguide.Secret(strings.Repeat("x", 5000)), honeyguide.Secret(sumOf(a.Cookie))} {
		h.out("no cookie of ours", bad)
	}
}

// evaluated is how many passwords were looked at.
func evaluated(t *testing.T, s *Service) int {
	t.Helper()
	return int(s.checks.With("password").Value())
}

// TestGuesses: ten thousand guesses at one account within five minutes, from one
// address and from many, come to at most twenty that are looked at; who came in
// before gets in all the while, and whoever guesses from one address does not
// lock out strangers either.
func TestGuesses(t *testing.T) {
	for name, addr := range map[string]func(i int) string{
		"from one address":       func(int) string { return "203.0.113.1" },
		"from many":              func(i int) string { return fmt.Sprintf("203.%d.%d.1", i>>8&255, i&255) },
		"from the user's office": func(int) string { return "192.0.2.1" },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			ctx := t.Context()
			h.user("anna", ScopeAnalyst)
			_, known := h.login("anna", from("192.0.2.1"))
			before := evaluated(t, h.s)
			wrong, throttled := 0, 0
			for i := range 10_000 {
				h.step(30 * time.Millisecond)
				_, err := h.s.Login(ctx, from(addr(i)), "anna", honeyguide.Secret(fmt.Sprint("guess ", i)))
				wait := &WaitError{}
				switch {
				case errors.Is(err, ErrWrong):
					wrong++
				case errors.As(err, &wait) && wait.After > 0 && wait.After < 5*time.Minute:
					throttled++
				default:
					t.Fatalf("guess %d: %v", i, err)
				}
			}
			if n := evaluated(t, h.s) - before; n != wrong || n > 20 || n == 0 {
				t.Errorf("%d evaluated, %d wrong, %d throttled", n, wrong, throttled)
			}
			device := from("198.51.100.9")
			device.Device = known.Device
			if a, err := h.s.Login(ctx, device, "anna", goodPassword); err != nil || a.Failed != wrong {
				t.Errorf("the known device: %+v, %v; %d were wrong", a, err, wrong)
			}
			if name != "from the user's office" {
				if _, err := h.s.Login(ctx, from("192.0.2.1"), "anna", goodPassword); err != nil {
					t.Errorf("the known address: %v", err)
				}
			}
			if name == "from one address" {
				if _, err := h.s.Login(ctx, from("198.51.100.77"), "anna", goodPassword); err != nil {
					t.Errorf("a new address: %v", err)
				}
			}
			if _, err := h.s.Unlock(ctx, local, "anna"); err != nil {
				t.Fatal(err)
			}
			if _, err := h.s.Login(ctx, from("198.51.100.78"), "anna", goodPassword); err != nil {
				t.Errorf("unlocked: %v", err)
			}
		})
	}
}

// TestNamesTellNothing: an account that is not there is answered and throttled as
// one that is.
func TestNamesTellNothing(t *testing.T) {
	h := newHouse(t)
	h.user("anna", ScopeAnalyst)
	var answers [2][]string
	for n, name := range []string{"anna", "nobody-here"} {
		for i := range 30 {
			_, err := h.s.Login(t.Context(), from(fmt.Sprintf("203.0.%d.%d", n, i)), name, "wrong")
			answers[n] = append(answers[n], fmt.Sprint(err))
		}
	}
	if fmt.Sprint(answers[0]) != fmt.Sprint(answers[1]) {
		t.Errorf("they differ:\n%q\n%q", answers[0], answers[1])
	}
	for _, e := range h.entries {
		if strings.Contains(e.Object+e.Detail+e.Actor, "nobody-here") {
			t.Errorf("a name nobody has is kept: %+v", e)
		}
	}
}

func TestSecondFactor(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.SecondFactor = []string{"responder", "admin"} })
	ctx := t.Context()
	h.user("anna", ScopeResponder)
	a, err := h.s.Login(ctx, from("192.0.2.1"), "anna", goodPassword)
	if err != nil || a.State != StateEnrol {
		t.Fatalf("%+v, %v", a, err)
	}
	c := from("192.0.2.1")
	c.Cookie = a.Cookie
	p, err := h.s.Resume(ctx, a.Cookie)
	if err != nil || p.May(PermRead) || !p.May(PermSelf) || p.Limited != LimitedEnrol {
		t.Fatalf("%+v, %v", p, err)
	}
	by := Actor{p, c}
	n, err := h.s.BeginTOTP(ctx, by)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.s.ConfirmTOTP(ctx, by, "000000"); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("a wrong code: %v", err)
	}
	code := func() honeyguide.Secret {
		text, err := totp.Code(n.Secret, h.clock())
		if err != nil {
			t.Fatal(err)
		}
		return honeyguide.Secret(text)
	}
	codes, err := h.s.ConfirmTOTP(ctx, by, code())
	if err != nil || len(codes) == 0 {
		t.Fatalf("%d codes, %v", len(codes), err)
	}
	if p, err := h.s.Resume(ctx, a.Cookie); err != nil || !p.May(PermRespond) {
		t.Errorf("with the factor: %+v, %v", p, err)
	}
	half := func() Caller {
		t.Helper()
		a, err := h.s.Login(ctx, from("192.0.2.1"), "anna", goodPassword)
		if err != nil || a.State != StateSecond || fmt.Sprint(a.Methods) != "[totp recovery]" {
			t.Fatalf("%+v, %v", a, err)
		}
		h.out("halfway", a.Cookie)
		c := from("192.0.2.1")
		c.Cookie = a.Cookie
		return c
	}
	c = half()
	if _, err := h.s.TOTP(ctx, c, code()); !errors.Is(err, ErrWrong) {
		t.Errorf("the code that was used: %v", err)
	}
	h.step(totp.Step)
	used := code()
	a, err = h.s.TOTP(ctx, c, used)
	if err != nil || a.State != StateIn || a.Cookie == c.Cookie {
		t.Fatalf("%+v, %v", a, err)
	}
	h.out("the cookie of halfway", c.Cookie)
	if _, err := h.s.TOTP(ctx, half(), used); !errors.Is(err, ErrWrong) {
		t.Errorf("used twice: %v", err)
	}
	if a, err := h.s.Recovery(ctx, half(), codes[0]); err != nil || a.State != StateIn {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := h.s.Recovery(ctx, half(), codes[0]); !errors.Is(err, ErrWrong) {
		t.Errorf("a recovery code twice: %v", err)
	}
	h.step(time.Hour)
	c = half()
	for range maxWrong {
		if _, err := h.s.TOTP(ctx, c, "000000"); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
	}
	if _, err := h.s.TOTP(ctx, c, code()); err == nil {
		t.Error("a sixth code is looked at")
	}
	l, err := h.s.ResetLink(ctx, local, "anna", true)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := h.s.UseLink(ctx, from("192.0.2.99"), l.Token, "", goodPassword); err != nil || a.State != StateEnrol {
		t.Errorf("a link that takes the factors away: %+v, %v", a, err)
	}
}

func TestNobodyGrantsMore(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.user("boss", ScopeAdmin)
	if _, err := h.s.SaveRole(ctx, local, honeyguide.Role{Name: "helpdesk", Permissions: []string{"read", "users"}}, true); err != nil {
		t.Fatal(err)
	}
	h.user("hana", "helpdesk")
	h.user("vic", ScopeViewer)
	p, c := h.login("hana", from("192.0.2.1"))
	by := Actor{p, c}
	yes, admin := true, "admin"
	for what, f := range map[string]func() error{
		"a stronger role": func() error {
			_, err := h.s.SaveRole(ctx, by, honeyguide.Role{Name: "more", Permissions: []string{"keys"}}, true)
			return err
		},
		"her own role, stronger": func() error {
			_, err := h.s.SaveRole(ctx, by, honeyguide.Role{Name: "helpdesk", Permissions: []string{"keys", "users"}}, false)
			return err
		},
		"a stronger user":            func() error { _, err := h.s.AddUser(ctx, by, honeyguide.User{Name: "new", Role: "admin"}); return err },
		"herself, stronger":          func() error { _, err := h.s.ChangeUser(ctx, by, "hana", UserChange{Role: &admin}); return err },
		"the boss's password":        func() error { _, err := h.s.ResetLink(ctx, by, "boss", true); return err },
		"the boss disabled":          func() error { _, err := h.s.ChangeUser(ctx, by, "boss", UserChange{Disabled: &yes}); return err },
		"the boss removed":           func() error { _, err := h.s.RemoveUser(ctx, by, "boss"); return err },
		"the boss logged out":        func() error { _, err := h.s.EndLogins(ctx, by, "boss", "", ""); return err },
		"a scope that is not hers":   func() error { return h.s.MayGrant(ctx, by.Principal, "ingest") },
		"a viewer, who reads blocks": func() error { return h.s.MayGrant(ctx, by.Principal, "viewer") },
	} {
		if err := f(); honeyguide.ErrorCode(err) != honeyguide.CodeForbidden {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := h.s.MayGrant(ctx, by.Principal, "helpdesk"); err != nil {
		t.Errorf("what she has: %v", err)
	}
	for _, bad := range []honeyguide.Role{
		{Name: "admin", Permissions: []string{"read"}}, {Name: "X", Permissions: []string{"read"}}, {Name: "none"}, {Name: "odd", Permissions: []string{"everything"}}, {Name: "own", Permissions: []string{"self"}},
	} {
		if _, err := h.s.SaveRole(ctx, local, bad, true); err == nil {
			t.Errorf("the role %+v is taken", bad)
		}
	}
	if _, err := h.s.RemoveRole(ctx, local, "helpdesk"); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("a role in use: %v", err)
	}
}

func TestLastAdmin(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.user("boss", ScopeAdmin)
	yes, viewer := true, "viewer"
	last := func(what string, err error) {
		t.Helper()
		if honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := h.s.RemoveUser(ctx, local, "boss")
	last("removed", err)
	_, err = h.s.ChangeUser(ctx, local, "boss", UserChange{Disabled: &yes})
	last("disabled", err)
	_, err = h.s.ChangeUser(ctx, local, "boss", UserChange{Role: &viewer})
	last("another role", err)
	h.user("second", ScopeAdmin)
	if _, err := h.s.ChangeUser(ctx, local, "second", UserChange{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	_, err = h.s.RemoveUser(ctx, local, "boss")
	last("the other one is disabled", err)
}

// TestRolesHoldAtOnce: what a role grants is asked at every request.
func TestRolesHoldAtOnce(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	role := honeyguide.Role{Name: "night", Permissions: []string{"read", "work"}}
	if _, err := h.s.SaveRole(ctx, local, role, true); err != nil {
		t.Fatal(err)
	}
	h.user("nina", "night")
	p, c := h.login("nina", from("192.0.2.1"))
	if !p.May(PermWork) || p.May(PermHalt) {
		t.Errorf("%+v", p)
	}
	role.Permissions = []string{"read"}
	if _, err := h.s.SaveRole(ctx, local, role, false); err != nil {
		t.Fatal(err)
	}
	q, err := h.s.Resume(ctx, c.Cookie)
	if err != nil || q.May(PermWork) || h.s.Holds(ctx, p) {
		t.Errorf("%+v, %v", q, err)
	}
}

// TestAuditFirst: nothing happens that could not be written down.
func TestAuditFirst(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.user("anna", ScopeAnalyst)
	h.shut = errors.New("the disk is full")
	if _, err := h.s.Login(ctx, from("192.0.2.1"), "anna", goodPassword); honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable {
		t.Errorf("login: %v", err)
	}
	if all, err := h.s.Logins(ctx, "anna"); err != nil || len(all) != 1 {
		t.Errorf("%d logins, %v; want that of the link only", len(all), err)
	}
	h.shut = nil
	h.login("anna", from("192.0.2.1"))
	last := h.entries[len(h.entries)-1]
	if last.Action != "login" || last.Actor != "anna" || last.Kind != "user" || last.Session == "" || last.Address != netip.MustParseAddr("192.0.2.1") || last.Outcome != honeyguide.AuditAsked {
		t.Errorf("%+v", last)
	}
	_, _ = h.s.Login(ctx, from("192.0.2.1"), "anna", "wrong")
	if last = h.entries[len(h.entries)-1]; last.Outcome != honeyguide.AuditRefused || last.Object != "user:anna" {
		t.Errorf("%+v", last)
	}
}

func TestHasherQueue(t *testing.T) {
	hs := newHasher(password.Cost{Memory: 64, Time: 1, Lanes: 1}, 1)
	hold, started := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { _ = hs.within(t.Context(), func() { close(started); <-hold }) })
	<-started
	var queued sync.WaitGroup
	for range hashQueue {
		queued.Add(1)
		wg.Go(func() { queued.Done(); _ = hs.within(t.Context(), func() {}) })
	}
	queued.Wait()
	for len(hs.queue) < cap(hs.queue) {
		time.Sleep(time.Millisecond)
	}
	if err := hs.within(t.Context(), func() {}); !errors.Is(err, ErrBusy) {
		t.Errorf("one more than may wait: %v", err)
	}
	close(hold)
	wg.Wait()
	if err := hs.within(t.Context(), func() {}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestRehash(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	u := h.user("anna", ScopeAnalyst)
	h.s.hasher = newHasher(password.Cost{Memory: 128, Time: 1, Lanes: 1}, 1)
	h.login("anna", from("192.0.2.1"))
	err := h.store.View(ctx, func(tx state.Tx) error {
		all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialPassword)
		if len(all) != 1 || !strings.Contains(string(all[0].Data), "m=128,") {
			t.Errorf("%d credentials, %s", len(all), all[0].Data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.login("anna", from("192.0.2.1"))
}

func TestKeyOwners(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	l, err := h.s.AddUser(ctx, local, honeyguide.User{Name: "robot", Kind: honeyguide.UserService, Role: "analyst"})
	if err != nil || l.Token != "" {
		t.Fatal(l, err)
	}
	if _, err := h.s.Login(ctx, from("192.0.2.1"), "robot", goodPassword); !errors.Is(err, ErrWrong) {
		t.Errorf("a service logs in: %v", err)
	}
	keys, err := NewStateKeys(h.store, "")
	if err != nil {
		t.Fatal(err)
	}
	secret, k, err := NewKey("robot", ScopeResponder, day, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	k.Owner, k.From = l.User.ID, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	if err := keys.Add(ctx, k); err != nil {
		t.Fatal(err)
	}
	k, err = keys.Lookup(ctx, secret, day)
	if err != nil || !k.Good(netip.MustParseAddr("::ffff:192.0.2.9")) || k.Good(netip.MustParseAddr("192.0.3.1")) || k.Good(netip.Addr{}) {
		t.Fatalf("%+v, %v", k, err)
	}
	if p, err := h.s.OfKey(ctx, k); err != nil || !p.May(PermWork) || p.May(PermRespond) {
		t.Errorf("more than its owner: %+v, %v", p, err)
	}
	keys.Used(k, netip.MustParseAddr("192.0.2.9"), day)
	if err := keys.flush(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := keys.List(ctx)
	if err != nil || !all[0].UsedAt.Equal(day) || all[0].UsedFrom.String() != "192.0.2.9" {
		t.Errorf("%+v, %v", all, err)
	}
	newer, next := k.Renewed(day)
	if err := keys.Replace(ctx, k.ID, next, day.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]bool{time.Hour - 1: true, time.Hour: false} {
		if _, err := keys.Lookup(ctx, secret, day.Add(at)); (err == nil) != want {
			t.Errorf("the old one after %v: %v", at, err)
		}
		if _, err := keys.Lookup(ctx, newer, day.Add(at)); err != nil {
			t.Errorf("the new one: %v", err)
		}
	}
	yes := true
	if _, err := h.s.ChangeUser(ctx, local, "robot", UserChange{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Lookup(ctx, newer, day); !errors.Is(err, ErrNoKey) {
		t.Errorf("of a disabled service: %v", err)
	}
}

// TestAdopt: keys of before there was a table for them stay good.
func TestAdopt(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	secret, k, err := NewKey("old", ScopeIngest, day, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	doc := fmt.Sprintf(`[{"id":%q,"name":"old","scope":"ingest","sha256":%q,"last4":%q,"created_at":"2026-11-01T00:00:00Z"}]`, k.ID, k.Sum, k.Last4)
	if err := r.store.Update(ctx, func(tx state.Tx) error { return tx.Meta().Put(ctx, metaKeys, doc) }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.keys.Adopt(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := r.keys.Lookup(ctx, secret, day); err != nil || got.Scope != ScopeIngest || got.Name != "old" {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func FuzzDevice(f *testing.F) {
	key := []byte("k")
	f.Add(device{}.with("u1").sign(key, day))
	f.Add("1.a.b.c")
	f.Add("....")
	f.Fuzz(func(t *testing.T, text string) {
		d := readDevice([][]byte{key}, text, day)
		if len(d.users) > 0 && text != (device{id: d.id, users: d.users}).sign(key, day) && !strings.HasPrefix(text, "1.") {
			t.Errorf("%q passes", text)
		}
	})
}

func TestDevice(t *testing.T) {
	key, other := []byte("k"), []byte("o")
	d := device{}.with("u1").with("u2").with("u1")
	text := d.sign(key, day)
	if got := readDevice([][]byte{other, key}, text, day.Add(DeviceLife)); !got.knows("u1") || !got.knows("u2") || got.knows("u3") || got.knows("") {
		t.Errorf("%+v", got)
	}
	for what, got := range map[string]device{
		"another key": readDevice([][]byte{other}, text, day), "too old": readDevice([][]byte{key}, text, day.Add(DeviceLife+time.Second)),
		"of the future": readDevice([][]byte{key}, text, day.Add(-time.Hour)), "one more user": readDevice([][]byte{key}, strings.Replace(text, "u1", "u3", 1), day),
	} {
		if got.id != "" {
			t.Errorf("%s: %+v", what, got)
		}
	}
	for i := range 9 {
		d = d.with(fmt.Sprint("v", i))
	}
	if len(d.users) != maxOnOne || d.users[0] != "v8" {
		t.Errorf("%+v", d)
	}
}
