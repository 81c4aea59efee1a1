package fwhelper

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/netx"
)

// pretence is a kernel without one: what it holds and how it was told.
type pretence struct {
	there  bool
	single map[netip.Addr]time.Duration
	nets   []item
	routes []reroute
	fail   error
	most   int
	calls  []string
}

func newPretence() *pretence { return &pretence{single: map[netip.Addr]time.Duration{}, most: 1000} }

func (m *pretence) say(what string) error {
	m.calls = append(m.calls, what)
	return m.fail
}

func (m *pretence) present() (bool, error) { return m.there, m.fail }
func (m *pretence) capacity() int          { return m.most }
func (m *pretence) drop() error {
	if err := m.say("drop"); err != nil {
		return err
	}
	m.there, m.nets, m.routes = false, nil, nil
	clear(m.single)
	return nil
}

func (m *pretence) replace(s *state) error {
	if err := m.say("replace"); err != nil {
		return err
	}
	m.there, m.nets, m.routes = !s.empty(), s.nets, s.redirects
	clear(m.single)
	for _, i := range s.singles {
		m.single[i.first] = i.left
	}
	return nil
}

func (m *pretence) apply(c *change) error {
	if err := m.say("apply"); err != nil {
		return err
	}
	if !m.there {
		return fmt.Errorf("x: %w", errGone)
	}
	for _, i := range c.add {
		if _, there := m.single[i.first]; there {
			return errors.New("added although it is there")
		}
		m.single[i.first] = i.left
	}
	for _, i := range c.move {
		m.single[i.first] = i.left
	}
	for _, a := range c.remove {
		delete(m.single, a)
	}
	if c.nets != nil {
		m.nets = *c.nets
	}
	if c.redirects != nil {
		m.routes = *c.redirects
	}
	return nil
}

func (m *pretence) get(a netip.Addr, net bool) (found, bool, error) {
	if !net {
		left, ok := m.single[a]
		return found{left: left, packets: 1}, ok, m.fail
	}
	for _, i := range m.nets {
		if !a.Less(i.first) && !i.last.Less(a) {
			return found{left: i.left, packets: 1}, true, m.fail
		}
	}
	return found{}, false, m.fail
}

func (m *pretence) getRedirect(*reroute) (found, bool, error) { return found{}, false, m.fail }
func (m *pretence) intact(bool) (bool, error)                 { return true, m.fail }

// clock is a wall clock with hands.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func testDesk(setup ipc.FirewallSetup) (*desk, *pretence, *clock) {
	m, c := newPretence(), &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	d := newDesk(m, setup, func() ([]netx.Local, error) {
		return []netx.Local{{Addr: netip.MustParseAddr("203.0.113.10"), What: "an address of this host"}}, nil
	}, c.now)
	d.answer(&ipc.FirewallAsk{Verb: ipc.FirewallReplace})
	m.calls = nil
	return d, m, c
}

func ask(d *desk, verb ipc.FirewallVerb, ttl time.Duration, list ...string) ipc.FirewallAnswer {
	m := ipc.FirewallAsk{Verb: verb}
	for _, s := range list {
		p, err := netx.ParseTarget(s)
		if err != nil {
			panic(err)
		}
		m.Entries = append(m.Entries, ipc.FirewallEntry{Prefix: p, TTL: ttl})
	}
	return d.answer(&m)
}

