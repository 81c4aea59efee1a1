package vfs_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

var (
	root  = vfs.Cred{}
	user  = vfs.Cred{UID: 1000, GID: 1000, Groups: []uint32{27}}
	epoch = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
)

func clock() time.Time { return epoch }

// procTree is a synthetic tree of one folder and a self file.
type procTree struct{}

func (procTree) Lookup(env vfs.Env, rel string) (vfs.Entry, bool) {
	switch rel {
	case "":
		return vfs.Entry{Mode: vfs.Dir | 0o555, Ino: 1}, true
	case "me":
		return vfs.Entry{Path: "me", Mode: vfs.Regular | 0o444, Ino: 2, Content: func(e vfs.Env) []byte { return fmt.Appendf(nil, "%d\n", e.Self) }}, true
	case "self":
		return vfs.Entry{Path: "self", Mode: vfs.Symlink | 0o777, Ino: 3, Target: fmt.Sprint(env.Self)}, true
	case "knob":
		return vfs.Entry{Path: "knob", Mode: vfs.Regular | 0o644, Ino: 4, Text: "0\n"}, true
	}
	return vfs.Entry{}, false
}

func (p procTree) List(env vfs.Env, rel string) []vfs.Entry {
	a, _ := p.Lookup(env, "me")
	return []vfs.Entry{a}
}

func (procTree) Create(string, bool) vfs.Errno { return vfs.ENOENT }

// ramp is content computed where it is read.
type ramp struct{}

func (ramp) ReadAt(p []byte, off int64) {
	for i := range p {
		p[i] = byte(off + int64(i))
	}
}

