package token

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// window is how many last bytes of a needle are hashed; minNeedle is therefore
// the shortest needle.
const (
	window    = 12
	minNeedle = window
)

// A needle is one byte string to find.
type needle struct {
	text              string
	token, kind, part string
	form              string
}

func (n *needle) hit(end int) Hit {
	return Hit{Token: n.token, Kind: n.kind, Part: n.part, Form: n.form, Start: end - len(n.text), End: end}
}

// A pattern finds many needles in one pass: a rolling hash over the last
// window bytes (Rabin and Karp 1987), a bit table that says no to nearly
// everything, and a comparison backwards for the rest. Its memory grows with
// the needles alone, unlike that of an automaton with a transition table.
type pattern struct {
	by      map[uint64][]*needle // by hash of the last window bytes
	bits    []uint64             // bit table over hash >> shift
	shift   uint
	longest int
}

// base is the multiplier of the rolling hash, odd and of no meaning; drop is
// base^window, by which the byte that leaves the window counts.
const base uint64 = 0x9e3779b97f4a7c15

var drop = power(base, window)

func power(b uint64, n int) uint64 {
	p := uint64(1)
	for range n {
		p *= b
	}
	return p
}

func newPattern() *pattern { return &pattern{by: map[uint64][]*needle{}} }

// addForms adds v as written plainly and in the encodings that carry it
// through logs, forms and headers.
func (p *pattern) addForms(t *Token, v Value) error {
	if len(v.Text) < minNeedle {
		return fmt.Errorf("part %q has %d bytes, want at least %d to be searched for", v.Part, len(v.Text), minNeedle)
	}
	add := func(form, text string) {
		if len(text) < minNeedle || form != "plain" && text == v.Text {
			return
		}
		p.add(&needle{text: text, token: t.face.ID, kind: t.face.Kind, part: v.Part, form: form})
	}
	add("plain", v.Text)
	query := url.QueryEscape(v.Text)
	add("url", query)
	add("url", lowerEscapes(query))
	add("url", percentAll(v.Text))
	add("json", strings.ReplaceAll(v.Text, "/", `\/`))
	add("hex", hex.EncodeToString([]byte(v.Text)))
	add("hex", strings.ToUpper(hex.EncodeToString([]byte(v.Text))))
	for offset := range 3 {
		core := base64Core(v.Text, offset)
		add("base64", core)
		add("base64", strings.NewReplacer("+", "-", "/", "_").Replace(core))
	}
	return nil
}

func (p *pattern) add(n *needle) {
	var h uint64
	for i := len(n.text) - window; i < len(n.text); i++ {
		h = h*base + uint64(n.text[i])
	}
	for _, other := range p.by[h] {
		if other.text == n.text && other.token == n.token {
			return
		}
	}
	p.by[h] = append(p.by[h], n)
	p.longest = max(p.longest, len(n.text))
}

// seal builds the bit table: at least 32 bits for each needle.
func (p *pattern) seal() {
	size := uint(10)
	for 1<<size < 32*len(p.by) {
		size++
	}
	p.shift = 64 - size
	p.bits = make([]uint64, 1<<size/64)
	for h := range p.by {
		i := h >> p.shift
		p.bits[i/64] |= 1 << (i % 64)
	}
}

// scan calls found for every needle of text that ends after its first from
// bytes; offset is added to the ends it reports.
func (p *pattern) scan(text []byte, from, offset int, found func(n *needle, end int)) {
	if p.longest == 0 {
		return
	}
	start := max(from-window+1, 0)
	var h uint64
	for i := start; i < len(text); i++ {
		h = h*base + uint64(text[i])
		if i >= start+window {
			h -= drop * uint64(text[i-window])
		}
		if i < start+window-1 {
			continue
		}
		slot := h >> p.shift
		if p.bits[slot/64]&(1<<(slot%64)) == 0 {
			continue
		}
		for _, n := range p.by[h] {
			at := i + 1 - len(n.text)
			if at >= 0 && string(text[at:i+1]) == n.text {
				found(n, offset+i+1)
			}
		}
	}
}

// base64Core returns the characters of a base64 text that text alone decides
// when it begins at a byte offset of 0, 1 or 2 in a group of three.
func base64Core(text string, offset int) string {
	padded := make([]byte, offset, offset+len(text))
	padded = append(padded, text...)
	enc := base64.RawStdEncoding.EncodeToString(padded)
	first := (offset*8 + 5) / 6 // characters that hold a bit of an earlier byte
	last := len(padded) * 8 / 6 // characters wholly inside the known bits
	return enc[first:last]
}

// percentAll escapes every byte, as some evasive clients do.
func percentAll(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// lowerEscapes turns %2F into %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
			i += 2
		}
	}
	return string(b)
}
