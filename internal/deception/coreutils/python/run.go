package python

import (
	"errors"
	"io"
	"strings"
)

// A Program is what python3 was asked to run.
type Program struct {
	Source string
	File   string   // what tracebacks call it: <string>, <stdin> or a path
	Shown  bool     // tracebacks show lines of Source
	Argv   []string // sys.argv
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Run runs a program to its end and returns its exit status.
func Run(w World, p Program) int {
	m := newMachine(w, p)
	defer m.cleanup()
	return m.finish(func() {
		m.runSource(p.Source)
	})
}

func newMachine(w World, p Program) *machine {
	m := &machine{argv: p.Argv, file: p.File, lines: strings.Split(p.Source, "\n"), shown: p.Shown, modules: map[string]*module{}}
	m.w = &gate{w: w, m: m}
	m.setup()
	m.out = &stream{g: m.w, w: p.Stdout, name: "<stdout>", mode: "w", line: w.IsTTY(1), fd: 1}
	m.err = &stream{g: m.w, w: p.Stderr, name: "<stderr>", mode: "w", line: true, fd: 2}
	m.in = &stream{g: m.w, r: p.Stdin, name: "<stdin>", mode: "r"}
	m.global = &frame{vars: map[string]any{
		"__name__": "__main__", "__doc__": nil, "__package__": nil, "__loader__": nil, "__spec__": nil,
		"__builtins__": &module{name: "builtins", dict: m.builtins},
	}, name: "<module>"}
	if p.Shown {
		m.global.vars["__file__"] = p.File
	}
	m.global.global = m.global
	return m
}

// cleanup ends the generators that are left.
func (m *machine) cleanup() {
	for _, stop := range m.stops {
		m.ask = nil
		stop()
	}
	m.stops = nil
}

func (m *machine) runSource(src string) {
	body := parse(src, m.step)
	m.block(body, m.global)
}

// finish runs fn and turns the way it ends into an exit status.
func (m *machine) finish(fn func()) (status int) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(brokenPipe); !ok {
				panic(r)
			}
			status = 120
		}
	}()
	status = m.outcome(fn)
	for i := len(m.atexit) - 1; i >= 0; i-- {
		m.outcome(func() { m.call(m.atexit[i], nil, nil) })
	}
	m.ask = nil
	for _, f := range m.files {
		if !f.closed {
			f.close()
		}
	}
	m.out.flush()
	m.err.flush()
	return status
}

// outcome runs fn, reports what it raised, and returns the status.
func (m *machine) outcome(fn func()) (status int) {
	defer func() {
		r := recover()
		m.ask = nil
		switch r := r.(type) {
		case nil:
		case exit:
			status = r.status
		case *raised:
			status = 1
			if r.exc.cls.is(m.errors["SystemExit"]) {
				status = m.outcome(func() { m.leave(r.exc) })
				return
			}
			m.depth = 0
			m.out.flush()
			m.err.write(m.traceback(r))
		case *syntaxFault:
			status = 1
			m.out.flush()
			m.err.write(m.syntaxText(r, m.file, strings.Join(m.lines, "\n")))
		default:
			panic(r)
		}
	}()
	fn()
	return 0
}

// syntaxText is the report of a syntax error: unlike a traceback it shows its
// line even when there is no file.
func (m *machine) syntaxText(f *syntaxFault, file, src string) string {
	lines := strings.Split(src, "\n")
	var b strings.Builder
	line := min(f.pos.line, max(1, len(lines)))
	if f.pos.line > len(lines) || line == len(lines) && lines[line-1] == "" && line > 1 {
		line--
	}
	b.WriteString("  File \"" + file + "\", line " + itoa(line) + "\n")
	text := lines[line-1]
	shown := strings.TrimRight(strings.TrimLeft(text, " \t\f"), "\r\n")
	cut := len(text) - len(strings.TrimLeft(text, " \t\f"))
	if shown != "" && (!f.later || m.shown) {
		b.WriteString("    " + shown + "\n")
		from := min(max(f.pos.col-cut, 0), len(shown))
		width := min(max(f.pos.end-f.pos.col, 1), max(1, len(shown)-from+1))
		if f.kind == "IndentationError" && !strings.HasPrefix(f.msg, "expected") {
			if from = len(shown); strings.HasPrefix(f.msg, "unexpected") {
				from, width = 0, 0
			}
		}
		if width > 0 {
			b.WriteString("    " + strings.Repeat(" ", from) + strings.Repeat("^", width) + "\n")
		}
	}
	b.WriteString(f.kind + ": " + f.msg + "\n")
	return b.String()
}

