package triage

import "sort"

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
