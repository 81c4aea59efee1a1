package fetcher

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/ipc"
)

// TestInside checks what a host that the settings name may be, and that others
// gain nothing by it.
func TestInside(t *testing.T) {
	port, reached := sink(t)
	private := map[string]string{"op.corp": "127.0.0.1", "op2.corp": "127.0.0.1", "meta.corp": "169.254.169.254", "mapped.corp": "::ffff:127.0.0.1"}
	dns := nameServer(t, func(name string, _ int) []netip.Addr {
		return []netip.Addr{netip.MustParseAddr(private[strings.TrimSuffix(name, ".")])}
	})
	own := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("8.8.4.4")}
	w := surf(t, ipc.FetchSetup{Ports: []uint16{port}, Resolvers: []netip.AddrPort{dns}, Own: own, Inside: []string{"op.corp", "meta.corp", "127.0.0.1", "10.1.2.3", "169.254.169.254", "localhost"}, Hosts: map[string][]netip.Addr{"localhost": own[:1]}}, nil)
	for _, c := range []struct {
		host, why string
		secret    bool
	}{
		{"op.corp", "", false},
		{"OP.corp.", "", false},
		{"127.0.0.1", "", false},
		{"127.0.0.1", "", true},
		{"localhost", "", false},
		{"op.corp", "in the clear", true},
		{"op2.corp", "own address", false},
		{"meta.corp", "not public", false},
		{"169.254.169.254", "not public", false},
		{"127.0.0.2", "not public", false},
		{"10.1.2.4", "not public", false},
		{"[::ffff:127.0.0.1]", "clothes of IPv6", false},
		{"8.8.4.4", "own address", false},
		{"x.localhost", "this host", false},
	} {
		header := map[string]string{}
		if c.secret {
			header["Authorization"] = "Basic x"
		}
		_, _, err := get(t, w, ipc.Fetch{URL: fmt.Sprintf("http://%s:%d/", c.host, port), Header: header, Timeout: 2 * time.Second})
		if refused := errors.Is(err, ErrRefused); refused != (c.why != "") || refused && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", c.host, err, c.why)
		}
	}
	if n := reached.Load(); n == 0 {
		t.Error("nothing was reached")
	}
}

// TestStay checks that a redirect is the answer to who asks for that.
func TestStay(t *testing.T) {
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		if r.URL.Path == "/a" {
			http.Redirect(w, r, "/b", http.StatusTemporaryRedirect)
		}
	}))
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	w := surf(t, ipc.FetchSetup{Ports: []uint16{at.Port()}, Allow: []netip.Prefix{loopback}}, nil)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for stay, want := range map[bool]int{true: 307, false: 200} {
			got, _, err := get(t, w, ipc.Fetch{Method: method, URL: srv.URL + "/a", Stay: stay})
			if err != nil || got.Status != want {
				t.Errorf("%s, stay %v: %d, %v", method, stay, got.Status, err)
			}
		}
	}
	if len(asked) != 6 {
		t.Errorf("asked: %v", asked)
	}
}
