package respond

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/safetext"
)

func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"see https://evil.example/x":   "see https[:]//evil[.]example/x",
		"1.2.3.4 and 2001:db8::7":      "1.2.3.4 and 2001:db8::7",
		"a\r\nb\rc":                    "a\nb\\rc",
		"\x1b[31m\u202e":               `\x1b[31m\u202e`,
		"www.evil.example x.sh":        "www[.]evil[.]example x[.]sh",
		strings.Repeat("x", 300):       strings.Repeat("x", 193) + "… (cut)",
		"end of a sentence. And more.": "end of a sentence. And more.",
	} {
		if got := Inert(in, 200); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := InertLine("a\nb", 200); got != `a\nb` {
		t.Errorf("got %q", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "0": 0, "-5": 0, "1e99": 0, "NaN": 0, "soon": 0, "0.4": time.Second, "99999": time.Hour,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, now.Add(-time.Minute).Format(http.TimeFormat): 0, now.AddDate(9, 0, 0).Format(http.TimeFormat): time.Hour,
	} {
		if got := RetryAfter(in, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestWantURL(t *testing.T) {
	for in, ok := range map[string]bool{
		"https://a.example/x": true, "https://a.example:9000": true, "http://127.0.0.1:8080": true, "http://10.0.0.5/": true, "http://a.example/": false, "http://8.8.8.8/": false,
		"ftp://a.example": false, "https://u:s3cretpw@a.example": false, "": false, "https://": false, "https://a.example:99999/s3cretpw": false, "https://%zz/s3cretpw": false,
	} {
		err := WantURL("url", in)
		if (err == nil) != ok || err != nil && (!strings.HasPrefix(err.Error(), "url: ") || strings.Contains(err.Error(), "s3cretpw")) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestMask(t *testing.T) {
	key := honeyguide.Secret(`p"w/d +1`)
	for _, text := range []string{`p"w/d +1`, `p\"w/d +1`, "p%22w%2Fd+%2B1", "cCJ3L2QgKzE="} {
		if got := Mask("before "+text+" after", key); got != "before [masked] after" {
			t.Errorf("%q: %q", text, got)
		}
	}
	url := honeyguide.Secret("https://hooks.example/services/T0/abcdefghij?sig=0123456789")
	if got := Mask("POST /services/T0/abcdefghij?sig=0123456789, sig 0123456789", url); strings.Contains(got, "abcdefghij") || strings.Contains(got, "0123456789") {
		t.Errorf("got %q", got)
	}
}

func TestPlanMessage(t *testing.T) {
	d := Deps{Name: "soc", Console: "https://console.example"}
	i := &honeyguide.Incident{ID: "i1", Short: "I-3", Title: "guessing", Severity: honeyguide.SeverityHigh, Attackers: []string{"198.51.100.7"}}
	p, err := d.PlanMessage(Request{Incident: i, Params: map[string]string{"link": "https://evil.example", "incident": "I-666", "attackers": "nobody", "title": strings.Repeat("é", 1000)}}, "x")
	if err != nil {
		t.Fatal(err)
	}
	m := MessageOf(p)
	if m.Link != "https://console.example/incidents/i1" || m.Key != "i1" || m.Severity != honeyguide.SeverityHigh || utf8.RuneCountInString(m.Title) != MaxTitle || m.Fields[0].Value != "I-3" || m.Fields[1].Value != "198.51.100.7" {
		t.Errorf("got %+v", m)
	}
	if got := m.Compose(500); utf8.RuneCountInString(got) > 500 || !strings.Contains(got, "Reference: ") {
		t.Errorf("composed %q", got)
	}
	for _, bad := range []map[string]string{{"event": "explode"}, {"severity": "rather high"}} {
		if _, err := d.PlanMessage(Request{Incident: i, Params: bad}, "x"); err == nil {
			t.Errorf("%v was planned", bad)
		}
	}
	if p, err = d.PlanMessage(Request{Playbook: "digest"}, "x"); err != nil || MessageOf(p).Title != "Informational: digest" || MessageOf(p).Link != "" {
		t.Errorf("about nothing: %+v, %v", p, err)
	}
}

func FuzzInert(f *testing.F) {
	for _, s := range []string{"", "a.b", "x://y", "\xff\n\u2028", "```\n````", strings.Repeat("é", 300)} {
		f.Add(s, 100)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = min(max(n, 0), 2000)
		got := Inert(s, n)
		if utf8.RuneCountInString(got) > n || strings.Contains(got, "://") || safetext.Hostile(strings.ReplaceAll(got, "\n", "")) {
			t.Fatalf("%q becomes %q", s, got)
		}
		if line := InertLine(s, n); strings.Contains(line, "\n") {
			t.Fatalf("%q becomes %q", s, line)
		}
		fenced := Fence(got)
		fence, rest, _ := strings.Cut(fenced, "\n")
		if len(fence) < 3 || strings.Count(rest, fence) != 1 || !strings.HasSuffix(rest, "\n"+fence) {
			t.Fatalf("%q is fenced as %q", got, fenced)
		}
		m := Message{ID: s, Title: s, Text: s, Fields: []Field{{s, s}}}
		if all := m.Compose(n); utf8.RuneCountInString(all) > n {
			t.Fatalf("%d of %d characters", utf8.RuneCountInString(all), n)
		}
	})
}
