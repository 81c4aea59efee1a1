package perl

import (
	"bufio"
	"io"
	"math"
	"strings"
)

// A scope holds the variables of a block.
type scope struct {
	vars map[string]any // "$x" *scalar, "@x" *array, "%x" *hash
	up   *scope
}

func (s *scope) find(name string) any {
	for ; s != nil; s = s.up {
		if v, ok := s.vars[name]; ok {
			return v
		}
	}
	return nil
}

func (s *scope) put(name string, v any) {
	if s.vars == nil {
		s.vars = map[string]any{}
	}
	s.vars[name] = v
}

// Panics that unwind the program.
type (
	died    struct{ v any }
	leave   struct{ status int }
	jump    struct{ word string } // next, last
	gaveVal struct{ vals []any }  // return
)

type machine struct {
	w      World
	prog   *Program
	global *scope
	subs   map[string]*code
	out    *bufio.Writer
	files  map[string]*handle
	in     *handle
	line   int
	depth  int
	ends   []*node
	seed   uint64
	autos  bool // $| is set
	cur    *handle
	errno  int // of $!
}

// A handle is an open file.
type handle struct {
	r *bufio.Reader
	w *bufio.Writer
	c io.Closer
}

const maxDepth = 800

func (m *machine) die(msg string) {
	panic(died{msg + " at " + m.prog.File + " line " + itoa(max(m.line, 1)) + ".\n"})
}

// missing names a construct that is not here and ends the program.
func (m *machine) missing(what string) {
	m.w.Unsupported("perl " + what)
	panic(leave{0})
}

// scalarOf evaluates n to one value.
func (m *machine) scalar(n *node, s *scope) any {
	m.w.Step(1)
	m.depth++
	defer func() { m.depth-- }()
	if m.depth > maxDepth {
		panic(leave{139})
	}
	if n.line > 0 {
		m.line = n.line
	}
	switch n.op {
	case "str":
		return n.s
	case "num":
		return num(n.s)
	case "cat":
		var b strings.Builder
		for _, k := range n.kids {
			b.WriteString(str(m.scalar(k, s)))
		}
		m.w.Alloc(b.Len())
		return b.String()
	case "joined":
		var parts []string
		for _, v := range m.list(n.kids[0], s) {
			parts = append(parts, str(v))
		}
		return strings.Join(parts, " ")
	case "$", "elem", "helem", "$deref":
		return m.get(n, s)
	case "@", "@deref":
		return int64(len(m.array(n, s).items))
	case "%", "%deref":
		return int64(len(m.hash(n, s).m))
	case "last":
		return int64(len(m.array(n.kids[0], s).items)) - 1
	case "list":
		var v any
		for _, k := range n.kids {
			v = m.scalar(k, s)
		}
		return v
	case "my":
		m.declare(n, s)
		if n.kids[0].op == "$" {
			return m.get(n.kids[0], s)
		}
		return nil
	case "=":
		return m.assign(n, s, false)
	case "||", "//", "&&", "!", "?:", "xor":
		return m.logic(n, s)
	case "array":
		return &array{m.list(n.kids[0], s)}
	case "hash":
		h := &hash{}
		m.fill(h, m.list(n.kids[0], s))
		return h
	case "sub":
		return &code{"__ANON__", n.kids[0], s}
	case "ref":
		return m.reference(n.kids[0], s)
	case "match", "subst", "tr", "=~", "!~":
		return m.matching(n, s)
	case "pre++", "pre--", "post++", "post--":
		return m.step(n, s)
	case "neg", "~", "+", "-", "*", "/", "mod", "**", ".", "x", "<<", ">>", "&", "|", "^", "==", "!=", "<", ">", "<=", ">=", "<=>", "eq", "ne", "lt", "gt", "le", "ge", "cmp":
		return m.operator(n, s)
	case "read":
		return m.readLine(n.s, s)
	case "qx":
		return m.backticks(str(m.scalar(n.kids[0], s)))
	case "grep", "map":
		return int64(len(m.list(n, s)))
	case "test":
		return boolean(m.w.Exists(n.s[0], str(m.scalar(n.kids[0], s))))
	case "print", "say", "printf":
		return m.print(n, s)
	case "bare word":
		return m.bareword(n, s)
	}
	vals := m.list(n, s)
	if len(vals) == 0 {
		return nil
	}
	return vals[len(vals)-1]
}

