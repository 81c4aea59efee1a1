package api

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"honeyguide/internal/certs"
)

// tlsDoor serves h over TLS on loopback.
func tlsDoor(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	keeper, err := certs.Open(certs.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l := loopback(t)
	serveOn(t, Listener{Listener: l, TLS: keeper.Config(), PerAddress: 8}, h)
	return l.Addr().String()
}

// TestSlowPeers holds 400 connections that send a byte a second, in a header, a
// body or the handshake. All are closed by the server, and others are served
// while they are there.
func TestSlowPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the limits of a connection")
	}
	t.Parallel()
	r := newRig(t)
	address := tlsDoor(t, r.handler)
	const peers = 400
	var closed atomic.Int64
	var all sync.WaitGroup
	for n := range peers {
		all.Go(func() {
			raw, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer raw.Close()
			_ = raw.SetReadDeadline(time.Now().Add(4 * readTimeout)) // the test's own end
			c := raw
			var text string
			switch n % 4 {
			case 0: // no handshake at all
				text = "\x16"
			case 1, 2:
				text = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "
			default:
				text = "POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
			}
			if n%4 != 0 {
				c = tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
			}
			if _, err := io.WriteString(c, text); err == nil {
				stop := make(chan struct{})
				defer close(stop)
				go func() {
					for {
						select {
						case <-stop:
							return
						case <-time.After(time.Second):
							if _, err := io.WriteString(c, "a"); err != nil {
								return
							}
						}
					}
				}()
			}
			if _, err = io.Copy(io.Discard, c); !isTimeout(err) {
				closed.Add(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	c := http.Client{Transport: transport, Timeout: 4 * readTimeout}
	asked := 0
	for {
		resp, err := c.Get("https://" + address + "/healthz")
		if err != nil {
			t.Fatalf("not served while %d are slow: %v", peers-closed.Load(), err)
		}
		resp.Body.Close()
		asked++
		select {
		case <-done:
		case <-time.After(200 * time.Millisecond):
			continue
		}
		break
	}
	if closed.Load() != peers || asked < 3 {
		t.Errorf("%d of %d were closed; asked %d times meanwhile", closed.Load(), peers, asked)
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// Headers beyond the limit are refused, and so are bodies, without being read.
func TestLargePeers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	address := tlsDoor(t, r.handler)
	for _, h2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: h2}
		c := http.Client{Transport: transport}
		ask := func(header, body string, key string) int {
			q, _ := http.NewRequest(http.MethodPost, "https://"+address+"/api/v1/rules/backtest", strings.NewReader(body))
			q.Header.Set("X-Large", header)
			q.Header.Set("Authorization", "Bearer "+key)
			resp, err := c.Do(q)
			if err != nil {
				return -1
			}
			defer resp.Body.Close()
			return resp.StatusCode
		}
		if got := ask(strings.Repeat("a", 40<<10), "", ""); got != http.StatusRequestHeaderFieldsTooLarge && got != -1 {
			t.Errorf("h2 %v, a large header: %d", h2, got)
		}
		if got := ask("", strings.Repeat("a", 3<<20), bootstrap.Reveal()); got != http.StatusRequestEntityTooLarge && got != -1 {
			t.Errorf("h2 %v, a large body: %d", h2, got)
		}
		if got := ask("", "{", bootstrap.Reveal()); got != http.StatusBadRequest && got != http.StatusUnprocessableEntity {
			t.Errorf("h2 %v, afterwards: %d", h2, got)
		}
		transport.CloseIdleConnections()
	}
}

func TestPlainHTTPOnTheTLSPort(t *testing.T) {
	address := tlsDoor(t, http.NotFoundHandler())
	resp, err := http.Get("http://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "HTTPS") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestRapidReset opens and resets streams as fast as it can. No more handlers
// than streams that may be open work for it, and the connection ends.
func TestRapidReset(t *testing.T) {
	t.Parallel()
	var now, most, begun atomic.Int64
	release := make(chan struct{})
	address := tlsDoor(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		begun.Add(1)
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release // work that does not notice that nobody waits for it
	}))
	defer close(release)
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if c.ConnectionState().NegotiatedProtocol != "h2" {
		t.Fatal("no HTTP/2")
	}
	_, _ = io.WriteString(c, http2.ClientPreface)
	framer := http2.NewFramer(c, c)
	_ = framer.WriteSettings()
	ended := make(chan string, 1)
	streams := make(chan uint32, 1)
	go func() {
		for {
			f, err := framer.ReadFrame()
			if err != nil {
				ended <- err.Error()
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if v, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
					streams <- v
				}
			case *http2.GoAwayFrame:
				ended <- f.ErrCode.String()
				return
			}
		}
	}()
	if got := <-streams; got != uint32(limits2.MaxConcurrentStreams) {
		t.Errorf("%d streams are offered", got)
	}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	sent := 0
	for id := uint32(1); id < 40_000; id += 2 {
		block.Reset()
		for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "x"}} {
			_ = enc.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
		}
		if framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}) != nil ||
			framer.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break
		}
		sent++
	}
	why := <-ended
	t.Logf("%d streams opened and reset, %d handlers begun, at most %d at once; the connection ended with %s", sent, begun.Load(), most.Load(), why)
	if most.Load() > int64(limits2.MaxConcurrentStreams) || begun.Load() == 0 || isEndless(why) {
		t.Errorf("at most %d handlers at once, %d begun, %s", most.Load(), begun.Load(), why)
	}
}

func isEndless(why string) bool { return strings.Contains(why, "timeout") }

// One address may not hold all places; loopback and proxies may.
func TestCrowdOfOneAddress(t *testing.T) {
	c := &crowd{most: 2, exempt: networks(t, "10.0.0.0/8")}
	enter := func(s string) (netip.Prefix, bool) {
		return c.enter(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)))
	}
	for n := range 5 {
		for s, want := range map[string]bool{"127.0.0.1:1": true, "10.0.0.1:1": true, "192.0.2.1:1": n < 2, fmt.Sprintf("[2001:db8::%x]:1", n): n < 2, "[::1]:1": true} {
			if _, ok := enter(s); ok != want {
				t.Errorf("%d. of %s: %v", n+1, s, ok)
			}
		}
	}
	from, _ := enter("192.0.2.1:1")
	c.leave(from)
	if _, ok := enter("192.0.2.1:1"); !ok {
		t.Error("a place that was left is not given again")
	}
	for range 10 {
		c.leave(from)
		c.leave(netip.Prefix{})
	}
	if _, ok := c.by[from]; ok {
		t.Errorf("an address without connections is remembered: %v", c.by)
	}
}
