package hunt

import (
	"honeyguide"
	"honeyguide/internal/eventlog"
)

// A sort says how the value of a field is read.
type sort byte

const (
	exact sort = iota // a value, or a pattern
	text              // words, or a pattern
	network
	moment
	severity
	class
	activity
	technique
	session
	sensor
	service
	eventID
	observable
)

// A Field is one thing a query may ask about.
type Field struct {
	Name    string   `json:"name"`
	Also    []string `json:"also" doc:"other names for it"`
	Attr    string   `json:"attr,omitempty" doc:"name of the attribute in events"`
	Takes   string   `json:"takes" enum:"value,words,network,time,severity,class,activity,technique" doc:"what a value is"`
	About   string   `json:"about"`
	Example string   `json:"example"`
	Values  []string `json:"values" doc:"all or the usual ones, where there are few"`

	sort sort
	dim  eventlog.Dim
}

func attr(name string, also []string, a, about, example string, s sort) Field {
	return Field{Name: name, Also: also, Attr: a, About: about, Example: example, sort: s, dim: eventlog.Dim(a)}
}

func dim(name string, also []string, d eventlog.Dim, about, example string, s sort) Field {
	return Field{Name: name, Also: also, About: about, Example: example, sort: s, dim: d}
}

// activities are the usual ones.
var activities = []string{
	honeyguide.ActivityConnect, honeyguide.ActivityClose, honeyguide.ActivityClient, honeyguide.ActivityLoginFailed, honeyguide.ActivityLoginSuccess, honeyguide.ActivityCommand,
	honeyguide.ActivityRequest, honeyguide.ActivityDownload, honeyguide.ActivityFileWrite, honeyguide.ActivityFileRead, honeyguide.ActivityFileList, honeyguide.ActivityFileChange,
	honeyguide.ActivityExecute, honeyguide.ActivitySample, honeyguide.ActivitySubsystem, honeyguide.ActivityTunnel, honeyguide.ActivityUnsupported, honeyguide.ActivityMalformed,
	honeyguide.ActivityTokenExposed, honeyguide.ActivityTokenUsed, honeyguide.ActivityViolation, honeyguide.ActivityGap, honeyguide.ActivityFinding,
}

// shorthand are words for several activities.
var shorthand = map[string][]string{
	"login": {honeyguide.ActivityLoginFailed, honeyguide.ActivityLoginSuccess},
	"file":  {honeyguide.ActivityFileWrite, honeyguide.ActivityFileRead, honeyguide.ActivityFileList, honeyguide.ActivityFileChange},
	"token": {honeyguide.ActivityTokenExposed, honeyguide.ActivityTokenUsed},
}

