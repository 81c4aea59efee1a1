package python

import (
	"math/big"
	"slices"
)

func (m *machine) tooDeep() {
	if m.depth > maxDepth {
		m.throw("RecursionError", "maximum recursion depth exceeded")
	}
}

// iter returns the function that gives a value's elements one by one.
func (m *machine) iter(v any) func() (any, bool) {
	next, ok := m.tryIter(v)
	if !ok {
		m.typeError("'" + typeName(v) + "' object is not iterable")
	}
	return next
}

func (m *machine) tryIter(v any) (func() (any, bool), bool) {
	i := 0
	over := func(items func() []any) func() (any, bool) {
		return func() (any, bool) {
			l := items()
			if i >= len(l) {
				return nil, false
			}
			i++
			return l[i-1], true
		}
	}
	switch v := v.(type) {
	case *list:
		return over(func() []any { return v.items }), true
	case tuple:
		return over(func() []any { return v }), true
	case *dict:
		keys := v.keyList()
		return over(func() []any { return keys }), true
	case *set:
		keys := v.d.keyList()
		return over(func() []any { return keys }), true
	case string:
		rs := runes(v)
		m.w.Alloc(4 * len(rs))
		return func() (any, bool) {
			if i >= len(rs) {
				return nil, false
			}
			i++
			return string(rs[i-1]), true
		}, true
	case bytesV:
		return func() (any, bool) {
			if i >= len(v) {
				return nil, false
			}
			i++
			return int64(v[i-1]), true
		}, true
	case *rangeV:
		n, left := v.lo, v.len()
		return func() (any, bool) {
			if left <= 0 {
				return nil, false
			}
			left--
			n += v.step
			return n - v.step, true
		}, true
	case *iterator:
		return v.next, true
	case *instance:
		return m.iterInstance(v)
	}
	return nil, false
}

func (m *machine) iterInstance(v *instance) (func() (any, bool), bool) {
	if s, ok := v.native.(*stream); ok {
		return func() (any, bool) {
			l := s.readLine()
			return m.textOf(s, l), l != ""
		}, true
	}
	f, _, ok := v.cls.find("__iter__")
	if !ok {
		return nil, false
	}
	it := m.call(bind(f, v), nil, nil)
	if o, ok := it.(*instance); ok {
		return func() (any, bool) { return m.nextOf(o) }, true
	}
	return m.tryIter(it)
}

// nextOf calls __next__ until StopIteration.
func (m *machine) nextOf(o *instance) (v any, ok bool) {
	f, _, has := o.cls.find("__next__")
	if !has {
		m.typeError("'" + o.cls.name + "' object is not an iterator")
	}
	defer func() {
		if r := recover(); r != nil {
			if x, is := r.(*raised); is && x.exc.cls.is(m.errors["StopIteration"]) {
				v, ok = nil, false
				return
			}
			panic(r)
		}
	}()
	return m.call(bind(f, o), nil, nil), true
}

// drain is all elements of a value.
func (m *machine) drain(v any) []any {
	if l, ok := v.(*list); ok {
		m.grow(len(l.items))
		m.step(1 + len(l.items)/64)
		return slices.Clone(l.items)
	}
	next := m.iter(v)
	var out []any
	for {
		x, ok := next()
		if !ok {
			return out
		}
		m.step(1)
		m.grow(1)
		out = append(out, x)
	}
}

func (m *machine) asInt(v any, what string) int {
	if !isInt(v) {
		m.typeError(what)
	}
	n := toBig(v)
	if !n.IsInt64() || n.BitLen() > 40 {
		m.throw("OverflowError", "Python int too large to convert to C ssize_t")
	}
	return int(n.Int64())
}

