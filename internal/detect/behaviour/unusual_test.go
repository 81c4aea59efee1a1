package behaviour_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/behaviour"
	"honeyguide/internal/detect/detecttest"
)

// told makes the n-th event another product tells of.
func told(n int, at time.Duration, activity, src, dst string, attrs ...string) honeyguide.Event {
	e := honeyguide.Event{ID: fmt.Sprintf("t%05d", n), Time: noon.Add(at), Activity: activity, Sensor: "sso", Src: honeyguide.Endpoint{Addr: addrOf(src)}, Dst: honeyguide.Endpoint{Addr: addrOf(dst)}}
	e.Set(honeyguide.AttrProduct, "product")
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Set(attrs[i], attrs[i+1])
	}
	return e
}

func addrOf(s string) netip.AddrPort {
	if s == "" {
		return netip.AddrPort{}
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p
	}
	return netip.AddrPortFrom(netip.MustParseAddr(s), 0)
}

func login(n int, at time.Duration, user, country string) honeyguide.Event {
	e := told(n, at, honeyguide.ActivityLoginSuccess, fmt.Sprint("203.0.113.", n), "", honeyguide.AttrUser, user)
	e.Src.Country = country
	return e
}

func TestImpossibleTravel(t *testing.T) {
	at := func(e honeyguide.Event, lat, lon float64) honeyguide.Event {
		e.Set("src_endpoint.location.lat", lat)
		e.Set("src_endpoint.location.long", lon)
		return e
	}
	decoy := login(2, time.Hour, "eve", "JP")
	delete(decoy.Attrs, honeyguide.AttrProduct)
	other := login(2, time.Hour, "eve", "JP")
	other.Set(honeyguide.AttrProduct, "another")
	for name, c := range map[string]struct {
		events []honeyguide.Event
		count  int64
	}{
		"Germany and Japan within an hour":  {[]honeyguide.Event{login(1, 0, "eve", "DE"), login(2, time.Hour, "Eve", "JP")}, 2},
		"the later one first":               {[]honeyguide.Event{login(2, time.Minute, "eve", "JP"), login(1, 0, "eve", "DE")}, 2},
		"a day of flight":                   {[]honeyguide.Event{login(1, 0, "eve", "DE"), login(2, 20*time.Hour, "eve", "JP")}, 0},
		"neighbours":                        {[]honeyguide.Event{login(1, 0, "eve", "DE"), login(2, time.Minute, "eve", "NL")}, 0},
		"two coasts of one country":         {[]honeyguide.Event{login(1, 0, "eve", "US"), login(2, time.Minute, "eve", "US")}, 0},
		"two coasts with coordinates":       {[]honeyguide.Event{at(login(1, 0, "eve", "US"), 37.8, -122.4), at(login(2, time.Hour, "eve", "US"), 40.7, -74)}, 2},
		"two people":                        {[]honeyguide.Event{login(1, 0, "eve", "DE"), login(2, time.Hour, "bob", "JP")}, 0},
		"one name at two products":          {[]honeyguide.Event{login(1, 0, "eve", "DE"), other}, 0},
		"nobody knows where":                {[]honeyguide.Event{login(1, 0, "eve", "DE"), login(2, time.Hour, "eve", ""), login(3, time.Hour, "eve", "ZZ")}, 0},
		"on a decoy everybody may be root":  {[]honeyguide.Event{login(1, 0, "eve", "DE"), decoy}, 0},
		"there and back, counted once each": {[]honeyguide.Event{login(1, 0, "eve", "DE"), login(2, time.Hour, "eve", "JP"), login(3, 2*time.Hour, "eve", "DE")}, 3},
		"coordinates nobody can be at":      {[]honeyguide.Event{at(login(1, 0, "eve", ""), 1000, 5), login(2, 0, "eve", "JP")}, 0},
	} {
		a := detectAll(t, open(t), c.events...)["impossible_travel"]
		if a.Count != c.count || c.count > 0 && (a.Severity != honeyguide.SeverityHigh || len(a.Observed) < 2 || a.Attacker != "campaign:account:product|eve") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// beats makes contacts every period, each off by up to a share of it, and some
// missed.
func beats(n int, period time.Duration, jitter, missed float64, seed uint64) (out []honeyguide.Event) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		if rnd.Float64() < missed {
			continue
		}
		at := time.Duration(i)*period + time.Duration(jitter*(2*rnd.Float64()-1)*float64(period))
		out = append(out, told(i, at, honeyguide.ActivityConnect, "10.0.0.5", "198.51.100.9:443"))
	}
	return out
}

