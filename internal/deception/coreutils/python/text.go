package python

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// method finds the method of a built-in value.
func (m *machine) method(x any, name string) (any, bool) {
	var fn func(args []any, kw kwargs) any
	switch x := x.(type) {
	case string:
		fn = m.textMethod(x, name)
	case bytesV:
		fn = m.bytesMethod(x, name)
	case *list:
		fn = m.listMethod(x, name)
	case *dict:
		fn = m.dictMethod(x, name)
	case *set:
		fn = m.setMethod(x, name)
	case tuple:
		fn = m.tupleMethod(x, name)
	case int64, bool:
		fn = m.intMethod(x, name)
	case float64:
		switch name {
		case "is_integer":
			fn = func([]any, kwargs) any { return x == float64(int64(x)) }
		}
	case *iterator:
		switch name {
		case "__next__":
			fn = func([]any, kwargs) any { return m.nextValue(x, nil, false) }
		case "close":
			fn = func([]any, kwargs) any { return nil }
		case "send":
			fn = func([]any, kwargs) any { m.w.Unsupported("python generator.send"); return m.nextValue(x, nil, false) }
		}
	}
	if fn == nil {
		return nil, false
	}
	return &builtin{name: name, fn: func(_ *machine, args []any, kw kwargs) any { return fn(args, kw) }}, true
}

func (m *machine) nextValue(it *iterator, def any, has bool) any {
	v, ok := it.next()
	if !ok {
		if has {
			return def
		}
		m.throw("StopIteration")
	}
	return v
}

func arg(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}

func (m *machine) textArg(args []any, i int, what string) string {
	switch s := arg(args, i).(type) {
	case string:
		return s
	case nil:
		if i >= len(args) {
			m.typeError(what + "() takes at least " + itoa(i+1) + " argument" + plural(i+1) + " (" + itoa(len(args)) + " given)")
		}
	}
	m.typeError(what + " argument must be str, not " + typeName(arg(args, i)))
	return ""
}

// textMethod gives the methods of str; split by what they do.
func (m *machine) textMethod(s, name string) func([]any, kwargs) any {
	m.step(len(s) / 64)
	for _, group := range []func(string, string) func([]any, kwargs) any{m.caseMethod, m.testMethod, m.findMethod, m.splitMethod, m.shapeMethod} {
		if f := group(s, name); f != nil {
			return f
		}
	}
	return nil
}

func (m *machine) caseMethod(s, name string) func([]any, kwargs) any {
	plain := map[string]func(string) string{
		"upper": strings.ToUpper, "lower": strings.ToLower, "casefold": strings.ToLower, "title": titled, "capitalize": func(s string) string {
			if s == "" {
				return s
			}
			r, n := utf8.DecodeRuneInString(s)
			return string(unicode.ToTitle(r)) + strings.ToLower(s[n:])
		},
		"swapcase": func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsUpper(r) {
					return unicode.ToLower(r)
				}
				return unicode.ToUpper(r)
			}, s)
		},
	}
	if f, ok := plain[name]; ok {
		return func([]any, kwargs) any { m.w.Alloc(len(s)); return f(s) }
	}
	return nil
}