// bounds turns a slice into the indexes it stands for.
func (m *machine) bounds(s sliceV, n int) (lo, step, count int) {
	step = 1
	if s.step != nil {
		if step = m.asInt(s.step, "slice indices must be integers or None or have an __index__ method"); step == 0 {
			m.valueError("slice step cannot be zero")
		}
	}
	clamp := func(v any, def int) int {
		if v == nil {
			return def
		}
		b := toBig(v)
		if !isInt(v) {
			m.typeError("slice indices must be integers or None or have an __index__ method")
		}
		i := n
		if b.IsInt64() && b.Int64() < int64(n) {
			i = int(max(b.Int64(), int64(-n)-1))
		}
		if i < 0 {
			i += n
		}
		if step > 0 {
			return min(max(i, 0), n)
		}
		return min(max(i, -1), n-1)
	}
	var hi int
	if step > 0 {
		lo, hi = clamp(s.lo, 0), clamp(s.hi, n)
		count = (hi - lo + step - 1) / step
	} else {
		lo, hi = clamp(s.lo, n-1), clamp(s.hi, -1)
		count = (lo - hi - step - 1) / -step
	}
	return lo, step, max(count, 0)
}

func pick[T any](items []T, lo, step, count int) []T {
	out := make([]T, 0, count)
	for range count {
		out = append(out, items[lo])
		lo += step
	}
	return out
}

func (m *machine) index(x, i any) any {
	if s, ok := i.(sliceV); ok {
		return m.sliceOf(x, s)
	}
	place := func(n int, what string) int {
		at := m.asInt(i, what+" indices must be integers or slices, not "+typeName(i))
		if what == "string" {
			at = m.asInt(i, "string indices must be integers, not '"+typeName(i)+"'")
		}
		if at < 0 {
			at += n
		}
		if at < 0 || at >= n {
			m.throw("IndexError", map[string]string{"byte": "index"}[what]+map[bool]string{true: "", false: what}[what == "byte"]+map[bool]string{true: " out of range", false: " index out of range"}[what == "byte"])
		}
		return at
	}
	switch x := x.(type) {
	case *list:
		return x.items[place(len(x.items), "list")]
	case tuple:
		return x[place(len(x), "tuple")]
	case string:
		if isASCII(x) {
			at := place(len(x), "string")
			return x[at : at+1]
		}
		rs := runes(x)
		return string(rs[place(len(rs), "string")])
	case bytesV:
		return int64(x[place(len(x), "byte")])
	case *dict:
		if v, ok := x.get(m.key(i)); ok {
			return v
		}
		m.throw("KeyError", i)
	case *rangeV:
		return x.lo + int64(place(int(x.len()), "range object"))*x.step
	case *instance:
		if f, _, ok := x.cls.find("__getitem__"); ok {
			return m.call(bind(f, x), []any{i}, nil)
		}
		if f, ok := x.dict["__getitem__"]; ok {
			return m.call(f, []any{i}, nil)
		}
	case *class:
		return x // list[int]
	}
	m.typeError("'" + typeName(x) + "' object is not subscriptable")
	return nil
}

func (m *machine) sliceOf(x any, s sliceV) any {
	switch x := x.(type) {
	case *instance:
		if f, _, ok := x.cls.find("__getitem__"); ok {
			return m.call(bind(f, x), []any{s}, nil)
		}
	case *list:
		lo, step, n := m.bounds(s, len(x.items))
		m.grow(n)
		return &list{pick(x.items, lo, step, n)}
	case tuple:
		lo, step, n := m.bounds(s, len(x))
		m.grow(n)
		return tuple(pick(x, lo, step, n))
	case string:
		if isASCII(x) {
			lo, step, n := m.bounds(s, len(x))
			m.w.Alloc(n)
			return string(pick([]byte(x), lo, step, n))
		}
		rs := runes(x)
		lo, step, n := m.bounds(s, len(rs))
		m.w.Alloc(4 * n)
		return string(pick(rs, lo, step, n))
	case bytesV:
		lo, step, n := m.bounds(s, len(x))
		m.w.Alloc(n)
		return bytesV(pick([]byte(x), lo, step, n))
	case *rangeV:
		lo, step, n := m.bounds(s, int(min(x.len(), 1<<30)))
		from := x.lo + int64(lo)*x.step
		return &rangeV{from, from + int64(n*step)*x.step, x.step * int64(step)}
	}
	m.typeError("'" + typeName(x) + "' object is not subscriptable")
	return nil
}

