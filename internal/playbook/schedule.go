package playbook

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Schedule is a time of day that comes back.
type Schedule struct {
	text    string
	every   string // hourly, daily, weekly, monthly
	weekday time.Weekday
	day     int // of the month; one it does not have is its last
	hour    int
	minute  int
	zone    *time.Location
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// wantSchedule says what a schedule looks like.
const wantSchedule = "want one of: hourly :15, daily 08:00, weekly mon 08:00, monthly 1 08:00"

// ParseSchedule reads "hourly :15", "daily 08:00", "weekly mon 08:00" or
// "monthly 1 08:00" in a time zone such as Europe/Berlin, "" for UTC.
func ParseSchedule(text, zone string) (*Schedule, error) {
	s := &Schedule{text: text, zone: time.UTC}
	words := strings.Fields(strings.ToLower(text))
	if len(words) < 2 {
		return nil, fmt.Errorf("schedule %q: %s", text, wantSchedule)
	}
	s.every = words[0]
	ok := len(words) == 2
	switch s.every {
	case "hourly", "daily":
	case "weekly":
		i := slices.IndexFunc(weekdays, func(d string) bool { return len(words[1]) >= 3 && words[1][:3] == d })
		s.weekday, ok = time.Weekday(max(i, 0)), i >= 0 && len(words) == 3
	case "monthly":
		n, err := strconv.Atoi(words[1])
		s.day, ok = n, err == nil && n >= 1 && n <= 31 && len(words) == 3
	default:
		ok = false
	}
	if ok {
		ok = s.clock(words[len(words)-1])
	}
	if !ok {
		return nil, fmt.Errorf("schedule %q: %s", text, wantSchedule)
	}
	if zone != "" {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			return nil, fmt.Errorf("timezone %q is not known here; want one such as Europe/Berlin or UTC", zone)
		}
		s.zone = loc
	}
	return s, nil
}

// clock reads 08:00, or :15 for an hourly one.
func (s *Schedule) clock(word string) bool {
	h, m, found := strings.Cut(word, ":")
	if !found || len(m) != 2 || (h == "") != (s.every == "hourly") {
		return false
	}
	minute, err := strconv.Atoi(m)
	if err != nil || minute < 0 || minute > 59 {
		return false
	}
	hour := 0
	if h != "" {
		if hour, err = strconv.Atoi(h); err != nil || hour < 0 || hour > 23 || len(h) > 2 {
			return false
		}
	}
	s.hour, s.minute = hour, minute
	return true
}

// String returns the schedule as it was written, with its time zone.
func (s *Schedule) String() string { return s.text + " " + s.zone.String() }

// Next returns the first time after t. A time of day that does not exist on a
// day because clocks are put forward comes an hour later; one that exists twice
// comes once.
func (s *Schedule) Next(t time.Time) time.Time {
	if s.every == "hourly" {
		// In absolute time: zones shift by quarters of an hour at the finest.
		at := t.In(s.zone)
		at = at.Add(time.Duration(s.minute-at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
		for !at.After(t) {
			at = at.Add(time.Hour)
		}
		return at.UTC()
	}
	y, m, d := t.In(s.zone).Date()
	for i := 0; ; i++ {
		var at time.Time
		switch s.every {
		case "daily":
			at = time.Date(y, m, d+i, s.hour, s.minute, 0, 0, s.zone)
		case "weekly":
			day := time.Date(y, m, d+i, 12, 0, 0, 0, s.zone)
			if day.Weekday() != s.weekday {
				continue
			}
			at = time.Date(y, m, d+i, s.hour, s.minute, 0, 0, s.zone)
		default:
			last := time.Date(y, m+time.Month(i)+1, 0, 12, 0, 0, 0, s.zone).Day()
			at = time.Date(y, m+time.Month(i), min(s.day, last), s.hour, s.minute, 0, 0, s.zone)
		}
		if at.After(t) {
			return at.UTC()
		}
	}
}