// execText is exec() and eval().
func (m *machine) execText(args []any, value bool) any {
	src := m.sourceOf(arg(args, 0))
	f := m.global
	if d, ok := arg(args, 1).(*dict); ok {
		f = &frame{vars: map[string]any{}, name: "<module>"}
		f.global = f
		d.live(func(k, v any) bool {
			if s, ok := k.(string); ok {
				f.vars[s] = v
			}
			return true
		})
		defer func() {
			for _, k := range sortedKeys(f.vars) {
				d.setStr(k, f.vars[k])
			}
		}()
	}
	var body []stmt
	var x expr
	m.parsed(src, func() {
		if value {
			x = parseExpr(strings.TrimSpace(src), m.step)
		} else {
			body = parse(src, m.step)
		}
	})
	old, lines := m.shown, m.lines
	m.shown, m.lines = false, strings.Split(src, "\n")
	defer func() { m.shown, m.lines = old, lines }()
	if value {
		return m.eval(x, f)
	}
	m.block(body, f)
	return nil
}

func (m *machine) sourceOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bytesV:
		return string(v)
	case *instance:
		if s, ok := v.native.(string); ok {
			return s
		}
	}
	m.typeError("exec() arg 1 must be a string, bytes or code object")
	return ""
}

// parsed runs fn, which parses, and turns a fault into an exception.
func (m *machine) parsed(src string, fn func()) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*syntaxFault)
			if !ok {
				panic(r)
			}
			m.throw(f.kind, f.msg+" (<string>, line "+itoa(f.pos.line)+")")
		}
	}()
	fn()
}

// ErrKeyboard is what read returns for a Ctrl-C: KeyboardInterrupt.
var ErrKeyboard = errors.New("keyboard interrupt")

// Prompt is the dialogue of python3 on a terminal. An error of read other than
// ErrKeyboard is the end of input.
func Prompt(w World, p Program, read func(prompt string) (line string, err error)) int {
	p.File = "<stdin>"
	m := newMachine(w, p)
	m.prompted = true
	defer m.cleanup()
	return m.finish(func() {
		for {
			src, err := m.gather(read)
			if errors.Is(err, ErrKeyboard) {
				m.out.write("\nKeyboardInterrupt\n")
				m.out.flush()
				continue
			}
			if err != nil {
				m.out.write("\n")
				return
			}
			if strings.TrimSpace(src) == "" {
				continue
			}
			m.lines = strings.Split(src, "\n")
			m.answer(src)
			m.out.flush()
		}
	})
}

// answer runs what was typed; only exit leaves the dialogue.
func (m *machine) answer(src string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *raised:
			m.ask, m.depth = nil, 0
			if r.exc.cls.is(m.errors["SystemExit"]) {
				m.leave(r.exc)
			}
			m.out.flush()
			m.err.write(m.traceback(r))
		case *syntaxFault:
			m.out.flush()
			m.err.write(m.syntaxText(r, m.file, src))
		default:
			panic(r)
		}
	}()
	m.runSource(src)
}

// gather reads a statement: more lines while it is incomplete, and a block up
// to an empty line.
func (m *machine) gather(read func(string) (string, error)) (string, error) {
	line, err := read(">>> ")
	if err != nil {
		return "", err
	}
	src := line + "\n"
	for range 10_000 {
		if !m.incomplete(src) && !(opensBlock(src) && strings.TrimSpace(line) != "") {
			return src, nil
		}
		line, err = read("... ")
		switch {
		case errors.Is(err, ErrKeyboard):
			return "", err
		case err != nil:
			return src, nil
		}
		src += line + "\n"
	}
	return src, nil
}

func opensBlock(src string) bool {
	first, _, _ := strings.Cut(src, "\n")
	word, _, _ := strings.Cut(strings.TrimSpace(first), " ")
	if strings.HasPrefix(word, "@") {
		return true
	}
	switch strings.TrimSuffix(word, ":") {
	case "if", "for", "while", "def", "class", "try", "with":
		return strings.Contains(src, ":")
	}
	return false
}

func (m *machine) incomplete(src string) (more bool) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*syntaxFault)
			if !ok {
				panic(r)
			}
			more = f.incomplete
		}
	}()
	parse(src, m.step)
	return false
}
