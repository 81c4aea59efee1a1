package sigma

import (
	"container/list"
	"slices"
	"sort"
	"strings"
	"time"
)

// A stamp is a time in microseconds since 1970, or a difference of two. Times of
// any year fit, and a snapshot gives back exactly what it was given.
type stamp int64

// farthest bounds stamps, so that differences of them do not overflow.
const farthest = 1 << 60

func stampOf(t time.Time) stamp {
	s := stamp(t.UnixMicro())
	if t.Year() > 10_000 || t.Year() < -10_000 {
		s = 0 // nonsense
	}
	return s
}

func (s stamp) time() time.Time { return time.UnixMicro(int64(s)).UTC() }

// A group is what a correlation knows of one combination of values.
type group struct {
	w       *watch
	el      *list.Element
	key     string
	values  []Field
	touched uint64

	entries  []entry // by time
	newest   stamp   // of its hits, also of those a finding took along
	hasFired bool
	fired    stamp

	// Of the window that ends at the newest entry: where it begins, and how
	// often it has each value.
	from   int
	counts map[string]int32

	// Of a correlation judged when its span is over.
	start, due stamp
	place      int // in the heap

	text int64 // bytes of the entries' strings
}

// An entry is one hit.
type entry struct {
	at    stamp
	id    string
	value string
	rule  int32
}

// size is about how much memory the group takes. It is made of what a snapshot
// has, so that a restored group is as large.
func (g *group) size() int64 {
	return 400 + 3*int64(len(g.key)) + 64*int64(len(g.entries)) + g.text + 48*int64(len(g.counts))
}

// search returns the place of the first entry at or after at.
func (g *group) search(at stamp) int {
	if n := len(g.entries); n > 0 && g.entries[n-1].at < at {
		return n
	}
	return sort.Search(len(g.entries), func(i int) bool { return g.entries[i].at >= at })
}

// add puts an entry in by its time, and reports whether it was not there yet:
// an event told of twice counts once.
func (g *group) add(e entry) bool {
	i := g.search(e.at)
	for ; i < len(g.entries) && g.entries[i].at == e.at; i++ {
		if o := &g.entries[i]; o.rule == e.rule && o.id == e.id && e.id != "" {
			return false
		}
	}
	// What is kept may not hold on to the memory of the record it came in.
	e.id, e.value = strings.Clone(e.id), strings.Clone(e.value)
	g.text += int64(len(e.id) + len(e.value))
	g.newest = max(g.newest, e.at)
	last := i == len(g.entries)
	g.entries = slices.Insert(g.entries, i, e)
	if !last {
		g.settle()
		return true
	}
	if g.w.counted {
		if g.counts == nil {
			g.counts = map[string]int32{}
		}
		g.counts[e.value]++
	}
	if !g.w.atEnd { // else all since the start is the window
		g.advance()
	}
	return true
}

// advance moves the beginning of the newest window up.
func (g *group) advance() {
	if len(g.entries) == 0 {
		g.from = 0
		return
	}
	for edge := g.entries[len(g.entries)-1].at - g.w.span; g.entries[g.from].at < edge; g.from++ {
		g.uncount(g.entries[g.from].value)
	}
}

func (g *group) uncount(value string) {
	if !g.w.counted {
		return
	}
	if g.counts[value]--; g.counts[value] <= 0 {
		delete(g.counts, value)
	}
}

// settle works out anew what the other steps keep up with.
func (g *group) settle() {
	g.from, g.text, g.counts = 0, 0, nil
	if g.w.counted {
		g.counts = make(map[string]int32, len(g.entries))
	}
	for i := range g.entries {
		e := &g.entries[i]
		g.text += int64(len(e.id) + len(e.value))
		if g.w.counted {
			g.counts[e.value]++
		}
	}
	if !g.w.atEnd {
		g.advance()
	}
}

// trim drops what no late hit can reach any more, many at a time.
func (g *group) trim() {
	edge := g.newest - g.w.span - g.w.late
	n := 0
	for n < g.from && g.entries[n].at < edge {
		n++
	}
	if n == 0 || n < 32 && 2*n < len(g.entries) {
		return
	}
	for i := range g.entries[:n] {
		g.text -= int64(len(g.entries[i].id) + len(g.entries[i].value))
	}
	g.entries = slices.Delete(g.entries, 0, n)
	g.from -= n
}

// least returns the entry that is missed least when there are too many: the
// oldest of the rule, or with the value, of which there are others.
func (g *group) least() int {
	switch {
	case g.from > 0:
		return 0 // outside the newest window
	case strings.HasPrefix(g.w.c.Type, "temporal"):
		n := make([]int, len(g.w.c.Rules))
		most := int32(0)
		for i := range g.entries {
			r := g.entries[i].rule
			if n[r]++; n[r] > n[most] {
				most = r
			}
		}
		return slices.IndexFunc(g.entries, func(e entry) bool { return e.rule == most })
	case g.w.c.Type == "value_count":
		return max(0, slices.IndexFunc(g.entries, func(e entry) bool { return g.counts[e.value] > 1 }))
	}
	return 0
}

// drop takes one entry out.
func (g *group) drop(i int) {
	e := g.entries[i]
	g.text -= int64(len(e.id) + len(e.value))
	if i < g.from {
		g.from--
	} else {
		g.uncount(e.value)
	}
	g.entries = slices.Delete(g.entries, i, i+1)
}
