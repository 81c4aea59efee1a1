package sqlite

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"time"

	"honeyguide"
)

// Alerts are written and read by hand: under a flood half of the time of the state
// went into encoding/json. What is written is byte for byte what encoding/json
// writes with HTML escaping off, so either may read what the other wrote.

// A writer appends JSON.
type writer struct {
	b   []byte
	bad bool // some text was no UTF-8 and is U+FFFD now
}

// head appends an alert without its bulk.
func (w *writer) head(a *honeyguide.Alert) {
	w.text(`{"id":`, a.ID)
	w.text(`,"short":`, a.Short)
	w.time(`,"time":`, a.Time)
	w.time(`,"last_at":`, a.LastAt)
	w.time(`,"created_at":`, a.CreatedAt)
	w.text(`,"detector":`, a.Detector)
	w.text(`,"rule_id":`, a.RuleID)
	w.text(`,"title":`, a.Title)
	w.text(`,"severity":`, a.Severity.String())
	w.text(`,"status":`, string(a.Status))
	w.text(`,"category":`, a.Category)
	w.float(`,"score":`, a.Score)
	appendList(w, `,"reasons":`, a.Reasons, func(w *writer, r *honeyguide.Reason) {
		w.text(`{"feature":`, r.Feature)
		w.float(`,"weight":`, r.Weight)
		w.text(`,"text":`, r.Text)
	})
	appendList(w, `,"attacks":`, a.Attacks, func(w *writer, t *honeyguide.Technique) {
		w.text(`{"id":`, t.ID)
		w.some(`,"tactic":`, t.Tactic)
		w.some(`,"why":`, t.Why)
	})
	w.endpoint(`,"src":`, &a.Src)
	w.endpoint(`,"dst":`, &a.Dst)
	w.some(`,"sensor":`, a.Sensor)
	w.some(`,"session":`, a.Session)
	w.some(`,"attacker":`, a.Attacker)
	if a.Proven {
		w.b = append(w.b, `,"proven":true`...)
	}
	w.some(`,"incident":`, a.Incident)
	w.b = strconv.AppendInt(append(w.b, `,"count":`...), a.Count, 10)
	w.text(`,"event_ids":null,"evidence":null,"dedupe_key":`, a.DedupeKey)
	w.some(`,"personal_data":`, a.Personal)
	w.some(`,"suppression":`, a.Suppression)
	w.some(`,"seen":`, a.Seen)
	if a.Verdict != (honeyguide.Verdict{}) {
		w.text(`,"verdict":{"as":`, string(a.Verdict.As))
		w.some(`,"reason":`, a.Verdict.Reason)
		w.some(`,"comment":`, a.Verdict.Comment)
		w.text(`,"by":`, a.Verdict.By)
		w.time(`,"at":`, a.Verdict.At)
		w.b = append(w.b, '}')
	}
	if a.Handled != (honeyguide.Handled{}) {
		w.text(`,"handled":{"by":`, a.Handled.By)
		w.time(`,"at":`, a.Handled.At)
		w.some(`,"note":`, a.Handled.Note)
		w.b = append(w.b, '}')
	}
	if len(a.Enrichments) > 0 {
		w.other(`,"enrichments":`, a.Enrichments)
	}
	w.b = append(w.b, '}')
}

// other appends what is rare enough for encoding/json.
func (w *writer) other(name string, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // texts, numbers and tidy moments always can
	w.bad = w.bad || bytes.Contains(b.Bytes(), []byte(`\ufffd`))
	w.b = append(append(w.b, name...), bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// bulk appends what is stored by itself.
func (w *writer) bulk(x *bulk) {
	w.b = append(w.b, `{"event_ids":`...)
	if x.EventIDs == nil {
		w.b = append(w.b, "null"...)
	} else {
		w.b = append(w.b, '[')
		for i, id := range x.EventIDs {
			w.text(comma(i), id)
		}
		w.b = append(w.b, ']')
	}
	appendList(w, `,"evidence":`, x.Evidence, func(w *writer, e *honeyguide.Evidence) {
		w.text(`{"event_id":`, e.EventID)
		w.time(`,"time":`, e.Time)
		w.text(`,"text":`, e.Text)
	})
	if len(x.Observed) > 0 {
		appendList(w, `,"observables":`, x.Observed, func(w *writer, o *honeyguide.Observable) {
			w.text(`{"name":`, o.Name)
			w.text(`,"type":`, o.Type)
			w.text(`,"value":`, o.Value)
		})
	}
	w.b = append(w.b, '}')
}

func comma(i int) string {
	if i > 0 {
		return ","
	}
	return ""
}

// appendList appends a list of objects; item leaves the closing brace out.
func appendList[T any](w *writer, name string, list []T, item func(*writer, *T)) {
	w.b = append(w.b, name...)
	if list == nil {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '[')
	for i := range list {
		w.b = append(w.b, comma(i)...)
		item(w, &list[i])
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

func (w *writer) endpoint(name string, e *honeyguide.Endpoint) {
	w.b = append(append(w.b, name...), '{')
	begin := len(w.b)
	if e.Addr != (netip.AddrPort{}) {
		w.b = append(w.b, `,"addr":"`...)
		w.b, _ = e.Addr.AppendText(w.b) // never fails; a zone has been cut off
		w.b = append(w.b, '"')
	}
	w.some(`,"hostname":`, e.Hostname)
	w.some(`,"country":`, e.Country)
	if e.ASN != 0 {
		w.b = strconv.AppendUint(append(w.b, `,"asn":`...), uint64(e.ASN), 10)
	}
	w.some(`,"as_org":`, e.ASOrg)
	if len(w.b) > begin { // the first comma is one too many
		w.b = append(w.b[:begin], w.b[begin+1:]...)
	}
	w.b = append(w.b, '}')
}

// some appends a text unless it is empty.
func (w *writer) some(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *writer) text(name, s string) {
	w.b = append(append(w.b, name...), '"')
	if plain(s) {
		w.b = append(append(w.b, s...), '"')
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can
	// The encoder writes the escape for a bad byte only; a true U+FFFD is written raw.
	w.bad = w.bad || bytes.Contains(b.Bytes(), []byte(`\ufffd`))
	w.b = append(w.b, bytes.TrimSuffix(b.Bytes()[1:], []byte("\n"))...)
}

// plain reports whether a text stands in JSON as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// time appends a moment the store has tidied: of a year RFC 3339 can write.
func (w *writer) time(name string, t time.Time) {
	w.b = append(append(w.b, name...), '"')
	w.b = append(t.AppendFormat(w.b, time.RFC3339Nano), '"')
}

func (w *writer) float(name string, f float64) {
	w.b = append(w.b, name...)
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		raw, _ := json.Marshal(f) // finite, so it can be written
		w.b = append(w.b, raw...)
		return
	}
	w.b = strconv.AppendFloat(w.b, f, 'f', -1, 64)
}
