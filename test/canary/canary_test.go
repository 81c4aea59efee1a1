package canary

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/seal"
	"honeyguide/test/rig"
)

// hatch makes a canary: n letters and digits nobody else writes.
func hatch(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return ("cnry" + strings.ToLower(base32.StdEncoding.EncodeToString(raw)))[:n]
}

// stage is one core under test with everything it ever said.
type stage struct {
	t     *testing.T
	cage  *cage
	data  string
	conf  string
	env   []string
	said  map[string][]byte // by what said it
	mu    sync.Mutex
	cmd   *exec.Cmd
	out   *heard
	ended chan struct{}
	local *http.Client
	admin string
}

// heard keeps everything a process prints.
type heard struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.buf.Write(p)
}

func (h *heard) bytes() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Clone(h.buf.Bytes())
}

// keep notes what something said.
func (s *stage) keep(what string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said[what] = append(s.said[what], text...)
}

// plant makes a canary of n characters.
func (s *stage) plant(name string, n int) string {
	text := hatch(n)
	s.cage.add(name, text)
	return text
}

// dead is an address where nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// channels are the actions of the configuration, all of which lead nowhere.
var channels = []string{"hook", "slack", "teams", "mail", "pager"}

// configuration is one with a canary in every secret of it.
func (s *stage) configuration() string {
	nowhere := dead(s.t)
	p := func(name string, n int) string { return s.plant(name, n) }
	text := fmt.Sprintf(`
api:
  admin_key: %s
  listen: 127.0.0.1:0
telemetry: {level: debug}
node: {name: canary}
fetch: {allow: [127.0.0.1/32], proxy: ""}
sensors:
  ssh: {listen: "127.0.0.1:0"}
  telnet: {listen: "127.0.0.1:0"}
  http: {listen: "127.0.0.1:0"}
respond: {firewall: "off"}
actions:
  hook: {kind: webhook, url: "http://%s/in/%s?k=%s", secret: %s, token: %s}
  slack: {kind: slack, url: "http://%s/services/%s"}
  teams: {kind: teams, url: "http://%s/flow/%s"}
  mail: {kind: email, server: "%s", tls: starttls, user: ops, password: %s, from: "a@example.org", to: ["b@example.org"]}
  pager: {kind: pagerduty, url: "http://%s/enqueue", routing_key: %s}
  tickets: {kind: jira, url: "http://%s", user: "a@example.org", token: %s, project: SEC}
  issues: {kind: github, url: "http://%s", repository: a/b, token: %s}
  hive: {kind: thehive, url: "http://%s", key: %s}
  share: {kind: misp, url: "http://%s", key: %s}
  abuse: {kind: abuseipdb, url: "http://%s", key: %s}
  ban: {kind: crowdsec, url: "http://%s", machine: m, password: %s}
enrich:
  virustotal: {key: %s}
  feeds:
    lists:
      one: {url: "http://%s/list", key: %s, key_header: X-Key}
auth:
  oidc:
    corp: {issuer: "http://%s", client_id: hg, client_secret: %s, default_role: viewer}
notify: {default: hook}
`,
		s.admin, nowhere, p("webhook path", 40), p("webhook query", 40), p("webhook secret", 40), p("webhook token", 40),
		nowhere, p("slack url", 40), nowhere, p("teams url", 40), nowhere, p("mail password", 32), nowhere, p("pagerduty key", 32),
		nowhere, p("jira token", 40), nowhere, p("github token", 40), nowhere, p("thehive key", 32), nowhere, p("misp key", 40),
		nowhere, p("abuseipdb key", 80), nowhere, p("crowdsec password", 40), p("virustotal key", 64), nowhere, p("feed key", 40),
		nowhere, p("oidc client secret", 40))
	file := filepath.Join(s.conf, "honeyguide.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// cleanEnv is the environment without variables of ours.
func cleanEnv() (env []string) {
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "HONEYGUIDE_") && !strings.HasPrefix(kv, "SOC_") {
			env = append(env, kv)
		}
	}
	return env
}

