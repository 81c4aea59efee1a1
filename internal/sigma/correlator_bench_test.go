package sigma

import (
	"strconv"
	"testing"
	"time"
)

// BenchmarkHit counts hits of ten thousand sources that never fire.
func BenchmarkHit(b *testing.B) {
	for name, rule := range map[string]string{
		"count":   `{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10m, condition: {gte: 1000}}}`,
		"values":  `{title: X, correlation: {type: value_count, rules: [a], group-by: [ip], timespan: 10m, condition: {field: user, gte: 100}}}`,
		"ordered": `{title: X, correlation: {type: temporal_ordered, rules: [a, b, c], group-by: [ip], timespan: 10m}}`,
		"fewer":   `{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10m, condition: {lt: 1}}}`,
	} {
		b.Run(name, func(b *testing.B) {
			rig := newRig(b, rule)
			rec := &Record{Fields: []Field{{Name: "ip"}, {Name: "user"}}}
			a := rig.rules["a"]
			b.ReportAllocs()
			began := cpuTime()
			for i := range b.N {
				rec.ID, rec.Time = strconv.Itoa(i), epoch.Add(time.Duration(i)*time.Millisecond)
				rec.Fields[0].Text, rec.Fields[1].Text = strconv.Itoa(i%10_000), strconv.Itoa(i%7)
				rig.k.Hit(a, rec)
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-began).Seconds(), "hits/cpu-s")
		})
	}
}

// BenchmarkSnapshot writes down a hundred thousand groups of ten hits.
func BenchmarkSnapshot(b *testing.B) {
	rig := newRig(b, `{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 1h, condition: {gte: 1000}}}`)
	rec := &Record{Fields: []Field{{Name: "ip"}}}
	for i := range 1_000_000 {
		rec.ID, rec.Time, rec.Fields[0].Text = strconv.Itoa(i), epoch.Add(time.Duration(i)*time.Millisecond), strconv.Itoa(i%100_000)
		rig.k.Hit(rig.rules["a"], rec)
	}
	began := cpuTime()
	for b.Loop() {
		b.SetBytes(int64(len(rig.k.Snapshot())))
	}
	b.ReportMetric(float64((cpuTime()-began).Milliseconds())/float64(b.N), "cpu-ms")
	b.ReportMetric(float64(rig.k.Bytes()>>20), "MiB")
}
