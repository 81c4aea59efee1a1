package password

import (
	_ "embed"
	"math"
	"strings"
	"sync"
	"unicode"
)

// A Strength says how well a password stands up to somebody who guesses what
// people choose first.
type Strength struct {
	Score       int      // 0 guessed at once, 1 weak, 2 fair, 3 good, 4 strong
	Bits        float64  // estimated work of guessing, as a power of two
	Warning     string   // what is wrong with it, "" when nothing is
	Suggestions []string // what to do next
}

// steps are the bits from which the scores 1 to 4 begin. A list of stolen hashes
// made as ours are costs about 2^33 guesses for a dollar; sign-in allows a few a
// minute, so 2 already holds at the door.
var steps = [4]float64{18, 28, 42, 55}

// maxMeasured bounds the work. What follows can only make a password better.
const maxMeasured = 128

// Measure estimates a password: the cheapest way to put it together from known
// words, rows of the keyboard, sequences, repeats, dates and single characters.
// about are words that somebody who guesses would try first: the name of the user
// and of the place.
func Measure(password string, about ...string) Strength {
	r := []rune(password)
	r = r[:min(len(r), maxMeasured)]
	parts, bits := split(r, personal(about))
	s := Strength{Bits: math.Round(bits*10) / 10}
	for _, from := range steps {
		if bits >= from {
			s.Score++
		}
	}
	s.advise(r, parts)
	return s
}

//go:embed common.txt
var commonText string

// common knows the words people choose first, and the rank of each.
var common = sync.OnceValue(func() map[string]int {
	words := map[string]int{}
	for line := range strings.Lines(commonText) {
		if w := strings.TrimSpace(line); w != "" && w[0] != '#' {
			words[w] = len(words) + 1
		}
	}
	return words
})

// Bounds of words looked up.
const (
	minWord = 3
	maxWord = 16
)

// personal returns the parts of names that make words.
func personal(about []string) map[string]bool {
	own := map[string]bool{}
	add := func(w string) {
		if n := len([]rune(w)); n >= minWord && n <= 64 && len(own) < 64 {
			own[w] = true
		}
	}
	for _, text := range about {
		text = strings.ToLower(text)
		add(text)
		for _, w := range strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
			add(w)
		}
	}
	return own
}

// A part is a piece of a password and what it costs to guess.
type part struct {
	from, to int
	bits     float64
	what     kindOf
}

// kindOf says what makes a part easy.
type kindOf int

const (
	plainPart kindOf = iota
	wordPart
	ownPart
	rowPart
	sequencePart
	repeatPart
	datePart
)

// joint is what it costs to guess that something follows.
const joint = 1.0

// split finds the cheapest way to put r together.
func split(r []rune, own map[string]bool) ([]part, float64) {
	best := make([]float64, len(r)+1)
	last := make([]part, len(r)+1)
	offer := func(p part) {
		cost := best[p.from] + p.bits
		if p.from > 0 && (p.what != plainPart || last[p.from].what != plainPart) {
			cost += joint
		}
		if cost < best[p.to] {
			best[p.to], last[p.to] = cost, p
		}
	}
	for i := 1; i <= len(r); i++ {
		best[i] = math.Inf(1)
	}
	for i := range r {
		offer(part{i, i + 1, single(r[i]), plainPart})
		for _, p := range easy(r, i, own) {
			offer(p)
		}
	}
	var parts []part
	for at := len(r); at > 0; at = last[at].from {
		parts = append(parts, last[at])
	}
	return parts, best[len(r)]
}

// single is the cost of one character that follows no pattern. It is less than
// the size of its class, for people do not choose evenly.
func single(c rune) float64 {
	switch {
	case c >= '0' && c <= '9':
		return 3.3
	case c >= 'a' && c <= 'z':
		return 4.2
	case c >= 'A' && c <= 'Z':
		return 4.5
	case c < 0x80:
		return 5
	}
	return 6
}

// easy returns the parts that begin at i.
func easy(r []rune, i int, own map[string]bool) []part {
	out := words(r, i, own)
	if n := run(r[i:], onRow); n >= 4 {
		out = append(out, part{i, i + n, 5 + math.Log2(float64(n)), rowPart})
	}
	if n := run(r[i:], inSequence); n >= 3 {
		out = append(out, part{i, i + n, 4 + math.Log2(float64(n)), sequencePart})
	}
	if n := digits(r[i:]); n >= 4 {
		if p, ok := date(r, i, n); ok {
			out = append(out, p)
		}
	}
	return append(out, repeats(r, i)...)
}

