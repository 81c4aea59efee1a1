package triage

import (
	"fmt"
	"sort"
	"testing"
)

func TestQueue(t *testing.T) {
	data := map[string][]aitRow{}
	gr := map[string]Group{}
	for _, s := range scenarios {
		data[s] = loadAIT(t, s)
		for _, r := range data[s] {
			gr[s] = append(gr[s], r.Labelled)
		}
	}
	for _, s := range scenarios {
		var train []Group
		for _, o := range scenarios {
			if o != s {
				train = append(train, gr[o])
			}
		}
		m, _ := Train(train, TrainOptions{Name: "x"})
		o := NewObserver()
		type unit struct {
			score float64
			steps map[string]bool
			n     int
			pos   int
		}
		days := map[string]map[string]*unit{}
		all := map[string]map[string]bool{}
		var brier float64
		bins := make([][3]float64, 10)
		for _, r := range data[s] {
			f := o.Observe(r.Signal, m.Priors)
			z := m.LogOdds(&f)
			p := sigmoid(z)
			yv := 0.0
			if r.Positive {
				yv = 1
			}
			brier += (p - yv) * (p - yv)
			b := min(int(p*10), 9)
			bins[b][0]++
			bins[b][1] += yv
			bins[b][2] += p
			d := r.Time.UTC().Format("01-02")
			if days[d] == nil {
				days[d] = map[string]*unit{}
				all[d] = map[string]bool{}
			}
			k := r.Rule + "|" + r.Asset + r.Time.UTC().Format("15")
			u := days[d][k]
			if u == nil {
				u = &unit{score: -99, steps: map[string]bool{}}
				days[d][k] = u
			}
			u.score = max(u.score, z)
			u.n++
			if r.Positive {
				u.steps[r.step] = true
				u.pos++
				all[d][r.step] = true
			}
		}
		units, miss := 0, ""
		for d, us := range days {
			var l []*unit
			for _, u := range us {
				l = append(l, u)
			}
			units += len(l)
			sort.Slice(l, func(i, j int) bool { return l[i].score > l[j].score })
			got := map[string]int{}
			for i, u := range l {
				for st := range u.steps {
					if _, ok := got[st]; !ok {
						got[st] = i + 1
					}
				}
			}
			for st := range all[d] {
				miss += fmt.Sprintf(" %s:%s@%d", d, st, got[st])
			}
		}
		rel := ""
		for i, b := range bins {
			if b[0] > 0 {
				rel += fmt.Sprintf(" [%d: %.0f %.2f %.2f]", i, b[0], b[1]/b[0], b[2]/b[0])
			}
		}
		t.Logf("%-16s alerts %d units %d (%.1f%%) brier %.5f\n  ranks %s\n  %s", s, len(data[s]), units, 100-100*float64(units)/float64(len(data[s])), brier/float64(len(data[s])), miss, rel)
	}
}
