package fwhelper

import (
	"errors"
	"time"

	"honeyguide/internal/telemetry"
)

// metrics are what is counted of the process.
type metrics struct {
	asks              *telemetry.CounterVec
	starts            *telemetry.CounterVec
	seconds           *telemetry.HistogramVec
	blocks, redirects *telemetry.Gauge
	denied            *telemetry.Gauge
	intact            *telemetry.Gauge
}

func newMetrics(r *telemetry.Registry) metrics {
	m := metrics{
		asks:      r.Counter("honeyguide_firewall_asks_total", "Changes asked of the firewall process, by verb and how they ended.", "verb", "result"),
		starts:    r.Counter("honeyguide_firewall_starts_total", "Times the firewall process was started."),
		seconds:   r.Histogram("honeyguide_firewall_seconds", "Time from asking the firewall process until the kernel did it.", []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10}, "verb"),
		blocks:    r.Gauge("honeyguide_firewall_blocks", "Blocks in force.").With(),
		redirects: r.Gauge("honeyguide_firewall_redirects", "Redirects in force.").With(),
		denied:    r.Gauge("honeyguide_firewall_denied", "Entries the firewall process refused since it started.").With(),
		intact:    r.Gauge("honeyguide_firewall_intact", "1 when the kernel holds what was put there.").With(),
	}
	for _, verb := range []string{"block", "unblock", "replace"} {
		for _, result := range []string{"ok", "failed"} {
			m.asks.With(verb, result).Add(0)
		}
	}
	m.starts.Add(0)
	return m
}

// took counts one ask.
func (m *metrics) took(verb string, began time.Time, err error) {
	result := "ok"
	switch {
	case errors.Is(err, ErrUnavailable):
		result = "unavailable"
	case err != nil:
		result = "failed"
	}
	m.asks.With(verb, result).Add(1)
	m.seconds.With(verb).Observe(time.Since(began).Seconds())
}

// saw keeps what a look at the kernel said.
func (m *metrics) saw(h *Health) {
	m.blocks.Set(float64(h.Blocks))
	m.redirects.Set(float64(h.Redirects))
	m.denied.Set(float64(h.Denied))
	intact := 0.0
	if h.Intact {
		intact = 1
	}
	m.intact.Set(intact)
}
