package warden

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
)

func TestAddressInUse(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			var addr string
			if network == "tcp" {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				addr = l.Addr().String()
			} else {
				c, err := net.ListenPacket("udp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				addr = c.LocalAddr().String()
			}
			_, err := New(t.Context(), Options{
				Name: "p", Append: (&bench{}).append,
				Setup: ipc.Setup{Sensors: []ipc.SensorSetup{
					{Name: "fine", Network: network, Addr: "127.0.0.1:0"},
					{Name: "front", Network: network, Addr: addr},
					{Name: "far", Network: network, Addr: "192.0.2.1:1"},
				}},
			})
			if err == nil {
				t.Fatal("two listeners on one address")
			}
			_, port, _ := net.SplitHostPort(addr)
			for _, want := range []string{
				port, "sensors.front.listen", fmt.Sprintf("(pid %d)", os.Getpid()), "warden.test", "sensors.far.listen",
			} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
				t.Errorf("code %s", honeyguide.ErrorCode(err))
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"nothing":    {},
		"no network": {Name: "p", Append: (&bench{}).append, Setup: ipc.Setup{Sensors: []ipc.SensorSetup{{Name: "a", Network: "unix", Addr: "/x"}}}},
	} {
		if _, err := New(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestJudge(t *testing.T) {
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	w := &Warden{opts: Options{Name: "p", Setup: ipc.Setup{Sensors: []ipc.SensorSetup{{Name: "web", Kind: "http"}}}}}
	good := honeyguide.Event{Sensor: "web", Activity: honeyguide.ActivityRequest, Session: "abc-1", Time: now}
	with := func(change func(*honeyguide.Event)) honeyguide.Event {
		e := good
		change(&e)
		return e
	}
	for name, e := range map[string]honeyguide.Event{
		"another's sensor":  with(func(e *honeyguide.Event) { e.Sensor = "ssh" }),
		"the core's":        with(func(e *honeyguide.Event) { e.Activity = honeyguide.ActivityFinding }),
		"no activity":       with(func(e *honeyguide.Event) { e.Activity = "" }),
		"activity as text":  with(func(e *honeyguide.Event) { e.Activity = "a b\n" }),
		"session as path":   with(func(e *honeyguide.Event) { e.Session = "../x" }),
		"session too long":  with(func(e *honeyguide.Event) { e.Session = strings.Repeat("x", 65) }),
		"hidden session":    with(func(e *honeyguide.Event) { e.Session = ".x" }),
		"severity":          with(func(e *honeyguide.Event) { e.Severity = 6 }),
		"name of attribute": with(func(e *honeyguide.Event) { e.Attrs = map[string]any{"a\nb": 1} }),
	} {
		if err := w.judge(&e, now); err == nil {
			t.Errorf("%s: let through", name)
		}
	}
	for _, tt := range []struct{ at, want time.Time }{
		{now, now},
		{now.Add(-time.Minute), now.Add(-time.Minute)},
		{now.Add(-2 * time.Hour), now},
		{now.Add(time.Minute), now},
		{time.Time{}, now},
	} {
		e := with(func(e *honeyguide.Event) { e.Time = tt.at })
		if err := w.judge(&e, now); err != nil || !e.Time.Equal(tt.want) || !e.Observed.Equal(now) {
			t.Errorf("%v: time %v, observed %v, %v", tt.at, e.Time, e.Observed, err)
		}
	}
	long := with(func(e *honeyguide.Event) {
		e.ID, e.Service = "x", "ssh"
		e.Raw = make([]byte, maxRaw+1)
		e.Attrs = map[string]any{honeyguide.AttrBody: strings.Repeat("é", maxText)}
		e.Observables = []honeyguide.Observable{{Name: strings.Repeat("n", 100), Value: strings.Repeat("v", maxValue+1)}}
		e.Src = honeyguide.Endpoint{Addr: netip.MustParseAddrPort("192.0.2.1:5"), ASN: 7}
	})
	if err := w.judge(&long, now); err != nil {
		t.Fatal(err)
	}
	if len(long.Raw) != maxRaw || len(long.Str(honeyguide.AttrBody)) != maxText || long.Attrs[ipc.AttrTruncated] != true ||
		len(long.Observables[0].Name) != maxWord || len(long.Observables[0].Value) != maxValue {
		t.Error("not cut to the bounds")
	}
	if long.ID == "x" || long.Service != "http" || long.Src.ASN != 0 || !long.Src.Addr.IsValid() {
		t.Errorf("believed: %+v", long.Src)
	}
	a, b := good, good
	w.judge(&a, now)
	w.judge(&b, now)
	if a.ID == b.ID {
		t.Error("two events with one id")
	}
}

func TestSources(t *testing.T) {
	now := time.Unix(1000, 0)
	var s sources
	count := func(from func(i int) netip.Addr, n int) (let int) {
		for i := range n {
			if s.allow(from(i), now) {
				let++
			}
		}
		return let
	}
	v4 := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}) }
	v6 := func(i int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
	}
	if n := count(v4, 200); n != sourceBurst {
		t.Errorf("%d datagrams of one /24, want %d", n, sourceBurst)
	}
	if n := count(func(i int) netip.Addr { return netip.AddrFrom16(v4(i).As16()) }, 10); n != 0 {
		t.Errorf("mapped addresses are another network: %d", n)
	}
	if n := count(v6, 200); n != sourceBurst {
		t.Errorf("%d datagrams of one /64, want %d", n, sourceBurst)
	}
	now = now.Add(time.Second)
	if n := count(v4, 200); n != sourceRate {
		t.Errorf("%d a second later, want %d", n, sourceRate)
	}
	// Many networks: what all share bounds them, and what is remembered is bounded.
	spread := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}) }
	now = now.Add(time.Hour)
	if n := count(spread, 20000); n != totalBurst {
		t.Errorf("%d of many networks, want %d", n, totalBurst)
	}
	if len(s.young)+len(s.old) > maxSources {
		t.Errorf("%d networks remembered", len(s.young)+len(s.old))
	}
}

