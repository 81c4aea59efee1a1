package embedded

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

// criteria is a query made ready: what decides about a block without reading it,
// about a row by its hot columns, and what only the whole event tells.
type criteria struct {
	q        *eventlog.Query
	from, to int64 // microseconds; from <= t < to
	sevMask  uint8
	terms    []namedTerm
	words    []string
	cold     bool // hot columns do not decide
}

// namedTerm is a term of the Bloom filters before a file's seed is known.
type namedTerm struct {
	kind  byte
	value string
}

// term is a term of one file.
type term struct {
	hash uint64
	word bool
}

func newCriteria(q *eventlog.Query) (*criteria, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	c := &criteria{q: q, from: math.MinInt64, to: math.MaxInt64, sevMask: 0xff << min(q.Severity, 8), words: q.Words()}
	if !q.From.IsZero() {
		c.from = ceilMicro(q.From)
	}
	if !q.To.IsZero() {
		c.to = ceilMicro(q.To)
	}
	c.cold = q.ID != "" || q.Observable != "" || len(q.Attr) > 0 || len(c.words) > 0 || len(q.Where) > 0
	c.addTerms()
	return c, nil
}

// ceilMicro is the first stored time that is not before t.
func ceilMicro(t time.Time) int64 {
	us := t.UnixMicro()
	if time.UnixMicro(us).Before(t) {
		us++
	}
	return us
}

func (c *criteria) addTerms() {
	add := func(kind byte, value string) {
		if value != "" {
			c.terms = append(c.terms, namedTerm{kind, value})
		}
	}
	q := c.q
	add(colblock.TermID, q.ID)
	add(colblock.TermSession, q.Session)
	add(colblock.TermTechnique, q.Technique)
	add(colblock.TermObservable, q.Observable)
	if a := q.Src.Addr().Unmap(); q.Src.IsSingleIP() && a.Is4() { // IPv6 may carry a zone the prefix does not name
		add(colblock.TermSrc, a.String())
	}
	for name, v := range q.Attr {
		if colblock.IsPivot(name) {
			add(colblock.TermAttr, colblock.AttrTerm(name, v))
		}
	}
	for _, w := range c.words {
		add(colblock.TermWord, w)
	}
}

func (c *criteria) hashes(seed uint64) []term {
	out := make([]term, len(c.terms))
	for i, t := range c.terms {
		out[i] = term{colblock.Hash(seed, t.kind, t.value), t.kind == colblock.TermWord}
	}
	return out
}

// mayHold asks a Bloom filter for all terms.
func mayHold(bloom []byte, flags uint8, terms []term) bool {
	if flags&colblock.FlagTermsIncomplete != 0 {
		return true
	}
	for _, t := range terms {
		if t.word && flags&colblock.FlagWordsIncomplete != 0 {
			continue
		}
		if !colblock.Has(bloom, t.hash) {
			return false
		}
	}
	return true
}

// block reports whether times and severities leave a block.
func (c *criteria) block(b *block) bool {
	return b.ts1 >= c.from && b.ts0 < c.to && b.sev&c.sevMask != 0
}

// rows returns the rows of a block, ascending, that its hot columns leave.
func (c *criteria) rows(h *colblock.Hot, lo, below eventlog.Seq) ([]int, error) {
	n := h.N()
	if int64(below-lo) < int64(n) {
		n = int(below - lo)
	}
	rows := make([]int, 0, n)
	for i := max(int(min(c.q.After-lo, colblock.MaxRows))+1, 0); i < n; i++ {
		rows = append(rows, i)
	}
	for _, narrow := range []func(*colblock.Hot, []int) ([]int, error){c.byTime, c.bySeverity, c.byClass, c.byText, c.bySource, c.byTechnique} {
		var err error
		if rows, err = narrow(h, rows); err != nil || len(rows) == 0 {
			return nil, err
		}
	}
	return rows, nil
}

