package shell

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/arith"
)

// get returns a variable's or a special parameter's value.
func (e *env) get(name string) (string, bool) {
	if v, ok := e.vars[name]; ok {
		if v.attr&nameref != 0 && v.val != "" && v.val != name {
			return e.getRef(v.val)
		}
		return v.scalar()
	}
	return e.dynamic(name)
}

// getRef follows a reference, which may name an element.
func (e *env) getRef(to string) (string, bool) {
	if base, index, ok := cutIndex(to); ok {
		s, set, err := e.element(base, index)
		return s, set && err == nil
	}
	if v, ok := e.vars[to]; ok && v.attr&nameref != 0 {
		return "", false // a chain of references is not followed
	}
	return e.get(to)
}

// dynamic computes what no table holds.
func (e *env) dynamic(name string) (string, bool) {
	if name == "" {
		return "", false
	}
	if c := name[0]; c >= '0' && c <= '9' {
		n, err := strconv.Atoi(name)
		switch {
		case err != nil:
			return "", false
		case n == 0:
			return e.name, true
		case n <= len(e.params):
			return e.params[n-1], true
		}
		return "", false
	}
	switch name {
	case "?":
		return strconv.Itoa(e.status), true
	case "$":
		return strconv.Itoa(e.self), true
	case "#":
		return strconv.Itoa(len(e.params)), true
	case "!":
		if e.lastPID == 0 {
			return "", false
		}
		return strconv.Itoa(e.lastPID), true
	case "-":
		return e.dollarMinus(), true
	case "_":
		return e.last, true
	}
	if e.dialect != bash {
		if name == "PPID" {
			return strconv.Itoa(e.ppid), true
		}
		return "", false
	}
	return e.computed(name)
}

// computed are bash's variables that change by themselves.
func (e *env) computed(name string) (string, bool) {
	now := e.k.sh.opt.Now
	switch name {
	case "RANDOM":
		return strconv.Itoa(e.k.random().IntN(32768)), true
	case "SRANDOM":
		return strconv.FormatUint(uint64(e.k.random().Uint32()), 10), true
	case "SECONDS":
		return itoa(int64(now().Sub(e.began)/time.Second) + e.secs), true
	case "LINENO":
		return strconv.Itoa(e.line), true
	case "BASHPID":
		return strconv.Itoa(e.pid), true
	case "EPOCHSECONDS":
		return itoa(now().Unix()), true
	case "EPOCHREALTIME":
		t := now()
		return strconv.FormatInt(t.Unix(), 10) + "." + strconv.Itoa(1000000 + t.Nanosecond()/1000)[1:], true
	case "BASH_SUBSHELL":
		return strconv.Itoa(e.level), true
	case "BASH_COMMAND":
		return e.cmdText, true
	case "SHELLOPTS":
		return e.shellOpts(), true
	case "BASHOPTS":
		return e.bashOpts(), true
	case "FUNCNAME", "BASH_SOURCE", "BASH_LINENO", "PIPESTATUS", "BASH_VERSINFO", "GROUPS", "DIRSTACK":
		if l := e.computedList(name); len(l) > 0 {
			return l[0], true
		}
	case "COLUMNS", "LINES":
		if e.interactive && name == "COLUMNS" {
			return strconv.Itoa(e.k.sh.cols()), true
		} else if e.interactive {
			return strconv.Itoa(e.k.sh.rows()), true
		}
	}
	return "", false
}

// computedList are bash's arrays that change by themselves.
func (e *env) computedList(name string) []string {
	var out []string
	switch name {
	case "PIPESTATUS":
		if e.pipes == nil {
			return []string{strconv.Itoa(e.status)}
		}
		for _, s := range e.pipes {
			out = append(out, strconv.Itoa(s))
		}
	case "BASH_VERSINFO":
		return []string{"5", "2", "15", "1", "release", "x86_64-pc-linux-gnu"}
	case "GROUPS":
		out = []string{strconv.Itoa(int(e.cred.GID))}
		for _, g := range e.cred.Groups {
			if g != e.cred.GID {
				out = append(out, strconv.Itoa(int(g)))
			}
		}
	case "DIRSTACK":
		return append([]string{e.tildeName(e.cwd)}, e.dirs...)
	case "FUNCNAME", "BASH_SOURCE", "BASH_LINENO":
		for i := len(e.frames) - 1; i >= 0; i-- {
			switch f := e.frames[i]; name {
			case "FUNCNAME":
				out = append(out, f.name)
			case "BASH_SOURCE":
				out = append(out, f.source)
			default:
				out = append(out, strconv.Itoa(f.line))
			}
		}
		if len(e.frames) > 0 && e.frames[0].fn && name == "FUNCNAME" && !e.command {
			out = append(out, "main")
		}
	}
	return out
}

// elements returns the keys and values of an array; a scalar is one of one.
func (e *env) elements(name string) (keys, vals []string) {
	v := e.resolve(name)
	switch {
	case v != nil && v.arr != nil:
		return v.arr.list()
	case v != nil:
		if s, ok := v.scalar(); ok {
			return []string{"0"}, []string{s}
		}
		return nil, nil
	}
	vals = e.computedList(name)
	if vals == nil {
		if s, ok := e.dynamic(name); ok {
			vals = []string{s}
		}
	}
	for i := range vals {
		keys = append(keys, strconv.Itoa(i))
	}
	return keys, vals
}

