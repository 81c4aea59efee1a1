package fwhelper

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func openKernel(t testing.TB) *kernel {
	t.Helper()
	realKernel(t)
	k, err := newKernel()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func single(s string, left time.Duration) item {
	a := netip.MustParseAddr(s)
	return item{a, a, left}
}

func network(s string, left time.Duration) item {
	p := netip.MustParsePrefix(s)
	return item{p.Addr(), lastOf(p), left}
}

func TestKernelReplace(t *testing.T) {
	k := openKernel(t)
	before := ruleset(t)
	s := &state{
		singles: []item{single("203.0.113.7", time.Hour), single("2001:db8::7", time.Hour)},
		nets:    []item{network("198.51.100.0/24", time.Hour), network("198.51.101.0/24", 2*time.Hour), network("2001:db8:1::/48", time.Hour)},
		redirects: []reroute{
			{netip.MustParsePrefix("203.0.113.9/32"), true, 22, netip.MustParseAddrPort("0.0.0.0:2222"), time.Hour},
			{netip.MustParsePrefix("203.0.114.0/24"), true, 23, netip.MustParseAddrPort("192.0.2.1:2323"), time.Hour},
			{netip.MustParsePrefix("2001:db8:2::/48"), false, 53, netip.MustParseAddrPort("[::]:5353"), time.Hour},
			{netip.MustParsePrefix("2001:db8:3::/48"), true, 80, netip.MustParseAddrPort("[2001:db8::1]:8080"), time.Hour},
		},
	}
	if err := k.replace(s); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		addr string
		net  bool
		want bool
	}{
		{"203.0.113.7", false, true},
		{"203.0.113.8", false, false},
		{"2001:db8::7", false, true},
		{"198.51.100.9", true, true},
		{"198.51.101.9", true, true},
		{"198.51.102.1", true, false},
		{"2001:db8:1::5", true, true},
		{"2001:db8:2::5", true, false},
	} {
		f, ok, err := k.get(netip.MustParseAddr(c.addr), c.net)
		if err != nil || ok != c.want || ok && f.left < 59*time.Minute {
			t.Errorf("%s: %+v, %v, %v", c.addr, f, ok, err)
		}
	}
	if err := k.apply(&change{move: []item{single("203.0.113.7", 2*time.Hour), single("203.0.113.99", time.Hour)}, remove: []netip.Addr{netip.MustParseAddr("2001:db8::7"), netip.MustParseAddr("2001:db8::9")}}); err != nil {
		t.Fatal(err)
	}
	if f, ok, err := k.get(netip.MustParseAddr("203.0.113.7"), false); !ok || err != nil || f.left < 119*time.Minute {
		t.Errorf("moved: %+v %v %v", f, ok, err)
	}
	if f, ok, err := k.get(netip.MustParseAddr("2001:db8::7"), false); ok || err != nil {
		t.Errorf("removed: %+v %v %v", f, ok, err)
	}
	nets := []item{network("198.51.100.0/25", time.Hour)}
	none := []reroute{}
	if err := k.apply(&change{nets: &nets, redirects: &none}); err != nil {
		t.Fatal(err)
	}
	if out := ruleset(t); strings.Contains(out, "198.51.101") || strings.Contains(out, "reroute") || !strings.Contains(out, "198.51.100.0/25") {
		t.Error(out)
	}
	if err := k.replace(&state{}); err != nil {
		t.Fatal(err)
	}
	if after := ruleset(t); after != before {
		t.Errorf("%q, before %q", after, before)
	}
}
