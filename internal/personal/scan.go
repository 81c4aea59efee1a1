package personal

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Rewriter replaces personal values in text. It is safe for concurrent use.
type Rewriter struct {
	judge  func(Subject) (stand, bool)
	only   *Subject // nil: the judge decides about every value
	forms  []string // of only, when it is an IPv4 address: no text without one of them has it
	kinds  map[Kind]bool
	naming *Pseudonyms // gives names a pseudonym where a name stands; nil: nobody does
	loose  bool        // ambiguous forms count, too: whoever is to be gone is better gone twice
}

// Erase returns a rewriter that puts a mark in place of one subject.
func Erase(s Subject, m Mark) *Rewriter {
	to := m.stand()
	r := &Rewriter{only: &s, kinds: map[Kind]bool{s.Kind: true}, loose: true, judge: func(x Subject) (stand, bool) { return to, x == s }}
	if a, err := netip.ParseAddr(s.Value); s.Kind == Address && err == nil && a.Is4() {
		b := a.As4()
		n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		last := strconv.Itoa(int(b[3])) // every form with separators ends or begins with it
		r.forms = []string{"." + last, "-" + last, "0" + last, last + ".", last + "-", ":", strconv.FormatUint(uint64(n), 10), "0x", "0X"}
	}
	return r
}

// EraseHashes returns a rewriter that replaces the subjects whose hashes under
// key are in a ledger.
func EraseHashes(key []byte, ledger map[string]Mark) *Rewriter {
	return &Rewriter{
		kinds: map[Kind]bool{Address: true, User: true, Email: true}, loose: true,
		judge: func(x Subject) (stand, bool) {
			m, ok := ledger[x.Hash(key)]
			return m.stand(), ok
		},
	}
}

// All returns a rewriter that gives every address and e-mail address its
// pseudonym. Names are only known by where they stand: see [Rewriter.Field].
func (p *Pseudonyms) All() *Rewriter {
	return &Rewriter{
		naming: p, kinds: map[Kind]bool{Address: true, Email: true},
		judge: func(x Subject) (stand, bool) {
			if a, err := netip.ParseAddr(x.Value); x.Kind == Address && (err != nil || spared(a)) {
				return stand{}, false
			}
			if x.Kind == Email && strings.HasSuffix(x.Value, nobody) {
				return stand{}, false
			}
			return p.stand(x), true
		},
	}
}

// nobody is the host of mail addresses that stand for others.
const nobody = "@erased.invalid"

