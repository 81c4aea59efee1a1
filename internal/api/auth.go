package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// The cookies. The prefix makes browsers take them from this host over TLS only,
// for all of its paths and no other host.
const (
	sessionCookie = "__Host-honeyguide"
	deviceCookie  = "__Host-honeyguide-device"
)

// callerOf says where a request comes from.
func callerOf(r *http.Request) auth.Caller {
	c := auth.Caller{
		Network: peer(r), Agent: r.UserAgent(), Request: requestID(r.Context()),
		Cookie: honeyguide.Secret(cookieOf(r, sessionCookie)), Device: cookieOf(r, deviceCookie),
	}
	if at, err := addrOf(r); err == nil { // the local door has none
		c.Address = at
	}
	return c
}

// cookieOf returns the only cookie of a name; "" when there are several, of
// which one came from somebody else.
func cookieOf(r *http.Request, name string) string {
	if all := r.CookiesNamed(name); len(all) == 1 && len(all[0].Value) <= 1024 {
		return all[0].Value
	}
	return ""
}

func callOf(ctx context.Context) auth.Caller {
	c, _ := ctx.Value(callerKey).(auth.Caller)
	return c
}

// forged reports whether a request that changes something shows a login and does
// not say where it comes from, as every browser does.
func forged(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	_, key := bearer(r)
	return !key && cookieOf(r, sessionCookie) != "" && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == ""
}

// actor is who asks, and from where.
func actor(ctx context.Context) auth.Actor {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return auth.Actor{Principal: p, From: callOf(ctx)}
}

// confirmProblem asks a user to show again who they are.
func confirmProblem(ctx context.Context) *Problem {
	p := newProblem(ctx, http.StatusForbidden, "confirm that it is you: POST "+base+"/auth/confirm")
	p.Type = "urn:honeyguide:problem:confirm"
	return p
}

// loginProblem makes the answer to an error of identity.
func (s *server) loginProblem(ctx context.Context, err error) error {
	wait := &auth.WaitError{}
	switch {
	case errors.Is(err, auth.ErrWrong):
		return newProblem(ctx, http.StatusUnauthorized, "the name, the password or the code is wrong, or the link is not good any more")
	case errors.Is(err, auth.ErrNoLogin):
		return newProblem(ctx, http.StatusUnauthorized, "there is no login, or it has ended: log in")
	case errors.As(err, &wait):
		return later(newProblem(ctx, http.StatusTooManyRequests, "too many tries: wait a little, or log in on a device you used before"), wait.After)
	case errors.Is(err, auth.ErrBusy):
		return later(newProblem(ctx, http.StatusTooManyRequests, "too many people log in just now: try again in a second"), time.Second)
	}
	return s.problem(ctx, err)
}

// later says when to ask again.
func later(p *Problem, after time.Duration) error {
	seconds := int((after + time.Second - 1) / time.Second)
	return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {strconv.Itoa(max(seconds, 1))}})
}

// cookied is an answer that sets cookies.
type cookied[O any] struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      O
}

// enter registers a route of identity. Its entries of the audit log are made
// where it is known what comes of it. body says whether it takes one.
func enter[T, O any](s *server, o huma.Operation, need auth.Permission, f func(ctx context.Context, in *T) (O, []string, error)) {
	s.router.need(o.Method+" "+o.Path, need)
	s.router.audits(o.Method + " " + o.Path)
	huma.Register(s.huma, o, func(ctx context.Context, in *askedAnew[T]) (*cookied[O], error) {
		if err := strict[T](in.RawBody); err != nil {
			return nil, s.problem(ctx, err)
		}
		out, cookies, err := f(ctx, &in.Body)
		if err != nil {
			return nil, s.loginProblem(ctx, err)
		}
		return &cookied[O]{cookies, out}, nil
	})
}

