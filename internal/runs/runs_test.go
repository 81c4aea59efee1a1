package runs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

const blockBook = `
id: contain
title: Block them
trigger: incident
steps:
  - {name: block, action: block_ip, each: proven, retries: 2}
  - {name: say, action: tell}
`

const askBook = `
id: careful
title: Ask before
trigger: incident
steps:
  - name: block
    action: block_ip
    each: proven
    approval: {roles: [responder], people: 2, within: 30m}
  - {name: say, action: tell}
`

func TestBlockAndExpiry(t *testing.T) {
	w := newWorld(t, blockBook)
	in := w.attack("a", "192.0.2.1", "192.0.2.2", "192.0.2.99")
	w.work()
	w.want("R-1", "done verified verified refused applied", "block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell ")
	if len(w.contained) != 2 || w.contained[0] != in.ID {
		t.Errorf("contained: %q", w.contained)
	}
	p := w.plans("R-1")[0]
	if p.Ref == "" || p.By != "playbook:contain" || p.Attempts != 1 || p.VerifiedAt.IsZero() || !p.ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("plan: %+v", p)
	}
	// The same again is no news; a new attacker is.
	w.clock.step(time.Minute)
	w.attack("a", "192.0.2.1", "192.0.2.2", "192.0.2.99")
	w.attack("a", "192.0.2.1", "192.0.2.2", "192.0.2.99", "192.0.2.3")
	w.work()
	w.want("R-2", "done verified", "block_ip 192.0.2.1", "block_ip 192.0.2.2", "block_ip 192.0.2.3", "tell ")
	// Their times are over one after the other.
	w.clock.step(59 * time.Minute)
	w.work()
	w.want("R-1", "done expired expired refused applied", "block_ip 192.0.2.3", "tell ")
	w.clock.step(time.Minute)
	w.work()
	w.want("R-2", "done expired", "tell ")
	// Who comes back is blocked again.
	w.attack("a", "192.0.2.1", "192.0.2.2", "192.0.2.99", "192.0.2.3")
	w.work()
	if got := w.states("R-3"); got != "done verified verified verified" {
		t.Errorf("again: %s", got)
	}
}

func TestAttemptsAndFailure(t *testing.T) {
	w := newWorld(t, blockBook)
	w.block.fail = map[string]error{"apply": errors.New("no answer")}
	w.attack("a", "192.0.2.1")
	w.work()
	w.want("R-1", "running applying")
	w.block.fail = map[string]error{"verify": errors.New("not there")}
	w.clock.step(time.Second)
	w.work()
	w.want("R-1", "running applying", "block_ip 192.0.2.1") // done, not seen: done again
	w.clock.step(2 * time.Second)
	w.work()
	w.want("R-1", "done verified applied", "block_ip 192.0.2.1", "tell ")

	w = newWorld(t, blockBook)
	w.block.blind = true
	w.attack("a", "192.0.2.1")
	for range 5 {
		w.work()
		w.clock.step(time.Minute)
	}
	w.want("R-1", "failed failed") // and what could not be seen was taken away
	if r := w.run("R-1"); !strings.Contains(r.Error, "nothing to be seen") || r.Steps[0].Attempts != 3 {
		t.Errorf("run: %+v", r)
	}
	w.block.blind = false
	if _, err := w.engine.Retry(t.Context(), "R-1", "anna"); err != nil {
		t.Fatal(err)
	}
	w.work()
	if got := w.states("R-1"); got != "done verified applied" {
		t.Errorf("tried again: %s", got)
	}

	w = newWorld(t, blockBook)
	w.block.fail = map[string]error{"apply": respond.Permanent(errors.New("wrong key"))}
	w.attack("a", "192.0.2.1")
	w.work()
	w.want("R-1", "failed failed")

	// What failed for good is not forgotten when the rest is tried again.
	w = newWorld(t, blockBook)
	w.block.never = "192.0.2.1"
	w.block.fail = map[string]error{"apply": errors.New("no answer")}
	w.attack("a", "192.0.2.1", "192.0.2.2")
	w.work()
	w.want("R-1", "running failed applying")
	w.clock.step(time.Second)
	w.work()
	w.want("R-1", "failed failed verified", "block_ip 192.0.2.2")
	if r := w.run("R-1"); !strings.Contains(r.Error, "it cannot be") {
		t.Errorf("run: %+v", r)
	}

	w = newWorld(t, strings.Replace(blockBook, "{name: say, action: tell}", "{name: shut, action: gate, on_fail: rollback}", 1))
	w.gate.fail = map[string]error{"apply": respond.Permanent(errors.New("stuck"))}
	w.attack("a", "192.0.2.1")
	w.work()
	w.want("R-1", "reverted reverted failed")
}

