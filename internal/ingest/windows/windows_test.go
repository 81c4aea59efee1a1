package windows_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/windows"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{windows.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "windows") }

const (
	nxlog = `{"UtcTime":"2026-11-21 19:30:00.123","Hostname":"w1","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"SourceName":"Microsoft-Windows-Sysmon","SourceModuleType":"im_msvistalog","RecordNumber":7,"Image":"C:\\cmd.exe","CommandLine":"cmd \"a\" & b","ProcessId":"4460","RuleName":"-","Description":""}`
	other = `{"UtcTime":"2026-11-21 19:30:00.123","Hostname":"w1","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":"1","SourceName":"Microsoft-Windows-Sysmon","RecordNumber":"7","Image":"C:\\cmd.exe","CommandLine":"cmd \"a\" & b","ProcessId":4460,"RuleName":"-","Description":""}`
	evtx  = `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"w1","EventRecordID":7},"EventData":{"UtcTime":"2026-11-21 19:30:00.123","Image":"C:\\cmd.exe","CommandLine":"cmd \"a\" & b","ProcessId":4460,"RuleName":"-","Description":""}}}`
	rows  = `{"Type":"WindowsEvent","TenantId":"x","Provider":"Microsoft-Windows-Sysmon","EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"w1","EventRecordID":"7","EventData":"{\"UtcTime\":\"2026-11-21 19:30:00.123\",\"Image\":\"C:\\\\cmd.exe\",\"CommandLine\":\"cmd \\\"a\\\" & b\",\"ProcessId\":\"4460\",\"RuleName\":\"-\",\"Description\":\"\"}"}`
	beat  = `{"winlog":{"event_id":1,"provider_name":"Microsoft-Windows-Sysmon","channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"w1","record_id":7,"event_data":{"UtcTime":"2026-11-21 19:30:00.123","Image":"C:\\cmd.exe","CommandLine":"cmd \"a\" & b","ProcessId":"4460","RuleName":"-","Description":""}}}`
	xml   = `<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Microsoft-Windows-Sysmon"/><EventID>1</EventID><EventRecordID>7</EventRecordID><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>w1</Computer></System><EventData><Data Name="UtcTime">2026-11-21 19:30:00.123</Data><Data Name="Image">C:\cmd.exe</Data><Data Name="CommandLine">cmd &quot;a&quot; &amp; b</Data><Data Name="ProcessId">4460</Data><Data Name="RuleName">-</Data><Data Name="Description"/></EventData></Event>`
)

// One event typed in every encoding gives the same event, field by field.
func TestEncodingsAgree(t *testing.T) {
	var want honeyguide.Event
	for i, in := range []string{evtx, nxlog, other, rows, beat, xml, "<13>Nov 21 19:30:00 w1 nxlog: " + xml} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Zone: nil}, []byte(in))
		if res.Err != nil || len(res.Events) != 1 {
			t.Fatalf("%.40s: %v, dead %v", in, res.Err, res.Dead)
		}
		got := res.Events[0]
		got.Raw = nil
		if i == 0 {
			want = got
			continue
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		if string(g) != string(w) {
			t.Errorf("%.40s\n got %s\nwant %s", in, g, w)
		}
	}
	for name, value := range map[string]string{"CommandLine": `cmd "a" & b`, "RuleName": "-", "Description": "", "EventID": "1", "ProcessId": "4460", "Provider_Name": "Microsoft-Windows-Sysmon"} {
		if got, ok := want.Attrs["unmapped."+name].(string); !ok || got != value {
			t.Errorf("%s: got %q, %v, want %q", name, got, ok, value)
		}
	}
	if want.Str(honeyguide.AttrLogProduct) != "windows" || want.Str(honeyguide.AttrLogService) != "sysmon" || want.Activity != "process_start" {
		t.Errorf("got %+v", want)
	}
}

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "windows", nxlog, strings.ReplaceAll(evtx, `:7}`, `:8}`), strings.ReplaceAll(beat, `:7,`, `:9,`))
}

func TestLines(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "windows",
		"Nov 21 19:30:00 w1 sysmon: "+xml, "Nov 21 19:30:01 w1 sysmon: "+strings.ReplaceAll(xml, "D>7<", "D>8<"))
}

