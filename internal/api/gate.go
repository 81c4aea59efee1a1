package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/personal"
	"honeyguide/internal/telemetry"
)

// Trusted marks the requests a handler gets as those of the local
// administrator: for a handler used within the process, and for connections
// whose peer the operating system has let through (see Listener.Local).
func Trusted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(trust(r.Context())))
	})
}

func trust(ctx context.Context) context.Context { return context.WithValue(ctx, localKey, true) }

// gate asks who is there before anything else happens.
type gate struct {
	s       *server
	strikes *strikes
	denied  *telemetry.CounterVec

	pseudonyms *personal.Pseudonyms // for who may not see personal data
}

func newGate(s *server) *gate {
	denied := s.dep.Metrics.Counter("honeyguide_api_denied_total", "Requests refused at the gate, by reason.", "reason")
	for _, reason := range []string{
		"permission", "no_key", "wrong_key", "wrong_place", "no_login", "origin", "confirm", "proxy", "address", "host", "too_large", "too_many",
	} {
		denied.With(reason).Add(0) // there from the start, so that the first one is seen
	}
	return &gate{s: s, strikes: newStrikes(), denied: denied, pseudonyms: personal.NewPseudonyms(nil)}
}

// route names the route of a request for metrics and logs: its pattern, which
// no peer can choose.
func (g *gate) route(r *http.Request) string {
	if _, pattern := g.s.router.mux.Handler(r); g.s.router.needs[pattern] != "" {
		return pattern
	}
	if g.s.site.claims(r) {
		return "console"
	}
	return "none"
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, pattern := g.s.router.mux.Handler(r)
	need := g.s.router.needs[pattern]
	a, r := g.s.attempt(pattern, r)
	r = r.WithContext(context.WithValue(r.Context(), callerKey, callerOf(r)))
	if forged(r) {
		g.denied.With("origin").Add(1)
		refuse(w, r, newProblem(r.Context(), http.StatusForbidden, "a login was shown without Sec-Fetch-Site or Origin, by which a browser says where a request comes from; programs use a key"))
		return
	}
	if need == auth.PermOpen {
		g.s.audited(pattern, g.s.router).ServeHTTP(w, r)
		return
	}
	if pattern == "" && g.s.site.claims(r) {
		if to := g.s.named(r); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		g.s.site.ServeHTTP(w, r)
		return
	}
	who, problem := g.who(w, r, need)
	if problem != nil {
		refuse(w, r, problem)
		return
	}
	switch {
	case pattern == "":
		refuse(w, r, g.nowhere(w, r, h))
	case need == "" || !who.May(need):
		g.denied.With("permission").Add(1)
		problem := g.notGood(r, who)
		g.s.refusal(context.WithValue(r.Context(), principalKey, who), a, "it needs the permission "+string(need)+": "+problem.Detail)
		refuse(w, r, problem)
	case who.Sort == auth.SortUser && g.s.router.fresh[pattern] && !who.Confirmed:
		g.denied.With("confirm").Add(1)
		refuse(w, r, confirmProblem(r.Context()))
	case !g.s.known(w, r, who, pattern, need):
	default:
		if g.s.dep.Present != nil && who.May(auth.PermWork) {
			if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil { // the local door has no address
				g.s.dep.Present(at.Addr().Unmap().WithZone(""))
			}
		}
		asked, problem := g.s.generalRules(r.WithContext(context.WithValue(r.Context(), principalKey, who)), pattern)
		if problem != nil {
			refuse(w, r, problem)
			return
		}
		if as := g.pseudonymsFor(r, who, need); as != nil {
			v := g.veil(w, asked, as)
			defer v.end()
			w = v
		}
		g.s.once(w, asked, who, pattern, g.s.audited(pattern, g.s.router))
	}
}

// nowhere tells a path that does not exist from a method that does not.
func (g *gate) nowhere(w http.ResponseWriter, r *http.Request, h http.Handler) *Problem {
	probe := &probe{header: http.Header{}}
	h.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		return newProblem(r.Context(), http.StatusMethodNotAllowed, "this path does not take that method")
	}
	return newProblem(r.Context(), http.StatusNotFound, "there is nothing at this path")
}

// probe takes the status and headers of an answer and drops its body.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header { return p.header }
func (p *probe) WriteHeader(n int)   { p.status = n }
func (p *probe) Write(b []byte) (int, error) {
	return len(b), nil
}

