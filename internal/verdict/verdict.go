// Package verdict is what analysts say of alerts, and what follows from it: how
// often each rule was right, what was decided of alike alerts before, and the
// models triage learns from it (see [Trainer]).
//
// Verdicts are labels. They come from people through the API and from nobody
// else: a model that learnt from our own rules would only learn them again.
package verdict

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/triage"
)

// MaxAlerts is how many alerts one act may pass a verdict on.
const MaxAlerts = 10_000

// An Outcome says what a verdict on several alerts changed.
type Outcome struct {
	Changed   int      `json:"changed"`
	Unchanged int      `json:"unchanged" doc:"the same was said before"`
	Kept      int      `json:"kept" doc:"alerts of an incident that have a verdict of their own"`
	Left      int64    `json:"left" doc:"alerts of an incident beyond the 10,000 newest"`
	Missing   []string `json:"missing" doc:"ids of no alert"`
}

// Pass passes one verdict on alerts, some hundred in each transaction. An id that
// names no alert is told, and stops nothing. With an error comes what was changed
// before it; the same asked again does the rest.
func Pass(ctx context.Context, store state.Store, ids []string, v honeyguide.Verdict) (Outcome, error) {
	all := Outcome{Missing: []string{}}
	if len(ids) > MaxAlerts {
		return all, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("ids: %d; want at most %d at a time", len(ids), MaxAlerts)}
	}
	for part := range slices.Chunk(ids, chunk) {
		var out Outcome
		err := store.Update(ctx, func(tx state.Tx) (err error) {
			out, err = pass(ctx, tx, part, v)
			return err
		})
		if err != nil {
			return all, err
		}
		all.Changed, all.Unchanged, all.Missing = all.Changed+out.Changed, all.Unchanged+out.Unchanged, append(all.Missing, out.Missing...)
		if all.Changed > 0 { // who goes away meanwhile meant all of them
			ctx = context.WithoutCancel(ctx)
		}
	}
	return all, nil
}

func pass(ctx context.Context, tx state.Tx, ids []string, v honeyguide.Verdict) (out Outcome, err error) {
	for _, id := range ids {
		_, changed, err := tx.Verdicts().Pass(ctx, id, v)
		switch {
		case honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil:
			out.Missing = append(out.Missing, id)
		case err != nil:
			return out, err
		case changed:
			out.Changed++
		default:
			out.Unchanged++
		}
	}
	return out, nil
}

// PassIncident passes a verdict on an incident and on those of its alerts that
// have none, or the one the incident had. overwrite says to pass it on all.
func PassIncident(ctx context.Context, tx state.Tx, id string, v honeyguide.Verdict, overwrite bool) (honeyguide.Incident, Outcome, error) {
	out := Outcome{Missing: []string{}}
	in, err := tx.Incidents().Get(ctx, id)
	if err != nil {
		return in, out, err
	}
	if in.Joined != "" {
		return in, out, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: in.Short + " was joined to another incident: judge that one, or undo the change"}
	}
	before := in.Verdict.As
	if err := qualify(ctx, tx, &in, v); err != nil {
		return in, out, err
	}
	if _, err := tx.Incidents().Save(ctx, &in); err != nil {
		return in, out, err
	}
	alerts, err := alertsOf(ctx, tx, in.ID)
	if err != nil {
		return in, out, err
	}
	for _, a := range alerts {
		if !overwrite && a.Verdict.As != "" && a.Verdict.As != before {
			out.Kept++
			continue
		}
		_, changed, err := tx.Verdicts().Pass(ctx, a.ID, v)
		if err != nil {
			return in, out, err
		}
		if changed {
			out.Changed++
		} else {
			out.Unchanged++
		}
	}
	out.Left = max(in.AlertCount-int64(len(alerts)), 0)
	return in, out, nil
}

// qualify notes a verdict on an incident, its times and who passed it. What was
// said before is in the timeline.
func qualify(ctx context.Context, tx state.Tx, in *honeyguide.Incident, v honeyguide.Verdict) error {
	if in.Verdict.As == v.As && in.Verdict.Reason == v.Reason && in.Verdict.Comment == v.Comment || in.Verdict.As == "" && v.As == honeyguide.VerdictNone {
		return nil
	}
	at := state.Time(v.At)
	if !at.After(in.UpdatedAt) { // who looked at it before sees that it has changed
		at = in.UpdatedAt.Add(time.Microsecond)
	}
	in.Verdict, in.UpdatedAt = v, at
	first := func(t *time.Time) {
		if t.IsZero() {
			*t = at
		}
	}
	first(&in.Clock.AcknowledgedAt)
	text := "verdict taken back"
	if v.As != honeyguide.VerdictNone {
		first(&in.Clock.QualifiedAt)
		text = "verdict: " + string(v.As)
	}
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return tx.Timeline().Add(ctx, &honeyguide.TimelineEntry{
		Incident: in.ID, At: at, SeenAt: at, Kind: honeyguide.EntryVerdict, By: v.By, Text: text, Ref: string(v.As),
	})
}

