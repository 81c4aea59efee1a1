// Package leef reads the Log Event Extended Format 1.0 and 2.0, alone or behind a
// header of syslog: "LEEF:2.0|vendor|product|version|event|delimiter|key=value...".
package leef

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads LEEF.
var Kind = kind.Of("leef", "Log Event Extended Format, alone or in syslog.", Config{}, open)

type mapper struct{}

var _ ingest.Liner = mapper{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Lines marks a mapper of text.
func (mapper) Lines() {}

// Match knows a line by its beginning.
func (mapper) Match(r *ingest.Record) int {
	if i := strings.Index(r.Plain(), "LEEF:"); i >= 0 && i < 512 {
		return ingest.MatchSure + 10
	}
	return 0
}

func wrong(field, why string) error { return &ingest.FieldError{Field: field, Why: why} }

// Map makes a finding of the line.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	_, text, ok := strings.Cut(r.Plain(), "LEEF:")
	if !ok {
		return dst, wrong("line", "no LEEF: in it")
	}
	head := strings.SplitN(text, "|", 6) // version, vendor, product, version, event, rest
	if len(head) < 6 {
		return dst, wrong("header", "fewer than five fields")
	}
	rest, delimiter := head[5], "\t"
	if strings.HasPrefix(head[0], "2") {
		if d, tail, ok := strings.Cut(rest, "|"); ok && len(d) <= 5 {
			if d, ok := character(d); ok {
				rest, delimiter = tail, d
			}
		}
	}
	if delimiter == "\t" && pipes(rest) {
		delimiter = "|"
	}
	f := map[string]string{}
	e := honeyguide.Event{Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Service: "leef", Attrs: make(map[string]any, 24)}
	if err := fields(r, f, rest, delimiter, &e); err != nil {
		return dst, err
	}
	e.Set(honeyguide.AttrProduct, ingest.Cut(strings.ToLower(head[2]), 64))
	e.Set("metadata.vendor", ingest.Cut(head[1], 64))
	e.Set(honeyguide.AttrRuleID, ingest.Cut(head[4], 128))
	title := head[4]
	if name := f["name"]; name != "" && name != "-" {
		title = name
	}
	e.Set(honeyguide.AttrRule, ingest.Cut(title, 512))
	for _, a := range attrs {
		if v := f[a.key]; v != "" && v != "-" && e.Str(a.attr) == "" {
			e.Set(a.attr, ingest.Cut(v, ingest.MaxText))
		}
	}
	if s, ok := r.Syslog(); ok && e.Str(honeyguide.AttrDevice) == "" {
		e.Set(honeyguide.AttrDevice, ingest.Cut(s.Host, 255))
	}
	e.Severity = severity(f["sev"])
	if strings.EqualFold(f["cat"], "traffic") || f["cat"] == firewall {
		e.Class, e.Activity, e.Severity = honeyguide.ClassNetwork, "network_connection", honeyguide.SeverityInformational
	}
	if err := endpoints(f, &e); err != nil {
		return dst, err
	}
	return append(dst, e), nil
}

// firewall is the category of Check Point's log of connections; others call it
// traffic.
const firewall = "VPN-1 & FireWall-1"

// pipes reports whether pairs are divided by pipes though the header does not say
// so, as PAN-OS writes LEEF 1.0: no tab, and a pair behind a pipe.
func pipes(rest string) bool {
	_, tail, ok := strings.Cut(rest, "|")
	key, _, pair := strings.Cut(tail, "=")
	return ok && pair && !strings.ContainsAny(rest, "\t") && !strings.ContainsAny(key, " |")
}

// character reads the delimiter of LEEF 2.0: itself, or its number as x5E or 0x5E.
func character(s string) (string, bool) {
	switch {
	case s == "":
		return "\t", true
	case len(s) == 1:
		return s, true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(s), "0"), "x"), 16, 8)
	return string(rune(n)), err == nil && n > 0
}

// maxFields bounds the fields of one line.
const maxFields = 256

