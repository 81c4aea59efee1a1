package ingest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide/internal/builtin"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
)

// Event log files give the same fields as the JSON another reader made of them.
// The files are those of the public Sigma rules (HONEYGUIDE_SIGMA_DIR).
func TestEventLogFiles(t *testing.T) {
	root := os.Getenv("HONEYGUIDE_SIGMA_DIR")
	if root == "" {
		t.Skip("HONEYGUIDE_SIGMA_DIR names no checkout of the public Sigma rules")
	}
	all := ingesttest.Open(t, builtin.Mappers())
	read := func(path string) ingesttest.Result {
		input, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return ingesttest.Read(t, ingest.Options{Mappers: all, Name: filepath.Base(path)}, input)
	}
	files, fields, differ := 0, 0, 0
	err := filepath.WalkDir(filepath.Join(root, "regression_data"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".evtx") {
			return err
		}
		files++
		binary, text := read(path), read(strings.TrimSuffix(path, ".evtx")+".json")
		if binary.Err != nil || len(binary.Dead) > 0 || text.Err != nil || len(text.Dead) > 0 {
			t.Errorf("%s: %v, %v, %d and %d dead letters", path, binary.Err, text.Err, len(binary.Dead), len(text.Dead))
			for _, d := range binary.Dead {
				t.Log(d.Reason)
			}
			return nil
		}
		if len(binary.Events) != len(text.Events) {
			t.Errorf("%s: %d events, the JSON has %d", path, len(binary.Events), len(text.Events))
			return nil
		}
		for i, want := range text.Events {
			got := binary.Events[i]
			for name, v := range want.Attrs {
				own, ok := strings.CutPrefix(name, ingest.AttrUnmapped)
				if s, _ := v.(string); !ok || s == "" || strings.HasPrefix(own, "xmlns") {
					continue
				}
				fields++
				if g := got.Str(name); plain(g) != plain(v.(string)) {
					differ++
					if differ <= 20 {
						t.Errorf("%s: %s: got %q, want %q", filepath.Base(path), own, g, v)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d fields compared, %d differ", files, fields, differ)
	if files == 0 {
		t.Error("there are no event log files")
	}
}

// plain undoes what readers write differently: letter case and braces of GUIDs,
// the digits of times, the spelling of numbers.
func plain(s string) string {
	s = strings.ToLower(strings.Trim(s, "{}"))
	if len(s) > 19 && s[4] == '-' && s[10] == 't' {
		s = strings.TrimRight(s[:min(len(s), 26)], "0.z") // microseconds
	}
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}
