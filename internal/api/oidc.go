package api

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// providers registers the way in through somebody else's login. Both routes are
// visited by browsers and answer with a redirect, whatever happens.
func (s *server) providers() {
	for _, r := range []struct {
		path, id, summary string
		serve             http.HandlerFunc
	}{
		{"/auth/oidc/{id}/start", "login-provider", "Begin a login at a provider of identities; the browser is sent there", s.toProvider},
		{"/auth/oidc/{id}/callback", "login-provider-callback", "Where a provider of identities sends the browser back to", s.fromProvider},
	} {
		o := op(r.path, r.id, r.summary)
		o.Security = []map[string][]string{}
		o.Errors = []int{http.StatusNotFound}
		o.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
		problem := &huma.MediaType{Schema: huma.SchemaFromType(s.huma.OpenAPI().Components.Schemas, typeOf[Problem]())}
		o.Responses = map[string]*huma.Response{
			"302":     {Description: "To the provider, to the console, or to /login?problem=CODE"},
			"default": {Description: "There is no such provider", Content: map[string]*huma.MediaType{"application/problem+json": problem}},
		}
		s.huma.OpenAPI().AddOperation(&o)
		s.plain(o.Method+" "+o.Path, auth.PermOpen, r.serve)
	}
}

func (s *server) providerRows() []client.OIDCProvider {
	out := []client.OIDCProvider{}
	for _, p := range s.dep.Identity.Providers() {
		out = append(out, client.OIDCProvider{ID: p.ID, Label: p.Label})
	}
	return out
}

// flight bakes the cookie of a login under way. It is Lax and not Strict: the
// provider sends the browser back from another site.
func flight(value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: auth.FlightCookie, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(life.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func (s *server) toProvider(w http.ResponseWriter, r *http.Request) {
	location, cookie, err := s.dep.Identity.StartProvider(r.Context(), callerOf(r), r.PathValue("id"), r.URL.Query().Get("to"))
	if err != nil {
		s.noProvider(w, r, "/", err)
		return
	}
	http.SetCookie(w, flight(cookie.Reveal(), auth.FlightLife))
	sendTo(w, location)
}

func (s *server) fromProvider(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, flight("", 0)) // it is good once
	cookie := ""
	if all := r.CookiesNamed(auth.FlightCookie); len(all) == 1 {
		cookie = all[0].Value
	}
	a, to, err := s.dep.Identity.FinishProvider(r.Context(), callerOf(r), r.PathValue("id"), r.URL.Query(), honeyguide.Secret(cookie))
	if err != nil {
		s.noProvider(w, r, to, err)
		return
	}
	for _, c := range s.cookies(a) {
		w.Header().Add("Set-Cookie", c)
	}
	if a.State != auth.StateIn { // the page asks for what is missing
		sendTo(w, "/login?"+url.Values{"state": {a.State}, "to": {to}}.Encode())
		return
	}
	sendTo(w, to)
}

// noProvider sends a browser to the page on which people log in, which says what
// went wrong.
func (s *server) noProvider(w http.ResponseWriter, r *http.Request, to string, err error) {
	refused, ok := errors.AsType[*auth.Refused](err)
	if !ok {
		writeProblem(w, s.problem(r.Context(), err))
		return
	}
	q := url.Values{"problem": {refused.Problem}}
	if to != "/" {
		q.Set("to", to)
	}
	sendTo(w, "/login?"+q.Encode())
}

// sendTo redirects without a body: what came from outside stands in none.
func sendTo(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}
