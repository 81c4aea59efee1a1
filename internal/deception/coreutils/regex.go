package coreutils

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// reOptions say how a pattern is meant.
type reOptions struct {
	extended, fixed, perl bool
	fold                  bool // ignore case
	word, whole           bool
	anchor                bool // match at the beginning only
}

// regex is a compiled POSIX pattern: leftmost, longest. Patterns with back
// references run on a backtracker that pays for each of its steps.
type regex struct {
	re   *regexp.Regexp
	size int          // of its program
	back *backtracker // set when the pattern has back references
}

// maxPattern bounds what is compiled.
const maxPattern = 16 << 10

// regexError is a complaint about a pattern in the words of glibc's regcomp,
// which programs print after their name.
type regexError string

// Error is the text itself.
func (e regexError) Error() string { return string(e) }

const (
	errPatternSize regexError = "Regular expression too big"
	errPattern     regexError = "Invalid regular expression"
	errBracket     regexError = "Unmatched [, [^, [:, [., or [="
	errParen       regexError = "Unmatched ( or \\("
	errNoParen     regexError = "Unmatched ) or \\)"
	errRange       regexError = "Invalid range end"
	errRepeat      regexError = "Invalid preceding regular expression"
	errBackslash   regexError = "Trailing backslash"
	errClassName   regexError = "Invalid character class name"
	errReference   regexError = "Invalid back reference"
	errBrace       regexError = "Unmatched \\{"
	errInterval    regexError = "Invalid content of \\{\\}"
)

// compile translates a POSIX basic or extended expression to Go's.
func compile(p *Proc, pattern string, o reOptions) (*regex, error) {
	if len(pattern) > maxPattern {
		return nil, errPatternSize
	}
	p.step(5 + len(pattern)/16)
	var s string
	refs := false
	switch {
	case o.fixed:
		s = regexp.QuoteMeta(pattern)
	case o.perl:
		s = pattern
	default:
		t := &translator{in: pattern, extended: o.extended}
		if err := t.run(); err != nil {
			return nil, err
		}
		s, refs = t.out.String(), t.refs
	}
	if o.word {
		s = bounded(pattern, s)
	}
	if o.whole {
		s = "^(?:" + s + ")$"
	}
	if o.anchor {
		s = "^(?:" + s + ")"
	}
	if o.fold {
		s = "(?i)" + s
	}
	if refs {
		b, err := newBacktracker(s)
		if err != nil {
			return nil, inGlibcWords(err)
		}
		return &regex{back: b}, nil
	}
	re, size, err := CompileBounded(s)
	if err != nil {
		return nil, inGlibcWords(err)
	}
	p.step(size / 8)
	if !o.perl {
		re.Longest()
	}
	return &regex{re: re, size: size}, nil
}

// maxProgram is how many instructions a compiled pattern may have; Go's own
// limit is a hundred times as much, and matching costs that times the text.
const maxProgram = 20_000

// CompileBounded compiles a pattern of Go's syntax that an attacker chose and
// returns about how many instructions it has: a match takes at most that many
// steps for each character of the text. Patterns of more than 20,000 are refused.
func CompileBounded(pattern string) (*regexp.Regexp, int, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	size := programSize(tree, maxProgram)
	if size > maxProgram {
		return nil, 0, errPatternSize
	}
	re, err := regexp.Compile(pattern)
	return re, size, err
}

// programSize estimates the instructions of a pattern; above most it stops.
func programSize(re *syntax.Regexp, most int) int {
	n := 1 + len(re.Rune)/8
	if re.Op == syntax.OpLiteral {
		n += len(re.Rune)
	}
	for _, sub := range re.Sub {
		if n += programSize(sub, most); n > most {
			return n
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

// inGlibcWords gives Go's complaints the words of glibc.
func inGlibcWords(err error) error {
	var e *syntax.Error
	if own := regexError(""); errors.As(err, &own) {
		return own
	}
	if !errors.As(err, &e) {
		return errPattern
	}
	switch e.Code {
	case syntax.ErrMissingBracket:
		return errBracket
	case syntax.ErrMissingParen:
		return errParen
	case syntax.ErrUnexpectedParen:
		return errNoParen
	case syntax.ErrInvalidCharRange:
		return errRange
	case syntax.ErrMissingRepeatArgument, syntax.ErrInvalidRepeatOp:
		return errRepeat
	case syntax.ErrInvalidRepeatSize:
		return errPatternSize
	case syntax.ErrTrailingBackslash:
		return errBackslash
	case syntax.ErrInvalidCharClass:
		return errClassName
	}
	return errPattern
}

// find returns the positions of the leftmost match and of its groups, or nil.
func (r *regex) find(p *Proc, b []byte) []int {
	p.step(r.cost(b))
	if r.back != nil {
		return r.back.find(p, b, 0)
	}
	return r.re.FindSubmatchIndex(b)
}

// all returns up to most matches that do not overlap; most < 0 means every one.
func (r *regex) all(p *Proc, b []byte, most int) [][]int {
	p.step(r.cost(b))
	if r.back != nil {
		return r.back.all(p, b, most)
	}
	if most < 0 && len(b) > manyMatches {
		if out := r.re.FindAllSubmatchIndex(b, manyMatches); len(out) < manyMatches {
			return out
		}
		n := len(b) * (24 + 16*(1+r.re.NumSubexp()))
		p.alloc(n)
		defer p.alloc(-n)
	}
	return r.re.FindAllSubmatchIndex(b, most)
}

// manyMatches is from how many matches on their positions are charged for.
const manyMatches = 4096

// cost is what a search of b is charged: a cheap pattern little, one of many
// repetitions what it may take.
func (r *regex) cost(b []byte) int {
	n := 1 + len(b)/256
	if r.size > 100 {
		n += len(b) * r.size / 256
	}
	return n
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// bounded makes a pattern match whole words only.
func bounded(pattern, s string) string {
	left, right := `\b`, `\b`
	if pattern != "" && !wordByte(pattern[0]) && strings.IndexByte(`\[(.^*`, pattern[0]) < 0 {
		left = ""
	}
	if n := len(pattern); n > 0 && !wordByte(pattern[n-1]) && strings.IndexByte(`])}.$*+?`, pattern[n-1]) < 0 {
		right = ""
	}
	return left + "(?:" + s + ")" + right
}
