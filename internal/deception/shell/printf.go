package shell

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

func printfBuiltin(e *env, args []string) int {
	words := args[1:]
	into := ""
	for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' && e.dialect == bash {
		switch {
		case words[0] == "--":
			words = words[1:]
		case words[0] == "-v" && len(words) > 1:
			into, words = words[1], words[2:]
			if n, _, _ := cutIndex(into); !isName(n) {
				e.errorf("printf: `%s': not a valid identifier", into)
				return 2
			}
			continue
		case strings.HasPrefix(words[0], "-v"):
			e.errorf("printf: -v: option requires an argument")
			return e.usage("printf")
		default:
			return e.badOption("printf", words[0][:2])
		}
		break
	}
	if len(words) == 0 {
		return e.usage("printf")
	}
	f := &formatter{e: e, args: words[1:]}
	f.all(words[0])
	if into != "" {
		if err := e.assignName(into, f.out.String()); err != nil {
			e.errorf("%s", err)
			return 1
		}
		return f.status
	}
	e.out(f.out.String())
	return f.status
}

// A formatter is one run of printf.
type formatter struct {
	e      *env
	args   []string
	used   bool // an argument was asked for in this round
	out    strings.Builder
	status int
	stop   bool
}

// all repeats the format while there are arguments.
func (f *formatter) all(format string) {
	for {
		f.used = false
		f.once(format)
		f.e.k.step(1)
		if f.stop || !f.used || len(f.args) == 0 {
			return
		}
		if int64(f.out.Len()) > f.e.k.bud.Bytes/2 {
			f.e.noMemory()
		}
	}
}

func (f *formatter) next() (string, bool) {
	f.used = true
	if len(f.args) == 0 {
		return "", false
	}
	s := f.args[0]
	f.args = f.args[1:]
	return s, true
}

func (f *formatter) complain(format string, a ...any) {
	f.e.errorf("printf: "+format, a...)
	f.status = 1
}

func (f *formatter) once(s string) {
	for i := 0; i < len(s) && !f.stop; i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			n, stop := escape(&f.out, s[i+1:], formatEscapes)
			f.stop = stop
			i += n
		case s[i] == '%' && strings.HasPrefix(s[i:], "%%"):
			f.out.WriteByte('%')
			i++
		case s[i] == '%':
			i += f.directive(s[i:]) - 1
		default:
			f.out.WriteByte(s[i])
		}
	}
}

// maxWidth bounds widths and precisions.
const maxWidth = 100_000

// directive formats one argument and returns the directive's length.
func (f *formatter) directive(s string) int {
	i := 1
	for i < len(s) && strings.IndexByte("-+ #0'", s[i]) >= 0 {
		i++
	}
	flags := strings.ReplaceAll(s[1:i], "'", "")
	width, n := f.number(s[i:])
	i += n
	if width < 0 {
		flags, width = flags+"-", -width
	}
	prec := -1
	if i < len(s) && s[i] == '.' {
		i++
		prec, n = f.number(s[i:])
		i += n
	}
	if width > maxWidth || prec > maxWidth {
		f.e.noMemory()
	}
	if i < len(s) && s[i] == '(' {
		if j := strings.Index(s[i:], ")T"); j > 0 {
			f.pad(f.time(s[i+1:i+j]), flags, width, prec)
			return i + j + 2
		}
	}
	for i < len(s) && strings.IndexByte("hlLqjzt", s[i]) >= 0 && !(s[i] == 'q') {
		i++
	}
	if i >= len(s) {
		f.complain("`%s': missing format character", s)
		f.stop = true
		return len(s)
	}
	f.verb(s[i], flags, width, prec)
	return i + 1
}

// number reads a width, or takes it from an argument for *.
func (f *formatter) number(s string) (n, length int) {
	if strings.HasPrefix(s, "*") {
		a, _ := f.next()
		v, _ := strconv.Atoi(a)
		return v, 1
	}
	for length < len(s) && s[length] >= '0' && s[length] <= '9' {
		n = min(n*10+int(s[length]-'0'), maxWidth+1)
		length++
	}
	return n, length
}

func (f *formatter) verb(c byte, flags string, width, prec int) {
	switch c {
	case 's':
		a, _ := f.next()
		f.pad(a, flags, width, prec)
	case 'b':
		a, _ := f.next()
		d, stop := decode(a, percentB)
		f.pad(d, flags, width, prec)
		f.stop = stop
	case 'q', 'Q':
		if f.e.dialect == dash {
			f.invalid(c)
			return
		}
		a, _ := f.next()
		f.pad(backslashQuote(a), flags, width, prec)
	case 'c':
		a, _ := f.next()
		if a != "" {
			a = a[:1]
		}
		f.pad(a, flags, width, -1)
	case 'd', 'i':
		f.integer("d", flags, width, prec)
	case 'u', 'o', 'x', 'X':
		f.integer(string(c), flags, width, prec)
	case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
		f.float(c, flags, width, prec)
	case 'n':
	default:
		if f.e.dialect == dash {
			f.invalid(c)
		} else {
			f.complain("`%s': invalid format character", string(c))
		}
		f.stop = true
	}
}

