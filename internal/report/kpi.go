// Package report computes key figures from stored facts and from nothing else:
// how long things took, how often claims were wrong, whether honeytokens worked.
// docs/reference/kpi.md defines each figure. Every figure tells what it was
// counted from; without anything counted there is no data, and no figure.
package report

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/state"
	"honeyguide/internal/triage"
)

// Results of comparing a figure with its target.
const (
	Met    = "met"
	Missed = "missed"
	NoData = "no data"
	Open   = "" // no target
)

// KPI is the key figures of a span of time.
type KPI struct {
	Since      time.Time  `json:"since,omitzero" doc:"what came before is left out; absent: since the beginning"`
	Until      time.Time  `json:"until"`
	Times      []Duration `json:"times" doc:"how long things took"`
	Shares     []Share    `json:"shares"`
	Counts     []Count    `json:"counts" doc:"what must not happen"`
	Categories []Category `json:"categories" doc:"alerts by threat category"`
	Severities []Severity `json:"severities" doc:"incidents and alerts by severity"`
	Incidents  Incidents  `json:"incidents"`
	Left       int64      `json:"alerts_left_out" doc:"alerts beyond the 100,000 newest, in none of the figures"`
}

// A Duration is how long something took. Figures are absent when n is 0.
type Duration struct {
	Name     string   `json:"name"`
	N        int64    `json:"n" doc:"how many it was counted from"`
	MeanMS   *float64 `json:"mean_ms,omitempty" doc:"milliseconds, to the microsecond"`
	MedianMS *float64 `json:"median_ms,omitempty"`
	P95MS    *float64 `json:"p95_ms,omitempty"`
	TargetMS float64  `json:"target_ms,omitempty" doc:"the mean is to be below it"`
	Result   string   `json:"result,omitempty" enum:"met,missed,no data" doc:"absent: there is no target"`
}

// A Share is a part of something that was counted, with Wilson's interval.
type Share struct {
	Name   string   `json:"name"`
	Hits   int64    `json:"hits"`
	N      int64    `json:"n"`
	Value  *float64 `json:"value,omitempty" doc:"hits / n; absent when n is 0"`
	Low    *float64 `json:"low,omitempty" doc:"lower end of the 95 % Wilson interval"`
	High   *float64 `json:"high,omitempty"`
	Below  float64  `json:"target_below,omitempty"`
	Above  float64  `json:"target_above,omitempty"`
	Result string   `json:"result,omitempty" enum:"met,missed,no data" doc:"absent: there is no target"`
}

// A Count is how often something happened that must not.
type Count struct {
	Name   string   `json:"name"`
	N      int64    `json:"n"`
	Target int64    `json:"target"`
	Result string   `json:"result" enum:"met,missed"`
	Alerts []string `json:"alerts" doc:"the newest of them"`
}

// A Category is the alerts of one threat category.
type Category struct {
	Name       string           `json:"name"`
	Alerts     int64            `json:"alerts"`
	Events     int64            `json:"events" doc:"behind them"`
	BySeverity map[string]int64 `json:"by_severity" doc:"alerts"`
}

// A Severity is the incidents and alerts of one severity.
type Severity struct {
	Name      string `json:"name"`
	Incidents int64  `json:"incidents"`
	Alerts    int64  `json:"alerts"`
}

// Incidents is what became of the incidents of the span.
type Incidents struct {
	Opened     int64 `json:"opened"`
	Open       int64 `json:"open" doc:"of those opened, still open"`
	Closed     int64 `json:"closed" doc:"resolved or closed"`
	Reopened   int64 `json:"reopened" doc:"times one was opened again"`
	Unanswered int64 `json:"unanswered" doc:"neither contained nor judged nor closed"`
}

// Targets of the product's security policy.
const (
	targetDetect    = 5 * time.Minute
	targetRespond   = 15 * time.Minute
	targetFalse     = 0.05
	targetTokens    = 0.90
	withinToken     = time.Minute // after the use of a honeytoken its alert stands
	maxAlerts       = 100_000
	maxNamed        = 10
	ruleTokenUsed   = "token_used"
	detectViolation = "violation"
)

