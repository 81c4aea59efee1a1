package eventlog

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
)

// A Finder answers questions about stored events.
type Finder interface {
	// Find yields the records that match, newest (highest number) first. It ends
	// after the first error. Records a disk has spoilt are left out.
	Find(ctx context.Context, q Query) iter.Seq2[Record, error]
	// Histogram counts matching events by time of the event. Step is at least a
	// second; only buckets that hold something are returned, oldest first, at
	// most MaxBuckets.
	Histogram(ctx context.Context, q Query, step time.Duration) ([]Bucket, error)
	// Top counts matching events by the values of a dimension and returns the k
	// most frequent, ties in the order of values. Absent values do not count.
	Top(ctx context.Context, q Query, dim Dim, k int) ([]Count, error)
}

// A Lister is a Finder that lists ids faster than it finds events.
type Lister interface {
	// IDs yields the ids of the newest events that have an attribute, newest
	// first. It stops once it has looked at most events, or a few more. It ends
	// after the first error.
	IDs(ctx context.Context, attr string, most int) iter.Seq2[string, error]
}

// IDs asks a Finder for ids, as a [Lister] gives them.
func IDs(ctx context.Context, f Finder, attr string, most int) iter.Seq2[string, error] {
	if l, ok := f.(Lister); ok {
		return l.IDs(ctx, attr, most)
	}
	return func(yield func(string, error) bool) {
		for r, err := range f.Find(ctx, Query{Limit: most}) {
			if _, ok := r.Event.Attrs[attr]; (ok || err != nil) && !yield(r.Event.ID, err) {
				return
			}
		}
	}
}

// A Query says which events are wanted; every field that is set must hold. The
// zero Query wants all.
type Query struct {
	From, To   time.Time           // event time, From included, To not
	Severity   honeyguide.Severity // at least
	Classes    []honeyguide.Class  // one of
	Activities []string            // one of
	ID         string              // event id
	Sensor     string
	Service    string
	Session    string
	Src        netip.Prefix
	Technique  string            // an id or the id of its parent: T1059 finds T1059.004
	Observable string            // value of one
	Word       string            // words of WordAttrs, all of them, in any case
	Attr       map[string]string // attributes by name; the text of the value, see AttrText
	Where      []Filter          // all of them
	After      Seq               // above
	Before     Seq               // below, 0 for no bound
	Limit      int               // at most, 0 for no bound
}

// Validate reports why a query cannot be answered; the error is ErrQuery.
func (q *Query) Validate() error {
	if q.Word != "" && len(q.Words()) == 0 {
		return fmt.Errorf("%w: word: want letters or digits, 2 to 64 of them", ErrQuery)
	}
	if q.Limit < 0 {
		return fmt.Errorf("%w: limit: want 0 or more", ErrQuery)
	}
	return nil
}

// Words returns the words of q.Word as they are indexed: lower case.
func (q *Query) Words() []string {
	var words []string
	for w := range colblock.Words(q.Word) {
		words = append(words, string(w))
	}
	return words
}

// Match reports whether r is wanted. It is the meaning of a query: a Finder
// answers as if it asked every record.
func (q *Query) Match(r *Record) bool {
	return q.place(r) && q.who(&r.Event) && q.what(&r.Event)
}

func (q *Query) place(r *Record) bool {
	t := r.Event.Time
	return r.Seq > q.After && (q.Before == 0 || r.Seq < q.Before) &&
		(q.From.IsZero() || !t.Before(q.From)) && (q.To.IsZero() || t.Before(q.To)) &&
		r.Event.Severity >= q.Severity
}

func (q *Query) who(e *honeyguide.Event) bool {
	return (q.ID == "" || e.ID == q.ID) &&
		(q.Sensor == "" || e.Sensor == q.Sensor) &&
		(q.Service == "" || e.Service == q.Service) &&
		(q.Session == "" || e.Session == q.Session) &&
		(!q.Src.IsValid() || Covers(q.Src, e.Src.Addr.Addr()))
}

