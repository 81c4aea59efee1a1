package report

import (
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A counting gathers what figures are made of.
type counting struct {
	since, until time.Time

	detected                                                                  []time.Duration // of alerts
	responded, acknowledged, triaged, qualified, contained, resolved, handled []time.Duration // of incidents
	inTime, clocks                                                            int64           // answered in time, of clocks that have stopped or run out
	escapes, exfiltrations                                                    []string        // alerts, newest first
	categories                                                                map[string]Category
	ofAlerts, ofIncidents                                                     [honeyguide.SeverityCritical + 1]int64
	work                                                                      Incidents
	left                                                                      int64
	uses                                                                      map[string][]honeyguide.Alert // token: alerts of its use
	used                                                                      []tokenUse
}

// alerts reads the alerts of the span, without those a suppression hides.
func (c *counting) alerts(ctx context.Context, tx state.Tx) error {
	c.categories = map[string]Category{}
	q := state.AlertQuery{From: c.since, To: c.until, Shown: true, Page: state.Page{Limit: state.MaxLimit}}
	n := 0
	for {
		list, next, err := tx.Alerts().List(ctx, q)
		if err != nil {
			return err
		}
		for i := range list {
			c.alert(&list[i])
		}
		n += len(list)
		if next == "" {
			return nil
		}
		if q.After = next; n >= maxAlerts {
			break
		}
	}
	q.After = ""
	all, err := tx.Alerts().Counts(ctx, q)
	for _, x := range all {
		c.left += x
	}
	c.left = max(c.left-int64(n), 0)
	return err
}

func (c *counting) alert(a *honeyguide.Alert) {
	c.ofAlerts[min(a.Severity, honeyguide.SeverityCritical)]++
	x := c.categories[a.Category]
	if x.BySeverity == nil {
		x.BySeverity = map[string]int64{}
	}
	x.Alerts, x.Events = x.Alerts+1, x.Events+a.Count
	x.BySeverity[a.Severity.String()]++
	c.categories[a.Category] = x
	// What happened before the span is not of it: a log of last year that was read
	// in today says nothing about how fast we are.
	if !a.Time.IsZero() && !a.Time.Before(c.since) {
		c.detected = append(c.detected, max(a.CreatedAt.Sub(a.Time), 0))
	}
	wrong := a.Verdict.As == honeyguide.VerdictFalsePositive || a.Verdict.As == honeyguide.VerdictBenign
	switch {
	case wrong:
	case a.Detector == detectViolation:
		c.escapes = append(c.escapes, a.Short)
	case a.Category == honeyguide.CategoryExfiltration && a.Session == "":
		c.exfiltrations = append(c.exfiltrations, a.Short)
	case a.RuleID == ruleTokenUsed:
		c.tokenAlert(a)
	}
}

// tokenAlert notes an alert about a used token, unless it was judged wrong.
func (c *counting) tokenAlert(a *honeyguide.Alert) {
	if a.Verdict.As == honeyguide.VerdictFalsePositive || a.Verdict.As == honeyguide.VerdictBenign {
		return
	}
	for _, o := range a.Observed {
		if o.Type == "token" {
			c.uses[o.Value] = append(c.uses[o.Value], *a)
		}
	}
}

// tokenUse is one use of a token and whether it was told of rightly and in time.
type tokenUse struct {
	token  string
	at     time.Time
	worked bool
}

// incidents reads the incidents opened in the span, without those that live on in
// others.
func (c *counting) incidents(ctx context.Context, tx state.Tx) error {
	q := state.IncidentQuery{From: c.since, To: c.until, Page: state.Page{Limit: state.MaxLimit}}
	for {
		list, next, err := tx.Incidents().List(ctx, q)
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].Joined == "" {
				c.incident(&list[i])
			}
		}
		if q.After = next; next == "" {
			return nil
		}
	}
}

