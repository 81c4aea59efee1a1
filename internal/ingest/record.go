package ingest

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"honeyguide"
)

// A Record is one record of a stream, handed to mappers. It is valid until the
// mapper returns.
type Record struct {
	Line int64          // number of the line it begins on, 1-based
	Raw  []byte         // as it came
	Root Value          // its fields; a table's row is an object of texts
	Now  time.Time      // when it is read
	Zone *time.Location // of times that name none

	doc      document
	timeless bool // it names no time
	plain    bool // it is text, not fields
	line     string
	header   header
	inner    document // of Inner, and its text
	text     []byte
	names    map[string]string // of kept fields, by attribute

	keptFor         *honeyguide.Event // the event Keep works on
	kept, keptBytes int               // its fields, and their bytes
	notes           map[string]int64
	types           map[string]int64
}

// wrappers are members that hold the record itself: an index's answer, and the
// body of an integration hook.
var wrappers = []string{"_source", "all_fields"}

// take makes r the record that was parsed last.
func (r *Record) take(line int64, raw []byte) {
	r.begin(line, raw)
	r.Root = r.doc.root()
	for _, name := range wrappers {
		if in := r.Root.Get(name); in.Type() == Object {
			r.Root = in
		}
	}
}

// Identity is the content of the record without the blanks between tokens: what
// tells a record without an id from others.
func (r *Record) Identity() string {
	if r.plain || r.doc.names != nil {
		return string(r.Raw)
	}
	return string(compact(r.Raw))
}

// Note counts something odd that did not stop the record, by a stable name
// such as "bad_port".
func (r *Record) Note(name string) { count(&r.notes, name) }

// Unknown counts a record type the mapper has no words for.
func (r *Record) Unknown(name string) { count(&r.types, name) }

// maxCounted bounds the names counted from input.
const maxCounted = 100

func count(m *map[string]int64, name string) {
	if *m == nil {
		*m = map[string]int64{}
	}
	if _, known := (*m)[name]; !known && len(*m) >= maxCounted {
		name = "..."
	}
	(*m)[name]++
}

// A FieldError says which field of a record cannot be understood. It never
// repeats the value.
type FieldError struct {
	Field string // path of the field
	Why   string // what is wrong with it
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Why }

// A dropped is a record its mapper leaves out on purpose.
type dropped struct{ what string }

func (d *dropped) Error() string { return "left out: " + d.what }

// Drop is what a mapper returns for a record that is left out on purpose, such
// as a product's own statistics. It is counted by name, and is no dead letter.
func Drop(name string) error { return &dropped{name} }

// Addr reads an IP address from the first of paths that has one. What says
// nothing gives the zero address; what is no address is an error naming the
// field. IPv4 within IPv6 is unwrapped, a zone is cut off, and a port behind
// the address is left out. Of a list the first counts: an index gives lists back
// for what was one.
func (r *Record) Addr(paths ...string) (netip.Addr, error) {
	v, path := r.Root.First(paths...)
	if v.Type() == Missing {
		return netip.Addr{}, nil
	}
	a, ok := parseAddr(strings.TrimSpace(v.one().Text()))
	if !ok {
		return netip.Addr{}, &FieldError{path, "not an IP address"}
	}
	return a, nil
}

func parseAddr(s string) (netip.Addr, bool) {
	if len(s) > 64 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	a = a.Unmap().WithZone("")
	if a.Is6() && a.IsUnspecified() {
		return netip.Addr{}, true // "::" is how products pad what they do not know
	}
	return a, true
}

// Port reads a port from the first of paths that has one; 0 when there is none.
// A number that is no port is noted and left to the caller as text.
func (r *Record) Port(paths ...string) (uint16, string) {
	v, _ := r.Root.First(paths...)
	if v.Type() == Missing {
		return 0, ""
	}
	n, ok := v.one().Int()
	if !ok || n < 0 || n > 65535 {
		r.Note("bad_port")
		return 0, v.Text()
	}
	return uint16(n), ""
}

// Time reads a time from the first of paths that has one. When none has, the
// record's own time is unknown: it is noted, and the time of reading is
// returned with known false.
func (r *Record) Time(paths ...string) (t time.Time, known bool, err error) {
	v, path := r.Root.First(paths...)
	if v.Type() == Missing {
		r.Note("time_missing")
		r.timeless = true
		return r.Now, false, nil
	}
	t, err = ParseTime(v.one().Text(), r.Zone)
	if err != nil {
		return time.Time{}, false, &FieldError{path, err.Error()}
	}
	return t, true, nil
}

// maxAhead is how far in the future a time may lie without being noted.
const maxAhead = 5 * time.Minute

// String says where the record stands, not what it holds.
func (r *Record) String() string { return fmt.Sprintf("record on line %d", r.Line) }
