package playbook_test

import (
	"slices"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
	"honeyguide/internal/state"
)

func TestSummarize(t *testing.T) {
	ctx, st := t.Context(), store(t)
	week := noon.AddDate(0, 0, -7)
	if err := st.Update(ctx, func(tx state.Tx) error {
		for i, in := range []honeyguide.Incident{
			{Key: "a", Severity: honeyguide.SeverityCritical, CreatedAt: noon.Add(-time.Hour), DueAt: noon.Add(-time.Minute)},
			{Key: "b", Severity: honeyguide.SeverityLow, CreatedAt: noon.Add(-time.Hour), DueAt: noon.Add(time.Hour)},
			{Key: "c", Severity: honeyguide.SeverityHigh, CreatedAt: week.Add(-time.Hour), Status: honeyguide.IncidentClosed, Phase: honeyguide.PhaseClosed},
		} {
			if _, err := tx.Incidents().Save(ctx, &in); err != nil {
				return err
			}
			a := honeyguide.Alert{RuleID: []string{"token_used", "brute_force", "brute_force"}[i], Attacker: "attacker:203.0.113.7", Count: 3, CreatedAt: in.CreatedAt, Time: in.CreatedAt, DedupeKey: in.Key}
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
		}
		return tx.Runs().Save(ctx, &honeyguide.Run{Playbook: "x", State: honeyguide.RunFailed, CreatedAt: noon.Add(-time.Hour)})
	}); err != nil {
		t.Fatal(err)
	}
	s, err := playbook.Summarize(ctx, st, week, noon)
	if err != nil {
		t.Fatal(err)
	}
	if s.Incidents != 2 || s.Critical != 1 || s.Low != 1 || s.High != 0 || s.Open != 2 || s.Overdue != 1 || s.Alerts != 2 || s.Events != 6 || s.TokensUsed != 1 || s.Attackers != 1 || s.Runs != 1 || s.RunsFailed != 1 || s.Blocks != 0 {
		t.Errorf("%+v", s)
	}
	if !slices.Equal(s.TopAttackers, []string{"203.0.113.7"}) || !slices.Equal(s.TopRules, []string{"brute_force", "token_used"}) {
		t.Errorf("%v %v", s.TopAttackers, s.TopRules)
	}
}
