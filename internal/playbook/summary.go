package playbook

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

const (
	summaryPages = 200 // of a thousand rows: what is more is not counted
	summaryTop   = 5
	maxTally     = 100_000
)

// Summarize counts what a digest tells of a stretch of time, from the state.
func Summarize(ctx context.Context, store state.Store, from, to time.Time) (Summary, error) {
	s := Summary{From: from.UTC(), To: to.UTC()}
	err := store.View(ctx, func(tx state.Tx) error {
		s = Summary{From: from.UTC(), To: to.UTC()}
		for _, count := range []func(context.Context, state.Tx) error{s.countIncidents, s.countAlerts, s.countActs} {
			if err := count(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Summary{}, fmt.Errorf("count for a digest: %w", err)
	}
	return s, nil
}

// pages reads a list page by page.
func pages[T any](page func(state.Page) ([]T, string, error), each func(*T)) error {
	p := state.Page{Limit: state.MaxLimit}
	for range summaryPages {
		list, next, err := page(p)
		if err != nil {
			return err
		}
		for i := range list {
			each(&list[i])
		}
		if next == "" {
			return nil
		}
		p.After = next
	}
	return nil
}

func (s *Summary) countIncidents(ctx context.Context, tx state.Tx) error {
	severities := map[honeyguide.Severity]*int64{
		honeyguide.SeverityInformational: &s.Informational, honeyguide.SeverityLow: &s.Low, honeyguide.SeverityMedium: &s.Medium,
		honeyguide.SeverityHigh: &s.High, honeyguide.SeverityCritical: &s.Critical,
	}
	err := pages(func(p state.Page) ([]honeyguide.Incident, string, error) {
		return tx.Incidents().List(ctx, state.IncidentQuery{Page: p, From: s.From, To: s.To})
	}, func(in *honeyguide.Incident) {
		s.Incidents++
		if n := severities[in.Severity]; n != nil {
			*n++
		}
	})
	if err != nil {
		return err
	}
	return pages(func(p state.Page) ([]honeyguide.Incident, string, error) {
		return tx.Incidents().List(ctx, state.IncidentQuery{Page: p, To: s.To, Status: []honeyguide.IncidentStatus{
			honeyguide.IncidentNew, honeyguide.IncidentInProgress, honeyguide.IncidentOnHold,
		}})
	}, func(in *honeyguide.Incident) {
		s.Open++
		if !in.DueAt.IsZero() && in.DueAt.Before(s.To) && in.Clock.ContainedAt.IsZero() {
			s.Overdue++
		}
	})
}

func (s *Summary) countAlerts(ctx context.Context, tx state.Tx) error {
	attackers, rules := map[string]int64{}, map[string]int64{}
	err := pages(func(p state.Page) ([]honeyguide.Alert, string, error) {
		return tx.Alerts().List(ctx, state.AlertQuery{Page: p, From: s.From, To: s.To})
	}, func(a *honeyguide.Alert) {
		s.Alerts++
		s.Events += a.Count
		if a.RuleID == "token_used" {
			s.TokensUsed++
		}
		tally(rules, a.RuleID)
		tally(attackers, strings.TrimPrefix(a.Attacker, "attacker:"))
	})
	s.Attackers, s.TopAttackers, s.TopRules = int64(len(attackers)), top(attackers), top(rules)
	if err != nil {
		return err
	}
	return pages(func(p state.Page) ([]honeyguide.Session, string, error) {
		return tx.Sessions().List(ctx, state.SessionQuery{Page: p, From: s.From, To: s.To})
	}, func(*honeyguide.Session) { s.Sessions++ })
}

func (s *Summary) countActs(ctx context.Context, tx state.Tx) error {
	var err error
	if s.Blocks, err = tx.Plans().Count(ctx, state.PlanCount{Action: state.ActionBlockIP, Since: s.From}); err != nil {
		return err
	}
	return pages(func(p state.Page) ([]honeyguide.Run, string, error) {
		return tx.Runs().List(ctx, state.RunQuery{Page: p, From: s.From, To: s.To})
	}, func(r *honeyguide.Run) {
		s.Runs++
		if r.State == honeyguide.RunFailed {
			s.RunsFailed++
		}
	})
}

// tally counts a name, up to a number of different ones.
func tally(list map[string]int64, name string) {
	if _, ok := list[name]; name != "" && (ok || len(list) < maxTally) {
		list[name]++
	}
}

// top returns the names that were counted most.
func top(list map[string]int64) []string {
	names := slices.SortedFunc(maps.Keys(list), func(a, b string) int {
		return cmp.Or(cmp.Compare(list[b], list[a]), strings.Compare(a, b))
	})
	return names[:min(len(names), summaryTop)]
}
