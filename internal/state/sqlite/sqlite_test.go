package sqlite_test

import (
	"testing"

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
