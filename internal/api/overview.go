package api

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/report"
	"honeyguide/internal/source"
	"honeyguide/internal/state"
)

// Recent asks for a window of time up to now.
type Recent struct {
	Span string `query:"span" enum:"24h,7d,30d" default:"24h" doc:"up to now; it begins at a whole hour, of more than a day at a whole day (UTC)"`
}

// An Overview is the first screen in one answer.
type Overview struct {
	Span  string    `json:"span"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`

	Figures []report.Figure `json:"figures" doc:"key figures with target and trend"`
	Queue   Queue           `json:"queue"`
	Series  Series          `json:"series" doc:"events and alerts over time"`
	Sources []TopSource     `json:"top_sources"`
	Rules   []TopRule       `json:"top_rules"`
	Sensors Presence        `json:"sensors"`
	Feeds   Presence        `json:"sources" doc:"what brings in records of other products"`
	Needs   Needs           `json:"needs" doc:"what waits for the one who asks"`

	LastAlertAt time.Time `json:"last_alert_at,omitzero"`
	LastAlert   string    `json:"last_alert,omitempty" doc:"short id"`
	LastEventAt time.Time `json:"last_event_at,omitzero" doc:"when the newest event came in, since the core started"`
	PerMinute   float64   `json:"events_per_minute"`
}

// Queue is the pressure on people.
type Queue struct {
	Open       int64            `json:"open"`
	BySeverity map[string]int64 `json:"by_severity"`
	ByStatus   map[string]int64 `json:"by_status"`
	Incidents  Clocks           `json:"incidents"`
}

// Clocks is how the clocks of incidents stand.
type Clocks struct {
	Waiting int64 `json:"waiting" doc:"incidents nobody has answered"`
	AtRisk  int64 `json:"at_risk" doc:"of them, four fifths of the time are over"`
	Missed  int64 `json:"missed" doc:"of them, all of it is"`
}

// Series is events and alerts over time.
type Series struct {
	StepS  int64         `json:"step_s" doc:"seconds of a point"`
	Points []SeriesPoint `json:"points" doc:"oldest first, none left out"`
}

// SeriesPoint is one step of it.
type SeriesPoint struct {
	At     time.Time        `json:"at" doc:"begin of the step"`
	Events int64            `json:"events"`
	Alerts int64            `json:"alerts"`
	By     map[string]int64 `json:"alerts_by_severity" doc:"severities without alerts are left out"`
}

// TopSource is a source of many alerts.
type TopSource struct {
	Address  string           `json:"address"`
	Attacker string           `json:"attacker,omitempty" doc:"key for /attackers/{id}"`
	Country  string           `json:"country,omitempty"`
	ASN      uint32           `json:"asn,omitempty"`
	ASOrg    string           `json:"as_org,omitempty"`
	N        int64            `json:"n" doc:"alerts"`
	Severity string           `json:"severity" doc:"the highest"`
	By       map[string]int64 `json:"by_severity"`
}

// TopRule is a rule with many alerts.
type TopRule struct {
	ID       string           `json:"id"`
	Title    string           `json:"title" doc:"of the rule where it has one, else of its newest alert; may hold attackers' text"`
	N        int64            `json:"n" doc:"alerts"`
	Severity string           `json:"severity" doc:"the highest"`
	By       map[string]int64 `json:"by_severity"`
}

// Presence is who is there and who is not.
type Presence struct {
	OK   int      `json:"ok"`
	Late int      `json:"late"`
	List []Absent `json:"list" doc:"those that are late, the first ten"`
}

// Absent is a sensor or source that should be heard and is not.
type Absent struct {
	Name   string    `json:"name"`
	Kind   string    `json:"kind"`
	State  string    `json:"state"`
	Detail string    `json:"detail,omitempty"`
	LastAt time.Time `json:"last_at,omitzero"`
}

// Needs is what waits for the one who asks.
type Needs struct {
	Approvals      int               `json:"approvals" doc:"steps they may decide about, of the hundred newest runs"`
	FirstApprovals []client.Approval `json:"first_approvals"`
	Due            []DueIncident     `json:"due" doc:"unanswered incidents, the one that is due first first"`
}

