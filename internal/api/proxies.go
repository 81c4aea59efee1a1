package api

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// Headers by which proxies say for whom they ask.
const (
	HeaderForwardedFor = "X-Forwarded-For"
	HeaderForwarded    = "Forwarded" // RFC 7239
	forwardedProto     = "X-Forwarded-Proto"
)

// maxHops bounds how many proxies in a row are looked at.
const maxHops = 32

var errHops = errors.New("the proxy's word for whom it asks cannot be read")

// Proxies are those whose word about the client is believed.
type Proxies struct {
	From []netip.Prefix
	// Header is the one header they write, X-Forwarded-For when empty. Only one is
	// read: a proxy that writes the one passes the other on as the client sent it.
	Header string
}

func (p Proxies) trusts(a netip.Addr) bool { return inside(p.From, a) }

func inside(list []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// client returns the address a request really comes from: the right-most one
// that is no proxy of ours. Whatever stands further left was written by whoever
// sent it. plain says that the client spoke to the proxy without TLS.
func (p Proxies) client(r *http.Request) (addr netip.Addr, plain bool, err error) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return addr, false, nil // a unix socket, or a test
	}
	addr = at.Addr().Unmap().WithZone("")
	if !p.trusts(addr) {
		return addr, false, nil
	}
	hops, scheme, err := p.hops(r.Header)
	if err != nil {
		return addr, false, err
	}
	for i := len(hops) - 1; i >= 0; i-- {
		if len(hops)-i > maxHops {
			return addr, false, errHops
		}
		if addr, err = hopAddr(hops[i]); err != nil {
			return addr, false, err
		}
		if !p.trusts(addr) {
			break
		}
	}
	return addr, strings.EqualFold(scheme, "http"), nil
}

// hops lists what the header names, oldest first, and the scheme the last proxy saw.
func (p Proxies) hops(h http.Header) (hops []string, scheme string, err error) {
	if !strings.EqualFold(p.Header, HeaderForwarded) {
		scheme = strings.TrimSpace(last(strings.Split(strings.Join(h.Values(forwardedProto), ","), ",")))
		for _, v := range h.Values(HeaderForwardedFor) {
			hops = append(hops, strings.Split(v, ",")...)
		}
		return hops, scheme, nil
	}
	for _, v := range h.Values(HeaderForwarded) {
		elements, err := forwarded(v)
		if err != nil {
			return nil, "", err
		}
		for _, e := range elements {
			hops, scheme = append(hops, e["for"]), e["proto"]
		}
	}
	return hops, scheme, nil
}

func last(list []string) string { return list[len(list)-1] }

// hopAddr reads the address of a hop: 192.0.2.1, 192.0.2.1:80, 2001:db8::1 or [2001:db8::1]:80.
func hopAddr(hop string) (netip.Addr, error) {
	hop = strings.TrimSpace(hop)
	if at, err := netip.ParseAddrPort(hop); err == nil {
		return at.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	if err != nil {
		return netip.Addr{}, errHops // "unknown" and names of the proxy's own are nobody we could judge
	}
	return addr.Unmap().WithZone(""), nil
}

// forwarded reads a Forwarded header: elements by comma, pairs by semicolon,
// values plain or quoted.
func forwarded(v string) ([]map[string]string, error) {
	var all []map[string]string
	element := map[string]string{}
	for rest := v; ; {
		name, tail, ok := strings.Cut(strings.TrimLeft(rest, " \t"), "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" || strings.ContainsAny(name, `",;`) || element[name] != "" {
			return nil, errHops
		}
		value, tail, ok := forwardedValue(tail)
		if !ok {
			return nil, errHops
		}
		element[name] = value
		tail = strings.TrimLeft(tail, " \t")
		switch {
		case tail == "":
			return append(all, element), nil
		case tail[0] == ',':
			all, element = append(all, element), map[string]string{}
		case tail[0] != ';':
			return nil, errHops
		}
		rest = tail[1:]
	}
}

func forwardedValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		n := strings.IndexAny(s, " \t,;")
		if n < 0 {
			n = len(s)
		}
		return s[:n], s[n:], n > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], b.Len() > 0
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
