package feeds

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Kinds of indicators.
type sort uint8

const (
	network sort = iota + 1 // an address or a prefix
	domain                  // a name and all below it
	link                    // a URL
	hash                    // MD5, SHA-1, SHA-256, SHA-512
)

// An item is one indicator as a feed gave it.
type item struct {
	sort       sort
	prefix     netip.Prefix // of a network
	text       string       // of the others, in the one form they are compared in
	seen       time.Time    // when the feed learnt it; zero when it does not say
	expires    time.Time    // zero: with the feed
	confidence int          // 0..100; -1: as the operator set for the feed
	label      string       // what the feed calls it
}

// maxText bounds an indicator, bytes.
const maxText = 2048

// classify reads an indicator whose kind nobody named. Defanged forms
// (hxxp://, 192.0.2[.]1) are read as what they stand for.
func classify(s string) (item, error) {
	s = refang(strings.Trim(strings.TrimSpace(s), `"'`))
	switch {
	case s == "":
		return item{}, errors.New("empty")
	case len(s) > maxText:
		return item{}, fmt.Errorf("%d bytes, more than %d", len(s), maxText)
	case strings.Contains(s, "://"):
		return readLink(s)
	case isHash(s):
		return readHash(s)
	}
	if p, err := readNetwork(s); err == nil {
		return p, nil
	} else if strings.Trim(s, "0123456789./:abcdefABCDEF") == "" && (strings.ContainsRune(s, ':') || strings.Trim(s, "0123456789./") == "") {
		return item{}, err // it looks like nothing else
	}
	if strings.ContainsRune(s, '/') {
		return readLink("http://" + s)
	}
	return readDomain(s)
}

var refanger = strings.NewReplacer("hxxp", "http", "hXXp", "http", "[.]", ".", "(.)", ".", "[:]", ":", "[dot]", ".", "[://]", "://")

func refang(s string) string {
	if !strings.ContainsAny(s, "[(X") && !strings.Contains(s, "hxx") {
		return s
	}
	if strings.HasPrefix(s, "[") && strings.Contains(s, "::") { // an address in brackets
		return s
	}
	return refanger.Replace(s)
}

// widest are the shortest prefixes taken: a feed that lists more than these is
// broken or means us harm.
const (
	widest4 = 8
	widest6 = 16
)

func readNetwork(s string) (item, error) {
	s = strings.Trim(s, "[]")
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return checkNetwork(netip.PrefixFrom(a, a.BitLen()))
	}
	if from, to, ok := strings.Cut(s, "-"); ok { // a range that is one network
		return readRange(from, to)
	}
	if ap, err := netip.ParseAddrPort(s); err == nil { // address:port of a botnet controller
		a := ap.Addr().Unmap().WithZone("")
		return checkNetwork(netip.PrefixFrom(a, a.BitLen()))
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return item{}, fmt.Errorf("%.60q is no address and no network", s)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return item{}, fmt.Errorf("%.60q mixes IPv4 and IPv6", s)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return checkNetwork(p.Masked())
}

// readRange reads FROM-TO where both ends are those of one network.
func readRange(from, to string) (item, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(from))
	b, err2 := netip.ParseAddr(strings.TrimSpace(to))
	if err != nil || err2 != nil || a.Is4() != b.Is4() {
		return item{}, fmt.Errorf("%.60q is no range of addresses", from+"-"+to)
	}
	for bits := a.BitLen(); bits >= 0; bits-- {
		p := netip.PrefixFrom(a, bits)
		if p.Masked().Addr() != a {
			break
		}
		if last(p) == b {
			return checkNetwork(p)
		}
	}
	return item{}, fmt.Errorf("%.60q is no single network; write its networks", from+"-"+to)
}

// last returns the last address of a network.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < p.Addr().BitLen(); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func checkNetwork(p netip.Prefix) (item, error) {
	a := p.Addr()
	switch {
	case a.Is4() && p.Bits() < widest4, a.Is6() && p.Bits() < widest6:
		return item{}, fmt.Errorf("%v is wider than /%d (IPv4) or /%d (IPv6)", p, widest4, widest6)
	case a.IsLoopback(), a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast():
		return item{}, fmt.Errorf("%v is nobody's address", p)
	}
	return item{sort: network, prefix: p, confidence: -1}, nil
}

func readDomain(s string) (item, error) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "*."), ".")
	name, ok := canonDomain(s)
	if !ok {
		return item{}, fmt.Errorf("%.60q is no address, network, name, URL or hash", s)
	}
	return item{sort: domain, text: name, confidence: -1}, nil
}

// canonDomain brings a name to the form names are compared in.
func canonDomain(s string) (string, bool) {
	s = strings.TrimSuffix(s, ".")
	if len(s) < 4 || len(s) > 253 || !strings.Contains(s, ".") {
		return "", false
	}
	start, upper := 0, false
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			if i == start || i-start > 63 {
				return "", false
			}
			start = i + 1
			continue
		}
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c >= 0x80:
		case c >= 'A' && c <= 'Z':
			upper = true
		default:
			return "", false
		}
	}
	if tail := s[strings.LastIndexByte(s, '.')+1:]; strings.Trim(tail, "0123456789") == "" {
		return "", false
	}
	if upper {
		s = strings.ToLower(s)
	}
	return s, true
}

func readLink(s string) (item, error) {
	u, ok := canonLink(s)
	if !ok {
		return item{}, fmt.Errorf("%.60q is no URL", s)
	}
	return item{sort: link, text: u, confidence: -1}, nil
}

// canonLink brings a URL to the form URLs are compared in: scheme and host in
// small letters, no default port, no user, no fragment, "/" for no path.
func canonLink(s string) (string, bool) {
	if len(s) > maxText {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme == "" {
		return "", false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	scheme := strings.ToLower(u.Scheme)
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		port = ""
	}
	if !isHost(host) {
		return "", false
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return scheme + "://" + host + path, true
}

// isHost reports an address or a name; a name may have one label.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if _, ok := canonDomain(s); ok {
		return true
	}
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func isHash(s string) bool {
	switch len(s) {
	case 32, 40, 64, 128:
	default:
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// empties are the hashes of no content at all, which lists contain by mistake.
var empties = map[string]bool{
	"d41d8cd98f00b204e9800998ecf8427e":                                 true,
	"da39a3ee5e6b4b0d3255bfef95601890afd80709":                         true,
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": true,
}

func readHash(s string) (item, error) {
	s = strings.ToLower(s)
	if !isHash(s) {
		return item{}, fmt.Errorf("%.60q is no MD5, SHA-1, SHA-256 or SHA-512", s)
	}
	if empties[s] {
		return item{}, errors.New("the hash of an empty file says nothing")
	}
	return item{sort: hash, text: s, confidence: -1}, nil
}
