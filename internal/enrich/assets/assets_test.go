package assets

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
)

const csvTable = "\ufeff" + `Network,Name,Owner,Role,Criticality,Zone
10.0.0.0/8,,IT,office,low,
10.1.0.0/16,web farm,Web Team,web,high,
10.1.2.3,db-1,"Storage, second line",database,critical,
2001:db8:1::/48,lab,Lab,test,medium,
198.51.100.0/24,partner,ACME,vpn,,external
# a remark
nonsense,x,,,,
10.9.0.0/16,y,,,enormous,
,z,,,,
`

const yamlTable = `
- {network: 10.0.0.0/8, owner: IT, role: office, criticality: low}
- {network: 10.1.0.0/16, name: web farm, owner: Web Team, role: web, criticality: high}
- network: 10.1.2.3
  name: db-1
  owner: Storage, second line
  role: database
  criticality: critical
- {network: "2001:db8:1::/48", name: lab, owner: Lab, role: test, criticality: medium}
- {network: 198.51.100.0/24, name: partner, owner: ACME, role: vpn, zone: external}
- {network: nonsense, name: x}
- {network: 10.9.0.0/16, name: y, criticality: enormous}
- just a text
`

func opened(t testing.TB, name, text string) *assets {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := open(t.Context(), Config{File: file, Internal: []string{"172.16.0.0/12"}}, enrich.Deps{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	a := e.(*assets)
	a.Load(t.Context())
	return a
}

func TestFact(t *testing.T) {
	for name, text := range map[string]string{"hosts.csv": csvTable, "hosts.yaml": yamlTable} {
		a := opened(t, name, text)
		for addr, want := range map[string]string{
			"10.200.1.1":      "internal||IT|office|low",
			"10.1.9.9":        "internal|web farm|Web Team|web|high",
			"10.1.2.3":        "internal|db-1|Storage, second line|database|critical",
			"::ffff:10.1.2.3": "internal|db-1|Storage, second line|database|critical",
			"2001:db8:1::7":   "internal|lab|Lab|test|medium",
			"198.51.100.9":    "external|partner|ACME|vpn|",
			"172.20.0.1":      "internal||||",
			"203.0.113.1":     "external||||",
			"2001:db8:2::7":   "external||||",
		} {
			e := &honeyguide.Event{Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 1)}, Dst: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("10.1.2.3:22")}}
			a.Fact(e)
			var got []string
			for _, attr := range []string{honeyguide.AttrSrcZone, honeyguide.AttrSrcAsset, honeyguide.AttrSrcOwner, honeyguide.AttrSrcRole, honeyguide.AttrSrcCriticality} {
				got = append(got, e.Str(attr))
			}
			if s := strings.Join(got, "|"); s != want {
				t.Errorf("%s: %s: %s, want %s", name, addr, s, want)
			}
			if e.Str(honeyguide.AttrDstAsset) != "db-1" {
				t.Errorf("%s: destination is %q", name, e.Str(honeyguide.AttrDstAsset))
			}
		}
		st := a.Status()
		if len(st) != 1 || st[0].Items != 5 || st[0].Bad != 3 || len(st[0].BadLines) != 3 || st[0].BadLines[0].Line == 0 {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

// A table that cannot be read leaves the one before; an address outside every
// table gets no zone when nobody named own networks.
func TestBadTable(t *testing.T) {
	a := opened(t, "hosts.csv", csvTable)
	for i, bad := range []string{"owner,role\nx,y\n", "just words\n"} {
		if err := os.WriteFile(a.cfg.File, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(time.Duration(i+1) * time.Hour)
		if err := os.Chtimes(a.cfg.File, later, later); err != nil {
			t.Fatal(err)
		}
		a.reload(t.Context())
		if st := a.Status()[0]; st.State != enrich.StateFailed || st.Items != 5 || st.Detail == "" {
			t.Errorf("%q: %+v", bad, st)
		}
	}
	none, err := open(t.Context(), Config{}, enrich.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	e := &honeyguide.Event{Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("10.0.0.1:1")}}
	if none.(*assets).Fact(e); len(e.Attrs) != 0 {
		t.Errorf("without a table: %v", e.Attrs)
	}
	if _, err := open(t.Context(), Config{Internal: []string{"10.0.0.0/99"}}, enrich.Deps{}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("a bad own network: %v", err)
	}
}

func FuzzTable(f *testing.F) {
	f.Add(".csv", csvTable)
	f.Add(".yaml", yamlTable)
	f.Add(".yml", "10.0.0.0/8: {owner: x}\n10.1.0.0/16: &a [*a]\n")
	f.Add(".csv", "network;owner\n10.0.0.0/8;x\n")
	f.Fuzz(func(t *testing.T, ext, text string) {
		rows, _, err := parse(ext, []byte(text))
		if err != nil {
			return
		}
		if len(rows) > 0 {
			if got := newTable(rows, nil).find(rows[0].network.Addr()); got == &somebody || got.words[0] == nil {
				t.Fatalf("%v is not found in its own table", rows[0].network)
			}
		}
	})
}

func BenchmarkFact(b *testing.B) {
	a := opened(b, "hosts.csv", csvTable)
	b.ReportAllocs()
	for b.Loop() {
		e := honeyguide.Event{Attrs: make(map[string]any, 8), Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.1:1")}, Dst: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("10.1.2.3:22")}}
		a.Fact(&e)
	}
}
