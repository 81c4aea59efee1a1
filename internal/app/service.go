package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// A manager is who started the core and wants to know how it is: systemd with
// Type=notify, by the protocol of sd_notify(3): datagrams to the socket that
// NOTIFY_SOCKET names. Without one nothing is sent.
type manager struct {
	socket string
	every  time.Duration // how often it wants a sign of life, 0: never
}

func newManager(env func(string) string) manager {
	m := manager{socket: env("NOTIFY_SOCKET")}
	pid := env("WATCHDOG_PID")
	us, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
	if err == nil && us > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.every = time.Duration(us) * time.Microsecond / 2
	}
	return m
}

// tell sends one message. A manager that cannot be reached is no reason to stop.
func (m manager) tell(words ...string) error {
	if m.socket == "" {
		return nil
	}
	name := m.socket
	if strings.HasPrefix(name, "@") { // a name outside the file system
		name = "\x00" + name[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	_, err = conn.Write([]byte(strings.Join(words, "\n")))
	return errors.Join(err, conn.Close())
}

// alive sends a sign of life while the core's stores answer. When they hang, the
// signs stop and the manager starts the core anew.
func (a *App) alive(ctx context.Context) error {
	if a.manager.every <= 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(a.manager.every)
	defer tick.Stop()
	for {
		if a.answers(ctx, a.manager.every) {
			if err := a.manager.tell("WATCHDOG=1"); err != nil {
				a.log.LogAttrs(ctx, slog.LevelWarn, "no sign of life sent", slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// answers reports whether log and state answer within a time; an error is an
// answer.
func (a *App) answers(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan struct{})
	g := supervise.New(nil)
	g.Go(ctx, "probe", func(ctx context.Context) error {
		defer close(done)
		_, _, _ = a.events.Ends(ctx)
		_ = a.state.View(ctx, func(state.Tx) error { return nil })
		return nil
	})
	select {
	case <-done:
		return ctx.Err() == nil // a store that hangs gives up with the time, too
	case <-ctx.Done():
		return false
	}
}

// How long the consumer may stand still while there is something to judge, and
// how often that is looked at.
const (
	stalledAfter = 5 * time.Minute
	stallEvery   = 15 * time.Second
)

// A stall notices a part that stands still although it has work.
type stall struct {
	at    eventlog.Seq // where it stood
	since time.Time    // from when on; zero: it has nothing to do
}

// look reports whether the part has not moved for stalledAfter.
func (s *stall) look(now time.Time, reached, last eventlog.Seq) bool {
	switch {
	case reached >= last:
		s.since = time.Time{}
	case s.since.IsZero() || reached != s.at || now.Before(s.since):
		s.since = now
	}
	s.at = reached
	if s.since.IsZero() || now.Sub(s.since) < stalledAfter {
		return false
	}
	s.since = now // the next time after as long again
	return true
}

// judge runs the consumer until ctx ends or watchPipeline stops it.
func (a *App) judge(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a.stopJudge.Store(&stop)
	err := a.consumer.Run(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
		return cause
	}
	return err
}

var errStalled = errors.New("it stood still with work to do")

// watchPipeline starts the consumer anew when it stands still, and leaves behind
// what its goroutines were doing.
func (a *App) watchPipeline(ctx context.Context) error {
	stalls := a.metrics.Counter("honeyguide_pipeline_stalls_total", "Times the consumer stood still with work to do and was started anew.").With()
	tick := time.NewTicker(stallEvery)
	defer tick.Stop()
	var s stall
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, last, err := a.events.Ends(ctx)
		if err != nil || !s.look(time.Now(), a.consumer.Reached(), last) {
			continue
		}
		stalls.Add(1)
		file, err := dump(filepath.Join(a.settings.Node.Data, "stalls"), a.now())
		a.log.LogAttrs(ctx, slog.LevelError, "the pipeline stands still and is started anew",
			slog.Int64("at", int64(a.consumer.Reached())), slog.Int64("last", int64(last)), slog.String("dump", file), slog.Any("error", err))
		if stop := a.stopJudge.Load(); stop != nil {
			(*stop)(errStalled)
		}
	}
}

// keptDumps is how many dumps are kept.
const keptDumps = 5

// dump writes where every goroutine is into a new file of a folder. It holds names
// of functions and lines of files, and no value of theirs: no secret either.
func dump(dir string, now time.Time) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return "", err
	}
	slices.Sort(old)
	for len(old) >= keptDumps {
		if err := os.Remove(old[0]); err != nil {
			return "", err
		}
		old = old[1:]
	}
	path := filepath.Join(dir, now.UTC().Format("20060102T150405.000000000Z")+".txt")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	return path, errors.Join(pprof.Lookup("goroutine").WriteTo(f, 1), f.Close())
}

// drainWithin bounds how long a core that was told to end may take: the sensors
// finish their frames, the log its commits, the API its answers.
const drainWithin = 30 * time.Second

// drain waits for the tasks of a core that ends. What hangs is left behind with a
// dump: everything acknowledged is on the disk.
func (a *App) drain(ctx context.Context, wait func() error) error {
	done := make(chan error, 1)
	g := supervise.New(nil)
	g.Go(context.WithoutCancel(ctx), "drain", func(context.Context) error { done <- wait(); return nil })
	t := time.NewTimer(drainWithin)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		file, err := dump(filepath.Join(a.settings.Node.Data, "stalls"), a.now())
		return errors.Join(fmt.Errorf("some tasks did not end within %s; where they hang stands in %s", drainWithin, file), err)
	}
}

// spareFiles are descriptors beside those of connections: databases, logs,
// recordings, samples, listeners.
const spareFiles = 1024

// filesNeeded compares the descriptors this process may open with what the
// configuration promises. The runtime has raised the soft limit to the hard one.
func filesNeeded(s Settings) (have, need uint64, err error) {
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil {
		return 0, 0, err
	}
	return lim.Max, uint64(s.Deception.MaxSessions) + spareFiles, nil
}

// checkLimits says at the start what the configuration promises and the host does
// not grant.
func (a *App) checkLimits(ctx context.Context) {
	have, need, err := filesNeeded(a.settings)
	if err != nil || have >= need {
		return
	}
	a.log.LogAttrs(ctx, slog.LevelWarn, "fewer connections than deception.max_sessions can be held: raise LimitNOFILE= of the unit (ulimit -Hn), or lower the setting",
		slog.Uint64("descriptors", have), slog.Uint64("wanted", need))
}
