package windows

import (
	"strconv"
	"strings"

	"honeyguide/internal/ingest"
)

// A reader fills a form from one encoding.
type reader func(*ingest.Record, *form) error

// encodingOf finds the encoding of a record by its marks.
func encodingOf(r *ingest.Record) (reader, bool) {
	if line := r.Plain(); line != "" {
		if xmlOf(line) != "" {
			return plainXML, true
		}
		return nil, false
	}
	root := r.Root
	switch {
	case root.Path("Event.System").Type() == ingest.Object:
		return evtxJSON, true
	case root.Get("EventID").Type() != ingest.Missing:
		if root.Get("EventData").Type() == ingest.String && root.Get("Channel").Type() == ingest.String {
			return analytics, true
		}
		for _, mark := range []string{"Channel", "SourceModuleType", "ProviderGuid", "Provider", "SourceName", "Source_Name", "LogName"} {
			if root.Get(mark).Type() != ingest.Missing {
				return flat, true
			}
		}
	case root.Path("winlog.event_id").Type() != ingest.Missing:
		return winlogbeat, true
	case root.Get("SyslogMessage").Type() == ingest.String && xmlOf(root.Get("SyslogMessage").Text()) != "":
		return syslogRow, true
	}
	return nil, false
}

// aliases are System's fields as flat shippers call them, and what shippers add
// about themselves, which is left out: "".
var aliases = map[string]string{
	"SourceName": "Provider_Name", "Source_Name": "Provider_Name", "ProviderName": "Provider_Name", "Provider": "Provider_Name",
	"ProviderGuid": "Provider_Guid", "Hostname": "Computer", "RecordNumber": "EventRecordID", "LogName": "Channel", "EventLevel": "Level",
	"ExecutionProcessID": "Execution_ProcessID", "ExecutionThreadID": "Execution_ThreadID", "ThreadID": "Execution_ThreadID",
	"UserID": "Security_UserID", "OpcodeValue": "Opcode_Value",
	"@version": "", "EventReceivedTime": "", "SourceModuleName": "", "SourceModuleType": "", "port": "", "tags": "",
	"TenantId": "", "ManagementGroupName": "", "_ResourceId": "", "SourceSystem": "", "EventOriginId": "", "Type": "", "MG": "",
}

// flat reads one level of fields, as NXLog and others write them (1, 1b).
func flat(r *ingest.Record, f *form) error {
	for name, v := range r.Root.Each() {
		if as, ok := aliases[name]; ok {
			name = as
		}
		if name == "" || v.Type() == ingest.Object && name == "Provider_Name" {
			continue
		}
		f.add(name, text(v))
	}
	return nil
}

// text is a value as a rule sees it. Null is the absence of a text, which an empty
// one stands for here.
func text(v ingest.Value) string {
	switch v.Type() {
	case ingest.Object:
		if t := v.Get("#text"); t.Type() != ingest.Missing {
			return text(t)
		}
	case ingest.Array:
		return strings.Join(v.Texts(), ", ")
	}
	return v.Text()
}

// evtxJSON reads the JSON of evtx exports: attributes of XML elements stand under
// "#attributes" or beside them with the suffix "_attributes" (2).
func evtxJSON(r *ingest.Record, f *form) error {
	event := r.Root.Get("Event")
	for name, v := range event.Get("System").Each() {
		base, beside := strings.CutSuffix(name, "_attributes")
		attrs := v.Get("#attributes")
		switch {
		case beside:
			attrs = v
		case v.Type() == ingest.Object && v.Get("#text").Type() == ingest.Missing:
		case v.Type() != ingest.Null:
			f.add(name, text(v))
		}
		for attr, v := range attrs.Each() {
			f.add(base+"_"+attr, text(v))
		}
	}
	f.system = f.len()
	data := event.Get("EventData")
	if data.Absent() {
		for _, user := range event.Get("UserData").Each() {
			data = user
			break
		}
	}
	dataFields(data, f)
	return nil
}