func titled(s string) string {
	prev := ' '
	return strings.Map(func(r rune) rune {
		p := prev
		prev = r
		if unicode.IsLetter(p) {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func (m *machine) testMethod(s, name string) func([]any, kwargs) any {
	tests := map[string]func(rune) bool{
		"isdigit": unicode.IsDigit, "isdecimal": unicode.IsDigit, "isnumeric": unicode.IsNumber, "isalpha": unicode.IsLetter, "isspace": unicode.IsSpace,
		"isalnum": func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) },
	}
	if t, ok := tests[name]; ok {
		return func([]any, kwargs) any {
			return s != "" && strings.IndexFunc(s, func(r rune) bool { return !t(r) }) < 0
		}
	}
	switch name {
	case "isupper":
		return func([]any, kwargs) any { return s == strings.ToUpper(s) && s != strings.ToLower(s) }
	case "islower":
		return func([]any, kwargs) any { return s == strings.ToLower(s) && s != strings.ToUpper(s) }
	case "isascii":
		return func([]any, kwargs) any { return isASCII(s) }
	case "isprintable":
		return func([]any, kwargs) any {
			return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
		}
	case "isidentifier":
		return func([]any, kwargs) any {
			return s != "" && !unicode.IsDigit(rune(s[0])) && strings.IndexFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) < 0
		}
	case "startswith", "endswith":
		return func(args []any, _ kwargs) any {
			list, ok := arg(args, 0).(tuple)
			if !ok {
				list = tuple{arg(args, 0)}
			}
			for _, a := range list {
				t, ok := a.(string)
				if !ok {
					m.typeError(name + " first arg must be str or a tuple of str, not " + typeName(a))
				}
				if name == "startswith" && strings.HasPrefix(s, t) || name == "endswith" && strings.HasSuffix(s, t) {
					return true
				}
			}
			return false
		}
	}
	return nil
}

func (m *machine) findMethod(s, name string) func([]any, kwargs) any {
	switch name {
	case "find", "index", "rfind", "rindex":
		return func(args []any, _ kwargs) any {
			t := m.textArg(args, 0, "must be str, not")
			from := 0
			body := s
			if len(args) > 1 {
				lo, _, n := m.bounds(sliceV{args[1], arg(args, 2), nil}, len(s))
				body, from = s[lo:lo+n], lo
			}
			i := strings.Index(body, t)
			if name[0] == 'r' {
				i = strings.LastIndex(body, t)
			}
			if i < 0 {
				if strings.HasSuffix(name, "index") {
					m.valueError("substring not found")
				}
				return int64(-1)
			}
			return int64(strLen(s[:from+i]))
		}
	case "count":
		return func(args []any, _ kwargs) any { return int64(strings.Count(s, m.textArg(args, 0, "count"))) }
	case "replace":
		return func(args []any, _ kwargs) any {
			old, by, n := m.textArg(args, 0, "replace"), m.textArg(args, 1, "replace"), -1
			if len(args) > 2 {
				n = m.asInt(args[2], "an integer is required")
			}
			k := strings.Count(s, old)
			m.big(max(len(by), 1), k+1)
			m.w.Alloc(len(s))
			return strings.Replace(s, old, by, n)
		}
	case "translate":
		return func(args []any, _ kwargs) any {
			d, _ := arg(args, 0).(*dict)
			var b strings.Builder
			for _, r := range s {
				if d != nil {
					if v, ok := d.get(m.key(int64(r))); ok {
						switch v := v.(type) {
						case string:
							b.WriteString(v)
						case int64:
							b.WriteRune(rune(v))
						}
						continue
					}
				}
				b.WriteRune(r)
			}
			return b.String()
		}
	}
	return nil
}

func textList(parts []string) *list {
	l := &list{}
	for _, p := range parts {
		l.items = append(l.items, p)
	}
	return l
}

func (m *machine) splitMethod(s, name string) func([]any, kwargs) any {
	switch name {
	case "split", "rsplit":
		return func(args []any, kw kwargs) any {
			sep, limit := arg(args, 0), -1
			if v, ok := kw["sep"]; ok {
				sep = v
			}
			if v, ok := kw["maxsplit"]; ok {
				limit = m.asInt(v, "an integer is required")
			} else if len(args) > 1 {
				limit = m.asInt(args[1], "an integer is required")
			}
			m.w.Alloc(len(s) + 16*strings.Count(s, " "))
			return textList(m.split(s, sep, limit, name == "rsplit"))
		}
	case "splitlines":
		return func(args []any, kw kwargs) any {
			keep := m.truth(arg(args, 0)) || m.truth(kw["keepends"])
			var out []string
			for l := range strings.Lines(strings.ReplaceAll(s, "\r\n", "\n")) {
				if !keep {
					l = strings.TrimSuffix(l, "\n")
				}
				out = append(out, l)
			}
			return textList(out)
		}
	case "join":
		return func(args []any, _ kwargs) any {
			if len(args) != 1 {
				m.typeError("str.join() takes exactly one argument (" + itoa(len(args)) + " given)")
			}
			if _, ok := m.tryIter(args[0]); !ok {
				m.typeError("can only join an iterable")
			}
			var parts []string
			n := 0
			for i, v := range m.drain(args[0]) {
				t, ok := v.(string)
				if !ok {
					m.typeError("sequence item " + itoa(i) + ": expected str instance, " + typeName(v) + " found")
				}
				parts = append(parts, t)
				n += len(t) + len(s)
			}
			m.w.Alloc(n)
			return strings.Join(parts, s)
		}
	case "partition", "rpartition":
		return func(args []any, _ kwargs) any {
			sep := m.textArg(args, 0, name)
			if name == "partition" {
				a, b, ok := strings.Cut(s, sep)
				if !ok {
					return tuple{s, "", ""}
				}
				return tuple{a, sep, b}
			}
			i := strings.LastIndex(s, sep)
			if i < 0 {
				return tuple{"", "", s}
			}
			return tuple{s[:i], sep, s[i+len(sep):]}
		}
	}
	return nil
}

func (m *machine) split(s string, sep any, limit int, right bool) []string {
	if sep == nil {
		f := strings.Fields(s)
		if limit < 0 || len(f) <= limit {
			return f
		}
		var out []string
		rest := strings.TrimSpace(s)
		if right {
			for range limit {
				i := strings.LastIndexFunc(rest, unicode.IsSpace)
				out = append([]string{rest[i+1:]}, out...)
				rest = strings.TrimSpace(rest[:i+1])
			}
			return append([]string{rest}, out...)
		}
		for range limit {
			i := strings.IndexFunc(rest, unicode.IsSpace)
			out = append(out, rest[:i])
			rest = strings.TrimLeftFunc(rest[i:], unicode.IsSpace)
		}
		return append(out, rest)
	}
	t, ok := sep.(string)
	if !ok {
		m.typeError("must be str or None, not " + typeName(sep))
	}
	if t == "" {
		m.valueError("empty separator")
	}
	if right && limit >= 0 {
		parts := strings.Split(s, t)
		if len(parts) > limit+1 {
			k := len(parts) - limit
			parts = append([]string{strings.Join(parts[:k], t)}, parts[k:]...)
		}
		return parts
	}
	if limit >= 0 {
		limit++
	}
	return strings.SplitN(s, t, limit)
}

func (m *machine) shapeMethod(s, name string) func([]any, kwargs) any {
	switch name {
	case "strip", "lstrip", "rstrip":
		return func(args []any, _ kwargs) any {
			cut := func(r rune) bool { return unicode.IsSpace(r) }
			if set, ok := arg(args, 0).(string); ok {
				cut = func(r rune) bool { return strings.ContainsRune(set, r) }
			}
			t := s
			if name != "rstrip" {
				t = strings.TrimLeftFunc(t, cut)
			}
			if name != "lstrip" {
				t = strings.TrimRightFunc(t, cut)
			}
			return t
		}
	case "removeprefix":
		return func(args []any, _ kwargs) any { return strings.TrimPrefix(s, m.textArg(args, 0, name)) }
	case "removesuffix":
		return func(args []any, _ kwargs) any { return strings.TrimSuffix(s, m.textArg(args, 0, name)) }
	case "center", "ljust", "rjust", "zfill":
		return func(args []any, _ kwargs) any {
			sp := spec{fill: ' ', width: m.asInt(arg(args, 0), "'"+typeName(arg(args, 0))+"' object cannot be interpreted as an integer")}
			m.big(1, max(sp.width, 0))
			if f, ok := arg(args, 1).(string); ok && f != "" {
				sp.fill = runes(f)[0]
			}
			sp.align = map[string]byte{"center": '^', "ljust": '<', "rjust": '>', "zfill": '='}[name]
			sign := ""
			body := s
			if name == "zfill" {
				sp.fill = '0'
				if s != "" && (s[0] == '-' || s[0] == '+') {
					sign, body = s[:1], s[1:]
				}
			}
			return pad(sp, '<', sign, body)
		}
	case "format":
		return func(args []any, kw kwargs) any { return m.braces(s, args, kw) }
	case "encode":
		return func(args []any, _ kwargs) any {
			return bytesV(m.encode(s, m.codec(arg(args, 0))))
		}
	case "expandtabs":
		return func([]any, kwargs) any { return strings.ReplaceAll(s, "\t", "        ") }
	case "__len__":
		return func([]any, kwargs) any { return int64(strLen(s)) }
	}
	return nil
}

func (m *machine) codec(v any) string {
	name, ok := v.(string)
	if !ok {
		return "utf8"
	}
	switch c := strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(name), "-", ""), "_", ""); c {
	case "utf8", "ascii", "latin1", "hex", "base64", "rot13":
		return c
	case "iso88591":
		return "latin1"
	case "usascii":
		return "ascii"
	}
	m.w.Unsupported("python codec " + name)
	m.throw("LookupError", "unknown encoding: "+name)
	return ""
}

