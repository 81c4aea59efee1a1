package hunt

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

// Parse reads a query. Times that say how long ago are counted from now. The
// error is an *Error.
func Parse(text string, now time.Time) (eventlog.Query, error) {
	list, err := scan(text)
	if err != nil {
		return eventlog.Query{}, err
	}
	p := parser{now: now}
	for i := range list {
		if err := p.add(&list[i]); err != nil {
			return eventlog.Query{}, err
		}
	}
	p.q.Word = strings.Join(p.words, " ")
	return p.q, nil
}

type parser struct {
	now   time.Time
	q     eventlog.Query
	words []string
}

func (c *condition) wrong(why string) *Error { return &Error{c.val, c.e, why} }

// add adds a condition to the query.
func (p *parser) add(c *condition) *Error {
	if c.field == "" {
		return p.free(c)
	}
	f, ok := index[c.field]
	switch {
	case ok:
	case strings.Contains(c.field, "."):
		f = &Field{Name: c.field, sort: exact, dim: eventlog.Dim(c.field)}
	default:
		return &Error{c.at, c.val, "there is no such field; GET /api/v1/events/fields lists them"}
	}
	if c.value == "*" && !c.quoted && f.dim != "" {
		p.where(eventlog.Filter{Dim: f.dim, Op: eventlog.OpAny, Not: c.not})
		return nil
	}
	switch f.sort {
	case network:
		return p.network(c, f)
	case moment:
		return p.moment(c, f)
	case severity:
		return p.severity(c)
	case class:
		return p.class(c)
	case activity:
		return p.activity(c)
	case text:
		return p.text(c, f)
	}
	return p.value(c, f)
}

func (p *parser) where(f eventlog.Filter) { p.q.Where = append(p.q.Where, f) }

// free asks for words of any text.
func (p *parser) free(c *condition) *Error {
	words := (&eventlog.Query{Word: c.value}).Words()
	if len(words) == 0 {
		return c.wrong("want letters or digits, 2 to 64 of them")
	}
	if !c.not {
		p.words = append(p.words, c.value)
		return nil
	}
	p.where(eventlog.Filter{Dim: eventlog.DimText, Op: eventlog.OpWords, Text: c.value, Not: true})
	return nil
}

func (p *parser) network(c *condition, f *Field) *Error {
	net, err := netip.ParsePrefix(c.value)
	if err != nil {
		a, err := netip.ParseAddr(c.value)
		if err != nil {
			return c.wrong("want an address or a network, such as 192.0.2.1 or 192.0.2.0/24")
		}
		a = a.Unmap().WithZone("")
		net = netip.PrefixFrom(a, a.BitLen())
	}
	net = net.Masked()
	if f.dim == eventlog.DimSrc && !c.not && !p.q.Src.IsValid() {
		p.q.Src = net
		return nil
	}
	p.where(eventlog.Filter{Dim: f.dim, Op: eventlog.OpNet, Net: net, Not: c.not})
	return nil
}

// units are those of how long ago.
var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

func (p *parser) moment(c *condition, f *Field) *Error {
	t, ok := instant(c.value, p.now)
	if !ok {
		return c.wrong("want how long ago, such as 30m, 24h or 7d, a day such as 2026-03-01, or a time such as 2026-03-01T12:00:00Z")
	}
	since := f.Name == "since"
	if since == !c.not { // not since is until
		if p.q.From.IsZero() || t.After(p.q.From) {
			p.q.From = t
		}
		return nil
	}
	if p.q.To.IsZero() || t.Before(p.q.To) {
		p.q.To = t
	}
	return nil
}

