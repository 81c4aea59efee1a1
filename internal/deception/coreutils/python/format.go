package python

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

func (m *machine) str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case *instance:
		if f, _, ok := v.cls.find("__str__"); ok {
			s, _ := m.call(bind(f, v), nil, nil).(string)
			return s
		}
		if v.cls.is(m.errors["BaseException"]) {
			return m.message(v)
		}
	}
	return m.repr(v)
}

func (m *machine) repr(v any) string {
	m.step(1)
	m.depth++
	defer func() { m.depth-- }()
	if m.depth > maxDepth {
		m.throw("RecursionError", "maximum recursion depth exceeded while getting the repr of an object")
	}
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case *big.Int:
		if v.BitLen() > 14284 {
			m.valueError("Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit")
		}
		return v.String()
	case float64:
		return floatText(v)
	case string:
		return quote(v, false)
	case bytesV:
		return "b" + quote(string(v), true)
	case *list:
		return "[" + m.reprItems(v.items) + "]"
	case tuple:
		if len(v) == 1 {
			return "(" + m.repr(v[0]) + ",)"
		}
		return "(" + m.reprItems(v) + ")"
	case *dict:
		var parts []string
		v.live(func(k, x any) bool { parts = append(parts, m.repr(k)+": "+m.repr(x)); return true })
		if v.name != "" {
			return v.name + "({" + strings.Join(parts, ", ") + "})"
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *set:
		if v.d.len() == 0 {
			return typeName(v) + "()"
		}
		s := "{" + m.reprItems(v.d.keyList()) + "}"
		if v.frozen {
			return "frozenset(" + s + ")"
		}
		return s
	case *rangeV:
		if v.step != 1 {
			return fmt.Sprintf("range(%d, %d, %d)", v.lo, v.hi, v.step)
		}
		return fmt.Sprintf("range(%d, %d)", v.lo, v.hi)
	case *instance:
		return m.reprInstance(v)
	}
	return m.reprOther(v)
}

func (m *machine) reprInstance(v *instance) string {
	if f, _, ok := v.cls.find("__repr__"); ok {
		s, _ := m.call(bind(f, v), nil, nil).(string)
		return s
	}
	if v.cls.is(m.errors["BaseException"]) {
		args, _ := v.dict["args"].(tuple)
		if len(args) > 2 && v.cls.is(m.errors["OSError"]) {
			args = args[:2]
		}
		return v.cls.name + "(" + m.reprItems(args) + ")"
	}
	mod := v.cls.module
	if mod == "" {
		mod = "__main__"
	}
	return "<" + mod + "." + v.cls.name + " object at " + m.address(v) + ">"
}

// address is a believable place in memory, the same for the same value.
func (m *machine) address(v any) string {
	m.handles++
	var n uint64
	_, _ = fmt.Sscanf(fmt.Sprintf("%p", v), "0x%x", &n)
	return fmt.Sprintf("0x7f%010x", (n*0x9e3779b97f4a7c15>>24)&^0xf)[:14]
}

func (m *machine) reprOther(v any) string {
	switch v := v.(type) {
	case *function:
		if v.self != nil {
			return "<bound method " + v.def.name + " of " + m.repr(v.self) + ">"
		}
		return "<function " + v.def.name + " at " + m.address(v) + ">"
	case *builtin:
		return "<built-in function " + v.name + ">"
	case *class:
		if v.module == "builtins" || v.module == "" {
			return "<class '" + v.name + "'>"
		}
		return "<class '" + v.module + "." + v.name + "'>"
	case *module:
		switch v.name {
		case "sys", "time", "math", "builtins", "pwd", "zlib", "binascii":
			return "<module '" + v.name + "' (built-in)>"
		case "os":
			return "<module 'os' (frozen)>"
		}
		return "<module '" + v.name + "' from '" + modulePath(v.name) + "'>"
	case *iterator:
		return "<" + v.kind + " object at " + m.address(v) + ">"
	}
	return "<object>"
}

func (m *machine) reprItems(items []any) string {
	var b strings.Builder
	for i, x := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(m.repr(x))
		if b.Len() > 1<<20 {
			m.w.Alloc(b.Len())
			m.throw("MemoryError")
		}
	}
	return b.String()
}

// A spec is a format specification: [[fill]align][sign][#][0][width][,][.prec][type].
type spec struct {
	fill             rune
	align, sign      byte
	alt, zero        bool
	width, precision int
	group            byte
	kind             byte
}