// start starts the core and waits until it is ready.
func (s *stage) start() {
	s.t.Helper()
	s.out, s.ended = &heard{}, make(chan struct{})
	s.cmd = exec.Command(rig.Binary(s.t), "run", "--config", filepath.Join(s.conf, "honeyguide.yaml"), "--data", s.data)
	s.cmd.Env = s.env
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	socket := filepath.Join(s.data, "honeyguide.sock")
	s.local = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	rig.Eventually(s.t, 60*time.Second, "the core is ready", func() bool {
		select {
		case <-s.ended:
			s.t.Fatalf("the core ended at start: %s", s.out.bytes())
		default:
		}
		res, err := s.local.Get("http://core/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK && consolePort.Match(s.out.bytes()) // it says so a moment later
	})
}

// end ends the core by a signal and keeps what it printed.
func (s *stage) end(sig syscall.Signal) {
	s.t.Helper()
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
		s.t.Errorf("the core did not end within 30 s of %v", sig)
	}
	out := s.out.bytes()
	if dumps := sig == syscall.SIGQUIT || sig == syscall.SIGABRT; dumps && !bytes.Contains(out, []byte("goroutine ")) {
		s.t.Errorf("%v made no dump: %.300s", sig, out)
	}
	for line := range strings.Lines(string(out)) {
		// The welcome shows the link of the first user on purpose, to who started the core.
		if !strings.Contains(line, "/first-run#") {
			s.keep("output of the core, ended by "+sig.String(), []byte(line))
		}
	}
}

// ask sends a request and keeps the answer, headers and all, unless it is to hand
// out a secret.
func (s *stage) ask(hc *http.Client, method, address, body string, headers http.Header, handsOut bool) (int, http.Header, []byte) {
	s.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, values := range headers {
		req.Header[name] = values
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := hc.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, req.URL.Path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, req.URL.Path, err)
	}
	if !handsOut {
		s.keep(method+" "+req.URL.Path, fmt.Appendf(nil, "%v\n%s\n", res.Header, text))
	}
	return res.StatusCode, res.Header, text
}

func (s *stage) post(path, body string, handsOut bool) []byte {
	s.t.Helper()
	code, _, text := s.ask(s.local, http.MethodPost, "http://core/api/v1"+path, body, nil, handsOut)
	if code != http.StatusOK {
		s.t.Fatalf("POST %s: %d %s", path, code, text)
	}
	return text
}

// cli runs a command line and keeps what it printed.
func (s *stage) cli(args ...string) {
	s.t.Helper()
	cmd := exec.Command(rig.Binary(s.t), append([]string{"--config", filepath.Join(s.conf, "honeyguide.yaml"), "--data", s.data}, args...)...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		s.t.Fatal(err)
	}
	if len(out) == 0 {
		s.t.Errorf("%v said nothing", args)
	}
	s.keep("honeyguide "+strings.Join(args, " "), out)
}

func code(secret string, at time.Time) string {
	key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, at.Unix()/30)
	sum := m.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:])&0x7fffffff%1_000_000)
}

