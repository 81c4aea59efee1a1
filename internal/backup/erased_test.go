package backup_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/backup"
	"honeyguide/internal/seal"
)

// TestErasedList: what was erased after a backup is told to the folder of backups,
// sealed and signed, and handed to who restores.
func TestErasedList(t *testing.T) {
	n := newNode(t)
	id, err := seal.NewIdentity()
	n.must(err)
	key, err := backup.ReadKey(id.Reveal())
	n.must(err)
	to := filepath.Join(t.TempDir(), "b")
	list := "first"
	job := n.job(to)
	job.Plain, job.Recipient = false, id.Recipient().String()
	job.Erased = func(context.Context) ([]byte, error) { return []byte(list), nil }
	if err := backup.KeepErased(t.Context(), job, []byte("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there is no backup yet: %v", err)
	}
	m := n.backUp(job)
	known := func(want string) {
		t.Helper()
		got, at, err := open(t, to).Erased(m, key)
		if err != nil || string(got) != want || at.IsZero() {
			t.Errorf("%q of %v, %v; want %q", got, at, err, want)
		}
	}
	known("first")
	n.must(backup.KeepErased(t.Context(), job, []byte("second, of zebulon")))
	known("second, of zebulon")
	if _, _, err := open(t, to).Erased(m, backup.Key{}); honeyguide.ErrorCode(err) != honeyguide.CodeForbidden {
		t.Errorf("without the key: %v", err)
	}
	file := filepath.Join(to, "erasures.json")
	raw, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(raw), "zebulon") {
		t.Errorf("the list lies in clear (%v)", err)
	}
	r := restore(open(t, to), filepath.Join(t.TempDir(), "r"))
	r.Key, r.Public = key, n.log.PublicKey()
	out, err := r.Run(t.Context())
	if err != nil || string(out.Erased) != "second, of zebulon" || len(out.Notes) != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	// A list that was changed is no reason not to restore, and is said.
	for i := range raw {
		if i%7 > 0 {
			continue
		}
		put(t, file, func([]byte) []byte { bad := append([]byte{}, raw...); bad[i] ^= 1; return bad })
		if got, _, err := open(t, to).Erased(m, key); err == nil {
			t.Fatalf("byte %d of %d changed: %q was taken", i, len(raw), got)
		}
	}
	if report, err := backup.Verify(t.Context(), backup.Check{From: open(t, to), Key: key}); err != nil || report.Sound() {
		t.Errorf("verify found nothing: %v", err)
	}
	r.Data = filepath.Join(t.TempDir(), "r2")
	if out, err = r.Run(t.Context()); err != nil || out.Erased != nil || len(out.Notes) != 1 || !strings.Contains(out.Notes[0], "erasures") {
		t.Errorf("%+v, %v", out, err)
	}
	// Whose key signed it is said where nobody gave one.
	r.Data, r.Public = filepath.Join(t.TempDir(), "r3"), ""
	if out, err = r.Run(t.Context()); err != nil || len(out.Notes) != 2 || !strings.Contains(out.Notes[1], m.AuditKey) {
		t.Errorf("%+v, %v", out, err)
	}
	// Nor is that of somebody else.
	other := newNode(t)
	theirs := other.job(filepath.Join(t.TempDir(), "b"))
	theirs.Erased = job.Erased
	other.backUp(theirs)
	strange, err := os.ReadFile(filepath.Join(theirs.To, "erasures.json"))
	n.must(err)
	put(t, file, func([]byte) []byte { return strange })
	if _, _, err := open(t, to).Erased(m, key); err == nil {
		t.Error("the list of another node was taken")
	}
}

// TestFolderOfAnotherNode is refused: keeping the newest would remove the other's.
func TestFolderOfAnotherNode(t *testing.T) {
	n, other := newNode(t), newNode(t)
	job := n.job(filepath.Join(t.TempDir(), "b"))
	n.backUp(job)
	theirs := other.job(job.To)
	theirs.Erased = func(context.Context) ([]byte, error) { return []byte("x"), nil }
	for what, do := range map[string]func() error{
		"a backup": func() error { _, err := backup.Make(t.Context(), theirs); return err },
		"erasures": func() error { return backup.KeepErased(t.Context(), theirs, []byte("x")) },
	} {
		if err := do(); honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), "another node") {
			t.Errorf("%s: %v", what, err)
		}
	}
	n.backUp(job)
}

// TestStoreIsAway: what is mounted where backups go may not be; they do not go to the
// disk below then.
func TestStoreIsAway(t *testing.T) {
	n := newNode(t)
	job := n.job(filepath.Join(t.TempDir(), "b"))
	n.must(backup.Made(n.data, job.To, n.backUp(job)))
	n.must(os.Rename(job.To, job.To+".away"))
	n.must(os.Mkdir(job.To, 0o700))
	if _, err := backup.Make(t.Context(), job); honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(job.To); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	job.Full = true
	n.backUp(job)
}

// TestPlainOpensNothing: a copy in clear holds no master key, nor the one that is
// about to take its place, nor what else opens keys, wherever it lies.
func TestPlainOpensNothing(t *testing.T) {
	n := newNode(t)
	keys := map[string]string{
		"keys/master.key": "CANARY the master", "keys/master.key.next": "CANARY the next master", "own.key": "CANARY given", "honeyguide.yaml": "CANARY configuration",
	}
	for name, text := range keys {
		n.write(name, text)
	}
	link := filepath.Join(t.TempDir(), "key")
	n.must(os.Symlink(filepath.Join(n.data, "own.key"), link))
	job := n.job(filepath.Join(t.TempDir(), "b"))
	job.Config = []string{filepath.Join(n.data, "honeyguide.yaml")}
	job.Secret = []string{link, filepath.Join(n.data, "honeyguide.yaml"), filepath.Join(n.data, "none")}
	for range 2 {
		m := n.backUp(job)
		if m.MasterKey != "left out" {
			t.Errorf("the manifest says: %s", m.MasterKey)
		}
	}
	n.must(filepath.WalkDir(job.To, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if strings.Contains(string(raw), "CANARY") || strings.Contains(string(raw), "master.key") {
			t.Errorf("%s: %.200s", path, raw)
		}
		return err
	}))
	id, err := seal.NewIdentity()
	n.must(err)
	job.To, job.Plain, job.Recipient = filepath.Join(t.TempDir(), "c"), false, id.Recipient().String()
	if m := n.backUp(job); m.MasterKey != "inside" {
		t.Errorf("the manifest says: %s", m.MasterKey)
	}
	r := restore(open(t, job.To), filepath.Join(t.TempDir(), "r"))
	r.Key, err = backup.ReadKey(id.Reveal())
	n.must(err)
	out, err := r.Run(t.Context())
	n.must(err)
	for name, text := range keys {
		if got, err := os.ReadFile(filepath.Join(out.Data, name)); err != nil || string(got) != text {
			t.Errorf("%s of an encrypted copy: %q, %v", name, got, err)
		}
	}
}
