package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/arith"
)

// arithNode evaluates an expression of the tree by its source text.
func (e *env) arithNode(_ syntax.ArithmExpr, text string) (int64, error) {
	if d, ok := e.unit.defect(strings.TrimSpace(text)); ok {
		text = d.text
	}
	return e.arith(text)
}

// arith evaluates an expression given as text.
func (e *env) arith(text string) (int64, error) {
	e.k.step(1)
	if strings.ContainsAny(text, "$`\"\\'") {
		w, err := e.textWord(strings.ReplaceAll(text, `"`, ""), true)
		if err != nil {
			return 0, failf(text + ": syntax error: operand expected (error token is \"" + text + "\")")
		}
		// Expanding a text of its own must not use the positions of this unit.
		saved := e.unit
		e.unit = &unit{src: saved.src, text: strings.ReplaceAll(text, `"`, ""), line: e.line}
		s, err := e.inner(w.Parts)
		e.unit = saved
		if err != nil {
			return 0, err
		}
		text = s
	}
	n, err := arith.Eval(text, arithVars{e})
	if err != nil {
		if a, ok := err.(*abort); ok {
			return 0, a
		}
		if e.dialect == dash {
			return 0, &abort{msg: "arithmetic expression: expecting primary: \"" + text + "\"", status: 2, exit: true}
		}
		return 0, failf(err.Error())
	}
	return n, nil
}

// arithVars lets expressions see the shell's variables.
type arithVars struct{ e *env }

func (a arithVars) Step() error {
	a.e.k.step(1)
	return nil
}

func (a arithVars) Get(name string, index *string) (string, error) {
	if index != nil {
		s, _, err := a.e.element(name, *index)
		return s, err
	}
	s, ok := a.e.get(name)
	if !ok && a.e.opts&optNoUnset != 0 {
		return "", a.e.unbound(name)
	}
	return s, nil
}

func (a arithVars) Set(name string, index *string, v int64) error {
	if index != nil {
		return a.e.setElement(name, *index, itoa(v), false)
	}
	return a.e.set(name, itoa(v))
}