// invalid is a directive dash does not know, which ends a script.
func (f *formatter) invalid(c byte) {
	f.complain("%%%c: invalid directive", c)
	f.stop, f.status = true, 2
	f.e.status, f.e.flow = 2, exiting
}

// pad writes s cut to prec bytes and padded to width.
func (f *formatter) pad(s, flags string, width, prec int) {
	if prec >= 0 && len(s) > prec {
		s = s[:prec]
	}
	fill := strings.Repeat(" ", max(0, width-len(s)))
	if strings.Contains(flags, "-") {
		f.out.WriteString(s + fill)
		return
	}
	f.out.WriteString(fill + s)
}

// parseInt reads a number as C does; a leading quote gives a character's code.
func (f *formatter) parseInt(s string) int64 {
	if s == "" {
		return 0
	}
	if s[0] == '\'' || s[0] == '"' {
		for _, r := range s[1:] {
			return int64(r)
		}
		return 0
	}
	t := strings.TrimLeft(s, " \t\n")
	neg := strings.HasPrefix(t, "-")
	t = strings.TrimLeft(t, "+-")
	base := 10
	switch {
	case strings.HasPrefix(t, "0x") || strings.HasPrefix(t, "0X"):
		base, t = 16, t[2:]
	case len(t) > 1 && t[0] == '0':
		base = 8
	}
	n := 0
	for n < len(t) {
		d := strings.IndexByte("0123456789abcdef", t[n]|0x20)
		if t[n] >= '0' && t[n] <= '9' {
			d = int(t[n] - '0')
		}
		if d < 0 || d >= base {
			break
		}
		n++
	}
	v, err := strconv.ParseUint(t[:n], base, 64)
	switch {
	case n == 0 && f.e.dialect == dash:
		f.complain("%s: expected numeric value", s)
	case n < len(t) && f.e.dialect == dash:
		f.complain("%s: not completely converted", s)
	case n == 0 && f.e.dialect == ash:
		f.e.warn(f.e.name + ": invalid number '" + s + "'\n")
		f.status = 1
	case n < len(t) || n == 0:
		f.complain("%s: invalid number", s)
	case err != nil || !neg && v > math.MaxInt64 && base == 10:
		f.e.errorf("printf: warning: %s: Numerical result out of range", s)
		v = math.MaxInt64
		if neg {
			return math.MinInt64
		}
	}
	if neg {
		return -int64(v)
	}
	return int64(v)
}

func (f *formatter) integer(verb, flags string, width, prec int) {
	a, _ := f.next()
	n := f.parseInt(a)
	digits, sign := "", ""
	switch verb {
	case "d":
		if digits = strconv.FormatInt(n, 10); n < 0 {
			digits, sign = digits[1:], "-"
		} else if strings.Contains(flags, "+") {
			sign = "+"
		} else if strings.Contains(flags, " ") {
			sign = " "
		}
	case "u":
		digits = strconv.FormatUint(uint64(n), 10)
	case "o":
		digits = strconv.FormatUint(uint64(n), 8)
		if strings.Contains(flags, "#") && digits[0] != '0' {
			digits = "0" + digits
		}
	default:
		digits = strconv.FormatUint(uint64(n), 16)
		if strings.Contains(flags, "#") && n != 0 {
			sign = "0x"
		}
		if verb == "X" {
			digits, sign = strings.ToUpper(digits), strings.ToUpper(sign)
		}
	}
	for len(digits) < prec {
		digits = "0" + digits
	}
	if strings.Contains(flags, "0") && !strings.Contains(flags, "-") && prec < 0 {
		digits = strings.Repeat("0", max(0, width-len(sign)-len(digits))) + digits
	}
	f.pad(sign+digits, flags, width, -1)
}

func (f *formatter) float(c byte, flags string, width, prec int) {
	a, _ := f.next()
	long, v := new(big.Float), 0.0
	if a != "" && (a[0] == '\'' || a[0] == '"') {
		long.SetInt64(f.parseInt(a))
	} else if a != "" {
		var err error
		text := strings.TrimSpace(a)
		if v, err = strconv.ParseFloat(text, 64); err != nil && !math.IsInf(v, 0) {
			f.complain("%s: invalid number", a)
			for n := min(len(text), 64); n > 0; n-- { // what it begins with counts
				if l, ok := longDouble(text[:n]); ok {
					long = l
					break
				}
			}
		} else if l, ok := longDouble(text); ok && len(text) < 400 {
			long = l
		} else if math.IsInf(v, 0) || math.IsNaN(v) {
			f.out.WriteString(plainFloat(v, c, flags, width))
			return
		} else {
			long.SetFloat64(v)
		}
	}
	if prec < 0 && c != 'a' && c != 'A' {
		prec = 6
	}
	if c == 'F' {
		c = 'f'
	}
	f.out.WriteString(formatLong(long, c, strings.ReplaceAll(flags, "'", ""), width, prec))
}

// time formats %(...)T.
func (f *formatter) time(format string) string {
	a, ok := f.next()
	now := f.e.k.sh.opt.Now
	t := now()
	if ok && a != "" {
		switch n := f.parseInt(a); n {
		case -1:
		case -2:
			t = f.e.k.started
		default:
			t = time.Unix(n, 0)
		}
	}
	if format == "" {
		format = "%X"
	}
	return strftime(format, t.UTC())
}