// Ends move to later only, unless they are set; networks are cut into runs.
func TestDesk(t *testing.T) {
	d, m, c := testDesk(ipc.FirewallSetup{})
	holds := func(what string, want map[string]time.Duration) {
		t.Helper()
		got := map[string]time.Duration{}
		for a, left := range m.single {
			got[a.String()] = left
		}
		for _, i := range m.nets {
			got[i.first.String()+"-"+i.last.String()] = i.left
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	ok := func(a ipc.FirewallAnswer) {
		t.Helper()
		if a.Error != "" || len(a.Refused) > 0 {
			t.Errorf("got %+v", a)
		}
	}
	ok(ask(d, ipc.FirewallBlock, time.Hour, "203.0.113.7", "198.51.100.0/24"))
	holds("two", map[string]time.Duration{"203.0.113.7": time.Hour, "198.51.100.0-198.51.100.255": time.Hour})
	ok(ask(d, ipc.FirewallBlock, time.Minute, "203.0.113.7", "198.51.100.0/24"))
	holds("an earlier end", map[string]time.Duration{"203.0.113.7": time.Hour, "198.51.100.0-198.51.100.255": time.Hour})
	ok(ask(d, ipc.FirewallSet, time.Minute, "203.0.113.7"))
	holds("an exact end", map[string]time.Duration{"203.0.113.7": time.Minute, "198.51.100.0-198.51.100.255": time.Hour})
	ok(ask(d, ipc.FirewallBlock, 2*time.Hour, "203.0.113.7", "198.51.100.64/26"))
	holds("later and inside", map[string]time.Duration{
		"203.0.113.7": 2 * time.Hour, "198.51.100.0-198.51.100.63": time.Hour, "198.51.100.64-198.51.100.127": 2 * time.Hour, "198.51.100.128-198.51.100.255": time.Hour,
	})
	ok(ask(d, ipc.FirewallUnblock, 0, "198.51.100.0/24", "192.0.2.9"))
	holds("the outer one lifted", map[string]time.Duration{"203.0.113.7": 2 * time.Hour, "198.51.100.64-198.51.100.127": 2 * time.Hour})
	for _, x := range []struct {
		prefix string
		found  bool
	}{{"203.0.113.7", true}, {"203.0.113.8", false}, {"198.51.100.64/26", true}, {"198.51.100.65", true}, {"198.51.100.64/27", true}, {"198.51.100.0/24", false}, {"198.51.100.0/25", false}} {
		if a := ask(d, ipc.FirewallHas, 0, x.prefix); a.Found != x.found || a.Error != "" {
			t.Errorf("%s: %+v", x.prefix, a)
		}
	}
	if slices.Contains(m.calls[1:], "replace") {
		t.Errorf("the table was made anew: %v", m.calls)
	}
	m.there = false // somebody deleted it
	ok(ask(d, ipc.FirewallBlock, time.Hour, "203.0.113.8"))
	holds("made anew", map[string]time.Duration{"203.0.113.7": 2 * time.Hour, "203.0.113.8": time.Hour, "198.51.100.64-198.51.100.127": 2 * time.Hour})
	c.t = c.t.Add(2*time.Hour + grace)
	if err := d.sweep(); err != nil || m.there || d.count() != 0 {
		t.Errorf("at the end: %v, %+v", err, m)
	}
	ok(ask(d, ipc.FirewallBlock, time.Hour, "203.0.113.7"))
	ok(ask(d, ipc.FirewallUnblock, 0, "203.0.113.7"))
	if m.there {
		t.Error("an empty table stays")
	}
}

// What is remembered a moment longer than it lasts does not make the kernel take
// it for new, and not keep an empty table.
func TestGrace(t *testing.T) {
	d, m, c := testDesk(ipc.FirewallSetup{})
	ask(d, ipc.FirewallBlock, time.Second, "203.0.113.7")
	c.t = c.t.Add(1500 * time.Millisecond)
	if err := d.sweep(); err != nil || d.count() != 1 {
		t.Errorf("forgotten at once: %v", err)
	}
	if a := ask(d, ipc.FirewallBlock, time.Hour, "203.0.113.7"); a.Error != "" || m.single[netip.MustParseAddr("203.0.113.7")] != time.Hour {
		t.Errorf("blocked again: %+v, %v", a, m.single)
	}
	ask(d, ipc.FirewallSet, time.Second, "203.0.113.7")
	c.t = c.t.Add(1500 * time.Millisecond)
	ask(d, ipc.FirewallBlock, time.Hour, "203.0.113.8")
	if a := ask(d, ipc.FirewallUnblock, 0, "203.0.113.8"); a.Error != "" || m.there {
		t.Errorf("an ended one keeps the table: %+v", a)
	}
}

// When the kernel fails, nothing is remembered that is not so.
func TestDeskFails(t *testing.T) {
	d, m, _ := testDesk(ipc.FirewallSetup{})
	ask(d, ipc.FirewallBlock, time.Hour, "203.0.113.7", "198.51.100.0/24")
	blocks, nets := maps.Clone(d.blocks), maps.Clone(d.nets)
	m.fail = errors.New("no memory")
	for verb := ipc.FirewallBlock; verb <= ipc.FirewallSet; verb++ {
		a := ask(d, verb, 2*time.Hour, "203.0.113.7")
		if verb != ipc.FirewallAdmins && verb != ipc.FirewallRedirectTo && verb != ipc.FirewallUnredirect && !strings.Contains(a.Error, "no memory") {
			t.Errorf("verb %d: %+v", verb, a)
		}
		ask(d, verb, 2*time.Hour, "198.51.100.0/24", "192.0.2.1")
	}
	if !maps.Equal(blocks, d.blocks) || !maps.Equal(nets, d.nets) {
		t.Errorf("remembered: %v %v", d.blocks, d.nets)
	}
	m.fail = nil
	if a := ask(d, 99, 0); a.Error == "" {
		t.Error("a verb that is not there")
	}
	if a := ask(d, ipc.FirewallHas, 0); a.Error == "" {
		t.Error("has of nothing")
	}
}

// The desk counts who asks as hostile.
func TestDeskRefuses(t *testing.T) {
	d, m, c := testDesk(ipc.FirewallSetup{Most: 3, PerSecond: 1, Allow: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/25")}, DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")}})
	refused := func(ttl time.Duration, target, why string) {
		t.Helper()
		for _, verb := range []ipc.FirewallVerb{ipc.FirewallBlock, ipc.FirewallSet, ipc.FirewallReplace} {
			if a := ask(d, verb, ttl, target); len(a.Refused) != 1 || !strings.Contains(a.Refused[0].Reason, why) {
				t.Errorf("%s by %d: %+v, want %q", target, verb, a, why)
			}
		}
	}
	refused(time.Hour, "203.0.113.10", "this host")
	refused(time.Hour, "198.51.100.0/24", "allowlist")
	refused(time.Hour, "192.0.2.53", "allowlist")
	refused(time.Hour, "10.0.0.1", "private")
	refused(time.Hour, "127.0.0.1", "loopback")
	refused(time.Hour, "8.0.0.0/8", "wider")
	refused(0, "203.0.113.7", "no time left")
	refused(MaxTTL+time.Second, "203.0.113.7", "no block lasts longer")
	if m.there || d.denied != 24 {
		t.Errorf("blocked %v, denied %d", m.single, d.denied)
	}
	a := d.answer(&ipc.FirewallAsk{Verb: ipc.FirewallBlock, Entries: []ipc.FirewallEntry{{TTL: time.Hour}, {Prefix: netip.MustParsePrefix("::ffff:203.0.113.10/128"), TTL: time.Hour}}})
	if len(a.Refused) != 2 {
		t.Errorf("in the clothes of IPv6: %+v", a)
	}
	a = ask(d, ipc.FirewallBlock, time.Hour, "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
	if len(a.Refused) != 1 || !strings.Contains(a.Refused[0].Reason, "one too many") || len(m.single) != 3 {
		t.Errorf("too many: %+v", a)
	}
	if a = ask(d, ipc.FirewallReplace, time.Hour, "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"); len(a.Refused) != 2 || len(m.single) != 3 {
		t.Errorf("too many at once: %+v", a)
	}
	for range burst {
		ask(d, ipc.FirewallBlock, time.Hour, "192.0.2.1")
	}
	if a = ask(d, ipc.FirewallBlock, 2*time.Hour, "192.0.2.1"); len(a.Refused) != 1 || !strings.Contains(a.Refused[0].Reason, "too fast") {
		t.Errorf("too fast: %+v", a)
	}
	c.t = c.t.Add(time.Second)
	if a = ask(d, ipc.FirewallBlock, 2*time.Hour, "192.0.2.1"); len(a.Refused) != 0 {
		t.Errorf("a second later: %+v", a)
	}
}

// Before it was said what is to be in force nothing is changed piecemeal.
func TestUnknown(t *testing.T) {
	d := newDesk(newPretence(), ipc.FirewallSetup{}, func() ([]netx.Local, error) { return nil, nil }, time.Now)
	if a := ask(d, ipc.FirewallBlock, time.Hour, "203.0.113.7"); a.Error == "" {
		t.Errorf("%+v", a)
	}
	if a := ask(d, ipc.FirewallHealth, 0); a.Error != "" || a.Health.Intact {
		t.Errorf("%+v", a.Health)
	}
}

// Who logs in as an administrator is not blocked any more, and cannot be while
// logged in.
func TestAdmins(t *testing.T) {
	d, m, _ := testDesk(ipc.FirewallSetup{})
	ask(d, ipc.FirewallBlock, time.Hour, "192.0.2.7", "192.0.2.8", "198.51.100.0/24")
	a := ask(d, ipc.FirewallAdmins, 0, "192.0.2.7", "198.51.100.9")
	if len(a.Lifted) != 2 || len(m.single) != 1 || len(m.nets) != 0 {
		t.Errorf("lifted %v, holds %v %v", a.Lifted, m.single, m.nets)
	}
	if a = ask(d, ipc.FirewallBlock, time.Hour, "198.51.100.0/24"); len(a.Refused) != 1 {
		t.Errorf("%+v", a)
	}
	ask(d, ipc.FirewallAdmins, 0)
	if a = ask(d, ipc.FirewallBlock, time.Hour, "198.51.100.0/24"); len(a.Refused) != 0 {
		t.Errorf("%+v", a)
	}
	var many ipc.FirewallAsk
	many.Verb = ipc.FirewallAdmins
	for range maxAdmins + 1 {
		many.Entries = append(many.Entries, ipc.FirewallEntry{Prefix: netip.MustParsePrefix("192.0.2.7/32")})
	}
	if a = d.answer(&many); a.Error == "" {
		t.Error("no bound on administrators")
	}
}
