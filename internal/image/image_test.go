package image_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"honeyguide/internal/image"
)

// sample is a small root with something of everything.
func sample() *image.Index {
	return &image.Index{
		Name: "sample", Ordered: true,
		Entries: []image.Entry{
			{Parent: -1, Mode: image.Dir | 0o755, Size: 4096, Same: -1, Owner: -1},
			{Name: "bin", Parent: 0, Mode: image.Symlink | 0o777, Mtime: 20, Late: true, Target: "usr/bin", Same: -1, Owner: -1},
			{Name: "usr", Parent: 0, Mode: image.Dir | 0o755, Size: 4096, Mtime: 5, Same: -1, Owner: -1},
			{Name: "bin", Parent: 2, Mode: image.Dir | 0o755, Size: 57344, Mtime: 5, Same: -1, Owner: -1},
			{Name: "gunzip", Parent: 3, Mode: image.Regular | 0o755, Size: 2346, Mtime: 9, Same: -1, Kind: image.Text, Head: "#!/bin/sh", Short: true},
			{Name: "uncompress", Parent: 3, Mode: image.Regular | 0o755, Size: 2346, Mtime: 9, Same: 4, Kind: image.Text, Head: "#!/bin/sh", Short: true},
			{Name: "passwd", Parent: 3, Mode: image.Regular | 0o4755, GID: 42, Size: 68248, Mtime: -7, Same: -1, Kind: image.ELF, Head: "2 3 62 13 31 -db /lib64/ld-linux-x86-64.so.2", Owner: 1},
			{Name: "dev", Parent: 0, Mode: image.Dir | 0o755, Size: 700, Same: -1, Owner: -1},
			{Name: "null", Parent: 7, Mode: image.Char | 0o666, Rdev: 0x103, Same: -1, Owner: -1},
			{Name: "etc", Parent: 0, Mode: image.Dir | 0o755, Size: 4096, Same: -1, Owner: -1},
			{Name: "gai.conf", Parent: 9, Mode: image.Regular | 0o644, Size: 4, Same: -1, Kind: image.Text, Owner: 1, Conf: true, Body: []byte("abc\n")},
			{Name: "log", Parent: 9, Mode: image.Socket | 0o666, Same: -1, Owner: -1},
		},
		Packages: []image.Package{
			{Name: "gzip", Fields: []image.Field{{Key: "Package", Value: "gzip"}, {Key: "Version", Value: "1.12-1"}}, MD5: true},
			{Name: "passwd", Fields: []image.Field{{Key: "Package", Value: "passwd"}}, Extra: []string{"/usr/share/empty"}},
		},
		Removed: []string{"/old", "/usr/old"},
	}
}

func pack(t testing.TB, x *image.Index) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := image.Write(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	x := sample()
	b := pack(t, x)
	y, err := image.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(x, y); diff != "" {
		t.Errorf("written and read (-/+):\n%s", diff)
	}
	if !bytes.Equal(b, pack(t, y)) {
		t.Error("one index, two files")
	}
	if got := x.Path(6); got != "/usr/bin/passwd" {
		t.Errorf("path %q", got)
	}
	if got := x.Spelled(5); got != "/bin/uncompress" {
		t.Errorf("spelled %q", got)
	}
}

