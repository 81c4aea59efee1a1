package playbook_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blockip"
	"honeyguide/rules"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func engine(t *testing.T, texts ...string) *playbook.Engine {
	t.Helper()
	var books []*playbook.Playbook
	for _, text := range texts {
		b, err := playbook.Parse("test.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		books = append(books, b)
	}
	return newEngine(t, books)
}

func newEngine(t *testing.T, books []*playbook.Playbook) *playbook.Engine {
	t.Helper()
	g, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	block, err := blockip.Kind.Open(t.Context(), nil, respond.Deps{Guard: g})
	if err != nil {
		t.Fatal(err)
	}
	e, err := playbook.NewEngine(books, map[string]respond.Action{"block_ip": block})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func incident() *honeyguide.Incident {
	return &honeyguide.Incident{
		ID: "i1", Key: "attacker:203.0.113.7", Severity: honeyguide.SeverityHigh, Score: 72, CreatedAt: noon, AlertCount: 4,
		Attackers: []string{"203.0.113.7", "10.0.0.9", "attacker:203.0.113.7", "campaign:x"},
		Attacks:   []honeyguide.Technique{{ID: "T1105", Tactic: "TA0011"}},
	}
}

func TestDefaultsPlanBlocks(t *testing.T) {
	books, err := playbook.Load(rules.Playbooks, "playbooks")
	if err != nil {
		t.Fatal(err)
	}
	plans, err := newEngine(t, books).Plan(t.Context(), incident(), nil, true, noon)
	if err != nil || len(plans) != 2 {
		t.Fatalf("got %+v, %v", plans, err)
	}
	if p := plans[0]; p.Target != "203.0.113.7" || p.State != honeyguide.PlanPlanned || p.Mode != "dry_run" || p.Params["ttl"] != "24h0m0s" || p.Playbook != "contain-intrusion" {
		t.Errorf("got %+v", p)
	}
	if p := plans[1]; p.Target != "10.0.0.9" || p.State != honeyguide.PlanRefused {
		t.Errorf("the guard did not beat the playbook: %+v", p)
	}
	calm := incident()
	calm.Severity, calm.Score = honeyguide.SeverityLow, 20
	if plans, _ := newEngine(t, books).Plan(t.Context(), calm, nil, true, noon); len(plans) != 0 {
		t.Errorf("a low incident is answered: %+v", plans)
	}
}

func TestTriggerAndStepConditions(t *testing.T) {
	e := engine(t, "id: a\ntitle: A\ntrigger: incident_opened\nsteps:\n- {name: one, action: block_ip, target: 203.0.113.99, when: \"rules contains 'miner'\"}\n- {name: two, action: block_ip, target: 203.0.113.98}\n")
	if plans, _ := e.Plan(t.Context(), incident(), nil, false, noon); len(plans) != 0 {
		t.Errorf("a grown incident was taken for an opened one: %+v", plans)
	}
	if plans, _ := e.Plan(t.Context(), incident(), nil, true, noon); len(plans) != 1 || plans[0].Step != "two" {
		t.Errorf("got %+v", plans)
	}
	if plans, _ := e.Plan(t.Context(), incident(), []honeyguide.Alert{{RuleID: "miner"}}, true, noon); len(plans) != 2 {
		t.Errorf("got %+v", plans)
	}
}

func TestConditions(t *testing.T) {
	for cond, want := range map[string]bool{
		"severity >= high": true, "severity == critical": false, "score > 70 and score <= 72": true, "not (alert_count < 4)": true,
		"attackers contains '10.0.0.9'": true, "key contains '203.'": true, "severity in [medium, high]": true, "alert_count in [1, 2]": false,
		"private": true, "loopback or false": false, "tactics contains 'Command and Control' and techniques contains 'T1105'": true,
		"status == ''": true, "severity != high or true": true, "(((true)))": true, "attacker_count == 4": true,
	} {
		e := engine(t, "id: a\ntitle: A\nwhen: \""+cond+"\"\nsteps: [{action: block_ip, target: 203.0.113.9}]\n")
		plans, err := e.Plan(t.Context(), incident(), nil, false, noon)
		if err != nil || (len(plans) == 1) != want {
			t.Errorf("%s: %v, %v, want %v", cond, len(plans) == 1, err, want)
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

func TestLoadAndEngineRefuse(t *testing.T) {
	book := &fstest.MapFile{Data: []byte("id: a\ntitle: A\nsteps: [{action: launch}]\n")}
	if _, err := playbook.Load(fstest.MapFS{"p/a.yaml": book, "p/b.yaml": book}, "p"); err == nil || !strings.Contains(err.Error(), "taken by p/a.yaml") {
		t.Errorf("got %v", err)
	}
	books, err := playbook.Load(fstest.MapFS{"p/a.yaml": book, "p/note.txt": book}, "p")
	if err != nil || len(books) != 1 {
		t.Fatal(books, err)
	}
	if _, err := playbook.NewEngine(books, map[string]respond.Action{"block_ip": nil}); err == nil || !strings.Contains(err.Error(), "there are: block_ip") {
		t.Errorf("got %v", err)
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

func FuzzCompile(f *testing.F) {
	f.Add("severity >= high and not (attackers contains '1')")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = playbook.Compile(s) })
}
