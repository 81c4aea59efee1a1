package shell

import (
	"strings"

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

// external runs a program and sees to what its end brings.
func (e *env) external(args []string) int {
	status := e.program(args)
	if e.jobs != nil {
		e.sweepJobs()
	}
	if len(e.traps) > 0 {
		e.childEnded()
	}
	return status
}

func (e *env) program(args []string) int {
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
	if script := scriptOf(real, args); script != "" {
		return e.interpreted(script, func() int { return e.run(cmd, args) }), true
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
