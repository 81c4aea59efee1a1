package runs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
)

// TestActsWaitForTheAuditLog shows that what playbooks and expiry do stands in
// the audit log before it is done, and that they wait while it cannot.
func TestActsWaitForTheAuditLog(t *testing.T) {
	w := newWorld(t, blockBook)
	w.audit = &audit.Memory{}
	w.open()
	w.audit.Fail(errors.New("the disk is full"))
	w.attack("a", "192.0.2.1", "192.0.2.2")
	for range 5 { // more often than the step has attempts
		w.work()
		w.clock.step(5 * time.Minute)
	}
	w.want("R-1", "running applying applying")
	if len(w.block.calls) != 0 {
		t.Fatalf("acted without an entry: %q", w.block.calls)
	}
	w.audit.Fail(nil)
	w.clock.step(5 * time.Minute)
	w.work()
	w.want("R-1", "done verified verified applied", "block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell ")
	got := w.audit.Entries()
	if len(got) != 3 || got[0].Action != "apply-plan" || got[0].Kind != "playbook" || got[0].Actor != "playbook:contain" ||
		!strings.Contains(string(got[0].After), "192.0.2.1") || got[0].Outcome != honeyguide.AuditAsked {
		t.Errorf("%+v", got)
	}
	// The same when its time is over.
	w.audit.Fail(errors.New("the disk is full"))
	w.clock.step(2 * time.Hour)
	w.work()
	w.want("R-1", "done verified verified applied", "block_ip 192.0.2.1", "block_ip 192.0.2.2", "tell ")
	w.audit.Fail(nil)
	w.clock.step(10 * time.Minute)
	w.work()
	w.want("R-1", "done expired expired applied", "tell ")
	if got := w.audit.Entries()[3:]; len(got) != 2 || got[0].Actor != "expiry" || got[0].Action != "revert-plan" {
		t.Errorf("%+v", got)
	}
	// What fails says so.
	w.block.fail = map[string]error{"apply": errors.New("no answer")}
	w.attack("b", "192.0.2.3")
	w.work()
	if got := w.audit.Entries()[5:]; len(got) < 2 || got[1].Outcome != honeyguide.AuditFailed || got[1].Detail != "no answer" {
		t.Errorf("%+v", got)
	}
}
