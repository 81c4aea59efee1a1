// Package generic reads alerts of no particular product: JSON objects or CSV
// rows whose fields have one of the usual names.
//
// Read are the names id, timestamp, source_ip, destination_ip, event_type,
// description, severity, source_port, destination_port, protocol,
// bytes_transferred and status, each with the aliases other tools use. Numbers
// may be texts. What has no known name is kept under "unmapped." and its name.
// An address, a time or a severity that says something but cannot be understood
// makes the record a dead letter; a missing one does not.
package generic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind.
type Config struct {
	// Product is what alerts are said to be from when they do not say it.
	Product string
	// Fields adds paths under which a field is looked for first, by the field's
	// name: {"source_ip": "network.client"}.
	Fields map[string]string
	// Severities says what a product's own words and numbers mean: {"P1": "critical"}.
	Severities map[string]string
	// Class says what a record is: finding (an alert of its own), or record (what
	// only rules make an alert of).
	Class string
	// Logsource addresses Sigma rules.
	Logsource struct{ Product, Category, Service string }
}

// Validate refuses words no event has.
func (c *Config) Validate() error {
	if c.Class != "finding" && c.Class != "record" {
		return errors.New("class: want finding or record")
	}
	for word, severity := range c.Severities {
		if _, err := honeyguide.ParseSeverity(severity); err != nil {
			return fmt.Errorf("severities.%s: want informational, low, medium, high or critical", ingest.Cut(word, 64))
		}
	}
	return nil
}

// Kind reads alerts of no particular product.
var Kind = kind.Of("generic", "Alerts with usual field names, as JSON or CSV.", Config{Product: "generic", Class: "finding"}, open)

// aliases are the paths a field is looked for under, the first that says
// something wins. Dots reach into nested objects.
var aliases = map[string][]string{
	"id":        {"id", "alert_id", "event_id", "uuid", "uid", "_id"},
	"timestamp": {"timestamp", "@timestamp", "time", "ts", "datetime", "date", "event_time", "created_at", "detected_at", "observed_at", "occurred_at", "start_time"},
	"source_ip": {"source_ip", "src_ip", "srcip", "source.ip", "source_address", "src_addr", "src", "client_ip", "remote_ip", "attacker_ip", "saddr"},
	"destination_ip": {
		"destination_ip", "dst_ip", "dest_ip", "dstip", "destination.ip", "destination_address", "dst_addr", "dst", "dest",
		"target_ip", "server_ip", "daddr",
	},
	"source_port":       {"source_port", "src_port", "srcport", "source.port", "sport", "spt"},
	"destination_port":  {"destination_port", "dst_port", "dest_port", "dstport", "destination.port", "dport", "dpt", "target_port", "port"},
	"event_type":        {"event_type", "type", "alert_type", "event.action", "action_type", "attack_type", "signature_id", "rule_id"},
	"category":          {"category", "classification", "threat_category"},
	"description":       {"description", "message", "msg", "title", "name", "signature", "rule_name", "alert", "summary", "details"},
	"severity":          {"severity", "severity_id", "severity_label", "threat_level", "risk_level", "level", "priority", "risk"},
	"protocol":          {"protocol", "proto", "transport", "network.transport", "app_proto"},
	"bytes_transferred": {"bytes_transferred", "bytes", "total_bytes", "bytes_sent", "network.bytes"},
	"status":            {"status", "state", "disposition", "outcome"},
	"user":              {"user", "username", "user_name", "user.name", "account"},
	"device":            {"device", "hostname", "host", "host.name", "sensor", "agent", "computer"},
	"product":           {"product", "vendor_product", "tool", "provider", "source_type"},
	"technique":         {"mitre_technique", "technique_id", "mitre_attack_id", "technique", "attack_id", "mitre.id"},
	"command":           {"command", "command_line", "cmdline", "process.command_line"},
	"url":               {"url", "request_url", "url.full"},
}

type mapper struct {
	cfg     Config
	product string
	paths   map[string][]string
	known   map[string]bool // first names of the paths that are mapped
	words   map[string]honeyguide.Severity
	mapped  bool // there is a mapping of the user's: any record is its product's
}

func open(_ context.Context, cfg Config, _ ingest.Deps) (ingest.Mapper, error) {
	m := &mapper{
		cfg: cfg, product: cfg.Product, paths: make(map[string][]string, len(aliases)), known: map[string]bool{},
		words: map[string]honeyguide.Severity{}, mapped: len(cfg.Fields) > 0,
	}
	for word, severity := range cfg.Severities {
		m.words[strings.ToLower(word)], _ = honeyguide.ParseSeverity(severity)
	}
	for field, paths := range aliases {
		if own, ok := cfg.Fields[field]; ok {
			paths = append([]string{own}, paths...)
		}
		m.paths[field] = paths
		for _, p := range paths {
			first, _, _ := strings.Cut(p, ".")
			m.known[p], m.known[first] = true, true
		}
	}
	for field := range cfg.Fields {
		if _, ok := aliases[field]; !ok {
			return nil, fmt.Errorf("fields: there is no field %q; there are: %s", field, strings.Join(slices.Sorted(maps.Keys(aliases)), ", "))
		}
	}
	return m, nil
}

// telling are the fields of which an alert must have one.
var telling = []string{"description", "event_type", "source_ip", "destination_ip", "severity"}

// Match takes any record with at least one telling field; the more usual names
// it has, the surer.
func (m *mapper) Match(r *ingest.Record) int {
	n := 0
	for _, field := range telling {
		if v, _ := r.Root.First(m.paths[field]...); v.Type() != ingest.Missing {
			n++
		}
	}
	if n == 0 && !(m.mapped && r.Root.Type() == ingest.Object) {
		return 0
	}
	return ingest.MatchSome + 5*n
}

