package python

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

func loadJSON(m *machine, d map[string]any) {
	bad := m.subclass("JSONDecodeError", "json.decoder", "ValueError")
	d["JSONDecodeError"] = bad
	def(d, "dumps", func(m *machine, args []any, kw kwargs) any {
		indent := -1
		if n, ok := kw["indent"].(int64); ok {
			indent = int(min(n, 16))
		}
		var b strings.Builder
		m.dumpJSON(&b, arg(args, 0), indent, 0, m.truth(kw["sort_keys"]))
		m.w.Alloc(b.Len())
		return b.String()
	})
	load := func(m *machine, s string) any {
		dec := json.NewDecoder(strings.NewReader(s))
		dec.UseNumber()
		v, err := m.loadJSONValue(dec, 0)
		if err != nil {
			m.through(libLoads, &instance{cls: bad, dict: map[string]any{"args": tuple{"Expecting value: line 1 column 1 (char 0)"}}})
		}
		return v
	}
	def(d, "loads", func(m *machine, args []any, _ kwargs) any { return load(m, m.text(args, nil, 0, "s", "")) })
	def(d, "load", func(m *machine, args []any, _ kwargs) any {
		return load(m, m.text([]any{m.call(m.attr(arg(args, 0), "read"), nil, nil)}, nil, 0, "", ""))
	})
	def(d, "dump", func(m *machine, args []any, kw kwargs) any {
		return m.call(m.attr(arg(args, 1), "write"), []any{m.call(d["dumps"], args[:1], kw)}, nil)
	})
}

func (m *machine) dumpJSON(b *strings.Builder, v any, indent, depth int, sorted bool) {
	m.step(1)
	if depth > 200 {
		m.throw("RecursionError", "maximum recursion depth exceeded while encoding a JSON object")
	}
	line := func(d int) {
		if indent >= 0 {
			b.WriteString("\n" + strings.Repeat(" ", indent*d))
		}
	}
	sep := ", "
	if indent >= 0 {
		sep = ","
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		b.WriteString(jsonText(v))
	case *list, tuple:
		items := m.drain(v)
		b.WriteByte('[')
		for i, x := range items {
			if i > 0 {
				b.WriteString(sep)
			}
			line(depth + 1)
			m.dumpJSON(b, x, indent, depth+1, sorted)
		}
		if len(items) > 0 {
			line(depth)
		}
		b.WriteByte(']')
	case *dict:
		keys := v.keyList()
		if sorted {
			keys = m.sorted(keys, nil)
		}
		b.WriteByte('{')
		for i, k := range keys {
			if i > 0 {
				b.WriteString(sep)
			}
			line(depth + 1)
			b.WriteString(jsonText(m.str(k)) + ": ")
			x, _ := v.get(m.key(k))
			m.dumpJSON(b, x, indent, depth+1, sorted)
		}
		if len(keys) > 0 {
			line(depth)
		}
		b.WriteByte('}')
	default:
		if _, ok := toFloat(v); !ok {
			m.typeError("Object of type " + typeName(v) + " is not JSON serializable")
		}
		b.WriteString(m.repr(v))
	}
}

