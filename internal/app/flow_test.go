package app

import (
	"testing"

	"honeyguide/internal/evidence"
)

// A session of another product carries that product's name, which no recording
// can have: it must not be said to have one.
func TestForeignSessionsHaveNoRecording(t *testing.T) {
	store, err := evidence.Open(t.TempDir(), evidence.Options{Total: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	a := &App{recordings: store}
	for _, session := range []string{"cowrie-ab40c8e9ba6a", "", "..", "06h05henaufreh1uoqaov7g5co"} {
		if got := a.recordingOf(session); got != "" {
			t.Errorf("recordingOf(%q) = %q, want none", session, got)
		}
	}
}
