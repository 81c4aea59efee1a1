package shell

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// call runs a simple command.
func (e *env) call(s *syntax.Stmt, c *syntax.CallExpr) int {
	mark, subs := e.scratch, len(e.substs)
	defer func() { e.unhold(mark) }()
	if len(e.alias) > 0 && len(c.Args) > 0 {
		if status, ok := e.expandAlias(s, c); ok {
			return status
		}
	}
	if !e.trapping {
		e.cmdAt, e.cmdUnit = s, e.unit
	}
	e.debugTrap()
	e.ranSubst = false
	if e.opts&optKeyword != 0 {
		c = keywordArgs(c)
	}
	args, err := e.words(c.Args)
	if err != nil {
		e.endSubsts(subs)
		return e.fail(err)
	}
	if len(e.substs) > subs {
		defer func() { e.endSubsts(subs) }()
	}
	if len(args) == 0 {
		return e.assignments(s, c)
	}
	if b, ok := c.Args[0].Parts[0].(*syntax.Lit); ok && e.unit.defectCommand(b.Value) {
		return e.fail(failf("syntax error"))
	}
	return e.invoke(args, c.Assigns, s.Redirs)
}

// keywordArgs makes assignments of the arguments that look like them, as set -k
// asks for.
func keywordArgs(c *syntax.CallExpr) *syntax.CallExpr {
	out := *c
	out.Args, out.Assigns = nil, slices.Clone(c.Assigns)
	for i, w := range c.Args {
		l, ok := firstPart(w.Parts).(*syntax.Lit)
		if !ok || i == 0 {
			out.Args = append(out.Args, w)
			continue
		}
		name, val, eq := strings.Cut(l.Value, "=")
		if !eq || !isName(name) {
			out.Args = append(out.Args, w)
			continue
		}
		lit := *l
		lit.Value = val
		parts := append([]syntax.WordPart{&lit}, w.Parts[1:]...)
		out.Assigns = append(out.Assigns, &syntax.Assign{Name: &syntax.Lit{Value: name}, Value: &syntax.Word{Parts: parts}})
	}
	return &out
}

// defectCommand reports a command that stands for what the parser refused.
func (u *unit) defectCommand(name string) bool {
	_, ok := u.defect(name)
	return ok
}

// assignments is a statement without a command.
func (e *env) assignments(s *syntax.Stmt, c *syntax.CallExpr) int {
	undo, err := e.redirect(s.Redirs)
	defer undo()
	if err != nil {
		return e.redirFailed(err)
	}
	for _, a := range c.Assigns {
		if err := e.assign(a); err != nil {
			return e.fail(err)
		}
	}
	e.last = ""
	if e.ranSubst {
		return e.status
	}
	return 0
}

// invoke runs an expanded command with its assignments and redirections.
func (e *env) invoke(args []string, assigns []*syntax.Assign, redirs []*syntax.Redirect) int {
	name := args[0]
	if e.opts&optXTrace != 0 && len(assigns) == 0 {
		e.traceWords(args)
	}
	keep := name == "exec" && e.funcs[name] == nil
	undo, done, err := e.redirectOr(redirs)
	if err != nil {
		undo()
		st := e.redirFailed(err)
		if keep && !e.interactive && e.dialect != bash {
			e.status, e.flow = st, exiting
		}
		return st
	}
	if !keep {
		defer undo()
	}
	if len(assigns) > 0 {
		restore, err := e.withVars(assigns)
		if e.opts&optXTrace != 0 {
			e.traceWords(args)
		}
		defer restore()
		if err != nil {
			return e.fail(err)
		}
	}
	if e.opts&optNoExec != 0 && !e.interactive {
		return 0
	}
	status := e.dispatch(args)
	if keep && len(args) > 1 && e.flow != exiting {
		undo()
	} else if keep {
		done()
	}
	e.last = args[len(args)-1]
	return status
}

// dispatch finds what a command name means: a function, a builtin, a program.
func (e *env) dispatch(args []string) int {
	if e.forbidden(args) {
		return 1
	}
	if f, ok := e.funcs[args[0]]; ok {
		e.inPlace = false
		return e.callFunction(args[0], f, args[1:])
	}
	if b := e.builtin(args[0]); b != nil {
		e.k.step(1)
		e.inPlace = e.inPlace && (args[0] == "command" || args[0] == "exec")
		e.outErr = nil
		status := b(e, args)
		if e.outErr != nil && e.flow != exiting {
			return e.writeFailed(args)
		}
		return status
	}
	return e.external(args)
}

// writeFailed tells that a builtin could not write its output.
func (e *env) writeFailed(args []string) int {
	err := e.outErr
	e.outErr = nil
	name := args[0]
	if (name == "command" || name == "builtin") && len(args) > 1 {
		name = args[1]
	}
	if e.dialect == bash {
		e.errorf("%s: write error: %s", name, errText(err))
	} else {
		e.errorf("%s: %s: I/O error", name, name)
	}
	return 1
}

