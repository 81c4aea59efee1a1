package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/runs"
	"honeyguide/internal/state"
)

// The playbooks of the tests with the real engine.
const (
	twoBook = `
id: careful
title: Two people agree
trigger: incident
steps:
  - name: block
    action: block_ip
    each: proven
    approval: {roles: [responder], people: 2, within: 30m}
`
	analystBook = `
id: desk
title: Analysts agree
trigger: manual
steps:
  - {name: block, action: block_ip, target: 198.51.100.7, approval: {roles: [analyst], people: 1, within: 30m}}
`
	plainBook = `
id: plain
title: Nobody is asked
trigger: manual
steps:
  - {name: block, action: block_ip, target: 198.51.100.8}
`
)

// wall is a firewall in memory.
type wall struct {
	mu    sync.Mutex
	in    map[string]int // blocks by target
	fail  error
	guard *respond.Guard
}

func (w *wall) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	p := honeyguide.Plan{Target: r.Target, State: honeyguide.PlanPlanned, Effect: "Packets from " + r.Target + " would be dropped.", Params: r.Params, ExpiresAt: r.Now.Add(time.Hour)}
	prefix, err := respond.ParseTarget(r.Target)
	if err != nil {
		return p, err
	}
	if why := w.guard.Refuse(prefix); why != "" {
		p.State, p.Reason = honeyguide.PlanRefused, why
	}
	return p, nil
}

func (w *wall) Apply(_ context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return respond.Receipt{}, w.fail
	}
	w.in[p.Target] = 1
	return respond.Receipt{}, nil
}

func (w *wall) Revert(_ context.Context, p honeyguide.Plan) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.in, p.Target)
	return nil
}

