package ssh_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"honeyguide"
	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
)

// client runs a real program of OpenSSH's or one over it. HOST in its arguments
// is the decoy.
func client(t *testing.T, r *sensortest.Rig, program, stdin string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s on this machine, and nothing is skipped with CI=true", program)
		}
		t.Skipf("no %s on this machine; `make setup` installs it", program)
	}
	dir := t.TempDir()
	ask := filepath.Join(dir, "ask")
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho "+password+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(r.Addr, ":")
	opts := []string{
		"-F", "none", "-o", "Port=" + port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1", "-o", "BatchMode=no",
	}
	if program == "rsync" {
		opts = []string{"-e", "ssh " + strings.Join(opts, " ")}
	}
	for _, a := range args {
		opts = append(opts, strings.ReplaceAll(a, "HOST", "root@"+host))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, opts...)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none", "TERM=xterm")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func transferRig(t *testing.T) *sensortest.Rig {
	return sensortest.Start(t, ssh.Kind, sensortest.Options{Config: always})
}

// blob is n bytes that do not compress and differ with the seed.
func blob(n int, seed string) []byte {
	out := make([]byte, 0, n+32)
	sum := sha256.Sum256([]byte(seed))
	for len(out) < n {
		sum = sha256.Sum256(sum[:])
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func put(t *testing.T, dir, name string, content []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func same(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, want %d, or others", path, len(got), len(want))
	}
}

// TestSFTPClient drives OpenSSH's sftp with a batch: up, down, recursive, modes,
// resumed, links, refusals.
func TestSFTPClient(t *testing.T) {
	r := transferRig(t)
	dir := t.TempDir()
	big := blob(3<<20+17, "big")
	put(t, dir, "big", big, 0o640)
	put(t, dir, "tree/a/one", []byte("one\n"), 0o755)
	put(t, dir, "tree/b/two", []byte("two\n"), 0o600)
	put(t, dir, "half", big[:1<<20], 0o640)
	batch := strings.Join([]string{
		"pwd", "cd /tmp", "put -p " + dir + "/big up", "put -r " + dir + "/tree", "put " + dir + "/half resume", "reput " + dir + "/big resume",
		"chmod 700 up", "ls -l up", "ls -la tree/a", "symlink up link", "ln up hard", "rename link link2", "-mkdir tree", "-rm nothing",
		"get resume " + dir + "/back", "get -r tree " + dir + "/treeback", "get -p tree/a/one " + dir + "/oneback", "df -h /tmp", "rm hard", "!true", "ls -1 /tmp",
		"copy up copied",
	}, "\n") + "\n"
	file := put(t, dir, "batch", []byte(batch), 0o600)
	out, err := client(t, r, "sftp", "", "-b", file, "HOST")
	if err != nil && !strings.Contains(out, "Invalid command") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"Remote working directory: /root", "-rwx------    ", " 3145745 ",
		"remote mkdir \"/tmp/tree\": Failure", "remote delete /tmp/nothing: No such file or directory", "%Capacity",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("sftp does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
	same(t, dir+"/back", big)
	same(t, dir+"/treeback/b/two", []byte("two\n"))
	if i, err := os.Stat(dir + "/oneback"); err != nil || i.Mode().Perm() != 0o755 {
		t.Errorf("mode kept: %v, %v", i, err)
	}
	// The upload is in the attacker's world: asks 9 and E10.
	if got := run(t, dial(t, r), "sha256sum /tmp/up; stat -c %a /tmp/up"); !strings.HasPrefix(got, hexSum(big)) || !strings.HasSuffix(got, "\n700\n") {
		t.Errorf("the shell sees %q", got)
	}
	r.Sink.Wait(t, honeyguide.ActivitySubsystem, 1)
	written := map[string]string{}
	for _, e := range r.Sink.Events(honeyguide.ActivityFileWrite) {
		written[e.Str(honeyguide.AttrPath)] = e.Str(honeyguide.AttrSHA256)
		if e.Str(honeyguide.AttrTool) != "sftp" {
			t.Errorf("written by %q", e.Str(honeyguide.AttrTool))
		}
	}
	if written["/tmp/up"] != hexSum(big) || written["/tmp/resume"] != hexSum(big) || written["/tmp/tree/b/two"] == "" {
		t.Errorf("written: %v", written)
	}
	reads, lists, changes := r.Sink.Events(honeyguide.ActivityFileRead), r.Sink.Events(honeyguide.ActivityFileList), r.Sink.Events(honeyguide.ActivityFileChange)
	if len(reads) != 4 || reads[0].Str(honeyguide.AttrSHA256) != hexSum(big) || len(lists) == 0 || len(changes) < 6 {
		t.Errorf("%d read, %d listed, %d changed", len(reads), len(lists), len(changes))
	}
}

func hexSum(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}

// TestSCPClient copies up and down with the program as it is now and as it was
// before it spoke SFTP.
func TestSCPClient(t *testing.T) {
	for name, old := range map[string][]string{"sftp": nil, "rcp": {"-O"}} {
		t.Run(name, func(t *testing.T) {
			r := transferRig(t)
			dir := t.TempDir()
			big := blob(2<<20+5, name)
			put(t, dir, "big", big, 0o751)
			put(t, dir, "tree/a/one", []byte("one\n"), 0o644)
			put(t, dir, "tree/empty", nil, 0o600)
			scp := func(args ...string) (string, error) {
				return client(t, r, "scp", "", append(append([]string{}, old...), args...)...)
			}
			for _, args := range [][]string{
				{"-p", dir + "/big", "HOST:/tmp/up"},
				{"-rp", dir + "/tree", "HOST:/tmp"},
				{"-q", "HOST:/tmp/up", dir + "/back"},
				{"-r", "HOST:/tmp/tree", dir + "/treeback"},
				{dir + "/big", dir + "/tree/empty", "HOST:/var/tmp/"},
				{"-p", "HOST:up*", dir + "/"},
			} {
				if strings.HasPrefix(args[1], "HOST:up") {
					run(t, dial(t, r), "cp /tmp/up ~/upload")
				}
				if out, err := scp(args...); err != nil {
					t.Fatalf("%v: %v\n%s", args, err, out)
				}
			}
			same(t, dir+"/back", big)
			same(t, dir+"/upload", big)
			same(t, dir+"/treeback/a/one", []byte("one\n"))
			want := hexSum(big) + "  /tmp/up\n751\n0\n"
			if got := run(t, dial(t, r), "sha256sum /tmp/up; stat -c %a /tmp/up; stat -c %s /var/tmp/empty"); got != want {
				t.Errorf("the shell sees %q, want %q", got, want)
			}
			for args, says := range map[string]string{
				"HOST:/nope " + dir + "/x": "No such file or directory",
				"HOST:/etc " + dir + "/x":  "not a regular file",
				dir + "/big HOST:/nope/x/": "No such file or directory",
			} {
				out, err := scp(strings.Fields(args)...)
				if err == nil || !strings.Contains(out, says) {
					t.Errorf("%s: %v\n%s", args, err, out)
				}
			}
			found := false
			for _, e := range r.Sink.Events(honeyguide.ActivityFileWrite) {
				found = found || e.Str(honeyguide.AttrSHA256) == hexSum(big) && e.Str(honeyguide.AttrPath) == "/tmp/up"
			}
			if !found {
				t.Error("the upload is no event")
			}
		})
	}
}

// TestRsyncClient: the far side of rsync gives up in rsync's own words, and what
// was tried is reported.
func TestRsyncClient(t *testing.T) {
	r := transferRig(t)
	dir := t.TempDir()
	put(t, dir, "f", []byte("x"), 0o600)
	out, err := client(t, r, "rsync", "", "-a", dir+"/f", "HOST:/tmp/")
	if err == nil || !strings.Contains(out, "rsync error: error in rsync protocol data stream (code 12) at io.c(231) [Receiver=3.2.7]") {
		t.Errorf("rsync: %v\n%s", err, out)
	}
	if got := r.Sink.Wait(t, honeyguide.ActivityCommand, 1); !strings.HasPrefix(got[0].Str(honeyguide.AttrCommand), "rsync --server ") {
		t.Errorf("reported %+v", got)
	}
}

// TestParallelTransfers uploads from many clients of one source at once.
func TestParallelTransfers(t *testing.T) {
	r := transferRig(t)
	dir := t.TempDir()
	content := blob(300<<10, "parallel")
	put(t, dir, "f", content, 0o600)
	var all sync.WaitGroup
	for _, name := range []string{"p1", "p2", "p3", "p4"} {
		all.Go(func() {
			if out, err := client(t, r, "scp", "", dir+"/f", "HOST:/tmp/"+name); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	all.Wait()
	if got := run(t, dial(t, r), "cat /tmp/p1 /tmp/p2 /tmp/p3 /tmp/p4 | wc -c"); got != "1228800\n" {
		t.Errorf("the shell sees %q", got)
	}
}

// TestNothingIsLost uses all ways in one login, some badly, and counts what is
// reported.
func TestNothingIsLost(t *testing.T) {
	r := transferRig(t)
	c := dial(t, r)
	if got := run(t, c, "echo one"); got != "one\n" {
		t.Fatal(got)
	}
	open := func() *xssh.Session {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sub := open()
	in, _ := sub.StdinPipe()
	if err := sub.RequestSubsystem("sftp"); err != nil {
		t.Fatal(err)
	}
	_, _ = in.Write([]byte("\x00\x00\x00\x05\x01\x00\x00\x00\x03" + // init
		"\x00\x00\x00\x1a\x03\x00\x00\x00\x01\x00\x00\x00\x09/tmp/lost\x00\x00\x00\x1a\x00\x00\x00\x00" + // open
		"\x00\x00\x00\x1a\x06\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01x" + // write
		"\xff\xff\xff\xff")) // no packet: it ends with the file open
	out, _ := sub.StdoutPipe()
	_, _ = io.Copy(io.Discard, out)
	s := open()
	s.Stdin = strings.NewReader("C0644 2 old\nhi\x00")
	_ = s.Run("scp -t /tmp")
	s = open()
	s.Stdin = strings.NewReader("nonsense\n")
	_ = s.Run("scp -t /tmp")
	s = open()
	if err := s.RequestPty("xterm", 24, 80, xssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	in, _ = s.StdinPipe()
	out, _ = s.StdoutPipe()
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(in, "echo two\r")
	(&screen{r: out}).until(t, "\rtwo\r\n\x1b[?2004h") // what is typed ahead of a prompt may be lost: wait for it
	_, _ = io.WriteString(in, "\x04")
	_ = s.Wait()
	_ = c.Close()
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	var got []string
	for _, e := range r.Sink.Events(honeyguide.ActivityCommand, honeyguide.ActivitySubsystem, honeyguide.ActivityFileWrite, honeyguide.ActivityClose) {
		if strings.HasSuffix(e.Str(honeyguide.AttrPath), "_history") {
			continue
		}
		got = append(got, strings.TrimSpace(e.Activity+" "+e.Str(honeyguide.AttrCommand)+e.Str(honeyguide.AttrPath)+e.Str(honeyguide.AttrDetail)))
	}
	want := []string{
		"command echo one", "subsystem sftp", "file_write /tmp/lost", "file_write /tmp/old", "command scp -t /tmp", "command scp -t /tmp",
		"command echo two", "close",
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("reported %v\nwant %v", got, want)
	}
}