// withVars sets the variables in front of a command and returns what undoes that.
func (e *env) withVars(assigns []*syntax.Assign) (func(), error) {
	type old struct {
		name string
		v    *variable
	}
	saved := make([]old, 0, len(assigns))
	restore := func() {
		e.own()
		for i := len(saved) - 1; i >= 0; i-- {
			o := saved[i]
			n := o.v.size() - e.vars[o.name].size()
			e.k.charge(n)
			e.held += n
			if o.v == nil {
				delete(e.vars, o.name)
			} else {
				e.vars[o.name] = o.v
			}
			if o.name == "PATH" {
				e.paths = nil
			}
		}
	}
	for _, a := range assigns {
		name := a.Name.Value
		v := e.vars[name]
		if v != nil && v.attr&readOnly != 0 {
			e.errorf("%s: readonly variable", name)
			continue
		}
		saved = append(saved, old{name, v})
		if err := e.assign(a); err != nil {
			return restore, err
		}
		if now := e.vars[name]; now != nil {
			c := *now
			c.attr |= exported
			e.own()
			e.vars[name] = &c
		}
	}
	return restore, nil
}

// traceWords writes a command for set -x.
func (e *env) traceWords(args []string) {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = traceQuote(a)
	}
	e.traceLine(strings.Join(quoted, " "))
}

// traceLine writes one line of set -x: PS4, its first character once per
// subshell of command substitutions.
func (e *env) traceLine(s string) {
	ps4, _ := e.get("PS4")
	if strings.ContainsAny(ps4, "\\$`") {
		e.opts &^= optXTrace
		ps4 = strings.NewReplacer("\x01", "", "\x02", "").Replace(e.expandPrompt(ps4))
		e.opts |= optXTrace
	}
	if ps4 != "" && e.substLevel > 0 {
		ps4 = strings.Repeat(ps4[:1], e.substLevel) + ps4
	}
	e.warn(ps4 + s + "\n")
}

// expandAlias runs a command whose name is an alias: the alias's text takes the
// name's place.
func (e *env) expandAlias(s *syntax.Stmt, c *syntax.CallExpr) (int, bool) {
	if e.shopts&shExpandAliases == 0 && e.dialect == bash {
		return 0, false
	}
	l, ok := c.Args[0].Parts[0].(*syntax.Lit)
	if !ok || len(c.Args[0].Parts) != 1 || e.unit.aliased == l.Value {
		return 0, false
	}
	to, ok := e.alias[l.Value]
	if !ok {
		return 0, false
	}
	rest := e.unit.slice(c.Args[0].End(), s.End())
	if strings.HasSuffix(to, " ") || strings.HasSuffix(to, "\t") {
		rest = e.nextAlias(rest)
	}
	if n := len(s.Redirs); n > 0 && s.Redirs[n-1].Hdoc != nil {
		return 0, false
	}
	before := e.unit.slice(s.Pos(), c.Args[0].Pos())
	if s.Negated {
		before = strings.TrimPrefix(before, "!")
	}
	rest = strings.TrimRight(rest, "; \n&")
	u, err := parse(e.unit.src, before+to+rest, e.line)
	if err != nil {
		return 0, false
	}
	u.aliased = l.Value
	saved := e.unit
	e.unit = u
	defer func() { e.unit = saved }()
	return e.stmts(u.stmts), true
}

// nextAlias replaces the first word of what follows an alias that ends in a
// blank, and so on.
func (e *env) nextAlias(rest string) string {
	body := strings.TrimLeft(rest, " \t")
	end := strings.IndexAny(body, " \t\n;&|<>()")
	if end < 0 {
		end = len(body)
	}
	to, ok := e.alias[body[:end]]
	if !ok {
		return rest
	}
	tail := body[end:]
	if strings.HasSuffix(to, " ") || strings.HasSuffix(to, "\t") {
		tail = e.nextAlias(tail)
	}
	return rest[:len(rest)-len(body)] + to + tail
}

// notFound is the answer to a name that means nothing.
func (e *env) notFound(name string) int {
	switch e.dialect {
	case bash:
		shown := name
		if needsANSI(name) {
			shown = ansiQuote(name)
		}
		e.errorf("%s: command not found", shown)
	default:
		e.errorf("%s: not found", name)
	}
	return 127
}

// statusArg reads the number of exit, return and the like.
func (e *env) statusArg(who, s string) (int, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		if e.dialect != bash {
			e.errorf("%s: Illegal number: %s", who, s)
			return 2, false
		}
		e.errorf("%s: %s: numeric argument required", who, s)
		return 2, false
	}
	return int(uint8(n)), true
}
