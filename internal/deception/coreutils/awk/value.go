package awk

import (
	"math"
	"strconv"
	"strings"
)

// value is a number, a string, both (input that looks like a number) or nothing
// yet.
type value struct {
	kind byte // 0 unset, n number, s string, b input that looks like a number
	n    float64
	s    string
}

func num(f float64) value { return value{kind: 'n', n: f} }
func str(s string) value  { return value{kind: 's', s: s} }

func truth(b bool) value {
	if b {
		return num(1)
	}
	return num(0)
}

// input makes a value of something read: a number if it looks like one.
func input(s string) value {
	t := strings.Trim(s, " \t\n\r")
	if t != "" && (t[0] <= '9' || t[0] == '.') {
		body := strings.TrimLeft(t[:1], "+-") + t[1:]
		if n := numberPrefix(body); n > 0 && n == len(body) {
			f, err := strconv.ParseFloat(t, 64)
			if err == nil || math.IsInf(f, 0) {
				return value{kind: 'b', n: f, s: s}
			}
		}
	}
	return str(s)
}

// float reads the number at the beginning of a string, 0 if there is none.
func (v value) float() float64 {
	if v.kind != 's' {
		return v.n
	}
	t := strings.TrimLeft(v.s, " \t\n\r")
	sign := 0
	if t != "" && (t[0] == '+' || t[0] == '-') {
		sign = 1
	}
	if h := t[sign:]; len(h) > 2 && h[0] == '0' && h[1]|0x20 == 'x' { // mawk reads numbers by strtod
		n := len(h) - len(strings.TrimLeft(h[2:], "0123456789abcdefABCDEF"))
		if u, err := strconv.ParseUint(h[2:n], 16, 63); err == nil {
			if sign == 1 && t[0] == '-' {
				return -float64(u)
			}
			return float64(u)
		}
	}
	n := numberPrefix(t[sign:])
	if n == 0 {
		return 0
	}
	f, _ := strconv.ParseFloat(t[:sign+n], 64)
	return f
}

// text writes a value; numbers that are no integers follow format.
func (v value) text(format string) string {
	if v.kind != 'n' {
		return v.s
	}
	// mawk writes integers as such within the range of an int.
	if v.n == math.Trunc(v.n) && v.n >= -2147483648 && v.n < 2147483647 {
		return strconv.FormatInt(int64(v.n), 10)
	}
	if format == "%.6g" {
		return general(v.n, 6)
	}
	return sprintf(format, []value{v}, "%.6g", nil)
}