func TestRelayClaims(t *testing.T) {
	now := time.Unix(1000, 0)
	r := newRelay(nil, func() time.Time { return now }, counters{})
	from := netip.MustParseAddrPort("[::ffff:192.0.2.9]:123")
	ask := func(data string) uint64 {
		p, ok := r.admit(3, from, []byte(data))
		if !ok {
			t.Fatal("not admitted")
		}
		if p.From != netip.MustParseAddrPort("192.0.2.9:123") || p.Sensor != 3 || string(p.Data) != data {
			t.Errorf("packet %+v", p)
		}
		return p.ID
	}
	first := ask("1234")
	if req, ok := r.claim(ipc.PacketReply{ID: first, Data: []byte("1234")}); !ok || req.from != from {
		t.Errorf("fair answer refused: %+v", req)
	}
	for name, m := range map[string]ipc.PacketReply{
		"second":  {ID: first, Data: []byte("1")},
		"longer":  {ID: ask("1234"), Data: []byte("12345")},
		"unasked": {ID: 99, Data: []byte("1")},
		"zero":    {},
		"huge id": {ID: 1<<64 - 1},
	} {
		if _, ok := r.claim(m); ok {
			t.Errorf("%s answer is let through", name)
		}
	}
	late := ask("1234")
	now = now.Add(replyWithin + 1)
	if _, ok := r.claim(ipc.PacketReply{ID: late}); ok {
		t.Error("late answer is let through")
	}
	// More requests than are remembered: the oldest can no longer be answered.
	old := ask("x")
	for range pendingPackets {
		now = now.Add(time.Second)
		ask("x")
	}
	if _, ok := r.claim(ipc.PacketReply{ID: old}); ok {
		t.Error("forgotten request is answered")
	}
}

func TestWords(t *testing.T) {
	for s, want := range map[string]bool{
		"abc-1_2.Z": true, "": false, ".x": false, "a/b": false, "a b": false, "ä": false, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
	} {
		if word(s) != want {
			t.Errorf("word(%q) = %v", s, !want)
		}
	}
	got := []string{shorten("abc", 3), shorten("abcd", 3), shorten("aé", 2), shorten("\xff\xff\xff\xff\xff\xff", 3)}
	if want := []string{"abc", "abc", "a", "\xff\xff\xff"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzJudge: no event of a process makes the core panic or keep what is out of bounds.
func FuzzJudge(f *testing.F) {
	f.Add("web", "request", "s", "name", "text", []byte("raw"), uint8(3))
	f.Add("web", "violation", "../s", "na\nme", strings.Repeat("x", 70000), make([]byte, 70000), uint8(9))
	w := &Warden{opts: Options{Name: "p", Setup: ipc.Setup{Sensors: []ipc.SensorSetup{{Name: "web", Kind: "http"}}}}}
	f.Fuzz(func(t *testing.T, sensor, activity, session, name, text string, raw []byte, severity uint8) {
		e := honeyguide.Event{
			Sensor: sensor, Activity: activity, Session: session, Raw: raw, Severity: honeyguide.Severity(severity),
			Attrs: map[string]any{name: text}, Observables: []honeyguide.Observable{{Value: text}}, Attacks: []honeyguide.Technique{{Why: text}},
		}
		if w.judge(&e, time.Unix(1, 0)) != nil {
			return
		}
		if sensor != "web" || activity == honeyguide.ActivityViolation || len(e.Raw) > maxRaw || len(e.Str(name)) > maxText || strings.ContainsAny(session, "/\n") {
			t.Errorf("believed: %+v", e)
		}
	})
}

func TestExplainNamesTheKey(t *testing.T) {
	err := explain(errors.New("odd"), "tcp", ":1", "sensors.x.listen")
	if !strings.Contains(err.Error(), "sensors.x.listen") || honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}
