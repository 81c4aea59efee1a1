package python

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

type native = func(m *machine, args []any, kw kwargs) any

// setup fills the machine's built-in names.
func (m *machine) setup() {
	m.errors = errorClasses()
	m.types = map[string]*class{"object": {name: "object", module: "builtins", dict: map[string]any{}}}
	m.builtins = map[string]any{}
	for name, c := range m.errors {
		m.builtins[name] = c
	}
	m.errors["IOError"], m.errors["EnvironmentError"] = m.errors["OSError"], m.errors["OSError"]
	m.builtins["IOError"], m.builtins["EnvironmentError"] = m.errors["OSError"], m.errors["OSError"]
	for name, fn := range constructors {
		m.types[name] = &class{name: name, module: "builtins", dict: map[string]any{}, builtin: fn}
	}
	m.types["int"].dict["from_bytes"] = &builtin{name: "from_bytes", fn: func(m *machine, args []any, kw kwargs) any {
		order, _ := arg(args, 1).(string)
		if s, ok := kw["byteorder"].(string); ok {
			order = s
		}
		b, _ := arg(args, 0).(bytesV)
		return fromBytes([]byte(b), order)
	}}
	m.types["bytes"].dict["fromhex"] = &builtin{name: "fromhex", fn: func(m *machine, args []any, _ kwargs) any { return m.unhex(m.str(arg(args, 0)), "fromhex") }}
	m.types["dict"].dict["fromkeys"] = &builtin{name: "fromkeys", fn: func(m *machine, args []any, _ kwargs) any {
		d := &dict{}
		for _, k := range m.drain(arg(args, 0)) {
			d.put(m.key(k), k, arg(args, 1))
		}
		return d
	}}
	m.types["str"].dict["maketrans"] = &builtin{name: "maketrans", fn: makeTrans}
	for name, c := range m.types {
		m.builtins[name] = c
	}
	for name, fn := range functions {
		m.builtins[name] = &builtin{name: name, fn: fn}
	}
	for _, kind := range []string{"staticmethod", "classmethod", "property"} {
		m.builtins[kind] = &builtin{name: kind, fn: func(_ *machine, args []any, _ kwargs) any { return &wrapped{kind, arg(args, 0)} }}
	}
	m.builtins["Ellipsis"] = &instance{cls: &class{name: "ellipsis", module: "builtins", dict: map[string]any{"__repr__": &builtin{fn: func(*machine, []any, kwargs) any { return "Ellipsis" }}}}}
	m.builtins["NotImplemented"] = &instance{cls: &class{name: "NotImplementedType", module: "builtins", dict: map[string]any{"__repr__": &builtin{fn: func(*machine, []any, kwargs) any { return "NotImplemented" }}}}}
	m.builtins["__debug__"] = true
	m.builtins["__name__"] = "builtins"
}

func makeTrans(m *machine, args []any, _ kwargs) any {
	d := &dict{}
	if src, ok := arg(args, 0).(*dict); ok {
		src.live(func(k, v any) bool {
			if s, ok := k.(string); ok {
				k = int64(runes(s)[0])
			}
			d.put(m.key(k), k, v)
			return true
		})
		return d
	}
	from, to := runes(m.str(arg(args, 0))), runes(m.str(arg(args, 1)))
	if len(from) != len(to) {
		m.valueError("the first two maketrans arguments must have equal length")
	}
	for i, r := range from {
		d.put(m.key(int64(r)), int64(r), int64(to[i]))
	}
	return d
}

func (m *machine) typeOf(v any) any {
	switch v := v.(type) {
	case *instance:
		return v.cls
	case *class:
		return m.types["type"]
	}
	name := typeName(v)
	if c, ok := m.types[name]; ok {
		return c
	}
	c := &class{name: name, module: "builtins", dict: map[string]any{}}
	m.types[name] = c
	return c
}

