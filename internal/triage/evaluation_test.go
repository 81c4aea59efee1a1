package triage

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

var (
	evaluate = flag.Bool("evaluate", false, "measure the model on the alert corpus and print the table")
	alerts   = flag.String("alerts", filepath.Join("..", "..", "..", "shared", "corpus", "soc", "ait-ads"), "folder of the alert corpus")
	page     = flag.String("page", "", "file to write the table to")
)

// budgets are how many alerts of a day an analyst looks at.
var budgets = []int{50, 100, 200}

// TestEvaluation prints the table of docs/reference/triage.md: each scenario is
// scored by a model trained on the four others, in the order of time.
func TestEvaluation(t *testing.T) {
	if !*evaluate {
		t.Skip("make triage-eval measures the model")
	}
	all := corpus(t, *alerts)
	began := time.Now()
	var table strings.Builder
	ap := map[string]map[string]float64{} // by view, by scenario
	var trained, cold []outcome
	for _, v := range views {
		ap[v.name] = map[string]float64{}
		rows, groups := map[string][]labelled{}, map[string]Group{}
		for _, s := range scenarios {
			rows[s], groups[s] = v.of(all[s])
		}
		for _, s := range scenarios {
			var others []Group
			for _, o := range scenarios {
				if o != s {
					others = append(others, groups[o])
				}
			}
			m, err := Train(others, TrainOptions{Name: "without " + s})
			if err != nil {
				t.Fatal(err)
			}
			z := replay(m, rows[s])
			ap[v.name][s] = AveragePrecision(z, truth(rows[s]))
			if v.name == "V2" {
				o := measured(s, rows[s], z)
				o.lookup, o.rarity = AveragePrecision(lookup(others, rows[s]), truth(rows[s])), AveragePrecision(rarity(others, rows[s]), truth(rows[s]))
				trained = append(trained, o)
				cold = append(cold, measured(s, rows[s], replay(Cold(), rows[s])))
			}
		}
	}
	fmt.Fprintf(&table, "Measured %s with `make triage-eval`.\n\n", began.UTC().Format(time.DateOnly))
	rank(&table, ap, trained, cold)
	for _, x := range []struct {
		name string
		list []outcome
	}{{"The trained model", trained}, {"The cold model", cold}} {
		fmt.Fprintf(&table, "\n### %s on V2\n\n", x.name)
		work(&table, x.list)
		calibration(&table, x.list)
	}
	fmt.Println(table.String())
	if *page != "" {
		if err := replaceTable(*page, table.String()); err != nil {
			t.Fatal(err)
		}
	}
}

// replaceTable writes a table behind the mark in a page.
func replaceTable(file, table string) error {
	const mark = "<!-- what follows is written by make triage-eval -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, _, ok := strings.Cut(string(text), mark)
	if !ok {
		return fmt.Errorf("%s: there is no line %q", file, strings.TrimSpace(mark))
	}
	return os.WriteFile(file, []byte(head+mark+"\n"+table), 0o644)
}

// rank prints average precision, beside that of simpler means.
func rank(w *strings.Builder, ap map[string]map[string]float64, trained, cold []outcome) {
	w.WriteString("### Average precision\n\n| scenario | V2 alerts | positives | V2 trained | V2 cold start | V2 name lookup | V2 rarity | V1 trained | V0 trained |\n|---|---|---|---|---|---|---|---|---|\n")
	columns := make([][]float64, 6)
	for i, o := range trained {
		row := []float64{o.ap, cold[i].ap, o.lookup, o.rarity, ap["V1"][o.scenario], ap["V0"][o.scenario]}
		fmt.Fprintf(w, "| %s | %d | %d |", o.scenario, o.alerts, o.positives)
		for c, v := range row {
			fmt.Fprintf(w, " %.3f |", v)
			columns[c] = append(columns[c], v)
		}
		w.WriteString("\n")
	}
	w.WriteString("| median / minimum | | |")
	for _, c := range columns {
		fmt.Fprintf(w, " %.3f / %.3f |", median(c), slices.Min(c))
	}
	w.WriteString("\n")
}

// work prints what an analyst would find.
func work(w *strings.Builder, list []outcome) {
	w.WriteString("| scenario | precision at 50 / 100 / 200 a day (best possible) | steps in the top 100 alerts of their day | steps in the top 100 of the queue | lowest place of a step in the queue | queue entries | reduction | Brier | calibration error |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range list {
		var p, best []string
		for b := range budgets {
			p, best = append(p, fmt.Sprintf("%.2f", o.precision[b])), append(best, fmt.Sprintf("%.2f", o.best[b]))
		}
		fmt.Fprintf(w, "| %s | %s (%s) | %d of %d | %d of %d | %d | %d | %.1f %% | %.5f | %.5f |\n", o.scenario, strings.Join(p, " / "), strings.Join(best, " / "),
			o.stepsTop, o.steps, o.stepsQueue, o.steps, o.lowest, o.units, o.reduction, o.brier, CalibrationError(o.bins))
	}
}

