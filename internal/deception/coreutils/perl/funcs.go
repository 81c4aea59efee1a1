package perl

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// callNode calls a function, a built-in or a block with a value.
func (m *machine) callNode(n *node, s *scope) []any {
	switch n.op {
	case "do":
		return m.run(n.kids[0], &scope{up: s})
	case "eval":
		return m.guarded(func() []any { return m.run(n.kids[0], &scope{up: s}) })
	case "call":
		c := m.subs[n.s]
		if c == nil {
			m.die("Undefined subroutine &main::" + n.s + " called")
		}
		return m.callSub(c, m.list(n.kids[0], s))
	case "callref":
		c, ok := m.scalar(n.kids[0], s).(*code)
		if !ok {
			m.die("Not a CODE reference")
		}
		return m.callSub(c, m.list(n.kids[1], s))
	case "method":
		return m.method(n, s)
	}
	if n.s == "scalar" && len(n.kids) > 0 {
		k := n.kids[0]
		for k.op == "list" && len(k.kids) == 1 {
			k = k.kids[0]
		}
		if k.op == "func" && k.s == "reverse" {
			var b strings.Builder
			for _, v := range m.list(k.kids[0], s) {
				b.WriteString(str(v))
			}
			r := []byte(b.String())
			slices.Reverse(r)
			return []any{string(r)}
		}
		if k.op == "func" && (k.s == "keys" || k.s == "values") {
			return []any{int64(len(m.list(k, s)))}
		}
		return []any{m.scalar(k, s)}
	}
	if n.s == "next" || n.s == "last" {
		panic(jump{n.s})
	}
	var args []any
	lazy := strings.Contains(" push unshift pop shift splice defined exists delete keys values each chomp chop open opendir wantarray ", " "+n.s+" ")
	if !lazy && len(n.kids) > 0 {
		args = m.list(n.kids[0], s)
	}
	if c := m.subs[n.s]; c != nil {
		if lazy && len(n.kids) > 0 {
			args = m.list(n.kids[0], s)
		}
		return m.callSub(c, args)
	}
	if lazy {
		return m.onContainers(n, s)
	}
	if len(n.kids) == 0 && strings.Contains(unaryFunctions, " "+n.s+" ") && !strings.Contains(" exit sleep rand srand localtime gmtime caller umask close undef ", " "+n.s+" ") {
		args = []any{m.topic(s)}
	}
	for _, group := range []func(string, []any, *scope) ([]any, bool){m.textFunction, m.numberFunction, m.systemFunction, m.fileFunction} {
		if v, ok := group(n.s, args, s); ok {
			return v
		}
	}
	if n.s == "return" {
		panic(gaveVal{args})
	}
	if n.s == "undef" {
		if len(n.kids) > 0 && n.kids[0].op == "$" {
			m.set(n.kids[0], nil, s)
		}
		return []any{nil}
	}
	if strings.Contains(unaryFunctions+listFunctions, " "+n.s+" ") {
		m.missing(n.s)
	}
	m.die("Undefined subroutine &main::" + n.s + " called")
	return nil
}

func (m *machine) callSub(c *code, args []any) (vals []any) {
	m.depth++
	depth := m.depth
	if m.depth > maxDepth/4 {
		panic(leave{139})
	}
	defer func() {
		m.depth = depth - 1
		if r := recover(); r != nil {
			g, ok := r.(gaveVal)
			if !ok {
				panic(r)
			}
			vals = g.vals
		}
	}()
	s := &scope{up: c.env}
	s.put("@_", &array{args})
	return m.run(c.body, s)
}

// guarded is eval: what dies inside is in $@.
func (m *machine) guarded(fn func() []any) (vals []any) {
	depth := m.depth
	m.cell("@", m.global).v = ""
	defer func() {
		if r := recover(); r != nil {
			d, ok := r.(died)
			if !ok {
				panic(r)
			}
			m.depth = depth
			m.cell("@", m.global).v = d.v
			vals = []any{nil}
		}
	}()
	return fn()
}

