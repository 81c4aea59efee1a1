package comply

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"honeyguide/internal/safetext"
)

// Facts is what was measured of one installation at one time, about one period.
type Facts struct {
	At           time.Time // when
	Since, Until time.Time // of what is counted over time
	Node         string
	Version      string
	Checkpoint   SignedPoint // of the audit log at that time

	list map[string]Fact
	acts map[string]CountedAct
	bad  []string // ids nobody knows
}

// A SignedPoint is what the audit log signs for. Whoever has the public key can
// check that a report's evidence was in the log by then.
type SignedPoint struct {
	Origin    string `json:"origin,omitempty"`
	Size      int64  `json:"size" doc:"entries"`
	Root      string `json:"root,omitempty" doc:"base64"`
	Line      string `json:"line,omitempty" doc:"the signed checkpoint as one line, for honeyguide audit verify --witness"`
	PublicKey string `json:"public_key,omitempty"`
}

// A Fact is one thing that was measured.
type Fact struct {
	ID     string    `json:"id"`
	Title  string    `json:"title"`
	Unit   Unit      `json:"unit" enum:"count,share,flag,text,days,ms"`
	Known  bool      `json:"measured" doc:"false: nobody measured it, and why says so"`
	Number float64   `json:"number" doc:"of a flag 0 or 1; of a text nothing"`
	Text   string    `json:"text,omitempty"`
	Hits   int64     `json:"hits,omitempty" doc:"of a share"`
	N      int64     `json:"n,omitempty" doc:"how many it was counted from"`
	Low    *float64  `json:"low,omitempty" doc:"lower end of the 95 % Wilson interval, where it is an estimate"`
	High   *float64  `json:"high,omitempty"`
	Shown  string    `json:"shown" doc:"the value as people read it"`
	At     time.Time `json:"at,omitzero" doc:"when it was looked at"`
	From   string    `json:"from" doc:"where it comes from: a room of the product, a file, a setting"`
	Why    string    `json:"why,omitempty" doc:"why it was not measured"`
}

// Unit is what the number of a fact counts.
type Unit string

// The units.
const (
	UnitCount Unit = "count"
	UnitShare Unit = "share" // 0 to 1
	UnitFlag  Unit = "flag"
	UnitText  Unit = "text"
	UnitDays  Unit = "days"
	UnitMS    Unit = "ms"
)

// A CountedAct is what the audit log holds of one kind of act in the period.
type CountedAct struct {
	Action string    `json:"action"`
	N      int64     `json:"n" doc:"entries of the period"`
	Seq    int64     `json:"seq" doc:"number of the newest"`
	At     time.Time `json:"at"`
}

// NewFacts begins an empty set.
func NewFacts(at, since time.Time) *Facts {
	return &Facts{At: at.UTC(), Since: since.UTC(), Until: at.UTC(), list: map[string]Fact{}, acts: map[string]CountedAct{}}
}

// put keeps a fact of a known id.
func (f *Facts) put(id string, x Fact) {
	k, ok := catalog[id]
	if !ok || k.unit != x.Unit {
		f.bad = append(f.bad, id)
		return
	}
	x.ID, x.Title, x.Known, x.At, x.From = id, k.title, true, f.At, safetext.TermN(x.From, 200)
	x.Shown = shown(&x)
	f.list[id] = x
}

// Count keeps a number of things.
func (f *Facts) Count(id string, n int64, from string) {
	f.put(id, Fact{Unit: UnitCount, Number: float64(n), From: from})
}

// Share keeps a part of n things. Without any there is nothing to measure.
func (f *Facts) Share(id string, hits, n int64, from string) {
	if n == 0 {
		f.Missing(id, "there is nothing to count it from")
		return
	}
	f.put(id, Fact{Unit: UnitShare, Number: float64(hits) / float64(n), Hits: hits, N: n, From: from})
}

// Estimate keeps a share with its interval.
func (f *Facts) Estimate(id string, value, low, high *float64, hits, n int64, from string) {
	if value == nil || n == 0 {
		f.Missing(id, "there is nothing to count it from")
		return
	}
	f.put(id, Fact{Unit: UnitShare, Number: *value, Low: low, High: high, Hits: hits, N: n, From: from})
}

