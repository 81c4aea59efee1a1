package windows

import (
	"strings"

	"honeyguide/internal/ingest"
)

// A move is a field that a module of Winlogbeat takes out of event_data and gives
// an ECS name; Sigma rules know Windows' own.
type move struct{ path, name string }

// movedBySysmon is what the module sysmon moves.
var movedBySysmon = []move{
	{"process.executable", "Image"},
	{"process.command_line", "CommandLine"},
	{"process.working_directory", "CurrentDirectory"},
	{"process.pid", "ProcessId"},
	{"process.entity_id", "ProcessGuid"},
	{"process.parent.executable", "ParentImage"},
	{"process.parent.command_line", "ParentCommandLine"},
	{"process.parent.pid", "ParentProcessId"},
	{"process.parent.entity_id", "ParentProcessGuid"},
	{"process.pe.original_file_name", "OriginalFileName"},
	{"process.pe.company", "Company"},
	{"process.pe.description", "Description"},
	{"process.pe.product", "Product"},
	{"process.pe.file_version", "FileVersion"},
	{"dll.path", "ImageLoaded"},
	{"registry.path", "TargetObject"},
	{"dns.question.name", "QueryName"},
	{"source.ip", "SourceIp"},
	{"source.port", "SourcePort"},
	{"destination.ip", "DestinationIp"},
	{"destination.port", "DestinationPort"},
	{"destination.domain", "DestinationHostname"},
	{"network.transport", "Protocol"},
}

// movedBySecurity is what the module security moves, of all events but 4688.
var movedBySecurity = []move{
	{"source.ip", "IpAddress"},
	{"source.port", "IpPort"},
	{"source.domain", "WorkstationName"},
	{"process.executable", "ProcessName"},
	{"process.pid", "ProcessId"},
	{"service.name", "ServiceName"},
}

// movedByCreation is what it moves of 4688, where ProcessId is the creator's and
// stays where it was.
var movedByCreation = []move{
	{"process.executable", "NewProcessName"},
	{"process.pid", "NewProcessId"},
	{"process.command_line", "CommandLine"},
	{"process.parent.executable", "ParentProcessName"},
}

// movedByPowerShell is what the module powershell moves.
var movedByPowerShell = []move{
	{"powershell.file.script_block_text", "ScriptBlockText"},
	{"powershell.file.script_block_id", "ScriptBlockId"},
	{"file.path", "Path"},
	{"powershell.sequence", "MessageNumber"},
	{"powershell.total", "MessageTotal"},
	{"process.command_line", "HostApplication"},
	{"process.title", "HostName"},
	{"powershell.engine.version", "EngineVersion"},
	{"powershell.engine.new_state", "NewEngineState"},
	{"powershell.engine.previous_state", "PreviousEngineState"},
	{"powershell.provider.name", "ProviderName"},
}

// takeBack gives moved fields their names again where event_data lacks them.
func takeBack(r *ingest.Record, f *form) {
	switch f.get("Provider_Name") {
	case "Microsoft-Windows-Sysmon":
		takeBackSysmon(r, f)
	case "Microsoft-Windows-Security-Auditing":
		moves := movedBySecurity
		if f.id() == 4688 {
			moves = movedByCreation
		}
		f.takeBack(r, moves)
	case "Microsoft-Windows-PowerShell", "PowerShell":
		f.takeBack(r, movedByPowerShell)
		f.lacking("Payload", payload(r))
	}
}

func (f *form) takeBack(r *ingest.Record, moves []move) {
	for _, m := range moves {
		f.lacking(m.name, text(r.Root.Path(m.path)))
	}
}

// lacking adds a field of event_data that is not there.
func (f *form) lacking(name, value string) {
	if value != "" && at(f.names[f.system:], name) < 0 {
		f.add(name, value)
	}
}

// payload writes what a pipeline did as 4103 has it, a line for each command that
// was invoked and each parameter that was bound.
func payload(r *ingest.Record) string {
	var b strings.Builder
	for _, d := range r.Root.Path("powershell.command.invocation_details").Each() {
		if b.Len() > ingest.MaxText {
			break
		}
		b.WriteString(text(d.Get("type")) + "(" + text(d.Get("related_command")) + "): ")
		if name := text(d.Get("name")); name != "" {
			b.WriteString(`name="` + name + `"; value=`)
		}
		b.WriteString(text(d.Get("value")) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func takeBackSysmon(r *ingest.Record, f *form) {
	f.takeBack(r, movedBySysmon)
	target := "TargetFilename"
	if id := f.id(); id == 6 || id == 7 { // a driver or a library was loaded
		target = "ImageLoaded"
	}
	f.lacking(target, text(r.Root.Path("file.path")))
	user := text(r.Root.Path("user.name"))
	if domain := text(r.Root.Path("user.domain")); domain != "" && user != "" {
		user = domain + `\` + user
	}
	f.lacking("User", user)
	var hashes []string
	for _, kind := range []string{"sha1", "md5", "sha256"} {
		for _, of := range []string{"process", "file", "dll"} {
			if h := text(r.Root.Path(of + ".hash." + kind)); h != "" {
				hashes = append(hashes, strings.ToUpper(kind)+"="+strings.ToUpper(h))
				break
			}
		}
	}
	f.lacking("Hashes", strings.Join(hashes, ","))
}
