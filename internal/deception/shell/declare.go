package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// An entry is one operand of declare and its kin.
type entry struct {
	name  string
	has   bool // a value is given
	add   bool
	val   string
	index *string
	array *syntax.ArrayExpr
}

// A declaration is what declare, export, readonly, local or typeset are to do.
type declaration struct {
	variant string
	on, off attr
	array   bool
	assoc   bool
	global  bool
	print   bool
	funcs   bool
	names   bool // -F
	remove  bool // export -n
	entries []entry
}

// declClause is a declaration as the parser has it: its assignments are not
// split.
func (e *env) declClause(c *syntax.DeclClause) int {
	mark := e.scratch
	defer func() { e.unhold(mark) }()
	d := declaration{variant: c.Variant.Value}
	if e.off[d.variant] {
		return e.notFound(d.variant)
	}
	options := true
	trace := []string{d.variant}
	for _, a := range c.Args {
		if a.Naked && a.Value != nil {
			words, err := e.words([]*syntax.Word{a.Value})
			if err != nil {
				return e.fail(err)
			}
			for _, w := range words {
				trace = append(trace, traceQuote(w))
				if st, ok := d.word(e, w, &options); !ok {
					return st
				}
			}
			continue
		}
		options = false
		en := entry{name: a.Name.Value, has: !a.Naked, add: a.Append, array: a.Array}
		if a.Index != nil {
			s, _ := e.indexText(a.Index)
			en.index = &s
		}
		if a.Value != nil {
			var err error
			if en.val, err = e.value(a.Value); err != nil {
				return e.fail(err)
			}
		}
		trace = append(trace, en.trace(e))
		d.entries = append(d.entries, en)
	}
	if e.opts&optXTrace != 0 {
		e.traceLine(strings.Join(trace, " "))
		if d.variant == "export" || d.variant == "readonly" {
			for _, en := range d.entries {
				if en.has && en.array == nil {
					e.trace(en.name+assignOp(en.add), en.val)
				}
			}
		}
	}
	return e.declare(&d)
}

func (en *entry) trace(e *env) string {
	switch {
	case en.array != nil:
		return en.name + "=" + e.unit.slice(en.array.Pos(), en.array.End())
	case en.has && en.val != "":
		return en.name + assignOp(en.add) + traceQuote(en.val)
	case en.has:
		return en.name + assignOp(en.add)
	}
	return en.name
}

// declareBuiltin is a declaration that came as plain words.
func declareBuiltin(e *env, args []string) int {
	d := declaration{variant: args[0]}
	options := true
	for _, w := range args[1:] {
		if st, ok := d.word(e, w, &options); !ok {
			return st
		}
	}
	return e.declare(&d)
}

// word takes one expanded word: an option or an operand.
func (d *declaration) word(e *env, w string, options *bool) (int, bool) {
	if *options && w == "--" {
		*options = false
		return 0, true
	}
	if *options && len(w) > 1 && (w[0] == '-' || w[0] == '+') {
		return d.flags(e, w)
	}
	*options = false
	en := entry{name: w}
	if eq := strings.IndexByte(w, '='); eq > 0 {
		en.name, en.val, en.has = w[:eq], w[eq+1:], true
		if strings.HasSuffix(en.name, "+") {
			en.name, en.add = en.name[:len(en.name)-1], true
		}
	}
	if base, index, ok := cutIndex(en.name); ok {
		en.name, en.index = base, &index
	}
	if w == "-" && d.variant == "local" {
		if n := len(e.frames); n > 0 && e.frames[n-1].opts == nil {
			opts := e.opts
			e.frames[n-1].opts = &opts
		}
		return 0, true
	}
	if !isName(en.name) && !d.funcs && !d.names {
		if e.dialect != bash {
			e.builtinError(d.variant, en.name+": bad variable name")
			e.status, e.flow = 2, exiting
			return 2, false
		}
		e.errorf("%s: `%s': not a valid identifier", d.variant, w)
		d.entries = append(d.entries, entry{})
		return 1, true
	}
	d.entries = append(d.entries, en)
	return 0, true
}

func (d *declaration) flags(e *env, w string) (int, bool) {
	set := &d.on
	if w[0] == '+' {
		set = &d.off
	}
	for _, c := range w[1:] {
		known := map[string]string{"export": "fnp", "readonly": "aAfp", "local": "aAgiIlnprtux", "declare": "aAfFgiIlnrtuxp", "typeset": "aAfFgiIlnrtuxp"}[d.variant]
		if !strings.ContainsRune(known, c) {
			return e.badOption(d.variant, w[:1]+string(c)), false
		}
		switch c {
		case 'x':
			*set |= exported
		case 'r':
			*set |= readOnly
		case 'i':
			*set |= integer
		case 'l':
			*set |= lower
		case 'u':
			*set |= upper
		case 't':
			*set |= traced
		case 'n':
			if d.variant == "export" {
				d.remove = true
			} else {
				*set |= nameref
			}
		case 'a':
			d.array = true
		case 'A':
			d.assoc = true
		case 'g':
			d.global = true
		case 'p':
			d.print = true
		case 'f':
			d.funcs = true
		case 'F':
			d.funcs, d.names = true, true
		}
	}
	return 0, true
}