// fields cuts the pairs, keeps them and sets the time.
func fields(r *ingest.Record, f map[string]string, rest, delimiter string, e *honeyguide.Event) error {
	n := 0
	for part := range strings.SplitSeq(rest, delimiter) {
		key, value, ok := strings.Cut(part, "=")
		if key = strings.TrimSpace(key); !ok || key == "" || len(key) > 128 {
			continue
		}
		if n++; n > maxFields {
			break
		}
		value = strings.ReplaceAll(strings.TrimSpace(value), `\=`, "=")
		f[key] = value
		r.Keep(e, key, value)
	}
	if s := f["devTime"]; s != "" {
		t, err := parseTime(s, f["devTimeFormat"], r.Zone)
		if err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			e.Time = t
			return nil
		}
		if s, ok := r.Syslog(); !ok || s.At.IsZero() {
			return wrong("devTime", "not a time in a form that is known")
		}
		r.Note("bad_time")
	}
	if s, ok := r.Syslog(); ok && !s.At.IsZero() {
		e.Time = s.At
		return nil
	}
	e.Time = r.Untimed()
	return nil
}

// usual are the forms of devTime that need no devTimeFormat: QRadar's defaults.
var usual = []string{"Jan 02 2006 15:04:05", "Jan 02 2006 15:04:05.000", "Jan 02 2006 15:04:05 MST", "Jan 02 2006 15:04:05.000 MST"}

// parseTime reads devTime, by its own format when it has one.
func parseTime(s, format string, zone *time.Location) (time.Time, error) {
	t, err := ingest.ParseTime(s, zone)
	if err == nil {
		return t, nil
	}
	if zone == nil {
		zone = time.UTC
	}
	layouts := usual
	if own := goLayout(format); own != "" {
		layouts = append([]string{own}, usual...)
	}
	// Java writes a zone without a name as GMT+08:00.
	plain := strings.NewReplacer(" GMT+", " +", " GMT-", " -").Replace(s)
	for _, layout := range layouts {
		if plain != s {
			layout = strings.ReplaceAll(layout, "MST", "-07:00")
		}
		if t, err = time.ParseInLocation(layout, plain, zone); err == nil {
			return t, nil
		}
	}
	return t, err
}

// goLayout turns Java's letters of a time into Go's.
func goLayout(java string) string {
	if len(java) > 64 {
		return ""
	}
	return strings.NewReplacer("yyyy", "2006", "MMM", "Jan", "MM", "01", "dd", "02", "HH", "15", "mm", "04", "ss", "05", "SSS", "000", "XXX", "-07:00", "Z", "-0700", "z", "MST", "'", "").Replace(java)
}

// attrs are the keys of the format that have a name of ours.
var attrs = []struct{ key, attr string }{
	{"usrName", honeyguide.AttrUser},
	{"user", honeyguide.AttrUser},
	{"identHostName", honeyguide.AttrDevice},
	{"cat", honeyguide.AttrCategory},
	{"url", honeyguide.AttrURL},
	{"action", ingest.AttrAction},
	{"act", ingest.AttrAction},
	{"msg", honeyguide.AttrMessage},
	{"desc", honeyguide.AttrMessage},
	{"detail", honeyguide.AttrMessage},
	{"method", honeyguide.AttrMethod},
	{"userAgent", honeyguide.AttrUserAgent},
	{"filePath", honeyguide.AttrPath},
	{"dvchost", honeyguide.AttrDevice},
	{"DeviceName", honeyguide.AttrDevice},
	{"reason", honeyguide.AttrDetail},
	{"policy", "policy.name"},
	{"resource", "resource.name"},
	{"eventId", honeyguide.AttrOriginID},
	{"proto", honeyguide.AttrProtocol},
}

// severity is 1 to 10.
func severity(s string) honeyguide.Severity {
	n, err := strconv.Atoi(s)
	switch {
	case err != nil || n < 0 || n > 10:
		return honeyguide.SeverityUnknown
	case n <= 1:
		return honeyguide.SeverityInformational
	case n <= 3:
		return honeyguide.SeverityLow
	case n <= 6:
		return honeyguide.SeverityMedium
	case n <= 8:
		return honeyguide.SeverityHigh
	}
	return honeyguide.SeverityCritical
}

func endpoints(f map[string]string, e *honeyguide.Event) error {
	for _, side := range []struct {
		end        *honeyguide.Endpoint
		addr, port string
	}{{&e.Src, "src", "srcPort"}, {&e.Dst, "dst", "dstPort"}} {
		s := f[side.addr]
		if s == "" || s == "-" {
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return wrong(side.addr, "not an IP address")
		}
		n, _ := strconv.ParseUint(f[side.port], 10, 16)
		side.end.Addr = netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(n))
	}
	return nil
}
