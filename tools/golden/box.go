package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// boxWord is the only argument of the program when it is a box's first process.
const boxWord = "in-the-box"

// A job is what a box is asked.
type job struct {
	Lower    string // lowerdir of the overlay
	Upper    string // an empty folder on a disk: sizes and blocks of a RAM disk are its own
	Line     string // bash -c Line, or
	Scenario *scenario
}

// An answer is what came out of a box.
type answer struct {
	Stdout, Stderr []byte // not text: JSON would mend what is no UTF-8
	Steps          [][]byte
	RC             int
	Ended          bool
	Fault          string // why the box could not be made
}

// inBox starts this program again in namespaces of its own and asks it j.
func inBox(j job) (*answer, error) {
	upper, err := os.MkdirTemp("", "golden-box")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(upper)
	j.Upper = upper
	in, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe", boxWord)
	cmd.Env = []string{}
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Setsid:     true, Pdeathsig: syscall.SIGKILL,
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run the box: %w", err)
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		return nil, fmt.Errorf("read the box's answer: %w", err)
	}
	if a.Fault != "" {
		return nil, errors.New(a.Fault)
	}
	return &a, nil
}

// boxMain is the first process of a box.
func boxMain() {
	runtime.LockOSThread() // capabilities are a thread's
	for fd := 3; fd < 1024; fd++ {
		syscall.CloseOnExec(fd) // whatever this program inherited is not the case's
	}
	var j job
	a := &answer{}
	err := json.NewDecoder(os.Stdin).Decode(&j)
	if err == nil {
		err = build(j.Lower, j.Upper)
	}
	if err == nil {
		err = disarm()
	}
	if err == nil {
		if j.Scenario == nil {
			err = a.exec(j.Line)
		} else {
			err = a.play(j.Scenario)
		}
	}
	if err != nil {
		a.Fault = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(a)
}

// build makes the box's file system and enters it.
func build(lower, at string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts private: %w", err)
	}
	for _, d := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(at, d), 0o755); err != nil {
			return err
		}
	}
	root := filepath.Join(at, "root")
	if err := syscall.Mount("/dev/sda1", root, "overlay", 0, "lowerdir="+lower+",upperdir="+at+"/upper,workdir="+at+"/work"); err != nil {
		return fmt.Errorf("mount the overlay: %w", err)
	}
	for _, m := range []struct{ kind, dir, data string }{
		{"proc", "proc", ""}, {"sysfs", "sys", ""}, {"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=620,gid=5"}, {"tmpfs", "dev/shm", ""},
	} {
		if err := syscall.Mount(m.kind, filepath.Join(root, m.dir), m.kind, 0, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.kind, err)
		}
	}
	if err := syscall.Sethostname([]byte("srv01")); err != nil {
		return err
	}
	if err := loopback(); err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	if err := syscall.Chroot(root); err != nil {
		return err
	}
	syscall.Umask(0o022)
	limits()
	// Process ids of four digits, as on a machine that has been up for a while.
	os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte("1233"), 0)
	name := append([]byte("systemd"), 0)
	syscall.RawSyscall(syscall.SYS_PRCTL, 15, uintptr(unsafe.Pointer(&name[0])), 0)
	return os.Chdir("/root")
}

// disarm takes from the box what no namespace holds: the clock, modules, the
// machine's power and its kernel settings.
func disarm() error {
	const (
		capModule, capRawIO, capBoot, capTime, capSyslog, capWake, capMac = 16, 17, 22, 25, 34, 35, 33
		dropBounding                                                      = 24
	)
	for _, c := range []uintptr{capModule, capRawIO, capBoot, capTime, capSyslog, capWake, capMac} {
		if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, dropBounding, c, 0); e != 0 {
			return fmt.Errorf("drop capability %d: %w", c, e)
		}
	}
	for _, dir := range []string{"/proc/sys", "/proc/sysrq-trigger", "/sys"} {
		err := syscall.Mount(dir, dir, "", syscall.MS_BIND|syscall.MS_REC, "")
		if errors.Is(err, syscall.ENOENT) {
			continue
		}
		if err != nil {
			return fmt.Errorf("bind %s: %w", dir, err)
		}
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
			return fmt.Errorf("make %s read-only: %w", dir, err)
		}
	}
	return nil
}

// limits are those of a login on a Debian server.
func limits() {
	for what, l := range map[int]syscall.Rlimit{
		syscall.RLIMIT_NOFILE: {Cur: 1024, Max: 1 << 20},
		syscall.RLIMIT_CORE:   {Cur: 0, Max: ^uint64(0)},
		syscall.RLIMIT_STACK:  {Cur: 8 << 20, Max: ^uint64(0)},
		syscall.RLIMIT_FSIZE:  {Cur: ^uint64(0), Max: ^uint64(0)},
	} {
		if syscall.Setrlimit(what, &l) != nil { // the kernel's own ceiling is lower
			var have syscall.Rlimit
			syscall.Getrlimit(what, &have)
			l.Max = have.Max
			syscall.Setrlimit(what, &l)
		}
	}
}

// loopback switches the only interface on.
func loopback() error {
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(s)
	var req [40]byte
	copy(req[:], "lo")
	req[16] = syscall.IFF_UP | syscall.IFF_RUNNING
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&req))); e != 0 {
		return e
	}
	return nil
}

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// patience is how long one command or one step may take.
const patience = 20 * time.Second

// exec runs one line as an exec request.
func (a *answer) exec(line string) error {
	var out, errs bytes.Buffer
	cmd := &exec.Cmd{
		Path: "/bin/bash", Args: []string{"bash", "-c", line}, Dir: "/root", Stdout: &out, Stderr: &errs,
		Env: []string{"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash", "LC_ALL=C.UTF-8", "TERM=xterm", path},
		// A background job may keep the pipes open; what it writes after the shell ended does not count.
		WaitDelay: 300 * time.Millisecond, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := time.AfterFunc(patience, func() { cmd.Process.Kill(); a.Fault = "took too long: " + line })
	cmd.Wait()
	stop.Stop()
	a.Stdout, a.Stderr, a.RC, a.Ended = out.Bytes(), errs.Bytes(), status(cmd.ProcessState), true
	return nil
}

func status(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// busy reports whether any process of the box is at work: silence counts only
// when nobody is about to break it. One look may fall between the end of a
// program and its parent's waking.
func busy() bool {
	for range 4 {
		if atWork() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

func atWork() bool {
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		if n, err := strconv.Atoi(d.Name()); err != nil || n == 1 {
			continue
		}
		raw, _ := os.ReadFile("/proc/" + d.Name() + "/stat")
		if i := bytes.LastIndexByte(raw, ')'); i >= 0 && i+2 < len(raw) && strings.IndexByte("RD", raw[i+2]) >= 0 {
			return true
		}
	}
	return false
}