func decode[T any](t *testing.T, raw []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

var consolePort = regexp.MustCompile(`console  https://localhost:(\d+)/?\s`)

// people makes a user with every factor, logs in, fails to, and asks for things
// nobody gets.
func (s *stage) people() {
	s.t.Helper()
	said := consolePort.FindSubmatch(s.out.bytes())
	if said == nil {
		s.t.Fatalf("no console: %s", s.out.bytes())
	}
	at := "https://127.0.0.1:" + string(said[1])
	browser := &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	from := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {at}}
	try := func(path, body string, want int, handsOut bool) (http.Header, []byte) {
		s.t.Helper()
		status, h, text := s.ask(browser, http.MethodPost, at+"/api/v1"+path, body, from, handsOut)
		if want == 0 && status >= 400 && status < 500 { // a problem of some kind
			want = status
		}
		if status != want {
			s.t.Fatalf("POST %s: %d, want %d: %s", path, status, want, text)
		}
		if c := h.Get("Set-Cookie"); c != "" {
			var cookies []string
			for _, c := range h.Values("Set-Cookie") {
				pair, _, _ := strings.Cut(c, ";")
				cookies = append(cookies, pair)
				if _, value, _ := strings.Cut(pair, "="); len(value) >= 12 {
					s.cage.add("session cookie", value)
				}
			}
			from.Set("Cookie", strings.Join(cookies, "; "))
		}
		return h, text
	}
	made := decode[struct{ Link, Token string }](s.t, s.post("/users", `{"name":"anna","role":"admin"}`, true))
	link := made.Token
	if _, after, ok := strings.Cut(made.Link, "#"); ok && link == "" {
		link = after
	}
	if u, err := url.Parse(link); err == nil && u.Fragment != "" {
		link = u.Fragment
	}
	s.cage.add("one-time link", link)
	password := "P" + s.plant("password", 24) + "/+&<%"
	s.cage.add("password", password)
	try("/auth/first-run", fmt.Sprintf(`{"token":%q,"password":%q}`, link, password), http.StatusOK, true)
	from.Del("Cookie")
	try("/auth/login", fmt.Sprintf(`{"name":"anna","password":%q}`, s.plant("wrong password", 30)), http.StatusUnauthorized, false)
	try("/auth/login", fmt.Sprintf(`{"name":%q,"password":"x"}`, s.plant("password typed as name", 30)), http.StatusUnauthorized, false)
	try("/auth/login", fmt.Sprintf(`{"name":"anna","password":%q,"more":1}`, password), 0, false)
	try("/auth/login", fmt.Sprintf(`{"name":"anna","password":[%q]}`, password), 0, false)
	try("/auth/login", fmt.Sprintf(`{"name":"anna","password":%q}`, password), http.StatusOK, true)
	_, raw := try("/me/totp", "", http.StatusOK, true)
	totp := decode[struct{ Secret, URI string }](s.t, raw)
	s.cage.add("TOTP secret", totp.Secret)
	key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(totp.Secret)
	s.cage.add("TOTP secret", string(key))
	_, raw = try("/me/totp/confirm", fmt.Sprintf(`{"code":%q}`, code(totp.Secret, time.Now())), http.StatusOK, true)
	for _, c := range decode[struct{ Codes []string }](s.t, raw).Codes {
		s.cage.add("recovery codes", c)
	}
	s.post("/users", `{"name":"ben","role":"viewer"}`, true)
	made2 := decode[struct{ Key string }](s.t, s.post("/keys", `{"name":"robot","scope":"admin"}`, true))
	s.cage.add("API key", made2.Key)
	for _, key := range []string{made2.Key, s.admin, s.plant("wrong API key", 40)} {
		show := http.Header{"Authorization": {"Bearer " + key}}
		for _, path := range []string{"/api/v1/me", "/api/v1/nothing/here", "/metrics", "/api/v1/settings/values", "/debug/pprof/heap"} {
			s.ask(browser, http.MethodGet, at+path, "", show, false)
		}
		// Said back to who says it, at most: what counts is that nobody writes it down.
		for _, path := range []string{"/api/v1/alerts?after=" + key, "/api/v1/runs/" + key, "/api/v1/" + key, "/" + key + "?key=" + key} {
			s.ask(browser, http.MethodGet, at+path, "", show, true)
			s.ask(browser, http.MethodGet, at+path, "", nil, true)
		}
	}
}

// use looks at everything the product shows of itself.
func (s *stage) use() {
	s.t.Helper()
	for _, c := range channels {
		s.ask(s.local, http.MethodPost, "http://core/api/v1/notices/test", fmt.Sprintf(`{"channel":%q}`, c), nil, false)
	}
	s.ask(s.local, http.MethodPost, "http://core/api/v1/secrets/rotate", `{}`, nil, false)
	s.ask(s.local, http.MethodPost, "http://core/api/v1/secrets/rotate", fmt.Sprintf(`{"master":true,"key":%q,"passphrase":%q}`, s.plant("two new master keys", 40), s.plant("two new passphrases", 40)), nil, false)
	for _, path := range []string{
		"/metrics", "/healthz", "/readyz", "/api/v1/settings", "/api/v1/settings/values", "/api/v1/users", "/api/v1/keys", "/api/v1/audit?limit=1000", "/api/v1/notices", "/api/v1/notices/channels",
		"/api/v1/events?limit=1000", "/api/v1/alerts?limit=1000", "/api/v1/incidents?limit=1000", "/api/v1/sources", "/api/v1/enrichers", "/api/v1/runs", "/api/v1/secrets", "/api/v1/dead-letters", "/api/v1/openapi.json",
		"/api/v1/audit/export?format=jsonl", "/api/v1/audit/export?format=csv", "/api/v1/audit/export?format=cef", "/api/v1/alerts?format=csv", "/api/v1/auth/methods", "/api/v1/none", "/debug/pprof/", "/debug/vars",
	} {
		s.ask(s.local, http.MethodGet, "http://core"+path, "", nil, false)
	}
	for _, args := range [][]string{
		{"config", "show"},
		{"config", "show", "--origin"},
		{"config", "check"},
		{"config", "docs"},
		{"doctor"},
		{"doctor", "-o", "json"},
		{"audit", "list", "-o", "json"},
		{"audit", "export"},
		{"secrets", "status"},
		{"users", "list"},
		{"keys", "list"},
		{"notices", "list"},
		{"report", "kpi"},
		{"sources", "list"},
		{"--set", "node.data", "users", "list"},
		{"--set", "auth.oidc=x", "config", "check"},
	} {
		s.cli(args...)
	}
}