// words finds known words, also with digits for letters, capitals and backwards.
func words(r []rune, i int, own map[string]bool) []part {
	var out []part
	for n := minWord; n <= min(maxWord, len(r)-i); n++ {
		piece := r[i : i+n]
		lower := strings.ToLower(string(piece))
		extra := 0.0
		if lower != string(piece) {
			extra = 1 // a capital somewhere, mostly the first
		}
		for form, more := range forms(lower) {
			if own[form] {
				out = append(out, part{i, i + n, 2 + extra + more, ownPart})
			}
			if rank := common()[form]; rank > 0 {
				out = append(out, part{i, i + n, 1 + math.Log2(float64(rank)) + extra + more, wordPart})
			}
		}
	}
	return out
}

// The two ways of reading digits and signs as letters.
var (
	leetI = strings.NewReplacer("0", "o", "1", "i", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "8", "b")
	leetL = strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "9", "g", "|", "l")
)

// forms returns what a word may stand for, and the bits that costs.
func forms(w string) map[string]float64 {
	out := map[string]float64{}
	add := func(form string, bits float64) {
		if had, ok := out[form]; !ok || bits < had {
			out[form] = bits
		}
	}
	add(w, 0)
	add(leetI.Replace(w), 1.5)
	add(leetL.Replace(w), 1.5)
	back := []rune(w)
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	add(string(back), 1)
	return out
}

// run is how many characters from the first on follow from the one before. It
// keeps its direction.
func run(r []rune, follows func(a, b rune) int) int {
	if len(r) < 2 {
		return len(r)
	}
	way := follows(r[0], r[1])
	if way == 0 {
		return 1
	}
	n := 2
	for n < len(r) && follows(r[n-1], r[n]) == way {
		n++
	}
	return n
}

// inSequence is 1 for ab and 12, -1 for ba and 21.
func inSequence(a, b rune) int {
	a, b = unicode.ToLower(a), unicode.ToLower(b)
	if (unicode.IsLetter(a) && unicode.IsLetter(b) || unicode.IsDigit(a) && unicode.IsDigit(b)) && (b-a == 1 || a-b == 1) {
		return int(b - a)
	}
	return 0
}

// rows are what lies side by side on keyboards: rows and slanted columns.
var rows = []string{
	"`1234567890-=", "qwertyuiop[]", "qwertzuiop", "azertyuiop", "asdfghjkl;'", "qsdfghjklm", "zxcvbnm,./", "yxcvbnm", "wxcvbn",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm", "zaq1xsw2cde3vfr4bgt5", "1q2w3e4r5t6y7u8i9o0p", "!@#$%^&*()_+",
}

// onRow is 1 for keys side by side from left to right, -1 from right to left.
func onRow(a, b rune) int {
	a, b = unicode.ToLower(a), unicode.ToLower(b)
	if a > 0x7e || b > 0x7e {
		return 0
	}
	for _, row := range rows {
		switch {
		case strings.Contains(row, string([]rune{a, b})):
			return 1
		case strings.Contains(row, string([]rune{b, a})):
			return -1
		}
	}
	return 0
}

// repeats finds a piece that comes again and again: aaaa, abcabc.
func repeats(r []rune, i int) []part {
	var out []part
	for unit := 1; unit <= (len(r)-i)/2; unit++ {
		n := unit
		for i+n < len(r) && r[i+n] == r[i+n-unit] {
			n++
		}
		times := n / unit
		if times < 2 || times*unit < 3 {
			continue
		}
		cost := math.Log2(float64(times)) + 1
		for _, c := range r[i : i+unit] {
			cost += single(c)
		}
		out = append(out, part{i, i + times*unit, cost, repeatPart})
	}
	return out
}

func digits(r []rune) int {
	n := 0
	for n < len(r) && r[n] >= '0' && r[n] <= '9' {
		n++
	}
	return n
}

// date finds a year, or day, month and year in eight digits.
func date(r []rune, i, n int) (part, bool) {
	year := func(s string) bool { return s >= "1925" && s <= "2045" }
	if n >= 8 {
		s := string(r[i : i+8])
		if year(s[4:]) && s[:2] <= "31" && s[2:4] <= "31" || year(s[:4]) && s[4:6] <= "31" && s[6:] <= "31" {
			return part{i, i + 8, 14, datePart}, true
		}
	}
	if s := string(r[i : i+4]); year(s) {
		return part{i, i + 4, 6, datePart}, true
	}
	return part{}, false
}
