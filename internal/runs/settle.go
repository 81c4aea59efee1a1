package runs

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// MetaRestored is where the state keeps when it was put back from a backup, as
// RFC 3339. What attackers did before that is planned for and not acted on: it
// was acted on already, by the core the backup is of.
const MetaRestored = "restored_at"

// Settled counts what was ended.
type Settled struct{ Runs, Plans, Notices int }

// Settle ends, in the state of a backup, everything that was in hand when it was
// made: whether it was carried out after the backup nobody knows, and twice is
// worse than not. Runs that were not over are cancelled, acts that had begun are
// given up, messages that waited are kept as not sent; people see all of them,
// and may do them again. What holds until a time, such as a block, stays as it
// is: the firewall is brought to it, and it ends by itself.
func Settle(ctx context.Context, tx state.Tx, why string, now time.Time) (s Settled, err error) {
	for {
		list, _, err := tx.Runs().List(ctx, state.RunQuery{Open: true, Page: state.Page{Limit: state.MaxLimit}})
		if err != nil {
			return s, err
		}
		for i := range list {
			n, err := settleRun(ctx, tx, &list[i], why, now)
			if err != nil {
				return s, err
			}
			s.Runs, s.Plans = s.Runs+1, s.Plans+n
		}
		if len(list) == 0 {
			break
		}
	}
	for {
		list, _, err := tx.Notices().List(ctx, state.NoticeQuery{State: honeyguide.NoticeQueued, Page: state.Page{Limit: state.MaxLimit}})
		if err != nil {
			return s, err
		}
		for i := range list {
			n := &list[i]
			n.State, n.Error, n.FailedAt = honeyguide.NoticeDead, why, now
			if err := tx.Notices().Save(ctx, n); err != nil {
				return s, err
			}
			s.Notices++
		}
		if len(list) == 0 {
			break
		}
	}
	return s, tx.Meta().Put(ctx, MetaRestored, now.UTC().Format(time.RFC3339))
}

// settleRun cancels a run at the step it stands at.
func settleRun(ctx context.Context, tx state.Tx, r *honeyguide.Run, why string, now time.Time) (plans int, err error) {
	for i := range r.Steps {
		s := &r.Steps[i]
		for _, id := range s.Plans {
			p, err := tx.Plans().Get(ctx, id)
			if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
				continue
			}
			if err != nil {
				return plans, err
			}
			switch p.State {
			case honeyguide.PlanApplying:
				p.State = honeyguide.PlanFailed
			case honeyguide.PlanWaiting, honeyguide.PlanPlanned:
				p.State = honeyguide.PlanCancelled
			default:
				continue
			}
			p.Error, p.EndedAt, p.EndedBy = why, now, "restore"
			if err := tx.Plans().Save(ctx, &p); err != nil {
				return plans, err
			}
			plans++
		}
		switch s.State {
		case honeyguide.StepRunning:
			s.State, s.Error, s.EndedAt = honeyguide.StepFailed, why, now
		case honeyguide.StepWaiting:
			s.State, s.Error, s.EndedAt = honeyguide.StepDenied, why, now
		}
	}
	r.State, r.Error, r.EndedAt, r.DeadlineAt = honeyguide.RunCancelled, why, now, time.Time{}
	return plans, tx.Runs().Save(ctx, r)
}