func (m *machine) method(n *node, s *scope) []any {
	class := ""
	if n.kids[0].op == "str" || n.kids[0].op == "bare word" {
		class = n.kids[0].s
	}
	args := m.list(n.kids[1], s)
	if n.s == "new" && strings.HasPrefix(class, "IO::Socket") {
		h := &hash{}
		m.fill(h, args)
		addr := str(h.m["PeerAddr"])
		if addr == "" {
			addr = str(h.m["PeerHost"])
		}
		if p := str(h.m["PeerPort"]); p != "" && !strings.Contains(addr, ":") {
			addr += ":" + p
		}
		if addr == "" {
			m.missing("IO::Socket listen")
		}
		m.flush()
		m.cell("!", m.global).v = m.w.Reach("tcp://" + addr)
		m.cell("@", m.global).v = "IO::Socket::INET: connect: " + str(m.cell("!", m.global).v)
		return []any{nil}
	}
	if n.s == "autoflush" || n.s == "import" {
		return nil
	}
	m.missing("method " + class + "->" + n.s)
	return nil
}

// bareword is a function without arguments, or a string.
func (m *machine) bareword(n *node, s *scope) any {
	if c := m.subs[n.s]; c != nil {
		vals := m.callSub(c, nil)
		if len(vals) == 0 {
			return nil
		}
		return vals[len(vals)-1]
	}
	switch n.s {
	case "next", "last":
		panic(jump{n.s})
	}
	return n.s
}

func (m *machine) onContainers(n *node, s *scope) []any {
	var first *node
	var rest []any
	if len(n.kids) > 0 {
		first = n.kids[0]
		if first.op == "list" && len(first.kids) > 0 {
			for _, k := range first.kids[1:] {
				if n.s != "open" {
					rest = append(rest, m.list(k, s)...)
				}
			}
			if n.s != "open" && n.s != "chomp" {
				first = first.kids[0]
			}
		}
	}
	switch n.s {
	case "push", "unshift", "pop", "shift", "splice":
		return m.arrayFunction(n.s, first, rest, s)
	case "open", "opendir":
		return m.open(n, s)
	case "chomp", "chop":
		return m.chomp(n.s, first, s)
	case "defined", "exists", "delete":
		return m.presence(n.s, first, s)
	case "wantarray":
		return []any{int64(1)}
	}
	if first == nil {
		return nil
	}
	if first.op == "@" || first.op == "@deref" {
		items := m.array(first, s).items
		if n.s == "values" {
			return append([]any(nil), items...)
		}
		return m.span(int64(0), int64(len(items)-1))
	}
	h := m.hash(first, s)
	var out []any
	switch n.s {
	case "each":
		if h.each >= len(h.keys) {
			h.each = 0
			return nil
		}
		h.each++
		return []any{h.keys[h.each-1], h.m[h.keys[h.each-1]]}
	case "keys":
		for _, k := range h.keys {
			out = append(out, k)
		}
	case "values":
		for _, k := range h.keys {
			out = append(out, h.m[k])
		}
	}
	m.w.Step(1 + len(out)/16)
	m.w.Alloc(16 * len(out))
	return out
}

func (m *machine) arrayFunction(name string, first *node, rest []any, s *scope) []any {
	if first == nil {
		first = &node{op: "@", s: "ARGV"}
		if s.find("@_") != nil {
			first.s = "_"
		}
	}
	a := m.array(first, s)
	m.w.Alloc(16 * len(rest))
	switch name {
	case "push":
		a.items = append(a.items, rest...)
		return []any{int64(len(a.items))}
	case "unshift":
		m.w.Step(1 + len(a.items)/64)
		a.items = append(append([]any(nil), rest...), a.items...)
		return []any{int64(len(a.items))}
	case "splice":
		from, n := 0, len(a.items)
		if len(rest) > 0 {
			from = min(max(int(toInt(rest[0])), 0), n)
		}
		to := n
		if len(rest) > 1 {
			to = min(max(from+int(toInt(rest[1])), from), n)
		}
		out := append([]any(nil), a.items[from:to]...)
		a.items = slices.Replace(a.items, from, to, rest[min(2, len(rest)):]...)
		return out
	}
	if len(a.items) == 0 {
		return []any{nil}
	}
	var v any
	if name == "pop" {
		v, a.items = a.items[len(a.items)-1], a.items[:len(a.items)-1]
	} else {
		v, a.items = a.items[0], a.items[1:]
	}
	return []any{v}
}

