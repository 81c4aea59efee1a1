package triage

import "testing"

// BenchmarkScore is one signal: observed, scored, remembered. The design asks
// for 50,000 in a second of one processor.
func BenchmarkScore(b *testing.B) {
	m := train(b, 90)
	g := stream(91, 20_000)
	o := NewObserver()
	b.ResetTimer()
	for i := range b.N {
		f := o.Observe(g[i%len(g)].Signal, m.Priors)
		m.LogOdds(&f)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signals/s")
}

// BenchmarkExplain adds what is written for the best claim of an alert.
func BenchmarkExplain(b *testing.B) {
	m := train(b, 90)
	f := features(stream(91, 500), m.Priors)[499]
	for b.Loop() {
		m.Explain(&f)
		_ = f.Pack()
	}
}

func BenchmarkEncodeObserver(b *testing.B) {
	o := NewObserver()
	for _, l := range stream(92, 20_000) {
		o.Observe(l.Signal, nil)
	}
	for b.Loop() {
		b.SetBytes(int64(len(o.Encode())))
	}
}
