package correlate_test

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
	"honeyguide/internal/attack"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/correlate"
	"honeyguide/internal/detect/detecttest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A claim is an event and what one detector says of it.
type claim struct {
	event honeyguide.Event
	alert honeyguide.Alert
}

// made makes the n-th claim: of our decoys without a product, else of one.
func made(n int, at time.Time, product, rule, technique, src, dst string, observed ...honeyguide.Observable) claim {
	e := honeyguide.Event{ID: fmt.Sprintf("e%05d", n), Time: at, Activity: honeyguide.ActivityFinding, Sensor: "ids", Src: end(src), Dst: end(dst), Observables: observed}
	if product == "" {
		e.Activity, e.Sensor, e.Session = honeyguide.ActivityCommand, "ssh", "s"
	} else {
		e.Set(honeyguide.AttrProduct, product)
	}
	r := detect.Rule{ID: rule, Title: "title of " + rule, Severity: honeyguide.SeverityMedium, Category: honeyguide.CategoryRecon}
	if rule == "decoy_contact" {
		r.Category = honeyguide.CategoryDecoyContact
	}
	detector := "finding"
	if product == "" {
		detector = "behaviour"
	}
	a := detect.Claim(detector, &r, &e, "", "text")
	if technique != "" {
		a.Attacks = []honeyguide.Technique{attack.Of(technique, "")}
	}
	return claim{e, a}
}

func end(addr string) honeyguide.Endpoint {
	if addr == "" {
		return honeyguide.Endpoint{}
	}
	return honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 80)}
}

func open(t testing.TB, edit ...func(*correlate.Config)) detect.Observer {
	t.Helper()
	cfg := correlate.Kind.Defaults.(correlate.Config)
	for _, f := range edit {
		f(&cfg)
	}
	d, err := correlate.Kind.Open(t.Context(), func(into any) error { *into.(*correlate.Config) = cfg; return nil }, detect.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return d.(detect.Observer)
}

// observe shows claims and returns what is claimed about them.
func observe(t testing.TB, d detect.Observer, list []claim) []honeyguide.Alert {
	t.Helper()
	var out []honeyguide.Alert
	for i := range list {
		more, err := d.Observe(t.Context(), &list[i].event, []honeyguide.Alert{list[i].alert})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, more...)
	}
	return out
}

// merged returns what claims come to, by rule.
func merged(alerts []honeyguide.Alert) map[string]honeyguide.Alert {
	var m detect.Merger
	for _, a := range alerts {
		m.Add(a)
	}
	out := map[string]honeyguide.Alert{}
	for _, a := range m.Alerts() {
		out[a.RuleID] = a
	}
	return out
}

// Techniques of different tactics, in the order of an attack.
var chain = []string{"T1595.002", "T1110.001", "T1078", "T1082", "T1105", "T1098.004"}

