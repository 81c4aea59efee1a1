// Package indicator finds what is worth pivoting on in hostile text: URLs, hosts,
// addresses and hashes, also inside base64. It knows no grammar: a line of shell,
// a script and the strings of a program are all the same to it. Work and results
// are bounded, whatever the text.
package indicator

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"honeyguide"
)

// Bounds of one call.
const (
	MaxText   = 1 << 20  // bytes looked at; the rest is not
	MaxFound  = 64       // observables of one text
	maxValue  = 1024     // bytes of a URL
	maxBlob   = 64 << 10 // characters of one encoded piece
	maxBlobs  = 16       // encoded pieces of one text, over all depths
	maxDepth  = 3        // encodings within encodings
	leastBlob = 16       // characters an encoded piece has at least
)

// Types of observables.
const (
	URL    = "url"
	Domain = "domain"
	IP     = "ip"
	Hash   = "hash"
)

// Find returns the indicators of a text, each once, in the order they stand in
// it. name is the name the observables get: where the text came from.
func Find(name, text string) []honeyguide.Observable {
	f := &finder{name: name, seen: map[string]bool{}}
	f.text(text, 0)
	return f.out
}

// Add adds the observables of more to list, each once, up to n in all.
func Add(list, more []honeyguide.Observable, n int) []honeyguide.Observable {
	seen := make(map[string]bool, len(list))
	for _, o := range list {
		seen[o.Type+"\x00"+o.Value] = true
	}
	for _, o := range more {
		if key := o.Type + "\x00" + o.Value; len(list) < n && !seen[key] {
			seen[key] = true
			list = append(list, o)
		}
	}
	return list
}

type finder struct {
	name  string
	out   []honeyguide.Observable
	seen  map[string]bool
	blobs int
}

func (f *finder) add(kind, value string) {
	key := kind + "\x00" + value
	if value == "" || len(f.out) >= MaxFound || f.seen[key] {
		return
	}
	f.seen[key] = true
	f.out = append(f.out, honeyguide.Observable{Name: f.name, Type: kind, Value: value})
}

// text walks over the words of a text.
func (f *finder) text(s string, depth int) {
	s = s[:min(len(s), MaxText)]
	for i := 0; i < len(s) && len(f.out) < MaxFound; {
		if !wordByte[s[i]] {
			i++
			continue
		}
		from := i
		for i < len(s) && wordByte[s[i]] {
			i++
		}
		f.word(s[from:i], depth)
	}
}

// wordByte are the bytes a URL, a name, an address, a hash or base64 is made of.
var wordByte = func() (set [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!&*+,;=%") {
		set[c] = true
	}
	return set
}()

// word looks at one run of such bytes.
func (f *finder) word(w string, depth int) {
	if len(w) < 4 {
		return
	}
	if at := strings.Index(w, "://"); at > 0 {
		f.urls(w)
		return
	}
	for part := range strings.FieldsFuncSeq(w, func(r rune) bool { return strings.ContainsRune(",;=@!&*?#", r) }) {
		f.plain(strings.Trim(part, ".~-"))
	}
	if depth < maxDepth && len(w) >= leastBlob {
		f.decode(w, depth)
	}
}

// schemes that name a place in the network.
var schemes = []string{"http", "https", "ftp", "tftp", "ftps", "sftp", "scp", "ssh", "telnet", "ldap", "ldaps", "rmi", "dns", "tcp", "udp", "ws", "wss", "stratum+tcp", "stratum+ssl", "gopher", "smb", "rsync", "git"}

// urls takes the URLs out of a word; two may be glued together.
func (f *finder) urls(w string) {
	for {
		at := strings.Index(w, "://")
		if at < 0 {
			return
		}
		scheme := schemeBefore(w[:at])
		rest := w[at+3:]
		end := len(rest)
		if next := strings.Index(rest, "://"); next >= 0 {
			end = next - len(schemeBefore(rest[:next]))
		}
		if scheme != "" {
			f.url(scheme, rest[:end])
		}
		w = rest[end:]
	}
}

// schemeBefore returns the scheme a text ends with, in small letters.
func schemeBefore(s string) (scheme string) {
	s = strings.ToLower(s[max(0, len(s)-16):])
	for _, known := range schemes {
		if len(known) > len(scheme) && strings.HasSuffix(s, known) {
			scheme = known
		}
	}
	return scheme
}

