package notice

import (
	"strings"
	"time"
)

// A schedule says when digests go out.
type schedule struct {
	every time.Duration // 0: at a time of day
	at    int           // minutes since midnight
	day   time.Weekday
	week  bool // on that day only
	zone  *time.Location
}

// every reads "1h", "daily 08:00" or "weekly mon 08:00".
func every(key, s string, zone *time.Location) (*schedule, error) {
	x := &schedule{zone: zone}
	words := strings.Fields(s)
	ok := false
	switch {
	case len(words) == 1:
		d, err := time.ParseDuration(words[0])
		x.every, ok = d, err == nil && d >= time.Minute && d <= 24*time.Hour
	case len(words) == 2 && words[0] == "daily":
		x.at, ok = clock(words[1], 24*60-1)
	case len(words) == 3 && words[0] == "weekly":
		var day bool
		x.week = true
		x.day, day = weekday(words[1])
		x.at, ok = clock(words[2], 24*60-1)
		ok = ok && day
	}
	if !ok {
		return nil, invalid("%s: %.60q; want 1m to 24h, daily 08:00 or weekly mon 08:00", key, s)
	}
	return x, nil
}

// next returns the first time after t.
func (s *schedule) next(t time.Time) time.Time {
	if s.every > 0 {
		return t.UTC().Truncate(s.every).Add(s.every)
	}
	y, m, d := t.In(s.zone).Date()
	for n := range 9 {
		at := time.Date(y, m, d+n, 0, s.at, 0, 0, s.zone)
		if at.After(t) && (!s.week || at.Weekday() == s.day) {
			return at.UTC()
		}
	}
	return t.Add(24 * time.Hour) // not reached: a week has every day
}
