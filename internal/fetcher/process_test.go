package fetcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/supervise"
)

// started runs a caged process that may reach the loopback ports given.
func started(t testing.TB, s ipc.FetchSetup) *Process {
	t.Helper()
	p := New(Options{Path: program(t), Args: []string{childArg}, Setup: s})
	run(t, p)
	return p
}

// run keeps a process until the test ends.
func run(t testing.TB, p *Process) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	g := supervise.New(nil)
	g.Keep(ctx, "fetcher", p.Run)
	t.Cleanup(func() { stop(); _ = g.Wait() })
}

// The caged process fetches, looks names up, refuses, and keeps sizes; many
// requests at a time do not mix.
func TestProcess(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/big":
			for range 2000 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		case "/hang":
			<-r.Context().Done()
		default:
			fmt.Fprint(w, strings.Repeat(r.URL.Path, 20_000))
		}
	}))
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	dns := nameServer(t, func(name string, _ int) []netip.Addr { return []netip.Addr{at.Addr()} })
	p := started(t, ipc.FetchSetup{Ports: []uint16{at.Port()}, Allow: []netip.Prefix{loopback}, Resolvers: []netip.AddrPort{dns}})
	fetch := func(url string, most int64) (string, Response, error) {
		var b bytes.Buffer
		r, err := p.Do(t.Context(), Request{URL: url, MaxBytes: most, Timeout: 30 * time.Second}, &b)
		return b.String(), r, err
	}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			path := fmt.Sprint("/", i)
			body, r, err := fetch(srv.URL+path, 1<<20)
			if err != nil || r.Status != 200 || body != strings.Repeat(path, 20_000) || r.Bytes != int64(len(body)) {
				t.Errorf("%s: %d bytes, %+v, %v", path, len(body), r, err)
			}
		})
	}
	wait.Wait()
	if body, _, err := fetch(fmt.Sprintf("http://name.example:%d/x", at.Port()), 1<<20); err != nil || len(body) != 40_000 {
		t.Errorf("by name: %d bytes, %v", len(body), err)
	}
	if body, _, err := fetch("dns:8.8.8.8", 0); err != nil || body != "scanner.example.net." {
		t.Errorf("names: %q, %v", body, err)
	}
	if _, _, err := fetch("http://10.0.0.1/", 0); !errors.Is(err, ErrRefused) {
		t.Errorf("inside: %v", err)
	}
	if _, r, err := fetch(srv.URL+"/big", 1<<20); !errors.Is(err, ErrTooLarge) || r.Bytes > 1<<20 {
		t.Errorf("big: %+v, %v", r, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Do(ctx, Request{URL: srv.URL + "/hang"}, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up: %v", err)
	}
	for _, l := range p.Layers() {
		if strings.HasPrefix(l, "seccomp") && l != "seccomp: on" {
			t.Errorf("layer %s", l)
		}
	}
}

// A process that is killed fails what it was doing and is started again.
func TestKilled(t *testing.T) {
	begun := make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			begun <- struct{}{}
			<-r.Context().Done()
		}
		fmt.Fprint(w, "ok")
	}))
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	pids := make(chan int, 8)
	p := New(Options{Path: program(t), Args: []string{childArg}, Setup: ipc.FetchSetup{Ports: []uint16{at.Port()}, Allow: []netip.Prefix{loopback}}, Log: pidLog(pids)})
	ctx, stop := context.WithCancel(context.Background())
	g := supervise.New(nil)
	g.Keep(ctx, "fetcher", p.Run)
	t.Cleanup(func() { stop(); _ = g.Wait() })
	first := <-pids
	failed := make(chan error, 1)
	go func() {
		_, err := p.Do(t.Context(), Request{URL: srv.URL + "/hang"}, io.Discard)
		failed <- err
	}()
	<-begun
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err == nil {
		t.Error("the request of a killed process succeeded")
	}
	var b bytes.Buffer
	if _, err := p.Do(t.Context(), Request{URL: srv.URL + "/"}, &b); err != nil || b.String() != "ok" {
		t.Errorf("after the restart: %q, %v", b.String(), err)
	}
	if second := <-pids; second == first {
		t.Error("no new process")
	}
}
