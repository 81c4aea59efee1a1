package fwhelper

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"testing"
	"time"

	"honeyguide/internal/ipc"
)

// TestBulk: lists of the sizes that occur go in whole, over one another, and are
// gone at the end. The bounds are for a machine that does other things, too; the
// benchmarks say how long it takes.
func TestBulk(t *testing.T) {
	p := started(t, Options{})
	ctx := t.Context()
	before := ruleset(t)
	for _, c := range []struct {
		n    int
		most time.Duration
	}{{100_000, 10 * time.Second}, {100_000, 10 * time.Second}, {500_000, 60 * time.Second}, {1000, 10 * time.Second}} {
		if testing.Short() && c.n > 100_000 {
			continue
		}
		list := blocks("11.0.0.0", c.n, time.Hour)
		half := blocks("2001:db8::", c.n/10, time.Hour)
		copy(list[len(list)-len(half):], half)
		began := time.Now()
		if err := p.Replace(ctx, Table{Blocks: list}); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		t.Logf("%d in %v", c.n, took)
		if took > c.most {
			t.Errorf("%d took %v", c.n, took)
		}
		for _, e := range []Entry{list[0], list[c.n/2], list[c.n-1]} {
			if _, ok, err := p.Has(ctx, e.Prefix); !ok || err != nil {
				t.Errorf("%v: %v, %v", e.Prefix, ok, err)
			}
		}
		if h, err := p.Health(ctx); err != nil || !h.Intact || h.Blocks != c.n {
			t.Errorf("health %+v, %v", h, err)
		}
	}
	if _, ok, err := p.Has(ctx, prefix("11.0.8.0/32")); ok || err != nil {
		t.Errorf("one of the states before: %v, %v", ok, err)
	}
	// A batch too large for one transaction is one all the same.
	if err := p.Block(ctx, blocks("12.0.0.0", 9000, time.Hour)...); err != nil {
		t.Fatal(err)
	}
	err := p.Block(ctx, blocks("13.0.0.0", 9000, time.Hour)...)
	if r, ok := err.(*RefusedError); !ok || r.More == 0 {
		t.Errorf("no bound on how fast: %v", err)
	}
	if err := p.Replace(ctx, Table{}); err != nil {
		t.Fatal(err)
	}
	if after := ruleset(t); after != before {
		t.Error("left behind")
	}
}

// BenchmarkReplace puts 100,000 addresses in force over 100,000 others.
func BenchmarkReplace(b *testing.B) {
	p := started(b, Options{})
	tables := []Table{{Blocks: blocks("11.0.0.0", 100_000, time.Hour)}, {Blocks: blocks("12.0.0.0", 100_000, time.Hour)}}
	i := 0
	for b.Loop() {
		if err := p.Replace(b.Context(), tables[i%2]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkBlock measures from the ask to the moment from which packets are
// dropped, with a thousand and with a hundred thousand blocks in force, and
// checks for each that the next packet is.
func BenchmarkBlock(b *testing.B) {
	for _, there := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("over=%d", there), func(b *testing.B) {
			p := started(b, Options{Setup: ipc.FirewallSetup{Loopback: true, Private: true, PerSecond: 1_000_000}})
			if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
				b.Fatal(string(out))
			}
			server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				b.Fatal(err)
			}
			defer server.Close()
			marker, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}, server.LocalAddr().(*net.UDPAddr))
			if err != nil {
				b.Fatal(err)
			}
			defer marker.Close()
			if err := p.Replace(b.Context(), Table{Blocks: blocks("11.0.0.0", there, time.Hour)}); err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			addr := netip.MustParseAddr("127.9.0.1")
			for b.Loop() {
				b.StopTimer()
				c, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)), server.LocalAddr().(*net.UDPAddr))
				if err != nil {
					b.Fatal(err)
				}
				e := Entry{netip.PrefixFrom(addr, 32), time.Now().Add(time.Hour)}
				addr = addr.Next()
				b.StartTimer()
				began := time.Now()
				if err := p.Block(b.Context(), e); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
				b.StopTimer()
				_, _ = c.Write([]byte("dropped")) // refused at once: our own output chain knows it, too
				if _, err := marker.Write([]byte("marker")); err != nil {
					b.Fatal(err)
				}
				buf := make([]byte, 16)
				n, err := server.Read(buf)
				if err != nil || string(buf[:n]) != "marker" {
					b.Fatalf("a packet of what is blocked came through: %q, %v", buf[:n], err)
				}
				c.Close()
				b.StartTimer()
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