func (m *machine) parseSpec(s string) spec {
	sp := spec{fill: ' ', precision: -1}
	rs := []rune(s)
	isAlign := func(r rune) bool { return r == '<' || r == '>' || r == '^' || r == '=' }
	i := 0
	switch {
	case len(rs) > 1 && isAlign(rs[1]):
		sp.fill, sp.align, i = rs[0], byte(rs[1]), 2
	case len(rs) > 0 && isAlign(rs[0]):
		sp.align, i = byte(rs[0]), 1
	}
	at := func() rune {
		if i < len(rs) {
			return rs[i]
		}
		return 0
	}
	number := func() int {
		n := 0
		for at() >= '0' && at() <= '9' {
			if n = n*10 + int(at()-'0'); n > 1<<20 {
				m.valueError("Too many decimal digits in format string")
			}
			i++
		}
		return n
	}
	if c := at(); c == '+' || c == '-' || c == ' ' {
		sp.sign = byte(c)
		i++
	}
	if at() == '#' {
		sp.alt = true
		i++
	}
	if at() == '0' {
		sp.zero = true
		i++
	}
	sp.width = number()
	if c := at(); c == ',' || c == '_' {
		sp.group = byte(c)
		i++
	}
	if at() == '.' {
		i++
		sp.precision = number()
	}
	if i < len(rs) {
		sp.kind = byte(rs[i])
		i++
	}
	if i < len(rs) {
		m.valueError("Invalid format specifier")
	}
	return sp
}

// format is format(v, spec).
func (m *machine) format(v any, text string) string {
	if text == "" {
		return m.str(v)
	}
	if i, ok := v.(*instance); ok {
		if f, _, ok := i.cls.find("__format__"); ok {
			return m.str(m.call(bind(f, i), []any{text}, nil))
		}
	}
	sp := m.parseSpec(text)
	m.w.Alloc(sp.width)
	switch v := v.(type) {
	case string:
		return m.formatText(sp, v)
	case bool:
		if sp.kind == 0 || sp.kind == 's' {
			return m.formatText(sp, m.str(v))
		}
		return m.formatInt(sp, toBig(v))
	case int64, *big.Int:
		if strings.IndexByte("eEfFgG%", sp.kind) >= 0 && sp.kind != 0 {
			f, _ := toFloat(v)
			return m.formatFloat(sp, f)
		}
		return m.formatInt(sp, toBig(v))
	case float64:
		return m.formatFloat(sp, v)
	case nil, *list, tuple, *dict, *set:
		m.typeError("unsupported format string passed to " + typeName(v) + ".__format__")
	}
	return m.formatText(sp, m.str(v))
}

func (m *machine) formatText(sp spec, s string) string {
	if sp.kind != 0 && sp.kind != 's' {
		m.valueError("Unknown format code '" + string(sp.kind) + "' for object of type 'str'")
	}
	if rs := []rune(s); sp.precision >= 0 && len(rs) > sp.precision {
		s = string(rs[:sp.precision])
	}
	return pad(sp, '<', "", s)
}

func (m *machine) formatInt(sp spec, n *big.Int) string {
	sign, a := signOf(sp, n.Sign() < 0), new(big.Int).Abs(n)
	prefix, digits := "", ""
	every := 3
	switch sp.kind {
	case 0, 'd', 'n':
		digits = a.String()
	case 'x', 'X':
		digits, prefix, every = a.Text(16), "0x", 4
	case 'o':
		digits, prefix, every = a.Text(8), "0o", 4
	case 'b':
		digits, prefix, every = a.Text(2), "0b", 4
	case 'c':
		return pad(sp, '<', "", string(rune(a.Int64())))
	default:
		m.valueError("Unknown format code '" + string(sp.kind) + "' for object of type 'int'")
	}
	if sp.kind == 'X' {
		digits, prefix = strings.ToUpper(digits), "0X"
	}
	if !sp.alt {
		prefix = ""
	}
	if sp.group != 0 {
		digits = groupDigits(digits, sp.group, every)
	}
	return pad(sp, '>', sign+prefix, digits)
}

func signOf(sp spec, negative bool) string {
	switch {
	case negative:
		return "-"
	case sp.sign == '+':
		return "+"
	case sp.sign == ' ':
		return " "
	}
	return ""
}

func groupDigits(s string, c byte, every int) string {
	whole, rest, dot := strings.Cut(s, ".")
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%every == 0 {
			b.WriteByte(c)
		}
		b.WriteByte(whole[i])
	}
	if dot {
		return b.String() + "." + rest
	}
	return b.String()
}