// list evaluates n to its values.
func (m *machine) list(n *node, s *scope) []any {
	if n == nil {
		return nil
	}
	m.w.Step(1)
	if n.line > 0 {
		m.line = n.line
	}
	switch n.op {
	case "list":
		var out []any
		for _, k := range n.kids {
			out = append(out, m.list(k, s)...)
		}
		m.w.Alloc(16 * len(out))
		return out
	case "@", "@deref":
		return append([]any(nil), m.array(n, s).items...)
	case "%", "%deref":
		h := m.hash(n, s)
		var out []any
		for _, k := range h.keys {
			out = append(out, k, h.m[k])
		}
		return out
	case "my":
		m.declare(n, s)
		return m.list(n.kids[0], s)
	case "..":
		return m.span(m.scalar(n.kids[0], s), m.scalar(n.kids[1], s))
	case "=":
		v := m.assign(n, s, true)
		if l, ok := v.([]any); ok {
			return l
		}
		return []any{v}
	case "?:":
		if truth(m.scalar(n.kids[0], s)) {
			return m.list(n.kids[1], s)
		}
		return m.list(n.kids[2], s)
	case "||", "//":
		if v := m.scalar(n.kids[0], s); truth(v) || n.op == "//" && v != nil {
			return []any{v}
		}
		return m.list(n.kids[1], s)
	case "slice", "hslice":
		return m.slice(n, s)
	case "read":
		return m.readAll(n.s, s)
	case "qx":
		return lines(m.backticks(str(m.scalar(n.kids[0], s))))
	case "sort", "map", "grep":
		return m.overList(n, s)
	case "x":
		if n.kids[0].op == "list" {
			vals := m.list(n.kids[0], s)
			var out []any
			for range min(toInt(m.scalar(n.kids[1], s)), 1<<20) {
				m.w.Alloc(16 * len(vals))
				out = append(out, vals...)
			}
			return out
		}
	case "match":
		return m.matchList(n, m.topic(s), s)
	case "=~":
		if n.kids[1].op == "match" && n.kids[1].s != "qr" {
			return m.matchList(n.kids[1], m.scalar(n.kids[0], s), s)
		}
	case "func", "call", "callref", "method", "do", "eval":
		return m.callNode(n, s)
	case "block", "bare", "if", "while", "for", "foreach", "def", "use", "BEGIN", "END":
		return m.run(n, s)
	}
	return []any{m.scalar(n, s)}
}

func lines(v any) []any {
	var out []any
	for l := range strings.Lines(str(v)) {
		out = append(out, l)
	}
	return out
}

// run executes a statement and returns its last value.
func (m *machine) run(n *node, s *scope) []any {
	m.w.Step(1)
	if n.line > 0 {
		m.line = n.line
	}
	switch n.op {
	case "block":
		var v []any
		for _, k := range n.kids {
			if k.op == "def" {
				m.subs[k.s] = &code{k.s, k.kids[0], s}
			}
		}
		for _, k := range n.kids {
			v = m.run(k, s)
		}
		return v
	case "bare":
		m.looped(func() { m.run(n.kids[0], &scope{up: s}) })
	case "if":
		inner := s
		if n.kids[1].op == "block" {
			inner = &scope{up: s}
		}
		if truth(m.scalar(n.kids[0], inner)) {
			return m.run(n.kids[1], inner)
		}
		if len(n.kids) > 2 {
			return m.run(n.kids[2], inner)
		}
	case "while":
		m.while(n, s)
	case "for":
		m.forLoop(n, s)
	case "foreach":
		m.foreach(n, s)
	case "def", "use":
	case "BEGIN":
		m.run(n.kids[0], &scope{up: s})
	case "END":
		m.ends = append(m.ends, n.kids[0])
	default:
		return m.list(n, s)
	}
	return nil
}

