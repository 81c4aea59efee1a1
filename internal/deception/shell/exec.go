package shell

import (
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
	mark := e.scratch
	defer func() { e.unhold(mark) }()
	e.chargeVars()
	if e.stepHook != nil {
		e.askHook()
	}
	e.line = e.unit.line + int(s.Pos().Line()) - 1 + e.unit.continued(s)
	e.at = s
	if s == e.oneshot && len(e.traps) == 0 {
		e.inPlace = true
	}
	if len(e.coprocs) > 0 {
		e.reapCoprocs()
	}
	if s.Background {
		e.background(s)
		return
	}
	if s.Negated {
		e.quiet++
	}
	e.status = e.runCommand(s)
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
	panic(death{status, ofProcess, nil})
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
	if t := e.traps["ERR"]; t != "" && !e.trapping && !grouping(s.Cmd) {
		e.runTrap(t)
	}
	e.pendingTraps()
	if e.opts&optErrExit != 0 {
		e.flow = exiting
	}
}

// grouping reports a command that fails only because one inside did, which has
// run the ERR trap itself.
func grouping(c syntax.Command) bool {
	switch c.(type) {
	case *syntax.Block, *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause:
		return true
	}
	return false
}

// runCommand runs a statement's command with its redirections.
func (e *env) runCommand(s *syntax.Stmt) int {
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
		if e.dialect == dash {
			return e.notFound("[[")
		}
		return e.testClause(c)
	case *syntax.DeclClause:
		if v := c.Variant.Value; e.dialect != bash && !posixBuiltin(v) {
			return e.notFound(v)
		}
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

func (e *env) caseClause(c *syntax.CaseClause) int {
	word, err := e.str(c.Word)
	if err != nil {
		return e.fail(err)
	}
	if e.traps["DEBUG"] != "" {
		e.debugFor("case " + e.unit.slice(c.Word.Pos(), c.Word.End()) + " in ")
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
			hit = e.match(pat, word, flags)
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

func (e *env) timeClause(c *syntax.TimeClause) int {
	start := e.k.sh.opt.Now()
	if c.Stmt != nil {
		e.stmt(c.Stmt)
	} else {
		e.status = 0
	}
	took := e.k.sh.opt.Now().Sub(start)
	if f, ok := e.get("TIMEFORMAT"); ok && !c.PosixFormat {
		e.warn(e.timeFormat(f, took))
	} else {
		e.warn(timeReport(took, c.PosixFormat))
	}
	return e.status
}
