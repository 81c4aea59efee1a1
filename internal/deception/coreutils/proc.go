// Package coreutils is the programs of the pretended host: GNU coreutils, grep,
// sed, awk, find, tar, procps and what else attackers type, written for a
// pretended file system and a machine model. A command sees nothing but its
// [Proc]; its texts and statuses are those of Debian 12's packages.
package coreutils

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

// A Proc is one running command: everything it may touch.
type Proc struct {
	Args    []string // Args[0] is the name it was called by
	Env     func(name string) string
	Environ func() []string

	FS        *vfs.FS
	Host      *persona.Host
	Cred      vfs.Cred
	Cwd       string // absolute
	Umask     uint32
	PID, PPID int
	TTY       bool // standard output is the terminal
	StdinTTY  bool // standard input is the terminal
	Cols      int  // of the terminal; 0 means 80
	Rows      int  // of the terminal; 0 means 24
	Session   SessionInfo

	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time

	// Step charges n units of work, about a microsecond each; an error means
	// stop at once. The error may say its exit status, see ExitStatus.
	Step func(n int) error
	// Alloc charges n bytes of memory before a big allocation, and gives them
	// back when n is negative.
	Alloc func(n int) error
	// Sleep waits on the pretended machine; nil does not wait. It returns an
	// error when the session ends or the wait is interrupted.
	Sleep func(d time.Duration) error
	// Run runs another command found by PATH, with a Proc made from p: the
	// callee's files, folder, credentials and environment are p's.
	Run   func(p *Proc, argv []string) int
	Watch Watcher

	name   string // what the command calls itself
	applet bool   // run by busybox
	out    *writer
}

// SessionInfo says how the attacker came in.
type SessionInfo struct {
	User     string
	Src, Dst string // address:port
	TTYName  string // pts/0, "" without a terminal
	Login    time.Time
}

// A Watcher is told what the session's recorder wants to know.
type Watcher interface {
	// Download is called for every address a program was told to fetch or to
	// send to. Nothing is fetched.
	Download(url, tool, dest string)
	// Unsupported is called for an option or command this package lacks.
	Unsupported(what string)
	// Auth is called when a password is set or asked for: su, sudo, passwd.
	Auth(kind, user, password string)
}

// A Command runs to its end and returns its exit status. It never panics on
// input.
type Command func(p *Proc) int

// An ExitStatus is a Step error that says with which status the command ends,
// for instance 137 when it was killed.
type ExitStatus int

// Error says what the status means.
func (e ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Lookup finds a command by its base name.
func Lookup(name string) (Command, bool) {
	c := byName(name)
	if c == nil {
		return nil, false
	}
	return func(p *Proc) int { return run(name, c, p) }, true
}

// byName looks through the groups of commands. It is a chain of switches, not a
// map, because several commands call others by name.
func byName(name string) Command {
	for _, group := range []func(string) Command{
		outputCommands, exprCommands, pagerCommands, catCommands, fileCommands, copyCommands, listCommands, modeCommands, textCommands, sumCommands,
		grepCommands, sedCommands, findCommands, systemCommands, processCommands, userCommands, networkCommands, fetchCommands, archiveCommands,
		execCommands, packageCommands, serviceCommands, editorCommands, pythonCommands, interpreterCommands, awkCommands, dateCommands, diskCommands, dumpCommands, seldomCommands, plainCommands,
	} {
		if c := group(name); c != nil {
			return c
		}
	}
	return nil
}

// stop ends a command from any depth; run turns it into a status.
type stop struct{ status int }

// run gives p what is missing, runs c and sees its output off.
func run(name string, c Command, p *Proc) (status int) {
	p.name = name
	p.complete()
	if t := machine.TableOf(p.FS); t != nil {
		if _, ok := t.Get(p.PID); p.PID == 0 || !ok {
			p.PID = t.Spawn(machine.Process{
				PID: p.PID, PPID: p.PPID, UID: p.Cred.UID, GID: p.Cred.GID, User: p.userName(p.Cred.UID),
				Exe: "/usr/bin/" + name, Args: p.Args, Cwd: p.Cwd, TTY: p.Session.TTYName, VSZ: 6000, RSS: 1900, State: "R",
			})
			defer t.Exit(p.PID)
		}
	}
	p.FS = p.FS.As(p.PID)
	p.out = &writer{to: p.Stdout}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stop:
			status = r.status
		default:
			panic(r)
		}
	}()
	if spec, ok := strict[name]; ok {
		if !p.obeys(spec) {
			return 1
		}
	}
	status = c(p)
	if err := p.out.flush(); err != nil {
		return p.writeFailed(err)
	}
	return status
}

