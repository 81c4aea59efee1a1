// Package wazuh reads the alerts of Wazuh 4 (alerts.json), from the file, from
// the index or from an integration hook.
//
// Levels become severities by Wazuh's own table for version 5: 1 to 3
// informational, 4 to 6 low, 7 to 9 medium, 10 to 13 high, 14 to 16 critical.
// An alert of Suricata that came through Wazuh keeps Suricata's severity, rule
// and name, since Wazuh gives all of them level 3.
package wazuh

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads Wazuh 4 alerts.
var Kind = kind.Of("wazuh", "Wazuh 4's alerts.json.", Config{}, open)

const product = "wazuh"

type mapper struct{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows an alert by its rule and what Wazuh puts beside it.
func (mapper) Match(r *ingest.Record) int {
	if r.Root.Path("rule.id").Type() == ingest.Missing {
		return 0
	}
	for _, beside := range []string{"manager.name", "agent.id", "decoder.name", "agent.name", "full_log", "location"} {
		if r.Root.Path(beside).Type() != ingest.Missing {
			return ingest.MatchSure + 10
		}
	}
	return 0
}

// Map makes one finding of the alert.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	if r.Root.Path("rule.id").Absent() {
		return dst, &ingest.FieldError{Field: "rule.id", Why: "missing; this is no Wazuh alert"}
	}
	at, known, err := r.Time("timestamp", "@timestamp")
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{Time: at, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Service: product, Attrs: make(map[string]any, 28)}
	if err := level(r, &e); err != nil {
		return dst, err
	}
	endpoints(r, &e)
	describe(r, &e)
	who(r, &e)
	web(r, &e)
	files(r, &e)
	sources(r, &e)
	passedOn, err := throughSuricata(r, &e)
	if err != nil {
		return dst, err
	}
	if !passedOn {
		data(r, &e)
	}
	if id := r.Root.Get("id").ID(); id != "" && known {
		node, _ := r.Root.First("cluster.node", "manager.name")
		e.Set(honeyguide.AttrOriginID, id)
		e.ID = ingest.RecordID(at, product, node.Text(), id, r.Root.Path("rule.id").ID())
	}
	return append(dst, e), nil
}

// level sets the severity. Level 0 means that the rule raises no alert, and is
// left out of the record: such a record, from the archive, is a plain event.
func level(r *ingest.Record, e *honeyguide.Event) error {
	v := r.Root.Path("rule.level")
	n, ok := v.Int()
	switch {
	case v.Absent() || ok && n == 0:
		e.Activity, e.Severity = ingest.ActivityRecord, honeyguide.SeverityInformational
	case !ok || n < 0 || n > 16:
		return &ingest.FieldError{Field: "rule.level", Why: "not a level; 0 to 16 are read"}
	case n <= 3:
		e.Severity = honeyguide.SeverityInformational
	case n <= 6:
		e.Severity = honeyguide.SeverityLow
	case n <= 9:
		e.Severity = honeyguide.SeverityMedium
	case n <= 13:
		e.Severity = honeyguide.SeverityHigh
	default:
		e.Severity = honeyguide.SeverityCritical
	}
	return nil
}

// endpoints reads both sides. Decoders also put names where an address is
// meant; the alert is worth keeping, so the name is kept as one.
func endpoints(r *ingest.Record, e *honeyguide.Event) {
	side(r, &e.Src,
		[]string{"data.srcip", "data.src_ip", "data.win.eventdata.ipAddress", "data.win.eventdata.sourceIp", "data.aws.source_ip_address", "data.audit.srcip"},
		[]string{"data.srcport", "data.src_port", "data.win.eventdata.ipPort", "data.win.eventdata.sourcePort"})
	side(r, &e.Dst,
		[]string{"data.dstip", "data.dest_ip", "data.win.eventdata.destinationIp"},
		[]string{"data.dstport", "data.dest_port", "data.win.eventdata.destinationPort"})
	if !e.Dst.Addr.IsValid() && e.Dst.Hostname == "" {
		// The agent is the machine the alert is about, unless it only listens.
		e.Dst.Hostname = ingest.Cut(r.Root.Path("agent.name").Text(), 255)
	}
}

func side(r *ingest.Record, end *honeyguide.Endpoint, addrs, ports []string) {
	port, _ := r.Port(ports...)
	addr, err := r.Addr(addrs...)
	if err != nil {
		v, _ := r.Root.First(addrs...)
		end.Hostname = ingest.Cut(strings.TrimSpace(v.Text()), 255)
		r.Note("bad_address")
	}
	if addr.IsValid() {
		end.Addr = netip.AddrPortFrom(addr, port)
	}
}

