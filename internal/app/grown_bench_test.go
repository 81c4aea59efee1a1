package app

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

// BenchmarkGrown measures what an event costs when many are stored already:
// BENCH_STORED of them, in thousands (1 to 50 million are of interest), one day a
// million, and an alert for every fifty. Then BENCH_ALERTS new ones are ingested
// as BenchmarkIngest does.
func BenchmarkGrown(b *testing.B) {
	stored, n := setting("BENCH_STORED", 200)*1000, setting("BENCH_ALERTS", 100_000)
	file := filepath.Join(b.TempDir(), "alerts.ndjson")
	if err := alerts(file, n, setting("BENCH_SOURCES", 5000)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := standard(b)
		s.Node.Data, s.Sensors, s.Store.RetentionDays = b.TempDir(), nil, 3650
		grow(b, s, stored)
		take(b, s, file, n)
	}
}

// grow fills a data folder with events that are dealt with and their alerts.
func grow(b *testing.B, s Settings, stored int) {
	a, err := New(b.Context(), s, slog.New(slog.DiscardHandler), "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	const day = 1_000_000
	days := 1 + stored/day
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -days)
	rnd := rand.New(rand.NewPCG(3, 4))
	batch := make([]honeyguide.Event, 0, 4096)
	var last eventlog.Seq
	for i := range stored {
		at := start.Add(time.Duration(i) * (24 * time.Hour / day))
		e := honeyguide.Event{
			ID: honeyguide.DerivedID(at, "grown", fmt.Sprint(i)), Time: at, Observed: at, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding,
			Sensor: "generic", Severity: honeyguide.SeverityLow, Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(someone(rnd), 4711)},
		}
		e.Set(honeyguide.AttrRuleID, fmt.Sprint("rule_", rnd.IntN(40)))
		e.Set(honeyguide.AttrRule, "an alert of long ago")
		if batch = append(batch, e); len(batch) == cap(batch) || i == stored-1 {
			receipt, err := a.events.Append(b.Context(), eventlog.Batch{Events: batch})
			if err != nil {
				b.Fatal(err)
			}
			last, batch = receipt.Lo+eventlog.Seq(receipt.Stored)-1, batch[:0]
		}
	}
	if err := a.state.Update(b.Context(), func(tx state.Tx) error { return tx.Cursors().Move(b.Context(), consumerName, 0, int64(last)) }); err != nil {
		b.Fatal(err)
	}
	for i := 0; i < stored/50; i += 8192 {
		list := make([]honeyguide.Alert, min(8192, stored/50-i))
		for k := range list {
			list[k] = old(i+k, start, rnd)
		}
		err := a.state.Update(b.Context(), func(tx state.Tx) error {
			_, err := tx.Alerts().SaveAll(b.Context(), list)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func someone(rnd *rand.Rand) netip.Addr {
	return netip.AddrFrom4([4]byte{198, byte(18 + rnd.IntN(2)), byte(rnd.IntN(256)), byte(rnd.IntN(256))})
}

// old is an alert of long ago; nine in ten are closed.
func old(i int, start time.Time, rnd *rand.Rand) honeyguide.Alert {
	src := someone(rnd)
	a := honeyguide.Alert{
		Time: start.Add(time.Duration(i) * time.Second), LastAt: start.Add(time.Duration(i+60) * time.Second), Detector: "finding",
		RuleID: fmt.Sprint("generic:rule_", rnd.IntN(40)), Title: "an alert of long ago", Severity: honeyguide.SeverityLow, Status: honeyguide.AlertClosed,
		Score: 20, Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(src, 4711)}, Sensor: "generic", Attacker: "attacker:" + src.String(), Count: 50,
		DedupeKey: fmt.Sprint("grown:", i), Reasons: []honeyguide.Reason{{Feature: "severity", Weight: 20, Text: "The rule is of low severity."}},
	}
	if i%10 == 0 {
		a.Status = honeyguide.AlertNew
	}
	for k := range 10 {
		id := honeyguide.DerivedID(a.Time, "grown", fmt.Sprint(i), fmt.Sprint(k))
		a.EventIDs = append(a.EventIDs, id)
		a.Evidence = append(a.Evidence, honeyguide.Evidence{EventID: id, Time: a.Time, Text: "an alert of long ago"})
	}
	return a
}