func (m *machine) chomp(name string, first *node, s *scope) []any {
	if first == nil {
		first = &node{op: "$", s: "_"}
	}
	for first.op == "list" && len(first.kids) == 1 {
		first = first.kids[0]
	}
	cut := func(t string) string {
		if name == "chop" {
			return t[:max(0, len(t)-1)]
		}
		return strings.TrimSuffix(t, "\n")
	}
	if first.op == "=" { // chomp(my $x = <STDIN>)
		m.list(first, s)
		if first = first.kids[0]; first.op == "my" {
			first = first.kids[0]
		}
	}
	if first.op == "@" {
		a := m.array(first, s)
		for i := range a.items {
			a.items[i] = cut(str(a.items[i]))
		}
		return []any{int64(len(a.items))}
	}
	m.set(first, cut(str(m.get(first, s))), s)
	return []any{int64(1)}
}

func (m *machine) presence(name string, first *node, s *scope) []any {
	switch {
	case first == nil:
		return []any{boolean(m.topic(s) != nil)}
	case name == "delete" && first.op == "helem":
		return []any{m.hash(first.kids[0], s).del(str(m.scalar(first.kids[1], s)))}
	case name == "exists" && first.op == "helem":
		_, ok := m.hash(first.kids[0], s).m[str(m.scalar(first.kids[1], s))]
		return []any{boolean(ok)}
	case first.op == "call":
		return []any{boolean(m.subs[first.s] != nil)}
	case first.op == "@":
		return []any{boolean(len(m.array(first, s).items) > 0)}
	}
	return []any{boolean(m.scalar(first, s) != nil)}
}

func (m *machine) overList(n *node, s *scope) []any {
	vals := m.list(n.kids[1], s)
	fn := n.kids[0]
	if n.op == "sort" {
		slices.SortStableFunc(vals, func(a, b any) int {
			m.w.Step(1)
			if fn == nil {
				return strings.Compare(str(a), str(b))
			}
			m.cell("a", m.global).v, m.cell("b", m.global).v = a, b
			v := m.run(fn, &scope{up: s})
			if len(v) == 0 {
				return 0
			}
			return int(toInt(v[len(v)-1]))
		})
		return vals
	}
	var out []any
	for _, v := range vals {
		inner := &scope{up: s}
		inner.put("$_", &scalar{v})
		var got []any
		if fn.op == "block" {
			got = m.run(fn, inner)
		} else {
			got = m.list(fn, inner)
		}
		if n.op == "map" {
			m.w.Alloc(16 * len(got))
			out = append(out, got...)
		} else if len(got) > 0 && truth(got[len(got)-1]) {
			out = append(out, v)
		}
	}
	return out
}

func one(v any) ([]any, bool) { return []any{v}, true }

func argAt(args []any, i int) any {
	if i >= 0 && i < len(args) {
		return args[i]
	}
	return nil
}

