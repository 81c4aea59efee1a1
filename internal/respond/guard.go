package respond

import (
	"fmt"
	"net/netip"
	"strings"

	"honeyguide"
)

// Config is what the operator says about responses (respond in the
// configuration).
type Config struct {
	Allow              []string `yaml:"allow"`                // addresses and prefixes that are never blocked
	BlockPrivate       bool     `yaml:"block_private"`        // blocks inside private ranges are allowed
	NeverBlockLoopback bool     `yaml:"never_block_loopback"` // switch off for trials on one machine only
}

// Defaults returns the safe configuration.
func Defaults() Config { return Config{NeverBlockLoopback: true} }

// Widest prefixes that may be blocked.
const (
	widest4 = 24
	widest6 = 48
)

// A Local is an address of this host's surroundings, and what it is.
type Local struct {
	Addr netip.Addr
	What string // "an address of this host", "the default gateway", "a DNS server"
}

// A Guard knows what must never be blocked.
type Guard struct {
	// More tells the prefixes that people keep from being blocked, beside those of
	// the configuration; nil for none. It is set before the guard is first asked.
	More  func() []netip.Prefix
	cfg   Config
	allow []netip.Prefix
	local func() ([]Local, error)
}

// NewGuard checks the configuration. local tells the host's surroundings at
// the time of each check; nil reads them from the system.
func NewGuard(cfg Config, local func() ([]Local, error)) (*Guard, error) {
	g := &Guard{cfg: cfg, local: local}
	if local == nil {
		g.local = System
	}
	for i, s := range cfg.Allow {
		p, err := ParseTarget(s)
		if err != nil {
			return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("respond.allow[%d]: %q is no address or prefix; write 203.0.113.7 or 203.0.113.0/24", i, s), Err: err}
		}
		g.allow = append(g.allow, p)
	}
	return g, nil
}

// ParseTarget reads an address or a prefix and brings it to its canonical
// form: unmapped, without zone, host bits zero.
func ParseTarget(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("parse address: %w", err)
		}
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("parse prefix: %w", err)
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("prefix %s is wider than all of IPv4", s)
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// Canonical writes a target: an address for a single one, a prefix otherwise.
func Canonical(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.Masked().String()
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

// Refuse returns why p must not be blocked, "" when it may be.
func (g *Guard) Refuse(p netip.Prefix) string {
	p = p.Masked()
	if !p.IsValid() {
		return "there is no address to block"
	}
	if a := p.Addr(); a.Is4() && p.Bits() < widest4 || a.Is6() && p.Bits() < widest6 {
		return fmt.Sprintf("%s is wider than /%d for IPv4 or /%d for IPv6", p, widest4, widest6)
	}
	for _, allowed := range g.allow {
		if allowed.Overlaps(p) {
			return fmt.Sprintf("%s is on the allowlist (respond.allow: %s)", Canonical(p), Canonical(allowed))
		}
	}
	if g.More != nil {
		for _, allowed := range g.More() {
			if allowed.Overlaps(p) {
				return fmt.Sprintf("%s is on the allowlist (entry %s)", Canonical(p), Canonical(allowed))
			}
		}
	}
	if why := g.reserved(p); why != "" {
		return why
	}
	local, err := g.local()
	if err != nil {
		return "the host's own addresses could not be read, so nothing is blocked"
	}
	for _, l := range local {
		if a := l.Addr.Unmap().WithZone(""); p.Contains(a) && !(a.IsLoopback() && !g.cfg.NeverBlockLoopback) {
			return fmt.Sprintf("%s is %s", a, l.What)
		}
	}
	return ""
}

// reserved refuses ranges by what they are.
func (g *Guard) reserved(p netip.Prefix) string {
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
	if s, hit := find(loopback); hit && g.cfg.NeverBlockLoopback {
		return Canonical(p) + " " + s.why
	}
	if s, hit := find(private); hit && !g.cfg.BlockPrivate {
		return fmt.Sprintf("%s is in the private range %s; respond.block_private is off", Canonical(p), s.prefix)
	}
	return ""
}
