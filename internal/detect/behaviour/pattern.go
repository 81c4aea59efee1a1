package behaviour

import (
	"slices"
	"strings"

	"honeyguide/internal/cmdline"
)

// A pattern describes a command. Every field that is set must hold; lists in
// names, exact and fedBy are separated by blanks, in args, not, writes and
// text by bars, and one element is enough.
type pattern struct {
	names  string // base name of the command
	via    string // what it is wrapped in
	exact  string // some argument is one
	args   string // some argument contains one
	not    string // no argument contains any
	writes string // a path it writes contains one
	fedBy  string // a command whose output reaches it
	text   string // the whole line, in lower case, contains one
	when   func(*cmdline.Command, *cmdline.Line) bool
}

// A compiled pattern has its lists cut.
type compiled struct {
	rule  int // index into commandRules
	names []string
	via, exact, args, not, writes,
	fedBy, text []string
	when func(*cmdline.Command, *cmdline.Line) bool
}

// An index holds all patterns by what can be asked first.
type index struct {
	byName map[string][]*compiled
	any    []*compiled // without a name
	writes []*compiled // without a name, about what is written
	lines  []*compiled // about the text of the line alone
}

var patterns = compile(commandRules)

func compile(rules []commandRule) *index {
	x := &index{byName: map[string][]*compiled{}}
	for i, r := range rules {
		for _, p := range r.any {
			c := &compiled{
				rule: i, names: strings.Fields(p.names), via: strings.Fields(p.via), exact: strings.Fields(p.exact),
				args: bars(p.args), not: bars(p.not), writes: bars(p.writes), fedBy: strings.Fields(p.fedBy), text: bars(p.text), when: p.when,
			}
			switch {
			case len(c.names) > 0:
				for _, n := range c.names {
					x.byName[n] = append(x.byName[n], c)
				}
			case len(c.writes) > 0:
				x.writes = append(x.writes, c)
			case c.when == nil && len(c.via) == 0:
				x.lines = append(x.lines, c)
			default:
				x.any = append(x.any, c)
			}
		}
	}
	return x
}

func bars(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// A match is one rule that holds for a line, and the first command it holds
// for (-1: the text of the line).
type match struct{ rule, command int }

// find returns the rules that hold for a line in the order of the commands,
// each once; reconnaissance once for each question.
func (x *index) find(l *cmdline.Line) []match {
	var out []match
	var seen [128]bool // by rule
	add := func(p *compiled, cmd int) {
		// Every question about the system counts by itself.
		seen[p.rule] = commandRules[p.rule].ID != ruleRecon
		out = append(out, match{p.rule, cmd})
	}
	for i := range l.Commands {
		c := &l.Commands[i]
		for _, p := range x.byName[c.Name] {
			if !seen[p.rule] && p.holds(c, l, i) {
				add(p, i)
			}
		}
		for _, p := range x.any {
			if !seen[p.rule] && p.holds(c, l, i) {
				add(p, i)
			}
		}
		if dest := destinations(c); len(dest) > 0 {
			for _, p := range x.writes {
				if !seen[p.rule] && containsAny(dest, p.writes) && p.lineHolds(l) {
					add(p, i)
				}
			}
		}
	}
	for _, p := range x.lines {
		if !seen[p.rule] && p.lineHolds(l) {
			add(p, -1)
		}
	}
	return out
}

func (p *compiled) lineHolds(l *cmdline.Line) bool {
	return len(p.text) == 0 || slices.ContainsFunc(p.text, func(t string) bool { return strings.Contains(l.Text, t) })
}

func (p *compiled) holds(c *cmdline.Command, l *cmdline.Line, i int) bool {
	switch {
	case len(p.via) > 0 && !slices.ContainsFunc(p.via, func(v string) bool { return slices.Contains(c.Via, v) }),
		len(p.exact) > 0 && !c.Arg(p.exact...),
		len(p.args) > 0 && !containsAny(c.Args, p.args),
		len(p.not) > 0 && containsAny(c.Args, p.not),
		len(p.writes) > 0 && !containsAny(destinations(c), p.writes),
		len(p.fedBy) > 0 && !fed(p.fedBy, l, i),
		!p.lineHolds(l):
		return false
	}
	return p.when == nil || p.when(c, l)
}

func fed(names []string, l *cmdline.Line, i int) bool {
	for from := range l.Feeds(i) {
		if slices.Contains(names, from.Name) {
			return true
		}
	}
	return false
}

// containsAny reports whether some word contains some part.
func containsAny(words, parts []string) bool {
	for _, w := range words {
		for _, p := range parts {
			if strings.Contains(w, p) {
				return true
			}
		}
	}
	return false
}

// destinations returns the paths a command writes: targets of redirections
// and of the commands that copy.
func destinations(c *cmdline.Command) []string {
	var out []string
	for target := range c.Writes {
		out = append(out, target)
	}
	switch c.Name {
	case "tee":
		out = append(out, operands(c)...)
	case "cp", "mv", "install", "ln", "scp", "rsync":
		if ops := operands(c); len(ops) > 0 {
			out = append(out, ops[len(ops)-1])
		}
	case "wget", "curl":
		for i, a := range c.Args {
			if (a == "-O" && c.Name == "wget" || a == "-o" || a == "--output" || a == "-P") && i+1 < len(c.Args) {
				out = append(out, c.Args[i+1])
			}
		}
	case "dd":
		for _, a := range c.Args {
			if to, ok := strings.CutPrefix(a, "of="); ok {
				out = append(out, to)
			}
		}
	case "sed":
		if containsAny(c.Args, []string{"-i"}) {
			out = append(out, operands(c)...)
		}
	}
	return out
}

// operands returns the arguments that are no flags.
func operands(c *cmdline.Command) []string {
	var out []string
	for _, a := range c.Args {
		if len(a) > 0 && a[0] != '-' {
			out = append(out, a)
		}
	}
	return out
}