// What could make XML dangerous is refused, and costs nothing.
func TestHostileXML(t *testing.T) {
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, ` a%d="x"`, i)
	}
	for name, in := range map[string]string{
		"doctype":         `<Event><!DOCTYPE x [<!ENTITY a "aaaa">]><System><EventID>&a;</EventID></System></Event>`,
		"unknown entity":  `<Event><System><EventID>&xxe;</EventID></System></Event>`,
		"many attributes": `<Event><System><Provider` + many.String() + `/></System></Event>`,
		"deep":            `<Event>` + strings.Repeat("<a>", 1000) + `</Event>`,
		"crossed":         `<Event><System></Event>`,
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), MaxRecord: 4 << 20}, []byte(in))
		if res.Err != nil || len(res.Events) != 0 || len(res.Dead) != 1 || !strings.HasPrefix(res.Dead[0].Reason, "XML: ") {
			t.Errorf("%s: got %v, %d events, dead %v", name, res.Err, len(res.Events), res.Dead)
		}
	}
}

// Windows field names survive as they are: long script blocks whole up to their
// bound, many fields up to theirs.
func TestBounds(t *testing.T) {
	long := strings.Repeat("x", 30_000)
	var members strings.Builder
	for i := range 300 {
		fmt.Fprintf(&members, `,"Field%d":%q`, i, strings.Repeat("y", 500))
	}
	in := `{"EventID":4104,"Channel":"Microsoft-Windows-PowerShell/Operational","TimeCreated":"2026-11-21T19:30:00Z","ScriptBlockText":"` + long + `"` + members.String() + `}`
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(in))
	if len(res.Events) != 1 {
		t.Fatal(res)
	}
	if n := len(res.Events[0].Str("unmapped.ScriptBlockText")); n != 16<<10 {
		t.Errorf("%d bytes of the script are kept", n)
	}
	if res.Summary.Notes["fields_cut"] == 0 {
		t.Errorf("notes %v", slices.Sorted(maps.Keys(res.Summary.Notes)))
	}
}

func FuzzWindows(f *testing.F) {
	for _, in := range []string{nxlog, other, evtx, rows, beat, xml, `{"Event":{"System":{"EventID":[1],"Provider":3},"EventData":[[{"a":1}]]}}`, `{"EventID":{},"Channel":1,"EventData":"<a"}`} {
		f.Add([]byte(in))
	}
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "windows", input) })
}

func BenchmarkReadNXLog(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "windows",
		`{"Keywords":-9223372036854775808,"SeverityValue":2,"SourceImage":"C:\\windows\\system32\\svchost.exe","EventID":10,"ProviderGuid":"{5770385F-C22A-43E0-BF4C-06F5698FFBD9}","ExecutionProcessID":9848,"Channel":"Microsoft-Windows-Sysmon/Operational","host":"wec.example","AccountType":"User","UserID":"S-1-5-18","SourceProcessGUID":"{b34bc01c-7fae-5f63-1000-000000000400}","ThreadID":7976,"TargetImage":"C:\\windows\\System32\\svchost.exe","GrantedAccess":"0x1000","EventType":"INFO","Opcode":"Info","EventTime":"2026-11-21 12:16:06","EventReceivedTime":"2026-11-21 12:16:09","@timestamp":"2026-11-21T16:16:09.%06dZ","SourceModuleType":"im_msvistalog","port":64545,"AccountName":"SYSTEM","RecordNumber":%d,"SourceProcessId":"880","Task":10,"Domain":"NT AUTHORITY","@version":"1","SourceName":"Microsoft-Windows-Sysmon","Version":3,"CallTrace":"C:\\windows\\SYSTEM32\\ntdll.dll+9c534|C:\\windows\\SYSTEM32\\psmserviceexthost.dll+222a3","Hostname":"W5.example","RuleName":"-"}`)
}

func BenchmarkReadXML(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "windows", "Nov 21 19:30:00 w1 sysmon: "+strings.ReplaceAll(xml, "D>7<", "D>%d<"))
}

