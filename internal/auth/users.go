package auth

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

// userName is what somebody may be called: it stands for them in decisions and
// logs, so two names must not look alike by blanks or odd letters.
var userName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// reserved are names that stand for somebody else: the peer of the local socket,
// the operator's own key, and those who act without a person.
var reserved = []string{"local", bootstrapID, "playbook", "expiry", "schedule", "system", "nobody", "first", "me"}

// goodName says why nobody may have a name, nil when somebody may.
func goodName(name string) error {
	switch {
	case !userName.MatchString(name):
		return flaw("name: want 1 to 64 letters, digits or . _ @ -, beginning with a letter or a digit")
	case slices.Contains(reserved, strings.ToLower(name)):
		return flaw("name: stands for somebody else; choose another, such as that of the person or program")
	}
	return nil
}

// GoodName says why nobody may have a name, nil when somebody may.
func GoodName(name string) error { return goodName(name) }

// Users lists the accounts, newest first.
func (s *Service) Users(ctx context.Context, q state.UserQuery) (out []honeyguide.User, next string, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		out, next, err = tx.Users().List(ctx, q)
		return err
	})
	return out, next, err
}

// A UserFile is an account and what an administrator wants to know of it.
type UserFile struct {
	honeyguide.User
	Locked bool // strangers have to wait before they may try its password
	Failed int  // wrong tries since the last login
}

// User returns an account by its id or name. CodeNotFound.
func (s *Service) User(ctx context.Context, id string) (f UserFile, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		if f.User, err = tx.Users().Get(ctx, id); err != nil {
			return err
		}
		f.Failed, err = failures(ctx, tx, f.User)
		return err
	})
	f.Locked = err == nil && s.locked(f.User, s.o.Now())
	return f, err
}

// above refuses to touch an account that may more than who asks: whoever could
// reset its password would be it.
func (s *Service) above(ctx context.Context, by Actor, u honeyguide.User) error {
	all, err := s.Powers(ctx, u.Role)
	if err != nil && !absent(err) {
		return err
	}
	if missing := by.lacks(all); missing != "" {
		return forbidden("this user may do more than you (" + string(missing) + "): somebody who has that has to do it")
	}
	return nil
}

// AddUser makes an account. A person gets a one-time link to choose a password
// by; a service has no way in but keys.
func (s *Service) AddUser(ctx context.Context, by Actor, u honeyguide.User) (l Link, err error) {
	if err := goodName(u.Name); err != nil {
		return l, err
	}
	if u.Kind == "" {
		u.Kind = honeyguide.UserPerson
	}
	switch {
	case u.Kind != honeyguide.UserPerson && u.Kind != honeyguide.UserService:
		return l, flaw("kind: want person or service")
	case len(u.Display) > 200:
		return l, flaw("display: want at most 200 bytes")
	}
	if err := s.MayGrant(ctx, by.Principal, u.Role); err != nil {
		return l, err
	}
	if u.Kind == honeyguide.UserPerson && !isRole(ctx, s, u.Role) {
		return l, flaw("role: want viewer, analyst, responder, admin or one of your own; the others are for programs")
	}
	u = honeyguide.User{Name: u.Name, Display: u.Display, Kind: u.Kind, Role: u.Role, CreatedBy: by.Name, UpdatedAt: s.now()}
	if err := s.o.State.Update(ctx, func(tx state.Tx) error { _, err := tx.Users().Save(ctx, &u); return err }); err != nil {
		return l, err
	}
	if u.Kind == honeyguide.UserService {
		return Link{User: u}, nil
	}
	return s.newLink(ctx, u, link{})
}

func isRole(ctx context.Context, s *Service, name string) bool {
	_, err := s.Role(ctx, name)
	return err == nil
}

// A UserChange is what changes of an account; nil stays.
type UserChange struct {
	Display, Role            *string
	Disabled, ChangePassword *bool
}

