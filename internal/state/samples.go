package state

import (
	"context"
	"slices"

	"honeyguide"
)

// Samples are what attackers brought, and when.
type Samples interface {
	// Sight notes that the sample s was brought as at says: it counts, and widens
	// the sample's times and lists. What s says of the content (Size, Type, Kept,
	// Indicators) is taken over. The same EventID for the same sample changes
	// nothing. s.ID and at.EventID must not be empty.
	Sight(ctx context.Context, s honeyguide.Sample, at honeyguide.Sighting) error
	// Ran counts a run of the sample; a sample nobody saw is passed over.
	Ran(ctx context.Context, id, eventID string) error
	// Get takes an ID, or its beginning of 8 digits or more when only one sample has
	// it. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Sample, error)
	// List returns a page by FirstAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q SampleQuery) ([]honeyguide.Sample, string, error)
	// Sightings returns the newest sightings of a sample (its ID), at most
	// [ListedSightings].
	Sightings(ctx context.Context, id string) ([]honeyguide.Sighting, error)
}

// SampleQuery selects samples; an empty field selects all.
type SampleQuery struct {
	Page
	Type    string // first word of the type: elf, script
	Session string // that brought it
}

// Bounds of what is kept of sightings.
const (
	ListedSightings = 100
	KeptSightings   = 1000 // of one sample; all are counted
)

// MergeSample returns the sample old as it is after s was brought as at says.
func MergeSample(old, s honeyguide.Sample, at honeyguide.Sighting) honeyguide.Sample {
	out := old
	if out.ID == "" {
		out = honeyguide.Sample{ID: s.ID, FirstAt: at.Time, LastAt: at.Time}
	}
	if s.Type != "" || out.Type == "" {
		out.Size, out.Type = s.Size, s.Type
	}
	if out.Kept == "" || s.Kept == "yes" || out.Kept != "yes" {
		out.Kept = s.Kept
	}
	if at.Time.Before(out.FirstAt) {
		out.FirstAt = at.Time
	}
	if at.Time.After(out.LastAt) {
		out.LastAt = at.Time
	}
	out.Count++
	out.Paths = newestOf(out.Paths, at.Path)
	out.Sessions = newestOf(out.Sessions, at.Session)
	out.Sources = newestOf(out.Sources, Addr(at.Src))
	if len(s.Indicators) > 0 {
		out.Indicators = slices.Clone(s.Indicators)
	}
	return out
}

// newestOf adds v to a bounded list unless it is there.
func newestOf(list []string, v string) []string {
	if v == "" || slices.Contains(list, v) {
		return list
	}
	list = append(slices.Clone(list), v)
	return list[max(0, len(list)-honeyguide.MaxSampleList):]
}

// TidySample brings a sample within the bounds of the store.
func TidySample(s *honeyguide.Sample) {
	keys(&s.ID)
	times(&s.FirstAt, &s.LastAt)
	s.Size, s.Count, s.Executed = max(0, s.Size), max(0, s.Count), max(0, s.Executed)
	s.Type, s.Kept = Clip(Column(s.Type), MaxKey), Clip(Column(s.Kept), MaxKey)
	for _, list := range []*[]string{&s.Paths, &s.Sessions, &s.Sources} {
		*list = append([]string{}, *list...)
		for i := range *list {
			(*list)[i] = Clip(Column((*list)[i]), MaxLine)
		}
	}
	s.Indicators = union(nil, s.Indicators, sameObservable)
	for i := range s.Indicators {
		o := &s.Indicators[i]
		o.Name, o.Type, o.Value = Key(o.Name), Key(o.Type), Clip(Column(o.Value), MaxLine)
	}
}

// TidySighting brings a sighting within the bounds of the store.
func TidySighting(s *honeyguide.Sighting) {
	keys(&s.Sample, &s.EventID, &s.Session, &s.Tool)
	times(&s.Time)
	s.Path = Clip(Column(s.Path), MaxLine)
	endpoint(&s.Src)
}
