// Package respondtest holds what every action must keep: a plan changes nothing,
// a second Apply leaves one effect, errors say whether trying again helps, hostile
// text stays text, and no secret is told.
package respondtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
)

// A World is one fresh other side: how it answers, and the distinct effects it
// has seen, by what it would know them again by.
type World struct {
	Handler http.Handler
	Effects func() []string
}

// A Subject is an action under test.
type Subject struct {
	Kind    respond.Kind
	Config  func(url string) map[string]any // settings that reach the fake, by their keys
	World   func() World
	Listen  func(t testing.TB, f *Fake) string // another protocol in front of the fake: returns its URL; nil: HTTPS
	Target  string
	Params  map[string]string
	Secrets []string                             // of Config
	Fill    []string                             // params that attackers write; nil: title and text
	Verdict map[string]Verdict                   // of troubles this kind judges otherwise, by name
	Check   func(t *testing.T, requests []Heard) // what a hostile text must not have changed
	Own     bool                                 // what it makes is known again by its key: give every plan one of its own
	Every   int                                  // one of so many hostile texts is tried; 0: each
	Raw     bool                                 // its values are data, not shown to people: format characters may stay
}

// A Verdict is what an action makes of a trouble.
type Verdict int

// The verdicts.
const (
	Fails   Verdict = iota + 1 // trying again is no use
	Retries                    // it is
	Waits                      // it is, at the time the other side said
	Works                      // no trouble at all for this kind
)

// troubles is the table of outcomes every kind is tried with.
var troubles = []struct {
	Trouble
	want Verdict
}{
	{Trouble{Name: "400", Status: 400}, Fails},
	{Trouble{Name: "401", Status: 401}, Fails},
	{Trouble{Name: "403", Status: 403}, Fails},
	{Trouble{Name: "404", Status: 404}, Fails},
	{Trouble{Name: "409", Status: 409}, Fails},
	{Trouble{Name: "410", Status: 410}, Fails},
	{Trouble{Name: "413", Status: 413}, Fails},
	{Trouble{Name: "422", Status: 422}, Fails},
	{Trouble{Name: "302", Status: 302}, Fails},
	{Trouble{Name: "429", Status: 429}, Retries},
	{Trouble{Name: "429 after", Status: 429, After: "7"}, Waits},
	{Trouble{Name: "500", Status: 500}, Retries},
	{Trouble{Name: "503 after", Status: 503, After: "7"}, Waits},
	{Trouble{Name: "slow", Hang: true}, Retries},
	{Trouble{Name: "cut", Cut: true}, Retries},
	{Trouble{Name: "garbage", Status: 200, Body: "<html>Please log in to the guest network</html>"}, Retries},
	{Trouble{Name: "garbage that is JSON", Status: 200, Body: `[null, 7]`}, Retries},
}

// judge reads what an error says.
func judge(err error) Verdict {
	wait, waits := errors.AsType[*respond.Wait](err)
	switch {
	case err == nil:
		return Works
	case respond.IsPermanent(err):
		return Fails
	case waits && wait.For == 7*time.Second:
		return Waits
	}
	return Retries
}

// Run tries an action.
func Run(t *testing.T, s Subject) {
	if s.Fill == nil {
		s.Fill = []string{respond.ParamTitle, respond.ParamText}
	}
	b := newBench(t, s)
	t.Run("Settings", b.settings)
	t.Run("Plan", b.plan)
	t.Run("Twice", b.twice)
	t.Run("Lost", b.lost)
	if r, ok := b.action.(respond.Reverter); ok {
		t.Run("Undo", func(t *testing.T) { b.undo(t, r) })
	}
	t.Run("Outcomes", b.outcomes)
	t.Run("Hostile", b.hostile)
	for _, err := range b.errs {
		for _, secret := range s.Secrets {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("a secret is told: %v", err)
			}
		}
		if safetext.Hostile(err.Error()) {
			t.Errorf("an error steers terminals: %q", err)
		}
	}
}

