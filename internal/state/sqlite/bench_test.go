package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// sample makes an alert as detectors make them: three events, three lines.
func sample(n int, key string) honeyguide.Alert {
	at := epoch.Add(time.Duration(n) * time.Millisecond)
	ip := netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)})
	a := honeyguide.Alert{
		Time: at, LastAt: at.Add(time.Second), CreatedAt: at, Detector: "behaviour", RuleID: "brute_force", Title: "Brute force against ssh from " + ip.String(),
		Severity: honeyguide.Severity(1 + n%5), Category: honeyguide.CategoryFailedAuth, Score: float64(n % 100),
		Reasons: []honeyguide.Reason{
			{Feature: "severity", Weight: 40, Text: "The rule's severity is medium."}, {Feature: "repetition", Weight: 12, Text: "The source came back 12 times."},
		},
		Attacks: []honeyguide.Technique{{ID: "T1110.001", Tactic: "credential-access", Why: "Many passwords for one user."}},
		Src:     honeyguide.Endpoint{Addr: netip.AddrPortFrom(ip, 40000), Country: "ZZ", ASN: 64500, ASOrg: "Example"},
		Dst:     honeyguide.Endpoint{Addr: netip.MustParseAddrPort("192.0.2.1:22")}, Sensor: "ssh", Session: fmt.Sprint("s", n), Attacker: ip.String(),
		Count: 3, DedupeKey: key, Observed: []honeyguide.Observable{{Name: "source", Type: "ip", Value: ip.String()}},
	}
	for i := range 3 {
		id := honeyguide.DerivedID(at, fmt.Sprint(n, i))
		a.EventIDs = append(a.EventIDs, id)
		a.Evidence = append(a.Evidence, honeyguide.Evidence{EventID: id, Time: at, Text: fmt.Sprintf("login of root with password hunter%d failed", n%1000)})
	}
	return a
}

// cpu is what the process has burnt: on a busy machine the wall says little.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func save(b testing.TB, s state.Store, list []honeyguide.Alert) {
	b.Helper()
	err := s.Update(b.Context(), func(tx state.Tx) error {
		for i := range list {
			if _, err := tx.Alerts().Save(b.Context(), &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAlertSave writes 500 alerts per transaction: all new, all merged into
// one growing alert, or half and half over 1000 keys.
func BenchmarkAlertSave(b *testing.B) {
	for name, key := range map[string]func(n int) string{
		"insert":   func(n int) string { return fmt.Sprint(n) },
		"merge":    func(n int) string { return "one" },
		"merge1k":  func(n int) string { return fmt.Sprint(n % 1000) },
		"halfhalf": func(n int) string { return fmt.Sprint(n - n%2) },
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b, state.Deps{Dir: b.TempDir()})
			defer s.Close()
			n, burnt := 0, cpu()
			for b.Loop() {
				list := make([]honeyguide.Alert, 500)
				for i := range list {
					list[i] = sample(n, key(n))
					n++
				}
				save(b, s, list)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "alerts/s")
			b.ReportMetric(float64((cpu()-burnt).Microseconds())/float64(n), "cpu-us/alert")
		})
	}
}

// BenchmarkUpdate is the smallest durable transaction.
func BenchmarkUpdate(b *testing.B) {
	s := open(b, state.Deps{Dir: b.TempDir()})
	defer s.Close()
	at := int64(0)
	for b.Loop() {
		err := s.Update(b.Context(), func(tx state.Tx) error { return tx.Cursors().Move(b.Context(), "c", at, at+1) })
		if err != nil {
			b.Fatal(err)
		}
		at++
	}
}

// BenchmarkSessionSave writes 500 sessions per transaction, each first opened,
// then ended.
func BenchmarkSessionSave(b *testing.B) {
	s := open(b, state.Deps{Dir: b.TempDir()})
	defer s.Close()
	n := 0
	for b.Loop() {
		err := s.Update(b.Context(), func(tx state.Tx) error {
			for range 250 {
				at := epoch.Add(time.Duration(n) * time.Millisecond)
				v := honeyguide.Session{ID: honeyguide.DerivedID(at, fmt.Sprint(n)), Sensor: "ssh", Service: "ssh", Src: sample(n, "").Src, StartedAt: at, LastAt: at}
				if err := tx.Sessions().Save(b.Context(), &v); err != nil {
					return err
				}
				v.EndedAt, v.User, v.Commands = at.Add(time.Second), "root", 3
				if err := tx.Sessions().Save(b.Context(), &v); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2*n)/b.Elapsed().Seconds(), "saves/s")
}

// BenchmarkAlertList asks 100,000 alerts what a console asks.
func BenchmarkAlertList(b *testing.B) {
	s := open(b, state.Deps{Dir: b.TempDir()})
	defer s.Close()
	r := rand.New(rand.NewPCG(1, 2))
	statuses := []honeyguide.AlertStatus{honeyguide.AlertClosed, honeyguide.AlertClosed, honeyguide.AlertClosed, honeyguide.AlertNew, honeyguide.AlertAcknowledged}
	for n := 0; n < 100_000; {
		list := make([]honeyguide.Alert, 1000)
		for i := range list {
			list[i] = sample(n, "")
			list[i].Status = statuses[r.IntN(len(statuses))]
			if n < 200 {
				list[i].Status = honeyguide.AlertEscalated // rare and old
			}
			if n%5000 == 0 {
				list[i].Title += " needle"
			}
			list[i].Severity = honeyguide.Severity(min(1+r.ExpFloat64(), 5))
			n++
		}
		save(b, s, list)
	}
	open := []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated}
	for _, c := range []struct {
		name string
		q    state.AlertQuery
	}{
		{"newest", state.AlertQuery{}},
		{"open", state.AlertQuery{Status: open}},
		{"escalated", state.AlertQuery{Status: open[2:]}},
		{"open_high", state.AlertQuery{Status: open, Severity: honeyguide.SeverityHigh}},
		{"critical", state.AlertQuery{Severity: honeyguide.SeverityCritical}},
		{"source", state.AlertQuery{Src: "198.18.3.4"}},
		{"absent_source", state.AlertQuery{Src: "203.0.113.9"}},
		{"technique", state.AlertQuery{Technique: "T1110"}},
		{"word_common", state.AlertQuery{Text: "brute"}},
		{"word_rare", state.AlertQuery{Text: "needle"}},
		{"word_absent", state.AlertQuery{Text: "absent"}},
		{"two_words_open", state.AlertQuery{Text: "hunter77 root", Status: open}},
		{"day", state.AlertQuery{From: epoch.Add(50 * time.Second), To: epoch.Add(60 * time.Second)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				err := s.View(b.Context(), func(tx state.Tx) error {
					list, _, err := tx.Alerts().List(b.Context(), c.q)
					rows = len(list)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows), "rows")
		})
	}
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			err := s.View(b.Context(), func(tx state.Tx) error {
				_, err := tx.Alerts().Counts(b.Context(), state.AlertQuery{Status: open})
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
