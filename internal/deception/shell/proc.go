package shell

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/vfs"
)

// run gives a command its process and runs it. A fault of ours in the command is
// a crash of that process alone, as it would be on the real machine.
func (e *env) run(cmd coreutils.Command, args []string) (status int) {
	p := e.proc(args)
	was := e.inCommand
	e.inCommand = true
	defer func() {
		e.inCommand = was
		r := recover()
		if r == nil {
			return
		}
		if d, ok := r.(death); ok {
			if d.scope != ofCommand {
				panic(d)
			}
			status = d.status
			return
		}
		e.k.sh.opt.Watch.Unsupported(fmt.Sprintf("panic: %s: %v", base(args[0]), r))
		if e.interactive {
			e.warn("Segmentation fault\n")
		} else {
			e.errorf("%5d Segmentation fault      %s", p.PID, strings.Join(args, " "))
		}
		status = 128 + sigSegv
	}()
	return cmd(p)
}

// proc is the view a command has of its process.
func (e *env) proc(args []string) *coreutils.Proc {
	k := e.k
	o := &k.sh.opt
	pid, ppid := 0, e.pid
	if e.inPlace && k.table != nil {
		k.table.Exec(e.pid, "/usr/bin/"+base(args[0]), args)
		pid, ppid = e.pid, e.parentPID
		if ppid == 0 {
			ppid = e.ppid
		}
	}
	p := &coreutils.Proc{
		Args: args, FS: e.streams(), Host: o.Host, Cred: e.cred, Cwd: e.cwd, Umask: e.umask,
		PID: pid, PPID: ppid, Now: o.Now, Cols: k.sh.cols(), Rows: k.sh.rows(), Watch: o.Watch,
		Stdin: e.reader(0), Stdout: e.writer(1), Stderr: e.writer(2),
		TTY: e.isTTY(1), StdinTTY: e.isTTY(0),
		Env: func(name string) string {
			if v := e.vars[name]; v != nil && v.attr&exported != 0 {
				return v.val
			}
			return ""
		},
		Environ: e.environ,
		Step: func(n int) error {
			k.step(n)
			return nil
		},
		Alloc: func(n int) error {
			if !k.charge(n) {
				return vfs.ENOMEM
			}
			return nil
		},
		Sleep: func(d time.Duration) error {
			k.pause(d)
			return nil
		},
		Run: e.runFor,
	}
	if e.stepHook != nil {
		p.Step = e.stepHook
	}
	if e.sleepHook != nil {
		p.Sleep = e.sleepHook
	}
	p.Session = coreutils.SessionInfo{User: o.User, Src: o.Src, Dst: o.Dst, Login: k.started}
	if o.TTY || k.tty != nil {
		p.Session.TTYName = e.ttyName()
	}
	return p
}

// environ lists the exported variables in the order bash hands them on, which
// is that of its hash table.
func (e *env) environ() []string {
	type item struct {
		bucket uint32
		kv     string
	}
	e.k.step(len(e.vars) / 8)
	items := make([]item, 0, 24)
	for n, v := range e.vars {
		if v.attr&exported != 0 && v.attr&unset == 0 && v.arr == nil {
			items = append(items, item{hashString(n) & 1023, n + "=" + v.val})
		}
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.kv, b.kv))
	})
	out := make([]string, 0, len(items)+1)
	for _, it := range items {
		out = append(out, it.kv)
	}
	if e.envLast != "" {
		out = append(out, "_="+e.envLast)
	}
	return out
}

func (e *env) isTTY(fd int) bool {
	o := e.fds.get(fd)
	if o == nil {
		return false
	}
	_, ok := o.file.(*tty)
	return ok
}

// closedFile is a descriptor that is not open.
type closedFile struct{}

func (closedFile) Read([]byte) (int, error)  { return 0, vfs.EBADF }
func (closedFile) Write([]byte) (int, error) { return 0, vfs.EBADF }
func (closedFile) Close()                    {}

func (e *env) reader(fd int) io.Reader {
	if o := e.fds.get(fd); o != nil {
		return o
	}
	return closedFile{}
}

func (e *env) writer(fd int) io.Writer {
	if o := e.fds.get(fd); o != nil {
		return o
	}
	return closedFile{}
}

// streamFile is a descriptor made of a command's own reader or writer.
type streamFile struct {
	r io.Reader
	w io.Writer
}

func (s streamFile) Read(p []byte) (int, error) {
	if s.r == nil {
		return 0, vfs.EBADF
	}
	return s.r.Read(p)
}

func (s streamFile) Write(p []byte) (int, error) {
	if s.w == nil {
		return 0, vfs.EBADF
	}
	return s.w.Write(p)
}

func (s streamFile) Close() {}

func asFile(v any) *ofile {
	if o, ok := v.(*ofile); ok {
		return o.hold()
	}
	s := streamFile{}
	s.r, _ = v.(io.Reader)
	s.w, _ = v.(io.Writer)
	return &ofile{refs: 1, file: s}
}

// runFor runs a command for another one: xargs, sudo, timeout, find -exec.
func (e *env) runFor(p *coreutils.Proc, argv []string) int {
	if len(argv) == 0 || !e.mayFork() {
		return 126
	}
	c := e.fork()
	c.cwd, c.cred, c.umask = p.Cwd, p.Cred, p.Umask
	c.funcs, c.fshare = nil, false
	c.fds.set(0, asFile(p.Stdin))
	c.fds.set(1, asFile(p.Stdout))
	c.fds.set(2, asFile(p.Stderr))
	if p.Environ != nil {
		c.setEnviron(p.Environ())
	}
	c.stepHook, c.sleepHook, c.envLast = p.Step, p.Sleep, ""
	if c.cred.UID != e.cred.UID {
		if f, ok := c.passwd(func(f []string) bool { return f[2] == itoa(int64(c.cred.UID)) }); ok {
			c.user, c.home = f[0], f[5]
		}
	}
	return c.isolate(func() int {
		c.name = base(p.Args[0])
		c.errName = c.name
		c.inPlace = true
		if c.name == "su" && len(argv) > 1 && argv[1] == "-l" {
			if d, ok := shellNamed(base(argv[0])); ok { // su starts a login shell by its name
				return c.runShell(d, append([]string{"-" + base(argv[0])}, argv[2:]...))
			}
		}
		return c.external(argv)
	})
}

// setEnviron replaces the exported variables.
func (e *env) setEnviron(list []string) {
	e.own()
	for n, v := range e.vars {
		if v.attr&exported != 0 {
			delete(e.vars, n)
		}
	}
	for _, kv := range list {
		if n, v, ok := strings.Cut(kv, "="); ok && isName(n) && n != "_" {
			e.vars[n] = &variable{val: v, attr: exported}
		}
	}
	e.paths = nil
}
