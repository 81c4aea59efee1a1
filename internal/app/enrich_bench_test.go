package app

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/config"
	"honeyguide/internal/enrich/enrichtest"
	"honeyguide/internal/telemetry"
)

// kept keeps the compiler from leaving out what nobody looks at.
var kept *honeyguide.Event

// BenchmarkFacts is what all local facts together cost an event: a country and a
// network database, a table of own hosts, 200,000 networks of nine lengths of
// which one event in a thousand meets one. The budget is 3 µs
// of processor time an event.
func BenchmarkFacts(b *testing.B) {
	dir := b.TempDir()
	write := func(name string, raw []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	built := time.Now()
	country := &enrichtest.MMDB{Type: "DBIP-City-Lite", Built: built}
	asn := &enrichtest.MMDB{Type: "GeoLite2-ASN", Built: built}
	var list []byte
	for i := range 200 {
		net := fmt.Sprintf("%d.0.0.0/8", i+11)
		if a := netip.MustParsePrefix(net).Addr(); a.IsPrivate() || a.IsLoopback() || a.IsMulticast() {
			continue
		}
		country.Add(net, map[string]any{"country": map[string]any{"iso_code": "NL"}, "city": map[string]any{"names": map[string]any{"en": "Delft", "de": "Delft", "fr": "Delft"}}})
		asn.Add(net, map[string]any{"autonomous_system_number": uint32(64500 + i), "autonomous_system_organization": "Example"})
	}
	for i := range 200_000 {
		n := uint32(i) * 2246822519
		list = fmt.Appendf(list, "%d.%d.%d.%d/%d\n", 11+n>>24%200, n>>16&255, n>>8&255, n&255, 24+i%9)
	}
	write("data/geo/city.mmdb", country.Bytes())
	write("data/geo/asn.mmdb", asn.Bytes())
	hosts := write("hosts.csv", []byte("network,name,owner,role,criticality\n10.0.0.0/8,,IT,office,low\n10.1.0.0/16,farm,Web,web,high\n10.1.2.3,db-1,Storage,database,critical\n"))
	feed := write("feed.txt", list)
	tree, err := config.Load(config.Options{Schema: Schema(), Sets: []string{
		"node.data=" + filepath.Join(dir, "data"), "enrich.assets.file=" + hosts, "enrich.feeds.lists.big.file=" + feed,
	}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := Decode(tree)
	if err != nil {
		b.Fatal(err)
	}
	a := &App{settings: s, log: slog.New(slog.DiscardHandler), metrics: telemetry.NewRegistry(), now: time.Now}
	if err := a.openEnrich(b.Context()); err != nil {
		b.Fatal(err)
	}
	fact := a.facts()
	fact(&honeyguide.Event{}) // loads
	for _, c := range []struct {
		name  string
		every int // events of one address before the next
	}{{"the event alone", 0}, {"a new address each", 1}, {"ten events an address", 10}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			from := enrichtest.CPU()
			defer func() { b.ReportMetric(float64(enrichtest.CPU()-from)/float64(b.N), "cpu-ns/op") }()
			for i := 0; b.Loop(); i++ {
				n := uint32(i/max(c.every, 1)) * 2654435761
				e := honeyguide.Event{
					Src:   honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(11 + n>>24%200), byte(n >> 16), byte(n >> 8), byte(n)}), 40000)},
					Dst:   honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 2, 3}), 22)},
					Attrs: map[string]any{honeyguide.AttrUser: "root", honeyguide.AttrPassword: "x", honeyguide.AttrAuthMethod: "password"},
				}
				if c.every > 0 {
					fact(&e)
				}
				kept = &e
			}
		})
	}
}
