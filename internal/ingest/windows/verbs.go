package windows

import (
	"net/netip"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
)

// Verbs of host events no sensor has a word for.
const (
	processStart = "process_start"
	processEnd   = "process_end"
	fileCreate   = "file_create"
	fileDelete   = "file_delete"
	fileStream   = "file_stream"
	netConnect   = "network_connection"
	dnsQuery     = "dns_query"
	moduleLoad   = "module_load"
	registry     = "registry_change"
	processTouch = "process_access"
	pipe         = "pipe"
	logout       = "logout"
	account      = "account_change"
	service      = "service_install"
	task         = "scheduled_task"
	logCleared   = "log_cleared"
	script       = "script"
	auditPolicy  = "audit_policy"
)

type verb struct {
	class    honeyguide.Class
	activity string
}

// Verbs of Sysmon by EventID; both Sysmons use the same numbers.
var sysmonVerbs = map[int]verb{
	1: {honeyguide.ClassProcess, processStart}, 2: {honeyguide.ClassFile, "file_time"}, 3: {honeyguide.ClassNetwork, netConnect},
	5: {honeyguide.ClassProcess, processEnd}, 6: {honeyguide.ClassModule, "driver_load"}, 7: {honeyguide.ClassModule, moduleLoad},
	8: {honeyguide.ClassProcess, "remote_thread"}, 9: {honeyguide.ClassFile, "raw_read"}, 10: {honeyguide.ClassProcess, processTouch},
	11: {honeyguide.ClassFile, fileCreate}, 12: {honeyguide.ClassRegistry, registry}, 13: {honeyguide.ClassRegistry, registry},
	14: {honeyguide.ClassRegistry, registry}, 15: {honeyguide.ClassFile, fileStream}, 17: {honeyguide.ClassFile, pipe}, 18: {honeyguide.ClassFile, pipe},
	19: {honeyguide.ClassLog, "wmi"}, 20: {honeyguide.ClassLog, "wmi"}, 21: {honeyguide.ClassLog, "wmi"}, 22: {honeyguide.ClassDNS, dnsQuery},
	23: {honeyguide.ClassFile, fileDelete}, 25: {honeyguide.ClassProcess, "process_tampering"}, 26: {honeyguide.ClassFile, fileDelete},
	27: {honeyguide.ClassFile, "file_blocked"}, 28: {honeyguide.ClassFile, "file_blocked"}, 29: {honeyguide.ClassFile, fileCreate},
}

// Verbs of the security log.
var securityVerbs = map[int]verb{
	4624: {honeyguide.ClassAuthentication, honeyguide.ActivityLoginSuccess}, 4625: {honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed},
	4648: {honeyguide.ClassAuthentication, "login_explicit"}, 4634: {honeyguide.ClassAuthentication, logout}, 4647: {honeyguide.ClassAuthentication, logout},
	4768: {honeyguide.ClassAuthentication, "kerberos_ticket"}, 4769: {honeyguide.ClassAuthentication, "kerberos_ticket"},
	4771: {honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}, 4776: {honeyguide.ClassAuthentication, "credential_check"},
	4672: {honeyguide.ClassAuthentication, "privileges"}, 4688: {honeyguide.ClassProcess, processStart}, 4689: {honeyguide.ClassProcess, processEnd},
	4697: {honeyguide.ClassLog, service}, 4698: {honeyguide.ClassLog, task}, 4702: {honeyguide.ClassLog, task},
	4767: {honeyguide.ClassAccount, account}, 4781: {honeyguide.ClassAccount, account}, 4964: {honeyguide.ClassAuthentication, "privileges"},
	4770: {honeyguide.ClassAuthentication, "kerberos_ticket"}, 4778: {honeyguide.ClassAuthentication, "session_open"}, 4779: {honeyguide.ClassAuthentication, logout},
	4719: {honeyguide.ClassLog, auditPolicy}, 4817: {honeyguide.ClassLog, auditPolicy}, 4670: {honeyguide.ClassFile, "permissions_change"},
	4657: {honeyguide.ClassRegistry, registry}, 4663: {honeyguide.ClassFile, "object_access"}, 5140: {honeyguide.ClassFile, "share_access"},
	5145: {honeyguide.ClassFile, "share_access"}, 5156: {honeyguide.ClassNetwork, netConnect}, 5158: {honeyguide.ClassNetwork, "bind"}, 1102: {honeyguide.ClassLog, logCleared},
}

