package python

import (
	"strings"

	"honeyguide/internal/deception/vfs"
)

// A raised is a Python exception on its way up, thrown as a panic.
type raised struct {
	exc   *instance
	trace []traceLine
	sug   string // "Did you mean"
	lib   string // the library's own lines of the traceback
}

// A traceLine is one call in a traceback.
type traceLine struct {
	at pos
	in string
	x  any // the expression, for its carets
}

// An exit is sys.exit or os._exit with its status.
type exit struct{ status int }

// builtinErrors are the exception classes, each behind its base.
const builtinErrors = `BaseException
BaseException SystemExit KeyboardInterrupt GeneratorExit Exception
Exception StopIteration ArithmeticError AssertionError AttributeError BufferError EOFError ImportError LookupError MemoryError NameError OSError ReferenceError RuntimeError SyntaxError TypeError ValueError Warning
ArithmeticError ZeroDivisionError OverflowError FloatingPointError
ImportError ModuleNotFoundError
LookupError IndexError KeyError
NameError UnboundLocalError
OSError ConnectionError FileExistsError FileNotFoundError IsADirectoryError NotADirectoryError PermissionError TimeoutError BlockingIOError InterruptedError ProcessLookupError ChildProcessError BrokenPipeError
ConnectionError ConnectionRefusedError ConnectionResetError ConnectionAbortedError
RuntimeError RecursionError NotImplementedError
SyntaxError IndentationError
ValueError UnicodeError
UnicodeError UnicodeDecodeError UnicodeEncodeError
Warning DeprecationWarning UserWarning RuntimeWarning`

func errorClasses() map[string]*class {
	out := map[string]*class{}
	for line := range strings.SplitSeq(builtinErrors, "\n") {
		f := strings.Fields(line)
		if len(f) == 1 {
			out[f[0]] = &class{name: f[0], module: "builtins"}
			continue
		}
		for _, n := range f[1:] {
			out[n] = &class{name: n, module: "builtins", bases: []*class{out[f[0]]}}
		}
	}
	for _, c := range out {
		c.dict = map[string]any{}
	}
	return out
}

func (c *class) is(base *class) bool {
	if c == base {
		return true
	}
	for _, b := range c.bases {
		if b.is(base) {
			return true
		}
	}
	return false
}

func (c *class) find(name string) (any, *class, bool) {
	if v, ok := c.dict[name]; ok {
		return v, c, true
	}
	for _, b := range c.bases {
		if v, k, ok := b.find(name); ok {
			return v, k, true
		}
	}
	return nil, nil, false
}

// throw raises a built-in exception.
func (m *machine) throw(name string, args ...any) {
	panic(&raised{exc: m.exception(name, args...)})
}

func (m *machine) exception(name string, args ...any) *instance {
	return &instance{cls: m.errors[name], dict: map[string]any{"args": tuple(args)}}
}

func (m *machine) typeError(msg string)  { m.throw("TypeError", msg) }
func (m *machine) valueError(msg string) { m.throw("ValueError", msg) }

// osError raises what a failed call on the file system becomes.
func (m *machine) osError(err error, path string) {
	m.osErrorNo(errnoOf(err), path)
}

func (m *machine) osErrorNo(no vfs.Errno, path string) {
	kind := "OSError"
	switch no {
	case vfs.ENOENT:
		kind = "FileNotFoundError"
	case vfs.EEXIST:
		kind = "FileExistsError"
	case vfs.EISDIR:
		kind = "IsADirectoryError"
	case vfs.ENOTDIR:
		kind = "NotADirectoryError"
	case vfs.EACCES, vfs.EPERM:
		kind = "PermissionError"
	}
	m.throw(kind, int64(no), no.Error(), path)
}

// message is what str(exception) says.
func (m *machine) message(e *instance) string {
	args, _ := e.dict["args"].(tuple)
	if f, _, ok := e.cls.find("__str__"); ok {
		return m.str(m.call(bind(f, e), nil, nil))
	}
	switch {
	case len(args) == 0:
		return ""
	case e.cls.is(m.errors["OSError"]) && len(args) >= 2:
		s := "[Errno " + m.str(args[0]) + "] " + m.str(args[1])
		if len(args) > 2 && args[2] != nil {
			s += ": " + m.repr(args[2])
		}
		return s
	case len(args) == 1 && e.cls.is(m.errors["KeyError"]):
		return m.repr(args[0])
	case len(args) == 1:
		return m.str(args[0])
	}
	return m.repr(args)
}

// describe is the last line of a traceback.
func (m *machine) describe(e *instance) string {
	name := e.cls.name
	if e.cls.module != "" && e.cls.module != "builtins" && e.cls.module != "__main__" {
		name = e.cls.module + "." + name
	}
	if msg := m.message(e); msg != "" {
		return name + ": " + msg
	}
	return name
}

