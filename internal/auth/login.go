package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// maxName is how many bytes of a name are looked at.
const maxName = 64

// account is the name of a bucket. It is the same for names nobody has.
func (s *Service) account(name string) string {
	name = strings.ToLower(state.Clip(name, maxName))
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.again[name]; n > 0 {
		return name + "\x00" + string(rune('0'+n%64))
	}
	return name
}

// applicant is who a name belongs to, as far as anybody does.
type applicant struct {
	user   honeyguide.User // without an ID when there is none of the name
	secret honeyguide.Credential
	place  string // by which it is known to come in
}

// applicant looks up a name. For one nobody has it asks the state the same
// questions.
func (s *Service) applicant(ctx context.Context, from Caller, name string) (a applicant, err error) {
	d := readDevice(s.devices, from.Device, s.now())
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		a = applicant{}
		u, err := tx.Users().Named(ctx, state.Clip(name, maxName))
		if err != nil && !absent(err) {
			return err
		}
		id := u.ID
		if id == "" {
			id = s.never
		}
		all, err := tx.Credentials().Of(ctx, id, honeyguide.CredentialPassword)
		if err != nil {
			return err
		}
		known, err := tx.LoginTries().Known(ctx, id, from.Network.String(), s.now().Add(-knownLimit))
		if err != nil {
			return err
		}
		a.user = u
		if len(all) > 0 && u.Kind == honeyguide.UserPerson && !u.Disabled {
			a.secret = all[0]
		}
		switch {
		case d.knows(id):
			a.place = "device:" + d.id
		case known:
			a.place = "network:" + from.Network.String()
		}
		return nil
	})
	return a, err
}

// Login is the first step: name and password. ErrWrong, ErrBusy or *WaitError;
// they tell nothing of whether there is such an account.
func (s *Service) Login(ctx context.Context, from Caller, name string, given honeyguide.Secret) (Answer, error) {
	a, err := s.applicant(ctx, from, name)
	if err != nil {
		return Answer{}, err
	}
	account := s.account(name)
	turn, wait := s.logins.take(account, a.place, from.Network, s.o.Now())
	if wait > 0 {
		return Answer{}, s.throttled(ctx, from, account, a.user, false, wait)
	}
	right, stale, err := s.hasher.check(ctx, string(a.secret.Data), given)
	if err != nil {
		turn.refund()
		if errors.Is(err, ErrBusy) {
			s.results.With("busy").Add(1)
		}
		return Answer{}, err
	}
	s.checks.With("password").Add(1)
	if !right {
		return Answer{}, s.refused(ctx, from, a.user, "wrong password")
	}
	turn.refund()
	if stale {
		s.renew(ctx, a, given)
	}
	return s.start(ctx, from, a.user, "password", false)
}

// refused notes a try that was wrong, with the same work for accounts that there
// are and those that there are not, and returns ErrWrong.
func (s *Service) refused(ctx context.Context, from Caller, u honeyguide.User, why string) error {
	object := "user:" + u.Name
	if u.ID == "" {
		// People type passwords into fields of names: what was given is kept nowhere.
		object, why = "", "a name nobody has"
	}
	if err := s.record(ctx, from, honeyguide.AuditEntry{Action: "login", Object: object, Outcome: honeyguide.AuditRefused, Detail: why}); err != nil {
		return err
	}
	try := honeyguide.LoginTry{User: u.ID, At: s.now(), Network: from.Network}
	if err := s.o.State.Update(ctx, func(tx state.Tx) error { return tx.LoginTries().Add(ctx, try) }); err != nil {
		return err
	}
	s.results.With("wrong").Add(1)
	s.o.Log.WarnContext(ctx, "login refused", "request_id", from.Request, "user_id", u.ID, "why", why, "address", from.Address)
	return ErrWrong
}

// renew hashes a password again, at today's cost. What fails is done at the next login.
func (s *Service) renew(ctx context.Context, a applicant, given honeyguide.Secret) {
	phc, err := s.hasher.hash(ctx, given)
	if err == nil {
		c := a.secret
		c.Data = []byte(phc)
		err = s.o.State.Update(ctx, func(tx state.Tx) error {
			if now, err := tx.Credentials().Get(ctx, c.ID); err != nil || string(now.Data) != string(a.secret.Data) {
				return err // changed meanwhile
			}
			return tx.Credentials().Save(ctx, &c)
		})
	}
	if err != nil && !errors.Is(err, ErrBusy) {
		s.o.Log.WarnContext(ctx, "a password could not be hashed anew", "user_id", a.user.ID, "error", err)
	}
}

// maxWrong is how many wrong codes end a login that waits for one.
const maxWrong = 5

