package backup_test

import (
	"archive/tar"
	"os"
	"path/filepath"
	"testing"

	"honeyguide/internal/audit"
	"honeyguide/internal/backup"
)

// TestStrangeArchives: a file that is no backup of ours is refused by what is
// strange about it, and writes nowhere.
func TestStrangeArchives(t *testing.T) {
	mark := []byte(`{"format":1,"store":"x"}`)
	gen := "generations/20261122T120000.000Z-00000000.json"
	for name, members := range map[string][]tar.Header{
		"up": {{Name: "../../etc/cron.d/x", Typeflag: tar.TypeReg}}, "root": {{Name: "/etc/passwd", Typeflag: tar.TypeReg}},
		"link": {{Name: gen, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}}, "hard link": {{Name: gen, Typeflag: tar.TypeLink, Linkname: "honeyguide-backup.json"}},
		"folder": {{Name: "objects/ab/", Typeflag: tar.TypeDir}}, "device": {{Name: gen, Typeflag: tar.TypeChar}},
		"twins": {{Name: gen, Typeflag: tar.TypeReg}, {Name: gen, Typeflag: tar.TypeReg}}, "no manifest": {}, "other name": {{Name: "readme", Typeflag: tar.TypeReg}},
	} {
		file := filepath.Join(t.TempDir(), "x"+backup.ArchiveSuffix)
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		w := tar.NewWriter(f)
		if err := w.WriteHeader(&tar.Header{Name: "honeyguide-backup.json", Size: int64(len(mark)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(mark); err != nil {
			t.Fatal(err)
		}
		for i := range members {
			if err := w.WriteHeader(&members[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if s, err := backup.Open(file); err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
		}
	}
	whole := newNode(t)
	file := filepath.Join(t.TempDir(), "one"+backup.ArchiveSuffix)
	whole.backUp(whole.job(file))
	st, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{0, 100, 512, st.Size() / 3, st.Size() / 2, st.Size() - 2048} {
		cut := filepath.Join(t.TempDir(), "cut"+backup.ArchiveSuffix)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(cut, raw[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := backup.Open(cut); err == nil {
			s.Close()
			t.Errorf("an archive of %d of %d bytes was opened", size, st.Size())
		}
	}
}

// TestPathsOfFiles: a list of files names no place outside the folder, nor what
// a restore keeps there itself.
func TestPathsOfFiles(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	line := func(path string) string {
		return `{"path":"` + path + `","size":0,"mode":384,"mtime":"2026-11-22T12:00:00Z","sha256":"` + sum + `","object":"` + sum + `","stored":0}` + "\n"
	}
	for _, path := range []string{"../x", "/etc/passwd", "a/../../x", "a//b", "./a", "", ".", "a\\\\b", "restore.journal", ".restore-1/x", "before-restore-1/x", "LOCK", "events/LOCK", "state.db-wal", ".backup/past.json"} {
		if _, err := backup.ReadFiles([]byte(line(path)), true); err == nil {
			t.Errorf("%q was taken", path)
		}
	}
	if _, err := backup.ReadFiles([]byte(line("a")+line("a")), true); err == nil {
		t.Error("a file was named twice")
	}
	if list, err := backup.ReadFiles([]byte(line("state.db")+line("keys/audit.key")), true); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}

// FuzzManifest reads anything as a manifest and as a list of files.
func FuzzManifest(f *testing.F) {
	n := newNode(f)
	to := filepath.Join(f.TempDir(), "b")
	m := n.backUp(n.job(to))
	raw, err := os.ReadFile(filepath.Join(to, "generations", m.ID+".json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"note":"","manifest":{}}`))
	f.Add([]byte(`{"path":"a","size":1}`))
	f.Add([]byte{})
	key := n.log.PublicKey()
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := backup.OpenManifest(b, key, audit.OpenStatement)
		if err == nil && (got.ID != m.ID || string(b) != string(raw)) {
			t.Errorf("a manifest nobody signed was taken: %s", b)
		}
		_, _ = backup.ReadFiles(b, false)
		_ = backup.ReadJournal(b)
		_ = backup.ReadMark(b)
	})
}
