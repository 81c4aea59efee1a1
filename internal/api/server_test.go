package api

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
)

// serve runs Serve until stop is called, which returns its error.
func serveOn(t *testing.T, l Listener, h http.Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h, nil) }()
	ended := false
	stop = func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTLSWithAKey(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	cert, sum, err := SelfSigned(dir, []string{"core.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l := loopback(t)
	stop := serveOn(t, Listener{Listener: l, TLS: Config(cert)}, r.handler)
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	for key, code := range map[honeyguide.Secret]honeyguide.Code{bootstrap: "", "hg_wrong": honeyguide.CodeForbidden} {
		c, err := client.Remote("https://"+l.Addr().String(), key, transport)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.List[honeyguide.Alert](t.Context(), c, "/api/v1/alerts", nil)
		if code == "" && err != nil || code != "" && honeyguide.ErrorCode(err) != code {
			t.Errorf("got %v, want %q", err, code)
		}
	}
	if len(sum) != 64 {
		t.Errorf("fingerprint %q", sum)
	}
	transport.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	now := time.Now()
	_, first, err := SelfSigned(dir, []string{"core.example"}, now)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, pairFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	for _, c := range []struct {
		what  string
		hosts []string
		now   time.Time
		same  bool
	}{
		{"again", []string{"core.example"}, now, true},
		{"fewer hosts", nil, now, true},
		{"names that fit no certificate", []string{"", "my node", "knoten-ä", "."}, now, true},
		{"another host", []string{"other.example", "192.0.2.9"}, now, false},
		{"near its end", []string{"other.example"}, now.Add(certLife - renewWithin + time.Hour), false},
	} {
		cert, sum, err := SelfSigned(dir, c.hosts, c.now)
		if err != nil || (sum == first) != c.same {
			t.Errorf("%s: the same %v, want %v, %v", c.what, sum == first, c.same, err)
		}
		for _, host := range append(slices.DeleteFunc(c.hosts, unfit), "localhost", "127.0.0.1", "::1") {
			if err := cert.Leaf.VerifyHostname(host); err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		first = sum
	}
	if err := os.WriteFile(filepath.Join(dir, pairFile), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := SelfSigned(dir, nil, now); err == nil {
		t.Error("a spoilt file is passed over")
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".new-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOnlyASocketIsLocal(t *testing.T) {
	l := loopback(t)
	defer l.Close()
	if err := Serve(t.Context(), Listener{Listener: l, Local: true}, http.NotFoundHandler(), nil); err == nil {
		t.Error("a TCP listener passes for local")
	}
}

func TestSocketPeersNeedNoKey(t *testing.T) {
	r := newRig(t)
	for local, code := range map[bool]honeyguide.Code{true: "", false: honeyguide.CodeForbidden} {
		c := client.Unix(r.listen(local))
		if !c.Alive(t.Context()) {
			t.Error("the core does not answer")
		}
		_, err := client.List[honeyguide.Alert](t.Context(), c, "/api/v1/alerts", nil)
		if code == "" && err != nil || code != "" && honeyguide.ErrorCode(err) != code {
			t.Errorf("local %v: %v", local, err)
		}
	}
}

// Requests under way are answered when the core stops; new ones are not taken.
func TestStopWaitsForAnswers(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	l := loopback(t)
	stop := serveOn(t, Listener{Listener: l}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-release
		_, _ = io.WriteString(w, "answered")
	}))
	type answer struct {
		body string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			got <- answer{err: err}
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		got <- answer{string(body), err}
	}()
	<-began
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(release)
	if a := <-got; a.err != nil || a.body != "answered" {
		t.Errorf("got %+v", a)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}

func TestServeTellsWhyItEnded(t *testing.T) {
	l := loopback(t)
	_ = l.Close()
	if err := Serve(t.Context(), Listener{Listener: l}, http.NotFoundHandler(), nil); err == nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestHeaderLimit(t *testing.T) {
	l := loopback(t)
	serveOn(t, Listener{Listener: l}, http.NotFoundHandler())
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Big: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "431") {
		t.Errorf("got %q, %v", line, err)
	}
}

// A full house keeps further peers waiting until one leaves, and stops cleanly.
func TestCrowd(t *testing.T) {
	l := &crowd{Listener: loopback(t), slots: make(chan struct{}, 1)}
	accepted := make(chan net.Conn)
	ended := make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("two are in a house for one")
	case <-time.After(50 * time.Millisecond):
	}
	_ = first.Close()
	_ = first.Close() // twice gives one place back
	second := <-accepted
	if len(l.slots) != 1 {
		t.Errorf("%d places are taken", len(l.slots))
	}
	_ = l.Close() // while the next Accept waits for a place
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	_ = second.Close()
}
