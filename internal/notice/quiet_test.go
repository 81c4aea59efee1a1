package notice

import (
	"strings"
	"testing"
	"time"

	"honeyguide"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("skipped: no data about time zones here: %v", err)
	}
	return l
}

func spans(t *testing.T, zone *time.Location, list ...Quiet) []hours {
	t.Helper()
	out, err := span("q", list, zone)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestQuietHours(t *testing.T) {
	zone := berlin(t)
	night := []Quiet{{From: "22:00", To: "07:00"}}
	week := []Quiet{{Days: []string{"mon", "tue", "wed", "thu", "Fri"}, From: "22:00", To: "07:00"}, {Days: []string{"sat", "sun"}, From: "00:00", To: "24:00"}}
	for _, c := range []struct {
		name     string
		list     []Quiet
		at, want string // local; no want: it is not quiet
	}{
		{"day", night, "2026-03-04 12:00", ""},
		{"begins", night, "2026-03-04 22:00", "2026-03-05 07:00"},
		{"almost", night, "2026-03-04 21:59", ""},
		{"after midnight", night, "2026-03-05 00:30", "2026-03-05 07:00"},
		{"ends", night, "2026-03-05 07:00", ""},
		{"friday night runs into the weekend", week, "2026-03-06 23:00", "2026-03-09 00:00"},
		{"sunday", week, "2026-03-08 12:00", "2026-03-09 00:00"},
		{"monday morning is nobody's night", week, "2026-03-09 03:00", ""},
		{"thursday night", week, "2026-03-05 23:00", "2026-03-06 07:00"},
		{"one a day apart", []Quiet{{From: "08:00", To: "09:00"}, {From: "09:00", To: "10:00"}}, "2026-03-05 08:30", "2026-03-05 10:00"},
		// Clocks go forward on 29 March at 2:00 and back on 25 October at 3:00.
		{"short night", night, "2026-03-28 23:00", "2026-03-29 07:00"},
		{"long night", night, "2026-10-24 23:00", "2026-10-25 07:00"},
		{"the end does not exist", []Quiet{{From: "01:00", To: "02:30"}}, "2026-03-29 01:30", "2026-03-29 03:30"},
		{"the beginning does not exist", []Quiet{{From: "02:30", To: "04:00"}}, "2026-03-29 03:45", "2026-03-29 04:00"},
	} {
		list := spans(t, zone, c.list...)
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		got, want := open(list, at, false), at
		if c.want != "" {
			if want, err = time.ParseInLocation("2006-01-02 15:04", c.want, zone); err != nil {
				t.Fatal(err)
			}
		}
		if !got.Equal(want) {
			t.Errorf("%s: at %s until %s, want %s", c.name, c.at, got, want)
		}
		if open(list, at, true) != at {
			t.Errorf("%s: holds critical ones", c.name)
		}
	}
	// The night in which clocks go forward is an hour shorter.
	list := spans(t, zone, night...)
	for day, want := range map[string]time.Duration{"2026-03-27": 9 * time.Hour, "2026-03-28": 8 * time.Hour, "2026-10-24": 10 * time.Hour} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", day+" 22:00", zone)
		if got := open(list, at, false).Sub(at); got != want {
			t.Errorf("the night of %s lasts %v, want %v", day, got, want)
		}
	}
	// The hour that comes twice is quiet once.
	twice, quiet := spans(t, zone, Quiet{From: "02:00", To: "02:30"}), 0
	for m := range 24 * 60 {
		at := time.Date(2026, 10, 24, 22, m, 0, 0, time.UTC) // midnight there
		if !open(twice, at, false).Equal(at) {
			quiet++
		}
	}
	if quiet != 30 {
		t.Errorf("half an hour in the hour that comes twice is quiet for %d minutes", quiet)
	}
}

func TestSchedules(t *testing.T) {
	zone := berlin(t)
	for _, c := range []struct{ every, at, want string }{
		{"1h", "2026-03-04T11:00:00Z", "2026-03-04T12:00:00Z"},
		{"15m", "2026-03-04T11:14:59Z", "2026-03-04T11:15:00Z"},
		{"daily 08:00", "2026-03-04T06:59:59Z", "2026-03-04T07:00:00Z"},
		{"daily 08:00", "2026-03-04T07:00:00Z", "2026-03-05T07:00:00Z"},
		{"daily 08:00", "2026-03-28T08:00:00Z", "2026-03-29T06:00:00Z"}, // summer begins in between
		{"daily 02:30", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"}, // does not exist: the moment after
		{"weekly mon 08:00", "2026-03-04T12:00:00Z", "2026-03-09T07:00:00Z"},
		{"weekly mon 08:00", "2026-03-09T07:00:00Z", "2026-03-16T07:00:00Z"},
	} {
		s, err := every("k", c.every, zone)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse(time.RFC3339, c.at)
		if got := s.next(at).Format(time.RFC3339); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.every, c.at, got, c.want)
		}
	}
}

