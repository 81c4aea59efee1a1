package geo

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/enrich/enrichtest"
)

var built = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)

// country and asn are databases as MaxMind and DB-IP make them, flat one as
// IPinfo does.
func country() []byte {
	return (&enrichtest.MMDB{Type: "DBIP-City-Lite", Built: built}).
		Add("203.0.113.0/24", map[string]any{"country": map[string]any{"iso_code": "nl"}, "city": map[string]any{"names": map[string]any{"en": "Delft"}}}).
		Add("2001:db8::/32", map[string]any{"country": map[string]any{"iso_code": "DE"}}).Bytes()
}

func asn() []byte {
	return (&enrichtest.MMDB{Type: "GeoLite2-ASN", Built: built}).
		Add("203.0.113.0/25", map[string]any{"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example Net"}).Bytes()
}

func flat() []byte {
	return (&enrichtest.MMDB{Type: "ipinfo country_asn", Built: built}).
		Add("198.51.100.0/24", map[string]any{"country": "FR", "country_name": "France", "asn": "AS64501", "as_name": "Autre"}).Bytes()
}

func write(t testing.TB, dir, name string, raw []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, Folder), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, Folder, name), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func loaded(t testing.TB, dir string) *geo {
	t.Helper()
	e, err := Kind.Open(t.Context(), nil, enrich.Deps{Dir: dir, Now: func() time.Time { return built.AddDate(0, 0, 60) }})
	if err != nil {
		t.Fatal(err)
	}
	g := e.(*geo)
	g.Load(t.Context())
	return g
}

func event(src string) *honeyguide.Event {
	return &honeyguide.Event{Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(src), 4711)}}
}

func TestFact(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "city.mmdb", country())
	write(t, dir, "net.mmdb", asn())
	write(t, dir, "other.mmdb", flat())
	g := loaded(t, dir)
	for _, c := range []struct {
		src  string
		want honeyguide.Endpoint
		city string
	}{
		{"203.0.113.7", honeyguide.Endpoint{Country: "NL", ASN: 64500, ASOrg: "Example Net"}, "Delft"},
		{"::ffff:203.0.113.7", honeyguide.Endpoint{Country: "NL", ASN: 64500, ASOrg: "Example Net"}, "Delft"},
		{"203.0.113.200", honeyguide.Endpoint{Country: "NL"}, "Delft"},
		{"2001:db8::1", honeyguide.Endpoint{Country: "DE"}, ""},
		{"198.51.100.1", honeyguide.Endpoint{Country: "FR", ASN: 64501, ASOrg: "Autre"}, ""},
		{"192.0.2.1", honeyguide.Endpoint{}, ""},
		{"10.0.0.1", honeyguide.Endpoint{}, ""},
		{"127.0.0.1", honeyguide.Endpoint{}, ""},
	} {
		for range 2 { // the second time from memory
			e := event(c.src)
			g.Fact(e)
			c.want.Addr = e.Src.Addr
			if e.Src != c.want || e.Str(honeyguide.AttrSrcCity) != c.city {
				t.Errorf("%s: %+v, city %q; want %+v, %q", c.src, e.Src, e.Str(honeyguide.AttrSrcCity), c.want, c.city)
			}
		}
	}
	e := event("203.0.113.7")
	e.Src.Country = "XX"
	if g.Fact(e); e.Src.Country != "XX" {
		t.Error("what the source said was written over")
	}
	g.Fact(&honeyguide.Event{}) // no address at all
}

// A file that is damaged, cut or gone leaves what was loaded before; a good one
// takes its place at once.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	g := loaded(t, dir)
	if len(g.Status()) != 0 {
		t.Errorf("without files: %+v", g.Status())
	}
	ask := func() string {
		e := event("203.0.113.7")
		g.Fact(e)
		return e.Src.Country
	}
	step := built
	put := func(raw []byte) {
		t.Helper()
		write(t, dir, "city.mmdb", raw)
		step = step.Add(time.Minute)
		if err := os.Chtimes(filepath.Join(dir, Folder, "city.mmdb"), step, step); err != nil {
			t.Fatal(err)
		}
		g.reload(t.Context())
	}
	put(country())
	if got := ask(); got != "NL" {
		t.Fatalf("after the first load: %q", got)
	}
	for name, bad := range map[string][]byte{"empty": nil, "half": country()[:200], "text": []byte(strings.Repeat("<html>", 100))} {
		put(bad)
		if got := ask(); got != "NL" {
			t.Errorf("%s: %q, want the country of the file before", name, got)
		}
		if st := g.Status(); len(st) != 1 || st[0].State != enrich.StateFailed || st[0].Items == 0 {
			t.Errorf("%s: status %+v", name, st)
		}
	}
	put((&enrichtest.MMDB{Type: "x", Built: built}).Add("203.0.113.0/24", map[string]any{"country_code": "BE"}).Bytes())
	if got := ask(); got != "BE" {
		t.Errorf("after a good file: %q", got)
	}
	if st := g.Status(); st[0].State != enrich.StateStale || !st[0].AsOf.Equal(built) { // 60 days by the clock of the test
		t.Errorf("status %+v", st)
	}
}

func TestCheck(t *testing.T) {
	g := loaded(t, t.TempDir())
	if kind, at, err := g.Check(asn()); err != nil || kind != "GeoLite2-ASN" || !at.Equal(built) {
		t.Errorf("%q %v %v", kind, at, err)
	}
	damaged := asn()
	damaged[len(damaged)/3] ^= 0xff
	if _, _, err := g.Check(damaged); err == nil {
		t.Error("a damaged database passes")
	}
}

// Whatever a database holds, a lookup ends without a panic.
func FuzzDatabase(f *testing.F) {
	f.Add(country(), []byte{203, 0, 113, 7})
	f.Add(flat(), []byte{198, 51, 100, 1})
	f.Add([]byte("\xab\xcd\xefMaxMind.com"), []byte{1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, raw, addr []byte) {
		db, err := parse(raw)
		if err != nil {
			return
		}
		a, ok := netip.AddrFromSlice(addr)
		if !ok {
			return
		}
		newGeneration([]*database{db}).place(a)
	})
}

func BenchmarkFact(b *testing.B) {
	dir := b.TempDir()
	write(b, dir, "city.mmdb", country())
	write(b, dir, "net.mmdb", asn())
	g := loaded(b, dir)
	for _, c := range []struct {
		name  string
		hosts int
	}{{"same", 1}, {"ever other", 1 << 24}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				n := i % c.hosts
				e := honeyguide.Event{Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, byte(n >> 16), byte(n >> 8), byte(n)}), 1)}}
				if c.hosts == 1 {
					e.Src.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, 7}), 1)
				}
				g.Fact(&e)
			}
		})
	}
}