// traceback is what an exception nobody caught looks like.
func (m *machine) traceback(r *raised) string {
	var b strings.Builder
	b.WriteString("Traceback (most recent call last):\n")
	last, count := "", 0
	repeated := func() {
		if n := count - 3; n > 0 {
			b.WriteString("  [Previous line repeated " + itoa(n) + " more time" + plural(n) + "]\n")
		}
	}
	for i := len(r.trace) - 1; i >= 0; i-- {
		t := r.trace[i]
		where := "  File \"" + m.file + "\", line " + itoa(t.at.line) + ", in " + t.in + "\n"
		if where != last {
			repeated()
			last, count = where, 0
		}
		if count++; count <= 3 {
			b.WriteString(where + m.sourceLine(t))
		}
	}
	repeated()
	b.WriteString(r.lib)
	b.WriteString(m.describe(r.exc) + m.suggestion(r) + "\n")
	return b.String()
}

// sourceLine shows the line and points at the part that failed. The program of
// -c and of the prompt has no file to read it from.
func (m *machine) sourceLine(t traceLine) string {
	if !m.shown || t.at.line < 1 || t.at.line > len(m.lines) {
		return ""
	}
	line := m.lines[t.at.line-1]
	text := strings.TrimSpace(line)
	if text == "" {
		return ""
	}
	margin := len(line) - len(strings.TrimLeft(line, " \t"))
	from, to := t.at.col-margin, min(t.at.end-margin, len(text))
	out := "    " + text + "\n"
	if from < 0 || to <= from {
		return out
	}
	marks := []byte(strings.Repeat("^", to-from))
	anchored := false
	tilde := func(a, b int) {
		for i := max(0, a); i < b && i < len(marks); i++ {
			marks[i] = '~'
		}
	}
	switch x := t.x.(type) {
	case *binE:
		if t.at.end >= 1<<20 {
			break
		}
		anchored = true
		at := x.opAt - t.at.col
		tilde(0, at)
		tilde(at+len(x.op), len(marks))
	case *indexE:
		anchored = true
		tilde(0, x.opens-t.at.col)
	}
	if !anchored && to-from == len(text) {
		return out
	}
	return out + "    " + strings.Repeat(" ", from) + string(marks) + "\n"
}

// suggestion is "Did you mean" for a name that is nearly there.
func (m *machine) suggestion(r *raised) string {
	if r.sug == "" {
		return ""
	}
	best, limit := "", 0
	for _, n := range m.names() {
		d := distance(r.sug, n)
		allowed := (len(r.sug) + len(n) + 3) * 2 / 6
		if n == r.sug || d > allowed || best != "" && d >= limit {
			continue
		}
		best, limit = n, d
	}
	if best == "" {
		return ""
	}
	return ". Did you mean: '" + best + "'?"
}

// distance is Levenshtein's, where another letter costs two and another case one.
func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 1000
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = 2 * j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = 2 * (i + 1)
		for j := range len(b) {
			cost := 2
			if a[i] == b[j] {
				cost = 0
			} else if a[i]|0x20 == b[j]|0x20 && a[i]|0x20 >= 'a' && a[i]|0x20 <= 'z' {
				cost = 1
			}
			next := min(diag+cost, row[j]+2, row[j+1]+2)
			diag, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// through raises e as if a function of the standard library had: lib is what its
// own lines look like in a traceback.
func (m *machine) through(lib string, e *instance) {
	panic(&raised{exc: e, lib: lib})
}

// throughLib runs fn and adds the library's lines to what it raises.
func (m *machine) throughLib(lib string, fn func() any) any {
	defer func() {
		if r := recover(); r != nil {
			if x, ok := r.(*raised); ok && x.lib == "" {
				x.lib = lib
			}
			panic(r)
		}
	}()
	return fn()
}

// Lines of library functions, as tracebacks of Python 3.11.2 show them.
const (
	libB64Decode = "  File \"/usr/lib/python3.11/base64.py\", line 88, in b64decode\n    return binascii.a2b_base64(s, strict_mode=validate)\n           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
	libLoads     = "  File \"/usr/lib/python3.11/json/__init__.py\", line 346, in loads\n    return _default_decoder.decode(s)\n           ^^^^^^^^^^^^^^^^^^^^^^^^^^\n  File \"/usr/lib/python3.11/json/decoder.py\", line 337, in decode\n    obj, end = self.raw_decode(s, idx=_w(s, 0).end())\n               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  File \"/usr/lib/python3.11/json/decoder.py\", line 355, in raw_decode\n    raise JSONDecodeError(\"Expecting value\", s, err.value) from None\n"
	libCheckCall = "  File \"/usr/lib/python3.11/subprocess.py\", line 413, in check_call\n    raise CalledProcessError(retcode, cmd)\n"
	libRun       = "  File \"/usr/lib/python3.11/subprocess.py\", line 548, in run\n    with Popen(*popenargs, **kwargs) as process:\n         ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
	libPopen     = "  File \"/usr/lib/python3.11/subprocess.py\", line 1024, in __init__\n    self._execute_child(args, executable, preexec_fn, close_fds,\n  File \"/usr/lib/python3.11/subprocess.py\", line 1901, in _execute_child\n    raise child_exception_type(errno_num, err_msg, err_filename)\n"
)