func (e *env) declare(d *declaration) int {
	inFunction := false
	for _, f := range e.frames {
		inFunction = inFunction || f.fn
	}
	switch d.variant {
	case "export":
		d.on |= exported
	case "readonly":
		d.on |= readOnly
	case "local":
		if !inFunction {
			switch e.dialect {
			case bash:
				e.errorf("local: can only be used in a function")
				return 1
			case dash:
				e.errorf("local: not in a function")
			default:
				e.builtinError("local", "not in a function")
			}
			e.status, e.flow = 2, exiting
			return 2
		}
	}
	if d.funcs {
		return e.declareFunctions(d)
	}
	if len(d.entries) == 0 {
		return e.listVars(d)
	}
	if d.print && d.variant != "export" && d.variant != "readonly" {
		return e.printVars(d)
	}
	local := inFunction && !d.global && d.variant != "export" && d.variant != "readonly"
	status := 0
	for _, en := range d.entries {
		if en.name == "" {
			status = 1
			continue
		}
		if err := e.declareOne(d, en, local); err != nil {
			if a, ok := err.(*abort); ok && (a.exit || strings.Contains(a.msg, "error token")) {
				if !a.exit {
					a.msg = d.variant + ": " + a.msg
				}
				return e.fail(err)
			}
			if d.variant == "declare" || d.variant == "typeset" || d.variant == "local" {
				e.errorf("%s: %s", d.variant, err)
			} else {
				e.errorf("%s", err)
			}
			status = 1
		}
	}
	return status
}

func (e *env) declareOne(d *declaration, en entry, local bool) error {
	if v := e.vars[en.name]; v != nil && v.attr&readOnly != 0 && (en.has || d.off&readOnly != 0 || local) {
		return e.isReadOnly(en.name)
	}
	if d.on&nameref != 0 && en.has && en.val == en.name && !local {
		return failf(en.name + ": nameref variable self references not allowed")
	}
	if local {
		e.localize(en.name)
	}
	old := e.vars[en.name]
	v := &variable{attr: unset}
	if old != nil {
		*v = *old
	} else if s, ok := e.dynamic(en.name); ok && !local {
		v.val, v.attr = s, 0
	}
	wanted := d.on
	if d.remove {
		v.attr &^= exported
		wanted &^= exported
	}
	if wanted&lower != 0 && wanted&upper != 0 {
		wanted &^= lower | upper
		v.attr &^= lower | upper
	} else if wanted&lower != 0 {
		v.attr &^= upper
	} else if wanted&upper != 0 {
		v.attr &^= lower
	}
	v.attr = v.attr&^d.off | wanted&^readOnly
	if (d.array || d.assoc) && v.arr == nil {
		v.arr = newArray(e.mine, d.assoc)
		if s := v.val; v.attr&unset == 0 && !d.assoc {
			v.arr.set(0, s)
		}
		v.val = ""
	}
	if old == nil && !en.has && d.remove {
		return nil
	}
	if err := e.store(en.name, v); err != nil {
		return err
	}
	if err := e.declareValue(d, en); err != nil {
		return err
	}
	if d.on&readOnly != 0 {
		c := *e.vars[en.name]
		c.attr |= readOnly
		e.vars[en.name] = &c
	}
	return nil
}

func (e *env) declareValue(d *declaration, en entry) error {
	switch {
	case en.array != nil:
		return e.assignArray(en.name, en.array, en.add, d.assoc)
	case !en.has:
		return nil
	case en.index != nil:
		return e.setElement(en.name, *en.index, en.val, en.add)
	case d.on&nameref != 0:
		v := *e.vars[en.name]
		v.val, v.attr = en.val, v.attr&^unset
		return e.store(en.name, &v)
	case strings.HasPrefix(en.val, "(") && strings.HasSuffix(en.val, ")") && e.vars[en.name].arr != nil:
		return e.assignListing(en.name, en.val)
	}
	return e.assignScalar(en.name, en.val, en.add)
}

// assignListing is declare -a 'x=(1 2)' given as a plain word.
func (e *env) assignListing(name, text string) error {
	u, err := parse(e.unit.src, name+"="+text, e.line)
	if err != nil || len(u.stmts) != 1 {
		return failf(name + ": " + text)
	}
	c, ok := u.stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(c.Assigns) != 1 {
		return failf(name + ": " + text)
	}
	saved := e.unit
	e.unit = u
	defer func() { e.unit = saved }()
	return e.assign(c.Assigns[0])
}

func unsetBuiltin(e *env, args []string) int {
	opts, names, st := e.options(args, "fvn", "")
	if st != 0 {
		return st
	}
	_, onlyFunc := opts['f']
	_, onlyVar := opts['v']
	_, ref := opts['n']
	if onlyFunc && onlyVar {
		e.errorf("unset: cannot simultaneously unset a function and a variable")
		return 1
	}
	status := 0
	for _, n := range names {
		if e.dialect != bash && !isName(n) {
			e.builtinError("unset", n+": bad variable name")
			e.status, e.flow = 2, exiting
			return 2
		}
		if onlyFunc {
			e.ownFuncs()
			delete(e.funcs, n)
			continue
		}
		if v := e.vars[n]; ref {
			if v != nil && v.attr&nameref != 0 {
				e.own()
				delete(e.vars, n)
			}
			continue
		}
		if _, isVar := e.vars[baseName(n)]; !isVar && !onlyVar {
			e.ownFuncs()
			delete(e.funcs, n)
			continue
		}
		if err := e.unsetVar(n); err != nil {
			e.errorf("unset: %s", err)
			status = 1
		}
	}
	return status
}

// letClause is let as the parser has it; its words are arguments like others.
func (e *env) letClause(c *syntax.LetClause) int {
	text := e.unit.slice(c.Pos(), c.End())
	u, ok := e.unit.lets[text]
	if !ok {
		var err error
		if u, err = parse(e.unit.src, "\\"+text, e.line); err != nil {
			e.errorf("let: expression expected")
			return 1
		}
		if e.unit.lets == nil {
			e.unit.lets = map[string]*unit{}
		}
		e.unit.lets[text] = u
	}
	saved := e.unit
	e.unit = u
	defer func() { e.unit = saved }()
	e.stmts(u.stmts)
	return e.status
}