func (m *machine) formatFloat(sp spec, f float64) string {
	sign := signOf(sp, f < 0 || f == 0 && math.Signbit(f))
	digits, end := "", ""
	p := sp.precision
	if p > 300 {
		p = 300
	}
	a := math.Abs(f)
	switch k := sp.kind; k {
	case 0:
		if p < 0 {
			digits = floatText(a)
		} else {
			digits = general(a, max(p, 1), false)
			if !strings.ContainsAny(digits, ".e") {
				digits += ".0"
			}
		}
	case 'f', 'F', '%':
		if p < 0 {
			p = 6
		}
		if k == '%' {
			a, end = a*100, "%"
		}
		digits = strconv.FormatFloat(a, 'f', p, 64)
	case 'e', 'E':
		if p < 0 {
			p = 6
		}
		digits = strconv.FormatFloat(a, 'e', p, 64)
		if k == 'E' {
			digits = strings.ToUpper(digits)
		}
	case 'g', 'G', 'n':
		if p < 0 {
			p = 6
		}
		digits = general(a, max(p, 1), sp.alt)
		if k == 'G' {
			digits = strings.ToUpper(digits)
		}
	default:
		m.valueError("Unknown format code '" + string(k) + "' for object of type 'float'")
	}
	if math.IsInf(f, 0) {
		digits = "inf"
	}
	if math.IsNaN(f) {
		digits, sign = "nan", ""
	}
	if sp.group != 0 {
		digits = groupDigits(digits, sp.group, 3)
	}
	return pad(sp, '>', sign, digits+end)
}

