// Package telemetry is what Honeyguide says about itself: metrics in the
// Prometheus text format, structured logs, health.
//
// Metrics are named honeyguide_<room>_<noun>_<unit>_total. No label value ever
// comes from an attacker: label values are names from our own configuration
// and tables, and a vector refuses more than MaxSeries of them.
package telemetry

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// MaxSeries bounds the label combinations of one metric. What comes after is
// counted under the label value "other".
const MaxSeries = 512

// A Registry holds the metrics of one process. A nil Registry hands out
// metrics that count nothing, so that no room needs to ask whether it is
// watched.
type Registry struct {
	mu      sync.Mutex
	metrics map[string]*vec
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{metrics: map[string]*vec{}} }

type vec struct {
	name, help, kind string
	labels           []string
	buckets          []float64

	mu     sync.RWMutex
	series map[string]*series
}

type series struct {
	labels []string
	value  atomic.Uint64 // float64 bits
	count  atomic.Uint64
	bucket []atomic.Uint64
}

func (s *series) add(v float64) {
	for {
		old := s.value.Load()
		if s.value.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

// vec returns the metric called name, made at the first call.
func (r *Registry) vec(name, help, kind string, buckets []float64, labels []string) *vec {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.metrics[name]
	if v == nil {
		v = &vec{name: name, help: help, kind: kind, labels: labels, buckets: buckets, series: map[string]*series{}}
		r.metrics[name] = v
		if len(labels) == 0 {
			v.with(nil) // exists with 0 from the start, so that increase() sees the first count
		}
	}
	return v
}

func (v *vec) with(values []string) *series {
	if v == nil {
		return nil
	}
	key := strings.Join(values, "\x00")
	v.mu.RLock()
	s := v.series[key]
	v.mu.RUnlock()
	if s != nil {
		return s
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s = v.series[key]; s != nil {
		return s
	}
	if len(v.series) >= MaxSeries {
		values = slices.Repeat([]string{"other"}, len(v.labels))
		key = strings.Join(values, "\x00")
		if s = v.series[key]; s != nil {
			return s
		}
	}
	s = &series{labels: slices.Clone(values), bucket: make([]atomic.Uint64, len(v.buckets))}
	v.series[key] = s
	return s
}

// A CounterVec is a family of counters that differ by label values.
type CounterVec struct{ v *vec }

// A Counter only grows.
type Counter struct{ s *series }

// Counter returns the family called name.
func (r *Registry) Counter(name, help string, labels ...string) *CounterVec {
	return &CounterVec{r.vec(name, help, "counter", nil, labels)}
}

// With returns the counter of these label values, in the order of the labels.
func (c *CounterVec) With(values ...string) *Counter {
	if c == nil {
		return nil
	}
	return &Counter{c.v.with(values)}
}

// Add adds n to the counter without labels.
func (c *CounterVec) Add(n float64) { c.With().Add(n) }

// Add adds n, which must not be negative.
func (c *Counter) Add(n float64) {
	if c != nil && c.s != nil && n > 0 {
		c.s.add(n)
	}
}

// Value returns the present count.
func (c *Counter) Value() float64 {
	if c == nil || c.s == nil {
		return 0
	}
	return math.Float64frombits(c.s.value.Load())
}

// A GaugeVec is a family of gauges that differ by label values.
type GaugeVec struct{ v *vec }

// A Gauge goes up and down.
type Gauge struct{ s *series }

// Gauge returns the family called name.
func (r *Registry) Gauge(name, help string, labels ...string) *GaugeVec {
	return &GaugeVec{r.vec(name, help, "gauge", nil, labels)}
}

// With returns the gauge of these label values.
func (g *GaugeVec) With(values ...string) *Gauge {
	if g == nil {
		return nil
	}
	return &Gauge{g.v.with(values)}
}

// Set sets the gauge without labels.
func (g *GaugeVec) Set(v float64) { g.With().Set(v) }

// Set sets the gauge.
func (g *Gauge) Set(v float64) {
	if g != nil && g.s != nil {
		g.s.value.Store(math.Float64bits(v))
	}
}

// A HistogramVec is a family of histograms that differ by label values.
type HistogramVec struct{ v *vec }

// A Histogram counts observations in cumulative buckets.
type Histogram struct {
	s *series
	v *vec
}

// Histogram returns the family called name; buckets are upper bounds in rising
// order, in the unit the name ends in.
func (r *Registry) Histogram(name, help string, buckets []float64, labels ...string) *HistogramVec {
	return &HistogramVec{r.vec(name, help, "histogram", buckets, labels)}
}

// With returns the histogram of these label values.
func (h *HistogramVec) With(values ...string) *Histogram {
	if h == nil || h.v == nil {
		return nil
	}
	return &Histogram{h.v.with(values), h.v}
}

// Observe counts x into the histogram without labels.
func (h *HistogramVec) Observe(x float64) { h.With().Observe(x) }

// Observe counts x.
func (h *Histogram) Observe(x float64) {
	if h == nil || h.s == nil {
		return
	}
	h.s.count.Add(1)
	h.s.add(x)
	for i, le := range h.v.buckets {
		if x <= le {
			h.s.bucket[i].Add(1)
		}
	}
}

// WriteTo writes every metric in the Prometheus text exposition format 0.0.4,
// sorted by name and labels.
func (r *Registry) WriteTo(w io.Writer) (int64, error) {
	if r == nil {
		return 0, nil
	}
	r.mu.Lock()
	names := make([]string, 0, len(r.metrics))
	for name := range r.metrics {
		names = append(names, name)
	}
	slices.Sort(names)
	vecs := make([]*vec, 0, len(names))
	for _, name := range names {
		vecs = append(vecs, r.metrics[name])
	}
	r.mu.Unlock()
	cw := &countingWriter{w: bufio.NewWriter(w)}
	for _, v := range vecs {
		v.write(cw)
	}
	return cw.n, cw.w.Flush()
}

type countingWriter struct {
	w *bufio.Writer
	n int64
}

func (c *countingWriter) printf(format string, args ...any) {
	n, _ := fmt.Fprintf(c.w, format, args...) // bufio keeps the first error for Flush
	c.n += int64(n)
}

func (v *vec) write(w *countingWriter) {
	w.printf("# HELP %s %s\n# TYPE %s %s\n", v.name, v.help, v.name, v.kind)
	v.mu.RLock()
	defer v.mu.RUnlock()
	keys := make([]string, 0, len(v.series))
	for k := range v.series {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		s := v.series[k]
		value := strconv.FormatFloat(math.Float64frombits(s.value.Load()), 'g', -1, 64)
		if v.kind != "histogram" {
			w.printf("%s%s %s\n", v.name, v.pairs(s, ""), value)
			continue
		}
		for i, le := range v.buckets {
			w.printf("%s_bucket%s %d\n", v.name, v.pairs(s, strconv.FormatFloat(le, 'g', -1, 64)), s.bucket[i].Load())
		}
		w.printf("%s_bucket%s %d\n", v.name, v.pairs(s, "+Inf"), s.count.Load())
		w.printf("%s_sum%s %s\n%s_count%s %d\n", v.name, v.pairs(s, ""), value, v.name, v.pairs(s, ""), s.count.Load())
	}
}

// pairs renders the label block of s, with le when it is not empty.
func (v *vec) pairs(s *series, le string) string {
	var b strings.Builder
	for i, name := range v.labels {
		if i < len(s.labels) {
			fmt.Fprintf(&b, ",%s=%q", name, s.labels[i])
		}
	}
	if le != "" {
		fmt.Fprintf(&b, ",le=%q", le)
	}
	if b.Len() == 0 {
		return ""
	}
	return "{" + b.String()[1:] + "}"
}
