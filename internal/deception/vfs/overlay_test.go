package vfs_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"honeyguide/internal/deception/vfs"
)

// look describes a whole view: every file with its facts and content.
func look(t testing.TB, f *vfs.FS) []string {
	t.Helper()
	var out []string
	var visit func(path string, depth int)
	visit = func(path string, depth int) {
		if depth > 300 || len(out) > 20000 {
			t.Fatalf("no end at %q", path)
		}
		list, err := f.ReadDir(root, path)
		if err != nil {
			return
		}
		for _, i := range list {
			p := strings.TrimSuffix(path, "/") + "/" + i.Name
			if p == "/proc" {
				continue
			}
			line := fmt.Sprintf("%s %o %d:%d links %d size %d flags %x ino %d %d %d %d -> %s dev %d %d", p, i.Mode, i.UID, i.GID, i.Nlink, i.Size, i.Flags, i.Ino,
				i.Atime.UnixNano(), i.Mtime.UnixNano(), i.Ctime.UnixNano(), i.Target, i.Dev, i.Rdev)
			if i.IsRegular() && i.Size < 1<<20 {
				line += fmt.Sprintf(" %q", content(t, f, p))
			}
			out = append(out, line)
			if i.IsDir() {
				visit(p, depth+1)
			}
		}
	}
	visit("/", 0)
	return out
}

