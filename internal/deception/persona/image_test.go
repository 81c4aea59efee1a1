package persona_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"debug/elf"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"testing"

	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/image"
)

// walk calls f for every entry of the image, mounted trees left out.
func walk(t testing.TB, fs *vfs.FS, dir string, f func(i vfs.Info)) {
	t.Helper()
	list, err := fs.ReadDir(vfs.Cred{}, dir)
	if err != nil {
		t.Fatalf("list %s: %v", dir, err)
	}
	for _, i := range list {
		f(i)
		if i.IsDir() && i.Path != "/proc" && i.Path != "/sys" {
			walk(t, fs, i.Path, f)
		}
	}
}

// The set of programs that give their owner's rights, as on a Debian 12 server
// with these packages.
func TestSetuid(t *testing.T) {
	want := map[string][]string{
		"debian-12-fresh": {"/usr/bin/chfn", "/usr/bin/chsh", "/usr/bin/gpasswd", "/usr/bin/mount", "/usr/bin/newgrp", "/usr/bin/passwd", "/usr/bin/su", "/usr/bin/sudo", "/usr/bin/umount", "/usr/lib/openssh/ssh-keysign"},
	}
	want["debian-12"] = append([]string{"/usr/lib/dbus-1.0/dbus-daemon-launch-helper", "/usr/lib/mysql/plugin/auth_pam_tool_dir/auth_pam_tool"}, want["debian-12-fresh"]...)
	slices.Sort(want["debian-12"])
	for name, want := range want {
		var got []string
		walk(t, view(host(t, "s", name), deployed), "/", func(i vfs.Info) {
			if i.IsRegular() && i.Mode&vfs.Setuid != 0 {
				got = append(got, i.Path)
			}
		})
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Every folder's link count is two and its folders, every inode number belongs
// to one file, and names of one file share it.
func TestCounts(t *testing.T) {
	fs := view(host(t, "s", "debian-12"), deployed)
	folders := map[string]uint32{"/": 2}
	type node struct{ dev, ino uint64 }
	names := map[node][]vfs.Info{}
	var all []vfs.Info
	walk(t, fs, "/", func(i vfs.Info) {
		all = append(all, i)
		if i.IsDir() {
			folders[i.Path] += 2
			folders[i.Path[:max(strings.LastIndexByte(i.Path, '/'), 1)]]++
		}
		names[node{i.Dev, i.Ino}] = append(names[node{i.Dev, i.Ino}], i)
	})
	for _, i := range all {
		if i.IsDir() && i.Path != "/proc" && i.Path != "/sys" && i.Nlink != folders[i.Path] {
			t.Errorf("%s: %d links, want %d", i.Path, i.Nlink, folders[i.Path])
		}
	}
	for n, list := range names {
		if int(list[0].Nlink) != len(list) && !list[0].IsDir() || list[0].IsDir() && len(list) > 1 {
			t.Errorf("inode %v: %d names, %d links: %s", n, len(list), list[0].Nlink, list[0].Path)
		}
	}
	if i, _ := fs.Stat(vfs.Cred{}, "/usr/bin/gunzip"); i.Nlink != 2 {
		t.Errorf("gunzip has %d links", i.Nlink)
	}
	for path, want := range map[string]uint64{"/": 2, "/dev": 1, "/run": 1} {
		if i, _ := fs.Stat(vfs.Cred{}, path); i.Ino != want {
			t.Errorf("inode of %s is %d, want %d", path, i.Ino, want)
		}
	}
}

// What other programs take for an ELF file, a gzip stream and byte code is one.
func TestFormats(t *testing.T) {
	fs := view(host(t, "s", "debian-12"), deployed)
	kinds := map[string]int{}
	walk(t, fs, "/usr", func(i vfs.Info) {
		kind := ""
		switch {
		case !i.IsRegular() || i.Size == 0:
			return
		case strings.HasSuffix(i.Path, ".gz"):
			kind = "gzip"
		case strings.HasPrefix(i.Path, "/usr/bin/") || strings.Contains(i.Name, ".so.") || strings.HasSuffix(i.Name, ".ko"):
			kind = "elf"
		default:
			return
		}
		kinds[kind]++
		if kinds[kind]%9 != 0 { // a sample
			return
		}
		data := []byte(read(t, fs, i.Path))
		switch {
		case kind == "gzip":
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Errorf("%s: %v", i.Path, err)
				return
			}
			text, err := io.ReadAll(z)
			if err != nil || len(text) == 0 || bytes.ContainsFunc(text, func(r rune) bool { return r > 126 || r < 32 && r != '\n' }) {
				t.Errorf("%s: unpacks to %d bytes: %v", i.Path, len(text), err)
			}
		case bytes.HasPrefix(data, []byte("\x7fELF")):
			kinds["program"]++
			e, err := elf.NewFile(bytes.NewReader(data))
			if err != nil {
				t.Errorf("%s: %v", i.Path, err)
				return
			}
			if e.Machine != elf.EM_X86_64 || len(e.Sections) > 2 && e.Sections[len(e.Sections)-1].Name != ".shstrtab" {
				t.Errorf("%s: %v, %d sections", i.Path, e.Machine, len(e.Sections))
			}
		}
	})
	if kinds["gzip"] < 2000 || kinds["program"] < 300 {
		t.Errorf("looked at %v", kinds)
	}
}

// dpkg's own files, the packages and the tree say the same.
func TestPackages(t *testing.T) {
	for _, name := range []string{"debian-12", "debian-12-fresh"} {
		h := host(t, "s", name)
		fs := view(h, deployed)
		for _, p := range []string{"bash", "coreutils", "openssh-server", "libc6", "git", "linux-image-" + h.Machine.Kernel.Release} {
			files, ok := h.Files(p)
			if !ok {
				t.Errorf("%s: %s is not installed", name, p)
				continue
			}
			list := "/var/lib/dpkg/info/" + p + ".list"
			if _, err := fs.Lstat(vfs.Cred{}, list); err != nil {
				list = "/var/lib/dpkg/info/" + p + ":amd64.list"
			}
			if got := read(t, fs, list); got != strings.Join(files, "\n")+"\n" {
				t.Errorf("%s: %s holds %d bytes, dpkg -L says %d lines", name, list, len(got), len(files))
			}
			for _, f := range files {
				if _, err := fs.Lstat(vfs.Cred{}, strings.TrimSuffix(f, "/.")); f != "/." && err != nil {
					t.Errorf("%s: %s of %s: %v", name, f, p, err)
				}
			}
		}
		for file, want := range map[string]string{"/bin/bash": "bash", "/etc/crontab": "cron-daemon-common", "/usr/bin/dig": "bind9-dnsutils", "/boot/vmlinuz-" + h.Machine.Kernel.Release: "linux-image-" + h.Machine.Kernel.Release} {
			if got := h.Owners(file); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %s belongs to %v, want %s", name, file, got, want)
			}
		}
		if n := len(h.Owners("/usr/bin")); n < 50 {
			t.Errorf("%s: %d packages own /usr/bin", name, n)
		}
		status := read(t, fs, "/var/lib/dpkg/status")
		if n := strings.Count(status, "\nStatus: install ok installed\n"); n != len(h.Packages) {
			t.Errorf("%s: %d packages in the status file, %d in the model", name, n, len(h.Packages))
		}
		// A configuration file's recorded sum is that of its content.
		for _, c := range []string{"/etc/crontab", "/etc/sudoers", "/etc/adduser.conf", "/etc/pam.d/sshd", "/etc/logrotate.conf"} {
			sum := md5.Sum([]byte(read(t, fs, c)))
			if line := " " + c + " " + hex.EncodeToString(sum[:]) + "\n"; !strings.Contains(status, line) {
				t.Errorf("%s: the status file lacks %q", name, line)
			}
		}
		for path, sum := range h.Sums("grep") {
			real := md5.Sum([]byte(read(t, fs, path)))
			if hex.EncodeToString(real[:]) != sum {
				t.Errorf("%s: %s does not have its sum", name, path)
			}
		}
	}
}

