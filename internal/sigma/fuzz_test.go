package sigma

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func FuzzLoad(f *testing.F) {
	b, err := os.ReadFile("testdata/rows.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, doc := range strings.Split(string(b), "\n---\n") {
		f.Add([]byte(doc))
	}
	for _, doc := range strings.Split(base+everyType, "\n---\n") {
		f.Add([]byte(doc))
	}
	recs := randomRecords(rand.New(rand.NewPCG(1, 1)), 5)
	f.Fuzz(func(t *testing.T, b []byte) {
		set := &Ruleset{}
		set.Add("f.yml", b, rowPlaceholders)
		for _, fault := range set.Faults {
			if fault.Line < 1 || fault.Why == "" || fault.File == "" {
				t.Errorf("a fault that helps nobody: %+v", fault)
			}
		}
		e, _ := NewEngine(set)
		k, _ := NewCorrelator(set)
		s := e.NewScratch()
		for _, r := range recs {
			for _, x := range set.Rules {
				r.Sources = []Source{x.Logsource}
				if fires(t, e, s, r, x) {
					e.Explain(s, r, x)
					k.Hit(x, r)
				}
			}
		}
	})
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{"a and not b or (c)", "1 of x*", "all of them", "not not a", "((((a))))", "a and", "2 OF y_*", ")", "a | count() > 3"} {
		f.Add(s)
	}
	sels := map[string]*expr{}
	names := []string{"a", "b", "c", "x1", "x2", "y_z", "_h"}
	for _, n := range names {
		sels[n] = absent(n)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCondition(s)
		if err == nil {
			if e, err := resolve(c, sels, names); (e == nil) == (err == nil) {
				t.Fatalf("expression %v, error %v", e, err)
			}
		}
	})
}

// A truth is a condition whose meaning is known from how it was made.
type truth struct {
	text   string
	weak   int // 0 or, 1 and, 2 not or stronger
	values func(have map[string]bool) bool
}

func randomTruth(r *rand.Rand, depth int) truth {
	word := func(s string) string {
		if r.IntN(3) == 0 {
			return strings.ToUpper(s)
		}
		return s
	}
	bracket := func(x truth, weak int) string {
		if x.weak < weak || r.IntN(8) == 0 {
			return "(" + x.text + ")"
		}
		return x.text
	}
	if depth == 0 {
		switch r.IntN(6) {
		case 0:
			return truth{word("1 of") + " x*", 2, func(h map[string]bool) bool { return h["x1"] || h["x2"] }}
		case 1:
			return truth{word("all of") + " x*", 2, func(h map[string]bool) bool { return h["x1"] && h["x2"] }}
		case 2:
			return truth{"2 of them", 2, func(h map[string]bool) bool {
				n := 0
				for _, k := range []string{"a", "b", "x1", "x2"} {
					if h[k] {
						n++
					}
				}
				return n >= 2
			}}
		}
		name := []string{"a", "b", "_h"}[r.IntN(3)]
		return truth{name, 2, func(h map[string]bool) bool { return h[name] }}
	}
	x := randomTruth(r, depth-1)
	switch r.IntN(4) {
	case 0:
		return truth{word("not") + " " + bracket(x, 2), 2, func(h map[string]bool) bool { return !x.values(h) }}
	case 1:
		y := randomTruth(r, r.IntN(depth))
		return truth{bracket(x, 1) + " " + word("and") + " " + bracket(y, 1), 1, func(h map[string]bool) bool { return x.values(h) && y.values(h) }}
	case 2:
		y := randomTruth(r, r.IntN(depth))
		return truth{bracket(x, 0) + " " + word("or") + " " + bracket(y, 0), 0, func(h map[string]bool) bool { return x.values(h) || y.values(h) }}
	}
	return x
}

// TestConditionsMeanWhatTheySay evaluates random conditions over every
// combination of selections.
func TestConditionsMeanWhatTheySay(t *testing.T) {
	names := []string{"a", "b", "x1", "x2", "_h"}
	for seed := range uint64(400) {
		x := randomTruth(rand.New(rand.NewPCG(seed, 3)), 1+int(seed%6))
		text := "title: X\nlogsource: {product: p}\ndetection:\n"
		for _, n := range names {
			text += fmt.Sprintf("  %s: {%s: 1}\n", n, n)
		}
		set := &Ruleset{}
		set.Add("x.yml", []byte(text+"  condition: "+x.text+"\n"), nil)
		if len(set.Faults) > 0 {
			t.Fatalf("%s: %v", x.text, set.Faults)
		}
		e, _ := NewEngine(set)
		s := e.NewScratch()
		for bits := range 1 << len(names) {
			have := map[string]bool{}
			r := &Record{Sources: []Source{{Product: "p"}}}
			for i, n := range names {
				if bits>>i&1 == 1 {
					have[n] = true
					r.Fields = append(r.Fields, Field{Name: n, Text: "1"})
				}
			}
			if got, want := fires(t, e, s, r, set.Rules[0]), x.values(have); got != want {
				t.Fatalf("%s with %v: %v, want %v", x.text, have, got, want)
			}
		}
	}
}

