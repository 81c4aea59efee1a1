package email_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"honeyguide/internal/respond"
	"honeyguide/internal/respond/email"
	"honeyguide/internal/respond/respondtest"
)

// eximConfig is a mail server that takes mail over TLS from one user and delivers
// it into a folder.
const eximConfig = `
primary_hostname = mx.example.org
spool_directory = DIR/spool
log_file_path = DIR/spool/%slog
pid_file_path = DIR/spool/pid
local_interfaces = <; 127.0.0.1.PORT
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
host_lookup =
rfc1413_hosts =
exim_user = USER
exim_group = USER
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data
message_size_limit = 1M
syslog_duplication = false
begin acl
check_rcpt:
  deny message = no such user here
       local_parts = nobody
  deny message = log in first
       !authenticated = *
  defer message = come back later
       local_parts = later
  accept
check_data:
  deny message = lines are too long
       condition = ${if > {$max_received_linelength}{998}}
  deny message = headers are not in order
       !verify = header_syntax
  accept
begin routers
all:
  driver = accept
  transport = folder
begin transports
folder:
  driver = appendfile
  directory = DIR/mail
  maildir_format
  envelope_to_add = true
  user = USER
  group = USER
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{soc}}{eq{$auth3}{PASSWORD}}}}
  server_advertise_condition = ${if OFFER{plain}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{soc}}{eq{$auth2}{PASSWORD}}}}
  server_advertise_condition = ${if OFFER{login}}
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = PASSWORD
  server_set_id = $auth1
  server_advertise_condition = ${if OFFER{cram}}
`

// An exim is a running mail server.
type exim struct {
	dir, server string
	cert        []byte
}

// startExim runs Debian's mail server on loopback, with settings of its own. auth
// is the one way to log in that it offers, after STARTTLS alone.
func startExim(t *testing.T, auth string) *exim {
	t.Helper()
	program, err := exec.LookPath("exim4")
	if err != nil {
		respondtest.Absent(t, "exim4 is not installed; test/setup.sh installs it")
	}
	account, err := user.Lookup("Debian-exim")
	if os.Getuid() != 0 || err != nil {
		respondtest.Absent(t, "exim4 takes settings of a test from root alone")
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	dir, at := t.TempDir(), respondtest.FreePort(t)
	for path := dir; path != os.TempDir() && len(path) > 1; path = filepath.Dir(path) { // its user must get there
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	x := &exim{dir: dir, server: at.String(), cert: respondtest.Certificate(t, dir)}
	for _, sub := range []string{"spool", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, sub), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.NewReplacer("DIR", dir, "PORT", fmt.Sprint(at.Port()), "PASSWORD", password, "USER", account.Username,
		"OFFER{"+auth+"}", "def:tls_in_cipher", "OFFER{plain}", "false", "OFFER{login}", "false", "OFFER{cram}", "false").Replace(eximConfig)
	text = strings.ReplaceAll(text, "${if false}", "false")
	conf := filepath.Join(dir, "exim.conf")
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(program, "-C", conf, "-bdf", "-q1h")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "spool", "mainlog"))
			reject, _ := os.ReadFile(filepath.Join(dir, "spool", "rejectlog"))
			panics, _ := os.ReadFile(filepath.Join(dir, "spool", "paniclog"))
			t.Logf("exim says: %s\n%s\n%s\n%s", out.Bytes(), log, reject, panics)
		}
	})
	respondtest.Listening(t, at)
	return x
}

// delivered waits for n mails in the folder and returns them.
func (x *exim) delivered(t *testing.T, n int) []string {
	t.Helper()
	var out []string
	respondtest.Eventually(t, fmt.Sprint(n, " mails"), func() bool {
		files, _ := filepath.Glob(filepath.Join(x.dir, "mail", "new", "*"))
		return len(files) >= n
	})
	files, _ := filepath.Glob(filepath.Join(x.dir, "mail", "new", "*"))
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(raw))
	}
	return out
}

