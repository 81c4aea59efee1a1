package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/auth/oidc"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/state"
)

// ProviderSettings are one provider of identities as an operator writes it.
type ProviderSettings = oidc.Settings

// Providers say who else lets people in.
type Providers struct {
	Address  string                      // of the console as browsers reach it, https://HOST[:PORT]
	Settings map[string]ProviderSettings // by id
	Fetch    fetcher.Doer                // how they are asked
}

// A ProviderInfo is a provider as the page shows it on which people log in.
type ProviderInfo struct{ ID, Label string }

// The cookie of a login under way at a provider.
const (
	FlightCookie = oidc.CookieName
	FlightLife   = oidc.CookieLife
)

// CheckProvider checks the settings of a provider.
func CheckProvider(id string, s ProviderSettings) error { return s.Tidy(id) }

// CallbackPath returns the path a provider sends browsers back to.
func CallbackPath(id string) string { return oidc.CallbackPath(id) }

// Local returns a path of this site that a browser may be sent to, "/" for
// everything else.
func Local(to string) string { return oidc.Local(to) }

// Connect adds providers. It is called before anybody logs in.
func (s *Service) Connect(f Providers) error {
	flights := oidc.NewFlights(s.o.Now)
	var faults error
	for _, id := range slices.Sorted(maps.Keys(f.Settings)) {
		p, err := oidc.New(id, f.Settings[id], oidc.Options{Fetch: f.Fetch, Base: f.Address, Flights: flights, Now: s.o.Now})
		if err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		s.providers = append(s.providers, p)
	}
	return faults
}

// Providers lists the providers, by id.
func (s *Service) Providers() []ProviderInfo {
	out := []ProviderInfo{}
	for _, p := range s.providers {
		out = append(out, ProviderInfo{ID: p.ID(), Label: p.Label()})
	}
	return out
}

// Ways returns where providers are asked, for the process that reaches out, and
// the hosts among them that may be in the operator's own network.
func (s *Service) Ways() (ways []fetcher.Way, inside []string) {
	for _, p := range s.providers {
		for _, w := range p.Ways() {
			ways, inside = append(ways, w), append(inside, w.Host)
		}
	}
	return ways, inside
}

func (s *Service) provider(id string) (*oidc.Provider, error) {
	for _, p := range s.providers {
		if p.ID() == id {
			return p, nil
		}
	}
	return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no provider with this id"}
}

// A Refused is a login by way of a provider that came to nothing. Problem is a word
// for the page on which people log in.
type Refused struct {
	Problem string
	Err     error
}

// Error says why.
func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Refused) Unwrap() error { return r.Err }

// Problems of logins by way of a provider, beside those of the package oidc.
const (
	problemDisabled = "oidc_disabled" // the account was disabled here
	problemAccount  = "oidc_account"  // no account could be made
	problemLast     = "oidc_last_admin"
)

// StartProvider begins a login by way of a provider: where to send the browser, and
// the cookie it has to bring back. CodeNotFound, *Refused.
func (s *Service) StartProvider(ctx context.Context, from Caller, id, to string) (location string, cookie honeyguide.Secret, err error) {
	p, err := s.provider(id)
	if err != nil {
		return "", "", err
	}
	location, text, err := p.Start(ctx, to)
	if err != nil {
		return "", "", s.turnedAway(ctx, from, id, "", err)
	}
	return location, honeyguide.Secret(text), nil
}

// turnedAway notes that a login by way of a provider came to nothing.
func (s *Service) turnedAway(ctx context.Context, from Caller, id, name string, err error) error {
	problem := string(oidc.ProblemOf(err))
	if r, ok := errors.AsType[*Refused](err); ok {
		problem = r.Problem
	}
	s.results.With("wrong").Add(1)
	s.o.Log.WarnContext(ctx, "login refused", "request_id", from.Request, "provider", id, "problem", problem, "why", err.Error(), "address", from.Address)
	e := honeyguide.AuditEntry{Action: "login", Object: "provider:" + id, Outcome: honeyguide.AuditRefused, Detail: problem}
	if name != "" {
		e.Object = "user:" + name
	}
	if no := s.record(ctx, from, e); no != nil {
		return no
	}
	return &Refused{Problem: problem, Err: err}
}

// FinishProvider ends a login by way of a provider with what the browser brought
// back. It returns the path to go to, also with an error. CodeNotFound, *Refused.
func (s *Service) FinishProvider(ctx context.Context, from Caller, id string, query url.Values, cookie honeyguide.Secret) (a Answer, to string, err error) {
	p, err := s.provider(id)
	if err != nil {
		return a, "/", err
	}
	who, to, err := p.Finish(ctx, query, cookie.Reveal())
	if err != nil {
		return a, to, s.turnedAway(ctx, from, id, "", err)
	}
	u, err := s.linked(ctx, from, who)
	if err != nil {
		return a, to, s.turnedAway(ctx, from, id, u.Name, err)
	}
	a, err = s.start(ctx, from, u, string(honeyguide.CredentialOIDC), who.SecondFactor)
	return a, to, err
}

