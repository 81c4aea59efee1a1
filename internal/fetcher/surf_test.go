package fetcher

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/ipc"
)

var loopback = netip.MustParsePrefix("127.0.0.0/8")

func surf(t testing.TB, s ipc.FetchSetup, roots *x509.CertPool) *surfer {
	t.Helper()
	w, err := newSurfer(s, roots)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func get(t testing.TB, w *surfer, m ipc.Fetch) (ipc.Fetched, string, error) {
	t.Helper()
	var b bytes.Buffer
	out, err := w.do(t.Context(), &m, func(p []byte) error { b.Write(p); return nil })
	return out, b.String(), err
}

// Every way to spell an address that is not public is refused, and each for the
// right reason: a failed lookup is no proof.
func TestRefused(t *testing.T) {
	port, reached := sink(t)
	dns := nameServer(t, func(name string, before int) []netip.Addr {
		switch {
		case strings.HasPrefix(name, "rebind") && before == 0:
			return []netip.Addr{netip.MustParseAddr("8.8.8.8")}
		case strings.HasPrefix(name, "none"):
			return nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	})
	w := surf(t, ipc.FetchSetup{Ports: []uint16{80, 443, port}, Resolvers: []netip.AddrPort{dns}, Own: []netip.Addr{netip.MustParseAddr("8.8.4.4")}}, nil)
	for _, c := range []struct{ url, why string }{
		{"http://127.0.0.1:PORT/", "not public"},
		{"http://localhost:PORT/", "this host"},
		{"http://x.localhost:PORT/", "this host"},
		{"http://LOCALHOST.:PORT/", "this host"},
		{"http://2130706433:PORT/", "neither"},
		{"http://0x7f.1:PORT/", "neither"},
		{"http://0x7f000001:PORT/", "neither"},
		{"http://017700000001:PORT/", "neither"},
		{"http://0:PORT/", "neither"},
		{"http://127.1:PORT/", "neither"},
		{"http://127.0.0.1.:PORT/", "not public"},
		{"http://[::1]:PORT/", "not public"},
		{"http://[::]:PORT/", "not public"},
		{"http://[::ffff:127.0.0.1]:PORT/", "clothes of IPv6"},
		{"http://[::ffff:7f00:1]:PORT/", "clothes of IPv6"},
		{"http://[64:ff9b::7f00:1]:PORT/", "not public"},
		{"http://[fe80::1%25lo]:PORT/", "zone"},
		{"http://[fd00::1]:PORT/", "not public"},
		{"http://[2002:7f00:1::]:PORT/", "not public"},
		{"http://0.0.0.0:PORT/", "not public"},
		{"http://10.0.0.1:PORT/", "not public"},
		{"http://100.64.0.1:PORT/", "not public"},
		{"http://169.254.169.254/latest/meta-data/", "not public"},
		{"http://172.16.0.1/", "not public"},
		{"http://192.168.1.1/", "not public"},
		{"http://198.18.0.1/", "not public"},
		{"http://224.0.0.1/", "not public"},
		{"http://255.255.255.255/", "not public"},
		{"http://8.8.4.4/", "own address"},
		{"http://inside.example:PORT/", "not public"},
		{"http://user:pw@8.8.8.8/", "user in the URL"},
		{"http://8.8.8.8:22/", "port"},
		{"http://8.8.8.8:6379/", "port"},
		{"file:///etc/passwd", "scheme"},
		{"gopher://8.8.8.8/", "scheme"},
		{"ftp://8.8.8.8/", "scheme"},
		{"http:///x", "no host"},
		{"http://%zz/", "cannot be read"},
		{"unix:///run/x.sock", "scheme"},
	} {
		u := strings.ReplaceAll(c.url, "PORT", fmt.Sprint(port))
		_, _, err := get(t, w, ipc.Fetch{URL: u, Timeout: 5 * time.Second})
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want refused: %s", u, err, c.why)
		}
	}
	// The second answer of a server that changes its mind is what would be connected to.
	if _, err := w.guard.resolve(t.Context(), "rebind.example"); err != nil {
		t.Errorf("the first answer: %v", err)
	}
	if _, err := w.guard.dial(t.Context(), "tcp", net.JoinHostPort("rebind.example", fmt.Sprint(port))); !errors.Is(err, ErrRefused) {
		t.Errorf("after rebinding: %v", err)
	}
	if _, _, err := get(t, w, ipc.Fetch{URL: "http://none.example/", Timeout: 5 * time.Second}); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("a name that is not there: %v", err)
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the sink was reached %d times", n)
	}
}

