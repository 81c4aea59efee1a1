package feeds

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/enrich/enrichtest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// file writes a list and returns its settings.
func file(t testing.TB, name, text string) List {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	return List{File: path}
}

func loaded(t testing.TB, lists map[string]List) *feeds {
	t.Helper()
	cfg := Config{Lists: lists, Most: 2_000_000}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	f := newFeeds(cfg, enrich.Deps{Dir: t.TempDir(), Now: func() time.Time { return now }}.Fill())
	f.Load(t.Context())
	return f
}

// said returns what the lists say about a value, sorted.
func (f *feeds) said(kind, value string) []string {
	e := honeyguide.Event{}
	if kind == "src" {
		e.Src.Addr = netip.AddrPortFrom(netip.MustParseAddr(value), 1)
	} else {
		e.Observables = []honeyguide.Observable{{Type: kind, Value: value}}
	}
	f.Fact(&e)
	out := []string{}
	for _, x := range e.Enrichments() {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", strings.TrimPrefix(x.Provider, "feed:"), x.Verdict, x.Confidence, x.Match)))
	}
	slices.Sort(out)
	return out
}

const plain = `# a remark
; another
203.0.113.7
203.0.113.0/24 ; SBL1
198.51.100.7:4444   botnet
2001:db8:bad::/48
hxxp://evil[.]example/drop.sh
Evil.Example
*.wild.example.net
0.0.0.0 ads.example.org
0.0.0.0 localhost
9.9.9.0-9.9.9.255
d41d8cd98f00b204e9800998ecf8427e
44D88612FEA8A8F36DE82E1278ABB02F
275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f  eicar
0.0.0.0/0
127.0.0.1
10.0.0.0/8
not an indicator
1.2.3.4.5
`

func TestListMatches(t *testing.T) {
	f := loaded(t, map[string]List{"a": file(t, "a.txt", plain), "b": {File: file(t, "b.txt", "203.0.113.7\n").File, Verdict: "malicious", Confidence: 90}})
	for _, c := range []struct {
		kind, value string
		want        []string
	}{
		{"src", "203.0.113.7", []string{"a suspicious 50", "a suspicious 50 203.0.113.0/24", "b malicious 90"}},
		{"src", "::ffff:203.0.113.8", []string{"a suspicious 50 203.0.113.0/24"}},
		{"ip", "198.51.100.7", []string{"a suspicious 50"}},
		{"ip", "2001:db8:bad:1::1", []string{"a suspicious 50 2001:db8:bad::/48"}},
		{"ip", "9.9.9.9", []string{"a suspicious 50 9.9.9.0/24"}},
		{"ip", "10.1.1.1", []string{}}, // a neighbour, whatever a list of unroutable networks says
		{"ip", "8.8.8.8", []string{}},
		{"domain", "evil.example", []string{"a suspicious 50"}},
		{"domain", "c2.EVIL.example", []string{"a suspicious 50 evil.example"}},
		{"domain", "notevil.example", []string{}},
		{"domain", "wild.example.net", []string{"a suspicious 50"}},
		{"domain", "ads.example.org", []string{"a suspicious 50"}},
		{"domain", "localhost", []string{}},
		{"url", "HTTP://EVIL.example:80/drop.sh", []string{"a suspicious 50"}},
		{"url", "http://evil.example/drop.sh?x=1", []string{"a suspicious 50 http://evil.example/drop.sh"}},
		{"url", "http://evil.example/other", []string{}},
		{"hash", "44d88612fea8a8f36de82e1278abb02f", []string{"a suspicious 50"}},
		{"hash", "275A021BBFB6489E54D471899F7DB9D1663FC695EC2FE2A2C4538AABF651FD0F", []string{"a suspicious 50"}},
		{"hash", "d41d8cd98f00b204e9800998ecf8427e", []string{}},
		{"user", "203.0.113.7", []string{}},
	} {
		if got := f.said(c.kind, c.value); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %q, want %q", c.kind, c.value, got, c.want)
		}
	}
	st := f.Status()
	if st[0].State != enrich.StateOK || st[0].Items != 12 || st[0].Bad != 5 || !st[0].AsOf.Equal(now) {
		t.Errorf("status %+v", st[0])
	}
	var e honeyguide.Event
	e.Src.Addr = netip.MustParseAddrPort("203.0.113.7:1")
	f.Fact(&e)
	if e.Str(honeyguide.AttrFeeds) != "a b" {
		t.Errorf("feeds: %q", e.Str(honeyguide.AttrFeeds))
	}
}

