package coreutils_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide/internal/deception/vfs"
)

// real finds a program of this machine, to hold the pretended one's work against.
func real(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s on this machine, and nothing is skipped with CI=true", name)
		}
		t.Skipf("no %s on this machine; `make setup` installs it", name)
	}
	return path
}

// TestKeygenKeysAreReal hands what the pretended ssh-keygen wrote to the real
// one: the same public key, fingerprint and picture must come out.
func TestKeygenKeysAreReal(t *testing.T) {
	keygen := real(t, "ssh-keygen")
	b := newBench(t, "debian-12")
	for _, kind := range []string{"ed25519", "rsa -b 2048", "ecdsa", "ecdsa -b 384", "ecdsa -b 521"} {
		b.reset()
		args := append([]string{"ssh-keygen", "-f", "/tmp/k", "-N", "", "-C", "me@x", "-t"}, strings.Fields(kind)...)
		out, errs, status := b.run("", args...)
		if status != 0 || errs != "" {
			t.Fatalf("%s: %q, %d", kind, errs, status)
		}
		file := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(file, []byte(b.read("/tmp/k")), 0o600); err != nil {
			t.Fatal(err)
		}
		public, err := exec.CommandContext(t.Context(), keygen, "-y", "-f", file).CombinedOutput()
		if string(public) != b.read("/tmp/k.pub") || err != nil {
			t.Errorf("%s: the real program reads %s", kind, public)
		}
		picture, err := exec.CommandContext(t.Context(), keygen, "-lv", "-f", file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, picture)
		}
		_, art, _ := strings.Cut(string(picture), "\n")
		print := strings.Fields(string(picture))[1]
		if !strings.HasSuffix(out, "The key fingerprint is:\n"+print+" me@x\nThe key's randomart image is:\n"+art) {
			t.Errorf("%s: got\n%s\nthe real program shows\n%s", kind, out, picture)
		}
		if got, _, _ := b.run("", "ssh-keygen", "-lv", "-f", "/tmp/k"); got != string(picture) {
			t.Errorf("%s -lv: %s\nwant %s", kind, got, picture)
		}
		if got, _, _ := b.run("", "ssh-keygen", "-y", "-f", "/tmp/k"); got != string(public) {
			t.Errorf("%s -y: %s", kind, got)
		}
	}
}

// TestKeygenTexts is recorded from OpenSSH 9.2p1 of Debian 12.
func TestKeygenTexts(t *testing.T) {
	b := newBench(t, "debian-12")
	b.write("/etc/open", "x\n", 0o644)
	b.write("/root/x", "hello\n", 0o600)
	warning := strings.ReplaceAll(`@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Permissions 0644 for '/etc/open' are too open.
It is required that your private key files are NOT accessible by others.
This private key will be ignored.
Load key "/etc/open": bad permissions
`, "\n", "\r\n")
	for _, tc := range []struct {
		line, in, out, err string
		status             int
	}{
		{"-t foo", "", "", "unknown key type foo\r\n", 255},
		{"-t rsa -b 512 -f k", "", "", "Invalid RSA key length: minimum is 1024 bits\r\n", 255},
		{"-t ecdsa -b 100 -f k", "", "", "Invalid ECDSA key length: valid lengths are 256, 384 or 521 bits\r\n", 255},
		{"-b abc", "", "", "Bits has bad value abc (invalid)\r\n", 255},
		{"-l -f nosuch", "", "", "ssh-keygen: nosuch: No such file or directory\r\n", 255},
		{"-l -f /etc/passwd", "", "", "/etc/passwd is not a public key file.\r\n", 255},
		{"-y -f nosuch", "", "", "nosuch: No such file or directory\r\n", 255},
		{"-y -f /etc/open", "", "", warning, 255},
		{"-y -f x", "", "", "Load key \"x\": error in libcrypto\r\n", 255},
		{"-l -E foo -f x", "", "", "Invalid hash algorithm \"foo\"\r\n", 255},
		{"-R foo -f /root/nosuch", "", "", "Cannot stat /root/nosuch: No such file or directory\r\n", 255},
		{"-q -t ed25519 -N= -f /nodir/k", "", "", "Saving key \"/nodir/k\" failed: No such file or directory\r\n", 1},
		{"-q -t ed25519 -N= -f x", "", "x already exists.\nOverwrite (y/n)? ", "", 1},
		{"-q -t ed25519 -N= -f kq", "", "", "", 0},
		{"-y -P bad -f kq", "", "", "Load key \"kq\": incorrect passphrase supplied to decrypt private key\r\n", 255},
		{"-p -P = -N new -f kq", "", "Key has comment 'root@srv01'\nYour identification has been saved with the new passphrase.\n", "", 0},
	} {
		out, errs, status := b.run(tc.in, append([]string{"ssh-keygen"}, strings.Fields(tc.line)...)...)
		if out != tc.out || errs != tc.err || status != tc.status {
			t.Errorf("%s: %q, %q, %d; want %q, %q, %d", tc.line, out, errs, status, tc.out, tc.err, tc.status)
		}
	}
	if _, errs, status := b.run("", "ssh-keygen", "-t"); status != 1 || !strings.HasPrefix(errs, "option requires an argument -- t\r\nusage: ssh-keygen [-q]") {
		t.Errorf("%q, %d", errs, status)
	}
}

// TestKnownHosts finds, removes and hashes.
func TestKnownHosts(t *testing.T) {
	b := newBench(t, "debian-12")
	const key = " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKKz0o1/F12gVF9ZJcWHrl67z5xgNDZ8Qxui3I1GbqY+\n"
	b.write("/root/kh", "foo"+key+"10.0.0.1,bar"+key, 0o600)
	run := func(want string, status int, args ...string) {
		t.Helper()
		out, errs, got := b.run("", append([]string{"ssh-keygen", "-f", "/root/kh"}, args...)...)
		if out+errs != want || got != status {
			t.Errorf("%q: %q, %d; want %q, %d", args, out+errs, got, want, status)
		}
	}
	run("# Host foo found: line 1 \nfoo"+key, 0, "-F", "foo")
	run("", 1, "-F", "baz")
	run("/root/kh updated.\nOriginal contents retained as /root/kh.old\n", 0, "-H")
	if text := b.read("/root/kh"); strings.Contains(text, "foo") || strings.Count(text, "|1|") != 3 {
		t.Errorf("hashed: %s", text)
	}
	run("# Host bar found: line 3\n/root/kh updated.\nOriginal contents retained as /root/kh.old\n", 0, "-R", "bar")
	run("Host bar not found in /root/kh\r\n", 0, "-R", "bar")
}

// read returns a file of the bench's host.
func (b *bench) read(path string) string {
	b.t.Helper()
	f, err := b.fs.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}
