package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"honeyguide/test/rig"
)

// BenchmarkAlertVisible: somebody logs in at the SSH decoy from an address of its
// own; how long until the live stream shows the alert, counted from the first
// packet, while 200 events a second come in from elsewhere. Budget: p99 < 1 s.
func BenchmarkAlertVisible(b *testing.B) {
	const logins = 300
	core := decoys(b)
	addr := core.Sensor("ssh")
	for b.Loop() {
		var mu sync.Mutex
		shown := map[string]time.Time{}
		messages := 0
		ctx, stop := context.WithCancel(b.Context())
		wait, err := core.Stream(ctx, "alerts", 0, func(x rig.Told) {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range x.Data.Messages {
				var row struct {
					Src struct {
						Addr string `json:"addr"`
					} `json:"src"`
				}
				_ = json.Unmarshal(m.Row, &row)
				messages++
				if ip, _, _ := net.SplitHostPort(row.Src.Addr); shown[ip].IsZero() {
					shown[ip] = x.At
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		var load sync.WaitGroup
		load.Go(func() { background(ctx, b, core, 200) })
		began := make([]time.Time, logins)
		for i := range logins {
			time.Sleep(40 * time.Millisecond)
			began[i] = time.Now()
			if err := loginFrom(source(i), addr); err != nil {
				b.Fatal(err)
			}
		}
		deadline := time.Now().Add(10 * time.Second)
		var took []time.Duration
		for len(took) < logins && time.Now().Before(deadline) {
			took = took[:0]
			mu.Lock()
			for i := range logins {
				if at := shown[source(i)]; !at.IsZero() {
					took = append(took, at.Sub(began[i]))
				}
			}
			mu.Unlock()
			time.Sleep(20 * time.Millisecond)
		}
		stop()
		load.Wait()
		_ = wait()
		slices.Sort(took)
		if len(took) < logins {
			b.Fatalf("%d of %d logins were shown", len(took), logins)
		}
		b.ReportMetric(float64(took[logins/2].Milliseconds()), "p50-ms")
		b.ReportMetric(float64(took[logins*99/100].Milliseconds()), "p99-ms")
		b.ReportMetric(float64(took[logins-1].Milliseconds()), "max-ms")
		b.ReportMetric(float64(messages), "messages")
	}
}

// source is the i-th address on the loopback network.
func source(i int) string { return fmt.Sprintf("127.10.%d.%d", i/250, 1+i%250) }

func loginFrom(ip, addr string) error {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: 30 * time.Second}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return err
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.Password(password)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), ClientVersion: "SSH-2.0-OpenSSH_9.2p1",
	})
	if err != nil {
		return err
	}
	return ssh.NewClient(c, chans, reqs).Close()
}

// background posts events at a rate until ctx ends.
func background(ctx context.Context, b *testing.B, core *rig.Core, perSecond int) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var body bytes.Buffer
		for range perSecond / 10 {
			n++
			fmt.Fprintf(&body, `{"timestamp":%q,"event_type":"alert","src_ip":"198.51.%d.%d","src_port":%d,"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":%d,"rev":1,"signature":"bench %d","category":"Attempted Information Leak","severity":%d}}`+"\n",
				time.Now().UTC().Format("2006-01-02T15:04:05.000000-0700"), n>>8&255, n&255, 1024+n%60000, 1000+n%50, n%50, 1+n%3)
		}
		if status, out, err := core.Post("/api/v1/ingest/suricata", "application/x-ndjson", strings.NewReader(body.String())); err != nil || status != 200 {
			b.Errorf("ingest: %d, %v: %.300s", status, err, out)
			return
		}
	}
}
