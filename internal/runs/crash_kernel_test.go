package runs_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/fwhelper"
	"honeyguide/internal/ipc"
	"honeyguide/internal/netx"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blockip"
	"honeyguide/internal/runs"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/test/rig"
)

// The same matrix once more with the real firewall process and the real kernel,
// in a network namespace: at every boundary the core is killed, and in a second
// round the firewall process is, while the core goes on.

const kernelBook = `
id: contain
title: Block them
trigger: incident
steps:
  - {name: block, action: block_ip, each: proven, retries: 3, ttl: 1h}
`

var kernelStories = map[string]story{
	"kernel block":  {book: kernelBook, lines: []func(*world) error{attackOnce}, until: 10 * time.Minute, effect: []string{"192.0.2.1", "192.0.2.2"}, states: "done verified verified"},
	"kernel expiry": {book: kernelBook, lines: []func(*world) error{attackOnce}, until: 2 * time.Hour, states: "done expired expired"},
	"kernel undone": {book: kernelBook, lines: []func(*world) error{attackOnce, func(w *world) error {
		_, err := w.engine.Revert(context.Background(), "R-1", "anna", "a mistake")
		return ask(err)
	}}, until: 10 * time.Minute, states: "reverted reverted reverted"},
}

// A wall is the real firewall with boundaries at what is asked of it.
type wall struct {
	respond.Firewall
	by func(string)
}

func (w wall) Block(ctx context.Context, list ...respond.Barred) error {
	w.by("before block")
	err := w.Firewall.Block(ctx, list...)
	w.by("after block")
	return err
}

func (w wall) Unblock(ctx context.Context, list ...netip.Prefix) error {
	w.by("before unblock")
	err := w.Firewall.Unblock(ctx, list...)
	w.by("after unblock")
	return err
}

func (w wall) Barred(ctx context.Context, p netip.Prefix) (time.Time, bool, error) {
	until, ok, err := w.Firewall.Barred(ctx, p)
	w.by("after reading back")
	return until, ok, err
}

// helper returns the process id of the firewall process of this one.
func helper() int {
	own := os.Getpid()
	list, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range list {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(own) && f[0] != "Z" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			return pid
		}
	}
	return 0
}

// recountKernel is recount with the real firewall.
func recountKernel(dir, name string, at int, victim string) error {
	s, ok := kernelStories[name]
	if !ok {
		return fmt.Errorf("no story %q", name)
	}
	t := &trip{at: at}
	if victim == "helper" {
		t.kill = func() {
			if pid := helper(); pid > 0 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	// The kernel's clock is the real one: the story begins now, and jumps.
	c := &clock{t: time.Now().UTC().Truncate(time.Microsecond)}
	begin := c.now()
	if text, err := os.ReadFile(filepath.Join(dir, "begin")); err == nil {
		if begin, err = time.Parse(time.RFC3339Nano, string(text)); err != nil {
			return err
		}
	} else if err := os.WriteFile(filepath.Join(dir, "begin"), []byte(begin.Format(time.RFC3339Nano)), 0o600); err != nil {
		return err
	}
	hand := filepath.Join(dir, "clock")
	if text, err := os.ReadFile(hand); err == nil {
		d, err := time.ParseDuration(string(text))
		if err != nil {
			return err
		}
		c.step(begin.Add(d + 5*time.Minute).Sub(c.now()))
	}
	store, err := sqlite.Open(context.Background(), sqlite.Config{}, state.Deps{Dir: dir, Now: c.now})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	p := fwhelper.New(fwhelper.Options{
		Path: os.Getenv("HONEYGUIDE_TEST_CRASH_BIN"), Args: []string{"firewall-process"}, Setup: ipc.FirewallSetup{Private: true},
		Refill: func(ctx context.Context) (fwhelper.Table, error) { return wanted(ctx, store, c.now()) },
	})
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			_ = p.Run(ctx)
			time.Sleep(20 * time.Millisecond)
		}
	})
	guard, err := respond.NewGuard(respond.Config{BlockPrivate: true, NeverBlockLoopback: true}, func() ([]netx.Local, error) { return nil, nil })
	if err != nil {
		return err
	}
	w := &world{TB: failing{}, store: tripped{store, t}, clock: c, cfg: runs.Config{Mode: honeyguide.ModeApply}}
	block, err := blockip.Kind.Open(ctx, nil, respond.Deps{Name: "block_ip", Guard: guard, State: store, Firewall: wall{respond.NewFirewall(p), t.by}, Now: c.now})
	if err != nil {
		return err
	}
	b, err := playbook.Parse("b.yaml", []byte(s.book))
	if err != nil {
		return err
	}
	if w.engine, err = runs.New(ctx, w.cfg, runs.Deps{
		State: w.store, Shelf: playbook.NewShelf([]*playbook.Playbook{b}), Now: c.now, Actions: map[string]respond.Action{"block_ip": block},
	}); err != nil {
		return err
	}
	for i := 0; c.now().Sub(begin) < s.until; i++ {
		if i < len(s.lines) {
			if err := s.lines[i](w); err != nil {
				return err
			}
		}
		if err := w.engine.Drain(ctx); err != nil {
			return err
		}
		if i >= len(s.lines) {
			c.step(time.Minute)
		}
		if err := os.WriteFile(hand, []byte(c.now().Sub(begin).String()), 0o600); err != nil {
			return err
		}
	}
	// The process may be on its way up again: what it refills counts.
	for patience := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := p.Health(ctx); err == nil {
			break
		} else if !errors.Is(err, fwhelper.ErrUnavailable) || time.Now().After(patience) {
			return err
		}
	}
	out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	stop()
	group.Wait()
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "ruleset"), out, 0o600),
		os.WriteFile(filepath.Join(dir, "boundaries"), []byte(strings.Join(t.names, "\n")), 0o600), store.Close())
}

