package rootfs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"honeyguide/internal/image"
	"honeyguide/internal/rootfs"
)

var since = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// tree makes a small root on the disk.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, mode os.FileMode, text string, at time.Time) {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, at, at); err != nil {
			t.Fatal(err)
		}
	}
	old := since.AddDate(-1, 0, 0)
	put("usr/bin/tool", 0o755|os.ModeSetuid, "#!/usr/bin/perl -w\nprint 1;\n", old)
	put("usr/bin/data", 0o600, "\x00\x01\x02", old)
	put("usr/share/man/man1/tool.1.gz", 0o644, "\x1f\x8b\x08\x08xxxxxxtool.1\x00", old)
	put("etc/tool.conf", 0o640, "# Words about it\n#off yes\non = 1\n\n# More words\n", old)
	put("etc/motd", 0o644, "hello\n", since.Add(90*time.Second))
	put("etc/empty", 0o644, "", old)
	put("etc/hostname", 0o644, "buildhost\n", old)
	put("var/log/apt/term.log", 0o644, "x", old)
	put("var/lib/dpkg/status", 0o644, "Package: tool\nStatus: install ok installed\nMaintainer: A Person <a@example.org>\nArchitecture: amd64\nVersion: 1-2\nConffiles:\n /etc/tool.conf 0123456789abcdef0123456789abcdef\nDescription: does it\n Long words\n about it\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n", old)
	put("var/lib/dpkg/info/tool.list", 0o644, "/.\n/bin\n/bin/tool\n/etc\n/etc/tool.conf\n/usr\n/usr/share\n/usr/share/empty\n/usr/share/man\n/usr/share/man/man1\n/usr/share/man/man1/tool.1.gz\n/bin/link\n", old)
	put("var/lib/dpkg/info/tool.md5sums", 0o644, "x", old)
	for _, err := range []error{
		os.Symlink("usr/bin", filepath.Join(dir, "bin")), os.Symlink("tool", filepath.Join(dir, "usr/bin/link")),
		os.Link(filepath.Join(dir, "usr/bin/tool"), filepath.Join(dir, "usr/bin/zwin")),
		os.MkdirAll(filepath.Join(dir, "proc/1"), 0o555), os.MkdirAll(filepath.Join(dir, "usr/share/empty"), 0o755),
		os.Mkdir(filepath.Join(dir, "tmp"), 0o777), os.Chmod(filepath.Join(dir, "tmp"), 0o777|os.ModeSticky),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, dir string, o rootfs.Options) *image.Index {
	t.Helper()
	x, err := rootfs.Read(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// lines is what find(1) would print about an index.
func lines(x *image.Index) []string {
	var out []string
	for i := range x.Entries {
		e := &x.Entries[i]
		size, at, target := e.Size, e.Mtime, e.Target
		if e.Late {
			at += since.Unix()
		}
		if e.Type() == image.Symlink {
			size = int64(len(target))
		}
		out = append(out, fmt.Sprintf("%s %04o %d:%d %d %d %s", x.Path(int32(i)), e.Mode&0o7777, e.UID, e.GID, size, at, target))
	}
	return out
}

// TestAgainstFind compares an index with what find(1) says of the same root:
// every fact, in the order of the kernel.
func TestAgainstFind(t *testing.T) {
	find, err := exec.LookPath("find")
	if err != nil {
		t.Skip("find(1) is not installed")
	}
	roots := map[string]string{"small": tree(t)}
	if big := os.Getenv("HONEYGUIDE_ROOTFS"); big != "" {
		roots["given"] = big
	}
	for name, dir := range roots {
		out, err := exec.Command(find, dir, "-printf", "/%P %m %U:%G %s %Ts %l\n").Output()
		if err != nil {
			t.Fatal(err)
		}
		x := read(t, dir, rootfs.Options{Name: name, Since: since})
		got := slices.DeleteFunc(lines(x), func(s string) bool { return strings.Contains(s, ".list ") })
		have := map[string]bool{}
		for i := range x.Entries {
			have[x.Path(int32(i))] = true
		}
		var want []string
		for line := range strings.Lines(string(out)) {
			f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
			if !have[f[0]] || strings.HasSuffix(f[0], ".list") {
				continue // left out on purpose, or given another length: see TestFacts
			}
			mode := fmt.Sprintf("%4s", f[1])
			want = append(want, f[0]+" "+strings.ReplaceAll(mode, " ", "0")+" "+f[2])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: find and index (-/+):\n%.4000s", name, diff)
		}
		if len(want) < 20 {
			t.Errorf("%s: %d entries compared", name, len(want))
		}
	}
}

func TestFacts(t *testing.T) {
	x := read(t, tree(t), rootfs.Options{Name: "small", Sorted: true, Since: since})
	at := map[string]*image.Entry{}
	for i := range x.Entries {
		at[x.Path(int32(i))] = &x.Entries[i]
	}
	for _, p := range []string{"/etc/hostname", "/proc/1", "/var/log/apt/term.log"} {
		if at[p] != nil {
			t.Errorf("%s was taken along", p)
		}
	}
	if len(x.Packages) != 1 {
		t.Fatalf("packages %v", x.Packages)
	}
	p := x.Packages[0]
	if p.Get("Maintainer") != "Debian Developers <debian-devel@lists.debian.org>" || p.Get("Description") != "does it" || !p.MD5 || fmt.Sprint(p.Extra) != "[/usr/share/empty]" {
		t.Errorf("package %+v", p)
	}
	for path, want := range map[string]image.Entry{
		"/usr/bin/tool":                 {Kind: image.Text, Head: "#!/usr/bin/perl -w", Short: true, Same: -1},
		"/usr/bin/link":                 {Target: "tool", Short: true, Same: -1, Late: true},
		"/usr/share/man/man1/tool.1.gz": {Kind: image.Gzip, Head: "n", Same: -1},
		"/etc/tool.conf":                {Kind: image.Text, Conf: true, Same: -1},
		"/usr/bin/data":                 {Kind: image.Data, Owner: -1, Same: -1},
		"/etc/motd":                     {Kind: image.Text, Owner: -1, Same: -1, Late: true},
	} {
		e := at[path]
		if e == nil {
			t.Errorf("no %s", path)
			continue
		}
		got := image.Entry{Kind: e.Kind, Head: e.Head, Target: e.Target, Owner: e.Owner, Conf: e.Conf, Short: e.Short, Same: e.Same, Late: e.Late}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if e := at["/usr/bin/zwin"]; e.Same < 0 || x.Path(e.Same) != "/usr/bin/tool" {
		t.Errorf("hard link %+v", e)
	}
	if e := at["/etc/motd"]; e.Mtime != 90 {
		t.Errorf("made %d s after the installation began", e.Mtime)
	}
	var texts strings.Builder
	dir := tree(t)
	if err := rootfs.Sketch(&texts, dir, x); err != nil {
		t.Fatal(err)
	}
	if want := "-- /etc/tool.conf --\n@@17\n#off yes\non = 1\n\n@@13\n"; texts.String() != want {
		t.Errorf("settings %q, want %q", texts.String(), want)
	}
}

func TestSameRootSameBytes(t *testing.T) {
	dir := tree(t)
	pack := func(o rootfs.Options) []byte {
		var b bytes.Buffer
		if err := image.Write(&b, read(t, dir, o)); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if a, b := pack(rootfs.Options{}), pack(rootfs.Options{}); !bytes.Equal(a, b) {
		t.Error("one root gave two files")
	}
	y, err := image.Read(pack(rootfs.Options{Contents: true, Keep: []string{"/etc/hostname"}}))
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for i := range y.Entries {
		if b := y.Entries[i].Body; b != nil {
			bodies[y.Path(int32(i))] = string(b)
		}
	}
	if bodies["/etc/hostname"] != "buildhost\n" || bodies["/etc/motd"] != "hello\n" || bodies["/usr/bin/data"] != "" {
		t.Errorf("contents %q", bodies)
	}
}

func TestErrorsNameThePath(t *testing.T) {
	dir := tree(t)
	if _, err := rootfs.Read(context.Background(), filepath.Join(dir, "nowhere"), rootfs.Options{}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("no root: %v", err)
	}
	if _, err := rootfs.Read(context.Background(), filepath.Join(dir, "etc/motd"), rootfs.Options{}); err == nil || !strings.Contains(err.Error(), "motd") {
		t.Errorf("a file for a root: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "var/lib/dpkg/status"), []byte("Package: x\nnonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := rootfs.Read(context.Background(), dir, rootfs.Options{}); err == nil || !strings.Contains(err.Error(), "status line 2") {
		t.Errorf("broken data base: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := rootfs.Read(ctx, dir, rootfs.Options{}); err == nil {
		t.Error("went on after the end")
	}
}
