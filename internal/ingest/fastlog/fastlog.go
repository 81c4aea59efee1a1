// Package fastlog reads Suricata's fast.log, one alert a line. An alert has the
// product and the rule it has in eve.json, so that both ways lead to one alert.
// Its times name no zone: that of the source applies.
package fastlog

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads fast.log.
var Kind = kind.Of("fastlog", "Suricata's and Snort's fast.log.", Config{}, open)

const product = "suricata"

type mapper struct{}

var _ ingest.Liner = mapper{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Lines marks a mapper of text.
func (mapper) Lines() {}

const mark = "[**] ["

// Match knows a line by its time and the stars around the signature, or a message
// of syslog by its program.
func (mapper) Match(r *ingest.Record) int {
	line := r.Plain()
	if s, ok := r.Syslog(); ok && bare(s) {
		return ingest.MatchSure + 5
	}
	if i := strings.Index(line, mark); i > 0 && i < 256 && strings.Contains(line, "} ") {
		return ingest.MatchSure + 5
	}
	return 0
}

// bare reports whether a message of syslog is an alert, which has no stars there.
func bare(s *ingest.Syslog) bool {
	return (s.Program == "suricata" || s.Program == "snort") && len(s.Message) > 2 && s.Message[0] == '[' && s.Message[1] >= '0' && s.Message[1] <= '9'
}

func wrong(field, why string) error { return &ingest.FieldError{Field: field, Why: why} }

// Map makes a finding of the line.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	e := honeyguide.Event{Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Service: product, Attrs: make(map[string]any, 12)}
	rest, err := begin(r, &e)
	if err != nil {
		return dst, err
	}
	id, rest, ok := strings.Cut(rest, "] ")
	part := strings.Split(id, ":")
	if !ok || len(part) != 3 || strings.Trim(id, "0123456789:") != "" {
		return dst, wrong("signature", "not of the form [1:2008578:4]")
	}
	title, rest, ok := strings.Cut(rest, " [**]")
	if i := strings.LastIndex(title, " [Classification: "); !ok && i >= 0 {
		title, rest, ok = title[:i], title[i:], true
	}
	if !ok {
		return dst, wrong("signature", "its text does not end with [**]")
	}
	e.Set(honeyguide.AttrProduct, product)
	e.Set(honeyguide.AttrRule, ingest.Cut(title, ingest.MaxText))
	e.Set(honeyguide.AttrRuleID, part[0]+":"+part[1])
	e.Set("finding_info.revision", part[2])
	e.Severity = honeyguide.SeverityLow
	rest = brackets(rest, &e)
	if err := packet(rest, &e); err != nil {
		return dst, err
	}
	return append(dst, e), nil
}

// begin sets the time and returns what stands behind the bracket of the signature.
func begin(r *ingest.Record, e *honeyguide.Event) (string, error) {
	line := r.Plain()
	s, modern := r.Syslog()
	if modern {
		line = s.Message
		e.Time = s.At
		e.Set(honeyguide.AttrDevice, ingest.Cut(s.Host, 255))
		if bare(s) && !s.At.IsZero() {
			return s.Message[1:], nil
		}
	}
	head, rest, ok := strings.Cut(line, mark)
	if !ok {
		return "", wrong("line", "no [**] around a signature")
	}
	stamp, tag, _ := strings.Cut(strings.TrimSpace(head), " ")
	if strings.Contains(tag, "Drop") {
		e.Set(ingest.AttrAction, "blocked")
	}
	at, err := ingest.ParseTime(stamp, r.Zone)
	if err == nil {
		e.Time = at
	} else if e.Time.IsZero() {
		return "", wrong("time", "not a time such as 11/21/2026-19:30:00.123456")
	}
	return rest, nil
}

// brackets reads "[Classification: x] [Priority: 2]" and returns what follows.
func brackets(rest string, e *honeyguide.Event) string {
	for {
		rest = strings.TrimLeft(rest, " ")
		if !strings.HasPrefix(rest, "[") {
			return rest
		}
		in, tail, ok := strings.Cut(rest[1:], "]")
		if !ok {
			return rest
		}
		rest = tail
		if c, ok := strings.CutPrefix(in, "Classification: "); ok && c != "(null)" {
			e.Set(honeyguide.AttrCategory, ingest.Cut(c, 256))
		}
		if p, ok := strings.CutPrefix(in, "Priority: "); ok {
			switch p {
			case "1":
				e.Severity = honeyguide.SeverityHigh
			case "2":
				e.Severity = honeyguide.SeverityMedium
			case "3":
				e.Severity = honeyguide.SeverityLow
			default:
				e.Severity = honeyguide.SeverityInformational
			}
		}
	}
}

// packet reads "{UDP} 198.51.100.7:5116 -> 192.0.2.10:5060".
func packet(rest string, e *honeyguide.Event) error {
	rest = strings.TrimPrefix(rest, "{")
	proto, ends, ok := strings.Cut(rest, "} ")
	from, to, both := strings.Cut(ends, " -> ")
	if !ok || !both {
		return wrong("addresses", "not of the form {TCP} source -> destination")
	}
	e.Set(honeyguide.AttrProtocol, strings.ToLower(ingest.Cut(proto, 32)))
	var err error
	if e.Src.Addr, err = end(from); err != nil {
		return wrong("source", "not an address and a port")
	}
	if e.Dst.Addr, err = end(strings.TrimSpace(to)); err != nil {
		return wrong("destination", "not an address and a port")
	}
	return nil
}

// end reads an address and its port, which stands behind the last colon even of an
// IPv6 address.
func end(s string) (netip.AddrPort, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 { // ICMP of Snort has no ports
		a, err := netip.ParseAddr(s)
		return netip.AddrPortFrom(a.Unmap(), 0), err
	}
	a, err := netip.ParseAddr(strings.Trim(s[:i], "[]"))
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 16)
	return netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(n)), err
}
