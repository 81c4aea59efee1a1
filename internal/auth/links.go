package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/auth/password"
	"honeyguide/internal/state"
)

// A link lets somebody choose a password once: the first administrator, a new
// user, or one who forgot it.
type link struct {
	First   bool `json:"first,omitempty"`   // it makes the first administrator
	Factors bool `json:"factors,omitempty"` // it takes the second factors away, too
}

// A Link is a one-time link that was made; the token is shown once.
type Link struct {
	User      honeyguide.User
	Token     honeyguide.Secret
	ExpiresAt time.Time
}

// FirstRun makes the link of the first administrator while there is no user; ok
// is false when there is one. A link that was made before is good no more.
func (s *Service) FirstRun(ctx context.Context) (l Link, ok bool, err error) {
	var n int64
	if err := s.o.State.View(ctx, func(tx state.Tx) error {
		n, err = tx.Users().Count(ctx, state.UserQuery{Kind: honeyguide.UserPerson})
		return err
	}); err != nil || n > 0 {
		return l, false, err
	}
	l, err = s.newLink(ctx, honeyguide.User{}, link{First: true})
	return l, err == nil, err
}

// Fresh reports whether there is no user yet.
func (s *Service) Fresh(ctx context.Context) (fresh bool, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		n, err := tx.Users().Count(ctx, state.UserQuery{Kind: honeyguide.UserPerson})
		fresh = n == 0
		return err
	})
	return fresh, err
}

// newLink makes a link in the place of those of before.
func (s *Service) newLink(ctx context.Context, u honeyguide.User, what link) (Link, error) {
	doc, err := json.Marshal(what)
	if err != nil {
		return Link{}, fmt.Errorf("write link: %w", err)
	}
	secret, sum := newSecret()
	l := Link{User: u, Token: secret, ExpiresAt: s.now().Add(LinkLimit)}
	return l, s.o.State.Update(ctx, func(tx state.Tx) error {
		if _, err := tx.Credentials().RemoveOf(ctx, u.ID, honeyguide.CredentialLink); err != nil {
			return err
		}
		return tx.Credentials().Save(ctx, &honeyguide.Credential{
			User: u.ID, Kind: honeyguide.CredentialLink, Lookup: sum, Data: doc, CreatedAt: s.now(), ExpiresAt: l.ExpiresAt,
		})
	})
}

// readLink finds what a token is good for. ErrWrong.
func (s *Service) readLink(ctx context.Context, tx state.Tx, token honeyguide.Secret) (c honeyguide.Credential, what link, err error) {
	if n := len(token.Reveal()); n == 0 || n > 128 {
		return c, what, ErrWrong
	}
	c, err = tx.Credentials().Find(ctx, honeyguide.CredentialLink, sumOf(token))
	switch now := s.now(); {
	case absent(err):
		return c, what, ErrWrong
	case err != nil:
		return c, what, err
	case !now.Before(c.ExpiresAt) || c.CreatedAt.Sub(now) > skew:
		return c, what, ErrWrong
	}
	return c, what, json.Unmarshal(c.Data, &what)
}

// UseLink takes a one-time link: it sets the password of whom it was made for, or
// makes the first administrator under the name that was chosen, and logs them in.
// ErrWrong when the link is not good, or not any more, or was made for another.
func (s *Service) UseLink(ctx context.Context, from Caller, token honeyguide.Secret, name string, chosen honeyguide.Secret) (Answer, error) {
	turn, wait := s.logins.take("\x00link "+sumOf(token), "", from.Network, s.o.Now())
	if wait > 0 {
		return Answer{}, &WaitError{After: wait}
	}
	u, err := s.whose(ctx, token, name)
	if err == ErrWrong {
		return Answer{}, s.refused(ctx, from, u, "a link that is not good")
	}
	turn.refund()
	if err != nil {
		return Answer{}, err
	}
	if err := s.fit(ctx, u.Name, chosen); err != nil {
		return Answer{}, err
	}
	phc, err := s.hasher.hash(ctx, chosen)
	if err != nil {
		return Answer{}, err
	}
	if err := s.record(ctx, from, honeyguide.AuditEntry{
		Actor: u.Name, Kind: string(SortUser), Action: "use-link", Object: "user:" + u.Name, Detail: map[bool]string{true: "first administrator"}[u.ID == ""],
	}); err != nil {
		return Answer{}, err
	}
	if u, err = s.redeem(ctx, token, u, phc); err != nil {
		return Answer{}, err
	}
	return s.start(ctx, from, u, "link", false)
}

// whose finds who a link is for: a user of no ID is the first administrator to be.
func (s *Service) whose(ctx context.Context, token honeyguide.Secret, name string) (u honeyguide.User, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		c, what, err := s.readLink(ctx, tx, token)
		if err != nil {
			return err
		}
		if !what.First {
			if u, err = tx.Users().Get(ctx, c.User); absent(err) || err == nil && (u.Disabled || name != "" && !strings.EqualFold(name, u.Name)) {
				return ErrWrong
			}
			return err
		}
		if err := goodName(name); err != nil {
			return err
		}
		u = honeyguide.User{Name: name, Display: name, Kind: honeyguide.UserPerson, Role: string(ScopeAdmin), CreatedBy: "first run"}
		return nil
	})
	return u, err
}

