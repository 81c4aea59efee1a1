package triage

import (
	"math"
	"sort"
)

// AveragePrecision returns the area under the precision-recall curve of scores
// against the truth; equal scores share one threshold. It is 0 without a
// positive.
func AveragePrecision(scores []float64, positive []bool) float64 {
	order := make([]int, len(scores))
	total := 0
	for i := range order {
		order[i] = i
		if positive[i] {
			total++
		}
	}
	if total == 0 {
		return 0
	}
	sort.Slice(order, func(a, b int) bool { return scores[order[a]] > scores[order[b]] })
	var sum float64
	hits := 0
	for i := 0; i < len(order); {
		j, found := i, 0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if positive[order[j]] {
				found++
			}
		}
		hits += found
		sum += float64(found) / float64(total) * float64(hits) / float64(j)
		i = j
	}
	return sum
}

// LogLoss returns the mean negative log likelihood of the truth, in nats: 0 is
// certain and right; 0.69 is a tossed coin. It is 0 for no scores.
func LogLoss(logOdds []float64, positive []bool) float64 {
	sum := 0.0
	for i, z := range logOdds {
		if positive[i] {
			z = -z
		}
		sum += softplus(z)
	}
	return sum / math.Max(float64(len(logOdds)), 1)
}

// ShiftedLogLoss returns the least log loss that adding one number to all log
// odds can give: how well they tell true from false, whatever they take for
// common.
func ShiftedLogLoss(logOdds []float64, positive []bool) float64 {
	shifted := make([]float64, len(logOdds))
	low, high := -100.0, 100.0
	for range 60 { // the slope rises with the shift
		by, slope := (low+high)/2, 0.0
		for i, z := range logOdds {
			shifted[i] = z + by
			slope += sigmoid(z + by)
			if positive[i] {
				slope--
			}
		}
		if slope > 0 {
			high = by
		} else {
			low = by
		}
	}
	return LogLoss(shifted, positive)
}

// Brier returns the mean squared error of probabilities. It is 0 for none.
func Brier(logOdds []float64, positive []bool) float64 {
	sum := 0.0
	for i, z := range logOdds {
		d := sigmoid(z)
		if positive[i] {
			d--
		}
		sum += d * d
	}
	return sum / math.Max(float64(len(logOdds)), 1)
}

// A Bin is one row of a reliability table: of N signals whose probability lay
// in a range, how many were positive and how many were expected to be.
type Bin struct {
	From, To float64
	N        int
	Positive int
	Expected float64
}

// bounds of the ranges of Reliability: alerts are mostly noise, so the low end
// is where most of them are told apart.
var bounds = [...]float64{0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1}

// Reliability compares probabilities with what was true, in ranges from 0 to 1.
func Reliability(logOdds []float64, positive []bool) []Bin {
	bins := make([]Bin, len(bounds)-1)
	for b := range bins {
		bins[b].From, bins[b].To = bounds[b], bounds[b+1]
	}
	for i, z := range logOdds {
		p := sigmoid(z)
		b := sort.Search(len(bins)-1, func(b int) bool { return p < bins[b].To })
		bins[b].N++
		bins[b].Expected += p
		if positive[i] {
			bins[b].Positive++
		}
	}
	return bins
}

// CalibrationError is the mean distance between what was expected and what was
// true over the bins, each weighed by its signals.
func CalibrationError(bins []Bin) float64 {
	sum, n := 0.0, 0
	for _, b := range bins {
		sum += math.Abs(b.Expected - float64(b.Positive))
		n += b.N
	}
	return sum / math.Max(float64(n), 1)
}

// Wilson returns the 95 % score interval of a share of hits among n. Without
// anything counted it is everything: 0 to 1.
func Wilson(hits, n int64) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	p, m := float64(hits)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(mid-half, 0), min(mid+half, 1)
}
