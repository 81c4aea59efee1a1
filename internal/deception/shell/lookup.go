package shell

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"
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
		return strconv.Itoa(e.nextRandom()), true
	case "BASH_ARGV0":
		return e.name, true
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
		return e.commandText(), true
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
		return append([]string{e.cwd}, e.dirs...)
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
		switch {
		case e.script != "" && name == "BASH_SOURCE":
			out = append(out, e.script)
		case e.script != "" && name == "BASH_LINENO":
			out = append(out, "0")
		case len(e.frames) > 0 && name == "FUNCNAME" && !e.command:
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
			if d, ok := e.unit.defect(s); ok {
				return d.text, true
			}
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

// sortedNames lists all variables by name.
func (e *env) sortedNames() []string {
	names := make([]string, 0, len(e.vars))
	for n := range e.vars {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// nextRandom is RANDOM: the minimal standard generator of Park and Miller, its
// halves combined, as bash 5.1 and later have it.
func (e *env) nextRandom() int {
	if !e.seeded {
		e.seed, e.seeded = e.k.random().Uint32(), true
	}
	last := int64(int32(e.seed))
	if last == 0 {
		last = 123459876
	}
	h, l := last/127773, last%127773
	t := 16807*l - 2836*h
	if t < 0 {
		t += 0x7fffffff
	}
	e.seed = uint32(t)
	return int((e.seed>>16)^(e.seed&0xffff)) & 32767
}
