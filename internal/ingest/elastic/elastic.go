// Package elastic reads documents in the Elastic Common Schema: what Filebeat,
// Auditbeat, Packetbeat and Elastic Agent write, and the alerts of Elastic's own
// detection, as lines or out of an index. Windows events of Winlogbeat are read by
// the windows format.
//
// Every field is kept under its dotted name.
package elastic

import (
	"context"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads documents in the Elastic Common Schema.
var Kind = kind.Of("elastic", "Elastic Common Schema: Filebeat, Elastic Agent, Elastic alerts.", Config{}, open)

const product = "elastic"

type mapper struct{}

var _ ingest.Carrier = mapper{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Match knows a document by its time and what only shippers add.
func (mapper) Match(r *ingest.Record) int {
	root := r.Root
	if root.Get("@timestamp").Type() == ingest.Missing || root.Get("winlog").Type() != ingest.Missing {
		return 0
	}
	for _, mark := range []string{"ecs.version", "agent.type", "kibana.alert.rule.name", "beat.name", "event.kind", "event.dataset"} {
		if root.Path(mark).Type() != ingest.Missing {
			return ingest.MatchSure
		}
	}
	return 0
}

// Map makes one event of the document.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	at, _, err := r.Time("@timestamp")
	if err != nil {
		return dst, err
	}
	e := honeyguide.Event{
		Time: at, Class: honeyguide.ClassLog, Activity: ingest.ActivityRecord, Severity: honeyguide.SeverityInformational,
		Service: product, Attrs: make(map[string]any, 48),
	}
	e.Set(honeyguide.AttrProduct, product)
	r.ECS(&e)
	r.ECSVerb(&e)
	sources(r, &e)
	finding(r, &e)
	r.KeepLeaves(&e, "ecs", "agent.ephemeral_id")
	if v, _ := r.Root.First("event.id", "kibana.alert.uuid"); v.Type() == ingest.String {
		e.Set(honeyguide.AttrOriginID, ingest.Cut(v.Text(), 128))
		e.ID = ingest.RecordID(at, product, v.Text(), r.Root.Path("event.dataset").Text())
	}
	return append(dst, e), nil
}

// groups are the members of a document that Elastic's shippers write themselves;
// any other is a record's own.
var groups = map[string]bool{
	"@timestamp": true, "@metadata": true, "@version": true, "message": true, "tags": true, "labels": true, "agent": true, "ecs": true, "host": true, "log": true, "input": true,
	"event": true, "service": true, "fileset": true, "fields": true, "container": true, "kubernetes": true, "cloud": true, "docker": true, "process": true, "syslog": true,
	"hostname": true, "data_stream": true, "elastic_agent": true, "stream": true, "error": true, "journald": true, "systemd": true, "beat": true, "offset": true, "source": true,
	"prospector": true, "dissect": true, "user": true, "related": true, "observer": true,
}

// Carried returns what Filebeat read and did not parse: members decoded from a log
// of JSON, under a name of their own or beside Filebeat's, or the line in message.
// The ingest pipelines that would parse it run in Elasticsearch, and have set
// event.category or event.kind when they did.
func (mapper) Carried(r *ingest.Record) []string {
	root := r.Root
	for _, done := range []string{"event.category", "event.kind", "kibana.alert.rule.name"} {
		if root.Path(done).Type() != ingest.Missing {
			return nil
		}
	}
	if v, _ := root.First("agent.type", "beat.name", "input.type", "log.file.path"); v.Absent() {
		return nil // no shipper's
	}
	var found []string
	beside := false
	for name, v := range root.Each() {
		switch {
		case groups[name]:
		case v.Type() == ingest.Object:
			found = append(found, v.Text())
		default:
			beside = true
		}
	}
	if beside {
		found = append(found, root.Text())
	}
	return append(found, line(root))
}

// line is the message as it stood in its log: the header that Filebeat's syslog
// and journald inputs cut off is put before it again.
func line(root ingest.Value) string {
	message := root.Get("message").Text()
	program, _ := root.First("process.program", "syslog.identifier", "log.syslog.appname", "process.name")
	host, _ := root.First("hostname", "log.syslog.hostname", "host.hostname", "host.name")
	if t := root.Path("input.type").Text(); t != "syslog" && t != "journald" || program.Absent() || message == "" {
		return message
	}
	priority, ok := root.Path("syslog.priority").Int()
	if !ok || priority < 0 || priority > 191 {
		priority = 14
	}
	word := func(v ingest.Value) string {
		if s := strings.Join(strings.Fields(v.Text()), "_"); s != "" {
			return s
		}
		return "-"
	}
	return "<" + strconv.FormatInt(priority, 10) + ">1 " + word(root.Get("@timestamp")) + " " + word(host) + " " + word(program) + " " + word(root.Path("process.pid")) + " - - " + message
}

// Around adds which host a line was read on, and from where.
func (mapper) Around(r *ingest.Record, e *honeyguide.Event) {
	if e.Str(honeyguide.AttrDevice) == "" {
		host, _ := r.Root.First("host.name", "host.hostname", "agent.name", "beat.name")
		e.Set(honeyguide.AttrDevice, ingest.Cut(host.Text(), 255))
	}
	from, _ := r.Root.First("log.file.path", "log.source.address")
	e.Set(ingest.AttrLocation, ingest.Cut(from.Text(), 512))
}

// datasets are the modules whose log source is known.
var datasets = map[string][3]string{
	"system.auth": {"linux", "", "auth"}, "system.syslog": {"linux", "", "syslog"}, "auditd.log": {"linux", "", "auditd"},
	"nginx.access": {"", "webserver", "nginx"}, "apache.access": {"", "webserver", "apache"}, "iis.access": {"", "webserver", "iis"},
}

func sources(r *ingest.Record, e *honeyguide.Event) {
	set := r.Root.Path("event.dataset").Text()
	if s, ok := datasets[set]; ok {
		ingest.Source(e, s[0], s[1], s[2])
		return
	}
	if log, ok := strings.CutPrefix(set, "zeek."); ok {
		ingest.Source(e, "zeek", "", ingest.Cut(log, 64))
		return
	}
	os := r.Root.Path("host.os.type").Text()
	if e.Activity == "process_start" && (os == "linux" || os == "windows" || os == "macos") {
		ingest.Source(e, os, "process_creation", "")
		return
	}
	e.Set(honeyguide.AttrLogService, ingest.Cut(set, 64))
}

// finding makes one of an alert: of Elastic's own rules, or of a product behind a
// module.
func finding(r *ingest.Record, e *honeyguide.Event) {
	name, _ := r.Root.First("kibana.alert.rule.name", "signal.rule.name", "rule.name")
	kind := r.Root.Path("event.kind").Text()
	if kind != "alert" && kind != "signal" && r.Root.Path("kibana.alert.rule.name").Absent() {
		return
	}
	e.Class, e.Activity, e.Severity = honeyguide.ClassDetection, honeyguide.ActivityFinding, honeyguide.SeverityUnknown
	title := name.Text()
	if title == "" {
		title = e.Str(honeyguide.AttrMessage)
	}
	e.Set(honeyguide.AttrRule, ingest.Cut(title, 512))
	id, _ := r.Root.First("kibana.alert.rule.uuid", "signal.rule.id", "rule.id")
	e.Set(honeyguide.AttrRuleID, ingest.Cut(id.ID(), 128))
	cat, _ := r.Root.First("rule.category", "kibana.alert.rule.category")
	e.Set(honeyguide.AttrCategory, ingest.Cut(cat.Text(), 256))
	if v, _ := r.Root.First("kibana.alert.severity", "signal.rule.severity", "event.severity_label"); v.Type() == ingest.String {
		if s, ok := ingest.ParseSeverity(v.Text()); ok {
			e.Severity = s
		}
	}
	var ids []string
	for _, path := range []string{"threat.technique.id", "threat.technique.subtechnique.id"} {
		ids = append(ids, r.Root.Path(path).Texts()...)
	}
	e.Attacks = ingest.Techniques("named by the rule", ids...)
}