func (m *machine) setIndex(x, i, v any) {
	switch x := x.(type) {
	case *list:
		if s, ok := i.(sliceV); ok {
			lo, step, n := m.bounds(s, len(x.items))
			items := m.drain(v)
			if step == 1 {
				x.items = slices.Replace(x.items, lo, lo+n, items...)
				m.grow(len(items))
				return
			}
			if len(items) != n {
				m.valueError("attempt to assign sequence of size " + itoa(len(items)) + " to extended slice of size " + itoa(n))
			}
			for k := range n {
				x.items[lo+k*step] = items[k]
			}
			return
		}
		at := m.asInt(i, "list indices must be integers or slices, not "+typeName(i))
		if at < 0 {
			at += len(x.items)
		}
		if at < 0 || at >= len(x.items) {
			m.throw("IndexError", "list assignment index out of range")
		}
		x.items[at] = v
		return
	case *dict:
		m.grow(2)
		x.put(m.key(i), i, v)
		return
	case *instance:
		if f, _, ok := x.cls.find("__setitem__"); ok {
			m.call(bind(f, x), []any{i, v}, nil)
			return
		}
	}
	m.typeError("'" + typeName(x) + "' object does not support item assignment")
}

func (m *machine) delIndex(x, i any) {
	switch x := x.(type) {
	case *dict:
		if !x.drop(m.key(i)) {
			m.throw("KeyError", i)
		}
		return
	case *list:
		if s, ok := i.(sliceV); ok {
			lo, step, n := m.bounds(s, len(x.items))
			if step == 1 {
				x.items = slices.Delete(x.items, lo, lo+n)
			}
			return
		}
		at := m.asInt(i, "list indices must be integers or slices, not "+typeName(i))
		if at < 0 {
			at += len(x.items)
		}
		if at < 0 || at >= len(x.items) {
			m.throw("IndexError", "list assignment index out of range")
		}
		x.items = slices.Delete(x.items, at, at+1)
		return
	}
	m.typeError("'" + typeName(x) + "' object doesn't support item deletion")
}

// bind makes a function found in a class a method of self.
func bind(f, self any) any {
	switch f := f.(type) {
	case *function:
		b := *f
		b.self = self
		return &b
	case *builtin:
		b := *f
		b.self = self
		return &b
	}
	return f
}

// attr is x.name.
func (m *machine) attr(x any, name string) any {
	if v, ok := m.tryAttr(x, name); ok {
		return v
	}
	switch x := x.(type) {
	case *module:
		m.throw("AttributeError", "module '"+x.name+"' has no attribute '"+name+"'")
	case *class:
		m.throw("AttributeError", "type object '"+x.name+"' has no attribute '"+name+"'")
	}
	m.throw("AttributeError", "'"+typeName(x)+"' object has no attribute '"+name+"'")
	return nil
}

func (m *machine) tryAttr(x any, name string) (any, bool) {
	if name == "__class__" {
		return m.typeOf(x), true
	}
	switch x := x.(type) {
	case *module:
		if v, ok := x.dict[name]; ok {
			return v, true
		}
		if x.missing != nil {
			return x.missing(m, name)
		}
		return nil, false
	case *superV:
		for _, b := range x.bases {
			if f, _, ok := b.find(name); ok {
				return bind(f, x.self), true
			}
		}
		if name == "__init__" {
			return &builtin{name: name, fn: func(m *machine, args []any, _ kwargs) any {
				if x.self.cls.is(m.errors["BaseException"]) {
					x.self.dict["args"] = tuple(args)
				}
				return nil
			}}, true
		}
		return nil, false
	case *instance:
		return m.instanceAttr(x, name)
	case *class:
		return m.classAttr(x, name)
	case *function:
		switch name {
		case "__name__", "__qualname__":
			return x.def.name, true
		case "__doc__":
			return nil, true
		}
		return nil, false
	case *builtin:
		if name == "__name__" {
			return x.name, true
		}
		return nil, false
	}
	return m.method(x, name)
}