// instant reads a time.
func instant(s string, now time.Time) (time.Time, bool) {
	if n := len(s) - 1; n > 0 && n < 7 {
		if u, ok := units[s[n]]; ok {
			if k, err := strconv.Atoi(s[:n]); err == nil && k >= 0 && s[0] != '+' && s[0] != '-' {
				if d := time.Duration(k); d <= 100*365*24*time.Hour/u {
					return now.Add(-d * u), true
				}
			}
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func (p *parser) severity(c *condition) *Error {
	s, err := honeyguide.ParseSeverity(c.value)
	if err != nil {
		return c.wrong("want informational, low, medium, high or critical")
	}
	if !c.not {
		p.q.Severity = max(p.q.Severity, s)
		return nil
	}
	for ; s <= honeyguide.SeverityCritical; s++ { // below it
		p.where(eventlog.Filter{Dim: eventlog.DimSeverity, Text: s.String(), Not: true})
	}
	return nil
}

func (p *parser) class(c *condition) *Error {
	if c.not || len(p.q.Classes) > 0 {
		return c.wrong("class can be given once and not turned round; several are separated by commas")
	}
	for _, word := range strings.Split(c.value, ",") {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return c.wrong("want numbers of OCSF classes, such as 3002")
		}
		p.q.Classes = append(p.q.Classes, honeyguide.Class(n))
	}
	return nil
}

func (p *parser) activity(c *condition) *Error {
	var list []string
	for _, word := range strings.Split(c.value, ",") {
		if word == "" {
			return c.wrong("want names of activities, separated by commas")
		}
		if several, ok := shorthand[word]; ok {
			list = append(list, several...)
		} else {
			list = append(list, word)
		}
	}
	switch {
	case c.not:
		for _, x := range list {
			p.where(eventlog.Filter{Dim: eventlog.DimActivity, Text: x, Not: true})
		}
	case len(p.q.Activities) == 0:
		p.q.Activities = list
	default: // both must hold
		p.q.Activities = slices.DeleteFunc(p.q.Activities, func(x string) bool { return !slices.Contains(list, x) })
		if len(p.q.Activities) == 0 {
			return c.wrong("no event has two activities: separate several by commas")
		}
	}
	return nil
}

func starred(c *condition) bool { return !c.quoted && strings.Contains(c.value, "*") }

func (p *parser) text(c *condition, f *Field) *Error {
	if starred(c) {
		p.where(eventlog.Filter{Dim: f.dim, Op: eventlog.OpPattern, Text: c.value, Not: c.not})
		return nil
	}
	if len((&eventlog.Query{Word: c.value}).Words()) == 0 {
		return c.wrong("want words of letters or digits, 2 to 64 of them; with stars, a pattern: *x*")
	}
	if !c.not && slices.Contains(colblock.WordAttrs(), f.Attr) { // blocks without these words are passed over
		p.words = append(p.words, c.value)
	}
	p.where(eventlog.Filter{Dim: f.dim, Op: eventlog.OpWords, Text: c.value, Not: c.not})
	return nil
}

// value asks for a whole value. The first one of what the log finds quickly goes
// to the query itself.
func (p *parser) value(c *condition, f *Field) *Error {
	v := c.value
	if starred(c) {
		if f.sort == eventID {
			return c.wrong("want a whole id")
		}
		p.where(eventlog.Filter{Dim: f.dim, Op: eventlog.OpPattern, Text: v, Not: c.not})
		return nil
	}
	var to *string
	switch f.sort {
	case sensor:
		to = &p.q.Sensor
	case service:
		to = &p.q.Service
	case session:
		to = &p.q.Session
	case observable:
		to = &p.q.Observable
	case eventID:
		if to = &p.q.ID; c.not || *to != "" {
			return c.wrong("id can be given once and not turned round")
		}
	case technique:
		if to = &p.q.Technique; !validTechnique(strings.ToUpper(v)) {
			return c.wrong("want an ATT&CK id such as T1110 or T1110.001")
		}
		v = strings.ToUpper(v)
	case exact:
		if f.Name == "country" || f.Name == "asn" {
			v = strings.ToUpper(v)
		}
		if _, have := p.q.Attr[string(f.dim)]; f.Attr != "" && !c.not && !have {
			if p.q.Attr == nil {
				p.q.Attr = map[string]string{}
			}
			p.q.Attr[string(f.dim)] = v
			return nil
		}
	}
	if to != nil && !c.not && *to == "" {
		*to = v
		return nil
	}
	p.where(eventlog.Filter{Dim: f.dim, Text: v, Not: c.not})
	if f.sort == technique && c.not && !strings.Contains(v, ".") { // a parent stands for its parts
		p.where(eventlog.Filter{Dim: f.dim, Op: eventlog.OpPattern, Text: v + ".*", Not: true})
	}
	return nil
}

// validTechnique reports whether an id looks like one of ATT&CK.
func validTechnique(id string) bool {
	head, tail, sub := strings.Cut(id, ".")
	digits := func(s string, n int) bool {
		return len(s) == n && strings.Trim(s, "0123456789") == ""
	}
	return len(head) > 1 && head[0] == 'T' && digits(head[1:], 4) && (!sub || digits(tail, 3))
}