func (f *finder) url(scheme, rest string) {
	rest = strings.TrimRight(rest, ".,;:!*?&=[")
	host := rest
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	host = portless(host)
	if host == "" || !f.host(host) {
		return
	}
	f.add(URL, clip(scheme+"://"+rest, maxValue))
}

// portless cuts the port off a host, and the brackets off an address.
func portless(host string) string {
	if strings.HasPrefix(host, "[") {
		in, _, _ := strings.Cut(host[1:], "]")
		return in
	}
	if h, _, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
		return h
	}
	return host
}

// host adds an address or a name and reports whether it was one.
func (f *finder) host(h string) bool {
	if a, err := netip.ParseAddr(h); err == nil {
		if worth(a) {
			f.add(IP, a.Unmap().WithZone("").String())
		}
		return true
	}
	h = strings.ToLower(strings.TrimSuffix(h, "."))
	if !isName(h) {
		return len(h) > 0 && strings.Trim(h, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" // a short name
	}
	f.add(Domain, h)
	return true
}

// worth leaves out addresses that mean nothing elsewhere.
func worth(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && a.Unmap() != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// plain looks at a word without a scheme: an address, a name with a path, a hash.
func (f *finder) plain(w string) {
	if kind := hashOf(w); kind {
		f.add(Hash, strings.ToLower(w))
		return
	}
	for _, dev := range []string{"/dev/tcp/", "/dev/udp/"} { // bash's way to a socket
		if _, to, ok := strings.Cut(w, dev); ok {
			w, _, _ = strings.Cut(to, "/")
		}
	}
	host, path, slash := strings.Cut(w, "/")
	host = portless(host)
	if a, err := netip.ParseAddr(host); err == nil && (a.Is4() || strings.Count(host, ":") > 2) {
		if worth(a) {
			f.add(IP, a.Unmap().WithZone("").String())
			if slash && path != "" && strings.Trim(path, "0123456789") != "" {
				f.add(URL, clip("http://"+w, maxValue))
			}
		}
		return
	}
	// Names are hosts only where nothing else has their form: file.sh, a.out.
	if name := strings.ToLower(host); isName(name) && hostEndings[name[strings.LastIndexByte(name, '.')+1:]] {
		f.add(Domain, name)
		if slash && path != "" {
			f.add(URL, clip("http://"+w, maxValue))
		}
	}
}

// hostEndings are last labels that attackers' hosts have and files do not.
var hostEndings = func() map[string]bool {
	set := map[string]bool{}
	for _, e := range strings.Fields("com net org info biz io ru cn su top xyz club site online store tech pro me cc tk ml ga cf gq ir ua br de nl fr uk eu us kr jp tw hk vn onion shop live icu pw ws space host fun vip link click dev app cloud") {
		set[e] = true
	}
	return set
}()

// hashOf reports 32, 40, 64 or 128 hexadecimal digits with both kinds in them.
func hashOf(w string) bool {
	switch len(w) {
	case 32, 40, 64, 128:
	default:
		return false
	}
	digits, letters := 0, 0
	for i := range len(w) {
		switch c := w[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			letters++
		default:
			return false
		}
	}
	return digits > 3 && letters > 3
}

// isName reports a host name of two labels or more, the last of letters.
func isName(h string) bool {
	if len(h) > 253 {
		return false
	}
	labels := 0
	last := ""
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
		labels++
		last = label
	}
	return labels >= 2 && len(last) >= 2 && strings.Trim(last, "abcdefghijklmnopqrstuvwxyz") == "" || labels >= 2 && strings.HasPrefix(last, "xn--")
}

// decode looks into a word that may be base64.
func (f *finder) decode(w string, depth int) {
	if f.blobs >= maxBlobs || strings.ContainsAny(w, ".:~?#[]@!&*,;%") {
		return
	}
	w = w[:min(len(w), maxBlob)]
	w = strings.TrimRight(w, "=")
	if len(w)%4 == 1 {
		w = w[:len(w)-1]
	}
	enc := base64.RawStdEncoding
	if strings.ContainsAny(w, "-_") {
		enc = base64.RawURLEncoding
	}
	raw, err := enc.DecodeString(w)
	if err != nil || !printable(raw) {
		return
	}
	f.blobs++
	f.text(string(raw), depth+1)
}

// printable reports text: nearly nothing else decodes to it by chance.
func printable(p []byte) bool {
	if len(p) == 0 {
		return false
	}
	for _, c := range p {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return strings.ToValidUTF8(string(p), "") == string(p)
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
