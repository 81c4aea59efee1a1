package sigma

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An op is what an atom asks of a field.
type op uint8

const (
	opPattern op = iota // a value fits the pattern
	opRegexp            // a value holds a match
	opCIDR              // a value is an address inside
	opCompare           // a value is a number and compares
	opNull              // the field is absent or null
	opExists            // the field is there, null or not
	opField             // the field equals, holds, ... another field
	opTime              // a part of a time compares
	opKeyword           // any value of the event, or its raw line, holds the pattern
	opKeywordRegexp
)

// An atom is one question about one event. Rules share atoms.
type atom struct {
	op    op
	field int // number in the engine's field table; -1 for keywords
	name  string
	pat   pattern
	re    *regexp.Regexp
	need  need
	net   netip.Prefix
	cmp   byte // 'l' <, 'L' <=, 'g' >, 'G' >=, '=' equal
	num   float64
	other int    // the other field
	where string // startswith, contains, endswith of it
	part  timePart
	text  string // as written, for explanations
	cost  int    // cheap ones are asked first
}

// maxRegexp bounds the bytes of a value a regular expression looks at.
const maxRegexp = 64 << 10

// timePart is the part of a time a rule looks at.
type timePart uint8

const (
	byMinute timePart = iota
	byHour
	byDay
	byWeek
	byMonth
	byYear
)

var timeParts = map[string]timePart{"minute": byMinute, "hour": byHour, "day": byDay, "week": byWeek, "month": byMonth, "year": byYear}

func (p timePart) of(t time.Time) int {
	switch p {
	case byMinute:
		return t.Minute()
	case byHour:
		return t.Hour()
	case byDay:
		return t.Day()
	case byWeek:
		_, w := t.ISOWeek()
		return w
	case byMonth:
		return int(t.Month())
	default:
		return t.Year()
	}
}

// key tells equal atoms apart from others.
func (a *atom) key() string {
	switch a.op {
	case opPattern, opKeyword:
		return fmt.Sprintf("%d/%s/%s", a.op, a.name, a.pat.key())
	case opRegexp, opKeywordRegexp:
		return fmt.Sprintf("%d/%s/%s", a.op, a.name, a.re)
	case opCIDR:
		return fmt.Sprintf("%d/%s/%s", a.op, a.name, a.net)
	case opField:
		return fmt.Sprintf("%d/%s/%d/%s/%t", a.op, a.name, a.other, a.where, a.pat.cased)
	default:
		return fmt.Sprintf("%d/%s/%c/%g/%d", a.op, a.name, a.cmp, a.num, a.part)
	}
}

// holds asks the atom of the event in s.
func (a *atom) holds(s *Scratch) bool {
	switch a.op {
	case opKeyword, opKeywordRegexp:
		return a.keyword(s)
	case opNull:
		return s.absent(a.field)
	case opExists:
		return s.fields[a.field].n > 0
	}
	for v := range s.values(a.field) {
		if a.fits(s, v) {
			return true
		}
	}
	return false
}

// fits asks the atom of one value.
func (a *atom) fits(s *Scratch, v *value) bool {
	if v.null {
		return false
	}
	switch a.op {
	case opPattern:
		if a.pat.cased {
			return a.pat.match([]byte(v.text))
		}
		return a.pat.match(s.folded(v))
	case opRegexp:
		return a.matchRegexp(s, v)
	case opCIDR:
		addr, err := netip.ParseAddr(v.text)
		return err == nil && a.net.Contains(addr.Unmap().WithZone(""))
	case opCompare:
		n, ok := number(v.text)
		return ok && compare(a.cmp, n, a.num)
	case opTime:
		t, err := time.Parse(time.RFC3339Nano, v.text)
		return err == nil && compare(a.cmp, float64(a.part.of(t)), a.num)
	case opField:
		return a.otherField(s, v)
	}
	return false
}

// otherField compares with the values of another field.
func (a *atom) otherField(s *Scratch, v *value) bool {
	for w := range s.values(a.other) {
		if w.null {
			continue
		}
		var x, y []byte
		if a.pat.cased {
			x, y = []byte(v.text), []byte(w.text)
		} else {
			x, y = s.folded(v), s.folded(w)
		}
		switch {
		case a.where == "contains" && bytes.Contains(x, y),
			a.where == "endswith" && bytes.HasSuffix(x, y),
			a.where == "startswith" && bytes.HasPrefix(x, y),
			bytes.Equal(x, y):
			return true
		}
	}
	return false
}

// keyword looks through everything the event says.
func (a *atom) keyword(s *Scratch) bool {
	for i := range s.vals {
		v := &s.vals[i]
		if v.null {
			continue
		}
		if a.op == opKeywordRegexp {
			if a.matchRegexp(s, v) {
				return true
			}
		} else if a.pat.cased && a.pat.match([]byte(v.text)) || !a.pat.cased && a.pat.match(s.folded(v)) {
			return true
		}
	}
	return false
}

func compare(cmp byte, a, b float64) bool {
	switch cmp {
	case 'l':
		return a < b
	case 'L':
		return a <= b
	case 'g':
		return a > b
	case 'G':
		return a >= b
	}
	return a == b
}

// number reads a decimal or 0x number.
func number(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if h, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(h, 16, 64)
		return float64(n), err == nil
	}
	if s == "" || s[0] != '-' && s[0] != '+' && s[0] != '.' && (s[0] < '0' || s[0] > '9') {
		return 0, false // also Inf and NaN, which are words here
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}
