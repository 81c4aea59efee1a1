package ipc

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// The frames of the process that commands the firewall. It is greeted as a
// sensor process is, by Cage, FirewallSetup and Hello, and is then asked for one
// thing after the other. A list too long for one frame goes ahead in FirewallPart
// frames of the same id; each FirewallAsk has one FirewallAnswer, in order.
const (
	kindFirewallSetup kind = iota + 0x60
	kindFirewallPart
	kindFirewallAsk
)

const kindFirewallAnswer kind = 0xe0

// Bounds of these frames.
const (
	MaxFirewallEntries   = 20_000 // entries of one frame
	MaxFirewallRedirects = 1_024  // redirects of one frame
	MaxFirewallRefused   = 1_000  // refusals one answer names; More counts the others
	maxFirewallSetup     = 1 << 20
	maxFirewallAsk       = 1 << 20
	maxFirewallAnswer    = 1 << 20
	maxTTL               = 1 << 40 // milliseconds; the helper's own bound is far lower
)

// FirewallSetup follows Cage: what is never to be blocked, whatever the core
// asks for later.
type FirewallSetup struct {
	Allow     []netip.Prefix // the static allowlist
	DNS       []netip.Addr   // name servers, beside those of /etc/resolv.conf
	Private   bool           // blocks inside private ranges are allowed
	Loopback  bool           // blocks of loopback are allowed
	Most      int            // entries in force at a time
	PerSecond int            // entries a second that single blocks may add
}

// FirewallEntry is one address or prefix and how long it is blocked from now.
type FirewallEntry struct {
	Prefix netip.Prefix
	TTL    time.Duration // in whole milliseconds on the way
}

// FirewallRedirect sends new connections from some addresses to a port elsewhere.
type FirewallRedirect struct {
	From netip.Prefix
	TCP  bool // else UDP
	Port uint16
	To   netip.AddrPort // an unspecified address means this host
	TTL  time.Duration
}

// FirewallPart is a piece of the list of the ask with the same id.
type FirewallPart struct {
	ID      uint64
	Entries []FirewallEntry
}

// A FirewallVerb says what is asked for.
type FirewallVerb byte

// The verbs.
const (
	FirewallBlock FirewallVerb = iota + 1
	FirewallUnblock
	FirewallReplace
	FirewallHas
	FirewallRedirectTo
	FirewallUnredirect
	FirewallAdmins
	FirewallHealth
	FirewallSet        // block until the times given, also when they are earlier than before
	FirewallRedirected // read a redirect back
)

// FirewallAsk asks for one thing.
type FirewallAsk struct {
	ID        uint64
	Verb      FirewallVerb
	Entries   []FirewallEntry
	Redirects []FirewallRedirect
}

// FirewallRefusal is one entry that does not go in, and why.
type FirewallRefusal struct {
	Prefix netip.Prefix
	Reason string
}

// FirewallAnswer answers one ask.
type FirewallAnswer struct {
	ID      uint64
	Error   string            `json:",omitempty"` // why nothing was done; "" when something was
	Refused []FirewallRefusal `json:",omitempty"`
	More    int               `json:",omitempty"` // refusals beyond those named
	Lifted  []netip.Prefix    `json:",omitempty"` // blocks that ended because an administrator is behind them
	Found   bool              `json:",omitempty"`
	Left    time.Duration     `json:",omitempty"` // until what was found ends
	Packets uint64            `json:",omitempty"` // dropped from and to what was found
	Health  *FirewallState    `json:",omitempty"`
}

// FirewallState says how the kernel's table stands.
type FirewallState struct {
	Table      bool   // it exists
	Intact     bool   // the kernel holds what the helper put there, as far as was looked
	Entries    int    // blocks in force by the helper's count
	Redirects  int    // by the helper's count
	Denied     uint64 // entries refused since the process started
	Generation uint64 // changes made since the process started
	Elements   int    // the most one transaction carries
}

func (FirewallSetup) kind() kind  { return kindFirewallSetup }
func (FirewallPart) kind() kind   { return kindFirewallPart }
func (FirewallAsk) kind() kind    { return kindFirewallAsk }
func (FirewallAnswer) kind() kind { return kindFirewallAnswer }

