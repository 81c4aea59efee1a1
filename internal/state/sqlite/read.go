package sqlite

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"honeyguide"
)

// decodeAlert reads the two parts of a stored alert into an empty one.
func decodeAlert(doc, rest string, a *honeyguide.Alert) error {
	return readAlert(reader{s: doc}, rest, a)
}

// decodeBrief is decodeAlert without the reasons.
func decodeBrief(doc, rest string, a *honeyguide.Alert) error {
	err := readAlert(reader{s: doc, brief: true}, rest, a)
	a.Reasons = nil
	return err
}

func readAlert(r reader, rest string, a *honeyguide.Alert) error {
	doc, x := r.s, reader{s: rest}
	if r.head(a) && r.s == "" && (rest == "" || x.bulk(a) && x.s == "") {
		return nil
	}
	*a = honeyguide.Alert{}
	return decode(joined(doc, rest), a)
}

// A reader reads what a writer wrote, when it is all plain: names in their order,
// no escapes, no blanks. Anything else it gives up on, and encoding/json has to
// read it. Texts are parts of the document, not copies.
type reader struct {
	s     string // what is left
	bad   bool
	brief bool // reasons are passed over
}

func (r *reader) head(a *honeyguide.Alert) bool {
	r.text(`{"id":`, &a.ID)
	r.text(`,"short":`, &a.Short)
	r.time(`,"time":`, &a.Time)
	r.time(`,"last_at":`, &a.LastAt)
	r.time(`,"created_at":`, &a.CreatedAt)
	r.text(`,"detector":`, &a.Detector)
	r.text(`,"rule_id":`, &a.RuleID)
	r.text(`,"title":`, &a.Title)
	var word string
	r.text(`,"severity":`, &word)
	r.bad = r.bad || a.Severity.UnmarshalText([]byte(word)) != nil
	r.text(`,"status":`, (*string)(&a.Status))
	r.text(`,"category":`, &a.Category)
	r.float(`,"score":`, &a.Score)
	if r.brief {
		r.until(`,"attacks":`) // inside a text its quotes would be escaped
	} else {
		a.Reasons = readList(r, `,"reasons":`, func(r *reader, x *honeyguide.Reason) {
			r.text(`{"feature":`, &x.Feature)
			r.float(`,"weight":`, &x.Weight)
			r.text(`,"text":`, &x.Text)
		})
	}
	a.Attacks = readList(r, `,"attacks":`, func(r *reader, x *honeyguide.Technique) {
		r.text(`{"id":`, &x.ID)
		r.some(`,"tactic":`, &x.Tactic)
		r.some(`,"why":`, &x.Why)
	})
	r.endpoint(`,"src":`, &a.Src)
	r.endpoint(`,"dst":`, &a.Dst)
	r.some(`,"sensor":`, &a.Sensor)
	r.some(`,"session":`, &a.Session)
	r.some(`,"attacker":`, &a.Attacker)
	a.Proven = r.skip(`,"proven":true`)
	r.some(`,"incident":`, &a.Incident)
	r.must(`,"count":`)
	a.Count = r.whole(64)
	r.text(`,"event_ids":null,"evidence":null,"dedupe_key":`, &a.DedupeKey)
	r.some(`,"personal_data":`, &a.Personal)
	r.some(`,"suppression":`, &a.Suppression)
	r.some(`,"seen":`, &a.Seen)
	if strings.HasPrefix(r.s, `,"verdict":`) {
		r.text(`,"verdict":{"as":`, (*string)(&a.Verdict.As))
		r.some(`,"reason":`, &a.Verdict.Reason)
		r.some(`,"comment":`, &a.Verdict.Comment)
		r.text(`,"by":`, &a.Verdict.By)
		r.time(`,"at":`, &a.Verdict.At)
		r.must("}")
	}
	if strings.HasPrefix(r.s, `,"handled":`) {
		r.text(`,"handled":{"by":`, &a.Handled.By)
		r.time(`,"at":`, &a.Handled.At)
		r.some(`,"note":`, &a.Handled.Note)
		r.must("}")
	}
	if r.skip(`,"enrichments":`) {
		r.other(&a.Enrichments)
	}
	r.must("}")
	return !r.bad
}

