package notice

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"honeyguide"
)

// Config is the section notify of the configuration.
type Config struct {
	Default string        `yaml:"default" doc:"channel or chain of what names none, several channels between commas; empty = every channel"`
	Zone    string        `yaml:"zone" doc:"time zone of quiet hours and digests, such as Europe/Berlin; empty = the host's"`
	Dedupe  time.Duration `yaml:"dedupe" doc:"the same again on one channel is counted for so long and not sent; 0 = always sent"`
	Rate    int           `yaml:"rate" doc:"messages an hour on one channel, twice as many for critical ones; what is above goes out as digests"`
	// Clock is the least severity the clock of an incident is worth a message for.
	Clock         honeyguide.Severity `yaml:"clock" doc:"least severity of incidents whose time to respond people are told of when it is nearly over, and over"`
	Resolve       bool                `yaml:"resolve" doc:"tell whoever was told about an incident that it is resolved or closed"`
	Attempts      int                 `yaml:"attempts" doc:"how often a message is tried at most"`
	MaxAge        time.Duration       `yaml:"max_age" doc:"how long a message that fails is tried again"`
	RetentionDays int                 `yaml:"retention_days" doc:"days notices are kept after they were made"`
	Quiet         []Quiet             `yaml:"quiet" doc:"hours nobody is told anything on any channel: days, from, to, zone, hold_critical"`
	Channels      map[string]Channel  `yaml:"channels" doc:"settings of single channels, by the name of the action that carries it: rate, quiet, digest"`
	Chains        map[string]Chain    `yaml:"chains" doc:"who is told next when nobody acknowledges, by name: levels of channels and after, quiet"`
}

// Channel sets one channel apart from the others.
type Channel struct {
	Rate   int     `yaml:"rate" doc:"messages an hour; 0 = notify.rate"`
	Quiet  []Quiet `yaml:"quiet" doc:"hours nobody is told anything on it, beside notify.quiet"`
	Digest Digest  `yaml:"digest" doc:"what is gathered and sent together"`
}

// Digest says what of a channel is gathered.
type Digest struct {
	Every      string                `yaml:"every" doc:"1h, daily 08:00 or weekly mon 08:00; empty = never"`
	Severities []honeyguide.Severity `yaml:"severities" doc:"which notices; empty = informational and low"`
}

// Chain is a way a notice takes until somebody acknowledges its incident.
type Chain struct {
	Levels []Level `yaml:"levels" doc:"who is told, one after the other"`
	Quiet  []Quiet `yaml:"quiet" doc:"hours nobody is told anything along it"`
}

// Level is one step of a chain.
type Level struct {
	Channels []string      `yaml:"channels" doc:"told at the same time"`
	After    time.Duration `yaml:"after" doc:"how long after the level before; the first goes out at once"`
}

// Quiet is a span of every week.
type Quiet struct {
	Days []string `yaml:"days" doc:"mon to sun: the days it begins on; empty = every day"`
	From string   `yaml:"from" doc:"hh:mm"`
	To   string   `yaml:"to" doc:"hh:mm; of the next day unless it is later than from; 24:00 is midnight"`
	Zone string   `yaml:"zone" doc:"time zone; empty = notify.zone"`
	Hold bool     `yaml:"hold_critical" doc:"keep critical notices until its end, too"`
}

// Defaults are the settings of no file at all.
func Defaults() Config {
	return Config{Dedupe: time.Hour, Rate: 30, Clock: honeyguide.SeverityHigh, Resolve: true, Attempts: 100, MaxAge: 72 * time.Hour, RetentionDays: 90}
}

// Bounds of the settings.
const (
	maxWindow = 7 * 24 * time.Hour // of dedupe, of the wait for a level
	maxLevels = 10
)

// invalid is an error of a setting.
func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// Validate says what is wrong with the settings by themselves. Whether the
// channels they name exist is found out by [Outbox.Open].
func (c *Config) Validate() error {
	_, err := c.compile()
	return err
}

// rules are settings made ready.
type rules struct {
	Config
	zone   *time.Location
	quiet  []hours
	lanes  map[string]lane
	chains map[string]route
}

// lane is how one channel is treated.
type lane struct {
	rate   int
	quiet  []hours
	digest *schedule // nil: nothing is gathered
	gather map[honeyguide.Severity]bool
}