// describe sets what the alert is about.
func describe(r *ingest.Record, e *honeyguide.Event) {
	e.Set(honeyguide.AttrProduct, product)
	e.Set(honeyguide.AttrRule, ingest.Cut(r.Root.Path("rule.description").Text(), ingest.MaxText))
	e.Set(honeyguide.AttrRuleID, r.Root.Path("rule.id").ID())
	e.Set(honeyguide.AttrCategory, ingest.Cut(strings.Join(r.Root.Path("rule.groups").Texts(), ","), 512))
	e.Attacks = ingest.Techniques("named by the Wazuh rule", r.Root.Path("rule.mitre.id").Texts()...)
	e.Set(honeyguide.AttrMessage, ingest.Cut(r.Root.Get("full_log").Text(), ingest.MaxText))
	e.Set(ingest.AttrLocation, ingest.Cut(r.Root.Get("location").Text(), 512))
	e.Set(ingest.AttrType, r.Root.Path("decoder.name").Text())
}

// who sets users, machine and what they did.
func who(r *ingest.Record, e *honeyguide.Event) {
	set := func(attr string, limit int, paths ...string) {
		v, _ := r.Root.First(paths...)
		if t := v.Type(); t == ingest.String || t == ingest.Number {
			e.Set(attr, ingest.Cut(v.Text(), limit))
		}
	}
	set(honeyguide.AttrUser, 255, "data.dstuser", "data.srcuser", "data.win.eventdata.targetUserName", "data.win.eventdata.user",
		"data.aws.userIdentity.userName", "syscheck.audit.user.name")
	set("actor.user.name", 255, "data.srcuser", "data.win.eventdata.subjectUserName", "syscheck.audit.login_user.name")
	set(honeyguide.AttrDevice, 255, "agent.name", "predecoder.hostname")
	set("device.ip", 64, "agent.ip")
	set("device.uid", 64, "agent.id")
	set(honeyguide.AttrCommand, ingest.MaxText, "data.command", "data.win.eventdata.commandLine", "data.audit.command")
	set("process.file.path", ingest.MaxText, "data.win.eventdata.image", "data.audit.exe", "syscheck.audit.process.name")
	set(honeyguide.AttrURL, ingest.MaxText, "data.url", "data.http.url")
	set(honeyguide.AttrProtocol, 64, "data.proto", "data.protocol")
	set(ingest.AttrAction, 64, "data.action")
	set(honeyguide.AttrStatusText, 64, "data.status")
}

// methods are the words a web decoder puts into "protocol".
var methods = []string{"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PROPFIND"}

// web mends what the decoders of web server logs call by other names: the
// method is their protocol, the response status their id.
func web(r *ingest.Record, e *honeyguide.Event) {
	method := e.Str(honeyguide.AttrProtocol)
	if !slices.Contains(methods, method) {
		return
	}
	delete(e.Attrs, honeyguide.AttrProtocol)
	e.Set(honeyguide.AttrMethod, method)
	if n, ok := r.Root.Path("data.id").Int(); ok && n >= 100 && n < 600 {
		e.Set(honeyguide.AttrStatus, n)
	}
}

// files sets what file integrity monitoring saw.
func files(r *ingest.Record, e *honeyguide.Event) {
	s := r.Root.Get("syscheck")
	if s.Type() != ingest.Object {
		return
	}
	e.Set(honeyguide.AttrPath, ingest.Cut(s.Get("path").Text(), ingest.MaxText))
	e.Set("file.change", s.Get("event").Text())
	e.Set("file.changed_attributes", strings.Join(s.Get("changed_attributes").Texts(), ","))
	for attr, key := range map[string]string{"file.owner": "uname_after", "file.md5": "md5_after", honeyguide.AttrSHA256: "sha256_after"} {
		if v := s.Get(key); !v.Absent() {
			e.Set(attr, ingest.Cut(v.Text(), 255))
		}
	}
	if n, ok := s.Get("size_after").Int(); ok {
		e.Set(honeyguide.AttrSize, n)
	}
	if sum := e.Str(honeyguide.AttrSHA256); sum != "" {
		e.Observables = append(e.Observables, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: sum})
	}
}

