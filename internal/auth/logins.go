package auth

import (
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Login is somebody who is logged in, or on the way.
type Login struct {
	Session honeyguide.LoginSession
	User    honeyguide.User
	powers  []Permission
}

// States of an answer to a login.
const (
	StateIn     = "in"
	StateSecond = "second" // a second factor is wanted
	StateEnrol  = "enrol"  // the role wants one, and none is set
)

// An Answer is what a step of a login came to.
type Answer struct {
	State   string
	Methods []string // by which the second factor can be shown, or set
	User    string
	Failed  int               // wrong tries since the login before
	Cookie  honeyguide.Secret // of the login from now on
	Device  string            // cookie of the device; "" when it stays
	Until   time.Time         // absolute end of the login
}

// Start is the second step of every way in: somebody has shown who they are, by
// a method. strong says that the method needs no second factor beside it.
func (s *Service) start(ctx context.Context, from Caller, u honeyguide.User, method string, strong bool) (Answer, error) {
	stage := honeyguide.LoginIn
	if u.SecondFactor && !strong {
		stage = honeyguide.LoginSecond
	}
	now := s.now()
	l := &honeyguide.LoginSession{ID: honeyguide.NewID(now), User: u.ID, Stage: stage, Methods: []string{method}, Since: now}
	if method == string(honeyguide.CredentialOIDC) && strong {
		l.Methods = append(l.Methods, methodShown)
	}
	return s.advance(ctx, from, u, l)
}

// advance gives a login its place: a new cookie, always, so that whoever knew an
// older one has nothing.
func (s *Service) advance(ctx context.Context, from Caller, u honeyguide.User, l *honeyguide.LoginSession) (Answer, error) {
	now := s.now()
	secret, sum := newSecret()
	l.Sum, l.SeenAt, l.Address, l.Agent = sum, now, from.Address, from.Agent
	action := "login"
	if l.Stage == honeyguide.LoginIn {
		l.Since, l.Until, l.ConfirmedAt = now, now.Add(TotalLimit), now
	} else {
		l.Until = now.Add(halfwayLimit)
		action = "login-first-step"
	}
	if err := s.record(ctx, from, honeyguide.AuditEntry{
		Actor: u.Name, Kind: string(SortUser), Session: l.ID, Action: action, Object: "user:" + u.Name, Detail: "by " + join(l.Methods),
	}); err != nil {
		return Answer{}, err
	}
	a := Answer{User: u.Name, Cookie: secret, Until: l.Until}
	replaced := ""
	err := s.o.State.Update(ctx, func(tx state.Tx) error {
		replaced = ""
		if from.Cookie != "" { // a login of before, or somebody else's
			if old, err := tx.LoginSessions().Find(ctx, sumOf(from.Cookie)); err == nil && old.ID != l.ID {
				if err := tx.LoginSessions().Remove(ctx, old.ID); err != nil {
					return err
				}
				replaced = old.ID
			}
		}
		user, err := tx.Users().Get(ctx, u.ID) // as it is now
		if err != nil {
			return err
		}
		if user.Disabled {
			return ErrWrong
		}
		if l.Stage == honeyguide.LoginIn {
			if a.Failed, err = failures(ctx, tx, user); err != nil {
				return err
			}
			user.LastLoginAt = now
			if _, err := tx.Users().Save(ctx, &user); err != nil {
				return err
			}
			if err := tx.LoginTries().Add(ctx, honeyguide.LoginTry{User: u.ID, At: now, Right: true, Network: from.Network}); err != nil {
				return err
			}
		}
		l.Failed = a.Failed
		if err := tx.LoginSessions().Save(ctx, l); err != nil {
			return err
		}
		a.State, a.Methods, err = s.stateOf(ctx, tx, user, *l)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	if replaced != "" {
		s.revoked(replaced) // what is open of it ends now
	}
	if l.Stage == honeyguide.LoginIn {
		d := readDevice(s.devices, from.Device, now).with(u.ID)
		a.Device = d.sign(s.devices[0], now)
	}
	s.results.With(map[bool]string{true: "in", false: "second"}[l.Stage == honeyguide.LoginIn]).Add(1)
	s.o.Log.InfoContext(ctx, "login", "request_id", from.Request, "user", u.Name, "stage", string(l.Stage), "by", join(l.Methods), "address", from.Address)
	return a, nil
}

// failures counts the wrong tries since the last login.
func failures(ctx context.Context, tx state.Tx, u honeyguide.User) (n int, err error) {
	tries, err := tx.LoginTries().Of(ctx, u.ID)
	for _, t := range tries {
		if !t.Right && t.At.After(u.LastLoginAt) {
			n++
		}
	}
	return n, err
}

// stateOf says what comes next.
func (s *Service) stateOf(ctx context.Context, tx state.Tx, u honeyguide.User, l honeyguide.LoginSession) (string, []string, error) {
	if l.Stage == honeyguide.LoginSecond {
		methods, err := factors(ctx, tx, u.ID)
		return StateSecond, methods, err
	}
	all, err := powers(ctx, tx, u.Role)
	if err == nil && !enough(u, l) && s.wantsSecond(u.Role, all) {
		return StateEnrol, []string{"totp", "passkey"}, nil
	}
	return StateIn, []string{}, err
}

// methodShown stands among the methods of a login whose provider asked for a
// second factor.
const methodShown = "mfa"

// enough reports whether a login is not asked to set a second factor: one is set,
// or the provider somebody came by asked for one.
func enough(u honeyguide.User, l honeyguide.LoginSession) bool {
	return u.SecondFactor || slices.Contains(l.Methods, methodShown)
}

// factors are the ways an account can show its second factor.
func factors(ctx context.Context, tx state.Tx, user string) ([]string, error) {
	all, err := tx.Credentials().Of(ctx, user, "")
	out := []string{}
	for _, kind := range []honeyguide.CredentialKind{honeyguide.CredentialTOTP, honeyguide.CredentialPasskey, honeyguide.CredentialRecovery} {
		if slices.ContainsFunc(all, func(c honeyguide.Credential) bool { return c.Kind == kind && !c.Pending }) {
			out = append(out, string(kind))
		}
	}
	return out, err
}

// find reads the login a cookie belongs to, at any stage. ErrNoLogin.
func (s *Service) find(ctx context.Context, get func(state.Tx) (honeyguide.LoginSession, error)) (l Login, err error) {
	now := s.now()
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		if l.Session, err = get(tx); err != nil {
			return err
		}
		if l.User, err = tx.Users().Get(ctx, l.Session.User); err != nil {
			return err
		}
		l.powers, err = powers(ctx, tx, l.User.Role)
		return err
	})
	switch {
	case absent(err):
		return Login{}, ErrNoLogin
	case err != nil:
		return Login{}, err
	case l.User.Disabled || l.User.Kind != honeyguide.UserPerson || s.over(l.Session, now):
		return Login{}, ErrNoLogin
	}
	return l, nil
}

// over reports whether a login has ended by itself.
func (s *Service) over(l honeyguide.LoginSession, now time.Time) bool {
	s.mu.Lock()
	seen := s.seen[l.ID]
	s.mu.Unlock()
	if seen.Before(l.SeenAt) {
		seen = l.SeenAt
	}
	return !now.Before(l.Until) || now.Sub(seen) >= IdleLimit || seen.Sub(now) > skew || l.Since.Sub(now) > skew
}

// pending finds a login by its cookie, at any stage.
func (s *Service) pending(ctx context.Context, cookie honeyguide.Secret) (Login, error) {
	if n := len(cookie.Reveal()); n == 0 || n > 128 {
		return Login{}, ErrNoLogin
	}
	return s.find(ctx, func(tx state.Tx) (honeyguide.LoginSession, error) { return tx.LoginSessions().Find(ctx, sumOf(cookie)) })
}

// Resume returns who a cookie belongs to. ErrNoLogin.
func (s *Service) Resume(ctx context.Context, cookie honeyguide.Secret) (Principal, error) {
	l, err := s.pending(ctx, cookie)
	if err != nil {
		return Principal{}, err
	}
	return s.principal(l)
}

// principal is somebody who is in.
func (s *Service) principal(l Login) (Principal, error) {
	if l.Session.Stage != honeyguide.LoginIn {
		return Principal{}, ErrNoLogin
	}
	now := s.now()
	s.mu.Lock()
	if now.Sub(l.Session.SeenAt) > time.Minute {
		s.seen[l.Session.ID] = now
	}
	s.mu.Unlock()
	age := now.Sub(l.Session.ConfirmedAt)
	p := Principal{
		ID: l.User.ID, Name: l.User.Name, Scope: Scope(l.User.Role), Sort: SortUser, Session: l.Session.ID, Permissions: l.powers,
		Confirmed: age >= -skew && age < ConfirmLimit,
	}
	switch {
	case l.User.MustChangePassword:
		p.Limited = LimitedPassword
	case !enough(l.User, l.Session) && s.wantsSecond(l.User.Role, l.powers):
		p.Limited = LimitedEnrol
	}
	return p, nil
}

// Holds reports whether somebody who was let in would be let in again: for
// answers that go on for long. It asks the state.
func (s *Service) Holds(ctx context.Context, p Principal) bool {
	switch p.Sort {
	case SortLocal:
		return true
	case SortUser:
		l, err := s.find(ctx, func(tx state.Tx) (honeyguide.LoginSession, error) { return tx.LoginSessions().Get(ctx, p.Session) })
		return err == nil && l.User.Role == string(p.Scope) && slices.Equal(l.powers, p.Permissions)
	}
	held := false
	_ = s.o.State.View(ctx, func(tx state.Tx) error { // what cannot be read does not hold
		k, err := tx.APIKeys().Get(ctx, p.ID)
		held = err == nil && (k.ExpiresAt.IsZero() || s.now().Before(k.ExpiresAt)) || p.ID == bootstrapID
		return err
	})
	return held
}

// Me returns the login of somebody who is in.
func (s *Service) Me(ctx context.Context, p Principal) (Login, error) {
	return s.find(ctx, func(tx state.Tx) (honeyguide.LoginSession, error) { return tx.LoginSessions().Get(ctx, p.Session) })
}

// Logout ends a login. One that is over already is no error.
func (s *Service) Logout(ctx context.Context, from Caller) error {
	l, err := s.pending(ctx, from.Cookie)
	if err != nil {
		if err == ErrNoLogin {
			return nil
		}
		return err
	}
	if err := s.record(ctx, from, honeyguide.AuditEntry{Actor: l.User.Name, Kind: string(SortUser), Session: l.Session.ID, Action: "logout", Object: "user:" + l.User.Name}); err != nil {
		return err
	}
	return s.end(ctx, l.Session.ID)
}

func (s *Service) end(ctx context.Context, id string) error {
	defer s.revoked(id)
	return s.o.State.Update(ctx, func(tx state.Tx) error { return tx.LoginSessions().Remove(ctx, id) })
}

// Logins lists the logins of an account that hold, newest first.
func (s *Service) Logins(ctx context.Context, user string) (out []honeyguide.LoginSession, err error) {
	now := s.now()
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		u, err := tx.Users().Get(ctx, user)
		if err != nil {
			return err
		}
		out, err = tx.LoginSessions().Of(ctx, u.ID)
		return err
	})
	out = slices.DeleteFunc(out, func(l honeyguide.LoginSession) bool { return s.over(l, now) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range out {
		if at := s.seen[out[i].ID]; at.After(out[i].SeenAt) {
			out[i].SeenAt = at
		}
	}
	return out, err
}

// EndLogins ends the logins of an account: one of an id, or all but one for "".
// CodeNotFound when there is none of that id.
func (s *Service) EndLogins(ctx context.Context, by Actor, user, id, but string) (n int64, err error) {
	var u honeyguide.User
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		if u, err = tx.Users().Get(ctx, user); err != nil || id == "" {
			return err
		}
		l, err := tx.LoginSessions().Get(ctx, id)
		if err == nil && l.User != u.ID {
			err = &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no login with this id"}
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if u.ID != by.ID { // the route has recorded it
		err = s.above(ctx, by, u)
	} else {
		err = s.by(ctx, by, "end-my-logins", "user:"+u.Name, id)
	}
	if err != nil {
		return 0, err
	}
	defer s.revoked(u.ID, id)
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		if id != "" {
			n = 1
			return tx.LoginSessions().Remove(ctx, id)
		}
		n, err = tx.LoginSessions().RemoveOf(ctx, u.ID, but)
		return err
	})
	return n, err
}

func join(all []string) string {
	out := ""
	for i, s := range all {
		if i > 0 {
			out += ", "
		}
		out += s
	}
	return out
}
