package playbook

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
)

// crowd is an incident as large as they come: 500 attackers, 50 alerts.
func crowd() *Facts {
	in := &honeyguide.Incident{ID: "i", Severity: honeyguide.SeverityHigh, Score: 70, Attacks: []honeyguide.Technique{{ID: "T1110.001", Tactic: "TA0006"}}}
	var alerts []honeyguide.Alert
	for i := range 500 {
		a := netip.AddrFrom4([4]byte{203, 0, byte(i / 250), byte(i % 250)}).String()
		in.Attackers = append(in.Attackers, "attacker:"+a)
		in.Proven = append(in.Proven, a)
		in.Sessions = append(in.Sessions, fmt.Sprintf("session-%d", i))
	}
	for i := range 50 {
		alerts = append(alerts, honeyguide.Alert{ID: fmt.Sprint(i), RuleID: "brute_force", Title: strings.Repeat("a", 1000), Score: 50, Attacks: in.Attacks})
	}
	return &Facts{Incident: in, Alerts: alerts, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// Whatever a condition says, it is refused when it is read or ends soon. The
// bound is on the work, so that the test says the same on any machine.
func TestHostileExpressionsEnd(t *testing.T) {
	f := crowd()
	for _, source := range []string{
		`any(attackers, any(alerts, .title contains #))`,
		`any(attackers, any(attackers, any(attackers, # == "x")))`,
		`any(alerts, any(attackers, # == "x"))`,
		`any(attackers, any(attackers, # == "x"))`,
		`all(sessions, any(alerts, .title matches "(a*)*b"))`,
		`any(alerts, .title matches "^(a+)+$")`,
		`any(alerts, .title matches "(a?b?){1,4}c")`,
		`any(alerts, .title matches "((a{1,100}){1,10}b){1,10}")`,
		`any(attackers, # matches "(1?2?0?3?){1,2}x")`,
		`len(map(attackers, map(attackers, map(attackers, #)))) > 0`,
		`len(filter(map(attackers, filter(alerts, .title contains "b")), len(#) > 0)) > 0`,
		`any(attackers, # in attackers and # in sessions and # in proven)`,
		`any(attackers, attackers == sessions)`,
		`len(join(map(attackers, join(attackers, "x")), "x")) > 0`,
		`count(attackers, count(alerts, .score > 1 and .score > 2 and .score > 3 and .score > 4) > 1) > 1`,
		`len(1..1000000) > 0`,
		`any(1..1000000, any(1..1000000, # == 1))`,
		`reduce(attackers, #acc + #, "") == ""`,
		`let a = title; let b = a + a; let c = b + b; c + c == ""`,
		`title + title == ""`,
		`repeat("a", 1000000000) == ""`,
		`title matches title`,
		`fromJSON(title) == nil`,
		`now().Unix() > 0`,
		`now.Unix() > 0`,
		`date("2026-01-01", "2006", "../../etc/passwd") == now`,
		`$env["title"] == ""`,
		`{"a": 1}.a == 1`,
		`severity.rank == 1`,
		`vars["${title}"] == "" and len(steps) == 0`,
		strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000-10),
		strings.Repeat("[", 900),
		strings.Repeat(`any(attackers, `, 100) + "true" + strings.Repeat(")", 100),
		strings.Repeat(`any(attackers,#=="x")or `, 60) + "true",
		"\x00\xff",
	} {
		x, err := Compile(source)
		if err != nil {
			continue
		}
		allocs := testing.AllocsPerRun(1, func() { _, err = x.True(f) })
		began := time.Now()
		_, err = x.True(f)
		t.Logf("%s: %v, %.0f allocations, %v", clip(source), time.Since(began), allocs, err)
		if allocs > 4*maxCost {
			t.Errorf("%s: %.0f allocations", source, allocs)
		}
	}
}

func TestRefused(t *testing.T) {
	for source, want := range map[string]string{
		`any(attackers, any(attackers, any(attackers, # == "x")))`: "too long",
		`any(attackers, any(attackers, # == "x"))`:                 "too long",
		`any(1..10, # == 1)`:                               "column 6: ranges",
		`reduce(attackers, #acc + #) == ""`:                "no function reduce",
		`title + title == ""`:                              "texts are not added",
		`let a = 1; a == 1`:                                "let and ;",
		`title matches title`:                              "matches: want a pattern",
		`title matches "("`:                                "matches: missing closing )",
		`title matches "a{1,350}"`:                         "300 states",
		`any(alerts, .title matches "(a{1,9}b){1,9}")`:     "too long",
		`repeat("a", 10) == ""`:                            "no function repeat",
		`now.Unix() > 0`:                                   "no function here",
		`$env.title == ""`:                                 "$env",
		`{"a": 1}.a == 1`:                                  "{key: value}",
		`incident.skore > 1`:                               "column 10: incident has no skore; did you mean score?",
		`asset.nme == ""`:                                  "did you mean name?",
		`summary == 1`:                                     "",
		`any(alerts, .rulle == "")`:                        "no rulle here; did you mean rule?",
		`alerts[0].severity > 3`:                           "a severity and a number",
		`any(attackers, # > 1)`:                            "a text and a number",
		`any(attackers, .x == "")`:                         "",
		`severity`:                                         "the condition is a severity, want yes or no",
		`vars.n > 3`:                                       "a text and a number",
		`lenn(attackers) > 1`:                              "no function lenn; did you mean len?",
		`join(attackers) in map(alerts, join(techniques))`: "join cannot stand inside",
		strings.Repeat("x", 2001):                          "longer than 2000",
		`true ? score : "a"`:                               "anything",
	} {
		_, err := Compile(source)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", clip(source), err, want)
		}
	}
}