func TestBeacons(t *testing.T) {
	poisson := func(n int, seed uint64) (out []honeyguide.Event) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		at := 0.0
		for i := range n {
			at += rnd.ExpFloat64() * 60
			out = append(out, told(i, time.Duration(at*float64(time.Second)), honeyguide.ActivityConnect, "10.0.0.5", "198.51.100.9:443"))
		}
		return out
	}
	to := func(dst string, list []honeyguide.Event) []honeyguide.Event {
		for i := range list {
			list[i].Dst.Addr = addrOf(dst)
		}
		return list
	}
	for name, c := range map[string]struct {
		events []honeyguide.Event
		want   bool
	}{
		"every minute":                      {beats(30, time.Minute, 0, 0, 1), true},
		"with jitter":                       {beats(40, time.Minute, .1, 0, 2), true},
		"with some missed":                  {beats(60, time.Minute, .05, .1, 3), true},
		"every six hours":                   {beats(20, 6*time.Hour, .02, 0, 4), true},
		"too few":                           {beats(11, time.Hour, 0, 0, 5), false},
		"a transfer":                        {beats(200, 2*time.Second, 0, 0, 6), false},
		"by chance":                         {poisson(300, 7), false},
		"to one of our own":                 {to("10.0.0.9:443", beats(40, time.Minute, 0, 0, 8)), false},
		"asking the time":                   {to("198.51.100.9:123", beats(40, time.Minute, 0, 0, 9)), false},
		"less than the lateness, from then": {beats(13, 10*time.Second, 0, 0, 10), false},
	} {
		a, ok := detectAll(t, open(t), c.events...)["beacon"]
		if ok != c.want || ok && (a.Severity != honeyguide.SeverityLow || a.Count < 12) {
			t.Errorf("%s: %v %+v", name, ok, a)
		}
	}
	// Chance stays chance: of 200 hosts without a rhythm none has one.
	for seed := range uint64(200) {
		if a, ok := detectAll(t, open(t), poisson(100, 1000+seed)...)["beacon"]; ok {
			t.Errorf("seed %d: %q", seed, a.Evidence[0].Text)
		}
	}
}

func process(n int, at time.Duration, host, image string) honeyguide.Event {
	e := told(n, at, "process_start", "", "", honeyguide.AttrDevice, host, "process.file.path", image, "process.parent_process.file.path", `C:\Windows\explorer.exe`)
	e.Class = honeyguide.ClassProcess
	return e
}

func TestRareProcesses(t *testing.T) {
	var usual []honeyguide.Event
	for i := range 1500 {
		usual = append(usual, process(i, time.Duration(i)*time.Minute, fmt.Sprint("pc", i%9), fmt.Sprintf(`C:\Program Files\app%d.exe`, i%40)))
	}
	end := 1500 * time.Minute
	run := func(more ...honeyguide.Event) (out []string) {
		for _, f := range detecttest.Findings(claims(t, append(slices.Clone(usual), more...))) {
			if f.Rule == "rare_process" {
				out = append(out, f.Key)
			}
		}
		return out
	}
	if got := run(); len(got) != 0 {
		t.Errorf("the usual: %v", got)
	}
	if got := run(process(9001, end, "pc1", `C:\Users\Public\Evil.EXE`), process(9002, end+time.Minute, "pc1", `C:\Temp\evil.exe`)); !slices.Equal(got, []string{"rare_process|pc1|explorer.exe > evil.exe"}) {
		t.Errorf("new: %v", got)
	}
	if got := run(process(9001, end, "pc1", "/opt/evil"), process(9002, end+2*time.Hour, "pc2", "/opt/evil")); len(got) != 1 {
		t.Errorf("an hour later it is known: %v", got)
	}
	var update []honeyguide.Event
	for i := range 9 {
		update = append(update, process(9001+i, end+time.Duration(i)*time.Second, fmt.Sprint("pc", i), "new.exe"))
	}
	if got := run(update...); len(got) > 2 {
		t.Errorf("an update: %v", got)
	}
	if a := detectAll(t, open(t), process(1, 0, "pc1", "a.exe"), process(2, time.Hour, "pc1", "b.exe")); len(a) != 0 {
		t.Errorf("before anything is known: %v", a)
	}
}

