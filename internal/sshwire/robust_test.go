package sshwire

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
)

// library is the Go library's client on a connection.
func library(t testing.TB, conn net.Conn, change ...func(*xssh.ClientConfig)) *xssh.Client {
	t.Helper()
	config := &xssh.ClientConfig{
		User: "root", Auth: []xssh.AuthMethod{xssh.Password("abc123")}, HostKeyCallback: xssh.InsecureIgnoreHostKey(),
	}
	for _, f := range change {
		f(config)
	}
	c, chans, reqs, err := xssh.NewClientConn(conn, "", config)
	if err != nil {
		t.Fatal(err)
	}
	return xssh.NewClient(c, chans, reqs)
}

// TestServerRekeys lets the server ask for new keys all the time, while both
// sides send, requests are asked, and nothing may get lost or out of order.
func TestServerRekeys(t *testing.T) {
	s := testServer(t, func(c *Config) { c.RekeyBytes = 50000 })
	for _, cipher := range []string{"chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"} {
		client := library(t, serve(t, s, &door{}, &house{}), func(c *xssh.ClientConfig) { c.Ciphers = []string{cipher} })
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		in := make([]byte, 2<<20)
		_, _ = rand.Read(in)
		var out bytes.Buffer
		session.Stdin, session.Stdout = bytes.NewReader(in), &out
		stop := make(chan struct{})
		var asked sync.WaitGroup
		asked.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					if n == 0 {
						t.Error("no request was answered")
					}
					return
				default:
				}
				if ok, _, err := client.SendRequest("keepalive@openssh.com", true, nil); ok || err != nil {
					t.Errorf("request: %v, %v", ok, err)
					return
				}
			}
		})
		err = session.Run("cat")
		close(stop)
		asked.Wait()
		if err != nil || !bytes.Equal(out.Bytes(), in) {
			t.Errorf("%s: %d bytes of %d, %v", cipher, out.Len(), len(in), err)
		}
		_ = client.Close()
	}
}

// TestSlowReader has a peer that asks for much and reads nothing: its command
// waits, others are served, and its end ends the command.
func TestSlowReader(t *testing.T) {
	s := testServer(t)
	h := &house{}
	conn := serve(t, s, &door{}, h)
	p := newPeer(t, conn).in(plainOffer)
	p.open(1, 1<<30, 32768)
	p.request(0, "exec", true, "flood 100000000")
	p.transcript("SUCCESS")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	other := library(t, serve(t, s, &door{}, &house{}))
	session, err := other.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := session.Output("echo alive"); err != nil || string(out) != "alive\n" {
		t.Errorf("beside: %q, %v", out, err)
	}
	_ = other.Close()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("a slow reader takes %d MiB", grown>>20)
	}
	_ = conn.Close()
	h.work.Wait()
}

// TestSlowReaderHalfCloses has such a peer say that it will send no more: nobody
// waits for it.
func TestSlowReaderHalfCloses(t *testing.T) {
	h := &house{}
	conn := serve(t, testServer(t), &door{}, h)
	p := newPeer(t, conn).in(plainOffer)
	p.open(1, 1<<30, 32768)
	p.request(0, "exec", true, "flood 100000000")
	p.transcript("SUCCESS")
	time.Sleep(100 * time.Millisecond) // the sockets fill up
	_ = conn.(*net.TCPConn).CloseWrite()
	done := make(chan struct{})
	go func() { h.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("the command still writes")
	}
}

// TestBeyondTheWindow cuts off a peer that sends what it may not, and forgets
// what it sent.
func TestBeyondTheWindow(t *testing.T) {
	s := testServer(t)
	conn := serve(t, s, &door{}, &house{})
	p := newPeer(t, conn).in(plainOffer)
	p.open(1, 1<<20, 32768)
	p.request(0, "exec", true, "sleep 1000")
	p.transcript("SUCCESS")
	sent := 0
	for ; sent < 1000; sent++ {
		p.c.out.put(appendNumber([]byte{msgData}, 0), appendNumber(nil, 32768), make([]byte, 32768))
		if p.c.out.flush() != nil {
			break
		}
	}
	if sent == 1000 {
		t.Error("32 MiB are taken beyond a window of 2 MiB")
	}
	for range 200 {
		if s.unread.Load() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d bytes are still counted", s.unread.Load())
}

// TestUnread holds the bound of all connections together: a greedy one is ended,
// a modest one is not.
func TestUnread(t *testing.T) {
	s := testServer(t)
	greedy, modest := s.newConn(nil, ""), s.newConn(nil, "")
	if err := greedy.mux.count(greedy, maxUnread); err != nil {
		t.Fatalf("within the bound: %v", err)
	}
	if err := modest.mux.count(modest, fairUnread); err != nil {
		t.Errorf("a fair share is refused: %v", err)
	}
	if err := greedy.mux.count(greedy, 1); !errors.Is(err, errUnread) {
		t.Errorf("beyond the bound: %v", err)
	}
}

// TestFedChannel gives input to a sink and opens the window only for what is
// taken.
func TestFedChannel(t *testing.T) {
	s := testServer(t)
	h := &fedHouse{got: make(chan []byte, 1000)}
	conn := serveMux(t, s, h)
	p := newPeer(t, conn).in(plainOffer)
	p.open(1, 1<<20, 32768)
	p.request(0, "shell", true, "")
	p.transcript("SUCCESS")
	for range 4 {
		p.data(0, bytes.Repeat([]byte("x"), 32768))
	}
	total := 0
	for total < 4*32768 {
		total += len(<-h.got)
	}
	if s.unread.Load() != 4*32768 {
		t.Errorf("%d bytes counted as unread", s.unread.Load())
	}
	h.ch.Taken(total)
	if got := p.transcript("WINDOW"); got[len(got)-1] != "WINDOW_ADJUST 1 131072" {
		t.Errorf("got %q", got)
	}
	if s.unread.Load() != 0 {
		t.Errorf("%d bytes counted as unread", s.unread.Load())
	}
}

// TestHalfOpen leaves at every point of a login.
func TestHalfOpen(t *testing.T) {
	s := testServer(t)
	full := &tap{}
	conn := serve(t, s, &door{}, &house{})
	full.Conn = conn
	newPeer(t, full).in(plainOffer)
	for cut := 0; cut < len(full.sent); cut += 1 + len(full.sent)/60 {
		c := serve(t, s, &door{}, &house{})
		_, _ = c.Write(full.sent[:cut])
		_ = c.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("cut at %d: %v", cut, err)
		}
		_ = c.Close()
	}
}

type tap struct {
	net.Conn
	sent []byte
}

func (c *tap) Write(p []byte) (int, error) {
	c.sent = append(c.sent, p...)
	return c.Conn.Write(p)
}