func (m *machine) textFunction(name string, args []any, s *scope) ([]any, bool) {
	t := str(argAt(args, 0))
	m.w.Step(len(t) / 64)
	switch name {
	case "lc", "fc":
		return one(strings.ToLower(t))
	case "uc":
		return one(strings.ToUpper(t))
	case "ucfirst":
		return one(strings.ToUpper(t[:min(1, len(t))]) + t[min(1, len(t)):])
	case "lcfirst":
		return one(strings.ToLower(t[:min(1, len(t))]) + t[min(1, len(t)):])
	case "length":
		if argAt(args, 0) == nil {
			return one(nil)
		}
		return one(int64(len(t)))
	case "chr":
		if n := toInt(argAt(args, 0)); n < 256 {
			return one(string([]byte{byte(n)}))
		}
		return one(string(rune(toInt(argAt(args, 0)))))
	case "ord":
		if t == "" {
			return one(int64(0))
		}
		return one(int64(t[0]))
	case "quotemeta":
		var b strings.Builder
		for i := range len(t) {
			if !isWordByte(t[i]) {
				b.WriteByte('\\')
			}
			b.WriteByte(t[i])
		}
		return one(b.String())
	case "reverse":
		if len(args) == 1 {
			b := []byte(t)
			slices.Reverse(b)
			return one(string(b))
		}
		slices.Reverse(args)
		return args, true
	case "scalar":
		return one(argAt(args, len(args)-1))
	case "join":
		var parts []string
		for _, a := range args[min(1, len(args)):] {
			parts = append(parts, str(a))
		}
		out := strings.Join(parts, t)
		m.w.Alloc(len(out))
		return one(out)
	case "split":
		return m.split(args, s), true
	case "index", "rindex":
		sub := str(argAt(args, 1))
		if name == "rindex" {
			return one(int64(strings.LastIndex(t, sub)))
		}
		from := min(max(int(toInt(argAt(args, 2))), 0), len(t))
		if i := strings.Index(t[from:], sub); i >= 0 {
			return one(int64(from + i))
		}
		return one(int64(-1))
	case "substr":
		from := int(toInt(argAt(args, 1)))
		if from < 0 {
			from = max(0, from+len(t))
		}
		if from > len(t) {
			return one(nil)
		}
		n := len(t) - from
		if len(args) > 2 && args[2] != nil {
			if n = int(toInt(args[2])); n < 0 {
				n = max(0, len(t)-from+n)
			}
		}
		return one(t[from:min(len(t), from+n)])
	case "sprintf":
		return one(m.sprintf(t, args[min(1, len(args)):]))
	case "pack":
		return one(m.pack(t, args[min(1, len(args)):]))
	case "unpack":
		return m.unpack(t, str(argAt(args, 1))), true
	case "ref":
		return one(map[string]string{"ARRAY": "ARRAY", "HASH": "HASH", "CODE": "CODE", "SCALAR": "SCALAR"}[strings.SplitN(str(argAt(args, 0)), "(", 2)[0]])
	case "bless", "lock":
		return one(argAt(args, 0))
	}
	return nil, false
}

