package evidence

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/personal"
)

// TestRewrite: a recording changes, also where a value was typed letter by letter,
// and is as old as it was; those that are not named stay.
func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	then := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	text := tape(true, keys("ping 203.0.113.7\r", func(int) int { return 90 })...)
	for _, id := range []string{"session1", "session2"} {
		if err := os.WriteFile(filepath.Join(dir, Name(id)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, Name(id)), then, then); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	who, err := personal.Parse("address:203.0.113.7")
	if err != nil {
		t.Fatal(err)
	}
	r := personal.Erase(who, personal.NewMark())
	changed, err := s.Rewrite(t.Context(), r, false, func(session string, last time.Time) bool { return session == "session1" && last.Equal(then) })
	if err != nil || len(changed) != 1 || changed[0] != "session1" {
		t.Fatal(changed, err)
	}
	list, err := s.List(0)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for _, rec := range list {
		if !rec.LastAt.Equal(then) {
			t.Errorf("%s is from %s now: it would be kept longer", rec.Session, rec.LastAt)
		}
	}
	for id, want := range map[string]bool{"session1": false, "session2": true} {
		raw, err := os.ReadFile(filepath.Join(dir, Name(id)))
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Count(string(raw), "\"1\"]") > 1; has != want { // the two ones of 113
			t.Errorf("%s: %s", id, raw)
		}
	}
}
