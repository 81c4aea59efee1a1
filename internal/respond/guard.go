package respond

import (
	"fmt"
	"net/netip"

	"honeyguide"
	"honeyguide/internal/netx"
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

// A Local is an address of this host's surroundings, and what it is.
type Local = netx.Local

// A Guard knows what must never be blocked. It stands before every plan; the
// process that holds the firewall judges again by the same rules.
type Guard struct {
	// Admins tells the addresses administrators are logged in from now; nil for
	// none. It is set before the guard is first asked.
	Admins func() []netip.Addr
	// More tells the prefixes that people keep from being blocked, beside those of
	// the configuration; nil for none. It is set before the guard is first asked.
	More  func() []netip.Prefix
	judge netx.Judge
}

// NewGuard checks the configuration. local tells the host's surroundings at
// the time of each check; nil reads them from the system.
func NewGuard(cfg Config, local func() ([]Local, error)) (*Guard, error) {
	if local == nil {
		local = netx.System
	}
	g := &Guard{judge: netx.Judge{Private: cfg.BlockPrivate, Loopback: !cfg.NeverBlockLoopback, Local: local}}
	g.judge.Admins = func() []netip.Addr {
		if g.Admins == nil {
			return nil
		}
		return g.Admins()
	}
	for i, s := range cfg.Allow {
		p, err := netx.ParseTarget(s)
		if err != nil {
			return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("respond.allowlist[%d]: %q is no address or prefix; write 203.0.113.7 or 203.0.113.0/24", i, s), Err: err}
		}
		g.judge.Allow = append(g.judge.Allow, p)
	}
	return g, nil
}

// Refuse returns why p must not be blocked, "" when it may be.
func (g *Guard) Refuse(p netip.Prefix) string {
	if entry, hit := g.more(p); hit {
		return fmt.Sprintf("%s is on the allowlist (entry %s)", Canonical(p), Canonical(entry))
	}
	return g.judge.Refuse(p)
}

// Allowed returns the entry of the allowlist that covers the block of p, at
// least in part: the entry lies in p or p lies in it.
func (g *Guard) Allowed(p netip.Prefix) (entry netip.Prefix, ok bool) {
	if entry, ok := g.more(p); ok {
		return entry, true
	}
	return g.judge.Allowed(p)
}

// more looks among what people added.
func (g *Guard) more(p netip.Prefix) (entry netip.Prefix, ok bool) {
	if n, valid := netx.Normal(p); valid {
		p = n
	}
	if g.More == nil {
		return entry, false
	}
	for _, a := range g.More() {
		if a.Overlaps(p) {
			return a, true
		}
	}
	return entry, false
}

// ParseTarget reads an address or a prefix, see [netx.ParseTarget].
func ParseTarget(s string) (netip.Prefix, error) { return netx.ParseTarget(s) }

// Canonical writes a target, see [netx.Canonical].
func Canonical(p netip.Prefix) string { return netx.Canonical(p) }
