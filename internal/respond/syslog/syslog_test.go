package syslog_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/respondtest"
	"honeyguide/internal/respond/syslog"
	"honeyguide/internal/safetext"
)

func TestMain(m *testing.M) { respondtest.Main(m) }

// text is a whole record of RFC 5424, as its grammar has it.
var text = regexp.MustCompile(`^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) honeyguide - ([!-~]{1,32}) \[honeyguide@32473((?: [a-z0-9_]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] ` + "\ufeff" + `([^\n]*)$`)

var param = regexp.MustCompile(` ([a-z0-9_]{1,32})="((?:[^"\\\]]|\\["\\\]])*)"`)

// names are the names of the structured data of a record, "" when it is none.
func names(t testing.TB, record string) string {
	t.Helper()
	m := text.FindStringSubmatch(record)
	if m == nil || len(record) > 8<<10 || safetext.Hostile(strings.Replace(record, "\ufeff", "", 1)) {
		t.Errorf("no record: %.300q", record)
		return ""
	}
	var out []string
	for _, p := range param.FindAllStringSubmatch(m[5], -1) {
		out = append(out, p[1])
	}
	return strings.Join(out, " ")
}

var id = regexp.MustCompile(`(?:id="|externalId=)([a-z0-9-]+)`)

func world() respondtest.World {
	seen := map[string]bool{}
	return respondtest.World{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			if m := id.FindStringSubmatch(string(raw)); m != nil {
				seen[m[1]] = true
			}
		}),
		Effects: func() (out []string) {
			for k := range seen {
				out = append(out, k)
			}
			return out
		},
	}
}

// silent: a receiver that has no words cannot refuse.
var silent = func() map[string]respondtest.Verdict {
	out := map[string]respondtest.Verdict{}
	for _, name := range []string{"400", "401", "403", "404", "409", "410", "413", "422", "302", "429", "429 after", "500", "503 after", "garbage", "garbage that is JSON"} {
		out[name] = respondtest.Works
	}
	return out
}()

func TestConformance(t *testing.T) {
	check := map[string]func(*testing.T, []respondtest.Heard){
		"rfc5424": func(t *testing.T, heard []respondtest.Heard) {
			for _, h := range heard {
				if got := names(t, string(h.Body)); got != "id key severity incident attackers techniques playbook link" {
					t.Errorf("names %q", got)
				}
			}
		},
		"cef": func(t *testing.T, heard []respondtest.Heard) {
			for _, h := range heard {
				if got := keys(t, string(h.Body)); got != "rt externalId dvchost cs1 cs1Label cs2 cs2Label src cs3 cs3Label cs4 cs4Label cs5 cs5Label request msg" {
					t.Errorf("keys %q of %.300q", got, h.Body)
				}
			}
		},
	}
	for format := range check {
		t.Run(format, func(t *testing.T) {
			respondtest.Run(t, respondtest.Subject{
				Kind: syslog.Kind, World: world, Listen: respondtest.Syslog, Verdict: silent, Check: check[format], Raw: true, Every: 3, // FuzzRecord tries each
				Config: func(url string) map[string]any {
					return map[string]any{"server": strings.TrimPrefix(url, "syslog+tls://"), "format": format}
				},
			})
		})
	}
}

// keys are the keys of a CEF record, read as its escapes say.
func keys(t testing.TB, record string) string {
	t.Helper()
	_, s, ok := strings.Cut(record, " - CEF:0|")
	if !ok || strings.Contains(record, "\n") || safetext.Hostile(record) || len(record) > 8<<10 {
		t.Errorf("no record: %.300q", record)
		return ""
	}
	bars, i := 0, 0
	for ; i < len(s) && bars < 6; i++ {
		switch s[i] {
		case '\\':
			i++
			if s[i] != '\\' && s[i] != '|' {
				t.Errorf("escape %q in the head", s[i])
			}
		case '|':
			bars++
		}
	}
	if bars != 6 {
		t.Errorf("%d bars", bars)
		return ""
	}
	var out []string
	ext := s[i:]
	for i := 0; i < len(ext); i++ {
		switch ext[i] {
		case '\\':
			i++
			if i >= len(ext) || !strings.ContainsRune(`\=`, rune(ext[i])) {
				t.Errorf("an escape in the values: %.100q", ext[max(0, i-20):])
			}
		case '=':
			out = append(out, ext[strings.LastIndexByte(ext[:i], ' ')+1:i])
		}
	}
	return strings.Join(out, " ")
}

// open opens a syslog action that trusts roots.
func open(t *testing.T, roots []byte, settings map[string]any) respond.Messenger {
	t.Helper()
	door := respondtest.NewDoor(roots)
	a, err := syslog.Kind.Open(t.Context(), respondtest.Decode(settings), respondtest.Deps(t, "siem", door))
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	return a.(respond.Messenger)
}

func message(id, s string) respond.Message {
	return respond.Message{
		ID: id, Key: "I-3", Event: respond.EventTrigger, Severity: honeyguide.SeverityHigh, Title: s, Text: s,
		Fields: []respond.Field{{Name: "Attackers", Value: "198.51.100.7"}, {Name: "User Näme\"]", Value: s}},
	}
}

