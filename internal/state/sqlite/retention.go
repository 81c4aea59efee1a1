package sqlite

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A lapse says which rows of a table go: those cond finds, when at, a time, is
// before $1. words is the table of the words people search them by, which have to
// be taken by hand.
type lapse struct {
	of         state.Class
	table, key string
	at, cond   string
	words      string
}

// lapses are all tables whose rows grow old. What hangs on a row goes with it (ON
// DELETE CASCADE).
var lapses = []lapse{
	{of: state.ClassSessions, table: "session", key: "num", at: "last", cond: "last < $1 AND started < $1 AND ended <> 0", words: "session_words"},
	{of: state.ClassAlerts, table: "alert", key: "num", at: "last", cond: "last < $1 AND created < $1", words: "alert_words"},
	{of: state.ClassAlerts, table: "incident", key: "num", at: "updated", cond: "updated < $1 AND status IN ('resolved', 'closed')", words: "incident_words"},
	{of: state.ClassAlerts, table: "plan", key: "id", at: "created", cond: "created < $1 AND holds = 0 AND incident NOT IN (SELECT id FROM incident)"},
	{of: state.ClassAlerts, table: "run", key: "num", at: "created", cond: "created < $1 AND open = 0 AND incident NOT IN (SELECT id FROM incident)"},
	{of: state.ClassAlerts, table: "timeline", key: "id", at: "at", cond: "at < $1 AND incident NOT IN (SELECT id FROM incident)"},
	{of: state.ClassNotices, table: "notice", key: "id", at: "created", cond: "created < $1 AND state <> 'queued'"},
	{of: state.ClassSamples, table: "sample", key: "num", at: "last", cond: "last < $1"},
	{of: state.ClassAttackers, table: "enrichment", key: "type, value, provider", at: "at", cond: "at < $1"},
	{of: state.ClassDeadLetters, table: "dead_letter", key: "id", at: "at", cond: "at < $1"},
	{of: state.ClassAlerts, table: "job", key: "id", at: "run_at", cond: "dead = 1 AND run_at < $1"},
	{of: state.ClassAttackers, table: "exposure", key: "token, event", at: "at", cond: "at < $1"},
	{of: state.ClassAlerts, table: "suppression", key: "num", at: "created", cond: "created < $1 AND (expires < $1 OR lifted <> 0 AND lifted < $1)"},
	{of: state.ClassAlerts, table: "incident_change", key: "num", at: "at", cond: "at < $1"},
	{of: state.ClassAttackers, table: "attacker_note", key: "id", at: "at", cond: "at < $1"},
	{of: state.ClassAttackers, table: "allowed", key: "address", at: "created", cond: "expires <> 0 AND expires < $1"},
	{of: state.ClassAttackers, table: "token_use", key: "token, event", at: "at", cond: "at < $1"},
	{of: state.ClassLogins, table: "login_try", key: "id", at: "at", cond: "at < $1"},
	{of: state.ClassLogins, table: "login_session", key: "id", at: "seen", cond: "seen < $1 AND until < $1"},
}

// Drop forgets a bounded number of old rows of each kind.
func (t retention) Drop(ctx context.Context, before time.Time, most int) (dropped int64, err error) {
	for _, c := range state.Classes {
		n, err := t.DropOf(ctx, c, before, most)
		if dropped += n; err != nil {
			return dropped, err
		}
	}
	n, err := t.DropCounts(ctx, before)
	return dropped + n, err
}

// DropCounts forgets old counts.
func (t retention) DropCounts(ctx context.Context, before time.Time) (int64, error) {
	n, err := t.dropTallies(ctx, before)
	return n, doing("drop old counts", err)
}

// DropOf is Drop for one class.
func (t retention) DropOf(ctx context.Context, class state.Class, before time.Time, most int) (dropped int64, err error) {
	if err := t.flush(ctx); err != nil {
		return 0, err
	}
	at := micros(state.Time(before))
	for _, d := range lapses {
		if d.of != class {
			continue
		}
		n := int64(0)
		if d.words != "" {
			n, err = t.numbered(ctx, d.table, d.words, d.cond, at, most)
		} else {
			n, err = t.dropped(ctx, d.table, d.key, d.cond, at, most)
		}
		if err != nil {
			return dropped, doing("drop old "+d.table+" rows", err)
		}
		dropped += n
	}
	return dropped, nil
}

// Standing says how a class stands.
func (t retention) Standing(ctx context.Context, class state.Class, before time.Time) (s state.Standing, err error) {
	if err := t.flush(ctx); err != nil {
		return s, err
	}
	for _, d := range lapses {
		if d.of != class {
			continue
		}
		var n, oldest, over, at int64
		at = micros(state.Time(before))
		if _, err := t.one(ctx, "SELECT count(*), coalesce(min("+d.at+"), 0) FROM "+d.table, nil, &n, &oldest); err != nil {
			return s, doing("count "+d.table, err)
		}
		s.Kept += n
		if m := moment(oldest); oldest > 0 && (s.Oldest.IsZero() || m.Before(s.Oldest)) {
			s.Oldest = m
		}
		if _, err := t.one(ctx, "SELECT count(*) FROM "+d.table+" WHERE "+d.at+" < $1", []any{at}, &over); err != nil {
			return s, doing("count "+d.table, err)
		}
		if s.Over += over; over == 0 {
			continue
		}
		spare, held, err := t.spare(ctx, d.table)
		if err != nil {
			return s, err
		}
		args := []any{at}
		if held != nil { // their numbers begin behind those of dropped
			spare, args = spare+" AND $2 IS NOT NULL", append(args, append([]any{0}, held...)...)
		}
		due := int64(0)
		if _, err := t.one(ctx, "SELECT count(*) FROM "+d.table+" WHERE ("+d.cond+")"+spare, args, &due); err != nil {
			return s, doing("count "+d.table, err)
		}
		s.Due += due
	}
	return s, nil
}

// dropped removes the rows of a table, named by key, that a condition finds and
// no hold keeps.
func (t retention) dropped(ctx context.Context, table, key, cond string, before int64, most int) (int64, error) {
	spare, held, err := t.spare(ctx, table)
	if err != nil {
		return 0, err
	}
	q := "DELETE FROM " + table + " WHERE (" + key + ") IN (SELECT " + key + " FROM " + table + " WHERE (" + cond + ")" + spare + " LIMIT $2)"
	return t.exec(ctx, q, append([]any{before, most}, held...)...)
}

func (t retention) numbered(ctx context.Context, table, words, cond string, before int64, most int) (int64, error) {
	var nums []int64
	column := "''"
	if table == "alert" {
		column = "status"
	}
	spare, held, err := t.spare(ctx, table)
	if err != nil {
		return 0, err
	}
	q := "SELECT num, severity, " + column + " FROM " + table + " WHERE (" + cond + ")" + spare + " LIMIT $2"
	err = t.each(ctx, q, append([]any{before, most}, held...), func(scan func(...any) error) error {
		var n int64
		var s honeyguide.Severity
		var status string
		err := scan(&n, &s, &status)
		nums = append(nums, n)
		if table == "alert" {
			t.tally(openKind, time.Time{}, status, s, -1, 0)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, n := range nums {
		if _, err := t.exec(ctx, "DELETE FROM "+words+" WHERE rowid = $1", n); err != nil {
			return 0, err
		}
		t.conn.warm.drop(n)
		if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE num = $1", n); err != nil {
			return 0, err
		}
	}
	return int64(len(nums)), nil
}
