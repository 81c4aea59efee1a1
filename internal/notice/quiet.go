package notice

import (
	"fmt"
	"strings"
	"time"
)

// hours is one span of every week in which nobody is told anything.
type hours struct {
	days     [7]bool // by time.Weekday: on which it begins
	from, to int     // minutes since midnight; to is at most from: of the next day
	zone     *time.Location
	hold     bool // critical ones wait, too
}

// weekdays are the words of days.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// zone reads the name of a time zone.
func zone(key, name string, none *time.Location) (*time.Location, error) {
	if name == "" {
		return none, nil
	}
	l, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, invalid("%s: %.60q is not known here; want a name such as Europe/Berlin, whose data the package tzdata brings", key, name)
	}
	return l, nil
}

// clock reads hh:mm as minutes since midnight.
func clock(s string, last int) (int, bool) {
	var h, m int
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for i, c := range []byte(s) {
		if i != 2 && (c < '0' || c > '9') {
			return 0, false
		}
	}
	h, m = int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	return h*60 + m, m < 60 && h*60+m <= last
}

// weekday reads mon to sun.
func weekday(s string) (time.Weekday, bool) {
	for i, w := range weekdays {
		if strings.EqualFold(s, w) {
			return time.Weekday(i), true
		}
	}
	return 0, false
}

// span reads a list of quiet hours.
func span(key string, list []Quiet, local *time.Location) ([]hours, error) {
	var out []hours
	for i, q := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		var h hours
		var ok bool
		if h.from, ok = clock(q.From, 24*60-1); !ok {
			return nil, invalid("%s.from: want hh:mm, such as 22:00", at)
		}
		if h.to, ok = clock(q.To, 24*60); !ok {
			return nil, invalid("%s.to: want hh:mm, such as 07:00", at)
		}
		if h.from == h.to {
			return nil, invalid("%s: from and to are the same; a whole day is from 00:00 to 24:00", at)
		}
		for _, d := range q.Days {
			w, ok := weekday(d)
			if !ok {
				return nil, invalid("%s.days: %.20q; want mon, tue, wed, thu, fri, sat or sun", at, d)
			}
			h.days[w] = true
		}
		if len(q.Days) == 0 {
			h.days = [7]bool{true, true, true, true, true, true, true}
		}
		var err error
		if h.zone, err = zone(at+".zone", q.Zone, local); err != nil {
			return nil, err
		}
		h.hold = q.Hold
		out = append(out, h)
	}
	return out, neverOpen(key, out)
}

// until returns when the span ends that holds t, if one does. Days are those of
// the zone: when clocks are changed a night is an hour shorter or longer, and a
// time that does not exist is the moment the clock jumps over it.
func (h hours) until(t time.Time) (time.Time, bool) {
	local := t.In(h.zone)
	for _, back := range []int{1, 0} { // it may have begun yesterday
		y, m, d := local.Date()
		day := time.Date(y, m, d-back, 12, 0, 0, 0, h.zone) // noon: there is one every day
		y, m, d = day.Date()
		if !h.days[day.Weekday()] {
			continue
		}
		over := 0
		if h.to <= h.from {
			over = 1
		}
		begin, end := time.Date(y, m, d, 0, h.from, 0, 0, h.zone), time.Date(y, m, d+over, 0, h.to, 0, 0, h.zone)
		if !t.Before(begin) && t.Before(end) {
			return end, true
		}
	}
	return t, false
}

// quietSteps bounds how many spans in a row are looked at.
const quietSteps = 64

// open returns the first moment at or after t that is in no span; critical says
// that only spans that hold critical notices count.
func open(list []hours, t time.Time, critical bool) time.Time {
	at := t
	for range quietSteps {
		was := at
		for _, h := range list {
			if critical && !h.hold {
				continue
			}
			if end, quiet := h.until(at); quiet && end.After(at) {
				at = end
			}
		}
		if at.Equal(was) {
			break
		}
	}
	return at
}

// neverOpen refuses spans that leave no time in a week.
func neverOpen(key string, list []hours) error {
	monday := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	if open(list, monday, false).Sub(monday) > 8*24*time.Hour {
		return invalid("%s: with these nobody is ever told anything", key)
	}
	return nil
}
