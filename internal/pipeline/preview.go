package pipeline

import (
	"context"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/detect"
	"honeyguide/internal/state"
)

// Bounds of a preview: it reads that many alerts at most and shows a few.
const (
	maxPreviewed  = 200_000
	shownExamples = 10
	shownRules    = 20
	shownEffects  = 50
)

// candidates is the question whose answer holds every alert m can mean: the part
// of m the state has an index for.
func candidates(m honeyguide.Match) state.AlertQuery {
	q := state.AlertQuery{Detector: m.Detector, Page: state.Page{Limit: state.MaxLimit}}
	if !strings.HasSuffix(m.Rule, "*") {
		q.Rule = m.Rule
	}
	if !strings.Contains(m.Src, "/") {
		q.Src = m.Src
	}
	return q
}

// eachMatch calls f for the alerts that m means among those q finds, newest first,
// and says how many were looked at and whether that was all.
func eachMatch(ctx context.Context, tx state.Tx, m honeyguide.Match, q state.AlertQuery, f func(*honeyguide.Alert) error) (scanned int64, complete bool, err error) {
	noise := detect.NewSuppressor([]honeyguide.Suppression{{Match: m}})
	for {
		list, next, err := tx.Alerts().List(ctx, q)
		if err != nil {
			return scanned, false, err
		}
		for i := range list {
			scanned++
			if noise.Find(&list[i]) == nil {
				continue
			}
			if err := f(&list[i]); err != nil {
				return scanned, false, err
			}
		}
		if next == "" || scanned >= maxPreviewed {
			return scanned, next == "", nil
		}
		q.After = next
	}
}

