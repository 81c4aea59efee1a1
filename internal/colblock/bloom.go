package colblock

import (
	"encoding/binary"
	"iter"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
)

// Bounds of a Bloom filter. Attackers choose the words.
const (
	maxWords = 64      // words of one event that are indexed
	maxTerms = 1 << 14 // distinct terms of one block
	bitsPer  = 10      // 10 bits and 6 probes: about 1 % false hits
	probes   = 6
)

// The kinds of terms. A term is a kind and a value, so that an address never
// hits a user of the same name.
const (
	TermSrc        = 'a' // source address as text
	TermID         = 'e' // event id
	TermObservable = 'o' // value of an observable
	TermNumber     = 'q' // outbox, 0 byte, number>>8 in decimal
	TermSession    = 's'
	TermTechnique  = 't' // id, and its parent's
	TermAttr       = 'v' // name, 0 byte, text of the value, for PivotAttrs
	TermWord       = 'w' // a word as Words yields it
)

// pivotAttrs are the attributes whose values are terms.
var pivotAttrs = [...]string{
	honeyguide.AttrUser, honeyguide.AttrPassword, honeyguide.AttrToken, honeyguide.AttrSHA256, honeyguide.AttrKeyFingerprint,
	honeyguide.AttrHASSH, honeyguide.AttrRuleID, honeyguide.AttrOriginID,
}

// IsPivot reports whether the values of an attribute are terms.
func IsPivot(name string) bool { return slices.Contains(pivotAttrs[:], name) }

// AttrTerm is the value of a TermAttr term.
func AttrTerm(name, value string) string { return name + "\x00" + value }

// NumberTerm is the value of a TermNumber term.
func NumberTerm(outbox string, number int64) string {
	return outbox + "\x00" + strconv.FormatInt(number>>8, 10)
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// termHash is FNV-1a from a secret start, stirred. Without the seed nobody
// can choose words that fill a filter.
func termHash[T string | []byte](seed uint64, kind byte, value T) uint64 {
	h := (fnvOffset ^ seed ^ uint64(kind)) * fnvPrime
	for i := range len(value) {
		h = (h ^ uint64(value[i])) * fnvPrime
	}
	h ^= h >> 29
	h *= 0xBF58476D1CE4E5B9
	return max(h^h>>32, 1) // 0 marks an empty slot of the set
}

// Hash returns the hash of a term for [Has].
func Hash(seed uint64, kind byte, value string) uint64 { return termHash(seed, kind, value) }

// Has reports whether a Bloom filter may hold a term; a filter that is none
// may hold anything.
func Has(bloom []byte, h uint64) bool {
	m := uint64(len(bloom)) * 8
	if m == 0 {
		return true
	}
	for range probes {
		bit := h % m
		if bloom[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
		h = h*0x9E3779B97F4A7C15 + 0x7F4A7C15
	}
	return true
}

// terms is the set of term hashes of a block.
type terms struct {
	slots []uint64 // open addressing, 0 is empty
	n     int
	full  bool
}

func (t *terms) reset() {
	if t.slots == nil {
		t.slots = make([]uint64, 2*maxTerms)
	}
	clear(t.slots)
	t.n, t.full = 0, false
}

// add reports whether there was room.
func (t *terms) add(h uint64) bool {
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch t.slots[i] {
		case h:
			return true
		case 0:
			if t.n == maxTerms {
				t.full = true
				return false
			}
			t.slots[i] = h
			t.n++
			return true
		}
	}
}

// bloom gathers the terms of rows. Words come last, so that they alone go
// missing when there are too many.
func (e *Encoder) bloom(rows []*Row) ([]byte, uint32) {
	e.terms.reset()
	var flags uint32
	session := ""
	for i := range rows {
		r := rows[i]
		if r.Event.Session != session { // neighbours share sessions and sources
			session = r.Event.Session
			e.term(TermSession, session)
		}
		e.fixedTerms(r)
	}
	if e.terms.full {
		flags |= FlagTermsIncomplete
	}
	for i := range rows {
		if !e.words(&rows[i].Event) {
			flags |= FlagWordsIncomplete
		}
	}
	return e.terms.filter(), flags
}

func (e *Encoder) term(kind byte, value string) {
	if value != "" {
		e.terms.add(termHash(e.seed, kind, value))
	}
}

func (e *Encoder) fixedTerms(r *Row) {
	ev := &r.Event
	e.term(TermSrc, e.addr(ev.Src.Addr))
	if id := ev.ID; id != "" {
		e.term(TermID, id)
	} else if r.Outbox != "" {
		e.term(TermID, EventID(r.Outbox, r.Number, ev.Time))
	}
	for i := range ev.Attacks {
		id := ev.Attacks[i].ID
		e.term(TermTechnique, id)
		for parent := range parents(id) {
			e.term(TermTechnique, parent)
		}
	}
	for i := range ev.Observables {
		e.term(TermObservable, ev.Observables[i].Value)
	}
	for _, name := range pivotAttrs {
		if v, ok := ev.Attrs[name]; ok {
			e.term(TermAttr, AttrTerm(name, ValueText(v)))
		}
	}
}

// parents yields the ids above a technique: T1059 of T1059.004.
func parents(id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := strings.IndexByte(id, '.'); at >= 0; {
			if !yield(id[:at]) {
				return
			}
			next := strings.IndexByte(id[at+1:], '.')
			if next < 0 {
				return
			}
			at += next + 1
		}
	}
}

// words adds the words of one event and reports whether all found room.
func (e *Encoder) words(ev *honeyguide.Event) bool {
	left := maxWords
	for _, name := range wordAttrs {
		s, _ := ev.Attrs[name].(string)
		if s == "" {
			continue
		}
		for w := range Words(s) {
			if left--; left < 0 || !e.terms.add(termHash(e.seed, TermWord, w)) {
				return false
			}
		}
	}
	return true
}

// filter sets the bits.
func (t *terms) filter() []byte {
	m := uint64(64 * (t.n*bitsPer/64 + 1))
	words := make([]uint64, m/64)
	for _, h := range t.slots {
		if h == 0 {
			continue
		}
		for range probes {
			bit := h % m
			words[bit/64] |= 1 << (bit % 64)
			h = h*0x9E3779B97F4A7C15 + 0x7F4A7C15
		}
	}
	out := make([]byte, 0, m/8)
	for _, w := range words {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}
