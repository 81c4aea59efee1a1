package telnet_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/telnet"
)

func always(into any) error {
	c := into.(*telnet.Config)
	c.Delay, c.Patience, c.Accept = 0, 10*time.Millisecond, "always"
	return nil
}

func rig(t testing.TB, config func(any) error) *sensortest.Rig {
	return sensortest.Start(t, telnet.Kind, sensortest.Options{Config: config, World: sensortest.NewWorld(t, sensortest.Simple)})
}

// peer is a client that keeps all it is sent.
type peer struct {
	net.Conn
	text string
	at   int // behind what was waited for
}

func (p *peer) until(t testing.TB, want string) {
	t.Helper()
	buf := make([]byte, 4096)
	for !strings.Contains(p.text[p.at:], want) {
		n, err := p.Read(buf)
		p.text += string(buf[:n])
		if err != nil && !strings.Contains(p.text[p.at:], want) {
			t.Fatalf("%v before %q; seen %q", err, want, p.text)
		}
	}
	p.at += strings.Index(p.text[p.at:], want) + len(want)
}

func (p *peer) say(s string) { _, _ = io.WriteString(p, s) }

const (
	greeting = "\xff\xfb\x25\xff\xfb\x26\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27\xff\xfd\x24"
	refusals = "\xff\xfe\x25\xff\xfe\x26\xff\xfc\x18\xff\xfc\x20\xff\xfc\x23\xff\xfc\x27\xff\xfc\x24"
	second   = "\xff\xfb\x03\xff\xfd\x01\xff\xfd\x22\xff\xfd\x1f\xff\xfb\x05\xff\xfd\x21"
)

func TestNegotiation(t *testing.T) {
	r := rig(t, func(into any) error { into.(*telnet.Config).Patience = time.Minute; return nil })
	p := &peer{Conn: r.Dial(t)}
	p.until(t, greeting)
	p.say("\xff\xfd\x63\xff\xfd\x63\xff\xfb\x63\xff\xf6") // DO 99 twice, WILL 99, AYT
	p.until(t, "\xff\xfc\x63\xff\xfe\x63\r\n[Yes]\r\n")
	p.say(refusals)
	p.until(t, "login: ")
	if !strings.Contains(p.text, second) {
		t.Errorf("after refusals: %q", p.text)
	}
}

func TestTerminalFacts(t *testing.T) {
	r := rig(t, func(into any) error {
		c := into.(*telnet.Config)
		*c = telnet.Config{Accept: "always", Grace: time.Minute, Tries: 3, Patience: time.Minute}
		return nil
	})
	p := &peer{Conn: r.Dial(t)}
	p.until(t, greeting)
	p.say("\xff\xfe\x25\xff\xfe\x26\xff\xfb\x18\xff\xfc\x20\xff\xfc\x23\xff\xfb\x27\xff\xfc\x24")
	p.until(t, "\xff\xfa\x18\x01\xff\xf0")
	p.say("\xff\xfa\x27\x00\x00USER\x01-f root\xff\xf0\xff\xfa\x18\x00XTERM-\xff\xff\xff\xf0")
	p.until(t, "login: ")
	p.say("\xff\xfb\x1f\xff\xfa\x1f\x00\x64\x00\x1e\xff\xf0root\r\x00")
	p.until(t, "root\r\nPassword: ")
	p.say("x\r\n")
	p.until(t, "$ ")
	p.say("size\r\n")
	p.until(t, "100x30 xterm-")
	p.say("\xff\xfa\x1f\x00\x50\x00\x19\xff\xf0size\r\n")
	p.until(t, "80x25")
	e := r.Sink.Wait(t, honeyguide.ActivityClient, 1)[0]
	if e.Severity != honeyguide.SeverityHigh || !strings.Contains(e.Str("terminal.environment"), "USER=-f root") {
		t.Errorf("client: %+v", e)
	}
}

