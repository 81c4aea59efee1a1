package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"honeyguide/web"
)

func packed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// consoleFiles look as the build leaves them.
func consoleFiles() fstest.MapFS {
	script := strings.Repeat("console.log(1);", 100)
	return fstest.MapFS{
		".keep":                       {},
		"index.html":                  {Data: []byte(`<!doctype html><script type="module" src="/assets/index-DkX3_a-9.js"></script>`)},
		"index.html.gz":               {Data: packed("<!doctype html>")},
		"favicon.svg":                 {Data: []byte("<svg/>")},
		"assets/index-DkX3_a-9.js":    {Data: []byte(script)},
		"assets/index-DkX3_a-9.js.gz": {Data: packed(script)},
		"assets/plain.css":            {Data: []byte("a{}")},
		"assets/replay-AAAABBBB.js":   {Data: []byte("1")},
		"assets/odd.xyz":              {Data: []byte("1")},
		"replay/frame.html":           {Data: []byte(`<!doctype html><script src="/assets/replay-AAAABBBB.js?v"></script><link rel=stylesheet href='frame.css'><a href="https://x.example/">x</a>`)},
		"replay/frame.css":            {Data: []byte("b{}")},
	}
}

func consoleRig(t testing.TB) *rig {
	return newRig(t, func(d *Deps) { d.Console = consoleFiles() })
}

func (r *rig) visit(method, path string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, "http://core.example/", nil)
	req.URL.Path = path
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

func TestConsoleFiles(t *testing.T) {
	r := consoleRig(t)
	for _, c := range []struct {
		path, kind, cache string
	}{
		{"/", htmlType, "no-store"},
		{"/index.html", htmlType, "no-store"},
		{"/alerts", htmlType, "no-store"},
		{"/alerts/A-17", htmlType, "no-store"},
		{"/attackers/203.0.113.7", htmlType, "no-store"},
		{"/rules/test.yml", htmlType, "no-store"},
		{"/attack/", htmlType, "no-store"},
		{"/favicon.svg", "image/svg+xml", askAgain},
		{"/assets/index-DkX3_a-9.js", "text/javascript; charset=utf-8", forever},
		{"/assets/plain.css", "text/css; charset=utf-8", askAgain},
		{"/assets/odd.xyz", "application/octet-stream", askAgain},
		{"/replay/frame.html", htmlType, "no-store"},
	} {
		w := r.visit(http.MethodGet, c.path)
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.cache || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("ETag") == "" {
			t.Errorf("%s: %d, %v", c.path, w.Code, h)
		}
		if h.Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%s: %s bytes are said, %d sent", c.path, h.Get("Content-Length"), w.Body.Len())
		}
		head := r.visit(http.MethodHead, c.path)
		if head.Code != w.Code || head.Body.Len() != 0 || head.Header().Get("Content-Length") != h.Get("Content-Length") {
			t.Errorf("HEAD %s: %d, %d bytes, %v", c.path, head.Code, head.Body.Len(), head.Header())
		}
		again := r.visit(http.MethodGet, c.path, "If-None-Match", `"x", W/`+h.Get("ETag"))
		if want := map[bool]int{true: http.StatusOK, false: http.StatusNotModified}[c.cache == "no-store"]; again.Code != want {
			t.Errorf("%s again: %d, want %d", c.path, again.Code, want)
		}
	}
}

// A path that is no file of the console is told so, whatever it tries.
func TestConsoleHasNothingElse(t *testing.T) {
	r := consoleRig(t)
	for _, p := range []string{
		"/assets/", "/assets", "/assets/index-old.js", "/assets/../index.html", "/replay/", "/replay/other.html", "/robots.txt", "/.keep", "/.git/config",
		"/../../etc/passwd", "/..", "/a/../../b", "//etc/passwd", "/a//b", "/./x", "/a\x00b", `/a\..\b`, "/index.html.gz", "/assets/index-DkX3_a-9.js.gz", "/.env", "/web.config",
	} {
		w := r.visit(http.MethodGet, p)
		if w.Code != http.StatusNotFound && w.Code != http.StatusTemporaryRedirect {
			t.Errorf("%q: %d %s", p, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "<!doctype") {
			t.Errorf("%q gives a page", p)
		}
	}
	for p, want := range map[string]int{"/api": 401, "/api/v1/nothing": 401, "/api/other": 401, "/v1/nothing": 403} {
		if w := r.visit(http.MethodGet, p); w.Code != want {
			t.Errorf("%s without a key: %d", p, w.Code)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "TRACE"} {
		if w := r.visit(method, "/alerts"); w.Code != http.StatusUnauthorized {
			t.Errorf("%s /alerts: %d", method, w.Code)
		}
	}
}

func TestConsoleIsSentPacked(t *testing.T) {
	r := consoleRig(t)
	const script = "/assets/index-DkX3_a-9.js"
	plain := r.visit(http.MethodGet, script)
	for accept, want := range map[string]string{
		"gzip": "gzip", "br, gzip;q=0.5": "gzip", "*": "gzip", "x-gzip": "gzip", "GZIP ; Q=1": "gzip",
		"": "", "br": "", "gzip;q=0": "", "gzip;q=0, *": "", "gzip;q=x": "", "identity": "", "gzipped": "",
	} {
		w := r.visit(http.MethodGet, script, "Accept-Encoding", accept)
		if w.Header().Get("Content-Encoding") != want || w.Header().Get("Vary") != "Accept-Encoding" || w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%q: %v", accept, w.Header())
		}
		text := w.Body.Bytes()
		if want != "" {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if text, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
			if w.Header().Get("ETag") == plain.Header().Get("ETag") {
				t.Error("both forms have one tag")
			}
		}
		if !bytes.Equal(text, plain.Body.Bytes()) {
			t.Errorf("%q: another text", accept)
		}
	}
	if w := r.visit(http.MethodGet, "/favicon.svg", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("a file without a packed form is said to be packed")
	}
}

// Every HTML answer has the console's policy, and only the replay frame another.
func TestPolicies(t *testing.T) {
	r := consoleRig(t)
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	asked, frames := 0, 0
	check := func(method, p string, w *httptest.ResponseRecorder) {
		asked++
		h := w.Header()
		want, sharing := consolePolicy, "same-origin"
		switch p {
		case "/" + framePage:
			want = framePolicy
			frames++
		case "/assets/replay-AAAABBBB.js", "/replay/frame.css":
			sharing = "cross-origin"
		}
		if strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
			want = "sandbox; default-src 'none'" // what attackers made, as a download
		}
		if p == base+"/sessions/s1/recording" && w.Code == http.StatusOK && !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is no download", p)
		}
		if got := h.Values("Content-Security-Policy"); len(got) != 1 || got[0] != want {
			t.Errorf("%s %s (%s) has policy %q", method, p, h.Get("Content-Type"), got)
		}
		if h.Get("Cross-Origin-Resource-Policy") != sharing || h.Get("Cross-Origin-Opener-Policy") != "same-origin" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Permissions-Policy") == "" {
			t.Errorf("%s %s: %v", method, p, h)
		}
	}
	for name := range consoleFiles() {
		check(http.MethodGet, "/"+name, r.visit(http.MethodGet, "/"+name))
	}
	for _, p := range []string{"/", "/alerts", "/assets/none.js", "/replay/none", "/login?problem=x", "/replay/frame.html/x"} {
		check(http.MethodGet, p, r.visit(http.MethodGet, p))
	}
	r.fill()
	for _, pattern := range s.router.patterns {
		method, p := filled(pattern)
		check(method, p, r.call(method, p, bootstrap, strings.NewReader("{}")))
		check(method, p, r.call(method, p, "", strings.NewReader("{}")))
	}
	if frames != 1 || asked < 100 {
		t.Errorf("%d answers, %d frames", asked, frames)
	}
	if !strings.Contains(framePolicy, "sandbox allow-scripts") || strings.Contains(framePolicy, "allow-same-origin") || strings.Contains(consolePolicy, "unsafe") {
		t.Error("the policies are not what they were")
	}
}

