package shell

import (
	"mvdan.cc/sh/v3/syntax"
)

// arrayOf returns name's array for writing, making one if need be.
func (e *env) arrayOf(name string, assoc bool) (*variable, error) {
	old := e.vars[name]
	if old != nil && old.attr&nameref != 0 && old.val != "" && old.val != name {
		return e.arrayOf(old.val, assoc)
	}
	if old != nil && old.attr&readOnly != 0 {
		return nil, e.isReadOnly(name)
	}
	if old != nil && old.arr != nil && old.arr.owner == e.mine && !e.shared {
		if old.attr&unset != 0 {
			v := *old
			v.attr &^= unset
			return &v, e.store(name, &v)
		}
		return old, nil
	}
	v := &variable{attr: e.newAttr()}
	if old != nil && old.arr != nil {
		e.k.step(1 + old.arr.count()/16)
	}
	switch {
	case old == nil:
		v.arr = newArray(e.mine, assoc)
	case old.arr == nil:
		v.attr = old.attr
		v.arr = newArray(e.mine, assoc)
		if s, ok := old.scalar(); ok && !assoc {
			v.arr.set(0, s)
		}
	default:
		v.attr = old.attr
		v.arr = old.arr.clone(e.mine)
	}
	v.attr &^= unset
	return v, e.store(name, v)
}

// setElement assigns to name[index].
func (e *env) setElement(name, index, val string, add bool) error {
	if index == "" {
		return failf(name + "[]: bad array subscript")
	}
	v, err := e.arrayOf(name, false)
	if err != nil {
		return err
	}
	if v.arr.assoc() {
		key, err := e.keyText(index)
		if err != nil {
			return err
		}
		old, _ := v.arr.getKey(key)
		val, err := e.addTo(v.attr, old, val, add)
		if err != nil {
			return err
		}
		before := v.arr.size
		v.arr.setKey(key, val)
		return e.account(v.arr.size - before)
	}
	i, err := e.arith(index)
	if err != nil {
		return err
	}
	if i < 0 {
		if i += v.arr.next(); i < 0 {
			return failf(name + "[" + index + "]: bad array subscript")
		}
	}
	return e.setAt(v, i, val, add)
}

func (e *env) setAt(v *variable, i int64, val string, add bool) error {
	old, _ := v.arr.get(i)
	val, err := e.addTo(v.attr, old, val, add)
	if err != nil {
		return err
	}
	before := v.arr.size
	v.arr.set(i, val)
	return e.account(v.arr.size - before)
}

// room checks that an array being filled and not yet stored still fits.
func (e *env) room(a *array) error {
	if e.k.mem+int64(a.size) > e.k.bud.Bytes {
		return e.noMemory()
	}
	return nil
}

// assignArray is name=( ).
func (e *env) assignArray(name string, a *syntax.ArrayExpr, add, assoc bool) error {
	if v := e.vars[name]; v != nil && v.arr != nil {
		assoc = v.arr.assoc()
	}
	if v := e.vars[name]; v != nil && v.attr&readOnly != 0 {
		return e.isReadOnly(name)
	}
	if e.opts&optXTrace != 0 {
		e.traceLine(name + assignOp(add) + e.unit.slice(a.Pos(), a.End()))
	}
	if old := e.vars[name]; add && old != nil && old.arr != nil && old.arr.owner == e.mine && !e.shared {
		return e.extend(name, old, a)
	}
	fresh := newArray(e.mine, assoc)
	v := &variable{arr: fresh, attr: e.newAttr()}
	if old := e.vars[name]; old != nil {
		v.attr = old.attr &^ unset
		switch {
		case add && old.arr != nil:
			e.k.step(1 + old.arr.count()/16)
			v.arr = old.arr.clone(e.mine)
		case add:
			if s, ok := old.scalar(); ok && !assoc {
				v.arr.set(0, s)
			}
		}
	}
	if assoc && len(a.Elems) > 0 && a.Elems[0].Index == nil {
		return e.assignPairs(name, v, a)
	}
	if err := e.fill(name, v, a); err != nil {
		return err
	}
	return e.store(name, v)
}

// extend is name+=( ) on an array nobody else has.
func (e *env) extend(name string, v *variable, a *syntax.ArrayExpr) error {
	before := v.arr.size
	err := e.fill(name, v, a)
	if aerr := e.account(v.arr.size - before); aerr != nil {
		return aerr
	}
	return err
}

func (e *env) fill(name string, v *variable, a *syntax.ArrayExpr) error {
	next := v.arr.next()
	for _, el := range a.Elems {
		e.k.step(1)
		if err := e.room(v.arr); err != nil {
			return err
		}
		if el.Index != nil {
			index, _ := e.indexText(el.Index)
			val, err := e.value(el.Value)
			if err != nil {
				return err
			}
			if v.arr.assoc() {
				key, err := e.keyText(index)
				if err != nil {
					return err
				}
				v.arr.setKey(key, val)
				continue
			}
			i, err := e.arith(index)
			if err != nil {
				return err
			}
			if val, err = e.cast(v.attr, val); err != nil {
				return err
			}
			v.arr.set(i, val)
			next = i + 1
			continue
		}
		vals, err := e.words([]*syntax.Word{el.Value})
		if err != nil {
			return err
		}
		for _, s := range vals {
			if v.arr.assoc() {
				e.errorf("%s: %s: must use subscript when assigning associative array", name, s)
				continue
			}
			if s, err = e.cast(v.attr, s); err != nil {
				return err
			}
			v.arr.set(next, s)
			next++
		}
	}
	return nil
}

// assignPairs is m=(key value key value).
func (e *env) assignPairs(name string, v *variable, a *syntax.ArrayExpr) error {
	var ws []*syntax.Word
	for _, el := range a.Elems {
		if el.Value != nil {
			ws = append(ws, el.Value)
		}
	}
	vals, err := e.words(ws)
	if err != nil {
		return err
	}
	for i := 0; i < len(vals); i += 2 {
		val := ""
		if i+1 < len(vals) {
			val = vals[i+1]
		}
		v.arr.setKey(vals[i], val)
	}
	return e.store(name, v)
}

func (e *env) unsetElement(base, index string) error {
	v, err := e.arrayOf(base, false)
	if err != nil {
		return err
	}
	if index == "@" || index == "*" {
		v.arr = newArray(e.mine, v.arr.assoc())
		return nil
	}
	if v.arr.assoc() {
		key, err := e.keyText(index)
		if err != nil {
			return err
		}
		v.arr.dropKey(key)
		return nil
	}
	i, err := e.arith(index)
	if err != nil {
		return err
	}
	if i < 0 {
		i += v.arr.next()
	}
	v.arr.drop(i)
	return nil
}
