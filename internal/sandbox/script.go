package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Script is a program of the operator's, run once. It is no cage: it may do what
// its user may. What it gets from here is its arguments and nothing else: an empty
// environment, no descriptor beside /dev/null and the pipe for its output, none of
// our capabilities, and, when we are root, the user nobody.
type Script struct {
	Path      string   // absolute
	Args      []string // after the program's name; no shell looks at them
	MaxOutput int      // bytes of output that are kept; more is read and dropped
}

// longestScript bounds a script whose context has no deadline.
const longestScript = 10 * time.Minute

// RunScript runs a script until it and all that holds its output ended, or until ctx
// does; then it and its process group are killed, and the error is ctx's. Exit says
// how it ended by itself, its output is attacker text.
func RunScript(ctx context.Context, s Script) (Exit, error) {
	ctx, cancel := context.WithTimeout(ctx, longestScript)
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		return Exit{}, fmt.Errorf("make a pipe: %w", err)
	}
	defer r.Close()
	// The kernel ends the script with the thread that made it: see Launcher.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	proc, err := startScript(s, w)
	w.Close()
	if err != nil {
		return Exit{}, err
	}
	// It is not waited for before its group was killed, so that the number is its own.
	defer context.AfterFunc(ctx, func() { _ = r.SetReadDeadline(time.Now()); _ = proc.Kill() })()
	out, _ := io.ReadAll(io.LimitReader(r, int64(s.MaxOutput)))
	_, _ = io.Copy(io.Discard, r)
	if err := awaitEnd(proc.Pid); err != nil {
		_ = proc.Kill()
	}
	if err := syscall.Kill(-proc.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return Exit{}, fmt.Errorf("end what the script left: %w", err)
	}
	state, err := proc.Wait()
	if err != nil {
		return Exit{}, fmt.Errorf("wait for the script: %w", err)
	}
	exit := Exit{Code: state.ExitCode(), Output: string(out)}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
		if ctx.Err() != nil {
			return exit, fmt.Errorf("the script took too long: %w", ctx.Err())
		}
	}
	return exit, nil
}

// awaitEnd waits until a child ended and leaves it to be waited for.
func awaitEnd(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// startScript starts a script as the leader of a process group of its own.
func startScript(s Script, out *os.File) (*os.Process, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	attr := &os.ProcAttr{Dir: "/", Env: []string{}, Files: []*os.File{null, out, out}, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}}
	if os.Getuid() == 0 {
		attr.Sys.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{}}
	}
	if err := keepToOurselves(); err != nil {
		return nil, err
	}
	back, err := dropAmbient()
	if err != nil {
		return nil, err
	}
	defer back()
	proc, err := os.StartProcess(s.Path, append([]string{s.Path}, s.Args...), attr)
	if err != nil {
		return nil, fmt.Errorf("start the script: %w", err)
	}
	return proc, nil
}

// keepToOurselves marks every descriptor as ours alone. The library does so with
// those it opens; those we were started with would go to every program we start.
func keepToOurselves() error {
	if unix.CloseRange(FirstFile, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return nil
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("find open descriptors: %w", err)
	}
	for _, e := range list {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= FirstFile {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// dropAmbient takes the capabilities a service manager gave us, and every program we
// start, from this thread. The function gives them back.
func dropAmbient() (back func(), err error) {
	var had []uintptr
	for c := uintptr(0); c < lastCapability; c++ {
		is, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, c, 0, 0)
		if err != nil {
			break
		}
		if is == 1 {
			had = append(had, c)
		}
	}
	if len(had) == 0 {
		return func() {}, nil
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("drop capabilities: %w", err)
	}
	return func() {
		for _, c := range had {
			_ = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, c, 0, 0)
		}
	}, nil
}
