package e2e

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// A dawdler keeps a connection open by sending next to nothing.
type dawdler struct {
	name  string
	to    string
	tls   bool
	first string        // sent at once
	drip  string        // sent again and again, a byte at a time
	limit time.Duration // after which we hang up
}

// patience is how much later than its limit a connection may be closed: the
// machine of the test is slow at times, and so is its client.
const patience = 5 * time.Second

// dawdle holds one connection as long as the other side lets it and reports
// whether it was let go in time.
func (d dawdler) dawdle(from net.IP) error {
	began := time.Now()
	dial := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 10 * time.Second}
	raw, err := dial.Dial("tcp", d.to)
	if err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	defer raw.Close()
	c := raw
	if d.tls {
		c = tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) // made at the first start
	}
	end := began.Add(d.limit + patience)
	_ = c.SetDeadline(end)
	closed := make(chan struct{})
	go func() { // what is answered does not matter, only the end
		defer close(closed)
		buf := make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}()
	if _, err := c.Write([]byte(d.first)); err != nil && d.first != "" && time.Now().After(end) {
		return fmt.Errorf("%s: not closed after %v", d.name, time.Since(began))
	}
	for i := 0; ; i++ {
		select {
		case <-closed:
			if !time.Now().Before(end) {
				return fmt.Errorf("%s: not closed after %v", d.name, time.Since(began))
			}
			return nil
		case <-time.After(300 * time.Millisecond):
			if d.drip != "" {
				_, _ = c.Write([]byte{d.drip[i%len(d.drip)]})
			}
		}
	}
}

// TestSlowClients holds connections to the API and to every decoy in the ways slow
// clients do. All must be closed within their limits, and everybody else must be
// served meanwhile. HONEYGUIDE_TRUST_SLOW_CLIENTS_LEFT says how many of each kind.
func TestSlowClients(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for time limits; -short leaves it out")
	}
	each := rig.Size(t, "slow-clients-left", 8)
	core := rig.Start(t, t.TempDir(), append(fast, "sensors.ssh.accept=always", "sensors.ssh.grace=5s", "sensors.telnet.grace=5s", "sensors.http.idle=5s")...)
	var m []string
	rig.Eventually(t, 20*time.Second, "the API's address is printed", func() bool {
		m = regexp.MustCompile(`https://localhost(:\d+)`).FindStringSubmatch(core.Output())
		return m != nil
	})
	api := "127.0.0.1" + m[1]
	web, shell, lines := core.Sensor("http"), core.Sensor("ssh"), core.Sensor("telnet")
	head := "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost" + m[1] + "\r\nContent-Type: application/json\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 5000\r\n\r\n{"
	kinds := []dawdler{
		{name: "API, no handshake", to: api, limit: 5 * time.Second},
		{name: "API, a header that never ends", to: api, tls: true, first: "GET / HTTP/1.1\r\nX-a: ", drip: "abc", limit: 5 * time.Second},
		{name: "API, headers without end", to: api, tls: true, first: "GET / HTTP/1.1\r\n", drip: "X-a: b\r\n", limit: 5 * time.Second},
		{name: "API, a body byte by byte", to: api, tls: true, first: head, drip: "  ", limit: 10 * time.Second},
		{name: "API, a bomb of headers", to: api, tls: true, first: "GET / HTTP/1.1\r\nX-a: " + strings.Repeat("x", 1<<20), drip: "x", limit: 5 * time.Second},
		{name: "web decoy, silent", to: web, limit: 5 * time.Second},
		{name: "web decoy, a header that never ends", to: web, first: "GET / HTTP/1.1\r\nX-a: ", drip: "abc", limit: 5 * time.Second},
		{name: "web decoy, a body byte by byte", to: web, first: "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", drip: "a=", limit: 5 * time.Second},
		{name: "SSH decoy, silent", to: shell, limit: 5 * time.Second},
		{name: "SSH decoy, a version that never ends", to: shell, first: "SSH-2.0-", drip: "abc", limit: 5 * time.Second},
		{name: "telnet decoy, silent", to: lines, limit: 5 * time.Second},
		{name: "telnet decoy, a name that never ends", to: lines, drip: "abc", limit: 5 * time.Second},
	}
	if os.Getenv("HONEYGUIDE_TRUST_SLOW_CLIENTS_LEFT") == "" { // the longest limit is for the proof alone
		kinds = slices.DeleteFunc(kinds, func(d dawdler) bool { return d.limit > 5*time.Second })
	}
	var left, refused atomic.Int64
	var wg sync.WaitGroup
	for k, d := range kinds {
		for i := range each {
			wg.Go(func() {
				if err := d.dawdle(net.IPv4(127, 0, 3, byte(1+(k*each+i)%200))); err != nil {
					if left.Add(1) <= 10 {
						t.Error(err)
					}
				}
			})
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	served, slowest := 0, time.Duration(0)
	for open := true; open; {
		began := time.Now()
		if !quick(api, web) {
			refused.Add(1)
		}
		served++
		slowest = max(slowest, time.Since(began))
		select {
		case <-done:
			open = false
		case <-time.After(200 * time.Millisecond):
		}
	}
	t.Logf("TRUST name=slow-clients-left figure=%d unit=connections target=<=0 of=%d", left.Load(), each*len(kinds))
	t.Logf("TRUST name=slow-clients-refused figure=%d unit=others target=<=0 of=%d slowest_ms=%d", refused.Load(), served, slowest.Milliseconds())
	if refused.Load() > 0 || served < 10 {
		t.Errorf("%d of %d others were not served meanwhile", refused.Load(), served)
	}
}

// quick asks the API and the web decoy as anybody does.
func quick(api, web string) bool {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for _, url := range []string{"https://" + api + "/healthz", "http://" + web + "/"} {
		res, err := client.Get(url)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}