func (m *machine) viewClass(kind string) *class {
	if c, ok := m.types[kind]; ok {
		return c
	}
	inner := func(args []any) *list { return &list{args[0].(*instance).native.(func() []any)()} }
	c := &class{name: kind, module: "builtins", dict: map[string]any{
		"__iter__": &builtin{name: "__iter__", fn: func(_ *machine, args []any, _ kwargs) any { return inner(args) }},
		"__len__":  &builtin{name: "__len__", fn: func(_ *machine, args []any, _ kwargs) any { return int64(len(inner(args).items)) }},
		"__repr__": &builtin{name: "__repr__", fn: func(m *machine, args []any, _ kwargs) any { return kind + "(" + m.repr(inner(args)) + ")" }},
	}}
	m.types[kind] = c
	return c
}

// constructors are the built-in types.
var constructors = map[string]native{
	"str": func(m *machine, args []any, _ kwargs) any {
		if len(args) == 0 {
			return ""
		}
		if b, ok := args[0].(bytesV); ok && len(args) > 1 {
			return m.decode(b, m.codec(args[1]), arg(args, 2))
		}
		return m.str(args[0])
	},
	"int": toInt, "float": toFloatValue, "bytes": toBytesValue, "bytearray": toBytesValue,
	"bool": func(m *machine, args []any, _ kwargs) any { return m.truth(arg(args, 0)) },
	"list": func(m *machine, args []any, _ kwargs) any {
		if len(args) == 0 {
			return &list{}
		}
		return &list{m.drain(args[0])}
	},
	"tuple": func(m *machine, args []any, _ kwargs) any {
		if len(args) == 0 {
			return tuple{}
		}
		return tuple(m.drain(args[0]))
	},
	"set": func(m *machine, args []any, _ kwargs) any {
		if len(args) == 0 {
			return &set{}
		}
		return m.newSet(m.drain(args[0]))
	},
	"frozenset": func(m *machine, args []any, _ kwargs) any {
		s := &set{}
		if len(args) > 0 {
			s = m.newSet(m.drain(args[0]))
		}
		s.frozen = true
		return s
	},
	"dict": func(m *machine, args []any, kw kwargs) any {
		d := &dict{}
		if len(args) > 0 {
			m.merge(d, args[0])
		}
		for _, k := range sortedKeys(kw) {
			d.setStr(k, kw[k])
		}
		return d
	},
	"range": func(m *machine, args []any, _ kwargs) any {
		n := make([]int64, len(args))
		for i, a := range args {
			n[i] = int64(m.asInt(a, "'"+typeName(a)+"' object cannot be interpreted as an integer"))
		}
		switch len(n) {
		case 0:
			m.typeError("range expected at least 1 argument, got 0")
		case 1:
			return &rangeV{0, n[0], 1}
		case 2:
			return &rangeV{n[0], n[1], 1}
		}
		if n[2] == 0 {
			m.valueError("range() arg 3 must not be zero")
		}
		return &rangeV{n[0], n[1], n[2]}
	},
	"type": func(m *machine, args []any, _ kwargs) any {
		if len(args) == 3 {
			m.w.Unsupported("python type() with three arguments")
		}
		return m.typeOf(arg(args, 0))
	},
}