func TestLoginAndShell(t *testing.T) {
	r := rig(t, always)
	p := &peer{Conn: r.Dial(t)}
	p.until(t, "login: ")
	p.say("rox\x7fot\r\n")
	p.until(t, "rox\b \bot\r\nPassword: ")
	p.say("s3cret\n")
	p.until(t, "$ ")
	if strings.Contains(p.text, "s3cret") {
		t.Error("the password is echoed")
	}
	if !strings.Contains(p.text, "ABSOLUTELY NO WARRANTY") {
		t.Errorf("greeting: %q", p.text)
	}
	p.say("echo a\xff\xffb\r\x00")
	p.until(t, "a\xff\xffb\r\na\xff\xffb\r\n$ ")
	p.say("put /tmp/from-telnet x\ncat " + sensortest.BaitPath + "\n")
	p.until(t, sensortest.BaitSecret)
	p.until(t, "$ ")
	p.say("exit\n")
	p.until(t, "logout\r\n")
	if _, err := io.ReadAll(p); err != nil {
		t.Errorf("after logout: %v", err)
	}
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	in := r.Sink.Wait(t, honeyguide.ActivityLoginSuccess, 1)[0]
	if in.Str(honeyguide.AttrUser) != "root" || in.Str(honeyguide.AttrPassword) != "s3cret" {
		t.Errorf("login: %+v", in)
	}
	if n := len(r.Sink.Events(honeyguide.ActivityCommand)); n != 3 {
		t.Errorf("%d commands", n)
	}
	if len(r.Sink.Events(honeyguide.ActivityFileWrite)) != 1 || len(r.Sink.Events(honeyguide.ActivityTokenExposed)) != 1 {
		t.Error("a file or an exposure is missing")
	}
	if got := r.Sink.Recording(in.Session, 'i'); !strings.HasPrefix(got, "echo a\xffb\r") {
		t.Errorf("typed %q", got)
	}
}

func TestThreeTries(t *testing.T) {
	r := rig(t, quick)
	p := &peer{Conn: r.Dial(t)}
	for range 3 {
		p.until(t, "login: ")
		p.say("root\r\n")
		p.until(t, "Password: ")
		p.say("wrong\r\n")
		p.until(t, "Login incorrect\r\n")
	}
	p.until(t, "Maximum number of tries exceeded")
	if got := r.Sink.Wait(t, honeyguide.ActivityLoginFailed, 3); got[2].Str(honeyguide.AttrPassword) != "wrong" {
		t.Errorf("attempts: %+v", got)
	}
}

func TestInputAtOnceAsLoadersSendIt(t *testing.T) {
	r := rig(t, always)
	p := &peer{Conn: r.Dial(t)}
	p.say("root\nanything\necho one\necho two\nexit\n")
	p.until(t, "one\r\n$ echo two\r\ntwo\r\n$ exit\r\nlogout\r\n")
}

func TestTelnetClient(t *testing.T) {
	path, err := exec.LookPath("telnet")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no telnet client on this machine, and nothing is skipped with CI=true")
		}
		t.Skip("no telnet client on this machine; `make setup` installs it")
	}
	r := rig(t, func(into any) error {
		c := into.(*telnet.Config)
		*c = telnet.Config{Accept: "always", Grace: time.Minute, Tries: 3, Patience: 20 * time.Second}
		return nil
	})
	host, port, _ := strings.Cut(r.Addr, ":")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, host, port)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &prompted{
		wants: []string{"login: ", "Password: ", "$ ", "here\r\n$ "},
		says:  []string{"root\n", "pw\n", "echo here\n", "exit\n"}, in: in,
	}
	cmd.Stdout = out
	_ = cmd.Run() // its status says only that the far end closed
	if !strings.Contains(out.all.String(), "logout") {
		t.Errorf("seen %q", out.all.String())
	}
}

// prompted answers prompts as they come.
type prompted struct {
	all   bytes.Buffer
	from  int
	wants []string
	says  []string
	in    io.WriteCloser
}

func (p *prompted) Write(b []byte) (int, error) {
	p.all.Write(b)
	for len(p.wants) > 0 && strings.Contains(p.all.String()[p.from:], p.wants[0]) {
		p.from = p.all.Len()
		_, _ = io.WriteString(p.in, p.says[0])
		p.wants, p.says = p.wants[1:], p.says[1:]
	}
	return len(b), nil
}