func TestApproval(t *testing.T) {
	say := func(w *world, by, role string, yes bool) error {
		_, err := w.engine.Decide(t.Context(), "R-1", 0, honeyguide.Decision{By: by, Role: role, Approved: yes})
		return err
	}
	w := newWorld(t, askBook)
	w.attack("a", "192.0.2.1")
	w.work()
	w.want("R-1", "waiting waiting")
	for _, c := range []struct {
		by, role string
		code     honeyguide.Code
	}{
		{"carl", "analyst", honeyguide.CodeForbidden}, {"", "admin", honeyguide.CodeInvalid}, {"anna", "responder", ""}, {"anna", "responder", honeyguide.CodeConflict},
	} {
		err := say(w, c.by, c.role, true)
		if (err != nil) != (c.code != "") || err != nil && honeyguide.ErrorCode(err) != c.code {
			t.Errorf("%s %s: %v", c.by, c.role, err)
		}
		w.work()
	}
	w.want("R-1", "waiting waiting") // one of two
	w.clock.step(10 * time.Minute)
	if err := say(w, "ben", "admin", true); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.want("R-1", "done verified applied", "block_ip 192.0.2.1", "tell ")
	if p := w.plans("R-1")[0]; !p.ExpiresAt.Equal(start.Add(70 * time.Minute)) {
		t.Errorf("its time begins with the approval: %v", p.ExpiresAt)
	}
	w = newWorld(t, askBook)
	w.attack("a", "192.0.2.1")
	if err := say(w, "anna", "responder", false); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.want("R-1", "cancelled cancelled")

	w = newWorld(t, askBook)
	w.attack("a", "192.0.2.1")
	_ = say(w, "anna", "responder", true)
	w.clock.step(31 * time.Minute)
	if err := say(w, "ben", "responder", true); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("too late: %v", err)
	}
	w.work()
	w.want("R-1", "cancelled cancelled")
	if s := w.run("R-1").Steps[0]; s.State != honeyguide.StepLapsed {
		t.Errorf("step: %+v", s)
	}
}

func TestHalt(t *testing.T) {
	w := newWorld(t, blockBook)
	w.attack("a", "192.0.2.1")
	if _, err := w.engine.Halt(t.Context(), "anna", "too many"); err != nil {
		t.Fatal(err)
	}
	w.attack("b", "192.0.2.2")
	w.open() // the switch outlives the process
	w.clock.step(2 * time.Minute)
	w.work()
	w.want("R-2", "halted")
	w.attack("c", "192.0.2.3")
	w.work()
	// What was decided a moment before is held back, too.
	quick := newWorld(t, blockBook)
	quick.attack("a", "192.0.2.1")
	if _, err := quick.engine.Halt(t.Context(), "anna", "now"); err != nil {
		t.Fatal(err)
	}
	quick.work()
	quick.want("R-1", "halted applying")
	if _, err := quick.engine.Resume(t.Context(), "anna", ""); err != nil {
		t.Fatal(err)
	}
	quick.work()
	quick.want("R-1", "done verified applied", "block_ip 192.0.2.1", "tell ")
	if got := w.out.effects(t); len(got) > 0 {
		t.Fatalf("halted, and yet: %q", got)
	}
	if _, err := w.engine.Resume(t.Context(), "ben", "calm"); err != nil {
		t.Fatal(err)
	}
	w.work()
	for _, r := range []string{"R-1", "R-2", "R-3"} {
		if got := w.states(r); got != "done verified applied" {
			t.Errorf("%s: %s", r, got)
		}
	}
}

func TestUndoAndCancel(t *testing.T) {
	w := newWorld(t, blockBook)
	w.attack("a", "192.0.2.1", "192.0.2.2")
	w.work()
	p, err := w.engine.RevertPlan(t.Context(), w.plans("R-1")[0].ID, "anna", "a customer")
	if err != nil || p.State != honeyguide.PlanReverting {
		t.Fatal(p, err)
	}
	w.block.fail = map[string]error{"revert": errors.New("busy")}
	w.work()
	w.want("R-1", "done reverting verified applied", "block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell ")
	w.clock.step(time.Minute)
	w.work()
	w.want("R-1", "done reverted verified applied", "block_ip 192.0.2.2", "tell ")
	if p := w.plans("R-1")[0]; p.EndedBy != "anna" || p.EndedAt.IsZero() {
		t.Errorf("plan: %+v", p)
	}
	w.attack("a", "192.0.2.1", "192.0.2.2")
	w.work()
	if got := w.out.effects(t); len(got) != 2 {
		t.Errorf("what a person undid was done again: %q", got)
	}
	if _, err := w.engine.Revert(t.Context(), "R-1", "ben", "over"); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.want("R-1", "reverted reverted reverted applied", "tell ")
	if _, err := w.engine.RevertPlan(t.Context(), w.plans("R-1")[2].ID, "ben", ""); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("a message was taken back: %v", err)
	}
	if _, err := w.engine.Cancel(t.Context(), "R-1", "ben", ""); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("cancelled what is over: %v", err)
	}

	w = newWorld(t, askBook)
	w.attack("a", "192.0.2.1")
	if _, err := w.engine.Cancel(t.Context(), "R-1", "ben", "false alarm"); err != nil {
		t.Fatal(err)
	}
	w.clock.step(time.Hour)
	w.work()
	w.want("R-1", "cancelled cancelled")
}