// A bench is an opened action and its fake.
type bench struct {
	Subject
	fake   *Fake
	url    string
	door   *Door
	action respond.Action
	errs   []error
}

// Decode makes settings out of a map, by way of the configuration's own names.
func Decode(settings map[string]any) kind.Decode {
	return func(into any) error { return fill(into, settings) }
}

func newBench(t *testing.T, s Subject) *bench {
	t.Helper()
	b := &bench{Subject: s}
	b.fake = NewFake(t, s.World().Handler)
	b.url = b.fake.URL
	if s.Listen != nil {
		b.url = s.Listen(t, b.fake)
	}
	b.door = NewDoor(b.fake.Roots())
	a, err := s.Kind.Open(t.Context(), Decode(s.Config(b.url)), Deps(t, s.Kind.Name, b.door))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	b.action = a
	b.door.Open(t, a)
	return b
}

// Deps is what the host lends in these tests.
func Deps(t testing.TB, name string, door *Door) respond.Deps {
	t.Helper()
	guard, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) {
		return []respond.Local{{Addr: netip.MustParseAddr("192.0.2.77"), What: "an address of this host"}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d := respond.Deps{
		Name: name, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Guard: guard, Node: "edge-1", Console: "https://console.example.org",
		Data: t.TempDir(), Now: func() time.Time { return noon },
	}
	if door != nil {
		d.Fetch = door
	}
	return d
}

// Request is a request about an incident of one attacker.
func Request(target string, params map[string]string) respond.Request {
	i := &honeyguide.Incident{
		ID: "01JINCIDENT", Short: "I-3", Title: "ssh brute force", Severity: honeyguide.SeverityHigh, Score: 82, AlertCount: 2, FirstAt: noon.Add(-time.Hour),
		LastAt: noon, CreatedAt: noon, Attackers: []string{"198.51.100.7"}, Attacks: []honeyguide.Technique{{ID: "T1110"}}, Sessions: []string{"s1"},
	}
	return respond.Request{
		Incident: i, Alerts: []honeyguide.Alert{{
			ID: "01JALERT", Short: "A-12", Title: "Brute force", Severity: honeyguide.SeverityHigh, Time: noon, CreatedAt: noon, Category: honeyguide.CategoryFailedAuth,
			Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("198.51.100.7:4222")}, RuleID: "brute_force", Count: 6,
		}}, Run: "R1", Playbook: "tell", Step: "tell", Target: target, Params: params, Mode: honeyguide.ModeApply, Reason: "severity is high", By: "playbook", Now: noon,
	}
}

// Plan plans and fills in what the runner fills in.
func Plan(ctx context.Context, a respond.Action, r respond.Request, id string) (honeyguide.Plan, error) {
	p, err := a.Plan(ctx, r)
	p.ID, p.Run, p.Incident, p.Playbook, p.Step, p.Mode, p.By, p.CreatedAt = id, r.Run, r.Incident.ID, r.Playbook, r.Step, r.Mode, r.By, r.Now
	return p, err
}

func (b *bench) must(t *testing.T, id string, params map[string]string) honeyguide.Plan {
	t.Helper()
	params = b.own(id, params)
	p, err := Plan(t.Context(), b.action, Request(b.Target, params), id)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	if p.State != honeyguide.PlanPlanned {
		t.Fatalf("planned as %s: %s", p.State, p.Reason)
	}
	return p
}

// own gives a plan a key of its own where that is asked for.
func (b *bench) own(id string, params map[string]string) map[string]string {
	if !b.Own {
		return params
	}
	out := map[string]string{respond.ParamKey: id}
	for k, v := range params {
		out[k] = v
	}
	return out
}

// apply tries once and remembers the error.
func (b *bench) apply(t *testing.T, p honeyguide.Plan, within time.Duration) (respond.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	r, err := b.action.Apply(ctx, p)
	if err != nil {
		b.errs = append(b.errs, err)
	}
	if len(r.Undo) > 4<<10 {
		t.Errorf("%d bytes to undo", len(r.Undo))
	}
	return r, err
}

const patience = 20 * time.Second