// keep narrows rows in place.
func keep(rows []int, ok func(i int) bool) []int {
	return slices.DeleteFunc(rows, func(i int) bool { return !ok(i) })
}

func (c *criteria) byTime(h *colblock.Hot, rows []int) ([]int, error) {
	if c.from == math.MinInt64 && c.to == math.MaxInt64 {
		return rows, nil
	}
	times, err := h.Times()
	if err != nil {
		return nil, err
	}
	return keep(rows, func(i int) bool { return times[i] >= c.from && times[i] < c.to }), nil
}

func (c *criteria) bySeverity(h *colblock.Hot, rows []int) ([]int, error) {
	if c.q.Severity == honeyguide.SeverityUnknown {
		return rows, nil
	}
	sevs, err := h.Severities()
	if err != nil {
		return nil, err
	}
	return keep(rows, func(i int) bool { return sevs[i] >= byte(c.q.Severity) }), nil
}

func (c *criteria) byClass(h *colblock.Hot, rows []int) ([]int, error) {
	if len(c.q.Classes) == 0 {
		return rows, nil
	}
	classes, err := h.Classes()
	if err != nil {
		return nil, err
	}
	return keep(rows, func(i int) bool { return slices.Contains(c.q.Classes, honeyguide.Class(classes[i])) }), nil
}

// byText narrows by the columns that are compared as they are.
func (c *criteria) byText(h *colblock.Hot, rows []int) ([]int, error) {
	for _, f := range []struct {
		column func() (*colblock.Text, error)
		want   []string
	}{
		{h.Sessions, one(c.q.Session)}, {h.Sensors, one(c.q.Sensor)}, {h.Services, one(c.q.Service)}, {h.Activities, c.q.Activities},
	} {
		if len(f.want) == 0 || len(rows) == 0 {
			continue
		}
		col, err := f.column()
		if err != nil {
			return nil, err
		}
		rows = byEntry(col, rows, func(b []byte) bool {
			return slices.ContainsFunc(f.want, func(w string) bool { return w == string(b) })
		})
	}
	return rows, nil
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// byEntry asks each distinct value once.
func byEntry(col *colblock.Text, rows []int, ok func([]byte) bool) []int {
	entries := col.Entries()
	yes, any := make([]bool, len(entries)), false
	for i, e := range entries {
		yes[i] = ok(e)
		any = any || yes[i]
	}
	if !any {
		return nil
	}
	return keep(rows, func(i int) bool { return yes[col.Code(i)] })
}

func (c *criteria) bySource(h *colblock.Hot, rows []int) ([]int, error) {
	if !c.q.Src.IsValid() {
		return rows, nil
	}
	col, err := h.Sources()
	if err != nil {
		return nil, err
	}
	return byEntry(col, rows, func(b []byte) bool {
		a, err := netip.ParseAddr(string(b))
		return err == nil && eventlog.Covers(c.q.Src, a)
	}), nil
}

func (c *criteria) byTechnique(h *colblock.Hot, rows []int) ([]int, error) {
	if c.q.Technique == "" {
		return rows, nil
	}
	col, err := h.Techniques()
	if err != nil {
		return nil, err
	}
	return byEntry(col, rows, func(b []byte) bool {
		return slices.ContainsFunc(colblock.SplitTechniques(b), func(id string) bool { return eventlog.IsTechnique(id, c.q.Technique) })
	}), nil
}

// event decides what the hot columns could not: r is a row they left.
func (c *criteria) event(r *eventlog.Record) bool { return !c.cold || c.q.Match(r) }

// attrs narrows by attributes before whole events are made.
func (c *criteria) attrs(cold *colblock.Cold, rows []int) []int {
	for name, want := range c.q.Attr {
		rows = keep(rows, func(i int) bool {
			v, ok := cold.Attr(i, name)
			return ok && eventlog.AttrText(v) == want
		})
	}
	return rows
}
