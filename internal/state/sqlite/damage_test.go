package sqlite

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/state"
)

// TestFlippedBytes spoils the file at random places. Whatever becomes of it, there
// is no crash: it works, or an error says what to do.
func TestFlippedBytes(t *testing.T) {
	whole := t.TempDir()
	s, err := Open(t.Context(), Config{}, state.Deps{Dir: whole})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	err = s.Update(ctx, func(tx state.Tx) error {
		for i := range 400 {
			a := honeyguide.Alert{DedupeKey: "k" + strings.Repeat("x", i), Title: strings.Repeat("title ", 1+i%9), Count: 1}
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(whole, FileName))
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(3, 5))
	refused := 0
	for range 25 {
		dir, spoilt := t.TempDir(), append([]byte(nil), raw...)
		for range 1 + rnd.IntN(40) {
			spoilt[rnd.IntN(len(spoilt))] ^= byte(1 << rnd.IntN(8))
		}
		if err := os.WriteFile(filepath.Join(dir, FileName), spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(ctx, Config{}, state.Deps{Dir: dir})
		if err == nil {
			err = s.View(ctx, func(tx state.Tx) error {
				for after := ""; ; {
					_, next, err := tx.Alerts().List(ctx, state.AlertQuery{Page: state.Page{After: after, Limit: 100}})
					if err != nil || next == "" {
						return err
					}
					after = next
				}
			})
			if cerr := s.Close(); cerr != nil {
				t.Logf("close: %v", cerr)
			}
		}
		if err != nil {
			refused++
			if strings.Contains(err.Error(), "malformed") && !strings.Contains(err.Error(), "restore") {
				t.Errorf("no word of what to do: %v", err)
			}
		}
	}
	t.Logf("%d of 25 spoilt files were refused", refused)
	if refused == 0 {
		t.Error("no spoilt file was refused: this proves nothing")
	}
}
