package triage

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scenarios are those of the AIT alert data set (see docs/explanation/triage.md).
var scenarios = []string{"fox", "harrison", "russellmitchell", "wardbeck", "wilson"}

// A view leaves attack steps out, whose sheer number would drown the others.
type view struct {
	name    string
	without []string
}

var views = []view{
	{"V0", nil},
	{"V1", []string{"dirb", "wpscan"}},
	{"V2", []string{"dirb", "wpscan", "dnsteal"}},
}

// A labelled alert of the corpus and the attack step that caused it, "-" for none.
type labelled struct {
	Labelled
	step string
}

// corpus reads all scenarios from a folder, in the order of time.
func corpus(t *testing.T, folder string) map[string][]labelled {
	t.Helper()
	out := map[string][]labelled{}
	for _, s := range scenarios {
		f, err := os.Open(filepath.Join(folder, s+"_alerts.csv.gz"))
		if errors.Is(err, fs.ErrNotExist) {
			t.Skipf("the alert corpus is not here: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		out[s], err = readAlerts(f)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return out
}

func readAlerts(f io.Reader) ([]labelled, error) {
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(z)
	r.ReuseRecord, r.FieldsPerRecord = true, 7
	if _, err := r.Read(); err != nil { // the header
		return nil, err
	}
	names := map[string]string{} // 1.8 million rows share some hundred words
	name := func(s string) string {
		if have, ok := names[s]; ok {
			return have
		}
		s = strings.Clone(s)
		names[s] = s
		return s
	}
	var out []labelled
	for {
		p, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		sec, err := strconv.ParseInt(p[0], 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, labelled{Labelled{
			Signal: Signal{Time: time.Unix(sec, 0).UTC(), Rule: name(p[1]), Asset: name(p[3]), Points: LogOdds(10)}, Positive: p[6] != "-", Weight: 1,
		}, name(p[6])})
	}
	// The file is two sorted blocks.
	slices.SortStableFunc(out, func(a, b labelled) int { return a.Time.Compare(b.Time) })
	return out, nil
}

// of returns the alerts of a scenario a view shows.
func (v view) of(all []labelled) (rows []labelled, group Group) {
	for _, l := range all {
		if !slices.Contains(v.without, l.step) {
			rows, group = append(rows, l), append(group, l.Labelled)
		}
	}
	return rows, group
}

// lookup scores by the name alone: the share of positives in training, one added
// to the positives and two to all, one half for a name never seen.
func lookup(train []Group, rows []labelled) []float64 {
	type tally struct{ positive, all float64 }
	by := map[string]tally{}
	for _, g := range train {
		for _, l := range g {
			t := by[l.Rule]
			t.all++
			if l.Positive {
				t.positive++
			}
			by[l.Rule] = t
		}
	}
	out := make([]float64, len(rows))
	for i, l := range rows {
		if t, ok := by[l.Rule]; ok {
			out[i] = (t.positive + 1) / (t.all + 2)
		} else {
			out[i] = .5
		}
	}
	return out
}

// rarity scores by how seldom a name is in training, without labels.
func rarity(train []Group, rows []labelled) []float64 {
	by := map[string]float64{}
	for _, g := range train {
		for _, l := range g {
			by[l.Rule]++
		}
	}
	out := make([]float64, len(rows))
	for i, l := range rows {
		out[i] = -by[l.Rule]
	}
	return out
}

// replay scores rows with a model, in order.
func replay(m *Model, rows []labelled) (logOdds []float64) {
	o := NewObserver()
	for i := range rows {
		f := o.Observe(rows[i].Signal, m.Priors)
		logOdds = append(logOdds, m.LogOdds(&f))
	}
	return logOdds
}

func truth(rows []labelled) []bool {
	out := make([]bool, len(rows))
	for i := range rows {
		out[i] = rows[i].Positive
	}
	return out
}
