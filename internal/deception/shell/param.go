package shell

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/pattern"
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

func (e *env) unbound(name string) error {
	if e.dialect == dash {
		return &abort{msg: name + ": parameter not set", status: 2, exit: true}
	}
	return &abort{msg: name + ": unbound variable", status: e.fatalStatus(), exit: true}
}

// fatalStatus is with what a shell ends when an expansion is fatal.
func (e *env) fatalStatus() int {
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
		if x.e.dialect == dash {
			return &abort{msg: "Bad substitution", status: 2, exit: true}
		}
		// A subscript with blanks is one the parser does not read.
		if name, key, ok := cutIndex(strings.TrimSuffix(strings.TrimPrefix(d.text, "${"), "}")); ok && isName(name) {
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
			_, vals := keys, keys
			return &param{name: name, vals: vals, list: true, star: index == "*", set: true}, nil
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
			if p.Exp.Op == syntax.ErrorUnsetOrNull {
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
		return x.parts(w.Parts, true)
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

// transform applies the operator that changes values.
func (e *env) transform(p *syntax.ParamExp, v *param) error {
	switch {
	case p.Slice != nil:
		return e.slice(p, v)
	case p.Repl != nil:
		return e.replace(p.Repl, v)
	case p.Exp == nil || defaulting(p.Exp.Op):
		return nil
	case p.Exp.Op == syntax.OtherParamOps:
		return e.attribute(p, v)
	}
	pat, err := e.pattern(p.Exp.Word)
	if err != nil {
		return err
	}
	return e.each(v, func(s string) string { return e.operate(p.Exp.Op, s, pat) })
}

// each replaces every value by what f makes of it.
func (e *env) each(v *param, f func(string) string) error {
	out := make([]string, len(v.vals))
	for i, s := range v.vals {
		e.k.step(1 + len(s)/256)
		out[i] = f(s)
		if err := e.hold(len(out[i])); err != nil {
			return err
		}
	}
	v.vals = out
	return nil
}

func (e *env) patFlags() pattern.Flags {
	if e.shopts&shExtGlob != 0 {
		return pattern.Ext
	}
	return 0
}

// operate removes a prefix or suffix or changes the case.
func (e *env) operate(op syntax.ParExpOperator, s, pat string) string {
	f := e.patFlags()
	switch op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix:
		if n := pattern.Prefix(pat, s, op == syntax.RemLargePrefix, f); n > 0 {
			return s[n:]
		}
	case syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		if n := pattern.Suffix(pat, s, op == syntax.RemLargeSuffix, f); n >= 0 {
			return s[:n]
		}
	case syntax.UpperFirst:
		return mapCase(s, pat, f, true, strings.ToUpper)
	case syntax.UpperAll:
		return mapCase(s, pat, f, false, strings.ToUpper)
	case syntax.LowerFirst:
		return mapCase(s, pat, f, true, strings.ToLower)
	case syntax.LowerAll:
		return mapCase(s, pat, f, false, strings.ToLower)
	}
	return s
}

func mapCase(s, pat string, f pattern.Flags, first bool, to func(string) string) string {
	if s == "" {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		_, n := utf8.DecodeRuneInString(s[i:])
		c := s[i : i+n]
		if (i == 0 || !first) && (pat == "" || pattern.Match(pat, string(r), f)) {
			c = to(c)
		}
		b.WriteString(c)
	}
	return b.String()
}

// slice is ${x:offset:length}.
func (e *env) slice(p *syntax.ParamExp, v *param) error {
	off, err := e.arithNode(p.Slice.Offset, e.unit.slice(p.Slice.Offset.Pos(), p.Slice.Offset.End()))
	if err != nil {
		return err
	}
	n, hasLen := int64(0), p.Slice.Length != nil
	if hasLen {
		if n, err = e.arithNode(p.Slice.Length, e.unit.slice(p.Slice.Length.Pos(), p.Slice.Length.End())); err != nil {
			return err
		}
	}
	if v.list {
		return e.sliceList(p, v, off, n, hasLen)
	}
	rs := []rune(v.one())
	from, to, ok := span(int64(len(rs)), off, n, hasLen)
	if !ok {
		if n < 0 && hasLen && from >= 0 {
			return failf(itoa(n) + ": substring expression < 0")
		}
		v.vals = []string{""}
		return nil
	}
	v.vals = []string{string(rs[from:to])}
	return nil
}

// span turns bash's offset and length into a range.
func span(size, off, n int64, hasLen bool) (from, to int64, ok bool) {
	if off < 0 {
		off += size
	}
	if off < 0 || off > size {
		return -1, 0, false
	}
	to = size
	if hasLen && n < 0 {
		to = size + n
		if to < off {
			return off, 0, false
		}
	} else if hasLen {
		to = min(size, off+n)
	}
	return off, to, true
}

func (e *env) sliceList(p *syntax.ParamExp, v *param, off, n int64, hasLen bool) error {
	vals := v.vals
	if name := p.Param.Value; name == "@" || name == "*" {
		vals = append([]string{e.name}, vals...)
		if off < 0 && -off > int64(len(vals)) {
			v.vals = nil
			return nil
		}
		if off == 0 && hasLen && n == 0 {
			v.vals = nil
			return nil
		}
	}
	if hasLen && n < 0 {
		return failf(itoa(n) + ": substring expression < 0")
	}
	from, to, ok := span(int64(len(vals)), off, n, hasLen)
	if !ok {
		v.vals = nil
		return nil
	}
	v.vals = vals[from:to]
	return nil
}

// replace is ${x/pattern/text}.
func (e *env) replace(r *syntax.Replace, v *param) error {
	pat, err := e.pattern(r.Orig)
	if err != nil {
		return err
	}
	with, err := e.replacement(r.With)
	if err != nil {
		return err
	}
	anchor := byte(0)
	if !r.All && pat != "" && (pat[0] == '#' || pat[0] == '%') {
		anchor, pat = pat[0], pat[1:]
	}
	if pat == "" && anchor == 0 {
		return nil
	}
	f := e.patFlags()
	return e.each(v, func(s string) string {
		switch anchor {
		case '#':
			if n := pattern.Prefix(pat, s, true, f); n >= 0 {
				return with.of(s[:n]) + s[n:]
			}
			return s
		case '%':
			if n := pattern.Suffix(pat, s, true, f); n >= 0 {
				return s[:n] + with.of(s[n:])
			}
			return s
		}
		return e.replaceAll(s, pat, with, r.All, f)
	})
}

func (e *env) replaceAll(s, pat string, with template, all bool, f pattern.Flags) string {
	var b strings.Builder
	for s != "" || b.Len() == 0 {
		from, to := pattern.Find(pat, s, f)
		if from < 0 {
			break
		}
		e.k.step(1 + from/256)
		b.WriteString(s[:from])
		b.WriteString(with.of(s[from:to]))
		if int64(b.Len()) > e.k.bud.Bytes {
			e.noMemory()
		}
		if from == to {
			if to == len(s) {
				s = ""
				break
			}
			b.WriteByte(s[to])
			to++
		}
		s = s[to:]
		if !all {
			break
		}
	}
	return b.String() + s
}

// A template is a replacement in which an unquoted & stands for the match.
type template []string

func (t template) of(match string) string { return strings.Join(t, match) }

// replacement expands the text of ${x/pattern/text}.
func (e *env) replacement(w *syntax.Word) (template, error) {
	if w == nil {
		return template{""}, nil
	}
	x := expander{e: e, purpose: forReplacement}
	if err := x.parts(w.Parts, false); err != nil {
		return nil, err
	}
	if !strings.Contains(string(x.cur.pat), "&") {
		return template{string(x.cur.text)}, nil
	}
	var out template
	var b strings.Builder
	s := string(x.cur.pat)
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '&':
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(out, b.String()), nil
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
