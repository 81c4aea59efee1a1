package sigma

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
)

// A scanner finds which of many literals occur in a text, in one pass: of each
// literal it knows four bytes, the rarest, and looks at a literal only where
// those stand. One bit of a small filter answers for most places.
//
// An Aho-Corasick automaton over the public rules' 24,000 literals takes tens of
// megabytes and misses the cache at every byte; this takes one, and is faster.
type scanner struct {
	field  int
	filter []uint64 // a power of two of bits, thirty-two and more a literal
	shift  int      // of a hash, to a bit's number
	grams  map[uint32][]gram
	short  []gram // literals of fewer than four bytes, looked for one by one
}

// Bounds of a filter: larger than the largest, it would not stay in the
// processor's nearest cache.
const minFilter, maxFilter = 10, 18 // bits' numbers' bits

// A gram is where a literal's four bytes stand in it.
type gram struct {
	text  []byte
	at    int
	rules []int32 // positions in the route
}

// newScanner makes a scanner for literals and the rules that want each.
func newScanner(field int, literals map[string][]int32) *scanner {
	size := min(max(bits.Len(uint(32*len(literals))), minFilter), maxFilter)
	s := &scanner{field: field, filter: make([]uint64, 1<<size/64), shift: 32 - size, grams: map[uint32][]gram{}}
	freq := map[uint32]int{}
	for text := range literals {
		for i := range len(text) - 3 {
			freq[four(text, i)]++
		}
	}
	texts := make([]string, 0, len(literals))
	for text := range literals {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	for _, text := range texts {
		g := gram{text: []byte(text), rules: literals[text]}
		if len(text) < 4 {
			s.short = append(s.short, g)
			continue
		}
		for i := range len(text) - 3 {
			if rarer(text, i, g.at, freq) {
				g.at = i
			}
		}
		k := four(text, g.at)
		s.grams[k] = append(s.grams[k], g)
		h := s.slot(k)
		s.filter[h/64] |= 1 << (h % 64)
	}
	return s
}

// rarer reports whether the four bytes at i promise fewer idle looks than those
// at j: fewer literals share them, and they hold more letters that are seldom.
func rarer(text string, i, j int, freq map[uint32]int) bool {
	a, b := plainness(text[i:i+4]), plainness(text[j:j+4])
	return cmp.Or(cmp.Compare(a, b), cmp.Compare(freq[four(text, i)], freq[four(text, j)])) < 0
}

// plainness is how ordinary four bytes are in command lines and paths.
func plainness(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '\\' || c == '.' || c == '/':
			n += 3
		case c == 'e' || c == 's' || c == 't' || c == 'i' || c == 'n' || c == 'o' || c == 'r' || c == 'a':
			n += 2
		default:
			n++
		}
	}
	return n
}

func four(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func (c *scanner) slot(k uint32) uint32 { return k * 2654435761 >> c.shift }

// scan marks the rules of every literal that occurs in v.
func (c *scanner) scan(s *Scratch, v []byte) {
	for i := range c.short {
		if g := &c.short[i]; bytes.Contains(v, g.text) {
			s.mark(g.rules)
		}
	}
	if len(v) < 4 {
		return
	}
	k := uint32(v[0])<<8 | uint32(v[1])<<16 | uint32(v[2])<<24
	for i := 3; i < len(v); i++ {
		k = k>>8 | uint32(v[i])<<24
		h := c.slot(k)
		if c.filter[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		for _, g := range c.grams[k] {
			from := i - 3 - g.at
			if from >= 0 && from+len(g.text) <= len(v) && bytes.Equal(v[from:from+len(g.text)], g.text) {
				s.mark(g.rules)
			}
		}
	}
}