// enterAt is enter for a route without a body.
func enterAt[I, O any](s *server, o huma.Operation, need auth.Permission, f func(ctx context.Context, in *I) (O, []string, error)) {
	s.router.need(o.Method+" "+o.Path, need)
	s.router.audits(o.Method + " " + o.Path)
	huma.Register(s.huma, o, func(ctx context.Context, in *I) (*cookied[O], error) {
		out, cookies, err := f(ctx, in)
		if err != nil {
			return nil, s.loginProblem(ctx, err)
		}
		return &cookied[O]{cookies, out}, nil
	})
}

// cookies writes the cookies of an answer.
func (s *server) cookies(a auth.Answer) []string {
	var out []string
	if a.Cookie != "" {
		out = append(out, bake(sessionCookie, a.Cookie.Reveal(), 0))
	}
	if a.Device != "" {
		out = append(out, bake(deviceCookie, a.Device, auth.DeviceLife))
	}
	return out
}

// bake writes one cookie. With a life of 0 it goes with the browser, with a
// negative one at once.
func bake(name, value string, life time.Duration) string {
	c := http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(life.Seconds())}
	if life < 0 {
		c.MaxAge = -1
	}
	return c.String()
}

func loginAnswer(a auth.Answer) client.LoginAnswer {
	out := client.LoginAnswer{State: a.State, Methods: a.Methods, User: a.User, Failed: a.Failed}
	if out.Methods == nil {
		out.Methods = []string{}
	}
	return out
}

// openPost describes a route of a login.
func openPost(path, id, summary string) huma.Operation {
	o := post(path, id, summary)
	o.Security = []map[string][]string{}
	return o
}

// logins registers the way in.
func (s *server) logins() {
	methods := op("/auth/methods", "login-methods", "The ways in, for the page on which people log in")
	methods.Security = []map[string][]string{}
	enterAt(s, methods, auth.PermOpen, func(ctx context.Context, _ *struct{}) (client.LoginMethods, []string, error) {
		fresh, err := s.dep.Identity.Fresh(ctx)
		return client.LoginMethods{FirstRun: fresh, Password: true, Passkey: s.dep.Identity.Passkeys(), OIDC: s.providerRows(), Banner: s.dep.Banner}, nil, err
	})
	enter(s, openPost("/auth/login", "login", "Log in with name and password; the cookie comes with the answer"), auth.PermOpen,
		func(ctx context.Context, in *client.LoginOrder) (client.LoginAnswer, []string, error) {
			a, err := s.dep.Identity.Login(ctx, callOf(ctx), strings.TrimSpace(in.Name), in.Password)
			return loginAnswer(a), s.cookies(a), err
		})
	enter(s, openPost("/auth/first-run", "use-link", "Use a one-time link: make the first administrator, or choose a new password"), auth.PermOpen,
		func(ctx context.Context, in *client.FirstRunOrder) (client.LoginAnswer, []string, error) {
			a, err := s.dep.Identity.UseLink(ctx, callOf(ctx), in.Token, strings.TrimSpace(in.Name), in.Password)
			return loginAnswer(a), s.cookies(a), err
		})
	enterAt(s, openPost("/auth/logout", "logout", "Log out; nothing happens without a login"), auth.PermOpen,
		func(ctx context.Context, _ *struct{}) (struct{}, []string, error) {
			return struct{}{}, []string{bake(sessionCookie, "", -1)}, s.dep.Identity.Logout(ctx, callOf(ctx))
		})
	enter(s, post("/auth/confirm", "confirm", "Show again who you are, by password or by code: for five minutes nothing else asks"), auth.PermSelf,
		func(ctx context.Context, in *client.ConfirmOrder) (client.LoginAnswer, []string, error) {
			by := actor(ctx)
			switch {
			case by.Sort != auth.SortUser:
				return client.LoginAnswer{}, nil, conflictOf("only a login can be confirmed")
			case (in.Password == "") == (in.Code == ""):
				return client.LoginAnswer{}, nil, invalid("want either password or code")
			}
			a, err := s.dep.Identity.Confirm(ctx, by, in.Password, in.Code)
			return loginAnswer(a), s.cookies(a), err
		})
}

func conflictOf(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: text}
}