func (m *machine) classAttr(x *class, name string) (any, bool) {
	if v, _, ok := x.find(name); ok {
		if s, ok := v.(*wrapped); ok {
			if s.kind == "classmethod" {
				return bind(s.fn, x), true
			}
			return s.fn, true
		}
		return v, true
	}
	switch name {
	case "__name__", "__qualname__":
		return x.name, true
	case "__module__":
		return x.module, true
	case "__dict__":
		d := &dict{}
		for k, v := range x.dict {
			d.setStr(k, v)
		}
		return d, true
	case "__bases__":
		t := tuple{}
		for _, b := range x.bases {
			t = append(t, b)
		}
		return t, true
	case "__subclasses__":
		return &builtin{name: name, fn: func(m *machine, _ []any, _ kwargs) any {
			m.w.Unsupported("python __subclasses__")
			return &list{}
		}}, true
	}
	if sample, ok := samples[x.name]; ok && x.builtin != nil { // str.upper and the like
		if _, ok := m.method(sample, name); ok {
			return &builtin{name: name, fn: func(m *machine, args []any, kw kwargs) any {
				if len(args) == 0 {
					m.typeError("unbound method " + x.name + "." + name + "() needs an argument")
				}
				f, _ := m.method(args[0], name)
				return m.call(f, args[1:], kw)
			}}, true
		}
	}
	return nil, false
}

var samples = map[string]any{"str": "", "bytes": bytesV(""), "list": &list{}, "dict": &dict{}, "int": int64(0), "float": 0.0, "set": &set{}, "tuple": tuple{}}

// A wrapped function is a staticmethod, classmethod or property.
type wrapped struct {
	kind string
	fn   any
}

func (m *machine) instanceAttr(x *instance, name string) (any, bool) {
	if v, ok := x.dict[name]; ok {
		return v, true
	}
	if v, _, ok := x.cls.find(name); ok {
		if s, ok := v.(*wrapped); ok {
			switch s.kind {
			case "property":
				return m.call(bind(s.fn, x), nil, nil), true
			case "classmethod":
				return bind(s.fn, x.cls), true
			}
			return s.fn, true
		}
		return bind(v, x), true
	}
	switch name {
	case "__dict__":
		d := &dict{}
		for k, v := range x.dict {
			d.setStr(k, v)
		}
		return d, true
	case "errno", "strerror", "filename":
		args, _ := x.dict["args"].(tuple)
		at := map[string]int{"errno": 0, "strerror": 1, "filename": 2}[name]
		if x.cls.is(m.errors["OSError"]) {
			if at < len(args) {
				return args[at], true
			}
			return nil, true
		}
	case "code":
		if args, _ := x.dict["args"].(tuple); x.cls.is(m.errors["SystemExit"]) && len(args) > 0 {
			return args[0], true
		}
	case "with_traceback", "add_note":
		return &builtin{name: name, fn: func(*machine, []any, kwargs) any { return x }}, true
	}
	if s, ok := x.native.(*stream); ok {
		return m.streamAttr(x, s, name)
	}
	if f, _, ok := x.cls.find("__getattr__"); ok {
		return m.call(bind(f, x), []any{name}, nil), true
	}
	return nil, false
}

func (m *machine) setAttr(x any, name string, v any) {
	switch x := x.(type) {
	case *instance:
		if p, _, ok := x.cls.find(name); ok {
			if s, ok := p.(*wrapped); ok && s.kind == "property" {
				m.throw("AttributeError", "property '"+name+"' of '"+x.cls.name+"' object has no setter")
			}
		}
		x.dict[name] = v
	case *class:
		x.dict[name] = v
	case *module:
		x.dict[name] = v
	case *function:
	default:
		m.throw("AttributeError", "'"+typeName(x)+"' object has no attribute '"+name+"'")
	}
	m.grow(2)
}

// call calls anything that can be called.
func (m *machine) call(fn any, args []any, kw kwargs) any {
	m.step(2)
	m.depth++
	defer func() { m.depth-- }()
	m.tooDeep()
	switch fn := fn.(type) {
	case *function:
		return m.callFunction(fn, args, kw)
	case *builtin:
		if fn.self != nil {
			args = append([]any{fn.self}, args...)
		}
		return fn.fn(m, args, kw)
	case *class:
		return m.instantiate(fn, args, kw)
	case *instance:
		if f, _, ok := fn.cls.find("__call__"); ok {
			return m.call(bind(f, fn), args, kw)
		}
	case *wrapped:
		return m.call(fn.fn, args, kw)
	}
	m.typeError("'" + typeName(fn) + "' object is not callable")
	return nil
}

