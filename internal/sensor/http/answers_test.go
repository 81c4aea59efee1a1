package http_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/sensor/http"
	"honeyguide/internal/sensor/sensortest"
)

const page = "<html><body>it works</body></html>\n"

// site serves a web root with a page, as the loopback address sees it.
func site(t testing.TB, config func(any) error) *sensortest.Rig {
	t.Helper()
	w := sensortest.NewWorld(t)
	s := sensortest.Session(w, sensortest.NewSink(), "ssh", sensortest.NewScript(nil))
	s.Src = netip.MustParseAddrPort("127.0.0.1:1")
	fs := w.FS(s)
	for _, dir := range []string{"/var", "/var/www", "/var/www/html", "/var/www/html/sub", "/var/www/html/empty"} {
		_ = fs.Mkdir(vfs.Cred{}, dir, 0o755)
	}
	for name, text := range map[string]string{"index.html": page, "sub/index.html": "sub", "secret.txt": "no", ".env": "A=1", "bait.txt": sensortest.BaitSecret} {
		f, err := fs.Open(vfs.Cred{}, "/var/www/html/"+name, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(text))
		_ = f.Close()
	}
	if err := fs.Chmod(vfs.Cred{}, "/var/www/html/secret.txt", 0o600); err != nil {
		t.Fatal(err)
	}
	return sensortest.Start(t, http.Kind, sensortest.Options{World: w, Config: config})
}

// ask sends raw bytes and returns all that comes back.
func ask(t testing.TB, r *sensortest.Rig, raw string) string {
	t.Helper()
	c := r.Dial(t)
	defer c.Close()
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(c)
	return string(b)
}

func get(path string, head ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: www.example\r\nConnection: close\r\n" + strings.Join(append(head, "", ""), "\r\n")
}

var dates = regexp.MustCompile(`(Date|Last-Modified): [^\r]+|ETag: "[0-9a-f]+-`)

func masked(s string) string { return dates.ReplaceAllString(s, "$1*") }

func TestPageAsNginx(t *testing.T) {
	r := site(t, nil)
	want := "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate*\r\nContent-Type: text/html\r\nContent-Length: 35\r\nLast-Modified*\r\nConnection: close\r\n*" +
		"23\"\r\nAccept-Ranges: bytes\r\n\r\n" + page
	if got := masked(ask(t, r, get("/"))); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if got := masked(ask(t, r, strings.Replace(get("/"), "GET", "HEAD", 1))); got != strings.TrimSuffix(want, page) {
		t.Errorf("HEAD: %q", got)
	}
}

// known reads what a live nginx answered.
func known(t *testing.T) map[string]struct{ Answer, Then string } {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || dir == "/" {
			break
		}
		dir = filepath.Dir(dir)
	}
	for _, shared := range []string{"../shared", "../../shared"} {
		b, err := os.ReadFile(filepath.Join(dir, shared, "corpus/fidelity/checks/expected/nginx-1.22.1-debian12.json"))
		if err != nil {
			continue
		}
		out := map[string]struct{ Answer, Then string }{}
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Skip("the recorded answers are not on this machine")
	return nil
}