func TestDo(t *testing.T) {
	mux := http.NewServeMux()
	srv := httptest.NewTLSServer(mux)
	defer srv.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "other ", r.Header.Get("Key")) }))
	defer other.Close()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Set-Cookie", "x=y")
		fmt.Fprint(w, "hello ", r.Header.Get("Key"), r.UserAgent(), r.Method)
	})
	mux.HandleFunc("/missing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); fmt.Fprint(w, "no") })
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	mux.HandleFunc("/inside", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://169.254.169.254/latest/meta-data/", http.StatusFound)
	})
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		for range 10 << 10 { // 10 GiB, were anybody to read them
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	})
	stuck := make(chan struct{})
	defer close(stuck)
	mux.HandleFunc("/hang", func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); <-stuck })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "only this")
	})
	at, otherAt := netip.MustParseAddrPort(srv.Listener.Addr().String()), netip.MustParseAddrPort(other.Listener.Addr().String())
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	setup := ipc.FetchSetup{Ports: []uint16{443, at.Port(), otherAt.Port()}, Allow: []netip.Prefix{loopback}, Agent: "hg"}
	w := surf(t, setup, roots)
	key := map[string]string{"Key": "s3cret"}
	for _, c := range []struct {
		path   string
		header map[string]string
		status int
		body   string
		is     error // nil with body "": some error
	}{
		{"/ok", key, 200, "hello s3crethgGET", nil},
		{"/here", key, 200, "hello s3crethgGET", nil},
		{"/missing", nil, 404, "no", nil},
		{"/down", nil, 0, "", ErrRefused},
		{"/down", key, 0, "", ErrRefused},
		{"/inside", nil, 0, "", ErrRefused},
		{"/round", nil, 0, "", ErrRefused},
		{"/big", nil, 200, "", ErrTooLarge},
		{"/hang", nil, 200, "", nil},
		{"/cut", nil, 200, "", nil},
	} {
		out, body, err := get(t, w, ipc.Fetch{URL: srv.URL + c.path, Header: c.header, MaxBytes: 1 << 20, Timeout: time.Second})
		switch {
		case out.Status != c.status && c.path != "/hang":
			t.Errorf("%s: status %d (%v), want %d", c.path, out.Status, err, c.status)
		case c.body != "" && (err != nil || body != c.body):
			t.Errorf("%s: %q, %v, want %q", c.path, body, err, c.body)
		case c.body == "" && err == nil, c.is != nil && !errors.Is(err, c.is):
			t.Errorf("%s: %v, want %v", c.path, err, c.is)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the key is in the error", c.path)
		}
		if c.path == "/ok" && (out.Header["Etag"] != `"1"` || out.Header["Set-Cookie"] != "") {
			t.Errorf("headers %v", out.Header)
		}
	}
	if _, _, err := get(t, surf(t, setup, x509.NewCertPool()), ipc.Fetch{URL: srv.URL + "/ok"}); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("a certificate nobody vouches for: %v", err)
	}
	if _, _, err := get(t, w, ipc.Fetch{URL: "http://8.8.8.8:443/", Header: key}); !errors.Is(err, ErrRefused) {
		t.Errorf("a key in the clear: %v", err)
	}
}

// Behind a proxy nothing but the proxy is dialled, and what is not public is
// refused all the same.
func TestProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "by proxy to ", r.URL) }))
	defer proxy.Close()
	at := netip.MustParseAddrPort(proxy.Listener.Addr().String())
	w := surf(t, ipc.FetchSetup{Ports: []uint16{80, 443, at.Port()}, Proxy: proxy.URL, Hosts: map[string][]netip.Addr{
		"out.example": {netip.MustParseAddr("8.8.8.8")}, "in.example": {netip.MustParseAddr("10.0.0.1")},
	}}, nil)
	if _, body, err := get(t, w, ipc.Fetch{URL: "http://out.example/x"}); err != nil || body != "by proxy to http://out.example/x" {
		t.Errorf("%q, %v", body, err)
	}
	if _, _, err := get(t, w, ipc.Fetch{URL: "http://in.example/x"}); !errors.Is(err, ErrRefused) {
		t.Errorf("inside by proxy: %v", err)
	}
	if _, err := newSurfer(ipc.FetchSetup{Proxy: "socks5://x"}, nil); err == nil {
		t.Error("a proxy of another kind")
	}
}

func TestNames(t *testing.T) {
	dns := nameServer(t, func(string, int) []netip.Addr { return nil })
	w := surf(t, ipc.FetchSetup{Ports: []uint16{443}, Resolvers: []netip.AddrPort{dns}}, nil)
	if out, body, err := get(t, w, ipc.Fetch{URL: "dns:8.8.8.8"}); err != nil || out.Status != 200 || body != "scanner.example.net." {
		t.Errorf("%+v %q %v", out, body, err)
	}
	if out, _, err := get(t, w, ipc.Fetch{URL: "dns:9.9.9.9"}); err != nil || out.Status != 404 {
		t.Errorf("an address without a name: %+v %v", out, err)
	}
	if _, _, err := get(t, w, ipc.Fetch{URL: "dns:example.com"}); !errors.Is(err, ErrRefused) {
		t.Errorf("a name: %v", err)
	}
}

// Whatever a URL is, what the guard lets through has a host that is judged again
// by its address.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1/", "https://[::ffff:1.2.3.4]/", "http://0x7f.1/", "http://a@b/", "http://8.8.8.8:80/x"} {
		f.Add(s)
	}
	g := &guard{ports: DefaultPorts}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil || g.url(u, true) != nil {
			return
		}
		if u.Scheme != "https" {
			t.Fatalf("%q: a key in the clear", s)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.Is4In6()) {
			t.Fatalf("%q passes", s)
		}
	})
}
