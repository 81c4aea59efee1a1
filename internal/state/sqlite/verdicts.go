package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// verdict asks for alerts with a verdict; none asks for those without.
func (w *where) verdict(word honeyguide.VerdictWord) {
	if word == honeyguide.VerdictNone {
		w.add("verdict = ''")
		return
	}
	w.is("verdict", string(word))
}

// Pass sets and notes.
func (t verdicts) Pass(ctx context.Context, alert string, v honeyguide.Verdict) (a honeyguide.Alert, changed bool, err error) {
	if !slices.Contains(honeyguide.VerdictWords(), v.As) {
		return a, false, doing("pass verdict", invalid("verdict: not a word of a verdict"))
	}
	if v.At.IsZero() {
		v.At = t.now()
	}
	said := v // what the alert carries is empty when the word is none; the record says who took it away
	said.At, said.Reason = state.Time(v.At), state.Clip(state.Column(v.Reason), state.MaxTitle)
	said.Comment, said.By = state.Clip(state.Column(v.Comment), state.MaxLine), state.Key(v.By)
	state.TidyVerdict(&v)
	num, old, err := alerts(t).find(ctx, alert)
	if err != nil {
		return a, false, doing("pass verdict", err)
	}
	before := old.Verdict
	if before.As == v.As && before.Reason == v.Reason && before.Comment == v.Comment {
		return old, false, nil
	}
	a = copied(old)
	a.Verdict = v
	if err := alerts(t).replace(ctx, num, &old, &a); err != nil {
		return a, false, doing("pass verdict", err)
	}
	return a, true, doing("note verdict", t.record(ctx, &a, said, before.As))
}

func (t verdicts) record(ctx context.Context, a *honeyguide.Alert, v honeyguide.Verdict, before honeyguide.VerdictWord) error {
	num, err := t.number(ctx, "verdict")
	if err != nil {
		return err
	}
	j := honeyguide.Judgement{
		ID: strconv.FormatInt(num, 10), Alert: a.ID, Short: a.Short, Incident: a.Incident, RuleID: a.RuleID, Source: state.Key(a.RuleSource()),
		Title: a.Title, Severity: a.Severity, Score: a.Score, Seen: a.Seen, Time: a.Time, Verdict: v, Before: before,
	}
	doc, err := encode(&j)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, "UPDATE verdict SET standing = 0 WHERE alert = $1", j.Alert); err != nil {
		return err
	}
	const q = "INSERT INTO verdict (num, id, alert, rule, source, word, at, standing, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)"
	// Numbers sort as text when they are equally long.
	if _, err := t.exec(ctx, q, num, fmt.Sprintf("%019d", num), j.Alert, j.RuleID, j.Source, string(v.As), micros(v.At), doc); err != nil {
		return err
	}
	_, err = t.exec(ctx, "DELETE FROM verdict WHERE num <= $1", num-state.KeptJudgements)
	return err
}

// standing is the part of a judgement that its document does not know.
const standing = `'{"standing":' || CASE WHEN standing = 1 THEN 'true' ELSE 'false' END || '}'`

// List reads a page.
func (t verdicts) List(ctx context.Context, q state.VerdictQuery) ([]honeyguide.Judgement, string, error) {
	var w where
	w.is("alert", q.Alert)
	w.is("rule", q.Rule)
	w.is("source", q.Source)
	w.is("word", string(q.Word))
	if q.Standing {
		w.add("standing = 1")
	}
	w.between("at", q.From, q.To)
	l := list{name: state.ListVerdicts, table: "verdict", at: "at", id: "id", rest: standing}
	out, next, err := page[honeyguide.Judgement](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list verdicts", err)
}

// Newest reads the newest that are telling.
func (t verdicts) Newest(ctx context.Context, most int) ([]honeyguide.Judgement, error) {
	out := []honeyguide.Judgement{}
	const q = `SELECT doc FROM verdict WHERE standing = 1 AND word IN ('true_positive', 'false_positive', 'benign') ORDER BY at DESC, id DESC LIMIT $1`
	err := t.each(ctx, q, []any{most}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		j := honeyguide.Judgement{}
		err := decode(doc, &j)
		j.Standing = true
		out = append(out, j)
		return err
	})
	slices.Reverse(out)
	return out, doing("read newest verdicts", err)
}

// Tally counts.
func (t verdicts) Tally(ctx context.Context, since time.Time) ([]state.VerdictTally, error) {
	out := []state.VerdictTally{}
	const q = "SELECT rule, source, word, count(*) FROM verdict WHERE standing = 1 AND at >= $1 GROUP BY rule, source, word ORDER BY rule, source, word"
	err := t.each(ctx, q, []any{micros(state.Time(since))}, func(scan func(...any) error) error {
		var v state.VerdictTally
		err := scan(&v.Rule, &v.Source, &v.Word, &v.Count)
		out = append(out, v)
		return err
	})
	return out, doing("count verdicts", err)
}