// inputs are the requests the recorded answers belong to, each on a connection
// of its own.
func inputs() map[string]string {
	headers := strings.Repeat("X-A: b\r\n", 120)
	return map[string]string{
		"GET":                  get("/"),
		"404":                  get("/nothing-here"),
		"HEAD":                 strings.Replace(get("/"), "GET", "HEAD", 1),
		"OPTIONS":              strings.Replace(get("/"), "GET", "OPTIONS", 1),
		"TRACE":                strings.Replace(get("/"), "GET", "TRACE", 1),
		"DELETE":               strings.Replace(get("/"), "GET", "DELETE", 1),
		"POST static":          strings.Replace(get("/", "Content-Length: 3"), "GET", "POST", 1) + "a=b",
		"method FOO":           strings.Replace(get("/"), "GET", "FOO", 1),
		"lower-case method":    strings.Replace(get("/"), "GET", "get", 1),
		"no Host":              "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
		"two Hosts":            get("/", "Host: other"),
		"HTTP/1.0":             "GET / HTTP/1.0\r\n\r\n",
		"HTTP/9.9":             strings.Replace(get("/"), "HTTP/1.1", "HTTP/9.9", 1),
		"HTTP/1337":            strings.Replace(get("/"), "HTTP/1.1", "HTTP/1337", 1),
		"HTTP/2 preface":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"bad protocol":         strings.Replace(get("/"), "HTTP/1.1", "XTTP/1.1", 1),
		"binary":               "\x00\x01\x02\x03",
		"TLS hello":            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"SSH banner":           "SSH-2.0-OpenSSH_9.2\r\n",
		"10 kB header":         get("/", "X-Long: "+strings.Repeat("a", 10_000)),
		"20 kB URI":            get("/" + strings.Repeat("a", 20_000)),
		"120 headers":          get("/", strings.TrimSuffix(headers, "\r\n")),
		"header without colon": get("/", "nocolon"),
		"LF only":              strings.ReplaceAll(get("/"), "\r\n", "\n"),
		"dot-dot path":         get("/../../../etc/passwd"),
		"encoded dot-dot":      get("/%2e%2e/%2e%2e/etc/passwd"),
		"four dots":            get("/....//....//etc/passwd"),
		"bad escape":           get("/%zz"),
		"NUL escape":           get("/%00"),
		"bad Content-Length":   strings.Replace(get("/", "Content-Length: x"), "GET", "POST", 1),
		"If-Modified-Since":    get("/", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT"),
		"range":                get("/", "Range: bytes=0-3"),
		"bad range":            get("/", "Range: bytes=99999-"),
		"Expect":               get("/", "Expect: foo"),
	}
}

var masks = regexp.MustCompile(`(Date|Content-Length|Last-Modified|ETag|Content-Range): [^\r]*`)

// shape is an answer as the recording has it: variable headers masked, an error
// page by length and hash, another page by name.
func shape(answer string) string {
	head, body, ok := strings.Cut(answer, "\r\n\r\n")
	if !ok {
		return answer
	}
	page := "[page]"
	if status := strings.Fields(head)[1]; status >= "300" && status != "304" {
		sum := sha256.Sum256([]byte(body))
		page = fmt.Sprintf("[%d bytes, sha256 %s]", len(body), hex.EncodeToString(sum[:])[:16])
	}
	return masks.ReplaceAllString(head, "$1: *") + "\r\n\r\n" + page
}

func TestAnswersOfALiveNginx(t *testing.T) {
	recorded := known(t)
	r := site(t, nil)
	for name, in := range inputs() {
		want, ok := recorded[name]
		if !ok {
			t.Errorf("%s is not recorded", name)
			continue
		}
		if got := shape(ask(t, r, in)); got != want.Answer {
			t.Errorf("%s\n got %q\nwant %q", name, got, want.Answer)
		}
	}
	if got := ask(t, r, "GET /\r\n"); got != page {
		t.Errorf("HTTP/0.9: %q", got)
	}
}

func TestPaths(t *testing.T) {
	r := site(t, nil)
	for path, want := range map[string]string{
		"/index.html": "200 OK", "//index.html": "200 OK", "/sub/../index.html": "200 OK", "/./": "200 OK", "/index%2ehtml": "200 OK",
		"/index.html?x=1#f": "200 OK", "/sub/": "200 OK", "/sub": "301 Moved Permanently", "/empty/": "403 Forbidden",
		"/secret.txt": "403 Forbidden", "/.env": "403 Forbidden", "/.git/config": "403 Forbidden", "/index.html/": "404 Not Found",
		"http://www.example/index.html": "200 OK", "http://www.example": "200 OK", "/sub/%2e%2e/%2e%2e/x": "400 Bad Request",
	} {
		if got := ask(t, r, get(path)); !strings.HasPrefix(got, "HTTP/1.1 "+want+"\r\n") {
			t.Errorf("%s: %.60q, want %s", path, got, want)
		}
	}
	got := ask(t, r, get("/sub?a=b"))
	if want := "Location: http://www.example:"; !strings.Contains(got, want) || !strings.Contains(got, "/sub/?a=b\r\n") {
		t.Errorf("redirect: %q", got)
	}
	got = ask(t, r, get("/sub%0d%0aX-Evil:%201/../sub"))
	if strings.Contains(got, "\r\nX-Evil") {
		t.Errorf("a header was smuggled in: %q", got)
	}
	r = site(t, func(into any) error { into.(*http.Config).Dotfiles = "serve"; return nil })
	if got := ask(t, r, get("/.env")); !strings.HasSuffix(got, "A=1") {
		t.Errorf("served dotfile: %q", got)
	}
}

func TestConditionsAndRanges(t *testing.T) {
	r := site(t, nil)
	etag := regexp.MustCompile(`ETag: ("[^"]+")`).FindStringSubmatch(ask(t, r, get("/")))[1]
	got := ask(t, r, get("/", "If-None-Match: "+etag))
	if !strings.HasPrefix(got, "HTTP/1.1 304 Not Modified\r\n") || strings.Contains(got, "Content-") || !strings.HasSuffix(got, "\r\n\r\n") {
		t.Errorf("304: %q", got)
	}
	for spec, want := range map[string]string{
		"bytes=0-3": "<htm", "bytes=-3": "l>\n", "bytes=30-": "tml>\n", "bytes=30-900": "tml>\n", "bytes=0-1,3-4": page, "chunks=1": page,
	} {
		if got := ask(t, r, get("/", "Range: "+spec)); !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("%s: %q", spec, got)
		}
	}
}

