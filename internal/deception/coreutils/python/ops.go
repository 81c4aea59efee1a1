package python

import (
	"math"
	"math/big"
	"slices"
	"strings"
)

// maxBits bounds whole numbers.
const maxBits = 200_000

func (m *machine) unary(op string, v any) any {
	switch op {
	case "not":
		return !m.truth(v)
	case "-":
		switch v := v.(type) {
		case float64:
			return -v
		case int64, bool, *big.Int:
			return norm(new(big.Int).Neg(toBig(v)))
		}
	case "+":
		switch v := v.(type) {
		case float64, int64, *big.Int:
			return v
		case bool:
			return toBig(v).Int64()
		}
	case "~":
		switch v.(type) {
		case int64, bool, *big.Int:
			return norm(new(big.Int).Not(toBig(v)))
		}
	}
	if i, ok := v.(*instance); ok {
		if f, _, ok := i.cls.find(map[string]string{"-": "__neg__", "+": "__pos__", "~": "__invert__"}[op]); ok {
			return m.call(bind(f, i), nil, nil)
		}
	}
	m.typeError("bad operand type for unary " + op + ": '" + typeName(v) + "'")
	return nil
}

func isInt(v any) bool {
	switch v.(type) {
	case int64, bool, *big.Int:
		return true
	}
	return false
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case bool, *big.Int:
		f, _ := new(big.Float).SetInt(toBig(v)).Float64()
		return f, true
	}
	return 0, false
}

func (m *machine) binary(op string, x, y any) any { return m.binaryNamed(op, op, x, y) }

func (m *machine) binaryNamed(op, shown string, x, y any) any {
	if a, ok := x.(int64); ok {
		if b, ok := y.(int64); ok {
			if v, ok := m.small(op, a, b); ok {
				return v
			}
		}
	}
	if isInt(x) && isInt(y) {
		if v, ok := m.integers(op, toBig(x), toBig(y)); ok {
			if _, b := x.(bool); b && strings.Contains("&|^", op) {
				if _, b := y.(bool); b {
					return toBig(v).Sign() != 0
				}
			}
			return v
		}
	}
	if a, ok := toFloat(x); ok {
		if b, ok := toFloat(y); ok {
			if v, ok := m.floats(op, a, b); ok {
				return v
			}
		}
	}
	if v, ok := m.containers(op, x, y); ok {
		return v
	}
	if v, ok := m.overloaded(op, x, y); ok {
		return v
	}
	m.badOperands(op, shown, x, y)
	return nil
}

func (m *machine) badOperands(op, shown string, x, y any) {
	if op == "+" {
		switch x.(type) {
		case string:
			m.typeError("can only concatenate str (not \"" + typeName(y) + "\") to str")
		case *list:
			m.typeError("can only concatenate list (not \"" + typeName(y) + "\") to list")
		case tuple:
			m.typeError("can only concatenate tuple (not \"" + typeName(y) + "\") to tuple")
		case bytesV:
			m.typeError("can't concat " + typeName(y) + " to bytes")
		}
	}
	if op == "*" {
		for _, p := range [][2]any{{x, y}, {y, x}} {
			switch p[0].(type) {
			case string, *list, tuple, bytesV:
				m.typeError("can't multiply sequence by non-int of type '" + typeName(p[1]) + "'")
			}
		}
	}
	if op == "**" {
		shown = "** or pow()"
	}
	m.typeError("unsupported operand type(s) for " + shown + ": '" + typeName(x) + "' and '" + typeName(y) + "'")
}

// small does what fits machine words.
func (m *machine) small(op string, a, b int64) (any, bool) {
	switch op {
	case "+":
		if c := a + b; (c > a) == (b > 0) {
			return c, true
		}
	case "-":
		if c := a - b; (c < a) == (b > 0) {
			return c, true
		}
	case "*":
		if a == 0 || b == 0 {
			return int64(0), true
		}
		if c := a * b; c/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64) {
			return c, true
		}
	case "&":
		return a & b, true
	case "|":
		return a | b, true
	case "^":
		return a ^ b, true
	}
	return nil, false
}

