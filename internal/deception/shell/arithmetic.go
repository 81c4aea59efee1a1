package shell

import (
	"strconv"
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
	if e.dialect == dash {
		if msg := dashArith(text); msg != "" {
			return 0, &abort{msg: msg, status: 2, exit: true}
		}
	}
	n, err := arith.Eval(text, arithVars{e})
	if err != nil {
		if a, ok := err.(*abort); ok {
			return 0, a
		}
		if e.dialect != bash {
			return 0, &abort{msg: e.plainArith(text, err.Error()), status: 2, exit: true}
		}
		return 0, failf(err.Error())
	}
	return n, nil
}

// dashArith finds what dash's arithmetic lacks.
func dashArith(text string) string {
	quoted := ": \"" + text + "\""
	t := strings.TrimSpace(text)
	switch {
	case t == "" || strings.Contains(t, "**") || strings.HasSuffix(t, "++") || strings.HasSuffix(t, "--"):
		return "arithmetic expression: expecting primary" + quoted
	case strings.Contains(t, ","):
		return "arithmetic expression: expecting EOF" + quoted
	}
	return ""
}

// plainArith is dash's and BusyBox' way to say what bash says of an expression.
func (e *env) plainArith(text, msg string) string {
	if e.dialect == ash {
		if strings.Contains(msg, "division by 0") {
			return "divide by zero"
		}
		return "arithmetic syntax error"
	}
	what := "expecting primary"
	switch {
	case strings.Contains(msg, "division by 0"):
		what = "division by zero"
	case strings.Contains(msg, "syntax error in expression"), strings.Contains(msg, "too great for base"):
		what = "expecting EOF"
	}
	return "arithmetic expression: " + what + ": \"" + text + "\""
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
	if a.e.dialect == dash && s != "" {
		if _, err := strconv.ParseInt(strings.TrimSpace(s), 0, 64); err != nil {
			return "", &abort{msg: "Illegal number: " + s, status: 2, exit: true}
		}
	}
	return s, nil
}

func (a arithVars) Set(name string, index *string, v int64) error {
	if index != nil {
		return a.e.setElement(name, *index, itoa(v), false)
	}
	return a.e.set(name, itoa(v))
}
