package python

import "strings"

// A flow says how a block ended.
type flow int

const (
	flowOn flow = iota
	flowBreak
	flowContinue
	flowReturn
)

func (m *machine) block(body []stmt, f *frame) (flow, any) {
	for _, s := range body {
		if fl, v := m.exec(s, f); fl != flowOn {
			return fl, v
		}
	}
	return flowOn, nil
}

func (m *machine) exec(s stmt, f *frame) (flow, any) {
	m.step(1)
	switch s := s.(type) {
	case *exprS:
		v := m.eval(s.x, f)
		if m.prompted && f == m.global && v != nil {
			m.out.write(m.repr(v) + "\n")
			f.vars["_"] = v
		}
	case *assignS:
		v := m.eval(s.x, f)
		for _, t := range s.targets {
			m.assign(t, v, f)
		}
	case *augS:
		m.augment(s, f)
	case *simpleS:
		switch s.word {
		case "break":
			return flowBreak, nil
		case "continue":
			return flowContinue, nil
		}
	case *returnS:
		if s.x == nil {
			return flowReturn, nil
		}
		return flowReturn, m.eval(s.x, f)
	case *ifS:
		if m.truth(m.eval(s.cond, f)) {
			return m.block(s.then, f)
		}
		return m.block(s.alt, f)
	case *whileS:
		return m.while(s, f)
	case *forS:
		return m.forLoop(s, f)
	case *tryS:
		return m.try(s, f)
	case *withS:
		return m.with(s.items, s.body, f)
	default:
		m.declare(s, f)
	}
	return flowOn, nil
}

// declare runs the statements that never leave a block.
func (m *machine) declare(s stmt, f *frame) {
	switch s := s.(type) {
	case *delS:
		for _, t := range s.targets {
			m.del(t, f)
		}
	case *raiseS:
		m.raise(s, f)
	case *importS:
		m.at(s, f, func() { m.importStatement(s, f) })
	case *defS:
		m.store(s.fn.name, m.decorate(s.decorators, m.closure(s.fn, f), f), f)
	case *classS:
		m.store(s.name, m.decorate(s.decorators, m.makeClass(s, f), f), f)
	case *assertS:
		if !m.truth(m.eval(s.x, f)) {
			m.mark(s.x, f, func() any {
				if s.msg != nil {
					m.throw("AssertionError", m.eval(s.msg, f))
				}
				m.throw("AssertionError")
				return nil
			})
		}
	}
}

// at notes s as the place where an exception came from.
func (m *machine) at(s stmt, f *frame, fn func()) {
	m.mark(stmtExpr{pos{s.at().line, 0, 1 << 20}}, f, func() any { fn(); return nil })
}

type stmtExpr struct{ pos }

func (m *machine) decorate(list []expr, v any, f *frame) any {
	for i := len(list) - 1; i >= 0; i-- {
		v = m.call(m.eval(list[i], f), []any{v}, nil)
	}
	return v
}

func (m *machine) while(s *whileS, f *frame) (flow, any) {
	for m.truth(m.eval(s.cond, f)) {
		m.step(2)
		switch fl, v := m.block(s.body, f); fl {
		case flowBreak:
			return flowOn, nil
		case flowReturn:
			return fl, v
		}
	}
	return m.block(s.alt, f)
}

func (m *machine) forLoop(s *forS, f *frame) (flow, any) {
	x := m.eval(s.iter, f)
	var next func() (any, bool)
	m.mark(s.iter, f, func() any { next = m.iter(x); return nil })
	for {
		v, ok := next()
		if !ok {
			break
		}
		m.step(2)
		m.assign(s.target, v, f)
		switch fl, r := m.block(s.body, f); fl {
		case flowBreak:
			return flowOn, nil
		case flowReturn:
			return fl, r
		}
	}
	return m.block(s.alt, f)
}

// try runs a try statement. Only Python's own exceptions are caught: the end of
// the program's budget is not its to stop.
func (m *machine) try(s *tryS, f *frame) (fl flow, v any) {
	if len(s.final) > 0 {
		defer func() {
			r := recover()
			if _, ours := r.(*raised); r != nil && !ours {
				if _, leaves := r.(exit); !leaves {
					panic(r)
				}
			}
			if ffl, fv := m.block(s.final, f); ffl != flowOn {
				fl, v = ffl, fv
				return
			}
			if r != nil {
				panic(r)
			}
		}()
	}
	fl, v, x := m.attempt(s.body, f)
	if x == nil {
		if fl == flowOn {
			return m.block(s.alt, f)
		}
		return fl, v
	}
	for _, h := range s.handlers {
		if !m.catches(h, x.exc, f) {
			continue
		}
		if h.name != "" {
			m.store(h.name, x.exc, f)
		}
		old := f.active
		f.active = x
		defer func() { f.active = old }()
		return m.block(h.body, f)
	}
	panic(x)
}

