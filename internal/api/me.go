package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// me registers what everybody may ask and do about themselves.
func (s *server) me() {
	enterAt(s, op("/me", "me", "Who asks, and what they may"), auth.PermSelf, s.whoAmI)
	enter(s, post("/me/password", "change-password", "Choose a new password; it ends the other logins"), auth.PermSelf,
		func(ctx context.Context, in *client.PasswordOrder) (client.LoginAnswer, []string, error) {
			by, err := person(ctx)
			if err != nil {
				return client.LoginAnswer{}, nil, err
			}
			a, err := s.dep.Identity.ChangePassword(ctx, by, in.Old, in.New)
			return loginAnswer(a), s.cookies(a), err
		})
	enter(s, post("/me/password/strength", "password-strength", "How good a password would be; it is kept nowhere"), auth.PermSelf,
		func(ctx context.Context, in *client.StrengthOrder) (client.Strength, []string, error) {
			m, breached := s.dep.Identity.Strength(ctx, actor(ctx).Name, in.Password)
			out := client.Strength{Score: m.Score, Warning: m.Warning, Suggestions: m.Suggestions, Breached: breached}
			if out.Suggestions == nil {
				out.Suggestions = []string{}
			}
			return out, nil, nil
		})
	mine(s, op("/me/sessions", "my-logins", "The browsers you are logged in with, newest first"),
		func(ctx context.Context, by auth.Actor, _ *struct{}) (client.Page[client.LoginRow], error) {
			return s.loginRows(ctx, by.ID, by.Session)
		})
	end := op("/me/sessions/{id}", "end-my-login", "Log one of your browsers out; holds from its next request on")
	end.Method, end.Errors = http.MethodDelete, append(end.Errors, http.StatusNotFound)
	mine(s, end, func(ctx context.Context, by auth.Actor, in *byID) (client.Ended, error) {
		n, err := s.dep.Identity.EndLogins(ctx, by, by.ID, in.ID, "")
		return client.Ended{Ended: n}, err
	})
	mine(s, post("/me/sessions/end-others", "end-my-other-logins", "Log all your other browsers out"),
		func(ctx context.Context, by auth.Actor, _ *struct{}) (client.Ended, error) {
			n, err := s.dep.Identity.EndLogins(ctx, by, by.ID, "", by.Session)
			return client.Ended{Ended: n}, err
		})
}

// mine registers a route about the account of who asks, for people who logged in.
func mine[I, O any](s *server, o huma.Operation, f func(ctx context.Context, by auth.Actor, in *I) (O, error)) {
	enterAt(s, o, auth.PermSelf, func(ctx context.Context, in *I) (out O, _ []string, err error) {
		by, err := person(ctx)
		if err != nil {
			return out, nil, err
		}
		out, err = f(ctx, by, in)
		return out, nil, err
	})
}

// person is who asks, when that is somebody who logged in.
func person(ctx context.Context) (auth.Actor, error) {
	by := actor(ctx)
	if by.Sort != auth.SortUser {
		return by, conflictOf("this is about the account of a person who logged in; a key has none")
	}
	return by, nil
}

func (s *server) whoAmI(ctx context.Context, _ *struct{}) (client.Me, []string, error) {
	p := actor(ctx).Principal
	out := client.Me{ID: p.ID, Name: p.Name, Display: p.Name, Role: string(p.Scope), Kind: string(p.Sort), Permissions: []string{}}
	for _, may := range p.All() {
		out.Permissions = append(out.Permissions, string(may))
	}
	if p.Sort != auth.SortUser {
		return out, nil, nil
	}
	l, err := s.dep.Identity.Me(ctx, p)
	if err != nil {
		return out, nil, err
	}
	if l.User.Display != "" {
		out.Display = l.User.Display
	}
	out.SecondFactor, out.MustChangePassword, out.Failed = l.User.SecondFactor, l.User.MustChangePassword, l.Session.Failed
	out.Enrol = p.Limited == auth.LimitedEnrol
	out.Session = client.MySession{ID: l.Session.ID, Since: l.Session.Since, IdleUntil: s.dep.Now().UTC().Add(auth.IdleLimit), Until: l.Session.Until}
	if out.Session.IdleUntil.After(l.Session.Until) {
		out.Session.IdleUntil = l.Session.Until
	}
	if p.Confirmed {
		out.Session.ConfirmedUntil = l.Session.ConfirmedAt.Add(auth.ConfirmLimit)
	}
	return out, nil, nil
}

// loginRows lists the logins of an account.
func (s *server) loginRows(ctx context.Context, user, current string) (client.Page[client.LoginRow], error) {
	all, err := s.dep.Identity.Logins(ctx, user)
	p := client.Page[client.LoginRow]{Items: make([]client.LoginRow, 0, len(all))}
	for _, l := range all {
		row := client.LoginRow{
			ID: l.ID, Since: l.Since, SeenAt: l.SeenAt, Until: l.Until, Agent: l.Agent, Methods: l.Methods,
			Current: l.ID == current, Halfway: l.Stage != honeyguide.LoginIn,
		}
		if l.Address.IsValid() {
			row.Address = l.Address.String()
		}
		p.Items = append(p.Items, row)
	}
	return p, err
}
