package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/app"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth"
	"honeyguide/internal/certs"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/runs"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// A gatehouse is a core's two doors, TLS and the local socket, in front of
// whatever handler a test puts behind them.
type gatehouse struct {
	address string // https://...
	data    string // folder of the local socket
	behind  atomic.Pointer[http.Handler]
}

func (g *gatehouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*g.behind.Load()).ServeHTTP(w, r)
}

// newGatehouse opens the doors. The certificate is trusted by the way operators
// trust it, once for the process: the system's roots are read once.
func newGatehouse(t *testing.T) *gatehouse {
	t.Helper()
	g := &gatehouse{data: t.TempDir()}
	keeper, err := certs.Open(certs.Options{Dir: g.data})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", filepath.Join(g.data, "api.crt"))
	var lc net.ListenConfig
	remote, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	local, err := lc.Listen(t.Context(), "unix", filepath.Join(g.data, app.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	g.address = "https://" + remote.Addr().String()
	var served sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	for _, l := range []api.Listener{{Listener: remote, TLS: keeper.Config()}, {Listener: local, Local: true}} {
		served.Go(func() { _ = api.Serve(ctx, l, g, nil) })
	}
	t.Cleanup(func() { stop(); served.Wait() })
	return g
}

// ward is one core behind the doors: the real engine over a firewall in memory.
type ward struct {
	*testing.T
	gate   *gatehouse
	store  state.Store
	keys   *auth.StateKeys
	engine *runs.Engine
	allow  *respond.Allowlist
	guard  *respond.Guard
	now    time.Time
	given  map[string]honeyguide.Secret

	mu      sync.Mutex
	blocked []string
	fail    error
}

func (w *ward) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	p := honeyguide.Plan{Target: r.Target, State: honeyguide.PlanPlanned, Effect: "Packets from " + r.Target + " would be dropped.", Params: r.Params, ExpiresAt: r.Now.Add(time.Hour)}
	prefix, err := respond.ParseTarget(r.Target)
	if err == nil {
		if p.Reason = w.guard.Refuse(prefix); p.Reason != "" {
			p.State = honeyguide.PlanRefused
		}
	}
	return p, err
}

func (w *ward) Apply(_ context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail == nil && !slices.Contains(w.blocked, p.Target) {
		w.blocked = append(w.blocked, p.Target)
	}
	return respond.Receipt{}, w.fail
}

func (w *ward) Revert(_ context.Context, p honeyguide.Plan) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blocked = slices.DeleteFunc(w.blocked, func(t string) bool { return t == p.Target })
	return nil
}

const wardBooks = `
id: plain
title: Nobody is asked
trigger: manual
steps:
  - {name: block, action: block_ip, target: 198.51.100.8}
---
id: careful
title: Somebody agrees
trigger: manual
steps:
  - {name: block, action: block_ip, target: 198.51.100.7, approval: {roles: [responder], people: 1, within: 30m}}
`

func newWard(t *testing.T, gate *gatehouse) *ward {
	t.Helper()
	w := &ward{T: t, gate: gate, now: time.Now().UTC(), given: map[string]honeyguide.Secret{}}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	clock := func() time.Time { return w.now }
	var err error
	w.store, err = sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: clock})
	check(err)
	t.Cleanup(func() { _ = w.store.Close() })
	log, err := memory.Kind.Open(t.Context(), nil, eventlog.Deps{Dir: t.TempDir()})
	check(err)
	t.Cleanup(func() { _ = log.Close() })
	var books []*playbook.Playbook
	for i, text := range strings.Split(wardBooks, "---\n") {
		b, err := playbook.Parse(fmt.Sprintf("%d.yaml", i), []byte(text))
		check(err)
		books = append(books, b)
	}
	w.guard, err = respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	check(err)
	w.allow, err = respond.OpenAllowlist(t.Context(), w.store, clock)
	check(err)
	w.guard.More = w.allow.Prefixes
	w.engine, err = runs.New(t.Context(), runs.Config{Mode: honeyguide.ModeApply}, runs.Deps{
		State: w.store, Shelf: playbook.NewShelf(books), Actions: map[string]respond.Action{"block_ip": w}, Now: clock,
	})
	check(err)
	w.keys, err = auth.NewStateKeys(w.store, "")
	check(err)
	h, err := api.New(api.Deps{
		State: w.store, Events: log, Keys: w.keys, Audit: &audit.Memory{}, Responder: w.engine, Allowlist: w.allow, Now: clock,
		Take: func(context.Context, []honeyguide.Event) (eventlog.Seq, error) { return 0, errors.New("takes nothing") },
	})
	check(err)
	gate.behind.Store(&h)
	return w
}

