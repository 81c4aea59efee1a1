package warden

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"honeyguide/internal/caged"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sandbox"
)

// Child is the main function of a sensor process: it takes its descriptors,
// closes the cage, proves it, learns who it is and calls run, which sends
// ipc.Ready when it serves and returns when it was told to stop. The caller
// writes the error to standard error, where the warden finds it, and exits.
func Child(ctx context.Context, run func(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, listeners []net.Listener) error) error {
	began := time.Now()
	// The host's time zone is nothing an attacker should read off the decoy,
	// and it could not be loaded later.
	time.Local = time.UTC
	// A service manager signals all processes at once; the core says when to stop.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	conn, err := ipc.FromFile(os.NewFile(sandbox.FirstFile, "ipc"), ipc.Sensor)
	if err != nil {
		return err
	}
	defer conn.Close()
	cage, err := ipc.Expect[ipc.Cage](conn)
	if err != nil {
		return err
	}
	listeners, socket, err := inherit(cage.Listeners)
	if err != nil {
		return err
	}
	hello, err := caged.Enter(cage, sandbox.Config{}, sandbox.Target{Socket: socket})
	hello.Took = time.Since(began)
	if err != nil {
		hello.Failure = err.Error()
	}
	if serr := conn.Send(hello); err != nil || serr != nil {
		return errors.Join(err, serr)
	}
	setup, err := ipc.Expect[ipc.Setup](conn)
	if err != nil {
		return err
	}
	return run(ctx, conn, setup, listeners)
}

// inherit takes the n listeners that follow the socket pair, and the
// descriptor of one of them for the self-test.
func inherit(n int) (listeners []net.Listener, socket int, err error) {
	for i := range n {
		f := os.NewFile(uintptr(sandbox.FirstFile+1+i), "listener")
		l, err := net.FileListener(f)
		f.Close() // the listener has its own
		if err != nil {
			return nil, 0, fmt.Errorf("take listener %d: %w", i, err)
		}
		listeners = append(listeners, l)
	}
	if n == 0 {
		return nil, 0, nil
	}
	tcp, ok := listeners[0].(*net.TCPListener)
	if !ok {
		return listeners, 0, nil
	}
	raw, err := tcp.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { socket = int(fd) })
	}
	return listeners, socket, err
}
