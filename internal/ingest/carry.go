package ingest

import (
	"time"

	"honeyguide"
)

// A Carrier is a mapper whose records may bring along a record of another product
// that nobody has parsed yet: a shipper sends a line of a log as it read it, and
// leaves the parsing to an index that is not there.
type Carrier interface {
	Mapper
	// Carried returns what r brings along, best guess first: lines of text, or JSON
	// objects. It returns nothing for a record that says more by itself.
	Carried(r *Record) []string
	// Around sets on e, mapped from what r brought along, what only r knows.
	Around(r *Record, e *honeyguide.Event)
}

// maxCarried bounds the guesses tried for one record.
const maxCarried = 4

// carried maps what the record brings along, if it does and a mapper other than
// its own is sure of it. It returns that mapper, and leaves the events in scratch.
func (j *job) carried(f *Format) *Format {
	c, ok := f.Mapper.(Carrier)
	if !ok {
		return nil
	}
	guesses := c.Carried(&j.rec)
	for _, text := range guesses[:min(len(guesses), maxCarried)] {
		if len(text) == 0 {
			continue
		}
		if g := j.within(f, text); g != nil {
			for i := range j.scratch {
				e := &j.scratch[i]
				if j.in.timeless { // the record has the time at which it was read
					if at, _, err := j.rec.Time("@timestamp"); err == nil {
						e.Time = at
					}
				}
				c.Around(&j.rec, e)
			}
			return g
		}
	}
	return nil
}

// within maps text with the mapper that knows it best, but for the carrier.
func (j *job) within(f *Format, text string) *Format {
	if j.in == nil {
		j.in = new(Record)
	}
	in := j.in
	in.text = append(in.text[:0], text...)
	in.Now, in.Zone = j.rec.Now, j.rec.Zone
	if at, err := time.Parse("-07:00", j.rec.Root.Path("event.timezone").Text()); err == nil {
		in.Zone = at.Location()
	}
	if text[0] == '{' {
		if _, err := in.doc.parse(in.text); err != nil {
			return nil
		}
		in.take(j.rec.Line, in.text)
	} else {
		in.takeLine(j.rec.Line, in.text)
	}
	best, most := -1, 0
	for i := range j.choose.all {
		g := &j.choose.all[i]
		_, lines := g.Mapper.(Liner)
		if g == f || g.Name == f.Name || g.Name == formatGeneric || in.plain && !lines {
			continue
		}
		if m := g.Match(in); m > most && (in.plain || m >= MatchSure) {
			best, most = i, m
		}
	}
	if best < 0 {
		return nil
	}
	in.notes, in.types = j.rec.notes, j.rec.types
	events, err := j.choose.all[best].Map(j.scratch[:0], in)
	j.rec.notes, j.rec.types = in.notes, in.types
	if err != nil || len(events) == 0 {
		return nil // the record is read for itself
	}
	j.scratch = events
	return &j.choose.all[best]
}
