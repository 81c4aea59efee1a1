package awk

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

func (in *interp) eval(e *expr) value {
	in.h.step(1)
	switch e.op {
	case "num":
		return num(e.num)
	case "str":
		return str(e.text)
	case "regex":
		return truth(e.re.Find([]byte(in.record())) != nil)
	case "group":
		return in.eval(e.args[0])
	case "var":
		return in.variable(e)
	case "field":
		return in.field(in.fieldNumber(e))
	case "index":
		a := in.array(e.args[0])
		k := in.key(e.args[1:])
		v, ok := a[k]
		if !ok {
			in.store(a, k, value{})
		}
		return v
	case "assign":
		return in.assignment(e)
	case "?":
		if in.cond(e.args[0]) {
			return in.eval(e.args[1])
		}
		return in.eval(e.args[2])
	case "||":
		return truth(in.cond(e.args[0]) || in.cond(e.args[1]))
	case "&&":
		return truth(in.cond(e.args[0]) && in.cond(e.args[1]))
	case "in":
		k := ""
		if e.args[0].op == "multi" {
			k = in.key(e.args[0].args)
		} else {
			k = in.eval(e.args[0]).text(in.conv)
		}
		_, ok := in.array(e.args[1])[k]
		return truth(ok)
	case "~", "!~":
		s := in.eval(e.args[0]).text(in.conv)
		return truth((in.matcher(e.args[1]).Find([]byte(s)) != nil) == (e.op == "~"))
	case "cat":
		a := in.eval(e.args[0]).text(in.conv)
		b := in.eval(e.args[1]).text(in.conv)
		in.limit(len(a) + len(b))
		return str(a + b)
	case "u!":
		return truth(!in.cond(e.args[0]))
	case "u-":
		return num(-in.eval(e.args[0]).float())
	case "u+":
		return num(in.eval(e.args[0]).float())
	case "pre++", "pre--", "post++", "post--":
		old := in.eval(e.args[0]).float()
		d := 1.0
		if strings.HasSuffix(e.op, "--") {
			d = -1
		}
		in.assign(e.args[0], num(old+d))
		if strings.HasPrefix(e.op, "pre") {
			return num(old + d)
		}
		return num(old)
	case "call":
		return in.call(e)
	case "builtin":
		return in.builtin(e)
	case "getline":
		return in.getline(e)
	case "cmdgetline":
		return in.commandLine(e)
	}
	return in.binary(e)
}

func (in *interp) binary(e *expr) value {
	a, b := in.eval(e.args[0]), in.eval(e.args[1])
	switch e.op {
	case "<":
		return truth(compare(a, b, in.conv) < 0)
	case "<=":
		return truth(compare(a, b, in.conv) <= 0)
	case "==":
		return truth(compare(a, b, in.conv) == 0)
	case "!=":
		return truth(compare(a, b, in.conv) != 0)
	case ">=":
		return truth(compare(a, b, in.conv) >= 0)
	case ">":
		return truth(compare(a, b, in.conv) > 0)
	}
	return num(in.arithmetic(e.op, a.float(), b.float()))
}

func (in *interp) arithmetic(op string, x, y float64) float64 {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	case "%":
		return math.Mod(x, y)
	}
	return power(x, y)
}

func (in *interp) assignment(e *expr) value {
	v := in.eval(e.args[1])
	if e.text != "" {
		v = num(in.arithmetic(e.text, in.eval(e.args[0]).float(), v.float()))
	}
	in.assign(e.args[0], v)
	return v
}

// cellOf finds a variable's cell.
func (in *interp) cellOf(e *expr) *cell {
	if e.slot > 0 && e.slot <= len(in.frame) {
		return in.frame[e.slot-1]
	}
	return in.global(e.text)
}

func (in *interp) variable(e *expr) value {
	if e.text == "NF" && e.slot == 0 {
		in.fieldsReady()
		return num(float64(in.nf))
	}
	c := in.cellOf(e)
	if c.a != nil {
		in.fail("run time error: type error in %s", e.text)
	}
	return c.v
}

// array returns a variable as an array.
func (in *interp) array(e *expr) array {
	c := in.cellOf(e)
	if c.a == nil {
		c.a = array{}
	}
	return c.a
}

// store puts an element into an array and charges for it.
func (in *interp) store(a array, k string, v value) {
	old, ok := a[k]
	n := len(v.s) - len(old.s)
	if !ok {
		n += len(k) + 80
	}
	in.alloc(n)
	a[k] = v
}

func (in *interp) alloc(n int) {
	if in.h.Alloc != nil && n != 0 {
		in.h.Alloc(n)
	}
}

// key joins subscripts.
func (in *interp) key(list []*expr) string {
	k := in.eval(list[0]).text(in.conv)
	for _, e := range list[1:] {
		k += in.subsep + in.eval(e).text(in.conv)
	}
	return k
}

