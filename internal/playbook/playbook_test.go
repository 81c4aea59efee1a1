package playbook_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blockip"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A desk is playbooks with the actions they may name, behind a real guard.
type desk struct {
	t       testing.TB
	books   []*playbook.Playbook
	actions map[string]respond.Action
}

func newDesk(t testing.TB, texts ...string) *desk {
	t.Helper()
	d := &desk{t: t, actions: actions(t)}
	for _, text := range texts {
		d.books = append(d.books, book(t, text))
	}
	return d
}

// actions are the real block_ip and pens for the others.
func actions(t testing.TB) map[string]respond.Action {
	t.Helper()
	g, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	block, err := blockip.Kind.Open(t.Context(), nil, respond.Deps{Guard: g})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]respond.Action{"block_ip": block, "notify": pen{}, "snapshot": pen{}, "isolate": pen{}, "task": pen{}}
}

// A pen is an action that writes down what it is asked.
type pen struct{}

func (pen) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return honeyguide.Plan{Target: r.Target, Params: r.Params, State: honeyguide.PlanPlanned, Effect: r.Step + ": " + r.Params["title"]}, nil
}

func (pen) Apply(context.Context, honeyguide.Plan) (respond.Receipt, error) {
	panic("nothing here is applied")
}

// plan asks all playbooks what they would do.
func (d *desk) plan(in *honeyguide.Incident, alerts []honeyguide.Alert, opened bool) (out []honeyguide.Plan) {
	d.t.Helper()
	for _, b := range d.books {
		out = append(out, d.answer(b, &playbook.Facts{Incident: in, Alerts: alerts, Opened: opened, Now: noon})...)
	}
	return out
}

// answer is what one playbook would do.
func (d *desk) answer(b *playbook.Playbook, f *playbook.Facts) (out []honeyguide.Plan) {
	d.t.Helper()
	ok, err := b.Matches(f)
	if err != nil {
		d.t.Errorf("%s: %v", b.ID, err)
	}
	if !ok {
		return nil
	}
	run := b.Start(f)
	for i := range run.Steps {
		s := &run.Steps[i]
		due, err := playbook.Resolve(s, f)
		if err != nil {
			d.t.Errorf("%s: %v", b.ID, err)
		}
		if due.Skip != "" {
			continue
		}
		for _, target := range due.Targets {
			p, err := d.actions[s.Action].Plan(d.t.Context(), respond.Request{Incident: f.Incident, Alerts: f.Alerts, Step: s.Name, Target: target, Params: due.Params, Reason: run.Reason, Now: f.Now})
			if err != nil {
				d.t.Errorf("%s, %s: %v", b.ID, s.Name, err)
			}
			p.Playbook, p.Step, p.Action = b.ID, s.Name, s.Action
			out = append(out, p)
		}
	}
	return out
}

func incident() *honeyguide.Incident {
	return &honeyguide.Incident{
		ID: "i1", Key: "attacker:203.0.113.7", Severity: honeyguide.SeverityHigh, Score: 72, CreatedAt: noon, AlertCount: 4,
		Attackers: []string{"203.0.113.7", "10.0.0.9", "attacker:203.0.113.7", "campaign:x"},
		Attacks:   []honeyguide.Technique{{ID: "T1105", Tactic: "TA0011"}},
	}
}

func TestGuardBeatsPlaybook(t *testing.T) {
	plans := newDesk(t, "id: a\ntitle: A\nwhen: severity >= high\nsteps: [{action: block_ip, each: attackers, ttl: 24h}]\n").plan(incident(), nil, true)
	if len(plans) != 2 {
		t.Fatalf("got %+v", plans)
	}
	if p := plans[0]; p.Target != "203.0.113.7" || p.State != honeyguide.PlanPlanned || p.Params["ttl"] != "24h0m0s" {
		t.Errorf("got %+v", p)
	}
	if p := plans[1]; p.Target != "10.0.0.9" || p.State != honeyguide.PlanRefused {
		t.Errorf("the guard did not beat the playbook: %+v", p)
	}
}

func TestTriggerAndStepConditions(t *testing.T) {
	d := newDesk(t, "id: a\ntitle: A\ntrigger: incident_opened\nsteps:\n- {name: one, action: block_ip, target: 203.0.113.99, when: \"rules contains 'miner'\"}\n- {name: two, action: block_ip, target: 203.0.113.98}\n")
	if plans := d.plan(incident(), nil, false); len(plans) != 0 {
		t.Errorf("a grown incident was taken for an opened one: %+v", plans)
	}
	if plans := d.plan(incident(), nil, true); len(plans) != 1 || plans[0].Step != "two" {
		t.Errorf("got %+v", plans)
	}
	if plans := d.plan(incident(), []honeyguide.Alert{{RuleID: "miner"}}, true); len(plans) != 2 {
		t.Errorf("got %+v", plans)
	}
}

