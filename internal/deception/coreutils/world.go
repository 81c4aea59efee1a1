package coreutils

import (
	"io"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/coreutils/python"
	"honeyguide/internal/deception/vfs"
)

// A world is what a script in a language of its own can reach of its process.
type world struct {
	p    *Proc
	tool string
	set  map[string]string // environment changed by the script
}

// Step charges work.
func (w *world) Step(n int) { w.p.step(n) }

// Alloc charges memory.
func (w *world) Alloc(n int) { w.p.alloc(n) }

// Unsupported names what the language lacks here.
func (w *world) Unsupported(what string) { w.p.Watch.Unsupported(what) }

// Now is the pretended machine's clock.
func (w *world) Now() time.Time { return w.p.Now() }

// Sleep waits on the pretended machine.
func (w *world) Sleep(d time.Duration) { w.p.sleep(d) }

// Getenv reads a variable, as changed by the script.
func (w *world) Getenv(name string) string {
	if v, ok := w.set[name]; ok {
		return v
	}
	return w.p.Env(name)
}

// Environ lists the variables the script was started with.
func (w *world) Environ() []string { return w.p.Environ() }

// Setenv changes a variable for the script's children.
func (w *world) Setenv(name, value string) {
	if w.set == nil {
		w.set = map[string]string{}
	}
	if len(w.set) < 1000 {
		w.set[name] = value
	}
}

// Getwd is the working folder.
func (w *world) Getwd() string { return w.p.Cwd }

// Chdir changes the working folder of the script.
func (w *world) Chdir(dir string) error {
	i, err := w.p.stat(dir)
	switch {
	case err != nil:
		return err
	case !i.IsDir():
		return vfs.ENOTDIR
	}
	if err := w.p.FS.Access(w.p.Cred, w.p.path(dir), 1); err != nil {
		return err
	}
	w.p.Cwd = vfs.Clean(w.p.Cwd, dir)
	return nil
}

// UID, GID, PID and PPID are the process's.
func (w *world) UID() int { return int(w.p.Cred.UID) }

// GID is the group.
func (w *world) GID() int { return int(w.p.Cred.GID) }

// PID is the process's number.
func (w *world) PID() int { return w.p.PID }

// PPID is its parent's.
func (w *world) PPID() int { return w.p.PPID }

// Hostname is the machine's name.
func (w *world) Hostname() string { return w.p.hostName() }

// Uname is sysname, nodename, release, version and machine.
func (w *world) Uname() [5]string {
	k := w.p.machine().Kernel
	return [5]string{"Linux", w.p.hostName(), k.Release, k.Version, "x86_64"}
}

// Open opens a file with the flags of the file system.
func (w *world) Open(path string, flags int) (io.ReadWriteCloser, error) {
	return w.p.FS.Open(w.p.Cred, w.p.path(path), flags, 0o666&^w.p.Umask)
}

// Stat asks for a file's facts.
func (w *world) Stat(path string, follow bool) (vfs.Info, error) {
	if follow {
		return w.p.stat(path)
	}
	return w.p.lstat(path)
}

// ReadDir lists a folder in its own order.
func (w *world) ReadDir(path string) ([]string, error) {
	list, err := w.p.FS.ReadDir(w.p.Cred, w.p.path(path))
	if err != nil {
		return nil, err
	}
	w.p.step(1 + len(list)/8)
	var names []string
	for _, i := range list {
		if i.Name != "." && i.Name != ".." {
			names = append(names, i.Name)
		}
	}
	return names, nil
}

// Change does mkdir, rmdir, remove, rename, chmod or symlink.
func (w *world) Change(op, a, b string, mode uint32) error {
	p := w.p
	switch op {
	case "mkdir":
		return p.FS.Mkdir(p.Cred, p.path(a), mode&^p.Umask)
	case "rmdir":
		return p.FS.Rmdir(p.Cred, p.path(a))
	case "remove":
		return p.FS.Remove(p.Cred, p.path(a))
	case "rename":
		return p.FS.Rename(p.Cred, p.path(a), p.path(b))
	case "chmod":
		return p.FS.Chmod(p.Cred, p.path(a), mode)
	case "symlink":
		return p.FS.Symlink(p.Cred, a, p.path(b))
	}
	return vfs.EINVAL
}

// Spawn runs a program; what is not there returns 127 without a word, for the
// script says it in its own.
func (w *world) Spawn(argv []string, in io.Reader, out, errs io.Writer) int {
	if _, err := w.p.lookPath(argv[0]); err != nil {
		return 127
	}
	return w.p.spawn(argv, func(c *Proc) {
		if in != nil {
			c.Stdin, c.StdinTTY = in, false
		}
		if out != nil {
			c.Stdout, c.TTY = out, false
		}
		if errs != nil {
			c.Stderr = errs
		}
		if len(w.set) > 0 {
			c.setEnv(w.set)
		}
	})
}

// Dial is told of an address a script wants to reach. Nothing is connected.
func (w *world) Dial(url string) python.Outcome {
	w.p.Watch.Download(url, w.tool, "")
	scheme, _, _ := strings.Cut(url, "://")
	t := w.p.parseURL(url, "tcp")
	switch {
	case !t.known && t.host != "localhost":
		w.p.sleep(dnsWait)
		return python.Unresolved
	case slices.Contains([]string{"dns", "udp"}, scheme), w.p.refused(t):
		return python.Refused
	}
	w.p.sleep(connectWait)
	return python.TimedOut
}

// IsTTY reports whether a descriptor is the terminal.
func (w *world) IsTTY(fd int) bool {
	switch fd {
	case 0:
		return w.p.StdinTTY
	case 1:
		return w.p.TTY
	}
	return false
}