// looped runs a loop's body; last ends the loop.
func (m *machine) looped(fn func()) (last bool) {
	depth := m.depth
	defer func() {
		if r := recover(); r != nil {
			j, ok := r.(jump)
			if !ok {
				panic(r)
			}
			m.depth = depth
			last = j.word == "last"
		}
	}()
	fn()
	return false
}

func (m *machine) while(n *node, s *scope) {
	for {
		m.w.Step(2)
		inner := &scope{up: s}
		cond := n.kids[0]
		var on bool
		switch {
		case cond.op == "read": // while (<FH>) fills $_
			v := m.scalar(cond, inner)
			m.setTopic(s, v)
			on = v != nil
		case cond.op == "=" && cond.kids[1].op == "read" && (cond.kids[0].op == "my" || cond.kids[0].op == "$"):
			on = m.scalar(cond, inner) != nil
		default:
			on = truth(m.scalar(cond, inner))
		}
		if !on || m.looped(func() { m.run(n.kids[1], inner) }) {
			return
		}
	}
}

func (m *machine) forLoop(n *node, s *scope) {
	inner := &scope{up: s}
	if n.kids[0] != nil {
		m.list(n.kids[0], inner)
	}
	for n.kids[1] == nil || truth(m.scalar(n.kids[1], inner)) {
		m.w.Step(2)
		if m.looped(func() { m.run(n.kids[3], &scope{up: inner}) }) {
			return
		}
		if n.kids[2] != nil {
			m.list(n.kids[2], inner)
		}
	}
}

func (m *machine) foreach(n *node, s *scope) {
	vals := m.list(n.kids[1], s)
	var back *array
	if k := n.kids[1]; k.op == "@" || k.op == "list" && len(k.kids) == 1 && k.kids[0].op == "@" {
		if k.op == "list" {
			k = k.kids[0]
		}
		back = m.array(k, s) // the loop variable is the element itself
	}
	for i, v := range vals {
		m.w.Step(2)
		inner := &scope{up: s}
		cell := &scalar{v}
		inner.put("$"+n.kids[0].s, cell)
		last := m.looped(func() { m.run(n.kids[2], inner) })
		if back != nil && i < len(back.items) {
			back.items[i] = cell.v
		}
		if last {
			return
		}
	}
}

// declare makes the variables of my.
func (m *machine) declare(n *node, s *scope) {
	vars := []*node{n.kids[0]}
	if n.kids[0].op == "list" {
		vars = n.kids[0].kids
	}
	for _, v := range vars {
		if n.s == "our" && s.find(v.op+v.s) != nil {
			continue
		}
		switch v.op {
		case "$":
			old := any(nil)
			if n.s == "local" {
				old = m.get(v, s)
			}
			s.put("$"+v.s, &scalar{old})
		case "@":
			s.put("@"+v.s, &array{})
		case "%":
			s.put("%"+v.s, &hash{})
		}
	}
	m.w.Alloc(64)
}

func (m *machine) cell(name string, s *scope) *scalar {
	if c, ok := s.find("$" + name).(*scalar); ok {
		return c
	}
	c := &scalar{}
	m.global.put("$"+name, c)
	m.w.Alloc(64)
	return c
}

func (m *machine) topic(s *scope) any       { return m.cell("_", s).v }
func (m *machine) setTopic(s *scope, v any) { m.cell("_", s).v = v }

// array finds or makes the array an expression names.
func (m *machine) array(n *node, s *scope) *array {
	if n.op == "@deref" {
		v := m.scalar(n.kids[0], s)
		if a, ok := v.(*array); ok {
			return a
		}
		a := &array{}
		if v == nil {
			m.set(n.kids[0], a, s)
		}
		return a
	}
	if n.op == "my" {
		m.declare(n, s)
		n = n.kids[0]
	}
	if a, ok := s.find("@" + n.s).(*array); ok {
		return a
	}
	a := &array{}
	m.global.put("@"+n.s, a)
	return a
}

