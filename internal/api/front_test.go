package api

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// asked sends a request with the administrator's key from an address.
func (r *rig) from(remote, host, path string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.RemoteAddr, req.Host = remote, host
	req.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

func TestAllow(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(d *Deps) {
		d.Console = consoleFiles()
		d.Log = slog.New(slog.NewTextHandler(&log, nil))
		d.Guards.Allow = networks(t, "192.0.2.0/24", "2001:db8:5::/48")
		d.Guards.Proxies.From = networks(t, "10.0.0.1/32")
	})
	for _, c := range []struct {
		remote string
		header []string
		want   int
	}{
		{"192.0.2.7:1", nil, 200},
		{"[::ffff:192.0.2.7]:1", nil, 200},
		{"[2001:db8:5::1]:1", nil, 200},
		{"198.51.100.1:1", nil, 403},
		{"127.0.0.1:1", nil, 403},
		{"198.51.100.1:1", []string{"X-Forwarded-For", "192.0.2.7"}, 403},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "192.0.2.7"}, 200},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "192.0.2.7, 198.51.100.1"}, 403},
		{"10.0.0.1:1", nil, 403},
		{"10.0.0.1:1", []string{"X-Forwarded-For", "nobody"}, 400},
		{"not an address", nil, 403},
	} {
		for _, path := range []string{"/api/v1/alerts", "/", "/healthz"} {
			w := r.from(c.remote, "core.example", path, c.header...)
			if w.Code != c.want {
				t.Errorf("%s %v %s: %d, want %d", c.remote, c.header, path, w.Code, c.want)
			}
			if c.want != 200 {
				problemOf(t, w)
			}
		}
	}
	if !strings.Contains(log.String(), "kept out by api.allow") || strings.Contains(log.String(), bootstrap.Reveal()) {
		t.Errorf("the log does not say who is locked out: %s", log.String())
	}
	w := httptest.NewRecorder()
	Trusted(r.handler).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/alerts", nil))
	if w.Code != http.StatusOK {
		t.Errorf("the local socket is shut: %d", w.Code)
	}
}

// A name that was made to point here gets nothing (DNS rebinding).
func TestHosts(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Console = consoleFiles(); d.Guards.Hosts = []string{"soc.example"} })
	for host, want := range map[string]int{
		"soc.example": 200, "SOC.example:8443": 200, "soc.example.": 200, "localhost:8443": 200, "127.0.0.1:8443": 200, "[::1]:8443": 200, "[::1]": 200, "192.0.2.1": 200, "": 200,
		"evil.example": 421, "soc.example.evil.example": 421, "127.0.0.1.evil.example:8443": 421, "xsoc.example": 421, "localhost.evil.example": 421, "127.1": 421, "soc.example:8443:1": 421,
	} {
		for _, path := range []string{"/api/v1/alerts", "/"} {
			if w := r.from("192.0.2.1:1", host, path); w.Code != want {
				t.Errorf("%q %s: %d, want %d", host, path, w.Code, want)
			}
		}
	}
	open := newRig(t)
	if w := open.from("192.0.2.1:1", "anything.example", "/api/v1/alerts"); w.Code != http.StatusOK {
		t.Errorf("without names: %d", w.Code)
	}
}

// A browser that came to the proxy in the clear is sent to HTTPS; nobody else's word counts.
func TestForwardedProto(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Console = consoleFiles(); d.Guards.Proxies.From = networks(t, "10.0.0.1/32") })
	w := r.from("10.0.0.1:1", "soc.example", "/alerts?x=1", "X-Forwarded-Proto", "http", "X-Forwarded-For", "192.0.2.1")
	if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != "https://soc.example/alerts?x=1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, c := range [][2]string{{"10.0.0.1:1", "https"}, {"10.0.0.1:1", "http, https"}, {"192.0.2.1:1", "http"}} {
		if w := r.from(c[0], "soc.example", "/alerts", "X-Forwarded-Proto", c[1]); w.Code != http.StatusOK {
			t.Errorf("%v: %d", c, w.Code)
		}
	}
}

func TestRedirect(t *testing.T) {
	for _, c := range []struct{ to, method, host, path, want string }{
		{":8443", "GET", "soc.example", "/alerts?a=b", "https://soc.example:8443/alerts?a=b"},
		{":443", "HEAD", "soc.example:80", "/", "https://soc.example/"},
		{":8443", "GET", "[2001:db8::1]:80", "/", "https://[2001:db8::1]:8443/"},
		{"https://soc.example", "GET", "evil.example", "//evil.example/", "https://soc.example//evil.example/"},
		{":443", "GET", "", "/", ""},
		{":443", "GET", "a@b", "/", ""},
		{":443", "POST", "soc.example", "/", ""},
		{":443", "GET", "soc.example", "/api/v1/alerts", ""},
	} {
		req := httptest.NewRequest(c.method, "http://x/", nil)
		req.Host, req.RequestURI = c.host, c.path
		req.URL.Path, req.URL.RawQuery, _ = strings.Cut(c.path, "?")
		w := httptest.NewRecorder()
		Redirect(c.to).ServeHTTP(w, req)
		if got := w.Header().Get("Location"); got != c.want || (c.want == "") != (w.Code == http.StatusForbidden) {
			t.Errorf("%+v: %d %q", c, w.Code, got)
		}
	}
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	req.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	if Redirect(":443").ServeHTTP(w, req); w.Code != http.StatusForbidden {
		t.Errorf("a key in the clear: %d", w.Code)
	}
}
