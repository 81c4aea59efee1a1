package sensor_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"honeyguide"
	"honeyguide/internal/sensor/http"
	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
	"honeyguide/internal/sensor/telnet"
)

// execSSH runs one command over SSH.
func execSSH(t *testing.T, addr, line string) string {
	t.Helper()
	c, err := xssh.Dial("tcp", addr, &xssh.ClientConfig{
		User: "root", Auth: []xssh.AuthMethod{xssh.Password("abc123")},
		HostKeyCallback: xssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.CombinedOutput(line)
	if err != nil {
		t.Errorf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// TestAsk09UploadVisibleInNextLogin: what an attacker leaves over one service is
// there at the next login and over every other service.
func TestAsk09UploadVisibleInNextLogin(t *testing.T) {
	w := sensortest.NewWorld(t)
	keys := sensortest.HostKeys(t)
	rig := func(k sensortest.Kind) *sensortest.Rig {
		return sensortest.Start(t, k, sensortest.Options{World: w, Keys: keys, Config: func(into any) error {
			switch c := into.(type) {
			case *ssh.Config:
				c.Delay, c.Accept = 0, "always"
			case *telnet.Config:
				c.Delay, c.Accept, c.Patience = 0, "always", 0
			}
			return nil
		}})
	}
	shell, web, tty := rig(ssh.Kind), rig(http.Kind), rig(telnet.Kind)
	execSSH(t, shell.Addr, `echo "left here" > /var/www/html/mark.txt`)
	if got := execSSH(t, shell.Addr, `read -r x < /var/www/html/mark.txt; echo "$x"`); got != "left here\n" {
		t.Errorf("next login: %q", got)
	}
	c := web.Dial(t)
	_, _ = io.WriteString(c, "GET /mark.txt HTTP/1.0\r\n\r\n")
	if b, _ := io.ReadAll(c); !strings.HasSuffix(string(b), "\r\n\r\nleft here\n") {
		t.Errorf("over HTTP: %q", b)
	}
	if got := login(t, tty.Dial(t), "read -r x < /var/www/html/mark.txt; echo \"<$x>\"\nexit\n"); !strings.Contains(got, "<left here>") {
		t.Errorf("over Telnet: %q", got)
	}
	e := shell.Sink.Wait(t, honeyguide.ActivityFileWrite, 1)[0]
	if e.Str(honeyguide.AttrPath) != "/var/www/html/mark.txt" || e.Service != "ssh" {
		t.Errorf("event: %+v", e)
	}
	if n := len(tty.Sink.Wait(t, honeyguide.ActivityCommand, 2)); n != 2 {
		t.Errorf("%d commands over Telnet", n)
	}
}

// login logs in over Telnet, types and returns all that was shown.
func login(t *testing.T, c net.Conn, typed string) string {
	t.Helper()
	_, _ = io.WriteString(c, "root\nabc123\n"+typed)
	b, _ := io.ReadAll(c)
	return string(b)
}