func (m *machine) hash(n *node, s *scope) *hash {
	if n.op == "%deref" {
		v := m.scalar(n.kids[0], s)
		if h, ok := v.(*hash); ok {
			return h
		}
		h := &hash{}
		if v == nil {
			m.set(n.kids[0], h, s)
		}
		return h
	}
	if h, ok := s.find("%" + n.s).(*hash); ok {
		return h
	}
	h := &hash{}
	m.global.put("%"+n.s, h)
	return h
}

// get reads what can be assigned to.
func (m *machine) get(n *node, s *scope) any {
	switch n.op {
	case "$":
		switch n.s {
		case "$":
			return int64(m.w.PID())
		case "0":
			return m.prog.File
		}
		return m.cell(n.s, s).v
	case "$deref":
		if c, ok := m.scalar(n.kids[0], s).(*scalar); ok {
			return c.v
		}
		return nil
	case "elem":
		a := m.array(n.kids[0], s)
		i := toInt(m.scalar(n.kids[1], s))
		if i < 0 {
			i += int64(len(a.items))
		}
		if i < 0 || i >= int64(len(a.items)) {
			return nil
		}
		return a.items[i]
	case "helem":
		return m.hash(n.kids[0], s).m[str(m.scalar(n.kids[1], s))]
	}
	return m.scalar(n, s)
}

// set assigns one value.
func (m *machine) set(n *node, v any, s *scope) {
	m.w.Alloc(len(str0(v)) + 16)
	switch n.op {
	case "$":
		if n.s == "|" {
			m.autos = truth(v)
		}
		m.cell(n.s, s).v = v
	case "my":
		m.declare(n, s)
		m.set(n.kids[0], v, s)
	case "$deref":
		if c, ok := m.scalar(n.kids[0], s).(*scalar); ok {
			c.v = v
		}
	case "elem":
		a := m.array(n.kids[0], s)
		i := toInt(m.scalar(n.kids[1], s))
		if i < 0 {
			i += int64(len(a.items))
		}
		if i < 0 || i > 1<<20 {
			m.die("Modification of non-creatable array value attempted, subscript " + itoa(int(i)))
		}
		for int64(len(a.items)) <= i {
			m.w.Alloc(16)
			a.items = append(a.items, nil)
		}
		a.items[i] = v
	case "helem":
		h := m.hash(n.kids[0], s)
		h.set(str(m.scalar(n.kids[1], s)), v)
		m.w.Alloc(64)
		if n.kids[0].op == "%" && n.kids[0].s == "ENV" {
			m.w.Setenv(str(m.scalar(n.kids[1], s)), str(v))
		}
	case "@", "@deref":
		m.array(n, s).items = []any{v}
	case "list":
		m.setList(n, []any{v}, s)
	default:
		m.die("Can't modify non-lvalue subroutine call")
	}
}

func str0(v any) string {
	t, _ := v.(string)
	return t
}

func isList(n *node) bool {
	switch n.op {
	case "@", "%", "list", "@deref", "%deref", "slice", "hslice":
		return true
	case "my":
		return isList(n.kids[0])
	}
	return false
}

func (m *machine) assign(n *node, s *scope, wantList bool) any {
	left, right := n.kids[0], n.kids[1]
	if n.s != "" {
		return m.assignOp(n, s)
	}
	if !isList(left) {
		v := m.scalar(right, s)
		m.set(left, v, s)
		return v
	}
	vals := m.list(right, s)
	m.setList(left, vals, s)
	if wantList {
		return vals
	}
	return int64(len(vals))
}

func (m *machine) setList(left *node, vals []any, s *scope) {
	m.w.Alloc(16 * len(vals))
	switch left.op {
	case "my":
		m.declare(left, s)
		m.setList(left.kids[0], vals, s)
	case "@", "@deref":
		m.array(left, s).items = append([]any(nil), vals...)
	case "%", "%deref":
		h := m.hash(left, s)
		*h = hash{}
		m.fill(h, vals)
	case "list":
		for _, k := range left.kids {
			if isList(k) {
				m.setList(k, vals, s)
				vals = nil
				continue
			}
			var v any
			if len(vals) > 0 {
				v, vals = vals[0], vals[1:]
			}
			if k.op != "func" { // undef takes a place
				m.set(k, v, s)
			}
		}
	case "$":
		m.set(left, append(vals, nil)[0], s)
	default:
		m.missing("assignment to " + left.op)
	}
}