func (c *counting) incident(in *honeyguide.Incident) {
	t := &in.Clock
	c.ofIncidents[min(in.Severity, honeyguide.SeverityCritical)]++
	c.work.Opened++
	c.work.Reopened += int64(t.Reopened)
	if state.OpenIncident(in.Status) {
		c.work.Open++
	} else {
		c.work.Closed++
	}
	answered, resolved := earliest(t.ContainedAt, t.QualifiedAt), earliest(t.RecoveredAt, t.ClosedAt)
	for _, x := range []struct {
		to       *[]time.Duration
		from, at time.Time
		less     time.Duration
	}{
		{&c.responded, in.CreatedAt, answered, 0},
		{&c.acknowledged, in.CreatedAt, t.AcknowledgedAt, 0},
		{&c.triaged, in.CreatedAt, t.TriagedAt, 0},
		{&c.qualified, in.CreatedAt, t.QualifiedAt, 0},
		{&c.contained, in.CreatedAt, t.ContainedAt, 0},
		{&c.resolved, in.CreatedAt, resolved, 0},
		{&c.handled, t.AcknowledgedAt, resolved, time.Duration(t.HeldMS) * time.Millisecond},
	} {
		// What was split off an older incident may have been seen before it was one.
		if d := x.at.Sub(x.from) - x.less; !x.at.IsZero() && !x.from.IsZero() && d >= 0 {
			*x.to = append(*x.to, d)
		}
	}
	stopped := earliest(answered, t.ClosedAt)
	switch {
	case !stopped.IsZero():
		c.clocks++
		if in.DueAt.IsZero() || !stopped.After(in.DueAt) {
			c.inTime++
		}
	case !in.DueAt.IsZero() && c.until.After(in.DueAt) && in.Status != honeyguide.IncidentOnHold:
		c.clocks++
	}
	if stopped.IsZero() {
		c.work.Unanswered++
	}
}

func earliest(list ...time.Time) (t time.Time) {
	for _, x := range list {
		if !x.IsZero() && (t.IsZero() || x.Before(t)) {
			t = x
		}
	}
	return t
}

// effectiveness counts the uses of honeytokens in the span, and those of them that
// worked: a critical alert stood within a minute and named who had read the token.
func (c *counting) effectiveness(ctx context.Context, tx state.Tx) (worked, uses int64, err error) {
	page := state.Page{Limit: state.MaxLimit}
	for {
		tokens, next, err := tx.Tokens().List(ctx, page)
		if err != nil {
			return 0, 0, err
		}
		for i := range tokens {
			t := &tokens[i]
			if t.Uses == 0 || t.UsedAt.Before(c.since) {
				continue
			}
			used, err := tx.Tokens().Uses(ctx, t.ID, c.since)
			if err != nil {
				return 0, 0, err
			}
			read, err := tx.Tokens().Exposures(ctx, t.ID)
			if err != nil {
				return 0, 0, err
			}
			for _, u := range used {
				if !u.At.Before(c.until) {
					continue
				}
				ok := slices.ContainsFunc(c.uses[t.ID], func(a honeyguide.Alert) bool { return tells(&a, u) && attributed(&a, t, u, read) })
				c.used = append(c.used, tokenUse{t.ID, u.At, ok})
				if uses++; ok {
					worked++
				}
			}
		}
		if page.After = next; next == "" {
			return worked, uses, nil
		}
	}
}

// tells reports whether an alert told of a use in time. An alert names its first
// fifty events; later ones lie between its first and its last.
func tells(a *honeyguide.Alert, u state.TokenUse) bool {
	within := slices.Contains(a.EventIDs, u.EventID) || len(a.EventIDs) >= honeyguide.MaxEvidence && !u.At.Before(a.Time) && !u.At.After(a.LastAt)
	return within && a.Severity == honeyguide.SeverityCritical && a.CreatedAt.Sub(u.At) <= withinToken
}

// attributed reports whether the reader an alert names did read the token before
// that use. Only the newest readings are listed; a reader that is not among them
// is believed when there were more.
func attributed(a *honeyguide.Alert, t *honeyguide.Honeytoken, u state.TokenUse, read []honeyguide.Exposure) bool {
	i := slices.IndexFunc(a.Observed, func(o honeyguide.Observable) bool { return o.Name == honeyguide.AttrReader && o.Type == "ip" })
	if i < 0 {
		return false
	}
	reader := a.Observed[i].Value
	known := slices.ContainsFunc(read, func(x honeyguide.Exposure) bool { return state.Addr(x.Src) == reader && !x.Time.After(u.At) })
	return known || t.Exposures > int64(len(read))
}