// rangesOfSecurity are runs of neighbours in the security log that mean the same: users,
// groups of every kind and computers as they are made, changed and removed.
var rangesOfSecurity = []struct {
	from, to int
	verb     verb
}{
	{4699, 4701, verb{honeyguide.ClassLog, task}},
	{4720, 4738, verb{honeyguide.ClassAccount, account}},
	{4740, 4764, verb{honeyguide.ClassAccount, account}},
	{4673, 4674, verb{honeyguide.ClassAuthentication, "privileges"}},
	{4798, 4799, verb{honeyguide.ClassAccount, "membership_listed"}},
	{4902, 4908, verb{honeyguide.ClassLog, auditPolicy}},
}

// securityVerb is the verb of an event of the security log.
func securityVerb(id int) (verb, bool) {
	if v, ok := securityVerbs[id]; ok {
		return v, true
	}
	for _, r := range rangesOfSecurity {
		if r.from <= id && id <= r.to {
			return r.verb, true
		}
	}
	return verb{}, false
}

// defender are Microsoft Defender's events that report something it found.
var defender = map[int]bool{1006: true, 1007: true, 1015: true, 1116: true, 1117: true, 1119: true}

// attrs are the typed copies of fields, the first field that says something wins.
var attrs = []struct {
	attr  string
	limit int
	names []string
}{
	{honeyguide.AttrCommand, ingest.MaxText, []string{"CommandLine", "ProcessCommandLine"}},
	{"process.file.path", ingest.MaxText, []string{"Image", "NewProcessName", "ProcessName", "SourceImage", "Application"}},
	{"process.parent_process.file.path", ingest.MaxText, []string{"ParentImage", "ParentProcessName"}},
	{"process.parent_process.cmd_line", ingest.MaxText, []string{"ParentCommandLine"}},
	{honeyguide.AttrPath, ingest.MaxText, []string{"TargetFilename", "ImageLoaded", "RelativeTargetName", "PipeName"}},
	{"reg_key.path", 1024, []string{"TargetObject", "ObjectName"}},
	{"query.hostname", 512, []string{"QueryName"}},
	{honeyguide.AttrUser, 255, []string{"TargetUserName", "User", "SubjectUserName", "AccountName"}},
	{"actor.user.name", 255, []string{"SubjectUserName"}},
	{honeyguide.AttrStatusText, 64, []string{"Status", "FailureReason"}},
}

// describe sets what the fields say in OCSF's words.
func describe(r *ingest.Record, f *form, e *honeyguide.Event) {
	id, channel, provider := f.id(), f.get("System_Channel", "Channel"), f.get("System_Provider_Name", "Provider_Name")
	linux := provider == "Linux-Sysmon" || strings.HasPrefix(channel, "Linux-Sysmon")
	v, known := verbOf(id, channel, provider)
	if !known {
		v = verb{honeyguide.ClassLog, ingest.ActivityRecord}
	}
	e.Class, e.Activity = v.class, v.activity
	e.Set(honeyguide.AttrProduct, product)
	logSource(e, id, channel, linux)
	e.Set(ingest.AttrType, ingest.Cut(channel, 128))
	computer := f.get("System_Computer", "Computer", "host")
	e.Set(honeyguide.AttrDevice, ingest.Cut(computer, 255))
	for _, a := range attrs {
		e.Set(a.attr, ingest.Cut(f.get(a.names...), a.limit))
	}
	if pid, err := strconv.ParseInt(f.get("NewProcessId", "ProcessId"), 0, 64); err == nil && pid >= 0 {
		e.Set("process.pid", pid)
	}
	endpoints(r, f, e)
	hashes(f.get("Hashes", "Hash"), e)
	if defender[id] && strings.Contains(provider, "Windows Defender") {
		found(f, e, id)
	}
	if record := f.get("EventRecordID"); record != "" {
		e.Set(honeyguide.AttrOriginID, ingest.Cut(record, 64))
		e.ID = ingest.RecordID(e.Time, product, computer, strings.ToLower(channel), record)
	}
}

func verbOf(id int, channel, provider string) (verb, bool) {
	var v verb
	var ok bool
	switch {
	case strings.Contains(provider, "Sysmon") || strings.Contains(channel, "Sysmon"):
		v, ok = sysmonVerbs[id]
	case strings.EqualFold(channel, "Security") || strings.HasSuffix(provider, "Security-Auditing"):
		v, ok = securityVerb(id)
	case strings.EqualFold(channel, "System") && id == 7045:
		v, ok = verb{honeyguide.ClassLog, service}, true
	case strings.EqualFold(channel, "System") && id == 104:
		v, ok = verb{honeyguide.ClassLog, logCleared}, true
	case strings.Contains(channel, "PowerShell") && (id == 4103 || id == 4104):
		v, ok = verb{honeyguide.ClassProcess, script}, true
	}
	return v, ok
}