func (x *exim) open(t *testing.T, settings map[string]any, roots []byte) respond.Messenger {
	t.Helper()
	all := map[string]any{"server": x.server, "user": "soc", "password": password, "from": "Höneyguide <soc@example.org>", "to": []string{"Bär <a@example.org>"}}
	for k, v := range settings {
		all[k] = v
	}
	door := respondtest.NewDoor(roots)
	a, err := email.Kind.Open(t.Context(), respondtest.Decode(all), respondtest.Deps(t, "mail", door))
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	return a.(respond.Messenger)
}

// received undoes what a Unix mail server does to a message: the headers it adds,
// and lines that end in LF alone.
func received(raw string) string {
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	return raw[strings.Index(raw, "From: "):]
}

// TestRealServer sends hostile texts to Debian's mail server over STARTTLS, each
// way to log in, and reads back what it delivered.
func TestRealServer(t *testing.T) {
	texts := respondtest.Hostile()
	for i, auth := range []string{"plain", "login", "cram"} {
		t.Run(auth, func(t *testing.T) {
			x := startExim(t, auth)
			m := x.open(t, nil, x.cert)
			var want []string
			for k := i * 3; k < len(texts); k += 50 { // a dozen for each: a server starts a process for every mail
				id := fmt.Sprintf("n-%04d", k)
				ref, err := m.Send(t.Context(), respond.Message{ID: id, Key: "I-3", Event: respond.EventTrigger, Title: texts[k], Text: texts[k] + "\r\n.\r\n..\n" + texts[len(texts)-1-k], Link: "https://console.example.org/incidents/1"})
				if err != nil {
					t.Fatalf("%.60q: %v", texts[k], err)
				}
				want = append(want, ref)
			}
			var got []string
			for _, raw := range x.delivered(t, len(want)) {
				p := read(t, received(raw))
				inert(t, p)
				got = append(got, p.Get("Message-Id"))
				if to, err := p.AddressList("To"); err != nil || len(to) != 1 || to[0].Name != "Bär" || to[0].Address != "a@example.org" {
					t.Errorf("to %v, %v", to, err)
				}
				if !strings.Contains(raw, "with esmtpsa") && !strings.Contains(raw, "with ESMTPSA") && !strings.Contains(raw, "TLS1") {
					t.Errorf("not over TLS with a login: %.400s", raw)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("delivered %q, sent %q", got, want)
			}
		})
	}
}

// TestRealServerSaysNo: what a mail server refuses, and what it is not trusted with.
func TestRealServerSaysNo(t *testing.T) {
	x := startExim(t, "plain")
	stranger := respondtest.Certificate(t, t.TempDir())
	message := respond.Message{ID: "n1", Title: "x", Text: "y"}
	for name, c := range map[string]struct {
		settings  map[string]any
		roots     []byte
		permanent bool
		why       string
	}{
		"wrong password":   {map[string]any{"password": "wr0ng-passw0rd"}, x.cert, true, "535"},
		"nobody":           {map[string]any{"to": []string{"nobody@example.org"}}, x.cert, true, "no such user"},
		"later":            {map[string]any{"to": []string{"later@example.org"}}, x.cert, false, "come back later"},
		"a stranger's TLS": {nil, stranger, false, "certificate"},
		"no TLS":           {map[string]any{"tls": "none", "user": "", "password": ""}, x.cert, true, "log in first"},
	} {
		_, err := x.open(t, c.settings, c.roots).Send(t.Context(), message)
		if err == nil || respond.IsPermanent(err) != c.permanent || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "passw0rd") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One recipient of two is refused: the other gets it, and it counts as sent.
	if _, err := x.open(t, map[string]any{"to": []string{"nobody@example.org", "a@example.org"}}, x.cert).Send(t.Context(), message); err != nil {
		t.Error(err)
	}
	if got := x.delivered(t, 1); len(got) != 1 || !strings.Contains(got[0], "Envelope-to: a@example.org\n") {
		t.Errorf("delivered %q", got)
	}
}
