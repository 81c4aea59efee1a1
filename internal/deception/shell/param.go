package shell

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// A param is what a parameter expansion found before its operator acts.
type param struct {
	name string   // as messages show it
	vals []string // one, or the elements of a list
	list bool     // $@, $*, a[@], a[*]
	star bool     // $*, a[*]: quoted, the elements become one word
	set  bool
}

func (v *param) one() string {
	if len(v.vals) == 0 {
		return ""
	}
	return v.vals[0]
}

// param adds a parameter expansion.
func (x *expander) param(p *syntax.ParamExp, quoted bool) error {
	e := x.e
	e.k.step(1)
	if p.Short && p.Index == nil && p.Param != nil && !p.Excl && !p.Length {
		if name := p.Param.Value; name[0] != '@' && name[0] != '*' {
			s, ok := e.get(name)
			if !ok && e.opts&optNoUnset != 0 {
				return e.unbound(name)
			}
			return x.result(s, quoted)
		}
	}
	if e.dialect != bash && e.badParam(p) {
		return &abort{msg: badSubstitution[e.dialect], status: 2, exit: true}
	}
	if p.Param != nil {
		if d, ok := e.unit.defect(p.Param.Value); ok {
			return x.defect(d, quoted)
		}
	}
	if p.Names != 0 {
		return x.emit(&param{vals: e.namesWith(p.Param.Value), list: true, star: p.Names == syntax.NamesPrefix, set: true}, quoted)
	}
	v, err := e.target(p)
	if err != nil {
		return err
	}
	if p.Length {
		if !v.set && !v.list && e.opts&optNoUnset != 0 {
			return e.unbound(v.name)
		}
		return x.result(strconv.Itoa(e.length(p, v)), quoted)
	}
	if p.Exp != nil {
		done, err := x.condition(p, v, quoted)
		if done || err != nil {
			return err
		}
	}
	if !v.set && !v.list && e.opts&optNoUnset != 0 && !(p.Exp != nil && defaulting(p.Exp.Op)) {
		return e.unbound(v.name)
	}
	if err := e.transform(p, v); err != nil {
		return err
	}
	return x.emit(v, quoted)
}

var badSubstitution = map[dialect]string{dash: "Bad substitution", ash: "syntax error: bad substitution"}

// badParam reports what only bash expands.
func (e *env) badParam(p *syntax.ParamExp) bool {
	if p.Excl || p.Names != 0 || p.Index != nil {
		return true
	}
	if e.dialect == ash {
		return false
	}
	if p.Slice != nil || p.Repl != nil {
		return true
	}
	if p.Exp == nil {
		return false
	}
	switch p.Exp.Op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return false
	}
	return !defaulting(p.Exp.Op)
}

func (e *env) unbound(name string) error {
	if e.dialect != bash {
		return &abort{msg: name + ": parameter not set", status: 2, exit: true}
	}
	if name != "" && name[0] >= '1' && name[0] <= '9' {
		name = "$" + name
	}
	return &abort{msg: name + ": unbound variable", status: e.fatalStatus(), exit: true}
}

// fatalStatus is with what a shell ends when an expansion is fatal.
func (e *env) fatalStatus() int {
	if e.dialect != bash {
		return 2
	}
	if e.command {
		return 127
	}
	return 1
}

// defect fails, or runs, as bash does where the parser could not read.
func (x *expander) defect(d defect, quoted bool) error {
	switch d.kind {
	case '`':
		e := x.e
		s, err := e.capture(func(c *env) int {
			return c.runText(&source{text: d.text, kind: fromSubst}, 0)
		})
		if err != nil {
			return err
		}
		return x.result(s, quoted)
	default:
		if x.e.dialect != bash {
			return &abort{msg: badSubstitution[x.e.dialect], status: 2, exit: true}
		}
		if p, u, ok := x.e.toggling(d.text); ok {
			saved := x.e.unit
			x.e.unit = u
			defer func() { x.e.unit = saved }()
			return x.param(p, quoted)
		}
		// A subscript with blanks is one the parser does not read.
		if name, key, ok := cutIndex(strings.TrimSuffix(strings.TrimPrefix(d.text, "${"), "}")); ok && isName(name) && key != "" {
			if v := x.e.resolve(name); v != nil && v.arr != nil && v.arr.assoc() {
				s, _, err := x.e.element(name, key)
				if err != nil {
					return err
				}
				return x.result(s, quoted)
			}
		}
		return failf(d.text + ": bad substitution")
	}
}