// services are the channels whose service no rule has to work out.
var services = map[string]string{
	"security": "security", "system": "system", "application": "application", "microsoft-windows-sysmon/operational": "sysmon",
	"microsoft-windows-powershell/operational": "powershell", "windows powershell": "powershell-classic",
	"microsoft-windows-windows defender/operational": "windefend", "linux-sysmon/operational": "sysmon",
}

// logSource names the log. The categories of an id follow from channel and EventID,
// which are kept.
func logSource(e *honeyguide.Event, id int, channel string, linux bool) {
	service := services[strings.ToLower(channel)]
	if linux {
		ingest.Source(e, "linux", linuxCategories[id], service)
		return
	}
	ingest.Source(e, product, "", service)
}

// linuxCategories are those of Sysmon for Linux, which no Windows table gives.
var linuxCategories = map[int]string{
	1: "process_creation", 3: "network_connection", 5: "process_termination", 9: "raw_access_thread", 10: "process_access", 11: "file_event", 23: "file_delete",
}

// endpoints reads both sides. A logon from the machine itself has an address of
// its own or none.
func endpoints(r *ingest.Record, f *form, e *honeyguide.Event) {
	side := func(end *honeyguide.Endpoint, addr, name, port string) {
		a, err := netip.ParseAddr(strings.TrimSpace(addr))
		if err != nil {
			if addr != "" && addr != "LOCAL" {
				r.Note("bad_address")
			}
			end.Hostname = ingest.Cut(name, 255)
			return
		}
		a = a.Unmap().WithZone("")
		if a.IsUnspecified() {
			return
		}
		n, _ := strconv.ParseUint(port, 10, 16)
		end.Addr = netip.AddrPortFrom(a, uint16(n))
		end.Hostname = ingest.Cut(name, 255)
	}
	side(&e.Src, f.get("SourceIp", "IpAddress", "SourceAddress", "ClientAddress"), f.get("SourceHostname", "WorkstationName", "Workstation"), f.get("SourcePort", "IpPort"))
	side(&e.Dst, f.get("DestinationIp", "DestAddress"), f.get("DestinationHostname"), f.get("DestinationPort", "DestPort"))
	if p := f.get("Protocol"); p != "" {
		if p == "6" {
			p = "tcp"
		} else if p == "17" {
			p = "udp"
		}
		e.Set(honeyguide.AttrProtocol, strings.ToLower(ingest.Cut(p, 16)))
	}
}

// hashes splits "SHA1=...,MD5=...,SHA256=...,IMPHASH=...".
func hashes(list string, e *honeyguide.Event) {
	for part := range strings.SplitSeq(list, ",") {
		name, sum, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || len(sum) > 64 || sum == "" || strings.Trim(sum, "0") == "" {
			continue
		}
		name, sum = strings.ToLower(name), strings.ToLower(sum)
		switch name {
		case "md5", "sha1", "sha256", "imphash":
			e.Set("file."+name, sum)
		}
		if name == "sha256" {
			e.Observables = append(e.Observables, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: sum})
		}
	}
}

// found makes a finding of what Defender reports. Its severity ids are 1 low, 2
// moderate, 4 high, 5 severe.
func found(f *form, e *honeyguide.Event, id int) {
	e.Class, e.Activity = honeyguide.ClassDetection, honeyguide.ActivityFinding
	e.Severity = honeyguide.SeverityHigh
	switch f.get("Severity ID") {
	case "1":
		e.Severity = honeyguide.SeverityLow
	case "2":
		e.Severity = honeyguide.SeverityMedium
	case "5":
		e.Severity = honeyguide.SeverityCritical
	}
	e.Set(honeyguide.AttrProduct, "windows-defender")
	e.Set(honeyguide.AttrRule, ingest.Cut(f.get("Threat Name", "ThreatName"), 512))
	e.Set(honeyguide.AttrRuleID, ingest.Cut(f.get("Threat ID", "ThreatID"), 64)+":"+strconv.Itoa(id))
	e.Set(honeyguide.AttrCategory, "malware "+ingest.Cut(f.get("Category Name"), 128))
	e.Set(honeyguide.AttrPath, ingest.Cut(f.get("Path"), ingest.MaxText))
}