// as runs one command line as the holder of a key named after its scope, or
// over the local socket, and lets the engine work. in is what is typed.
func (w *ward) as(who string, args ...string) (status int, out, errs string) {
	w.Helper()
	switch who {
	case "local":
		args = append(args, "--data", w.gate.data)
	default:
		if who != "nobody" && w.given[who] == "" {
			secret, k, err := auth.NewKey(who, auth.Scope(strings.TrimRight(who, "2")), w.now, time.Time{})
			if err == nil {
				err = w.keys.Add(w.Context(), k)
			}
			if err != nil {
				w.Fatal(err)
			}
			w.given[who] = secret
		}
		w.Setenv("HONEYGUIDE_API_KEY", w.given[who].Reveal())
		args = append(args, "--server", w.gate.address)
	}
	var stdout, stderr bytes.Buffer
	status = Main(args, strings.NewReader(""), &stdout, &stderr)
	if err := w.engine.Drain(w.Context()); err != nil {
		w.Fatal(err)
	}
	return status, stdout.String(), stderr.String()
}

func (w *ward) must(who string, args ...string) string {
	w.Helper()
	status, out, errs := w.as(who, args...)
	if status != exitOK {
		w.Fatalf("%s: honeyguide %s: status %d\n%s%s", who, strings.Join(args, " "), status, out, errs)
	}
	return out
}

// An errand is one verb, who may run it, and what has to be there before.
type errand struct {
	may     string
	args    string
	prepare func(*ward)
}

const (
	mayRead    = "admin responder analyst read local"
	mayRespond = "admin responder local"
	mayAdmin   = "admin local"
)

func begun(playbook string) func(*ward) {
	return func(w *ward) { w.must("responder2", "runs", "start", playbook, "--yes") }
}

func held(w *ward) { w.must("responder2", "holds", "place", "attacker:203.0.113.7", "--reason", "x") }

// errands is the expectation about every verb of these commands. A verb that is
// not here fails the test.
var errands = map[string]errand{
	"runs list":    {mayRead, "", nil},
	"runs show":    {mayRead, "R-1", begun("plain")},
	"runs start":   {mayRespond, "plain --yes", nil},
	"runs approve": {mayRespond, "R-1 --yes", begun("careful")},
	"runs deny":    {mayRespond, "R-1", begun("careful")},
	"runs cancel":  {mayRespond, "R-1 --yes", begun("careful")},
	"runs revert":  {mayRespond, "R-1 --yes", begun("plain")},
	"runs retry":   {mayRespond, "R-1 --yes", func(w *ward) { w.fail = respond.Permanent(errors.New("no room")); begun("plain")(w); w.fail = nil }},
	"runs confirm": {mayRespond, "R-1", func(w *ward) {
		w.must("responder2", "blocks", "add", "198.51.100.9", "--for", "1h", "--reason", "x", "--confirm-within", "5m", "--yes")
	}},
	"approvals":        {mayRead, "", nil},
	"blocks list":      {mayRead, "", nil},
	"blocks show":      {mayRead, "198.51.100.8", begun("plain")},
	"blocks add":       {mayRespond, "198.51.100.9 --for 1h --reason x --yes", nil},
	"blocks remove":    {mayRespond, "198.51.100.8 --yes", begun("plain")},
	"respond halt":     {mayRespond, "", nil},
	"respond resume":   {mayAdmin, "--yes", nil},
	"respond status":   {mayRead, "", nil},
	"allowlist list":   {mayRead, "", nil},
	"allowlist add":    {mayRespond, "203.0.113.0/24 --reason x --yes", nil},
	"allowlist remove": {mayRespond, "203.0.113.0/24 --yes", func(w *ward) { w.must("responder2", "allowlist", "add", "203.0.113.0/24", "--reason", "x", "--yes") }},
	"holds list":       {mayRead, "", nil},
	"holds show":       {mayRead, "H-1", held},
	"holds place":      {mayRespond, "attacker:203.0.113.7 --reason x", nil},
	"holds release":    {mayRespond, "H-1 --reason x", held},
	"keys list":        {mayAdmin, "", nil},
	"keys create":      {mayAdmin, "zoe --scope read --for 90d", nil},
	"keys rotate":      {mayAdmin, "zoe --overlap 1h", func(w *ward) { w.must("local", "keys", "create", "zoe", "--scope", "read") }},
	"keys remove":      {mayAdmin, "zoe --yes", func(w *ward) { w.must("local", "keys", "create", "zoe", "--scope", "read") }},
}