var fields = []Field{
	dim("src", []string{"source", "ip"}, eventlog.DimSrc, "source address or network", "src:203.0.113.0/24", network),
	dim("dst", []string{"dest"}, eventlog.DimDst, "destination address or network", "dst:192.0.2.1", network),
	dim("since", []string{"from", "after"}, "", "not before: how long ago, a day or a time", "since:24h", moment),
	dim("until", []string{"to", "before"}, "", "before: how long ago, a day or a time", "until:2026-03-01", moment),
	dim("activity", []string{"verb"}, eventlog.DimActivity, "what was done; login, file and token stand for several", "activity:login", activity),
	dim("severity", []string{"sev"}, eventlog.DimSeverity, "at least this severity", "severity:high", severity),
	dim("sensor", nil, eventlog.DimSensor, "name of the decoy or source", "sensor:ssh", sensor),
	dim("service", []string{"kind"}, eventlog.DimService, "kind of the decoy", "service:telnet", service),
	dim("session", nil, eventlog.DimSession, "id of a session", "session:06gvrui601oqvg904be3189mp4", session),
	dim("technique", []string{"mitre", "attack"}, eventlog.DimTechnique, "ATT&CK id; T1059 finds T1059.004 too", "technique:T1110", technique),
	dim("country", nil, eventlog.DimCountry, "two letters of the source's country", "country:NL", exact),
	dim("asn", nil, eventlog.DimASN, "network of the source", "asn:AS64500", exact),
	dim("class", nil, "", "OCSF class", "class:3002", class),
	dim("id", nil, "", "id of an event", "id:06gvrui601oqvg904be3189mp4", eventID),
	dim("observable", []string{"ioc"}, eventlog.DimObservable, "a value worth a pivot: address, hash, URL, domain, user", "observable:203.0.113.9", observable),
	attr("user", []string{"username", "login"}, honeyguide.AttrUser, "user name that was tried", "user:root", exact),
	attr("password", []string{"pass"}, honeyguide.AttrPassword, "password that was tried", "password:admin123", exact),
	attr("auth", nil, honeyguide.AttrAuthMethod, "how somebody logged in", "auth:publickey", exact),
	attr("key", nil, honeyguide.AttrKeyFingerprint, "fingerprint of an SSH key", "key:SHA256:*", exact),
	attr("cmd", []string{"command"}, honeyguide.AttrCommand, "command line", `cmd:"wget sh"`, text),
	attr("status", nil, honeyguide.AttrStatus, "exit or response status", "status:200", exact),
	attr("url", nil, honeyguide.AttrURL, "URL or path of a request", "url:*/wp-login.php*", text),
	attr("method", nil, honeyguide.AttrMethod, "HTTP method", "method:POST", exact),
	attr("host", nil, honeyguide.AttrHost, "host a request was for", "host:example.test", exact),
	attr("ua", []string{"useragent", "user_agent"}, honeyguide.AttrUserAgent, "user agent", "ua:*zgrab*", text),
	attr("body", nil, honeyguide.AttrBody, "body of a request", "body:*passwd*", text),
	attr("path", []string{"file"}, honeyguide.AttrPath, "path of a file", "path:/tmp/*", text),
	attr("hash", []string{"sha256"}, honeyguide.AttrSHA256, "SHA-256 of a file", "hash:9f86d081*", exact),
	attr("type", nil, honeyguide.AttrFileType, "what a file is", "type:elf", exact),
	attr("tool", nil, honeyguide.AttrTool, "program of a download", "tool:curl", exact),
	attr("client", []string{"software"}, honeyguide.AttrClient, "what the peer called its software", "client:*libssh*", text),
	attr("hassh", nil, honeyguide.AttrHASSH, "fingerprint of an SSH client", "hassh:ec7378c1a92f5a8dde7e8b7a1ddf33d1", exact),
	attr("token", []string{"honeytoken"}, honeyguide.AttrToken, "id of a honeytoken", "token:*", exact),
	attr("rule", nil, honeyguide.AttrRuleID, "rule id of another product's alert", "rule:5710", exact),
	attr("message", []string{"msg"}, honeyguide.AttrMessage, "message of a log line", "message:failed", text),
	attr("detail", nil, honeyguide.AttrDetail, "what the decoy said about it", "detail:forward", text),
	attr("product", nil, honeyguide.AttrProduct, "product that wrote the record", "product:suricata", exact),
	attr("device", nil, honeyguide.AttrDevice, "host name of the machine that wrote the record", "device:web1", exact),
}

// takes names the sorts of values for people.
var takes = map[sort]string{
	exact: "value", text: "words", network: "network", moment: "time", severity: "severity", class: "class", activity: "activity", technique: "technique",
	session: "value", sensor: "value", service: "value", eventID: "value", observable: "value",
}

// index finds a field by each of its names.
var index = func() map[string]*Field {
	m := map[string]*Field{}
	for i := range fields {
		f := &fields[i]
		f.Takes = takes[f.sort]
		f.Also, f.Values = append([]string{}, f.Also...), append([]string{}, f.Values...)
		switch f.sort {
		case activity:
			f.Values = append(append(f.Values, "login", "file", "token"), activities...)
		case severity:
			for s := honeyguide.SeverityInformational; s <= honeyguide.SeverityCritical; s++ {
				f.Values = append(f.Values, s.String())
			}
		}
		for _, name := range append([]string{f.Name}, f.Also...) {
			m[name] = f
		}
	}
	return m
}()

// Fields returns what can be asked about.
func Fields() []Field { return append([]Field{}, fields...) }

// Dim is what events are counted by for a field: its dimension, or the attribute
// of that name.
func Dim(field string) eventlog.Dim {
	if f, ok := index[field]; ok && f.dim != "" {
		return f.dim
	}
	return eventlog.Dim(field)
}
