package netx

import (
	"fmt"
	"net/netip"
)

// A Local is an address of this host's surroundings, and what it is.
type Local struct {
	Addr netip.Addr
	What string // "an address of this host", "the default gateway", "a DNS server"
}

// A Judge says what must never be blocked. Its fields are set before it is first
// asked; it is safe for concurrent use when its functions are.
type Judge struct {
	Allow    []netip.Prefix          // never blocked
	Private  bool                    // blocks inside private ranges are allowed
	Loopback bool                    // blocks of loopback are allowed: for trials on one machine only
	Local    func() ([]Local, error) // the host's surroundings at the time of each check
	Admins   func() []netip.Addr     // addresses administrators are logged in from now; nil for none
}

// A special range and the reason it is refused for.
type special struct {
	prefix netip.Prefix
	why    string
}

// never are ranges no block makes sense in.
var never = []special{
	{netip.MustParsePrefix("0.0.0.0/8"), "is no host's address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "is a multicast range"},
	{netip.MustParsePrefix("240.0.0.0/4"), "is a reserved range"},
	{netip.MustParsePrefix("::/128"), "is no host's address"},
	{netip.MustParsePrefix("ff00::/8"), "is a multicast range"},
}

var loopback = []special{
	{netip.MustParsePrefix("127.0.0.0/8"), "is loopback: this machine itself"}, {netip.MustParsePrefix("::1/128"), "is loopback: this machine itself"},
}

// private are RFC 1918, RFC 6598, RFC 4193 and the link-local ranges.
var private = []special{
	{netip.MustParsePrefix("10.0.0.0/8"), ""},
	{netip.MustParsePrefix("172.16.0.0/12"), ""},
	{netip.MustParsePrefix("192.168.0.0/16"), ""},
	{netip.MustParsePrefix("100.64.0.0/10"), ""},
	{netip.MustParsePrefix("169.254.0.0/16"), ""},
	{netip.MustParsePrefix("fc00::/7"), ""},
	{netip.MustParsePrefix("fe80::/10"), ""},
}

// Refuse returns why p must not be blocked, "" when it may be. A judge that
// cannot learn the host's own addresses refuses everything.
func (j *Judge) Refuse(p netip.Prefix) string {
	local, err := j.Local()
	return j.refuse(p, local, err)
}

// RefuseAll judges many at once: the surroundings are asked for once. It calls
// yield for each that must not be blocked.
func (j *Judge) RefuseAll(list []netip.Prefix, yield func(i int, why string)) {
	local, err := j.Local()
	for i, p := range list {
		if why := j.refuse(p, local, err); why != "" {
			yield(i, why)
		}
	}
}

func (j *Judge) refuse(p netip.Prefix, local []Local, err error) string {
	p, ok := Normal(p)
	if !ok {
		return "there is no address to block"
	}
	if a := p.Addr(); a.Is4() && p.Bits() < Widest4 || a.Is6() && p.Bits() < Widest6 {
		return fmt.Sprintf("%s is wider than /%d for IPv4 or /%d for IPv6", p, Widest4, Widest6)
	}
	if allowed, hit := j.Allowed(p); hit {
		return fmt.Sprintf("%s is on the allowlist (%s)", Canonical(p), Canonical(allowed))
	}
	if why := j.reserved(p); why != "" {
		return why
	}
	if err != nil {
		return "the host's own addresses could not be read, so nothing is blocked"
	}
	for _, l := range local {
		if a := l.Addr.Unmap().WithZone(""); p.Contains(a) && !(a.IsLoopback() && j.Loopback) {
			return fmt.Sprintf("%s is %s", a, l.What)
		}
	}
	if j.Admins != nil {
		for _, a := range j.Admins() {
			if a = a.Unmap().WithZone(""); p.Contains(a) && !(a.IsLoopback() && j.Loopback) {
				return fmt.Sprintf("%s is where an administrator is logged in from", a)
			}
		}
	}
	return ""
}

// Allowed returns the entry of the allowlist that touches p: it lies in p or p
// lies in it.
func (j *Judge) Allowed(p netip.Prefix) (entry netip.Prefix, ok bool) {
	for _, a := range j.Allow {
		if a.Overlaps(p) {
			return a, true
		}
	}
	return netip.Prefix{}, false
}

// reserved refuses ranges by what they are.
func (j *Judge) reserved(p netip.Prefix) string {
	find := func(list []special) (special, bool) {
		for _, s := range list {
			if s.prefix.Overlaps(p) {
				return s, true
			}
		}
		return special{}, false
	}
	if s, hit := find(never); hit {
		return Canonical(p) + " " + s.why
	}
	if s, hit := find(loopback); hit && !j.Loopback {
		return Canonical(p) + " " + s.why
	}
	if s, hit := find(private); hit && !j.Private {
		return fmt.Sprintf("%s is in the private range %s; respond.block_private is off", Canonical(p), s.prefix)
	}
	return ""
}
