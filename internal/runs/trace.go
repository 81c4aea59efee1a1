package runs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
)

// Acts of the engine in the audit log.
const (
	actApply  = "apply-plan"
	actRevert = "revert-plan"
)

// trace makes sure that the audit log has an entry of each act before it is
// done. An error means that nothing may be done now; the job is taken up again
// later and costs no attempt.
func (e *Engine) trace(ctx context.Context, act string, plans ...honeyguide.Plan) error {
	if e.dep.Audit == nil {
		return nil
	}
	list := make([]honeyguide.AuditEntry, 0, len(plans))
	for i := range plans {
		if act == actApply && plans[i].State != honeyguide.PlanApplying {
			continue
		}
		list = append(list, e.traceOf(act, &plans[i], honeyguide.AuditAsked))
	}
	if err := audit.All(ctx, e.dep.Audit, list); err != nil {
		return fmt.Errorf("write down what is to be done: %w", err)
	}
	return nil
}

// traceFailed notes that an act that was to be done was not.
func (e *Engine) traceFailed(ctx context.Context, act string, p *honeyguide.Plan, why string) {
	if e.dep.Audit == nil {
		return
	}
	x := e.traceOf(act, p, honeyguide.AuditFailed)
	x.Detail = why
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := e.dep.Audit.Record(ctx, x); err != nil {
		e.log.LogAttrs(ctx, slog.LevelWarn, "a failed act could not be audited", slog.String("plan", p.ID), slog.Any("error", err))
	}
}

func (e *Engine) traceOf(act string, p *honeyguide.Plan, outcome honeyguide.AuditOutcome) honeyguide.AuditEntry {
	what := map[string]string{"action": p.Action, "target": p.Target, "run": p.Run, "incident": p.Incident, "playbook": p.Playbook}
	for name, value := range what {
		if value == "" {
			delete(what, name)
		}
	}
	after, _ := json.Marshal(what) // texts always encode
	x := honeyguide.AuditEntry{
		Time: e.now(), Actor: cmp.Or(p.By, "playbook"), Kind: "playbook", Action: act, Object: "plan:" + p.ID, Outcome: outcome, Reason: p.Reason, After: after,
	}
	if act == actRevert {
		x.Actor = cmp.Or(p.EndedBy, p.By, "playbook")
		if p.State != honeyguide.PlanReverting {
			x.Actor, x.Kind, x.Reason = "expiry", "system", "its time is over"
		}
	}
	return x
}
