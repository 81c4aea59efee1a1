package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

// same compares what two runs left behind. Ids of plans and incidents follow
// from the rest.
func same(t *testing.T, name string, got, want found) {
	t.Helper()
	want.plans, want.blocks, got.plans, got.blocks = strongest(want.plans), nil, strongest(got.plans), nil
	if d := cmp.Diff(want, got, cmp.AllowUnexported(found{}), cmpopts.EquateComparable(netip.AddrPort{}), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s: what is in the state differs (-whole +this):\n%.4000s", name, d)
	}
}

// strongest reduces plans to what they come to: the longest lasting one of each
// act. Which playbooks asked for less before depends on when they were asked.
func strongest(plans []honeyguide.Plan) (out []honeyguide.Plan) {
	for _, p := range plans {
		p.ID, p.Run, p.Evidence = "", "", nil
		i := slices.IndexFunc(out, func(o honeyguide.Plan) bool {
			return o.Incident == p.Incident && o.Action == p.Action && o.Target == p.Target
		})
		switch {
		case i < 0:
			out = append(out, p)
		case p.ExpiresAt.After(out[i].ExpiresAt):
			out[i] = p
		}
	}
	slices.SortFunc(out, func(a, b honeyguide.Plan) int { return strings.Compare(a.Incident+a.Target, b.Incident+b.Target) })
	return out
}

// stored completes the story once, so that every run reads the same events.
func stored(t *testing.T) (events []honeyguide.Event) {
	t.Helper()
	w := newWorld(t)
	w.add(w.story()...)
	recs, err := w.log.Read(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		events = append(events, r.Event)
	}
	return events
}

func (w *world) append(events ...honeyguide.Event) {
	w.t.Helper()
	if _, err := w.log.Append(w.t.Context(), eventlog.Batch{Events: slices.Clone(events)}); err != nil {
		w.t.Fatal(err)
	}
}

func TestReplayGivesTheSame(t *testing.T) {
	events := stored(t)
	one, two := newWorld(t), newWorld(t)
	one.append(events...)
	one.run()
	two.append(events...)
	two.run()
	same(t, "replay", two.found(), one.found())
}

// A restart between any two events, or at every one, changes nothing.
func TestRestartGivesTheSame(t *testing.T) {
	events := stored(t)
	whole := newWorld(t)
	whole.append(events...)
	whole.run()
	want := whole.found()
	for _, cut := range []int{1, 5, 8, 9, 12, 15, 17, 18, 20} {
		w := newWorld(t)
		w.append(events[:cut]...)
		w.run()
		w.append(events[cut:]...)
		w.run()
		// 19 is missing: log-in and use come in one append; a cut between them
		// opens an incident that is then joined, see TestIncidentsJoin.
		same(t, fmt.Sprintf("restart after %d", cut), w.found(), want)
	}
}

func TestSmallBatchesGiveTheSame(t *testing.T) {
	events := stored(t)
	whole, small := newWorld(t), newWorld(t)
	whole.append(events...)
	whole.run()
	small.cfg.Batch = 3
	small.append(events...)
	small.run()
	same(t, "batches of 3", small.found(), whole.found())
}