// DueIncident is an incident whose clock runs.
type DueIncident struct {
	ID       string              `json:"id"`
	Short    string              `json:"short"`
	Title    string              `json:"title"`
	Severity honeyguide.Severity `json:"severity"`
	Owner    string              `json:"owner,omitempty"`
	DueAt    time.Time           `json:"due_at"`
	Missed   bool                `json:"missed"`
}

// How much of each list the overview shows.
const (
	topSources = 8
	topRules   = 8
	firstDue   = 5
	firstSteps = 5
	firstLate  = 10
)

func (s *server) overview() {
	o := op("/overview", "get-overview", "The first screen in one answer: key figures, the queue, what happens, and what waits for the one who asks")
	read(s, o, func(ctx context.Context, in *Recent) (out Overview, err error) {
		w, err := report.WindowOf(in.Span, s.dep.Now())
		if err != nil {
			return out, err
		}
		out = Overview{Span: w.Name, Since: w.Since, Until: w.Until}
		err = s.dep.State.View(ctx, func(tx state.Tx) error { return s.overviewOf(ctx, tx, w, &out) })
		if err != nil {
			return out, err
		}
		heard := s.heard()
		for _, h := range heard {
			out.PerMinute += h.PerMinute
			if h.LastAt.After(out.LastEventAt) {
				out.LastEventAt = h.LastAt
			}
		}
		out.Sensors, out.Feeds = s.presence(ctx, heard)
		return out, s.eventSeries(ctx, w, &out.Series)
	})
}

func (s *server) overviewOf(ctx context.Context, tx state.Tx, w report.Window, out *Overview) (err error) {
	if out.Figures, err = report.Brief(ctx, tx, w); err != nil {
		return err
	}
	if out.Queue, err = queueOf(ctx, tx, w.Until); err != nil {
		return err
	}
	over, err := report.Over(ctx, tx, w)
	if err != nil {
		return err
	}
	out.Series = Series{StepS: int64(w.Series / time.Second), Points: make([]SeriesPoint, len(over))}
	for i, by := range over {
		out.Series.Points[i] = SeriesPoint{At: w.Since.Add(time.Duration(i) * w.Series), Alerts: by.Total(), By: severities(by)}
	}
	if out.Sources, err = topSourcesOf(ctx, tx, w); err != nil {
		return err
	}
	if out.Rules, err = s.topRulesOf(ctx, tx, w); err != nil {
		return err
	}
	newest, _, err := tx.Alerts().List(ctx, state.AlertQuery{Shown: true, Page: state.Page{Limit: 1}})
	if err != nil {
		return err
	}
	if len(newest) > 0 {
		out.LastAlertAt, out.LastAlert = newest[0].CreatedAt, newest[0].Short
	}
	out.Needs, err = s.needs(ctx, tx, w.Until)
	return err
}

// severities turns counts into an object; severities without any are left out.
func severities(by state.BySeverity) map[string]int64 {
	out := map[string]int64{}
	for i, n := range by {
		if n > 0 {
			out[honeyguide.Severity(i).String()] = n
		}
	}
	return out
}

func queueOf(ctx context.Context, tx state.Tx, now time.Time) (q Queue, err error) {
	q.BySeverity, q.ByStatus = map[string]int64{}, map[string]int64{}
	for i := honeyguide.SeverityInformational; i <= honeyguide.SeverityCritical; i++ {
		q.BySeverity[i.String()] = 0
	}
	open, err := tx.Tallies().Open(ctx)
	if err != nil {
		return q, err
	}
	for status, by := range open {
		if !state.OpenAlert(status) {
			continue
		}
		q.ByStatus[string(status)] = by.Total()
		q.Open += by.Total()
		for i, n := range by {
			q.BySeverity[honeyguide.Severity(i).String()] += n
		}
	}
	if q.BySeverity[honeyguide.SeverityUnknown.String()] == 0 {
		delete(q.BySeverity, honeyguide.SeverityUnknown.String())
	}
	c, err := tx.Tallies().Clocks(ctx, now)
	q.Incidents = Clocks(c)
	return q, err
}