// general is C's %g.
func general(f float64, p int, alt bool) string {
	if f == 0 {
		return "0"
	}
	s := strconv.FormatFloat(f, 'e', p-1, 64)
	i := strings.IndexByte(s, 'e')
	exp, _ := strconv.Atoi(s[i+1:])
	trim := func(s string) string {
		if strings.Contains(s, ".") && !alt {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	if exp < -4 || exp >= p {
		return trim(s[:i]) + s[i:]
	}
	return trim(strconv.FormatFloat(f, 'f', p-1-exp, 64))
}

func pad(sp spec, def byte, sign, s string) string {
	n := sp.width - strLen(sign) - strLen(s)
	align := sp.align
	fill := sp.fill
	if align == 0 {
		align = def
		if sp.zero && def == '>' {
			align, fill = '=', '0'
		}
	} else if sp.zero && sp.fill == ' ' {
		fill = '0'
	}
	if n <= 0 {
		return sign + s
	}
	f := func(k int) string { return strings.Repeat(string(fill), k) }
	switch align {
	case '<':
		return sign + s + f(n)
	case '^':
		return f(n/2) + sign + s + f(n-n/2)
	case '=':
		return sign + f(n) + s
	}
	return f(n) + sign + s
}

// percent is the old formatting with %.
func (m *machine) percent(format string, v any) string {
	args, isTuple := v.(tuple)
	if !isTuple {
		args = tuple{v}
	}
	named, _ := v.(*dict)
	used := 0
	next := func() any {
		if used >= len(args) {
			m.typeError("not enough arguments for format string")
		}
		used++
		return args[used-1]
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		sp := spec{fill: ' ', precision: -1}
		if i++; i >= len(format) {
			m.valueError("incomplete format")
		}
		var arg any
		hasArg := false
		if format[i] == '(' && named != nil {
			end := strings.IndexByte(format[i:], ')')
			if end < 0 {
				m.valueError("incomplete format key")
			}
			name := format[i+1 : i+end]
			x, ok := named.get("s" + name)
			if !ok {
				m.throw("KeyError", name)
			}
			arg, hasArg = x, true
			i += end + 1
		}
		i = m.percentFlags(&sp, format, i, next)
		if i >= len(format) {
			m.valueError("incomplete format")
		}
		if format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if !hasArg {
			arg = next()
		}
		b.WriteString(m.percentOne(sp, format[i], i, arg))
		m.w.Alloc(sp.width)
	}
	if used < len(args) && named == nil && (isTuple || used == 0) {
		m.typeError("not all arguments converted during string formatting")
	}
	return b.String()
}

func (m *machine) percentFlags(sp *spec, format string, i int, next func() any) int {
	for ; i < len(format); i++ {
		switch format[i] {
		case '-':
			sp.align = '<'
		case '0':
			sp.zero = true
		case '+', ' ':
			sp.sign = format[i]
		case '#':
			sp.alt = true
		default:
			goto width
		}
	}
width:
	number := func() int {
		if i < len(format) && format[i] == '*' {
			i++
			return min(m.asInt(next(), "* wants int"), 1<<20)
		}
		n := 0
		for i < len(format) && format[i] >= '0' && format[i] <= '9' {
			n = min(n*10+int(format[i]-'0'), 1<<20)
			i++
		}
		return n
	}
	sp.width = number()
	if i < len(format) && format[i] == '.' {
		i++
		sp.precision = number()
	}
	for i < len(format) && strings.IndexByte("hlL", format[i]) >= 0 {
		i++
	}
	return i
}

func (m *machine) percentOne(sp spec, kind byte, at int, v any) string {
	if sp.align == '<' {
		sp.zero = false
	}
	switch kind {
	case 's', 'r', 'a':
		s := m.repr(v)
		if kind == 's' {
			s = m.str(v)
			if b, ok := v.(bytesV); ok && false {
				s = string(b)
			}
		}
		sp.kind = 's'
		if sp.align == 0 {
			sp.align = '>'
		}
		return m.formatText(sp, s)
	case 'c':
		if s, ok := v.(string); ok {
			return pad(sp, '>', "", s)
		}
		return pad(sp, '>', "", string(rune(m.asInt(v, "%c requires int or char"))))
	case 'd', 'i', 'u', 'x', 'X', 'o':
		if f, ok := v.(float64); ok && (kind == 'd' || kind == 'i' || kind == 'u') {
			n, _ := big.NewFloat(f).Int(nil)
			v = norm(n)
		}
		if !isInt(v) {
			if kind == 'd' || kind == 'i' || kind == 'u' {
				m.typeError("%" + string(kind) + " format: a real number is required, not " + typeName(v))
			}
			m.typeError("%" + string(kind) + " format: an integer is required, not " + typeName(v))
		}
		sp.kind = kind
		if kind == 'i' || kind == 'u' {
			sp.kind = 'd'
		}
		return m.formatInt(sp, toBig(v))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f, ok := toFloat(v)
		if !ok {
			m.typeError("must be real number, not " + typeName(v))
		}
		sp.kind = kind
		return m.formatFloat(sp, f)
	}
	m.valueError("unsupported format character '" + string(kind) + "' (0x" + strconv.FormatInt(int64(kind), 16) + ") at index " + itoa(at))
	return ""
}

// braces is str.format.
func (m *machine) braces(format string, args []any, kw kwargs) string {
	auto := 0
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if (c == '{' || c == '}') && i+1 < len(format) && format[i+1] == c {
			b.WriteByte(c)
			i++
			continue
		}
		if c == '}' {
			m.valueError("Single '}' encountered in format string")
		}
		if c != '{' {
			b.WriteByte(c)
			continue
		}
		end := closing(format[i+1:])
		if end < 0 {
			m.valueError("Single '{' encountered in format string")
		}
		b.WriteString(m.bracesField(format[i+1:i+1+end], args, kw, &auto))
		i += end + 1
	}
	m.w.Alloc(b.Len())
	return b.String()
}

func (m *machine) bracesField(field string, args []any, kw kwargs, auto *int) string {
	name, spec, _ := strings.Cut(field, ":")
	conv := byte(0)
	if i := strings.IndexByte(name, '!'); i >= 0 && i+1 < len(name) {
		name, conv = name[:i], name[i+1]
	}
	if strings.Contains(spec, "{") {
		spec = m.braces(spec, args[min(*auto+1, len(args)):], kw)
	}
	head := name
	if i := strings.IndexAny(name, ".["); i >= 0 {
		head = name[:i]
	}
	var v any
	if n, err := strconv.Atoi(head); err == nil && n >= 0 && *auto > 0 {
		m.valueError("cannot switch from automatic field numbering to manual field specification")
	}
	if head == "" {
		head = itoa(*auto)
		name = head + name
		*auto++
	}
	if n, err := strconv.Atoi(head); err == nil {
		if n >= len(args) {
			m.throw("IndexError", "Replacement index "+head+" out of range for positional args tuple")
		}
		v = args[n]
	} else {
		x, ok := kw[head]
		if !ok {
			m.throw("KeyError", head)
		}
		v = x
	}
	v = m.walkField(v, name[len(head):])
	switch conv {
	case 'r', 'a':
		v = m.repr(v)
	case 's':
		v = m.str(v)
	}
	return m.format(v, spec)
}

// walkField follows .name and [key] behind a field's first word.
func (m *machine) walkField(v any, rest string) any {
	for rest != "" {
		end := strings.IndexAny(rest[1:], ".[")
		part := rest[1:]
		if end >= 0 {
			part = rest[1 : 1+end]
		}
		if rest[0] == '.' {
			v = m.attr(v, part)
		} else {
			key := strings.TrimSuffix(part, "]")
			if n, err := strconv.ParseInt(key, 10, 64); err == nil {
				v = m.index(v, n)
			} else {
				v = m.index(v, key)
			}
		}
		rest = rest[1+len(part):]
	}
	return v
}