// wanted is what the plans in force want of the firewall.
func wanted(ctx context.Context, store state.Store, now time.Time) (t fwhelper.Table, err error) {
	err = store.View(ctx, func(tx state.Tx) error {
		return tx.Plans().InForce(ctx, "block_ip", "", func(p *honeyguide.Plan) error {
			if target, err := netx.ParseTarget(p.Target); err == nil && p.State != honeyguide.PlanReverting && p.ExpiresAt.After(now) {
				t.Blocks = append(t.Blocks, fwhelper.Entry{Prefix: target, Until: p.ExpiresAt})
			}
			return nil
		})
	})
	return t, err
}

func TestCrashMatrixKernel(t *testing.T) {
	rig.Need(t, "nft")
	rig.Need(t, "unshare")
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a network namespace needs root, and nothing is skipped with CI=true")
		}
		t.Skip("a network namespace needs root")
	}
	bin := rig.Binary(t)
	for name, s := range kernelStories {
		for _, victim := range []string{"core", "helper"} {
			t.Run(name+"/"+victim, func(t *testing.T) {
				t.Parallel()
				whole := t.TempDir()
				inNamespace(t, bin, whole, name, 0, victim)
				s.checkKernel(t, whole, "undisturbed")
				text, err := os.ReadFile(filepath.Join(whole, "boundaries"))
				if err != nil {
					t.Fatal(err)
				}
				names := strings.Split(string(text), "\n")
				for i := range names {
					dir := t.TempDir()
					inNamespace(t, bin, dir, name, i+1, victim)
					s.checkKernel(t, dir, fmt.Sprintf("%s killed at boundary %d of %d, %s", victim, i+1, len(names), names[i]))
				}
				t.Logf("%d boundaries", len(names))
			})
		}
	}
}

// inNamespace tells a story to its end in one network namespace: with a second
// process when the first was killed.
func inNamespace(t *testing.T, bin, dir, name string, at int, victim string) {
	t.Helper()
	script := `"$0"; code=$?; if [ $code = 137 ]; then export HONEYGUIDE_TEST_CRASH_AT=0; "$0"; code=$?; echo twice; fi; exit $code`
	cmd := exec.CommandContext(t.Context(), "unshare", "-n", "sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, "HONEYGUIDE_TEST_CRASH_STORY="+name, fmt.Sprintf("HONEYGUIDE_TEST_CRASH_AT=%d", at),
		"HONEYGUIDE_TEST_CRASH_VICTIM="+victim, "HONEYGUIDE_TEST_CRASH_BIN="+bin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s at %d: %v: %s", name, at, err, out)
	}
	if twice := strings.Contains(string(out), "twice"); twice != (at > 0 && victim == "core") {
		t.Fatalf("%s at %d: a second process %v: %s", name, at, twice, out)
	}
}

// checkKernel looks at what the kernel and the store hold when the story is over.
func (s story) checkKernel(t *testing.T, dir, when string) {
	t.Helper()
	rules, err := os.ReadFile(filepath.Join(dir, "ruleset"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := &world{TB: t, store: store}
	var held []string
	for _, a := range []string{"192.0.2.1", "192.0.2.2"} {
		switch n := strings.Count(string(rules), a+" counter packets"); n {
		case 0:
		case 1:
			held = append(held, a)
		default:
			t.Errorf("%s: %s is there %d times", when, a, n)
		}
	}
	if got := w.states("R-1"); got != s.states || !slices.Equal(held, s.effect) {
		t.Errorf("%s: the run is %s and the kernel holds %q; want %s and %q (%s)\n%s", when, got, held, s.states, s.effect, w.run("R-1").Error, rules)
	}
	if len(s.effect) == 0 && len(rules) > 0 {
		t.Errorf("%s: left behind:\n%s", when, rules)
	}
}
