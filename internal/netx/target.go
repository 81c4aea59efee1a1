// Package netx knows addresses: how people write them, what surrounds this
// host, and which of them must never be blocked. The guard before every plan and
// the process that holds the firewall judge by the same text, [Judge].
package netx

import (
	"fmt"
	"net/netip"
	"strings"
)

// Widest prefixes that may be blocked.
const (
	Widest4 = 24
	Widest6 = 48
)

// ParseTarget reads an address or a prefix and brings it to its canonical
// form: unmapped, without zone, host bits zero.
func ParseTarget(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("parse address: %w", err)
		}
		return Single(a), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("parse prefix: %w", err)
	}
	out, ok := Normal(p)
	if !ok {
		return netip.Prefix{}, fmt.Errorf("prefix %s is wider than all of IPv4", s)
	}
	return out, nil
}

// Single returns the prefix of one address, unmapped and without zone.
func Single(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}

// Normal returns p in its canonical form. It is not ok for an invalid prefix and
// for one of IPv6 that holds all of IPv4 in its mapped form.
func Normal(p netip.Prefix) (netip.Prefix, bool) {
	if !p.IsValid() {
		return netip.Prefix{}, false
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// Canonical writes a target: an address for a single one, a prefix otherwise.
func Canonical(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.Masked().String()
}