// TestSizes: a record is cut before a receiver would refuse it, between characters
// and not within an escape.
func TestSizes(t *testing.T) {
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, format := range []string{"rfc5424", "cef"} {
		a := open(t, nil, map[string]any{"server": u.LocalAddr().String(), "transport": "udp", "format": format})
		for _, s := range []string{strings.Repeat("é", 5000), strings.Repeat("]", 5000), strings.Repeat(`\`, 5000), strings.Repeat("x\\", 5000), strings.Repeat("=", 5000)} {
			if _, err := a.Send(t.Context(), message("n1", s)); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 64<<10)
			n, _, err := u.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			got := string(buf[:n])
			if n > 2048 || !strings.HasSuffix(got, "...(cut)") || strings.Contains(got, "\ufffd") {
				t.Errorf("%s: %d bytes: ...%q", format, n, got[max(0, n-60):])
			}
			if format == "cef" {
				keys(t, got)
			} else {
				names(t, got)
			}
		}
	}
}

// TestRealReceiver sends hostile texts to rsyslogd, over TLS and over TCP, and
// reads what it understood.
func TestRealReceiver(t *testing.T) {
	program, err := exec.LookPath("rsyslogd")
	modules, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_gtls.so")
	if err != nil || len(modules) == 0 {
		respondtest.Absent(t, "rsyslogd or its TLS module is not installed; test/setup.sh installs both")
	}
	dir, secure, plain := t.TempDir(), respondtest.FreePort(t), respondtest.FreePort(t)
	cert := respondtest.Certificate(t, dir)
	got := filepath.Join(dir, "got")
	conf := strings.NewReplacer("DIR", dir, "SECURE", fmt.Sprint(secure.Port()), "PLAIN", fmt.Sprint(plain.Port()), "GOT", got).Replace(`
global(workDirectory="DIR" maxMessageSize="16k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="DIR/cert.pem" defaultNetstreamDriverCertFile="DIR/cert.pem" defaultNetstreamDriverKeyFile="DIR/key.pem")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="SECURE" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="PLAIN")
template(name="seen" type="list") {
  constant(value="{\"severity\":\"") property(name="syslogseverity-text")
  constant(value="\",\"facility\":\"") property(name="syslogfacility")
  constant(value="\",\"host\":\"") property(name="hostname" format="json")
  constant(value="\",\"app\":\"") property(name="app-name" format="json")
  constant(value="\",\"msgid\":\"") property(name="msgid" format="json")
  constant(value="\",\"sd\":\"") property(name="structured-data" format="json")
  constant(value="\",\"msg\":\"") property(name="msg" format="json")
  constant(value="\"}\n")
}
*.* action(type="omfile" file="GOT" template="seen" flushOnTXEnd="on")
`)
	path := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(program, "-n", "-f", path, "-i", filepath.Join(dir, "pid"))
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("rsyslogd says: %s", out.Bytes())
		}
	})
	respondtest.Listening(t, secure)
	respondtest.Listening(t, plain)
	var want []string
	texts := respondtest.Hostile()
	for transport, at := range map[string]string{"tls": secure.String(), "tcp": plain.String()} {
		for _, format := range []string{"rfc5424", "cef"} {
			a := open(t, cert, map[string]any{"server": at, "transport": transport, "format": format, "facility": 16})
			for k := 0; k < len(texts); k += 30 {
				id := fmt.Sprintf("%s-%s-%04d", transport, format, k)
				if _, err := a.Send(t.Context(), message(id, texts[k])); err != nil {
					t.Fatalf("%s: %v", id, err)
				}
				want = append(want, id)
			}
		}
	}
	var lines []string
	respondtest.Eventually(t, fmt.Sprint(len(want), " records"), func() bool {
		raw, _ := os.ReadFile(got)
		lines = nil
		for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
			if strings.Contains(s.Text(), "honeyguide") {
				lines = append(lines, s.Text())
			}
		}
		return len(lines) >= len(want)
	})
	var had []string
	for _, line := range lines {
		var v struct{ Severity, Facility, Host, App, MsgID, SD, Msg string }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if v.Severity != "err" || v.Facility != "16" || v.Host != "edge-1" || v.App != "honeyguide" || v.MsgID != "trigger" {
			t.Errorf("understood as %+v", v)
		}
		if m := id.FindStringSubmatch(v.SD + v.Msg); m != nil {
			had = append(had, m[1])
		}
	}
	slices.Sort(had)
	slices.Sort(want)
	if !slices.Equal(had, want) {
		t.Errorf("%d records arrived, %d were sent", len(had), len(want))
	}
	// A collector that shows a stranger's certificate gets nothing.
	stranger := open(t, respondtest.Certificate(t, t.TempDir()), map[string]any{"server": secure.String()})
	if _, err := stranger.Send(t.Context(), message("n", "x")); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a stranger: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	for _, s := range respondtest.Hostile() {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, title, name string) {
		for _, format := range []string{"rfc5424", "cef"} {
			m := message("n1", title)
			m.Fields[1].Name = name
			raw := string(syslog.Record(format, m))
			if format == "cef" {
				keys(t, raw)
			} else {
				names(t, raw)
			}
		}
	})
}
