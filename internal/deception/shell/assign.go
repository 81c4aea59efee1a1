package shell

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// set assigns to a variable, keeping its attributes.
func (e *env) set(name, val string) error {
	old := e.vars[name]
	if old == nil {
		if done, err := e.setSpecial(name, val); done {
			return err
		}
		return e.store(name, &variable{val: val, attr: e.newAttr()})
	}
	if old.attr&nameref != 0 && old.val != "" && old.val != name {
		if _, _, ok := cutIndex(old.val); ok {
			return e.assignName(old.val, val)
		}
		if t := e.vars[old.val]; t == nil || t.attr&nameref == 0 {
			return e.set(old.val, val)
		}
	}
	if old.attr&readOnly != 0 {
		return e.isReadOnly(name)
	}
	val, err := e.cast(old.attr, val)
	if err != nil {
		return err
	}
	if old.arr != nil {
		return e.setElement(name, "0", val, false)
	}
	return e.store(name, &variable{val: val, attr: old.attr &^ unset})
}

func (e *env) newAttr() attr {
	if e.opts&optAllExport != 0 {
		return exported
	}
	return 0
}

func (e *env) isReadOnly(name string) error {
	if e.dialect == dash {
		return &abort{msg: name + ": is read only", status: 2, exit: true}
	}
	return failf(name + ": readonly variable")
}

// setSpecial assigns to the variables that compute their value.
func (e *env) setSpecial(name, val string) (bool, error) {
	switch name {
	case "SECONDS":
		n, _ := strconv.ParseInt(val, 10, 64)
		e.secs, e.began = n, e.k.sh.opt.Now()
	case "BASH_ARGV0":
		e.name = val
	case "RANDOM":
		n, _ := strconv.ParseInt(strings.TrimSpace(val), 10, 64)
		e.seed, e.seeded = uint32(n), true
	case "BASHPID", "BASH_SUBSHELL", "LINENO", "EPOCHSECONDS", "EPOCHREALTIME", "SRANDOM", "FUNCNAME", "GROUPS", "BASH_SOURCE", "BASH_LINENO":
	case "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO":
		return true, e.isReadOnly(name)
	default:
		return false, nil
	}
	return e.dialect == bash, nil
}

// cast makes a value fit the variable's attributes.
func (e *env) cast(a attr, val string) (string, error) {
	switch {
	case a&integer != 0:
		n, err := e.arith(val)
		return itoa(n), err
	case a&lower != 0:
		return strings.ToLower(val), nil
	case a&upper != 0:
		return strings.ToUpper(val), nil
	}
	return val, nil
}

// store puts a variable into the table and accounts for its size.
func (e *env) store(name string, v *variable) error {
	old := e.vars[name]
	if n := v.size() - old.size(); n != 0 {
		if !e.k.charge(n) {
			return e.noMemory()
		}
		e.held += n
	}
	e.own()
	e.vars[name] = v
	switch name {
	case "PATH":
		e.paths = nil
	case "OPTIND":
		e.optPos = 0
	case "GLOBIGNORE":
		if v.val != "" {
			e.shopts |= shDotGlob
		}
	}
	return nil
}

// assignName assigns to name or name[index].
func (e *env) assignName(name, val string) error {
	if base, index, ok := cutIndex(name); ok {
		return e.setElement(base, index, val, false)
	}
	return e.set(name, val)
}

func (e *env) account(n int) error {
	if !e.k.charge(n) {
		return e.noMemory()
	}
	e.held += n
	return nil
}

// addTo is what += makes of an old value.
func (e *env) addTo(a attr, old, val string, add bool) (string, error) {
	if add && a&integer != 0 {
		if old == "" {
			old = "0"
		}
		val = old + "+(" + val + ")"
	} else if add {
		if int64(len(old)+len(val)) > e.k.bud.Bytes {
			return "", e.noMemory()
		}
		val = old + val
	}
	return e.cast(a, val)
}

// assign carries out one assignment of a command.
func (e *env) assign(a *syntax.Assign) error {
	name := a.Name.Value
	switch {
	case a.Array != nil:
		return e.assignArray(name, a.Array, a.Append, false)
	case a.Index != nil:
		index, _ := e.indexText(a.Index)
		val, err := e.value(a.Value)
		if err != nil {
			return err
		}
		e.trace(name+"["+index+"]"+assignOp(a.Append), val)
		return e.setElement(name, index, val, a.Append)
	}
	val, err := e.value(a.Value)
	if err != nil {
		return err
	}
	e.trace(name+assignOp(a.Append), val)
	return e.assignScalar(name, val, a.Append)
}

func assignOp(add bool) string {
	if add {
		return "+="
	}
	return "="
}

// trace writes an assignment for set -x.
func (e *env) trace(left, val string) {
	if e.opts&optXTrace != 0 {
		if val != "" {
			val = traceQuote(val)
		}
		e.traceLine(left + val)
	}
}

func (e *env) assignScalar(name, val string, add bool) error {
	if add {
		if v := e.resolve(name); v != nil && v.arr != nil {
			return e.setElement(name, "0", val, true)
		}
		old, _ := e.get(name)
		a := attr(0)
		if v := e.resolve(name); v != nil {
			a = v.attr
		}
		var err error
		if val, err = e.addTo(a, old, val, true); err != nil {
			return err
		}
	}
	return e.set(name, val)
}

// unsetVar removes a variable or an element.
func (e *env) unsetVar(name string) error {
	base, index, has := cutIndex(name)
	v := e.vars[base]
	if v == nil {
		return nil
	}
	if v.attr&nameref != 0 && v.val != "" && v.val != name {
		return e.unsetVar(v.val)
	}
	if v.attr&readOnly != 0 {
		return failf(base + ": cannot unset: readonly variable")
	}
	if has {
		return e.unsetElement(base, index)
	}
	n := v.size()
	e.k.charge(-n)
	e.held -= n
	e.own()
	delete(e.vars, base)
	return nil
}
