package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// A Target is what the attempts aim at.
type Target struct {
	PID    int // a process outside, 0 means the first one
	Port   int // a TCP port of the core on 127.0.0.1; 0 means 1
	Unix   string
	Socket int  // a descriptor the process legitimately holds, a listener at best; 0 leaves out what needs one
	Egress bool // the process may reach out: what that is is no way out
	// NetAdmin says that the process may speak to netfilter.
	NetAdmin bool
}

// An attempt is one way out. None changes anything for good when it succeeds:
// the self-test makes them in every sensor that starts, caged or not.
type attempt struct {
	group, name string
	socket      bool // needs Target.Socket
	deadly      bool // ends the process where the filter holds
	egress      bool // what a process with Egress may do
	admin       bool // what a process with NetAdmin may do
	try         func(Target) error
}

// Probe is the result of [SelfTest].
type Probe struct {
	Made int
	Open []string // attempts that were let through, with what the kernel said
}

// SelfTest tries to break out of the cage from a thread of its own, which it
// gives up afterwards. An attempt is open when it succeeds or when the kernel
// so much as evaluated it; what would end the process is left out.
// start runs a function in its own goroutine.
func SelfTest(t Target, start func(name string, fn func())) Probe {
	var probe Probe
	var wait sync.WaitGroup
	wait.Add(1)
	start("self-test", func() {
		// The thread is never unlocked: whatever an open attempt did to it ends with it.
		runtime.LockOSThread()
		defer wait.Done()
		for _, a := range attempts {
			if a.deadly || a.socket && t.Socket == 0 || a.egress && t.Egress || a.admin && t.NetAdmin {
				continue
			}
			probe.Made++
			if err := a.try(t); !refused(err) {
				probe.Open = append(probe.Open, fmt.Sprintf("%s: %v", a.name, outcome(err)))
			}
		}
	})
	wait.Wait()
	return probe
}

func outcome(err error) string {
	if err == nil {
		return "succeeded"
	}
	return err.Error()
}

// refused reports whether err says that the attempt was turned away. A path
// that does not exist counts: the root of the cage is empty.
func refused(err error) bool {
	return slices.ContainsFunc([]error{
		unix.EPERM, unix.EACCES, unix.ENOSYS, unix.EROFS, unix.ENETUNREACH, unix.ENOENT,
	}, func(e error) bool { return errors.Is(err, e) })
}

func (t Target) pid() uintptr { return uintptr(max(t.PID, 1)) }

func (t Target) tcp() *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: max(t.Port, 1), Addr: [4]byte{127, 0, 0, 1}}
}

// call makes a raw system call and returns its error.
func call(nr uintptr, args ...uintptr) error {
	_, err := callFor(nr, args...)
	return err
}

func callFor(nr uintptr, args ...uintptr) (int, error) {
	var a [6]uintptr
	copy(a[:], args)
	r, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

// held closes a descriptor an attempt got hold of.
func held(fd int, err error) error {
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// over makes a socket, uses it and closes it.
func over(family, kind, proto int, use func(fd int) error) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return use(fd)
}

// made only makes a socket.
func made(family, kind, proto int) func(Target) error {
	return func(Target) error { return over(family, kind, proto, func(int) error { return nil }) }
}
