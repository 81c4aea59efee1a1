package python

import (
	"slices"
	"strings"
)

// A frame is a scope: the module's, a function's, a class body's.
type frame struct {
	vars   map[string]any
	outer  *frame // enclosing function
	global *frame
	fn     *funcDef
	class  bool
	name   string
	yield  func(any) // of a generator
	active *raised   // the exception an except block handles
}

// A machine runs one program.
type machine struct {
	w        *gate
	ask      func(any) // of the generator that runs; nil outside
	stops    []func()
	live     int // generators
	global   *frame
	builtins map[string]any
	errors   map[string]*class
	types    map[string]*class
	modules  map[string]*module
	argv     []string
	file     string
	lines    []string
	shown    bool // tracebacks show source
	depth    int
	out, err *stream
	in       *stream
	handles  int
	seed     uint64
	atexit   []any
	prompted bool
	files    []*stream
}

// maxDepth is CPython's recursion limit.
const maxDepth = 999

func (m *machine) step(n int) { m.w.Step(n) }

// eval computes an expression. An exception that leaves it for the first time
// learns where it happened.
func (m *machine) eval(e expr, f *frame) any {
	m.step(1)
	switch e := e.(type) {
	case *constE:
		return e.v
	case *nameE:
		return m.load(e, f)
	case *seqE:
		return m.sequence(e, f)
	case *formatE:
		return m.formatted(e.parts, f)
	case *dictE:
		return m.dictionary(e, f)
	case *compE:
		return m.comprehension(e, f)
	case *unaryE:
		return m.mark(e, f, func() any { return m.unary(e.op, m.eval(e.x, f)) })
	case *binE:
		x, y := m.eval(e.x, f), m.eval(e.y, f)
		return m.mark(e, f, func() any { return m.binary(e.op, x, y) })
	case *boolE:
		x := m.eval(e.x, f)
		if m.truth(x) == (e.op == "or") {
			return x
		}
		return m.eval(e.y, f)
	case *compareE:
		return m.comparison(e, f)
	case *condE:
		if m.truth(m.eval(e.cond, f)) {
			return m.eval(e.yes, f)
		}
		return m.eval(e.no, f)
	case *callE:
		return m.callExpr(e, f)
	case *attrE:
		x := m.eval(e.x, f)
		return m.mark(e, f, func() any { return m.attr(x, e.name) })
	case *indexE:
		x := m.eval(e.x, f)
		i := m.evalIndex(e.i, f)
		return m.mark(e, f, func() any { return m.index(x, i) })
	case *lambdaE:
		return m.closure(e.fn, f)
	case *walrusE:
		v := m.eval(e.x, f)
		m.store(e.name, v, scopeOf(f))
		return v
	case *yieldE:
		return m.yieldValue(e, f)
	case *starE:
		m.throw("SyntaxError", "can't use starred expression here")
	}
	m.w.Unsupported("python expression")
	return nil
}

// scopeOf is the frame an assignment expression in a comprehension binds in.
func scopeOf(f *frame) *frame {
	for f.name == "<listcomp>" && f.outer != nil {
		f = f.outer
	}
	return f
}

// mark runs fn, and notes e as the place where an exception came from.
func (m *machine) mark(e expr, f *frame, fn func() any) any {
	defer func() {
		if r := recover(); r != nil {
			if x, ok := r.(*raised); ok && len(x.trace) == 0 {
				x.trace = append(x.trace, traceLine{e.at(), f.name, e})
			}
			panic(r)
		}
	}()
	return fn()
}

func (m *machine) load(e *nameE, f *frame) any {
	if v, ok := m.lookup(e.id, f); ok {
		return v
	}
	r := &raised{trace: []traceLine{{e.pos, f.name, e}}}
	if f.fn != nil && f.fn.locals[e.id] {
		r.exc = m.exception("UnboundLocalError", "cannot access local variable '"+e.id+"' where it is not associated with a value")
	} else {
		r.exc, r.sug = m.exception("NameError", "name '"+e.id+"' is not defined"), e.id
	}
	panic(r)
}

