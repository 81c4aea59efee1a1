package python

import (
	"math/big"
	"slices"
)

func (m *machine) listMethod(l *list, name string) func([]any, kwargs) any {
	switch name {
	case "append":
		return func(args []any, _ kwargs) any {
			if len(args) != 1 {
				m.typeError("list.append() takes exactly one argument (" + itoa(len(args)) + " given)")
			}
			m.grow(1)
			l.items = append(l.items, args[0])
			return nil
		}
	case "extend":
		return func(args []any, _ kwargs) any { l.items = append(l.items, m.drain(arg(args, 0))...); return nil }
	case "insert":
		return func(args []any, _ kwargs) any {
			at, _, _ := m.bounds(sliceV{arg(args, 0), nil, nil}, len(l.items))
			l.items = slices.Insert(l.items, at, arg(args, 1))
			m.grow(1)
			m.step(len(l.items) / 64)
			return nil
		}
	case "pop":
		return func(args []any, _ kwargs) any {
			at := len(l.items) - 1
			if len(args) > 0 {
				if at = m.asInt(args[0], "'"+typeName(args[0])+"' object cannot be interpreted as an integer"); at < 0 {
					at += len(l.items)
				}
			}
			if len(l.items) == 0 {
				m.throw("IndexError", "pop from empty list")
			}
			if at < 0 || at >= len(l.items) {
				m.throw("IndexError", "pop index out of range")
			}
			v := l.items[at]
			l.items = slices.Delete(l.items, at, at+1)
			return v
		}
	case "remove", "index", "count":
		return func(args []any, _ kwargs) any { return m.search(l, name, arg(args, 0)) }
	case "sort":
		return func(_ []any, kw kwargs) any { l.items = m.sorted(l.items, kw); return nil }
	case "reverse":
		return func([]any, kwargs) any { slices.Reverse(l.items); return nil }
	case "copy":
		return func([]any, kwargs) any { m.grow(len(l.items)); return &list{slices.Clone(l.items)} }
	case "clear":
		return func([]any, kwargs) any { l.items = nil; return nil }
	}
	return nil
}

func (m *machine) search(l *list, name string, x any) any {
	n := int64(0)
	for i, v := range l.items {
		if !m.equal(v, x) {
			continue
		}
		switch name {
		case "index":
			return int64(i)
		case "remove":
			l.items = slices.Delete(l.items, i, i+1)
			return nil
		}
		n++
	}
	switch name {
	case "index":
		m.valueError(m.repr(x) + " is not in list")
	case "remove":
		m.valueError("list.remove(x): x not in list")
	}
	return n
}

// sorted orders items by kw's key and reverse.
func (m *machine) sorted(items []any, kw kwargs) []any {
	type pair struct{ k, v any }
	ps := make([]pair, len(items))
	m.grow(2 * len(items))
	for i, v := range items {
		ps[i] = pair{v, v}
		if f := kw["key"]; f != nil {
			ps[i].k = m.call(f, []any{v}, nil)
		}
	}
	down := m.truth(kw["reverse"])
	slices.SortStableFunc(ps, func(a, b pair) int {
		if down {
			a, b = b, a
		}
		c, ok := m.compare(a.k, b.k)
		if !ok {
			m.typeError("'<' not supported between instances of '" + typeName(b.k) + "' and '" + typeName(a.k) + "'")
		}
		return c
	})
	out := make([]any, len(ps))
	for i, p := range ps {
		out[i] = p.v
	}
	return out
}

func (m *machine) tupleMethod(t tuple, name string) func([]any, kwargs) any {
	if name == "index" || name == "count" {
		return func(args []any, _ kwargs) any { return m.search(&list{t}, name, arg(args, 0)) }
	}
	return nil
}

func (m *machine) dictMethod(d *dict, name string) func([]any, kwargs) any {
	switch name {
	case "keys":
		return func([]any, kwargs) any { return m.view("dict_keys", d.keyList) }
	case "values", "items":
		return func([]any, kwargs) any {
			return m.view("dict_"+name, func() []any {
				var out []any
				d.live(func(k, v any) bool {
					if name == "values" {
						out = append(out, v)
					} else {
						out = append(out, tuple{k, v})
					}
					return true
				})
				m.grow(len(out))
				return out
			})
		}
	case "get", "pop", "setdefault":
		return func(args []any, _ kwargs) any { return m.dictGet(d, name, args) }
	case "update":
		return func(args []any, kw kwargs) any {
			if len(args) > 0 {
				m.merge(d, args[0])
			}
			for _, k := range sortedKeys(kw) {
				d.setStr(k, kw[k])
			}
			return nil
		}
	case "copy":
		return func([]any, kwargs) any { c := &dict{}; m.merge(c, d); return c }
	case "clear":
		return func([]any, kwargs) any { *d = dict{}; return nil }
	case "popitem":
		return func([]any, kwargs) any {
			keys := d.keyList()
			if len(keys) == 0 {
				m.throw("KeyError", "popitem(): dictionary is empty")
			}
			k := keys[len(keys)-1]
			v, _ := d.get(m.key(k))
			d.drop(m.key(k))
			return tuple{k, v}
		}
	}
	return nil
}

