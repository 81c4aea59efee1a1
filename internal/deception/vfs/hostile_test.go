package vfs_test

import (
	"fmt"
	"strings"
	"testing"

	"honeyguide/internal/deception/vfs"
)

// TestSecondName checks that a file outlives the folder of its first name.
func TestSecondName(t *testing.T) {
	fs := image(t).NewFS(vfs.Quota{}, clock)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(fs.Mkdir(root, "/tmp/d", 0o755))
	write(t, fs, root, "/tmp/d/a", "text")
	ok(fs.Link(root, "/tmp/d/a", "/tmp/b"))
	open, err := fs.Open(root, "/tmp/d/a", vfs.O_RDWR, 0)
	ok(err)
	dir, err := fs.Open(root, "/tmp/d", vfs.O_RDONLY, 0)
	ok(err)
	ok(fs.Remove(root, "/tmp/d/a"))
	ok(fs.Rmdir(root, "/tmp/d"))
	if i, err := fs.Stat(root, "/tmp/b"); err != nil || i.Path != "/tmp/b" || i.Nlink != 1 {
		t.Errorf("%+v %v", i, err)
	}
	if p, err := fs.Real(root, "/tmp/b"); err != nil || p != "/tmp/b" {
		t.Errorf("%q %v", p, err)
	}
	list, err := fs.ReadDir(root, "/tmp")
	if err != nil || len(list) != 1 || list[0].Path != "/tmp/b" {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := open.Write([]byte("more")); err != nil {
		t.Error(err)
	}
	_, _ = dir.Stat(), dir.Path()
	_, _ = open.Stat(), open.Path()
	ok(dir.Close())
	ok(open.Close())
	ok(fs.Remove(root, "/tmp/b"))
	if b, _ := fs.Used(); b != 0 {
		t.Errorf("%d bytes are left", b)
	}
}

// TestReadThroughLink checks that the reader of a planted file is seen by
// whatever name he reads it.
func TestReadThroughLink(t *testing.T) {
	fs := image(t).NewFS(vfs.Quota{}, clock)
	if err := fs.Link(root, "/etc/passwd", "/etc/innocent"); err != nil {
		t.Fatal(err)
	}
	var seen []string
	fs.OnRead(func(p string) { seen = append(seen, p) })
	if _, err := cat(fs, root, "/etc/innocent"); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(seen) != "[/etc/passwd]" {
		t.Errorf("%q", seen)
	}
}

// TestLinkFarm checks that names cost as much as files.
func TestLinkFarm(t *testing.T) {
	fs := image(t).NewFS(vfs.Quota{Inodes: 100}, clock)
	write(t, fs, root, "/tmp/a", "")
	n := 0
	for ; n < 1000; n++ {
		if err := fs.Link(root, "/tmp/a", fmt.Sprintf("/tmp/%s%d", strings.Repeat("b", 200), n)); err != nil {
			break
		}
	}
	if n > 100 {
		t.Errorf("%d names for 100 inodes", n)
	}
	if err := fs.Remove(root, "/tmp/"+strings.Repeat("b", 200)+"0"); err != nil {
		t.Fatal(err)
	}
	if err := fs.Link(root, "/tmp/a", "/tmp/c"); err != nil {
		t.Errorf("a name given back is no use: %v", err)
	}
}

// TestManyOpen opens one file more often than its inode can count.
func TestManyOpen(t *testing.T) {
	fs := image(t).NewFS(vfs.Quota{}, clock)
	write(t, fs, root, "/tmp/a", "text")
	var files []*vfs.File
	for range 600 {
		f, err := fs.Open(root, "/tmp/a", vfs.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if err := fs.Remove(root, "/tmp/a"); err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		var b [8]byte
		if n, err := f.Read(b[:]); n != 4 || err != nil {
			t.Fatalf("file %d: %d %v", i, n, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