// other reads what is rare enough for encoding/json.
func (r *reader) other(to any) {
	d := json.NewDecoder(strings.NewReader(r.s))
	if r.bad || d.Decode(to) != nil {
		r.bad = true
		return
	}
	r.s = r.s[d.InputOffset():]
}

func (r *reader) bulk(a *honeyguide.Alert) bool {
	r.must(`{"event_ids":`)
	if !r.skip("null") {
		a.EventIDs = []string{}
		for r.must("["); !r.bad && !r.skip("]"); {
			if len(a.EventIDs) > 0 {
				r.must(",")
			}
			a.EventIDs = append(a.EventIDs, r.quoted())
		}
	}
	a.Evidence = readList(r, `,"evidence":`, func(r *reader, x *honeyguide.Evidence) {
		r.text(`{"event_id":`, &x.EventID)
		r.time(`,"time":`, &x.Time)
		r.text(`,"text":`, &x.Text)
	})
	if strings.HasPrefix(r.s, `,"observables":`) {
		a.Observed = readList(r, `,"observables":`, func(r *reader, x *honeyguide.Observable) {
			r.text(`{"name":`, &x.Name)
			r.text(`,"type":`, &x.Type)
			r.text(`,"value":`, &x.Value)
		})
	}
	r.must("}")
	return !r.bad
}

// readList reads a list of objects; item leaves the closing brace alone.
func readList[T any](r *reader, name string, item func(*reader, *T)) []T {
	r.must(name)
	if r.bad || r.skip("null") {
		return nil
	}
	out := []T{}
	for r.must("["); !r.bad && !r.skip("]"); {
		if len(out) > 0 {
			r.must(",")
		}
		var v T
		item(r, &v)
		r.must("}")
		out = append(out, v)
	}
	return out
}

func (r *reader) endpoint(name string, e *honeyguide.Endpoint) {
	r.must(name)
	r.must("{")
	if r.bad || r.skip("}") {
		return
	}
	r.s = "," + r.s // as if there were a member before
	var addr string
	if r.some(`,"addr":`, &addr); addr != "" {
		var err error
		e.Addr, err = netip.ParseAddrPort(addr)
		r.bad = r.bad || err != nil
	}
	r.some(`,"hostname":`, &e.Hostname)
	r.some(`,"country":`, &e.Country)
	if r.skip(`,"asn":`) {
		e.ASN = uint32(r.whole(32))
	}
	r.some(`,"as_org":`, &e.ASOrg)
	r.must("}")
}

// skip takes a word when it is next.
func (r *reader) skip(word string) bool {
	rest, ok := strings.CutPrefix(r.s, word)
	r.s = rest
	return ok
}

// until passes over everything before a word.
func (r *reader) until(word string) {
	if at := strings.Index(r.s, word); at >= 0 {
		r.s = r.s[at:]
		return
	}
	r.bad = true
}

func (r *reader) must(word string) { r.bad = !r.skip(word) || r.bad }

// some reads a text that is there only when it is not empty.
func (r *reader) some(name string, to *string) {
	if strings.HasPrefix(r.s, name) {
		r.text(name, to)
	}
}

func (r *reader) text(name string, to *string) {
	r.must(name)
	*to = r.quoted()
}

func (r *reader) quoted() string {
	if r.bad || !r.skip(`"`) {
		r.bad = true
		return ""
	}
	s, rest, ok := strings.Cut(r.s, `"`)
	if !ok || !plain(s) {
		r.bad = true
		return ""
	}
	r.s = rest
	return s
}

func (r *reader) time(name string, to *time.Time) {
	r.must(name)
	s := r.quoted()
	t, err := time.Parse(time.RFC3339Nano, s)
	if r.bad || err != nil || !strings.HasSuffix(s, "Z") {
		r.bad = true
		return
	}
	*to = t
}

// digits takes the characters of a number.
func (r *reader) digits(set string) string {
	n := len(r.s) - len(strings.TrimLeft(r.s, set))
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) whole(bits int) int64 {
	s := r.digits("-0123456789")
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || bits == 32 && (n < 0 || n > 1<<32-1) || strconv.FormatInt(n, 10) != s {
		r.bad = true
	}
	return n
}

func (r *reader) float(name string, to *float64) {
	r.must(name)
	s := r.digits("-.0123456789")
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strconv.FormatFloat(f, 'f', -1, 64) != s {
		r.bad = true
	}
	*to = f
}
