package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// told adds marks in an order and returns the events told of, sorted.
func told(marks []detect.Mark, n int) []string {
	var w detect.Window
	var out []string
	for _, m := range marks {
		w.Add(m, 10*time.Minute)
		if w.Distinct("", n) {
			var a honeyguide.Alert
			w.Tell(&a)
			out = append(out, a.EventIDs...)
		}
	}
	slices.Sort(out)
	return out
}

// Whatever the order, a mark is told of exactly when some span that holds it has
// enough words. The test says so by looking at all spans.
func TestWindowDoesNotMindTheOrder(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		var marks []detect.Mark
		for i := range 30 {
			marks = append(marks, detect.Mark{At: noon.Add(time.Duration(rnd.IntN(90*60)) * time.Second), Event: fmt.Sprintf("%02d", i), Word: fmt.Sprint(rnd.IntN(6))})
		}
		slices.SortFunc(marks, func(a, b detect.Mark) int { return a.At.Compare(b.At) })
		var want []string
		for i, m := range marks {
			for _, end := range marks[i:] {
				words := map[string]bool{}
				for _, x := range marks {
					if x.At.After(end.At.Add(-10*time.Minute)) && !x.At.After(end.At) {
						words[x.Word] = true
					}
				}
				if m.At.After(end.At.Add(-10*time.Minute)) && len(words) >= 4 {
					want = append(want, m.Event)
					break
				}
			}
		}
		slices.Sort(want)
		if got := told(marks, 4); !slices.Equal(got, want) {
			t.Fatalf("seed %d, in order: %v, want %v", seed, got, want)
		}
		late := slices.Clone(marks)
		at := map[string]time.Time{}
		for _, m := range late {
			at[m.Event] = m.At.Add(time.Duration(rnd.Int64N(int64(detect.Lateness))))
		}
		slices.SortFunc(late, func(a, b detect.Mark) int { return at[a.Event].Compare(at[b.Event]) })
		if got := told(late, 4); !slices.Equal(got, want) {
			t.Fatalf("seed %d, late: %v, want %v", seed, got, want)
		}
	}
}

func TestWindowPassesOverWhatIsTooLate(t *testing.T) {
	var w detect.Window
	w.Add(detect.Mark{At: noon, Event: "a"}, time.Minute)
	w.Add(detect.Mark{At: noon.Add(-time.Hour), Event: "b"}, time.Minute)
	if w.Len() != 1 || w.Reaches(1) {
		t.Errorf("%d marks", w.Len())
	}
	var a honeyguide.Alert
	if w.Tell(&a); a.Count != 0 {
		t.Errorf("told of %v", a.EventIDs)
	}
}

func TestWhenDoesNotTrustAClockAhead(t *testing.T) {
	e := honeyguide.Event{Time: noon.Add(time.Hour), Observed: noon}
	if got := detect.When(&e); !got.Equal(noon) {
		t.Error(got)
	}
	e.Time = noon.Add(time.Minute)
	if got := detect.When(&e); !got.Equal(e.Time) {
		t.Error(got)
	}
}

func BenchmarkWindow(b *testing.B) {
	var w detect.Window
	words := []string{"a", "b", "c", "d"}
	for i := 0; b.Loop(); i++ {
		w.Add(detect.Mark{At: noon.Add(time.Duration(i) * time.Second), Event: "e", Word: words[i%4]}, 5*time.Minute)
		w.Distinct("", 5)
	}
}

// BenchmarkFullWindow measures a flood of one word: nothing is ever distinct.
func BenchmarkFullWindow(b *testing.B) {
	var w detect.Window
	for i := 0; b.Loop(); i++ {
		w.Add(detect.Mark{At: noon.Add(time.Duration(i) * time.Second), Event: "e", Word: "root"}, 5*time.Minute)
		w.Distinct("", 5)
	}
}
