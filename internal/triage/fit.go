package triage

import (
	"errors"
	"math"
)

// weights of a logistic regression; the last one is the bias.
type weights [featureCount + 1]float64

// A problem is what a regression is fitted to: standardised rows, and the
// weights that are believed until the rows say otherwise. penalty says how
// strongly.
type problem struct {
	rows     []Features
	positive []bool
	weight   []float64
	believed weights
	penalty  weights
}

// fit finds the weights by Newton's method with step halving.
func (q *problem) fit() (weights, error) {
	const n = featureCount + 1
	beta := q.believed
	var p, w float64
	for i := range q.rows {
		w += q.weight[i]
		if q.positive[i] {
			p += q.weight[i]
		}
	}
	if p == 0 || p == w {
		return beta, errors.New("fit triage model: verdicts of both kinds are needed")
	}
	if q.penalty[n-1] == 0 {
		beta[n-1] = math.Log(p / (w - p))
	}
	last := q.loss(&beta)
	for range 50 {
		g, h := q.slope(&beta)
		step := solve(&h, &g)
		next, rate := beta, 1.0
		for {
			for j := range next {
				next[j] = beta[j] + rate*step[j]
			}
			if l := q.loss(&next); l <= last {
				gain := last - l
				beta, last = next, l
				if gain < 1e-4 {
					return beta, nil
				}
				break
			}
			if rate /= 2; rate < 1e-6 {
				return beta, nil
			}
		}
	}
	return beta, nil
}

// linear is the log odds of one row.
func linear(x *Features, beta *weights) float64 {
	z := beta[featureCount]
	for j, v := range x {
		z += beta[j] * v
	}
	return z
}

// loss is the penalised negative log likelihood.
func (q *problem) loss(beta *weights) float64 {
	sum := 0.0
	for i := range q.rows {
		z := linear(&q.rows[i], beta)
		if q.positive[i] {
			z = -z
		}
		sum += q.weight[i] * softplus(z)
	}
	for j := range beta {
		d := beta[j] - q.believed[j]
		sum += q.penalty[j] / 2 * d * d
	}
	return sum
}

// softplus is log(1 + e^z).
func softplus(z float64) float64 {
	if z > 30 {
		return z
	}
	return math.Log1p(math.Exp(z))
}

// slope returns the gradient of the likelihood and the negative of its second
// derivative, which is positive definite thanks to the penalty.
func (q *problem) slope(beta *weights) (g weights, h matrix) {
	const n = featureCount + 1
	var x [n]float64
	for i := range q.rows {
		p := sigmoid(linear(&q.rows[i], beta))
		y := 0.0
		if q.positive[i] {
			y = 1
		}
		e, c := q.weight[i]*(y-p), q.weight[i]*p*(1-p)
		copy(x[:], q.rows[i][:])
		x[n-1] = 1
		for j := range n {
			g[j] += e * x[j]
			if c > 1e-10 {
				v := c * x[j]
				for k := range j + 1 {
					h[j][k] += v * x[k]
				}
			}
		}
	}
	for j := range n {
		g[j] -= q.penalty[j] * (beta[j] - q.believed[j])
		h[j][j] += q.penalty[j] + 1e-6
	}
	return g, h
}

type matrix [featureCount + 1][featureCount + 1]float64

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// solve returns h^-1 g by Cholesky's decomposition; only the lower half of h is
// read.
func solve(h *matrix, g *weights) weights {
	const n = featureCount + 1
	var l matrix
	for i := range n {
		for j := range i + 1 {
			s := h[i][j]
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			if i == j {
				l[i][i] = math.Sqrt(max(s, 1e-12))
			} else {
				l[i][j] = s / l[j][j]
			}
		}
	}
	var y, x weights
	for i := range n {
		s := g[i]
		for k := range i {
			s -= l[i][k] * y[k]
		}
		y[i] = s / l[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		s := y[i]
		for k := i + 1; k < n; k++ {
			s -= l[k][i] * x[k]
		}
		x[i] = s / l[i][i]
	}
	return x
}