func TestByHand(t *testing.T) {
	w := newWorld(t, blockBook, askBook)
	block := func(q honeyguide.BlockRequest) (honeyguide.Run, error) { return w.engine.Block(t.Context(), q) }
	for _, q := range []honeyguide.BlockRequest{{Target: "x", Reason: "y", By: "anna"}, {Target: "192.0.2.1", By: "anna"}, {Target: "192.0.2.1", Reason: "y"}} {
		if _, err := block(q); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := block(honeyguide.BlockRequest{Target: "192.0.2.1", Reason: "scans", By: "anna", Role: "responder", ConfirmWithin: 5 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	if _, err := block(honeyguide.BlockRequest{Target: "192.0.2.2", Reason: "scans", By: "anna", Role: "responder", ConfirmWithin: 5 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.want("R-2", "done verified", "block_ip 192.0.2.1", "block_ip 192.0.2.2")
	if _, err := w.engine.Confirm(t.Context(), "R-2", "ben"); err != nil {
		t.Fatal(err)
	}
	w.clock.step(5 * time.Minute)
	w.work()
	w.want("R-1", "done expired", "block_ip 192.0.2.2") // nobody confirmed
	if _, err := w.engine.Confirm(t.Context(), "R-1", "ben"); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("confirmed what is over: %v", err)
	}
	w.clock.step(55 * time.Minute)
	w.work()
	w.want("R-2", "done expired")

	if _, err := block(honeyguide.BlockRequest{Target: "192.0.2.0/25", Reason: "scans", By: "anna", Role: "responder"}); err != nil {
		t.Fatal(err)
	}
	decide := func(by string) error {
		_, err := w.engine.Decide(t.Context(), "R-3", 0, honeyguide.Decision{By: by, Role: "responder", Approved: true})
		return err
	}
	if err := decide("anna"); honeyguide.ErrorCode(err) != honeyguide.CodeForbidden {
		t.Errorf("approved her own: %v", err)
	}
	if err := decide("ben"); err != nil {
		t.Error(err)
	}
	w.work()
	w.want("R-3", "done verified", "block_ip 192.0.2.0_25")

	if _, err := w.engine.Start(t.Context(), honeyguide.StartRequest{Playbook: "nobody", By: "anna"}); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("got %v", err)
	}
}

func TestDryRunAndOldNews(t *testing.T) {
	w := newWorld(t, blockBook)
	w.cfg.Mode = honeyguide.ModeDryRun
	w.open()
	w.attack("a", "192.0.2.1", "192.0.2.99")
	w.work()
	w.want("R-1", "planned planned refused planned")
	w.cfg.Mode = honeyguide.ModeApply
	w.open()
	err := w.store.Update(t.Context(), func(tx state.Tx) error {
		in := honeyguide.Incident{Key: "old", Severity: honeyguide.SeverityHigh, LastAt: start.Add(-2 * time.Hour), Proven: []string{"192.0.2.5"}, CreatedAt: start}
		if _, err := tx.Incidents().Save(t.Context(), &in); err != nil {
			return err
		}
		_, err := w.engine.Respond(t.Context(), tx, &in, nil, true, start)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.work()
	w.want("R-2", "planned planned planned")
	if r := w.run("R-2"); r.Mode != honeyguide.ModeDryRun || !strings.Contains(r.Reason, "2h0m0s old") {
		t.Errorf("run: %+v", r)
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t, strings.Replace(askBook, "trigger: incident", "trigger: incident\nlimits: {concurrency: 1, per_hour: 2}", 1))
	w.attack("a", "192.0.2.1")
	w.attack("b", "192.0.2.2")
	w.work()
	w.want("R-1", "waiting waiting")
	w.want("R-2", "halted")
	if r := w.run("R-2"); !strings.Contains(r.Error, "limit") {
		t.Errorf("it does not say why: %+v", r)
	}
	if _, err := w.engine.Cancel(t.Context(), "R-1", "ben", ""); err != nil {
		t.Fatal(err)
	}
	w.clock.step(10 * time.Second)
	w.work()
	w.want("R-2", "waiting waiting")
}

func TestStuckIsSaid(t *testing.T) {
	w := newWorld(t, blockBook)
	in := w.attack("a", "192.0.2.1") // nobody works
	w.clock.step(time.Hour)
	if err := w.engine.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := w.run("R-1")
	if r.StuckAt.IsZero() || r.Error == "" {
		t.Errorf("run: %+v", r)
	}
	if err := w.store.View(t.Context(), func(tx state.Tx) error {
		list, _, err := tx.Timeline().List(t.Context(), state.TimelineQuery{Incident: in.ID})
		if len(list) != 1 || !strings.Contains(list[0].Text, "stuck") {
			t.Errorf("timeline: %+v", list)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
