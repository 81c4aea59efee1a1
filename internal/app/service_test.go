package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

func TestManager(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "notify")
	for _, name := range []string{sock, fmt.Sprintf("@honeyguide-test-%d", os.Getpid())} {
		bound := name
		if strings.HasPrefix(bound, "@") {
			bound = "\x00" + bound[1:]
		}
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: bound, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		m := newManager(func(key string) string {
			return map[string]string{"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000"}[key]
		})
		if m.every != 1500*time.Millisecond {
			t.Errorf("a sign of life every %v", m.every)
		}
		if err := m.tell("READY=1", "STATUS=up"); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		_ = l.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := l.Read(buf); err != nil || string(buf[:n]) != "READY=1\nSTATUS=up" {
			t.Errorf("%q %v", buf[:n], err)
		}
		l.Close()
		if err := m.tell("READY=1"); err == nil {
			t.Error("nobody listens, and nobody says so")
		}
	}
	if m := newManager(func(key string) string {
		return map[string]string{"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}[key]
	}); m.every != 0 || m.tell("READY=1") != nil {
		t.Errorf("a watchdog of another process: %+v", m)
	}
}

func TestStall(t *testing.T) {
	var s stall
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		after         time.Duration
		reached, last int64
		want          bool
	}{
		{0, 5, 5, false},
		{time.Hour, 5, 5, false},                    // nothing to do
		{time.Second, 5, 9, false},                  // now there is
		{stalledAfter - time.Second, 5, 9, false},   // not yet
		{time.Second, 5, 20, true},                  // stands still
		{time.Second, 5, 20, false},                 // said once
		{stalledAfter, 5, 20, true},                 // and again
		{time.Second, 6, 20, false},                 // moves
		{stalledAfter - time.Second, 7, 30, false},  // slowly
		{stalledAfter - time.Second, 30, 30, false}, // done
		{2 * stalledAfter, 30, 31, false},           // new work
		{-24 * time.Hour, 30, 31, false},            // the clock goes back
		{stalledAfter - time.Second, 30, 31, false}, // and counts from there
		{2 * time.Second, 30, 31, true},
	} {
		at = at.Add(step.after)
		if got := s.look(at, eventlog.Seq(step.reached), eventlog.Seq(step.last)); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

func TestDump(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stalls")
	secret := []byte("canary-in-the-goroutine-dump")
	held := make(chan struct{})
	defer close(held)
	go func(s string) { <-held; _ = s }(string(secret))
	for i := range keptDumps + 3 {
		path, err := dump(dir, time.Unix(int64(i), 0))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), "TestDump") || strings.Contains(string(text), string(secret)) {
			t.Errorf("%v: %.300s", err, text)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != keptDumps {
		t.Errorf("%d are kept", len(list))
	}
}

func TestLeapt(t *testing.T) {
	day := func(s string) time.Time { return Store{ClockUntil: s}.clockUntil() }
	last := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		last, now, until time.Time
		want             bool
	}{
		"the first pass":       {now: last},
		"half a day later":     {last, last.Add(12 * time.Hour), time.Time{}, false},
		"off for four weeks":   {last, last.AddDate(0, 0, 28), time.Time{}, false},
		"ten years":            {last, last.AddDate(10, 0, 0), time.Time{}, true},
		"ten years, confirmed": {last, last.AddDate(10, 0, 0), day("2036-11-22"), false},
		"confirmed for less":   {last, last.AddDate(10, 0, 0), day("2036-11-20"), true},
		"a day back":           {last, last.AddDate(0, 0, -1), time.Time{}, false},
		"confirmed by no date": {last, last.AddDate(10, 0, 0), day("soon"), true},
	} {
		if got := leapt(c.last, c.now, c.until); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A hang is what a log and a state do: they answer with the end of the time they
// are given or, deaf, not even then.
type hang struct {
	deaf chan struct{} // nil: it hears
	well atomic.Bool
}

func (h *hang) wait(ctx context.Context) error {
	switch {
	case h.well.Load():
		return nil
	case h.deaf != nil:
		<-h.deaf
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

type hungLog struct {
	eventlog.Store
	h *hang
}

func (l hungLog) Ends(ctx context.Context) (first, last eventlog.Seq, err error) {
	return 1, 1, l.h.wait(ctx)
}

type hungState struct {
	state.Store
	h *hang
}

func (s hungState) View(ctx context.Context, _ func(state.Tx) error) error { return s.h.wait(ctx) }

// TestNoSignOfLife: while a store hangs, in whatever way, the service manager
// hears nothing; when it answers again, it does.
func TestNoSignOfLife(t *testing.T) {
	for _, c := range []struct {
		name       string
		log, state bool // hangs
		deaf       bool
	}{
		{"the log", true, false, false}, {"the state", false, true, false}, {"a deaf log", true, false, true}, {"a deaf state", false, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "notify")
			l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			log, rows := &hang{}, &hang{}
			log.well.Store(!c.log)
			rows.well.Store(!c.state)
			over := make(chan struct{})
			if c.deaf {
				log.deaf, rows.deaf = over, over
			}
			a := &App{log: slog.New(slog.DiscardHandler), manager: manager{socket: path, every: 2 * time.Millisecond}, events: hungLog{h: log}, state: hungState{h: rows}}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.alive(ctx) }()
			buf := make([]byte, 100)
			_ = l.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // fifty signs
			if n, err := l.Read(buf); err == nil {
				t.Errorf("%s hangs, and the manager is told %q", c.name, buf[:n])
			}
			log.well.Store(true)
			rows.well.Store(true)
			close(over)
			_ = l.SetReadDeadline(time.Now().Add(10 * time.Second))
			if n, err := l.Read(buf); err != nil || string(buf[:n]) != "WATCHDOG=1" {
				t.Errorf("%s answers again: %q, %v", c.name, buf[:n], err)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