// names is how an error about settings begins.
var names = regexp.MustCompile(`^[a-z_]+(, [a-z_]+)*(\[\d+\])?: `)

// settings: what has no settings is refused in words, or works.
func (b *bench) settings(t *testing.T) {
	if err := b.Kind.Check(Decode(b.Config(b.url))); err != nil {
		t.Errorf("good settings: %v", err)
	}
	for key := range b.Config(b.url) {
		bad := b.Config(b.url)
		delete(bad, key)
		if err := b.Kind.Check(Decode(bad)); err != nil {
			b.errs = append(b.errs, err)
			if !names.MatchString(err.Error()) {
				t.Errorf("without %s: %v; want an error that names a setting", key, err)
			}
		}
	}
}

// plan: the same twice, and nobody is asked.
func (b *bench) plan(t *testing.T) {
	b.fake.Answer(b.World().Handler)
	one, two := b.must(t, "p1", b.Params), b.must(t, "p1", b.Params)
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("planning twice: %s", diff)
	}
	if one.Effect == "" || one.Action == "" {
		t.Errorf("a plan that says nothing: %+v", one)
	}
	if n := len(b.fake.Heard()); n != 0 {
		t.Errorf("planning asked %d times", n)
	}
}

// twice: one plan is one effect, whatever was lost in between.
func (b *bench) twice(t *testing.T) {
	w := b.World()
	b.fake.Answer(w.Handler)
	p := b.must(t, "p-twice", b.Params)
	one, err := b.apply(t, p, patience)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	two, err := b.apply(t, p, patience)
	if err != nil {
		t.Fatalf("apply again: %v", err)
	}
	if one.Ref != two.Ref {
		t.Errorf("called %q, then %q", one.Ref, two.Ref)
	}
	if got := w.Effects(); len(got) != 1 {
		t.Errorf("effects %q, want one", got)
	}
	p.Ref, p.Undo = one.Ref, one.Undo
	if v, ok := b.action.(respond.Verifier); ok {
		if err := v.Verify(t.Context(), p); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
	other := b.must(t, "p-other", b.Params)
	if _, err := b.apply(t, other, patience); err != nil {
		t.Fatalf("apply another: %v", err)
	}
	if m, ok := b.action.(respond.Messenger); ok {
		if _, err := m.Send(t.Context(), respond.MessageOf(p)); err != nil {
			t.Errorf("send: %v", err)
		}
		if got := w.Effects(); len(got) != 2 {
			t.Errorf("effects %q, want two: of two plans", got)
		}
	}
}

// lost: it took effect, and the answer did not come.
func (b *bench) lost(t *testing.T) {
	w := b.World()
	b.fake.Answer(w.Handler)
	p := b.must(t, "p-lost", b.Params)
	b.fake.Ail(&Trouble{Lose: true})
	if _, err := b.apply(t, p, patience); err == nil || judge(err) != Retries {
		t.Errorf("a lost answer: %v", err)
	}
	b.fake.Ail(nil)
	if _, err := b.apply(t, p, patience); err != nil {
		t.Errorf("after a lost answer: %v", err)
	}
	if got := w.Effects(); len(got) != 1 {
		t.Errorf("effects %q, want one", got)
	}
}

// undo: what is undone is gone, and undoing nothing is no error.
func (b *bench) undo(t *testing.T, r respond.Reverter) {
	w := b.World()
	b.fake.Answer(w.Handler)
	p := b.must(t, "p-undo", b.Params)
	if err := r.Revert(t.Context(), p); err != nil {
		t.Errorf("undo what was never done: %v", err)
	}
	receipt, err := b.apply(t, p, patience)
	if err != nil {
		t.Fatal(err)
	}
	p.Ref, p.Undo = receipt.Ref, receipt.Undo
	for range 2 {
		if err := r.Revert(t.Context(), p); err != nil {
			t.Errorf("undo: %v", err)
		}
	}
	if v, ok := b.action.(respond.Verifier); ok {
		if err := v.Verify(t.Context(), p); err == nil {
			t.Error("it is still there")
		}
	}
}

// outcomes: the table.
func (b *bench) outcomes(t *testing.T) {
	for _, c := range troubles {
		b.fake.Answer(b.World().Handler)
		b.fake.Ail(&c.Trouble)
		want := c.want
		if v, ok := b.Verdict[c.Name]; ok {
			want = v
		}
		within := patience
		if c.Hang {
			within = 100 * time.Millisecond
		}
		p := b.must(t, "p-"+strings.ReplaceAll(c.Name, " ", "-"), b.Params)
		if _, err := b.apply(t, p, within); judge(err) != want {
			t.Errorf("%s: %v is verdict %d, want %d", c.Name, err, judge(err), want)
		}
	}
}

// hostile: the structure of what arrives does not depend on what attackers wrote.
func (b *bench) hostile(t *testing.T) {
	send := func(id, text string) []Heard {
		params := map[string]string{}
		for k, v := range b.Params {
			params[k] = v
		}
		for _, k := range b.Fill {
			params[k] = text
		}
		p, err := Plan(t.Context(), b.action, Request(b.Target, b.own(id, params)), id)
		if err != nil {
			b.errs = append(b.errs, err)
			return nil // refused in words, before anything was sent
		}
		if _, err := b.apply(t, p, patience); err != nil {
			t.Errorf("%.60q: %v", text, err)
		}
		return b.fake.Heard()
	}
	b.fake.Answer(b.World().Handler)
	send("p-warm", "plain") // it may log in first
	want := shapes(send("p-plain", "plain"))
	for i, text := range Hostile() {
		if i%max(b.Every, 1) != 0 {
			continue
		}
		if i%50 == 0 { // the fake forgets, so that it stays quick
			b.fake.Answer(b.World().Handler)
			send("p-first-"+fmt.Sprint(i), "plain")
		}
		heard := send(fmt.Sprintf("p-%04d", i), text)
		if heard == nil {
			continue
		}
		if got := shapes(heard); !slices.Equal(got, want) {
			t.Fatalf("%.60q changes what arrives:\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, h := range heard {
			if !b.Raw && b.steers(h) {
				t.Fatalf("%.60q: a character that steers arrives: %.300q", text, h.Body)
			}
		}
		if b.Check != nil {
			b.Check(t, heard)
		}
		if t.Failed() {
			t.Fatalf("with %.60q", text)
		}
	}
}

// steers reports whether a text in a request could steer what shows it.
func (b *bench) steers(h Heard) bool {
	var v any
	if json.Unmarshal(h.Body, &v) != nil {
		return safetext.Hostile(strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return -1
			}
			return r
		}, string(h.Body)))
	}
	bad := false
	Strings(v, func(s string) { bad = bad || safetext.Hostile(strings.ReplaceAll(s, "\n", "")) })
	return bad
}

// Strings calls fn for every text in a decoded JSON value, names of members too.
func Strings(v any, fn func(string)) {
	switch v := v.(type) {
	case string:
		fn(v)
	case []any:
		for _, x := range v {
			Strings(x, fn)
		}
	case map[string]any:
		for k, x := range v {
			fn(k)
			Strings(x, fn)
		}
	}
}

// shapes are the requests without their texts.
func shapes(heard []Heard) []string {
	var out []string
	for _, h := range heard {
		var v any
		body := "text"
		if json.Unmarshal(h.Body, &v) == nil {
			body = shape(v)
		} else if strings.HasPrefix(h.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			body = "form"
		}
		var names []string
		for name := range h.Header {
			if name != "Content-Length" && name != "Idempotency-Key" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		out = append(out, h.Method+" "+strings.Join(names, ",")+" "+body)
	}
	return out
}

func shape(v any) string {
	switch v := v.(type) {
	case string:
		return "s"
	case float64, bool, nil:
		return fmt.Sprint(v)
	case []any:
		var parts []string
		for _, x := range v {
			parts = append(parts, shape(x))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		var parts []string
		for k, x := range v {
			parts = append(parts, k+":"+shape(x))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "?"
}