// alertsOf returns the newest alerts of an incident.
func alertsOf(ctx context.Context, tx state.Tx, incident string) (all []honeyguide.Alert, err error) {
	q := state.AlertQuery{Incident: incident, Page: state.Page{Limit: state.MaxLimit}}
	for len(all) < MaxAlerts {
		list, next, err := tx.Alerts().List(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if next == "" {
			return all, nil
		}
		q.After = next
	}
	return all[:MaxAlerts], nil
}

// A Rate is a share that was counted, and where the true one lies with 95 %
// certainty (Wilson's interval).
type Rate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low" doc:"lower end of the 95 % Wilson interval"`
	High  float64 `json:"high"`
}

func rate(hits, n int64) Rate {
	low, high := triage.Wilson(hits, n)
	return Rate{Value: float64(hits) / float64(max(n, 1)), Low: low, High: high}
}

// A Quality is what verdicts say of a rule or a source. N counts the alerts that
// were judged true, false or benign, each once, with what stands.
type Quality struct {
	Name           string `json:"name" doc:"of the rule or the source"`
	Source         string `json:"source" doc:"what raised the alerts"`
	N              int64  `json:"n"`
	TruePositives  int64  `json:"true_positives"`
	FalsePositives int64  `json:"false_positives"`
	Benign         int64  `json:"benign"`
	Duplicates     int64  `json:"duplicates" doc:"not part of n"`
	FalseRate      Rate   `json:"false_positive_rate" doc:"false_positives / n"`
	TrueRate       Rate   `json:"precision" doc:"true_positives / n"`
}

// A QualityReport is the measured quality of all rules and sources with a verdict, the
// ones with the most false positives first.
type QualityReport struct {
	Since   time.Time `json:"since,omitzero" doc:"verdicts passed before are left out"`
	Rules   []Quality `json:"rules"`
	Sources []Quality `json:"sources"`
}

// Measure counts what verdicts say since a time.
func Measure(ctx context.Context, tx state.Tx, since time.Time) (QualityReport, error) {
	counts, err := tx.Verdicts().Tally(ctx, since)
	if err != nil {
		return QualityReport{}, err
	}
	r := QualityReport{Since: since, Rules: []Quality{}, Sources: []Quality{}}
	for _, c := range counts {
		r.Rules = counted(r.Rules, c.Rule, c)
		r.Sources = counted(r.Sources, c.Source, c)
	}
	finish := func(list []Quality) []Quality {
		list = slices.DeleteFunc(list, func(q Quality) bool { return q.N+q.Duplicates == 0 })
		for i := range list {
			q := &list[i]
			q.FalseRate, q.TrueRate = rate(q.FalsePositives, q.N), rate(q.TruePositives, q.N)
		}
		slices.SortStableFunc(list, func(a, b Quality) int {
			return cmp.Or(cmp.Compare(b.FalsePositives, a.FalsePositives), cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
		})
		return list
	}
	r.Rules, r.Sources = finish(r.Rules), finish(r.Sources)
	return r, nil
}

func counted(list []Quality, name string, c state.VerdictTally) []Quality {
	i := slices.IndexFunc(list, func(q Quality) bool { return q.Name == name && q.Source == c.Source })
	if i < 0 {
		i = len(list)
		list = append(list, Quality{Name: name, Source: c.Source})
	}
	q := &list[i]
	if _, telling := c.Word.Telling(); telling {
		q.N += c.Count
	}
	switch c.Word {
	case honeyguide.VerdictTruePositive:
		q.TruePositives += c.Count
	case honeyguide.VerdictFalsePositive:
		q.FalsePositives += c.Count
	case honeyguide.VerdictBenign:
		q.Benign += c.Count
	case honeyguide.VerdictDuplicate:
		q.Duplicates += c.Count
	}
	return list
}

// Past is what was decided of alike alerts before.
type Past struct {
	Quality Quality                `json:"quality" doc:"of the rule, without this alert"`
	Newest  []honeyguide.Judgement `json:"newest" doc:"standing verdicts on alerts of the rule, newest first"`
}

// maxAlike is how many earlier judgements are shown.
const maxAlike = 10

// Alike returns what was decided of other alerts of the same rule.
func Alike(ctx context.Context, tx state.Tx, alert string) (Past, error) {
	p := Past{Newest: []honeyguide.Judgement{}}
	a, err := tx.Alerts().Get(ctx, alert)
	if err != nil {
		return p, err
	}
	list, _, err := tx.Verdicts().List(ctx, state.VerdictQuery{Rule: a.RuleID, Standing: true, Page: state.Page{Limit: state.MaxLimit}})
	if err != nil {
		return p, err
	}
	all := []Quality{{Name: a.RuleID, Source: a.RuleSource()}}
	for _, j := range list {
		if j.Alert == a.ID || j.Verdict.As == honeyguide.VerdictNone {
			continue
		}
		if len(p.Newest) < maxAlike {
			p.Newest = append(p.Newest, j)
		}
		all = counted(all, a.RuleID, state.VerdictTally{Source: a.RuleSource(), Word: j.Verdict.As, Count: 1})
	}
	q := all[0]
	q.FalseRate, q.TrueRate = rate(q.FalsePositives, q.N), rate(q.TruePositives, q.N)
	p.Quality = q
	return p, nil
}