func (m *machine) encode(s, codec string) string {
	m.w.Alloc(len(s))
	if codec == "utf8" {
		return s
	}
	limit := map[string]rune{"ascii": 0x80, "latin1": 0x100}[codec]
	out := make([]byte, 0, len(s))
	for i, r := range runes(s) {
		if r >= limit {
			m.throw("UnicodeEncodeError", "'"+map[string]string{"ascii": "ascii", "latin1": "latin-1"}[codec]+"' codec can't encode character "+quote(string(r), false)+" in position "+itoa(i)+": ordinal not in range("+itoa(int(limit))+")")
		}
		out = append(out, byte(r))
	}
	return string(out)
}

func (m *machine) decode(b bytesV, codec string, errors any) string {
	m.w.Alloc(len(b))
	switch codec {
	case "latin1":
		rs := make([]rune, len(b))
		for i := range len(b) {
			rs[i] = rune(b[i])
		}
		return string(rs)
	case "hex", "base64", "rot13":
		m.throw("LookupError", "'"+codec+"' is not a text encoding; use codecs.decode() to handle arbitrary codecs")
	}
	if !utf8.ValidString(string(b)) {
		switch errors {
		case "ignore":
			return strings.ToValidUTF8(string(b), "")
		case "replace":
			return strings.ToValidUTF8(string(b), "\ufffd")
		}
		for i := 0; i < len(b); {
			r, n := utf8.DecodeRuneInString(string(b[i:]))
			if r == utf8.RuneError && n == 1 {
				m.throw("UnicodeDecodeError", "'utf-8' codec can't decode byte 0x"+hex.EncodeToString([]byte{b[i]})+" in position "+itoa(i)+": invalid start byte")
			}
			i += n
		}
	}
	return string(b)
}

