package coreutils

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

func outputCommands(name string) Command {
	switch name {
	case "true":
		return func(*Proc) int { return 0 }
	case "false":
		return func(*Proc) int { return 1 }
	case "echo":
		return echo
	case "printf":
		return printf
	case "yes":
		return yes
	case "seq":
		return seq
	case "basename":
		return basename
	case "dirname":
		return dirname
	case "pwd":
		return pwd
	case "clear", "reset":
		return func(p *Proc) int { p.print("\x1b[H\x1b[2J\x1b[3J"); return 0 }
	case "sleep":
		return sleepCmd
	case "sync":
		return func(*Proc) int { return 0 }
	}
	return nil
}

// echo is /bin/echo, which like bash's knows -n, -e and -E.
func echo(p *Proc) int {
	args := p.Args[1:]
	newline, escapes := true, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, c := range args[0][1:] {
			switch c {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	for i, a := range args {
		if i > 0 {
			p.print(" ")
		}
		if !escapes {
			p.print(a)
			continue
		}
		s, end := unescape(a, true)
		p.print(s)
		if end {
			return 0
		}
	}
	if newline {
		p.print("\n")
	}
	return 0
}

// unescape expands backslash escapes. In echo octal numbers begin with 0; \c
// ends the output.
func unescape(s string, echo bool) (string, bool) {
	if !strings.Contains(s, `\`) {
		return s, false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if at := strings.IndexByte("abefnrtv\\\"", s[i]); at >= 0 && (s[i] != '"' || !echo) {
			b.WriteByte("\a\b\x1b\f\n\r\t\v\\\""[at])
			continue
		}
		switch c := s[i]; {
		case c == 'c':
			return b.String(), true
		case c == 'x':
			n, used := digits(s[i+1:], 16, 2)
			if used == 0 {
				b.WriteString(`\x`)
				continue
			}
			b.WriteByte(byte(n))
			i += used
		case (c == 'u' || c == 'U') && !echo:
			most := 4
			if c == 'U' {
				most = 8
			}
			n, used := digits(s[i+1:], 16, most)
			if used == 0 {
				b.WriteByte('\\')
				b.WriteByte(c)
				continue
			}
			b.WriteRune(rune(n))
			i += used
		case c == '0' && echo:
			n, used := digits(s[i+1:], 8, 3)
			b.WriteByte(byte(n))
			i += used
		case c >= '0' && c <= '7' && !echo:
			n, used := digits(s[i:], 8, 3)
			b.WriteByte(byte(n))
			i += used - 1
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

func digits(s string, base uint64, most int) (n uint64, used int) {
	for used < len(s) && used < most {
		d, err := strconv.ParseUint(s[used:used+1], int(base), 8)
		if err != nil {
			break
		}
		n = n*base + d
		used++
	}
	return n, used
}

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

func yes(p *Proc) int {
	line := "y\n"
	if len(p.Args) > 1 {
		line = strings.Join(p.Args[1:], " ") + "\n"
	}
	for {
		p.step(1)
		p.print(line)
	}
}

func seq(p *Proc) int {
	format, sep, equal := "", "\n", false
	args := p.Args[1:]
loop:
	for len(args) > 0 {
		switch a := args[0]; {
		case a == "-w":
			equal = true
		case a == "-s" && len(args) > 1:
			sep, args = args[1], args[1:]
		case a == "-f" && len(args) > 1:
			format, args = args[1], args[1:]
		case strings.HasPrefix(a, "-s") && len(a) > 2:
			sep = a[2:]
		case a == "--help":
			p.help()
		case a == "--version":
			p.version()
		default:
			break loop
		}
		args = args[1:]
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(1)
	}
	if len(args) > 3 {
		p.errorf("extra operand %s", p.q(args[3]))
		return p.try(1)
	}
	nums := []float64{1, 1, 1}
	prec := 0
	for i, a := range args {
		v, err := strconv.ParseFloat(a, 64)
		if err != nil || math.IsNaN(v) {
			p.errorf("invalid floating point argument: %s", p.q(a))
			return p.try(1)
		}
		_, frac, _ := strings.Cut(a, ".")
		prec = max(prec, min(len(frac), 30))
		switch {
		case len(args) == 1:
			nums[2] = v
		case len(args) == 2:
			nums[i*2] = v
		default:
			nums[i] = v
		}
	}
	first, step, last := nums[0], nums[1], nums[2]
	if step == 0 {
		p.errorf("invalid Zero increment value: %s", p.q(args[1]))
		return p.try(1)
	}
	wide := 0
	if equal {
		wide = max(len(strconv.FormatFloat(first, 'f', prec, 64)), len(strconv.FormatFloat(last, 'f', prec, 64)))
	}
	for i := 0; ; i++ {
		v := first + float64(i)*step
		if step > 0 && v > last+1e-9 || step < 0 && v < last-1e-9 {
			if i > 0 {
				p.print("\n")
			}
			return 0
		}
		p.step(1)
		if i > 0 {
			p.print(sep)
		}
		s := strconv.FormatFloat(v, 'f', prec, 64)
		if format != "" {
			f := &formatter{p: p, args: []string{s}}
			f.format(format)
			continue
		}
		p.print(strings.Repeat("0", max(0, wide-len(s))) + s)
	}
}

func basename(p *Proc) int {
	opts, args, ok := p.getopt("+as:z", "multiple,a", "suffix=,s", "zero,z")
	if !ok {
		return 1
	}
	suffix, many, end := "", false, "\n"
	for _, o := range opts {
		switch o.name {
		case "a":
			many = true
		case "s":
			suffix, many = o.val, true
		case "z":
			end = "\x00"
		}
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(1)
	}
	if !many && len(args) > 2 {
		p.errorf("extra operand %s", p.q(args[2]))
		return p.try(1)
	}
	if !many && len(args) == 2 {
		suffix, args = args[1], args[:1]
	}
	for _, a := range args {
		s := base(a)
		if s != suffix {
			s = strings.TrimSuffix(s, suffix)
		}
		p.print(s + end)
	}
	return 0
}

// base is the last part of a path, as basename(1) sees it.
func base(s string) string {
	t := strings.TrimRight(s, "/")
	if t == "" {
		if s == "" {
			return ""
		}
		return "/"
	}
	return t[strings.LastIndexByte(t, '/')+1:]
}

func dirname(p *Proc) int {
	_, args, ok := p.getopt("z", "zero,z")
	if !ok {
		return 1
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(1)
	}
	for _, a := range args {
		p.print(parent(a) + "\n")
	}
	return 0
}

func parent(s string) string {
	t := strings.TrimRight(s, "/")
	if t == "" && s != "" {
		return "/"
	}
	i := strings.LastIndexByte(t, '/')
	if i < 0 {
		return "."
	}
	t = strings.TrimRight(t[:i], "/")
	if t == "" {
		return "/"
	}
	return t
}

func pwd(p *Proc) int {
	if _, _, ok := p.getopt("LP", "logical,L", "physical,P"); !ok {
		return 1
	}
	if real, err := p.FS.Real(p.Cred, p.Cwd); err == nil {
		p.print(real + "\n")
		return 0
	}
	p.print(p.Cwd + "\n")
	return 0
}
