package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"honeyguide"
	"honeyguide/internal/kind"
)

// A Mapper knows the records of one product.
type Mapper interface {
	// Match says how sure it is that r is its product's: 0 not at all, MatchSure
	// or more beyond doubt.
	Match(r *Record) int
	// Map appends the events r stands for to dst. A *FieldError names what it
	// cannot understand and makes r a dead letter; Drop leaves r out.
	// It sets Time, Class, Activity and what the record says; Read fills ID
	// (when empty), Observed, Sensor and Raw (when empty).
	Map(dst []honeyguide.Event, r *Record) ([]honeyguide.Event, error)
}

// How sure a match is.
const (
	MatchSome = 10 // the record has the outer form
	MatchSure = 80 // marks only this product makes
)

// Deps is what the host lends to every mapper.
type Deps struct{}

// A Set lists the kinds of mappers there are.
type Set = kind.Set[Deps, Mapper]

// A Format is a mapper under its name.
type Format struct {
	Name string
	Mapper
}

// OpenAll opens every kind of the set with its defaults, in the order of names.
func OpenAll(ctx context.Context, set Set, dep Deps) ([]Format, error) {
	var all []Format
	for _, k := range set {
		m, err := k.Open(ctx, nil, dep)
		if err != nil {
			return nil, fmt.Errorf("open the %s reader: %w", k.Name, err)
		}
		all = append(all, Format{k.Name, m})
	}
	slices.SortFunc(all, func(a, b Format) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Names of formats that are no mapper's own.
const (
	FormatAuto    = "auto"    // find out for each record
	FormatJSON    = "json"    // alerts with usual names, as JSON
	FormatCSV     = "csv"     // alerts with usual names, as CSV
	formatGeneric = "generic" // the mapper behind json and csv
)

// FormatNames returns what Options.Format may be, for help and errors.
func FormatNames(formats []Format) []string {
	names := []string{FormatAuto, FormatCSV, FormatJSON}
	for _, f := range formats {
		if f.Name != formatGeneric {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// A chooser finds the mapper of a record.
type chooser struct {
	all  []Format
	last int  // index of the mapper that took the record before
	only bool // there is no choice
}

func newChooser(opts *Options) (*chooser, error) {
	want := opts.Format
	switch want {
	case "", FormatAuto:
		if len(opts.Mappers) == 0 {
			return nil, fmt.Errorf("no format is known")
		}
		return &chooser{all: opts.Mappers}, nil
	case FormatJSON, FormatCSV:
		want = formatGeneric
	}
	for i, f := range opts.Mappers {
		if f.Name == want {
			return &chooser{all: opts.Mappers, last: i, only: true}, nil
		}
	}
	return nil, &honeyguide.Error{
		Code:    honeyguide.CodeInvalid,
		Message: fmt.Sprintf("format: there is no such format; there are: %v", FormatNames(opts.Mappers)),
	}
}

// choose returns the mapper r goes to, nil when nobody wants it. Lines of text are
// offered to those who read them. The mapper of the record before keeps r when it is sure; a file mixes products rarely.
func (c *chooser) choose(r *Record) *Format {
	if c.only || c.all[c.last].Match(r) >= MatchSure {
		return &c.all[c.last]
	}
	best, most := -1, 0
	for i := range c.all {
		if _, lines := c.all[i].Mapper.(Liner); r.plain && !lines {
			continue
		}
		if m := c.all[i].Match(r); m > most {
			best, most = i, m
		}
	}
	if best < 0 {
		return nil
	}
	c.last = best
	return &c.all[best]
}
