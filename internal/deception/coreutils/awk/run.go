package awk

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// A Matcher finds matches of one pattern: positions of the leftmost, longest
// match and its groups, nil for none.
type Matcher interface {
	Find(b []byte) []int
	All(b []byte) [][]int
}

// A Host is what a program may touch.
type Host struct {
	Name    string // argv[0]
	Args    []string
	Environ []string
	Stdin   io.Reader
	Stdout  io.Writer
	Open    func(name string) (io.ReadCloser, error)
	Create  func(name string, appending bool) (io.WriteCloser, error)
	// Command runs a shell command.
	Command func(line string, stdin io.Reader, stdout io.Writer) int
	Regexp  func(pattern string) (Matcher, error)
	Step    func(n int)
	Alloc   func(n int)
	Flush   func()
	Seed    uint64
	Now     func() int64
}

func (h *Host) step(n int) {
	if h.Step != nil {
		h.Step(n)
	}
}

// A RunError is a failure at run time, in mawk's words.
type RunError struct{ Msg string }

// Error returns the message.
func (e *RunError) Error() string { return e.Msg }

// flow says how a statement ended.
type flow byte

const (
	onward flow = iota
	doBreak
	doContinue
	doNext
	doNextFile
	doExit
	doReturn
)

// ofLoop says whether a loop ends when its body ended with f, and how.
func (f flow) ofLoop() (flow, bool) {
	switch f {
	case onward, doContinue:
		return onward, false
	case doBreak:
		return onward, true
	}
	return f, true
}

type array map[string]value

type interp struct {
	h       *Host
	prog    *Program
	globals map[string]*cell
	frame   []*cell
	depth   int
	ret     value
	status  int

	line     string
	fields   []string
	nf       int
	split    bool
	stale    bool // $0 must be joined from the fields
	fs, ofs  string
	ors, rs  string
	subsep   string
	conv     string
	ofmt     string
	patterns map[string]Matcher

	in      *reader
	argi    int
	noInput bool
	readers map[string]*reader
	writers map[string]*output
	seed    uint64
	began   bool
}

// cell is a variable: a value or an array.
type cell struct {
	v value
	a array
}

const (
	maxText  = 4 << 20 // one string
	maxField = 32 << 10
	maxCalls = 500
)

// Run runs a program; vars are assignments of -v. It returns the exit status.
func Run(p *Program, h *Host, fs string, vars [][2]string) (status int, err error) {
	in := &interp{
		h: h, prog: p, globals: map[string]*cell{}, fs: " ", ofs: " ", ors: "\n", rs: "\n", subsep: "\x1c", conv: "%.6g", ofmt: "%.6g",
		patterns: map[string]Matcher{}, readers: map[string]*reader{}, writers: map[string]*output{}, seed: h.Seed,
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *RunError:
			err, status = r, 2
		default:
			panic(r)
		}
	}()
	for name, v := range map[string]value{
		"FS": str(" "), "OFS": str(" "), "ORS": str("\n"), "RS": str("\n"), "SUBSEP": str("\x1c"), "CONVFMT": str("%.6g"), "OFMT": str("%.6g"),
		"NR": num(0), "FNR": num(0), "RSTART": num(0), "RLENGTH": num(-1), "FILENAME": {}, "ARGC": num(float64(len(h.Args) + 1)),
	} {
		in.global(name).v = v
	}
	argv := in.global("ARGV")
	argv.a = array{"0": str(h.Name)}
	for i, a := range h.Args {
		argv.a[strconv.Itoa(i+1)] = input(a)
	}
	env := in.global("ENVIRON")
	env.a = array{}
	for _, kv := range h.Environ {
		k, v, _ := strings.Cut(kv, "=")
		env.a[k] = input(v)
	}
	if fs != "" {
		in.set("FS", str(fs))
	}
	for _, v := range vars {
		in.set(v[0], input(unescape(v[1])))
	}
	in.program()
	in.closeAll()
	return in.status, nil
}

func (in *interp) fail(format string, a ...any) {
	panic(&RunError{fmt.Sprintf(format, a...)})
}

func (in *interp) global(name string) *cell {
	c, ok := in.globals[name]
	if !ok {
		c = &cell{}
		in.globals[name] = c
	}
	return c
}

// set assigns a global variable and keeps the special ones at hand.
func (in *interp) set(name string, v value) {
	in.global(name).v = v
	s := v.text(in.conv)
	switch name {
	case "FS":
		in.fs = s
	case "OFS":
		in.ofs = s
	case "ORS":
		in.ors = s
	case "RS":
		in.rs = s
	case "SUBSEP":
		in.subsep = s
	case "CONVFMT":
		in.conv = s
	case "OFMT":
		in.ofmt = s
	case "NF":
		in.setNF(int(clampField(v.float())))
	}
}

func clampField(f float64) float64 { return max(0, min(maxField, f)) }

func (in *interp) program() {
	ended := false
	main := false
	for _, r := range in.prog.rules {
		if !r.begin {
			main = true
		}
	}
	for _, r := range in.prog.rules {
		if r.begin && in.exec(r.body) == doExit {
			ended = true
			break
		}
	}
	if main && !ended {
		ended = in.records()
	}
	if in.noInput { // exit inside END's predecessors still runs END once
		ended = true
	}
	for _, r := range in.prog.rules {
		if r.end {
			in.noInput = false
			if in.exec(r.body) == doExit {
				return
			}
		}
	}
	_ = ended
}

// records runs the main rules over the input.
func (in *interp) records() bool {
	hasMain := false
	for _, r := range in.prog.rules {
		hasMain = hasMain || !r.begin && !r.end
	}
	for {
		line, ok := in.mainLine()
		if !ok {
			return false
		}
		in.setLine(line)
		if !hasMain {
			continue
		}
		switch in.rules() {
		case doExit:
			return true
		case doNextFile:
			in.in = nil
		}
	}
}

func (in *interp) rules() flow {
	for _, r := range in.prog.rules {
		if r.begin || r.end || !in.selected(r) {
			continue
		}
		if r.bare {
			in.write(in.h.Stdout, in.record()+in.ors)
			continue
		}
		switch f := in.exec(r.body); f {
		case doNext:
			return onward
		case doNextFile, doExit:
			return f
		}
	}
	return onward
}

func (in *interp) selected(r *rule) bool {
	switch {
	case r.from == nil:
		return true
	case r.to == nil:
		return in.cond(r.from)
	case !r.active && !in.cond(r.from):
		return false
	}
	r.active = !in.cond(r.to)
	return true
}

func (in *interp) matcher(e *expr) Matcher {
	if e.op == "regex" {
		return e.re
	}
	return in.pattern(in.eval(e).text(in.conv))
}

func (in *interp) pattern(s string) Matcher {
	if m, ok := in.patterns[s]; ok {
		return m
	}
	m, err := in.h.Regexp(s)
	if err != nil {
		in.fail("regular expression compile failed (%s)\n%s", complaint(err.Error()), s)
	}
	if len(in.patterns) > 200 {
		clear(in.patterns)
	}
	in.patterns[s] = m
	return m
}

// unescape expands escapes in assignments of the command line.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	l := &lexer{in: `"` + strings.ReplaceAll(strings.ReplaceAll(s, "\n", `\n`), `"`, `\"`) + `"`, line: 1}
	defer func() { _ = recover() }()
	return l.quoted()
}

func power(a, b float64) float64 { return math.Pow(a, b) }