func (m *machine) instantiate(c *class, args []any, kw kwargs) any {
	for b := c; b != nil; {
		if b.builtin != nil && (b == c || len(c.dict) == 0) {
			return b.builtin(m, args, kw)
		}
		if len(b.bases) == 0 {
			break
		}
		b = b.bases[0]
	}
	o := &instance{cls: c, dict: map[string]any{}}
	m.grow(4)
	if c.is(m.errors["BaseException"]) {
		o.dict["args"] = tuple(args)
	}
	if f, _, ok := c.find("__init__"); ok {
		m.call(bind(f, o), args, kw)
	} else if len(args) > 0 && !c.is(m.errors["BaseException"]) {
		m.typeError(c.name + "() takes no arguments")
	}
	return o
}

func (m *machine) callFunction(fn *function, args []any, kw kwargs) any {
	if fn.self != nil {
		args = append([]any{fn.self}, args...)
	}
	f := &frame{vars: map[string]any{}, outer: fn.env, global: fn.env.global, fn: fn.def, name: fn.def.name}
	if fn.env == fn.env.global {
		f.outer = nil
	}
	if fn.cls != nil {
		f.vars["__class__"] = fn.cls
	}
	m.bindArgs(fn, f, args, kw)
	if fn.def.value != nil {
		return m.eval(fn.def.value, f)
	}
	if fn.def.gen {
		return m.generator(func(yield func(any)) {
			f.yield = yield
			m.block(fn.def.body, f)
		})
	}
	_, v := m.block(fn.def.body, f)
	return v
}

// bindArgs gives a function's parameters their values.
func (m *machine) bindArgs(fn *function, f *frame, args []any, kw kwargs) {
	used := 0
	positional := 0
	var missing []string
	var rest *param
	for i := range fn.def.params {
		p := &fn.def.params[i]
		if p.star == 0 && !p.only {
			positional++
		}
		v, named := kw[p.name]
		switch {
		case p.star == 1:
			f.vars[p.name] = tuple(slices.Clone(args[min(used, len(args)):]))
			used = len(args)
			continue
		case p.star == 2:
			rest = p
			continue
		case !p.only && used < len(args):
			if named {
				m.typeError(fn.def.name + "() got multiple values for argument '" + p.name + "'")
			}
			f.vars[p.name] = args[used]
			used++
			continue
		case named:
			f.vars[p.name] = v
			kw = kw.without(p.name)
			continue
		}
		if d, ok := fn.defaults[p.name]; ok {
			f.vars[p.name] = d
			continue
		}
		missing = append(missing, "'"+p.name+"'")
	}
	if used < len(args) {
		m.tooMany(fn, positional, len(args))
	}
	if len(missing) > 0 {
		m.typeError(fn.def.name + "() missing " + itoa(len(missing)) + " required positional argument" + plural(len(missing)) + ": " + and(missing))
	}
	if rest != nil {
		d := &dict{}
		for _, k := range sortedKeys(kw) {
			d.setStr(k, kw[k])
		}
		f.vars[rest.name] = d
		return
	}
	for k := range kw {
		m.typeError(fn.def.name + "() got an unexpected keyword argument '" + k + "'")
	}
}

func (m *machine) tooMany(fn *function, takes, given int) {
	was := " were given"
	if given == 1 {
		was = " was given"
	}
	some := itoa(takes)
	if len(fn.defaults) > 0 {
		some = "from " + itoa(takes-len(fn.defaults)) + " to " + itoa(takes)
	}
	m.typeError(fn.def.name + "() takes " + some + " positional argument" + plural(takes) + " but " + itoa(given) + was)
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func and(list []string) string {
	switch n := len(list); n {
	case 1:
		return list[0]
	case 2:
		return list[0] + " and " + list[1]
	default:
		s := ""
		for _, x := range list[:n-1] {
			s += x + ", "
		}
		return s + "and " + list[n-1]
	}
}

func (k kwargs) without(name string) kwargs {
	out := kwargs{}
	for n, v := range k {
		if n != name {
			out[n] = v
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func bigOf(n int64) *big.Int { return big.NewInt(n) }
