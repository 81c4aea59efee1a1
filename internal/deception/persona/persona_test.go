package persona_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

var deployed = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func host(t testing.TB, seed, name string) *persona.Host {
	t.Helper()
	h, err := persona.New([]byte(seed), name, persona.Options{Now: deployed})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func view(h *persona.Host, at time.Time) *vfs.FS {
	return h.Image.NewFS(vfs.Quota{}, func() time.Time { return at })
}

func read(t testing.TB, f *vfs.FS, path string) string {
	t.Helper()
	o, err := f.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return string(b)
}

// dump writes everything a walk over the image sees.
func dump(t testing.TB, f *vfs.FS, dir string, w *strings.Builder, depth int) {
	list, err := f.ReadDir(vfs.Cred{}, dir)
	if err != nil {
		t.Fatalf("list %s: %v", dir, err)
	}
	for _, i := range list {
		fmt.Fprintf(w, "%s %o %d %d %d %d %s %s\n", i.Path, i.Mode, i.UID, i.GID, i.Size, i.Nlink, i.Mtime, i.Target)
		if i.IsDir() && depth > 0 {
			dump(t, f, i.Path, w, depth-1)
		}
	}
}

func TestSameSeedSameHost(t *testing.T) {
	all := func(seed string) string {
		var b strings.Builder
		f := view(host(t, seed, "debian-12"), deployed)
		dump(t, f, "/", &b, 12)
		for _, p := range []string{"/etc/shadow", "/proc/meminfo", "/proc/cpuinfo", "/var/log/auth.log", "/root/.bash_history", "/etc/ssh/ssh_host_rsa_key"} {
			b.WriteString(read(t, f, p))
		}
		return b.String()
	}
	a, b, c := all("one"), all("one"), all("two")
	if a != b {
		t.Error("one seed made two hosts")
	}
	if a == c {
		t.Error("two seeds made one host")
	}
}

func TestEveryFileReads(t *testing.T) {
	for _, name := range []string{"debian-12", "debian-12-fresh"} {
		f := view(host(t, "s", name), deployed.Add(50*time.Hour))
		files := 0
		var walk func(dir string, depth int)
		walk = func(dir string, depth int) {
			list, err := f.ReadDir(vfs.Cred{}, dir)
			if err != nil {
				t.Fatalf("list %s: %v", dir, err)
			}
			for _, i := range list {
				files++
				switch {
				case i.IsDir() && depth > 0:
					walk(i.Path, depth-1)
				case i.IsRegular() && i.Size < 1<<17 && i.Mode&0o444 != 0:
					if got := read(t, f, i.Path); i.Size != 0 && !strings.HasPrefix(i.Path, "/sys") && int64(len(got)) != i.Size {
						t.Errorf("%s: stat says %d bytes, reading gives %d", i.Path, i.Size, len(got))
					}
				case i.IsRegular() && i.Mode&0o444 != 0:
					ends(t, f, i)
				case i.Mtime.After(f.Now()):
					t.Errorf("%s changes in the future: %s", i.Path, i.Mtime)
				}
			}
		}
		walk("/", 14)
		t.Logf("%s: %d entries, %d in the image", name, files, host(t, "s", name).Image.Len())
	}
}

// ends checks that a large file ends where stat says.
func ends(t *testing.T, f *vfs.FS, i vfs.Info) {
	t.Helper()
	o, err := f.Open(vfs.Cred{}, i.Path, vfs.O_RDONLY, 0)
	if err != nil {
		t.Errorf("open %s: %v", i.Path, err)
		return
	}
	defer o.Close()
	if _, err := o.Seek(i.Size-10, io.SeekStart); err != nil {
		t.Errorf("%s: %v", i.Path, err)
	}
	if b, err := io.ReadAll(o); err != nil || len(b) != 10 {
		t.Errorf("%s: %d bytes at the end, %v", i.Path, len(b), err)
	}
}

func TestFacts(t *testing.T) {
	h := host(t, "s", "debian-12")
	f := view(h, deployed)
	for path, want := range map[string]string{
		"/etc/debian_version": "12.15\n", "/etc/issue": "Debian GNU/Linux 12 \\n \\l\n\n", "/etc/hostname": h.Machine.Hostname + "\n",
		"/proc/sys/kernel/hostname": h.Machine.Hostname + "\n",
	} {
		if got := read(t, f, path); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]string{"/bin": "usr/bin", "/usr/bin/sh": "dash", "/usr/bin/nc": "/etc/alternatives/nc"} {
		if got, err := f.Readlink(vfs.Cred{}, path); err != nil || got != want {
			t.Errorf("%s -> %q, %v; want %q", path, got, err, want)
		}
	}
	if got := read(t, f, "/bin/ls"); !strings.HasPrefix(got, "\x7fELF\x02\x01\x01") || got[18] != 0x3e {
		t.Errorf("/bin/ls begins % x", got[:20])
	}
	if n := strings.Count(read(t, f, "/proc/cpuinfo"), "processor\t"); n != h.Machine.CPU.Count() {
		t.Errorf("%d processors in cpuinfo, %d in the model", n, h.Machine.CPU.Count())
	}
	fresh := view(host(t, "s", "debian-12-fresh"), deployed)
	if n := strings.Count(read(t, fresh, "/etc/passwd"), "\n"); n != 20 {
		t.Errorf("%d accounts on a fresh host", n)
	}
	if n := strings.Count(read(t, fresh, "/etc/group"), "\n"); n != 42 {
		t.Errorf("%d groups on a fresh host", n)
	}
	var names []string
	list, _ := fresh.ReadDir(vfs.Cred{}, "/")
	for _, i := range list {
		names = append(names, i.Name)
	}
	if len(names) != 19 {
		t.Errorf("a fresh root holds %v", names)
	}
}

// Names on which detectors of decoys stand.
func TestNoNotoriousNames(t *testing.T) {
	bad := []string{"svr04", "svr03", "srv04", "nas3", "ubuntu", "server", "localhost", "phil", "richard"}
	for i := range 24 {
		h := host(t, fmt.Sprint(i), "debian-12")
		for _, b := range bad {
			if h.Machine.Hostname == b || h.App.User == b {
				t.Errorf("seed %d: %s %s", i, h.Machine.Hostname, h.App.User)
			}
		}
	}
}

func TestPlant(t *testing.T) {
	h := host(t, "s", "debian-12")
	if err := h.Plant(h.App.Env, vfs.Cred{UID: 33, GID: 33}, 0o640, []byte("DB_PASSWORD=x\n")); err != nil {
		t.Fatal(err)
	}
	f := view(h, deployed)
	if got := read(t, f, h.App.Env); got != "DB_PASSWORD=x\n" {
		t.Errorf("planted %q", got)
	}
	if err := h.Plant("/root/late", vfs.Cred{}, 0o600, nil); err == nil {
		t.Error("planting in a host that is in use")
	}
}

func TestMemory(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	h := host(t, "s", "debian-12")
	cost := heap() - before
	t.Logf("%d entries, %d KiB", h.Image.Len(), cost/1024)
	if cost > 5<<20 {
		t.Errorf("a host costs %d bytes", cost)
	}
	runtime.KeepAlive(h)
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		host(b, "s", "debian-12")
	}
}

func BenchmarkNewFS(b *testing.B) {
	h := host(b, "s", "debian-12")
	b.ReportAllocs()
	for b.Loop() {
		view(h, deployed)
	}
}
