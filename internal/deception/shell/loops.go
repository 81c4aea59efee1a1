package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

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
		e.debugFor("for " + l.Name.Value + " in " + e.itemsText(l))
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
	e.cmdAt, e.cmdUnit = e.at, e.unit
	if e.traps["DEBUG"] != "" {
		e.debugFor(e.unit.slice(c.Pos(), c.End()))
	}
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