func TestRefused(t *testing.T) {
	change := func(f func(x *image.Index)) *image.Index { x := sample(); f(x); return x }
	for name, x := range map[string]*image.Index{
		"empty":        {},
		"root is file": change(func(x *image.Index) { x.Entries[0].Mode = image.Regular }),
		"in a file":    change(func(x *image.Index) { x.Entries[5].Parent = 4 }),
		"out of line":  change(func(x *image.Index) { x.Entries[11].Parent = 3 }),
		"in itself":    change(func(x *image.Index) { x.Entries[3].Parent = 3 }),
		"dots":         change(func(x *image.Index) { x.Entries[3].Name = ".." }),
		"slash":        change(func(x *image.Index) { x.Entries[3].Name = "a/b" }),
		"size":         change(func(x *image.Index) { x.Entries[4].Size = -1 }),
		"link forward": change(func(x *image.Index) { x.Entries[4].Same = 5 }),
		"no package":   change(func(x *image.Index) { x.Entries[4].Owner = 2 }),
		"no target":    change(func(x *image.Index) { x.Entries[1].Target = "" }),
		"body":         change(func(x *image.Index) { x.Entries[10].Body = []byte("x") }),
	} {
		if err := image.Write(&bytes.Buffer{}, x); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	b := pack(t, sample())
	for name, b := range map[string][]byte{"nothing": nil, "other": []byte("PK\x03\x04 and so on"), "version": append([]byte("HGIX\x07"), b[5:]...)} {
		if _, err := image.Read(b); !errors.Is(err, image.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := 5; i < len(b); i += 7 {
		c := bytes.Clone(b)
		c[i] ^= 0x40
		if _, err := image.Read(c); !errors.Is(err, image.ErrDamage) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

func TestLayer(t *testing.T) {
	base, full := sample(), sample()
	base.Removed, full.Removed = nil, nil
	full.Entries[6].Size = 70000 // changed
	full.Entries[1].Mtime = 99   // another installation's second
	full.Entries = append(full.Entries[:11:11], image.Entry{Name: "new", Parent: 9, Mode: image.Regular | 0o600, Same: -1, Owner: -1})
	full.Packages = append(full.Packages, image.Package{Name: "third"})
	l := image.Layer(base, full)
	var got []string
	for i := range l.Entries {
		got = append(got, l.Path(int32(i)))
	}
	if want := "/ /usr /usr/bin /usr/bin/passwd /etc /etc/new"; strings.Join(got, " ") != want {
		t.Errorf("layer %v, want %s", got, want)
	}
	if fmt.Sprint(l.Removed) != "[/etc/log]" || len(l.Packages) != 2 || l.Packages[0].Name != "third" || l.Packages[1].Name != "passwd" {
		t.Errorf("removed %v, packages %v", l.Removed, l.Packages)
	}
	again := image.Merge(base, l)
	if d := image.Diff(full, again); len(d) != 2 || !strings.Contains(d[0], "/bin ->") {
		t.Errorf("layered again:\n%s", strings.Join(d, "\n"))
	}
}

func TestListText(t *testing.T) {
	own := []image.Listed{{Path: "/bin/sh", Link: true}, {Path: "/usr/share/doc/dash/copyright"}, {Path: "/bin/dash"}, {Path: "/usr/share/doc/dash-x"}}
	want := "/.\n/bin\n/bin/dash\n/usr\n/usr/share\n/usr/share/doc\n/usr/share/doc/dash\n/usr/share/doc/dash/copyright\n/usr/share/doc/dash-x\n/usr/share/empty\n/bin/sh\n"
	if got := image.ListText(own, []string{"/usr/share/empty"}); got != want {
		t.Errorf("list\n%s want\n%s", got, want)
	}
}

func TestParseTexts(t *testing.T) {
	got, err := image.ParseTexts("-- /a --\none\n-- x\n-- /b/c --\n-- /d --\n\n")
	if diff := cmp.Diff(map[string]string{"/a": "one\n-- x\n", "/b/c": "", "/d": "\n"}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, s := range []string{"x\n", "-- /a --\nno end", "-- /a --\n-- /a --\n"} {
		if _, err := image.ParseTexts(s); err == nil {
			t.Errorf("%q is fine", s)
		}
	}
}

func TestELFHead(t *testing.T) {
	h := image.ELFHead{Class: 2, Type: 3, Machine: 62, Segments: 13, Sections: 31, Dynamic: true, BuildID: true, Interp: "/lib64/ld-linux-x86-64.so.2"}
	if got, ok := image.ParseELF(h.String()); !ok || got != h {
		t.Errorf("%+v %v", got, ok)
	}
	if _, ok := image.ParseELF("2 3 x"); ok {
		t.Error("no head taken for one")
	}
}

func shipped(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "deception", "persona", "images", "debian-12.hgi"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestShipped(t *testing.T) {
	x, err := image.Read(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Entries) < 18000 || len(x.Packages) < 240 {
		t.Errorf("%d entries, %d packages", len(x.Entries), len(x.Packages))
	}
	if !bytes.Equal(pack(t, x), shipped(t)) {
		t.Error("the shipped index is not what Write makes of it")
	}
}

func BenchmarkRead(b *testing.B) {
	raw := shipped(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := image.Read(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	good := image.Columns(pack(f, sample()))
	if _, err := image.Read(image.Forge(good)); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := image.Read(image.Forge(b))
		if err != nil {
			return
		}
		y, err := image.Read(pack(t, x))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(x, y); diff != "" {
			t.Errorf("read, written and read again:\n%s", diff)
		}
	})
}

func FuzzTexts(f *testing.F) {
	f.Add("-- /a --\nx\n")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = image.ParseTexts(s) })
}
