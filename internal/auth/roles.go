package auth

import (
	"context"
	"regexp"
	"slices"

	"honeyguide"
	"honeyguide/internal/state"
)

// roleName is what an own role may be called.
var roleName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)

// builtIn returns a built-in role of people.
func builtIn(name string) (honeyguide.Role, bool) {
	titles := map[Scope]string{
		ScopeViewer: "sees everything and changes nothing", ScopeAuditor: "sees everything, and who did what", ScopeAnalyst: "judges and works on incidents",
		ScopeResponder: "acts: approves, blocks, stops", ScopeAdmin: "may do everything",
	}
	s := Scope(name)
	if !slices.Contains(people, s) {
		return honeyguide.Role{}, false
	}
	return honeyguide.Role{Name: name, Title: titles[s], Permissions: texts(s.Permissions()), BuiltIn: true}, true
}

func texts(all []Permission) []string {
	out := []string{}
	for _, p := range all {
		out = append(out, string(p))
	}
	return out
}

// granted reads the permissions of a role; those this program does not know are
// left out.
func granted(r honeyguide.Role) []Permission {
	out := []Permission{}
	for _, p := range r.Permissions {
		if Explain(Permission(p)) != "" {
			out = append(out, Permission(p))
		}
	}
	return out
}

// roleOf finds the role of a name, built-in or own. CodeNotFound.
func roleOf(ctx context.Context, tx state.Tx, name string) (honeyguide.Role, error) {
	if r, ok := builtIn(name); ok {
		return r, nil
	}
	return tx.Roles().Get(ctx, name)
}

// powers are what a scope or role grants; none when there is no such role any more.
func powers(ctx context.Context, tx state.Tx, name string) ([]Permission, error) {
	if s := Scope(name); s.Known() {
		return s.Permissions(), nil
	}
	r, err := tx.Roles().Get(ctx, name)
	if absent(err) {
		return []Permission{}, nil
	}
	return granted(r), err
}

// Roles lists the roles, the built-in ones first.
func (s *Service) Roles(ctx context.Context) ([]honeyguide.Role, error) {
	var out []honeyguide.Role
	for _, p := range people {
		r, _ := builtIn(string(p))
		out = append(out, r)
	}
	err := s.o.State.View(ctx, func(tx state.Tx) error {
		own, err := tx.Roles().List(ctx)
		out = append(out[:len(people):len(people)], own...)
		return err
	})
	return out, err
}

// Role returns the role of a name. CodeNotFound.
func (s *Service) Role(ctx context.Context, name string) (r honeyguide.Role, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		r, err = roleOf(ctx, tx, name)
		return err
	})
	return r, err
}

// Powers are what a role or scope of a name grants. CodeNotFound.
func (s *Service) Powers(ctx context.Context, name string) ([]Permission, error) {
	if sc := Scope(name); sc.Known() {
		return sc.Permissions(), nil
	}
	r, err := s.Role(ctx, name)
	return granted(r), err
}

// MayGrant says why somebody may not hand out a scope or role, nil when they may.
func (s *Service) MayGrant(ctx context.Context, p Principal, name string) error {
	all, err := s.Powers(ctx, name)
	if absent(err) {
		return flaw("role: there is none of this name; want admin, responder, analyst, auditor, viewer or one of your own, for keys also read, ingest, metrics or bouncer")
	}
	if err != nil {
		return err
	}
	return mayGrant(p, all)
}

func mayGrant(p Principal, all []Permission) error {
	if missing := p.lacks(all); missing != "" {
		return forbidden("you cannot hand out the permission " + string(missing) + ", because you do not have it")
	}
	return nil
}

// SaveRole makes a role, or changes it. The permissions have to be known, and
// those of who asks.
func (s *Service) SaveRole(ctx context.Context, by Actor, r honeyguide.Role, fresh bool) (honeyguide.Role, error) {
	switch {
	case !roleName.MatchString(r.Name):
		return r, flaw("name: want 2 to 32 lower-case letters, digits or -, beginning with a letter")
	case Scope(r.Name).Known():
		return r, conflict("name: this role is built in; choose another name")
	case len(r.Title) > 200:
		return r, flaw("title: want at most 200 characters")
	case len(r.Permissions) == 0:
		return r, flaw("permissions: want at least one")
	}
	r.BuiltIn, r.UpdatedAt, r.CreatedBy = false, s.now(), by.Name
	slices.Sort(r.Permissions)
	r.Permissions = slices.Compact(r.Permissions)
	for _, p := range r.Permissions {
		if Explain(Permission(p)) == "" {
			return r, flaw("permissions: one of them is not known; known are " + names(Permissions()))
		}
	}
	if err := mayGrant(by.Principal, granted(r)); err != nil {
		return r, err
	}
	err := s.o.State.Update(ctx, func(tx state.Tx) error {
		old, err := tx.Roles().Get(ctx, r.Name)
		switch {
		case err == nil && fresh:
			return conflict("name: there is a role of this name; change it, or choose another name")
		case absent(err) && fresh:
			err = nil
		case err == nil:
			// What it granted so far is taken into account too: who may not hand it out
			// may not take it away from others either.
			err = mayGrant(by.Principal, granted(old))
		}
		if err != nil {
			return err
		}
		_, err = tx.Roles().Save(ctx, &r)
		return err
	})
	return r, err
}

// RemoveRole removes a role nobody has.
func (s *Service) RemoveRole(ctx context.Context, by Actor, name string) (r honeyguide.Role, err error) {
	if Scope(name).Known() {
		return r, conflict("this role is built in and stays")
	}
	if r, err = s.Role(ctx, name); err != nil {
		return r, err
	}
	if err := mayGrant(by.Principal, granted(r)); err != nil {
		return r, err
	}
	return r, s.o.State.Update(ctx, func(tx state.Tx) error {
		n, err := tx.Users().Count(ctx, state.UserQuery{Role: name})
		if err != nil {
			return err
		}
		keys, err := tx.APIKeys().List(ctx)
		if err != nil {
			return err
		}
		if n > 0 || slices.ContainsFunc(keys, func(k honeyguide.APIKey) bool { return k.Role == name }) {
			return conflict("users or keys have this role: give them another first")
		}
		return tx.Roles().Remove(ctx, name)
	})
}

// wantsSecond reports whether a role may do nothing without a second factor.
func (s *Service) wantsSecond(role string, powers []Permission) bool {
	if slices.Contains(s.o.SecondFactor, role) {
		return true
	}
	if Scope(role).Known() || !slices.Contains(s.o.SecondFactor, string(ScopeResponder)) {
		return false
	}
	return slices.ContainsFunc(powers, func(p Permission) bool { return !ScopeAnalyst.May(p) })
}
