// Package windows reads events of the Windows event log, of Sysmon for Windows
// and of Sysmon for Linux, in every encoding shippers use: flat JSON (NXLog and
// others), the JSON of evtx exports, event XML alone or inside a line of syslog,
// Log Analytics rows, and Winlogbeat. Binary .evtx files arrive here as XML.
//
// All of them end in the same fields: those of EventData under their own names,
// those of System under the names Sigma rules use (Channel, EventID, Computer,
// Provider_Name, EventRecordID, Execution_ProcessID, Security_UserID, ...). Every
// field is kept as text under "unmapped." and its name, `-` and empty texts too,
// because rules ask for them. Typed copies stand under OCSF names.
package windows

import (
	"context"
	"strings"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads Windows events.
var Kind = kind.Of("windows", "Windows event log and Sysmon, as JSON of five shippers or as XML.", Config{}, open)

const product = "windows"

type mapper struct{ forms sync.Pool }

var _ ingest.Liner = (*mapper)(nil)

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) {
	return &mapper{forms: sync.Pool{New: func() any { return new(form) }}}, nil
}

// Lines marks a mapper of text: event XML, alone or in a line of syslog.
func (*mapper) Lines() {}

// Match knows an event by the marks of its encoding.
func (*mapper) Match(r *ingest.Record) int {
	if _, ok := encodingOf(r); ok {
		return ingest.MatchSure + 10
	}
	return 0
}

// Map makes one event of the record.
func (m *mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	read, ok := encodingOf(r)
	if !ok {
		return dst, &ingest.FieldError{Field: "EventID", Why: "missing; this is no Windows event"}
	}
	f := m.forms.Get().(*form)
	defer m.forms.Put(f)
	f.reset()
	if err := read(r, f); err != nil {
		return dst, err
	}
	f.close()
	if f.cut {
		r.Note("xml_cut")
	}
	e := honeyguide.Event{Severity: honeyguide.SeverityInformational, Service: product, Attrs: make(map[string]any, f.len()+16)}
	if err := f.time(r, &e); err != nil {
		return dst, err
	}
	describe(r, f, &e)
	f.keep(r, &e)
	return append(dst, e), nil
}

// A form is an event in its normal form: fields by name.
type form struct {
	names, values []string
	has           uint64 // bits of the names there are
	system        int    // the fields up to here are of System, those behind of EventData
	cut           bool   // its text ended before it did
}

func (f *form) reset() {
	clear(f.names)
	clear(f.values)
	f.names, f.values, f.system, f.cut, f.has = f.names[:0], f.values[:0], 0, false, 0
}

func (f *form) len() int { return len(f.names) }

// maxFields bounds the fields of one event.
const maxFields = 400

// add appends a field.
func (f *form) add(name, value string) {
	if name != "" && len(f.names) < maxFields {
		f.names, f.values = append(f.names, name), append(f.values, value)
		f.has |= bit(name)
	}
}

// close ends an event: a field of System whose name EventData has too gives way.
func (f *form) close() {
	for i := range f.system {
		if name := f.names[i]; at(f.names[f.system:], name) >= 0 {
			f.names[i] = "System_" + name
			f.has |= bit(f.names[i])
		}
	}
}

func at(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return -1
}

// get returns the first field that is there and says something.
func (f *form) get(names ...string) string {
	for _, name := range names {
		if f.has&bit(name) == 0 {
			continue
		}
		if i := at(f.names, name); i >= 0 && !nothing(f.values[i]) {
			return f.values[i]
		}
	}
	return ""
}

// bit is a place in a set of 64 for a name: most names that are not there are
// known not to be without a look at the others.
func bit(name string) uint64 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return 1 << ((uint(name[0])*7 + uint(name[n-1])*13 + uint(name[n/2])*5 + uint(n)*3) % 64)
}

// nothing reports whether a value is a word for nothing.
func nothing(s string) bool {
	switch strings.TrimSpace(s) {
	case "", "-", "(null)", "null", "N/A", "S-1-0-0":
		return true
	}
	return false
}

// keep stores every field under its own name.
func (f *form) keep(r *ingest.Record, e *honeyguide.Event) {
	for i, name := range f.names {
		if name == "Message" {
			continue // what the fields say once more, as prose
		}
		r.Keep(e, name, f.values[i])
	}
	if i := at(f.names, "Message"); i >= 0 {
		r.Keep(e, "Message", ingest.Cut(f.values[i], maxMessage))
	}
}

// maxMessage bounds the prose of an event in bytes.
const maxMessage = 1024

// stamps are the fields that name the time, the surest first. Sysmon's own is UTC
// though it does not say so.
var stamps = []string{"TimeCreated_SystemTime", "UtcTime", "TimeCreated", "@timestamp", "TimeGenerated", "EventTime"}

// time sets the event's time. NXLog's EventTime is the machine's own clock without
// a zone, so that of the source applies.
func (f *form) time(r *ingest.Record, e *honeyguide.Event) error {
	for _, name := range stamps {
		s := f.get(name)
		if s == "" {
			continue
		}
		zone := time.UTC
		if name == "EventTime" {
			zone = r.Zone
		}
		t, err := ingest.ParseTime(s, zone)
		if err != nil {
			return &ingest.FieldError{Field: name, Why: err.Error()}
		}
		e.Time = t
		return nil
	}
	e.Time = r.Untimed()
	return nil
}