func TestFormats(t *testing.T) {
	const misp = `{"response":{"Attribute":[
		{"type":"ip-dst","value":"203.0.113.1","to_ids":true,"timestamp":"1772000000","comment":"c2"},
		{"type":"ip-src","value":"203.0.113.2","to_ids":false},
		{"type":"ip-dst|port","value":"203.0.113.3|443","to_ids":"1"},
		{"type":"filename|sha256","value":"x.sh|275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f","to_ids":true},
		{"type":"domain","value":"not a domain","to_ids":true},
		{"type":"yara","value":"rule x {}","to_ids":true},
		{"type":"domain","value":"gone.example","to_ids":true,"deleted":true},
		7]}}`
	const event = `{"Event":{"info":"Campaign","Attribute":[{"type":"url","value":"http://bad.example/x","to_ids":true}],
		"Object":[{"name":"file","Attribute":[{"type":"md5","value":"44d88612fea8a8f36de82e1278abb02f","to_ids":true}]}]}}
		{"Event":{"info":"Second","Attribute":[{"type":"hostname","value":"two.bad.example","to_ids":true}]}}`
	const stix = `{"type":"bundle","id":"bundle--1","objects":[
		{"type":"identity","id":"identity--1","name":"x"},
		{"type":"indicator","id":"indicator--1","modified":"2026-01-01T00:00:00.000Z","pattern":"[ipv4-addr:value = '203.0.113.1']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","confidence":85,"name":"one"},
		{"type":"indicator","id":"indicator--2","modified":"2026-01-01T00:00:00Z","pattern":"[domain-name:value = 'a.bad.example' OR url:value = 'http://bad.example/it\\'s']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"},
		{"type":"indicator","id":"indicator--3","modified":"2026-01-01T00:00:00Z","pattern":"[file:hashes.'SHA-256' = '275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-02-01T00:00:00Z"},
		{"type":"indicator","id":"indicator--4","modified":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '203.0.113.4']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"},
		{"type":"indicator","id":"indicator--5","modified":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '203.0.113.5' AND process:name = 'x']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"},
		{"type":"indicator","id":"indicator--6","modified":"2026-01-01T00:00:00Z","pattern":"rule x {}","pattern_type":"yara","valid_from":"2026-01-01T00:00:00Z"},
		{"type":"indicator","id":"indicator--7","modified":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value IN ('203.0.113.8', '203.0.113.9')]","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}
		]}
		{"more":false,"objects":[
		{"type":"indicator","id":"indicator--4","modified":"2026-02-01T00:00:00Z","revoked":true,"pattern":"[ipv4-addr:value = '203.0.113.4']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"},
		{"type":"indicator","id":"indicator--1","modified":"2026-02-01T00:00:00Z","pattern":"[ipv4-addr:value = '203.0.113.11']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","confidence":60}]}`
	const abuse = `################
# "first_seen_utc","ioc_id","ioc_value","ioc_type","malware_printable","confidence_level"
#
"2026-02-27 10:00:00", "1", "203.0.113.1:8080", "ip:port", "Mirai", "75"
"2026-02-27 10:00:00", "2", "bad.example", "domain", "Mozi, the other", "100"
"2026-02-27 10:00:00", "3", "", "domain", "x", "100"
`
	const semicolons = "ip;reason;valid_until\n203.0.113.1;scan;2026-04-01\n203.0.113.2;scan;2026-02-01\n"
	for _, c := range []struct {
		name, text, format, column string
		found, lost                []string // kind and value
		good, bad                  int64
	}{
		{"misp answer", misp, "auto", "", []string{"ip 203.0.113.1", "ip 203.0.113.3", "hash 275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"}, []string{"ip 203.0.113.2", "domain gone.example"}, 3, 2},
		{"misp events", event, "auto", "", []string{"url http://bad.example/x", "hash 44d88612fea8a8f36de82e1278abb02f", "domain two.bad.example"}, nil, 3, 0},
		{
			"stix", stix, "auto", "",
			[]string{"ip 203.0.113.11", "domain a.bad.example", "url http://bad.example/it's", "ip 203.0.113.8", "ip 203.0.113.9"},
			[]string{"ip 203.0.113.1", "ip 203.0.113.4", "ip 203.0.113.5", "hash 275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"},
			6, 1,
		},
		{"table with its head in a remark", abuse, "auto", "", []string{"ip 203.0.113.1", "domain bad.example"}, nil, 2, 1},
		{"table with semicolons", semicolons, "auto", "", []string{"ip 203.0.113.1"}, []string{"ip 203.0.113.2"}, 2, 0},
		{"table with a column of another name", "a,who\nx,203.0.113.1\n", "csv", "who", []string{"ip 203.0.113.1"}, nil, 1, 0},
		{"table without a head", "1,203.0.113.1,x\n2,203.0.113.2,y\n", "csv", "", []string{"ip 203.0.113.1", "ip 203.0.113.2"}, nil, 2, 0},
		{"column by number", "8.8.8.8,203.0.113.1\n", "csv", "2", []string{"ip 203.0.113.1"}, []string{"ip 8.8.8.8"}, 1, 0},
	} {
		l := file(t, "feed", c.text)
		l.Format, l.Column = c.format, c.column
		f := loaded(t, map[string]List{"x": l})
		for _, s := range c.found {
			kind, value, _ := strings.Cut(s, " ")
			if got := f.said(kind, value); len(got) != 1 {
				t.Errorf("%s: %s: %q, want one match", c.name, s, got)
			}
		}
		for _, s := range c.lost {
			kind, value, _ := strings.Cut(s, " ")
			if got := f.said(kind, value); len(got) != 0 {
				t.Errorf("%s: %s: %q, want none", c.name, s, got)
			}
		}
		if st := f.Status()[0]; st.Items != c.good || st.Bad != c.bad {
			t.Errorf("%s: %d good, %d bad (%s), want %d, %d: %v", c.name, st.Items, st.Bad, st.Detail, c.good, c.bad, st.BadLines)
		}
	}
}