// keys takes the content of every private file in.
func (s *stage) keys(master honeyguide.Secret) {
	s.t.Helper()
	v, err := seal.OpenVault(seal.VaultOptions{Dir: filepath.Join(s.data, "keys"), Master: seal.Master{Key: master}, ReadOnly: true})
	if err != nil {
		s.t.Fatal(err)
	}
	list, err := os.ReadDir(v.Dir())
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, e := range list {
		if seal.Public(e.Name()) || e.Name() == seal.RingFile {
			continue
		}
		raw, err := v.Read(e.Name())
		if err != nil {
			s.t.Fatal(err)
		}
		n++
		text := strings.TrimSpace(string(raw))
		switch _, key, isPEM := strings.Cut(text, "-----BEGIN PRIVATE KEY-----"); {
		case isPEM:
			key, _, _ = strings.Cut(key, "-----END")
			lines := strings.Fields(key)
			s.cage.add(e.Name(), lines[len(lines)/2])
			s.cage.add(e.Name(), strings.Join(lines, ""))
			if der, err := base64.StdEncoding.DecodeString(strings.Join(lines, "")); err == nil {
				s.cage.add(e.Name(), string(der[len(der)-24:]))
			}
		default:
			s.cage.add(e.Name(), text)
			if raw, err := hex.DecodeString(text); err == nil {
				s.cage.add(e.Name(), string(raw))
			}
		}
	}
	if n < 8 {
		s.t.Errorf("only %d private files: %v", n, list)
	}
}

// TestCanaries is the proof that no secret is in any file, log, dump, page or figure.
func TestCanaries(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	dir := t.TempDir()
	s := &stage{t: t, cage: &cage{}, data: filepath.Join(dir, "data"), conf: filepath.Join(dir, "conf"), said: map[string][]byte{}}
	if err := os.Mkdir(s.conf, 0o700); err != nil {
		t.Fatal(err)
	}
	s.admin = s.plant("admin key", 48)
	master := honeyguide.Secret(s.plant("master key", 44))
	s.env = append(cleanEnv(), "GOTRACEBACK=all", "SOC_ENCRYPTION_KEY="+master.Reveal(), "OPENAI_API_KEY="+s.plant("OpenAI key", 40), "ANTHROPIC_API_KEY="+s.plant("Anthropic key", 40), "SOC_DB_PASSWORD="+s.plant("database password", 40))
	s.configuration()
	allowDumps(t)
	s.start()
	s.noDumps()
	s.people()
	s.use()
	s.keys(master)
	s.end(syscall.SIGQUIT)
	s.start()
	s.use()
	s.end(syscall.SIGABRT)
	passphrase := s.plant("passphrase", 30)
	file := filepath.Join(s.conf, "passphrase")
	if err := os.WriteFile(file, []byte(passphrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.cli("secrets", "rotate", "--master", "--passphrase-file", file)
	s.start()
	// A copy in clear holds nothing either: what is private in it is sealed.
	copies := filepath.Join(dir, "copies")
	s.cli("backup", "--to", copies, "--plain")
	inCopies, files, err := s.cage.below(copies)
	if err != nil || files < 3 {
		t.Errorf("the backup: %d files, %v", files, err)
	}
	s.end(syscall.SIGTERM)
	s.env = append(s.env, "SOC_ENCRYPTION_KEY="+s.plant("wrong master key", 44))
	s.cli("users", "list")

	found, n, err := s.cage.below(s.data)
	if err != nil {
		t.Fatal(err)
	}
	found, files = append(found, inCopies...), files+n
	for what, text := range s.said {
		for _, name := range s.cage.in(text) {
			found = append(found, name+" in "+what)
		}
	}
	for _, f := range found {
		t.Errorf("found: %s", f)
	}
	if len(s.cage.names) < 35 || files < 10 || len(s.said) < 45 {
		t.Errorf("%d canaries, %d files, %d outputs: too few to prove anything", len(s.cage.names), files, len(s.said))
	}
	s.planted()
	t.Logf("TRUST name=secrets-canaries-found figure=%d unit=places target=<=0 of=%d", len(found), len(s.cage.names)*(files+len(s.said)))
}

// allowDumps lets this process leave its memory on the disk when it crashes, and so
// every child that does not forbid itself.
func allowDumps(t *testing.T) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &was); err != nil {
		t.Fatal(err)
	}
	now := syscall.Rlimit{Cur: was.Max, Max: was.Max}
	if os.Geteuid() == 0 {
		now = syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &was) })
	if now.Cur == 0 {
		t.Fatal("this shell forbids dumps for good (ulimit -Hc), so what the product does about them cannot be seen; run this as root, or in another shell")
	}
}