// Conditions as they were written before there was this language still hold.
func TestOldConditions(t *testing.T) {
	for cond, want := range map[string]bool{
		"severity >= high": true, "severity == critical": false, "score > 70 and score <= 72": true, "not (alert_count < 4)": true,
		"attackers contains '10.0.0.9'": true, "key contains '203.'": true, "severity in [medium, high]": true, "alert_count in [1, 2]": false,
		"private": true, "loopback or false": false, "tactics contains 'Command and Control' and techniques contains 'T1105'": true,
		"status == ''": true, "severity != high or true": true, "(((true)))": true, "attacker_count == 4": true,
	} {
		d := newDesk(t, "id: a\ntitle: A\nwhen: \""+cond+"\"\nsteps: [{action: block_ip, target: 203.0.113.9}]\n")
		if plans := d.plan(incident(), nil, false); (len(plans) == 1) != want {
			t.Errorf("%s: %v, want %v", cond, len(plans) == 1, want)
		}
	}
}

func TestFaultsNameLineAndRemedy(t *testing.T) {
	ok := "id: a\ntitle: A\nsteps: [{action: block_ip}]\n"
	for text, want := range map[string]string{
		"":                               ":1:",
		"id: a\ntitle: A\ncolour: red\n": ":3:1: no key \"colour\" here; there are description",
		"id: A!\ntitle: A\nsteps: [{action: x}]\n":                 "id: want",
		"id: a\nsteps: [{action: x}]\n":                            "title: want",
		"id: a\ntitle: A\n":                                        "steps: want",
		ok + "mode: maybe\n":                                       ":4:7: mode: want dry_run or apply",
		ok + "trigger: moon\n":                                     "trigger: want",
		ok + "when: severty > low\n":                               ":4:7: when: no field \"severty\"; did you mean severity?",
		ok + "when: severity > 3\n":                                "a severity and a number do not go together",
		ok + "when: score\n":                                       "is a number, want yes or no",
		ok + "when: title > 3\n":                                   "a text and a number do not go together",
		ok + "when: (true\n":                                       "ends too early",
		ok + "when: true true\n":                                   "\"true\" is not expected",
		ok + "when: score >\n":                                     "ends too early",
		ok + "when: not score\n":                                   "a number does not go with it",
		ok + "when: \"score & 1\"\n":                               "\"&\" is not expected",
		ok + "when: \"title == 'x\"\n":                             "closing quote",
		ok + "when: any(rules, # == 'x')\n":                        "4:16: when: it ends too early; YAML takes",
		ok + "id: b\n":                                             "twice",
		"id: a\ntitle: A\nsteps: [{action: x, ttl: forever}]\n":    "ttl: want",
		"id: a\ntitle: A\nsteps: [{target: x}]\n":                  "action: want",
		"id: a\ntitle: A\nsteps: [{action: x}, {action: x}]\n":     "two steps",
		"id: &x a\ntitle: *x\nsteps: [{action: x}]\n":              "aliases",
		ok + "---\n" + ok:                                          "one document",
		"a: [":                                                     ":1:",
		ok + "when: \"" + strings.Repeat("(", 200) + "\"\n":        "ends too early",
		ok + "when: \"" + strings.Repeat("not ", 300) + "true\"\n": "more than 250 parts",
	} {
		_, err := playbook.Parse("x.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "x.yaml:") || honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	book := &fstest.MapFile{Data: []byte("id: a\ntitle: A\nsteps: [{action: launch}]\n")}
	if _, err := playbook.Load(fstest.MapFS{"p/a.yaml": book, "p/b.yaml": book}, "p"); err == nil || !strings.Contains(err.Error(), "taken by p/a.yaml") {
		t.Errorf("got %v", err)
	}
	books, err := playbook.Load(fstest.MapFS{"p/a.yaml": book, "p/note.txt": book}, "p")
	if err != nil || len(books) != 1 {
		t.Fatal(books, err)
	}
	if faults := playbook.CheckActions(books[0], map[string]respond.Action{"block_ip": nil}); len(faults) != 1 || !strings.Contains(faults[0].String(), "p/a.yaml:3: step launch: no action \"launch\"; there are: block_ip") {
		t.Errorf("got %v", faults)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("id: a\ntitle: A\nwhen: severity >= high and not (score in [1, 2])\nsteps: [{action: block_ip, ttl: 1h}]\n"))
	f.Add([]byte("a: &a [*a, *a]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := playbook.Parse("x.yaml", text)
		if (b == nil) == (err == nil) {
			t.Fatalf("%v and %v", b, err)
		}
	})
}
