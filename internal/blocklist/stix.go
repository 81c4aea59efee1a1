package blocklist

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 makes version 5 with it; it protects nothing
	"encoding/hex"
	"strings"
)

// space is the namespace of every UUID made here.
var space = [16]byte{0x6f, 0x1e, 0x25, 0x3c, 0x8a, 0x0b, 0x4d, 0x52, 0x9e, 0x77, 0x31, 0x5a, 0xc4, 0x68, 0xd2, 0x0f}

// UUID returns the UUID (version 5, RFC 9562) that belongs to parts: the same
// parts have the same one everywhere, so what is exported twice is updated and
// not doubled.
func UUID(parts ...string) string {
	h := sha1.New()
	h.Write(space[:])
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	s := hex.EncodeToString(u)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// bundle is a STIX 2.1 bundle: who says it, how far it may go, and an indicator
// an address.
type bundle struct{ node, identity string }

func newBundle(a About) bundle { return bundle{a.Node, "identity--" + UUID("identity", a.Node)} }

// amber is the marking definition of TLP:AMBER, whose id STIX 2.1 section 7.2.1.4 gives.
const amber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"

// epoch is when the identity was made, as far as anybody needs to know: it never changes.
const epoch = "2026-01-01T00:00:00.000Z"

func (s bundle) head(b []byte) []byte {
	b = Quote(append(b, `{"type":"bundle","id":`...), "bundle--"+UUID("bundle", s.node))
	return s.identityObject(append(b, ",\"objects\":[\n"...))
}

func (s bundle) identityObject(b []byte) []byte {
	b = Quote(append(b, `{"type":"identity","spec_version":"2.1","id":`...), s.identity)
	b = Quote(append(b, `,"created":"`+epoch+`","modified":"`+epoch+`","identity_class":"system","name":`...), "Honeyguide "+s.node)
	return append(b, '}')
}

func (s bundle) row(b []byte, d *Decision, _ bool) []byte { return s.indicator(append(b, ",\n"...), d) }

func (s bundle) tail(b []byte) []byte { return append(b, "\n]}\n"...) }

// indicator appends one. Its id is the plan's: another block of the same address
// is another indicator, whose times are its own.
func (s bundle) indicator(b []byte, d *Decision) []byte {
	since, until := stamp(d.Since), stamp(d.Until)
	b = Quote(append(b, `{"type":"indicator","spec_version":"2.1","id":`...), "indicator--"+UUID("indicator", d.Plan))
	b = Quote(append(b, `,"created_by_ref":`...), s.identity)
	b = Quote(append(b, `,"created":`...), since)
	b = Quote(append(b, `,"modified":`...), stamp(d.Changed))
	b = Quote(append(b, `,"name":`...), "Blocked: "+d.Value())
	b = Quote(append(b, `,"indicator_types":["malicious-activity"],"pattern":`...), Pattern(d))
	b = Quote(append(b, `,"pattern_type":"stix","pattern_version":"2.1","valid_from":`...), since)
	if d.Until.After(d.Since) { // the standard wants it later
		b = Quote(append(b, `,"valid_until":`...), until)
	}
	b = Quote(append(b, `,"labels":[`...), d.Scenario())
	return append(Quote(append(b, `],"object_marking_refs":[`...), amber), "]}"...)
}

// Pattern returns the STIX pattern that finds a target.
func Pattern(d *Decision) string {
	kind := "ipv4-addr"
	if d.Target.Addr().Is6() {
		kind = "ipv6-addr"
	}
	operator := " = "
	if !d.Target.IsSingleIP() {
		operator = " ISSUBSET "
	}
	return "[" + kind + ":value" + operator + literal(d.Value()) + "]"
}

// literal writes a text constant of a pattern: backslash and apostrophe are escaped.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
