package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Bounds of what one value may become.
const (
	maxVariants = 625
	maxPattern  = 4 << 10 // bytes of a regular expression
)

// A chain is a field with its modifiers, read from a key such as
// `CommandLine|windash|contains|all`.
type chain struct {
	field  string
	all    bool
	neq    bool
	cased  bool
	where  string   // contains, startswith, endswith or ""
	steps  []string // transformations in order: windash, base64, base64offset, wide, ..., expand
	match  string   // re, cidr, lt, ..., exists, fieldref, minute, ... or ""
	reFlag string   // of re: i, m, s
}

var (
	transformations = []string{"windash", "base64", "base64offset", "wide", "utf16le", "utf16be", "utf16", "expand"}
	comparisons     = []string{"re", "cidr", "lt", "lte", "gt", "gte", "exists", "fieldref", "minute", "hour", "day", "week", "month", "year"}
)

// parseChain reads a key. A chain that makes no sense is an error.
func parseChain(key string) (*chain, error) {
	parts := strings.Split(key, "|")
	c := &chain{field: parts[0]}
	for _, m := range parts[1:] {
		switch {
		case m == "all":
			c.all = true
		case m == "neq":
			c.neq = true
		case m == "cased":
			c.cased = true
		case m == "contains" || m == "startswith" || m == "endswith":
			if c.where != "" {
				return nil, fmt.Errorf("modifiers %q and %q exclude each other", c.where, m)
			}
			c.where = m
		case c.match == "re" && (m == "i" || m == "m" || m == "s"):
			if !strings.Contains(c.reFlag, m) {
				c.reFlag += m
			}
		case slices.Contains(transformations, m):
			// windash and expand are written behind as well as before.
			if (c.where != "" || c.match != "") && m != "expand" && m != "windash" {
				return nil, fmt.Errorf("modifier %q must stand before %q", m, c.where+c.match)
			}
			c.steps = append(c.steps, m)
		case slices.Contains(comparisons, m):
			if c.match != "" {
				return nil, fmt.Errorf("modifiers %q and %q exclude each other", c.match, m)
			}
			c.match = m
		default:
			return nil, unknownModifier(m)
		}
	}
	return c, c.check()
}

// unknownModifier is the error of a modifier that is none, with the one that
// may be meant.
func unknownModifier(m string) error {
	if m == "i" || m == "m" || m == "s" {
		return fmt.Errorf("unknown modifier %q; it follows re", m)
	}
	known := slices.Concat(transformations, comparisons, []string{"contains", "startswith", "endswith", "all", "cased", "neq"})
	for _, k := range known {
		if apart(strings.ToLower(m), k, 2) {
			return fmt.Errorf("unknown modifier %q; did you mean %q?", m, k)
		}
	}
	return fmt.Errorf("unknown modifier %q; there are %s", m, strings.Join(known, ", "))
}

// apart reports whether n letters put in, left out or changed make b of a.
func apart(a, b string, n int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	switch {
	case a == "" || b == "":
		return len(a)+len(b) <= n
	case n == 0:
		return false
	}
	return apart(a[1:], b[1:], n-1) || apart(a[1:], b, n-1) || apart(a, b[1:], n-1)
}

func (c *chain) check() error {
	switch {
	case c.match != "" && c.match != "fieldref" && c.where != "":
		return fmt.Errorf("modifier %q cannot go with %q", c.where, c.match)
	case c.match != "" && slices.ContainsFunc(c.steps, func(s string) bool { return s != "expand" }):
		return fmt.Errorf("modifier %q cannot go with %q", c.match, c.steps[0])
	case c.cased && c.match != "" && c.match != "fieldref":
		return fmt.Errorf("modifier \"cased\" cannot go with %q", c.match)
	case c.field == "" && c.match != "" && c.match != "re":
		return fmt.Errorf("modifier %q needs a field", c.match)
	}
	return nil
}

// atoms returns what one written value asks: any of them may hold.
func (c *chain) atoms(v scalar, x *expander) ([]atom, error) {
	if c.match == "exists" {
		return c.exists(v)
	}
	if v.null {
		if c.where != "" || len(c.steps) > 0 || c.match != "" {
			return nil, fmt.Errorf("null takes no modifier")
		}
		return []atom{{op: opNull, name: c.field, text: "null", cost: 1}}, nil
	}
	texts := []string{v.text}
	if slices.Contains(c.steps, "expand") {
		var err error
		if texts, err = x.expand(v.text); err != nil {
			return nil, err
		}
	}
	var out []atom
	for _, t := range texts {
		var as []atom
		var err error
		if c.match != "" {
			as, err = c.compare(t)
		} else {
			as, err = c.patterns(t)
		}
		if err != nil {
			return nil, err
		}
		if out = append(out, as...); len(out) > 100*maxVariants {
			return nil, fmt.Errorf("the value becomes more than %d variants", 100*maxVariants)
		}
	}
	return out, nil
}

func (c *chain) exists(v scalar) ([]atom, error) {
	a := atom{op: opExists, name: c.field, text: v.text, cost: 1}
	switch v.text {
	case "true", "True", "yes":
		return []atom{a}, nil
	case "false", "False", "no":
		a.cmp = '!' // negated where it is compiled
		return []atom{a}, nil
	}
	return nil, fmt.Errorf("exists wants true or false, not %q", v.text)
}

