package passkey

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// A Place is what keys are made for. Browsers show a key only at its place.
type Place struct {
	ID      string   // a host name without port
	Origins []string // scheme, host and port pages may come from
}

// PlaceOf returns the place of a console.
//
// With public, the address people reach it at (api.url), the place is its host and
// the one origin is that address. Without it the place is the host it listens on
// when that is a name, and localhost otherwise, with the port it listens on: so a
// fresh installation takes passkeys at https://localhost:8443 and nowhere else.
// Browsers accept no address as a place, and only localhost without TLS, which is
// not offered here. The error says that there can be no passkeys, and why.
func PlaceOf(public, listen string) (Place, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil && public == "" {
		return Place{}, fmt.Errorf("passkeys: %w", err)
	}
	if public != "" {
		u, err := url.Parse(public)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" {
			return Place{}, errors.New("passkeys: want https://HOST as the public address")
		}
		host, port = u.Hostname(), u.Port()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		if public != "" {
			return Place{}, errors.New("passkeys: browsers take no address for them; give api.url a host name")
		}
		host = "localhost"
	}
	origin := "https://" + host
	if port != "" && port != "443" {
		origin += ":" + port // as browsers write it: without the standard port
	}
	return Place{ID: host, Origins: []string{origin}}, nil
}
