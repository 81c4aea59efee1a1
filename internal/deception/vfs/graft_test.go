package vfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"honeyguide/internal/deception/vfs"
)

// grafted is a tree that comes in the order of a disk, with hard links.
func grafted(order bool) vfs.Graft {
	entries := []vfs.Entry{
		{Path: "", Mode: vfs.Dir | 0o755, Mtime: epoch},
		{Path: "zeta", Mode: vfs.Dir | 0o750, Size: 57344, Mtime: epoch},
		{Path: "two", Mode: 0o644, Text: "x\n", Mtime: epoch},
		{Path: "one", Mtime: epoch},
		{Path: "alpha", Mode: vfs.Dir | 0o755, Mtime: epoch},
		{Path: "also", Mtime: epoch},
		{Path: "aaa", Mode: 0o600, Text: "y", Mtime: epoch},
		{Path: "beta", Mode: vfs.Symlink | 0o777, Target: "zeta/one", Mtime: epoch},
	}
	return vfs.Graft{
		Entries: entries, Order: order,
		Parent: []int32{-1, 0, 1, 1, 0, 4, 4, 0},
		Same:   []int32{-1, -1, -1, 2, -1, 2, -1, -1},
	}
}

func TestGraft(t *testing.T) {
	img := vfs.NewImage(7, epoch)
	ids, err := img.Graft(grafted(true))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.PathOf(ids[5]); got != "/zeta/two" {
		t.Errorf("a second name's file is %q", got)
	}
	if err := img.Link("/alpha/aaa", "/zeta/more"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := img.Content(ids[2], &b); err != nil || b.String() != "x\n" {
		t.Errorf("content %q, %v", b.String(), err)
	}
	f := img.NewFS(vfs.Quota{}, clock)
	names := func(dir string) string {
		list, err := f.ReadDir(vfs.Cred{}, dir)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, i := range list {
			out = append(out, i.Name)
		}
		return fmt.Sprint(out)
	}
	if got := names("/"); got != "[zeta alpha beta]" {
		t.Errorf("the root lists %s", got)
	}
	for path, want := range map[string]uint32{"/": 4, "/zeta": 2, "/zeta/two": 3, "/zeta/one": 3, "/alpha/also": 3, "/alpha/aaa": 2, "/zeta/more": 2} {
		i, err := f.Stat(vfs.Cred{}, path)
		if err != nil || i.Nlink != want {
			t.Errorf("%s: %d links, want %d (%v)", path, i.Nlink, want, err)
		}
	}
	a, _ := f.Stat(vfs.Cred{}, "/zeta/one")
	c, _ := f.Stat(vfs.Cred{}, "/alpha/also")
	if a.Ino != c.Ino || a.Name != "one" {
		t.Errorf("one file: %+v %+v", a, c)
	}
	if i, _ := f.Stat(vfs.Cred{}, "/zeta"); i.Size != 57344 {
		t.Errorf("the folder has %d bytes", i.Size)
	}
	// Taking one name away leaves the others.
	if err := f.Remove(vfs.Cred{}, "/zeta/two"); err != nil {
		t.Fatal(err)
	}
	if got := names("/zeta"); got != "[one more]" {
		t.Errorf("zeta lists %s", got)
	}
	if got := content(t, f, "/alpha/also"); got != "x\n" {
		t.Errorf("read %q", got)
	}
	if i, _ := f.Stat(vfs.Cred{}, "/alpha/also"); i.Nlink != 2 {
		t.Errorf("%d links left", i.Nlink)
	}
	if _, err := f.Stat(vfs.Cred{}, "/zeta/two"); !errors.Is(err, vfs.ENOENT) {
		t.Errorf("still there: %v", err)
	}
}

func TestGraftOnTop(t *testing.T) {
	img := vfs.NewImage(7, epoch)
	for _, e := range []vfs.Entry{{Path: "/zeta/old", Text: "old", Mtime: epoch}, {Path: "/zeta/two", Text: "before", Mtime: epoch}} {
		if err := img.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := img.Graft(grafted(false)); err != nil {
		t.Fatal(err)
	}
	if e, ok := img.Find("/zeta/two"); !ok || e.Size != 2 {
		t.Errorf("found %+v %v", e, ok)
	}
	if _, ok := img.Find("/zeta/none"); ok {
		t.Error("found what is not there")
	}
	f := img.NewFS(vfs.Quota{}, clock)
	for path, want := range map[string]string{"/zeta/old": "old", "/zeta/two": "x\n", "/alpha/also": "x\n", "/beta": "x\n"} {
		if got := content(t, f, path); got != want {
			t.Errorf("%s holds %q", path, got)
		}
	}
	if _, err := img.Graft(grafted(false)); err == nil {
		t.Error("grafted onto an image in use")
	}
}

func TestGraftRefused(t *testing.T) {
	for name, spoil := range map[string]func(g *vfs.Graft){
		"no folder":    func(g *vfs.Graft) { g.Parent[5] = 6 },
		"in a file":    func(g *vfs.Graft) { g.Parent[5] = 2 },
		"lengths":      func(g *vfs.Graft) { g.Same = g.Same[:3] },
		"link forward": func(g *vfs.Graft) { g.Same[3] = 5 },
		"link folder":  func(g *vfs.Graft) { g.Same[5] = 1 },
	} {
		g := grafted(false)
		spoil(&g)
		if _, err := vfs.NewImage(1, epoch).Graft(g); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
