package pipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/triage"
)

// noise is n findings of another product, over days, and one that is unusual at
// the end.
func noise(n int) []honeyguide.Event {
	s := &script{src: reader, service: "suricata", at: noon}
	for i := range n + 1 {
		s.at = s.at.Add(20 * time.Minute)
		rule := fmt.Sprint("chatty", i%5)
		if i == n {
			rule = "unheard"
		}
		s.do(honeyguide.ActivityFinding, honeyguide.AttrProduct, "Suricata", honeyguide.AttrRuleID, rule, honeyguide.AttrRule, "ET "+rule, honeyguide.AttrDevice, "web1")
	}
	for i := range s.out {
		s.out[i].Severity, s.out[i].Class, s.out[i].Observed = honeyguide.SeverityMedium, honeyguide.ClassDetection, s.out[i].Time
	}
	return s.out
}

// What is unusual is known from days that no restart reads again.
func TestTriageRemembersAcrossRestarts(t *testing.T) {
	events := noise(400)
	score := func(cuts ...int) float64 {
		w := newWorld(t)
		w.cfg.WarmSpan = time.Hour
		at := 0
		for _, cut := range append(cuts, len(events)) {
			w.append(events[at:cut]...)
			w.run()
			at = cut
		}
		a := w.found().alert("suricata:unheard")
		if len(a.Reasons) == 0 || a.Seen == "" {
			t.Fatalf("not explained: %+v", a)
		}
		return a.Score
	}
	whole := score()
	if common := 20.0; whole < common+10 { // what its severity is worth
		t.Errorf("the first of its kind in days scores %v", whole)
	}
	if cut := score(100, 250, 399); cut != whole {
		t.Errorf("with restarts it scores %v, without %v", cut, whole)
	}
}

func TestTriageWithoutItsMemoryStartsAnew(t *testing.T) {
	w := newWorld(t)
	events := noise(20)
	w.append(events[:10]...)
	w.run()
	if err := w.state.Update(t.Context(), func(tx state.Tx) error {
		return tx.Models().Remember(t.Context(), "detect", 10, []byte("nonsense"))
	}); err != nil {
		t.Fatal(err)
	}
	w.append(events[10:]...)
	w.run()
	if f := w.found(); len(f.alerts) != 6 {
		t.Errorf("%d alerts", len(f.alerts))
	}
}

// A model that learnt from verdicts gives the scores, is explained, and keeps
// the floors; the one in the shadow is only compared.
func TestAModelScores(t *testing.T) {
	var data []triage.Group
	for range 2 {
		var g triage.Group
		for i := range 200 {
			rule := fmt.Sprint("suricata:chatty", i%5)
			g = append(g, triage.Labelled{Signal: triage.Signal{Time: noon.Add(time.Duration(i) * time.Minute), Rule: rule, Asset: "web1", Points: triage.LogOdds(20)}, Positive: rule == "suricata:chatty0", Weight: 1})
		}
		data = append(data, g)
	}
	m, err := triage.Train(data, triage.TrainOptions{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	compared := 0
	w.cfg.Triage.Models = func() (active, shadow *triage.Model) { return m, triage.Cold() }
	w.cfg.Triage.Compared = func(active, shadow float64) {
		if active < 0 || active > 100 || shadow < 0 || shadow > 100 {
			t.Errorf("scores %v and %v", active, shadow)
		}
		compared++
	}
	w.append(noise(40)...)
	w.add(w.story()...)
	w.run()
	f := w.found()
	bad, fine := f.alert("suricata:chatty0"), f.alert("suricata:chatty1")
	if bad.Score < fine.Score+20 || compared == 0 {
		t.Errorf("judged true scores %v, judged false %v; %d compared", bad.Score, fine.Score, compared)
	}
	for _, a := range f.alerts {
		sum, text := 0.0, ""
		for _, r := range a.Reasons {
			sum += r.Weight
			text += r.Feature + " "
		}
		if d := min(max(sum, 0), 100) - a.Score; d > .01 || d < -.01 {
			t.Errorf("%s scores %v, its reasons %v: %+v", a.RuleID, a.Score, sum, a.Reasons)
		}
		if a.Detector == "finding" && !strings.Contains(text, "rule_history") {
			t.Errorf("%s: no word of its history: %s", a.RuleID, text)
		}
		if a.RuleID == "token_used" && a.Score < 90 {
			t.Errorf("token_used scores %v", a.Score)
		}
		if seen, ok := triage.Unpack(a.Seen); !ok || seen == (triage.Features{}) {
			t.Errorf("%s: what was seen is not told: %q", a.RuleID, a.Seen)
		}
	}
}
