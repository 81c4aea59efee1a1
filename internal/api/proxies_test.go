package api

import (
	"net/http"
	"net/netip"
	"testing"
)

func networks(t testing.TB, list ...string) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// The right-most hop that is no proxy of ours is the client, whatever was
// written further left.
func TestForgedChains(t *testing.T) {
	from := networks(t, "10.0.0.0/8", "2001:db8:1::/48")
	for _, c := range []struct {
		what, remote, header string
		values               []string
		want                 string // "" = refused
	}{
		{"a stranger's word", "203.0.113.5:1", "X-Forwarded-For", []string{"127.0.0.1"}, "203.0.113.5"},
		{"one proxy", "10.0.0.1:1", "X-Forwarded-For", []string{"198.51.100.1"}, "198.51.100.1"},
		{"no word at all", "10.0.0.1:1", "X-Forwarded-For", nil, "10.0.0.1"},
		{"two proxies", "10.0.0.1:1", "X-Forwarded-For", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"a forged first hop", "10.0.0.1:1", "X-Forwarded-For", []string{"127.0.0.1, 198.51.100.1"}, "198.51.100.1"},
		{"a forged proxy", "10.0.0.1:1", "X-Forwarded-For", []string{"127.0.0.1, 10.0.0.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"a header of its own before the proxy's", "10.0.0.1:1", "X-Forwarded-For", []string{"127.0.0.1", "198.51.100.1"}, "198.51.100.1"},
		{"proxies alone", "10.0.0.1:1", "X-Forwarded-For", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"with a port", "10.0.0.1:1", "X-Forwarded-For", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6", "[2001:db8:1::1]:1", "X-Forwarded-For", []string{"2001:db8:2::1"}, "2001:db8:2::1"},
		{"IPv6 with a port", "10.0.0.1:1", "X-Forwarded-For", []string{"[2001:db8:2::1]:80"}, "2001:db8:2::1"},
		{"mapped", "[::ffff:10.0.0.1]:1", "X-Forwarded-For", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"unknown", "10.0.0.1:1", "X-Forwarded-For", []string{"unknown"}, ""},
		{"rubbish", "10.0.0.1:1", "X-Forwarded-For", []string{"198.51.100.1,"}, ""},
		{"rubbish further left is nobody's business", "10.0.0.1:1", "X-Forwarded-For", []string{"<script>, 198.51.100.1"}, "198.51.100.1"},
		{"the other header is not read", "10.0.0.1:1", "Forwarded", []string{"for=127.0.0.1"}, "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{c.header: c.values}}
		got, _, err := Proxies{From: from}.client(r)
		if c.want == "" && err == nil || c.want != "" && (err != nil || got.String() != c.want) {
			t.Errorf("%s: got %v, %v; want %q", c.what, got, err, c.want)
		}
	}
	for value, want := range map[string]string{
		"for=198.51.100.1": "198.51.100.1",
		"for=127.0.0.1, for=198.51.100.1;proto=https;by=10.0.0.1": "198.51.100.1",
		`For="[2001:db8:2::1]:4711"`:                              "2001:db8:2::1",
		`for="198.51.100.1, for=127.0.0.1"`:                       "", // one value with a comma in it
		`for=198.51.100.1;secret="a, for=127.0.0.1"`:              "198.51.100.1",
		`for=198.51.100.1;secret="a\", for=127.0.0.1;x=\""`:       "198.51.100.1",
		"for=_hidden":                    "",
		"for=198.51.100.1;for=127.0.0.1": "",
		"proto=https":                    "",
		"for":                            "",
		`for="198.51.100.1`:              "",
		"for=127.0.0.1, for=198.51.100.1, for=10.0.0.2;proto=http": "198.51.100.1",
		"for=\"198.51.100.1\"x": "",
	} {
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"Forwarded": {value}, "X-Forwarded-For": {"127.0.0.1"}}}
		got, _, err := Proxies{From: from, Header: "forwarded"}.client(r)
		if want == "" && err == nil || want != "" && (err != nil || got.String() != want) {
			t.Errorf("%s: got %v, %v; want %q", value, got, err, want)
		}
	}
}

// A chain that names proxies without end is given up.
func TestEndlessChain(t *testing.T) {
	r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{}}
	for range maxHops + 1 {
		r.Header.Add("X-Forwarded-For", "10.0.0.2")
	}
	if _, _, err := (Proxies{From: networks(t, "10.0.0.0/8")}).client(r); err == nil {
		t.Error("it is followed")
	}
}

func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"for=1.2.3.4", `for="[::1]:80";proto=https, for=x`, `for="\`, "=", ";;;", "for=a,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		elements, err := forwarded(s)
		if err == nil && len(elements) == 0 {
			t.Errorf("%q: nothing and no error", s)
		}
		for _, e := range elements {
			for name := range e {
				if name == "" {
					t.Errorf("%q: a pair without a name", s)
				}
			}
		}
	})
}
