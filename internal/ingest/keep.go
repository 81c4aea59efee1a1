package ingest

import (
	"time"

	"honeyguide"
)

// Bounds of the original fields kept of one event by Keep.
const (
	maxKept      = 256
	maxKeptText  = 16 << 10 // of one field
	maxKeptBytes = 64 << 10 // of all together: an event has to fit into the log
	maxKeptName  = 128
)

// Keep stores an original field of the record with its own name and text, as rules
// written for the product name it. Unlike [honeyguide.Event.Set] it keeps an empty
// text too: rules ask for those. The last field of a name wins.
func (r *Record) Keep(e *honeyguide.Event, name, value string) {
	if r.keptFor != e {
		r.keptFor, r.kept, r.keptBytes = e, 0, 0
	}
	if r.kept >= maxKept || r.keptBytes >= maxKeptBytes {
		r.Note("fields_cut")
		return
	}
	if len(value) > maxKeptText || len(value) > maxKeptBytes-r.keptBytes {
		value = Cut(value, min(maxKeptText, maxKeptBytes-r.keptBytes))
		r.Note("fields_cut")
	}
	key := r.unmapped(name)
	if e.Attrs == nil {
		e.Attrs = make(map[string]any, 32)
	}
	e.Attrs[key] = value
	r.kept++
	r.keptBytes += len(name) + len(value)
}

// unmapped returns a field's name as an attribute. Products have few names, so
// they are kept for reuse.
func (r *Record) unmapped(name string) string {
	if key, ok := r.names[name]; ok {
		return key
	}
	if r.names == nil || len(r.names) >= maxInterned {
		r.names = make(map[string]string, 64)
	}
	key := AttrUnmapped + Cut(name, maxKeptName)
	r.names[name] = key
	return key
}

// Source says what wrote the record, in the words Sigma rules are addressed by;
// each may be "".
func Source(e *honeyguide.Event, product, category, service string) {
	e.Set(honeyguide.AttrLogProduct, product)
	e.Set(honeyguide.AttrLogCategory, category)
	e.Set(honeyguide.AttrLogService, service)
}

// Inner parses text that is a JSON object of its own, such as a member that holds
// another record. The value is valid until the next call and the next record.
func (r *Record) Inner(text string) (Value, bool) {
	if len(text) == 0 || text[0] != '{' {
		return Value{}, false
	}
	r.text = append(r.text[:0], text...)
	n, err := r.inner.parse(r.text)
	return r.inner.root(), err == nil && len(trimLeft(r.text[n:])) == 0
}

// Untimed notes that the record names no time and returns the time it is read at.
func (r *Record) Untimed() time.Time {
	r.Note("time_missing")
	r.timeless = true
	return r.Now
}

// farBehind is how old a record may be without being noted.
const farBehind = 90 * 24 * time.Hour

// AttrAhead is how far, in milliseconds, a record's time lies in the future, when
// that is more than five minutes: the clock of its product is wrong.
const AttrAhead = "metadata.clock_ahead_ms"

// skew notes a time far from when the record is read.
func (r *Record) skew(e *honeyguide.Event) {
	switch d := e.Time.Sub(r.Now); {
	case d > maxAhead:
		r.Note("clock_ahead")
		e.Set(AttrAhead, d.Milliseconds())
	case d < -farBehind:
		r.Note("clock_behind")
	}
}