func (m *machine) lookup(name string, f *frame) (any, bool) {
	if f.fn != nil && f.fn.locals[name] {
		v, ok := f.vars[name]
		return v, ok
	}
	if f.fn == nil || f.fn.outer[name] != "global" {
		for s := f; s != nil; s = s.outer {
			if s.class && s != f {
				continue
			}
			if v, ok := s.vars[name]; ok {
				return v, true
			}
		}
	}
	if v, ok := f.global.vars[name]; ok {
		return v, true
	}
	v, ok := m.builtins[name]
	return v, ok
}

// store binds a name in the scope it belongs to.
func (m *machine) store(name string, v any, f *frame) {
	if f.fn != nil {
		switch f.fn.outer[name] {
		case "global":
			f.global.vars[name] = v
			return
		case "nonlocal":
			for s := f.outer; s != nil; s = s.outer {
				if _, ok := s.vars[name]; ok && !s.class {
					s.vars[name] = v
					return
				}
			}
		}
	}
	if len(f.vars) > 20_000 {
		m.throw("MemoryError")
	}
	f.vars[name] = v
}

func (m *machine) sequence(e *seqE, f *frame) any {
	items := make([]any, 0, len(e.items))
	for _, x := range e.items {
		if s, ok := x.(*starE); ok {
			items = append(items, m.drain(m.eval(s.x, f))...)
			continue
		}
		items = append(items, m.eval(x, f))
	}
	m.grow(len(items))
	switch e.kind {
	case '[':
		return &list{items}
	case '{':
		return m.newSet(items)
	}
	return tuple(items)
}

// grow charges for n values.
func (m *machine) grow(n int) {
	if n > 0 {
		m.w.Alloc(16 * n)
	}
}

func (m *machine) newSet(items []any) *set {
	s := &set{}
	for _, v := range items {
		s.d.put(m.key(v), v, nil)
	}
	return s
}

// key is a value's identity in a dict.
func (m *machine) key(v any) string {
	if i, ok := v.(*instance); ok {
		if f, _, ok := i.cls.find("__hash__"); ok {
			return "h" + m.str(m.call(bind(f, i), nil, nil))
		}
	}
	k, ok := key(v)
	if !ok {
		m.typeError("unhashable type: '" + typeName(v) + "'")
	}
	return k
}

func (m *machine) dictionary(e *dictE, f *frame) any {
	d := &dict{}
	for i, k := range e.keys {
		if k == nil {
			if o, ok := m.eval(e.vals[i], f).(*dict); ok {
				o.live(func(k, v any) bool { d.put(m.key(k), k, v); return true })
			}
			continue
		}
		kv := m.eval(k, f)
		d.put(m.key(kv), kv, m.eval(e.vals[i], f))
	}
	m.grow(2 * d.len())
	return d
}

func (m *machine) comprehension(e *compE, f *frame) any {
	if e.kind == '(' {
		inner := &frame{vars: map[string]any{}, outer: f, global: f.global, name: "<genexpr>"}
		return m.generator(func(yield func(any)) {
			m.clauses(e.clauses, inner, func() { yield(m.eval(e.elt, inner)) })
		})
	}
	inner := &frame{vars: map[string]any{}, outer: f, global: f.global, name: "<listcomp>"}
	var items []any
	d := &dict{}
	m.clauses(e.clauses, inner, func() {
		m.grow(1)
		if e.kind == ':' {
			k := m.eval(e.elt, inner)
			d.put(m.key(k), k, m.eval(e.val, inner))
			return
		}
		items = append(items, m.eval(e.elt, inner))
	})
	switch e.kind {
	case ':':
		return d
	case '{':
		return m.newSet(items)
	}
	return &list{items}
}

func (m *machine) clauses(cs []clause, f *frame, fn func()) {
	if len(cs) == 0 {
		fn()
		return
	}
	c := cs[0]
	next := m.iter(m.eval(c.iter, f))
	for {
		v, ok := next()
		if !ok {
			return
		}
		m.step(1)
		m.assign(c.target, v, f)
		if !slices.ContainsFunc(c.conds, func(e expr) bool { return !m.truth(m.eval(e, f)) }) {
			m.clauses(cs[1:], f, fn)
		}
	}
}

