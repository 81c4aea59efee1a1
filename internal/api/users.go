package api

import (
	"context"
	"net/http"
	"strings"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

type usersIn struct {
	Paging
	Role    string `query:"role" maxLength:"64"`
	Kind    string `query:"kind" enum:"person,service"`
	Enabled bool   `query:"enabled" doc:"only those that are not disabled"`
}

// users registers the accounts, for those who manage them.
func (s *server) users() {
	act(s, op("/users", "list-users", "Who may come in, people and services, newest first"), auth.PermUsers, s.listUsers)
	one := op("/users/{id}", "get-user", "One user, by id or name")
	one.Errors = append(one.Errors, http.StatusNotFound)
	act(s, one, auth.PermUsers, func(ctx context.Context, in *byID) (client.UserRow, error) {
		f, err := s.dep.Identity.User(ctx, in.ID)
		return userRow(f), err
	})
	// No orders: their answers hold a link, which must not be kept.
	writeAnew(s, post("/users", "create-user", "Make a user; a person gets a one-time link to choose a password, shown this once"), auth.PermUsers,
		func(ctx context.Context, in *client.UserOrder) (client.OneTimeLink, error) {
			l, err := s.dep.Identity.AddUser(ctx, actor(ctx), honeyguide.User{Name: in.Name, Display: in.Display, Kind: honeyguide.UserKind(in.Kind), Role: in.Role})
			return s.link(l), err
		})
	change := post("/users/{id}", "change-user", "Change a user: display, role, disabled; another role and disabling end the logins")
	change.Method = http.MethodPatch
	write(s, change, auth.PermUsers, func(ctx context.Context, id string, in *client.UserPatch) (client.UserRow, error) {
		u, err := s.dep.Identity.ChangeUser(ctx, actor(ctx), id, auth.UserChange{
			Display: in.Display, Role: in.Role, Disabled: in.Disabled, ChangePassword: in.MustChangePassword,
		})
		return client.UserRow{User: u}, err
	})
	remove(s, "/users/{id}", "remove-user", "Remove a user with logins, factors and keys, by id or name", auth.PermUsers, func(ctx context.Context, in *byID) (client.UserRow, error) {
		u, err := s.dep.Identity.RemoveUser(ctx, actor(ctx), in.ID)
		return client.UserRow{User: u}, err
	})
	write(s, post("/users/{id}/reset", "reset-user", "Make a one-time link by which a user chooses a new password, shown this once"), auth.PermUsers,
		func(ctx context.Context, id string, in *client.ResetOrder) (client.OneTimeLink, error) {
			l, err := s.dep.Identity.ResetLink(ctx, actor(ctx), id, in.Factors)
			return s.link(l), err
		})
	act(s, idPost("/users/{id}/unlock", "unlock-user", "Let a user be tried again at once after too many wrong passwords"), auth.PermUsers,
		func(ctx context.Context, in *byID) (client.UserRow, error) {
			u, err := s.dep.Identity.Unlock(ctx, actor(ctx), in.ID)
			return client.UserRow{User: u}, err
		})
	logins := op("/users/{id}/sessions", "list-logins", "The browsers a user is logged in with, newest first")
	logins.Errors = append(logins.Errors, http.StatusNotFound)
	act(s, logins, auth.PermUsers, func(ctx context.Context, in *byID) (client.Page[client.LoginRow], error) {
		return s.loginRows(ctx, in.ID, actor(ctx).Session)
	})
	remove(s, "/users/{id}/sessions", "end-logins", "Log a user out everywhere; holds from the next request on", auth.PermUsers, func(ctx context.Context, in *byID) (client.Ended, error) {
		n, err := s.dep.Identity.EndLogins(ctx, actor(ctx), in.ID, "", "")
		return client.Ended{Ended: n}, err
	})
	p := base + "/users"
	s.router.lately("POST "+p, "PATCH "+p+"/{id}", "DELETE "+p+"/{id}", "POST "+p+"/{id}/reset", "POST "+p+"/{id}/unlock", "DELETE "+p+"/{id}/sessions")
}

func (s *server) listUsers(ctx context.Context, in *usersIn) (client.Page[client.UserRow], error) {
	all, next, err := s.dep.Identity.Users(ctx, state.UserQuery{Page: in.page(), Role: in.Role, Kind: honeyguide.UserKind(in.Kind), Enabled: in.Enabled})
	p := client.Page[client.UserRow]{Items: make([]client.UserRow, 0, len(all)), Next: next}
	for _, u := range all {
		p.Items = append(p.Items, client.UserRow{User: u})
	}
	return p, err
}

func userRow(f auth.UserFile) client.UserRow {
	return client.UserRow{User: f.User, Locked: f.Locked, Failed: f.Failed}
}

// link writes a one-time link. Its token stands behind the #, which browsers
// send to nobody.
func (s *server) link(l auth.Link) client.OneTimeLink {
	out := client.OneTimeLink{User: l.User, ExpiresAt: l.ExpiresAt}
	if l.Token != "" {
		out.Link = LinkTo(s.dep.Address, l.Token)
	}
	return out
}

// LinkTo writes the address of a one-time link below that of the console.
func LinkTo(console string, token honeyguide.Secret) string {
	return strings.TrimSuffix(console, "/") + "/first-run#" + token.Reveal()
}
