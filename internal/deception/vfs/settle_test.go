package vfs

import (
	"fmt"
	"testing"
	"time"
)

// TestSettle: the hook is called while the content can still be read, and for
// ordinary files only.
func TestSettle(t *testing.T) {
	fs := NewImage(1, time.Now()).NewFS(Quota{}, time.Now)
	var root Cred
	var seen []string
	fs.OnSettle(func(path string) {
		f, err := fs.Open(root, path, O_RDONLY, 0)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		b := make([]byte, 10)
		n, _ := f.Read(b)
		seen = append(seen, path+"="+string(b[:n]))
		if f.Own() != int64(n) {
			t.Errorf("%s: %d bytes of its own", path, f.Own())
		}
	})
	write := func(path, text string) {
		f, err := fs.Open(root, path, O_WRONLY|O_CREATE|O_TRUNC, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(text))
		_ = f.Close()
	}
	write("/a", "one")
	write("/b", "two")
	for _, err := range []error{
		fs.Chmod(root, "/a", 0o600), fs.Chmod(root, "/a", 0o755), fs.Rename(root, "/a", "/b"), fs.Symlink(root, "b", "/l"), fs.Remove(root, "/l"),
		fs.Mkdir(root, "/d", 0o755), fs.Chmod(root, "/d", 0o700), fs.Rename(root, "/d", "/e"), fs.Remove(root, "/b"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if got, want := fmt.Sprint(seen), "[/a=one /a=one /b=two /b=one]"; got != want {
		t.Errorf("settled %s, want %s", got, want)
	}
}
