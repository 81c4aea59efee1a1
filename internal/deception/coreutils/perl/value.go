package perl

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Values are nil (undef), string, int64, float64 and the references *scalar,
// *array, *hash, *code and *handle.
type (
	scalar struct{ v any }
	array  struct{ items []any }
	hash   struct {
		m    map[string]any
		keys []string
		each int
	}
	code struct {
		name string
		body *node
		env  *scope
	}
)

func (h *hash) set(k string, v any) {
	if h.m == nil {
		h.m = map[string]any{}
	}
	if _, ok := h.m[k]; !ok {
		h.keys = append(h.keys, k)
	}
	h.m[k] = v
}

func (h *hash) del(k string) any {
	v, ok := h.m[k]
	if ok {
		delete(h.m, k)
		for i, x := range h.keys {
			if x == k {
				h.keys = append(h.keys[:i:i], h.keys[i+1:]...)
				break
			}
		}
	}
	return v
}

func str(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return number(v)
	case *array:
		return fmt.Sprintf("ARRAY(%p)", v)
	case *hash:
		return fmt.Sprintf("HASH(%p)", v)
	case *code:
		return fmt.Sprintf("CODE(%p)", v)
	case *scalar:
		return fmt.Sprintf("SCALAR(%p)", v)
	case *handle:
		return fmt.Sprintf("GLOB(%p)", v)
	case *pattern:
		return v.String()
	}
	return ""
}

// number is how Perl prints a float: %.15g.
func number(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	case math.IsNaN(f):
		return "NaN"
	case f == math.Trunc(f) && math.Abs(f) < 1e15:
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return cFormat("%.15g", f)
}

// num reads the number a value begins with.
func num(v any) any {
	switch v := v.(type) {
	case nil:
		return int64(0)
	case int64, float64:
		return v
	case string:
		s := strings.TrimLeft(v, " \t\n")
		j := 0
		for j < len(s) && (s[j] >= '0' && s[j] <= '9' || j == 0 && (s[j] == '-' || s[j] == '+')) {
			j++
		}
		whole := j
		if j < len(s) && s[j] == '.' {
			for j++; j < len(s) && s[j] >= '0' && s[j] <= '9'; j++ {
			}
		}
		if j+1 < len(s) && s[j]|0x20 == 'e' && j > 0 && (s[j+1] >= '0' && s[j+1] <= '9' || j+2 < len(s) && (s[j+1] == '-' || s[j+1] == '+')) {
			for j += 2; j < len(s) && s[j] >= '0' && s[j] <= '9'; j++ {
			}
		}
		if n, err := strconv.ParseInt(s[:j], 10, 64); err == nil && j == whole {
			return n
		}
		f, _ := strconv.ParseFloat(s[:j], 64)
		return f
	}
	return int64(1)
}

func toFloat(v any) float64 {
	switch n := num(v).(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

func toInt(v any) int64 {
	switch n := num(v).(type) {
	case int64:
		return n
	case float64:
		if n > 9e18 {
			return math.MaxInt64
		}
		return int64(n)
	}
	return 0
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != "" && v != "0"
	case int64:
		return v != 0
	case float64:
		return v != 0
	}
	return true
}

func boolean(b bool) any {
	if b {
		return int64(1)
	}
	return ""
}

// whole gives an integer where one fits.
func whole(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 9e15 {
		return int64(f)
	}
	return f
}

// cFormat formats one number as C does; Go's %g writes exponents otherwise.
func cFormat(spec string, f float64) string {
	kind := spec[len(spec)-1]
	if kind != 'g' && kind != 'G' {
		return fmt.Sprintf(spec, f)
	}
	p := 6
	if i := strings.IndexByte(spec, '.'); i >= 0 {
		p, _ = strconv.Atoi(spec[i+1 : len(spec)-1])
	}
	p = max(p, 1)
	s := strconv.FormatFloat(f, 'e', p-1, 64)
	i := strings.IndexByte(s, 'e')
	exp, _ := strconv.Atoi(s[i+1:])
	trim := func(s string) string {
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	if exp < -4 || exp >= p {
		return trim(s[:i]) + s[i:]
	}
	return trim(strconv.FormatFloat(f, 'f', p-1-exp, 64))
}
