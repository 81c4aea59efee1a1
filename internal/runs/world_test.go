package runs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/runs"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// start is when the tests begin. Clocks are moved by hand.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// outside is the world actions change: one file for each effect, named by the
// plan, so that it outlives the process.
type outside string

func (o outside) path(p honeyguide.Plan) string {
	return filepath.Join(string(o), p.Action+" "+strings.ReplaceAll(p.Target, "/", "_")+" "+p.ID)
}

// effects lists what is there, as "action target".
func (o outside) effects(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(string(o))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name()[:strings.LastIndexByte(e.Name(), ' ')])
	}
	return out
}

// An act is an action on the outside that fails as it is told.
type act struct {
	out   outside
	ttl   time.Duration
	mu    sync.Mutex
	calls []string
	fail  map[string]error // by verb; each is used once
	blind bool             // what it does cannot be seen
	never string           // a target that cannot be acted on
}

func (a *act) hit(verb string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, verb)
	err := a.fail[verb]
	delete(a.fail, verb)
	return err
}

func (a *act) Contains() bool { return a.ttl > 0 }

func (a *act) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	p := honeyguide.Plan{Target: r.Target, State: honeyguide.PlanPlanned, Effect: "Something would change.", Params: r.Params}
	if r.Target == "192.0.2.99" {
		p.State, p.Reason = honeyguide.PlanRefused, "Refused: it is ours."
	}
	if a.ttl > 0 {
		p.ExpiresAt = r.Now.Add(a.ttl)
	}
	return p, nil
}

func (a *act) Apply(_ context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	if a.never != "" && p.Target == a.never {
		return respond.Receipt{}, respond.Permanent(errors.New("it cannot be"))
	}
	if err := a.hit("apply"); err != nil {
		return respond.Receipt{}, err
	}
	return respond.Receipt{Ref: "ref " + p.ID, Undo: []byte("undo")}, os.WriteFile(a.out.path(p), []byte(p.ExpiresAt.String()), 0o600)
}

func (a *act) Verify(_ context.Context, p honeyguide.Plan) error {
	if err := a.hit("verify"); err != nil {
		return err
	}
	if a.blind {
		return errors.New("nothing to be seen")
	}
	_, err := os.Stat(a.out.path(p))
	return err
}

func (a *act) Revert(_ context.Context, p honeyguide.Plan) error {
	if err := a.hit("revert"); err != nil {
		return err
	}
	if err := os.Remove(a.out.path(p)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// A tell is an action that cannot be undone or read back.
type tell struct{ *act }

func (t tell) Plan(ctx context.Context, r respond.Request) (honeyguide.Plan, error) {
	p, err := t.act.Plan(ctx, r)
	p.Irreversible = true
	return p, err
}

func (t tell) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return t.act.Apply(ctx, p)
}

// only hides what an action could do besides.
type only struct{ respond.Action }

// A world is a store, an engine and the outside.
type world struct {
	testing.TB
	store       state.Store
	clock       *clock
	out         outside
	block, gate *act
	tell        *act
	shelf       *playbook.Shelf
	engine      *runs.Engine
	cfg         runs.Config
	contained   []string
	audit       *audit.Memory // nil: nothing is written down
}

func newWorld(t testing.TB, books ...string) *world {
	t.Helper()
	dir := t.TempDir()
	c := &clock{t: start}
	s, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{TB: t, store: s, clock: c, out: outside(t.TempDir()), cfg: runs.Config{Mode: honeyguide.ModeApply}}
	w.block, w.gate, w.tell = &act{out: w.out, ttl: time.Hour}, &act{out: w.out}, &act{out: w.out}
	var list []*playbook.Playbook
	for i, text := range books {
		b, err := playbook.Parse(fmt.Sprintf("b%d.yaml", i), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	w.shelf = playbook.NewShelf(list)
	w.open()
	return w
}

// open makes a new engine over the same store, as a new process would.
func (w *world) open() {
	w.Helper()
	var recorder audit.Recorder
	if w.audit != nil {
		recorder = w.audit
	}
	e, err := runs.New(w.Context(), w.cfg, runs.Deps{
		Audit: recorder,
		State: w.store, Shelf: w.shelf, Now: w.clock.now,
		Actions: map[string]respond.Action{"block_ip": w.block, "gate": w.gate, "tell": only{tell{w.tell}}},
		Contained: func(_ context.Context, _ state.Tx, incident string, _ time.Time, _ string) error {
			w.contained = append(w.contained, incident)
			return nil
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.engine = e
}

// attack opens an incident of some attackers, or lets it grow, as the pipeline does.
func (w *world) attack(key string, attackers ...string) honeyguide.Incident {
	w.Helper()
	var in honeyguide.Incident
	var r pipeline.Response
	err := w.store.Update(w.Context(), func(tx state.Tx) error {
		now := w.clock.now()
		in = honeyguide.Incident{
			Key: key, Title: "An attack", Severity: honeyguide.SeverityHigh, Status: honeyguide.IncidentNew, Phase: honeyguide.PhaseNew,
			CreatedAt: now, UpdatedAt: now, FirstAt: now, LastAt: now, Attackers: attackers, Proven: attackers,
		}
		created, err := tx.Incidents().Save(w.Context(), &in)
		if err != nil {
			return err
		}
		r, err = w.engine.Respond(w.Context(), tx, &in, nil, created, now)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	w.engine.Begin([]pipeline.Response{r})
	return in
}

// work lets the engine work until everything that is due was done.
func (w *world) work() {
	w.Helper()
	if err := w.engine.Drain(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) run(id string) honeyguide.Run {
	w.Helper()
	var r honeyguide.Run
	if err := w.store.View(w.Context(), func(tx state.Tx) (err error) { r, err = tx.Runs().Get(w.Context(), id); return err }); err != nil {
		w.Fatal(err)
	}
	return r
}

// plans returns the plans of a run in the order of its steps.
func (w *world) plans(id string) (out []honeyguide.Plan) {
	w.Helper()
	r := w.run(id)
	if err := w.store.View(w.Context(), func(tx state.Tx) error {
		for _, s := range r.Steps {
			for _, p := range s.Plans {
				plan, err := tx.Plans().Get(w.Context(), p)
				if err != nil {
					return err
				}
				out = append(out, plan)
			}
		}
		return nil
	}); err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) states(id string) string {
	w.Helper()
	out := []string{string(w.run(id).State)}
	for _, p := range w.plans(id) {
		out = append(out, string(p.State))
	}
	return strings.Join(out, " ")
}

func (w *world) want(id, states string, effects ...string) {
	w.Helper()
	if got := w.states(id); got != states {
		r := w.run(id)
		w.Errorf("%s: %s; want %s (%s; %+v)", id, got, states, r.Error, r.Steps)
	}
	if got := w.out.effects(w); strings.Join(got, ", ") != strings.Join(effects, ", ") {
		w.Errorf("%s: outside there is %q, want %q", id, got, effects)
	}
}
