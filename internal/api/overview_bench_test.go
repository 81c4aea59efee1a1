package api

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/state"
)

// BenchmarkOverview asks for the first screen over a month of alerts:
// HONEYGUIDE_ALERTS of them (20,000), from 30,000 sources in 120 countries, and
// three times as many events in a log of files.
func BenchmarkOverview(b *testing.B) {
	total, _ := strconv.Atoi(os.Getenv("HONEYGUIDE_ALERTS"))
	if total <= 0 {
		total = 20_000
	}
	now := time.Now().UTC().Truncate(time.Second)
	r := newRig(b, func(d *Deps) { d.Now = func() time.Time { return now } })
	log, err := embedded.Kind.Open(b.Context(), nil, eventlog.Deps{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = log.Close() })
	began := time.Now()
	seed(b, r.store, log, total, now)
	b.Logf("%d alerts written in %s", total, time.Since(began).Round(time.Second))
	r.dep.Events = log
	if r.handler, err = New(r.dep); err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{
		"/overview?span=24h", "/overview?span=7d", "/overview?span=30d", "/map?span=24h", "/map?span=30d",
	} {
		b.Run(path, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if w := r.call(http.MethodGet, "/api/v1"+path, bootstrap, nil); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[0].Microseconds())/1000, "first-ms-best")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "worst-ms")
		})
	}
}

// seed fills a store and a log with a month.
func seed(b *testing.B, store state.Store, log eventlog.Store, total int, now time.Time) {
	r := rand.New(rand.NewPCG(7, 8))
	countries := make([]string, 120)
	for i := range countries {
		countries[i] = string([]byte{byte('A' + i/26), byte('A' + i%26)})
	}
	techniques := []string{"T1110.001", "T1059.004", "T1105", "T1082", "T1046", "T1098.004", "T1496", "T1078"}
	for n := 0; n < total; {
		list := make([]honeyguide.Alert, min(2000, total-n))
		events := make([]honeyguide.Event, 0, 3*len(list))
		for i := range list {
			at := now.Add(-30*24*time.Hour + time.Duration(float64(30*24*time.Hour)*float64(n)/float64(total)))
			who := int(30_000 * r.Float64() * r.Float64() * r.Float64())
			ip := netip.AddrFrom4([4]byte{198, 18 + byte(who>>16), byte(who >> 8), byte(who)})
			src := honeyguide.Endpoint{Addr: netip.AddrPortFrom(ip, 4000), Country: countries[who%len(countries)]}
			list[i] = honeyguide.Alert{
				Time: at.Add(-time.Duration(r.ExpFloat64() * float64(20*time.Second))), LastAt: at, CreatedAt: at, Detector: "behaviour", RuleID: fmt.Sprint("rule_", r.IntN(60)),
				Title: "Brute force against ssh from " + ip.String(), Severity: honeyguide.Severity(min(1+int(r.ExpFloat64()*1.3), 5)), Category: honeyguide.CategoryFailedAuth,
				Attacks: []honeyguide.Technique{{ID: techniques[r.IntN(len(techniques))]}}, Src: src, Sensor: fmt.Sprint("ssh-", r.IntN(12)), Attacker: "attacker:" + ip.String(),
				Count: 3, DedupeKey: fmt.Sprint("k", n), EventIDs: []string{fmt.Sprint("e", n)}, Evidence: []honeyguide.Evidence{{EventID: fmt.Sprint("e", n), Time: at, Text: "root:toor"}},
			}
			for k := range 3 {
				events = append(events, honeyguide.Event{
					ID: fmt.Sprint("e", n, "-", k), Time: at, Observed: at, Class: honeyguide.ClassAuthentication, Activity: honeyguide.ActivityLoginFailed,
					Severity: honeyguide.SeverityLow, Sensor: "ssh", Src: src, Attrs: map[string]any{honeyguide.AttrUser: "root"},
				})
			}
			n++
		}
		err := store.Update(b.Context(), func(tx state.Tx) error {
			if _, err := tx.Alerts().SaveAll(b.Context(), list); err != nil {
				return err
			}
			for i := range events {
				if err := countEvent(b.Context(), tx, &events[i]); err != nil {
					return err
				}
			}
			for i := 0; i < len(list); i += 100 {
				in := honeyguide.Incident{Key: list[i].Attacker + fmt.Sprint(n), Title: "x", Severity: list[i].Severity, CreatedAt: list[i].CreatedAt, DueAt: list[i].CreatedAt.Add(time.Hour)}
				if i%300 != 0 {
					in.Clock.ContainedAt = in.CreatedAt.Add(time.Duration(r.ExpFloat64() * float64(10*time.Minute)))
				}
				if _, err := tx.Incidents().Save(b.Context(), &in); err != nil {
					return err
				}
				if _, _, err := tx.Verdicts().Pass(b.Context(), list[i].ID, honeyguide.Verdict{As: honeyguide.VerdictWords()[r.IntN(3)], By: "eve", At: list[i].CreatedAt.Add(time.Minute)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := log.Append(b.Context(), eventlog.Batch{Events: events}); err != nil {
			b.Fatal(err)
		}
	}
}

func countEvent(ctx context.Context, tx state.Tx, e *honeyguide.Event) error {
	if err := tx.Tallies().Add(ctx, state.TallyEvent, e.Time, e.Src.Country, e.Severity, 1); err != nil {
		return err
	}
	return tx.Tallies().Add(ctx, state.TallyHeard, e.Time, e.Sensor, e.Severity, 1)
}
