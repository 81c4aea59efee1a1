package netx

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func home() ([]Local, error) {
	return []Local{
		{netip.MustParseAddr("127.0.0.1"), "an address of this host"},
		{netip.MustParseAddr("203.0.113.10"), "an address of this host"},
		{netip.MustParseAddr("203.0.113.1"), "the default gateway"},
		{netip.MustParseAddr("2001:db8::53"), "a DNS server"},
	}, nil
}

func TestJudge(t *testing.T) {
	strict := &Judge{Local: home, Allow: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/25"), netip.MustParsePrefix("2001:db8:1::/64")}}
	strict.Admins = func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.77"), netip.MustParseAddr("2001:db8:9::7%eth0")}
	}
	trial := *strict
	trial.Private, trial.Loopback = true, true
	for _, c := range []struct {
		target        string
		strict, trial string // part of the reason, "" when it may be blocked
	}{
		{"203.0.113.7", "", ""},
		{"::ffff:203.0.113.7", "", ""},
		{"2001:db8:2::7", "", ""},
		{"203.0.114.0/24", "", ""},
		{"198.51.100.3", "allowlist", "allowlist"},
		{"198.51.100.0/24", "allowlist", "allowlist"},
		{"2001:db8:1::9", "allowlist", "allowlist"},
		{"203.0.113.10", "this host", "this host"},
		{"203.0.113.1", "gateway", "gateway"},
		{"203.0.113.0/24", "this host", "this host"},
		{"2001:db8::53", "DNS", "DNS"},
		{"127.0.0.1", "loopback", ""},
		{"127.8.8.8", "loopback", ""},
		{"::1", "loopback", ""},
		{"::ffff:127.0.0.1", "loopback", ""},
		{"10.1.2.3", "private", ""},
		{"192.168.0.9", "private", ""},
		{"172.31.0.1", "private", ""},
		{"100.64.0.1", "private", ""},
		{"fd00::1", "private", ""},
		{"fe80::1%eth0", "private", ""},
		{"0.0.0.0", "no host", "no host"},
		{"224.0.0.1", "multicast", "multicast"},
		{"255.255.255.255", "reserved", "reserved"},
		{"ff02::1", "multicast", "multicast"},
		{"::", "no host", "no host"},
		{"203.0.112.0/23", "wider", "wider"},
		{"2001:db8:2::/47", "wider", "wider"},
		{"0.0.0.0/0", "wider", "wider"},
		{"192.0.2.77", "administrator", "administrator"},
		{"192.0.2.0/24", "administrator", "administrator"},
		{"2001:db8:9::/48", "administrator", "administrator"},
	} {
		p, err := ParseTarget(c.target)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			j    *Judge
			want string
		}{{strict, c.strict}, {&trial, c.trial}} {
			if got := x.j.Refuse(p); !strings.Contains(got, x.want) || (got == "") != (x.want == "") {
				t.Errorf("%s: refused for %q, want %q", c.target, got, x.want)
			}
		}
	}
	if why := strict.Refuse(netip.Prefix{}); why == "" {
		t.Error("no address may be blocked")
	}
}

func TestJudgeFailsClosed(t *testing.T) {
	j := Judge{Local: func() ([]Local, error) { return nil, errors.New("no /proc") }}
	if why := j.Refuse(netip.MustParsePrefix("203.0.113.7/32")); why == "" {
		t.Error("blocks without knowing the host's own addresses")
	}
}

// A prefix in the mapped form of IPv6 is judged as what it means.
func TestMapped(t *testing.T) {
	j := Judge{Local: home}
	for _, c := range []struct{ prefix, why string }{
		{"::ffff:203.0.113.0/120", "this host"},
		{"::ffff:203.0.113.10/128", "this host"},
		{"::ffff:0:0/96", "wider"},
		{"::ffff:0:0/95", "no address"},
	} {
		if why := j.Refuse(netip.MustParsePrefix(c.prefix)); !strings.Contains(why, c.why) || why == "" {
			t.Errorf("%s: %q, want %q", c.prefix, why, c.why)
		}
	}
}

func TestAllowed(t *testing.T) {
	j := Judge{Local: home, Allow: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/25")}}
	for _, c := range []struct {
		prefix string
		want   bool
	}{{"198.51.100.7/32", true}, {"198.51.100.0/24", true}, {"198.51.100.128/25", false}, {"198.51.100.0/25", true}} {
		if _, got := j.Allowed(netip.MustParsePrefix(c.prefix)); got != c.want {
			t.Errorf("%s: %v", c.prefix, got)
		}
	}
}

func TestRefuseAll(t *testing.T) {
	asked := 0
	j := Judge{Local: func() ([]Local, error) { asked++; return home() }}
	var bad []int
	j.RefuseAll([]netip.Prefix{Single(netip.MustParseAddr("203.0.113.10")), Single(netip.MustParseAddr("198.51.100.1")), {}}, func(i int, _ string) { bad = append(bad, i) })
	if asked != 1 || !slices.Equal(bad, []int{0, 2}) {
		t.Errorf("asked %d times, refused %v", asked, bad)
	}
}

func TestSurroundings(t *testing.T) {
	route := "Iface\tDestination\tGateway \tFlags\neth0\t00000000\t0100A8C0\t0003\neth0\t0000A8C0\t00000000\t0001\n"
	if got := gateways4([]byte(route)); !slices.Equal(got, []netip.Addr{netip.MustParseAddr("192.168.0.1")}) {
		t.Errorf("gateways: %v", got)
	}
	zero := strings.Repeat("0", 32)
	route = zero + " 00 " + zero + " 00 fe800000000000000000000000000001 00000400\n" + zero + " 00 " + zero + " 00 " + zero + " x\n"
	if got := gateways6([]byte(route)); !slices.Equal(got, []netip.Addr{netip.MustParseAddr("fe80::1")}) {
		t.Errorf("gateways: %v", got)
	}
	if got := Nameservers([]byte("# x\nnameserver 9.9.9.9\nsearch a\nnameserver fe80::1%eth0\nnameserver bad\n")); len(got) != 2 {
		t.Errorf("nameservers: %v", got)
	}
	if got, err := System(); err != nil || len(got) == 0 {
		t.Errorf("this system: %v, %v", got, err)
	}
}

func FuzzSurroundings(f *testing.F) {
	f.Add([]byte("eth0 00000000 0100A8C0\nnameserver 1.2.3.4"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		gateways4(b)
		gateways6(b)
		Nameservers(b)
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"203.0.113.7", "::ffff:1.2.3.4/120", "fe80::1%x", "1.2.3.4/33", "::/0"} {
		f.Add(s)
	}
	j := &Judge{Local: home}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseTarget(s)
		if err != nil {
			return
		}
		again, err := ParseTarget(Canonical(p))
		if err != nil || again != p {
			t.Fatalf("%q is %v, then %v, %v", s, p, again, err)
		}
		if p.Addr().IsLoopback() && j.Refuse(p) == "" {
			t.Fatalf("%q would be blocked", s)
		}
	})
}