// general is C's %g.
func general(f float64, prec int) string {
	switch {
	case math.IsNaN(f):
		if math.Signbit(f) {
			return "-nan"
		}
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if prec == 0 {
		prec = 1
	}
	e := 0
	if f != 0 {
		s := strconv.FormatFloat(f, 'e', prec-1, 64)
		e, _ = strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	}
	if e < -4 || e >= prec {
		s := strconv.FormatFloat(f, 'e', prec-1, 64)
		mant, exp, _ := strings.Cut(s, "e")
		if strings.Contains(mant, ".") {
			mant = strings.TrimRight(strings.TrimRight(mant, "0"), ".")
		}
		return mant + "e" + exp
	}
	s := strconv.FormatFloat(f, 'f', max(0, prec-1-e), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func (v value) bool() bool {
	switch v.kind {
	case 'n', 'b':
		return v.n != 0
	case 's':
		return v.s != ""
	}
	return false
}

func compare(a, b value, conv string) int {
	if a.kind != 's' && b.kind != 's' {
		x, y := a.n, b.n
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	return strings.Compare(a.text(conv), b.text(conv))
}

// maxWidth bounds fields of printf.
const maxWidth = 8000

// sprintf formats; short says whether to complain of missing arguments.
func sprintf(format string, args []value, conv string, short func()) string {
	var b strings.Builder
	next := func() value {
		if len(args) == 0 {
			if short != nil {
				short()
			}
			return value{}
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
		for j < len(format) && strings.IndexByte("-+ #0123456789.*lhq", format[j]) >= 0 {
			j++
		}
		if j >= len(format) {
			b.WriteString(format[i:])
			break
		}
		flags := strings.Trim(format[i+1:j], "lhq")
		for strings.Contains(flags, "*") {
			flags = strings.Replace(flags, "*", strconv.Itoa(int(clamp(next().float()))), 1)
		}
		if format[j] == '%' {
			b.WriteByte('%')
		} else if strings.IndexByte("diouxXeEfFgGcs", format[j]) < 0 {
			b.WriteString(format[i : j+1])
		} else {
			b.WriteString(convert(flags, format[j], next(), conv))
		}
		i = j
	}
	return b.String()
}

func clamp(f float64) float64 { return max(-maxWidth, min(maxWidth, f)) }

func convert(flags string, verb byte, v value, conv string) string {
	body := strings.TrimLeft(flags, "-+ #0")
	lead := flags[:len(flags)-len(body)]
	w, p, hasPrec := strings.Cut(body, ".")
	wide, _ := strconv.Atoi(w)
	prec, _ := strconv.Atoi(p)
	wide, prec = int(clamp(float64(wide))), int(clamp(float64(prec)))
	s := ""
	zero := strings.Contains(lead, "0") && !strings.Contains(lead, "-")
	switch verb {
	case 's':
		s, zero = v.text(conv), false
		if hasPrec && prec < len(s) {
			s = s[:prec]
		}
	case 'c':
		zero = false
		if v.kind == 'n' || v.kind == 'b' {
			s = string([]byte{byte(int(v.n))})
		} else if v.s != "" {
			s = v.s[:1]
		}
	case 'd', 'i', 'o', 'u', 'x', 'X':
		s = integer(verb, lead, v.float())
		if hasPrec {
			sign := ""
			if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
				sign, s = s[:1], s[1:]
			}
			s = sign + strings.Repeat("0", max(0, prec-len(s))) + s
			zero = false
		}
	default:
		if !hasPrec {
			prec = 6
		}
		prec = min(prec, 300)
		f := v.float()
		switch verb {
		case 'g', 'G':
			s = general(f, prec)
		case 'F':
			s = strconv.FormatFloat(f, 'f', prec, 64)
		default:
			s = strconv.FormatFloat(f, verb|0x20, prec, 64)
		}
		if verb == 'E' || verb == 'G' {
			s = strings.ToUpper(s)
		}
		if f >= 0 && strings.Contains(lead, "+") {
			s = "+" + s
		}
	}
	n := wide - len(s)
	switch {
	case n <= 0:
	case strings.Contains(lead, "-"):
		s += strings.Repeat(" ", n)
	case zero:
		sign := ""
		if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
			sign, s = s[:1], s[1:]
		}
		s = sign + strings.Repeat("0", n) + s
	default:
		s = strings.Repeat(" ", n) + s
	}
	return s
}

func integer(verb byte, lead string, f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case f > math.MaxInt64:
		f = math.MaxInt64
	case f < math.MinInt64:
		f = math.MinInt64
	}
	n := int64(f)
	if f >= math.MaxInt64 {
		n = math.MaxInt64
	}
	switch verb {
	case 'o':
		return strconv.FormatUint(uint64(n), 8)
	case 'u':
		return strconv.FormatUint(uint64(n), 10)
	case 'x':
		if strings.Contains(lead, "#") && n != 0 {
			return "0x" + strconv.FormatUint(uint64(n), 16)
		}
		return strconv.FormatUint(uint64(n), 16)
	case 'X':
		return strings.ToUpper(strconv.FormatUint(uint64(n), 16))
	}
	s := strconv.FormatInt(n, 10)
	if n >= 0 && strings.Contains(lead, "+") {
		return "+" + s
	}
	if n >= 0 && strings.Contains(lead, " ") {
		return " " + s
	}
	return s
}
