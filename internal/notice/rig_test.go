package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
)

// noon is a Wednesday.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// fake is a messenger that remembers, and fails when it is told to.
type fake struct {
	mu    sync.Mutex
	got   []respond.Message
	tries int
	fail  func(respond.Message) error
}

func (f *fake) Plan(context.Context, respond.Request) (honeyguide.Plan, error) {
	return honeyguide.Plan{}, errors.New("not asked for")
}

func (f *fake) Apply(context.Context, honeyguide.Plan) (respond.Receipt, error) {
	return respond.Receipt{}, errors.New("not asked for")
}

func (f *fake) Send(_ context.Context, m respond.Message) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries++
	if f.fail != nil {
		if err := f.fail(m); err != nil {
			return "", err
		}
	}
	f.got = append(f.got, m)
	return "receipt of " + m.ID, nil
}

// titles are what was sent, oldest first.
func (f *fake) titles() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []string{}
	for _, m := range f.got {
		out = append(out, m.Title)
	}
	return out
}

// rig is an outbox with a clock that is set by hand.
type rig struct {
	*testing.T
	store state.Store
	box   *Outbox
	now   time.Time
	out   map[string]*fake
	m     *telemetry.Registry
}

func newRig(t *testing.T, cfg Config, names ...string) *rig {
	t.Helper()
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r := &rig{T: t, store: store, now: noon, out: map[string]*fake{}, m: telemetry.NewRegistry()}
	r.restart(cfg, names...)
	return r
}

// restart makes a new outbox over the same state.
func (r *rig) restart(cfg Config, names ...string) {
	r.Helper()
	if cfg.Zone == "" {
		cfg.Zone = "UTC"
	}
	box, err := New(cfg, Deps{
		State: r.store, Node: "edge-1", Console: "https://console.test", Metrics: r.m, Now: func() time.Time { return r.now }, Jitter: func() float64 { return 1 },
	})
	if err != nil {
		r.Fatal(err)
	}
	messengers := map[string]respond.Messenger{}
	for _, n := range names {
		if r.out[n] == nil {
			r.out[n] = &fake{}
		}
		messengers[n] = r.out[n]
	}
	if err := box.Open(messengers); err != nil {
		r.Fatal(err)
	}
	r.box = box
}

// work does what is due now on every channel.
func (r *rig) work() {
	r.Helper()
	for _, name := range r.box.Names() {
		for {
			next, err := r.box.channels[name].step(r.Context())
			if err != nil {
				r.Fatal(err)
			}
			if next.IsZero() || next.After(r.now) {
				break
			}
		}
	}
}

// pass lets time go by in steps, with all that is due in it done.
func (r *rig) pass(d, step time.Duration) {
	r.Helper()
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(min(step, end.Sub(r.now)))
		if err := r.box.tidy(r.Context()); err != nil {
			r.Fatal(err)
		}
		r.work()
	}
}

func (r *rig) post(n honeyguide.Notice) {
	r.Helper()
	if err := r.box.Post(r.Context(), n); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) get(id string) (n honeyguide.Notice) {
	r.Helper()
	err := r.store.View(r.Context(), func(tx state.Tx) (err error) {
		n, err = tx.Notices().Get(r.Context(), id)
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return n
}

// all are the stored notices, by ID.
func (r *rig) all() []honeyguide.Notice {
	r.Helper()
	var out []honeyguide.Notice
	q := state.NoticeQuery{Page: state.Page{Limit: state.MaxLimit}}
	err := r.store.View(r.Context(), func(tx state.Tx) error {
		for {
			page, next, err := tx.Notices().List(r.Context(), q)
			out = append(out, page...)
			if q.After = next; err != nil || next == "" {
				return err
			}
		}
	})
	if err != nil {
		r.Fatal(err)
	}
	slices.SortFunc(out, func(a, b honeyguide.Notice) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// states are the states of the stored notices by ID, in one line.
func (r *rig) states() string {
	var out []string
	for _, n := range r.all() {
		out = append(out, fmt.Sprintf("%s=%s", n.ID, n.State))
	}
	return strings.Join(out, " ")
}

// incident stores an incident and returns it.
func (r *rig) incident(edit ...func(*honeyguide.Incident)) honeyguide.Incident {
	r.Helper()
	i := honeyguide.Incident{
		ID: "inc1", Key: "attacker:203.0.113.7", Title: "Brute force", Severity: honeyguide.SeverityHigh, Status: honeyguide.IncidentNew, Phase: honeyguide.PhaseNew,
		CreatedAt: noon, DueAt: noon.Add(time.Hour), Attackers: []string{"203.0.113.7"},
	}
	for _, f := range edit {
		f(&i)
	}
	err := r.store.Update(r.Context(), func(tx state.Tx) error {
		_, err := tx.Incidents().Save(r.Context(), &i)
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return i
}

func (r *rig) equal(what string, got, want any) {
	r.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		r.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func high(id, title string) honeyguide.Notice {
	return honeyguide.Notice{ID: id, Key: "k-" + id, Incident: "inc1", Severity: honeyguide.SeverityHigh, Title: title}
}

// with edits the defaults.
func with(edit func(*Config)) Config {
	c := Defaults()
	edit(&c)
	return c
}