// Map makes a finding of the record.
func (m *mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	f := fields{m: m, r: r}
	if m.Match(r) == 0 {
		return dst, fmt.Errorf("no alert field: want at least one of %s", strings.Join(telling, ", "))
	}
	at, known, err := r.Time(m.paths["timestamp"]...)
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{Time: at, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Attrs: make(map[string]any, 14)}
	if e.Severity, err = f.severity(); err != nil {
		return dst, err
	}
	if err := f.endpoints(&e); err != nil {
		return dst, err
	}
	f.describe(&e)
	f.unmapped(&e)
	if m.cfg.Class == "record" {
		e.Class, e.Activity = honeyguide.ClassLog, ingest.ActivityRecord
	}
	ingest.Source(&e, m.cfg.Logsource.Product, m.cfg.Logsource.Category, m.cfg.Logsource.Service)
	if id := e.Str(honeyguide.AttrOriginID); id != "" && known {
		// Ids such as 1, 2, 3 are only unique together with what they stand for.
		e.ID = ingest.RecordID(at, e.Str(honeyguide.AttrProduct), id, e.Src.Addr.String(), e.Str(honeyguide.AttrRule))
	}
	return append(dst, e), nil
}

// fields reads one record.
type fields struct {
	m *mapper
	r *ingest.Record
}

func (f fields) text(field string) string {
	v, _ := f.r.Root.First(f.m.paths[field]...)
	switch v.Type() {
	case ingest.String, ingest.Number, ingest.Bool:
		return strings.TrimSpace(v.Text())
	}
	return ""
}

func (f fields) severity() (honeyguide.Severity, error) {
	v, path := f.r.Root.First(f.m.paths["severity"]...)
	if v.Type() == ingest.Missing {
		f.r.Note("severity_missing")
		return honeyguide.SeverityUnknown, nil
	}
	if s, ok := f.m.words[strings.ToLower(strings.TrimSpace(v.Text()))]; ok {
		return s, nil
	}
	if _, number := v.Int(); number && !strings.HasPrefix(path, "severity") {
		// Priority 1 is the highest in one product and the lowest in the next.
		f.r.Note("severity_scale_unknown")
		return honeyguide.SeverityUnknown, nil
	}
	s, ok := ingest.ParseSeverity(v.Text())
	if !ok {
		return 0, &ingest.FieldError{Field: path, Why: "not a severity; informational, low, medium, high, critical and 0 to 6 are read"}
	}
	return s, nil
}

func (f fields) endpoints(e *honeyguide.Event) error {
	for _, side := range []struct {
		end        *honeyguide.Endpoint
		addr, port string
	}{{&e.Src, "source_ip", "source_port"}, {&e.Dst, "destination_ip", "destination_port"}} {
		port, odd := f.r.Port(f.m.paths[side.port]...)
		if odd != "" {
			e.Set(ingest.AttrUnmapped+side.port, odd)
		}
		addr, err := f.r.Addr(f.m.paths[side.addr]...)
		if err != nil {
			return err
		}
		if addr.IsValid() || port != 0 {
			side.end.Addr = netip.AddrPortFrom(addr, port)
		}
	}
	return nil
}

// describe sets what the alert is about.
func (f fields) describe(e *honeyguide.Event) {
	description, typ := f.text("description"), f.text("event_type")
	title, id := description, typ
	if title == "" {
		title = typ
	}
	if id == "" {
		id = title
	}
	category := f.text("category")
	if category == "" {
		category = typ
	}
	product := f.text("product")
	if product == "" {
		product = f.m.product
	}
	v, _ := f.r.Root.First(f.m.paths["id"]...)
	e.Service = f.m.product
	e.Set(honeyguide.AttrProduct, product)
	e.Set(honeyguide.AttrOriginID, v.ID())
	e.Set(honeyguide.AttrRule, title)
	e.Set(honeyguide.AttrRuleID, id)
	e.Set(honeyguide.AttrCategory, category)
	e.Set(honeyguide.AttrMessage, description)
	e.Set(honeyguide.AttrProtocol, strings.ToLower(f.text("protocol")))
	e.Set(honeyguide.AttrStatusText, f.text("status"))
	e.Set(honeyguide.AttrUser, f.text("user"))
	e.Set(honeyguide.AttrDevice, f.text("device"))
	e.Set(honeyguide.AttrCommand, f.text("command"))
	e.Set(honeyguide.AttrURL, f.text("url"))
	if v, _ := f.r.Root.First(f.m.paths["bytes_transferred"]...); v.Type() != ingest.Missing {
		if n, ok := v.Int(); ok && n >= 0 {
			e.Set(ingest.AttrBytes, n)
		} else {
			f.r.Note("bad_bytes")
		}
	}
	if v, _ := f.r.Root.First(f.m.paths["technique"]...); v.Type() != ingest.Missing {
		e.Attacks = ingest.Techniques("named by "+product, v.Texts()...)
	}
}

// unmapped keeps what has no field of its own.
func (f fields) unmapped(e *honeyguide.Event) {
	n := 0
	for key, v := range f.r.Root.Each() {
		if f.m.known[key] || v.Absent() {
			continue
		}
		if n++; n > ingest.MaxUnmapped {
			f.r.Note("fields_cut")
			return
		}
		e.Set(ingest.AttrUnmapped+ingest.Cut(key, 64), ingest.Scalar(v))
	}
}
