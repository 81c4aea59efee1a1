package playbook_test

import (
	"syscall"
	"testing"

	"honeyguide"
	"honeyguide/internal/playbook"
)

// BenchmarkMatches asks all shipped playbooks about one incident that grew, as
// the pipeline does: of one attacker and one alert, and of a large one.
func BenchmarkMatches(b *testing.B) {
	var books []*playbook.Playbook
	for _, x := range shipped(b) {
		books = append(books, x)
	}
	large := incident()
	for range 500 {
		large.Attackers = append(large.Attackers, "203.0.113.7")
		large.Proven = append(large.Proven, "203.0.113.7")
	}
	alert := honeyguide.Alert{RuleID: "brute_force", Category: honeyguide.CategoryFailedAuth, Severity: honeyguide.SeverityMedium, Attacker: "attacker:203.0.113.7"}
	many := make([]honeyguide.Alert, 50)
	for i := range many {
		many[i] = alert
	}
	for name, f := range map[string]*playbook.Facts{
		"one":  {Incident: incident(), Alerts: []honeyguide.Alert{alert}, Now: noon},
		"many": {Incident: large, Alerts: many, Now: noon},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			began := spent(b)
			for b.Loop() {
				for _, x := range books {
					if _, err := x.Matches(f); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(spent(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// spent is the processor time of this process in nanoseconds: the clock on the
// wall tells more of what else the machine does.
func spent(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return syscall.TimevalToNsec(u.Utime) + syscall.TimevalToNsec(u.Stime)
}

func BenchmarkResolve(b *testing.B) {
	f := &playbook.Facts{Incident: incident(), Now: noon}
	run := shipped(b)["honeytoken-used"].Start(f)
	for b.Loop() {
		for i := range run.Steps {
			if _, err := playbook.Resolve(&run.Steps[i], f); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(shipped(b)["honeytoken-used"].Text)
	for b.Loop() {
		if _, err := playbook.Parse("x.yaml", text); err != nil {
			b.Fatal(err)
		}
	}
}
