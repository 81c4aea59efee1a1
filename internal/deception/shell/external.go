package shell

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/vfs"
)

// A hashed command is one found by PATH before.
type hashedCommand struct {
	path string
	hits int
}

// find looks a name up in PATH. When all it finds cannot be executed it returns
// that file and false.
func (e *env) find(name string) (string, bool) {
	if h, ok := e.paths[name]; ok {
		return h.path, true
	}
	path, ok := e.get("PATH")
	if !ok && e.errName != "" {
		path = "/bin:/usr/bin" // where execvp looks without PATH
	}
	denied := ""
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		full := dir + "/" + name
		err := e.access(full)
		if err != nil && errText(err) != vfs.EACCES.Error() {
			continue
		}
		i, serr := e.stat(full)
		if serr != nil || i.IsDir() {
			continue
		}
		if err == nil && i.Mode&0o111 != 0 {
			return full, true
		}
		if denied == "" {
			denied = full
		}
	}
	return denied, false
}

// access asks whether a file may be executed, which is cheaper than stat.
func (e *env) access(name string) error {
	if e.fs == nil {
		return &vfs.Error{Errno: vfs.ENOENT}
	}
	return e.fs.Access(e.cred, e.abs(name), 1)
}

func (e *env) stat(name string) (vfs.Info, error) {
	if e.fs == nil {
		return vfs.Info{}, vfs.ENOENT
	}
	return e.fs.Stat(e.cred, e.abs(name))
}

// external runs a program.
func (e *env) external(args []string) int {
	name := args[0]
	e.k.step(10)
	if strings.IndexByte(name, '/') >= 0 {
		if e.wantsJob() {
			return e.asJob(func(c *env) int { return c.execPath(name, args) })
		}
		return e.execPath(name, args)
	}
	if name == "" {
		return e.notFound(name)
	}
	if p, _ := e.get("PATH"); p == "" && e.dialect == bash && e.errName == "" {
		e.errorf("%s: No such file or directory", name)
		return 127
	}
	path, ok := e.find(name)
	switch {
	case ok:
		e.remember(name, path)
		if e.wantsJob() {
			return e.asJob(func(c *env) int { return c.execFound(path, args) })
		}
		return e.execFound(path, args)
	case path != "":
		e.errorf("%s: Permission denied", path)
		return 126
	}
	return e.notFound(name)
}

func (e *env) remember(name, path string) {
	if e.opts&optHash == 0 {
		return
	}
	if e.paths == nil {
		e.paths = map[string]*hashedCommand{}
	}
	if h := e.paths[name]; h != nil {
		h.hits++
	} else if len(e.paths) < 500 {
		e.paths[name] = &hashedCommand{path, 1}
	}
}

// execFound runs a file that PATH led to and that is known to be executable.
func (e *env) execFound(path string, args []string) int {
	real, err := e.fs.Real(e.cred, e.abs(path))
	if err == nil && inSystem(real) {
		if e.errName == "" {
			e.envLast = e.abs(path)
		}
		if status, ok := e.runProgram(base(path), base(real), args); ok {
			return status
		}
	}
	return e.execPath(path, args)
}

// execPath runs the file at path.
func (e *env) execPath(path string, args []string) int {
	i, err := e.stat(path)
	switch {
	case err != nil && errText(err) == vfs.ENOENT.Error():
		if e.dialect != bash {
			e.errorf("%s: not found", path)
			return 127
		}
		e.errorf("%s: No such file or directory", path)
		return 127
	case err != nil:
		e.errorf("%s: %s", path, errText(err))
		return 126
	case i.IsDir() && e.dialect == bash:
		e.errorf("%s: Is a directory", path)
		return 126
	case i.IsDir() || i.Mode&0o111 == 0 || e.fs.Access(e.cred, e.abs(path), 1) != nil:
		e.errorf("%s: Permission denied", path)
		return 126
	}
	real, err := e.fs.Real(e.cred, e.abs(path))
	if err != nil {
		real = e.abs(path)
	}
	if e.errName == "" {
		e.envLast = e.abs(path)
	}
	if inSystem(real) {
		if status, ok := e.runProgram(base(path), base(real), args); ok {
			return status
		}
		if i.Mode&vfs.TypeMask == vfs.Regular && e.original(real) {
			e.k.sh.opt.Watch.Unsupported("command " + base(real))
			return 0
		}
	}
	return e.runDropped(path, real, args, i.Size)
}

// base is the last element of a path.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// inSystem reports a folder of programs the pretended distribution installed.
func inSystem(path string) bool {
	for _, d := range []string{"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/local/bin/", "/usr/local/sbin/", "/usr/games/", "/usr/lib/"} {
		if strings.HasPrefix(path, d) {
			return true
		}
	}
	return false
}

// runProgram runs a program known by the name it was called by or by the name
// of the file behind it.
func (e *env) runProgram(name, real string, args []string) (int, bool) {
	if d, ok := shellNamed(real); ok {
		return e.runShell(d, args), true
	}
	if real == "busybox" {
		if status, ok := e.runBusybox(args); ok {
			return status, true
		}
	}
	if real == "stty" {
		return e.stty(args), true
	}
	cmd, ok := coreutils.Lookup(name)
	if !ok {
		cmd, ok = coreutils.Lookup(real)
	}
	if !ok {
		return 0, false
	}
	return e.run(cmd, args), true
}

// shellNamed reports which shell a program is.
func shellNamed(name string) (dialect, bool) {
	switch name {
	case "bash", "rbash":
		return bash, true
	case "dash", "sh":
		return dash, true
	case "ash":
		return ash, true
	}
	return 0, false
}

// runBusybox runs the shells of BusyBox; other applets are coreutils' matter.
func (e *env) runBusybox(args []string) (int, bool) {
	if len(args) > 1 && base(args[0]) == "busybox" && (args[1] == "sh" || args[1] == "ash") {
		return e.runShell(ash, args[1:]), true
	}
	return 0, false
}

// run gives a command its process and runs it.
func (e *env) run(cmd coreutils.Command, args []string) int {
	p := e.proc(args)
	return cmd(p)
}

// proc is the view a command has of its process.
func (e *env) proc(args []string) *coreutils.Proc {
	k := e.k
	o := &k.sh.opt
	p := &coreutils.Proc{
		Args: args, FS: e.streams(), Host: o.Host, Cred: e.cred, Cwd: e.cwd, Umask: e.umask,
		PPID: e.pid, Now: o.Now, Cols: k.sh.cols(), Watch: o.Watch,
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