// split gets its pattern already matched against nothing: the parser hands it on
// as text, so a single blank is the special case.
func (m *machine) split(args []any, _ *scope) []any {
	if len(args) == 0 {
		return nil
	}
	t := str(argAt(args, 1))
	if len(args) < 2 {
		t = str(m.topic(m.global))
	}
	limit := int(toInt(argAt(args, 2)))
	var out []any
	p, isRE := args[0].(*pattern)
	switch {
	case !isRE && str(args[0]) == " ":
		f := strings.Fields(t)
		for _, x := range f {
			out = append(out, x)
		}
		m.w.Alloc(16*len(f) + len(t))
		return out
	case !isRE:
		p = &pattern{m.compile(&node{op: "str", s: str(args[0])}, "", m.global), str(args[0])}
	}
	if t == "" {
		return nil
	}
	if limit <= 0 {
		limit = -1
	}
	m.w.Alloc(len(t))
	for _, x := range p.re.Split(t, limit) {
		m.w.Alloc(16)
		out = append(out, x)
	}
	for limit < 0 && len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// sprintf knows C's formats and Perl's %b and %v.
func (m *machine) sprintf(format string, args []any) string {
	var b strings.Builder
	next := func() any {
		if len(args) == 0 {
			return nil
		}
		v := args[0]
		args = args[1:]
		return v
	}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		j := i + 1
		for j < len(format) && strings.IndexByte("0123456789.-+ #*hlqLV", format[j]) >= 0 {
			j++
		}
		if j >= len(format) {
			b.WriteString(format[i:])
			break
		}
		spec := strings.Map(func(r rune) rune {
			if strings.ContainsRune("hlqLV", r) {
				return -1
			}
			return r
		}, format[i:j])
		for strings.Contains(spec, "*") {
			spec = strings.Replace(spec, "*", strconv.FormatInt(min(toInt(next()), 4096), 10), 1)
		}
		if w, _ := strconv.Atoi(strings.TrimLeft(strings.SplitN(spec[1:], ".", 2)[0], "-+ #0")); w > 1<<16 || len(spec) > 12 {
			m.missing("sprintf width")
		}
		switch c := format[j]; c {
		case '%':
			b.WriteByte('%')
		case 'd', 'i', 'u':
			fmt.Fprintf(&b, spec+"d", toInt(next()))
		case 's':
			fmt.Fprintf(&b, spec+"s", str(next()))
		case 'c':
			b.WriteString(string(rune(toInt(next()))))
		case 'x', 'X', 'o', 'b', 'B':
			fmt.Fprintf(&b, spec+strings.ToLower(string(c))[:1], uint64(toInt(next())))
			if c == 'X' {
				t := b.String()
				b.Reset()
				b.WriteString(strings.ToUpper(t))
			}
		case 'e', 'f', 'g', 'E', 'G', 'F':
			b.WriteString(cFormat(spec+string(c), toFloat(next())))
		default:
			b.WriteString(format[i : j+1])
		}
		i = j
	}
	m.w.Alloc(b.Len())
	return b.String()
}

func (m *machine) numberFunction(name string, args []any, _ *scope) ([]any, bool) {
	v := argAt(args, 0)
	f := toFloat(v)
	switch name {
	case "int":
		return one(whole(math.Trunc(f)))
	case "abs":
		return one(whole(math.Abs(f)))
	case "sqrt":
		if f < 0 {
			m.die("Can't take sqrt of " + number(f))
		}
		return one(whole(math.Sqrt(f)))
	case "floor":
		return one(whole(math.Floor(f)))
	case "ceil":
		return one(whole(math.Ceil(f)))
	case "sin":
		return one(math.Sin(f))
	case "cos":
		return one(math.Cos(f))
	case "exp":
		return one(math.Exp(f))
	case "log":
		if f <= 0 {
			m.die("Can't take log of " + number(f))
		}
		return one(math.Log(f))
	case "hex", "oct":
		s := strings.ToLower(strings.ReplaceAll(str(v), "_", ""))
		base := 8
		switch {
		case strings.HasPrefix(s, "0x"):
			s, base = s[2:], 16
		case strings.HasPrefix(s, "0b"):
			s, base = s[2:], 2
		case name == "hex":
			base = 16
		}
		n, _ := strconv.ParseUint(s, base, 63)
		return one(int64(n))
	case "rand":
		if f == 0 {
			f = 1
		}
		m.seed = m.seed*6364136223846793005 + 1442695040888963407 + uint64(m.w.Now().UnixNano())
		return one(float64(m.seed>>11) / (1 << 53) * f)
	case "srand":
		return one(int64(0))
	case "time":
		return one(m.w.Now().Unix())
	case "times":
		return []any{0.01, 0.0, 0.0, 0.0}, true
	case "localtime", "gmtime":
		t := m.w.Now().UTC()
		if len(args) > 0 {
			t = time.Unix(toInt(v), 0).UTC()
		}
		return []any{int64(t.Second()), int64(t.Minute()), int64(t.Hour()), int64(t.Day()), int64(t.Month()) - 1, int64(t.Year() - 1900), int64(t.Weekday()), int64(t.YearDay() - 1), t.Format(time.ANSIC)}, true
	}
	return nil, false
}
