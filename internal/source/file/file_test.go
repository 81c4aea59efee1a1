package file_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/config"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/ingest"
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

func TestGlobsFoldersAndOddFiles(t *testing.T) {
	dir := t.TempDir()
	add(t, filepath.Join(dir, "a.log"), sourcetest.Lines(0, 10))
	add(t, filepath.Join(dir, "b.log"), sourcetest.Lines(10, 20))
	add(t, filepath.Join(dir, "c.txt"), sourcetest.Lines(90, 91))
	add(t, filepath.Join(dir, "secret.log"), sourcetest.Lines(91, 92))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe.log"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "folder.log"), 0o700))
	folder := filepath.Join(dir, "folder.log")
	add(t, filepath.Join(folder, "x"), sourcetest.Lines(20, 30))
	add(t, filepath.Join(folder, ".hidden"), sourcetest.Lines(92, 93))
	must(t, os.Symlink(filepath.Join(dir, "a.log"), filepath.Join(dir, "again.log")))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "broken.log")))
	r := rig(t, "path: ["+dir+"/*.log, "+folder+", /nowhere/at/all.json]\nexclude: [secret*]")
	r.Start()
	r.Await(30)
	add(t, filepath.Join(dir, "new.log"), sourcetest.Lines(30, 40))
	r.Await(40)
	r.Once(40)
}

func TestFromEndAndPartialLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	add(t, path, sourcetest.Lines(90, 95)+`{"n":`)
	r := rig(t, "from: end\npath: "+path)
	r.Start()
	r.Eventually("it follows", func() bool { return len(r.Status().Streams) == 1 })
	add(t, path, "0}\n"+`{"n":1`)
	r.Await(1)
	time.Sleep(100 * time.Millisecond)
	r.Kill()
	add(t, path, "}\n")
	r.Start()
	r.Await(2)
	r.Once(2)
	if dead := r.Dead(); len(dead) > 0 {
		t.Errorf("dead letters %v", dead)
	}
}

func TestCompressedFilesAreReadOnce(t *testing.T) {
	dir := t.TempDir()
	zip := func(name, text string) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(text))
		must(t, errors.Join(err, z.Close()))
		must(t, os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600))
	}
	zip("eve.json.2.gz", sourcetest.Lines(0, 3000)+strings.Repeat("x", 3<<20)+"\n"+strings.TrimSuffix(sourcetest.Line(3000), "\n"))
	add(t, filepath.Join(dir, "eve.json"), sourcetest.Lines(3001, 3100))
	r := rig(t, "path: "+dir+"/eve.json*")
	r.Start()
	r.Await(3100)
	r.Stop()
	must(t, os.Rename(filepath.Join(dir, "eve.json.2.gz"), filepath.Join(dir, "eve.json.3.gz")))
	r.Start()
	add(t, filepath.Join(dir, "eve.json"), sourcetest.Lines(3100, 3101))
	r.Await(3101)
	r.Once(3101)
	if dead := r.Dead(); len(dead) != 1 || dead[0].Line != 3001 || dead[0].Bytes != 3<<20+1 {
		t.Errorf("dead letters %v", dead)
	}
}

func TestAFileInThePlaceOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	add(t, path, sourcetest.Lines(0, 50))
	r := rig(t, "path: "+path)
	r.Start()
	r.Await(50)
	// The same inode, emptied and filled beyond the place within one look.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0o600)
	must(t, err)
	_, err = f.WriteString(sourcetest.Lines(50, 400))
	must(t, errors.Join(err, f.Close()))
	r.Await(400)
	r.Stop()
	// Another inode while nobody looks.
	must(t, os.Remove(path))
	add(t, path, sourcetest.Lines(400, 1000))
	r.Start()
	r.Await(1000)
	r.Once(1000)
}

func TestTablesAreReadOnWithTheirHeader(t *testing.T) {
	dir := t.TempDir()
	csv, zeek := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
	add(t, csv, "n,word\n0,a\n1,b\n")
	add(t, zeek, "#separator \\x09\n#set_separator\t,\n#fields\tn\tword\n#types\tcount\tstring\n2\tc\n")
	for _, path := range []string{csv, zeek} {
		r := rig(t, "path: "+path)
		if path == csv {
			r.Feed.Format = "csv"
			r.Mappers = []ingest.Format{{Name: "generic", Mapper: sourcetest.Mapper{}}}
		}
		r.Start()
		first, more, row := 2, 4, "2,c\n3,d\n"
		if path == zeek {
			first, more, row = 1, 2, "3\td\n"
		}
		r.Await(first)
		r.Kill()
		add(t, path, row)
		r.Start()
		r.Await(more)
		if dead := r.Dead(); len(dead) > 0 || len(r.Numbers()) != more {
			t.Errorf("%s: %v, dead letters %v", path, r.Numbers(), dead)
		}
		r.Stop()
	}
}

func TestTooManyFiles(t *testing.T) {
	dir := t.TempDir()
	for n := range 12 {
		add(t, filepath.Join(dir, fmt.Sprintf("%02d.log", n)), sourcetest.Lines(10*n, 10*n+10))
	}
	r := rig(t, "max_files: 8\nopen_files: 2\npath: "+dir)
	r.Start()
	r.Await(80)
	r.Eventually("it is told of", func() bool { return strings.Contains(r.Status().Detail, "max_files") })
	for n := range 8 {
		add(t, filepath.Join(dir, fmt.Sprintf("%02d.log", n)), sourcetest.Lines(120+n, 121+n))
	}
	r.Await(88)
}

func TestConfig(t *testing.T) {
	for settings, want := range map[string]string{
		"": "path: missing", "path: eve.json": "absolute", "path: /a/[": "pattern", "path: /a\nfrom: middle": "from", "path: /a\npoll: 1ns": "poll", "path: /a\nopen_files: 0": "open_files",
	} {
		err := file.Kind.Check(kind.Decode(config.Strict("test", []byte(settings))))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", settings, err, want)
		}
	}
}
