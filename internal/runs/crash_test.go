package runs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/runs"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// The matrix: every story below is told by a process that is killed with SIGKILL
// at its first boundary, then again from the beginning at its second, and so on
// to its last. A boundary is the moment before and the moment after everything
// that leaves a trace: a transaction, an action's Apply, Verify and Revert. After
// each death another process tells the rest, and then there must be one effect
// for each act that stands and none for each that does not, and nothing may be
// under way for ever. How many boundaries a story has is found by telling it.

// crashDir says that this process is one that is to be killed.
const crashDir = "HONEYGUIDE_TEST_CRASH"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		at, _ := strconv.Atoi(os.Getenv("HONEYGUIDE_TEST_CRASH_AT"))
		story := os.Getenv("HONEYGUIDE_TEST_CRASH_STORY")
		tell := func() error { return recount(dir, story, at) }
		if _, ok := kernelStories[story]; ok {
			tell = func() error { return recountKernel(dir, story, at, os.Getenv("HONEYGUIDE_TEST_CRASH_VICTIM")) }
		}
		if err := tell(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A trip kills the process when it comes by for the nth time.
type trip struct {
	at, n int
	names []string
	kill  func() // who dies; nil: this process
}

func (t *trip) by(where string) {
	t.n++
	t.names = append(t.names, where)
	if t.n == t.at && t.kill != nil {
		t.kill()
		return
	}
	if t.n == t.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// tripped is a store with boundaries.
type tripped struct {
	state.Store
	t *trip
}

func (s tripped) Update(ctx context.Context, fn func(state.Tx) error) error {
	s.t.by("before a transaction")
	err := s.Store.Update(ctx, fn)
	s.t.by("after a transaction")
	return err
}

// An edge is an action with boundaries.
type edge struct {
	*act
	t     *trip
	flaky bool // its first Apply of all times fails
}

func (e edge) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	mark := filepath.Join(filepath.Dir(string(e.out)), "failed once")
	if _, err := os.Stat(mark); e.flaky && err != nil {
		return respond.Receipt{}, errors.Join(errors.New("no answer"), os.WriteFile(mark, nil, 0o600))
	}
	e.t.by("before apply")
	r, err := e.act.Apply(ctx, p)
	e.t.by("after apply")
	return r, err
}

func (e edge) Verify(ctx context.Context, p honeyguide.Plan) error {
	err := e.act.Verify(ctx, p)
	e.t.by("after verify")
	return err
}

func (e edge) Revert(ctx context.Context, p honeyguide.Plan) error {
	e.t.by("before revert")
	err := e.act.Revert(ctx, p)
	e.t.by("after revert")
	return err
}

// A story is what happens beside the engine's own work. Every line of it is a
// person or an attacker who tries again when the answer was lost.
type story struct {
	book   string
	flaky  bool
	lines  []func(w *world) error
	until  time.Duration // when it ends
	effect []string      // that stands then
	states string        // of run and plans
	or     []outcome     // as well, for the person's answer may come before what it is about
}

// An outcome is one way a story may end.
type outcome struct {
	states string
	effect []string
}

// ask calls fn and takes a conflict for "it was done before".
func ask(err error) error {
	if honeyguide.ErrorCode(err) == honeyguide.CodeConflict {
		return nil
	}
	return err
}

func attackOnce(w *world) error {
	known := false
	if err := w.store.View(context.Background(), func(tx state.Tx) error {
		list, _, err := tx.Incidents().List(context.Background(), state.IncidentQuery{})
		known = len(list) > 0
		return err
	}); err != nil || known {
		return err
	}
	w.attack("a", "192.0.2.1", "192.0.2.2")
	return nil
}

func approve(by string) func(*world) error {
	return func(w *world) error {
		_, err := w.engine.Decide(context.Background(), "R-1", 0, honeyguide.Decision{By: by, Role: "responder", Approved: true})
		return ask(err)
	}
}

var stories = map[string]story{
	"block": {
		book: blockBook, lines: []func(*world) error{attackOnce}, until: 10 * time.Minute,
		effect: []string{"block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell "}, states: "done verified verified applied",
	},
	"expiry": {
		book: blockBook, lines: []func(*world) error{attackOnce}, until: 2 * time.Hour,
		effect: []string{"tell "}, states: "done expired expired applied",
	},
	"second attempt": {
		book: blockBook, flaky: true, lines: []func(*world) error{attackOnce}, until: 10 * time.Minute,
		effect: []string{"block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell "}, states: "done verified verified applied",
	},
	"two approve": {
		book: askBook, lines: []func(*world) error{attackOnce, approve("anna"), approve("ben")}, until: 20 * time.Minute,
		effect: []string{"block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell "}, states: "done verified verified applied",
	},
	"nobody approves": {book: askBook, lines: []func(*world) error{attackOnce}, until: time.Hour, states: "cancelled cancelled cancelled"},
	"undone": {book: blockBook, lines: []func(*world) error{attackOnce, func(w *world) error {
		_, err := w.engine.Revert(context.Background(), "R-1", "anna", "a mistake")
		return ask(err)
	}}, until: 10 * time.Minute, effect: []string{"tell "}, states: "reverted reverted reverted applied", or: []outcome{
		{states: "reverted reverted reverted"},           // before the message
		{states: "reverted reverted reverted cancelled"}, // while it was sent
		{states: "reverted reverted reverted cancelled", effect: []string{"tell "}},
	}},
	"rollback": {
		book:  strings.Replace(blockBook, "{name: say, action: tell}", "{name: shut, action: nobody, on_fail: rollback}", 1),
		lines: []func(*world) error{attackOnce}, until: 10 * time.Minute, states: "reverted reverted reverted failed",
	},
	"confirmed": {book: blockBook, lines: []func(*world) error{func(w *world) error {
		known := false
		if err := w.store.View(context.Background(), func(tx state.Tx) error {
			list, _, err := tx.Runs().List(context.Background(), state.RunQuery{})
			known = len(list) > 0
			return err
		}); err != nil || known {
			return err
		}
		_, err := w.engine.Block(context.Background(), honeyguide.BlockRequest{Target: "192.0.2.7", Reason: "scans", By: "anna", Role: "responder", ConfirmWithin: 30 * time.Minute})
		return err
	}, func(w *world) error {
		_, err := w.engine.Confirm(context.Background(), "R-1", "ben")
		return ask(err)
	}}, until: 45 * time.Minute, effect: []string{"block_ip 192.0.2.7"}, states: "done verified"},
	"halted": {book: blockBook, lines: []func(*world) error{func(w *world) error {
		_, err := w.engine.Halt(context.Background(), "anna", "wait")
		return err
	}, attackOnce, func(w *world) error {
		_, err := w.engine.Resume(context.Background(), "anna", "go")
		return err
	}}, until: 15 * time.Minute, effect: []string{"block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell "}, states: "done verified verified applied"},
}

// recount tells a story in a folder from where the process before this one died,
// and dies at its boundary number at. The clock goes on where it stood.
func recount(dir, name string, at int) error {
	s, ok := stories[name]
	if !ok {
		return fmt.Errorf("no story %q", name)
	}
	t := &trip{at: at}
	c := &clock{t: start}
	hand := filepath.Join(dir, "clock")
	if text, err := os.ReadFile(hand); err == nil {
		d, err := time.ParseDuration(string(text))
		if err != nil {
			return err
		}
		c.step(d + 5*time.Minute) // nobody starts it again at once: leases run out
	}
	store, err := sqlite.Open(context.Background(), sqlite.Config{}, state.Deps{Dir: dir, Now: c.now})
	if err != nil {
		return err
	}
	w := &world{TB: failing{}, store: tripped{store, t}, clock: c, out: outside(filepath.Join(dir, "out")), cfg: runs.Config{Mode: honeyguide.ModeApply}}
	w.block, w.tell = &act{out: w.out, ttl: time.Hour}, &act{out: w.out}
	b, err := playbook.Parse("b.yaml", []byte(s.book))
	if err != nil {
		return err
	}
	if w.engine, err = runs.New(context.Background(), w.cfg, runs.Deps{
		State: w.store, Shelf: playbook.NewShelf([]*playbook.Playbook{b}), Now: c.now,
		Actions: map[string]respond.Action{"block_ip": edge{w.block, t, s.flaky}, "tell": only{tell{w.tell}}},
	}); err != nil {
		return err
	}
	for i := 0; c.now().Sub(start) < s.until; i++ {
		if i < len(s.lines) {
			if err := s.lines[i](w); err != nil {
				return err
			}
		}
		if err := w.engine.Drain(context.Background()); err != nil {
			return err
		}
		if i >= len(s.lines) {
			c.step(time.Minute)
		}
		if err := os.WriteFile(hand, []byte(c.now().Sub(start).String()), 0o600); err != nil {
			return err
		}
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "boundaries"), []byte(strings.Join(t.names, "\n")), 0o600), store.Close())
}

