package fwhelper

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// For every address, the runs say what the longest network around it says, and
// they never overlap.
func TestSegments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	base := netip.MustParseAddr("203.0.113.0").As4()
	for round := range 500 {
		var list []span
		for range rng.IntN(12) {
			raw := base
			raw[3] = byte(rng.IntN(256))
			p := netip.PrefixFrom(netip.AddrFrom4(raw), 24+rng.IntN(9)).Masked()
			if !slices.ContainsFunc(list, func(s span) bool { return s.prefix == p }) {
				list = append(list, span{p, time.Duration(1 + rng.IntN(4))})
			}
		}
		want := map[netip.Addr]time.Duration{}
		for _, s := range list {
			for a := s.prefix.Addr(); s.prefix.Contains(a); a = a.Next() {
				want[a] = max(want[a], s.end)
			}
		}
		got, last := map[netip.Addr]time.Duration{}, netip.Addr{}
		for _, s := range segments(slices.Clone(list)) {
			if last.IsValid() && !last.Less(s.first) || s.last.Less(s.first) {
				t.Fatalf("round %d: %v overlaps or is empty", round, s)
			}
			for a := s.first; !s.last.Less(a); a = a.Next() {
				got[a] = s.end
			}
			last = s.last
		}
		if len(got) != len(want) {
			t.Fatalf("round %d: %d addresses, want %d, of %v", round, len(got), len(want), list)
		}
		for a, end := range want {
			if got[a] != end {
				t.Fatalf("round %d: %v until %v, want %v, of %v", round, a, got[a], end, list)
			}
		}
	}
}

// attr writes an attribute of netlink.
func attr(kind uint16, value []byte) []byte {
	b := make([]byte, 4, 4+len(value)+3)
	binary.NativeEndian.PutUint16(b, uint16(4+len(value)))
	binary.NativeEndian.PutUint16(b[2:], kind)
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func TestGateways(t *testing.T) {
	head := make([]byte, unix.SizeofRtMsg)
	half, host := slices.Clone(head), slices.Clone(head)
	half[1], host[1] = 1, 32
	a4, a6 := []byte{192, 0, 2, 1}, netip.MustParseAddr("fe80::1").AsSlice()
	hop := func(via []byte) []byte {
		b := append(make([]byte, unix.SizeofRtNexthop), via...)
		binary.NativeEndian.PutUint16(b, uint16(len(b)))
		return b
	}
	for _, c := range []struct {
		name string
		data []byte
		want []string
	}{
		{"one", join(head, attr(unix.RTA_GATEWAY, a4)), []string{"192.0.2.1"}},
		{"half of everywhere", join(half, attr(unix.RTA_GATEWAY, a4)), []string{"192.0.2.1"}},
		{"to one host", join(host, attr(unix.RTA_GATEWAY, a4)), nil},
		{"by IPv6", join(head, attr(unix.RTA_VIA, join([]byte{10, 0}, a6))), []string{"fe80::1"}},
		{"several", join(head, attr(unix.RTA_MULTIPATH, join(hop(attr(unix.RTA_GATEWAY, a4)), hop(attr(unix.RTA_GATEWAY, a6))))), []string{"192.0.2.1", "fe80::1"}},
		{"on the link", head, nil},
		{"cut", head[:5], nil},
	} {
		var got []string
		for _, a := range gateways(c.data) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := ownAddresses(join(make([]byte, unix.SizeofIfAddrmsg), attr(unix.IFA_LOCAL, a4), attr(unix.IFA_ADDRESS, []byte{192, 0, 2, 9}))); len(got) != 2 {
		t.Errorf("own: %v", got)
	}
}

// The real kernel says the same as the library that asks it for addresses.
func TestSurroundings(t *testing.T) {
	list, err := surroundings([]netip.Addr{netip.MustParseAddr("192.0.2.53")})()
	if err != nil || len(list) == 0 || list[len(list)-1].What != "a DNS server" {
		t.Errorf("%v, %v", list, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(join(make([]byte, unix.SizeofRtMsg), attr(unix.RTA_GATEWAY, []byte{192, 0, 2, 1}), attr(unix.RTA_MULTIPATH, make([]byte, 16))))
	key := attr(unix.NFTA_SET_ELEM_KEY|unix.NLA_F_NESTED, attr(unix.NFTA_DATA_VALUE, []byte{192, 0, 2, 1}))
	f.Add(join(make([]byte, headerLength), attr(unix.NFTA_SET_ELEM_LIST_ELEMENTS|unix.NLA_F_NESTED, attr(unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, key))))
	f.Fuzz(func(t *testing.T, b []byte) {
		gateways(b)
		ownAddresses(b)
		if e, ok, err := parseElement(b); err == nil && ok && (e.left < 0 || e.left > MaxTTL) {
			t.Fatalf("%+v", e)
		}
	})
}