func (m *machine) integers(op string, a, b *big.Int) (any, bool) {
	z := new(big.Int)
	m.step(1 + (a.BitLen()+b.BitLen())/256)
	switch op {
	case "+":
		return norm(z.Add(a, b)), true
	case "-":
		return norm(z.Sub(a, b)), true
	case "*":
		m.room(a.BitLen() + b.BitLen())
		m.step(a.BitLen() / 64 * (b.BitLen() / 64) / 16)
		return norm(z.Mul(a, b)), true
	case "/":
		if b.Sign() == 0 {
			m.throw("ZeroDivisionError", "division by zero")
		}
		f, _ := new(big.Rat).SetFrac(a, b).Float64()
		if math.IsInf(f, 0) {
			m.throw("OverflowError", "integer division result too large for a float")
		}
		return f, true
	case "//", "%":
		if b.Sign() == 0 {
			if op == "%" {
				m.throw("ZeroDivisionError", "integer modulo by zero")
			}
			m.throw("ZeroDivisionError", "integer division or modulo by zero")
		}
		q, r := floorDiv(a, b)
		if op == "//" {
			return norm(q), true
		}
		return norm(r), true
	case "**":
		return m.power(a, b), true
	case "<<", ">>":
		if b.Sign() < 0 {
			m.valueError("negative shift count")
		}
		if op == "<<" {
			if !b.IsInt64() || b.Int64() > maxBits {
				m.throw("MemoryError")
			}
			m.room(a.BitLen() + int(b.Int64()))
			return norm(z.Lsh(a, uint(b.Int64()))), true
		}
		if !b.IsInt64() || b.Int64() > maxBits {
			b = big.NewInt(maxBits)
		}
		return norm(z.Rsh(a, uint(b.Int64()))), true
	case "&":
		return norm(z.And(a, b)), true
	case "|":
		return norm(z.Or(a, b)), true
	case "^":
		return norm(z.Xor(a, b)), true
	}
	return nil, false
}

// floorDiv divides as Python does: the remainder has the divisor's sign.
func floorDiv(a, b *big.Int) (q, r *big.Int) {
	q, r = new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() != 0 && (r.Sign() < 0) != (b.Sign() < 0) {
		q.Sub(q, big.NewInt(1))
		r.Add(r, b)
	}
	return q, r
}

func (m *machine) room(bits int) {
	if bits > maxBits {
		m.throw("MemoryError")
	}
}

func (m *machine) power(a, b *big.Int) any {
	if b.Sign() < 0 {
		x, _ := new(big.Float).SetInt(a).Float64()
		y, _ := new(big.Float).SetInt(b).Float64()
		if x == 0 {
			m.throw("ZeroDivisionError", "0.0 cannot be raised to a negative power")
		}
		return math.Pow(x, y)
	}
	if a.BitLen() > 1 && (!b.IsInt64() || int64(a.BitLen())*b.Int64() > maxBits) {
		m.throw("MemoryError")
	}
	if !b.IsInt64() {
		b = big.NewInt(b.Int64() & 1)
	}
	m.step(1 + a.BitLen()*int(min(b.Int64(), maxBits))/4096)
	return norm(new(big.Int).Exp(a, b, nil))
}

func (m *machine) floats(op string, a, b float64) (any, bool) {
	zero := func(msg string) {
		if b == 0 {
			m.throw("ZeroDivisionError", msg)
		}
	}
	switch op {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "/":
		zero("float division by zero")
		return a / b, true
	case "//":
		zero("float floor division by zero")
		return math.Floor(a / b), true
	case "%":
		zero("float modulo")
		r := math.Mod(a, b)
		if r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return r, true
	case "**":
		if a == 0 && b < 0 {
			m.throw("ZeroDivisionError", "0.0 cannot be raised to a negative power")
		}
		r := math.Pow(a, b)
		if math.IsInf(r, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
			m.throw("OverflowError", int64(34), "Numerical result out of range")
		}
		return r, true
	}
	return nil, false
}

// containers does + and * of sequences, % of text and the algebra of sets.
func (m *machine) containers(op string, x, y any) (any, bool) {
	switch op {
	case "+":
		switch a := x.(type) {
		case string:
			if b, ok := y.(string); ok {
				m.w.Alloc(len(a) + len(b))
				return a + b, true
			}
		case bytesV:
			if b, ok := y.(bytesV); ok {
				m.w.Alloc(len(a) + len(b))
				return a + b, true
			}
		case *list:
			if b, ok := y.(*list); ok {
				m.grow(len(a.items) + len(b.items))
				return &list{append(slices.Clone(a.items), b.items...)}, true
			}
		case tuple:
			if b, ok := y.(tuple); ok {
				m.grow(len(a) + len(b))
				return append(slices.Clone(a), b...), true
			}
		}
	case "*":
		if isInt(x) {
			x, y = y, x
		}
		if isInt(y) {
			return m.repeat(x, toBig(y))
		}
	case "%":
		switch a := x.(type) {
		case string:
			return m.percent(a, y), true
		case bytesV:
			return bytesV(m.percent(string(a), y)), true
		}
	case "|", "&", "-", "^":
		if a, ok := x.(*set); ok {
			if b, ok := y.(*set); ok {
				return m.algebra(op, a, b), true
			}
		}
		if a, ok := x.(*dict); ok && op == "|" {
			if b, ok := y.(*dict); ok {
				out := &dict{}
				for _, d := range []*dict{a, b} {
					d.live(func(k, v any) bool { out.put(m.key(k), k, v); return true })
				}
				return out, true
			}
		}
	}
	return nil, false
}