// resolve returns the variable behind a name, following one reference.
func (e *env) resolve(name string) *variable {
	v := e.vars[name]
	if v != nil && v.attr&nameref != 0 && v.val != "" {
		return e.vars[v.val]
	}
	return v
}

// element returns name[index].
func (e *env) element(name, index string) (string, bool, error) {
	v := e.resolve(name)
	if v != nil && v.arr != nil && v.arr.assoc() {
		key, err := e.keyText(index)
		if err != nil {
			return "", false, err
		}
		s, ok := v.arr.getKey(key)
		return s, ok, nil
	}
	i, err := e.arith(index)
	if err != nil {
		return "", false, err
	}
	if v == nil || v.arr == nil {
		_, vals := e.elements(name)
		if i < 0 {
			i += int64(len(vals))
		}
		if i >= 0 && i < int64(len(vals)) {
			return vals[i], true, nil
		}
		return "", false, nil
	}
	if i < 0 {
		if i += v.arr.next(); i < 0 {
			e.errorf("%s: bad array subscript", name)
			return "", false, nil
		}
	}
	s, ok := v.arr.get(i)
	return s, ok, nil
}

// indexText returns the source of a subscript.
func (e *env) indexText(x syntax.ArithmExpr) (string, bool) {
	if x == nil {
		return "", false
	}
	if w, ok := x.(*syntax.Word); ok {
		if s := w.Lit(); s != "" {
			return s, true
		}
	}
	return e.unit.slice(x.Pos(), x.End()), true
}

// keyText expands a subscript as the key of an associative array.
func (e *env) keyText(s string) (string, error) {
	if !strings.ContainsAny(s, "$`'\"\\") {
		return s, nil
	}
	w, err := e.textWord(s, false)
	if err != nil {
		return s, nil
	}
	return e.str(w)
}

// textWord parses a text on its own, as one word or as between double quotes.
func (e *env) textWord(s string, double bool) (*syntax.Word, error) {
	key := s
	if double {
		key = "\"" + s
	}
	if e.unit != nil {
		if w, ok := e.unit.words[key]; ok {
			return w, nil
		}
	}
	p := parsers.Get().(*syntax.Parser)
	defer parsers.Put(p)
	var w *syntax.Word
	var err error
	if double {
		w, err = p.Document(strings.NewReader(s))
	} else {
		for got, werr := range p.WordsSeq(strings.NewReader(s)) {
			w, err = got, werr
			break
		}
	}
	if err == nil && w == nil {
		w = &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: ""}}}
	}
	if err == nil && e.unit != nil && len(s) < 4096 {
		if e.unit.words == nil {
			e.unit.words = map[string]*syntax.Word{}
		}
		if len(e.unit.words) < 1000 {
			e.unit.words[key] = w
		}
	}
	return w, err
}

// arithNode evaluates an expression of the tree by its source text.
func (e *env) arithNode(_ syntax.ArithmExpr, text string) (int64, error) {
	if d, ok := e.unit.defect(strings.TrimSpace(text)); ok {
		text = d.text
	}
	return e.arith(text)
}

// arith evaluates an expression given as text.
func (e *env) arith(text string) (int64, error) {
	e.k.step(1)
	if strings.ContainsAny(text, "$`\"\\'") {
		w, err := e.textWord(strings.ReplaceAll(text, `"`, ""), true)
		if err != nil {
			return 0, failf(text + ": syntax error: operand expected (error token is \"" + text + "\")")
		}
		// Expanding a text of its own must not use the positions of this unit.
		saved := e.unit
		e.unit = &unit{src: saved.src, text: strings.ReplaceAll(text, `"`, ""), line: e.line}
		s, err := e.inner(w.Parts)
		e.unit = saved
		if err != nil {
			return 0, err
		}
		text = s
	}
	n, err := arith.Eval(text, arithVars{e})
	if err != nil {
		if a, ok := err.(*abort); ok {
			return 0, a
		}
		if e.dialect == dash {
			return 0, &abort{msg: "arithmetic expression: expecting primary: \"" + text + "\"", status: 2, exit: true}
		}
		return 0, failf(err.Error())
	}
	return n, nil
}

// arithVars lets expressions see the shell's variables.
type arithVars struct{ e *env }

func (a arithVars) Step() error {
	a.e.k.step(1)
	return nil
}

func (a arithVars) Get(name string, index *string) (string, error) {
	if index != nil {
		s, _, err := a.e.element(name, *index)
		return s, err
	}
	s, ok := a.e.get(name)
	if !ok && a.e.opts&optNoUnset != 0 {
		return "", a.e.unbound(name)
	}
	return s, nil
}

func (a arithVars) Set(name string, index *string, v int64) error {
	if index != nil {
		return a.e.setElement(name, *index, itoa(v), false)
	}
	return a.e.set(name, itoa(v))
}

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
	case "BASHPID", "BASH_SUBSHELL", "LINENO", "EPOCHSECONDS", "EPOCHREALTIME", "RANDOM", "SRANDOM", "FUNCNAME", "GROUPS", "BASH_SOURCE", "BASH_LINENO":
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

// sortedNames lists all variables by name.
func (e *env) sortedNames() []string {
	names := make([]string, 0, len(e.vars))
	for n := range e.vars {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
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