func defaulting(op syntax.ParExpOperator) bool {
	switch op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull, syntax.DefaultUnset, syntax.DefaultUnsetOrNull,
		syntax.AssignUnset, syntax.AssignUnsetOrNull, syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		return true
	}
	return false
}

// target finds the value a parameter expansion is about.
func (e *env) target(p *syntax.ParamExp) (*param, error) {
	name := ""
	if p.Param != nil {
		name = p.Param.Value
	}
	index, hasIndex := e.indexText(p.Index)
	if p.Excl {
		if hasIndex && (index == "@" || index == "*") {
			keys, _ := e.elements(name)
			return &param{name: name, vals: keys, list: true, star: index == "*", set: true}, nil
		}
		return e.indirect(name, index, hasIndex)
	}
	return e.reference(name, index, hasIndex)
}

// reference looks up name or name[index].
func (e *env) reference(name, index string, hasIndex bool) (*param, error) {
	switch {
	case name == "@" || name == "*":
		return &param{name: name, vals: e.params, list: true, star: name == "*", set: len(e.params) > 0}, nil
	case hasIndex && (index == "@" || index == "*"):
		_, vals := e.elements(name)
		return &param{name: name + "[" + index + "]", vals: vals, list: true, star: index == "*", set: len(vals) > 0}, nil
	case hasIndex:
		s, ok, err := e.element(name, index)
		if err != nil {
			return nil, err
		}
		return &param{name: name + "[" + index + "]", vals: []string{s}, set: ok}, nil
	}
	s, ok := e.get(name)
	return &param{name: name, vals: []string{s}, set: ok}, nil
}

// indirect follows ${!name}.
func (e *env) indirect(name, index string, hasIndex bool) (*param, error) {
	v, err := e.reference(name, index, hasIndex)
	if err != nil {
		return nil, err
	}
	if raw, ok := e.vars[name]; ok && raw.attr&nameref != 0 && !hasIndex {
		return &param{name: name, vals: []string{raw.val}, set: true}, nil
	}
	if !v.set {
		return nil, failf(name + ": invalid indirect expansion")
	}
	to := strings.Join(v.vals, " ")
	base, idx, has := cutIndex(to)
	switch {
	case has && isName(base):
	case isName(to) || isSpecial(to):
		base = to
	default:
		return nil, failf(to + ": invalid variable name")
	}
	return e.reference(base, idx, has)
}

// isSpecial reports positional and special parameters.
func isSpecial(s string) bool {
	if len(s) == 1 && strings.Contains("@*#?-$!0", s) {
		return true
	}
	_, err := strconv.ParseUint(s, 10, 31)
	return err == nil
}

// cutIndex divides name[index].
func cutIndex(s string) (name, index string, ok bool) {
	i := strings.IndexByte(s, '[')
	if i <= 0 || s[len(s)-1] != ']' {
		return s, "", false
	}
	return s[:i], s[i+1 : len(s)-1], true
}

func (e *env) length(p *syntax.ParamExp, v *param) int {
	if v.list {
		return len(v.vals)
	}
	return utf8.RuneCountInString(v.one())
}