func toInt(m *machine, args []any, kw kwargs) any {
	v := arg(args, 0)
	switch x := v.(type) {
	case bool:
		return toBig(x).Int64()
	case int64, *big.Int:
		return x
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			m.throw(map[bool]string{true: "ValueError", false: "OverflowError"}[math.IsNaN(x)], "cannot convert float "+map[bool]string{true: "NaN", false: "infinity"}[math.IsNaN(x)]+" to integer")
		}
		n, _ := big.NewFloat(x).Int(nil)
		return norm(n)
	case nil:
		if len(args) == 0 {
			return int64(0)
		}
	case string, bytesV:
		base := 10
		if b, ok := kw["base"]; ok {
			base = m.asInt(b, "an integer is required")
		} else if len(args) > 1 {
			base = m.asInt(args[1], "an integer is required")
		}
		s := m.str(x)
		if b, ok := x.(bytesV); ok {
			s = string(b)
		}
		t := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", "")
		if p := map[int]string{16: "0x", 8: "0o", 2: "0b"}[base]; p != "" {
			neg := strings.HasPrefix(t, "-")
			t = strings.TrimPrefix(strings.TrimPrefix(t, "-"), p)
			if neg {
				t = "-" + t
			}
		}
		if len(t) > 4300 {
			m.valueError("Exceeds the limit (4300 digits) for integer string conversion: value has " + itoa(len(t)) + " digits; use sys.set_int_max_str_digits() to increase the limit")
		}
		if n, ok := new(big.Int).SetString(t, base); ok && t != "" {
			return norm(n)
		}
		m.valueError("invalid literal for int() with base " + itoa(base) + ": " + m.repr(x))
	case *instance:
		if f, _, ok := x.cls.find("__int__"); ok {
			return m.call(bind(f, x), nil, nil)
		}
	}
	m.typeError("int() argument must be a string, a bytes-like object or a real number, not '" + typeName(v) + "'")
	return nil
}