func (m *machine) bytesMethod(b bytesV, name string) func([]any, kwargs) any {
	switch name {
	case "decode":
		return func(args []any, kw kwargs) any {
			errors := arg(args, 1)
			if v, ok := kw["errors"]; ok {
				errors = v
			}
			enc := arg(args, 0)
			if v, ok := kw["encoding"]; ok {
				enc = v
			}
			return m.decode(b, m.codec(enc), errors)
		}
	case "hex":
		return func([]any, kwargs) any { return hex.EncodeToString([]byte(b)) }
	case "encode", "format", "isidentifier", "casefold", "isprintable", "isdecimal", "isnumeric":
		return nil
	}
	// What text has, bytes have too: byte by byte, as characters below 256.
	f := m.textMethod(string(b), name)
	if f == nil {
		return nil
	}
	return func(args []any, kw kwargs) any {
		conv := make([]any, len(args))
		for i, a := range args {
			conv[i] = a
			if t, ok := a.(bytesV); ok {
				conv[i] = string(t)
			} else if _, ok := a.(string); ok {
				m.typeError("a bytes-like object is required, not 'str'")
			} else if l, ok := a.(*list); ok {
				c := &list{}
				for _, x := range l.items {
					if t, ok := x.(bytesV); ok {
						x = string(t)
					}
					c.items = append(c.items, x)
				}
				conv[i] = c
			}
		}
		return toBytes(f(conv, kw))
	}
}

func toBytes(v any) any {
	switch v := v.(type) {
	case string:
		return bytesV(v)
	case *list:
		for i := range v.items {
			v.items[i] = toBytes(v.items[i])
		}
	case tuple:
		for i := range v {
			v[i] = toBytes(v[i])
		}
	}
	return v
}