// Two attackers with incidents of their own turn out to belong together.
func TestIncidentsJoin(t *testing.T) {
	w := newWorld(t)
	guess := func(src, session string, at time.Time) *script {
		s := &script{src: src, service: "ssh", session: session, at: at}
		for i := range 6 {
			s.do(honeyguide.ActivityLoginFailed, honeyguide.AttrUser, "root", honeyguide.AttrPassword, fmt.Sprint("p", i))
		}
		return s
	}
	w.add(guess(reader, "a", noon).out...)
	w.run()
	w.add(guess(buyer, "b", noon.Add(time.Minute)).out...)
	w.run()
	if f := w.found(); len(f.incidents) != 2 {
		t.Fatalf("%d incidents, want one each", len(f.incidents))
	}
	key := "echo 'ssh-ed25519 " + strings.Repeat("AAAAC3NzaC1lZDI1NTE5", 3) + " x' >> ~/.ssh/authorized_keys"
	w.add((&script{src: reader, service: "ssh", session: "a", n: 50, at: noon.Add(2 * time.Minute)}).command(key).out...)
	w.add((&script{src: buyer, service: "ssh", session: "b", n: 50, at: noon.Add(3 * time.Minute)}).command(key).out...)
	w.run()
	f := w.found()
	var open, closed []honeyguide.Incident
	for _, in := range f.incidents {
		if in.Status == honeyguide.IncidentClosed {
			closed = append(closed, in)
		} else {
			open = append(open, in)
		}
	}
	if len(open) != 1 || len(closed) != 1 || !strings.Contains(closed[0].Title, "Joined to "+open[0].Short) {
		t.Fatalf("open %+v, closed %+v", open, closed)
	}
	if in := open[0]; !slices.Equal(in.Attackers, []string{reader, buyer}) || in.AlertCount != int64(len(f.alerts)) || in.Severity != honeyguide.SeverityHigh {
		t.Errorf("incident: %+v", in)
	}
	for _, a := range f.alerts {
		if a.Incident != open[0].ID {
			t.Errorf("%s of %s is not in the joined incident", a.RuleID, a.Attacker)
		}
	}
	// What the second attacker does from now on belongs there too.
	w.add((&script{src: buyer, service: "ssh", session: "c", at: noon.Add(4 * time.Minute)}).command("history -c").out...)
	w.run()
	if f := w.found(); f.alert("log_wiping").Incident != open[0].ID || len(f.incidents) != 2 {
		t.Errorf("later alert in %q", f.alert("log_wiping").Incident)
	}
}

func TestAClosedIncidentStaysClosed(t *testing.T) {
	w := newWorld(t)
	w.add((&script{src: reader, service: "ssh", session: "a", at: noon}).command("history -c").out...)
	w.run()
	first := w.found().incidents[0]
	first.Status = honeyguide.IncidentResolved
	if err := w.state.Update(t.Context(), func(tx state.Tx) error { _, err := tx.Incidents().Save(t.Context(), &first); return err }); err != nil {
		t.Fatal(err)
	}
	w.add((&script{src: reader, service: "ssh", session: "a", n: 9, at: noon.Add(time.Minute)}).command("iptables -F").out...)
	w.run()
	f := w.found()
	if len(f.incidents) != 2 || f.alert("log_wiping").Incident != first.ID || f.alert("defense_evasion").Incident == first.ID {
		t.Errorf("%d incidents: %+v", len(f.incidents), f.incidents)
	}
}

func TestThreshold(t *testing.T) {
	contact := (&script{src: reader, service: "ssh", session: "a", at: noon}).do(honeyguide.ActivityConnect).out
	w := newWorld(t)
	w.add(contact...)
	w.run()
	if f := w.found(); len(f.alerts) != 1 || len(f.incidents) != 0 {
		t.Errorf("contact alone: %d alerts, %d incidents", len(f.alerts), len(f.incidents))
	}
	w = newWorld(t)
	w.cfg.Min = honeyguide.SeverityLow
	w.add(contact...)
	w.run()
	if f := w.found(); len(f.incidents) != 1 {
		t.Errorf("threshold low: %d incidents", len(f.incidents))
	}
	w = newWorld(t)
	w.cfg.Min = honeyguide.SeverityCritical
	w.add(w.story()[:10]...)
	w.run()
	if f := w.found(); len(f.incidents) != 0 {
		t.Errorf("threshold critical: %d incidents", len(f.incidents))
	}
}

// broken fails on one event and panics on another.
type broken struct{}

func (broken) Detect(_ context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error) {
	for _, e := range batch {
		switch e.Str(honeyguide.AttrCommand) {
		case "uname -a":
			panic("poison")
		case "id; w":
			return nil, errors.New("no idea")
		}
	}
	return nil, nil
}