func TestKeepAliveAndPipelining(t *testing.T) {
	r := site(t, nil)
	one := "GET /sub/ HTTP/1.1\r\nHost: a\r\n\r\n"
	post := "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
	got := ask(t, r, one+post+"\r\n"+one+"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	var lines []string
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "HTTP/1.1 ") || strings.HasPrefix(line, "sub") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if want := "HTTP/1.1 200 OK|subHTTP/1.1 405 Not Allowed|HTTP/1.1 200 OK|subHTTP/1.1 404 Not Found"; strings.Join(lines, "|") != want {
		t.Errorf("got %v in %q", lines, got)
	}
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	e := r.Sink.Events(honeyguide.ActivityRequest)
	if len(e) != 4 || e[1].Str(honeyguide.AttrBody) != "abcde" || e[1].Int(honeyguide.AttrStatus) != 405 {
		t.Errorf("events: %+v", e)
	}
	if got := ask(t, r, "GET /sub/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /sub/ HTTP/1.0\r\n\r\n"); strings.Count(got, "200 OK") != 2 {
		t.Errorf("HTTP/1.0 keep-alive: %q", got)
	}
}

func TestBodies(t *testing.T) {
	r := site(t, nil)
	head := "POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	for in, want := range map[string]string{
		head + "Content-Length: 2000000\r\n\r\n":                           "413 Request Entity Too Large",
		head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n":                  "400 Bad Request",
		head + "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n":            "400 Bad Request",
		head + "Transfer-Encoding: gzip\r\n\r\n":                           "501 Not Implemented",
		head + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n":   "400 Bad Request",
		head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx":           "400 Bad Request",
		head + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\na=b":      "100 Continue",
		head + "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 1e5): "200 OK",
	} {
		if got := ask(t, r, in); !strings.HasPrefix(got, "HTTP/1.1 "+want+"\r\n") {
			t.Errorf("%.120q: %.80q, want %s", in, got, want)
		}
	}
	for _, e := range r.Sink.Events() {
		if len(e.Str(honeyguide.AttrBody)) > 16<<10 {
			t.Errorf("a body of %d bytes in an event", len(e.Str(honeyguide.AttrBody)))
		}
	}
}