// spared are addresses that are nobody's.
func spared(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || IsMark(a) || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// A match is a part of a text and what is to stand there.
type match struct {
	from, to int
	text     string
}

// Text replaces values in text and says how many it replaced.
func (r *Rewriter) Text(s string) (string, int) {
	list := r.find(s)
	if len(list) == 0 {
		return s, 0
	}
	var b strings.Builder
	at := 0
	for _, m := range list {
		b.WriteString(s[at:m.from])
		b.WriteString(m.text)
		at = m.to
	}
	b.WriteString(s[at:])
	return b.String(), len(list)
}

// A Span is a part of a text and what is to stand in its place.
type Span struct {
	From, To int
	Text     string
}

// Spans returns what Text would replace, in order and without overlaps.
func (r *Rewriter) Spans(s string) []Span {
	var out []Span
	for _, m := range r.find(s) {
		out = append(out, Span{m.from, m.to, m.text})
	}
	return out
}

// Has says how many values to replace there are.
func (r *Rewriter) Has(s string) int { return len(r.find(s)) }

// find returns what is to be replaced, in order and without overlaps.
func (r *Rewriter) find(s string) []match {
	if len(s) < 2 {
		return nil
	}
	var out []match
	if r.kinds[Email] && strings.IndexByte(s, '@') >= 0 {
		out = r.emails(s) // first: an address in its host goes with it
	}
	if r.kinds[Address] && r.maybe(s) {
		out = merge(out, r.addresses(s))
	}
	if r.kinds[User] {
		if r.only != nil {
			out = merge(out, r.name(s))
		} else {
			out = merge(out, r.words(s))
		}
	}
	return out
}

// maybe is false for a text that cannot hold the address.
func (r *Rewriter) maybe(s string) bool {
	if r.forms == nil {
		return strings.ContainsAny(s, ".:-") || r.loose
	}
	for _, f := range r.forms {
		if strings.Contains(s, f) {
			return true
		}
	}
	return false
}

// merge puts what b has between the matches of a.
func merge(a, b []match) []match {
	if len(a) == 0 {
		return b
	}
	var out []match
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].from <= b[0].from:
			if n := len(out); n == 0 || out[n-1].to <= a[0].from {
				out = append(out, a[0])
			}
			a = a[1:]
		default:
			if n := len(out); (n == 0 || out[n-1].to <= b[0].from) && (len(a) == 0 || b[0].to <= a[0].from) {
				out = append(out, b[0])
			}
			b = b[1:]
		}
	}
	return out
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
func hexa(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// addresses finds addresses in every form.
func (r *Rewriter) addresses(s string) (out []match) {
	for i := 0; i < len(s); {
		c := s[i]
		if !hexa(c) && c != ':' {
			i++
			continue
		}
		if i > 0 && hexa(s[i-1]) { // inside a group that was looked at
			i++
			continue
		}
		if m, ok := r.six(s, i); ok {
			out = append(out, r.apart(s, m))
			i = m.to
			continue
		}
		if digit(c) {
			if m, ok := r.four(s, i); ok {
				out = append(out, r.apart(s, m))
				i = m.to
				continue
			}
			if r.loose {
				if m, ok := r.number(s, i); ok {
					out = append(out, r.apart(s, m))
					i = m.to
					continue
				}
			}
		} else if k := i + 1; c != ':' { // letters right before a dotted address
			for k < len(s) && hexa(s[k]) && !digit(s[k]) {
				k++
			}
			if k < len(s) && digit(s[k]) {
				if m, ok := r.four(s, k); ok {
					out = append(out, r.apart(s, m))
					i = m.to
					continue
				}
			}
		}
		i++
	}
	return out
}

// apart puts a pseudonym in brackets where it would be read together with what
// stands beside it as another address, which would become a pseudonym once more.
func (r *Rewriter) apart(s string, m match) match {
	if r.naming == nil || strings.IndexByte(m.text, ':') < 0 || m.text[0] == '[' || m.from > 0 && s[m.from-1] == '[' {
		return m
	}
	left := m.from > 0 && hexa(s[m.from-1])
	if k := m.from - 2; k >= 0 && s[k+1] == ':' { // behind a group, and not behind a word
		for k >= 0 && hexa(s[k]) {
			k--
		}
		left = k < 0 || !letter(s[k]) && !digit(s[k])
	}
	right := m.to < len(s) && (hexa(s[m.to]) || s[m.to] == ':' && m.to+1 < len(s) && (hexa(s[m.to+1]) || s[m.to+1] == ':'))
	if left || right {
		m.text = "[" + m.text + "]"
	}
	return m
}

// is asks about an address.
func (r *Rewriter) is(a netip.Addr) (stand, bool) {
	return r.judge(Subject{Address, canonAddr(a).String()})
}

// four finds four numbers with dots or dashes that begin at i.
func (r *Rewriter) four(s string, i int) (match, bool) {
	if i > 0 && digit(s[i-1]) || i > 1 && s[i-1] == '.' && digit(s[i-2]) {
		return match{}, false
	}
	var g [4]byte
	at, sep := i, byte(0)
	for k := range g {
		if k > 0 {
			if at >= len(s) || s[at] != '.' && s[at] != '-' || k > 1 && s[at] != sep {
				return match{}, false
			}
			sep = s[at]
			at++
		}
		n, from := 0, at
		for at < len(s) && digit(s[at]) && at-from < 3 {
			n = n*10 + int(s[at]-'0')
			at++
		}
		if at == from || n > 255 || at < len(s) && digit(s[at]) {
			return match{}, false
		}
		g[k] = byte(n)
	}
	dotted, name := sep == '.', sep == '-'
	rest := s[at:]
	arpa := dotted && len(rest) >= 13 && strings.EqualFold(rest[:13], ".in-addr.arpa")
	if arpa {
		name = true
	}
	if dotted && !arpa && len(rest) > 1 && rest[0] == '.' && letter(rest[1]) {
		name = true // a host's name with an address in it
	}
	to, ok := stand{}, false
	if !arpa {
		to, ok = r.is(netip.AddrFrom4(g))
	}
	if !ok && name {
		to, ok = r.is(netip.AddrFrom4([4]byte{g[3], g[2], g[1], g[0]}))
	}
	if !ok {
		return match{}, false
	}
	if name {
		return match{i, at, to.word}, true
	}
	text := to.addr.String()
	switch {
	case len(rest) > 1 && rest[0] == ':' && digit(rest[1]) && (i == 0 || s[i-1] != '['):
		text = "[" + text + "]"
	case strings.HasPrefix(rest, "/32") && (len(rest) == 3 || !digit(rest[3])):
		text, at = text+"/128", at+3
	}
	return match{i, at, text}, true
}

// number finds an IPv4 address written as one number.
func (r *Rewriter) number(s string, i int) (match, bool) {
	base, at := 10, i
	if strings.HasPrefix(s[i:], "0x") || strings.HasPrefix(s[i:], "0X") {
		base, at = 16, i+2
	}
	from := at
	for at < len(s) && (digit(s[at]) || base == 16 && hexa(s[at])) {
		at++
	}
	if at-from > 10 || at-from < 8 {
		return match{}, false
	}
	n, err := strconv.ParseUint(s[from:at], base, 32)
	if err != nil {
		return match{}, false
	}
	to, ok := r.is(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
	return match{i, at, to.addr.String()}, ok
}

// maxSix is the longest text form of an IPv6 address.
const maxSix = 45

// six finds an IPv6 address that begins at i.
func (r *Rewriter) six(s string, i int) (match, bool) {
	end, colons := i, 0
	for end < len(s) && end-i <= maxSix && (hexa(s[end]) || s[end] == ':' || s[end] == '.' && colons >= 2) {
		if s[end] == ':' {
			colons++
		}
		end++
	}
	if colons < 2 {
		return match{}, false
	}
	if i > 0 && (letter(s[i-1]) || digit(s[i-1])) && s[i] != ':' { // the end of a word
		return match{}, false
	}
	try := func(from, to int) (match, bool) {
		a, err := netip.ParseAddr(s[from:to])
		if err != nil || !strings.Contains(s[from:to], ":") {
			return match{}, false
		}
		x, ok := r.is(a)
		if !ok {
			return match{}, false
		}
		return match{from, to, x.addr.String()}, true
	}
	// The whole run first; then without what stands before its first and behind
	// its last separators: a word, a port, the end of a sentence.
	starts, ends := []int{i}, []int{end}
	for k := i; k < end; k++ {
		if s[k] == ':' {
			starts = append(starts, k+1)
		}
	}
	for k := end - 1; k > i; k-- {
		if s[k] == ':' || s[k] == '.' {
			ends = append(ends, k)
		}
	}
	if !r.loose {
		starts, ends = starts[:min(len(starts), 2)], ends[:min(len(ends), 2)]
	}
	for _, from := range starts {
		for _, to := range ends {
			if to-from < 2 {
				break
			}
			if m, ok := try(from, to); ok {
				return m, true
			}
		}
	}
	return match{}, false
}

func localPart(c byte) bool {
	return letter(c) || digit(c) || strings.IndexByte("._%+-", c) >= 0 || c >= utf8.RuneSelf
}

func hostPart(c byte) bool {
	return letter(c) || digit(c) || c == '.' || c == '-' || c >= utf8.RuneSelf
}

// maxHost bounds how much behind an @ is taken for a host.
const maxHost = 190

// emailAt returns the bounds of the e-mail address around the @ at i.
func emailAt(s string, i int) (from, to int, ok bool) {
	from, to = i, i+1
	for from > 0 && i-from < 64 && localPart(s[from-1]) {
		from--
	}
	for from < i && (s[from] == '.' || s[from] == '-' || s[from] == '%') {
		from++
	}
	for to < len(s) && to-i < maxHost && hostPart(s[to]) {
		to++
	}
	for to > i+1 && (s[to-1] == '.' || s[to-1] == '-') {
		to--
	}
	return from, to, from < i && strings.IndexByte(s[i+1:to], '.') > 0
}

func (r *Rewriter) emails(s string) (out []match) {
	last := 0
	for i := range len(s) {
		if s[i] != '@' {
			continue
		}
		from, to, ok := emailAt(s, i)
		if !ok || from < last {
			continue
		}
		if r.naming != nil && (to-i >= maxHost || !named(s[i+1:to])) { // bob@203.0.113.7 is a name and an address
			continue
		}
		if x, ok := r.judge(Subject{Email, strings.ToLower(s[from:to])}); ok {
			out = append(out, match{from, to, x.email()})
			last = to
		}
	}
	return out
}

func wordRune(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }

// name finds one user's name, as a word in any case.
func (r *Rewriter) name(s string) (out []match) {
	name := r.only.Value
	for at := 0; at+len(name) <= len(s); {
		i := indexFold(s[at:], name)
		if i < 0 {
			return out
		}
		from, to := at+i, at+i+len(name)
		before, _ := utf8.DecodeLastRuneInString(s[:from])
		after, _ := utf8.DecodeRuneInString(s[to:])
		if (from == 0 || !wordRune(before)) && (to == len(s) || !wordRune(after)) {
			if x, ok := r.judge(*r.only); ok {
				out = append(out, match{from, to, x.word})
			}
			at = to
			continue
		}
		at = from + 1
	}
	return out
}

// indexFold is strings.Index for a lower-case name, whatever the case of ASCII
// letters in s. A name with other letters is found as it is written, too.
func indexFold(s, name string) int {
	first := name[0]
	for i := 0; i+len(name) <= len(s); i++ {
		c := s[i]
		if c != first && lower(c) != first {
			continue
		}
		k := 1
		for k < len(name) && lower(s[i+k]) == name[k] {
			k++
		}
		if k == len(name) {
			return i
		}
	}
	return -1
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// words asks about every word, and about words joined by dots and dashes.
func (r *Rewriter) words(s string) (out []match) {
	ask := func(from, to int) bool {
		if to-from < 2 || to-from > maxSubject {
			return false
		}
		x, ok := r.judge(Subject{User, strings.ToLower(s[from:to])})
		if ok {
			out = append(out, match{from, to, x.word})
		}
		return ok
	}
	start := -1
	for i, c := range s + " " {
		part := wordRune(c) || c == '.' || c == '-'
		switch {
		case part && start < 0:
			start = i
		case !part && start >= 0:
			if !ask(start, i) {
				from := start
				for k, c := range s[start:i] + "." {
					if c == '.' || c == '-' {
						ask(from, min(start+k, i))
						from = start + k + 1
					}
				}
			}
			start = -1
		}
	}
	return out
}
