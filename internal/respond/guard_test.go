package respond

import (
	"net/netip"
	"strings"
	"testing"
)

// The guard judges by what the configuration says and by who is logged in now.
func TestGuard(t *testing.T) {
	cfg := Defaults()
	cfg.Allow = []string{"198.51.100.0/25"}
	g, err := NewGuard(cfg, func() ([]Local, error) {
		return []Local{{Addr: netip.MustParseAddr("203.0.113.10"), What: "an address of this host"}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	refused := func(target, want string) {
		t.Helper()
		if got := g.Refuse(netip.MustParsePrefix(target)); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: refused for %q, want %q", target, got, want)
		}
	}
	refused("198.51.100.3/32", "allowlist")
	refused("203.0.113.0/24", "this host")
	refused("127.0.0.1/32", "loopback")
	refused("10.0.0.1/32", "private")
	refused("192.0.2.7/32", "")
	admins := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	g.Admins = func() []netip.Addr { return admins }
	refused("192.0.2.7/32", "administrator")
	refused("192.0.2.0/24", "administrator")
	admins = nil
	refused("192.0.2.7/32", "")
	if e, ok := g.Allowed(netip.MustParsePrefix("198.51.100.0/24")); !ok || e.String() != "198.51.100.0/25" {
		t.Errorf("covered by %v, %v", e, ok)
	}
	if _, err := NewGuard(Config{Allow: []string{"nonsense"}}, nil); err == nil || !strings.Contains(err.Error(), "respond.allowlist[0]") {
		t.Errorf("got %v", err)
	}
}