func (m *machine) attempt(body []stmt, f *frame) (fl flow, v any, x *raised) {
	depth := m.depth
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if x, ok = r.(*raised); !ok {
				panic(r)
			}
			m.depth = depth
		}
	}()
	fl, v = m.block(body, f)
	return fl, v, nil
}

func (m *machine) catches(h handler, e *instance, f *frame) bool {
	if h.kind == nil {
		return true
	}
	kinds, ok := m.eval(h.kind, f).(tuple)
	if !ok {
		kinds = tuple{m.eval(h.kind, f)}
	}
	for _, k := range kinds {
		if c, ok := k.(*class); ok && e.cls.is(c) {
			return true
		}
	}
	return false
}

func (m *machine) raise(s *raiseS, f *frame) {
	if s.x == nil {
		for g := f; g != nil; g = g.outer {
			if g.active != nil {
				panic(g.active)
			}
		}
		m.at(s, f, func() { m.throw("RuntimeError", "No active exception to reraise") })
	}
	v := m.eval(s.x, f)
	if c, ok := v.(*class); ok {
		v = m.call(c, nil, nil)
	}
	e, ok := v.(*instance)
	if !ok || !e.cls.is(m.errors["BaseException"]) {
		m.at(s, f, func() { m.typeError("exceptions must derive from BaseException") })
	}
	if e.cls.is(m.errors["SystemExit"]) {
		m.leave(e)
	}
	panic(&raised{exc: e, trace: []traceLine{{pos{s.line, 0, 1 << 20}, f.name, nil}}})
}

// leave ends the program as SystemExit says.
func (m *machine) leave(e *instance) {
	args, _ := e.dict["args"].(tuple)
	m.exitWith(append(args, nil)[0])
}

func (m *machine) exitWith(v any) {
	switch v := v.(type) {
	case nil:
		panic(exit{0})
	case int64:
		panic(exit{int(v) & 255})
	case bool:
		panic(exit{int(toBig(v).Int64())})
	}
	m.out.flush()
	m.err.write(m.str(v) + "\n")
	panic(exit{1})
}

func (m *machine) with(items []withItem, body []stmt, f *frame) (fl flow, v any) {
	if len(items) == 0 {
		return m.block(body, f)
	}
	x := m.eval(items[0].x, f)
	enter, ok := m.tryAttr(x, "__enter__")
	if !ok {
		m.mark(items[0].x, f, func() any {
			m.typeError("'" + typeName(x) + "' object does not support the context manager protocol")
			return nil
		})
	}
	bound := m.call(enter, nil, nil)
	if items[0].as != nil {
		m.assign(items[0].as, bound, f)
	}
	done := func(args ...any) any {
		if out, ok := m.tryAttr(x, "__exit__"); ok {
			return m.call(out, args, nil)
		}
		return nil
	}
	defer func() {
		r := recover()
		if e, ok := r.(*raised); ok {
			if m.truth(done(e.exc.cls, e.exc, nil)) {
				fl, v = flowOn, nil
				return
			}
		} else if r == nil {
			done(nil, nil, nil)
		}
		if r != nil {
			panic(r)
		}
	}()
	return m.with(items[1:], body, f)
}

// assign binds v to a target: a name, an attribute, an element or several.
func (m *machine) assign(t expr, v any, f *frame) {
	switch t := t.(type) {
	case *nameE:
		m.store(t.id, v, f)
	case *attrE:
		x := m.eval(t.x, f)
		m.mark(t, f, func() any { m.setAttr(x, t.name, v); return nil })
	case *indexE:
		x, i := m.eval(t.x, f), m.evalIndex(t.i, f)
		m.mark(t, f, func() any { m.setIndex(x, i, v); return nil })
	case *seqE:
		m.mark(t, f, func() any { m.unpack(t.items, v, f); return nil })
	case *starE:
		m.assign(t.x, v, f)
	}
}

func (m *machine) unpack(targets []expr, v any, f *frame) {
	if _, ok := m.tryIter(v); !ok {
		m.typeError("cannot unpack non-iterable " + typeName(v) + " object")
	}
	items := m.drain(v)
	star := -1
	for i, t := range targets {
		if _, ok := t.(*starE); ok {
			star = i
		}
	}
	switch {
	case star >= 0 && len(items) >= len(targets)-1:
		after := len(targets) - star - 1
		for i := range star {
			m.assign(targets[i], items[i], f)
		}
		m.assign(targets[star], &list{append([]any(nil), items[star:len(items)-after]...)}, f)
		for i := range after {
			m.assign(targets[star+1+i], items[len(items)-after+i], f)
		}
		return
	case len(items) < len(targets):
		atLeast := ""
		n := len(targets)
		if star >= 0 {
			atLeast, n = "at least ", n-1
		}
		m.valueError("not enough values to unpack (expected " + atLeast + itoa(n) + ", got " + itoa(len(items)) + ")")
	case len(items) > len(targets):
		m.valueError("too many values to unpack (expected " + itoa(len(targets)) + ")")
	}
	for i, t := range targets {
		m.assign(t, items[i], f)
	}
}

