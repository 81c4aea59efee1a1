package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/state"
)

// TestFullDisk bounds the file instead of the disk: the transaction is refused
// with a word for the user, readers go on, and with room the same store writes on.
func TestFullDisk(t *testing.T) {
	s, err := Open(t.Context(), Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	pages := func(n int) {
		t.Helper()
		err := s.Update(ctx, func(x state.Tx) error {
			var got int
			_, err := x.(*tx).one(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n), nil, &got)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fill := func(n int) error {
		return s.Update(ctx, func(tx state.Tx) error {
			if err := tx.Meta().Put(ctx, "x", fmt.Sprint(n)); err != nil {
				return err
			}
			a := honeyguide.Alert{DedupeKey: "k", Count: 1}
			_, err := tx.Alerts().Save(ctx, &a)
			// An error that is passed over must not let half a transaction through.
			_ = tx.Meta().Put(ctx, fmt.Sprint("big", n), strings.Repeat("x", n))
			return err
		})
	}
	if err := fill(1); err != nil {
		t.Fatal(err)
	}
	pages(1) // the engine takes the present size instead
	err = fill(1 << 20)
	e, ok := errors.AsType[*honeyguide.Error](err)
	if !ok || e.Code != honeyguide.CodeUnavailable || !strings.Contains(e.Message, "full") {
		t.Fatalf("full: %v", err)
	}
	see := func(want string, count int64) {
		t.Helper()
		err := s.View(ctx, func(tx state.Tx) error {
			got, err := tx.Meta().Get(ctx, "x")
			a, err2 := tx.Alerts().Get(ctx, "A-1")
			if got != want || a.Count != count {
				t.Errorf("x = %q, count %d, want %q, %d", got, a.Count, want, count)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	see("1", 1)
	pages(1 << 20)
	if err := fill(2); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	see("2", 2)
}
