package ssh

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/sensor/sensortest"
)

const (
	testKey  = "AAAAC3NzaC1lZDI1NTE5AAAAIFpCpGIrRLarsi4446EC5Wsx5Ozc33T6WGR84fn0iQ5C"
	allGiven = "agent-forwarding port-forwarding pty user-rc x11-forwarding"
)

func TestFindKey(t *testing.T) {
	blob, err := base64.StdEncoding.DecodeString(testKey)
	if err != nil {
		t.Fatal(err)
	}
	key := "ssh-ed25519 " + testKey
	for _, tc := range []struct{ text, want string }{
		{key, "f:1: key options: " + allGiven},
		{"# mine\n\n  \t" + key + " me@here\r\n", "f:3: key options: " + allGiven},
		{"no-pty " + key, "f:1: key options: agent-forwarding port-forwarding user-rc x11-forwarding"},
		{"restrict,pty " + key, "f:1: key options: pty"},
		{`command="echo \"a, b\"; exit",no-X11-forwarding ` + key, "f:1: key options: agent-forwarding command port-forwarding pty user-rc"},
		{`from="10.0.0.1, 10.0.0.2",environment="A=b c" ` + key, "f:1: key options: agent-forwarding environment port-forwarding pty user-rc x11-forwarding"},
		{`expiry-time="20200101" ` + key, "f:1: key options: " + allGiven},
		{"frobnicate " + key, ""},
		{"command " + key, ""},
		{`command="open ` + key, ""},
		{"#" + key, ""},
		{"ssh-rsa " + testKey, ""},
		{"ssh-ed25519", ""},
		{"ssh-ed25519 " + testKey[:40], ""},
		{"a comment that ends in ssh-ed25519 " + testKey, ""},
	} {
		if g, _ := findKey("f", tc.text, "ssh-ed25519", blob); g.remark != tc.want {
			t.Errorf("%q: %q, want %q", tc.text, g.remark, tc.want)
		}
	}
}

func FuzzKeyLine(f *testing.F) {
	for _, s := range []string{"", `command="a\"b",restrict ssh-rsa AAAA== x`, "\"", `a\`, ",,, ssh-ed25519 x", "no- ssh-rsa x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		k, ok := parseKeyLine(line)
		if ok && (k.blob == "" && !strings.Contains(line, "=") || k.kind == "") {
			t.Errorf("%q: %+v", line, k)
		}
		if remark, ok := describe(k.options); ok && !strings.HasPrefix(remark, "key options:") {
			t.Errorf("%q: %q", line, remark)
		}
	})
}

func TestStrictModes(t *testing.T) {
	host, err := persona.New(sensortest.Seed(), "debian-12", persona.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	fs := host.Image.NewFS(vfs.Quota{}, time.Now)
	root := vfs.Cred{}
	const file = "/root/.ssh/authorized_keys"
	h, err := fs.Open(root, file, vfs.O_WRONLY|vfs.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_ = h.Close()
	for _, tc := range []struct {
		at   string
		mode uint32
		want string
	}{
		{file, 0o644, ""},
		{file, 0o664, "bad ownership or modes for file " + file},
		{file, 0o600, ""},
		{"/root/.ssh", 0o777, "bad ownership or modes for directory /root/.ssh"},
		{"/root/.ssh", 0o755, ""},
		{"/root", 0o770, "bad ownership or modes for directory /root"},
		{"/root", 0o700, ""},
	} {
		if err := fs.Chmod(root, tc.at, tc.mode); err != nil {
			t.Fatal(err)
		}
		if got := strictModes(fs, file, "/root", 0); got != tc.want {
			t.Errorf("%s %o: %q, want %q", tc.at, tc.mode, got, tc.want)
		}
	}
	if err := fs.Chown(root, file, 1000, 1000, false); err != nil {
		t.Fatal(err)
	}
	if got := strictModes(fs, file, "/root", 0); got == "" {
		t.Error("another user's file opens root's login")
	}
}
