// Package ui drives the console in a real Chromium against the real binary: it
// starts a core, fills it, keeps events coming, and runs the suites of web/test,
// whose checks become subtests. The console has to be built (make web).
package ui

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide/test/rig"
	"honeyguide/web"
)

// A console is a core with the console in front of it.
type console struct {
	core *rig.Core
	base string // https://localhost:PORT
	rate atomic.Int64
	give map[string]any // what suites are told
}

// root is the top folder of the repository.
func root() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..")
}

// lacking skips a test for want of something, except with CI=true.
func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and nothing is skipped with CI=true", what)
	}
	t.Skip(what)
}

// need makes sure of everything a browser suite stands on.
func need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("drives a browser; -short leaves it out")
	}
	rig.Need(t, "node")
	rig.Need(t, "chromium")
	if _, err := os.Stat(filepath.Join(root(), "web", "node_modules", "playwright-core")); err != nil {
		lacking(t, "the packages of the console are not there: `make web` installs them")
	}
	if f, err := web.Files().Open("index.html"); err != nil {
		lacking(t, "the console is not built: `make web` does it")
	} else {
		_ = f.Close()
	}
}

// freePort is a port nobody listens on. Passkeys belong to an address, which has
// to be known before the core starts.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// quick are settings for people who do not wait: no delays of the decoys' own, and
// no limits, for all comes from one address.
var quick = []string{
	"sensors.ssh.delay=0s", "sensors.telnet.delay=0s", "deception.per_source=10000", "telemetry.level=warn",
	"api.limits.read=0", "api.limits.write=0", "api.limits.export=0", "api.limits.ingest=0", "api.limits.stream=0", "api.limits.login=0",
	"api.limits.connections=0",
}

// start starts a core with a console.
func start(t testing.TB, port string, sets ...string) *console {
	t.Helper()
	sets = append(append([]string{"api.listen=127.0.0.1:" + port}, quick...), sets...)
	c := &console{core: rig.Start(t, t.TempDir(), sets...), base: "https://localhost:" + port}
	shots := os.Getenv("HONEYGUIDE_UI_SHOTS") // pictures of failures are kept here
	if shots == "" {
		shots = t.TempDir()
	}
	c.give = map[string]any{
		"base": c.base, "spki": c.spki(t), "socket": filepath.Join(c.core.Data, "honeyguide.sock"), "shots": shots,
		"decoys": map[string]string{"ssh": c.core.Sensor("ssh"), "http": c.core.Sensor("http"), "telnet": c.core.Sensor("telnet")},
	}
	rig.Eventually(t, 20*time.Second, "the one-time link", func() bool {
		m := regexp.MustCompile(`/first-run#(\S+)`).FindStringSubmatch(c.core.Output())
		if m != nil {
			c.give["link"] = m[1]
		}
		return m != nil
	})
	return c
}