// complete fills in what the caller left out.
func (p *Proc) complete() {
	if p.Env == nil {
		p.Env = func(string) string { return "" }
	}
	if p.Environ == nil {
		p.Environ = func() []string { return nil }
	}
	if p.Stdin == nil {
		p.Stdin = strings.NewReader("")
	}
	if p.Stdout == nil {
		p.Stdout = io.Discard
	}
	if p.Stderr == nil {
		p.Stderr = io.Discard
	}
	if p.Run == nil {
		p.Run = runByName
	}
	if p.Watch == nil {
		p.Watch = nobody{}
	}
	if p.Cwd == "" {
		p.Cwd = "/"
	}
	if len(p.Args) == 0 {
		p.Args = []string{p.name}
	}
}

// runByName is Run without a shell: by base name only.
func runByName(p *Proc, argv []string) int {
	if len(argv) == 0 {
		return 0
	}
	c, ok := Lookup(argv[0][strings.LastIndexByte(argv[0], '/')+1:])
	if !ok {
		return 127
	}
	child := *p
	child.Args, child.PID, child.PPID = argv, 0, p.PID
	return c(&child)
}

// nobody watches.
type nobody struct{}

func (nobody) Download(string, string, string) {}
func (nobody) Unsupported(string)              {}
func (nobody) Auth(string, string, string)     {}

// step charges work and ends the command when there is none left.
func (p *Proc) step(n int) {
	if p.Step == nil {
		return
	}
	if err := p.Step(n); err != nil {
		p.halt(err)
	}
}

// alloc charges memory and ends the command when there is none left.
func (p *Proc) alloc(n int) {
	if p.Alloc == nil {
		return
	}
	if err := p.Alloc(n); err != nil {
		var s ExitStatus
		if !errors.As(err, &s) {
			p.errorf("memory exhausted")
			panic(stop{1})
		}
		p.halt(err)
	}
}

// sleep waits on the pretended machine's time.
func (p *Proc) sleep(d time.Duration) {
	p.flush()
	if p.Sleep == nil || d <= 0 {
		return
	}
	if err := p.Sleep(d); err != nil {
		p.halt(err)
	}
}

func (p *Proc) halt(err error) {
	var s ExitStatus
	if errors.As(err, &s) {
		panic(stop{int(s)})
	}
	panic(stop{137})
}

// errorf writes "name: message" to standard error.
func (p *Proc) errorf(format string, a ...any) {
	if p.TTY && p.out != nil {
		p.flush()
	}
	fmt.Fprintf(p.Stderr, p.name+": "+format+"\n", a...)
}

// try points to the help, as GNU programs do after a usage error.
func (p *Proc) try(status int) int {
	fmt.Fprintf(p.Stderr, "Try '%s --help' for more information.\n", p.name)
	return status
}

// path makes an operand absolute.
func (p *Proc) path(arg string) string { return vfs.Join(p.Cwd, arg) }

// writer buffers standard output as stdio does.
type writer struct {
	to  io.Writer
	buf []byte
	err error
}

const outBuffer = 4096

func (w *writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.buf = append(w.buf, b...)
	if len(w.buf) >= outBuffer {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (w *writer) flush() error {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.to.Write(w.buf)
		w.buf = w.buf[:0]
	}
	return w.err
}

// write sends bytes to standard output and ends the command when nobody reads.
func (p *Proc) write(b []byte) {
	if _, err := p.out.Write(b); err != nil {
		panic(stop{p.writeFailed(err)})
	}
}

func (p *Proc) print(s string)            { p.write([]byte(s)) }
func (p *Proc) printf(f string, a ...any) { p.write(fmt.Appendf(nil, f, a...)) }
func (p *Proc) flush() {
	if err := p.out.flush(); err != nil {
		panic(stop{p.writeFailed(err)})
	}
}

// writeFailed is the end of a command whose output cannot be written: a broken
// pipe kills it without a word, a full disk makes it complain.
func (p *Proc) writeFailed(err error) int {
	var s ExitStatus
	var e vfs.Errno
	switch {
	case errors.As(err, &s):
		return int(s)
	case errors.As(err, &e) && e != vfs.EPIPE:
		fmt.Fprintf(p.Stderr, "%s: write error: %s\n", p.name, e)
		return 1
	default:
		return 141
	}
}

func sprintf(format string, a ...any) string { return fmt.Sprintf(format, a...) }

// why returns the libc text of an error.
func why(err error) string {
	var e vfs.Errno
	if errors.As(err, &e) {
		return e.Error()
	}
	return vfs.EIO.Error()
}