// jsonText quotes text; what is not ASCII becomes \uXXXX.
func jsonText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString("\\" + string(r))
		case r == '\n':
			b.WriteString("\\n")
		case r == '\r':
			b.WriteString("\\r")
		case r == '\t':
			b.WriteString("\\t")
		case r < ' ' || r > '~' && r < 0x10000:
			b.WriteString("\\u" + pad4(strconv.FormatInt(int64(r), 16)))
		case r >= 0x10000:
			r -= 0x10000
			b.WriteString("\\u" + strconv.FormatInt(int64(0xd800+r>>10), 16) + "\\u" + strconv.FormatInt(int64(0xdc00+r&0x3ff), 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (m *machine) loadJSONValue(dec *json.Decoder, depth int) (any, error) {
	m.step(1)
	m.grow(1)
	t, err := dec.Token()
	if err != nil || depth > 200 {
		return nil, strconv.ErrSyntax
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			l := &list{}
			for dec.More() {
				v, err := m.loadJSONValue(dec, depth+1)
				if err != nil {
					return nil, err
				}
				l.items = append(l.items, v)
			}
			_, err = dec.Token()
			return l, err
		}
		d := &dict{}
		for dec.More() {
			k, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := m.loadJSONValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			name, _ := k.(string)
			d.setStr(name, v)
		}
		_, err = dec.Token()
		return d, err
	case json.Number:
		if strings.ContainsAny(t.String(), ".eE") {
			f, _ := t.Float64()
			return f, nil
		}
		return toInt(m, []any{t.String()}, nil), nil
	case string, bool, nil:
		return t, nil
	}
	return nil, strconv.ErrSyntax
}

func loadRE(m *machine, d map[string]any) {
	for n, v := range map[string]int64{"I": 2, "IGNORECASE": 2, "M": 8, "MULTILINE": 8, "S": 16, "DOTALL": 16, "X": 64, "A": 256, "U": 32} {
		d[n] = v
	}
	d["error"] = m.subclass("error", "re", "Exception")
	def(d, "escape", func(m *machine, args []any, _ kwargs) any { return regexp.QuoteMeta(m.text(args, nil, 0, "", "")) })
	def(d, "compile", func(m *machine, args []any, kw kwargs) any { return m.pattern(arg(args, 0), arg(args, 1)) })
	for _, n := range []string{"search", "match", "fullmatch", "findall", "finditer", "split", "sub"} {
		def(d, n, func(m *machine, args []any, kw kwargs) any {
			at := map[string]int{"sub": 4, "split": 3}[n]
			if at == 0 {
				at = 2
			}
			flags := arg(args, at)
			if v, ok := kw["flags"]; ok {
				flags = v
			}
			p := m.pattern(arg(args, 0), flags)
			return m.call(m.attr(p, n), args[1:min(len(args), at)], kw)
		})
	}
}

// pattern compiles a regular expression. Look-around and back-references are
// beyond the engine.
func (m *machine) pattern(v, flags any) any {
	if o, ok := v.(*instance); ok {
		return o
	}
	src := m.text([]any{v}, nil, 0, "", "")
	goSrc := src
	if n, ok := flags.(int64); ok {
		f := ""
		for bit, c := range map[int64]string{2: "i", 8: "m", 16: "s"} {
			if n&bit != 0 {
				f += c
			}
		}
		if f != "" {
			goSrc = "(?" + f + ")" + goSrc
		}
	}
	goSrc = strings.ReplaceAll(goSrc, `\Z`, `\z`)
	re, err := regexp.Compile(goSrc)
	if err != nil {
		if strings.Contains(src, "(?=") || strings.Contains(src, "(?!") || strings.Contains(src, "(?<") {
			m.w.Unsupported("python re: look-around")
		}
		panic(&raised{exc: &instance{cls: m.subclass("error", "re", "Exception"), dict: map[string]any{"args": tuple{"invalid pattern at position 0"}}}})
	}
	m.w.Alloc(64 * len(src))
	_, bin := v.(bytesV)
	o := m.object("re", "Pattern", nil)
	o.native = re
	o.dict["pattern"] = v
	o.cls.dict["__repr__"] = &builtin{name: "__repr__", fn: func(m *machine, _ []any, _ kwargs) any { return "re.compile(" + m.repr(v) + ")" }}
	m.patternMethods(o, re, bin)
	return o
}

func (m *machine) patternMethods(o *instance, re *regexp.Regexp, bin bool) {
	give := func(s string) any {
		if bin {
			return bytesV(s)
		}
		return s
	}
	subject := func(args []any, i int) string {
		s := m.text(args, nil, i, "string", "")
		m.step(len(s) / 16)
		return s
	}
	for _, n := range []string{"search", "match", "fullmatch"} {
		def(o.dict, n, func(m *machine, args []any, _ kwargs) any {
			s := subject(args, 0)
			at := re.FindStringSubmatchIndex(s)
			if at == nil || n != "search" && at[0] != 0 || n == "fullmatch" && at[1] != len(s) {
				return nil
			}
			return m.matchValue(re, s, at, give)
		})
	}
	def(o.dict, "findall", func(m *machine, args []any, _ kwargs) any {
		l := &list{}
		s := subject(args, 0)
		for _, g := range re.FindAllStringSubmatch(s, -1) {
			m.grow(len(g))
			switch len(g) {
			case 1:
				l.items = append(l.items, give(g[0]))
			case 2:
				l.items = append(l.items, give(g[1]))
			default:
				t := tuple{}
				for _, x := range g[1:] {
					t = append(t, give(x))
				}
				l.items = append(l.items, t)
			}
		}
		return l
	})
	def(o.dict, "finditer", func(m *machine, args []any, _ kwargs) any {
		s := subject(args, 0)
		l := &list{}
		for _, at := range re.FindAllStringSubmatchIndex(s, -1) {
			l.items = append(l.items, m.matchValue(re, s, at, give))
		}
		next, _ := m.tryIter(l)
		return &iterator{next, "callable_iterator"}
	})
	def(o.dict, "split", func(m *machine, args []any, _ kwargs) any {
		l := &list{}
		for _, x := range re.Split(subject(args, 0), -1) {
			l.items = append(l.items, give(x))
		}
		return l
	})
	def(o.dict, "sub", func(m *machine, args []any, kw kwargs) any {
		s := subject(args, 1)
		count := -1
		if n, ok := kw["count"].(int64); ok && n > 0 {
			count = int(n)
		}
		var b strings.Builder
		last := 0
		for _, at := range re.FindAllStringSubmatchIndex(s, count) {
			b.WriteString(s[last:at[0]])
			last = at[1]
			if f, ok := arg(args, 0).(string); ok {
				b.WriteString(expandGroups(re, f, s, at))
			} else if f, ok := arg(args, 0).(bytesV); ok {
				b.WriteString(expandGroups(re, string(f), s, at))
			} else {
				b.WriteString(m.text([]any{m.call(args[0], []any{m.matchValue(re, s, at, give)}, nil)}, nil, 0, "", ""))
			}
			m.w.Alloc(b.Len() - last)
		}
		return give(b.String() + s[last:])
	})
}

// expandGroups replaces \1 and \g<name> in a replacement.
func expandGroups(re *regexp.Regexp, f, s string, at []int) string {
	var b strings.Builder
	group := func(n int) {
		if 2*n+1 < len(at) && at[2*n] >= 0 {
			b.WriteString(s[at[2*n]:at[2*n+1]])
		}
	}
	for i := 0; i < len(f); i++ {
		if f[i] != '\\' || i+1 == len(f) {
			b.WriteByte(f[i])
			continue
		}
		i++
		switch c := f[i]; {
		case c >= '0' && c <= '9':
			group(int(c - '0'))
		case c == 'n':
			b.WriteByte('\n')
		case c == 't':
			b.WriteByte('\t')
		case c == 'g' && strings.HasPrefix(f[i+1:], "<"):
			name, _, _ := strings.Cut(f[i+2:], ">")
			n, err := strconv.Atoi(name)
			if err != nil {
				n = re.SubexpIndex(name)
			}
			if n >= 0 {
				group(n)
			}
			i += len(name) + 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (m *machine) matchValue(re *regexp.Regexp, s string, at []int, give func(string) any) any {
	o := m.object("re", "Match", nil)
	group := func(v any) any {
		n := 0
		switch v := v.(type) {
		case int64:
			n = int(v)
		case string:
			n = re.SubexpIndex(v)
		}
		if n < 0 || 2*n+1 >= len(at) {
			m.throw("IndexError", "no such group")
		}
		if at[2*n] < 0 {
			return nil
		}
		return give(s[at[2*n]:at[2*n+1]])
	}
	def(o.dict, "group", func(_ *machine, args []any, _ kwargs) any {
		switch len(args) {
		case 0:
			return group(int64(0))
		case 1:
			return group(args[0])
		}
		t := tuple{}
		for _, a := range args {
			t = append(t, group(a))
		}
		return t
	})
	def(o.dict, "groups", func(*machine, []any, kwargs) any {
		t := tuple{}
		for i := 1; 2*i < len(at); i++ {
			t = append(t, group(int64(i)))
		}
		return t
	})
	def(o.dict, "groupdict", func(*machine, []any, kwargs) any {
		d := &dict{}
		for _, n := range re.SubexpNames() {
			if n != "" {
				d.setStr(n, group(n))
			}
		}
		return d
	})
	chars := func(i int) any { return int64(utf8.RuneCountInString(s[:i])) }
	def(o.dict, "start", func(*machine, []any, kwargs) any { return chars(at[0]) })
	def(o.dict, "end", func(*machine, []any, kwargs) any { return chars(at[1]) })
	def(o.dict, "span", func(*machine, []any, kwargs) any { return tuple{chars(at[0]), chars(at[1])} })
	o.cls.dict["__getitem__"] = &builtin{name: "__getitem__", fn: func(_ *machine, args []any, _ kwargs) any { return group(arg(args, 1)) }}
	o.cls.dict["__repr__"] = &builtin{name: "__repr__", fn: func(m *machine, _ []any, _ kwargs) any {
		return "<re.Match object; span=(" + itoa(at[0]) + ", " + itoa(at[1]) + "), match=" + m.repr(give(s[at[0]:at[1]])) + ">"
	}}
	return o
}
