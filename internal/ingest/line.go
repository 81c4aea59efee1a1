package ingest

import (
	"strings"
	"time"
	"unicode/utf8"
)

// A Liner is a mapper that reads lines of text. When its format is asked for by
// name, an input that is neither JSON, XML nor a table is cut into lines without
// looking at them first.
type Liner interface {
	Mapper
	// Lines does nothing; it marks the mapper.
	Lines()
}

// Plain returns the line of a record that is a line of text (or several that
// belong together, joined by line breaks), as valid UTF-8; "" for a record that
// has fields.
func (r *Record) Plain() string {
	if !r.plain {
		return ""
	}
	if r.line == "" && len(r.Raw) > 0 {
		r.line = mendText(string(r.Raw))
	}
	return r.line
}

// mendText makes s valid UTF-8 without NUL.
func mendText(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// takeLine makes r a line of text.
func (r *Record) takeLine(line int64, raw []byte) {
	r.begin(line, raw)
	r.plain, r.Root = true, Value{}
}

// begin forgets what was known of the record before.
func (r *Record) begin(line int64, raw []byte) {
	r.Line, r.Raw, r.timeless, r.plain, r.line, r.header = line, raw, false, false, "", header{}
	r.keptFor = nil
}

// A header is what was found out about a line before.
type header struct {
	asked, ok bool
	s         Syslog
}

// A Syslog is a line of RFC 3164, RFC 5424 or of a log file of their kind. Its
// texts are parts of the line.
type Syslog struct {
	Priority   int       // facility*8 + severity; -1 when the line has none
	At         time.Time // UTC; zero when the line has none
	Host       string
	Program    string // without path and pid
	PID        string
	MsgID      string
	Structured string // structured data of RFC 5424 with its brackets
	Message    string
}

// Syslog returns the record's line as syslog has it, and whether it has the form
// at all: a priority or a time, and something behind it. It is worked out once.
func (r *Record) Syslog() (*Syslog, bool) {
	h := &r.header
	if !h.asked {
		h.asked = true
		h.s, h.ok = ParseSyslog(r.Plain(), r.Now, r.Zone)
	}
	return &h.s, h.ok
}

// ParseSyslog reads a line of syslog. A time without a year is in the year that
// brings it nearest to now, one without an offset in zone (UTC when nil).
func ParseSyslog(line string, now time.Time, zone *time.Location) (Syslog, bool) {
	s := Syslog{Priority: -1}
	rest := line
	if pri, tail, ok := priority(line); ok {
		s.Priority, rest = pri, tail
		if tail, ok := strings.CutPrefix(rest, "1 "); ok && s.modern(tail, zone) {
			return s, true
		}
	}
	at, tail, timed := cutStamp(rest, now, zone)
	if timed {
		s.At, rest = at, strings.TrimLeft(tail, " ")
		host, tail, ok := strings.Cut(rest, " ")
		if !ok || host == "" {
			return s, false
		}
		// "sshd[9]: ..." right behind the time: the line has no host.
		if !strings.HasSuffix(host, ":") {
			s.Host, rest = host, strings.TrimLeft(tail, " ")
		}
	}
	s.tag(rest)
	return s, timed || s.Priority >= 0
}

// priority cuts "<34>" off.
func priority(line string) (int, string, bool) {
	if len(line) < 3 || line[0] != '<' {
		return 0, line, false
	}
	n := 0
	for i := 1; i < len(line) && i <= 4; i++ {
		switch c := line[i]; {
		case c == '>' && i > 1:
			return n, line[i+1:], true
		case c < '0' || c > '9':
			return 0, line, false
		default:
			n = n*10 + int(c-'0')
		}
	}
	return 0, line, false
}

// modern reads what stands behind the version of RFC 5424.
func (s *Syslog) modern(rest string, zone *time.Location) bool {
	var part [5]string
	for i := range part {
		var ok bool
		part[i], rest, ok = strings.Cut(rest, " ")
		if !ok && i < len(part)-1 {
			return false
		}
		if part[i] == "-" {
			part[i] = ""
		}
	}
	if part[0] != "" {
		at, err := ParseTime(part[0], zone)
		if err != nil {
			return false
		}
		s.At = at
	}
	s.Host, s.Program, s.PID, s.MsgID = part[1], part[2], part[3], part[4]
	s.Structured, s.Message = cutStructured(rest)
	return true
}

// cutStructured cuts the structured data off: "-", or elements in brackets whose
// values are quoted with backslashes.
func cutStructured(rest string) (data, message string) {
	if rest == "-" {
		return "", ""
	}
	if tail, ok := strings.CutPrefix(rest, "- "); ok {
		return "", strings.TrimPrefix(tail, "\uFEFF")
	}
	quoted, end := false, 0
scan:
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ']':
			end = i + 1
		case c == ' ' && end == i && end > 0:
			break scan
		case end == i && c != '[':
			break scan
		}
	}
	if end == 0 {
		return "", rest
	}
	return rest[:end], strings.TrimPrefix(strings.TrimPrefix(rest[end:], " "), "\uFEFF")
}

