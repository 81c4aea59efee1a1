package sqlite_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/state/statetest"
)

func open(t testing.TB, dep state.Deps) state.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{}, dep)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) { statetest.Run(t, open) }

func user(t *testing.T, what string, err error, code honeyguide.Code, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*honeyguide.Error](err)
	if !ok || e.Code != code {
		t.Errorf("%s: %v, want code %s", what, err, code)
		return
	}
	for _, w := range words {
		if !strings.Contains(e.Message, w) {
			t.Errorf("%s: message %q does not name %q", what, e.Message, w)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	empty, junk, foreign, newer := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	_, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: empty, ReadOnly: true})
	user(t, "read what is not there", err, honeyguide.CodeNotFound, "state.db", empty)

	if err := os.WriteFile(filepath.Join(junk, sqlite.FileName), []byte(strings.Repeat("junk ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: junk}); !sqldb.IsCorrupt(err) {
		t.Errorf("junk: %v", err)
	}
	for dir, q := range map[string]string{foreign: "CREATE TABLE bookmarks (x)", newer: "INSERT INTO schema_migration VALUES (99, '0099_x.sql', 'x', 0)"} {
		if dir == newer {
			open(t, state.Deps{Dir: dir}).Close()
		}
		db, err := sqldb.Open(t.Context(), sqldb.Options{Path: filepath.Join(dir, sqlite.FileName)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	_, err = sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: foreign})
	user(t, "another program's file", err, honeyguide.CodeConflict, "state.db")
	for _, ro := range []bool{false, true} {
		_, err = sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: newer, ReadOnly: ro})
		user(t, "a newer file", err, honeyguide.CodeConflict, "state.db", "schema 99")
	}
	for _, c := range []sqlite.Config{{CacheKiB: 1, Readers: 1}, {CacheKiB: 1024, Readers: 99}} {
		if _, err := sqlite.Open(t.Context(), c, state.Deps{Dir: t.TempDir()}); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// TestReadOldSchema: a reader does not touch a file that waits for its migration.
func TestReadOldSchema(t *testing.T) {
	dir := t.TempDir()
	open(t, state.Deps{Dir: dir}).Close()
	db, err := sqldb.Open(t.Context(), sqldb.Options{Path: filepath.Join(dir, sqlite.FileName)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	_, err = sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir, ReadOnly: true})
	user(t, "an older file", err, honeyguide.CodeConflict, "state.db")
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	save(t, s, []honeyguide.Alert{sample(1, "k")})
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	copied := filepath.Join(t.TempDir(), sqlite.FileName)
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	save(t, s, []honeyguide.Alert{sample(2, "after")})
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The last to close leaves one plain file.
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 1 {
		t.Errorf("left behind: %q", names)
	}
	b := open(t, state.Deps{Dir: filepath.Dir(copied)})
	defer b.Close()
	if n := len(list(t, b, state.AlertQuery{})); n != 1 {
		t.Errorf("the copy has %d alerts, want 1", n)
	}
}

func list(t testing.TB, s state.Store, q state.AlertQuery) (all []honeyguide.Alert) {
	t.Helper()
	err := s.View(t.Context(), func(tx state.Tx) error {
		for {
			l, next, err := tx.Alerts().List(t.Context(), q)
			all, q.After = append(all, l...), next
			if err != nil || next == "" {
				return err
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCommonWords has so many matches that the other way of asking is taken, and
// must give the same rows.
func TestCommonWords(t *testing.T) {
	s := open(t, state.Deps{Dir: t.TempDir()})
	defer s.Close()
	statuses := []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertEscalated, honeyguide.AlertClosed}
	const n = 5200
	alerts := make([]honeyguide.Alert, n)
	for i := range alerts {
		a := honeyguide.Alert{Title: "common", CreatedAt: epoch.Add(time.Duration(i*7919%n) * time.Second), Status: statuses[i%3], Severity: honeyguide.Severity(i % 6)}
		a.Attacks = []honeyguide.Technique{{ID: "T1110"}}
		if i%1000 == 0 {
			a.Title += " rare"
		}
		alerts[i] = a
	}
	save(t, s, alerts)
	slices.SortFunc(alerts, func(a, b honeyguide.Alert) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
	})
	for name, q := range map[string]state.AlertQuery{
		"word": {Text: "common"}, "word and statuses": {Text: "common", Status: statuses[:2]}, "technique": {Technique: "T1110", Status: statuses[1:]},
		"both": {Text: "common", Technique: "T1110", Severity: honeyguide.SeverityHigh}, "rare": {Text: "common rare", Status: statuses},
		"common and rare": {Text: "rare", Technique: "T1110", Status: statuses[:2]},
	} {
		q.Limit = 700
		var want []string
		for _, a := range alerts {
			if (len(q.Status) == 0 || slices.Contains(q.Status, a.Status)) && a.Severity >= q.Severity &&
				(!strings.Contains(q.Text, "rare") || strings.Contains(a.Title, "rare")) {
				want = append(want, a.ID)
			}
		}
		var got []string
		for _, a := range list(t, s, q) {
			got = append(got, a.ID)
		}
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, want %d in this order", name, len(got), len(want))
		}
	}
}

// TestWaitingUpdateGivesUp: a caller that waits for the writer leaves when its context ends.
func TestWaitingUpdateGivesUp(t *testing.T) {
	s := open(t, state.Deps{Dir: t.TempDir()})
	defer s.Close()
	err := s.Update(t.Context(), func(state.Tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Update(ctx, func(state.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMergeIsNotShared: what a caller does to an alert it got back does not reach
// the next merge.
func TestMergeIsNotShared(t *testing.T) {
	s := open(t, state.Deps{Dir: t.TempDir()})
	defer s.Close()
	save(t, s, []honeyguide.Alert{sample(1, "k")})
	spoil := []honeyguide.Alert{sample(2, "k")}
	save(t, s, spoil)
	want := list(t, s, state.AlertQuery{})[0]
	for i := range spoil[0].Evidence {
		spoil[0].Evidence[i].Text, spoil[0].EventIDs[i], spoil[0].Reasons[0].Text = "spoilt", "spoilt", "spoilt"
	}
	err := s.Update(t.Context(), func(tx state.Tx) error { // a merge that is rolled back does not stay in memory
		a := sample(3, "k")
		if _, err := tx.Alerts().Save(t.Context(), &a); err != nil {
			return err
		}
		return context.Canceled
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	last := []honeyguide.Alert{{DedupeKey: "k", Count: 1}}
	save(t, s, last)
	want.Count++
	if !reflect.DeepEqual(last[0], want) {
		t.Errorf("got %+v\nwant %+v", last[0], want)
	}
	if got := list(t, s, state.AlertQuery{})[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("stored %+v\nwant %+v", got, want)
	}
}