func image(t testing.TB) *vfs.Image {
	t.Helper()
	img := vfs.NewImage(7, epoch)
	for _, e := range []vfs.Entry{
		{Path: "/etc/passwd", Mode: 0o644, Text: "root:x:0:0\n"},
		{Path: "/etc/shadow", Mode: 0o640, GID: 42, Text: "secret\n"},
		{Path: "/usr/bin", Mode: vfs.Dir | 0o755},
		{Path: "/usr/bin/ls", Mode: 0o755, Size: 1000, Source: ramp{}},
		{Path: "/bin", Mode: vfs.Symlink | 0o777, Target: "usr/bin"},
		{Path: "/tmp", Mode: vfs.Dir | 0o1777},
		{Path: "/home/u", Mode: vfs.Dir | 0o755, UID: 1000, GID: 1000},
		{Path: "/root", Mode: vfs.Dir | 0o700},
		{Path: "/loop", Mode: vfs.Symlink | 0o777, Target: "/loop"},
		{Path: "/dev/null", Mode: vfs.Char | 0o666, Rdev: vfs.DevNull},
		{Path: "/dev/zero", Mode: vfs.Char | 0o666, Rdev: vfs.DevZero},
		{Path: "/proc", Mode: vfs.Dir | 0o555},
		{Path: "/shm", Mode: vfs.Dir | 0o1777},
	} {
		if err := img.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []vfs.Mount{{Path: "/proc", Dev: 5, Tree: procTree{}}, {Path: "/shm", Dev: 6}} {
		if err := img.Mount(m); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func write(t testing.TB, f *vfs.FS, c vfs.Cred, path, s string) {
	t.Helper()
	if err := put(f, c, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, s); err != nil {
		t.Fatalf("write %s: %v", path, err)
	}
}

func put(f *vfs.FS, c vfs.Cred, path string, flags int, s string) error {
	o, err := f.Open(c, path, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(o, s)
	return errors.Join(err, o.Close())
}

func cat(f *vfs.FS, c vfs.Cred, path string) (string, error) {
	o, err := f.Open(c, path, vfs.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(o)
	return string(b), errors.Join(err, o.Close())
}

func want(t *testing.T, f *vfs.FS, path, content string) {
	t.Helper()
	if got, err := cat(f, root, path); err != nil || got != content {
		t.Errorf("cat %s = %q, %v; want %q", path, got, err, content)
	}
}

func TestErrors(t *testing.T) {
	open := func(c vfs.Cred, path string, flags int) func(*vfs.FS) error {
		return func(f *vfs.FS) error { _, err := f.Open(c, path, flags, 0o644); return err }
	}
	long := strings.Repeat("n", 256)
	for name, tt := range map[string]struct {
		do   func(*vfs.FS) error
		want vfs.Errno
	}{
		"missing":               {open(root, "/nope", 0), vfs.ENOENT},
		"empty name":            {open(root, "", 0), vfs.ENOENT},
		"below a file":          {open(root, "/etc/passwd/x", 0), vfs.ENOTDIR},
		"file with slash":       {open(root, "/etc/passwd/", 0), vfs.ENOTDIR},
		"missing parent":        {open(root, "/nope/x", vfs.O_CREATE|vfs.O_WRONLY), vfs.ENOENT},
		"write a folder":        {open(root, "/etc", vfs.O_WRONLY), vfs.EISDIR},
		"folder wanted":         {open(root, "/etc/passwd", vfs.O_DIRECTORY), vfs.ENOTDIR},
		"exclusive":             {open(root, "/etc/passwd", vfs.O_CREATE|vfs.O_EXCL), vfs.EEXIST},
		"loop":                  {open(root, "/loop", 0), vfs.ELOOP},
		"loop below":            {open(root, "/loop/x", 0), vfs.ELOOP},
		"long name":             {open(root, "/tmp/"+long, vfs.O_CREATE|vfs.O_WRONLY), vfs.ENAMETOOLONG},
		"user reads shadow":     {open(user, "/etc/shadow", 0), vfs.EACCES},
		"user writes passwd":    {open(user, "/etc/passwd", vfs.O_WRONLY), vfs.EACCES},
		"user makes in etc":     {open(user, "/etc/x", vfs.O_CREATE|vfs.O_WRONLY), vfs.EACCES},
		"user enters root":      {open(user, "/root/x", 0), vfs.EACCES},
		"create in proc":        {open(root, "/proc/x", vfs.O_CREATE|vfs.O_WRONLY), vfs.ENOENT},
		"write read-only proc":  {open(root, "/proc/me", vfs.O_WRONLY), vfs.EACCES},
		"mkdir exists":          {func(f *vfs.FS) error { return f.Mkdir(root, "/etc", 0o755) }, vfs.EEXIST},
		"mkdir over link":       {func(f *vfs.FS) error { return f.Mkdir(root, "/bin", 0o755) }, vfs.EEXIST},
		"mkdir no parent":       {func(f *vfs.FS) error { return f.Mkdir(root, "/a/b", 0o755) }, vfs.ENOENT},
		"rmdir full":            {func(f *vfs.FS) error { return f.Rmdir(root, "/etc") }, vfs.ENOTEMPTY},
		"rmdir file":            {func(f *vfs.FS) error { return f.Rmdir(root, "/etc/passwd") }, vfs.ENOTDIR},
		"rmdir mount":           {func(f *vfs.FS) error { return f.Rmdir(root, "/shm") }, vfs.EBUSY},
		"rm folder":             {func(f *vfs.FS) error { return f.Remove(root, "/etc") }, vfs.EISDIR},
		"rm proc file":          {func(f *vfs.FS) error { return f.Remove(root, "/proc/me") }, vfs.EPERM},
		"user rm":               {func(f *vfs.FS) error { return f.Remove(user, "/etc/passwd") }, vfs.EACCES},
		"rename into itself":    {func(f *vfs.FS) error { return f.Rename(root, "/usr", "/usr/bin/x") }, vfs.EINVAL},
		"rename file on folder": {func(f *vfs.FS) error { return f.Rename(root, "/etc/passwd", "/tmp") }, vfs.EISDIR},
		"rename folder on file": {func(f *vfs.FS) error { return f.Rename(root, "/home", "/etc/passwd") }, vfs.ENOTDIR},
		"rename on full folder": {func(f *vfs.FS) error { return f.Rename(root, "/home", "/etc") }, vfs.ENOTEMPTY},
		"rename across":         {func(f *vfs.FS) error { return f.Rename(root, "/etc/passwd", "/shm/p") }, vfs.EXDEV},
		"link across":           {func(f *vfs.FS) error { return f.Link(root, "/etc/passwd", "/shm/p") }, vfs.EXDEV},
		"link folder":           {func(f *vfs.FS) error { return f.Link(root, "/etc", "/tmp/e") }, vfs.EPERM},
		"readlink file":         {func(f *vfs.FS) error { _, err := f.Readlink(root, "/etc/passwd"); return err }, vfs.EINVAL},
		"user chmod":            {func(f *vfs.FS) error { return f.Chmod(user, "/etc/passwd", 0o777) }, vfs.EPERM},
		"user chown":            {func(f *vfs.FS) error { return f.Chown(user, "/home/u", 0, vfs.Keep, true) }, vfs.EPERM},
		"user mknod":            {func(f *vfs.FS) error { return f.Mknod(user, "/tmp/n", vfs.Char|0o666, 1) }, vfs.EPERM},
		"list file":             {func(f *vfs.FS) error { _, err := f.ReadDir(root, "/etc/passwd"); return err }, vfs.ENOTDIR},
		"user lists root":       {func(f *vfs.FS) error { _, err := f.ReadDir(user, "/root"); return err }, vfs.EACCES},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.do(image(t).NewFS(vfs.Quota{}, clock))
			if !errors.Is(err, tt.want) || err == nil {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCopyOnWrite(t *testing.T) {
	img := image(t)
	a, b := img.NewFS(vfs.Quota{}, clock), img.NewFS(vfs.Quota{}, clock)
	write(t, a, root, "/etc/passwd", "mine\n")
	if err := put(a, root, "/etc/shadow", vfs.O_WRONLY|vfs.O_APPEND, "more\n"); err != nil {
		t.Fatal(err)
	}
	write(t, a, root, "/bin/new", "x") // through the link
	want(t, a, "/etc/passwd", "mine\n")
	want(t, a, "/etc/shadow", "secret\nmore\n")
	want(t, a, "/usr/bin/new", "x")
	want(t, b, "/etc/passwd", "root:x:0:0\n")
	if _, err := b.Stat(root, "/usr/bin/new"); !errors.Is(err, vfs.ENOENT) {
		t.Errorf("a file of one view shows in another: %v", err)
	}
	if err := img.Add(vfs.Entry{Path: "/late"}); err == nil {
		t.Error("a sealed image took a file")
	}
}

func TestLinks(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock)
	if err := f.Link(root, "/etc/passwd", "/tmp/hard"); err != nil {
		t.Fatal(err)
	}
	a, _ := f.Stat(root, "/etc/passwd")
	b, _ := f.Stat(root, "/tmp/hard")
	if a.Ino != b.Ino || a.Nlink != 2 {
		t.Errorf("hard link: ino %d and %d, %d links", a.Ino, b.Ino, a.Nlink)
	}
	write(t, f, root, "/tmp/hard", "both\n")
	want(t, f, "/etc/passwd", "both\n")
	if err := f.Remove(root, "/etc/passwd"); err != nil {
		t.Fatal(err)
	}
	want(t, f, "/tmp/hard", "both\n")
	if b, _ = f.Stat(root, "/tmp/hard"); b.Nlink != 1 {
		t.Errorf("%d links after the removal of one of two", b.Nlink)
	}
	if err := f.Symlink(root, "hard", "/tmp/soft"); err != nil {
		t.Fatal(err)
	}
	want(t, f, "/tmp/soft", "both\n")
	if l, _ := f.Lstat(root, "/tmp/soft"); l.Target != "hard" || !l.IsSymlink() || l.Size != 4 {
		t.Errorf("lstat: %+v", l)
	}
	// A dangling link opened for creation makes its target.
	if err := f.Symlink(root, "/tmp/made", "/tmp/dangling"); err != nil {
		t.Fatal(err)
	}
	write(t, f, root, "/tmp/dangling", "here")
	want(t, f, "/tmp/made", "here")
	if p, err := f.Real(root, "/bin/../bin/ls"); err != nil || p != "/usr/bin/ls" {
		t.Errorf("Real = %q, %v", p, err)
	}
}

func TestRename(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock)
	if err := f.Rename(root, "/usr", "/srv"); err != nil {
		t.Fatal(err)
	}
	if i, err := f.Stat(root, "/srv/bin/ls"); err != nil || i.Path != "/srv/bin/ls" {
		t.Errorf("moved folder: %+v %v", i, err)
	}
	if _, err := f.Stat(root, "/usr"); !errors.Is(err, vfs.ENOENT) {
		t.Errorf("old name: %v", err)
	}
	write(t, f, root, "/tmp/a", "a")
	write(t, f, root, "/tmp/b", "b")
	if err := f.Rename(root, "/tmp/a", "/tmp/b"); err != nil {
		t.Fatal(err)
	}
	want(t, f, "/tmp/b", "a")
	list, err := f.ReadDir(root, "/tmp")
	if err != nil || len(list) != 1 {
		t.Errorf("%d entries, %v; want 1", len(list), err)
	}
}

func TestFolders(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock)
	before, _ := f.Stat(root, "/tmp")
	if err := f.Mkdir(root, "/tmp/d", 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 60 { // past the point where a folder gets an index
		write(t, f, root, fmt.Sprintf("/tmp/d/f%02d", i), "x")
	}
	for i := range 30 {
		if err := f.Remove(root, fmt.Sprintf("/tmp/d/f%02d", 2*i)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := f.ReadDir(root, "/tmp/d")
	if err != nil || len(list) != 30 {
		t.Fatalf("%d entries, %v; want 30", len(list), err)
	}
	for _, i := range list {
		if _, err := f.Stat(root, i.Path); err != nil {
			t.Errorf("listed %s: %v", i.Path, err)
		}
	}
	if after, _ := f.Stat(root, "/tmp"); after.Nlink != before.Nlink+1 {
		t.Errorf("links of the parent: %d, then %d", before.Nlink, after.Nlink)
	}
}

func TestStickyAndOwners(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock)
	write(t, f, root, "/tmp/roots", "x")
	if err := f.Remove(user, "/tmp/roots"); !errors.Is(err, vfs.EPERM) {
		t.Errorf("user removes root's file in a sticky folder: %v", err)
	}
	write(t, f, user, "/tmp/mine", "x")
	if err := f.Chown(user, "/tmp/mine", vfs.Keep, 27, true); err != nil {
		t.Errorf("chgrp to an own group: %v", err)
	}
	if err := f.SetFlags(root, "/tmp/mine", vfs.FlagImmutable); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"remove": f.Remove(root, "/tmp/mine"),
		"write":  put(f, root, "/tmp/mine", vfs.O_WRONLY, "y"),
		"chmod":  f.Chmod(root, "/tmp/mine", 0),
	} {
		if !errors.Is(err, vfs.EPERM) {
			t.Errorf("%s an immutable file: %v", what, err)
		}
	}
}

func TestQuota(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{Bytes: 1000, Inodes: 10}, clock)
	if err := put(f, root, "/tmp/big", vfs.O_CREATE|vfs.O_WRONLY, strings.Repeat("x", 1001)); !errors.Is(err, vfs.ENOSPC) {
		t.Errorf("over the bytes: %v", err)
	}
	write(t, f, root, "/tmp/big", strings.Repeat("x", 900))
	if err := f.Remove(root, "/tmp/big"); err != nil {
		t.Fatal(err)
	}
	if n, _ := f.Used(); n != 0 {
		t.Errorf("%d bytes in use after removal", n)
	}
	// Zeros cost nothing.
	if err := put(f, root, "/etc/passwd", vfs.O_WRONLY|vfs.O_TRUNC, strings.Repeat("\x00", 1<<20)); err != nil {
		t.Errorf("a file of zeros: %v", err)
	}
	if i, _ := f.Stat(root, "/etc/passwd"); i.Size != 1<<20 {
		t.Errorf("size %d", i.Size)
	}
	var err error
	for i := 0; err == nil && i < 20; i++ {
		err = f.Mkdir(root, fmt.Sprintf("/tmp/%d", i), 0o755)
	}
	if !errors.Is(err, vfs.ENOSPC) {
		t.Errorf("over the inodes: %v", err)
	}
}

func TestDevicesAndTrees(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock).As(77)
	want(t, f, "/proc/me", "77\n")
	want(t, f, "/dev/null", "")
	write(t, f, root, "/dev/null", "gone")
	o, err := f.Open(root, "/dev/zero", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b [3]byte
	if _, err := io.ReadFull(o, b[:]); err != nil || b != [3]byte{} {
		t.Errorf("zero: %v %v", b, err)
	}
	if l, _ := f.Readlink(root, "/proc/self"); l != "77" {
		t.Errorf("/proc/self -> %q", l)
	}
	write(t, f, root, "/proc/knob", "1")
	want(t, f, "/proc/knob", "1\n")
	if i, _ := f.Stat(root, "/proc/../etc"); i.Path != "/etc" {
		t.Errorf("up out of a tree: %s", i.Path)
	}
}

func TestHooks(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock)
	var reads, writes []string
	h := f.Handle()
	h.OnRead(func(p string) { reads = append(reads, p) })
	h.OnWrite(func(p string, n int64, sum string) { writes = append(writes, fmt.Sprint(p, n, sum[:8])) })
	g := h.As(5)
	want(t, g, "/bin/../../etc/shadow", "secret\n")
	write(t, g, root, "/tmp/x", "abc")
	want(t, f, "/etc/passwd", "root:x:0:0\n") // another handle: no hook
	if fmt.Sprint(reads) != "[/etc/shadow]" || fmt.Sprint(writes) != "[/tmp/x3ba7816bf]" {
		t.Errorf("reads %v, writes %v", reads, writes)
	}
}

func TestClone(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{Bytes: 2000}, clock)
	src, _ := f.Open(root, "/bin/ls", 0, 0)
	dst, _ := f.Open(root, "/tmp/ls", vfs.O_CREATE|vfs.O_WRONLY, 0o755)
	if !dst.Clone(src) {
		t.Fatal("a program could not be cloned")
	}
	if n, _ := f.Used(); n != 0 {
		t.Errorf("a clone costs %d bytes", n)
	}
	a, _ := cat(f, root, "/bin/ls")
	want(t, f, "/tmp/ls", a)
	if err := put(f, root, "/tmp/ls", vfs.O_WRONLY|vfs.O_APPEND, "!"); err != nil {
		t.Fatal(err)
	}
	want(t, f, "/tmp/ls", a+"!")
	want(t, f, "/bin/ls", a)
}

func TestUnlinkedFileLives(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock)
	o, err := f.Open(root, "/tmp/x", vfs.O_CREATE|vfs.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Remove(root, "/tmp/x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(o, "alive"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(o); err != nil || string(b) != "alive" {
		t.Errorf("read %q, %v", b, err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if n, _ := f.Used(); n != 0 {
		t.Errorf("%d bytes stay", n)
	}
}

func TestOverlayCost(t *testing.T) {
	img := image(t)
	const n = 500
	views := make([]*vfs.FS, n)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range views {
		views[i] = img.NewFS(vfs.Quota{}, clock)
		for k := range 8 {
			write(t, views[i], root, fmt.Sprintf("/tmp/f%d", k), "content")
		}
	}
	per := float64(heap()-before) / n
	t.Logf("%.0f bytes for a view with 8 new files", per)
	if per > 3000 {
		t.Errorf("%.0f bytes for a view with 8 new files", per)
	}
	runtime.KeepAlive(views)
}

func FuzzPaths(f *testing.F) {
	for _, s := range []string{"/", "..", "/bin/../etc/./passwd/", "//loop/x", "/proc/self/..", "a/b\x00c", ""} {
		f.Add(s, s)
	}
	img := image(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		fs := img.NewFS(vfs.Quota{Bytes: 1 << 16, Inodes: 64}, clock)
		for _, c := range []vfs.Cred{root, user} {
			a, b := vfs.Join("/tmp", a), vfs.Join("/home/u", b)
			_ = fs.Mkdir(c, a, 0o755)
			_ = put(fs, c, b, vfs.O_CREATE|vfs.O_RDWR|vfs.O_APPEND, a)
			_ = fs.Symlink(c, a, b)
			_ = fs.Link(c, a, b)
			_ = fs.Rename(c, a, b)
			_, _ = fs.ReadDir(c, a)
			_, _ = cat(fs, c, b)
			_ = fs.Rmdir(c, a)
			_ = fs.Remove(c, b)
			if p, err := fs.Real(c, a); err == nil && !strings.HasPrefix(p, "/") {
				t.Errorf("real path %q of %q", p, a)
			}
		}
	})
}
