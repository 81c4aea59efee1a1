package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// bootstrap is the administrator's key of these tests.
const bootstrap honeyguide.Secret = "an operator's own key of 40 characters.."

var day = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// rig is keys over a real state.
type rig struct {
	store state.Store
	keys  *StateKeys
}

func newRig(t *testing.T) *rig {
	t.Helper()
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys, err := NewStateKeys(store, bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{store: store, keys: keys}
}

func TestKeys(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	secret, key, err := NewKey("ci", ScopeIngest, day, day.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if !WellFormed(secret) || !strings.HasPrefix(secret.Reveal(), "hg_") || len(secret.Reveal()) != 3+32+7 {
		t.Errorf("an odd key of %d characters", len(secret.Reveal()))
	}
	mistyped := honeyguide.Secret(strings.Replace(secret.Reveal(), secret.Reveal()[5:6], "w", 1))
	if WellFormed(mistyped) || WellFormed("hg_") || WellFormed("") || WellFormed(bootstrap) {
		t.Error("what is no key passes for one")
	}
	if _, err := r.keys.Lookup(ctx, secret, day); !errors.Is(err, ErrNoKey) {
		t.Errorf("before it is kept: %v", err)
	}
	if err := r.keys.Add(ctx, key); err != nil {
		t.Fatal(err)
	}
	if got, err := r.keys.Lookup(ctx, secret, day); err != nil || got.ID != key.ID || got.Scope != ScopeIngest {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := r.keys.Lookup(ctx, secret, day.Add(time.Hour)); !errors.Is(err, ErrNoKey) {
		t.Errorf("after its end: %v", err)
	}
	if got, err := r.keys.Lookup(ctx, bootstrap, day); err != nil || got.Scope != ScopeAdmin {
		t.Errorf("bootstrap: %+v, %v", got, err)
	}
	if all, err := r.keys.List(ctx); err != nil || len(all) != 1 || strings.Contains(fmt.Sprintf("%+v", all), secret.Reveal()[3:35]) {
		t.Errorf("list: %+v, %v", all, err)
	}
	if err := r.keys.Remove(ctx, key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.keys.Lookup(ctx, secret, day); !errors.Is(err, ErrNoKey) {
		t.Errorf("after it was taken back: %v", err)
	}
	if err := r.keys.Remove(ctx, key.ID); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("taken back twice: %v", err)
	}
	for _, s := range []honeyguide.Secret{"", "hg_", honeyguide.Secret(key.Sum)} {
		if _, err := r.keys.Lookup(ctx, s, day); !errors.Is(err, ErrNoKey) {
			t.Errorf("%q: %v", s.Reveal(), err)
		}
	}
}

func TestBadKeys(t *testing.T) {
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := NewStateKeys(store, "short"); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || strings.Contains(err.Error(), `"short"`) {
		t.Errorf("a short bootstrap key: %v", err)
	}
	none, err := NewStateKeys(store, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Lookup(t.Context(), "", day); !errors.Is(err, ErrNoKey) {
		t.Errorf("no key at all: %v", err)
	}
	if _, _, err := NewKey("x", "root", day, time.Time{}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("an unknown scope: %v", err)
	}
	if _, _, err := NewKey("", ScopeAdmin, day, time.Time{}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("no name: %v", err)
	}
}