// maxTag bounds the name of a program, so that prose is not taken for one.
const maxTag = 64

// tag reads "program[pid]: message"; what has no such beginning is message.
func (s *Syslog) tag(rest string) {
	s.Message = rest
	for i := 0; i < len(rest) && i <= maxTag; i++ {
		c := rest[i]
		switch {
		case c == ':' && i > 0 && (i+1 == len(rest) || rest[i+1] == ' '):
			s.Program, s.Message = program(rest[:i]), strings.TrimPrefix(rest[i+1:], " ")
			return
		case c == '[' && i > 0:
			end := strings.IndexByte(rest[i:], ']')
			if end < 0 || end > 16 || !strings.HasPrefix(rest[i+end+1:], ":") {
				return
			}
			s.Program, s.PID = program(rest[:i]), rest[i+1:i+end]
			s.Message = strings.TrimPrefix(rest[i+end+2:], " ")
			return
		case c <= ' ' || c == '=' || c == '|' || c == '{' || c == '<' || c == '"':
			return
		}
	}
}

// program cuts the folder off a program's name.
func program(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// cutStamp cuts the time off the beginning of a line: "Nov 21 19:30:00", the same
// with a year or a fraction, or the ISO form rsyslog writes.
func cutStamp(line string, now time.Time, zone *time.Location) (time.Time, string, bool) {
	if zone == nil {
		zone = time.UTC
	}
	if len(line) > 19 && line[4] == '-' && line[0] >= '0' && line[0] <= '9' {
		stamp, rest, _ := strings.Cut(line, " ")
		if len(stamp) == 10 { // the time is a word of its own
			clock, tail, _ := strings.Cut(rest, " ")
			stamp, rest = line[:len(stamp)+1+len(clock)], tail
		}
		at, ok := parseStamp(stamp, zone)
		return at.UTC().Truncate(time.Microsecond), rest, ok
	}
	if len(line) < 15 || line[3] != ' ' {
		return time.Time{}, line, false
	}
	month := 0
	for i, m := range months {
		if line[:3] == m {
			month = i + 1
		}
	}
	rest := strings.TrimLeft(line[4:], " ")
	n := strings.IndexByte(rest, ' ')
	if month == 0 || n < 1 || n > 2 {
		return time.Time{}, line, false
	}
	day, ok := digits(rest, 0, n)
	rest = rest[n+1:]
	year, named := digits(rest, 0, 4)
	if named = named && len(rest) > 5 && rest[4] == ' '; named {
		rest = rest[5:]
	}
	hour, ok1 := digits(rest, 0, 2)
	minute, ok2 := digits(rest, 3, 2)
	sec, ok3 := digits(rest, 6, 2)
	if !ok || !ok1 || !ok2 || !ok3 || rest[2] != ':' || rest[5] != ':' || hour > 23 || minute > 59 || sec > 60 || day < 1 {
		return time.Time{}, line, false
	}
	nanos, rest, ok := fraction(rest[8:])
	if !ok {
		return time.Time{}, line, false
	}
	in := func(year int) time.Time {
		return time.Date(year, time.Month(month), day, hour, minute, sec, nanos, zone)
	}
	if !named {
		year = nearest(now.In(zone).Year(), month, day, now, in)
	}
	if year < 1970 || year > 2200 || day > daysIn(year, month) {
		return time.Time{}, line, false
	}
	return in(year).UTC().Truncate(time.Microsecond), strings.TrimPrefix(rest, ":"), true
}

// nearest returns the year around this one that brings a day nearest to now.
func nearest(this, month, day int, now time.Time, in func(int) time.Time) int {
	best, least := 0, time.Duration(1<<62)
	for year := this - 1; year <= this+1; year++ {
		if day > daysIn(year, month) {
			continue
		}
		if d := in(year).Sub(now).Abs(); d < least {
			best, least = year, d
		}
	}
	return best
}
