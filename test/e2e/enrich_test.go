package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/test/rig"
)

// TestFeedFromTheNetwork fetches a list with the caged process, matches an alert
// of another product with it, and is refused what is not its to ask.
func TestFeedFromTheNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/list.txt" {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
			return
		}
		fmt.Fprintln(w, "198.51.100.0/24 ; SBL7")
	}))
	defer srv.Close()
	inside, reached := secretService(t)
	port := netip.MustParseAddrPort(srv.Listener.Addr().String()).Port()
	data := t.TempDir()
	c := rig.Start(t, data, "fetch.allow=127.0.0.1/32", fmt.Sprintf("fetch.ports=%d,80,%d", port, inside.Port()),
		"enrich.feeds.lists.good.url="+srv.URL+"/list.txt", "enrich.feeds.lists.good.verdict=malicious",
		"enrich.feeds.lists.away.url="+srv.URL+"/away.txt", fmt.Sprintf("enrich.feeds.lists.inside.url=http://%s/", inside))
	state := func(name string) (s enrich.Status) {
		list, err := rig.List[enrich.Status](c, "/api/v1/enrichers")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.Name == name {
				s = x
			}
		}
		return s
	}
	rig.Eventually(t, 30*time.Second, "the list is fetched", func() bool { return state("feed:good").State == enrich.StateOK })
	rig.Eventually(t, 30*time.Second, "the others are refused", func() bool {
		return state("feed:away").State == enrich.StateFailed && state("feed:inside").State == enrich.StateFailed
	})
	for _, name := range []string{"feed:away", "feed:inside"} {
		if s := state(name); !strings.Contains(s.Detail, "not public") {
			t.Errorf("%s: %q, want that it is not public", name, s.Detail)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("a service inside was reached %d times", n)
	}
	if code, body, err := c.Post("/api/v1/ingest?format=suricata&wait=true", "application/x-ndjson", strings.NewReader(suricataAlert+"\n")); err != nil || code != 200 {
		t.Fatalf("%d %s %v", code, body, err)
	}
	var a honeyguide.Attacker
	rig.Eventually(t, 20*time.Second, "the attacker", func() bool { return c.Get("/api/v1/attackers/198.51.100.7", &a) == nil })
	if len(a.Enrichments) != 1 || a.Enrichments[0].Provider != "feed:good" || a.Enrichments[0].Match != "198.51.100.0/24" || a.Enrichments[0].Text != "SBL7" {
		t.Errorf("%+v", a)
	}
	// A restart finds the list on the disk and does not ask for it again.
	c.Stop()
	before := asked.Load()
	out, errs, status := rig.CLI(t, data, strings.NewReader(suricataAlert+"\n"), "--set", "enrich.feeds.lists.good.url="+srv.URL+"/list.txt", "feeds", "list", "-o", "table")
	if status != 0 || !strings.Contains(out, "feed:good  ok") || asked.Load() != before {
		t.Errorf("at rest: %d %s %s, asked %d times more", status, out, errs, asked.Load()-before)
	}
}

// secretService listens on a loopback address that is not in fetch.allow.
func secretService(t *testing.T) (netip.AddrPort, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n := new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			c.Close()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String()), n
}
