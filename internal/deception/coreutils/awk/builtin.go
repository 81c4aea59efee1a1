package awk

import (
	"io"
	"math"
	"strings"
)

func (in *interp) text(e *expr, i int) string {
	if i >= len(e.args) {
		return ""
	}
	return in.eval(e.args[i]).text(in.conv)
}

func (in *interp) number(e *expr, i int) float64 {
	if i >= len(e.args) {
		return 0
	}
	return in.eval(e.args[i]).float()
}

func (in *interp) builtin(e *expr) value {
	need := map[string]int{"substr": 2, "index": 2, "split": 2, "sub": 2, "gsub": 2, "match": 2, "atan2": 2, "sprintf": 1, "system": 1, "close": 1, "tolower": 1, "toupper": 1}[e.text]
	if len(e.args) < need {
		in.fail("run time error: wrong number of arguments in call to %s", e.text)
	}
	switch e.text {
	case "length":
		if len(e.args) == 0 {
			return num(float64(len(in.record())))
		}
		if a := e.args[0]; a.op == "var" && in.cellOf(a).a != nil {
			return num(float64(len(in.cellOf(a).a)))
		}
		return num(float64(len(in.text(e, 0))))
	case "substr":
		return in.substr(e)
	case "index":
		return num(float64(strings.Index(in.text(e, 0), in.text(e, 1)) + 1))
	case "split":
		return in.splitInto(e)
	case "sub", "gsub":
		return in.substitute(e)
	case "match":
		m := in.matcher(e.args[1]).Find([]byte(in.text(e, 0)))
		start, length := 0.0, -1.0
		if m != nil {
			start, length = float64(m[0]+1), float64(m[1]-m[0])
		}
		in.set("RSTART", num(start))
		in.set("RLENGTH", num(length))
		return num(start)
	case "sprintf":
		args := make([]value, len(e.args)-1)
		format := in.text(e, 0)
		for i := range args {
			args[i] = in.eval(e.args[i+1])
		}
		s := sprintf(format, args, in.conv, func() { in.short("sprintf", format) })
		in.limit(len(s))
		return str(s)
	case "tolower":
		return str(strings.ToLower(in.text(e, 0)))
	case "toupper":
		return str(strings.ToUpper(in.text(e, 0)))
	case "system":
		in.flush()
		return num(float64(in.h.Command(in.text(e, 0), strings.NewReader(""), in.h.Stdout)))
	case "close":
		return in.closeNamed(in.text(e, 0))
	case "fflush":
		in.flush()
		return num(0)
	}
	return in.math(e)
}

func (in *interp) math(e *expr) value {
	x := in.number(e, 0)
	switch e.text {
	case "sin":
		return num(math.Sin(x))
	case "cos":
		return num(math.Cos(x))
	case "atan2":
		return num(math.Atan2(x, in.number(e, 1)))
	case "exp":
		return num(math.Exp(x))
	case "log":
		if x < 0 { // the sign the processor gives it
			return num(math.Copysign(math.NaN(), -1))
		}
		return num(math.Log(x))
	case "sqrt":
		return num(math.Sqrt(x))
	case "int":
		return num(math.Trunc(x))
	case "rand":
		in.seed = in.seed*6364136223846793005 + 1442695040888963407
		return num(float64(in.seed>>11) / (1 << 53))
	case "srand":
		old := in.seed
		in.seed = uint64(x)
		if len(e.args) == 0 && in.h.Now != nil {
			in.seed = uint64(in.h.Now())
		}
		return num(float64(old % (1 << 31)))
	case "systime":
		if in.h.Now != nil {
			return num(float64(in.h.Now()))
		}
	}
	return value{}
}

func (in *interp) substr(e *expr) value {
	s := in.text(e, 0)
	from := math.Trunc(in.number(e, 1))
	n := math.Inf(1)
	if len(e.args) > 2 {
		n = math.Trunc(in.number(e, 2))
	}
	if from < 1 { // this mawk lengthens where POSIX would cut
		from, n = 1, n-min(0, from)
	}
	to := min(float64(len(s))+1, from+n)
	if !(from < to) {
		return str("")
	}
	return str(s[int(from)-1 : int(to)-1])
}

func (in *interp) splitInto(e *expr) value {
	s := in.text(e, 0)
	var parts []string
	switch {
	case len(e.args) < 3:
		parts = in.splitText(s, in.fs, false)
	case e.args[2].op == "regex":
		if s != "" {
			parts = in.splitPattern(s, e.args[2].re)
		}
	default:
		parts = in.splitText(s, in.text(e, 2), false)
	}
	a := in.array(e.args[1])
	clear(a)
	for i, p := range parts {
		in.store(a, num(float64(i+1)).text(in.conv), input(p))
	}
	return num(float64(len(parts)))
}

func (in *interp) substitute(e *expr) value {
	re := in.matcher(e.args[0])
	repl := in.text(e, 1)
	target := &expr{op: "field", args: []*expr{{op: "num"}}}
	if len(e.args) > 2 {
		target = e.args[2]
	}
	src := []byte(in.eval(target).text(in.conv))
	var ms [][]int
	if e.text == "gsub" {
		ms = re.All(src)
	} else if m := re.Find(src); m != nil {
		ms = [][]int{m}
	}
	if len(ms) == 0 {
		return num(0)
	}
	var out []byte
	at := 0
	for _, m := range ms {
		out = append(out, src[at:m[0]]...)
		out = replace(out, repl, src[m[0]:m[1]])
		in.limit(len(out))
		at = m[1]
	}
	out = append(out, src[at:]...)
	in.assign(target, str(string(out)))
	return num(float64(len(ms)))
}

func replace(out []byte, repl string, match []byte) []byte {
	for i := 0; i < len(repl); i++ {
		switch {
		case repl[i] == '\\' && i+1 < len(repl) && (repl[i+1] == '&' || repl[i+1] == '\\'):
			i++
			out = append(out, repl[i])
		case repl[i] == '&':
			out = append(out, match...)
		default:
			out = append(out, repl[i])
		}
	}
	return out
}

func (in *interp) closeNamed(name string) value {
	status, ok := in.closeOutput(name)
	if r, open := in.readers[name]; open {
		r.close()
		delete(in.readers, name)
		status, ok = r.status, true
	}
	if !ok {
		return num(-1)
	}
	return num(float64(status))
}

// sink keeps a command's output within bounds.
type sink struct {
	in *interp
	b  []byte
}

func (s *sink) Write(b []byte) (int, error) {
	if len(s.b)+len(b) > maxText {
		return 0, io.ErrShortWrite
	}
	s.in.alloc(len(b))
	s.b = append(s.b, b...)
	return len(b), nil
}