// What a list says about itself is kept: confidence, since when, what for.
func TestMatchSays(t *testing.T) {
	l := file(t, "feed.csv", "ip,confidence,first_seen,malware\n203.0.113.1,75,2026-02-27 10:00:00,Mirai\n")
	l.Verdict = "malicious"
	f := loaded(t, map[string]List{"c2": l})
	e := honeyguide.Event{Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.1:1")}}
	f.Fact(&e)
	want := honeyguide.Enrichment{
		Provider: "feed:c2", Type: "ip", Value: "203.0.113.1", Verdict: "malicious", Confidence: 75, Text: "Mirai",
		AsOf: time.Date(2026, 2, 27, 10, 0, 0, 0, time.UTC), At: now,
	}
	if got := e.Enrichments(); len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// replaced writes a list anew, a minute later each time, and has it read.
func replaced(t *testing.T, f *feeds, l List) func(text string) {
	step := now
	return func(text string) {
		t.Helper()
		step = step.Add(time.Minute)
		if err := os.WriteFile(l.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(l.File, step, step); err != nil {
			t.Fatal(err)
		}
		f.reload(t.Context())
	}
}

// A list that turns into something else keeps what it said; one that is good
// again replaces it; other lists are not touched.
func TestReload(t *testing.T) {
	l := file(t, "a.txt", "203.0.113.1\n203.0.113.2\n")
	f := loaded(t, map[string]List{"a": l, "b": file(t, "b.txt", "203.0.113.9 why\n")})
	put := replaced(t, f, l)
	count := func(addr string) int { return len(f.said("ip", addr)) }
	put("<html><body>Service unavailable</body></html>\n")
	if count("203.0.113.1") != 1 || f.Status()[0].State != enrich.StateFailed || f.Status()[0].Items != 2 {
		t.Errorf("after a page of HTML: %+v", f.Status()[0])
	}
	put("203.0.113.2\n203.0.113.3\n")
	if count("203.0.113.1") != 0 || count("203.0.113.2") != 1 || count("203.0.113.3") != 1 || f.Status()[0].State != enrich.StateOK {
		t.Errorf("after a good file: %+v", f.Status()[0])
	}
	if err := os.Remove(l.File); err != nil {
		t.Fatal(err)
	}
	f.reload(t.Context())
	if count("203.0.113.2") != 1 || f.Status()[0].State != enrich.StateFailed {
		t.Errorf("after the file went: %+v", f.Status()[0])
	}
	if got := f.said("ip", "203.0.113.9"); len(got) != 1 || f.now.Load().x.labels[1] != "why" {
		t.Errorf("the other list: %q", got)
	}
}

// A list whose maker is no longer its master says what it likes: it cannot speak of
// everybody or of our own networks, and a list that tries keeps what it
// said before.
func TestTakenOver(t *testing.T) {
	l := file(t, "a.txt", "203.0.113.1\n")
	f := loaded(t, map[string]List{"a": l})
	put := replaced(t, f, l)
	var halves, all, six strings.Builder
	for i := range 256 {
		fmt.Fprintf(&all, "%d.0.0.0/8\n", i)
		if i < 200 {
			fmt.Fprintf(&halves, "%d.0.0.0/9\n%d.128.0.0-%d.255.255.255\n", i, i, i)
		}
	}
	for i := range 0x2000 {
		fmt.Fprintf(&six, "%x::/16\n", 0x2000+i)
	}
	for name, text := range map[string]string{
		"everybody": "0.0.0.0/0\n::/0\n128.0.0.0/1\n2000::/3\n", "eight by eight": all.String(), "in halves": halves.String(), "everybody of IPv6": six.String(),
	} {
		put(text)
		if got := f.said("src", "203.0.113.1"); len(got) != 1 {
			t.Errorf("%s: what it said before is gone: %q", name, got)
		}
		if got := append(f.said("src", "198.51.100.1"), f.said("src", "2001:db8::1")...); len(got) != 0 {
			t.Errorf("%s: it speaks of somebody else: %q", name, got)
		}
		if st := f.Status()[0]; st.State != enrich.StateFailed || st.Detail == "" {
			t.Errorf("%s: %+v", name, st)
		}
	}
	put("203.0.113.1\n10.0.0.0/8\n192.168.0.0/16\nfe80::/16\nfc00::/16\n")
	if got := append(f.said("src", "10.1.2.3"), append(f.said("src", "192.168.1.1"), f.said("src", "fc00::1")...)...); len(got) != 0 {
		t.Errorf("it speaks of our own: %q", got)
	}
	if st := f.Status()[0]; st.State != enrich.StateOK {
		t.Errorf("%+v", st)
	}
}

func TestMost(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "203.%d.%d.1\n", i/256, i%256)
	}
	cfg := Config{Lists: map[string]List{"a": file(t, "a.txt", b.String())}, Most: 1000}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	f := newFeeds(cfg, enrich.Deps{Dir: t.TempDir(), Now: func() time.Time { return now }}.Fill())
	f.Load(t.Context())
	if st := f.Status()[0]; st.Items != 1000 || !st.Cut || st.Detail == "" {
		t.Errorf("%+v", st)
	}
}

func TestValidate(t *testing.T) {
	for name, l := range map[string]List{
		"both": {File: "x", URL: "y"}, "none": {}, "format": {File: "x", Format: "xml"}, "verdict": {File: "x", Verdict: "evil"},
		"confidence": {File: "x", Confidence: 101}, "every": {URL: "x", Every: time.Second}, "keep": {URL: "x", Every: time.Hour, Keep: time.Minute},
		"max_mib": {File: "x", MaxMiB: 1 << 20}, "taxii": {File: "x", Format: "taxii"},
	} {
		if err := (&Config{Most: 1000, Lists: map[string]List{"a": l}}).Validate(); err == nil || !strings.Contains(err.Error(), "enrich.feeds.lists.a.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (&Config{Most: 1000, Lists: map[string]List{"../x": {File: "x"}}}).Validate(); err == nil {
		t.Error("a name with a path in it")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("auto", "", plain)
	f.Add("csv", "ip", "a,ip\nx,203.0.113.1\n\"")
	f.Add("misp", "", `{"Event":{"Attribute":[{"type":"ip-src","value":"203.0.113.1"},[],{}]}}`)
	f.Add("stix", "", `{"objects":[{"type":"indicator","id":"i","pattern":"[file:hashes.'MD5' = 'x\\'']"}]}`)
	f.Add("auto", "", "\x1f\x8b\x08\x00")
	f.Fuzz(func(t *testing.T, format, column, text string) {
		b := newBuilder(newFeeds(Config{}, enrich.Deps{}.Fill()).seed, 0)
		tk := &taker{item: func(it *item) error { b.add(0, it); return nil }}
		err := parse(func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }, format, column, tk)
		if err != nil {
			return
		}
		x := b.build()
		if int64(len(x.entries)) > tk.good || int(x.begin[len(x.begin)-1]) != len(x.entries) {
			t.Fatalf("%d entries of %d indicators, %d in the directory", len(x.entries), tk.good, x.begin[len(x.begin)-1])
		}
		for i := range x.entries {
			if e := &x.entries[i]; !slices.Contains(x.find(nil, e.key, 0), e) {
				t.Fatalf("entry %d is not found by its key", i)
			}
		}
	})
}

// largeList is a list of n indicators of all kinds.
func largeList(tb testing.TB, n int) List {
	var b strings.Builder
	for i := range n {
		switch i % 5 {
		case 0:
			fmt.Fprintf(&b, "%d.%d.%d.%d\n", 11+i>>24, i>>16&255, i>>8&255, i&255)
		case 1:
			fmt.Fprintf(&b, "%d.%d.%d.0/%d\n", 20+i>>18, i>>10&255, i>>2&255, 20+i%5)
		case 2:
			fmt.Fprintf(&b, "host-%d.example-%d.net\n", i, i%1000)
		case 3:
			fmt.Fprintf(&b, "http://host-%d.example.org/path/%d.sh\n", i, i)
		default:
			fmt.Fprintf(&b, "%064x\n", uint64(i)*0x9e3779b97f4a7c15)
		}
	}
	return file(tb, "large.txt", b.String())
}

// TestMemory holds the index to its budget, a million indicators in less than
// 150 MiB while one index replaces another, by a quarter of it.
func TestMemory(t *testing.T) {
	const n = 250_000
	l := largeList(t, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f := loaded(t, map[string]List{"m": l})
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	// Read it again, as after a fetch, and watch the heap.
	later := now.Add(time.Hour)
	if err := os.Chtimes(l.File, later, later); err != nil {
		t.Fatal(err)
	}
	done, peak := make(chan struct{}), int64(0)
	go func() {
		defer close(done)
		f.reload(t.Context())
	}()
	for watching := true; watching; {
		select {
		case <-done:
			watching = false
		case <-time.After(5 * time.Millisecond):
		}
		runtime.ReadMemStats(&after)
		peak = max(peak, int64(after.HeapAlloc)-int64(before.HeapAlloc))
	}
	t.Logf("%d indicators: %d MiB held, at most %d MiB while they are read again", f.Status()[0].Items, held>>20, peak>>20)
	if held > n*40 || peak > n*150<<20/1_000_000 {
		t.Error("more memory than so many indicators may take")
	}
	if got := f.said("domain", "x.host-2.example-2.net"); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func BenchmarkFact(b *testing.B) {
	f := loaded(b, map[string]List{"m": largeList(b, 1_000_000)})
	for _, c := range []struct {
		name string
		obs  []honeyguide.Observable
	}{
		{"address alone", nil},
		{"address, url, host", []honeyguide.Observable{{Type: "url", Value: "http://203.0.113.9/bins/mirai.x86"}, {Type: "domain", Value: "cdn.some.example.com"}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			from := enrichtest.CPU()
			defer func() { b.ReportMetric(float64(enrichtest.CPU()-from)/float64(b.N), "cpu-ns/op") }()
			for i := 0; b.Loop(); i++ {
				e := honeyguide.Event{Observables: c.obs, Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}), 1)}, Dst: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), 22)}}
				f.Fact(&e)
			}
		})
	}
}
