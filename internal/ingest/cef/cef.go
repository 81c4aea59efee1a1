// Package cef reads the Common Event Format, alone or behind a header of syslog:
// "CEF:0|vendor|product|version|class|name|severity|key=value ...". The three
// beginnings met in practice are read: "CEF:0|", "CEF: 0|" and a bare "0|".
package cef

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

// Kind reads CEF.
var Kind = kind.Of("cef", "Common Event Format, alone or in syslog.", Config{}, open)

type mapper struct{}

var _ ingest.Liner = mapper{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Lines marks a mapper of text.
func (mapper) Lines() {}

// Match knows a line by its beginning.
func (mapper) Match(r *ingest.Record) int {
	if _, ok := body(r); ok {
		return ingest.MatchSure + 10
	}
	return 0
}

// body returns what stands behind the version.
func body(r *ingest.Record) (string, bool) {
	line := r.Plain()
	if line == "" {
		return "", false
	}
	for _, mark := range []string{"CEF:0|", "CEF: 0|", "CEF:1|", "CEF: 1|"} {
		if i := strings.Index(line, mark); i >= 0 && i < 512 {
			return line[i+len(mark):], true
		}
	}
	if s, ok := r.Syslog(); ok {
		line = s.Message
	}
	rest, ok := strings.CutPrefix(line, "0|")
	return rest, ok && strings.Count(rest, "|") >= 6
}

// Map makes a finding of the line.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	text, ok := body(r)
	if !ok {
		return dst, &ingest.FieldError{Field: "line", Why: "no CEF:0| in it"}
	}
	var head [6]string // vendor, product, version, class, name, severity
	for i := range head {
		if head[i], text, ok = cutPipe(text); !ok {
			return dst, &ingest.FieldError{Field: "header", Why: "fewer than seven fields"}
		}
	}
	e := honeyguide.Event{Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Service: "cef", Attrs: make(map[string]any, 24)}
	var fields [64]pair
	ext := extension(fields[:0], text)
	if e.Severity, ok = severity(head[5]); !ok {
		r.Note("severity_unknown")
	}
	if err := when(r, ext, &e); err != nil {
		return dst, err
	}
	name := head[1]
	if name == "" {
		name = head[0]
	}
	e.Set(honeyguide.AttrProduct, ingest.Cut(strings.ToLower(name), 64))
	e.Set("metadata.vendor", ingest.Cut(head[0], 64))
	e.Set(honeyguide.AttrRuleID, ingest.Cut(head[3], 128))
	e.Set(honeyguide.AttrRule, ingest.Cut(head[4], 512))
	if err := endpoints(r, ext, &e); err != nil {
		return dst, err
	}
	describe(r, ext, &e)
	return append(dst, e), nil
}

