package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// attribute is ${x@Q} and its like.
func (e *env) attribute(p *syntax.ParamExp, v *param) error {
	op, err := e.str(p.Exp.Word)
	if err != nil {
		return err
	}
	if len(op) != 1 || !strings.Contains("UuLQEPAKak", op) {
		if !v.set {
			v.vals = []string{""}
			return nil
		}
		return failf(e.unit.slice(p.Pos(), p.End()) + ": bad substitution")
	}
	name := baseName(v.name)
	raw := e.vars[name]
	if !v.set {
		v.vals = nil
		if raw != nil && !v.list && op == "a" {
			v.vals = []string{strings.TrimPrefix(raw.flags(), "-")}
		} else if raw != nil && op == "A" {
			v.vals, v.list = []string{strings.TrimSuffix(declaredLine(name, raw), "\n")}, false
		}
		return nil
	}
	switch op {
	case "A":
		if v.list && raw != nil {
			v.vals, v.list = []string{"declare -" + raw.flags() + " " + name + "=" + raw.listing()}, false
			return nil
		}
		prefix := ""
		if raw != nil && raw.flags() != "-" {
			prefix = "declare -" + raw.flags() + " "
		}
		v.vals = []string{prefix + name + "=" + singleQuote(v.one())}
		return nil
	case "a":
		flags := ""
		if raw != nil {
			flags = strings.TrimPrefix(raw.flags(), "-")
		}
		return e.each(v, func(string) string { return flags })
	case "K", "k":
		if v.list && raw != nil && raw.arr != nil {
			return e.keysAndValues(v, raw, op == "K")
		}
		return e.each(v, singleQuote)
	case "P":
		return e.each(v, func(s string) string { return e.expandPrompt(s) })
	}
	return e.each(v, func(s string) string {
		switch op {
		case "U":
			return strings.ToUpper(s)
		case "u":
			return e.mapCase(s, "", 0, true, strings.ToUpper)
		case "L":
			return strings.ToLower(s)
		case "E":
			return ansiC(s)
		}
		return singleQuote(s)
	})
}

func (e *env) keysAndValues(v *param, raw *variable, quoted bool) error {
	keys, vals := raw.arr.list()
	var out []string
	for i, k := range keys {
		if quoted {
			out = append(out, k+" "+doubleQuote(vals[i]))
			continue
		}
		out = append(out, k, vals[i])
	}
	if quoted {
		text := strings.Join(out, " ")
		if raw.arr.assoc() && text != "" {
			text += " "
		}
		out = []string{text}
	}
	v.vals = out
	return nil
}

// listing is a variable's value as declare -p writes it.
func (v *variable) listing() string {
	if v.arr == nil {
		return doubleQuote(v.val)
	}
	var b strings.Builder
	b.WriteByte('(')
	keys, vals := v.arr.list()
	for i, k := range keys {
		if i > 0 && !v.arr.assoc() {
			b.WriteByte(' ')
		}
		if v.arr.assoc() && (k == "" || strings.ContainsAny(k, special)) {
			k = doubleQuote(k)
		}
		b.WriteString("[" + k + "]=" + doubleQuote(vals[i]))
		if v.arr.assoc() {
			b.WriteByte(' ')
		}
	}
	b.WriteByte(')')
	return b.String()
}
