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
	for _, d := range []struct{ table, key, cond string }{
		{"plan", "id", "created < $1 AND holds = 0 AND incident NOT IN (SELECT id FROM incident)"},
		{"run", "num", "created < $1 AND open = 0 AND incident NOT IN (SELECT id FROM incident)"},
		{"timeline", "id", "at < $1 AND incident NOT IN (SELECT id FROM incident)"},
		{"notice", "id", "created < $1 AND state <> 'queued'"},
		{"sample", "num", "last < $1"},
		{"enrichment", "type, value, provider", "at < $1"},
		{"dead_letter", "id", "at < $1"},
		{"job", "id", "dead = 1 AND run_at < $1"},
		{"exposure", "token, event", "at < $1"},
		{"suppression", "num", "created < $1 AND (expires < $1 OR lifted <> 0 AND lifted < $1)"},
		{"incident_change", "num", "at < $1"},
		{"attacker_note", "id", "at < $1"},
		{"allowed", "address", "expires <> 0 AND expires < $1"},
		{"token_use", "token, event", "at < $1"},
	} {
		n, err := t.dropped(ctx, d.table, d.key, d.cond, at, most)
		if err != nil {
			return dropped, doing("drop old rows", err)
		}
		dropped += n
	}
	more, err := t.dropTallies(ctx, before)
	return dropped + more, doing("drop old counts", err)
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