// failing is a testing.TB for a process that is no test: what it uses of it panics.
type failing struct{ testing.TB }

func (failing) Helper()                  {}
func (failing) Context() context.Context { return context.Background() }
func (failing) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }

// process runs a story in a process of its own; killed says how it ended.
func process(t *testing.T, dir, name string, at int) (killed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, "HONEYGUIDE_TEST_CRASH_STORY="+name, fmt.Sprintf("HONEYGUIDE_TEST_CRASH_AT=%d", at))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
			return true
		}
	}
	if err != nil {
		t.Fatalf("%s at %d: %v: %s", name, at, err, out)
	}
	return false
}

func TestCrashMatrix(t *testing.T) {
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fresh := func() string {
				dir := t.TempDir()
				if err := os.Mkdir(filepath.Join(dir, "out"), 0o700); err != nil {
					t.Fatal(err)
				}
				return dir
			}
			whole := fresh()
			if process(t, whole, name, 0) {
				t.Fatal("killed at no boundary")
			}
			s.check(t, whole, "undisturbed")
			text, err := os.ReadFile(filepath.Join(whole, "boundaries"))
			if err != nil {
				t.Fatal(err)
			}
			names := strings.Split(string(text), "\n")
			// After what is to be done is over only the empty look of workers is left.
			last := len(names)
			for i := 1; i <= last; i++ {
				dir := fresh()
				if !process(t, dir, name, i) {
					t.Fatalf("boundary %d (%s): it lived", i, names[i-1])
				}
				if process(t, dir, name, 0) {
					t.Fatalf("boundary %d: the second process was killed", i)
				}
				s.check(t, dir, fmt.Sprintf("killed at boundary %d of %d, %s", i, last, names[i-1]))
			}
			t.Logf("%d boundaries", last)
		})
	}
}

// check looks at what is left when the story is over.
func (s story) check(t *testing.T, dir, when string) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := &world{TB: t, store: store, out: outside(filepath.Join(dir, "out"))}
	got := outcome{w.states("R-1"), w.out.effects(t)}
	if !slices.ContainsFunc(append(s.or, outcome{s.states, s.effect}), func(o outcome) bool { return o.states == got.states && slices.Equal(o.effect, got.effect) }) {
		t.Errorf("%s: the run is %s and outside there is %q; want %s and %q (%s)", when, got.states, got.effect, s.states, s.effect, w.run("R-1").Error)
	}
	if err := store.View(t.Context(), func(tx state.Tx) error {
		all, _, err := tx.Runs().List(t.Context(), state.RunQuery{})
		if len(all) != 1 {
			t.Errorf("%s: %d runs", when, len(all))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
