package triage

import (
	"errors"
	"math"
)

// fit finds the weights of a logistic regression with an L2 penalty by Newton's
// method with step halving. rows are standardised; the last weight is the bias,
// which is not penalised.
func fit(rows []Features, positive []bool, weight []float64, penalty float64) ([featureCount + 1]float64, error) {
	const n = featureCount + 1
	var beta [n]float64
	var p, w float64
	for i := range rows {
		w += weight[i]
		if positive[i] {
			p += weight[i]
		}
	}
	if p == 0 || p == w {
		return beta, errors.New("fit triage model: verdicts of both kinds are needed")
	}
	beta[n-1] = math.Log(p / (w - p))
	last := loss(rows, positive, weight, penalty, &beta)
	for range 50 {
		g, h := slope(rows, positive, weight, penalty, &beta)
		step := solve(&h, &g)
		next, rate := beta, 1.0
		for {
			for j := range next {
				next[j] = beta[j] + rate*step[j]
			}
			if l := loss(rows, positive, weight, penalty, &next); l <= last {
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
func linear(x *Features, beta *[featureCount + 1]float64) float64 {
	z := beta[featureCount]
	for j, v := range x {
		z += beta[j] * v
	}
	return z
}

// loss is the penalised negative log likelihood.
func loss(rows []Features, positive []bool, weight []float64, penalty float64, beta *[featureCount + 1]float64) float64 {
	sum := 0.0
	for i := range rows {
		z := linear(&rows[i], beta)
		if positive[i] {
			z = -z
		}
		if z > 30 {
			sum += weight[i] * z
		} else {
			sum += weight[i] * math.Log1p(math.Exp(z))
		}
	}
	for j := range featureCount {
		sum += penalty / 2 * beta[j] * beta[j]
	}
	return sum
}

// slope returns the gradient of the likelihood and the negative of its second
// derivative, which is positive definite thanks to the penalty.
func slope(rows []Features, positive []bool, weight []float64, penalty float64, beta *[featureCount + 1]float64) (g [featureCount + 1]float64, h [featureCount + 1][featureCount + 1]float64) {
	const n = featureCount + 1
	var x [n]float64
	for i := range rows {
		p := sigmoid(linear(&rows[i], beta))
		y := 0.0
		if positive[i] {
			y = 1
		}
		e, c := weight[i]*(y-p), weight[i]*p*(1-p)
		copy(x[:], rows[i][:])
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
	for j := range featureCount {
		g[j] -= penalty * beta[j]
		h[j][j] += penalty
	}
	h[n-1][n-1] += 1e-6
	return g, h
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// solve returns h^-1 g by Cholesky's decomposition; only the lower half of h is
// read.
func solve(h *[featureCount + 1][featureCount + 1]float64, g *[featureCount + 1]float64) [featureCount + 1]float64 {
	const n = featureCount + 1
	var l [n][n]float64
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
	var y, x [n]float64
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