// compile checks every setting.
func (c *Config) compile() (*rules, error) {
	switch {
	case c.Dedupe < 0 || c.Dedupe > maxWindow:
		return nil, invalid("notify.dedupe: %v; want 0 to 168h", c.Dedupe)
	case c.Rate < 1 || c.Rate > 10_000:
		return nil, invalid("notify.rate: %d; want 1 to 10000 messages an hour", c.Rate)
	case c.Attempts < 1 || c.Attempts > 1000:
		return nil, invalid("notify.attempts: %d; want 1 to 1000", c.Attempts)
	case c.MaxAge < time.Minute || c.MaxAge > 30*24*time.Hour:
		return nil, invalid("notify.max_age: %v; want 1m to 720h", c.MaxAge)
	case c.RetentionDays < 1:
		return nil, invalid("notify.retention_days: %d; want 1 or more", c.RetentionDays)
	}
	r := &rules{Config: *c, lanes: map[string]lane{}, chains: map[string]route{}}
	var err error
	if r.zone, err = zone("notify.zone", c.Zone, time.Local); err != nil {
		return nil, err
	}
	if r.quiet, err = span("notify.quiet", c.Quiet, r.zone); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Channels)) {
		if r.lanes[name], err = r.lane("notify.channels."+name, c.Channels[name]); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Chains)) {
		if r.chains[name], err = r.chain(name, c.Chains[name]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rules) lane(key string, c Channel) (l lane, err error) {
	if c.Rate < 0 || c.Rate > 10_000 {
		return l, invalid("%s.rate: %d; want 1 to 10000 messages an hour, or 0", key, c.Rate)
	}
	if l.rate = c.Rate; l.rate == 0 {
		l.rate = r.Rate
	}
	own, err := span(key+".quiet", c.Quiet, r.zone)
	if err != nil {
		return l, err
	}
	l.quiet = append(slices.Clip(r.quiet), own...)
	if err := neverOpen(key+".quiet", l.quiet); err != nil {
		return l, err
	}
	if c.Digest.Every == "" {
		if len(c.Digest.Severities) > 0 {
			return l, invalid("%s.digest.every: missing; say when it goes out, such as 1h or daily 08:00", key)
		}
		return l, nil
	}
	if l.digest, err = every(key+".digest.every", c.Digest.Every, r.zone); err != nil {
		return l, err
	}
	l.gather = map[honeyguide.Severity]bool{}
	for _, s := range c.Digest.Severities {
		l.gather[s] = true
	}
	if len(l.gather) == 0 {
		l.gather = map[honeyguide.Severity]bool{honeyguide.SeverityUnknown: true, honeyguide.SeverityInformational: true, honeyguide.SeverityLow: true}
	}
	return l, nil
}

func (r *rules) chain(name string, c Chain) (w route, err error) {
	key := "notify.chains." + name
	switch {
	case strings.ContainsAny(name, ", "):
		return w, invalid("%s: a name without blanks and commas, please", key)
	case len(c.Levels) == 0 || len(c.Levels) > maxLevels:
		return w, invalid("%s.levels: want 1 to %d", key, maxLevels)
	}
	w = route{chain: name}
	for i, l := range c.Levels {
		at := fmt.Sprintf("%s.levels[%d]", key, i)
		sorted := slices.Sorted(slices.Values(l.Channels))
		switch {
		case len(l.Channels) == 0:
			return w, invalid("%s.channels: missing; name who is told", at)
		case len(slices.Compact(sorted)) < len(l.Channels):
			return w, invalid("%s.channels: one is named twice", at)
		case i == 0 && l.After != 0:
			return w, invalid("%s.after: the first level goes out at once; leave it out", at)
		case i > 0 && (l.After < time.Second || l.After > maxWindow):
			return w, invalid("%s.after: %v; want 1s to 168h after the level before", at, l.After)
		}
		w.levels = append(w.levels, Level{slices.Clone(l.Channels), l.After})
	}
	if w.quiet, err = span(key+".quiet", c.Quiet, r.zone); err != nil {
		return w, err
	}
	return w, neverOpen(key+".quiet", append(slices.Clip(r.quiet), w.quiet...))
}