// linked returns the account of somebody a provider knows. It is found by issuer
// and subject alone, and made when there is none. Its role follows the provider.
func (s *Service) linked(ctx context.Context, from Caller, who oidc.Identity) (u honeyguide.User, err error) {
	if !isRole(ctx, s, who.Role) {
		return u, &Refused{Problem: string(oidc.NoRole), Err: fmt.Errorf("the role %.40q of auth.oidc.%s does not exist", who.Role, who.Provider)}
	}
	key := sumOf(honeyguide.Secret(who.Issuer + "\x00" + who.Subject)) // of a fixed length, whatever they are
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		c, err := tx.Credentials().Find(ctx, honeyguide.CredentialOIDC, key)
		if err != nil {
			return err
		}
		u, err = tx.Users().Get(ctx, c.User)
		return err
	})
	switch {
	case absent(err):
		return s.join(ctx, from, who, key)
	case err != nil:
		return u, err
	case u.Disabled || u.Kind != honeyguide.UserPerson:
		return u, &Refused{Problem: problemDisabled, Err: errors.New("the account is disabled")}
	}
	return u, s.follow(ctx, from, &u, who)
}

// follow gives an account the role and the name its provider says. Logins with
// another role end. The last administrator stays one, and does not come in as
// something else: a wrong line in a table of roles must not leave nobody who could
// mend it.
func (s *Service) follow(ctx context.Context, from Caller, u *honeyguide.User, who oidc.Identity) error {
	if u.Role == who.Role && (who.Display == "" || u.Display == who.Display) {
		return nil
	}
	if u.Role != who.Role {
		e := honeyguide.AuditEntry{Actor: u.Name, Kind: string(SortUser), Action: "change-role", Object: "user:" + u.Name, Detail: u.Role + " to " + who.Role + ", as provider " + who.Provider + " says"}
		if err := s.record(ctx, from, e); err != nil {
			return err
		}
		defer s.revoked(u.ID)
	}
	return s.o.State.Update(ctx, func(tx state.Tx) error {
		now, err := tx.Users().Get(ctx, u.ID)
		if err != nil {
			return err
		}
		next := now
		next.Role = who.Role
		if err := keepsAdmin(ctx, tx, now, &next); honeyguide.ErrorCode(err) == honeyguide.CodeConflict {
			return &Refused{Problem: problemLast, Err: fmt.Errorf("provider %s says %s of the last administrator: make another administrator first, or mend auth.oidc.%s.roles", who.Provider, who.Role, who.Provider)}
		} else if err != nil {
			return err
		}
		if now.Role != who.Role {
			if _, err := tx.LoginSessions().RemoveOf(ctx, u.ID, ""); err != nil {
				return err
			}
		}
		now.Role, now.UpdatedAt = who.Role, s.now()
		if who.Display != "" {
			now.Display = who.Display
		}
		*u = now
		_, err = tx.Users().Save(ctx, u)
		return err
	})
}

// join makes an account for somebody who comes for the first time. A name that is
// taken is never theirs: whoever may choose it at the provider would be somebody else.
func (s *Service) join(ctx context.Context, from Caller, who oidc.Identity, key string) (u honeyguide.User, err error) {
	base := nameOf(who.Name)
	for _, name := range []string{base, tail(base, "@"+who.Provider), tail(base, "-"+key[:10])} {
		if goodName(name) != nil {
			continue
		}
		u = honeyguide.User{Name: name, Display: who.Display, Kind: honeyguide.UserPerson, Role: who.Role, CreatedBy: "provider " + who.Provider, UpdatedAt: s.now()}
		e := honeyguide.AuditEntry{Actor: name, Kind: string(SortUser), Action: "add-user", Object: "user:" + name, Detail: "first login by provider " + who.Provider + ", role " + who.Role}
		if err := s.record(ctx, from, e); err != nil {
			return u, err
		}
		err = s.o.State.Update(ctx, func(tx state.Tx) error {
			if _, err := tx.Users().Save(ctx, &u); err != nil {
				return err
			}
			return tx.Credentials().Save(ctx, &honeyguide.Credential{User: u.ID, Kind: honeyguide.CredentialOIDC, Name: who.Provider, Lookup: key, CreatedAt: s.now()})
		})
		if honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
			return u, err
		}
	}
	return honeyguide.User{}, &Refused{Problem: problemAccount, Err: errors.New("no name could be found for a new account")}
}

// nameOf makes a name that may stand here of one a provider says.
func nameOf(said string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._@-", r):
			return r
		}
		return '-'
	}, said)
	return tail(strings.TrimLeft(name, "._@-"), "")
}

// tail puts an end to a name and keeps it within its length.
func tail(name, end string) string { return state.Clip(name, maxName-len(end)) + end }
