package lineedit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestRecorded replays keys that were typed at a real bash and compares what
// was sent, byte for byte.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "keys*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	good, all := 0, 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Runs []struct {
				Cols       int
				Prompt     string
				Steps, Out []string
			}
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		for i, r := range f.Runs {
			e := New(TerminalFor("xterm-256color"), r.Cols, fixed{hist: []string{": echo one", ": ls -l /tmp/x", ": echo two three"}})
			e.Start(r.Prompt)
			e.Take()
			for j, got := range typed(e, r.Steps...) {
				all++
				if got == r.Out[j] {
					good++
					continue
				}
				if testing.Verbose() {
					t.Logf("run %d (%d columns, %q) step %d %q\n  got  %q\n  want %q\n  line %q", i, r.Cols, r.Prompt, j, r.Steps[j], got, r.Out[j], string(e.buf))
				}
				break // what follows starts from another screen
			}
		}
	}
	t.Logf("%d of %d steps exact", good, all)
	if good*1000 < all*985 {
		t.Error("fewer than 98.5 % of the steps are right")
	}
}