// condition acts for the operators that ask whether a value is there. It
// reports whether it has added what is to be added.
func (x *expander) condition(p *syntax.ParamExp, v *param, quoted bool) (bool, error) {
	if !defaulting(p.Exp.Op) {
		return false, nil
	}
	empty := !v.set
	switch p.Exp.Op {
	case syntax.AlternateUnsetOrNull, syntax.DefaultUnsetOrNull, syntax.AssignUnsetOrNull, syntax.ErrorUnsetOrNull:
		empty = empty || strings.Join(v.vals, "") == ""
	}
	e := x.e
	switch p.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if empty {
			return true, nil
		}
		return true, x.operand(p.Exp.Word, quoted)
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull:
		if !empty {
			return false, nil
		}
		return true, x.operand(p.Exp.Word, quoted)
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if !empty {
			return false, nil
		}
		s, err := e.str(p.Exp.Word)
		if err != nil {
			return true, err
		}
		if v.list || !isName(baseName(v.name)) {
			return true, failf("$" + v.name + ": cannot assign in this way")
		}
		if err := e.assignName(v.name, s); err != nil {
			return true, err
		}
		return true, x.result(s, quoted)
	default:
		if !empty {
			return false, nil
		}
		msg, err := e.str(p.Exp.Word)
		if err != nil {
			return true, err
		}
		if msg == "" {
			msg = "parameter not set"
			if e.dialect == bash && p.Exp.Op == syntax.ErrorUnsetOrNull {
				msg = "parameter null or not set"
			}
		}
		return true, &abort{msg: v.name + ": " + msg, status: e.fatalStatus(), exit: true}
	}
}

func baseName(s string) string {
	name, _, _ := cutIndex(s)
	return name
}

// operand adds the word of ${x:-word}: quoted and split like the rest.
func (x *expander) operand(w *syntax.Word, quoted bool) error {
	if w == nil {
		if quoted {
			x.started = true
		}
		return nil
	}
	if quoted {
		return x.quotedOperand(w)
	}
	for i, p := range w.Parts {
		// Literal text is split like the value it stands for.
		if l, ok := p.(*syntax.Lit); ok && strings.ContainsAny(l.Value, " \t\n") && strings.IndexByte(l.Value, '\\') < 0 {
			if err := x.split(l.Value); err != nil {
				return err
			}
			continue
		}
		if err := x.part(p, false, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// quotedOperand adds the word of "${x:-word}": single quotes are letters there
// and a backslash quotes a closing brace as well.
func (x *expander) quotedOperand(w *syntax.Word) error {
	for _, p := range w.Parts {
		err := error(nil)
		switch p := p.(type) {
		case *syntax.Lit:
			err = x.add(unescapeDouble(strings.ReplaceAll(p.Value, `\}`, "}")), true)
		case *syntax.SglQuoted:
			if p.Dollar {
				err = x.part(p, true, false)
				break
			}
			var inner *syntax.Word
			if inner, err = x.e.textWord("'"+p.Value+"'", true); err == nil {
				err = x.parts(inner.Parts, true)
			}
		default:
			err = x.part(p, true, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// emit adds the values of an expansion.
func (x *expander) emit(v *param, quoted bool) error {
	if !v.list {
		return x.result(v.one(), quoted)
	}
	sep := " "
	if v.star {
		if ifs := x.e.ifs(); ifs == "" {
			sep = ""
		} else {
			_, n := utf8.DecodeRuneInString(ifs)
			sep = ifs[:n]
		}
	}
	if quoted && v.star || x.purpose != forFields {
		if quoted {
			x.started = true
		}
		return x.add(strings.Join(v.vals, sep), quoted)
	}
	for i, s := range v.vals {
		if i > 0 {
			x.end()
		}
		if quoted {
			x.started = true
			if err := x.add(s, true); err != nil {
				return err
			}
			continue
		}
		if err := x.split(s); err != nil {
			return err
		}
	}
	return nil
}

// namesWith lists the variables that begin with prefix.
func (e *env) namesWith(prefix string) []string {
	var out []string
	for _, n := range e.setNames() {
		if strings.HasPrefix(n, prefix) && n != "_" {
			out = append(out, n)
		}
	}
	return out
}