// Configuration as the packages brought it has Debian's length.
func TestConfiguration(t *testing.T) {
	fs := view(host(t, "s", "debian-12"), deployed)
	for path, size := range map[string]int{
		"/etc/crontab": 1042, "/etc/sudoers": 1714, "/etc/services": 12813, "/etc/login.defs": 12569, "/etc/adduser.conf": 3040, "/etc/profile": 769,
		"/etc/bash.bashrc": 1994, "/etc/skel/.bashrc": 3526, "/etc/skel/.profile": 807, "/etc/skel/.bash_logout": 220, "/etc/issue": 27, "/etc/issue.net": 20,
		"/etc/motd": 286, "/etc/rsyslog.conf": 1430, "/etc/pam.d/sshd": 2133, "/etc/logrotate.conf": 494, "/etc/nginx/nginx.conf": 1446,
		"/usr/lib/os-release": 267, "/etc/host.conf": 9, "/etc/sysctl.conf": 2355, "/etc/update-motd.d/10-uname": 23, "/etc/ssh/ssh_config": 1650,
	} {
		if got := read(t, fs, path); len(got) != size {
			t.Errorf("%s has %d bytes, want %d", path, len(got), size)
		} else if strings.Contains(got, "@@") {
			t.Errorf("%s: a gap was not filled", path)
		}
	}
	for path, want := range map[string]string{"/etc/ssh/sshd_config": "\nPermitRootLogin yes\n", "/etc/sudoers": "\n%sudo\tALL=(ALL:ALL) ALL\n", "/etc/services": "\nssh\t\t22/tcp"} {
		if got := read(t, fs, path); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q:\n%.600s", path, want, got)
		}
	}
}

