package sigma

import (
	"bytes"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A need is what must be so of a value for a regular expression to match it, as
// far as that is quickly told: matching costs a hundred times as much, and what
// attackers send decides how often it is tried.
type need struct {
	any   [][][]byte // of each list one text occurs in the folded value
	least int        // length in bytes
	run   int        // not 0: the whole pattern is this many characters of a line, or more
	dot   bool       // of run: a line feed is a character as well
}

// maxNeeds bounds the texts that are looked for.
const maxNeeds = 32

// needOf takes the needs of a pattern.
func needOf(pattern string) need {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return need{}
	}
	n := need{}
	if re.Op == syntax.OpRepeat && re.Max < 0 && (re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL) {
		n.run, n.dot = re.Min, re.Sub[0].Op == syntax.OpAnyChar
	}
	n.least = shortestMatch(re, 0)
	n.collect(re, 0)
	return n
}

// collect takes the texts of a pattern's parts that all must match.
func (n *need) collect(re *syntax.Regexp, depth int) {
	if depth > maxDepth || len(n.any) >= maxNeeds {
		return
	}
	switch re.Op {
	case syntax.OpConcat:
		for _, s := range re.Sub {
			n.collect(s, depth+1)
		}
	case syntax.OpCapture, syntax.OpPlus:
		n.collect(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		if re.Min > 0 {
			n.collect(re.Sub[0], depth+1)
		}
	case syntax.OpLiteral, syntax.OpAlternate:
		set, ok := texts1(re)
		if !ok || len(set) > maxNeeds {
			return
		}
		var list [][]byte
		for _, t := range set {
			list = append(list, fold(nil, t))
		}
		n.any = append(n.any, list)
	}
}

// texts1 returns texts of which one occurs in every match, of one byte or more.
func texts1(re *syntax.Regexp) ([]string, bool) {
	if re.Op != syntax.OpAlternate {
		t, ok := textIn(re)
		return []string{t}, ok
	}
	var out []string
	for _, s := range re.Sub {
		t, ok := textIn(s)
		if !ok {
			return nil, false
		}
		out = append(out, t)
	}
	return out, true
}

// textIn returns the longest text that occurs in every match.
func textIn(re *syntax.Regexp) (string, bool) {
	best := ""
	for _, part := range append([]*syntax.Regexp{re}, re.Sub...) {
		if part != re && re.Op != syntax.OpConcat {
			break
		}
		if part.Op == syntax.OpLiteral && len(string(part.Rune)) > len(best) && asciiOnly(part.Rune) {
			best = string(part.Rune)
		}
	}
	return best, best != ""
}

func asciiOnly(runes []rune) bool {
	return strings.IndexFunc(string(runes), func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// shortestMatch returns how many characters a match has at least.
func shortestMatch(re *syntax.Regexp, depth int) int {
	if depth > maxDepth {
		return 0
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return shortestMatch(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		return re.Min * shortestMatch(re.Sub[0], depth+1)
	case syntax.OpConcat:
		sum := 0
		for _, s := range re.Sub {
			sum = min(sum+shortestMatch(s, depth+1), maxRegexp)
		}
		return sum
	case syntax.OpAlternate:
		least := maxRegexp
		for _, s := range re.Sub {
			least = min(least, shortestMatch(s, depth+1))
		}
		return least
	}
	return 0
}

// match asks a regular expression of a value.
func (a *atom) matchRegexp(s *Scratch, v *value) bool {
	text := v.text[:min(len(v.text), maxRegexp)]
	n := &a.need
	if len(text) < n.least {
		return false
	}
	if n.run > 0 {
		return hasRun(text, n.run, n.dot)
	}
	if len(n.any) > 0 {
		f := s.folded(v)
		for _, list := range n.any {
			if !containsAny(f, list) {
				return false
			}
		}
	}
	return a.re.MatchString(text)
}

func containsAny(v []byte, list [][]byte) bool {
	for _, t := range list {
		if bytes.Contains(v, t) {
			return true
		}
	}
	return false
}

// hasRun reports whether a text has n characters in a line, or with dot at all.
func hasRun(text string, n int, dot bool) bool {
	if dot {
		return utf8.RuneCountInString(text) >= n
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) >= n && utf8.RuneCountInString(line) >= n {
			return true
		}
	}
	return false
}