func (m *machine) fill(h *hash, vals []any) {
	for i := 0; i < len(vals); i += 2 {
		var v any
		if i+1 < len(vals) {
			v = vals[i+1]
		}
		m.w.Alloc(64)
		h.set(str(vals[i]), v)
	}
}

func (m *machine) assignOp(n *node, s *scope) any {
	left := n.kids[0]
	if left.op == "@" || left.op == "@deref" {
		if n.s == "x" || n.s == "." {
			m.missing("array " + n.s + "=")
		}
	}
	old := m.get(left, s)
	switch n.s {
	case "||":
		if truth(old) {
			return old
		}
	case "&&":
		if !truth(old) {
			return old
		}
	case "//":
		if old != nil {
			return old
		}
	default:
		v := m.arith(n.s, old, m.scalar(n.kids[1], s))
		m.set(left, v, s)
		return v
	}
	v := m.scalar(n.kids[1], s)
	m.set(left, v, s)
	return v
}

func (m *machine) logic(n *node, s *scope) any {
	x := m.scalar(n.kids[0], s)
	switch n.op {
	case "!":
		return boolean(!truth(x))
	case "?:":
		if truth(x) {
			return m.scalar(n.kids[1], s)
		}
		return m.scalar(n.kids[2], s)
	case "xor":
		return boolean(truth(x) != truth(m.scalar(n.kids[1], s)))
	case "&&":
		if !truth(x) {
			return x
		}
	case "||":
		if truth(x) {
			return x
		}
	default:
		if x != nil {
			return x
		}
	}
	return m.scalar(n.kids[1], s)
}

func (m *machine) reference(n *node, s *scope) any {
	switch n.op {
	case "@", "@deref":
		return m.array(n, s)
	case "%", "%deref":
		return m.hash(n, s)
	case "call":
		if c := m.subs[n.s]; c != nil {
			return c
		}
	case "$":
		return m.cell(n.s, s)
	case "my":
		m.declare(n, s)
		return m.reference(n.kids[0], s)
	}
	return &scalar{m.scalar(n, s)}
}

func (m *machine) step(n *node, s *scope) any {
	old := m.get(n.kids[0], s)
	var now any
	if t, ok := old.(string); ok && t != "" && n.op == "post++" && strings.IndexByte("0123456789-.", t[0]) < 0 {
		now = successor(t)
	} else if strings.HasSuffix(n.op, "++") {
		now = m.arith("+", old, int64(1))
	} else {
		now = m.arith("-", old, int64(1))
	}
	m.set(n.kids[0], now, s)
	if strings.HasPrefix(n.op, "pre") {
		return now
	}
	if old == nil {
		return int64(0)
	}
	return old
}

// successor is ++ of text: az becomes ba.
func successor(t string) string {
	b := []byte(t)
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case 'z':
			b[i] = 'a'
		case 'Z':
			b[i] = 'A'
		case '9':
			b[i] = '0'
		default:
			b[i]++
			return string(b)
		}
	}
	return map[byte]string{'a': "a", 'A': "A", '0': "1"}[b[0]] + string(b)
}

func (m *machine) operator(n *node, s *scope) any {
	x := m.scalar(n.kids[0], s)
	switch n.op {
	case "neg":
		if t, ok := x.(string); ok && t != "" && isWordByte(t[0]) && (t[0] < '0' || t[0] > '9') {
			return "-" + t
		}
		return m.arith("-", int64(0), x)
	case "~":
		return int64(^uint64(toInt(x)) & math.MaxInt64)
	}
	return m.arith(n.op, x, m.scalar(n.kids[1], s))
}