// view is a dict's keys, values or items as they are when asked.
func (m *machine) view(kind string, items func() []any) any {
	return &instance{cls: m.viewClass(kind), dict: map[string]any{}, native: items}
}

func (m *machine) dictGet(d *dict, name string, args []any) any {
	k := arg(args, 0)
	id := m.key(k)
	v, ok := d.get(id)
	switch {
	case ok && name == "pop":
		d.drop(id)
		return v
	case ok:
		return v
	case name == "setdefault":
		d.put(id, k, arg(args, 1))
	case name == "pop" && len(args) < 2:
		m.throw("KeyError", k)
	}
	return arg(args, 1)
}

// merge copies a mapping or pairs into d.
func (m *machine) merge(d *dict, from any) {
	if o, ok := from.(*dict); ok {
		o.live(func(k, v any) bool { d.put(m.key(k), k, v); m.grow(2); return true })
		return
	}
	for i, p := range m.drain(from) {
		kv := m.drain(p)
		if len(kv) != 2 {
			m.valueError("dictionary update sequence element #" + itoa(i) + " has length " + itoa(len(kv)) + "; 2 is required")
		}
		d.put(m.key(kv[0]), kv[0], kv[1])
	}
}

func (m *machine) setMethod(s *set, name string) func([]any, kwargs) any {
	switch name {
	case "add":
		return func(args []any, _ kwargs) any { m.grow(2); s.d.put(m.key(arg(args, 0)), arg(args, 0), nil); return nil }
	case "discard", "remove":
		return func(args []any, _ kwargs) any {
			if !s.d.drop(m.key(arg(args, 0))) && name == "remove" {
				m.throw("KeyError", arg(args, 0))
			}
			return nil
		}
	case "update":
		return func(args []any, _ kwargs) any {
			for _, a := range args {
				for _, v := range m.drain(a) {
					s.d.put(m.key(v), v, nil)
				}
			}
			return nil
		}
	case "union", "intersection", "difference", "symmetric_difference":
		op := map[string]string{"union": "|", "intersection": "&", "difference": "-", "symmetric_difference": "^"}[name]
		return func(args []any, _ kwargs) any {
			out := s
			for _, a := range args {
				out = m.algebra(op, out, m.newSet(m.drain(a)))
			}
			return out
		}
	case "issubset":
		return func(args []any, _ kwargs) any { return m.algebra("-", s, m.newSet(m.drain(arg(args, 0)))).d.len() == 0 }
	case "issuperset":
		return func(args []any, _ kwargs) any { return m.algebra("-", m.newSet(m.drain(arg(args, 0))), s).d.len() == 0 }
	case "copy":
		return func([]any, kwargs) any { return m.algebra("|", s, &set{}) }
	case "pop":
		return func([]any, kwargs) any {
			keys := s.d.keyList()
			if len(keys) == 0 {
				m.throw("KeyError", "pop from an empty set")
			}
			s.d.drop(m.key(keys[0]))
			return keys[0]
		}
	case "clear":
		return func([]any, kwargs) any { s.d = dict{}; return nil }
	}
	return nil
}

func (m *machine) intMethod(x any, name string) func([]any, kwargs) any {
	n := toBig(x)
	switch name {
	case "bit_length":
		return func([]any, kwargs) any { return int64(n.BitLen()) }
	case "to_bytes":
		return func(args []any, kw kwargs) any {
			size, order := 1, "big"
			if len(args) > 0 {
				size = m.asInt(args[0], "an integer is required")
			}
			if s, ok := arg(args, 1).(string); ok {
				order = s
			} else if s, ok := kw["byteorder"].(string); ok {
				order = s
			}
			if n.BitLen() > 8*size || size > 1<<16 || n.Sign() < 0 {
				m.throw("OverflowError", "int too big to convert")
			}
			b := n.FillBytes(make([]byte, size))
			if order == "little" {
				slices.Reverse(b)
			}
			return bytesV(b)
		}
	}
	return nil
}

func fromBytes(b []byte, order string) any {
	b = slices.Clone(b)
	if order == "little" {
		slices.Reverse(b)
	}
	return norm(new(big.Int).SetBytes(b))
}
