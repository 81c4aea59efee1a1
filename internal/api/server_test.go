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
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/certs"
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
	keeper, err := certs.Open(certs.Options{Dir: dir, Hosts: []string{"core.example"}})
	if err != nil {
		t.Fatal(err)
	}
	l := loopback(t)
	stop := serveOn(t, Listener{Listener: l, TLS: keeper.Config()}, r.handler)
	pool := x509.NewCertPool()
	cert, err := keeper.Config().GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
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
	if sum := keeper.Status().Fingerprint; len(sum) != 64 {
		t.Errorf("fingerprint %q", sum)
	}
	transport.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Errorf("stopping: %v", err)
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
