package python

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

// spent is how a fake world ends a program that used up its budget.
type spent struct{}

// A fake is a world of one file whose programs all say what they were.
type fake struct {
	steps, bytes int
	missing      []string
	dialled      []string
}

func (f *fake) Step(n int) {
	if f.steps -= n; f.steps < 0 {
		panic(spent{})
	}
}

func (f *fake) Alloc(n int) {
	if f.bytes -= n; f.bytes < 0 {
		panic(spent{})
	}
}
func (f *fake) Unsupported(what string)                     { f.missing = append(f.missing, what) }
func (f *fake) Now() time.Time                              { return time.Unix(1_790_000_000, 0) }
func (f *fake) Sleep(time.Duration)                         { f.Step(1000) }
func (f *fake) Getenv(string) string                        { return "" }
func (f *fake) Environ() []string                           { return []string{"HOME=/root"} }
func (f *fake) Setenv(string, string)                       {}
func (f *fake) Getwd() string                               { return "/w" }
func (f *fake) Chdir(string) error                          { return vfs.ENOENT }
func (f *fake) UID() int                                    { return 0 }
func (f *fake) GID() int                                    { return 0 }
func (f *fake) PID() int                                    { return 7 }
func (f *fake) PPID() int                                   { return 6 }
func (f *fake) Hostname() string                            { return "srv01" }
func (f *fake) Uname() [5]string                            { return [5]string{"Linux", "srv01", "6.1", "#1", "x86_64"} }
func (f *fake) Stat(string, bool) (vfs.Info, error)         { return vfs.Info{}, vfs.ENOENT }
func (f *fake) ReadDir(string) ([]string, error)            { return nil, vfs.ENOENT }
func (f *fake) Change(string, string, string, uint32) error { return vfs.EACCES }
func (f *fake) Dial(url string) Outcome {
	f.dialled = append(f.dialled, url)
	return Outcome(len(url) % 3)
}
func (f *fake) IsTTY(int) bool                               { return false }
func (f *fake) Open(string, int) (io.ReadWriteCloser, error) { return nil, vfs.ENOENT }
func (f *fake) Spawn(argv []string, _ io.Reader, out, _ io.Writer) int {
	if out != nil {
		_, _ = io.WriteString(out, strings.Join(argv, " ")+"\n")
	}
	return 0
}

// attempt runs a program on a budget and reports whether it was used up.
func attempt(src string, steps int) (out, errs string, status int, over bool) {
	var o, e bytes.Buffer
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(spent); !ok {
				panic(r)
			}
			out, errs, status, over = o.String(), e.String(), 137, true
		}
	}()
	w := &fake{steps: steps, bytes: 16 << 20}
	status = Run(w, Program{Source: src, File: "<string>", Argv: []string{"-c"}, Stdin: strings.NewReader("a\nb\n"), Stdout: &o, Stderr: &e})
	return o.String(), e.String(), status, false
}

