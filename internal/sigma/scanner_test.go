package sigma

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestScannerFindsAll compares a scan with looking for each literal.
func TestScannerFindsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	for range 300 {
		lits := map[string][]int32{}
		for i := range 1 + r.IntN(40) {
			text := ""
			for range 1 + r.IntN(8) {
				text += string("abc/\\"[r.IntN(5)])
			}
			lits[text] = append(lits[text], int32(i))
		}
		c := newScanner(0, lits)
		v := make([]byte, r.IntN(60))
		for i := range v {
			v[i] = "abc/\\ "[r.IntN(6)]
		}
		s := &Scratch{cand: make([]uint64, 1)}
		c.scan(s, v)
		var want uint64
		for text, rules := range lits {
			if strings.Contains(string(v), text) {
				for _, n := range rules {
					want |= 1 << n
				}
			}
		}
		if s.cand[0] != want {
			t.Fatalf("%q in %q: rules %b, want %b", lits, v, s.cand[0], want)
		}
	}
}

// automaton is the other way to look for many literals at once: a table of
// states (Aho and Corasick), with as many columns as the literals have bytes.
// It is here to be measured against.
type automaton struct {
	class   [256]uint8
	columns int
	next    []int32
	rules   [][]int32
}

func newAutomaton(lits map[string][]int32) *automaton {
	a := &automaton{columns: 1}
	for text := range lits {
		for i := range len(text) {
			if c := text[i]; a.class[c] == 0 {
				a.class[c] = uint8(a.columns)
				a.columns++
			}
		}
	}
	state := func() int32 {
		a.next = append(a.next, slices.Repeat([]int32{-1}, a.columns)...)
		a.rules = append(a.rules, nil)
		return int32(len(a.rules) - 1)
	}
	state()
	for text, rules := range lits {
		at := int32(0)
		for i := range len(text) {
			edge := int(at)*a.columns + int(a.class[text[i]])
			if a.next[edge] < 0 {
				n := state()
				a.next[edge] = n
			}
			at = a.next[edge]
		}
		a.rules[at] = append(a.rules[at], rules...)
	}
	fail := make([]int32, len(a.rules))
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for c := range a.columns {
			edge, back := int(at)*a.columns+c, int32(0)
			if at != 0 {
				back = a.next[int(fail[at])*a.columns+c]
			}
			if n := a.next[edge]; n < 0 {
				a.next[edge] = max(back, 0)
			} else {
				fail[n] = max(back, 0)
				a.rules[n] = append(a.rules[n], a.rules[fail[n]]...)
				queue = append(queue, n)
			}
		}
	}
	return a
}

func (a *automaton) scan(s *Scratch, v []byte) {
	at := int32(0)
	for _, c := range v {
		at = a.next[int(at)*a.columns+int(a.class[c])]
		if len(a.rules[at]) > 0 {
			s.mark(a.rules[at])
		}
	}
}

// BenchmarkScanners looks for the literals of all public Windows rules in the
// values of a recording, both ways.
func BenchmarkScanners(b *testing.B) {
	e, _ := NewEngine(windowsSet(b))
	type job struct {
		rt    *route
		value []byte
		field int
	}
	var jobs []job
	size, literals := 0, 0
	s := e.NewScratch()
	autos := map[*route]map[int]*automaton{}
	states, table := 0, 0
	for _, r := range recording(b, recordings[0]) {
		rt := e.route(r.Sources)
		if autos[rt] == nil {
			autos[rt] = map[int]*automaton{}
			by := map[int]map[string][]int32{}
			for i, n := range rt.rules {
				for _, l := range e.rules[n].lits {
					if !l.whole && l.field >= 0 {
						if by[l.field] == nil {
							by[l.field] = map[string][]int32{}
						}
						by[l.field][l.text] = append(by[l.field][l.text], int32(i))
					}
				}
			}
			for f, lits := range by {
				a := newAutomaton(lits)
				autos[rt][f] = a
				states += len(a.rules)
				table += 4 * len(a.next)
				literals += len(lits)
			}
		}
		s.load(r)
		for i := range rt.fields {
			for v := range s.values(rt.fields[i].field) {
				if !v.null {
					jobs = append(jobs, job{rt, slices.Clone(s.folded(v)), i})
					size += len(jobs[len(jobs)-1].value)
				}
			}
		}
	}
	b.Logf("%d routes, %d literals; automata: %d states, %d KiB of tables", len(autos), literals, states, table>>10)
	for name, scan := range map[string]func(*job){
		"grams": func(j *job) { j.rt.fields[j.field].scan(s, j.value) },
		"automaton": func(j *job) {
			autos[j.rt][j.rt.fields[j.field].field].scan(s, j.value)
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			began := cpuTime()
			for range b.N {
				for i := range jobs {
					s.cand = append(s.cand[:0], jobs[i].rt.always...)
					scan(&jobs[i])
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/1e6/(cpuTime()-began).Seconds(), "MB/cpu-s")
		})
	}
	// What the scanners take.
	grams := 0
	for rt := range autos {
		for i := range rt.fields {
			f := &rt.fields[i]
			grams += 8 * len(f.filter)
			for _, list := range f.grams {
				grams += 24
				for _, g := range list {
					grams += 56 + len(g.text)
				}
			}
		}
	}
	b.Logf("grams: %d KiB", grams>>10)
}
