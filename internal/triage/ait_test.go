package triage

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

var scenarios = []string{"fox", "harrison", "russellmitchell", "wardbeck", "wilson"}

type aitRow struct {
	Labelled
	step string
}

func loadAIT(t *testing.T, s string) []aitRow {
	f, err := os.Open("/work/shared/corpus/soc/ait-ads/" + s + "_alerts.csv.gz")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.ReuseRecord = true
	var out []aitRow
	for {
		p, err := r.Read()
		if err != nil {
			break
		}
		sec, err := strconv.ParseInt(p[0], 10, 64)
		if err != nil {
			continue
		}
		switch p[6] {
		case "dirb", "wpscan", "dnsteal":
			continue
		}
		out = append(out, aitRow{Labelled{Signal{Time: time.Unix(sec, 0), Rule: string([]byte(p[1])), Asset: string([]byte(p[3]))}, p[6] != "-", 1}, string([]byte(p[6]))})
	}
	slices.SortStableFunc(out, func(a, b aitRow) int { return a.Time.Compare(b.Time) })
	return out
}

func TestAIT(t *testing.T) {
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
		m, err := Train(train, TrainOptions{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		o := NewObserver()
		c := NewObserver()
		var sc, lk, cold []float64
		var y []bool
		start := time.Now()
		for _, r := range data[s] {
			f := o.Observe(r.Signal, m.Priors)
			sc = append(sc, m.LogOdds(&f))
			lk = append(lk, f[fPrior])
			y = append(y, r.Positive)
		}
		d := time.Since(start)
		for _, r := range data[s] {
			f := c.Observe(r.Signal, nil)
			cold = append(cold, Cold().LogOdds(&f))
		}
		t.Logf("%-16s AP %.3f lookup %.3f cold %.3f  %.0f/s", s, AveragePrecision(sc, y), AveragePrecision(lk, y), AveragePrecision(cold, y), float64(len(y))/d.Seconds())
	}
}