// simple is the wildcard language said as plainly as can be.
func simple(pattern, value []rune) bool {
	if len(pattern) == 0 {
		return len(value) == 0
	}
	same := func(a, b rune) bool {
		for f := a; ; {
			if f == b {
				return true
			}
			if f = unicode.SimpleFold(f); f == a {
				return false
			}
		}
	}
	switch c := pattern[0]; {
	case c == '*':
		for i := range len(value) + 1 {
			if simple(pattern[1:], value[i:]) {
				return true
			}
		}
		return false
	case c == '?':
		return len(value) > 0 && simple(pattern[1:], value[1:])
	case c == '\\' && len(pattern) > 1 && strings.ContainsRune(`\*?`, pattern[1]):
		pattern = pattern[1:]
	}
	return len(value) > 0 && same(pattern[0], value[0]) && simple(pattern[1:], value[1:])
}

func FuzzWildcard(f *testing.F) {
	for _, x := range [][2]string{{"a*b", "aab"}, {`\\*`, `\x`}, {`\\\*`, `\*`}, {"?ö*", "xÖyz"}, {"*a?*b*", "xaab"}, {`a\`, `a\`}, {"K", "\u212a"}, {"", ""}, {"*", ""}, {"a*a*a", "aaaa"}} {
		f.Add(x[0], x[1])
	}
	f.Fuzz(func(t *testing.T, pat, value string) {
		if !utf8.ValidString(pat) || !utf8.ValidString(value) || len(pat) > 30 || len(value) > 40 || strings.Count(pat, "*") > 4 {
			return
		}
		p := parsePattern(pat)
		p.finish(false)
		got, want := p.match(fold(nil, value)), simple([]rune(pat), []rune(value))
		if got != want {
			t.Errorf("%q on %q: %v, want %v", pat, value, got, want)
		}
		// A literal the pattern is looked for by must be there.
		if a := (&Engine{}).atomAnchor(&atom{op: opPattern, pat: p}); want && a.known && !strings.Contains(folded(value), a.lits[0].text) {
			t.Errorf("%q fits %q, but its literal %q is not there", pat, value, a.lits[0].text)
		}
		open := parsePattern(pat)
		open.open(true, true)
		open.finish(false)
		if got, want := open.match(fold(nil, value)), simple([]rune("*"+pat+"*"), []rune(value)); got != want && !strings.HasSuffix(pat, `\`) {
			t.Errorf("%q inside %q: %v, want %v", pat, value, got, want)
		}
	})
}

func FuzzRegexpAnchor(f *testing.F) {
	for _, x := range [][2]string{
		{"abc", "xabcx"},
		{"(?i)wget|curl", "WGET"},
		{"a(bcd|efg)+h", "abcdh"},
		{"(abc){2,3}", "abcabc"},
		{"(?i)kits", "\u212aIT\u017f"},
		{"a.c|def", "abc"},
		{"(?:abc)?def", "def"},
		{`\x{e4}bcd`, "äbcd"},
		{"[aA]bcdef", "Abcdef"},
		{"^$", ""},
		{"(?i)(ab|cd)(efg)", "CDEFG"},
		{".{3,}", "a\nbc\ndef"},
		{"(?s).{5,}", "a\nbc\n"},
		{"(a|bc*)d+&&", "xad&&"},
		{"x(?:foo.*bar|b(az))", "xfoo-bar"},
	} {
		f.Add(x[0], x[1])
	}
	f.Fuzz(func(t *testing.T, pat, value string) {
		re, err := regexp.Compile(pat)
		if err != nil || len(pat) > 200 {
			return
		}
		// What is quickly told must agree with what is matched.
		s := (&Engine{}).NewScratch()
		s.load(&Record{Fields: []Field{{Text: value}}})
		matches := re.MatchString(value)
		if x := (&atom{op: opRegexp, re: re, need: needOf(pat)}); x.matchRegexp(s, &s.vals[0]) != matches {
			t.Errorf("%q on %q: %v, want %v; needs %q, length %d", pat, value, !matches, matches, x.need.any, x.need.least)
		}
		if !matches {
			return
		}
		a := regexpAnchor(&atom{op: opRegexp, re: re})
		if !a.known {
			return
		}
		v := folded(value)
		for _, l := range a.lits {
			if strings.Contains(v, l.text) {
				return
			}
		}
		t.Errorf("%q matches %q, which has none of %v", pat, value, a.lits)
	})
}

// words are what random rules and events are made of, so that they meet.
var words = []string{"cmd", ".exe", `\`, "/tmp/", "-e", " ", "Ä", "ß", "curl", "http://", "1", "0x7", "192.0.2.7", "x", "*", "?", "K", "\u212a", "Y21k", "\xff", "aaaa", "aaab"}

func randomText(r *rand.Rand) string {
	s := ""
	for range 1 + r.IntN(4) {
		s += words[r.IntN(len(words))]
	}
	return s
}

func randomRecords(r *rand.Rand, n int) (out []*Record) {
	for i := range n {
		rec := &Record{ID: fmt.Sprint(i), Time: epoch, Sources: []Source{{Product: "p", Service: "s"}}}
		for _, f := range []string{"f", "g", "h"} {
			for range r.IntN(3) {
				rec.Fields = append(rec.Fields, Field{Name: f, Text: randomText(r), Null: r.IntN(12) == 0})
			}
		}
		if r.IntN(3) == 0 {
			rec.Raw = randomText(r) + randomText(r)
		}
		out = append(out, rec)
	}
	return out
}

// randomRule writes a rule of any form.
func randomRule(r *rand.Rand) string {
	value := func() string { return fmt.Sprintf("%q", strings.ToValidUTF8(randomText(r), "")) }
	list := func() string {
		v := value()
		for range r.IntN(3) {
			v += ", " + value()
		}
		return "[" + v + "]"
	}
	field := func() string {
		f := []string{"f", "g", "h"}[r.IntN(3)]
		switch m := []string{
			"", "|contains", "|startswith", "|endswith", "|contains|all", "|cased", "|contains|cased", "|neq", "|windash|contains",
			"|base64offset|contains", "|base64", "|wide|contains", "|re", "|re|i", "|cidr", "|gt", "|fieldref", "|exists", "null", "|fieldref|contains",
		}[r.IntN(20)]; m {
		case "|re", "|re|i":
			var alts []string
			for range 1 + r.IntN(3) {
				alts = append(alts, "y?"+regexp.QuoteMeta(strings.ToValidUTF8(randomText(r), ""))+[]string{"", ".*", "[a-c]?", "(ab)*"}[r.IntN(4)])
			}
			return fmt.Sprintf("'%s%s': '%s'", f, m, strings.Join(alts, "|"))
		case "|cidr":
			return fmt.Sprintf("'%s|cidr': 192.0.2.0/%d", f, 20+r.IntN(12))
		case "|gt":
			return fmt.Sprintf("'%s|gt': %d", f, r.IntN(10))
		case "|fieldref", "|fieldref|contains":
			return fmt.Sprintf("'%s%s': %s", f, m, []string{"f", "g", "h"}[r.IntN(3)])
		case "|exists":
			return fmt.Sprintf("'%s|exists': %v", f, r.IntN(2) == 0)
		case "null":
			return f + ": null"
		case "|base64offset|contains", "|base64", "|wide|contains":
			return fmt.Sprintf("'%s%s': cmd%d", f, m, r.IntN(2))
		default:
			return fmt.Sprintf("'%s%s': %s", f, m, list())
		}
	}
	text := "title: X\nlogsource: {product: p}\ndetection:\n"
	for _, name := range []string{"a", "b", "x1", "x2", "_h"} {
		if r.IntN(6) == 0 {
			text += fmt.Sprintf("  %s: %s\n", name, list())
			continue
		}
		// A field named twice with the same modifiers would be a fault.
		a, b := field(), field()
		key := func(s string) string { return strings.Trim(strings.SplitN(s, ":", 2)[0], "'") }
		if key(a) == key(b) {
			text += fmt.Sprintf("  %s: [{%s}, {%s}]\n", name, a, b)
		} else {
			text += fmt.Sprintf("  %s: {%s, %s}\n", name, a, b)
		}
	}
	return text + "  condition: " + randomTruth(r, 1+r.IntN(4)).text + "\n"
}

// TestCandidatesAreExact asks random rules of random events both ways.
func TestCandidatesAreExact(t *testing.T) {
	hits, anchored, all := 0, 0, 0
	for seed := range uint64(100) {
		hits, anchored, all = askBoth(t, seed, hits, anchored, all)
	}
	if hits < 500 || anchored < all/5 {
		t.Errorf("%d hits, %d of %d rules have a literal: too few to show anything", hits, anchored, all)
	}
}

func askBoth(t *testing.T, seed uint64, hits, anchored, all int) (int, int, int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 4))
	set := &Ruleset{}
	for range 40 {
		set.Add("x.yml", []byte(randomRule(r)), nil)
	}
	for _, f := range set.Faults {
		if f.Kind != FaultWarning && !strings.Contains(f.Why, "cannot encode") {
			t.Fatalf("%d: %s: %s", f.Line, f.Field, f.Why)
		}
	}
	e, _ := NewEngine(set)
	for _, c := range e.rules {
		if all++; c.lits != nil {
			anchored++
		}
	}
	s := e.NewScratch()
	for _, rec := range randomRecords(r, 60) {
		fast, slow := e.Match(s, rec, nil), e.MatchAll(s, rec, nil)
		if !slices.Equal(fast, slow) {
			t.Errorf("seed %d: candidate selection finds %d rules, asking all %d", seed, len(fast), len(slow))
		}
		hits += len(slow)
	}
	return hits, anchored, all
}

func FuzzCandidatesAreExact(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { askBoth(t, seed, 0, 0, 0) })
}