func (m FirewallSetup) append(dst []byte) ([]byte, error)  { return toJSON(dst, m) }
func (m FirewallAnswer) append(dst []byte) ([]byte, error) { return toJSON(dst, m) }

func (m FirewallPart) append(dst []byte) ([]byte, error) {
	return appendEntries(binary.BigEndian.AppendUint64(dst, m.ID), m.Entries)
}

func (m FirewallAsk) append(dst []byte) ([]byte, error) {
	if len(m.Redirects) > MaxFirewallRedirects {
		return dst, fmt.Errorf("%w: %d redirects", ErrTooLarge, len(m.Redirects))
	}
	dst = append(binary.BigEndian.AppendUint64(dst, m.ID), byte(m.Verb))
	dst = binary.AppendUvarint(dst, uint64(len(m.Redirects)))
	for _, r := range m.Redirects {
		dst = appendPrefix(dst, r.From)
		tcp := byte(0)
		if r.TCP {
			tcp = 1
		}
		dst = binary.BigEndian.AppendUint16(append(dst, tcp), r.Port)
		dst = appendAddr(dst, r.To)
		dst = appendTTL(dst, r.TTL)
	}
	return appendEntries(dst, m.Entries)
}

func appendEntries(dst []byte, list []FirewallEntry) ([]byte, error) {
	if len(list) > MaxFirewallEntries {
		return dst, fmt.Errorf("%w: %d entries", ErrTooLarge, len(list))
	}
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, e := range list {
		dst = appendTTL(appendPrefix(dst, e.Prefix), e.TTL)
	}
	return dst, nil
}

// appendPrefix writes the length of the address, the address and the number of
// bits; an invalid prefix is a zero.
func appendPrefix(dst []byte, p netip.Prefix) []byte {
	if !p.IsValid() {
		return append(dst, 0)
	}
	raw := p.Addr().AsSlice()
	return append(append(append(dst, byte(len(raw))), raw...), byte(p.Bits()))
}

func appendTTL(dst []byte, d time.Duration) []byte {
	return binary.AppendUvarint(dst, uint64(max(d.Milliseconds(), 0)))
}

func (r *reader) prefix() netip.Prefix {
	n := r.byte()
	if n == 0 {
		return netip.Prefix{}
	}
	if n != 4 && n != 16 {
		r.fail()
		return netip.Prefix{}
	}
	addr, _ := netip.AddrFromSlice(r.take(uint64(n)))
	p := netip.PrefixFrom(addr, int(r.byte()))
	if !p.IsValid() {
		r.fail()
	}
	return p
}

func (r *reader) ttl() time.Duration {
	ms := r.uvarint()
	if ms > maxTTL {
		r.fail()
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// leastEntry is the length of the shortest entry: it bounds what a count may
// make us reserve.
const leastEntry = 2

func (r *reader) entries() []FirewallEntry {
	n := r.uvarint()
	if n > MaxFirewallEntries || n*leastEntry > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	list := make([]FirewallEntry, 0, n)
	for range n {
		list = append(list, FirewallEntry{r.prefix(), r.ttl()})
	}
	return list
}

func (r *reader) redirects() []FirewallRedirect {
	n := r.uvarint()
	if n > MaxFirewallRedirects || n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	var list []FirewallRedirect
	for range n {
		m := FirewallRedirect{From: r.prefix(), TCP: r.byte() == 1}
		if p := r.take(2); p != nil {
			m.Port = binary.BigEndian.Uint16(p)
		}
		m.To, m.TTL = r.addr(), r.ttl()
		list = append(list, m)
	}
	return list
}

// decodeFirewall reads the frames of this file.
func decodeFirewall(k kind, p []byte) (Message, error) {
	r := reader{b: p}
	switch k {
	case kindFirewallSetup:
		return fromJSON[FirewallSetup](p)
	case kindFirewallAnswer:
		return fromJSON[FirewallAnswer](p)
	case kindFirewallPart:
		m := FirewallPart{ID: r.uint64(), Entries: r.entries()}
		return m, r.end("part of a list of the firewall")
	}
	m := FirewallAsk{ID: r.uint64(), Verb: FirewallVerb(r.byte()), Redirects: r.redirects(), Entries: r.entries()}
	return m, r.end("question to the firewall")
}
