package hunt

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	for text, want := range map[string]eventlog.Query{
		"":    {},
		" \t": {},
		`src:203.0.113.7/24 activity:login user:root cmd:"wget" since:24h -sensor:ssh2`: {
			From: now.Add(-24 * time.Hour), Activities: []string{"login_failed", "login_success"}, Src: netip.MustParsePrefix("203.0.113.0/24"),
			Attr: map[string]string{honeyguide.AttrUser: "root"}, Word: "wget",
			Where: []eventlog.Filter{{Dim: honeyguide.AttrCommand, Op: eventlog.OpWords, Text: "wget"}, {Dim: eventlog.DimSensor, Text: "ssh2", Not: true}},
		},
		"xmrig  bins.sh":                       {Word: "xmrig bins.sh"},
		`"rm rf" severity:high`:                {Word: "rm rf", Severity: honeyguide.SeverityHigh},
		"SRC:::1":                              {Src: netip.MustParsePrefix("::1/128")},
		"src:::ffff:192.0.2.1":                 {Src: netip.MustParsePrefix("192.0.2.1/32")},
		"src:10.0.0.1 src:10.0.0.0/8":          {Src: netip.MustParsePrefix("10.0.0.1/32"), Where: []eventlog.Filter{{Dim: eventlog.DimSrc, Op: eventlog.OpNet, Net: netip.MustParsePrefix("10.0.0.0/8")}}},
		"since:2026-03-01 until:1h":            {From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: now.Add(-time.Hour)},
		"-since:1h since:2d since:1d":          {From: now.Add(-24 * time.Hour), To: now.Add(-time.Hour)},
		`user:"a \"b\" \\ \n"`:                 {Attr: map[string]string{honeyguide.AttrUser: `a "b" \ \n`}},
		"user:root user:admin":                 {Attr: map[string]string{honeyguide.AttrUser: "root"}, Where: []eventlog.Filter{{Dim: honeyguide.AttrUser, Text: "admin"}}},
		"user:*":                               {Where: []eventlog.Filter{{Dim: honeyguide.AttrUser, Op: eventlog.OpAny}}},
		"-user:*":                              {Where: []eventlog.Filter{{Dim: honeyguide.AttrUser, Op: eventlog.OpAny, Not: true}}},
		`user:"*"`:                             {Attr: map[string]string{honeyguide.AttrUser: "*"}},
		"key:SHA256:abc*":                      {Where: []eventlog.Filter{{Dim: honeyguide.AttrKeyFingerprint, Op: eventlog.OpPattern, Text: "SHA256:abc*"}}},
		"http_request.referrer:x":              {Where: []eventlog.Filter{{Dim: "http_request.referrer", Text: "x"}}},
		"technique:t1059":                      {Technique: "T1059"},
		"-technique:T1059":                     {Where: []eventlog.Filter{{Dim: eventlog.DimTechnique, Text: "T1059", Not: true}, {Dim: eventlog.DimTechnique, Op: eventlog.OpPattern, Text: "T1059.*", Not: true}}},
		"country:nl asn:as64500":               {Where: []eventlog.Filter{{Dim: eventlog.DimCountry, Text: "NL"}, {Dim: eventlog.DimASN, Text: "AS64500"}}},
		"class:3002,4007":                      {Classes: []honeyguide.Class{3002, 4007}},
		`-"a1 b2"`:                             {Where: []eventlog.Filter{{Dim: eventlog.DimText, Op: eventlog.OpWords, Text: "a1 b2", Not: true}}},
		"-activity:close":                      {Where: []eventlog.Filter{{Dim: eventlog.DimActivity, Text: "close", Not: true}}},
		"activity:login activity:login_failed": {Activities: []string{"login_failed"}},
		"cmd:*authorized_keys*":                {Where: []eventlog.Filter{{Dim: honeyguide.AttrCommand, Op: eventlog.OpPattern, Text: "*authorized_keys*"}}},
	} {
		got, err := Parse(text, now)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

// Free words with a minus find just what they do not find without: whatever
// attribute holds the words, and when each holds one of them.
func TestWordsTurnedRound(t *testing.T) {
	events := []honeyguide.Event{{}, {Attrs: map[string]any{honeyguide.AttrPassword: "xmrig curl"}}} // passwords are no text
	for _, name := range colblock.WordAttrs() {
		for _, text := range []string{"XMRIG", "curl -o xmrig", "xmrigs", "minerd"} {
			events = append(events, honeyguide.Event{Attrs: map[string]any{name: text}}, honeyguide.Event{Attrs: map[string]any{name: text, honeyguide.AttrDetail: "curl"}})
		}
	}
	for text, most := range map[string]int{"xmrig": 2 * len(colblock.WordAttrs()) * 2, `"xmrig curl"`: 3 * len(colblock.WordAttrs())} {
		with, err := Parse(text, now)
		without, other := Parse("-"+text, now)
		if err != nil || other != nil {
			t.Fatal(err, other)
		}
		found := 0
		for i := range events {
			rec := eventlog.Record{Seq: 1, Event: events[i]}
			if with.Match(&rec) == without.Match(&rec) {
				t.Errorf("%s and -%s agree about %v", text, text, events[i].Attrs)
			}
			if with.Match(&rec) {
				found++
			}
		}
		if found < most-2 || found > most {
			t.Errorf("%s finds %d of %d", text, found, len(events))
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]struct {
		at, end int
		why     string
	}{
		"src:nowhere":               {4, 11, "an address"},
		"user:root src:x":           {14, 15, "an address"},
		"nofield:x":                 {0, 8, "no such field"},
		`cmd:"open`:                 {4, 9, "not closed"},
		`cmd:"a"b`:                  {7, 8, "blank"},
		`cmd:a"b`:                   {5, 6, "quote"},
		"user:":                     {0, 5, "value"},
		"user: root":                {0, 5, "value"},
		"since:yesterday":           {6, 15, "how long ago"},
		"since:99999999d":           {6, 15, "how long ago"},
		"since:-1h":                 {6, 9, "how long ago"},
		"severity:bad":              {9, 12, "informational"},
		"-class:3002":               {7, 11, "class"},
		"class:x":                   {6, 7, "numbers"},
		"technique:1059":            {10, 14, "ATT&CK"},
		"?!":                        {0, 2, "letters"},
		"a\xffb":                    {1, 2, "UTF-8"},
		strings.Repeat("x", 5000):   {4096, 5000, "4096"},
		strings.Repeat("ab ", 33):   {96, 98, "conditions"},
		"activity:login activity:x": {24, 25, "two activities"},
		"id:a*":                     {3, 5, "whole id"},
		"-":                         {0, 1, "letters"},
	} {
		_, err := Parse(text, now)
		var e *Error
		if !errors.As(err, &e) || e.At != want.at || e.End != want.end || !strings.Contains(e.Why, want.why) {
			t.Errorf("%.40q: %v (%+v), want %+v", text, err, e, want)
			continue
		}
		if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%.40q: code of %v", text, err)
		}
	}
}

// Every example of a field is a query, and every field explains itself.
func TestFields(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Fields() {
		q, err := Parse(f.Example, now)
		if err != nil || f.About == "" || f.Takes == "" || f.Also == nil || f.Values == nil {
			t.Errorf("%+v: %v", f, err)
		}
		if cmp.Equal(q, eventlog.Query{}, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })) {
			t.Errorf("%s asks nothing", f.Example)
		}
		for _, name := range append([]string{f.Name}, f.Also...) {
			if seen[name] {
				t.Errorf("two fields are called %s", name)
			}
			seen[name] = true
		}
	}
}