func TestAFailingDetectorLosesOnlyTheEvent(t *testing.T) {
	events := stored(t)
	whole, w := newWorld(t), newWorld(t)
	whole.append(events...)
	whole.run()
	w.extra = []pipeline.Detector{{Name: "broken", Detector: broken{}}}
	w.append(events...)
	w.run()
	same(t, "beside a broken detector", w.found(), whole.found())
	var text strings.Builder
	if _, err := w.metrics.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), `honeyguide_detector_failures_total{detector="broken"} 2`) {
		t.Error("failures are not counted")
	}
}

func TestExternalFindings(t *testing.T) {
	w := newWorld(t)
	s := &script{src: reader, service: "suricata", session: "", at: noon}
	for range 3 {
		s.do(honeyguide.ActivityFinding, honeyguide.AttrProduct, "Suricata", honeyguide.AttrRuleID, "2019401", honeyguide.AttrRule, "ET EXPLOIT Possible CVE-2014-6271", honeyguide.AttrCategory, "Attempted Administrator Privilege Gain")
	}
	for i := range s.out {
		s.out[i].Severity, s.out[i].Class = honeyguide.SeverityHigh, honeyguide.ClassDetection
	}
	w.add(s.out...)
	w.add((&script{src: reader, service: "ssh", session: "a", at: noon.Add(time.Minute)}).command("history -c").out...)
	w.run()
	f := w.found()
	a := f.alert("suricata:2019401")
	if a.Count != 3 || a.Severity != honeyguide.SeverityHigh || a.Category != honeyguide.CategoryPrivilege || a.Title != "ET EXPLOIT Possible CVE-2014-6271" {
		t.Errorf("got %+v", a)
	}
	if len(f.incidents) != 1 {
		t.Errorf("%d incidents, want one of the one source", len(f.incidents))
	}
	i := slices.IndexFunc(f.alert("log_wiping").Reasons, func(r honeyguide.Reason) bool { return r.Feature == "corroborated" })
	if i < 0 {
		t.Errorf("two witnesses weigh like one: %+v", f.alert("log_wiping").Reasons)
	}
}

func TestIntakeMendsWhatTheLogRefuses(t *testing.T) {
	w := newWorld(t)
	huge := honeyguide.Event{ID: "huge", Time: noon, Activity: honeyguide.ActivityCommand, Sensor: "ssh", Raw: make([]byte, 1<<20)}
	huge.Set(honeyguide.AttrCommand, strings.Repeat("x", 1<<20))
	odd := honeyguide.Event{ID: "odd", Time: noon, Activity: strings.Repeat("a", 1<<20), Sensor: "ssh"}
	fine := honeyguide.Event{ID: "fine", Activity: honeyguide.ActivityConnect, Sensor: "ssh"}
	w.add(fine, huge, odd, fine)
	recs, err := w.log.Read(t.Context(), 0, 10)
	if err != nil || len(recs) != 4 {
		t.Fatal(len(recs), err)
	}
	if e := recs[1].Event; len(e.Str(honeyguide.AttrCommand)) == 0 || e.Str("honeyguide.cut") == "" {
		t.Errorf("huge event: %v", e.Activity)
	}
	if e := recs[2].Event; e.Activity != honeyguide.ActivityGap || e.Str(honeyguide.AttrDetail) == "" {
		t.Errorf("odd event: %.100v", e.Activity)
	}
	if e := recs[0].Event; !e.Time.Equal(clock()) || !e.Observed.Equal(clock()) {
		t.Errorf("an event without a time: %+v", e)
	}
}

