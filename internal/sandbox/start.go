package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// FirstFile is the descriptor of the first of [Options.Files] in the child.
const FirstFile = 3

// maxLastWords bounds what is kept of a dead process's output.
const maxLastWords = 16 << 10

// Options say what to start.
type Options struct {
	Path         string     // program; "" means this one
	Args         []string   // arguments after the program's name
	Files        []*os.File // descriptors 3, 4, ... of the child
	NoNamespaces bool       // start it in the host's namespaces
	HostNetwork  bool       // leave it the host's network: it is to reach out
	NetAdmin     bool       // leave it the host's network and CAP_NET_ADMIN over it
	from         int        // level to begin with, to test the weaker ones
}

// A Launcher starts processes that die with this one. The kernel ties a child
// to the thread that made it, so all are made by one thread that lives as long
// as the launcher.
type Launcher struct {
	requests chan request
	done     chan struct{}
	mu       sync.Mutex
	alive    map[*Process]struct{}
}

type request struct {
	opts  Options
	reply chan<- reply
}

type reply struct {
	p   *Process
	err error
}

// NewLauncher returns a launcher; start runs a function in its own goroutine.
func NewLauncher(start func(name string, fn func())) *Launcher {
	l := &Launcher{requests: make(chan request), done: make(chan struct{}), alive: map[*Process]struct{}{}}
	start("launcher", l.serve)
	return l
}

// serve never unlocks its thread: the kernel would take the end of a thread
// that was given back, at whatever time, for the end of the parent.
func (l *Launcher) serve() {
	runtime.LockOSThread()
	level := 0
	for {
		select {
		case r := <-l.requests:
			p, at, err := launch(r.opts, max(level, r.opts.from))
			if err == nil && !r.opts.NoNamespaces && r.opts.from == 0 {
				level = at // what was refused once is not asked for again
			}
			if err == nil {
				l.adopt(p)
			}
			r.reply <- reply{p, err}
		case <-l.done:
			return
		}
	}
}

// Start starts a process. The files stay the caller's to close. Ending ctx
// afterwards does nothing to the process.
func (l *Launcher) Start(ctx context.Context, o Options) (*Process, error) {
	answer := make(chan reply, 1)
	select {
	case l.requests <- request{o, answer}:
	case <-l.done:
		return nil, errors.New("launcher closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r := <-answer
	return r.p, r.err
}

func (l *Launcher) adopt(p *Process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alive[p] = struct{}{}
	p.gone = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.alive, p)
	}
	select {
	case <-l.done: // closed while it was started
		_ = p.Kill()
	default:
	}
}

// Close ends the launcher and kills every process it started that still runs.
// It is called once. It does not lean on the end of the thread: the first
// thread of a Go program never ends before the program.
func (l *Launcher) Close() {
	close(l.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.alive {
		_ = p.Kill()
	}
}

// A level is one way to start a process, the strongest first.
type level struct {
	name       string
	namespaces []string
	prepare    func(*syscall.SysProcAttr)
}

// Namespaces that need no more than root, and their clone flags.
const rootFlags = unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

var rootNames = []string{"net", "mnt", "pid", "ipc", "uts", "cgroup"}

// levels lists the ways this process may try.
func levels(o Options) []level {
	root := os.Getuid() == 0
	flags, names := uintptr(rootFlags), rootNames
	if o.HostNetwork || o.NetAdmin {
		flags, names = flags&^unix.CLONE_NEWNET, rootNames[1:]
	}
	bare := level{name: "own user", prepare: func(*syscall.SysProcAttr) {}}
	if root {
		bare = level{name: "user nobody", prepare: func(a *syscall.SysProcAttr) {
			a.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{}}
		}}
	}
	if o.NetAdmin {
		bare = bareAdmin(root)
	}
	if o.NoNamespaces {
		return []level{bare}
	}
	var list []level
	if !o.NetAdmin { // the root of a user namespace has no right over the host's network
		list = append(list, level{
			name: "user namespace", namespaces: append([]string{"user"}, names...),
			prepare: func(a *syscall.SysProcAttr) {
				a.Cloneflags = flags | unix.CLONE_NEWUSER
				uid, gid := os.Getuid(), os.Getgid()
				if root {
					uid, gid = nobody, nobody
				}
				a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
				a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
				a.GidMappingsEnableSetgroups = root
				// Otherwise it would stay the user it is outside. Root of the
				// namespace keeps its rights there over the exec, so it can still
				// change its root.
				a.Credential = &syscall.Credential{Uid: 0, Gid: 0, Groups: []uint32{}, NoSetGroups: !root}
			},
		})
	}
	if root {
		// It starts as root, changes its root and then drops itself: a process
		// started as somebody else could not.
		list = append(list, level{
			name: "namespaces", namespaces: names,
			prepare: func(a *syscall.SysProcAttr) { a.Cloneflags = flags },
		})
	}
	return append(list, bare)
}