func (m *machine) comparison(e *compareE, f *frame) any {
	x := m.eval(e.x, f)
	for i, op := range e.ops {
		y := m.eval(e.ys[i], f)
		r := m.mark(e, f, func() any { return m.compareOp(op, x, y) })
		if i == len(e.ops)-1 || !m.truth(r) {
			return r
		}
		x = y
	}
	return true
}

// sliceV is an evaluated slice.
type sliceV struct{ lo, hi, step any }

func (m *machine) evalIndex(e expr, f *frame) any {
	s, ok := e.(*sliceE)
	if !ok {
		return m.eval(e, f)
	}
	v := sliceV{}
	for _, p := range []struct {
		e  expr
		to *any
	}{{s.lo, &v.lo}, {s.hi, &v.hi}, {s.step, &v.step}} {
		if p.e != nil {
			*p.to = m.eval(p.e, f)
		}
	}
	return v
}

func (m *machine) callExpr(e *callE, f *frame) any {
	fn := m.eval(e.fn, f)
	var args []any
	var kw kwargs
	for _, a := range e.args {
		v := m.eval(a.x, f)
		switch {
		case a.star == 1:
			args = append(args, m.drain(v)...)
		case a.star == 2:
			d, _ := v.(*dict)
			if d != nil {
				d.live(func(k, v any) bool { kw = kw.with(m.str(k), v); return true })
			}
		case a.name != "":
			kw = kw.with(a.name, v)
		default:
			args = append(args, v)
		}
	}
	if b, ok := fn.(*builtin); ok && b.name == "super" && len(args) == 0 {
		return m.super(f)
	}
	if b, ok := fn.(*builtin); ok && (b.name == "locals" || b.name == "vars" && len(args) == 0 || b.name == "dir" && len(args) == 0) {
		return m.scopeNames(b.name, f)
	}
	return m.callAt(e, f, fn, args, kw)
}

// callAt calls fn and adds the call to the traceback of what it raises.
func (m *machine) callAt(e *callE, f *frame, fn any, args []any, kw kwargs) any {
	defer func() {
		if r := recover(); r != nil {
			if x, ok := r.(*raised); ok && len(x.trace) < 2000 {
				x.trace = append(x.trace, traceLine{e.pos, f.name, e})
			}
			panic(r)
		}
	}()
	return m.call(fn, args, kw)
}

func (k kwargs) with(name string, v any) kwargs {
	if k == nil {
		k = kwargs{}
	}
	k[name] = v
	return k
}

// scopeNames is locals() and dir() of the caller.
func (m *machine) scopeNames(which string, f *frame) any {
	names := make([]string, 0, len(f.vars))
	for n := range f.vars {
		names = append(names, n)
	}
	slices.Sort(names)
	if which == "dir" {
		l := &list{}
		for _, n := range names {
			l.items = append(l.items, n)
		}
		return l
	}
	d := &dict{}
	for _, n := range names {
		d.setStr(n, f.vars[n])
	}
	return d
}

func (m *machine) super(f *frame) any {
	self := f.vars["self"]
	i, ok := self.(*instance)
	cls, _ := f.vars["__class__"].(*class)
	if !ok || cls == nil || len(cls.bases) == 0 {
		return &instance{cls: m.types["object"], dict: map[string]any{}}
	}
	return &superV{i, cls.bases}
}

type superV struct {
	self  *instance
	bases []*class
}

// names are all that a misspelt name could have meant.
func (m *machine) names() []string {
	var out []string
	for n := range m.global.vars {
		out = append(out, n)
	}
	slices.Sort(out)
	var built []string
	for n := range m.builtins {
		built = append(built, n)
	}
	slices.Sort(built)
	return append(out, built...)
}

func (m *machine) formatted(parts []strPart, f *frame) any {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
		if p.expr == nil {
			continue
		}
		v := m.eval(p.expr, f)
		switch p.conv {
		case 'r', 'a':
			v = m.repr(v)
		case 's':
			v = m.str(v)
		}
		spec, _ := m.formatted(p.spec, f).(string)
		b.WriteString(m.format(v, spec))
	}
	m.w.Alloc(b.Len())
	return b.String()
}