// leaves lists the verbs of some commands, as "command verb".
func leaves(root *cobra.Command) (out []string) {
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "runs", "approvals", "blocks", "respond", "allowlist", "keys", "holds":
			if !cmd.HasSubCommands() {
				out = append(out, cmd.Name())
			}
			for _, verb := range cmd.Commands() {
				out = append(out, cmd.Name()+" "+verb.Name())
			}
		}
	}
	return out
}

// TestErrands runs every verb as everybody, over TLS and the local socket, on
// the real engine: exit status 0 or 5, and what is refused changes nothing.
func TestErrands(t *testing.T) {
	gate := newGatehouse(t)
	c := &command{out: &bytes.Buffer{}, err: &bytes.Buffer{}, in: strings.NewReader("")}
	all := leaves(c.root())
	for name := range errands {
		if !slices.Contains(all, name) {
			t.Errorf("there is no verb %q", name)
		}
	}
	for _, name := range all {
		e, ok := errands[name]
		if !ok {
			t.Errorf("%s: nobody has said who may; add it to errands", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			args := append(strings.Fields(name), strings.Fields(e.args)...)
			fresh := func() *ward {
				w := newWard(t, gate)
				if e.prepare != nil {
					e.prepare(w)
				}
				return w
			}
			w := fresh()
			before := w.traces()
			for _, who := range []string{"nobody", "metrics", "ingest", "read", "analyst", "responder", "admin", "local"} {
				if slices.Contains(strings.Fields(e.may), who) {
					continue
				}
				if status, out, errs := w.as(who, args...); status != exitNotAllowed || out != "" || errs == "" {
					t.Errorf("%s: status %d, %q, %q", who, status, out, errs)
				}
			}
			if after := w.traces(); after != before {
				t.Errorf("what was refused left traces: %s, then %s", before, after)
			}
			for _, who := range strings.Fields(e.may) {
				if e.may != mayRead {
					w = fresh()
				}
				if status, out, errs := w.as(who, append(args, "-o", "json")...); status != exitOK || !strings.HasPrefix(out, "{") {
					t.Errorf("%s: status %d, %q, %q", who, status, out, errs)
				}
			}
		})
	}
}

// traces says how all that can be changed stands, but for keys of the test.
func (w *ward) traces() string {
	w.Helper()
	out := fmt.Sprint(w.blocked, w.allow.Prefixes())
	if h, err := w.engine.Halted(w.Context()); err == nil {
		out += fmt.Sprint(h.On)
	}
	err := w.store.View(w.Context(), func(tx state.Tx) error {
		list, _, err := tx.Runs().List(w.Context(), state.RunQuery{})
		for _, r := range list {
			out += fmt.Sprintf(" %s %s %d", r.Short, r.State, len(r.Steps[0].Decisions))
		}
		held, err2 := tx.Holds().List(w.Context(), true)
		for _, h := range held {
			out += " " + h.Short
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		w.Fatal(err)
	}
	keys, err := w.keys.List(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return out + fmt.Sprint(slices.ContainsFunc(keys, func(k auth.Key) bool { return k.Name == "zoe" }))
}