func (in *interp) assign(e *expr, v value) {
	switch e.op {
	case "var":
		if e.slot > 0 {
			c := in.cellOf(e)
			in.alloc(len(v.s) - len(c.v.s))
			c.v = v
			return
		}
		in.alloc(len(v.s) - len(in.global(e.text).v.s))
		in.set(e.text, v)
	case "index":
		in.store(in.array(e.args[0]), in.key(e.args[1:]), v)
	case "field":
		in.setField(in.fieldNumber(e), v)
	case "group":
		in.assign(e.args[0], v)
	}
}

func (in *interp) fieldNumber(e *expr) int {
	f := in.eval(e.args[0]).float()
	if f < 0 {
		in.fail("run time error: negative field index $%d", int(f))
	}
	if f > maxField {
		in.fail("program limit exceeded: maximum number of fields size=%d", maxField)
	}
	return int(f)
}

func (in *interp) setLine(s string) {
	in.alloc(len(s) - len(in.line))
	in.line, in.split, in.stale = s, false, false
}

func (in *interp) fieldsReady() {
	if in.split {
		return
	}
	in.fields = in.splitText(in.line, in.fs, in.rs == "")
	in.nf = len(in.fields)
	in.split = true
}

// splitText cuts a string by a separator: a blank means runs of white space, one
// character itself, anything else a pattern.
func (in *interp) splitText(s, fs string, paragraph bool) []string {
	in.h.step(1 + len(s)/64)
	switch {
	case s == "":
		return nil
	case fs == " ":
		return strings.Fields(s)
	case fs == "":
		return strings.Split(s, "")
	case len(fs) == 1 && fs != "\\" && !strings.ContainsAny(fs, "|.*+?[(^$") && !paragraph, fs == "|":
		return strings.Split(s, fs)
	}
	pat := fs
	if len(fs) == 1 {
		pat = "[" + fs + "]"
		if fs == "\\" || fs == "^" {
			pat = `\` + fs
		}
	}
	if paragraph {
		pat = "(" + pat + ")|\n"
	}
	return in.splitPattern(s, in.pattern(pat))
}

func (in *interp) splitPattern(s string, m Matcher) []string {
	var out []string
	at := 0
	for _, x := range m.All([]byte(s)) {
		if x[1] == x[0] {
			continue
		}
		out = append(out, s[at:x[0]])
		at = x[1]
	}
	return append(out, s[at:])
}

// record returns $0.
func (in *interp) record() string {
	if in.stale {
		n := 0
		for _, f := range in.fields[:in.nf] {
			n += len(f) + len(in.ofs)
		}
		in.limit(n)
		in.line = strings.Join(in.fields[:in.nf], in.ofs)
		in.stale = false
	}
	return in.line
}

func (in *interp) field(n int) value {
	if n == 0 {
		return input(in.record())
	}
	in.fieldsReady()
	if n > in.nf {
		return str("") // to mawk a missing field is an empty string, not unset
	}
	return input(in.fields[n-1])
}

func (in *interp) setField(n int, v value) {
	s := v.text(in.conv)
	if n == 0 {
		in.setLine(s)
		return
	}
	in.fieldsReady()
	if n > in.nf {
		in.setNF(n)
	}
	in.alloc(len(s) - len(in.fields[n-1]))
	in.fields = slices.Clone(in.fields)
	in.fields[n-1] = s
	in.stale = true
}

func (in *interp) setNF(n int) {
	in.fieldsReady()
	for len(in.fields) < n {
		in.fields = append(in.fields, "")
	}
	for i := in.nf; i < n; i++ {
		in.fields[i] = ""
	}
	in.nf, in.stale = n, true
	in.h.step(1 + n/64)
}

func (in *interp) call(e *expr) value {
	f := e.fn
	if in.depth++; in.depth > maxCalls {
		in.fail("run time error: evaluation stack overflow")
	}
	if len(e.args) > len(f.params) {
		in.fail("function %s: too many arguments in call", f.name)
	}
	frame := make([]*cell, len(f.params))
	for i := range frame {
		frame[i] = &cell{}
		if i >= len(e.args) {
			continue
		}
		if a := e.args[i]; a.op == "var" {
			c := in.cellOf(a)
			switch {
			case c.a != nil:
				frame[i] = c
				continue
			case c.v.kind == 0: // may become an array inside
				if a.text != "NF" {
					frame[i] = &cell{}
					shared := c
					frame[i].a = nil
					defer func(inner *cell) {
						if inner.a != nil && shared.a == nil {
							shared.a = inner.a
						}
					}(frame[i])
				}
			}
		}
		frame[i].v = in.eval(e.args[i])
	}
	old := in.frame
	in.frame = frame
	in.ret = value{}
	in.exec(f.body)
	in.frame = old
	in.depth--
	v := in.ret
	in.ret = value{}
	return v
}

// order lists keys as mawk's hash tables do not, but the same each time: numbers
// by value, then words.
func order(keys []string) {
	slices.SortFunc(keys, func(a, b string) int {
		x, err1 := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		switch {
		case err1 == nil && err2 == nil && x != y:
			if x < y {
				return -1
			}
			return 1
		case err1 == nil && err2 != nil:
			return -1
		case err1 != nil && err2 == nil:
			return 1
		}
		return strings.Compare(a, b)
	})
}