// FuzzParse: no panic, no error without a place within the query, and what is
// taken can be asked of any event.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`src:203.0.113.0/24 activity:login user:root cmd:"wget" since:24h -sensor:ssh2`, `-"a b" -cmd:*x* -technique:T1059 -severity:high`, `a:b:c "`, "user:\u202e", "\x00", "-:", "::", `cmd:"\"`,
		"since:0s until:0w", "src:1.2.3.4/33", "src:fe80::1%eth0", "http_request.x:*", "...:x", "sev:", "class:4294967296", "-class:1", "\u00a0user:x\u2003",
	} {
		f.Add(s)
	}
	e := honeyguide.Event{Sensor: "ssh", Attrs: map[string]any{honeyguide.AttrCommand: "wget x", honeyguide.AttrUser: "root"}, Attacks: []honeyguide.Technique{{ID: "T1059"}}}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s, now)
		if err != nil {
			var x *Error
			if !errors.As(err, &x) || x.At < 0 || x.At > len(s) || x.End < x.At || x.End > len(s) {
				t.Fatalf("%q: %v %+v", s, err, x)
			}
			return
		}
		if err := q.Validate(); err != nil {
			t.Fatalf("%q gives a question that cannot be answered: %v", s, err)
		}
		q.Match(&eventlog.Record{Seq: 1, Event: e})
	})
}
