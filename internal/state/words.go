package state

import (
	"strings"
	"unicode"

	"honeyguide"
)

// MaxWords is how many words a text filter may have.
const MaxWords = 16

// maxText bounds the searched text of one row, in bytes. What a row says beyond
// that is shown but not found by words.
const maxText = 8 << 10

// Words splits the text of a filter at blanks. Every word must occur in the row;
// the last one may be the beginning of a word. A word with punctuation inside
// (an address, a path) is found as that sequence. Case does not matter. Pieces
// without a letter or a digit are passed over; ok is false when nothing is left
// to look for although text is not blank, and then nothing is found. More than
// MaxWords words are an error.
func Words(text string) (words []string, ok bool, err error) {
	fields := strings.Fields(Column(text))
	for _, w := range fields {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			words = append(words, w)
		}
	}
	if len(words) > MaxWords {
		return nil, false, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "text: at most 16 words; leave some out"}
	}
	return words, len(words) > 0 || len(fields) == 0, nil
}

// text gathers what is searched of a row, each thing once.
type text struct {
	b    strings.Builder
	seen map[string]bool
}

func (t *text) add(parts ...string) {
	for _, s := range parts {
		if s == "" || t.seen[s] || t.b.Len() >= maxText {
			continue
		}
		if t.seen == nil {
			t.seen = make(map[string]bool)
		}
		t.seen[s] = true
		t.b.WriteString(Clip(s, maxText-t.b.Len()))
		t.b.WriteByte('\n')
	}
}

func (t *text) endpoint(e honeyguide.Endpoint) {
	t.add(Addr(e), e.Hostname, e.Country, e.ASOrg)
}

func (t *text) String() string { return Column(t.b.String()) }

// AlertText is what a text filter looks at beside an alert's title.
func AlertText(a *honeyguide.Alert) string {
	var t text
	t.add(a.RuleID, a.Detector, a.Category, a.Sensor, a.Session)
	if a.Attacker != "attacker:"+Addr(a.Src) { // its words are those of the source
		t.add(a.Attacker)
	}
	t.endpoint(a.Src)
	t.endpoint(a.Dst)
	for _, x := range a.Attacks {
		t.add(x.ID, x.Tactic)
	}
	for _, o := range a.Observed {
		t.add(o.Value)
	}
	for _, e := range a.Evidence {
		t.add(e.Text)
	}
	return t.String()
}

// IncidentText is what a text filter looks at beside an incident's title.
func IncidentText(i *honeyguide.Incident) string {
	var t text
	t.add(i.Key, string(i.Phase), i.Owner)
	for _, x := range i.Attacks {
		t.add(x.ID, x.Tactic)
	}
	t.add(i.Attackers...)
	return t.String()
}

// SessionText is what a text filter looks at in a session.
func SessionText(s *honeyguide.Session) string {
	var t text
	t.add(s.ID, s.Service, s.Sensor, s.User, s.Client)
	t.endpoint(s.Src)
	t.add(Addr(s.Dst))
	t.add(s.Tokens...)
	return t.String()
}