// TestBombs runs programs that never end or grow without bound.
func TestBombs(t *testing.T) {
	for _, src := range []string{
		"while True: pass", "x='a'\nwhile 1: x=x+x", "x=[0]\nwhile 1: x+=x", "print(2**(10**9))", "print(9**9**9)", "print('a'*10**12)", "[0]*10**10",
		"def g():\n  while 1: yield 1\nfor x in g(): pass", "def g():\n  while 1: yield 1\nlist(g())", "x=[];x.append(x);print(x)", "def f(n): return f(n+1)\nf(0)",
		"x={}\nfor i in range(10**9): x[i]=i", "'%1000000000d' % 1", "'{:>1000000000}'.format(1)", "import re;re.match('(a*)*b','a'*100000)", "exec('x=1;'*100000)", "a=lambda:0\nwhile 1: a=[a]",
		"try:\n  while 1: pass\nfinally: print(1)", "import math;math.factorial(10**7)", "print(int('9'*4000)**4000)", "(" + strings.Repeat("(", 100_000), strings.Repeat("if 1:\n ", 2000), strings.Repeat("-", 100_000) + "1",
		"import itertools\nfor x in itertools.count(): pass", "gs=[]\ndef g():\n  yield 1\nwhile 1:\n  x=g();next(x);gs.append(x)", "x=range(10**18);list(x)", "sorted(range(10**9))", "class A:\n  def __getattr__(s,n): return s.x\nA().y",
	} {
		start := time.Now()
		attempt(src, 300_000)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%.60q took %v", src, d)
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		src, out, err string
		status        int
	}{
		{"import os; os.system('id')", "", "", 0},
		{"def g():\n  for i in range(3):\n    print('in', i)\n    yield i\nfor x in g(): print(x)", "in 0\n0\nin 1\n1\nin 2\n2\n", "", 0},
		{"def g():\n  yield from [1,2]\nprint([x for x in g()])", "[1, 2]\n", "", 0},
		{"import subprocess\ndef g():\n  yield subprocess.getoutput('x')\nprint(next(g()))", "/bin/sh -c x\n", "", 0},
		{"import sys\ntry: sys.exit(3)\nfinally: print('f')", "f\n", "", 3},
		{"with open('/x'): pass", "", "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\nFileNotFoundError: [Errno 2] No such file or directory: '/x'\n", 1},
		{"match 1:\n  case 1: pass", "", "", 1},
	} {
		out, errs, status, _ := attempt(c.src, 100_000)
		if out != c.out || c.err != "" && errs != c.err || status != c.status {
			t.Errorf("%q: got %q %q %d", c.src, out, errs, status)
		}
	}
}

// TestPrompt types at the prompt.
func TestPrompt(t *testing.T) {
	var o bytes.Buffer
	lines := []string{"x=3", "x*2", "def f():", "  return 5", "", "f()", "nope", "for i in (1,2):", "  print(i)", "", "'a", "exit(4)", "print('not reached')"}
	status := Prompt(&fake{steps: 100_000, bytes: 1 << 20}, Program{Stdin: strings.NewReader(""), Stdout: &o, Stderr: &o}, func(p string) (string, error) {
		o.WriteString(p)
		if len(lines) == 0 {
			return "", io.EOF
		}
		l := lines[0]
		lines = lines[1:]
		return l, nil
	})
	want := ">>> >>> 6\n>>> ... ... >>> 5\n>>> Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nNameError: name 'nope' is not defined\n" +
		">>> ... ... 1\n2\n>>>   File \"<stdin>\", line 1\n    'a\n    ^\nSyntaxError: unterminated string literal (detected at line 1)\n>>> "
	if o.String() != want || status != 4 {
		t.Errorf("status %d, got\n%q\nwant\n%q", status, o.String(), want)
	}
}

func FuzzRun(f *testing.F) {
	for _, s := range []string{
		"print(f'{1+1!r:>5}')", "import socket;s=socket.socket();s.connect(('h',1))", "class A:\n  x=1\n  def f(self): return self.x\nprint(A().f())", "for i in range(3):\n  try: 1/i\n  except: print(i)\n  else: pass",
		"exec(__import__('base64').b64decode('cHJpbnQoMSk='))", "a,*b=[1,2];print(b[::-1],{**{}},{1:2},[*b])", "print('%s'%1,'{}'.format(2))", "lambda *a,**k:(yield)", "def g(): yield 1\nprint(*g())", "print(1<2<3 is not None)", "with open('x') as f, open('y'): pass",
		"import re,json,struct,hashlib;print(re.sub('a','b','a'),json.loads('[1]'),struct.pack('<I',1))", "'\\x41\\u0041\\101'", "b'\\xff'.decode()", "global x;del x", "@f\ndef g(): pass", "while 1:\n\tbreak\nelse:\n  1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 4096 {
			return
		}
		attempt(src, 20_000)
	})
}