// The reader is known from the state when the intake starts anew, and across
// a restart of everything.
func TestReaderIsKnownAfterARestart(t *testing.T) {
	w := newWorld(t)
	story := w.story()
	w.add(story[:17]...)
	w.run()
	again, err := pipeline.NewIntake(t.Context(), pipeline.IntakeDeps{Log: w.log, State: w.state, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	e := honeyguide.Event{ID: "late", Time: noon.Add(48 * time.Hour), Activity: honeyguide.ActivityTokenUsed, Severity: honeyguide.SeverityCritical, Sensor: "http", Service: "http", Src: story[17].Src}
	e.Set(honeyguide.AttrToken, w.tokens[2].ID())
	seq, err := again.Store(t.Context(), []honeyguide.Event{e})
	if err != nil {
		t.Fatal(err)
	}
	recs, _ := w.log.Read(t.Context(), seq-1, 1)
	if got := recs[0].Event; got.Str(honeyguide.AttrReader) != reader || got.Str(honeyguide.AttrReadBy) != "cat ~/.bash_history" {
		t.Errorf("got %+v", got.Attrs)
	}
	w.cfg.WarmUp = -1 // nothing is remembered but the state
	w.run()
	f := w.found()
	if len(f.incidents) != 1 || !slices.Equal(f.incidents[0].Attackers, []string{reader, buyer}) {
		t.Errorf("incidents: %+v", f.incidents)
	}
}

func TestScopeOfTheSource(t *testing.T) {
	w := newWorld(t)
	for _, src := range []string{"127.0.0.1", "10.0.0.1", "fe80::1", "203.0.113.7", "::ffff:192.168.0.1"} {
		w.add((&script{src: src, service: "ssh", session: src, at: noon}).do(honeyguide.ActivityConnect).out...)
	}
	recs, _ := w.log.Read(t.Context(), 0, 10)
	var got []string
	for _, r := range recs {
		got = append(got, r.Event.Str(pipeline.AttrScope))
	}
	if want := []string{"loopback", "private", "link_local", "public", "private"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestIdleEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.consumer().Idle(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := w.consumer().Idle(ctx, 0); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestTwoConsumersOfOneNameAreFound(t *testing.T) {
	w := newWorld(t)
	w.append(stored(t)...)
	if err := w.state.Update(t.Context(), func(tx state.Tx) error { return tx.Cursors().Move(t.Context(), "detect", 0, 3) }); err != nil {
		t.Fatal(err)
	}
	c := w.consumer()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	if err := c.Idle(ctx, 19); err != nil {
		t.Fatal(err)
	}
	if err := w.state.Update(t.Context(), func(tx state.Tx) error { return tx.Cursors().Move(t.Context(), "detect", int64(c.Position()), 500) }); err != nil {
		t.Fatal(err)
	}
	w.append(honeyguide.Event{ID: "x", Time: noon, Activity: "x"})
	if err := <-ended; honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("got %v", err)
	}
}

// A token nobody saved, retired or made up by a sensor, stops nothing.
func TestUnknownTokensAreCounted(t *testing.T) {
	w := newWorld(t)
	s := &script{src: reader, service: "ssh", session: "a", at: noon}
	s.do(honeyguide.ActivityTokenExposed, honeyguide.AttrToken, strings.Repeat("0", 26)).do(honeyguide.ActivityTokenUsed, honeyguide.AttrToken, strings.Repeat("0", 26))
	w.add(s.out...)
	w.run()
	var text strings.Builder
	if _, err := w.metrics.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	if f := w.found(); f.alert("token_used").Severity != honeyguide.SeverityCritical || !strings.Contains(text.String(), "honeyguide_unknown_token_events_total 2\n") {
		t.Errorf("alerts: %+v", f.alerts)
	}
}

// A new consumer of an old log begins where the log does.
func TestTheBeginningMayBeGone(t *testing.T) {
	w := newWorld(t)
	w.log = memory.Open(eventlog.Deps{AtLeast: 1000})
	w.run() // nothing to do, and no harm
	w.append(stored(t)...)
	w.run()
	if f := w.found(); len(f.incidents) != 1 || f.alert("token_used").Count != 1 {
		t.Errorf("got %+v", f.incidents)
	}
}
