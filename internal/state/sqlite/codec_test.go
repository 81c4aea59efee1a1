package sqlite

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/state"
)

// full fills every field of an alert, so that one added later is missed here and
// not in somebody's data.
func full(t testing.TB) honeyguide.Alert {
	at := time.Date(2026, 3, 1, 12, 0, 0, 120000, time.UTC)
	end := honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:22"), Hostname: "h", Country: "ZZ", ASN: 4294967295, ASOrg: "Example"}
	a := honeyguide.Alert{
		ID: "ID", Short: "A-1", Time: at, LastAt: at.Add(time.Second), CreatedAt: at, Detector: "behaviour", RuleID: "r", Title: "Title <&>",
		Severity: honeyguide.SeverityHigh, Status: honeyguide.AlertNew, Category: "c", Score: 12.5,
		Reasons: []honeyguide.Reason{{Feature: "f", Weight: -40, Text: "t"}, {Weight: 1e-9}}, Attacks: []honeyguide.Technique{{ID: "T1", Tactic: "TA1", Why: "w"}, {ID: "T2"}},
		Src: end, Dst: honeyguide.Endpoint{ASN: 7}, Sensor: "ssh", Session: "s", Attacker: "attacker:x", Proven: true, Incident: "i", Count: 7,
		EventIDs: []string{"e", "f"}, Evidence: []honeyguide.Evidence{{EventID: "e", Time: at, Text: "echo"}, {}}, DedupeKey: "k",
		Observed: []honeyguide.Observable{{Name: "n", Type: "ip", Value: "v"}}, Seen: "AAAA", Suppression: "sup", Personal: "email x2",
		Verdict: honeyguide.Verdict{As: honeyguide.VerdictBenign, Reason: "backup", Comment: "of every night", By: "eve", At: at},
		Handled: honeyguide.Handled{By: "eve", At: at, Note: "every night"},
		Enrichments: []honeyguide.Enrichment{{
			Provider: "feed:tor", Type: "ip", Value: "203.0.113.7", Match: "203.0.113.0/24", Verdict: "suspicious", Confidence: 60,
			Text: "exit <&>", Data: map[string]string{"a": "b"}, AsOf: at, At: at, Expires: at.Add(time.Hour),
		}, {Provider: "geo"}},
	}
	for i, v := 0, reflect.ValueOf(a); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Fatalf("field %s is not filled", v.Type().Field(i).Name)
		}
	}
	return a
}

// parts is what encoding/json makes of an alert.
func parts(t testing.TB, a honeyguide.Alert) (head, rest string) {
	b := bulk{a.EventIDs, a.Evidence, a.Observed}
	a.EventIDs, a.Evidence, a.Observed = nil, nil, nil
	var out [2]string
	for i, v := range []any{&a, &b} {
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		out[i] = strings.TrimSuffix(buf.String(), "\n")
	}
	return out[0], out[1]
}

var sameAddr = cmpopts.EquateComparable(netip.AddrPort{})

func TestWrittenAsJSON(t *testing.T) {
	plain := full(t)
	odd := full(t)
	odd.Title, odd.Evidence[0].Text, odd.Src.ASOrg = "\"quoted\" \\ \x01 \u2028 é \x7f", "tab\t\xff\U0001F41D", "\xc3"
	for name, a := range map[string]honeyguide.Alert{
		"full": plain, "odd": odd, "empty": {}, "empty lists": {
			Reasons: []honeyguide.Reason{}, Attacks: []honeyguide.Technique{}, EventIDs: []string{}, Evidence: []honeyguide.Evidence{},
		},
	} {
		wantHead, wantRest := parts(t, a)
		head, rest, err := documents(&a, nil)
		if err != nil || head != wantHead || rest != wantRest {
			t.Errorf("%s: %v\n got %s %s\nwant %s %s", name, err, head, rest, wantHead, wantRest)
		}
		var got honeyguide.Alert
		if err := decodeAlert(head, rest, &got); err != nil {
			t.Errorf("%s: read: %v", name, err)
		}
		brief, without := honeyguide.Alert{}, got
		without.Reasons = nil
		if err := decodeBrief(head, rest, &brief); err != nil {
			t.Errorf("%s: read in brief: %v", name, err)
		}
		if d := cmp.Diff(without, brief, sameAddr); d != "" {
			t.Errorf("%s: in brief (-whole +brief):\n%s", name, d)
		}
		// documents has brought a to what its JSON says.
		if d := cmp.Diff(a, got, sameAddr); d != "" {
			t.Errorf("%s: read back (-written +read):\n%s", name, d)
		}
	}
	a := full(t)
	a.Reasons = a.Reasons[:1] // numbers with an exponent are too rare to be read by hand
	head, rest := parts(t, a)
	if r, x := (&reader{s: head}), (&reader{s: rest}); !r.head(&honeyguide.Alert{}) || !x.bulk(&honeyguide.Alert{}) {
		t.Error("a plain alert is not read by hand")
	}
}

// What is read by hand is what encoding/json reads, and any alert comes back as
// it was tidied.
func FuzzAlertDocument(f *testing.F) {
	head, rest := parts(f, full(f))
	f.Add(head, rest, "text")
	f.Add(`{"id":"x"}`, "", "\xff\"\\")
	f.Add(strings.Replace(head, "12.5", "012.5", 1), rest, "é")
	f.Fuzz(func(t *testing.T, head, rest, text string) {
		var byHand, want honeyguide.Alert
		r, x := reader{s: head}, reader{s: rest}
		if r.head(&byHand) && r.s == "" && x.bulk(&byHand) && x.s == "" {
			if err := json.Unmarshal([]byte(joined(head, rest)), &want); err != nil {
				t.Fatalf("read what is no alert: %v", err)
			}
			if d := cmp.Diff(want, byHand, sameAddr); d != "" {
				t.Fatalf("-json +by hand:\n%s", d)
			}
		}
		a := full(t)
		a.Title, a.DedupeKey, a.Evidence[0].Text, a.Observed[0].Value, a.Dst.Hostname, a.Reasons[0].Text = text, text, text, text, text, text
		a.Enrichments[0].Text, a.Enrichments[0].Data = text, map[string]string{text: text}
		state.TidyAlert(&a)
		wantHead, wantRest := parts(t, a)
		gotHead, gotRest, err := documents(&a, nil)
		if err != nil || gotHead != wantHead || gotRest != wantRest {
			t.Fatalf("%v\n got %s %s\nwant %s %s", err, gotHead, gotRest, wantHead, wantRest)
		}
		var back honeyguide.Alert
		if err := decodeAlert(gotHead, gotRest, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, back, sameAddr); d != "" {
			t.Fatalf("-written +read:\n%s", d)
		}
		a.Reasons = nil
		var brief honeyguide.Alert
		if err := decodeBrief(gotHead, gotRest, &brief); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, brief, sameAddr); d != "" {
			t.Fatalf("-written +read in brief:\n%s", d)
		}
	})
}
