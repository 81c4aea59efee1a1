package fwhelper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"honeyguide/internal/caged"
	"honeyguide/internal/ipc"
	"honeyguide/internal/netx"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
)

// Child is the whole life of the process that commands the firewall: it learns
// what is never to be blocked, closes the cage, proves it, and does what it is
// asked until the core is gone or says stop. The caller writes the error to
// standard error and exits. What is in force stays in force until it ends.
func Child(ctx context.Context) error {
	began := time.Now()
	time.Local = time.UTC
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
	setup, err := ipc.Expect[ipc.FirewallSetup](conn)
	if err != nil {
		return err
	}
	local := netx.Lately(surroundings(nameServers()), time.Now, time.Second)
	hello, err := caged.Enter(cage, sandbox.Config{NetAdmin: true}, sandbox.Target{NetAdmin: true})
	hello.Took = time.Since(began)
	var d *desk
	if err == nil {
		d, err = open(setup, local)
	}
	if err != nil {
		hello.Failure = err.Error()
	}
	if serr := conn.Send(hello); err != nil || serr != nil {
		return errors.Join(err, serr)
	}
	return serve(ctx, conn, d)
}

// nameServers reads the servers of resolv.conf(5), while files can be read.
func nameServers() []netip.Addr {
	raw, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	return netx.Nameservers(raw)
}

// open looks whether the kernel does what will be asked of it.
func open(setup ipc.FirewallSetup, local func() ([]netx.Local, error)) (*desk, error) {
	if _, err := local(); err != nil {
		return nil, err
	}
	k, err := newKernel()
	if err != nil {
		return nil, err
	}
	if _, err := k.present(); err != nil {
		return nil, err
	}
	return newDesk(k, setup, local, time.Now), nil
}

// serve does what the core asks, one thing after the other, until it is gone.
func serve(ctx context.Context, conn *ipc.Conn, d *desk) error {
	ctx, stop := context.WithCancel(ctx)
	group := supervise.New(nil)
	defer func() { stop(); _ = group.Wait() }()
	var mu sync.Mutex
	group.Go(ctx, "sweep", func(ctx context.Context) error {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			mu.Lock()
			_ = d.sweep() // what is left over is removed with the next change, or seen by who looks at the health
			mu.Unlock()
		}
	})
	var waiting ipc.FirewallPart
	for {
		m, err := conn.Receive()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch m := m.(type) {
		case ipc.Stop:
			return nil
		case ipc.FirewallPart:
			if m.ID != waiting.ID {
				waiting = ipc.FirewallPart{ID: m.ID}
			}
			if len(waiting.Entries)+len(m.Entries) > 2*highestMost {
				return fmt.Errorf("%w: a list of more than %d entries", ipc.ErrProtocol, 2*highestMost)
			}
			waiting.Entries = append(waiting.Entries, m.Entries...)
		case ipc.FirewallAsk:
			if waiting.ID == m.ID && len(waiting.Entries) > 0 {
				m.Entries = append(waiting.Entries, m.Entries...)
			}
			waiting = ipc.FirewallPart{}
			mu.Lock()
			a := d.answer(&m)
			mu.Unlock()
			if err := conn.Send(a); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: %T out of turn", ipc.ErrProtocol, m)
		}
	}
}
