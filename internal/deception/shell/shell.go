package shell

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

// A Watcher is told what the session's recorder wants to know. Its methods are
// called on the goroutine that runs the shell.
type Watcher interface {
	coreutils.Watcher
	// Command is called for every line given to the shell, after it ran.
	Command(line string, status int)
}

// An ExecWatcher is a [Watcher] that also wants to know of files the attacker
// brought and ran; path is absolute.
type ExecWatcher interface {
	Starting(path string) // before it runs: it may remove itself
	Executed(path string, status int)
}

// Options describe one session.
type Options struct {
	Host  *persona.Host
	FS    *vfs.FS
	User  string // login name
	Cred  vfs.Cred
	Env   []string // name=value, what sshd or telnetd hands over besides the usual
	Dir   string   // "" is the user's home
	Login bool     // prefix of errors is "-bash"; Script and Interactive always are

	TTY        bool
	Cols, Rows int    // 0 means 80 and 24
	Term       string // "" is as unset
	TTYName    string // "" is "pts/0" on a terminal
	Parent     int    // process id of the daemon's own process for this login; 0 invents one
	Src, Dst   string // address:port of the peer and of ourselves

	Now func() time.Time
	// After replaces the wait for a time to come; nil is a timer. With it goes a
	// Now that follows the jumps, for budgets are then counted on that clock.
	After  func(time.Duration) (fire <-chan time.Time, stop func() bool)
	Seed   uint64    // process ids, RANDOM
	Budget Budget    // zero fields mean the defaults
	Pool   *vfs.Pool // out of which the bytes of all sessions come; nil: no bound
	Watch  Watcher
}

// A Shell is one session's way into the pretended host. Exec, Script and
// Interactive are called one at a time; Resize may be called from anywhere.
type Shell struct {
	opt  Options
	size atomic.Uint64 // cols<<32 | rows
	term atomic.Pointer[Terminal]
	// resized says that the editor has not heard of the terminal's new size.
	resized atomic.Bool
	hooks   hooks
	pids    int // last process id given without a process table
	died    int // of this signal, when it did
}

// hooks are what tests put in place of the clock and the wait for input.
type hooks struct {
	now   func() time.Time
	after func(time.Duration) (<-chan time.Time, func() bool)
	idle  func() // a terminal rests
}

// New returns a shell. It holds next to nothing until it is used.
func New(o Options) *Shell {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.User == "" {
		o.User = "root"
	}
	if o.Watch == nil {
		o.Watch = nobody{}
	}
	if o.FS == nil && o.Host != nil {
		o.FS = o.Host.Image.NewFS(vfs.Quota{}, o.Now)
	}
	s := &Shell{opt: o}
	s.hooks.now, s.hooks.after = time.Now, timer
	if o.After != nil {
		s.hooks.now, s.hooks.after = o.Now, o.After
	}
	s.Resize(o.Cols, o.Rows)
	return s
}

// timer returns a channel that fires after d and the function that stops it.
func timer(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}

// Resize tells the shell the terminal's new size.
func (s *Shell) Resize(cols, rows int) {
	if cols <= 0 || cols > 4096 {
		cols = 80
	}
	if rows <= 0 || rows > 4096 {
		rows = 24
	}
	s.size.Store(uint64(cols)<<32 | uint64(rows))
	if t := s.term.Load(); t != nil {
		s.resized.Store(true)
		t.in.nudge()
		t.wake()
	}
}

func (s *Shell) cols() int { return int(s.size.Load() >> 32) }
func (s *Shell) rows() int { return int(s.size.Load() & 0xffffffff) }

// Exec runs one line as `bash -c LINE`, the way of an exec request, and returns
// its exit status. It returns soon after ctx ends; a Read of stdin that is still
// blocked then must be ended by whoever owns stdin.
func (s *Shell) Exec(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	return s.session(ctx, stdin, stdout, stderr, func(k *kernel) int {
		e := k.newEnv("bash", "hBc", "-c", line)
		if s.opt.Login {
			e.name, e.login = "-bash", true
		}
		e.command = true
		if s.opt.Src != "" {
			e.startPlain(true)
		}
		status := e.runMain(func() int {
			if line != "" && (line[0] == '-' || line[0] == '+') { // bash -c takes it for one more option
				if _, status, ok := e.parseStartup(bash, []string{"bash", "-c", line}); !ok {
					return status
				}
			}
			return e.runText(&source{name: "", text: line, kind: fromArg}, 0)
		})
		s.opt.Watch.Command(line, status)
		return status
	})
}

// Script runs the commands read from stdin, the way of a shell request without
// a terminal.
func (s *Shell) Script(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	return s.session(ctx, stdin, stdout, stderr, func(k *kernel) int {
		e := k.newEnv("-bash", "hBs")
		e.login = true
		return e.runMain(func() int {
			e.startPlain(false)
			status := e.runStdin()
			e.goodbye()
			return status
		})
	})
}

// Died returns the number of the signal the shell died of, 0 when it left by
// itself. It is known once Exec or Script has returned or Ended is called.
func (s *Shell) Died() int { return s.died }

// session gives fn a kernel and sees to its end: panics, processes, memory.
func (s *Shell) session(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, fn func(*kernel) int) (status int) {
	k := newKernel(ctx, s, stdin, stdout, stderr)
	defer k.close()
	defer func() {
		if r := recover(); r != nil {
			d, ok := r.(death)
			if !ok {
				s.opt.Watch.Unsupported(fmt.Sprintf("panic: %v", r))
				status = 139
				return
			}
			status = d.status
		}
	}()
	status = fn(k)
	k.drain()
	return status
}

// nobody watches.
type nobody struct{}

func (nobody) Download(string, string, string) {}
func (nobody) Unsupported(string)              {}
func (nobody) Auth(string, string, string)     {}
func (nobody) Command(string, int)             {}
