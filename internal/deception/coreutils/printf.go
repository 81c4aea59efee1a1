package coreutils

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// printf is /usr/bin/printf: the format is used again while arguments remain.
func printf(p *Proc) int {
	args := p.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(1)
	}
	if args[0] == "--version" {
		p.version()
	}
	f := &formatter{p: p, args: args[1:]}
	for first := true; first || len(f.args) > 0; first = false {
		before := len(f.args)
		if f.format(args[0]) || f.bad || !first && before == len(f.args) {
			break
		}
		if before == len(f.args) && before > 0 {
			p.errorf("warning: ignoring excess arguments, starting with %s", p.q(f.args[0]))
			break
		}
		p.step(1)
	}
	if f.bad {
		return 1
	}
	return f.status
}

type formatter struct {
	p      *Proc
	args   []string
	status int
	bad    bool
}

func (f *formatter) next() string {
	if len(f.args) == 0 {
		return ""
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a
}

// format writes the format once; true means \c was met.
func (f *formatter) format(s string) bool {
	for i := 0; i < len(s); {
		switch {
		case s[i] == '\\':
			j := i + 2
			for j < len(s) && j < i+10 && strings.IndexByte("0123456789abcdefABCDEF", s[j]) >= 0 && strings.IndexByte("xuU01234567", s[i+1]) >= 0 {
				if s[i+1] == 'x' && j >= i+4 || s[i+1] >= '0' && s[i+1] <= '7' && (j >= i+4 || s[j] > '7') || s[i+1] == 'u' && j >= i+6 {
					break
				}
				j++
			}
			j = min(j, len(s))
			text, end := unescape(s[i:j], false)
			f.p.print(text)
			if end {
				return true
			}
			i = j
		case s[i] == '%' && i+1 < len(s) && s[i+1] == '%':
			f.p.print("%")
			i += 2
		case s[i] == '%':
			j := i + 1
			for j < len(s) && strings.IndexByte("-+ #0123456789.*", s[j]) >= 0 {
				j++
			}
			for j < len(s) && strings.IndexByte("lhqjzt", s[j]) >= 0 && s[j] != 'q' {
				j++
			}
			if j >= len(s) {
				f.p.errorf("%s: invalid conversion specification", s[i:])
				f.bad = true
				return false
			}
			if f.convert(s[i+1:j], s[j]) {
				return true
			}
			if f.bad {
				f.p.errorf("%s: invalid conversion specification", s[i:j+1])
				return false
			}
			i = j + 1
		default:
			j := i
			for j < len(s) && s[j] != '%' && s[j] != '\\' {
				j++
			}
			f.p.print(s[i:j])
			i = j
		}
	}
	return false
}

const maxField = 1 << 16

// convert writes one argument.
func (f *formatter) convert(flags string, verb byte) bool {
	for strings.Contains(flags, "*") {
		n, _ := strconv.Atoi(f.next())
		flags = strings.Replace(flags, "*", strconv.Itoa(n), 1)
	}
	flags = strings.TrimRight(flags, "lhjzt")
	left := strings.Contains(flags, "-")
	body := strings.TrimLeft(flags, "-+ #0")
	w, prec, hasPrec := strings.Cut(body, ".")
	wide, _ := strconv.Atoi(w)
	most, _ := strconv.Atoi(prec)
	wide, most = min(wide, maxField), min(most, maxField)
	f.p.step(1 + wide/1024)
	pad := func(s string, zero bool) {
		n := wide - utf8.RuneCountInString(s)
		switch {
		case n <= 0:
			f.p.print(s)
		case left:
			f.p.print(s + strings.Repeat(" ", n))
		case zero:
			sign := ""
			if s != "" && strings.IndexByte("+-", s[0]) >= 0 {
				sign, s = s[:1], s[1:]
			}
			f.p.print(sign + strings.Repeat("0", n) + s)
		default:
			f.p.print(strings.Repeat(" ", n) + s)
		}
	}
	lead := flags[:len(flags)-len(body)]
	zero := strings.Contains(lead, "0") && !left
	switch verb {
	case 's', 'b', 'q':
		s, end := f.next(), false
		if verb == 'b' {
			s, end = unescape(s, true)
		}
		if verb == 'q' {
			s = shellWord(s)
		}
		if hasPrec && most < len(s) {
			s = s[:most]
		}
		pad(s, false)
		return end
	case 'c':
		s := f.next()
		pad(s[:min(1, len(s))], false)
	case 'd', 'i', 'u', 'o', 'x', 'X':
		s := f.integer(verb, lead)
		if hasPrec {
			zero = false
			sign := strings.HasPrefix(s, "-")
			s = strings.TrimPrefix(s, "-")
			s = strings.Repeat("0", max(0, most-len(s))) + s
			if sign {
				s = "-" + s
			}
		}
		pad(s, zero)
	case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
		if !hasPrec {
			most = 6
		}
		pad(f.float(verb, min(most, 400), lead), zero)
	default:
		f.bad = true
	}
	return false
}

func (f *formatter) integer(verb byte, lead string) string {
	a := f.next()
	n := f.number(a)
	s := strconv.FormatInt(n, 10)
	switch verb {
	case 'u':
		s = strconv.FormatUint(uint64(n), 10)
	case 'o':
		s = strconv.FormatUint(uint64(n), 8)
		if strings.Contains(lead, "#") && s[0] != '0' {
			s = "0" + s
		}
	case 'x', 'X':
		s = strconv.FormatUint(uint64(n), 16)
		if strings.Contains(lead, "#") && n != 0 {
			s = "0x" + s
		}
		if verb == 'X' {
			s = strings.ToUpper(s)
		}
	default:
		if n >= 0 && strings.Contains(lead, "+") {
			s = "+" + s
		} else if n >= 0 && strings.Contains(lead, " ") {
			s = " " + s
		}
	}
	return s
}

// number reads an integer as C does; complaints follow printf's words.
func (f *formatter) number(a string) int64 {
	if a == "" {
		return 0
	}
	if len(a) > 1 && (a[0] == '\'' || a[0] == '"') {
		r, _ := utf8.DecodeRuneInString(a[1:])
		return int64(r)
	}
	t := strings.TrimLeft(a, " \t")
	if n, err := strconv.ParseInt(t, 0, 64); err == nil && !strings.ContainsAny(t, "_bBoO") || err == nil && strings.HasPrefix(strings.ToLower(t), "0x") {
		return n
	}
	i := 0
	if i < len(t) && (t[i] == '-' || t[i] == '+') {
		i++
	}
	from := i
	for i < len(t) && t[i] >= '0' && t[i] <= '9' {
		i++
	}
	f.status = 1
	if i == from {
		f.p.errorf("%s: expected a numeric value", f.p.q(a))
		return 0
	}
	n, err := strconv.ParseInt(t[:i], 10, 64)
	switch {
	case err != nil:
		f.p.errorf("%s: Numerical result out of range", f.p.q(a))
	case i < len(t):
		f.p.errorf("%s: value not completely converted", f.p.q(a))
	}
	return n
}

func (f *formatter) float(verb byte, prec int, lead string) string {
	a := strings.TrimSpace(f.next())
	v, err := strconv.ParseFloat(a, 64)
	if err != nil && a != "" && !math.IsInf(v, 0) {
		f.status = 1
		f.p.errorf("%s: expected a numeric value", f.p.q(a))
	}
	if as, ok := map[byte]byte{'F': 'f', 'a': 'x', 'A': 'X'}[verb]; ok {
		verb = as
	}
	s := strconv.FormatFloat(v, verb, prec, 64)
	if v >= 0 && strings.Contains(lead, "+") {
		s = "+" + s
	}
	return s
}

// shellWord quotes a word so that the shell reads it back.
func shellWord(s string) string {
	if s == "" {
		return "''"
	}
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,") == "" {
		return s
	}
	return qa(s)
}