// Without a build there is a page that says what to do; the API is as ever.
func TestConsoleNotBuilt(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Console = fstest.MapFS{".keep": {}} })
	w := r.visit(http.MethodGet, "/alerts")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make build") || w.Header().Get("Content-Security-Policy") != consolePolicy || w.Header().Get("Content-Type") != htmlType {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := r.call(http.MethodGet, "/api/v1/alerts", bootstrap, nil); w.Code != http.StatusOK {
		t.Errorf("the API: %d", w.Code)
	}
}

// The door for bouncers serves no console.
func TestBouncersHaveNoConsole(t *testing.T) {
	r := consoleRig(t)
	h, err := Bouncers(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	r.handler = h
	if w := r.visit(http.MethodGet, "/"); w.Code != http.StatusUnauthorized {
		t.Errorf("got %d", w.Code)
	}
}

// What this binary carries can be served, built or not.
func TestShippedConsole(t *testing.T) {
	s, err := openSite(web.Files())
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range s.pages {
		if p.kind == "application/octet-stream" {
			t.Errorf("%s has no content type", name)
		}
		if strings.HasPrefix(name, hashedFolder) && p.cache != forever {
			t.Errorf("%s has no sum in its name", path.Base(name))
		}
	}
}

// TestNamed: whoever visits a page by a loopback address is sent to localhost, where
// logins and passkeys are kept.
func TestNamed(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Console, d.Guards.Named = consoleFiles(), true })
	visit := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	old := []string{"Accept", "text/html,*/*"}
	for _, c := range []struct {
		host, path string
		header     []string
		to         string
	}{
		{"127.0.0.1:8443", "/", visit, "https://localhost:8443/"},
		{"127.0.0.1:8443", "/", old, "https://localhost:8443/"},
		{"[::1]:8443", "/alerts/A-1?x=1", visit, "https://localhost:8443/alerts/A-1?x=1"},
		{"127.0.0.1", "/login", visit, "https://localhost/login"},
		{"127.0.0.1:8443", "//evil.example/x", visit, ""}, // nothing is there
		{"localhost:8443", "/", visit, ""},
		{"192.0.2.1:8443", "/", visit, ""},
		{"127.0.0.1:8443", "/", nil, ""},
		{"127.0.0.1:8443", "/", []string{"Accept", "*/*"}, ""},
		{"127.0.0.1:8443", "/", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Accept", "text/html"}, ""},
		{"127.0.0.1:8443", "/", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, ""},
		{"127.0.0.1:8443", "/api/v1/alerts", visit, ""},
		{"127.0.0.1:8443", "/api/v1/auth/methods", visit, ""},
		{"127.0.0.1:8443", "/healthz", visit, ""},
		{"127.0.0.1:8443", "/no.js", visit, ""},
	} {
		w := r.from("127.0.0.1:9", c.host, c.path, c.header...)
		if got := w.Header().Get("Location"); got != c.to || (w.Code == http.StatusTemporaryRedirect) != (c.to != "") {
			t.Errorf("%s%s %v: %d to %q, want %q", c.host, c.path, c.header, w.Code, got, c.to)
		}
	}
	plain := newRig(t, func(d *Deps) { d.Console = consoleFiles() })
	if w := plain.from("127.0.0.1:9", "127.0.0.1:8443", "/", visit...); w.Code != http.StatusOK {
		t.Errorf("where it was not asked for: %d", w.Code)
	}
}