// spki is the hash of the key of the core's certificate, as Chromium wants it.
func (c *console) spki(t testing.TB) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(c.base, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// signIn makes a user and returns the cookie of a session of theirs. It wants a
// core that asks for no second factor of that role.
func (c *console) signIn(t testing.TB, name, role string) string {
	t.Helper()
	var made struct {
		Link string `json:"link"`
	}
	c.post(t, "/api/v1/users", map[string]string{"name": name, "role": role}, &made)
	_, token, _ := strings.Cut(made.Link, "#")
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 20 * time.Second}
	body, _ := json.Marshal(map[string]string{"token": token, "password": password})
	resp, err := browser.Post(c.base+"/api/v1/auth/first-run", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, cookie := range resp.Cookies() {
		if cookie.Name == "__Host-honeyguide" && resp.StatusCode == http.StatusOK {
			return cookie.Value
		}
	}
	text, _ := io.ReadAll(resp.Body)
	t.Fatalf("sign in as %s: %s: %s", name, resp.Status, text)
	return ""
}

// password is everybody's, for what asks who they are.
const password = "seven grey herons wade"

// post sends an order over the local socket.
func (c *console) post(t testing.TB, path string, body, into any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	code, text, err := c.core.Post(path, "application/json", bytes.NewReader(raw))
	if err != nil || code >= 300 {
		t.Fatalf("POST %s: %d %s %v", path, code, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
}

// A line is what a suite says on a line.
type line struct {
	Check  string   `json:"check"`
	OK     bool     `json:"ok"`
	Detail string   `json:"detail"`
	MS     int      `json:"ms"`
	Load   *int64   `json:"load"`
	Figure string   `json:"figure"`
	Value  float64  `json:"value"`
	Unit   string   `json:"unit"`
	Limit  *float64 `json:"limit"`
}

// run runs a suite of web/test while events keep coming, and makes each of its
// checks a subtest. Figures are handed to took.
func (c *console) run(t *testing.T, suite string, within time.Duration, took func(line)) {
	t.Helper()
	set, err := json.Marshal(c.give)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	go c.keepComing(ctx)
	cmd := exec.CommandContext(ctx, "node", filepath.Join("test", suite+".mjs"))
	cmd.Dir = filepath.Join(root(), "web")
	cmd.Env = append(os.Environ(), "HONEYGUIDE_UI="+string(set))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	checks := 0
	for in := bufio.NewReader(out); ; {
		raw, err := in.ReadBytes('\n')
		var l line
		if json.Unmarshal(raw, &l) != nil {
			if len(raw) > 1 {
				t.Logf("%s", bytes.TrimSpace(raw))
			}
		} else if l.Load != nil {
			c.rate.Store(*l.Load)
		} else if l.Figure != "" && took != nil {
			took(l)
		} else if l.Check != "" {
			checks++
			t.Run(l.Check, func(t *testing.T) {
				if !l.OK {
					t.Error(l.Detail)
				} else if l.MS > 0 {
					t.Logf("%d ms", l.MS)
				}
			})
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); ctx.Err() != nil {
		t.Errorf("not done within %v", within)
	} else if _, isExit := err.(*exec.ExitError); err != nil && !isExit || checks == 0 {
		t.Errorf("%d checks, %v: %s", checks, err, errs.String())
	}
	if log := c.core.Output(); strings.ContainsAny(log, "\x1b\x07") {
		t.Error("control characters in the log of the core")
	}
}

// keepComing sends records of another product at the rate a suite asks for.
func (c *console) keepComing(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var owed float64
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		owed += float64(c.rate.Load()) / 4
		var b strings.Builder
		for ; owed >= 1; owed-- {
			n++
			b.WriteString(record(time.Now(), n))
		}
		if b.Len() > 0 {
			_, _, _ = c.core.Post("/api/v1/ingest?format=suricata", "application/x-ndjson", strings.NewReader(b.String()))
		}
	}
}

// signatures are what the records of the loader say happened.
var signatures = []struct {
	id       int
	name     string
	severity int
	attack   string
}{
	{2001219, "ET SCAN Potential SSH Scan", 2, "T1046"},
	{2034125, "ET EXPLOIT Apache path traversal attempt", 1, "T1190"},
	{2019284, "ET ATTACK_RESPONSE Output of id command from HTTP server", 2, "T1059"},
	{2027865, "ET INFO Observed DNS query to a newly seen domain", 3, "T1071"},
	{2024897, "ET USER_AGENTS Go HTTP client user agent", 3, "T1595"},
	{2029740, "ET MALWARE ELF download from a bare address", 1, "T1105"},
}

// record is a line of Suricata: each one is an alert of its own.
func record(at time.Time, n int) string {
	s := signatures[n%len(signatures)]
	return fmt.Sprintf(`{"timestamp":%q,"flow_id":%d,"event_type":"alert","src_ip":"45.%d.%d.%d","src_port":%d,"dest_ip":"192.0.2.%d","dest_port":22,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":%d,"rev":1,"signature":%q,"category":"Misc Attack","severity":%d,"metadata":{"mitre_technique_id":[%q]}}}`+"\n",
		at.UTC().Format("2006-01-02T15:04:05.000000-0700"), n+1, n>>16&127, n>>8&255, n&255, 1024+n%60000, n%200+1, s.id, s.name, s.severity, s.attack)
}

// ingest hands records over and waits until they are stored.
func (c *console) ingest(t testing.TB, format, text string) {
	t.Helper()
	code, body, err := c.core.Post("/api/v1/ingest?format="+format+"&wait=true", "application/x-ndjson", strings.NewReader(text))
	if err != nil || code >= 300 {
		t.Fatalf("ingest %s: %d %s %v", format, code, body, err)
	}
}
