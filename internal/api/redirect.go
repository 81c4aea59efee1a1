package api

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Redirect sends browsers from plain HTTP to HTTPS: to an address such as
// https://soc.example, or with ":8443" to that port of the name they asked for.
// What is no browser's first visit is refused: a key sent in the clear is to be
// noticed, not passed on.
func Redirect(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		target := to
		if strings.HasPrefix(to, ":") {
			target = "https://" + sameHost(r.Host, to)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(r.URL.Path, "/api/") || target == "https://" || r.Header.Get("Authorization") != "" {
			writeProblem(w, newProblem(r.Context(), http.StatusForbidden, "this is plain HTTP: ask over https, and change a key that was sent this way"))
			return
		}
		w.Header().Set("Location", target+r.URL.RequestURI())
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}

// sameHost puts a port to the host of a request; "" when it is none.
func sameHost(host, port string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.WithZone("").String()
		if ip.Is6() {
			host = "[" + host + "]"
		}
	} else if strings.ContainsFunc(host, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
	}) {
		return ""
	}
	if host == "" || port == ":443" {
		return host
	}
	return host + port
}

// named returns where a visit of a page by a loopback address is sent, "" when a
// request is none: scripts, their files and programs get what they ask for.
func (s *server) named(r *http.Request) string {
	if !s.dep.Guards.Named || !navigates(r) {
		return ""
	}
	if name, ok := s.site.find(r.URL.Path); !ok || s.site.pages[name].kind != htmlType {
		return ""
	}
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || !ip.Unmap().IsLoopback() {
		return ""
	}
	if port != "" {
		port = ":" + port
	}
	return "https://" + sameHost("localhost", cmp.Or(port, ":443")) + r.URL.RequestURI()
}

// navigates reports whether somebody goes to a page, as browsers say; old ones say
// only that they would like one.
func navigates(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
