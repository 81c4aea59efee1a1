package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// silence ends a step.
const silence = 300 * time.Millisecond

// play types a scenario on a terminal of its own.
func (a *answer) play(s *scenario) error {
	home := "/root"
	cred := &syscall.Credential{}
	if s.User != "root" {
		home = "/home/" + s.User
		if out, err := exec.Command("/usr/sbin/useradd", "-m", "-s", "/bin/bash", s.User).CombinedOutput(); err != nil {
			return fmt.Errorf("useradd: %w: %s", err, out)
		}
		cred = &syscall.Credential{Uid: 1000, Gid: 1000}
	}
	env := []string{"HOME=" + home, "USER=" + s.User, "LOGNAME=" + s.User, "SHELL=/bin/bash", "LANG=C.UTF-8", path}
	if s.Term != "unset" && s.TTY {
		env = append(env, "TERM="+s.Term)
	}
	cmd := &exec.Cmd{Path: program(s.Argv[0]), Args: s.Argv, Dir: home, Env: env, SysProcAttr: &syscall.SysProcAttr{Setsid: true, Credential: cred}}
	if !s.TTY {
		return a.feed(cmd, s.Steps[0].In)
	}
	t, err := openTerminal(s, cred.Uid)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.slave, t.slave, t.slave
	cmd.SysProcAttr.Setctty = true
	if err := cmd.Start(); err != nil {
		return err
	}
	t.slave.Close()
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	for _, st := range s.Steps {
		out, over := t.step(st, ended)
		a.Steps = append(a.Steps, []byte(out))
		if over {
			a.Ended, a.RC = true, status(cmd.ProcessState)
			break
		}
	}
	return nil
}

func program(argv0 string) string {
	if name := strings.TrimPrefix(argv0, "-"); name != "bash" {
		return "/usr/bin/" + name
	}
	return "/bin/bash"
}

// feed gives everything on stdin to a shell without a terminal.
func (a *answer) feed(cmd *exec.Cmd, in string) error {
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = strings.NewReader(in), &out, &errs, silence
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := time.AfterFunc(patience, func() { cmd.Process.Kill(); a.Fault = "took too long" })
	cmd.Wait()
	stop.Stop()
	a.Steps, a.Stderr, a.RC, a.Ended = [][]byte{out.Bytes()}, errs.Bytes(), status(cmd.ProcessState), true
	return nil
}

// A terminal is both ends of a pseudo terminal; said carries what the program
// writes, and is closed when nobody holds the other end.
type terminal struct {
	master, slave *os.File
	said          chan []byte
}

func openTerminal(s *scenario, owner uint32) (*terminal, error) {
	master, err := os.OpenFile("/dev/pts/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	var n, zero uint32
	if err := ioctl(master, syscall.TIOCGPTN, unsafe.Pointer(&n)); err != nil {
		return nil, err
	}
	if err := ioctl(master, syscall.TIOCSPTLCK, unsafe.Pointer(&zero)); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("/dev/pts/%d", n)
	slave, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(name, int(owner), 5); err != nil {
		return nil, err
	}
	t := &terminal{master: master, slave: slave, said: make(chan []byte, 64)}
	if err := t.resize(s.Cols, s.Rows); err != nil {
		return nil, err
	}
	go t.listen()
	return t, nil
}

func ioctl(f *os.File, req uintptr, arg unsafe.Pointer) error {
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), req, uintptr(arg)); e != 0 {
		return e
	}
	return nil
}

func (t *terminal) resize(cols, rows int) error {
	size := [4]uint16{uint16(rows), uint16(cols), 0, 0}
	return ioctl(t.master, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
}

func (t *terminal) listen() {
	defer close(t.said)
	for {
		buf := make([]byte, 16<<10)
		n, err := t.master.Read(buf)
		if n > 0 {
			t.said <- buf[:n]
		}
		if err != nil && !errors.Is(err, io.ErrShortBuffer) {
			return
		}
	}
}

// step does one thing and collects everything up to the next silence, or to
// the end of the shell.
func (t *terminal) step(st step, ended <-chan struct{}) (out string, over bool) {
	switch {
	case st.Resize != nil:
		t.resize(st.Resize[0], st.Resize[1])
	case st.Wait > 0:
		time.Sleep(time.Duration(st.Wait) * time.Millisecond)
	case st.In != "":
		t.master.WriteString(st.In)
	}
	var all strings.Builder
	limit := time.Now().Add(patience)
	quiet := 0
	for {
		select {
		case b, ok := <-t.said:
			if !ok {
				if ended != nil {
					<-ended
				}
				return all.String(), true
			}
			all.Write(b)
			quiet = 0
		case <-ended:
			ended = nil // the last words are still in the pipe
			over = true
		case <-time.After(silence):
			// A slow machine is silent for longer before its first word.
			if quiet++; quiet < 4 && all.Len() == 0 {
				continue
			}
			if over || !busy() || time.Now().After(limit) {
				return all.String(), over
			}
		}
	}
}