// throughSuricata lets an alert that Wazuh only passed on speak for itself. It
// gets the product and rule the same alert has in eve.json, so that both ways
// lead to one alert. It reports whether this is such an alert.
func throughSuricata(r *ingest.Record, e *honeyguide.Event) (bool, error) {
	a := r.Root.Path("data.alert")
	if a.Type() != ingest.Object || a.Get("signature").Absent() {
		return false, nil
	}
	if v := a.Get("severity"); !v.Absent() {
		n, ok := v.Int()
		if !ok || n < 0 || n > 255 {
			return false, &ingest.FieldError{Field: "data.alert.severity", Why: "not a severity; 1 to 255 are read"}
		}
		e.Severity = []honeyguide.Severity{
			honeyguide.SeverityInformational, honeyguide.SeverityHigh, honeyguide.SeverityMedium, honeyguide.SeverityLow,
			honeyguide.SeverityInformational,
		}[min(n, 4)]
	}
	gid := a.Get("gid").ID()
	if gid == "" {
		gid = "1"
	}
	e.Activity = honeyguide.ActivityFinding
	e.Dst.Hostname = "" // the agent is the one that listened
	e.Set(honeyguide.AttrProduct, "suricata")
	e.Set(honeyguide.AttrRule, ingest.Cut(a.Get("signature").Text(), ingest.MaxText))
	e.Set(honeyguide.AttrRuleID, gid+":"+a.Get("signature_id").ID())
	e.Set(honeyguide.AttrCategory, a.Get("category").Text())
	e.Set(ingest.AttrAction, a.Get("action").Text())
	e.Set(ingest.AttrFlow, r.Root.Path("data.flow_id").ID())
	e.Set(honeyguide.AttrProtocol, strings.ToLower(r.Root.Path("data.proto").Text()))
	for attr, path := range map[string]string{
		honeyguide.AttrHost: "hostname", honeyguide.AttrURL: "url",
		honeyguide.AttrMethod: "http_method", honeyguide.AttrUserAgent: "http_user_agent",
	} {
		e.Set(attr, ingest.Cut(r.Root.Path("data.http."+path).Text(), ingest.MaxText))
	}
	if n, ok := r.Root.Path("data.http.status").Int(); ok {
		e.Set(honeyguide.AttrStatus, n)
	}
	e.Attacks = append(e.Attacks, ingest.Techniques("named by the signature", a.Path("metadata.mitre_technique_id").Texts()...)...)
	return true, nil
}

// decoders are those whose log Sigma rules address.
var decoders = map[string]string{"sshd": "sshd", "sudo": "sudo", "su": "auth", "pam": "auth", "vsftpd": "vsftpd", "auditd": "auditd"}

// sources says what wrote the record behind the alert. Windows events get back the
// names Wazuh wrote with a small letter, so that rules for Windows see them.
func sources(r *ingest.Record, e *honeyguide.Event) {
	if service, ok := decoders[r.Root.Path("decoder.name").Text()]; ok {
		ingest.Source(e, "linux", "", service)
	}
	win := r.Root.Path("data.win")
	system := win.Get("system")
	if system.Type() != ingest.Object || system.Get("channel").Absent() {
		return
	}
	service := ""
	switch channel := strings.ToLower(system.Get("channel").Text()); channel {
	case "security", "system", "application":
		service = channel
	case "microsoft-windows-sysmon/operational":
		service = "sysmon"
	case "microsoft-windows-powershell/operational":
		service = "powershell"
	}
	ingest.Source(e, "windows", "", service)
	for _, f := range []struct{ name, as string }{
		{"channel", "Channel"},
		{"eventID", "EventID"},
		{"providerName", "Provider_Name"},
		{"computer", "Computer"},
		{"eventRecordID", "EventRecordID"},
		{"systemTime", "TimeCreated_SystemTime"},
		{"processID", "Execution_ProcessID"},
	} {
		if v := system.Get(f.name); v.Type() != ingest.Missing {
			r.Keep(e, f.as, v.Text())
		}
	}
	for name, v := range win.Get("eventdata").Each() {
		r.Keep(e, capital(name), v.Text())
	}
}

// capital undoes the small first letter.
func capital(name string) string {
	if name == "" || name[0] < 'a' || name[0] > 'z' {
		return name
	}
	return string(name[0]-'a'+'A') + name[1:]
}

// data keeps the dynamic fields of the decoder. They are all texts; whole
// numbers beyond 32 bits come with six zeros behind a point.
func data(r *ingest.Record, e *honeyguide.Event) {
	n := 0
	for path, leaf := range r.Root.Get("data").Leaves() {
		if leaf.Absent() || strings.HasPrefix(path, "win.") {
			continue
		}
		if n++; n > ingest.MaxUnmapped {
			r.Note("fields_cut")
			return
		}
		e.Set(ingest.AttrUnmapped+"data."+ingest.Cut(path, 128), ingest.Cut(leaf.ID(), 1024))
	}
}