// redeem uses a link up: it works once, whoever else has it.
func (s *Service) redeem(ctx context.Context, token honeyguide.Secret, u honeyguide.User, phc string) (honeyguide.User, error) {
	now := s.now()
	defer s.revoked(u.ID)
	err := s.o.State.Update(ctx, func(tx state.Tx) error {
		c, what, err := s.readLink(ctx, tx, token)
		if err != nil {
			return err
		}
		if err := tx.Credentials().Remove(ctx, c.ID); err != nil {
			return err
		}
		if what.First {
			if n, err := tx.Users().Count(ctx, state.UserQuery{Kind: honeyguide.UserPerson}); err != nil || n > 0 {
				return either(err, ErrWrong)
			}
		} else if u, err = tx.Users().Get(ctx, u.ID); err != nil {
			return err
		}
		if what.Factors {
			for _, kind := range secondKinds {
				if _, err := tx.Credentials().RemoveOf(ctx, u.ID, kind); err != nil {
					return err
				}
			}
			u.SecondFactor = false
		}
		u.MustChangePassword, u.PasswordAt, u.UpdatedAt = false, now, now
		if _, err := tx.Users().Save(ctx, &u); err != nil {
			return err
		}
		return setPassword(ctx, tx, u, phc, "")
	})
	if err == nil {
		s.unlock(u)
	}
	return u, err
}

func either(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// secondKinds are the kinds of credentials that are second factors, or stand in for one.
var secondKinds = []honeyguide.CredentialKind{honeyguide.CredentialTOTP, honeyguide.CredentialPasskey, honeyguide.CredentialRecovery}

// setPassword puts a password in the place of the one before and ends the logins
// of the account but one.
func setPassword(ctx context.Context, tx state.Tx, u honeyguide.User, phc, but string) error {
	if _, err := tx.Credentials().RemoveOf(ctx, u.ID, honeyguide.CredentialPassword); err != nil {
		return err
	}
	if _, err := tx.Credentials().RemoveOf(ctx, u.ID, honeyguide.CredentialLink); err != nil {
		return err
	}
	if err := tx.Credentials().Save(ctx, &honeyguide.Credential{User: u.ID, Kind: honeyguide.CredentialPassword, Data: []byte(phc)}); err != nil {
		return err
	}
	_, err := tx.LoginSessions().RemoveOf(ctx, u.ID, but)
	return err
}

// minPassword is how many characters a password has at least.
const minPassword = 12

// fit says why a password may not be used, nil when it may.
func (s *Service) fit(ctx context.Context, name string, chosen honeyguide.Secret) error {
	text := chosen.Reveal()
	switch n := utf8.RuneCountInString(text); {
	case n < minPassword:
		return flaw(fmt.Sprintf("password: want at least %d characters; a few words make a good one", minPassword))
	case len(text) > password.MaxLength:
		return flaw(fmt.Sprintf("password: want at most %d bytes", password.MaxLength))
	case len(name) > 2 && strings.Contains(strings.ToLower(text), strings.ToLower(name)):
		return flaw("password: must not contain your own name")
	case strings.Count(text, text[:utf8Width(text)]) == n:
		return flaw("password: is one character over and over")
	}
	if s.o.Breached == nil {
		return nil
	}
	stolen, err := s.o.Breached(ctx, chosen)
	if err != nil { // the list is a help, not a lock
		s.o.Log.WarnContext(ctx, "the list of stolen passwords does not answer", "error", err)
		return nil
	}
	if stolen {
		return flaw("password: is on a list of stolen passwords, which is where guessers begin; choose another")
	}
	return nil
}

func utf8Width(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
}

// ChangePassword sets the password of somebody who is in. It ends their other
// logins and gives this one a new cookie.
func (s *Service) ChangePassword(ctx context.Context, by Actor, old, chosen honeyguide.Secret) (Answer, error) {
	l, err := s.Me(ctx, by.Principal)
	if err != nil {
		return Answer{}, err
	}
	turn, wait := s.confirms.take(l.User.ID, "login:"+l.Session.ID, by.From.Network, s.o.Now())
	if wait > 0 {
		return Answer{}, &WaitError{After: wait}
	}
	// Who came by a provider or a passkey and has no password yet sets their first.
	right := l.User.PasswordAt.IsZero() && by.Confirmed
	if !right {
		if right, err = s.samePassword(ctx, l.User, old); err != nil {
			turn.refund()
			return Answer{}, err
		}
		s.checks.With("confirm").Add(1)
	}
	if !right {
		return Answer{}, s.refused(ctx, by.From, l.User, "wrong old password")
	}
	turn.refund()
	if old == chosen {
		return Answer{}, flaw("new: is the old one; choose another")
	}
	if err := s.fit(ctx, l.User.Name, chosen); err != nil {
		return Answer{}, err
	}
	phc, err := s.hasher.hash(ctx, chosen)
	if err != nil {
		return Answer{}, err
	}
	if err := s.by(ctx, by, "change-password", "user:"+l.User.Name, ""); err != nil {
		return Answer{}, err
	}
	defer s.revoked(l.User.ID)
	if err := s.o.State.Update(ctx, func(tx state.Tx) error {
		u, err := tx.Users().Get(ctx, l.User.ID)
		if err != nil {
			return err
		}
		u.MustChangePassword, u.PasswordAt, u.UpdatedAt = false, s.now(), s.now()
		if _, err := tx.Users().Save(ctx, &u); err != nil {
			return err
		}
		return setPassword(ctx, tx, u, phc, l.Session.ID)
	}); err != nil {
		return Answer{}, err
	}
	return s.Confirmed(ctx, by)
}