func claims(t testing.TB, events []honeyguide.Event) []honeyguide.Alert {
	t.Helper()
	out, err := open(t).Detect(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// mixed is an hour of everything whose order could matter.
func mixed(seed uint64) (out []honeyguide.Event) {
	rnd := rand.New(rand.NewPCG(seed, 3))
	n := 0
	add := func(e honeyguide.Event) {
		n++
		e.ID = fmt.Sprintf("m%06d", n)
		e.Observed = noon.Add(48 * time.Hour)
		out = append(out, e)
	}
	within := func() time.Duration { return time.Duration(rnd.Int64N(int64(3 * time.Hour))) }
	for range 400 {
		e := told(n, within(), honeyguide.ActivityLoginFailed, fmt.Sprint("203.0.113.", rnd.IntN(40)), "10.0.0.5:22", honeyguide.AttrUser, fmt.Sprint("user", rnd.IntN(12)), honeyguide.AttrPassword, fmt.Sprint("pw", rnd.IntN(6)))
		add(e)
	}
	for i := range 30 { // three guess quickly
		add(told(n, time.Hour+time.Duration(i)*20*time.Second, honeyguide.ActivityLoginFailed, fmt.Sprint("203.0.113.", 200+i%3), "10.0.0.5:22", honeyguide.AttrUser, "root"))
	}
	for range 60 {
		add(login(rnd.IntN(200)+1, within(), fmt.Sprint("user", rnd.IntN(8)), []string{"DE", "JP", "BR", "FR"}[rnd.IntN(4)]))
	}
	for _, e := range beats(60, 2*time.Minute, .1, 0, seed) {
		add(e)
	}
	for i := range 300 {
		add(told(n, within(), honeyguide.ActivityConnect, "10.0.0.6", fmt.Sprintf("198.51.100.%d:80", i%7)))
	}
	return out
}

// Whatever the order within the lateness, the same is claimed.
func TestOrderDoesNotMatter(t *testing.T) {
	for seed := range uint64(4) {
		events := mixed(seed)
		slices.SortStableFunc(events, func(a, b honeyguide.Event) int { return a.Time.Compare(b.Time) })
		want := detecttest.Findings(claims(t, events))
		var rules []string
		for _, f := range want {
			rules = append(rules, f.Rule)
		}
		for _, rule := range []string{"brute_force", "password_spray", "impossible_travel", "beacon"} {
			if !slices.Contains(rules, rule) {
				t.Errorf("seed %d: no %s in %s", seed, rule, strings.Join(rules, " "))
			}
		}
		// success_after_failures asks what came before, by its nature.
		drop := func(list []detecttest.Finding) []detecttest.Finding {
			return slices.DeleteFunc(list, func(f detecttest.Finding) bool { return f.Rule == "success_after_failures" })
		}
		want = drop(want)
		for order := range uint64(8) {
			got := drop(detecttest.Findings(claims(t, detecttest.Shuffle(events, detect.Lateness, order))))
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("seed %d, order %d (-in order +shuffled): %.3000s", seed, order, d)
			}
		}
	}
}

// BenchmarkUnusual measures what an event of another product costs.
func BenchmarkUnusual(b *testing.B) {
	events := mixed(1)
	for i := range 2000 {
		events = append(events, process(i, time.Duration(i)*time.Second, fmt.Sprint("pc", i%9), fmt.Sprintf(`C:\app%d.exe`, i%400)))
	}
	slices.SortStableFunc(events, func(x, y honeyguide.Event) int { return x.Time.Compare(y.Time) })
	d, err := behaviour.Kind.Open(b.Context(), nil, detect.Deps{})
	if err != nil {
		b.Fatal(err)
	}
	before := cpu()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e := &events[i%len(events)]
		if i >= len(events) {
			e.Time = e.Time.Add(3 * time.Hour)
		}
		if _, err := d.Detect(b.Context(), events[i%len(events):i%len(events)+1]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
