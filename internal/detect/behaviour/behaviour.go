// Package behaviour detects what attackers do: guessing passwords, looking
// around, fetching and starting programs, staying, moving on. Its rules are
// data (commands.go, web.go); its memory is per source, bounded, and runs on
// event time.
package behaviour

import (
	"context"
	"errors"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/kind"
)

// Kind is the behaviour detector.
var Kind = kind.Of("behaviour", "Brute force, reconnaissance, downloads, persistence and the other things attackers do.", Config{
	BruteForceCount: 5, BruteForceWindow: 5 * time.Minute,
	SuccessAfter: 3, SpraySources: 5, SprayUsers: 5, SprayWindow: 10 * time.Minute,
	ReconCount: 3, ReconWindow: 10 * time.Minute,
	ScanServices: 4, ScanWindow: time.Minute,
	WebRequests: 20, WebWindow: time.Minute,
	TravelSpeed: 1000, BeaconCount: 12, BeaconPeriod: 10 * time.Second,
	RareLearn: 24 * time.Hour, RareEvents: 1000, RareHosts: 2,
	MaxSources: 50_000,
}, open)

// Config says when behaviour becomes an alert. Counts are events of one source
// within the window, in event time; at most 50.
type Config struct {
	BruteForceCount  int           `yaml:"brute_force_count" doc:"failed log-ins of one source that are guessing"`
	BruteForceWindow time.Duration `yaml:"brute_force_window" doc:"within which they have to lie"`
	SuccessAfter     int           `yaml:"success_after" doc:"failures before a success that make it an alert"`
	SpraySources     int           `yaml:"spray_sources" doc:"sources that fail with one user name"`
	SprayUsers       int           `yaml:"spray_users" doc:"user names one source tries with one password"`
	SprayWindow      time.Duration `yaml:"spray_window" doc:"within which spraying has to lie"`
	ReconCount       int           `yaml:"recon_count" doc:"different questions that make reconnaissance medium"`
	ReconWindow      time.Duration `yaml:"recon_window" doc:"within which they have to lie"`
	ScanServices     int           `yaml:"scan_services" doc:"services one source touches"`
	ScanWindow       time.Duration `yaml:"scan_window" doc:"within which they have to lie"`
	WebRequests      int           `yaml:"web_requests" doc:"different paths one source asks for"`
	WebWindow        time.Duration `yaml:"web_window" doc:"within which they have to lie"`
	TravelSpeed      float64       `yaml:"travel_speed" doc:"km/h nobody travels at"`
	BeaconCount      int           `yaml:"beacon_count" doc:"regular contacts with one place outside"`
	BeaconPeriod     time.Duration `yaml:"beacon_period" doc:"what repeats faster is a transfer"`
	RareLearn        time.Duration `yaml:"rare_learn" doc:"how long programs are watched before one is new"`
	RareEvents       int           `yaml:"rare_events" doc:"and how many starts have to be seen"`
	RareHosts        int           `yaml:"rare_hosts" doc:"on more assets at once it is an update"`
	MaxSources       int           `yaml:"max_sources" doc:"remembered at a time"`
}

// Validate refuses counts that can never or always be reached.
func (c *Config) Validate() error {
	for _, n := range []struct {
		key string
		n   int
	}{
		{"brute_force_count", c.BruteForceCount},
		{"success_after", c.SuccessAfter},
		{"spray_sources", c.SpraySources},
		{"spray_users", c.SprayUsers},
		{"recon_count", c.ReconCount},
		{"scan_services", c.ScanServices},
		{"web_requests", c.WebRequests},
	} {
		if n.n < 1 || n.n > honeyguide.MaxEvidence {
			return errors.New(n.key + ": want 1 to 50")
		}
	}
	switch {
	case c.TravelSpeed < 100:
		return errors.New("travel_speed: want 100 or more km/h")
	case c.BeaconCount < 6 || c.BeaconCount > maxBeats:
		return errors.New("beacon_count: want 6 to 32")
	case c.BeaconPeriod < time.Second || c.RareLearn < 0 || c.RareEvents < 0 || c.RareHosts < 1:
		return errors.New("beacon_period: want 1s or more; rare_learn, rare_events: 0 or more; rare_hosts: 1 or more")
	}
	if c.MaxSources < 1 {
		return errors.New("max_sources: want 1 or more")
	}
	for _, w := range []time.Duration{c.BruteForceWindow, c.SprayWindow, c.ReconWindow, c.ScanWindow, c.WebWindow} {
		if w <= 0 {
			return errors.New("window: want a duration above 0, such as 5m")
		}
	}
	return nil
}

