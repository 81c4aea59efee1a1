package api

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/auth"
)

// Guards are what a request has to pass before anybody asks who sent it. The
// local socket passes them all. The zero value lets everything pass.
type Guards struct {
	Proxies Proxies
	// Hosts are the names a request may be for, beside addresses; nil: any. A page
	// of another site whose name was made to point here is stopped by it.
	Hosts []string
	// Allow are the networks that may come in; nil: all.
	Allow  []netip.Prefix
	Limits Limits
	// Named says that people reach the console as localhost: visits of its pages by a
	// loopback address are sent there. Logins and passkeys belong to the host they
	// were made at, and no passkey can be made at an address.
	Named bool
}

// front stops requests by where they come from, whom they are for, how large
// they are and how many came before.
func (s *server) front(next http.Handler) http.Handler {
	g := s.dep.Guards
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if local, _ := r.Context().Value(localKey).(bool); local {
			next.ServeHTTP(w, r)
			return
		}
		addr, plain, err := g.Proxies.client(r)
		for _, name := range []string{HeaderForwardedFor, HeaderForwarded, forwardedProto, "X-Forwarded-Host", "X-Real-Ip"} {
			r.Header.Del(name) // nobody behind this line believes them
		}
		switch {
		case err != nil:
			s.turnAway(w, r, "proxy", http.StatusBadRequest, err.Error()+": see api.proxy_header")
			return
		case len(g.Allow) > 0 && !inside(g.Allow, addr):
			s.tellLockedOut(r, addr)
			s.turnAway(w, r, "address", http.StatusForbidden, "this address may not come in here (api.allow)")
			return
		case !g.serves(r.Host):
			s.turnAway(w, r, "host", http.StatusMisdirectedRequest, "nothing is served under this name: an operator can add it to api.hosts")
			return
		}
		if addr.IsValid() {
			r.RemoteAddr = netip.AddrPortFrom(addr, portOf(r.RemoteAddr)).String()
		}
		if plain && s.site.claims(r) {
			w.Header().Set("Location", "https://"+r.Host+r.URL.RequestURI())
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		if !s.bounded(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

func portOf(remote string) uint16 {
	at, _ := netip.ParseAddrPort(remote)
	return at.Port()
}

// turnAway refuses a request at the front.
func (s *server) turnAway(w http.ResponseWriter, r *http.Request, reason string, status int, detail string) {
	s.gate.denied.With(reason).Add(1)
	refuse(w, r, newProblem(r.Context(), status, detail))
}

// serves reports whether a request's Host is one of ours. An address cannot be
// rebound, and who sends no Host is no browser.
func (g Guards) serves(host string) bool {
	if g.Hosts == nil || host == "" {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name == "localhost" || slices.ContainsFunc(g.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// tellLockedOut says in the log that somebody who works here is kept out by
// their address, because they cannot mend it from where they are.
func (s *server) tellLockedOut(r *http.Request, addr netip.Addr) {
	token, given := bearer(r)
	if !given || s.gate.strikes.strike(peer(r), s.dep.Now()) > 0 {
		return
	}
	k, err := s.lookup(r.Context(), token, auth.PermWork)
	if err == nil && k.Scope.May(auth.PermWork) {
		s.dep.Log.WarnContext(r.Context(), "somebody with a right key is kept out by api.allow; the local socket lets them in",
			"request_id", requestID(r.Context()), "address", addr, "key", k.Name, "scope", k.Scope)
	}
}

// maxRequest bounds the body of a request that is no ingest and no archive, whose
// own limits are larger.
const maxRequest = 2 << 20

// bounded holds a request against the limits of its route.
func (s *server) bounded(w http.ResponseWriter, r *http.Request) bool {
	_, pattern := s.router.mux.Handler(r)
	need := s.router.needs[pattern]
	if need != auth.PermIngest && need != auth.PermBouncer && !s.router.archives[pattern] {
		if r.ContentLength > maxRequest {
			w.Header().Set("Connection", "close") // what follows is not read
			s.turnAway(w, r, "too_large", http.StatusRequestEntityTooLarge, "the request is too large")
			return false
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	}
	class := classOf(r.Method, pattern, need, r.URL.RawQuery)
	if pattern == "" && s.site.claims(r) {
		class = ClassFiles
	}
	stranger := r.Header.Get("Authorization") == "" && r.Header.Get("Cookie") == "" && r.Header.Get("X-Api-Key") == ""
	wait := s.meter.address(peer(r), class, stranger, s.dep.Now())
	return s.unhurried(w, r, class, wait)
}

// unhurried refuses a request that came too soon.
func (s *server) unhurried(w http.ResponseWriter, r *http.Request, c Class, wait time.Duration) bool {
	if wait <= 0 {
		return true
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	s.turnAway(w, r, "too_many", http.StatusTooManyRequests, "too many requests of this kind ("+string(c)+"): ask again later")
	return false
}

// known holds a request against the limits of who sends it.
func (s *server) known(w http.ResponseWriter, r *http.Request, who auth.Principal, pattern string, need auth.Permission) bool {
	if local, _ := r.Context().Value(localKey).(bool); local {
		return true
	}
	class := classOf(r.Method, pattern, need, r.URL.RawQuery)
	return s.unhurried(w, r, class, s.meter.principal(who.ID, class, s.dep.Now()))
}

// certified names the client certificate of a request, for the log: the subject
// is a fact, and nobody gets in by it.
func certified(ctx context.Context) string {
	subject, _ := ctx.Value(certificateKey).(string)
	return subject
}