func post(user, password string) string {
	body := "username=" + user + "&password=" + password
	return fmt.Sprintf("POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func TestLogin(t *testing.T) {
	r := site(t, nil)
	if got := ask(t, r, get("/login")); !strings.Contains(got, `name="password"`) {
		t.Errorf("page: %q", got)
	}
	if got := ask(t, r, post("admin", "pa%20ss")); !strings.HasPrefix(got, "HTTP/1.1 200 OK") || !strings.Contains(got, "incorrect") {
		t.Errorf("wrong pair: %q", got)
	}
	if got := ask(t, r, get("/login/home")); !strings.Contains(got, "302 Found") {
		t.Errorf("inside without a session: %q", got)
	}
	got := ask(t, r, post(sensortest.BaitUser, sensortest.BaitPassword))
	cookie := regexp.MustCompile(`Set-Cookie: (session=[^;]+);`).FindStringSubmatch(got)
	if !strings.HasPrefix(got, "HTTP/1.1 302 Found") || cookie == nil {
		t.Fatalf("planted pair: %q", got)
	}
	if got := ask(t, r, get("/login/home", "Cookie: a=b; "+cookie[1])); !strings.Contains(got, "Signed in as root") {
		t.Errorf("inside: %q", got)
	}
	if got := ask(t, r, get("/login/home", "Cookie: "+cookie[1]+"0")); !strings.Contains(got, "302 Found") {
		t.Errorf("a forged session: %q", got)
	}
	_ = ask(t, r, get("/", "Authorization: Basic YTpiOmM="))
	failed := r.Sink.Wait(t, honeyguide.ActivityLoginFailed, 2)
	if e := failed[0]; e.Str(honeyguide.AttrUser) != "admin" || e.Str(honeyguide.AttrPassword) != "pa ss" || e.Str(honeyguide.AttrAuthMethod) != "form" {
		t.Errorf("failed: %+v", e)
	}
	if e := failed[1]; e.Str(honeyguide.AttrUser) != "a" || e.Str(honeyguide.AttrPassword) != "b:c" || e.Str(honeyguide.AttrAuthMethod) != "basic" {
		t.Errorf("basic: %+v", e)
	}
	r.Sink.Wait(t, honeyguide.ActivityLoginSuccess, 1)
}

func TestServedBaitIsAnExposure(t *testing.T) {
	r := site(t, nil)
	_ = ask(t, r, get("/bait.txt"))
	e := r.Sink.Wait(t, honeyguide.ActivityTokenExposed, 1)[0]
	if e.Str(honeyguide.AttrToken) != sensortest.BaitID || e.Str(honeyguide.AttrCommand) != "GET /bait.txt" {
		t.Errorf("exposure: %+v", e)
	}
}

func TestRequestEvent(t *testing.T) {
	r := site(t, nil)
	_ = ask(t, r, get("/x?a=%27", "User-Agent: tester/1.0", "Referer: http://r.example/", "X-Bin: \xff"))
	e := r.Sink.Wait(t, honeyguide.ActivityRequest, 1)[0]
	for name, want := range map[string]any{
		honeyguide.AttrMethod: "GET", honeyguide.AttrURL: "/x?a=%27", honeyguide.AttrHost: "www.example", honeyguide.AttrStatus: int64(404),
		honeyguide.AttrUserAgent: "tester/1.0", honeyguide.AttrReferrer: "http://r.example/",
		honeyguide.AttrHeaders: "Host: www.example\nConnection: close\nUser-Agent: tester/1.0\nReferer: http://r.example/\nX-Bin: \ufffd\n",
	} {
		if e.Attrs[name] != want {
			t.Errorf("%s: %q, want %q", name, e.Attrs[name], want)
		}
	}
	if e.Class != honeyguide.ClassHTTP {
		t.Errorf("class %d", e.Class)
	}
}

func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no curl on this machine, and nothing is skipped with CI=true")
		}
		t.Skip("no curl on this machine; `make setup` installs it")
	}
	r := site(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"http://" + r.Addr + "/"}, page},
		{[]string{"-L", "http://" + r.Addr + "/sub"}, "sub"},
		{[]string{"-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", "username=a&password=b", "http://" + r.Addr + "/login"}, "200"},
		{[]string{"-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Transfer-Encoding: chunked", "-d", "username=a&password=b", "http://" + r.Addr + "/login"}, "200"},
		{[]string{"-s", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}", "http://" + r.Addr + "/", "-o", "/dev/null", "http://" + r.Addr + "/x"}, "200 1404 0"},
	} {
		var out bytes.Buffer
		cmd := exec.CommandContext(ctx, curl, append([]string{"-s"}, tc.args...)...)
		cmd.Stdout = &out
		if err := cmd.Run(); err != nil || out.String() != tc.want {
			t.Errorf("%v: %q, %v", tc.args, out.String(), err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, change := range map[string]func(*http.Config){
		"accept":   func(c *http.Config) { c.Accept = "list" },
		"root":     func(c *http.Config) { c.Root = "www" },
		"dotfiles": func(c *http.Config) { c.Dotfiles = "maybe" },
		"login":    func(c *http.Config) { c.Login = "login" },
		"idle":     func(c *http.Config) { c.Idle = time.Millisecond },
	} {
		err := http.Kind.Check(func(into any) error { change(into.(*http.Config)); return nil })
		if err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
