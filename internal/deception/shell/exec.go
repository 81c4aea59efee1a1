package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/shell/pattern"
)

// stmts runs statements until one changes the flow.
func (e *env) stmts(list []*syntax.Stmt) int {
	for _, s := range list {
		e.stmt(s)
		if e.flow != goingOn {
			break
		}
	}
	return e.status
}

// stmt runs one statement and leaves its status in e.status.
func (e *env) stmt(s *syntax.Stmt) {
	e.k.step(1)
	if e.stepHook != nil {
		e.askHook()
	}
	e.line = e.unit.line + int(s.Pos().Line()) - 1
	if e.jobControl {
		e.stmtText = strings.TrimRight(e.unit.slice(s.Pos(), s.End()), "; \n&")
	}
	if s.Background {
		e.background(s)
		return
	}
	if s.Negated {
		e.quiet++
	}
	e.status = e.command1(s)
	if _, list := s.Cmd.(*syntax.BinaryCmd); !list {
		e.pipes = nil
	}
	if s.Negated {
		e.quiet--
		if e.flow == goingOn {
			e.status = b2i(e.status == 0)
		}
		return
	}
	e.errExit(s)
	e.pendingTraps()
}

// askHook lets a command around this shell, such as timeout, end it.
func (e *env) askHook() {
	err := e.stepHook(1)
	if err == nil {
		return
	}
	status := 128 + sigKill
	if s, ok := err.(coreutils.ExitStatus); ok {
		status = int(s)
	}
	panic(death{status, ofProcess})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// errExit acts on set -e and the ERR trap after a failed command.
func (e *env) errExit(s *syntax.Stmt) {
	if e.status == 0 || e.quiet > 0 || e.flow != goingOn {
		return
	}
	if b, ok := s.Cmd.(*syntax.BinaryCmd); ok && (b.Op == syntax.AndStmt || b.Op == syntax.OrStmt) {
		return // the list has seen to its last command itself
	}
	if t := e.traps["ERR"]; t != "" && !e.trapping {
		e.runTrap(t)
	}
	if e.opts&optErrExit != 0 {
		e.flow = exiting
	}
}

// command1 runs a statement's command with its redirections.
func (e *env) command1(s *syntax.Stmt) int {
	if call, ok := s.Cmd.(*syntax.CallExpr); ok {
		return e.call(s, call)
	}
	if s.Cmd == nil {
		return e.onlyRedirects(s)
	}
	if len(s.Redirs) == 0 {
		return e.compound(s)
	}
	undo, err := e.redirect(s.Redirs)
	if err != nil {
		undo()
		return e.redirFailed(err)
	}
	defer undo()
	return e.compound(s)
}

// onlyRedirects is a statement such as `> file`.
func (e *env) onlyRedirects(s *syntax.Stmt) int {
	undo, err := e.redirect(s.Redirs)
	undo()
	if err != nil {
		return e.redirFailed(err)
	}
	return 0
}

func (e *env) compound(s *syntax.Stmt) int {
	switch c := s.Cmd.(type) {
	case *syntax.Block:
		return e.stmts(c.Stmts)
	case *syntax.BinaryCmd:
		return e.binary(s, c)
	case *syntax.IfClause:
		return e.ifClause(c)
	case *syntax.WhileClause:
		return e.while(c)
	case *syntax.ForClause:
		return e.forClause(c)
	case *syntax.CaseClause:
		return e.caseClause(c)
	case *syntax.Subshell:
		return e.subshell(c.Stmts)
	case *syntax.FuncDecl:
		return e.define(c)
	case *syntax.ArithmCmd:
		return e.arithCmd(c)
	case *syntax.TestClause:
		return e.testClause(c)
	case *syntax.DeclClause:
		return e.declClause(c)
	case *syntax.LetClause:
		return e.letClause(c)
	case *syntax.TimeClause:
		return e.timeClause(c)
	case *syntax.CoprocClause:
		return e.coproc(c)
	}
	e.k.sh.opt.Watch.Unsupported("shell: command")
	return 1
}

func (e *env) binary(s *syntax.Stmt, c *syntax.BinaryCmd) int {
	switch c.Op {
	case syntax.Pipe, syntax.PipeAll:
		return e.pipeline(c)
	}
	e.quiet++
	e.stmt(c.X)
	e.quiet--
	if e.flow != goingOn {
		return e.status
	}
	if (e.status == 0) == (c.Op == syntax.AndStmt) {
		e.stmt(c.Y)
	}
	return e.status
}

// cond runs the statements of a condition, where set -e does not act.
func (e *env) cond(list []*syntax.Stmt) bool {
	e.quiet++
	e.stmts(list)
	e.quiet--
	return e.status == 0
}

func (e *env) ifClause(c *syntax.IfClause) int {
	for ; c != nil; c = c.Else {
		if len(c.Cond) > 0 {
			ok := e.cond(c.Cond)
			if e.flow != goingOn {
				return e.status
			}
			if !ok {
				continue
			}
		}
		e.status = 0
		return e.stmts(c.Then)
	}
	return 0
}

// loop runs a round of a loop's body and reports whether to go on.
func (e *env) loop(body []*syntax.Stmt) bool {
	e.k.step(1)
	e.loops++
	e.stmts(body)
	e.loops--
	return e.nextRound()
}

// nextRound acts on break and continue.
func (e *env) nextRound() bool {
	switch e.flow {
	case goingOn:
		return true
	case breaking, continuing:
		on := e.flow == continuing
		if e.flowN--; e.flowN > 0 {
			return false
		}
		e.flow = goingOn
		return on
	}
	return false
}

func (e *env) while(c *syntax.WhileClause) int {
	status := 0
	for {
		e.loops++
		ok := e.cond(c.Cond)
		e.loops--
		if e.flow != goingOn {
			if !e.nextRound() {
				break
			}
			continue
		}
		if ok == c.Until {
			break
		}
		on := e.loop(c.Do)
		status = e.status
		if !on {
			break
		}
	}
	if e.flow >= returning {
		return e.status
	}
	return status
}

func (e *env) forClause(c *syntax.ForClause) int {
	switch l := c.Loop.(type) {
	case *syntax.CStyleLoop:
		return e.forArith(c, l)
	case *syntax.WordIter:
		if c.Select {
			return e.selectClause(c, l)
		}
		return e.forWords(c, l)
	}
	return 1
}

func (e *env) forWords(c *syntax.ForClause, l *syntax.WordIter) int {
	if !isName(l.Name.Value) {
		e.errorf("`%s': not a valid identifier", l.Name.Value)
		return 1
	}
	mark := e.scratch
	defer func() { e.unhold(mark) }()
	items := e.params
	if l.InPos.IsValid() {
		var err error
		if items, err = e.words(l.Items); err != nil {
			return e.fail(err)
		}
	}
	status := 0
	for _, it := range items {
		if e.opts&optXTrace != 0 {
			e.traceLine("for " + l.Name.Value + " in " + e.itemsText(l))
		}
		if err := e.set(l.Name.Value, it); err != nil {
			e.errorf("%s", err)
			return 1
		}
		on := e.loop(c.Do)
		status = e.status
		if !on {
			break
		}
	}
	return status
}

func (e *env) itemsText(l *syntax.WordIter) string {
	if len(l.Items) == 0 {
		return `"$@"`
	}
	return e.unit.slice(l.Items[0].Pos(), l.Items[len(l.Items)-1].End())
}

// arithIn evaluates an expression of (( )) or for (( )); ok is false after an error.
func (e *env) arithIn(x syntax.ArithmExpr) (n int64, ok bool) {
	if x == nil {
		return 1, true
	}
	return e.arithText(e.unit.slice(x.Pos(), x.End()), "((")
}

// arithText evaluates for a command that reports errors under its own name.
func (e *env) arithText(text, who string) (int64, bool) {
	n, err := e.arith(text)
	if err != nil {
		if a, ok := err.(*abort); ok && a.exit {
			e.fail(err)
			return 0, false
		}
		e.errorf("%s: %s", who, err)
		return 0, false
	}
	return n, true
}

func (e *env) forArith(c *syntax.ForClause, l *syntax.CStyleLoop) int {
	if _, ok := e.arithIn(l.Init); !ok {
		return 1
	}
	status := 0
	for {
		n, ok := e.arithIn(l.Cond)
		if !ok {
			return 1
		}
		if n == 0 {
			return status
		}
		on := e.loop(c.Do)
		status = e.status
		if !on {
			return status
		}
		if _, ok := e.arithIn(l.Post); !ok {
			return 1
		}
	}
}

func (e *env) arithCmd(c *syntax.ArithmCmd) int {
	text := strings.TrimPrefix(e.unit.slice(c.Left, c.Right), "((")
	if d, ok := e.unit.defect(strings.TrimSpace(text)); ok {
		text = d.text
	}
	if e.opts&optXTrace != 0 {
		e.traceLine("(( " + strings.TrimSpace(text) + " ))")
	}
	n, ok := e.arithText(text, "((")
	if !ok {
		return 1
	}
	return b2i(n == 0)
}

func (e *env) caseClause(c *syntax.CaseClause) int {
	word, err := e.str(c.Word)
	if err != nil {
		return e.fail(err)
	}
	if e.opts&optXTrace != 0 {
		e.traceLine("case " + e.unit.slice(c.Word.Pos(), c.Word.End()) + " in")
	}
	flags := e.matchFlags()
	e.status = 0
	through := false
	for _, it := range c.Items {
		hit := through
		for _, p := range it.Patterns {
			if hit {
				break
			}
			pat, err := e.pattern(p)
			if err != nil {
				return e.fail(err)
			}
			e.k.step(1 + len(word)/64)
			hit = pattern.Match(pat, word, flags)
		}
		if !hit {
			continue
		}
		e.stmts(it.Stmts)
		if e.flow != goingOn || it.Op == syntax.Break {
			return e.status
		}
		through = it.Op == syntax.Fallthrough
	}
	return e.status
}

// matchFlags are the flags of case and [[ ]].
func (e *env) matchFlags() pattern.Flags {
	f := e.patFlags()
	if e.shopts&shNoCaseMatch != 0 {
		f |= pattern.Fold
	}
	return f
}

// subshell runs statements in a child process.
func (e *env) subshell(list []*syntax.Stmt) int {
	if e.wantsJob() {
		return e.asJob(func(c *env) int { return c.stmts(list) })
	}
	if !e.mayFork() {
		return 254
	}
	c := e.fork()
	return c.isolate(func() int { return c.stmts(list) })
}

// mayFork reports whether another process can be started, and complains if not.
func (e *env) mayFork() bool {
	e.k.step(20)
	if !e.k.full() {
		return true
	}
	e.errorfBare("fork: retry: Resource temporarily unavailable")
	return false
}

// capture runs body in a child whose output is returned without the newlines at
// its end.
func (e *env) capture(body func(*env) int) (string, error) {
	if !e.mayFork() {
		return "", &abort{status: 254, said: true}
	}
	c := e.fork()
	c.substLevel++
	c.opts &^= optErrExit
	cf := &captureFile{k: e.k}
	c.fds.set(1, &ofile{refs: 1, file: cf})
	status := c.isolate(func() int { return body(c) })
	e.k.charge(-cap(cf.buf))
	e.status = status
	e.ranSubst = true
	out := strings.TrimRight(string(cf.buf), "\n")
	if strings.IndexByte(out, 0) >= 0 {
		if e.dialect == bash {
			e.errorf("warning: command substitution: ignored null byte in input")
		}
		out = strings.ReplaceAll(out, "\x00", "")
	}
	return out, e.hold(len(out))
}

// substitute is $( ).
func (e *env) substitute(p *syntax.CmdSubst) (string, error) {
	if len(p.Stmts) == 0 {
		e.status = 0
		return "", nil
	}
	if path, ok := catFile(p); ok { // $(< file)
		return e.capture(func(c *env) int { return c.copyFile(path) })
	}
	return e.capture(func(c *env) int { return c.stmts(p.Stmts) })
}

// catFile recognises $(< file).
func catFile(p *syntax.CmdSubst) (*syntax.Redirect, bool) {
	if len(p.Stmts) != 1 {
		return nil, false
	}
	s := p.Stmts[0]
	if s.Cmd != nil || len(s.Redirs) != 1 || s.Redirs[0].Op != syntax.RdrIn || s.Redirs[0].N != nil {
		return nil, false
	}
	return s.Redirs[0], true
}

func (e *env) copyFile(r *syntax.Redirect) int {
	undo, err := e.redirect([]*syntax.Redirect{r})
	defer undo()
	if err != nil {
		return e.redirFailed(err)
	}
	var buf [4096]byte
	for {
		n, err := e.fds.get(0).Read(buf[:])
		e.out(string(buf[:n]))
		if err != nil {
			return 0
		}
	}
}

// define remembers a function.
func (e *env) define(c *syntax.FuncDecl) int {
	if c.Name == nil || c.Body == nil {
		return 1 // only the parser takes this for a function
	}
	src := "main"
	switch {
	case e.unit.src.kind == fromFile:
		src = e.unit.src.name
	case e.command:
		src = "environment"
	}
	e.ownFuncs()
	if len(e.funcs) >= 1000 {
		e.noMemory()
	}
	if err := e.account(len(c.Name.Value) + 64); err != nil {
		return 1
	}
	e.funcs[c.Name.Value] = &function{body: &stmtRef{c.Body, e.unit}, source: src}
	return 0
}

// callFunction runs a function with its own parameters and local variables.
func (e *env) callFunction(name string, f *function, args []string) int {
	if len(e.frames) >= e.k.bud.Depth*4 || e.k.depth > e.k.bud.Depth*4 {
		panic(death{139, ofProcess}) // what bash does when its stack is full
	}
	e.k.depth++
	params, unit, loops, line := e.params, e.unit, e.loops, e.line
	e.params, e.unit, e.loops = args, f.body.unit, 0
	src := f.source
	if e.interactive {
		src = ""
	}
	e.frames = append(e.frames, frame{name: name, source: src, line: line, fn: true})
	depth := len(e.frames)
	defer func() {
		e.k.depth--
		if len(e.frames) >= depth {
			e.popFrame(depth - 1)
		}
		e.params, e.unit, e.loops, e.line = params, unit, loops, line
	}()
	e.status = 0
	e.stmt(f.body.stmt)
	if e.flow == returning {
		e.flow = goingOn
	}
	if t := e.traps["RETURN"]; t != "" && !e.trapping {
		e.runTrap(t)
	}
	return e.status
}

// popFrame forgets local variables.
func (e *env) popFrame(i int) {
	f := &e.frames[i]
	for j := len(f.saved) - 1; j >= 0; j-- {
		s := f.saved[j]
		cur := e.vars[s.name]
		n := s.old.size() - cur.size()
		e.k.charge(n)
		e.held += n
		e.own()
		if s.old == nil {
			delete(e.vars, s.name)
		} else {
			e.vars[s.name] = s.old
		}
	}
	e.frames = e.frames[:i]
}

// localize hides a variable until the function returns.
func (e *env) localize(name string) bool {
	for i := len(e.frames) - 1; i >= 0; i-- {
		f := &e.frames[i]
		if !f.fn {
			continue
		}
		for _, s := range f.saved {
			if s.name == name {
				return true
			}
		}
		old := e.vars[name]
		f.saved = append(f.saved, savedVar{name, old})
		e.own()
		v := &variable{attr: unset}
		if old != nil {
			v.attr |= old.attr & exported
		}
		e.vars[name] = v
		return true
	}
	return false
}

func (e *env) timeClause(c *syntax.TimeClause) int {
	start := e.k.sh.opt.Now()
	if c.Stmt != nil {
		e.stmt(c.Stmt)
	} else {
		e.status = 0
	}
	e.warn(timeReport(e.k.sh.opt.Now().Sub(start), c.PosixFormat))
	return e.status
}