func (m *machine) repeat(x any, n *big.Int) (any, bool) {
	count := 0
	if n.Sign() > 0 {
		if !n.IsInt64() || n.Int64() > 1<<28 {
			m.throw("MemoryError")
		}
		count = int(n.Int64())
	}
	switch a := x.(type) {
	case string:
		m.big(len(a), count)
		return strings.Repeat(a, count), true
	case bytesV:
		m.big(len(a), count)
		return bytesV(strings.Repeat(string(a), count)), true
	case *list:
		m.big(16*len(a.items), count)
		return &list{slices.Repeat(a.items, count)}, true
	case tuple:
		m.big(16*len(a), count)
		return tuple(slices.Repeat(a, count)), true
	}
	return nil, false
}

func (m *machine) big(size, count int) {
	if size > 0 && count > (1<<28)/size {
		m.throw("MemoryError")
	}
	m.w.Alloc(size * count)
	m.step(size * count / 4096)
}

func (m *machine) algebra(op string, a, b *set) *set {
	out := &set{frozen: a.frozen}
	has := func(s *set, k any) bool { _, ok := s.d.at[m.key(k)]; return ok }
	for _, k := range a.d.keyList() {
		if op == "|" || op == "&" && has(b, k) || (op == "-" || op == "^") && !has(b, k) {
			out.d.put(m.key(k), k, nil)
		}
	}
	if op == "|" || op == "^" {
		for _, k := range b.d.keyList() {
			if op == "|" || !has(a, k) {
				out.d.put(m.key(k), k, nil)
			}
		}
	}
	return out
}

var operatorMethods = map[string]string{
	"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow", "&": "and", "|": "or", "^": "xor", "<<": "lshift", ">>": "rshift",
	"<": "lt", ">": "gt", "<=": "le", ">=": "ge", "==": "eq", "!=": "ne",
}

func (m *machine) overloaded(op string, x, y any) (any, bool) {
	name := operatorMethods[op]
	if i, ok := x.(*instance); ok && name != "" {
		if f, _, ok := i.cls.find("__" + name + "__"); ok {
			return m.call(bind(f, i), []any{y}, nil), true
		}
	}
	if i, ok := y.(*instance); ok && name != "" {
		if f, _, ok := i.cls.find("__r" + name + "__"); ok {
			return m.call(bind(f, i), []any{x}, nil), true
		}
	}
	return nil, false
}

func (m *machine) compareOp(op string, x, y any) any {
	switch op {
	case "is":
		return same(x, y)
	case "is not":
		return !same(x, y)
	case "in":
		return m.contains(y, x)
	case "not in":
		return !m.contains(y, x)
	}
	if v, ok := m.overloaded(op, x, y); ok {
		return v
	}
	switch op {
	case "==":
		return m.equal(x, y)
	case "!=":
		return !m.equal(x, y)
	}
	c, ok := m.compare(x, y)
	if !ok {
		m.typeError("'" + op + "' not supported between instances of '" + typeName(x) + "' and '" + typeName(y) + "'")
	}
	switch op {
	case "<":
		return c < 0
	case ">":
		return c > 0 && c != 2
	case "<=":
		return c <= 0
	}
	return c >= 0 && c != 2
}

func same(x, y any) bool {
	switch a := x.(type) {
	case nil:
		return y == nil
	case tuple, sliceV:
		return false
	case bool, int64, string, bytesV, float64:
		return a == y
	}
	switch y.(type) {
	case tuple, sliceV:
		return false
	}
	return x == y
}

