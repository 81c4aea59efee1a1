package ipc

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// Pair makes the socket pair of a core and a sensor process. Both ends are
// close-on-exec; the sensor's is handed on as an extra file.
func Pair() (core, sensor *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "ipc core"), os.NewFile(uintptr(fds[1]), "ipc sensor"), nil
}

// FromFile returns the end called side of the pair f belongs to, and closes f:
// the connection has its own descriptor.
func FromFile(f *os.File, side Side) (*Conn, error) {
	rw, err := net.FileConn(f)
	if cerr := f.Close(); err == nil && cerr != nil {
		rw.Close()
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("take socket pair: %w", err)
	}
	return New(rw, side), nil
}

// Expect receives a message that must be an M.
func Expect[M Message](conn *Conn) (M, error) {
	var none M
	m, err := conn.Receive()
	if err != nil {
		return none, fmt.Errorf("wait for %T: %w", none, err)
	}
	want, ok := m.(M)
	if !ok {
		return none, fmt.Errorf("%w: %T where %T was due", ErrProtocol, m, none)
	}
	return want, nil
}
