package sigma

import (
	"iter"
	"strings"
	"time"
)

// A Source is what an event is, in the words of logsource: each may be "".
type Source struct{ Product, Category, Service string }

// A Record is one event as rules see it: its sources, its fields with the names
// of the taxonomy, and the line it came from.
type Record struct {
	ID      string
	Time    time.Time
	Sources []Source
	Fields  []Field
	Raw     string
}

// A Field is one value of one field. A list is several Fields of one name; a
// nested one has its path, joined with dots.
type Field struct {
	Name string
	Text string // numbers and booleans as text
	Null bool   // there, and null
}

// Scratch is the working memory of one goroutine for one engine.
type Scratch struct {
	eng    *Engine
	fields []span   // by field number
	used   []int32  // field numbers to clear
	vals   []value  // of this event
	buf    []byte   // folded text
	epoch  uint32   // even; the lowest bit of an answer is the answer
	known  []uint32 // by atom: epoch it was asked in, and the answer
	cand   []uint64 // candidate rules of the route
}

// A span is the values of one field: the first and the last in vals; n of them.
type span struct{ first, last, n int32 }

// A value is one value of the event at hand.
type value struct {
	text     string
	from, to int32 // folded text in buf; from is -1 before it was needed
	next     int32 // of the same field, -1 at the end
	null     bool
}

// NewScratch returns working memory for e.
func (e *Engine) NewScratch() *Scratch {
	return &Scratch{eng: e, fields: make([]span, len(e.fieldNames)), known: make([]uint32, len(e.atoms)), epoch: 2}
}

// maxFolded bounds what of one value is folded: what lies behind it is not
// looked at by comparisons that ignore case.
const maxFolded = 1 << 20

// load takes a record's values in.
func (s *Scratch) load(r *Record) {
	for _, f := range s.used {
		s.fields[f] = span{}
	}
	s.used, s.vals, s.buf = s.used[:0], s.vals[:0], s.buf[:0]
	if s.epoch += 2; s.epoch < 2 { // wrapped around
		clear(s.known)
		s.epoch = 2
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		s.vals = append(s.vals, value{text: f.Text, from: -1, next: -1, null: f.Null})
		if n, ok := s.eng.fieldOf[f.Name]; ok {
			s.join(int32(n))
		} else if n, ok := s.eng.unspaced(f.Name); ok {
			s.join(int32(n))
		}
	}
	if r.Raw != "" {
		s.vals = append(s.vals, value{text: r.Raw, from: -1, next: -1})
	}
}

// unspaced looks up a field by its name without blanks: Windows writes "Threat
// Name" where rules say ThreatName.
func (e *Engine) unspaced(name string) (int, bool) {
	if strings.IndexByte(name, ' ') < 0 {
		return 0, false
	}
	var buf [64]byte
	short := buf[:0]
	for i := range len(name) {
		if name[i] != ' ' {
			if len(short) == len(buf) {
				return 0, false // no rule names so long a field
			}
			short = append(short, name[i])
		}
	}
	n, ok := e.fieldOf[string(short)]
	return n, ok
}

// join makes the newest value one of field f.
func (s *Scratch) join(f int32) {
	at := int32(len(s.vals) - 1)
	sp := &s.fields[f]
	if sp.n == 0 {
		s.used = append(s.used, f)
		sp.first = at
	} else {
		s.vals[sp.last].next = at
	}
	sp.last = at
	sp.n++
}

// folded returns a value's text without letter case.
func (s *Scratch) folded(v *value) []byte {
	if v.from < 0 {
		v.from = int32(len(s.buf))
		s.buf = fold(s.buf, v.text[:min(len(v.text), maxFolded)])
		v.to = int32(len(s.buf))
	}
	return s.buf[v.from:v.to]
}

// values returns the values of a field.
func (s *Scratch) values(f int) iter.Seq[*value] {
	return func(yield func(*value) bool) {
		if s.fields[f].n == 0 {
			return
		}
		for i := s.fields[f].first; i >= 0; i = s.vals[i].next {
			if !yield(&s.vals[i]) {
				return
			}
		}
	}
}

// absent reports whether a field is not there, or null.
func (s *Scratch) absent(f int) bool {
	for v := range s.values(f) {
		if !v.null {
			return false
		}
	}
	return true
}

// ask returns an atom's answer, asking it at most once an event.
func (s *Scratch) ask(n int32) bool {
	if k := s.known[n]; k&^1 == s.epoch {
		return k&1 == 1
	}
	yes := s.eng.atoms[n].holds(s)
	s.known[n] = s.epoch
	if yes {
		s.known[n] |= 1
	}
	return yes
}
