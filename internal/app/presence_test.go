package app

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestPresence(t *testing.T) {
	var p presence
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	p.sawAt(two, now)
	p.sawAt(one, now.Add(time.Minute))
	if got := p.now(now.Add(presentFor)); !slices.Equal(got, []netip.Addr{one, two}) {
		t.Errorf("got %v", got)
	}
	if got := p.now(now.Add(presentFor + time.Second)); !slices.Equal(got, []netip.Addr{one}) {
		t.Errorf("later: %v", got)
	}
	for addr, i := netip.MustParseAddr("10.0.0.1"), 0; i < 2*mostPresent; addr, i = addr.Next(), i+1 {
		p.sawAt(addr, now.Add(2*time.Minute))
	}
	if got := p.now(now.Add(2 * time.Minute)); len(got) != mostPresent || slices.Contains(got, one) {
		t.Errorf("%d are remembered", len(got))
	}
}