// A file's bytes do not depend on how it is read, and are the same on two hosts
// with the same package.
func TestContentIsStable(t *testing.T) {
	a, b := view(host(t, "one", "debian-12"), deployed), view(host(t, "two", "debian-12"), deployed)
	for _, p := range []string{"/usr/bin/ls", "/usr/share/man/man1/ls.1.gz", "/etc/login.defs", "/usr/share/doc/bash/copyright", "/var/lib/dpkg/info/grep.md5sums", "/usr/lib/python3.11/os.py"} {
		whole := read(t, a, p)
		if other := read(t, b, p); other != whole {
			t.Errorf("%s differs between two hosts", p)
		}
		f, err := a.Open(vfs.Cred{}, p, vfs.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		buf := make([]byte, 1021)
		for n := 1; ; n = n*7%len(buf) + 1 {
			k, err := f.Read(buf[:n])
			got = append(got, buf[:k]...)
			if err != nil {
				break
			}
		}
		_ = f.Close()
		if string(got) != whole {
			t.Errorf("%s read in pieces gives other bytes", p)
		}
	}
}

func TestPermissions(t *testing.T) {
	h := host(t, "s", "debian-12")
	fs := view(h, deployed)
	boss, _ := h.User(h.App.User)
	user := h.Cred(boss)
	nobody := vfs.Cred{UID: 65534, GID: 65534}
	for _, c := range []struct {
		path               string
		read, owner, other bool // root reads all
	}{
		{"/etc/passwd", true, true, true},
		{"/etc/shadow", true, false, false},
		{"/etc/gshadow", true, false, false},
		{"/etc/sudoers", true, false, false},
		{"/root/.bashrc", true, false, false},
		{"/etc/ssh/ssh_host_rsa_key", true, false, false},
		{"/etc/ssh/sshd_config", true, true, true},
		{"/var/log/auth.log", true, true, false}, // group adm
		{"/usr/bin/passwd", true, true, true},
		{boss.Home + "/.bash_history", true, true, false},
		{"/etc/mysql/debian.cnf", true, false, false},
		{"/boot/vmlinuz-" + h.Machine.Kernel.Release, true, true, true},
	} {
		for who, try := range map[string]struct {
			cred vfs.Cred
			want bool
		}{"root": {vfs.Cred{}, c.read}, "admin": {user, c.owner}, "nobody": {nobody, c.other}} {
			f, err := fs.Open(try.cred, c.path, vfs.O_RDONLY, 0)
			if err == nil {
				_ = f.Close()
			}
			if (err == nil) != try.want {
				t.Errorf("%s opens %s: %v", who, c.path, err)
			}
		}
	}
	for path, mode := range map[string]uint32{"/tmp": 0o1777, "/var/tmp": 0o1777, "/root": 0o700, "/etc/shadow": 0o640, "/var/mail": 0o2775, "/var/local": 0o2775, "/etc/sudoers.d": 0o755, "/var/spool/cron/crontabs": 0o1730, "/dev/shm": 0o1777, "/dev/null": 0o666} {
		if i, err := fs.Stat(vfs.Cred{}, path); err != nil || i.Perm() != mode {
			t.Errorf("%s has mode %o (%v), want %o", path, i.Perm(), err, mode)
		}
	}
}

func BenchmarkMD5OfLibc(b *testing.B) {
	fs := view(host(b, "s", "debian-12"), deployed)
	i, err := fs.Stat(vfs.Cred{}, "/usr/lib/x86_64-linux-gnu/libc.so.6")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(i.Size)
	for b.Loop() {
		read(b, fs, "/usr/lib/x86_64-linux-gnu/libc.so.6")
	}
}

func BenchmarkPackageOf(b *testing.B) {
	h := host(b, "s", "debian-12")
	for b.Loop() {
		if len(h.Owners("/bin/bash")) != 1 {
			b.Fatal("no owner")
		}
	}
}

// An operator's own root, contents and all, becomes the host's.
func TestOwnImage(t *testing.T) {
	x := &image.Index{Name: "own", Ordered: true, Entries: []image.Entry{
		{Parent: -1, Mode: image.Dir | 0o755, Same: -1, Owner: -1},
		{Name: "zeta", Mode: image.Dir | 0o755, Same: -1, Owner: -1},
		{Name: "notes", Parent: 1, Mode: image.Regular | 0o644, Size: 6, Kind: image.Text, Body: []byte("hello\n"), Same: -1, Owner: -1},
		{Name: "usr", Mode: image.Dir | 0o755, Same: -1, Owner: -1},
		{Name: "bin", Parent: 3, Mode: image.Dir | 0o755, Same: -1, Owner: -1},
		{Name: "bash", Parent: 4, Mode: image.Regular | 0o755, Size: 9000, Kind: image.ELF, Head: "2 3 62 13 31 -db /lib64/ld-linux-x86-64.so.2", Same: -1, Owner: -1},
		{Name: "lib", Parent: 3, Mode: image.Dir | 0o755, Same: -1, Owner: -1},
		{Name: "alpha", Mode: image.Dir | 0o755, Same: -1, Owner: -1},
	}}
	var b bytes.Buffer
	if err := image.Write(&b, x); err != nil {
		t.Fatal(err)
	}
	for _, name := range persona.Names() {
		h, err := persona.New([]byte("s"), name, persona.Options{Now: deployed, Image: b.Bytes()})
		if err != nil {
			t.Fatal(err)
		}
		fs := view(h, deployed)
		if got := read(t, fs, "/zeta/notes"); got != "hello\n" {
			t.Errorf("%s: notes %q", name, got)
		}
		var order []string
		list, _ := fs.ReadDir(vfs.Cred{}, "/")
		for _, i := range list[:3] {
			order = append(order, i.Name)
		}
		if !slices.Equal(order, []string{"zeta", "usr", "alpha"}) {
			t.Errorf("%s: the root lists %v first", name, order)
		}
		if _, err := fs.Stat(vfs.Cred{}, "/usr/bin/gcc"); err == nil {
			t.Errorf("%s: the shipped files are there too", name)
		}
	}
	if _, err := persona.New([]byte("s"), "debian-12", persona.Options{Now: deployed, Image: b.Bytes()[:20]}); err == nil {
		t.Error("half an image was taken")
	}
}