// arith does the binary operators.
func (m *machine) arith(op string, x, y any) any {
	switch op {
	case ".":
		a, b := str(x), str(y)
		m.w.Alloc(len(a) + len(b))
		return a + b
	case "x":
		a, n := str(x), toInt(y)
		if n <= 0 || a == "" {
			return ""
		}
		if n > (1<<28)/int64(len(a)) {
			panic(died{"Out of memory!\n"})
		}
		m.w.Alloc(len(a) * int(n))
		return strings.Repeat(a, int(n))
	case "eq", "ne", "lt", "gt", "le", "ge", "cmp":
		return ordered(op, strings.Compare(str(x), str(y)))
	case "==", "!=", "<", ">", "<=", ">=", "<=>":
		a, b := toFloat(x), toFloat(y)
		c := 0
		if a < b {
			c = -1
		} else if a > b {
			c = 1
		}
		return ordered(op, c)
	case "&":
		return toInt(x) & toInt(y)
	case "|":
		return toInt(x) | toInt(y)
	case "^":
		return toInt(x) ^ toInt(y)
	case "<<":
		return toInt(x) << uint64(toInt(y)&63)
	case ">>":
		return int64(uint64(toInt(x)) >> uint64(toInt(y)&63))
	}
	return m.numeric(op, num(x), num(y))
}

func ordered(op string, c int) any {
	switch op {
	case "eq", "==":
		return boolean(c == 0)
	case "ne", "!=":
		return boolean(c != 0)
	case "lt", "<":
		return boolean(c < 0)
	case "gt", ">":
		return boolean(c > 0)
	case "le", "<=":
		return boolean(c <= 0)
	case "ge", ">=":
		return boolean(c >= 0)
	}
	return int64(c)
}

func (m *machine) numeric(op string, x, y any) any {
	a, aok := x.(int64)
	b, bok := y.(int64)
	fa, fb := toFloat(x), toFloat(y)
	exact := aok && bok
	switch op {
	case "+":
		if c := a + b; exact && (c > a) == (b > 0) {
			return c
		}
		return fa + fb
	case "-":
		if c := a - b; exact && (c < a) == (b > 0) {
			return c
		}
		return fa - fb
	case "*":
		if exact && math.Abs(fa*fb) < 9e18 {
			return a * b
		}
		return fa * fb
	case "/":
		if fb == 0 {
			m.die("Illegal division by zero")
		}
		return whole(fa / fb)
	case "%", "mod":
		if toInt(y) == 0 {
			m.die("Illegal modulus zero")
		}
		r := toInt(x) % toInt(y)
		if r != 0 && (r < 0) != (toInt(y) < 0) {
			r += toInt(y)
		}
		return r
	case "**":
		return whole(math.Pow(fa, fb))
	}
	m.missing("operator " + op)
	return nil
}

func (m *machine) span(x, y any) []any {
	var out []any
	if t, ok := x.(string); ok && t != "" && (t[0] < '0' || t[0] > '9') && t[0] != '-' {
		end := str(y)
		for range 100_000 {
			m.w.Alloc(32)
			out = append(out, t)
			if t == end || len(t) > len(end) {
				break
			}
			if t = successor(t); len(t) > len(end) {
				break
			}
		}
		return out
	}
	for i, hi := toInt(x), toInt(y); i <= hi; i++ {
		m.w.Alloc(16)
		m.w.Step(1)
		out = append(out, i)
	}
	return out
}

func (m *machine) slice(n *node, s *scope) []any {
	var out []any
	if n.op == "hslice" {
		h := m.hash(n.kids[0], s)
		for _, k := range m.list(n.kids[1], s) {
			out = append(out, h.m[str(k)])
		}
		return out
	}
	var items []any
	if n.kids[0].op == "list" {
		items = m.list(n.kids[0], s)
	} else {
		items = m.array(n.kids[0], s).items
	}
	for _, k := range m.list(n.kids[1], s) {
		i := toInt(k)
		if i < 0 {
			i += int64(len(items))
		}
		if i >= 0 && i < int64(len(items)) {
			out = append(out, items[i])
		} else {
			out = append(out, nil)
		}
	}
	return out
}
