// Package feeds says which lists of known addresses, networks, names, URLs and
// hashes the values of an event stand on. Lists come from files or URLs, as
// plain lines, tables, MISP events or STIX 2.1 and TAXII 2.1 objects. Matching
// asks nobody and works from memory; every match names its list, how sure it
// is, and how old.
package feeds

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/kind"
	"honeyguide/internal/telemetry"
)

// Folder is where downloaded lists lie in the data folder.
const Folder = "feeds"

// maxLists bounds the lists.
const maxLists = 200

// Config is what a user may set.
type Config struct {
	Lists map[string]List `yaml:"lists" doc:"the lists, by name; each with file or url, format, verdict, confidence, every, keep"`
	Most  int             `yaml:"max_indicators" doc:"indicators held in memory over all lists, about 25 bytes each; the rest is left out and reported"`
}

// A List is one feed.
type List struct {
	File       string            `yaml:"file" doc:"file to read; it is read again when it changes"`
	URL        string            `yaml:"url" doc:"address to fetch it from"`
	Format     string            `yaml:"format" doc:"auto, list, csv, misp, misp-feed, stix or taxii"`
	Column     string            `yaml:"column" doc:"column of a table that holds the indicators, by name or number, where it is not a usual one"`
	Verdict    string            `yaml:"verdict" doc:"what standing on it means: malicious, suspicious, benign or info"`
	Confidence int               `yaml:"confidence" doc:"how sure the list is, 1 to 100, where it does not say itself"`
	Every      time.Duration     `yaml:"every" doc:"how often it is fetched"`
	Keep       time.Duration     `yaml:"keep" doc:"how long it counts after it was last fetched"`
	MaxMiB     int64             `yaml:"max_mib" doc:"size it may have"`
	Key        honeyguide.Secret `yaml:"key" doc:"key that is sent along"`
	KeyHeader  string            `yaml:"key_header" doc:"header the key is sent in"`
}

// Bounds of the settings of a list.
const (
	leastEvery = 5 * time.Minute
	mostMiB    = 1024
)

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// Validate checks the settings and fills in those that are left out.
func (c *Config) Validate() error {
	if c.Most < 1000 || c.Most > 50_000_000 {
		return fmt.Errorf("enrich.feeds.max_indicators: %d is not in 1000..50000000", c.Most)
	}
	if len(c.Lists) > maxLists {
		return fmt.Errorf("enrich.feeds.lists: %d of them, more than %d", len(c.Lists), maxLists)
	}
	lists := make(map[string]List, len(c.Lists))
	for name, l := range c.Lists {
		if !nameForm.MatchString(name) {
			return fmt.Errorf("enrich.feeds.lists: the name %q; want small letters, digits, - and _", name)
		}
		if err := l.fill(); err != nil {
			return fmt.Errorf("enrich.feeds.lists.%s.%w", name, err)
		}
		lists[name] = l
	}
	c.Lists = lists
	return nil
}

func (l *List) fill() error {
	put := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	put(&l.Format, formatAuto)
	put(&l.Verdict, honeyguide.SaysSuspicious)
	put(&l.KeyHeader, "Authorization")
	for _, d := range []struct {
		at *time.Duration
		to time.Duration
	}{{&l.Every, 6 * time.Hour}, {&l.Keep, 7 * 24 * time.Hour}} {
		if *d.at == 0 {
			*d.at = d.to
		}
	}
	if l.Confidence == 0 {
		l.Confidence = 50
	}
	if l.MaxMiB == 0 {
		l.MaxMiB = 64
	}
	formats := []string{formatAuto, formatList, formatCSV, formatMISP, formatFeed, formatSTIX, formatTAXII}
	verdicts := []string{honeyguide.SaysMalicious, honeyguide.SaysSuspicious, honeyguide.SaysBenign, honeyguide.SaysInfo}
	switch {
	case (l.File == "") == (l.URL == ""):
		return fmt.Errorf("file, url: want one of the two")
	case !slices.Contains(formats, l.Format):
		return fmt.Errorf("format: %q; want one of %v", l.Format, formats)
	case !slices.Contains(verdicts, l.Verdict):
		return fmt.Errorf("verdict: %q; want one of %v", l.Verdict, verdicts)
	case l.Confidence < 1 || l.Confidence > 100:
		return fmt.Errorf("confidence: %d; want 1 to 100", l.Confidence)
	case l.Every < leastEvery:
		return fmt.Errorf("every: %v; want %v or more", l.Every, leastEvery)
	case l.Keep < l.Every && l.URL != "":
		return fmt.Errorf("keep: %v is less than every (%v): the list would lapse between two fetches", l.Keep, l.Every)
	case l.MaxMiB < 1 || l.MaxMiB > mostMiB:
		return fmt.Errorf("max_mib: %d; want 1 to %d", l.MaxMiB, mostMiB)
	case l.File != "" && (l.Format == formatTAXII || l.Format == formatFeed):
		return fmt.Errorf("format: %s is fetched from a url; a file of it has the format %s", l.Format, map[string]string{formatTAXII: formatSTIX, formatFeed: formatMISP}[l.Format])
	}
	return nil
}

// Kind is the feeds kind.
var Kind = kind.Of("feeds", "Lists of known addresses, networks, names, URLs and hashes.", Config{Most: 2_000_000}, open)

func open(_ context.Context, cfg Config, dep enrich.Deps) (enrich.Enricher, error) {
	return newFeeds(cfg, dep.Fill()), nil
}

func newFeeds(cfg Config, dep enrich.Deps) *feeds {
	f := &feeds{cfg: cfg, dep: dep, seed: maphash.MakeSeed()}
	for _, name := range slices.Sorted(maps.Keys(cfg.Lists)) {
		f.lists = append(f.lists, &feed{name: name, List: cfg.Lists[name]})
	}
	f.now.Store(&generation{x: newBuilder(f.seed, 0).build()})
	r := dep.Metrics
	f.matches = r.Counter("honeyguide_enrich_feed_matches_total", "Values of events that stand on a list.", "feed")
	f.items = r.Gauge("honeyguide_enrich_feed_indicators", "Indicators of a list that are in use.", "feed")
	f.bad = r.Gauge("honeyguide_enrich_feed_bad_lines", "Lines or records of a list that could not be read.", "feed")
	f.fetched = r.Gauge("honeyguide_enrich_feed_fetched_timestamp_seconds", "When a list was last fetched or its file changed.", "feed")
	f.failures = r.Counter("honeyguide_enrich_feed_failures_total", "Times a list could not be fetched or read.", "feed")
	for _, l := range f.lists {
		l.hits = f.matches.With(l.name)
		l.hits.Add(0)
		f.failures.With(l.name).Add(0)
	}
	return f
}

// feeds is the opened kind.
type feeds struct {
	cfg   Config
	dep   enrich.Deps
	seed  maphash.Seed
	lists []*feed
	now   atomic.Pointer[generation]

	matches, failures *telemetry.CounterVec
	items, bad        *telemetry.GaugeVec
	fetched           *telemetry.GaugeVec

	loading sync.Mutex // held while an index is built
	mu      sync.Mutex // held over what a Status shows
}

var _ enrich.Local = (*feeds)(nil)

// A generation is an index and what its entries' feeds are.
type generation struct {
	x    *index
	from []origin // by entry.feed
}

// An origin is a feed as a match shows it.
type origin struct {
	name, provider, verdict string
	confidence              int
	at                      time.Time
	expires                 int64 // seconds since 1970; 0 never
	hits                    *telemetry.Counter
}