func TestStages(t *testing.T) {
	for name, c := range map[string]struct {
		product string
		step    time.Duration
		n       int
		want    map[string]honeyguide.Severity
	}{
		"three are few for an attacker":    {"", time.Hour, 3, nil},
		"four are an attack in stages":     {"", time.Hour, 4, map[string]honeyguide.Severity{"multi_stage": honeyguide.SeverityMedium}},
		"six are severe":                   {"", time.Hour, 6, map[string]honeyguide.Severity{"multi_stage": honeyguide.SeverityHigh}},
		"spread over a week they are none": {"", 30 * time.Hour, 6, nil},
		"three against one asset":          {"ids", time.Hour, 3, map[string]honeyguide.Severity{"asset_multi_stage": honeyguide.SeverityHigh}},
	} {
		var list []claim
		for i, technique := range chain[:c.n] {
			list = append(list, made(i, noon.Add(time.Duration(i)*c.step), c.product, fmt.Sprint("r", i), technique, "203.0.113.7", "10.0.0.5"))
		}
		got := map[string]honeyguide.Severity{}
		for rule, a := range merged(observe(t, open(t), list)) {
			got[rule] = a.Severity
			if a.Count != int64(c.n) || len(a.Attacks) != c.n || len(a.Evidence) != c.n || !a.Time.Equal(noon) {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if len(got) != len(c.want) || !cmp.Equal(got, c.want) && len(c.want) > 0 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Stages of one asset need not be one attacker's, and a flood of one stage hides
// no other.
func TestStagesOfAnAsset(t *testing.T) {
	list := []claim{made(0, noon, "ids", "scan", "T1595.002", "203.0.113.1", "10.0.0.5")}
	for i := range 500 {
		list = append(list, made(1+i, noon.Add(time.Duration(i)*time.Minute), "ids", "guess", "T1110.001", "203.0.113.2", "10.0.0.5"))
	}
	list = append(list, made(600, noon.Add(9*time.Hour), "ids", "in", "T1078", "203.0.113.3", "10.0.0.5"))
	a, ok := merged(observe(t, open(t), list))["asset_multi_stage"]
	if !ok || a.Attacker != "asset:10.0.0.5" || len(a.Observed) != 3 {
		t.Errorf("%v %+v", ok, a)
	}
}

func TestHostsThatTouchDecoysAndAreReported(t *testing.T) {
	touch := func(src string, at time.Duration) claim {
		return made(1, noon.Add(at), "", "decoy_contact", "T1595.001", src, "192.0.2.10")
	}
	for name, c := range map[string]struct {
		list []claim
		want string
	}{
		"outsider":            {[]claim{touch("203.0.113.7", 0), made(2, noon.Add(time.Hour), "ids", "r", "", "203.0.113.7", "10.0.0.5")}, "low"},
		"own host as source":  {[]claim{touch("10.0.0.5", 0), made(2, noon.Add(time.Hour), "ids", "r", "", "10.0.0.5", "203.0.113.9")}, "high"},
		"own host as target":  {[]claim{made(2, noon, "ids", "r", "", "203.0.113.9", "10.0.0.5"), touch("10.0.0.5", time.Hour)}, "high"},
		"two products only":   {[]claim{made(1, noon, "ids", "r", "", "10.0.0.5", ""), made(2, noon, "edr", "r", "", "10.0.0.5", "")}, ""},
		"decoys only":         {[]claim{touch("10.0.0.5", 0), touch("10.0.0.5", time.Hour)}, ""},
		"two days in between": {[]claim{touch("10.0.0.5", 0), made(2, noon.Add(48*time.Hour), "ids", "r", "", "10.0.0.5", "")}, ""},
		"nobody":              {[]claim{made(1, noon, "", "r", "", "", ""), made(2, noon, "ids", "r", "", "", "")}, ""},
	} {
		a, ok := merged(observe(t, open(t), c.list))["decoy_and_alert"]
		if ok != (c.want != "") || ok && (a.Severity.String() != c.want || a.Count != 2) {
			t.Errorf("%s: %v %s %+v", name, ok, a.Severity, a)
		}
	}
	// The attacker of the own host belongs to its story.
	list := []claim{touch("10.0.0.5", 0), made(2, noon.Add(time.Hour), "ids", "r", "", "203.0.113.9", "10.0.0.5")}
	a := merged(observe(t, open(t), list))["decoy_and_alert"]
	keys := detect.NewCorrelator(10).Keys(&a)
	if !slices.Equal(keys, []string{"attacker:10.0.0.5", "attacker:203.0.113.9"}) {
		t.Errorf("keys %v", keys)
	}
}

func TestSharedIndicators(t *testing.T) {
	hash := honeyguide.Observable{Name: "file", Type: "hash", Value: "e3b0c44298fc1c149afbf4c8996fb924"}
	ip := honeyguide.Observable{Name: "src", Type: "ip", Value: "203.0.113.7"}
	say := func(n int, product string, o honeyguide.Observable) claim {
		return made(n, noon.Add(time.Duration(n)*time.Minute), product, "r", "", fmt.Sprint("203.0.113.", n+1), "10.0.0.5", o)
	}
	for name, c := range map[string]struct {
		list []claim
		want []string
	}{
		"two products":           {[]claim{say(1, "ids", hash), say(2, "edr", hash)}, []string{"shared_indicator"}},
		"decoys and a product":   {[]claim{say(1, "", hash), say(2, "edr", hash)}, []string{"decoy_indicator_inside"}},
		"all of them":            {[]claim{say(1, "edr", hash), say(2, "ids", hash), say(3, "", hash)}, []string{"decoy_indicator_inside", "shared_indicator"}},
		"one product, often":     {[]claim{say(1, "ids", hash), say(2, "ids", hash)}, nil},
		"addresses are no proof": {[]claim{say(1, "", ip), say(2, "edr", ip)}, nil},
	} {
		var got []string
		for rule := range merged(observe(t, open(t), c.list)) {
			got = append(got, rule)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// background makes hours of ordinary alerts of some rules: about n in ten minutes.
func background(rnd *rand.Rand, hours, n int) (out []claim) {
	for i := range hours * 6 * n {
		at := noon.Add(time.Duration(rnd.Int64N(int64(time.Duration(hours) * time.Hour))))
		out = append(out, made(i, at, "ids", fmt.Sprint("rule", i%2), "", fmt.Sprint("203.0.113.", i%50), fmt.Sprint("10.0.0.", i%20)))
	}
	slices.SortFunc(out, func(a, b claim) int { return a.event.Time.Compare(b.event.Time) })
	return out
}

func burst(first, n int, at time.Time, rule, src, dst string) (out []claim) {
	for i := range n {
		out = append(out, made(first+i, at.Add(time.Duration(i)*time.Second), "ids", rule, "", src, dst))
	}
	return out
}

func TestRates(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	quiet := background(rnd, 24, 20)
	if got := merged(observe(t, open(t), quiet)); len(got) != 0 {
		t.Errorf("ordinary alerts are unusual: %v", got)
	}
	// Ten times as many of one rule, against one asset, from one source.
	at := noon.Add(24 * time.Hour)
	got := merged(observe(t, open(t), append(quiet, burst(90_000, 100, at, "rule0", "203.0.113.1", "10.0.0.1")...)))
	for _, rule := range []string{"alert_rate_rule", "alert_rate_asset", "alert_rate_source"} {
		if a := got[rule]; a.Count != 100 {
			t.Errorf("%s: %+v", rule, a)
		}
	}
	if a := got["alert_rate_rule"]; a.Attacker != "campaign:rate:rule0" || a.Evidence[0].Text != "finding/rule0: more than 34 in 10m0s; usual are 10" {
		t.Logf("%q", a.Evidence[0].Text)
	}
	// A rule that never fired before.
	got = merged(observe(t, open(t), append(quiet, burst(90_000, 40, at, "new", "203.0.113.99", "10.0.0.99")...)))
	if a := got["alert_rate_rule"]; a.Count != 40 {
		t.Errorf("new rule: %+v", a)
	}
	// Nothing is unusual while nothing is known.
	if got := merged(observe(t, open(t), burst(0, 500, noon, "rule0", "203.0.113.1", "10.0.0.1"))); len(got) != 0 {
		t.Errorf("in the first minutes: %v", got)
	}
	// What has been usual for long is.
	var busy []claim
	for n := range 24 * 6 {
		busy = append(busy, burst(n*1000, 100, noon.Add(time.Duration(n)*10*time.Minute), "busy", "203.0.113.1", "10.0.0.1")...)
	}
	if got := merged(observe(t, open(t), busy)); len(got) != 0 {
		t.Errorf("a busy rule: %v", got)
	}
}

// Whatever the order within the lateness, the same is claimed.
func TestOrderDoesNotMatter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	list := background(rnd, 12, 20)
	list = append(list, burst(70_000, 80, noon.Add(9*time.Hour), "rule0", "203.0.113.1", "10.0.0.1")...)
	hash := honeyguide.Observable{Name: "file", Type: "hash", Value: "e3b0c44298fc1c149afbf4c8996fb924"}
	for i := range 200 {
		at := noon.Add(time.Duration(rnd.IntN(12*3600)) * time.Second)
		product := []string{"", "ids", "edr"}[rnd.IntN(3)]
		list = append(list, made(80_000+i, at, product, fmt.Sprint("s", i%5), chain[rnd.IntN(len(chain))], fmt.Sprint("10.1.0.", rnd.IntN(8)), fmt.Sprint("10.2.0.", rnd.IntN(4)), hash))
	}
	by := map[string]claim{}
	var events []honeyguide.Event
	for _, c := range list {
		by[c.event.ID] = c
		events = append(events, c.event)
	}
	slices.SortStableFunc(events, func(a, b honeyguide.Event) int { return a.Time.Compare(b.Time) })
	run := func(order []honeyguide.Event) []detecttest.Finding {
		var in []claim
		for _, e := range order {
			in = append(in, by[e.ID])
		}
		out := detecttest.Findings(observe(t, open(t), in))
		for i := range out {
			// Which event of an hour stands for it depends on which came first.
			out[i].Events, out[i].First, out[i].Last = nil, time.Time{}, time.Time{}
			out[i].Observed = slices.DeleteFunc(out[i].Observed, func(o string) bool { return strings.HasPrefix(o, detect.Linked) })
		}
		return out
	}
	want := run(events)
	if len(want) < 10 {
		t.Fatalf("only %d claims", len(want))
	}
	for seed := range uint64(10) {
		if d := cmp.Diff(want, run(detecttest.Shuffle(events, detect.Lateness, seed))); d != "" {
			t.Fatalf("seed %d (-in order +shuffled): %.2000s", seed, d)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	d := open(t, func(c *correlate.Config) { c.MaxKeys = 10 })
	var list []claim
	for i := range 5000 {
		list = append(list, made(i, noon.Add(time.Duration(i)*time.Minute), []string{"", "ids"}[i%2], fmt.Sprint("r", i), chain[i%len(chain)], fmt.Sprintf("10.%d.%d.1", i%200, i/200), "10.0.0.5"))
	}
	observe(t, d, list)
}

func TestConfigIsChecked(t *testing.T) {
	for name, edit := range map[string]func(*correlate.Config){
		"stages":      func(c *correlate.Config) { c.Stages = 1 },
		"stages_high": func(c *correlate.Config) { c.StagesHigh = 3 },
		"window":      func(c *correlate.Config) { c.Window = 0 },
		"rate_bucket": func(c *correlate.Config) { c.RateBucket = time.Minute },
		"rate_learn":  func(c *correlate.Config) { c.RateLearn = 1000 },
		"rate_least":  func(c *correlate.Config) { c.RateLeast = 0 },
		"max_keys":    func(c *correlate.Config) { c.MaxKeys = 0 },
	} {
		cfg := correlate.Kind.Defaults.(correlate.Config)
		edit(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestRulesAreWhole(t *testing.T) {
	for _, r := range correlate.Rules() {
		if r.ID == "" || r.Title == "" || r.Severity == 0 || !slices.Contains(detect.Categories(), r.Category) {
			t.Errorf("%+v", r)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	rnd := rand.New(rand.NewPCG(5, 6))
	list := background(rnd, 24, 200)
	for i := range list {
		if i%3 == 0 {
			list[i].alert.Attacks = []honeyguide.Technique{attack.Of(chain[i%len(chain)], "")}
		}
	}
	d := open(b)
	claims := make([]honeyguide.Alert, 1)
	b.ReportAllocs()
	before := cpu()
	for i := 0; b.Loop(); i++ {
		c := &list[i%len(list)]
		if i >= len(list) {
			c.event.Time = c.event.Time.Add(24 * time.Hour) // day after day
		}
		claims[0] = c.alert
		if _, err := d.Observe(b.Context(), &c.event, claims); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

// cpu is what this process has used of the processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
