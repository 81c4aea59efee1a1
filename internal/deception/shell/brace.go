package shell

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// braced reports whether a word may hold a brace expansion.
func braced(parts []syntax.WordPart) bool {
	for _, p := range parts {
		if l, ok := p.(*syntax.Lit); ok {
			if i := strings.IndexByte(l.Value, '{'); i >= 0 {
				return true
			}
		}
	}
	return false
}

// An atom is a piece of a word: a bracket or comma that may steer the expansion,
// a run of other unquoted text with its backslashes, or one of the other parts.
type atom struct {
	text string
	part syntax.WordPart
}

// atomSize is what an atom costs besides its text.
const atomSize = 48

func (a atom) is(c byte) bool { return a.part == nil && len(a.text) == 1 && a.text[0] == c }

// braces appends the fields of a word after brace expansion.
func (e *env) braces(out []string, w *syntax.Word) ([]string, error) {
	mark := e.scratch
	atoms, err := e.atoms(w)
	if err != nil {
		return nil, err
	}
	b := &bracer{e: e, left: e.k.bud.Words}
	list := b.expand(atoms, 0)
	if b.failed != "" {
		e.errorf("brace expansion: failed to allocate memory for `%s' elements", b.failed)
		list = [][]atom{atoms}
	}
	words := e.scratch - mark // of atoms, which are done with when the fields are made
	for _, as := range list {
		if out, err = e.partsFields(out, join(as)); err != nil {
			return nil, err
		}
		e.k.step(1)
	}
	e.unhold(e.scratch - words)
	return out, nil
}

// atoms takes a word apart.
func (e *env) atoms(w *syntax.Word) ([]atom, error) {
	var atoms []atom
	for _, p := range w.Parts {
		l, ok := p.(*syntax.Lit)
		if !ok {
			atoms = append(atoms, atom{part: p})
			continue
		}
		for s := l.Value; s != ""; {
			n := runLength(s)
			atoms = append(atoms, atom{text: s[:n]})
			s = s[n:]
		}
	}
	e.k.step(len(atoms) / 16)
	return atoms, e.hold(len(atoms) * atomSize)
}

// runLength returns the length of the first atom of s.
func runLength(s string) int {
	if strings.IndexByte("{},", s[0]) >= 0 {
		return 1
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{', '}', ',':
			return i
		}
	}
	return len(s)
}

// join makes word parts of atoms again.
func join(as []atom) []syntax.WordPart {
	var parts []syntax.WordPart
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			parts = append(parts, &syntax.Lit{Value: text.String()})
			text.Reset()
		}
	}
	for _, a := range as {
		if a.part == nil {
			text.WriteString(a.text)
			continue
		}
		flush()
		parts = append(parts, a.part)
	}
	flush()
	return parts
}

type bracer struct {
	e      *env
	left   int
	failed string // how many elements were too many
}

// expand returns all words atoms stand for.
func (b *bracer) expand(atoms []atom, depth int) [][]atom {
	if depth > 64 {
		return [][]atom{atoms}
	}
	for i := range atoms {
		if !atoms[i].is('{') {
			continue
		}
		end, commas := match(atoms, i)
		b.e.k.step(max(1, (max(end, i)-i)/16))
		if end < 0 {
			b.e.k.step((len(atoms) - i) / 16)
			continue
		}
		var middles [][]atom
		switch {
		case len(commas) > 0:
			middles = b.list(atoms, i, end, commas, depth)
		default:
			middles = b.sequence(atoms[i+1 : end])
		}
		if middles == nil {
			if b.failed != "" {
				return nil
			}
			continue
		}
		tails := b.expand(atoms[end+1:], depth+1)
		return b.product(atoms[:i], middles, tails)
	}
	return [][]atom{atoms}
}

// product returns every middle with every tail behind it.
func (b *bracer) product(head []atom, middles, tails [][]atom) [][]atom {
	if len(head) == 0 && len(tails) == 1 && len(tails[0]) == 0 {
		return middles
	}
	if !b.take(len(middles) * len(tails)) {
		return nil
	}
	out := make([][]atom, 0, len(middles)*len(tails))
	for _, m := range middles {
		for _, t := range tails {
			word := merge(head, m, t)
			n := len(word) * atomSize
			for _, a := range word {
				n += len(a.text)
			}
			if err := b.e.hold(n); err != nil {
				return nil
			}
			out = append(out, word)
		}
	}
	return out
}