// Compute computes the figures of what came between two times, from one snapshot.
// since may be zero.
func Compute(ctx context.Context, tx state.Tx, since, until time.Time) (KPI, error) {
	k := KPI{Since: since, Until: until}
	c := &counting{since: since, until: until, uses: map[string][]honeyguide.Alert{}}
	if err := c.alerts(ctx, tx); err != nil {
		return k, err
	}
	if err := c.incidents(ctx, tx); err != nil {
		return k, err
	}
	tallies, err := tx.Verdicts().Tally(ctx, since)
	if err != nil {
		return k, err
	}
	worked, uses, err := c.effectiveness(ctx, tx)
	if err != nil {
		return k, err
	}
	k.Times = []Duration{
		duration("time_to_detect_ms", c.detected, targetDetect), duration("time_to_respond_ms", c.responded, targetRespond),
		duration("time_to_acknowledge_ms", c.acknowledged, 0), duration("time_to_triage_ms", c.triaged, 0), duration("time_to_qualify_ms", c.qualified, 0),
		duration("time_to_contain_ms", c.contained, 0), duration("time_to_resolve_ms", c.resolved, 0), duration("handling_ms", c.handled, 0),
	}
	wrong, judged := falsePositives(tallies)
	k.Shares = []Share{share("false_positive_rate", wrong, judged, targetFalse, 0), share("honeytoken_effectiveness", worked, uses, 0, targetTokens), share("answered_in_time", c.inTime, c.clocks, 0, 0)}
	k.Counts = []Count{count("escapes", c.escapes), count("exfiltrations", c.exfiltrations)}
	k.Categories, k.Severities, k.Incidents, k.Left = c.byCategory(), c.bySeverity(), c.work, c.left
	return k, nil
}

// duration makes a figure of what was measured.
func duration(name string, list []time.Duration, target time.Duration) Duration {
	d := Duration{Name: name, N: int64(len(list)), TargetMS: ms(target)}
	if target > 0 {
		d.Result = NoData
	}
	if len(list) == 0 {
		return d
	}
	slices.Sort(list)
	sum := 0.0
	for _, x := range list {
		sum += ms(x)
	}
	mean, median, p95 := sum/float64(len(list)), ms(list[(len(list)-1)/2]), ms(list[rank(len(list), .95)])
	if len(list)%2 == 0 {
		median = (median + ms(list[len(list)/2])) / 2
	}
	d.MeanMS, d.MedianMS, d.P95MS = &mean, &median, &p95
	if target > 0 {
		d.Result = result(mean < d.TargetMS)
	}
	return d
}

// rank returns the index of the value that a share of n sorted values does not
// exceed (nearest rank).
func rank(n int, share float64) int { return max(int(math.Ceil(share*float64(n)))-1, 0) }

// ms is a duration in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func result(met bool) string {
	if met {
		return Met
	}
	return Missed
}

// share makes a figure of hits among n; a target of 0 is none.
func share(name string, hits, n int64, below, above float64) Share {
	s := Share{Name: name, Hits: hits, N: n, Below: below, Above: above}
	target := below > 0 || above > 0
	if target {
		s.Result = NoData
	}
	if n == 0 {
		return s
	}
	value := float64(hits) / float64(n)
	low, high := triage.Wilson(hits, n)
	s.Value, s.Low, s.High = &value, &low, &high
	if target {
		s.Result = result((below == 0 || value < below) && (above == 0 || value > above))
	}
	return s
}

func count(name string, alerts []string) Count {
	c := Count{Name: name, N: int64(len(alerts)), Alerts: []string{}}
	c.Result = result(c.N <= c.Target)
	c.Alerts = append(c.Alerts, alerts[:min(len(alerts), maxNamed)]...)
	return c
}

// falsePositives counts what verdicts that stand say of alerts.
func falsePositives(list []state.VerdictTally) (wrong, judged int64) {
	for _, t := range list {
		if _, telling := t.Word.Telling(); telling {
			judged += t.Count
		}
		if t.Word == honeyguide.VerdictFalsePositive {
			wrong += t.Count
		}
	}
	return wrong, judged
}

func (c *counting) byCategory() []Category {
	var out []Category
	for _, name := range detect.Categories() {
		x := c.categories[name]
		if x.BySeverity == nil {
			x.BySeverity = map[string]int64{}
		}
		x.Name = name
		out = append(out, x)
		delete(c.categories, name)
	}
	for name, x := range c.categories { // of rules of the operator's own
		x.Name = name
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b Category) int { return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.Name, b.Name)) })
	return out
}

func (c *counting) bySeverity() []Severity {
	var out []Severity
	for s := honeyguide.SeverityCritical; s >= honeyguide.SeverityInformational; s-- {
		out = append(out, Severity{Name: s.String(), Incidents: c.ofIncidents[s], Alerts: c.ofAlerts[s]})
	}
	return out
}
