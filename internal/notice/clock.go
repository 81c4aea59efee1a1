package notice

import (
	"context"
	"fmt"

	"honeyguide"
	"honeyguide/internal/state"
)

// Clock tells people, within the transaction that notes it, that the time to
// respond to an incident is nearly over, or over. Incidents of less than the
// severity notify.clock are left to their timeline: most of what a decoy sees is
// never answered, and who is told of it each time stops reading.
func (o *Outbox) Clock(ctx context.Context, tx state.Tx, in *honeyguide.Incident, over bool) error {
	if in.Severity < o.rules.Clock {
		return nil
	}
	n := honeyguide.Notice{Incident: in.ID, Severity: in.Severity, Text: in.Title + "\nNobody has contained, judged or closed it.\n"}
	at := in.DueAt.In(o.rules.zone).Format("15:04 MST")
	n.Key, n.Title = in.ID+" due", fmt.Sprintf("%s is to be answered by %s: %s", in.Short, at, in.Title)
	if over {
		n.Key, n.Title = in.ID+" overdue", fmt.Sprintf("%s should have been answered by %s: %s", in.Short, at, in.Title)
	}
	return o.Put(ctx, tx, n)
}
