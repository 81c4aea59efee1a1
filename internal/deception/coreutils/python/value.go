package python

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Values are nil (None), bool, int64, *big.Int, float64, string, bytesV, *list,
// tuple, *dict, *set, *function, *builtin, *class, *instance, *module, *rangeV
// and *iterator.
type (
	bytesV string
	list   struct{ items []any }
	tuple  []any
	dict   struct {
		keys []any
		vals []any
		at   map[string]int
		dead int    // deleted entries
		name string // of a class like Counter
	}
	set struct {
		d      dict
		frozen bool
	}
	rangeV  struct{ lo, hi, step int64 }
	builtin struct {
		name string
		self any // of a method
		fn   func(m *machine, args []any, kw kwargs) any
	}
	function struct {
		def      *funcDef
		defaults map[string]any
		env      *frame
		self     any // bound to
		cls      *class
	}
	class struct {
		name    string
		module  string
		bases   []*class
		dict    map[string]any
		builtin func(m *machine, args []any, kw kwargs) any // constructor of a built-in type
	}
	instance struct {
		cls    *class
		dict   map[string]any
		native any // what modules keep in it
	}
	module struct {
		name string
		dict map[string]any
		// missing makes an attribute on demand; ok false when there is none.
		missing func(m *machine, name string) (any, bool)
	}
	iterator struct {
		next func() (any, bool)
		kind string
	}
	kwargs map[string]any
	gone   struct{} // a deleted key
)

func norm(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

func toBig(v any) *big.Int {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v)
	case *big.Int:
		return v
	case bool:
		if v {
			return big.NewInt(1)
		}
	}
	return new(big.Int)
}

// typeName is what type(v).__name__ says.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case bytesV:
		return "bytes"
	case *list:
		return "list"
	case tuple:
		return "tuple"
	case *dict:
		if v.name != "" {
			return v.name
		}
		return "dict"
	case *set:
		if v.frozen {
			return "frozenset"
		}
		return "set"
	case *rangeV:
		return "range"
	case *function:
		if v.self != nil {
			return "method"
		}
		return "function"
	case *builtin:
		return "builtin_function_or_method"
	case *class:
		return "type"
	case *instance:
		return v.cls.name
	case *module:
		return "module"
	case *iterator:
		return v.kind
	}
	return "object"
}

// key is a value's identity in a dict; ok is false for what cannot be hashed.
func key(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "N", true
	case bool:
		if v {
			return "i1", true
		}
		return "i0", true
	case int64:
		return "i" + strconv.FormatInt(v, 10), true
	case *big.Int:
		return "i" + v.String(), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return "i" + strconv.FormatInt(int64(v), 10), true
		}
		return "f" + strconv.FormatFloat(v, 'g', -1, 64), true
	case string:
		return "s" + v, true
	case bytesV:
		return "b" + string(v), true
	case tuple:
		var b strings.Builder
		b.WriteString("t(")
		for _, x := range v {
			k, ok := key(x)
			if !ok {
				return "", false
			}
			b.WriteString(strconv.Itoa(len(k)) + ":" + k)
		}
		return b.String(), true
	case *list, *dict:
		return "", false
	case *set:
		if !v.frozen {
			return "", false
		}
		return "z" + fmt.Sprintf("%p", v), true
	}
	return "p" + fmt.Sprintf("%p", v), true
}

func (d *dict) get(k string) (any, bool) {
	i, ok := d.at[k]
	if !ok {
		return nil, false
	}
	return d.vals[i], true
}

func (d *dict) put(k string, kv, v any) {
	if d.at == nil {
		d.at = map[string]int{}
	}
	if i, ok := d.at[k]; ok {
		d.vals[i] = v
		return
	}
	d.at[k] = len(d.keys)
	d.keys, d.vals = append(d.keys, kv), append(d.vals, v)
}

func (d *dict) drop(k string) bool {
	i, ok := d.at[k]
	if !ok {
		return false
	}
	delete(d.at, k)
	d.keys[i], d.vals[i] = gone{}, nil
	if d.dead++; d.dead > 16 && d.dead > len(d.keys)/2 {
		d.pack()
	}
	return true
}

// pack forgets deleted entries.
func (d *dict) pack() {
	n := 0
	for i, k := range d.keys {
		if _, dead := k.(gone); dead {
			continue
		}
		d.keys[n], d.vals[n] = k, d.vals[i]
		id, _ := key(k)
		d.at[id] = n
		n++
	}
	d.keys, d.vals, d.dead = d.keys[:n], d.vals[:n], 0
}

func (d *dict) len() int { return len(d.at) }

func (d *dict) setStr(k string, v any) { d.put("s"+k, k, v) }

// live calls fn with every entry in its order.
func (d *dict) live(fn func(k, v any) bool) {
	for i := 0; i < len(d.keys); i++ {
		if _, dead := d.keys[i].(gone); !dead && !fn(d.keys[i], d.vals[i]) {
			return
		}
	}
}

func (d *dict) keyList() []any {
	out := make([]any, 0, d.len())
	d.live(func(k, _ any) bool { out = append(out, k); return true })
	return out
}

func (r *rangeV) len() int64 {
	if r.step > 0 && r.lo < r.hi {
		return (r.hi-r.lo-1)/r.step + 1
	}
	if r.step < 0 && r.lo > r.hi {
		return (r.lo-r.hi-1)/-r.step + 1
	}
	return 0
}

func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	i := strings.IndexByte(s, 'e')
	exp, _ := strconv.Atoi(s[i+1:])
	if exp < -4 || exp >= 16 {
		m := s[:i]
		return m + "e" + map[bool]string{true: "-", false: "+"}[exp < 0] + fmt.Sprintf("%02d", max(exp, -exp))
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote is repr of text.
func quote(s string, bin bool) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, "\"") {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if !bin {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case r == rune(q) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString("\\n")
		case r == '\r':
			b.WriteString("\\r")
		case r == '\t':
			b.WriteString("\\t")
		case r < ' ' || r == 0x7f || bin && r > 0x7e:
			fmt.Fprintf(&b, "\\x%02x", r)
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "\\udc%02x", s[i])
		case r > 0x7e && !unicode.IsPrint(r) && r < 0x100:
			fmt.Fprintf(&b, "\\x%02x", r)
		case r > 0x7e && !unicode.IsPrint(r) && r < 0x10000:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	b.WriteByte(q)
	return b.String()
}

// runes gives a string's characters by index.
func runes(s string) []rune { return []rune(s) }

func isASCII(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c >= 0x80 })
}

func strLen(s string) int {
	if isASCII(s) {
		return len(s)
	}
	return utf8.RuneCountInString(s)
}
