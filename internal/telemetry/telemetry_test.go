package telemetry_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"honeyguide/internal/telemetry"
)

func TestWriteTo(t *testing.T) {
	m := telemetry.NewRegistry()
	m.Counter("a_total", "As.").Add(2)
	m.Counter("b_total", "Bs.", "kind").With(`x"y`).Add(1)
	m.Gauge("c", "Cs.").Set(1.5)
	m.Histogram("d_seconds", "Ds.", []float64{0.1, 1}).Observe(0.5)
	var out strings.Builder
	if _, err := m.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE a_total counter\na_total 2\n", `b_total{kind="x\"y"} 1`, "c 1.5",
		`d_seconds_bucket{le="0.1"} 0`, `d_seconds_bucket{le="1"} 1`, `d_seconds_bucket{le="+Inf"} 1`, "d_seconds_count 1",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in:\n%s", want, out.String())
		}
	}
}

func TestCountersExistBeforeTheyCount(t *testing.T) {
	m := telemetry.NewRegistry()
	m.Counter("threat_events_total", "Threats.")
	var out strings.Builder
	if _, err := m.WriteTo(&out); err != nil || !strings.Contains(out.String(), "threat_events_total 0\n") {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestNilRegistryCountsNothing(t *testing.T) {
	var m *telemetry.Registry
	m.Counter("a", "", "l").With("x").Add(1)
	m.Gauge("b", "").Set(1)
	m.Histogram("c", "", nil).Observe(1)
}

func TestSeriesAreBounded(t *testing.T) {
	c := telemetry.NewRegistry().Counter("n_total", "", "l")
	for i := range 10 * telemetry.MaxSeries {
		c.With("v" + strconv.Itoa(i)).Add(1)
	}
	if got := c.With("other").Value(); got != 9*telemetry.MaxSeries {
		t.Errorf("other = %v, want %d", got, 9*telemetry.MaxSeries)
	}
}

func TestLogEscapesAndMasks(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := telemetry.NewLogger(&out, slog.LevelInfo, format)
		log.Info("login", slog.String("user", "a\nlevel=ERROR \x1b[31m"), slog.String("password", "hunter2"), slog.Any("error", errors.New("x\u2028y")))
		if n := strings.Count(strings.TrimSpace(out.String()), "\n"); n != 0 {
			t.Errorf("%s: %d extra lines: %s", format, n, out.String())
		}
		for _, bad := range []string{"\x1b", "hunter2", "\u2028"} {
			if strings.Contains(out.String(), bad) {
				t.Errorf("%s: %q got through: %s", format, bad, out.String())
			}
		}
	}
}
