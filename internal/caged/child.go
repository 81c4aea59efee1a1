package caged

import (
	"context"
	"fmt"
	"os"
	"strings"

	"honeyguide/internal/ipc"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
)

// Enter closes the cage around this process as the core orders, with the rights c
// leaves it, and tries to break out of it as t says. What it returns is the proof
// for the core, also when there is an error.
func Enter(cage ipc.Cage, c sandbox.Config, t sandbox.Target) (ipc.Hello, error) {
	c.Namespaces, c.Conns, c.Procs, c.Memory, c.Insecure = cage.Namespaces, cage.Conns, cage.Procs, cage.Memory, cage.Insecure
	report, err := sandbox.Enter(c)
	hello := ipc.Hello{PID: os.Getpid()}
	for _, l := range report {
		hello.Layers = append(hello.Layers, ipc.Layer(l))
	}
	if err != nil {
		return hello, err
	}
	group := supervise.New(nil)
	probe := sandbox.SelfTest(t, func(name string, fn func()) {
		group.Go(context.Background(), name, func(context.Context) error { fn(); return nil })
	})
	hello.Probes, hello.Open = probe.Made, probe.Open
	if len(probe.Open) > 0 && !cage.Insecure {
		return hello, fmt.Errorf("the cage does not hold: %s", strings.Join(probe.Open, ", "))
	}
	return hello, nil
}