// calibration prints the reliability of all scenarios together.
func calibration(w *strings.Builder, list []outcome) {
	sum := Reliability(nil, nil)
	for _, o := range list {
		for b := range sum {
			sum[b].N += o.bins[b].N
			sum[b].Positive += o.bins[b].Positive
			sum[b].Expected += o.bins[b].Expected
		}
	}
	w.WriteString("\n| probability shown | alerts | mean of it | true among them |\n|---|---|---|---|\n")
	for _, b := range sum {
		if b.N > 0 {
			fmt.Fprintf(w, "| %g to %g | %d | %.4f | %.4f |\n", b.From, b.To, b.N, b.Expected/float64(b.N), float64(b.Positive)/float64(b.N))
		}
	}
}

// An outcome is what a model did on one scenario.
type outcome struct {
	scenario             string
	alerts, positives    int
	ap, lookup, rarity   float64
	precision, best      []float64 // at each budget, over the days with attack alerts
	steps                int       // attack steps, once for each day they are seen on
	stepsTop, stepsQueue int       // of them in the top 100 of that day
	lowest               int       // place of the step that comes last in the queue
	units                int       // queue entries: alerts of one rule, machine and hour are one
	reduction            float64   // percent of the alerts the queue saves
	brier                float64
	bins                 []Bin
}

// A unit is one entry of a queue, or one alert.
type unit struct {
	score    float64
	positive bool
	steps    map[string]bool
}

func measured(scenario string, rows []labelled, z []float64) outcome {
	o := outcome{scenario: scenario, alerts: len(rows), ap: AveragePrecision(z, truth(rows)), brier: Brier(z, truth(rows)), bins: Reliability(z, truth(rows))}
	singles, queue := map[string][]*unit{}, map[string]map[string]*unit{}
	for i, l := range rows {
		day, key := l.Time.Format(time.DateOnly), l.Rule+"|"+l.Asset+l.Time.Format("15")
		if queue[day] == nil {
			queue[day] = map[string]*unit{}
		}
		if queue[day][key] == nil {
			queue[day][key] = &unit{score: z[i], steps: map[string]bool{}}
		}
		one, entry := &unit{score: z[i], positive: l.Positive, steps: map[string]bool{}}, queue[day][key]
		entry.score = max(entry.score, z[i])
		if l.Positive {
			o.positives++
			one.steps[l.step], entry.steps[l.step] = true, true
		}
		singles[day] = append(singles[day], one)
	}
	hits, looks, possible := make([]int, len(budgets)), make([]int, len(budgets)), make([]int, len(budgets))
	for _, day := range slices.Sorted(maps.Keys(singles)) {
		list := singles[day]
		entries := slices.Collect(maps.Values(queue[day]))
		o.units += len(entries)
		places, inQueue := steps(list), steps(entries)
		o.steps += len(places)
		for s := range places {
			if places[s] <= 100 {
				o.stepsTop++
			}
			if inQueue[s] <= 100 {
				o.stepsQueue++
			}
			o.lowest = max(o.lowest, inQueue[s])
		}
		if len(places) == 0 {
			continue
		}
		total := 0
		for _, u := range list {
			if u.positive {
				total++
			}
		}
		for b, k := range budgets {
			looks[b] += k
			possible[b] += min(k, total)
			for _, u := range list[:min(k, len(list))] {
				if u.positive {
					hits[b]++
				}
			}
		}
	}
	for b := range budgets {
		o.precision = append(o.precision, float64(hits[b])/float64(max(looks[b], 1)))
		o.best = append(o.best, float64(possible[b])/float64(max(looks[b], 1)))
	}
	o.reduction = 100 - 100*float64(o.units)/float64(len(rows))
	return o
}

// steps sorts units by their score and returns the place of each attack step. Of
// equal scores the attack comes last: luck counts for nothing.
func steps(list []*unit) map[string]int {
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].score != list[j].score {
			return list[i].score > list[j].score
		}
		return len(list[i].steps) < len(list[j].steps)
	})
	places := map[string]int{}
	for i, u := range list {
		for s := range u.steps {
			if _, ok := places[s]; !ok {
				places[s] = i + 1
			}
		}
	}
	return places
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}
