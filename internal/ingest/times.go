package ingest

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

var errTime = errors.New("not a time; RFC 3339, 2006-01-02 15:04:05 and Unix seconds are read")

// otherLayouts are tried when a time begins like none of the usual forms.
var otherLayouts = []string{
	"01/02/2006-15:04:05.999999999", // Suricata's fast.log
	"02/Jan/2006:15:04:05 -0700",    // web server logs
	time.RFC1123Z, time.RFC1123, time.RFC850, time.ANSIC, time.UnixDate,
}

// ParseTime reads a time as products write them: RFC 3339 with or without a
// colon in the offset, with a blank for the T, with up to nine digits of
// fraction, or without any offset (then zone applies, UTC when nil); and Unix
// time in seconds, milliseconds, microseconds or nanoseconds, told apart by
// size, with a fraction or without. The result is UTC with microseconds.
func ParseTime(s string, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if zone == nil {
		zone = time.UTC
	}
	if len(s) == 0 || len(s) > 64 {
		return time.Time{}, errTime
	}
	t, ok := parseStamp(s, zone)
	if !ok {
		t, ok = parseEpoch(s)
	}
	for i := 0; !ok && i < len(otherLayouts); i++ {
		var err error
		t, err = time.ParseInLocation(otherLayouts[i], s, zone)
		ok = err == nil
	}
	// Outside these years it is a number that happened to fit.
	if !ok || t.Year() < 1970 || t.Year() > 2200 {
		return time.Time{}, errTime
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// parseStamp reads 2006-01-02[T ]15:04:05[.999][zone]; a date alone is its
// midnight, and slashes stand for dashes.
func parseStamp(s string, zone *time.Location) (time.Time, bool) {
	year, ok1 := digits(s, 0, 4)
	month, ok2 := digits(s, 5, 2)
	day, ok3 := digits(s, 8, 2)
	if !ok1 || !ok2 || !ok3 || s[4] != s[7] || s[4] != '-' && s[4] != '/' {
		return time.Time{}, false
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return time.Time{}, false
	}
	if len(s) == 10 {
		return time.Date(year, time.Month(month), day, 0, 0, 0, 0, zone), true
	}
	hour, ok1 := digits(s, 11, 2)
	minute, ok2 := digits(s, 14, 2)
	sec, rest := 0, ""
	if !ok1 || !ok2 || !strings.ContainsRune("T t_", rune(s[10])) || s[13] != ':' {
		return time.Time{}, false
	}
	if rest = s[16:]; strings.HasPrefix(rest, ":") {
		if sec, ok3 = digits(s, 17, 2); !ok3 {
			return time.Time{}, false
		}
		rest = s[19:]
	}
	nanos, rest, ok := fraction(rest)
	if !ok || hour > 23 || minute > 59 || sec > 60 {
		return time.Time{}, false
	}
	if zone, ok = offset(strings.TrimLeft(rest, " "), zone); !ok {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, sec, nanos, zone), true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// digits reads n digits at a place.
func digits(s string, at, n int) (int, bool) {
	if at+n > len(s) {
		return 0, false
	}
	v := 0
	for _, c := range []byte(s[at : at+n]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

// fraction reads ".123" or ",123" as nanoseconds; without one it is 0.
func fraction(s string) (int, string, bool) {
	if s == "" || s[0] != '.' && s[0] != ',' {
		return 0, s, true
	}
	n, i := 0, 1
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if i <= 9 {
			n = n*10 + int(s[i]-'0')
		}
	}
	for j := i; j <= 9; j++ {
		n *= 10
	}
	return n, s[i:], i > 1
}

// offset reads Z, UTC, +01:00, +0100 or +01; nothing means zone. Go programs that
// print a time as it is write the zone's name behind: +0100 CET.
func offset(s string, zone *time.Location) (*time.Location, bool) {
	switch s {
	case "":
		return zone, true
	case "Z", "z", "UTC", "GMT", "+0000", "+00:00":
		return time.UTC, true
	}
	if s[0] != '+' && s[0] != '-' {
		return nil, false
	}
	if head, name, ok := strings.Cut(s, " "); ok && zoneName(name) {
		s = head
	}
	hours, ok := digits(s, 1, 2)
	tail := strings.TrimPrefix(s[min(3, len(s)):], ":")
	minutes := 0
	if ok && tail != "" {
		if minutes, ok = digits(tail, 0, 2); len(tail) != 2 {
			ok = false
		}
	}
	if !ok || hours > 14 || minutes > 59 {
		return nil, false
	}
	secs := hours*3600 + minutes*60
	if s[0] == '-' {
		secs = -secs
	}
	return time.FixedZone("", secs), true
}

// zoneName reports whether s looks like UTC, CEST or, of a zone without a name,
// +03 or +0545.
func zoneName(s string) bool {
	if len(s) < 3 || len(s) > 5 {
		return false
	}
	if s[0] == '+' || s[0] == '-' {
		return strings.Trim(s[1:], "0123456789") == ""
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// minEpoch is the smallest number taken for Unix seconds (March 1973): below
// it a number is a counter, a date written as digits, or nothing.
const minEpoch = 1e8

// parseEpoch reads Unix time; its size says its unit.
func parseEpoch(s string) (time.Time, bool) {
	if strings.ContainsAny(s, "eE") {
		f, err := strconv.ParseFloat(s, 64) // 1.7e9
		if err != nil || f < minEpoch || f > 1e18 {
			return time.Time{}, false
		}
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	head, tail, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(head, 10, 64)
	if err != nil || strings.Trim(tail, "0123456789") != "" {
		return time.Time{}, false
	}
	frac, err := strconv.ParseFloat("0."+tail+"0", 64)
	if err != nil {
		return time.Time{}, false
	}
	switch {
	case n < minEpoch:
		return time.Time{}, false
	case n < 1e11: // seconds, to the year 5138
		return time.Unix(n, int64(math.Round(frac*1e9))), true
	case n < 1e14:
		return time.UnixMicro(n*1000 + int64(math.Round(frac*1000))), true
	case n < 1e17:
		return time.UnixMicro(n), true
	}
	return time.Unix(0, n), true
}