func (m *machine) augment(s *augS, f *frame) {
	var x, i any
	var old any
	switch t := s.target.(type) {
	case *attrE:
		x = m.eval(t.x, f)
		old = m.attr(x, t.name)
	case *indexE:
		x, i = m.eval(t.x, f), m.evalIndex(t.i, f)
		old = m.mark(t, f, func() any { return m.index(x, i) })
	default:
		old = m.eval(s.target, f)
	}
	y := m.eval(s.x, f)
	v := m.mark(stmtExpr{s.pos}, f, func() any {
		if l, ok := old.(*list); ok && s.op == "+" {
			l.items = append(l.items, m.drain(y)...)
			return l
		}
		return m.binaryNamed(s.op, s.op+"=", old, y)
	})
	switch t := s.target.(type) {
	case *attrE:
		m.setAttr(x, t.name, v)
	case *indexE:
		m.setIndex(x, i, v)
	default:
		m.assign(s.target, v, f)
	}
}

func (m *machine) del(t expr, f *frame) {
	switch t := t.(type) {
	case *nameE:
		if _, ok := f.vars[t.id]; !ok {
			m.load(t, f)
		}
		delete(f.vars, t.id)
	case *attrE:
		if i, ok := m.eval(t.x, f).(*instance); ok {
			delete(i.dict, t.name)
		}
	case *indexE:
		x, i := m.eval(t.x, f), m.evalIndex(t.i, f)
		m.mark(t, f, func() any { m.delIndex(x, i); return nil })
	case *seqE:
		for _, e := range t.items {
			m.del(e, f)
		}
	}
}

// closure makes a function of a definition.
func (m *machine) closure(def *funcDef, f *frame) *function {
	fn := &function{def: def, env: f}
	for _, p := range def.params {
		if p.def != nil {
			if fn.defaults == nil {
				fn.defaults = map[string]any{}
			}
			fn.defaults[p.name] = m.eval(p.def, f)
		}
	}
	return fn
}

func (m *machine) makeClass(s *classS, f *frame) *class {
	c := &class{name: s.name, module: "__main__", dict: map[string]any{}}
	for _, b := range s.bases {
		if v, ok := m.eval(b.x, f).(*class); ok && b.name == "" {
			c.bases = append(c.bases, v)
		}
	}
	if len(c.bases) == 0 {
		c.bases = []*class{m.types["object"]}
	}
	inner := &frame{vars: c.dict, outer: f, global: f.global, class: true, name: s.name}
	m.block(s.body, inner)
	for _, v := range c.dict {
		if fn, ok := v.(*function); ok {
			fn.cls = c
		}
	}
	return c
}

func (m *machine) yieldValue(e *yieldE, f *frame) any {
	var v any
	if e.x != nil {
		v = m.eval(e.x, f)
	}
	if f.yield == nil {
		return nil
	}
	if e.from {
		next := m.iter(v)
		for {
			x, ok := next()
			if !ok {
				return nil
			}
			f.yield(x)
		}
	}
	f.yield(v)
	return nil
}

func (m *machine) importStatement(s *importS, f *frame) {
	if s.level > 0 {
		m.throw("ImportError", "attempted relative import with no known parent package")
	}
	mod := m.importModule(s.module)
	if !s.from {
		name := s.as
		if name == "" {
			first, _, _ := strings.Cut(s.module, ".")
			name, mod = first, m.importModule(first)
		}
		m.store(name, mod, f)
		return
	}
	for _, n := range s.names {
		if n[0] == "*" {
			for k, v := range mod.dict {
				if !strings.HasPrefix(k, "_") {
					m.store(k, v, f)
				}
			}
			continue
		}
		v, ok := m.tryAttr(mod, n[0])
		if !ok {
			if sub := m.modules[s.module+"."+n[0]]; sub != nil || known(s.module+"."+n[0]) {
				v, ok = m.importModule(s.module+"."+n[0]), true
			}
		}
		if !ok {
			m.throw("ImportError", "cannot import name '"+n[0]+"' from '"+s.module+"' ("+modulePath(s.module)+")")
		}
		m.store(n[1], v, f)
	}
}