// noDumps looks at the core and every process below it.
func (s *stage) noDumps() {
	s.t.Helper()
	parents := map[string]string{}
	list, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, file := range list {
		raw, err := os.ReadFile(file)
		if _, rest, ok := strings.Cut(string(raw), ") "); err == nil && ok { // pid (name) state parent
			parents[filepath.Base(filepath.Dir(file))] = strings.Fields(rest)[1]
		}
	}
	core, seen := fmt.Sprint(s.cmd.Process.Pid), 0
	for pid := range parents {
		below := pid
		for below != core && below != "" {
			below = parents[below]
		}
		if below == "" {
			continue
		}
		limits, err := os.ReadFile("/proc/" + pid + "/limits")
		if err != nil || len(limits) == 0 { // it has ended meanwhile
			continue
		}
		seen++
		for line := range strings.Lines(string(limits)) {
			if rest, ok := strings.CutPrefix(line, "Max core file size"); ok && strings.Join(strings.Fields(rest), " ") != "0 0 bytes" {
				s.t.Errorf("process %s may leave its memory on the disk: %s", pid, line)
			}
		}
	}
	if seen < 3 {
		s.t.Errorf("only %d processes were looked at: the core, its sensors and what fetches are more", seen)
	}
}

// planted is the positive control: what leaks is found, in every form and place.
func (s *stage) planted() {
	s.t.Helper()
	want := map[string]bool{}
	for n, name := range []string{"password", "TOTP secret", "webhook secret", "deployment.key", "recovery codes"} {
		for i, form := range s.cage.forms[name] {
			rel := filepath.Join([]string{"events", "keys", "audit"}[i%3], fmt.Sprintf("leak-%d-%d", n, i))
			if err := os.WriteFile(filepath.Join(s.data, rel), append(append([]byte{0, byte(i), '"'}, form...), 0xff), 0o600); err != nil {
				s.t.Fatal(err)
			}
			want[name+" in "+rel] = true
		}
	}
	found, _, err := s.cage.below(s.data)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range found {
		delete(want, f)
	}
	for f := range want {
		s.t.Errorf("planted, and not found: %s", f)
	}
}

// TestForms: a text is found whatever stands before it, also in Base64.
func TestForms(t *testing.T) {
	c := &cage{}
	c.add("x", "a secret/with+signs <&\"")
	text := "a secret/with+signs <&\""
	for i := range 7 {
		pad := strings.Repeat("z", i)
		for _, enc := range []string{
			base64.StdEncoding.EncodeToString([]byte(pad + text + pad)), base64.RawURLEncoding.EncodeToString([]byte(pad + text + "tail")),
			pad + hex.EncodeToString([]byte(text)), "k=" + url.QueryEscape(text), fmt.Sprintf(`{"a":%q}`, text), fmt.Sprintf("%X", text), fmt.Sprint([]byte(text)),
		} {
			if len(c.in([]byte(enc))) != 1 {
				t.Errorf("not found in %s", enc)
			}
		}
	}
	if len(c.in([]byte("a secret, with signs"))) != 0 {
		t.Error("found where it is not")
	}
}