func content(t testing.TB, f *vfs.FS, path string) string {
	t.Helper()
	o, err := f.Open(root, path, vfs.O_RDONLY, 0)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	defer o.Close()
	b, err := io.ReadAll(io.LimitReader(o, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func putFile(t testing.TB, f *vfs.FS, path, text string) {
	t.Helper()
	o, err := f.Open(root, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o600)
	if err != nil {
		t.Fatalf("write %s: %v", path, err)
	}
	if _, err := o.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
}

// busy makes one change of every kind.
func busy(t testing.TB, f *vfs.FS) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	putFile(t, f, "/tmp/a", "one\n")
	putFile(t, f, "/etc/passwd", "root::0:0\n")
	must(f.Mkdir(root, "/tmp/d", 0o755))
	must(f.Mkdir(root, "/tmp/d/e", 0o700))
	putFile(t, f, "/tmp/d/e/deep", strings.Repeat("x", 3000))
	must(f.Symlink(root, "../a", "/tmp/d/l"))
	must(f.Link(root, "/tmp/a", "/tmp/d/hard"))
	must(f.Remove(root, "/tmp/a")) // the other name stays
	must(f.Link(root, "/etc/passwd", "/etc/passwd.bak"))
	must(f.Remove(root, "/etc/shadow"))
	must(f.Rename(root, "/home/u", "/tmp/u"))
	must(f.Mkdir(root, "/home/u", 0o700))
	must(f.Mknod(root, "/tmp/ff", vfs.Fifo|0o644, 0))
	must(f.Mknod(root, "/dev/sdz", vfs.Block|0o660, 0x812))
	must(f.Chmod(root, "/usr/bin/ls", 0o4755))
	must(f.Chown(root, "/usr", 7, 8, true))
	must(f.SetFlags(root, "/etc/passwd", vfs.FlagImmutable))
	must(f.Chtimes(root, "/tmp/d", epoch.Add(-time.Hour), epoch.Add(-2*time.Hour), false, true))
	putFile(t, f, "/proc/knob", "1")
	putFile(t, f, "/shm/s", "m")
	src, err := f.Open(root, "/usr/bin/ls", vfs.O_RDONLY, 0)
	must(err)
	dst, err := f.Open(root, "/tmp/ls", vfs.O_WRONLY|vfs.O_CREATE, 0o755)
	must(err)
	if !dst.Clone(src) {
		t.Fatal("no clone")
	}
	must(src.Close())
	must(dst.Close())
	zeros, err := f.Open(root, "/tmp/zeros", vfs.O_WRONLY|vfs.O_CREATE, 0o644)
	must(err)
	must(zeros.Truncate(5 << 30))
	must(zeros.Close())
}

func TestOverlayRoundTrip(t *testing.T) {
	img := image(t)
	f := img.NewFS(vfs.Quota{}, clock)
	if b, _ := f.Export(1 << 20); b != nil {
		t.Errorf("nothing changed, exported %d bytes", len(b))
	}
	before := f.Version()
	busy(t, f)
	if f.Version() == before {
		t.Error("the version did not move")
	}
	blob, partial := f.Export(1 << 20)
	again, _ := f.Export(1 << 20)
	if partial || !bytes.Equal(blob, again) {
		t.Errorf("partial %v, equal %v", partial, bytes.Equal(blob, again))
	}
	// Another process has another image of the same content.
	g, what, err := image(t).Restore(blob, vfs.Quota{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	if what.Changed || what.Dropped != 0 || what.Kept == 0 {
		t.Errorf("restored: %+v", what)
	}
	if diff := cmp.Diff(look(t, f), look(t, g)); diff != "" {
		t.Errorf("before and after (-/+):\n%s", diff)
	}
	if got := content(t, g, "/proc/knob"); got != "1\n" {
		t.Errorf("/proc/knob: %q", got)
	}
	second, _ := g.Export(1 << 20)
	h, _, err := img.Restore(second, vfs.Quota{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	if third, _ := h.Export(1 << 20); !bytes.Equal(second, third) {
		t.Error("what was restored is exported differently")
	}
	bytes1, inodes1 := f.Used()
	bytes2, inodes2 := g.Used()
	if bytes1 != bytes2 || inodes1 != inodes2 {
		t.Errorf("used %d %d, restored %d %d", bytes1, inodes1, bytes2, inodes2)
	}
	// New files go on counting where the old ones ended.
	putFile(t, f, "/tmp/next", "")
	putFile(t, g, "/tmp/next", "")
	a, _ := f.Stat(root, "/tmp/next")
	b, _ := g.Stat(root, "/tmp/next")
	if a.Ino != b.Ino {
		t.Errorf("inode %d after, %d before", b.Ino, a.Ino)
	}
}

func TestOverlayOnChangedBase(t *testing.T) {
	f := image(t).NewFS(vfs.Quota{}, clock)
	busy(t, f)
	blob, _ := f.Export(1 << 20)
	other := vfs.NewImage(7, epoch)
	for _, e := range []vfs.Entry{ // /etc is a file, /usr/bin/ls gone, one more file before all
		{Path: "/aaa", Mode: 0o644},
		{Path: "/etc", Mode: 0o644, Text: "a file\n"},
		{Path: "/tmp", Mode: vfs.Dir | 0o1777},
		{Path: "/usr/bin", Mode: vfs.Dir | 0o755},
	} {
		if err := other.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	g, what, err := other.Restore(blob, vfs.Quota{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	if !what.Changed || what.Dropped == 0 {
		t.Errorf("restored: %+v", what)
	}
	if got := content(t, g, "/tmp/d/hard"); got != "one\n" {
		t.Errorf("/tmp/d/hard: %q", got)
	}
	if got := content(t, g, "/etc"); got != "a file\n" {
		t.Errorf("/etc: %q", got)
	}
	look(t, g)
}

func TestOverlayLeavesOutTheLargest(t *testing.T) {
	img := image(t)
	f := img.NewFS(vfs.Quota{}, clock)
	putFile(t, f, "/tmp/small", "kept")
	putFile(t, f, "/tmp/large", strings.Repeat("y", 5000))
	blob, partial := f.Export(1000)
	if !partial || len(blob) > 1000 {
		t.Errorf("partial %v, %d bytes", partial, len(blob))
	}
	g, _, err := img.Restore(blob, vfs.Quota{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := g.Stat(root, "/tmp/large"); err != nil || i.Size != 5000 {
		t.Errorf("large: %v %v", i.Size, err)
	}
	if got := content(t, g, "/tmp/small"); got != "kept" {
		t.Errorf("small: %q", got)
	}
}

func TestOverlayRefusesMoreThanAllowed(t *testing.T) {
	img := image(t)
	f := img.NewFS(vfs.Quota{}, clock)
	busy(t, f)
	blob, _ := f.Export(1 << 20)
	for _, q := range []vfs.Quota{{Bytes: 100}, {Inodes: 3}} {
		if _, _, err := img.Restore(blob, q, clock); err == nil {
			t.Errorf("quota %+v: taken", q)
		}
	}
	for n := range blob {
		if _, _, err := img.Restore(blob[:n], vfs.Quota{}, clock); err == nil && n > 0 {
			t.Errorf("cut at %d: taken", n)
		}
	}
}

// TestOverlayRandom compares views before and after over random histories.
func TestOverlayRandom(t *testing.T) {
	for seed := range uint64(60) {
		img := image(t)
		f := img.NewFS(vfs.Quota{}, clock)
		scramble(f, rand.New(rand.NewPCG(seed, 1)))
		blob, _ := f.Export(1 << 20)
		g, what, err := img.Restore(blob, vfs.Quota{}, clock)
		if err != nil || what.Dropped > 0 {
			t.Fatalf("seed %d: %+v %v", seed, what, err)
		}
		if diff := cmp.Diff(look(t, f), look(t, g)); diff != "" {
			t.Fatalf("seed %d: before and after (-/+):\n%s", seed, diff)
		}
	}
}

// scramble makes random changes; many fail, as they should.
func scramble(f *vfs.FS, r *rand.Rand) {
	dirs := []string{"/tmp", "/home/u", "/tmp/p", "/tmp/p/q", "/home", "/usr/bin", "/etc", "/root/z"}
	names := []string{"p", "q", "z", "u", "ls", "passwd", "shadow"}
	pick := func() string { return dirs[r.IntN(len(dirs))] + "/" + names[r.IntN(len(names))] }
	for range 120 {
		a, b := pick(), pick()
		switch r.IntN(9) {
		case 0:
			_ = f.Mkdir(root, a, 0o755)
		case 1:
			_ = f.Rename(root, a, b)
		case 2:
			_ = f.Remove(root, a)
		case 3:
			_ = f.Rmdir(root, a)
		case 4:
			_ = f.Link(root, a, b)
		case 5:
			_ = f.Symlink(root, b, a)
		case 6:
			_ = f.Rename(root, dirs[r.IntN(len(dirs))], b)
		case 7:
			_ = f.Chmod(root, a, uint32(r.IntN(0o10000)))
		default:
			if o, err := f.Open(root, a, vfs.O_WRONLY|vfs.O_CREATE, 0o644); err == nil {
				_, _ = o.Write([]byte(b))
				_ = o.Close()
			}
		}
	}
}

// TestOverlaySize holds an overlay of eight changed files to its budget, in
// memory and outside.
func TestOverlaySize(t *testing.T) {
	img := image(t)
	change := func(f *vfs.FS) {
		for i := range 8 {
			putFile(t, f, fmt.Sprintf("/tmp/file%d", i), "data\n")
		}
	}
	f := img.NewFS(vfs.Quota{}, clock)
	change(f)
	blob, _ := f.Export(1 << 20)
	if len(blob) > 2048 {
		t.Errorf("%d bytes outside", len(blob))
	}
	const n = 1000
	var a, b runtime.MemStats
	kept := make([]*vfs.FS, 0, n)
	runtime.GC()
	runtime.ReadMemStats(&a)
	for range n {
		f := img.NewFS(vfs.Quota{}, clock)
		change(f)
		kept = append(kept, f)
	}
	runtime.GC()
	runtime.ReadMemStats(&b)
	per := int64(b.HeapAlloc-a.HeapAlloc) / n
	runtime.KeepAlive(kept)
	t.Logf("%d bytes in memory, %d outside", per, len(blob))
	if per > 2<<10 {
		t.Errorf("%d bytes in memory", per)
	}
}

// FuzzRestore: whatever the bytes are, the view is a finite tree on which
// everything works.
func FuzzRestore(f *testing.F) {
	img := image(f)
	view := img.NewFS(vfs.Quota{}, clock)
	busy(f, view)
	blob, _ := view.Export(1 << 20)
	f.Add(blob)
	for seed := range uint64(5) {
		v := img.NewFS(vfs.Quota{}, clock)
		scramble(v, rand.New(rand.NewPCG(seed, 1)))
		blob, _ := v.Export(1 << 20)
		f.Add(blob)
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		g, _, err := img.Restore(blob, vfs.Quota{Bytes: 1 << 20, Inodes: 200}, clock)
		if err != nil {
			return
		}
		look(t, g)
		scramble(g, rand.New(rand.NewPCG(uint64(len(blob)), 2)))
		look(t, g)
		again, _ := g.Export(1 << 20)
		if _, _, err := img.Restore(again, vfs.Quota{}, clock); err != nil {
			t.Errorf("what was restored cannot be restored again: %v", err)
		}
	})
}

func BenchmarkExport(b *testing.B) {
	f := image(b).NewFS(vfs.Quota{}, clock)
	busy(b, f)
	for b.Loop() {
		f.Export(1 << 20)
	}
}

func BenchmarkRestore(b *testing.B) {
	img := image(b)
	f := img.NewFS(vfs.Quota{}, clock)
	busy(b, f)
	blob, _ := f.Export(1 << 20)
	for b.Loop() {
		if _, _, err := img.Restore(blob, vfs.Quota{}, clock); err != nil {
			b.Fatal(err)
		}
	}
}