func (m *machine) equal(x, y any) bool {
	m.step(1)
	if isInt(x) && isInt(y) {
		return toBig(x).Cmp(toBig(y)) == 0
	}
	if a, ok := toFloat(x); ok {
		b, ok := toFloat(y)
		return ok && a == b
	}
	switch a := x.(type) {
	case *list:
		b, ok := y.(*list)
		return ok && m.equalItems(a.items, b.items)
	case tuple:
		b, ok := y.(tuple)
		return ok && m.equalItems(a, b)
	case *dict:
		b, ok := y.(*dict)
		if !ok || a.len() != b.len() {
			return false
		}
		eq := true
		a.live(func(k, v any) bool {
			w, ok := b.get(m.key(k))
			eq = ok && m.equal(v, w)
			return eq
		})
		return eq
	case *set:
		b, ok := y.(*set)
		return ok && a.d.len() == b.d.len() && m.algebra("-", a, b).d.len() == 0
	case *instance:
		if f, _, ok := a.cls.find("__eq__"); ok {
			return m.truth(m.call(bind(f, a), []any{y}, nil))
		}
	case *rangeV:
		b, ok := y.(*rangeV)
		return ok && *a == *b
	}
	return same(x, y)
}

func (m *machine) equalItems(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	m.depth++
	defer func() { m.depth-- }()
	m.tooDeep()
	for i := range a {
		if !m.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// compare orders two values: negative, zero, positive, or 2 for not a number.
func (m *machine) compare(x, y any) (int, bool) {
	m.step(1)
	if isInt(x) && isInt(y) {
		return toBig(x).Cmp(toBig(y)), true
	}
	if a, ok := toFloat(x); ok {
		if b, ok := toFloat(y); ok {
			switch {
			case a < b:
				return -1, true
			case a > b:
				return 1, true
			case a == b:
				return 0, true
			}
			return 2, true
		}
		return 0, false
	}
	switch a := x.(type) {
	case string:
		b, ok := y.(string)
		return strings.Compare(a, b), ok
	case bytesV:
		b, ok := y.(bytesV)
		return strings.Compare(string(a), string(b)), ok
	case *list:
		if b, ok := y.(*list); ok {
			return m.compareItems(a.items, b.items)
		}
	case tuple:
		if b, ok := y.(tuple); ok {
			return m.compareItems(a, b)
		}
	case *set:
		if b, ok := y.(*set); ok {
			return m.algebra("-", a, b).d.len() - m.algebra("-", b, a).d.len(), true
		}
	case *instance:
		if f, _, ok := a.cls.find("__lt__"); ok {
			if m.truth(m.call(bind(f, a), []any{y}, nil)) {
				return -1, true
			}
			return 1, true
		}
	}
	return 0, false
}

func (m *machine) compareItems(a, b []any) (int, bool) {
	m.depth++
	defer func() { m.depth-- }()
	m.tooDeep()
	for i := range min(len(a), len(b)) {
		if m.equal(a[i], b[i]) {
			continue
		}
		c, ok := m.compare(a[i], b[i])
		if !ok {
			m.typeError("'<' not supported between instances of '" + typeName(a[i]) + "' and '" + typeName(b[i]) + "'")
		}
		return c, true
	}
	return len(a) - len(b), true
}

func (m *machine) contains(c, x any) bool {
	switch c := c.(type) {
	case string:
		s, ok := x.(string)
		if !ok {
			m.typeError("'in <string>' requires string as left operand, not " + typeName(x))
		}
		m.step(len(c) / 64)
		return strings.Contains(c, s)
	case bytesV:
		if s, ok := x.(bytesV); ok {
			return strings.Contains(string(c), string(s))
		}
	case *dict:
		_, ok := c.at[m.key(x)]
		return ok
	case *set:
		_, ok := c.d.at[m.key(x)]
		return ok
	case *rangeV:
		if n, ok := x.(int64); ok {
			return c.len() > 0 && (n-c.lo)%c.step == 0 && (c.step > 0 && n >= c.lo && n < c.hi || c.step < 0 && n <= c.lo && n > c.hi)
		}
	case *instance:
		if f, _, ok := c.cls.find("__contains__"); ok {
			return m.truth(m.call(bind(f, c), []any{x}, nil))
		}
	}
	next, ok := m.tryIter(c)
	if !ok {
		m.typeError("argument of type '" + typeName(c) + "' is not iterable")
	}
	for {
		v, ok := next()
		if !ok {
			return false
		}
		if m.equal(v, x) {
			return true
		}
	}
}

func (m *machine) truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case *big.Int:
		return v.Sign() != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case bytesV:
		return v != ""
	case *list:
		return len(v.items) > 0
	case tuple:
		return len(v) > 0
	case *dict:
		return v.len() > 0
	case *set:
		return v.d.len() > 0
	case *rangeV:
		return v.len() > 0
	case *instance:
		for _, name := range []string{"__bool__", "__len__"} {
			if f, _, ok := v.cls.find(name); ok {
				return m.truth(m.call(bind(f, v), nil, nil))
			}
		}
	}
	return true
}