// compare makes the atom of a comparison that is no pattern.
func (c *chain) compare(t string) ([]atom, error) {
	a := atom{name: c.field, text: t, cost: 5}
	switch c.match {
	case "re":
		re, err := compileRegexp(t, c.reFlag)
		if err != nil {
			return nil, err
		}
		a.op, a.re, a.need, a.cost = opRegexp, re, needOf(re.String()), 50
		if c.field == "" {
			a.op = opKeywordRegexp
		}
	case "cidr":
		net, err := parseNet(t)
		if err != nil {
			return nil, err
		}
		a.op, a.net, a.cost = opCIDR, net, 10
	case "lt", "lte", "gt", "gte":
		n, ok := number(t)
		if !ok {
			return nil, fmt.Errorf("%s wants a number, not %q", c.match, t)
		}
		a.op, a.num, a.cmp = opCompare, n, map[string]byte{"lt": 'l', "lte": 'L', "gt": 'g', "gte": 'G'}[c.match]
	case "fieldref":
		a.op, a.cost = opField, 10
		a.where, a.pat.cased = c.where, c.cased
	default:
		n, ok := number(t)
		if !ok {
			return nil, fmt.Errorf("%s wants a number, not %q", c.match, t)
		}
		a.op, a.part, a.num, a.cmp = opTime, timeParts[c.match], n, '='
	}
	return []atom{a}, nil
}

// patterns makes the atoms of a text with its transformations.
func (c *chain) patterns(t string) ([]atom, error) {
	variants, encoded, err := c.transform(t)
	if err != nil {
		return nil, err
	}
	var out []atom
	for _, p := range variants {
		keyword := c.field == ""
		p.open(keyword || c.where == "contains" || c.where == "endswith", keyword || c.where == "contains" || c.where == "startswith")
		// Encoded text knows no letter case: comparing it without would let
		// other values in.
		p.finish(c.cased || encoded)
		a := atom{op: opPattern, name: c.field, pat: p, text: t, cost: 2}
		if keyword {
			a.op, a.cost = opKeyword, 30
		}
		out = append(out, a)
	}
	return out, nil
}

// transform applies the transformations in order.
func (c *chain) transform(t string) (out []pattern, encoded bool, err error) {
	texts := []string{t}
	for _, step := range c.steps {
		if step == "expand" {
			continue
		}
		if step == "windash" {
			var next []string
			for _, t := range texts {
				next = append(next, dashes(t, maxVariants-len(next))...)
			}
			texts = next
			continue
		}
		if !encoded { // from here on the text is bytes, without wildcards
			for i, t := range texts {
				p := parsePattern(t)
				lit, ok := p.literal()
				if !ok {
					return nil, false, fmt.Errorf("modifier %q cannot encode a wildcard", step)
				}
				texts[i] = lit
			}
		}
		encoded = true
		var next []string
		for _, t := range texts {
			next = append(next, encode(step, t)...)
		}
		texts = next
	}
	for _, t := range texts {
		p := pattern{}
		if encoded {
			if t != "" {
				p.parts = []part{{text: t}}
			}
		} else {
			p = parsePattern(t)
		}
		out = append(out, p)
	}
	return out, encoded, nil
}

// dashRunes are what windash takes for one another.
var dashRunes = []rune{'-', '/', '–', '—', '―'}

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// dashes returns every spelling of s with another dash where one begins a word.
func dashes(s string, limit int) []string {
	out := []string{""}
	before := ' '
	runes := []rune(s)
	for i, r := range runes {
		begins := before == ' ' || !wordRune(before) && i+1 < len(runes) && wordRune(runes[i+1])
		if !slices.Contains(dashRunes, r) || !begins || len(out)*len(dashRunes) > limit {
			for i := range out {
				out[i] += string(r)
			}
		} else {
			next := make([]string, 0, len(out)*len(dashRunes))
			for _, o := range out {
				for _, d := range dashRunes {
					next = append(next, o+string(d))
				}
			}
			out = next
		}
		before = r
	}
	return out
}

// encode applies one transformation to bytes.
func encode(step, s string) []string {
	switch step {
	case "base64":
		return []string{base64.StdEncoding.EncodeToString([]byte(s))}
	case "base64offset":
		var out []string
		for shift := range 3 {
			text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), s...))
			// Characters that carry bits of what stands before or behind
			// would differ with it: they are left out.
			from := []int{0, 2, 3}[shift]
			to := len(text) - []int{0, 3, 2}[(len(s)+shift)%3]
			if from < to {
				out = append(out, text[from:to])
			}
		}
		return out
	case "wide", "utf16le":
		return []string{wide(s, binary.LittleEndian)}
	case "utf16be":
		return []string{wide(s, binary.BigEndian)}
	default: // utf16: with a byte order mark
		return []string{"\xff\xfe" + wide(s, binary.LittleEndian)}
	}
}

func wide(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// compileRegexp compiles a pattern of RE2; it searches anywhere in a value.
func compileRegexp(s, flags string) (*regexp.Regexp, error) {
	if len(s) > maxPattern {
		return nil, fmt.Errorf("the regular expression is longer than %d bytes", maxPattern)
	}
	if flags != "" {
		s = "(?" + flags + ")" + s
	}
	re, err := regexp.Compile(s)
	if err == nil {
		return re, nil
	}
	if se, ok := err.(*syntax.Error); ok && (se.Code == syntax.ErrInvalidPerlOp || se.Code == syntax.ErrInvalidEscape) {
		return nil, fmt.Errorf("the regular expression uses %q, which RE2 does not have (no look-around, no back-references): write it without", se.Expr)
	}
	return nil, fmt.Errorf("the regular expression is faulty: %w", err)
}

// parseNet reads a network, or one address.
func parseNet(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("cidr wants a network such as 192.0.2.0/24, not %q", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}
