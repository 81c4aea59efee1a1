package coreutils

import "strings"

// getoptCmd is util-linux's getopt: it orders the options of a script's command
// line and quotes them for its shell. Called the old way, with the letters
// first, it quotes nothing.
func getoptCmd(p *Proc) int {
	args := p.Args[1:]
	if len(args) > 0 && (args[0] == "-T" || args[0] == "--test") {
		return 4
	}
	if len(args) == 0 {
		p.errorf("missing optstring argument")
		return p.try(2)
	}
	parse := &getopt{p: p}
	quoted := args[0] != "" && args[0][0] == '-'
	name, silent := "getopt", false
	if !quoted {
		parse.spec, parse.args = args[0], args[1:]
	} else {
		own := &getopt{p: p, strict: true, spec: "ao:l:n:qQs:TuV", long: []string{"options=,o", "longoptions=,l", "name=,n", "quiet,q", "quiet-output,Q", "shell=,s", "unquoted,u", "alternative,a"}, args: args}
		if !own.run() {
			return 2
		}
		spec := false
		for _, o := range own.opts {
			switch o.name {
			case "o":
				parse.spec, spec = o.val, true
			case "l":
				for l := range strings.FieldsFuncSeq(o.val, func(r rune) bool { return r == ',' || r == ' ' }) {
					long := strings.TrimRight(l, ":")
					parse.long = append(parse.long, long+[]string{"", "=", "?"}[min(2, len(l)-len(long))])
				}
			case "n":
				name = o.val
			case "q":
				silent = true
			case "u":
				quoted = false
			}
		}
		parse.args = own.operands
		if !spec {
			if len(parse.args) == 0 {
				p.errorf("missing optstring argument")
				return p.try(2)
			}
			parse.spec, parse.args = parse.args[0], parse.args[1:]
		}
	}
	parse.only = func(msg string) {
		if !silent {
			p.complain(name + ": " + msg + "\n")
		}
	}
	parse.strict = strings.HasPrefix(parse.spec, "+")
	parse.spec = strings.TrimLeft(parse.spec, "+-")
	parse.run()
	p.print(parse.ordered(quoted) + "\n")
	return map[bool]int{true: 1}[parse.failed]
}

// ordered writes the options, then -- and the operands.
func (g *getopt) ordered(quoted bool) string {
	quote := func(s string) string {
		if !quoted {
			return s
		}
		return "'" + strings.NewReplacer("'", `'\''`, " ", `'\ '`, "\t", `'\t'`, "\n", `'\n'`, "!", `'\!'`).Replace(s) + "'"
	}
	var b strings.Builder
	for _, o := range g.opts {
		takes := false
		if i := strings.Index(g.spec, o.name); len(o.name) == 1 && i >= 0 {
			b.WriteString(" -" + o.name)
			takes = strings.HasPrefix(g.spec[i+1:], ":")
		} else {
			b.WriteString(" --" + o.name)
			for _, l := range g.long {
				takes = takes || strings.TrimRight(l, "=?") == o.name && l != o.name
			}
		}
		if takes {
			b.WriteString(" " + quote(o.val))
		}
	}
	b.WriteString(" --")
	for _, a := range g.operands {
		b.WriteString(" " + quote(a))
	}
	return b.String()
}