func toFloatValue(m *machine, args []any, _ kwargs) any {
	if len(args) == 0 {
		return 0.0
	}
	if f, ok := toFloat(args[0]); ok {
		return f
	}
	s, ok := args[0].(string)
	if !ok {
		m.typeError("float() argument must be a string or a real number, not '" + typeName(args[0]) + "'")
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(s, "xX") {
		m.valueError("could not convert string to float: " + quote(s, false))
	}
	return f
}

func toBytesValue(m *machine, args []any, _ kwargs) any {
	switch v := arg(args, 0).(type) {
	case nil:
		return bytesV("")
	case bytesV:
		return v
	case string:
		if len(args) < 2 {
			m.typeError("string argument without an encoding")
		}
		return bytesV(m.encode(v, m.codec(args[1])))
	case int64:
		m.big(1, int(min(max(v, 0), 1<<30)))
		return bytesV(strings.Repeat("\x00", int(max(v, 0))))
	default:
		var b []byte
		for _, x := range m.drain(v) {
			n := m.asInt(x, "'"+typeName(x)+"' object cannot be interpreted as an integer")
			if n < 0 || n > 255 {
				m.valueError("bytes must be in range(0, 256)")
			}
			b = append(b, byte(n))
		}
		return bytesV(b)
	}
}

// functions are the built-in functions.
var functions = map[string]native{
	"print": printFn, "open": openFn, "input": inputFn, "len": lenFn, "sum": sumFn, "min": minFn, "max": minFn2,
	"repr":  func(m *machine, args []any, _ kwargs) any { return m.repr(arg(args, 0)) },
	"ascii": func(m *machine, args []any, _ kwargs) any { return m.repr(arg(args, 0)) },
	"abs": func(m *machine, args []any, _ kwargs) any {
		if f, ok := arg(args, 0).(float64); ok {
			return math.Abs(f)
		}
		if !isInt(arg(args, 0)) {
			m.typeError("bad operand type for abs(): '" + typeName(arg(args, 0)) + "'")
		}
		return norm(new(big.Int).Abs(toBig(args[0])))
	},
	"round": roundFn,
	"chr": func(m *machine, args []any, _ kwargs) any {
		n := m.asInt(arg(args, 0), "'"+typeName(arg(args, 0))+"' object cannot be interpreted as an integer")
		if n < 0 || n > 0x10ffff {
			m.valueError("chr() arg not in range(0x110000)")
		}
		return string(rune(n))
	},
	"ord": func(m *machine, args []any, _ kwargs) any {
		switch v := arg(args, 0).(type) {
		case string:
			if rs := runes(v); len(rs) == 1 {
				return int64(rs[0])
			}
			m.typeError("ord() expected a character, but string of length " + itoa(strLen(v)) + " found")
		case bytesV:
			if len(v) == 1 {
				return int64(v[0])
			}
		}
		m.typeError("ord() expected string of length 1, but " + typeName(arg(args, 0)) + " found")
		return nil
	},
	"hex": func(m *machine, args []any, _ kwargs) any { return m.based(arg(args, 0), "#x") },
	"oct": func(m *machine, args []any, _ kwargs) any { return m.based(arg(args, 0), "#o") },
	"bin": func(m *machine, args []any, _ kwargs) any { return m.based(arg(args, 0), "#b") },
	"format": func(m *machine, args []any, _ kwargs) any {
		s, _ := arg(args, 1).(string)
		return m.format(arg(args, 0), s)
	},
	"sorted": func(m *machine, args []any, kw kwargs) any { return &list{m.sorted(m.drain(arg(args, 0)), kw)} },
	"reversed": func(m *machine, args []any, _ kwargs) any {
		items := m.drain(arg(args, 0))
		slices.Reverse(items)
		next, _ := m.tryIter(&list{items})
		return &iterator{next, "list_reverseiterator"}
	},
	"enumerate": func(m *machine, args []any, kw kwargs) any {
		i := int64(0)
		if v, ok := kw["start"].(int64); ok {
			i = v
		} else if v, ok := arg(args, 1).(int64); ok {
			i = v
		}
		next := m.iter(arg(args, 0))
		return &iterator{kind: "enumerate", next: func() (any, bool) {
			v, ok := next()
			i++
			return tuple{i - 1, v}, ok
		}}
	},
	"zip": func(m *machine, args []any, _ kwargs) any {
		var nexts []func() (any, bool)
		for _, a := range args {
			nexts = append(nexts, m.iter(a))
		}
		return &iterator{kind: "zip", next: func() (any, bool) {
			t := make(tuple, 0, len(nexts))
			for _, n := range nexts {
				v, ok := n()
				if !ok {
					return nil, false
				}
				t = append(t, v)
			}
			return t, len(t) > 0
		}}
	},
	"map": func(m *machine, args []any, _ kwargs) any {
		if len(args) < 2 {
			m.typeError("map() must have at least two arguments.")
		}
		zipped := functions2(m, args[1:])
		return &iterator{kind: "map", next: func() (any, bool) {
			v, ok := zipped()
			if !ok {
				return nil, false
			}
			return m.call(args[0], v.(tuple), nil), true
		}}
	},
	"filter": func(m *machine, args []any, _ kwargs) any {
		next := m.iter(arg(args, 1))
		return &iterator{kind: "filter", next: func() (any, bool) {
			for {
				v, ok := next()
				if !ok {
					return nil, false
				}
				if args[0] == nil && m.truth(v) || args[0] != nil && m.truth(m.call(args[0], []any{v}, nil)) {
					return v, true
				}
			}
		}}
	},
	"any": func(m *machine, args []any, _ kwargs) any { return slices.ContainsFunc(m.drain(arg(args, 0)), m.truth) },
	"all": func(m *machine, args []any, _ kwargs) any {
		return !slices.ContainsFunc(m.drain(arg(args, 0)), func(v any) bool { return !m.truth(v) })
	},
	"iter": func(m *machine, args []any, _ kwargs) any {
		next := m.iter(arg(args, 0))
		return &iterator{next, typeName(arg(args, 0)) + "_iterator"}
	},
	"next": func(m *machine, args []any, _ kwargs) any {
		switch it := arg(args, 0).(type) {
		case *iterator:
			return m.nextValue(it, arg(args, 1), len(args) > 1)
		case *instance:
			if next, ok := m.iterInstance(it); ok {
				return m.nextValue(&iterator{next, ""}, arg(args, 1), len(args) > 1)
			}
			return m.nextValue(&iterator{func() (any, bool) { return m.nextOf(it) }, ""}, arg(args, 1), len(args) > 1)
		}
		m.typeError("'" + typeName(arg(args, 0)) + "' object is not an iterator")
		return nil
	},
	"isinstance": func(m *machine, args []any, _ kwargs) any { return m.isInstance(arg(args, 0), arg(args, 1)) },
	"issubclass": func(m *machine, args []any, _ kwargs) any {
		a, ok1 := arg(args, 0).(*class)
		b, ok2 := arg(args, 1).(*class)
		return ok1 && ok2 && (a.is(b) || b == m.types["object"])
	},
	"id": func(m *machine, args []any, _ kwargs) any { return int64(140000000000000) + int64(m.handles)*48 },
	"hash": func(m *machine, args []any, _ kwargs) any {
		m.key(arg(args, 0))
		return int64(len(m.repr(arg(args, 0)))) * 7919
	},
	"callable": func(m *machine, args []any, _ kwargs) any {
		switch v := arg(args, 0).(type) {
		case *function, *builtin, *class:
			return true
		case *instance:
			_, _, ok := v.cls.find("__call__")
			return ok
		}
		return false
	},
	"getattr": func(m *machine, args []any, _ kwargs) any {
		v, ok := m.tryAttr(arg(args, 0), m.str(arg(args, 1)))
		if !ok && len(args) > 2 {
			return args[2]
		}
		if !ok {
			return m.attr(arg(args, 0), m.str(arg(args, 1)))
		}
		return v
	},
	"hasattr": func(m *machine, args []any, _ kwargs) any {
		_, ok := m.tryAttr(arg(args, 0), m.str(arg(args, 1)))
		return ok
	},
	"setattr": func(m *machine, args []any, _ kwargs) any {
		m.setAttr(arg(args, 0), m.str(arg(args, 1)), arg(args, 2))
		return nil
	},
	"delattr": func(m *machine, args []any, _ kwargs) any { m.w.Unsupported("python delattr"); return nil },
	"divmod": func(m *machine, args []any, _ kwargs) any {
		return tuple{m.binary("//", arg(args, 0), arg(args, 1)), m.binary("%", arg(args, 0), arg(args, 1))}
	},
	"pow": func(m *machine, args []any, _ kwargs) any {
		if len(args) == 3 && isInt(args[0]) && isInt(args[1]) && isInt(args[2]) && toBig(args[2]).Sign() > 0 && toBig(args[1]).Sign() >= 0 {
			m.step(toBig(args[1]).BitLen())
			return norm(new(big.Int).Exp(toBig(args[0]), toBig(args[1]), toBig(args[2])))
		}
		return m.binary("**", arg(args, 0), arg(args, 1))
	},
	"exit": func(m *machine, args []any, _ kwargs) any { m.exitWith(arg(args, 0)); return nil },
	"quit": func(m *machine, args []any, _ kwargs) any { m.exitWith(arg(args, 0)); return nil },
	"exec": func(m *machine, args []any, _ kwargs) any { return m.execText(args, false) },
	"eval": func(m *machine, args []any, _ kwargs) any { return m.execText(args, true) },
	"compile": func(m *machine, args []any, _ kwargs) any {
		return &instance{cls: &class{name: "code", dict: map[string]any{}}, native: m.sourceOf(arg(args, 0)), dict: map[string]any{"mode": arg(args, 2)}}
	},
	"globals": func(m *machine, _ []any, _ kwargs) any { return m.scopeNames("globals", m.global) },
	"dir":     dirFn,
	"vars":    func(m *machine, args []any, _ kwargs) any { return m.attr(arg(args, 0), "__dict__") },
	"locals":  func(m *machine, _ []any, _ kwargs) any { return m.scopeNames("locals", m.global) },
	"super":   func(m *machine, args []any, _ kwargs) any { return superOf(args) },
	"help": func(m *machine, _ []any, _ kwargs) any {
		m.w.Unsupported("python help()")
		return nil
	},
	"__import__": func(m *machine, args []any, _ kwargs) any {
		name, _, _ := strings.Cut(m.str(arg(args, 0)), ".")
		m.importModule(m.str(arg(args, 0)))
		return m.importModule(name)
	},
}

func superOf(args []any) any {
	c, ok1 := arg(args, 0).(*class)
	i, ok2 := arg(args, 1).(*instance)
	if ok1 && ok2 {
		return &superV{i, c.bases}
	}
	return nil
}

func functions2(m *machine, args []any) func() (any, bool) {
	var nexts []func() (any, bool)
	for _, a := range args {
		nexts = append(nexts, m.iter(a))
	}
	return func() (any, bool) {
		t := make(tuple, 0, len(nexts))
		for _, n := range nexts {
			v, ok := n()
			if !ok {
				return nil, false
			}
			t = append(t, v)
		}
		return t, true
	}
}

func dirFn(m *machine, args []any, _ kwargs) any {
	l := &list{}
	switch v := arg(args, 0).(type) {
	case *module:
		for _, n := range sortedKeys(v.dict) {
			l.items = append(l.items, n)
		}
	case *instance:
		for _, n := range sortedKeys(v.dict) {
			l.items = append(l.items, n)
		}
	}
	m.w.Unsupported("python dir()")
	return l
}

func (m *machine) isInstance(v, k any) bool {
	if t, ok := k.(tuple); ok {
		return slices.ContainsFunc(t, func(x any) bool { return m.isInstance(v, x) })
	}
	c, ok := k.(*class)
	if !ok {
		m.typeError("isinstance() arg 2 must be a type, a tuple of types, or a union")
	}
	own, _ := m.typeOf(v).(*class)
	return own.is(c) || c == m.types["object"] || c == m.types["int"] && own == m.types["bool"]
}

func (m *machine) based(v any, spec string) string {
	if !isInt(v) {
		m.typeError("'" + typeName(v) + "' object cannot be interpreted as an integer")
	}
	return m.formatInt(m.parseSpec(spec), toBig(v))
}

func printFn(m *machine, args []any, kw kwargs) any {
	sep, end := " ", "\n"
	if s, ok := kw["sep"].(string); ok {
		sep = s
	}
	if s, ok := kw["end"].(string); ok {
		end = s
	}
	out := m.out
	if f, ok := kw["file"].(*instance); ok {
		if s, ok := f.native.(*stream); ok {
			out = s
		}
	}
	for i, a := range args {
		if i > 0 {
			out.write(sep)
		}
		out.write(m.str(a))
	}
	out.write(end)
	if m.truth(kw["flush"]) {
		out.flush()
	}
	return nil
}

func inputFn(m *machine, args []any, _ kwargs) any {
	if len(args) > 0 {
		m.out.write(m.str(args[0]))
	}
	m.out.flush()
	l := m.in.readLine()
	if l == "" {
		m.throw("EOFError", "EOF when reading a line")
	}
	return strings.TrimSuffix(l, "\n")
}

func lenFn(m *machine, args []any, _ kwargs) any {
	if len(args) != 1 {
		m.typeError("len() takes exactly one argument (" + itoa(len(args)) + " given)")
	}
	switch v := args[0].(type) {
	case string:
		return int64(strLen(v))
	case bytesV:
		return int64(len(v))
	case *list:
		return int64(len(v.items))
	case tuple:
		return int64(len(v))
	case *dict:
		return int64(v.len())
	case *set:
		return int64(v.d.len())
	case *rangeV:
		return v.len()
	case *instance:
		if f, _, ok := v.cls.find("__len__"); ok {
			return m.call(bind(f, v), nil, nil)
		}
	}
	m.typeError("object of type '" + typeName(args[0]) + "' has no len()")
	return nil
}

func sumFn(m *machine, args []any, kw kwargs) any {
	var total any = int64(0)
	if v, ok := kw["start"]; ok {
		total = v
	} else if len(args) > 1 {
		total = args[1]
	}
	next := m.iter(arg(args, 0))
	for {
		v, ok := next()
		if !ok {
			return total
		}
		total = m.binary("+", total, v)
	}
}

func minFn(m *machine, args []any, kw kwargs) any  { return m.extreme("min", args, kw) }
func minFn2(m *machine, args []any, kw kwargs) any { return m.extreme("max", args, kw) }

func (m *machine) extreme(name string, args []any, kw kwargs) any {
	items := args
	if len(args) == 1 {
		items = m.drain(args[0])
	}
	if len(items) == 0 {
		if d, ok := kw["default"]; ok {
			return d
		}
		m.valueError(name + "() arg is an empty sequence")
	}
	by := func(v any) any {
		if f := kw["key"]; f != nil {
			return m.call(f, []any{v}, nil)
		}
		return v
	}
	best := items[0]
	k := by(best)
	for _, v := range items[1:] {
		kv := by(v)
		op := map[string]string{"min": "<", "max": ">"}[name]
		if m.truth(m.compareOp(op, kv, k)) {
			best, k = v, kv
		}
	}
	return best
}

func roundFn(m *machine, args []any, kw kwargs) any {
	digits := arg(args, 1)
	if v, ok := kw["ndigits"]; ok {
		digits = v
	}
	if isInt(arg(args, 0)) {
		return args[0]
	}
	f, ok := toFloat(arg(args, 0))
	if !ok {
		m.typeError("type " + typeName(arg(args, 0)) + " doesn't define __round__ method")
	}
	if digits == nil {
		n, _ := big.NewFloat(math.RoundToEven(f)).Int(nil)
		return norm(n)
	}
	n := m.asInt(digits, "'"+typeName(digits)+"' object cannot be interpreted as an integer")
	r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', min(max(n, 0), 300), 64), 64)
	return r
}

func openFn(m *machine, args []any, kw kwargs) any {
	mode := "r"
	if s, ok := arg(args, 1).(string); ok {
		mode = s
	} else if s, ok := kw["mode"].(string); ok {
		mode = s
	}
	if n, ok := arg(args, 0).(int64); ok && n < 3 {
		return m.streamValue([]*stream{m.in, m.out, m.err}[max(n, 0)])
	}
	name, ok := arg(args, 0).(string)
	if !ok {
		m.typeError("expected str, bytes or os.PathLike object, not " + typeName(arg(args, 0)))
	}
	return m.openFile(name, mode)
}

func (m *machine) openFile(name, mode string) any {
	flags := 0
	switch {
	case strings.Contains(mode, "w"):
		flags = vfs.O_WRONLY | vfs.O_CREATE | vfs.O_TRUNC
	case strings.Contains(mode, "a"):
		flags = vfs.O_WRONLY | vfs.O_CREATE | vfs.O_APPEND
	case strings.Contains(mode, "x"):
		flags = vfs.O_WRONLY | vfs.O_CREATE | vfs.O_EXCL
	case !strings.Contains(mode, "r"):
		m.valueError("Must have exactly one of create/read/write/append mode and at most one plus")
	}
	if strings.Contains(mode, "+") {
		flags = flags&^vfs.O_WRONLY | vfs.O_RDWR
	}
	if i, err := m.w.Stat(name, true); err == nil && i.IsDir() {
		m.osErrorNo(vfs.EISDIR, name)
	}
	f, err := m.w.Open(name, flags)
	if err != nil {
		m.osError(err, name)
	}
	s := &stream{g: m.w, c: f, name: name, mode: mode, bin: strings.Contains(mode, "b"), fd: 3}
	if flags&vfs.O_WRONLY == 0 {
		s.r = f
	}
	if flags != 0 {
		s.w = f
	}
	m.files = append(m.files, s)
	return m.streamValue(s)
}

func (m *machine) streamValue(s *stream) any {
	name := "TextIOWrapper"
	if s.bin {
		name = map[bool]string{true: "BufferedReader", false: "BufferedWriter"}[s.w == nil]
	}
	return &instance{cls: &class{name: name, module: "_io", dict: map[string]any{"__repr__": &builtin{name: "repr", fn: func(m *machine, _ []any, _ kwargs) any {
		return "<_io." + name + " name=" + quote(s.name, false) + " mode='" + s.mode + "' encoding='utf-8'>"
	}}}}, dict: map[string]any{}, native: s}
}

// textOf is what was read, as the file gives it.
func (m *machine) textOf(s *stream, text string) any {
	if s.bin {
		return bytesV(text)
	}
	return m.decode(bytesV(text), "utf8", map[bool]any{true: "replace"}[s.fd < 3])
}

// streamAttr gives the methods of a file.
func (m *machine) streamAttr(x *instance, s *stream, name string) (any, bool) {
	var fn func(args []any) any
	switch name {
	case "name":
		return s.name, true
	case "mode":
		return s.mode, true
	case "closed":
		return s.closed, true
	case "encoding":
		return "utf-8", true
	case "buffer":
		c := *s
		c.bin = true
		if s.w != nil {
			c.w = passThrough{s}
		}
		return m.streamValue(&c), true
	case "read":
		fn = func(args []any) any {
			n := -1
			if isInt(arg(args, 0)) {
				n = m.asInt(args[0], "")
			}
			return m.textOf(s, m.readable(s).read(n))
		}
	case "readline":
		fn = func([]any) any { return m.textOf(s, m.readable(s).readLine()) }
	case "readlines":
		fn = func([]any) any { return &list{m.drain(x)} }
	case "write":
		fn = func(args []any) any { return m.writeTo(s, arg(args, 0)) }
	case "writelines":
		fn = func(args []any) any {
			for _, v := range m.drain(arg(args, 0)) {
				m.writeTo(s, v)
			}
			return nil
		}
	case "flush":
		fn = func([]any) any { s.flush(); return nil }
	case "close", "__exit__":
		fn = func([]any) any { s.close(); return nil }
	case "__enter__":
		fn = func([]any) any { return x }
	case "fileno":
		fn = func([]any) any { return int64(s.fd) }
	case "isatty":
		fn = func([]any) any { return s.fd < 3 && m.w.w.IsTTY(s.fd) }
	case "readable":
		fn = func([]any) any { return s.r != nil }
	case "writable":
		fn = func([]any) any { return s.w != nil }
	case "seek", "tell", "truncate":
		fn = func([]any) any { m.w.Unsupported("python file." + name); return int64(0) }
	case "reconfigure":
		fn = func([]any) any { return nil }
	default:
		return nil, false
	}
	return &builtin{name: name, fn: func(_ *machine, args []any, _ kwargs) any { return fn(args) }}, true
}

type passThrough struct{ s *stream }

func (p passThrough) Write(b []byte) (int, error) { p.s.write(string(b)); return len(b), nil }

func (m *machine) readable(s *stream) *stream {
	if s.closed {
		m.valueError("I/O operation on closed file.")
	}
	if s.r == nil {
		m.throw("OSError", "not readable")
	}
	return s
}

func (m *machine) writeTo(s *stream, v any) any {
	if s.closed {
		m.valueError("I/O operation on closed file.")
	}
	if s.w == nil {
		m.throw("OSError", "not writable")
	}
	switch v := v.(type) {
	case string:
		if s.bin {
			m.typeError("a bytes-like object is required, not 'str'")
		}
		s.write(v)
		return int64(strLen(v))
	case bytesV:
		if s.bin {
			s.write(string(v))
			if s.fd < 3 {
				s.flush()
			}
			return int64(len(v))
		}
	}
	m.typeError("write() argument must be str, not " + typeName(v))
	return nil
}
