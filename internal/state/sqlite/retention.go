package sqlite

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Drop forgets a bounded number of old rows of each kind. What hangs on a row goes
// with it (ON DELETE CASCADE); words and plans are taken by hand.
func (t retention) Drop(ctx context.Context, before time.Time, most int) (dropped int64, err error) {
	if err := t.flush(ctx); err != nil {
		return 0, err
	}
	at := micros(state.Time(before))
	for _, d := range []struct{ table, words, cond string }{
		{"session", "session_words", "last < $1 AND started < $1 AND ended <> 0"},
		{"alert", "alert_words", "last < $1 AND created < $1"},
		{"incident", "incident_words", "updated < $1 AND status IN ('resolved', 'closed')"},
	} {
		n, err := t.numbered(ctx, d.table, d.words, d.cond, at, most)
		if err != nil {
			return dropped, doing("drop old "+d.table+" rows", err)
		}
		dropped += n
	}
	for _, q := range []string{
		"DELETE FROM plan WHERE id IN (SELECT id FROM plan WHERE created < $1 AND holds = 0 AND incident NOT IN (SELECT id FROM incident) LIMIT $2)",
		"DELETE FROM run WHERE num IN (SELECT num FROM run WHERE created < $1 AND open = 0 AND incident NOT IN (SELECT id FROM incident) LIMIT $2)",
		"DELETE FROM timeline WHERE id IN (SELECT id FROM timeline WHERE at < $1 AND incident NOT IN (SELECT id FROM incident) LIMIT $2)",
		"DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE created < $1 AND state <> 'queued' LIMIT $2)",
		"DELETE FROM sample WHERE num IN (SELECT num FROM sample WHERE last < $1 LIMIT $2)",
		"DELETE FROM enrichment WHERE (type, value, provider) IN (SELECT type, value, provider FROM enrichment WHERE at < $1 ORDER BY at LIMIT $2)",
		"DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter WHERE at < $1 ORDER BY at LIMIT $2)",
		"DELETE FROM job WHERE id IN (SELECT id FROM job WHERE dead = 1 AND run_at < $1 ORDER BY run_at LIMIT $2)",
		"DELETE FROM exposure WHERE (token, event) IN (SELECT token, event FROM exposure WHERE at < $1 LIMIT $2)",
		"DELETE FROM suppression WHERE num IN (SELECT num FROM suppression WHERE created < $1 AND (expires < $1 OR lifted <> 0 AND lifted < $1) LIMIT $2)",
		"DELETE FROM incident_change WHERE num IN (SELECT num FROM incident_change WHERE at < $1 LIMIT $2)",
		"DELETE FROM attacker_note WHERE id IN (SELECT id FROM attacker_note WHERE at < $1 LIMIT $2)",
		"DELETE FROM allowed WHERE address IN (SELECT address FROM allowed WHERE expires <> 0 AND expires < $1 LIMIT $2)",
		"DELETE FROM token_use WHERE (token, event) IN (SELECT token, event FROM token_use WHERE at < $1 LIMIT $2)",
	} {
		n, err := t.exec(ctx, q, at, most)
		if err != nil {
			return dropped, doing("drop old rows", err)
		}
		dropped += n
	}
	more, err := t.dropTallies(ctx, before)
	return dropped + more, doing("drop old counts", err)
}

func (t retention) numbered(ctx context.Context, table, words, cond string, before int64, most int) (int64, error) {
	var nums []int64
	column := "''"
	if table == "alert" {
		column = "status"
	}
	q := "SELECT num, severity, " + column + " FROM " + table + " WHERE " + cond + " LIMIT $2"
	err := t.each(ctx, q, []any{before, most}, func(scan func(...any) error) error {
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