// Preview says what a suppression would have hidden of the alerts raised between
// two moments. It changes nothing.
func Preview(ctx context.Context, tx state.Tx, m honeyguide.Match, from, to time.Time) (client.SuppressionPreview, error) {
	p := client.SuppressionPreview{
		From: from, To: to, BySeverity: map[string]int64{}, Days: []client.DayCount{}, Rules: []client.RuleCount{},
		Incidents: []client.IncidentEffect{}, Examples: []honeyguide.Alert{},
	}
	if err := detect.CheckMatch(m); err != nil {
		return p, err
	}
	days, rules, incidents, sources := map[string]client.DayCount{}, map[string]client.RuleCount{}, map[string]int64{}, map[string]bool{}
	q := candidates(m)
	q.From, q.To = from, to
	var err error
	p.Scanned, p.Complete, err = eachMatch(ctx, tx, m, q, func(a *honeyguide.Alert) error {
		if a.Status == honeyguide.AlertSuppressed {
			p.AlreadySuppressed++
			return nil
		}
		p.Alerts++
		p.Events += a.Count
		p.BySeverity[a.Severity.String()]++
		day := a.CreatedAt.UTC().Format(time.DateOnly)
		d := days[day]
		days[day] = client.DayCount{Day: day, Alerts: d.Alerts + 1, Events: d.Events + a.Count}
		r := rules[a.RuleID]
		rules[a.RuleID] = client.RuleCount{Rule: a.RuleID, Alerts: r.Alerts + 1, Events: r.Events + a.Count}
		if src := state.Addr(a.Src); src != "" && len(sources) < maxPreviewed {
			sources[src] = true
		}
		if a.Incident != "" {
			incidents[a.Incident]++
		}
		if len(p.Examples) < shownExamples {
			p.Examples = append(p.Examples, *a)
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	p.Sources = int64(len(sources))
	for _, d := range days {
		p.Days = append(p.Days, d)
	}
	slices.SortFunc(p.Days, func(a, b client.DayCount) int { return strings.Compare(a.Day, b.Day) })
	for _, r := range rules {
		p.Rules = append(p.Rules, r)
	}
	slices.SortFunc(p.Rules, func(a, b client.RuleCount) int {
		if a.Alerts != b.Alerts {
			return int(b.Alerts - a.Alerts)
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	p.Rules = p.Rules[:min(len(p.Rules), shownRules)]
	return p, effects(ctx, tx, &p, incidents)
}

// effects says which incidents would have lost alerts, and which would not have
// been at all.
func effects(ctx context.Context, tx state.Tx, p *client.SuppressionPreview, lost map[string]int64) error {
	for id, n := range lost {
		in, err := tx.Incidents().Get(ctx, id)
		if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
			continue
		}
		if err != nil {
			return err
		}
		p.IncidentsTouched++
		if n >= in.AlertCount {
			p.IncidentsGone++
		}
		p.Incidents = append(p.Incidents, client.IncidentEffect{
			ID: in.ID, Short: in.Short, Title: in.Title, Severity: in.Severity, Alerts: n, Of: in.AlertCount,
		})
	}
	slices.SortFunc(p.Incidents, func(a, b client.IncidentEffect) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		return strings.Compare(b.ID, a.ID)
	})
	p.Incidents = p.Incidents[:min(len(p.Incidents), shownEffects)]
	return nil
}

// Bounds of a suppression's life.
const (
	MinSuppression = time.Minute
	MaxSuppression = 366 * 24 * time.Hour
)

// Suppress makes s hold from now on. With existing it also hides the open alerts
// it means; they stay in their incidents. It returns how many were hidden.
func Suppress(ctx context.Context, tx state.Tx, s *honeyguide.Suppression, existing bool, now time.Time) (hidden int64, err error) {
	if err := checkSuppression(s, now); err != nil {
		return 0, err
	}
	holding, err := tx.Suppressions().Holding(ctx, now)
	if err != nil {
		return 0, err
	}
	if len(holding) >= state.MaxHolding {
		return 0, invalid("suppressions: as many hold as there may be; lift some that are not needed any more")
	}
	s.ID, s.CreatedAt, s.LiftedAt = "", now, time.Time{}
	if err := tx.Suppressions().Save(ctx, s); err != nil || !existing {
		return 0, err
	}
	var found []honeyguide.Alert
	var events int64
	q := candidates(s.Match)
	q.Status = []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated}
	_, complete, err := eachMatch(ctx, tx, s.Match, q, func(a *honeyguide.Alert) error {
		found = append(found, *a)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if !complete || len(found) > maxHiddenAtOnce {
		return 0, invalid("existing: too many open alerts for one request; make the suppression narrower, or without hiding what exists")
	}
	for i := range found {
		a := &found[i]
		a.Status, a.Suppression = honeyguide.AlertSuppressed, s.ID
		events += a.Count
		if err := tx.Alerts().Put(ctx, a); err != nil {
			return 0, err
		}
	}
	hidden = int64(len(found))
	if hidden > 0 {
		if err := tx.Suppressions().Hit(ctx, s.ID, hidden, events, now); err != nil {
			return 0, err
		}
		*s, err = tx.Suppressions().Get(ctx, s.ID)
	}
	return hidden, err
}

// maxHiddenAtOnce bounds the alerts one request changes.
const maxHiddenAtOnce = 10_000

func checkSuppression(s *honeyguide.Suppression, now time.Time) error {
	switch life := s.ExpiresAt.Sub(now); {
	case strings.TrimSpace(s.Reason) == "":
		return invalid("reason: missing; say why these alerts are noise")
	case strings.TrimSpace(s.Owner) == "":
		return invalid("owner: missing; say who answers for it")
	case life < MinSuppression:
		return invalid("expires_at: has to lie in the future")
	case life > MaxSuppression:
		return invalid("expires_at: more than a year away; a suppression has to be looked at again")
	}
	return detect.CheckMatch(s.Match)
}

// Lift ends a suppression before its time. With reopen the alerts it hid become
// new again, but for those about which another alert is open; it returns how many.
func Lift(ctx context.Context, tx state.Tx, id, by string, reopen bool, now time.Time) (s honeyguide.Suppression, reopened int64, err error) {
	if s, err = tx.Suppressions().Get(ctx, id); err != nil {
		return s, 0, err
	}
	if s.Holds(now) {
		s.LiftedAt, s.LiftedBy = now, by
		if err := tx.Suppressions().Save(ctx, &s); err != nil {
			return s, 0, err
		}
	}
	if !reopen {
		return s, 0, nil
	}
	q := state.AlertQuery{Suppression: s.ID, Status: []honeyguide.AlertStatus{honeyguide.AlertSuppressed}, Page: state.Page{Limit: state.MaxLimit}}
	for reopened < maxHiddenAtOnce {
		list, next, err := tx.Alerts().List(ctx, q)
		if err != nil {
			return s, reopened, err
		}
		for i := range list {
			a := &list[i]
			a.Status, a.Suppression = honeyguide.AlertNew, ""
			err := tx.Alerts().Put(ctx, a)
			if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeConflict {
				continue
			}
			if err != nil {
				return s, reopened, err
			}
			reopened++
		}
		if next == "" {
			break
		}
		q.After = next
	}
	return s, reopened, nil
}

func invalid(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}