func topSourcesOf(ctx context.Context, tx state.Tx, w report.Window) ([]TopSource, error) {
	out := []TopSource{}
	list, err := report.Rank(ctx, tx, w, state.TallySource)
	if err != nil {
		return nil, err
	}
	for _, r := range list[:min(len(list), topSources)] {
		x := TopSource{Address: r.Name, N: r.By.Total(), Severity: r.By.Worst().String(), By: severities(r.By)}
		newest, _, err := tx.Alerts().List(ctx, state.AlertQuery{Src: r.Name, Page: state.Page{Limit: 1}})
		if err != nil {
			return nil, err
		}
		if len(newest) > 0 {
			a := &newest[0]
			x.Attacker, x.Country, x.ASN, x.ASOrg = a.Attacker, a.Src.Country, a.Src.ASN, a.Src.ASOrg
		}
		out = append(out, x)
	}
	return out, nil
}

func (s *server) topRulesOf(ctx context.Context, tx state.Tx, w report.Window) ([]TopRule, error) {
	out := []TopRule{}
	list, err := report.Rank(ctx, tx, w, state.TallyRule)
	if err != nil {
		return nil, err
	}
	for _, r := range list[:min(len(list), topRules)] {
		x := TopRule{ID: r.Name, Title: s.ruleTitle(r.Name), N: r.By.Total(), Severity: r.By.Worst().String(), By: severities(r.By)}
		if x.Title == "" {
			newest, _, err := tx.Alerts().List(ctx, state.AlertQuery{Rule: r.Name, Page: state.Page{Limit: 1}})
			if err != nil {
				return nil, err
			}
			if len(newest) > 0 {
				x.Title = newest[0].Title
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// ruleTitle is the title of a Sigma rule, "" when the rule is none.
func (s *server) ruleTitle(id string) string {
	if s.dep.Rules == nil {
		return ""
	}
	if e, ok := s.dep.Rules.Current().Find(id); ok {
		return e.Meta.Title
	}
	return ""
}

func (s *server) needs(ctx context.Context, tx state.Tx, now time.Time) (n Needs, err error) {
	n.FirstApprovals, n.Due = []client.Approval{}, []DueIncident{}
	who, _ := ctx.Value(principalKey).(auth.Principal)
	if who.May(auth.PermApprove) {
		runs, _, err := tx.Runs().List(ctx, state.RunQuery{Open: true, State: []honeyguide.RunState{honeyguide.RunWaiting}})
		if err != nil {
			return n, err
		}
		var all []client.Approval
		for i := range runs {
			if all, err = s.waiting(ctx, tx, all, &runs[i], false, now); err != nil {
				return n, err
			}
		}
		n.Approvals = len(all)
		n.FirstApprovals = append(n.FirstApprovals, all[:min(len(all), firstSteps)]...)
	}
	due, err := tx.Tallies().Due(ctx, firstDue)
	for i := range due {
		x := &due[i]
		n.Due = append(n.Due, DueIncident{
			ID: x.ID, Short: x.Short, Title: x.Title, Severity: x.Severity, Owner: x.Owner, DueAt: x.DueAt, Missed: !now.Before(x.DueAt),
		})
	}
	return n, err
}

// presence tells which sensors and sources are there. That nobody attacks is no
// fault of a decoy: it is late when its process does not serve.
func (s *server) presence(ctx context.Context, heard map[string]Heard) (sensors, sources Presence) {
	sensors.List, sources.List = []Absent{}, []Absent{}
	note := func(p *Presence, ok bool, a Absent) {
		if ok {
			p.OK++
			return
		}
		if p.Late++; len(p.List) < firstLate {
			a.LastAt = heard[a.Name].LastAt
			p.List = append(p.List, a)
		}
	}
	for _, x := range s.sensorList(ctx) {
		note(&sensors, x.State == "serving" || x.State == "running", Absent{Name: x.Name, Kind: x.Kind, State: x.State, Detail: x.Detail})
	}
	for _, x := range s.sourceList(ctx) {
		note(&sources, x.State == source.StateRunning || x.State == source.StateDone, Absent{Name: x.Name, Kind: x.Kind, State: x.State, Detail: x.Detail})
	}
	return sensors, sources
}

// eventSeries adds the events to the points, from the log's counts per minute.
func (s *server) eventSeries(ctx context.Context, w report.Window, out *Series) error {
	buckets, err := s.dep.Events.Histogram(ctx, eventlog.Query{From: w.Since, To: w.Until.Truncate(time.Minute).Add(time.Minute)}, w.Series)
	if err != nil {
		return eventError(err)
	}
	for i := range buckets {
		if n, ok := w.Place(buckets[i].At); ok {
			out.Points[n].Events += buckets[i].Total()
		}
	}
	return nil
}
