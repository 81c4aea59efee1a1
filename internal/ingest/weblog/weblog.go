// Package weblog reads the access logs of web servers: the common and combined
// formats of Apache, nginx, lighttpd and Caddy, with or without a virtual host in
// front, as a file or as messages of syslog.
package weblog

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

// Kind reads access logs.
var Kind = kind.Of("weblog", "Access logs of web servers, common and combined format.", Config{}, open)

const product = "webserver"

type mapper struct{}

var _ ingest.Liner = mapper{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Lines marks a mapper of text.
func (mapper) Lines() {}

// Match knows a line by its time in brackets and the quoted request behind it.
func (mapper) Match(r *ingest.Record) int {
	if _, ok := read(lineOf(r)); ok {
		return ingest.MatchSure + 5
	}
	return 0
}

// lineOf returns the access line of a record: its message when it came by syslog.
func lineOf(r *ingest.Record) string {
	line := r.Plain()
	if line == "" || !strings.Contains(line, "] \"") {
		return ""
	}
	if s, ok := r.Syslog(); ok {
		return s.Message
	}
	return line
}

// An access is one line, cut.
type access struct {
	vhost, client, user, stamp, request, status, size, referrer, agent string
}

// read cuts a line; ok says that it has the form.
func read(line string) (a access, ok bool) {
	head, rest, found := strings.Cut(line, " [")
	if !found || len(head) > 1024 {
		return a, false
	}
	words := strings.Fields(head)
	_, err := netip.ParseAddr(head[:max(strings.IndexByte(head, ' '), 0)])
	switch {
	case len(words) == 3:
		a.client, a.user = words[0], words[2]
	case len(words) == 4 && err != nil:
		a.vhost, a.client, a.user = words[0], words[1], words[3]
	default: // a user with blanks in it
		if len(words) < 4 {
			return a, false
		}
		a.client, a.user = words[0], strings.Join(words[2:], " ")
	}
	if a.stamp, rest, found = strings.Cut(rest, "] \""); !found || len(a.stamp) > 40 || len(a.stamp) < 20 || a.stamp[2] != '/' {
		return a, false
	}
	if a.request, rest, found = quoted(rest); !found {
		return a, false
	}
	rest = strings.TrimLeft(rest, " ")
	a.status, rest, _ = strings.Cut(rest, " ")
	a.size, rest, _ = strings.Cut(rest, " ")
	if tail, more := strings.CutPrefix(rest, "\""); more {
		a.referrer, rest, _ = quoted(tail)
	}
	if tail, more := strings.CutPrefix(strings.TrimLeft(rest, " "), "\""); more {
		a.agent, _, _ = quoted(tail)
	}
	return a, true
}

// quoted cuts at the quote that ends a text, past those behind a backslash.
func quoted(s string) (text, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return unescape(s[:i]), s[i+1:], true
		}
	}
	return s, "", false
}

// unescape resolves \", \\ and the \xHH of both servers; what that gives is shown
// as U+FFFD when it is no text.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == 'x' && i+2 < len(s):
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				b = append(b, '\\', 'x')
				continue
			}
			b = append(b, byte(n))
			i += 2
		case c == '"' || c == '\\':
			b = append(b, c)
		default:
			b = append(b, '\\', c)
		}
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "\uFFFD"), "\x00", "\uFFFD")
}

// Map makes a request of the line.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	a, ok := read(lineOf(r))
	if !ok {
		return dst, &ingest.FieldError{Field: "line", Why: "not an access log line; client, user, [time], \"request\", status and size are read"}
	}
	at, err := stamp(a.stamp, r)
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{
		Time: at, Class: honeyguide.ClassHTTP, Activity: honeyguide.ActivityRequest, Severity: honeyguide.SeverityInformational,
		Service: "http", Attrs: make(map[string]any, 14),
	}
	e.Set(honeyguide.AttrProduct, product)
	ingest.Source(&e, "", "webserver", "")
	if s, ok := r.Syslog(); ok {
		e.Set(honeyguide.AttrDevice, ingest.Cut(s.Host, 255))
		e.Set(ingest.AttrType, ingest.Cut(s.Program, 64))
	}
	if addr, err := netip.ParseAddr(a.client); err == nil {
		e.Src.Addr = netip.AddrPortFrom(addr.Unmap().WithZone(""), 0)
	} else {
		e.Src.Hostname = ingest.Cut(a.client, 255)
	}
	text := func(attr, v string, limit int) {
		if v != "-" {
			e.Set(attr, ingest.Cut(v, limit))
		}
	}
	host := a.vhost
	if h, port, ok := strings.Cut(host, ":"); ok && strings.Trim(port, "0123456789") == "" {
		host = h
	}
	text(honeyguide.AttrHost, host, 255)
	text(honeyguide.AttrUser, a.user, 255)
	text(honeyguide.AttrReferrer, a.referrer, ingest.MaxText)
	text(honeyguide.AttrUserAgent, a.agent, ingest.MaxText)
	request(&e, a.request)
	if n, err := strconv.ParseInt(a.status, 10, 64); err == nil && n >= 0 && n < 1000 {
		e.Set(honeyguide.AttrStatus, n)
	}
	if n, err := strconv.ParseInt(a.size, 10, 64); err == nil && n >= 0 {
		e.Set(honeyguide.AttrBytesOut, n)
	}
	return append(dst, e), nil
}

// request splits "GET /x HTTP/1.1". What is no request line, as scanners send, is
// kept as it is.
func request(e *honeyguide.Event, line string) {
	method, rest, ok := strings.Cut(line, " ")
	if !ok || len(method) > 20 || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != "" {
		e.Class, e.Activity = honeyguide.ClassNetwork, honeyguide.ActivityMalformed
		if line != "" && line != "-" {
			e.Set(honeyguide.AttrDetail, ingest.Cut(line, ingest.MaxText))
		}
		return
	}
	url := rest
	if i := strings.LastIndex(rest, " HTTP/"); i >= 0 {
		url = rest[:i]
		e.Set("http_request.version", ingest.Cut(rest[i+len(" HTTP/"):], 8))
	}
	e.Set(honeyguide.AttrMethod, method)
	e.Set(honeyguide.AttrURL, ingest.Cut(url, ingest.MaxText))
}

const layout = "02/Jan/2006:15:04:05 -0700"

func stamp(s string, r *ingest.Record) (time.Time, error) {
	if t, err := time.Parse(layout, s); err == nil {
		return t.UTC(), nil
	}
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation(layout[:20], s, zone)
	if err != nil {
		return t, &ingest.FieldError{Field: "time", Why: "not a time such as 21/Nov/2026:19:30:00 +0000"}
	}
	return t.UTC(), nil
}