// cutPipe cuts a field of the header off; \| and \\ are text.
func cutPipe(s string) (field, rest string, ok bool) {
	escaped := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '|':
			field = s[:i]
			if escaped {
				field = strings.NewReplacer(`\|`, "|", `\\`, `\`).Replace(field)
			}
			return strings.TrimSpace(field), s[i+1:], true
		}
	}
	return s, "", false
}

type pair struct{ key, value string }

// maxPairs bounds the fields of one line.
const maxPairs = 256

// extension cuts "key=value key=value": a value runs to the next blank that a key
// and = stand behind. msg is prose, so only keys of the format end it.
func extension(dst []pair, s string) []pair {
	key, start := "", 0
	for i := 0; i < len(s) && len(dst) < maxPairs; i++ {
		switch s[i] {
		case '\\':
			i++
			continue
		case '=':
		default:
			continue
		}
		k := strings.LastIndexByte(s[:i], ' ') + 1
		name := s[k:i]
		if k < start || !isKey(name) || key == "msg" && !known(name) {
			continue
		}
		if key != "" {
			dst = append(dst, pair{key, clean(s[start:max(k-1, start)])})
		}
		key, start = name, i+1
	}
	if key != "" && len(dst) < maxPairs {
		dst = append(dst, pair{key, clean(s[start:])})
	}
	return dst
}

func isKey(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-' || c == '[' || c == ']') {
			return false
		}
	}
	return true
}

// clean resolves the escapes of a value.
func clean(s string) string {
	s = strings.TrimRight(s, " ")
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return strings.NewReplacer(`\=`, "=", `\\`, `\`, `\n`, "\n", `\r`, "\r", `\|`, "|").Replace(s)
}

func get(ext []pair, keys ...string) string {
	for _, key := range keys {
		for i := range ext {
			if v := strings.TrimSpace(ext[i].value); ext[i].key == key && v != "" && v != "-" {
				return v
			}
		}
	}
	return ""
}

// severity reads 0 to 10 or a word.
func severity(s string) (honeyguide.Severity, bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "low":
		return honeyguide.SeverityLow, true
	case "medium":
		return honeyguide.SeverityMedium, true
	case "high":
		return honeyguide.SeverityHigh, true
	case "very-high", "very high", "critical":
		return honeyguide.SeverityCritical, true
	case "unknown", "":
		return honeyguide.SeverityUnknown, true
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	switch {
	case err != nil || n < 0 || n > 10:
		return honeyguide.SeverityUnknown, false
	case n == 0:
		return honeyguide.SeverityInformational, true
	case n <= 3:
		return honeyguide.SeverityLow, true
	case n <= 6:
		return honeyguide.SeverityMedium, true
	case n <= 8:
		return honeyguide.SeverityHigh, true
	}
	return honeyguide.SeverityCritical, true
}

// layouts of rt, start and end beside those ParseTime reads.
var layouts = []string{"Jan 02 2006 15:04:05", "Jan 02 2006 15:04:05 MST", "Jan 02 2006 15:04:05.000", "Jan _2 2006 15:04:05"}

// when sets the time: that of the device, else that of the syslog header.
func when(r *ingest.Record, ext []pair, e *honeyguide.Event) error {
	if s := get(ext, "rt", "start", "end", "deviceReceiptTime"); s != "" {
		t, err := ingest.ParseTime(s, r.Zone)
		for i := 0; err != nil && i < len(layouts); i++ {
			zone := r.Zone
			if zone == nil {
				zone = time.UTC
			}
			if t, err = time.ParseInLocation(layouts[i], s, zone); err == nil && t.Year() < 1970 {
				break
			}
		}
		if err == nil {
			e.Time = t
			return nil
		}
		if s, ok := r.Syslog(); !ok || s.At.IsZero() {
			return &ingest.FieldError{Field: "rt", Why: "not a time"}
		}
		r.Note("bad_time")
	}
	if s, ok := r.Syslog(); ok && !s.At.IsZero() {
		e.Time = s.At
		e.Set(honeyguide.AttrDevice, ingest.Cut(s.Host, 255))
		return nil
	}
	e.Time = r.Untimed()
	return nil
}

func endpoints(r *ingest.Record, ext []pair, e *honeyguide.Event) error {
	for _, side := range []struct {
		end              *honeyguide.Endpoint
		addr, port, name []string
	}{
		{&e.Src, []string{"src", "sourceAddress", "c6a2"}, []string{"spt", "sourcePort"}, []string{"shost", "sourceHostName"}},
		{&e.Dst, []string{"dst", "destinationAddress", "c6a3"}, []string{"dpt", "destinationPort"}, []string{"dhost", "destinationHostName"}},
	} {
		var port uint64
		if s := get(ext, side.port...); s != "" {
			var err error
			if port, err = strconv.ParseUint(s, 10, 16); err != nil {
				r.Note("bad_port")
			}
		}
		side.end.Hostname = ingest.Cut(get(ext, side.name...), 255)
		s := get(ext, side.addr...)
		if s == "" {
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return &ingest.FieldError{Field: side.addr[0], Why: "not an IP address"}
		}
		side.end.Addr = netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(port))
	}
	return nil
}

// attrs are the keys of the format that have a name of ours.
var attrs = []struct {
	attr  string
	limit int
	keys  []string
}{
	{honeyguide.AttrUser, 255, []string{"duser", "suser", "destinationUserName", "sourceUserName"}},
	{"actor.user.name", 255, []string{"suser", "sourceUserName"}},
	{honeyguide.AttrDevice, 255, []string{"dvchost", "deviceHostName", "dvc"}},
	{honeyguide.AttrProtocol, 32, []string{"proto", "transportProtocol"}},
	{"app_name", 64, []string{"app", "applicationProtocol"}},
	{ingest.AttrAction, 64, []string{"act", "deviceAction"}},
	{honeyguide.AttrStatusText, 64, []string{"outcome", "eventOutcome"}},
	{honeyguide.AttrCategory, 256, []string{"cat", "deviceEventCategory"}},
	{honeyguide.AttrMessage, ingest.MaxText, []string{"msg", "message"}},
	{honeyguide.AttrURL, ingest.MaxText, []string{"request", "requestUrl"}},
	{honeyguide.AttrMethod, 16, []string{"requestMethod"}},
	{honeyguide.AttrUserAgent, 1024, []string{"requestClientApplication"}},
	{honeyguide.AttrPath, ingest.MaxText, []string{"filePath", "fname"}},
	{honeyguide.AttrOriginID, 64, []string{"externalId"}},
	{"reason", 512, []string{"reason"}},
}

// others are keys of the format that have no name of ours but end a value.
var others = map[string]bool{
	"rt": true, "start": true, "end": true, "src": true, "dst": true, "spt": true, "dpt": true, "shost": true, "dhost": true, "cnt": true, "in": true, "out": true,
	"cs1": true, "cs2": true, "cs3": true, "cs4": true, "cs5": true, "cs6": true, "cn1": true, "cn2": true, "cn3": true, "smac": true, "dmac": true, "sproc": true, "dproc": true,
	"deviceDirection": true, "deviceInboundInterface": true, "deviceOutboundInterface": true, "fileHash": true, "fsize": true, "spid": true, "dpid": true, "suid": true, "duid": true,
	"cs1Label": true, "cs2Label": true, "cs3Label": true, "cs4Label": true, "cs5Label": true, "cs6Label": true, "cn1Label": true, "cn2Label": true, "cn3Label": true,
}

func known(key string) bool {
	if others[key] {
		return true
	}
	for _, a := range attrs {
		for _, k := range a.keys {
			if k == key {
				return true
			}
		}
	}
	return false
}

// describe sets what the keys say and keeps all of them, those of custom fields
// under their labels too.
func describe(r *ingest.Record, ext []pair, e *honeyguide.Event) {
	for _, a := range attrs {
		if v := get(ext, a.keys...); v != "" {
			if a.attr == honeyguide.AttrProtocol {
				v = strings.ToLower(v)
			}
			e.Set(a.attr, ingest.Cut(v, a.limit))
		}
	}
	if n, err := strconv.ParseInt(get(ext, "cnt", "baseEventCount"), 10, 64); err == nil && n > 0 {
		e.Set(honeyguide.AttrCount, n)
	}
	for _, f := range ext {
		if base, ok := strings.CutSuffix(f.key, "Label"); ok && get(ext, base) != "" {
			r.Keep(e, f.value, get(ext, base))
			continue
		}
		r.Keep(e, f.key, f.value)
	}
}
