package blocklist

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"honeyguide/internal/safetext"
)

// A Format is a shape the whole list is written in.
type Format struct {
	Name    string // as in a URL
	Summary string // one sentence
	Type    string // content type
	Suffix  string // of a file's name
	begin   func(About) encoder
}

// An About is what formats say of who publishes the list.
type About struct {
	Node string // name of this node
}

// An encoder appends a list to a buffer, a decision at a time.
type encoder interface {
	head(b []byte) []byte
	row(b []byte, d *Decision, first bool) []byte
	tail(b []byte) []byte
}

const plainText = "text/plain; charset=utf-8"

// Formats returns every format, by name.
func Formats() []Format {
	return []Format{
		{"csv", "a table with a header line", "text/csv; charset=utf-8; header=present", ".csv", func(About) encoder { return table{} }},
		{"haproxy", "a map file of HAProxy: address and the word ban", plainText, ".map", lines("", " ban")},
		{"json", "an object with all items, times and origins", "application/json", ".json", func(About) encoder { return object{} }},
		{"misp", "a MISP event with one attribute an address", "application/json", ".json", func(a About) encoder { return newEvent(a) }},
		{"nginx-deny", "deny directives for an nginx include", plainText, ".conf", lines("deny ", ";")},
		{"nginx-geo", "the inside of an nginx geo block: address and 1", plainText, ".conf", lines("", " 1;")},
		{"stix", "a STIX 2.1 bundle with one indicator an address", "application/stix+json;version=2.1", ".json", func(a About) encoder { return newBundle(a) }},
		{"text", "an address or prefix a line", plainText, ".txt", lines("", "")},
	}
}

// LookupFormat finds a format by its name.
func LookupFormat(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// flushAt is how much is gathered before it is written.
const flushAt = 32 << 10

// Write writes what f selects of l to w, never more than a few dozen KiB at a
// time. An error is that of w, or that ctx ended; what was written then is cut
// short and must not be taken for a list.
func (t Format) Write(ctx context.Context, w io.Writer, l *List, f Filter, about About) error {
	e := t.begin(about)
	b := e.head(make([]byte, 0, flushAt+4096))
	first := true
	err := l.Walk(ctx, f, func(part []Decision) error {
		for i := range part {
			b = e.row(b, &part[i], first)
			first = false
			if len(b) < flushAt {
				continue
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
		return nil
	})
	if err == nil {
		_, err = w.Write(e.tail(b))
	}
	if err != nil {
		return fmt.Errorf("write the list as %s: %w", t.Name, err)
	}
	return nil
}

// affix writes a line of an address between two texts.
type affix struct{ before, after string }

func lines(before, after string) func(About) encoder {
	return func(About) encoder { return affix{before, after} }
}

func (a affix) head(b []byte) []byte { return b }
func (a affix) tail(b []byte) []byte { return b }
func (a affix) row(b []byte, d *Decision, _ bool) []byte {
	return append(append(d.AppendValue(append(b, a.before...)), a.after...), '\n')
}

// table is CSV (RFC 4180, lines end with LF). Every cell is one no spreadsheet
// runs: names of playbooks are people's words.
type table struct{}

func (table) head(b []byte) []byte {
	return append(b, "value,scope,since,until,origin,scenario,action,incident,plan\n"...)
}
func (table) tail(b []byte) []byte { return b }
func (table) row(b []byte, d *Decision, _ bool) []byte {
	var s strings.Builder
	w := csv.NewWriter(&s)
	cells := []string{d.Value(), d.Scope(), stamp(d.Since), stamp(d.Until), Origin, d.Scenario(), d.Action, d.Incident, d.Plan}
	for i, c := range cells {
		cells[i] = safetext.CSV(safetext.Term(c))
	}
	_ = w.Write(cells) // a Builder takes everything
	w.Flush()
	return append(b, s.String()...)
}

// object is one JSON object with a list of items, as the API's lists are.
type object struct{}

func (object) head(b []byte) []byte { return append(b, `{"items":[`...) }
func (object) tail(b []byte) []byte { return append(b, "\n],\"next\":\"\"}\n"...) }
func (object) row(b []byte, d *Decision, first bool) []byte {
	b = append(separate(b, first), `{"value":`...)
	b = Quote(b, d.Value())
	b = Quote(append(b, `,"scope":`...), d.Scope())
	b = Quote(append(b, `,"type":"ban","since":`...), stamp(d.Since))
	b = Quote(append(b, `,"until":`...), stamp(d.Until))
	b = Quote(append(b, `,"origin":`...), Origin)
	b = Quote(append(b, `,"scenario":`...), d.Scenario())
	b = Quote(append(b, `,"action":`...), d.Action)
	b = Quote(append(b, `,"incident":`...), d.Incident)
	b = Quote(append(b, `,"plan":`...), d.Plan)
	return append(b, '}')
}

// separate ends the item before.
func separate(b []byte, first bool) []byte {
	if first {
		return append(b, '\n')
	}
	return append(b, ",\n"...)
}

// stamp writes a time as all formats do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Quote appends s as a JSON string. Nearly everything here is plain letters.
func Quote(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string always marshals
			return append(b, safetext.JSON(text)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