// dataFields adds the members of EventData. An unnamed list of values is "Data".
func dataFields(data ingest.Value, f *form) {
	if t := data.Type(); t == ingest.String {
		f.add("Data", data.Text())
		return
	}
	for name, v := range data.Each() {
		if name == "#attributes" || strings.HasSuffix(name, "_attributes") {
			continue
		}
		f.add(name, text(v))
	}
}

// analytics reads a row of Log Analytics, whose EventData is JSON in a text (4).
func analytics(r *ingest.Record, f *form) error {
	inner := ""
	for name, v := range r.Root.Each() {
		if name == "EventData" {
			inner = v.Text()
			continue
		}
		if as, ok := aliases[name]; ok {
			name = as
		}
		f.add(name, text(v))
	}
	f.system = f.len()
	if strings.HasPrefix(strings.TrimSpace(inner), "<") {
		return readXML(inner, f, true)
	}
	data, ok := r.Inner(inner)
	if !ok && strings.TrimSpace(inner) != "" {
		return &ingest.FieldError{Field: "EventData", Why: "neither a JSON object nor XML"}
	}
	dataFields(data, f)
	return nil
}

// beats are Winlogbeat's names of System's fields.
var beats = []struct{ path, name string }{
	{"winlog.event_id", "EventID"},
	{"winlog.channel", "Channel"},
	{"winlog.provider_name", "Provider_Name"},
	{"winlog.provider_guid", "Provider_Guid"},
	{"winlog.computer_name", "Computer"},
	{"winlog.record_id", "EventRecordID"},
	{"winlog.process.pid", "Execution_ProcessID"},
	{"winlog.process.thread.id", "Execution_ThreadID"},
	{"winlog.user.identifier", "Security_UserID"},
	{"winlog.version", "Version"},
	{"winlog.opcode", "Opcode"},
	{"winlog.task", "Task"},
	{"winlog.keywords", "Keywords"},
	{"log.level", "Level"},
	{"@timestamp", "TimeCreated_SystemTime"},
	{"message", "Message"},
}

// winlogbeat reads what Winlogbeat and Elastic Agent send.
func winlogbeat(r *ingest.Record, f *form) error {
	for _, b := range beats {
		if v := r.Root.Path(b.path); v.Type() != ingest.Missing {
			f.add(b.name, text(v))
		}
	}
	f.system = f.len()
	data := r.Root.Path("winlog.event_data")
	if data.Absent() {
		data = r.Root.Path("winlog.user_data")
	}
	dataFields(data, f)
	if data.Type() == ingest.Missing { // dotted names all the way down
		for name, v := range r.Root.Each() {
			if name, ok := strings.CutPrefix(name, "winlog.event_data."); ok {
				f.add(name, text(v))
			}
		}
	}
	takeBack(r, f)
	return nil
}

// syslogRow reads event XML inside a row of Log Analytics (5).
func syslogRow(r *ingest.Record, f *form) error {
	return readXML(xmlOf(r.Root.Get("SyslogMessage").Text()), f, false)
}

// plainXML reads event XML alone or in a line of syslog (3, 5).
func plainXML(r *ingest.Record, f *form) error { return readXML(xmlOf(r.Plain()), f, false) }

// xmlOf returns the event XML a line ends with.
func xmlOf(line string) string {
	i := 0
	if !strings.HasPrefix(line, "<Event") {
		if i = strings.Index(line, "<Event"); i < 0 || i > 1024 {
			return ""
		}
	}
	line = line[i:]
	if len(line) > len("<Event") && (line[6] == '>' || line[6] == ' ' || line[6] == '\t' || line[6] == '\r' || line[6] == '\n') {
		return line
	}
	return ""
}

// id returns the event's number.
func (f *form) id() int {
	n, err := strconv.Atoi(strings.TrimSpace(f.get("System_EventID", "EventID")))
	if err != nil || n < 0 || n > 1<<16 {
		return -1
	}
	return n
}