// Winlogbeat's modules move fields to ECS; rules find them under Sysmon's names,
// and what event_data still has is not taken from elsewhere.
func TestModulesMoveFields(t *testing.T) {
	const in = `{"@timestamp":"2026-11-21T19:30:00Z","process":{"executable":"C:\\Windows\\notepad.exe","command_line":"notepad x","pid":3616,"hash":{"sha1":"ab12"},` +
		`"parent":{"executable":"C:\\Windows\\explorer.exe"},"pe":{"original_file_name":"NOTEPAD.EXE","company":"other"}},"file":{"path":"C:\\x"},"user":{"domain":"D","name":"u"},` +
		`"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","event_id":1,"record_id":20,"event_data":{"Company":"Microsoft"}}}`
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(in))
	if res.Err != nil || len(res.Events) != 1 {
		t.Fatalf("%v, dead %v", res.Err, res.Dead)
	}
	e := res.Events[0]
	for name, want := range map[string]string{
		"Image": `C:\Windows\notepad.exe`, "CommandLine": "notepad x", "ProcessId": "3616", "ParentImage": `C:\Windows\explorer.exe`, "OriginalFileName": "NOTEPAD.EXE",
		"Company": "Microsoft", "User": `D\u`, "Hashes": "SHA1=AB12", "TargetFilename": `C:\x`,
	} {
		if got := e.Str("unmapped." + name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if e.Str(honeyguide.AttrCommand) != "notepad x" {
		t.Errorf("the command is %q", e.Str(honeyguide.AttrCommand))
	}
}

// Account management is a run of ids, and auditing another.
func TestSecurityRanges(t *testing.T) {
	for id, want := range map[int]string{
		4719: "audit_policy", 4720: "account_change", 4733: "account_change", 4743: "account_change", 4758: "account_change", 4765: "record",
		4699: "scheduled_task", 4700: "scheduled_task", 4778: "session_open", 4779: "logout", 4799: "membership_listed", 4907: "audit_policy", 4688: "process_start",
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "windows"},
			fmt.Appendf(nil, `{"Channel":"Security","EventID":%d,"SourceName":"Microsoft-Windows-Security-Auditing","TimeCreated":"2026-11-21T19:30:00Z"}`, id))
		if len(res.Events) != 1 || res.Events[0].Activity != want {
			t.Errorf("%d: got %+v, want %s", id, res.Events, want)
		}
	}
}

// Winlogbeat's modules security and powershell move fields that say who and what.
func TestMovedFields(t *testing.T) {
	for name, test := range map[string]struct{ record, field, want string }{
		"4625 from":          {`"event_id":"4625"},"source":{"ip":"198.51.100.7","port":53366}`, "IpAddress", "198.51.100.7"},
		"4688 new process":   {`"event_id":"4688","event_data":{"ProcessId":"0x122c"}},"process":{"pid":4556,"executable":"C:\\x.exe"}`, "NewProcessId", "4556"},
		"4688 creator stays": {`"event_id":"4688","event_data":{"ProcessId":"0x122c"}},"process":{"pid":4556}`, "ProcessId", "0x122c"},
		"4673 process":       {`"event_id":"4673"},"process":{"pid":496,"executable":"C:\\lsass.exe"}`, "ProcessName", `C:\lsass.exe`},
	} {
		got := moved(t, `{"@timestamp":"2026-11-21T19:30:00Z","winlog":{"provider_name":"Microsoft-Windows-Security-Auditing","channel":"Security",`+test.record+`}`)
		if got.Attrs[ingest.AttrUnmapped+test.field] != test.want {
			t.Errorf("%s: got %v, want %s %q", name, got.Attrs, test.field, test.want)
		}
	}
	if e := moved(t, `{"@timestamp":"2026-11-21T19:30:00Z","winlog":{"provider_name":"Microsoft-Windows-Security-Auditing","channel":"Security","event_id":"4771"},"source":{"ip":"198.51.100.7","port":53366}}`); e.Src.Addr.String() != "198.51.100.7:53366" {
		t.Errorf("got the address %v", e.Src.Addr)
	}
	e := moved(t, `{"@timestamp":"2026-11-21T19:30:00Z","winlog":{"provider_name":"Microsoft-Windows-PowerShell","channel":"Microsoft-Windows-PowerShell/Operational","event_id":"4103"},
		"powershell":{"file":{"script_block_text":"IEX $x"},"command":{"invocation_details":[{"type":"CommandInvocation","related_command":"Out-Null","value":"\"Out-Null\""},{"type":"ParameterBinding","related_command":"Out-Null","name":"InputObject","value":"\"a\""}]}}}`)
	want := "CommandInvocation(Out-Null): \"Out-Null\"\nParameterBinding(Out-Null): name=\"InputObject\"; value=\"a\""
	if e.Attrs[ingest.AttrUnmapped+"Payload"] != want || e.Attrs[ingest.AttrUnmapped+"ScriptBlockText"] != "IEX $x" {
		t.Errorf("got %v", e.Attrs)
	}
}

func moved(t *testing.T, record string) honeyguide.Event {
	t.Helper()
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "windows"}, []byte(record))
	if len(res.Events) != 1 {
		t.Fatalf("got %+v, dead %+v", res.Events, res.Dead)
	}
	return res.Events[0]
}