func TestExpressions(t *testing.T) {
	f := crowd()
	f.Alerts[3].RuleID, f.Alerts[3].Severity, f.Alerts[3].Score = "token_used", honeyguide.SeverityCritical, 99
	f.Vars = map[string]string{"n": "12"}
	f.Steps = []honeyguide.RunStep{{Name: "block", State: honeyguide.StepDone, Plans: []string{"p"}}, {Name: "tell ops", State: honeyguide.StepFailed, Error: "down"}}
	f.Asset.Criticality, f.Summary.Alerts, f.Node = "high", 7, "n1"
	f.Incident.Plans = []honeyguide.Plan{{Action: "block_ip", Target: "203.0.0.1", Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified}}
	for source, want := range map[string]bool{
		`len(unblocked) == 499 and not ("203.0.0.1" in unblocked)`:                 true,
		`severity >= high and severity < critical`:                                 true,
		`severity in [medium, high]`:                                               true,
		`incident.severity == severity`:                                            true,
		`any(alerts, .severity == critical and .rule == "token_used")`:             true,
		`count(alerts, .score > 60) == 1`:                                          true,
		`"token_used" in rules`:                                                    true,
		`rules contains "token_used"`:                                              true,
		`not (rules contains "other")`:                                             true,
		`rules not contains "other"`:                                               true,
		`techniques contains "T1110.001" and tactics contains "Credential Access"`: true,
		`incident.attacker_count == 500 and len(proven) == 500`:                    true,
		`"203.0.0.1" in blocked`:                                                   true,
		`any(alerts, any(.techniques, # startsWith "T1110"))`:                      true,
		`steps.block.state == "done" and steps.block.plans == 1`:                   true,
		`steps["tell ops"].error == "down"`:                                        true,
		`steps.missing.state == ""`:                                                true,
		`int(vars.n) > 3 and vars.missing == ""`:                                   true,
		`asset.criticality in ["high", "critical"]`:                                true,
		`summary.alerts > 6 and node == "n1"`:                                      true,
		`hour == 12 and weekday == "sun"`:                                          true,
		`now - first_at > duration("1h")`:                                          true,
		`score > 50 ? opened : true`:                                               false,
		`filter(proven, # endsWith ".7")[0] == "203.0.0.7"`:                        true,
		`filter(attackers, # contains "203") contains "203.0.0.1"`:                 false,
		`filter(proven, true) contains "203.0.0.1"`:                                true,
		`trigger == "incident" and key == ""`:                                      true,
		`first(alerts).rule matches "^brute"`:                                      true,
		`verdict == "none"`:                                                        true,
	} {
		x, err := Compile(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := x.True(f); err != nil || got != want {
			t.Errorf("%s: %v, %v", source, got, err)
		}
	}
	for _, source := range []string{`alerts[100].score > 1`, `int(vars.x) > 1`} {
		x, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := x.True(f); ok || err == nil {
			t.Errorf("%s: %v, %v", source, ok, err)
		}
	}
	if _, err := mustCompile(t, `alerts[0].score > 1`).True(&Facts{}); err == nil {
		t.Error("there is no alert")
	}
	if ok, err := mustCompile(t, `score == 0 and severity < low and len(attackers) == 0`).True(&Facts{}); !ok || err != nil {
		t.Errorf("no incident: %v, %v", ok, err)
	}
}

func mustCompile(t testing.TB, source string) *Expr {
	t.Helper()
	x, err := Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(`severity == high and (score >= 60 or tactics contains 'Persistence' or tactics contains 'Command and Control')`); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	f := crowd()
	x := mustCompile(b, `any(alerts, any(attackers, # == "x"))`)
	for b.Loop() {
		if _, err := x.True(f); err != nil {
			b.Fatal(err)
		}
	}
}