func (q *Query) what(e *honeyguide.Event) bool {
	switch {
	case len(q.Classes) > 0 && !slices.Contains(q.Classes, e.Class),
		len(q.Activities) > 0 && !slices.Contains(q.Activities, e.Activity),
		q.Technique != "" && !slices.ContainsFunc(e.Attacks, func(t honeyguide.Technique) bool { return IsTechnique(t.ID, q.Technique) }),
		q.Observable != "" && !slices.ContainsFunc(e.Observables, func(o honeyguide.Observable) bool { return o.Value == q.Observable }):
		return false
	}
	for name, want := range q.Attr {
		v, ok := e.Attrs[name]
		if !ok || AttrText(v) != want {
			return false
		}
	}
	for i := range q.Where {
		if !q.Where[i].Match(e) {
			return false
		}
	}
	return q.Word == "" || colblock.HasWords(e, q.Words())
}

// Covers reports whether p holds a. A zone of a does not count; an invalid
// address is in no prefix.
func Covers(p netip.Prefix, a netip.Addr) bool {
	if b := p.Addr(); b.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(b.Unmap(), p.Bits()-96)
	}
	return p.Contains(a.Unmap().WithZone(""))
}

// IsTechnique reports whether id is want or one of its sub-techniques.
func IsTechnique(id, want string) bool {
	return id == want || len(id) > len(want) && id[len(want)] == '.' && strings.HasPrefix(id, want)
}

// AttrText is the text an attribute is compared and counted by: a string
// itself, a number in its shortest form, true or false, else JSON.
func AttrText(v any) string { return colblock.ValueText(v) }

// A Dim is what Top counts by: one of the constants, or the name of an
// attribute (honeyguide.AttrUser, ...).
type Dim string

// Dimensions that are no attributes.
const (
	DimSrc        Dim = "src"
	DimDst        Dim = "dst"
	DimCountry    Dim = "country"
	DimASN        Dim = "asn"
	DimSensor     Dim = "sensor"
	DimService    Dim = "service"
	DimSession    Dim = "session"
	DimActivity   Dim = "activity"
	DimTechnique  Dim = "technique" // an event counts once for each of its techniques
	DimSeverity   Dim = "severity"
	DimObservable Dim = "observable"
	DimText       Dim = "@text" // one value: all that [Query.Word] looks into; no attribute is called so
)

// Values calls yield with every value e counts for in d.
func (d Dim) Values(e *honeyguide.Event, yield func(string)) {
	one := func(s string) {
		if s != "" {
			yield(s)
		}
	}
	switch d {
	case DimSrc:
		if a := e.Src.Addr.Addr(); a.IsValid() {
			yield(a.String())
		}
	case DimDst:
		if a := e.Dst.Addr.Addr(); a.IsValid() {
			yield(a.String())
		}
	case DimCountry:
		one(e.Src.Country)
	case DimASN:
		if e.Src.ASN != 0 {
			yield(fmt.Sprintf("AS%d", e.Src.ASN))
		}
	case DimSensor:
		one(e.Sensor)
	case DimService:
		one(e.Service)
	case DimSession:
		one(e.Session)
	case DimActivity:
		one(e.Activity)
	case DimSeverity:
		yield(e.Severity.String())
	case DimTechnique:
		for i, t := range e.Attacks {
			if !slices.ContainsFunc(e.Attacks[:i], func(u honeyguide.Technique) bool { return u.ID == t.ID }) {
				one(t.ID)
			}
		}
	case DimObservable:
		for i, o := range e.Observables {
			if !slices.ContainsFunc(e.Observables[:i], func(p honeyguide.Observable) bool { return p.Value == o.Value }) {
				one(o.Value)
			}
		}
	case DimText:
		var b strings.Builder
		for _, name := range colblock.WordAttrs() {
			if v, ok := e.Attrs[name]; ok {
				b.WriteString(AttrText(v) + "\n") // which is no part of a word
			}
		}
		one(b.String())
	default:
		if v, ok := e.Attrs[string(d)]; ok {
			one(AttrText(v))
		}
	}
}

// MaxBuckets bounds a histogram; more is ErrQuery.
const MaxBuckets = 10_000

// A Bucket counts the events of one step of time by severity.
type Bucket struct {
	At     time.Time // begin; a multiple of the step since 1970
	Counts [int(honeyguide.SeverityCritical) + 1]int64
}

// Total returns the sum over all severities.
func (b *Bucket) Total() (n int64) {
	for _, c := range b.Counts {
		n += c
	}
	return n
}

// A Count is one value of a dimension and how many events have it.
type Count struct {
	Value string
	N     int64
}