// Each wrong setting is named.
func TestValidate(t *testing.T) {
	good := Defaults()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string]func(*Config){
		"notify.dedupe":                           func(c *Config) { c.Dedupe = -1 },
		"notify.rate: 0":                          func(c *Config) { c.Rate = 0 },
		"notify.attempts":                         func(c *Config) { c.Attempts = 0 },
		"notify.max_age":                          func(c *Config) { c.MaxAge = time.Second },
		"notify.retention_days":                   func(c *Config) { c.RetentionDays = 0 },
		`notify.zone: "Nowhere/Else"`:             func(c *Config) { c.Zone = "Nowhere/Else" },
		"notify.quiet[0].from":                    func(c *Config) { c.Quiet = []Quiet{{From: "24:00", To: "07:00"}} },
		"notify.quiet[0].to":                      func(c *Config) { c.Quiet = []Quiet{{From: "22:00", To: "7"}} },
		"notify.quiet[0]: from and to":            func(c *Config) { c.Quiet = []Quiet{{From: "22:00", To: "22:00"}} },
		`notify.quiet[0].days: "noday"`:           func(c *Config) { c.Quiet = []Quiet{{Days: []string{"noday"}, From: "22:00", To: "23:00"}} },
		"notify.quiet[0].zone":                    func(c *Config) { c.Quiet = []Quiet{{From: "22:00", To: "23:00", Zone: "X"}} },
		"notify.quiet: with these nobody":         func(c *Config) { c.Quiet = []Quiet{{From: "00:00", To: "24:00"}} },
		"notify.channels.a.rate":                  func(c *Config) { c.Channels = map[string]Channel{"a": {Rate: -1}} },
		"notify.channels.a.digest.every: \"now\"": func(c *Config) { c.Channels = map[string]Channel{"a": {Digest: Digest{Every: "now"}}} },
		"notify.channels.a.digest.every: missing": func(c *Config) {
			c.Channels = map[string]Channel{"a": {Digest: Digest{Severities: []honeyguide.Severity{honeyguide.SeverityLow}}}}
		},
		"notify.channels.a.quiet: with these nobody": func(c *Config) {
			c.Quiet = []Quiet{{From: "00:00", To: "12:00"}}
			c.Channels = map[string]Channel{"a": {Quiet: []Quiet{{From: "12:00", To: "24:00"}}}}
		},
		"notify.chains.a.levels: want":           func(c *Config) { c.Chains = map[string]Chain{"a": {}} },
		"notify.chains.a b":                      func(c *Config) { c.Chains = map[string]Chain{"a b": {}} },
		"notify.chains.a.levels[0].channels":     func(c *Config) { c.Chains = map[string]Chain{"a": {Levels: []Level{{}}}} },
		"levels[0].channels: one is named twice": func(c *Config) { c.Chains = map[string]Chain{"a": {Levels: []Level{{Channels: []string{"x", "x"}}}}} },
		"notify.chains.a.levels[0].after": func(c *Config) {
			c.Chains = map[string]Chain{"a": {Levels: []Level{{Channels: []string{"x"}, After: 1}}}}
		},
		"notify.chains.a.levels[1].after": func(c *Config) {
			c.Chains = map[string]Chain{"a": {Levels: []Level{{Channels: []string{"x"}}, {Channels: []string{"y"}}}}}
		},
	} {
		c := Defaults()
		edit(&c)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), want) || honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("want %s: %v", want, err)
		}
	}
	for want, edit := range map[string]func(*Config){
		"notify.default: there is no channel and no chain \"x\"": func(c *Config) { c.Default = "x" },
		"notify.channels.x: no action of this name":              func(c *Config) { c.Channels = map[string]Channel{"x": {}} },
		"notify.chains.a.levels[0].channels: no action \"x\"":    func(c *Config) { c.Chains = map[string]Chain{"a": {Levels: []Level{{Channels: []string{"x"}}}}} },
	} {
		c := Defaults()
		edit(&c)
		box, err := New(c, Deps{})
		if err != nil {
			t.Fatal(err)
		}
		if err := box.Open(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

// Whatever the hours are, the moment they give is never in the past and never
// quiet, and the same again gives the same.
func FuzzQuiet(f *testing.F) {
	f.Add("mon", "22:00", "07:00", "Europe/Berlin", int64(1774746000))
	f.Add("", "00:00", "23:59", "UTC", int64(0))
	f.Add("sun", "12:00", "24:00", "America/Sao_Paulo", int64(1541300400))
	f.Add("sat", "23:30", "00:15", "Asia/Kathmandu", int64(-1))
	f.Fuzz(func(t *testing.T, day, from, to, name string, unix int64) {
		q := Quiet{From: from, To: to, Zone: name}
		if day != "" {
			q.Days = []string{day}
		}
		list, err := span("q", []Quiet{q}, time.UTC)
		if err != nil {
			if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
				t.Fatal(err)
			}
			return
		}
		at := time.Unix(unix%4e9, 0)
		got := open(list, at, false)
		if got.Before(at) || got.Sub(at) > 8*24*time.Hour || !open(list, got, false).Equal(got) {
			t.Errorf("%+v at %s: until %s, then %s", q, at, got, open(list, got, false))
		}
	})
}

// A schedule that is understood always comes, after now and within a week.
func FuzzEvery(f *testing.F) {
	f.Add("1h", int64(1774746000))
	f.Add("daily 02:30", int64(1774746000))
	f.Add("weekly sun 23:59", int64(1541300400))
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		s, err := every("k", text, time.UTC)
		if err != nil {
			return
		}
		at := time.Unix(unix%4e9, 0)
		if next := s.next(at); !next.After(at) || next.Sub(at) > 8*24*time.Hour {
			t.Errorf("%q at %s: %s", text, at, next)
		}
	})
}