func (w *wall) targets() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t := range w.in {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// whole is the API over the real engine, with a key of each kind of person. The
// clock stands still unless a test moves it.
type whole struct {
	*rig
	wall *wall
	real *runs.Engine
	now  time.Time
	key  map[string]honeyguide.Secret
}

// people are the keys of the tests: name and scope.
var people = map[string]auth.Scope{
	"anna": auth.ScopeResponder, "ben": auth.ScopeResponder, "Anna": auth.ScopeResponder, "carol": auth.ScopeAdmin, "dave": auth.ScopeAnalyst, "eve": auth.ScopeRead, "feed": auth.ScopeIngest, "gauge": auth.ScopeMetrics,
}

func newWhole(t *testing.T) *whole {
	t.Helper()
	w := &whole{now: day, key: map[string]honeyguide.Secret{}}
	guard, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	w.wall = &wall{in: map[string]int{}, guard: guard}
	clock := func() time.Time { return w.now }
	var books []*playbook.Playbook
	for _, text := range []string{twoBook, analystBook, plainBook} {
		b, err := playbook.Parse("b.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		books = append(books, b)
	}
	w.rig = newRig(t, func(d *Deps) {
		if w.real, err = runs.New(t.Context(), runs.Config{Mode: honeyguide.ModeApply}, runs.Deps{
			State: d.State, Shelf: playbook.NewShelf(books), Now: clock, Actions: map[string]respond.Action{"block_ip": w.wall},
		}); err != nil {
			t.Fatal(err)
		}
		if d.Allowlist, err = respond.OpenAllowlist(t.Context(), d.State, clock); err != nil {
			t.Fatal(err)
		}
		guard.More = d.Allowlist.Prefixes
		d.Responder, d.Now = w.real, clock
	})
	return w
}

// keyFor returns the key of one of people, made when it is first used.
func (w *whole) keyFor(who string) honeyguide.Secret {
	w.t.Helper()
	if scope, known := people[who]; known && w.key[who] == "" {
		w.key[who] = w.keyOf(who, scope)
	}
	return w.key[who]
}

// attack opens an incident, as the pipeline does, and returns the run it starts.
func (w *whole) attack(attacker string) string {
	w.t.Helper()
	var r pipeline.Response
	var run string
	w.update(func(ctx context.Context, tx state.Tx) error {
		in := honeyguide.Incident{
			Key: "attacker:" + attacker, Title: "An attack", Severity: honeyguide.SeverityHigh, Status: honeyguide.IncidentNew, Phase: honeyguide.PhaseNew,
			CreatedAt: w.now, FirstAt: w.now, LastAt: w.now, Attackers: []string{attacker}, Proven: []string{attacker},
		}
		created, err := tx.Incidents().Save(ctx, &in)
		if err != nil {
			return err
		}
		if r, err = w.real.Respond(ctx, tx, &in, nil, created, w.now); err != nil {
			return err
		}
		list, _, err := tx.Runs().List(ctx, state.RunQuery{Incident: in.ID})
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("%d runs", len(list))
		}
		if err == nil {
			run = list[0].Short
		}
		return err
	})
	w.real.Begin([]pipeline.Response{r})
	w.work()
	return run
}

// work lets the engine do all that is due.
func (w *whole) work() {
	w.t.Helper()
	if err := w.real.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// as sends an order as somebody ("local" is the local socket, "" nobody), and
// lets the engine work.
func (w *whole) as(who, method, path, body string) int {
	w.t.Helper()
	h := w.handler
	if who == "local" {
		w.handler = Trusted(h)
	}
	got := w.call(method, base+path, w.keyFor(who), strings.NewReader(body))
	w.handler = h
	w.work()
	return got.Code
}

func (w *whole) run(id string) honeyguide.Run {
	w.t.Helper()
	return get[client.RunDetail](w.rig, base+"/runs/"+id).Run
}

const yes, no = `{"approve":true}`, `{"approve":false}`

func TestTwoPeople(t *testing.T) {
	w := newWhole(t)
	id := w.attack("198.51.100.1")
	decide := "/runs/" + id + "/decide"
	for _, c := range []struct {
		who  string
		want int
	}{
		{"", http.StatusUnauthorized},
		{"eve", http.StatusForbidden},
		{"feed", http.StatusForbidden},
		{"gauge", http.StatusForbidden},
		{"dave", http.StatusForbidden}, // an analyst, whom this playbook does not name
		{"anna", http.StatusOK},
		{"anna", http.StatusConflict},
		{"Anna", http.StatusConflict}, // another key, the same person
	} {
		if got := w.as(c.who, http.MethodPost, decide, yes); got != c.want {
			t.Errorf("%q: %d, want %d", c.who, got, c.want)
		}
		if r := w.run(id); r.State != honeyguide.RunWaiting || len(w.wall.targets()) != 0 {
			t.Fatalf("after %q: %s, blocked %q", c.who, r.State, w.wall.targets())
		}
	}
	if got := w.as("ben", http.MethodPost, decide, yes); got != http.StatusOK || w.run(id).State != honeyguide.RunDone || len(w.wall.targets()) != 1 {
		t.Errorf("the second: %d, %s, blocked %q", got, w.run(id).State, w.wall.targets())
	}
	if got := w.as("carol", http.MethodPost, decide, yes); got != http.StatusConflict {
		t.Errorf("after it was done: %d", got)
	}
}

// The local socket is one person, however often it is asked.
func TestLocalIsOnePerson(t *testing.T) {
	w := newWhole(t)
	id := w.attack("198.51.100.1")
	for i, want := range []int{http.StatusOK, http.StatusConflict} {
		if got := w.as("local", http.MethodPost, "/runs/"+id+"/decide", yes); got != want || len(w.wall.targets()) != 0 {
			t.Errorf("time %d: %d, blocked %q", i, got, w.wall.targets())
		}
	}
	if got := w.as("carol", http.MethodPost, "/runs/"+id+"/decide", yes); got != http.StatusOK || len(w.wall.targets()) != 1 {
		t.Errorf("and somebody else: %d", got)
	}
}

func TestWhoBeganItDoesNotApprove(t *testing.T) {
	w := newWhole(t)
	for _, starter := range []string{"anna", "carol", "local"} {
		before := len(get[client.Page[honeyguide.Run]](w.rig, base+"/runs").Items)
		if got := w.as(starter, http.MethodPost, "/blocks", `{"address":"198.51.101.0/24","ttl":"30m","reason":"scans"}`); got != http.StatusOK {
			t.Fatalf("%s: %d", starter, got)
		}
		id := fmt.Sprint("R-", before+1)
		if r := w.run(id); r.State != honeyguide.RunWaiting || r.By != starter {
			t.Fatalf("%s: %s by %s", id, r.State, r.By)
		}
		names := []string{starter}
		if starter == "anna" {
			names = append(names, "Anna")
		}
		for _, name := range names {
			if got := w.as(name, http.MethodPost, "/runs/"+id+"/decide", yes); got != http.StatusForbidden || len(w.wall.targets()) != 0 {
				t.Errorf("%s approves what %s began: %d", name, starter, got)
			}
		}
		if got := w.as("ben", http.MethodPost, "/runs/"+id+"/decide", no); got != http.StatusOK || w.run(id).State != honeyguide.RunCancelled {
			t.Errorf("ben denies: %d, %s", got, w.run(id).State)
		}
	}
}

func TestApprovalsLapse(t *testing.T) {
	w := newWhole(t)
	id := w.attack("198.51.100.1")
	if got := w.as("anna", http.MethodPost, "/runs/"+id+"/decide", yes); got != http.StatusOK {
		t.Fatal(got)
	}
	w.now = w.now.Add(30*time.Minute + time.Second)
	if got := w.call(http.MethodPost, base+"/runs/"+id+"/decide", w.keyFor("ben"), strings.NewReader(yes)).Code; got != http.StatusConflict {
		t.Errorf("too late, before the engine has looked: %d", got)
	}
	w.work()
	if r := w.run(id); r.State != honeyguide.RunCancelled || r.Steps[0].State != honeyguide.StepLapsed || len(w.wall.targets()) != 0 {
		t.Errorf("%s, step %s", r.State, r.Steps[0].State)
	}
	if got := w.as("ben", http.MethodPost, "/runs/"+id+"/decide", yes); got != http.StatusConflict {
		t.Errorf("too late: %d", got)
	}
	if p := ask[client.Page[client.Approval]](w.rig, http.MethodGet, "/approvals?all=true", w.keyFor("ben"), "", http.StatusOK); len(p.Items) != 0 {
		t.Errorf("it waits still: %+v", p.Items)
	}
}

// A deed is something a role may or may not do, with how to make it possible.
type deed struct {
	may          string // the people who may, by name
	prepare      func(w *whole) (path string)
	method, body string
	done         func(w *whole, path string) bool // whether it was done
}

var deeds = map[string]deed{
	"start":   {may: "anna carol local", prepare: at("/runs"), method: http.MethodPost, body: `{"playbook":"plain"}`, done: blockedAre("198.51.100.8")},
	"approve": {may: "dave carol local", prepare: started("desk"), method: http.MethodPost, body: yes, done: blockedAre("198.51.100.7")},
	"deny":    {may: "dave carol local", prepare: started("desk"), method: http.MethodPost, body: no, done: runIs(honeyguide.RunCancelled)},
	"cancel":  {may: "anna carol local", prepare: verb("desk", "cancel"), method: http.MethodPost, body: `{}`, done: runIs(honeyguide.RunCancelled)},
	"revert":  {may: "anna carol local", prepare: verb("plain", "revert"), method: http.MethodPost, body: `{}`, done: blockedAre()},
	"retry": {may: "anna carol local", prepare: func(w *whole) string {
		w.wall.fail = respond.Permanent(errors.New("no room"))
		path := verb("plain", "retry")(w)
		w.wall.fail = nil
		return path
	}, method: http.MethodPost, body: `{}`, done: blockedAre("198.51.100.8")},
	"block": {may: "anna carol local", prepare: at("/blocks"), method: http.MethodPost, body: `{"address":"198.51.100.9","ttl":"30m","reason":"x"}`, done: blockedAre("198.51.100.9")},
	"confirm": {may: "anna carol local", prepare: func(w *whole) string {
		w.as("ben", http.MethodPost, "/blocks", `{"address":"198.51.100.9","ttl":"50m","reason":"x","confirm_within":"5m"}`)
		return "/runs/R-1/confirm"
	}, method: http.MethodPost, body: `{}`, done: func(w *whole, _ string) bool {
		w.now = w.now.Add(6 * time.Minute)
		w.work()
		return len(w.wall.targets()) == 1
	}},
	"unblock": {may: "anna carol local", prepare: func(w *whole) string {
		w.as("ben", http.MethodPost, "/runs", `{"playbook":"plain"}`)
		return "/blocks/198.51.100.8"
	}, method: http.MethodDelete, done: blockedAre()},
	"allow": {may: "anna carol local", prepare: func(w *whole) string {
		w.as("ben", http.MethodPost, "/runs", `{"playbook":"plain"}`)
		return "/allowlist"
	}, method: http.MethodPost, body: `{"address":"198.51.100.0/24","reason":"ours"}`, done: blockedAre()},
	"disallow": {may: "anna carol local", prepare: func(w *whole) string {
		w.as("ben", http.MethodPost, "/allowlist", `{"address":"198.51.100.8","reason":"ours"}`)
		return "/allowlist/198.51.100.8"
	}, method: http.MethodDelete, done: func(w *whole, _ string) bool {
		w.as("ben", http.MethodPost, "/runs", `{"playbook":"plain"}`)
		return len(w.wall.targets()) == 1
	}},
	"halt": {may: "anna carol local", prepare: at("/halt"), method: http.MethodPost, body: `{}`, done: func(w *whole, _ string) bool {
		w.as("ben", http.MethodPost, "/runs", `{"playbook":"plain"}`)
		return len(w.wall.targets()) == 0
	}},
	"resume": {may: "carol local", prepare: func(w *whole) string {
		w.as("ben", http.MethodPost, "/halt", `{}`)
		w.as("ben", http.MethodPost, "/runs", `{"playbook":"plain"}`)
		return "/halt"
	}, method: http.MethodDelete, done: blockedAre("198.51.100.8")},
}

func at(path string) func(*whole) string { return func(*whole) string { return path } }

// started begins a playbook as ben, who is none of those who try the deeds.
func started(playbook string) func(*whole) string { return verb(playbook, "decide") }

func verb(playbook, verb string) func(*whole) string {
	return func(w *whole) string {
		w.t.Helper()
		if got := w.as("ben", http.MethodPost, "/runs", `{"playbook":"`+playbook+`"}`); got != http.StatusOK {
			w.t.Fatalf("start %s: %d", playbook, got)
		}
		return "/runs/R-1/" + verb
	}
}

func blockedAre(want ...string) func(*whole, string) bool {
	return func(w *whole, _ string) bool { return slices.Equal(w.wall.targets(), want) }
}

func runIs(want honeyguide.RunState) func(*whole, string) bool {
	return func(w *whole, _ string) bool { return w.run("R-1").State == want }
}

// TestDeeds lets everybody try every deed on the real engine: who may does it,
// and all who may not change nothing.
func TestDeeds(t *testing.T) {
	everybody := []string{"", "anna", "carol", "dave", "eve", "feed", "gauge", "local"}
	for name, d := range deeds {
		t.Run(name+" refused", func(t *testing.T) {
			t.Parallel()
			w := newWhole(t)
			path := d.prepare(w)
			for _, who := range everybody {
				want := http.StatusForbidden
				if who == "" {
					want = http.StatusUnauthorized
				}
				if slices.Contains(strings.Fields(d.may), who) {
					continue
				}
				if got := w.as(who, d.method, path, d.body); got != want {
					t.Errorf("%q: %d, want %d", who, got, want)
				}
			}
			if d.done(w, path) {
				t.Errorf("it was done all the same; blocked %q", w.wall.targets())
			}
		})
		for _, who := range strings.Fields(d.may) {
			t.Run(name+" by "+who, func(t *testing.T) {
				t.Parallel()
				w := newWhole(t)
				path := d.prepare(w)
				if got := w.as(who, d.method, path, d.body); got != http.StatusOK || !d.done(w, path) {
					t.Errorf("%d, blocked %q", got, w.wall.targets())
				}
			})
		}
	}
}