// merge joins finished pieces of a word; neighbouring text becomes one atom.
func merge(pieces ...[]atom) []atom {
	var word []atom
	var run strings.Builder
	flush := func() {
		if run.Len() > 0 {
			word = append(word, atom{text: run.String()})
			run.Reset()
		}
	}
	for _, p := range pieces {
		for _, a := range p {
			if a.part == nil {
				run.WriteString(a.text)
				continue
			}
			flush()
			word = append(word, a)
		}
	}
	flush()
	return word
}

// take accounts for n words.
func (b *bracer) take(n int) bool {
	if b.left -= n; b.left < 0 {
		if b.failed == "" {
			b.failed = strconv.Itoa(n)
		}
		return false
	}
	b.e.k.step(n / 8)
	return true
}

// match finds the bracket that closes the one at i, and the commas between.
func match(atoms []atom, i int) (end int, commas []int) {
	depth := 0
	for j := i + 1; j < len(atoms); j++ {
		switch {
		case atoms[j].is('{'):
			depth++
		case atoms[j].is('}'):
			if depth == 0 {
				return j, commas
			}
			depth--
		case atoms[j].is(',') && depth == 0:
			commas = append(commas, j)
		}
	}
	return -1, nil
}

func (b *bracer) list(atoms []atom, i, end int, commas []int, depth int) [][]atom {
	var out [][]atom
	from := i + 1
	for _, c := range append(commas, end) {
		out = append(out, b.expand(atoms[from:c], depth+1)...)
		from = c + 1
		if b.failed != "" || !b.take(1) {
			return nil
		}
	}
	return out
}

// sequence expands the inside of {x..y} or {x..y..step}, nil when it is none.
func (b *bracer) sequence(atoms []atom) [][]atom {
	var text strings.Builder
	for _, a := range atoms {
		if a.part != nil {
			return nil
		}
		text.WriteString(a.text)
	}
	parts := strings.Split(text.String(), "..")
	if len(parts) < 2 || len(parts) > 3 {
		return nil
	}
	step := int64(1)
	if len(parts) == 3 {
		n, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return nil
		}
		step = max(n, -n)
	}
	from, err1 := strconv.ParseInt(parts[0], 10, 64)
	to, err2 := strconv.ParseInt(parts[1], 10, 64)
	width := 0
	letters := false
	switch {
	case err1 == nil && err2 == nil:
		if padded(parts[0]) || padded(parts[1]) {
			width = max(len(parts[0]), len(parts[1]))
		}
	case len(parts[0]) == 1 && len(parts[1]) == 1 && isLetter(parts[0][0]) && isLetter(parts[1][0]):
		from, to, letters = int64(parts[0][0]), int64(parts[1][0]), true
	default:
		return nil
	}
	return b.count(from, to, max(step, 1), width, letters)
}

func padded(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return len(s) > 1 && s[0] == '0'
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func (b *bracer) count(from, to, step int64, width int, letters bool) [][]atom {
	n := (max(from, to)-min(from, to))/step + 1
	if n <= 0 || n > int64(b.left) {
		b.failed = strconv.FormatInt(n, 10)
		return nil
	}
	b.take(int(n))
	if err := b.e.hold(int(n) * (24 + atomSize + 16)); err != nil {
		return nil
	}
	out := make([][]atom, 0, n)
	for i := range n {
		v := from + i*step
		if to < from {
			v = from - i*step
		}
		s := strconv.FormatInt(v, 10)
		if letters {
			s = string(rune(v))
		} else if width > 0 {
			neg := strings.HasPrefix(s, "-")
			s = strings.TrimPrefix(s, "-")
			for len(s) < width && !(neg && len(s) == width-1) {
				s = "0" + s
			}
			if neg {
				s = "-" + s
			}
		}
		out = append(out, []atom{{text: s}})
	}
	return out
}
