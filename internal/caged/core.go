// Package caged is what the processes that hold one right each and nothing else
// have in common: how the core starts one over a socket pair, tells it how to
// close its cage, believes it only with the proof, and ends it; and how such a
// process closes the cage and tries to break out of it.
package caged

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/safetext"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
)

// How long the core waits for a process.
const (
	helloWithin = 15 * time.Second // for the proof of its cage
	writeWithin = 10 * time.Second // for it to read what it is sent
)

// Options say how a process is started.
type Options struct {
	Name     string          // for errors, the log and people: fetcher, firewall
	Start    sandbox.Options // program and rights; its files are the end of a pair
	Conns    int             // it may hold
	Memory   int64           // soft limit in bytes
	Insecure bool            // carry on where the cage does not hold
	Setup    ipc.Message     // sent after the order to close the cage
	Log      *slog.Logger
}

// Run starts a process and calls serve once it has proved its cage; layers are
// those of the cage. It ends the process when serve returns or ctx ends, and
// returns why it ended, nil when ctx did.
func Run(ctx context.Context, o Options, serve func(ctx context.Context, conn *ipc.Conn, layers []string) error) error {
	group := supervise.New(o.Log)
	launcher := sandbox.NewLauncher(func(name string, fn func()) {
		group.Go(context.WithoutCancel(ctx), name, func(context.Context) error { fn(); return nil })
	})
	defer func() { launcher.Close(); _ = group.Wait() }()
	proc, conn, err := start(ctx, launcher, o)
	if err != nil {
		return err
	}
	over, end := context.WithCancel(ctx)
	group.Go(context.WithoutCancel(ctx), o.Name+" stop", func(context.Context) error {
		<-over.Done()
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_ = conn.Send(ipc.Stop{})
		return conn.Close()
	})
	layers, err := greet(proc, conn, o)
	if err == nil {
		err = serve(over, conn, layers)
	}
	end()
	_ = proc.Kill()
	exit, werr := proc.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(fmt.Errorf("%s process ended (%v): %s", o.Name, exit, safetext.TermN(strings.TrimSpace(exit.Output), 300)), err, werr)
}

// start starts the process with one end of a pair and nothing else.
func start(ctx context.Context, l *sandbox.Launcher, o Options) (*sandbox.Process, *ipc.Conn, error) {
	core, child, err := ipc.Pair()
	if err != nil {
		return nil, nil, err
	}
	o.Start.Files = []*os.File{child}
	proc, err := l.Start(ctx, o.Start)
	child.Close()
	if err != nil {
		core.Close()
		return nil, nil, err
	}
	conn, err := ipc.FromFile(core, ipc.Core)
	if err != nil {
		_ = proc.Kill()
		_, _ = proc.Wait()
		return nil, nil, err
	}
	return proc, conn, nil
}

// greet says what the process may do and checks the proof of its cage.
func greet(proc *sandbox.Process, conn *ipc.Conn, o Options) (layers []string, err error) {
	_ = conn.SetWriteDeadline(time.Now().Add(writeWithin))
	err = conn.Send(ipc.Cage{Namespaces: proc.Namespaces, Conns: o.Conns, Memory: o.Memory, Insecure: o.Insecure})
	if err == nil {
		err = conn.Send(o.Setup)
	}
	if err != nil {
		return nil, fmt.Errorf("greet the %s process: %w", o.Name, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(helloWithin))
	hello, err := ipc.Expect[ipc.Hello](conn)
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Time{})
	if hello.Failure != "" || len(hello.Open) > 0 && !o.Insecure {
		return nil, fmt.Errorf("the %s process cannot serve: %s", o.Name, safetext.TermN(hello.Failure+strings.Join(hello.Open, ", "), 300))
	}
	for _, l := range hello.Layers[:min(len(hello.Layers), 16)] {
		layers = append(layers, safetext.TermN(l.Name+": "+l.State, 60))
	}
	o.Log.LogAttrs(context.Background(), slog.LevelInfo, o.Name+" process caged",
		slog.Int("pid", proc.Pid), slog.String("level", proc.Level), slog.Int("probes", hello.Probes), slog.Int("open", len(hello.Open)))
	return layers, nil
}
