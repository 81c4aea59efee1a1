package file_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"honeyguide/internal/config"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/kind"
	"honeyguide/internal/source/file"
	"honeyguide/internal/source/sourcetest"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// rig follows what settings (YAML) say.
func rig(t *testing.T, settings string) *sourcetest.Rig {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &sourcetest.Rig{
		T: t, Kind: file.Kind, Log: memory.Open(eventlog.Deps{}), State: st,
		Decode: kind.Decode(config.Strict("test", []byte("poll: 10ms\n"+settings))),
	}
}

func add(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) (*sourcetest.Rig, sourcetest.Producer) {
		path := filepath.Join(t.TempDir(), "eve.json")
		return rig(t, "path: "+path), sourcetest.Producer{
			Write: func(t testing.TB, lines string) { add(t, path, lines) }, Resumes: true, Waits: true,
		}
	})
}

func TestCopyTruncate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	r := rig(t, "path: "+path)
	add(t, path, sourcetest.Lines(0, 200))
	r.Start()
	r.Await(200)
	raw, err := os.ReadFile(path)
	must(t, err)
	add(t, path+".1", string(raw)+sourcetest.Lines(200, 210)) // written between the last look and the copy
	must(t, os.Truncate(path, 0))
	add(t, path, sourcetest.Lines(210, 220))
	r.Await(220)
	time.Sleep(1500 * time.Millisecond)
	r.Once(220)
}

func TestTemporaryNeighbours(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	r := rig(t, "path: "+path)
	add(t, path, sourcetest.Lines(0, 1))
	r.Start()
	r.Await(1)
	for _, name := range []string{".lock", ".tmp", "~", ".swp", "x.1"} {
		add(t, path+name, sourcetest.Lines(50, 60))
	}
	add(t, path+".7", sourcetest.Lines(1, 2))
	r.Await(2)
	r.Once(2)
}
