package perl

import (
	"regexp"
	"strconv"
	"strings"
)

// A pattern is a compiled regular expression.
type pattern struct {
	re  *regexp.Regexp
	src string
}

// String is how a qr// object prints.
func (p *pattern) String() string { return "(?^:" + p.src + ")" }

// compile makes a pattern. Look-around and back-references are beyond the engine.
func (m *machine) compile(n *node, flags string, s *scope) *regexp.Regexp {
	var src string
	if n.op == "cat" {
		for _, k := range n.kids {
			v := m.scalar(k, s)
			if p, ok := v.(*pattern); ok {
				src += "(?:" + p.src + ")"
				continue
			}
			src += str(v)
		}
	} else if p, ok := m.scalar(n, s).(*pattern); ok {
		src = p.src
	} else {
		src = str(m.scalar(n, s))
	}
	f := ""
	for _, c := range "ims" {
		if strings.ContainsRune(flags, c) {
			f += string(c)
		}
	}
	if strings.Contains(flags, "x") {
		src = extended(src)
	}
	if f != "" {
		src = "(?" + f + ")" + src
	}
	m.w.Step(len(src))
	m.w.Alloc(8 * len(src))
	re, err := regexp.Compile(strings.NewReplacer(`\Z`, `\z`, `\h`, `[ \t]`, `(?<`, `(?P<`).Replace(src))
	if err != nil {
		m.missing("pattern")
	}
	return re
}

// extended removes what /x ignores.
func extended(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i++
		case c == '#':
			for i < len(s) && s[i] != '\n' {
				i++
			}
		case c != ' ' && c != '\t' && c != '\n':
			b.WriteByte(c)
		}
	}
	return b.String()
}

// matching is =~ and the match, substitution and transliteration of $_.
func (m *machine) matching(n *node, s *scope) any {
	target := &node{op: "$", s: "_"}
	not := false
	what := n
	if n.op == "=~" || n.op == "!~" {
		target, what, not = n.kids[0], n.kids[1], n.op == "!~"
		if target.op == "list" && len(target.kids) == 1 {
			target = target.kids[0]
		}
	}
	if target.op == "=" { // (my $x = $y) =~ s///
		m.scalar(target, s)
		target = target.kids[0]
		if target.op == "my" {
			target = target.kids[0]
		}
	}
	var v any
	switch what.op {
	case "match":
		if what.s == "qr" {
			re := m.compile(what.kids[0], what.kids[1].s, s)
			return &pattern{re, re.String()}
		}
		v = boolean(m.find(what, str(m.get(target, s)), target, s))
	case "subst":
		v = m.substitute(what, target, s)
	case "tr":
		v = m.transliterate(what, target, s)
	default:
		re := m.compile(what, "", s)
		t := str(m.get(target, s))
		at := re.FindStringSubmatchIndex(t)
		m.capture(t, at)
		v = boolean(at != nil)
	}
	if not {
		return boolean(!truth(v))
	}
	return v
}

// capture sets $1, $2, $& and the like.
func (m *machine) capture(t string, at []int) {
	if at == nil {
		return
	}
	for i := 0; i < 20; i++ {
		name := strconv.Itoa(i)
		if i == 0 {
			name = "&"
		}
		if 2*i+1 < len(at) && at[2*i] >= 0 {
			m.cell(name, m.global).v = t[at[2*i]:at[2*i+1]]
		} else if 2*i < len(at) || m.global.vars["$"+name] != nil {
			m.cell(name, m.global).v = nil
		}
	}
	m.cell("`", m.global).v, m.cell("'", m.global).v = t[:at[0]], t[at[1]:]
}

// find matches; with /g it goes on where the last match of the same text ended.
func (m *machine) find(n *node, t string, target *node, s *scope) bool {
	m.w.Step(1 + len(t)/16)
	re := m.compile(n.kids[0], n.kids[1].s, s)
	from := 0
	var c *scalar
	if strings.Contains(n.kids[1].s, "g") && target.op == "$" {
		c = m.cell("\x00pos "+target.s, s)
		if p, ok := c.v.(int64); ok && int(p) <= len(t) {
			from = int(p)
		}
	}
	at := re.FindStringSubmatchIndex(t[from:])
	if at == nil {
		if c != nil {
			c.v = nil
		}
		return false
	}
	m.capture(t[from:], at)
	if c != nil {
		end := from + at[1]
		if at[1] == at[0] {
			end++
		}
		c.v = int64(end)
	}
	return true
}

