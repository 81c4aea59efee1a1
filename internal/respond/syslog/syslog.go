// Package syslog writes messages as syslog records (RFC 5424), as text or in CEF,
// over TLS (RFC 5425), TCP with octet counting (RFC 6587) or UDP (RFC 5426).
//
// A record is one line whatever attackers wrote, and ends before 8 KiB. Syslog has
// no receipts: over a stream an error is known when the receiver goes away while it
// is spoken to, over UDP hardly ever.
package syslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
)

// Kind is the syslog action.
var Kind = kind.Of("syslog", "Write syslog records, as text or CEF, to a collector.", Config{Transport: "tls", Format: "rfc5424", Facility: 13}, open)

// Config configures a syslog action.
type Config struct {
	Server    string `yaml:"server" doc:"host:port of the collector; 6514 is usual for tls"`
	Transport string `yaml:"transport" doc:"tls, tcp or udp"`
	Format    string `yaml:"format" doc:"rfc5424 = structured data and text, cef = ArcSight's Common Event Format"`
	Facility  int    `yaml:"facility" doc:"number of the facility, 0 to 23; 13 is log audit"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	host, port, err := net.SplitHostPort(c.Server)
	n, bad := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ "):
		return respond.Invalid("server: want host:port, such as logs.example.org:6514")
	case !slices.Contains([]string{"tls", "tcp", "udp"}, c.Transport):
		return respond.Invalid("transport: want tls, tcp or udp")
	case c.Format != formatText && c.Format != formatCEF:
		return respond.Invalid("format: want rfc5424 or cef")
	case c.Facility < 0 || c.Facility > 23:
		return respond.Invalid("facility: want 0 to 23")
	}
	return nil
}

// Formats.
const (
	formatText = "rfc5424"
	formatCEF  = "cef"
)

type action struct {
	respond.Reach
	cfg Config
	dep respond.Deps
	url string
}

var (
	_ respond.Messenger  = (*action)(nil)
	_ respond.LineSender = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	a := &action{cfg: cfg, dep: dep, url: "syslog+" + cfg.Transport + "://" + cfg.Server}
	var err error
	a.Reach, err = respond.ReachTo(a.url)
	return a, err
}

// Plan plans a record.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, "the syslog collector ("+a.dep.Name+")")
}

// Apply sends the plan's message.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return respond.Deliver(ctx, a, p)
}

// Send sends one record. Receivers know it again by the id in it.
func (a *action) Send(ctx context.Context, m respond.Message) (string, error) {
	return "", a.deliver(ctx, a.record(m))
}

// SendLine sends a line that is written already, whatever the format.
func (a *action) SendLine(ctx context.Context, at time.Time, s honeyguide.Severity, event, line string) error {
	return a.deliver(ctx, []byte(cutBytes(a.head(at, s, event)+"- "+line, a.limit())))
}

func (a *action) deliver(ctx context.Context, record []byte) error {
	if a.dep.Fetch == nil {
		return respond.Permanent(errors.New("send to syslog: there is no way to the network on this node"))
	}
	var none bytes.Buffer
	_, err := a.dep.Fetch.Do(ctx, fetcher.Request{URL: a.url, Body: record}, &none)
	switch {
	case errors.Is(err, fetcher.ErrRefused):
		return respond.Permanent(fmt.Errorf("send to syslog: %w", err))
	case err != nil:
		return fmt.Errorf("send to syslog: %w", err)
	}
	return nil
}

// limit is the size of the largest record the transport carries.
func (a *action) limit() int {
	if a.cfg.Transport == "udp" {
		return maxDatagram
	}
	return maxStream
}

// head is what a record begins with.
func (a *action) head(at time.Time, s honeyguide.Severity, event string) string {
	pri, _ := level(s)
	return fmt.Sprintf("<%d>1 %s %s honeyguide - %s ", a.cfg.Facility*8+pri, at.UTC().Format("2006-01-02T15:04:05.000Z"), token(a.dep.Node, 255), token(event, 32))
}

// Bytes of a record.
const (
	maxStream   = 8 << 10
	maxDatagram = 2 << 10 // what RFC 5426 expects every receiver to take
)

// level is the syslog severity (RFC 5424, 6.2.1) and CEF's.
func level(s honeyguide.Severity) (syslog, cef int) {
	switch s {
	case honeyguide.SeverityCritical:
		return 2, 10
	case honeyguide.SeverityHigh:
		return 3, 8
	case honeyguide.SeverityMedium:
		return 4, 5
	case honeyguide.SeverityLow:
		return 5, 3
	}
	return 6, 1
}

// record writes a message.
func (a *action) record(m respond.Message) []byte {
	at, limit := m.At, a.limit()
	if at.IsZero() {
		at = a.dep.Now()
	}
	head := a.head(at, m.Severity, m.Event)
	if a.cfg.Format == formatCEF {
		return []byte(cutBytes(head+"- "+a.cef(m, at, limit-len(head)), limit))
	}
	var sd strings.Builder
	sd.WriteString("[honeyguide@32473") // the number RFC 5612 gives to those who have none
	for _, p := range facts(m) {
		fmt.Fprintf(&sd, ` %s="%s"`, p.Name, paramValue(p.Value))
	}
	sd.WriteString("] \ufeff") // what follows is UTF-8
	text := safetext.TermN(m.Title, respond.MaxTitle)
	if m.Text != "" {
		text += ": " + safetext.TermN(m.Text, respond.MaxText)
	}
	return []byte(cutBytes(head+sd.String()+text, limit))
}

// facts are the named values of a message; the id comes first.
func facts(m respond.Message) []respond.Field {
	out := []respond.Field{{Name: "id", Value: m.ID}, {Name: "key", Value: m.Key}, {Name: "severity", Value: m.Severity.String()}}
	for _, f := range m.Fields[:min(len(m.Fields), 12)] {
		out = append(out, respond.Field{Name: name(f.Name), Value: f.Value})
	}
	if m.Link != "" {
		out = append(out, respond.Field{Name: "link", Value: m.Link})
	}
	return out
}

// name is a field's name as a PARAM-NAME: at most 32 of few characters.
func name(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, s)
	if s == "" {
		return "field"
	}
	return s[:min(len(s), 32)]
}

// paramValue escapes a PARAM-VALUE (RFC 5424, 6.3.3) of at most 300 characters.
func paramValue(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(safetext.TermN(s, 300))
}

// token is a header field: printable ASCII without blanks, "-" when empty.
func token(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), n)]
}

// cutMark ends a record that was cut.
const cutMark = "...(cut)"

// cutBytes cuts a record between two characters and marks the cut.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n -= len(cutMark)
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	s = s[:n]
	// Half of an escape would escape the mark.
	if k := len(s) - len(strings.TrimRight(s, `\`)); k%2 == 1 {
		s = s[:len(s)-1]
	}
	return s + cutMark
}

// cef writes a message in the Common Event Format. In the head | and \ are
// escaped, in the values = and \; line breaks do not come so far.
func (a *action) cef(m respond.Message, at time.Time, room int) string {
	_, severity := level(m.Severity)
	head := func(s string, n int) string {
		return strings.NewReplacer(`\`, `\\`, `|`, `\|`).Replace(safetext.TermN(s, n))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CEF:0|Honeyguide|Honeyguide|1|%s|%s|%d|", head(m.Event, 40), head(m.Title, respond.MaxTitle), severity)
	put := func(key, value string, n int) {
		if value = strings.NewReplacer(`\`, `\\`, `=`, `\=`).Replace(safetext.TermN(value, n)); value != "" {
			fmt.Fprintf(&b, "%s=%s ", key, value)
		}
	}
	put("rt", strconv.FormatInt(at.UnixMilli(), 10), 20)
	put("externalId", m.ID, 100)
	put("dvchost", a.dep.Node, 255)
	custom := 0
	for _, f := range facts(m) {
		switch f.Name {
		case "id", "severity":
		case "link":
			put("request", f.Value, 500)
		case "attackers":
			first, _, _ := strings.Cut(f.Value, ",")
			if ip, err := netip.ParseAddr(strings.TrimSpace(first)); err == nil {
				put(map[bool]string{true: "src", false: "c6a2"}[ip.Is4()], ip.String(), 50)
				if ip.Is6() {
					put("c6a2Label", "Source IPv6 Address", 50)
				}
			}
		}
		if f.Name != "id" && f.Name != "severity" && f.Name != "link" && custom < 6 {
			custom++
			put("cs"+strconv.Itoa(custom), f.Value, 300)
			put("cs"+strconv.Itoa(custom)+"Label", f.Name, 40)
		}
	}
	put("msg", m.Text, max(0, min(respond.MaxText, room-b.Len())))
	return strings.TrimRight(b.String(), " ")
}
