package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// functionNames lists the functions by name.
func (e *env) functionNames() []string {
	names := make([]string, 0, len(e.funcs))
	for n := range e.funcs {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// functionText writes a function as bash shows it.
func (e *env) functionText(name string) string {
	f := e.funcs[name]
	if f == nil {
		return ""
	}
	p := &printer{u: f.body.unit}
	p.b.WriteString(name + " () \n")
	if b, ok := f.body.stmt.Cmd.(*syntax.Block); ok {
		p.block(b.Stmts)
	} else {
		p.b.WriteString("{ \n")
		p.indent = 1
		p.line(f.body.stmt)
		p.b.WriteString("\n}")
	}
	p.b.WriteByte('\n')
	return p.b.String()
}

// A printer writes statements in bash's style. Simple commands keep the text
// they were typed with.
type printer struct {
	u      *unit
	b      strings.Builder
	indent int
}

func (p *printer) tab() { p.b.WriteString(strings.Repeat("    ", p.indent)) }

func (p *printer) block(stmts []*syntax.Stmt) {
	p.b.WriteString("{ \n")
	p.indent++
	p.stmts(stmts, false)
	p.indent--
	p.b.WriteByte('\n')
	p.tab()
	p.b.WriteByte('}')
}

// stmts writes statements one per line; closed asks for a semicolon behind the
// last as well.
func (p *printer) stmts(list []*syntax.Stmt, closed bool) {
	for i, s := range list {
		if i > 0 {
			p.b.WriteByte('\n')
		}
		p.line(s)
		if s.Background {
			p.b.WriteString(" &")
		} else if i < len(list)-1 || closed {
			p.b.WriteByte(';')
		}
	}
}

func (p *printer) line(s *syntax.Stmt) {
	p.tab()
	p.stmt(s)
}

func (p *printer) src(n syntax.Node) string { return p.u.slice(n.Pos(), n.End()) }

func (p *printer) stmt(s *syntax.Stmt) {
	if s.Negated {
		p.b.WriteString("! ")
	}
	switch c := s.Cmd.(type) {
	case *syntax.Block:
		p.block(c.Stmts)
	case *syntax.IfClause:
		p.ifClause(c)
	case *syntax.WhileClause:
		word := "while "
		if c.Until {
			word = "until "
		}
		p.b.WriteString(word)
		p.inline(c.Cond)
		p.b.WriteString("; do\n")
		p.body(c.Do, "done")
	case *syntax.ForClause:
		p.forClause(c)
	case *syntax.BinaryCmd:
		p.stmt(c.X)
		p.b.WriteString(" " + c.Op.String() + " ")
		p.stmt(c.Y)
	case *syntax.Subshell:
		p.b.WriteString("( ")
		p.inline(c.Stmts)
		p.b.WriteString(" )")
	case *syntax.CaseClause:
		p.caseClause(c)
	default:
		if s.Cmd != nil {
			text := p.src(s.Cmd)
			p.b.WriteString(text)
		}
	}
	for _, r := range s.Redirs {
		p.redirect(r)
	}
}

func (p *printer) redirect(r *syntax.Redirect) {
	p.b.WriteByte(' ')
	if r.N != nil {
		p.b.WriteString(r.N.Value)
	}
	op := r.Op.String()
	p.b.WriteString(op)
	if op != ">&" && op != "<&" && op != "<<" && op != "<<-" {
		p.b.WriteByte(' ')
	}
	p.b.WriteString(p.src(r.Word))
}

func (p *printer) inline(list []*syntax.Stmt) {
	for i, s := range list {
		if i > 0 {
			p.b.WriteString("; ")
		}
		p.stmt(s)
	}
}

func (p *printer) body(list []*syntax.Stmt, end string) {
	p.indent++
	p.stmts(list, true)
	p.indent--
	p.b.WriteByte('\n')
	p.tab()
	p.b.WriteString(end)
}

func (p *printer) ifClause(c *syntax.IfClause) {
	p.b.WriteString("if ")
	p.inline(c.Cond)
	p.b.WriteString("; then\n")
	if c.Else == nil {
		p.body(c.Then, "fi")
		return
	}
	p.indent++
	p.stmts(c.Then, true)
	p.indent--
	p.b.WriteByte('\n')
	p.tab()
	p.b.WriteString("else\n")
	p.indent++
	if len(c.Else.Cond) > 0 {
		p.tab()
		p.ifClause(c.Else)
		p.b.WriteByte(';')
	} else {
		p.stmts(c.Else.Then, true)
	}
	p.indent--
	p.b.WriteByte('\n')
	p.tab()
	p.b.WriteString("fi")
}

func (p *printer) forClause(c *syntax.ForClause) {
	word := "for "
	if c.Select {
		word = "select "
	}
	switch l := c.Loop.(type) {
	case *syntax.WordIter:
		items := `"$@"`
		if l.InPos.IsValid() {
			items = ""
			for i, w := range l.Items {
				if i > 0 {
					items += " "
				}
				items += p.src(w)
			}
		}
		p.b.WriteString(word + l.Name.Value + " in " + items + ";\n")
	default:
		p.b.WriteString(word + p.src(l) + "\n")
	}
	p.tab()
	p.b.WriteString("do\n")
	p.body(c.Do, "done")
}

func (p *printer) caseClause(c *syntax.CaseClause) {
	p.b.WriteString("case " + p.src(c.Word) + " in \n")
	p.indent++
	for _, it := range c.Items {
		p.tab()
		for i, w := range it.Patterns {
			if i > 0 {
				p.b.WriteString(" | ")
			}
			p.b.WriteString(p.src(w))
		}
		p.b.WriteString(")\n")
		p.indent++
		p.stmts(it.Stmts, false)
		p.indent--
		p.b.WriteByte('\n')
		p.tab()
		p.b.WriteString(it.Op.String() + "\n")
	}
	p.indent--
	p.tab()
	p.b.WriteString("esac")
}

// declareFunctions is declare -f and -F.
func (e *env) declareFunctions(d *declaration) int {
	if len(d.entries) == 0 {
		for _, n := range e.functionNames() {
			if d.names {
				flags := "-f "
				if e.funcs[n].export {
					flags = "-fx "
				}
				e.out("declare " + flags + n + "\n")
			} else {
				e.out(e.functionText(n))
			}
		}
		return 0
	}
	status := 0
	for _, en := range d.entries {
		switch f := e.funcs[en.name]; {
		case f == nil:
			if d.variant == "export" {
				e.errorf("export: %s: not a function", en.name)
			}
			status = 1
		case d.variant == "export":
			g := *f // others may have it as well
			g.export = !d.remove
			e.ownFuncs()
			e.funcs[en.name] = &g
		case d.names:
			e.out(en.name + "\n")
		default:
			e.out(e.functionText(en.name))
		}
	}
	return status
}