// second checks a second factor of a login that waits for one. try looks at it
// within the transaction that uses it up.
func (s *Service) second(ctx context.Context, from Caller, method string, try func(state.Tx, honeyguide.User) (bool, error)) (Answer, error) {
	l, err := s.pending(ctx, from.Cookie)
	if err != nil {
		return Answer{}, err
	}
	if l.Session.Stage != honeyguide.LoginSecond {
		return Answer{}, ErrNoLogin
	}
	place := ""
	if d := readDevice(s.devices, from.Device, s.now()); d.knows(l.User.ID) {
		place = "device:" + d.id
	}
	account := s.account(l.User.Name)
	turn, wait := s.codes.take(account, place, from.Network, s.o.Now())
	if wait > 0 {
		return Answer{}, s.throttled(ctx, from, account, l.User, true, wait)
	}
	s.checks.With("code").Add(1)
	right, err := s.tried(ctx, l, try)
	if err != nil {
		turn.refund()
		return Answer{}, err
	}
	if !right {
		return Answer{}, s.refused(ctx, from, l.User, "wrong second factor: "+method)
	}
	turn.refund()
	l.Session.Stage = honeyguide.LoginIn
	l.Session.Methods = append(l.Session.Methods, method)
	return s.advance(ctx, from, l.User, &l.Session)
}

// tried looks at a second factor; the fifth wrong one ends the login.
func (s *Service) tried(ctx context.Context, l Login, try func(state.Tx, honeyguide.User) (bool, error)) (right bool, err error) {
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		if right, err = try(tx, l.User); err != nil || right {
			return err
		}
		now, err := tx.LoginSessions().Get(ctx, l.Session.ID)
		if err != nil {
			return err
		}
		if now.Wrong++; now.Wrong >= maxWrong {
			return tx.LoginSessions().Remove(ctx, now.ID)
		}
		return tx.LoginSessions().Save(ctx, &now)
	})
	return right, err
}

// Confirm lets somebody who is in show again who they are: by password, or by
// code when that is not empty. The login gets a new cookie.
func (s *Service) Confirm(ctx context.Context, by Actor, given, code honeyguide.Secret) (Answer, error) {
	l, err := s.Me(ctx, by.Principal)
	if err != nil {
		return Answer{}, err
	}
	turn, wait := s.confirms.take(l.User.ID, "login:"+l.Session.ID, by.From.Network, s.o.Now())
	if wait > 0 {
		return Answer{}, &WaitError{After: wait}
	}
	var right bool
	if code != "" {
		right, err = s.tried(ctx, l, func(tx state.Tx, u honeyguide.User) (bool, error) { return s.useTOTP(ctx, tx, u, code) })
	} else {
		right, err = s.samePassword(ctx, l.User, given)
	}
	if err != nil {
		turn.refund()
		return Answer{}, err
	}
	s.checks.With("confirm").Add(1)
	if !right {
		return Answer{}, s.refused(ctx, by.From, l.User, "wrong at the question who it is")
	}
	turn.refund()
	return s.Confirmed(ctx, by)
}

// Confirmed notes that somebody who is in showed who they are, and gives their
// login a new cookie.
func (s *Service) Confirmed(ctx context.Context, by Actor) (a Answer, err error) {
	if err := s.by(ctx, by, "confirm", "user:"+by.Name, ""); err != nil {
		return a, err
	}
	secret, sum := newSecret()
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		l, err := tx.LoginSessions().Get(ctx, by.Session)
		if err != nil {
			return err
		}
		u, err := tx.Users().Get(ctx, l.User)
		if err != nil {
			return err
		}
		l.Sum, l.ConfirmedAt, l.SeenAt, l.Wrong = sum, s.now(), s.now(), 0
		a = Answer{User: u.Name, Cookie: secret, Until: l.Until}
		if a.State, a.Methods, err = s.stateOf(ctx, tx, u, l); err != nil {
			return err
		}
		return tx.LoginSessions().Save(ctx, &l)
	})
	if absent(err) {
		err = ErrNoLogin
	}
	return a, err
}

// samePassword compares with the password of an account.
func (s *Service) samePassword(ctx context.Context, u honeyguide.User, given honeyguide.Secret) (bool, error) {
	var phc string
	err := s.o.State.View(ctx, func(tx state.Tx) error {
		all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialPassword)
		if len(all) > 0 {
			phc = string(all[0].Data)
		}
		return err
	})
	if err != nil {
		return false, err
	}
	right, _, err := s.hasher.check(ctx, phc, given)
	return right, err
}

// unlock lets an account be tried again at once, by whoever asks.
func (s *Service) unlock(u honeyguide.User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again[strings.ToLower(u.Name)]++
}

// locked reports whether strangers have to wait before they may try an account.
func (s *Service) locked(u honeyguide.User, now time.Time) bool {
	return s.logins.strangers.brimful(s.account(u.Name), now)
}