// A source is what is remembered of one source.
type source struct {
	fails    detect.Window // word: user
	sprayed  detect.Window // word: password, a zero byte, user
	recon    detect.Window // word: what was asked
	touched  detect.Window // word: service
	paths    detect.Window // word: path
	files    []string      // base names of what it fetched, newest last
	fetched  time.Time     // last time
	commands int
	brought  []brought // newest last
}

// A detector is the behaviour detector. Not safe for concurrent use.
type detector struct {
	cfg     Config
	sources *detect.Memory[source]
	users   *detect.Memory[detect.Window] // by user: marks of sources that failed

	accounts *detect.Memory[[]visit] // by product and user: where it logged in from
	pulses   *detect.Memory[pulse]   // by source, target and verb
	programs *detect.Memory[program] // by name
	watched  time.Time               // of the earliest process event
	started  int                     // processes seen

	out   []honeyguide.Alert
	first int // index in out of the first claim about the event at hand
}

var _ detect.Detector = (*detector)(nil)

func open(_ context.Context, cfg Config, _ detect.Deps) (detect.Detector, error) {
	return &detector{
		cfg:     cfg,
		sources: detect.NewMemory(cfg.MaxSources, func() source { return source{} }),
		users:   detect.NewMemory(min(cfg.MaxSources, 10_000), func() detect.Window { return detect.Window{} }),

		accounts: detect.NewMemory(min(cfg.MaxSources, 10_000), func() []visit { return nil }),
		pulses:   detect.NewMemory(min(cfg.MaxSources, 20_000), func() pulse { return pulse{} }),
		programs: detect.NewMemory(min(cfg.MaxSources, 50_000), func() program { return program{} }),
	}, nil
}

// Detect claims what the events show.
func (d *detector) Detect(_ context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error) {
	d.out = nil
	for i := range batch {
		d.first = len(d.out)
		d.event(&batch[i])
	}
	return d.out, nil
}

func (d *detector) event(e *honeyguide.Event) {
	if e.Session == "" { // no visitor of the decoys
		d.beaconing(e)
		d.rare(e)
	}
	switch e.Activity {
	case honeyguide.ActivityConnect:
		d.contact(e)
	case honeyguide.ActivityLoginFailed:
		d.loginFailed(e)
	case honeyguide.ActivityLoginSuccess:
		d.loginSuccess(e)
	case honeyguide.ActivityCommand:
		d.command(e)
	case honeyguide.ActivityRequest:
		d.request(e)
	case honeyguide.ActivityDownload:
		d.download(e)
	case honeyguide.ActivityFileWrite:
		d.fileWrite(e)
	case honeyguide.ActivitySample:
		d.sample(e)
	case honeyguide.ActivityExecute:
		d.execute(e)
	case honeyguide.ActivityTunnel:
		d.claim(&rules.tunnel, e, "", "asks for "+e.Str(honeyguide.AttrDetail))
	case honeyguide.ActivityMalformed:
		d.contact(e)
	}
}

// claim adds an alert and returns it for what is known beyond the rule. Rules
// that share an id count one event once.
func (d *detector) claim(r *detect.Rule, e *honeyguide.Event, what, text string) *honeyguide.Alert {
	a := detect.Claim("behaviour", r, e, what, text)
	for i := d.first; i < len(d.out); i++ {
		if same := &d.out[i]; same.DedupeKey == a.DedupeKey {
			a.Count = 0
			detect.Merge(same, &a)
			return same
		}
	}
	d.out = append(d.out, a)
	return &d.out[len(d.out)-1]
}