// who returns the peer. A right key is let in whatever its address did before:
// keys cannot be guessed, so the limit on failures only saves work and log.
func (g *gate) who(w http.ResponseWriter, r *http.Request, need auth.Permission) (auth.Principal, *Problem) {
	if local, _ := r.Context().Value(localKey).(bool); local {
		return auth.Principal{ID: "local", Name: "local", Scope: auth.ScopeAdmin, Sort: auth.SortLocal}, nil
	}
	token, given := bearer(r)
	if !given && need == auth.PermBouncer {
		token, given = deviceKey(r)
	}
	if given {
		k, err := g.s.lookup(r.Context(), token, need)
		if err == nil {
			return g.holder(r, k)
		}
		if !errors.Is(err, auth.ErrNoKey) {
			return auth.Principal{}, g.s.problem(r.Context(), err)
		}
	}
	if cookie := cookieOf(r, sessionCookie); !given && cookie != "" {
		who, err := g.s.dep.Identity.Resume(r.Context(), honeyguide.Secret(cookie))
		switch {
		case err == nil:
			return who, nil
		case !errors.Is(err, auth.ErrNoLogin):
			return auth.Principal{}, g.s.problem(r.Context(), err)
		}
		// The cookie is not taken away: a newer one may be on its way already.
		g.denied.With("no_login").Add(1)
		return auth.Principal{}, newProblem(r.Context(), http.StatusUnauthorized, "this login has ended: log in again")
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="honeyguide"`)
	if !given {
		g.denied.With("no_key").Add(1)
		return auth.Principal{}, newProblem(r.Context(), http.StatusUnauthorized, "a key is wanted: Authorization: Bearer hg_...")
	}
	g.denied.With("wrong_key").Add(1)
	g.s.refusal(r.Context(), &attempt{action: "use-key", object: "key:unknown"}, "the key is not known, or not any more")
	if wait := g.strikes.strike(peer(r), g.s.dep.Now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		return auth.Principal{}, newProblem(r.Context(), http.StatusTooManyRequests, "too many wrong keys from this address")
	}
	return auth.Principal{}, newProblem(r.Context(), http.StatusUnauthorized, "this key is not known, or not any more")
}

// holder is who shows a key, if they may show it from where they are.
func (g *gate) holder(r *http.Request, k auth.Key) (auth.Principal, *Problem) {
	from := callOf(r.Context()).Address
	if !k.Good(from) {
		g.denied.With("wrong_place").Add(1)
		return auth.Principal{}, newProblem(r.Context(), http.StatusForbidden, "this key is not good from this address")
	}
	who, err := g.s.dep.Identity.OfKey(r.Context(), k)
	if err != nil {
		return auth.Principal{}, g.s.problem(r.Context(), err)
	}
	g.s.dep.Keys.Used(k, from, g.s.dep.Now())
	return who, nil
}

// notGood says why somebody may not do what they asked for.
func (g *gate) notGood(r *http.Request, who auth.Principal) *Problem {
	switch {
	case who.Limited == auth.LimitedEnrol:
		return newProblem(r.Context(), http.StatusForbidden, "your role wants a second factor: set one first")
	case who.Limited == auth.LimitedPassword:
		return newProblem(r.Context(), http.StatusForbidden, "choose a new password first")
	case who.Sort == auth.SortUser:
		return newProblem(r.Context(), http.StatusForbidden, "your role does not let you do that")
	}
	return newProblem(r.Context(), http.StatusForbidden, "this key is not good for that")
}

// still reports whether a principal is who it was when its request came in.
func (g *gate) still(r *http.Request, was auth.Principal) bool {
	return g.s.dep.Identity.Holds(r.Context(), was)
}

func bearer(r *http.Request) (token string, given bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// addrOf is the address a request comes from; the local door has none.
func addrOf(r *http.Request) (netip.Addr, error) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr().Unmap().WithZone(""), err
}

// peer is the network a request comes from: the address, or the /64 of IPv6.
func peer(r *http.Request) netip.Prefix {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	return network(addr.Unmap().WithZone(""))
}

// network is what one peer is taken to have: an address, or a /64 of IPv6.
func network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // the zero prefix for the zero address
	return p
}