// Mean keeps a mean duration in milliseconds over n cases.
func (f *Facts) Mean(id string, ms *float64, n int64, from string) {
	if ms == nil || n == 0 {
		f.Missing(id, "there is nothing to count it from")
		return
	}
	f.put(id, Fact{Unit: UnitMS, Number: *ms, N: n, From: from})
}

// Flag keeps whether something is so.
func (f *Facts) Flag(id string, is bool, from string) {
	x := Fact{Unit: UnitFlag, From: from}
	if is {
		x.Number = 1
	}
	f.put(id, x)
}

// Words keeps a text. Control and format characters in it become visible.
func (f *Facts) Words(id, text, from string) {
	f.put(id, Fact{Unit: UnitText, Text: safetext.TermN(text, 200), From: from})
}

// Days keeps a number of days.
func (f *Facts) Days(id string, days float64, from string) {
	f.put(id, Fact{Unit: UnitDays, Number: days, From: from})
}

// Forever are more days than anything is kept for.
const Forever = 36_500

// Age keeps how many days ago something was; a zero time was not measured.
func (f *Facts) Age(id string, at time.Time, from string) {
	if at.IsZero() {
		f.Missing(id, "there is no record of it")
		return
	}
	f.Days(id, max(f.At.Sub(at).Hours()/24, 0), from)
}

// Missing says why something was not measured.
func (f *Facts) Missing(id, why string) {
	k, ok := catalog[id]
	if !ok {
		f.bad = append(f.bad, id)
		return
	}
	f.list[id] = Fact{ID: id, Title: k.title, Unit: k.unit, Shown: "not measured", Why: safetext.TermN(why, 300)}
}

// Act keeps what the audit log holds of an act.
func (f *Facts) Act(a CountedAct) { f.acts[a.Action] = a }

// Get returns a fact; one nobody set is not measured.
func (f *Facts) Get(id string) Fact {
	if x, ok := f.list[id]; ok {
		return x
	}
	k := catalog[id]
	return Fact{ID: id, Title: k.title, Unit: k.unit, Shown: "not measured", Why: "nothing in this installation measures it"}
}

// List returns all facts there can be, by id.
func (f *Facts) List() []Fact {
	out := make([]Fact, 0, len(catalog))
	for _, id := range slices.Sorted(maps.Keys(catalog)) {
		out = append(out, f.Get(id))
	}
	return out
}

// Acts returns the acts of the period, by name.
func (f *Facts) Acts() []CountedAct {
	return slices.SortedFunc(maps.Values(f.acts), func(a, b CountedAct) int { return cmp.Compare(a.Action, b.Action) })
}

// Unknown returns the ids that were set and that the catalog lacks, or has with
// another unit: faults of the wiring.
func (f *Facts) Unknown() []string { return f.bad }

// shown writes a value as people read it.
func shown(x *Fact) string {
	switch x.Unit {
	case UnitFlag:
		if x.Number != 0 {
			return "yes"
		}
		return "no"
	case UnitText:
		return x.Text
	case UnitDays:
		return days(x.Number)
	case UnitMS:
		return fmt.Sprintf("%s (mean, n = %d)", lasted(x.Number), x.N)
	case UnitShare:
		out := fmt.Sprintf("%s (%d of %d)", percent(x.Number), x.Hits, x.N)
		if x.Low != nil && x.High != nil {
			out = fmt.Sprintf("%s (%d of %d; 95 %%: %s to %s)", percent(x.Number), x.Hits, x.N, percent(*x.Low), percent(*x.High))
		}
		return out
	}
	return fmt.Sprintf("%.0f", x.Number)
}

func percent(v float64) string {
	v *= 100
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f %%", v)
	}
	return fmt.Sprintf("%.1f %%", v)
}

func days(v float64) string {
	switch {
	case v < 0:
		return fmt.Sprintf("%.0f days ago", -v)
	case v == 0:
		return "0 days"
	case v >= Forever:
		return "for ever"
	case v < 1.0/24:
		return "less than an hour"
	case v < 2:
		return fmt.Sprintf("%.0f h", v*24)
	}
	return fmt.Sprintf("%.0f days", v)
}

func lasted(ms float64) string {
	switch {
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 120_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms < 2*3600_000:
		return fmt.Sprintf("%.0f min", ms/60_000)
	}
	return fmt.Sprintf("%.1f h", ms/3600_000)
}