// bareAdmin is the way without namespaces of a process that keeps
// CAP_NET_ADMIN: root drops itself in the child, anybody else hands on what it
// has.
func bareAdmin(root bool) level {
	if root {
		return level{name: "user nobody", prepare: func(*syscall.SysProcAttr) {}}
	}
	return level{name: "own user", prepare: func(a *syscall.SysProcAttr) { a.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN} }}
}

// launch tries the levels from the given one on and says which one worked.
func launch(o Options, from int) (*Process, int, error) {
	list := levels(o)
	if o.NoNamespaces {
		from = 0
	}
	var refused []string
	for i := from; i < len(list); i++ {
		p, err := list[i].start(o)
		if err == nil {
			p.Refused = refused
			return p, i, nil
		}
		if i == len(list)-1 || !worthAnother(err) {
			return nil, i, fmt.Errorf("start a caged process (%s): %w", list[i].name, err)
		}
		refused = append(refused, fmt.Sprintf("%s: %v", list[i].name, err))
	}
	return nil, from, errors.New("start a caged process: no way left")
}

// worthAnother reports whether a host may answer so because of namespaces:
// forbidden, unknown to the kernel, or too many.
func worthAnother(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSPC, unix.EUSERS, unix.ENOSYS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (l level) start(o Options) (*Process, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	// A process that dies writes why. The pipe keeps it until Wait reads it;
	// what does not fit is not worth a reader that an attacker could feed.
	words, out, err := lastWords()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	path := o.Path
	if path == "" {
		path = "/proc/self/exe"
	}
	attr := &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: append([]*os.File{null, out, out}, o.Files...),
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true},
	}
	l.prepare(attr.Sys)
	began := time.Now()
	proc, err := os.StartProcess(path, append([]string{"honeyguide"}, o.Args...), attr)
	if err != nil {
		words.Close()
		return nil, err
	}
	return &Process{Pid: proc.Pid, Namespaces: l.namespaces, Level: l.name, Started: began, proc: proc, words: words}, nil
}

// lastWords makes a pipe whose writer never waits.
func lastWords() (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, nil, fmt.Errorf("make a pipe: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "last words"), os.NewFile(uintptr(fds[1]), "output"), nil
}

// A Process is one caged process.
type Process struct {
	Pid        int       // as this process sees it
	Level      string    // how it was started
	Namespaces []string  // what it has of its own: user, net, mnt, pid, ipc, uts, cgroup
	Refused    []string  // stronger ways the host refused, with the reason
	Started    time.Time // when the start began
	proc       *os.Process
	words      *os.File
	gone       func() // called when it was waited for
}

// Exit is how a process ended.
type Exit struct {
	Code      int            // exit status, -1 when a signal ended it
	Signal    syscall.Signal // 0 when none
	Violation bool           // it made a call no sensor makes, and the filter ended it
	Output    string         // the last it wrote, cut; attacker bytes
}

// String says how the process ended, without its output.
func (e Exit) String() string {
	switch {
	case e.Violation:
		return "forbidden system call"
	case e.Signal != 0:
		return "signal " + e.Signal.String()
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// Wait waits for the end of the process. It is called once.
func (p *Process) Wait() (Exit, error) {
	state, err := p.proc.Wait()
	p.gone()
	defer p.words.Close()
	if err != nil {
		return Exit{}, fmt.Errorf("wait for process %d: %w", p.Pid, err)
	}
	exit := Exit{Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
		exit.Violation = exit.Signal == syscall.SIGSYS
	}
	// Everything that held the other end is gone; what was written is there.
	if err := p.words.SetReadDeadline(time.Now().Add(time.Second)); err == nil {
		b, _ := io.ReadAll(io.LimitReader(p.words, maxLastWords))
		exit.Output = string(b)
	}
	return exit, nil
}

// Kill ends the process at once. It is no error when it has ended already.
func (p *Process) Kill() error {
	if err := p.proc.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill process %d: %w", p.Pid, err)
	}
	return nil
}
