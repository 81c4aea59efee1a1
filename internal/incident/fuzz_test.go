package incident_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/incident"
)

// FuzzDossier writes whatever an attacker or an analyst may have said, and looks
// for what got out of its place.
func FuzzDossier(f *testing.F) {
	for _, s := range []string{"", hostile, "`", "``", "|", "\\|", "\\`", "\xff\xfe", strings.Repeat("`|\\", 300), "U+6F22", "\u2028\u2029\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := incident.Dossier{
			MadeAt: noon, MadeBy: s,
			Incident: honeyguide.Incident{Short: "I-1", Title: s, Owner: s, CreatedAt: noon, Attackers: []string{s}, Tasks: []honeyguide.Task{{ID: "T-1", Title: s, Owner: s}}},
			Timeline: []honeyguide.TimelineEntry{{At: noon, SeenAt: noon.Add(time.Second), Kind: "comment", By: s, Text: s}},
			Alerts:   []honeyguide.Alert{{Short: "A-1", Time: noon, Title: s, RuleID: s, Reasons: []honeyguide.Reason{{Text: s}}}},
		}
		doc, _, err := d.Write("markdown")
		if err != nil {
			t.Fatal(err)
		}
		for l := range bytes.SplitSeq(doc, []byte("\n")) {
			if bytes.Count(l, []byte("`"))%2 != 0 {
				t.Errorf("a code span is open: %q", l)
			}
		}
		if bytes.Contains(doc, []byte("\n\n\n")) || !strings.HasPrefix(string(doc), "# Incident I-1\n") || bytes.Count(doc, []byte("\n# ")) > 0 {
			t.Errorf("the text has another shape: %q", doc)
		}
		for _, form := range []string{"pdf", "json"} {
			if _, _, err := d.Write(form); err != nil {
				t.Errorf("%s: %v", form, err)
			}
		}
	})
}