// matchList is a match in list context: its groups.
func (m *machine) matchList(n *node, v any, s *scope) []any {
	if n.s == "qr" {
		return []any{m.matching(n, s)}
	}
	t := str(v)
	re := m.compile(n.kids[0], n.kids[1].s, s)
	m.w.Step(1 + len(t)/16)
	var out []any
	limit := 1
	if strings.Contains(n.kids[1].s, "g") {
		limit = -1
	}
	for _, at := range re.FindAllStringSubmatchIndex(t, limit) {
		m.capture(t, at)
		m.w.Alloc(16 * len(at))
		if len(at) == 2 {
			if limit == 1 {
				return []any{int64(1)}
			}
			out = append(out, t[at[0]:at[1]])
		}
		for i := 2; i < len(at); i += 2 {
			if at[i] < 0 {
				out = append(out, nil)
			} else {
				out = append(out, t[at[i]:at[i+1]])
			}
		}
	}
	return out
}

func (m *machine) substitute(n *node, target *node, s *scope) any {
	flags := n.kids[2].s
	re := m.compile(n.kids[0], flags, s)
	t := str(m.get(target, s))
	m.w.Step(1 + len(t)/16)
	limit := 1
	if strings.Contains(flags, "g") {
		limit = -1
	}
	var b strings.Builder
	last, count := 0, 0
	for _, at := range re.FindAllStringSubmatchIndex(t, limit) {
		m.capture(t, at)
		b.WriteString(t[last:at[0]])
		if n.kids[1].op == "block" {
			v := m.run(n.kids[1], &scope{up: s})
			if len(v) > 0 {
				b.WriteString(str(v[len(v)-1]))
			}
		} else {
			b.WriteString(str(m.scalar(n.kids[1], s)))
		}
		last = at[1]
		count++
		m.w.Alloc(b.Len() / (count + 1))
	}
	out := b.String() + t[last:]
	if strings.Contains(flags, "r") {
		return out
	}
	if count > 0 {
		m.set(target, out, s)
	}
	return int64(count)
}

// ranges expands a-z.
func ranges(s string) []byte {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i = escape(&b, s, i+1) - 1
			continue
		}
		if i+2 < len(s) && s[i+1] == '-' && s[i+2] >= s[i] {
			for c := int(s[i]); c <= int(s[i+2]); c++ {
				b.WriteByte(byte(c))
			}
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return []byte(b.String())
}

func (m *machine) transliterate(n *node, target *node, s *scope) any {
	from, to := ranges(n.kids[0].s), ranges(n.kids[1].s)
	del, keep := strings.Contains(n.s, "d"), strings.Contains(n.s, "r")
	var table [256]int
	for i := range table {
		table[i] = -1
	}
	for i, c := range from {
		if table[c] >= 0 {
			continue
		}
		switch {
		case i < len(to):
			table[c] = int(to[i])
		case del:
			table[c] = 256
		case len(to) > 0:
			table[c] = int(to[len(to)-1])
		default:
			table[c] = int(c)
		}
	}
	if strings.Contains(n.s, "c") {
		for i := range table {
			if table[i] >= 0 {
				table[i] = -1
			} else if table[i] = 256; !del {
				table[i] = i
				if len(to) > 0 {
					table[i] = int(to[len(to)-1])
				}
			}
		}
	}
	t := str(m.get(target, s))
	out := make([]byte, 0, len(t))
	count := int64(0)
	prev := -1
	for i := range len(t) {
		k := table[t[i]]
		if k < 0 {
			out = append(out, t[i])
			prev = -1
			continue
		}
		count++
		if k == 256 || strings.Contains(n.s, "s") && k == prev {
			continue
		}
		prev = k
		out = append(out, byte(k))
	}
	m.w.Step(1 + len(t)/16)
	if keep {
		return string(out)
	}
	if string(out) != t {
		m.set(target, string(out), s)
	}
	return count
}