// ChangeUser changes an account. Its logins end when its role changes or it is
// disabled.
func (s *Service) ChangeUser(ctx context.Context, by Actor, id string, c UserChange) (u honeyguide.User, err error) {
	f, err := s.User(ctx, id)
	if err != nil {
		return u, err
	}
	if err := s.above(ctx, by, f.User); err != nil {
		return u, err
	}
	if c.Role != nil && *c.Role != f.Role {
		if err := s.MayGrant(ctx, by.Principal, *c.Role); err != nil {
			return u, err
		}
		if f.Kind == honeyguide.UserPerson && !isRole(ctx, s, *c.Role) {
			return u, flaw("role: want viewer, analyst, responder, admin or one of your own; the others are for programs")
		}
	}
	if c.Display != nil && len(*c.Display) > 200 {
		return u, flaw("display: want at most 200 bytes")
	}
	defer s.revoked(f.ID)
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		if u, err = tx.Users().Get(ctx, f.ID); err != nil {
			return err
		}
		was := u
		set(&u.Display, c.Display)
		set(&u.Role, c.Role)
		set(&u.Disabled, c.Disabled)
		set(&u.MustChangePassword, c.ChangePassword)
		u.UpdatedAt = s.now()
		if err := keepsAdmin(ctx, tx, was, &u); err != nil {
			return err
		}
		if _, err := tx.Users().Save(ctx, &u); err != nil {
			return err
		}
		if u.Role != was.Role || u.Disabled {
			_, err = tx.LoginSessions().RemoveOf(ctx, u.ID, "")
		}
		return err
	})
	return u, err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// keepsAdmin refuses a change after which nobody could administer any more; u is
// nil when the account goes.
func keepsAdmin(ctx context.Context, tx state.Tx, was honeyguide.User, u *honeyguide.User) error {
	admin := func(u honeyguide.User) bool {
		return u.Role == string(ScopeAdmin) && u.Kind == honeyguide.UserPerson && !u.Disabled
	}
	if !admin(was) || u != nil && admin(*u) {
		return nil
	}
	n, err := tx.Users().Count(ctx, state.UserQuery{Role: string(ScopeAdmin), Kind: honeyguide.UserPerson, Enabled: true})
	if err != nil {
		return err
	}
	if n <= 1 {
		return conflict("this is the last administrator: make another one first")
	}
	return nil
}

// RemoveUser removes an account with its logins, factors and keys.
func (s *Service) RemoveUser(ctx context.Context, by Actor, id string) (u honeyguide.User, err error) {
	f, err := s.User(ctx, id)
	if err != nil {
		return u, err
	}
	if err := s.above(ctx, by, f.User); err != nil {
		return u, err
	}
	defer s.revoked(f.ID)
	return f.User, s.o.State.Update(ctx, func(tx state.Tx) error {
		was, err := tx.Users().Get(ctx, f.ID)
		if err == nil {
			err = keepsAdmin(ctx, tx, was, nil)
		}
		if err != nil {
			return err
		}
		return tx.Users().Remove(ctx, was.ID)
	})
}

// ResetLink makes a one-time link by which a user chooses a new password. With
// factors it takes the second factors away when it is used.
func (s *Service) ResetLink(ctx context.Context, by Actor, id string, factors bool) (Link, error) {
	f, err := s.User(ctx, id)
	if err != nil {
		return Link{}, err
	}
	if f.Kind == honeyguide.UserService {
		return Link{}, flaw("a service has no password: make a key for it")
	}
	if err := s.above(ctx, by, f.User); err != nil {
		return Link{}, err
	}
	return s.newLink(ctx, f.User, link{Factors: factors})
}

// Unlock lets strangers try an account at once, after too many wrong passwords.
func (s *Service) Unlock(ctx context.Context, by Actor, id string) (u honeyguide.User, err error) {
	f, err := s.User(ctx, id)
	if err != nil {
		return u, err
	}
	s.unlock(f.User)
	return f.User, nil
}
