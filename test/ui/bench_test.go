package ui

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBench measures the budgets of the console with 50,000 alerts in the store and
// 200 events a second. It is no part of the tests: time tells of the machine, too.
//
//	make bench-ui
func TestBench(t *testing.T) {
	if os.Getenv("HONEYGUIDE_BENCH_UI") == "" {
		t.Skip("a measurement: make bench-ui")
	}
	need(t)
	c := start(t, freePort(t), "auth.second_factor=", "detect.threshold=critical")
	const alerts = 50_000
	c.fill(t, alerts)
	c.give["cookie"], c.give["least"] = c.signIn(t, "ada", "analyst"), alerts
	var rows []line
	c.run(t, "bench", 10*time.Minute, func(l line) { rows = append(rows, l) })
	entry := 200.0
	rows = append(rows, line{Figure: "entry bundle, packed", Value: entrySize(t), Unit: "KB", Limit: &entry})
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-52s %12s %12s\n", "what", "measured", "target")
	for _, r := range rows {
		word := ""
		if r.Limit != nil && r.Value > *r.Limit {
			word = "  over"
			t.Errorf("%s: %.1f %s, want at most %.0f", r.Figure, r.Value, r.Unit, *r.Limit)
		}
		fmt.Fprintf(&table, "%-52s %9.1f %-2s %9.0f %-2s%s\n", r.Figure, r.Value, r.Unit, *r.Limit, r.Unit, word)
	}
	fmt.Print(table.String())
}

var asset = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+\.js)"`)

// entrySize is what a browser loads before it can show anything, in KB as packed.
func entrySize(t *testing.T) float64 {
	t.Helper()
	dist := filepath.Join(root(), "web", "dist")
	page, err := os.ReadFile(filepath.Join(dist, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	var all int64
	for _, m := range asset.FindAllStringSubmatch(string(page), -1) {
		f, err := os.Open(filepath.Join(dist, filepath.FromSlash(m[1])))
		if err != nil {
			t.Fatal(err)
		}
		packed := &counter{}
		z, _ := gzip.NewWriterLevel(packed, gzip.BestCompression)
		_, _ = io.Copy(z, f)
		_ = z.Close()
		_ = f.Close()
		all += packed.n
	}
	return float64(all) / 1024
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

// TestScreens takes the pictures of docs/guide.
//
//	make screens
func TestScreens(t *testing.T) {
	if os.Getenv("HONEYGUIDE_SCREENS") == "" {
		t.Skip("writes the pictures of docs/guide: make screens")
	}
	need(t)
	c := start(t, freePort(t), "auth.second_factor=")
	c.fill(t, 400)
	c.attacked(t)
	c.give["cookie"], c.give["into"] = c.signIn(t, "ada", "admin"), os.Getenv("HONEYGUIDE_SCREENS")
	c.rate.Store(5)
	c.run(t, "screens", 4*time.Minute, nil)
}
