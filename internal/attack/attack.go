// Package attack is the small ATT&CK table Honeyguide ships: id, name and
// tactics of the techniques its own rules name, checked against the
// enterprise data of 2025-11-13. ATT&CK is a trademark of The MITRE
// Corporation; see NOTICE.
package attack

import (
	"iter"
	"slices"
	"strings"

	"honeyguide"
)

// A Technique is one row of the matrix. A name is no key: two techniques may
// share one.
type Technique struct {
	ID      string
	Name    string   // without its parent's; see Title
	Tactics []string // tactic ids, the one our rules mean first
}

// A Tactic is one column of the matrix.
type Tactic struct{ ID, Name string }

// tactics stand in the order of the matrix.
var tactics = []Tactic{
	{"TA0043", "Reconnaissance"},
	{"TA0042", "Resource Development"},
	{"TA0001", "Initial Access"},
	{"TA0002", "Execution"},
	{"TA0003", "Persistence"},
	{"TA0004", "Privilege Escalation"},
	{"TA0005", "Defense Evasion"},
	{"TA0006", "Credential Access"},
	{"TA0007", "Discovery"},
	{"TA0008", "Lateral Movement"},
	{"TA0009", "Collection"},
	{"TA0011", "Command and Control"},
	{"TA0010", "Exfiltration"},
	{"TA0040", "Impact"},
}

var table = []Technique{
	// Reconnaissance
	{"T1595", "Active Scanning", []string{"TA0043"}},
	{"T1595.001", "Scanning IP Blocks", []string{"TA0043"}},
	{"T1595.002", "Vulnerability Scanning", []string{"TA0043"}},
	{"T1595.003", "Wordlist Scanning", []string{"TA0043"}},
	// Initial Access
	{"T1190", "Exploit Public-Facing Application", []string{"TA0001"}},
	{"T1133", "External Remote Services", []string{"TA0001", "TA0003"}},
	{"T1078", "Valid Accounts", []string{"TA0001", "TA0005", "TA0003", "TA0004"}},
	{"T1078.001", "Default Accounts", []string{"TA0001", "TA0005", "TA0003", "TA0004"}},
	// Execution
	{"T1059", "Command and Scripting Interpreter", []string{"TA0002"}},
	{"T1059.004", "Unix Shell", []string{"TA0002"}},
	{"T1059.006", "Python", []string{"TA0002"}},
	{"T1059.001", "PowerShell", []string{"TA0002"}},
	{"T1059.003", "Windows Command Shell", []string{"TA0002"}},
	{"T1053.003", "Cron", []string{"TA0002", "TA0003", "TA0004"}},
	{"T1053.005", "Scheduled Task", []string{"TA0002", "TA0003", "TA0004"}},
	{"T1047", "Windows Management Instrumentation", []string{"TA0002"}},
	{"T1569.002", "Service Execution", []string{"TA0002"}},
	{"T1609", "Container Administration Command", []string{"TA0002"}},
	{"T1610", "Deploy Container", []string{"TA0002", "TA0005"}},
	// Persistence
	{"T1098.004", "SSH Authorized Keys", []string{"TA0003", "TA0004"}},
	{"T1543.002", "Systemd Service", []string{"TA0003", "TA0004"}},
	{"T1546.004", "Unix Shell Configuration Modification", []string{"TA0003", "TA0004"}},
	{"T1037.004", "RC Scripts", []string{"TA0003", "TA0004"}},
	{"T1136.001", "Local Account", []string{"TA0003"}},
	{"T1505.003", "Web Shell", []string{"TA0003"}},
	{"T1098", "Account Manipulation", []string{"TA0003", "TA0004"}},
	{"T1543.003", "Windows Service", []string{"TA0003", "TA0004"}},
	{"T1546.003", "Windows Management Instrumentation Event Subscription", []string{"TA0003", "TA0004"}},
	{"T1546.008", "Accessibility Features", []string{"TA0003", "TA0004"}},
	{"T1547.001", "Registry Run Keys / Startup Folder", []string{"TA0003", "TA0004"}},
	{"T1547.006", "Kernel Modules and Extensions", []string{"TA0003", "TA0004"}},
	{"T1574.006", "Dynamic Linker Hijacking", []string{"TA0003", "TA0004", "TA0005"}},
	// Privilege Escalation
	{"T1068", "Exploitation for Privilege Escalation", []string{"TA0004"}},
	{"T1548.003", "Sudo and Sudo Caching", []string{"TA0004", "TA0005"}},
	{"T1548.001", "Setuid and Setgid", []string{"TA0004", "TA0005"}},
	{"T1611", "Escape to Host", []string{"TA0004"}},
	// Defense Evasion
	{"T1070.003", "Clear Command History", []string{"TA0005"}},
	{"T1070.004", "File Deletion", []string{"TA0005"}},
	{"T1562.001", "Disable or Modify Tools", []string{"TA0005"}},
	{"T1562.003", "Impair Command History Logging", []string{"TA0005"}},
	{"T1562.004", "Disable or Modify System Firewall", []string{"TA0005"}},
	{"T1222.002", "Linux and Mac File and Directory Permissions Modification", []string{"TA0005"}},
	{"T1027", "Obfuscated Files or Information", []string{"TA0005"}},
	{"T1140", "Deobfuscate/Decode Files or Information", []string{"TA0005"}},
	{"T1036.005", "Match Legitimate Resource Name or Location", []string{"TA0005"}},
	{"T1564.001", "Hidden Files and Directories", []string{"TA0005"}},
	{"T1014", "Rootkit", []string{"TA0005"}},
	{"T1497.001", "System Checks", []string{"TA0005", "TA0007"}},
	{"T1070.001", "Clear Windows Event Logs", []string{"TA0005"}},
	{"T1197", "BITS Jobs", []string{"TA0005", "TA0003"}},
	{"T1218.005", "Mshta", []string{"TA0005"}},
	{"T1218.010", "Regsvr32", []string{"TA0005"}},
	{"T1218.011", "Rundll32", []string{"TA0005"}},
	{"T1620", "Reflective Code Loading", []string{"TA0005"}},
	// Credential Access
	{"T1110", "Brute Force", []string{"TA0006"}},
	{"T1110.001", "Password Guessing", []string{"TA0006"}},
	{"T1110.003", "Password Spraying", []string{"TA0006"}},
	{"T1110.004", "Credential Stuffing", []string{"TA0006"}},
	{"T1552.001", "Credentials In Files", []string{"TA0006"}},
	{"T1552.003", "Shell History", []string{"TA0006"}},
	{"T1552.004", "Private Keys", []string{"TA0006"}},
	{"T1552.005", "Cloud Instance Metadata API", []string{"TA0006"}},
	{"T1003.008", "/etc/passwd and /etc/shadow", []string{"TA0006"}},
	{"T1003.001", "LSASS Memory", []string{"TA0006"}},
	{"T1003.002", "Security Account Manager", []string{"TA0006"}},
	{"T1003.003", "NTDS", []string{"TA0006"}},
	{"T1003.006", "DCSync", []string{"TA0006"}},
	{"T1040", "Network Sniffing", []string{"TA0006", "TA0007"}},
	{"T1556.003", "Pluggable Authentication Modules", []string{"TA0006", "TA0005", "TA0003"}},
	{"T1558.003", "Kerberoasting", []string{"TA0006"}},
	// Discovery
	{"T1046", "Network Service Discovery", []string{"TA0007"}},
	{"T1082", "System Information Discovery", []string{"TA0007"}},
	{"T1033", "System Owner/User Discovery", []string{"TA0007"}},
	{"T1087.001", "Local Account", []string{"TA0007"}},
	{"T1057", "Process Discovery", []string{"TA0007"}},
	{"T1016", "System Network Configuration Discovery", []string{"TA0007"}},
	{"T1049", "System Network Connections Discovery", []string{"TA0007"}},
	{"T1083", "File and Directory Discovery", []string{"TA0007"}},
	{"T1018", "Remote System Discovery", []string{"TA0007"}},
	{"T1518.001", "Security Software Discovery", []string{"TA0007"}},
	// Lateral Movement
	{"T1021.004", "SSH", []string{"TA0008"}},
	{"T1021.002", "SMB/Windows Admin Shares", []string{"TA0008"}},
	{"T1210", "Exploitation of Remote Services", []string{"TA0008"}},
	// Collection
	{"T1005", "Data from Local System", []string{"TA0009"}},
	// Command and Control
	{"T1105", "Ingress Tool Transfer", []string{"TA0011"}},
	{"T1071.001", "Web Protocols", []string{"TA0011"}},
	{"T1090", "Proxy", []string{"TA0011"}},
	{"T1572", "Protocol Tunneling", []string{"TA0011"}},
	{"T1095", "Non-Application Layer Protocol", []string{"TA0011"}},
	{"T1571", "Non-Standard Port", []string{"TA0011"}},
	{"T1090.003", "Multi-hop Proxy", []string{"TA0011"}},
	// Exfiltration
	{"T1041", "Exfiltration Over C2 Channel", []string{"TA0010"}},
	{"T1048", "Exfiltration Over Alternative Protocol", []string{"TA0010"}},
	// Impact
	{"T1496", "Resource Hijacking", []string{"TA0040"}},
	{"T1485", "Data Destruction", []string{"TA0040"}},
	{"T1486", "Data Encrypted for Impact", []string{"TA0040"}},
	{"T1489", "Service Stop", []string{"TA0040"}},
	{"T1490", "Inhibit System Recovery", []string{"TA0040"}},
	{"T1498", "Network Denial of Service", []string{"TA0040"}},
	{"T1499", "Endpoint Denial of Service", []string{"TA0040"}},
	{"T1529", "System Shutdown/Reboot", []string{"TA0040"}},
	{"T1531", "Account Access Removal", []string{"TA0040"}},
	{"T1565", "Data Manipulation", []string{"TA0040"}},
}

// index finds a technique by id.
var index = func() map[string]Technique {
	m := make(map[string]Technique, len(table))
	for _, t := range table {
		m[t.ID] = t
	}
	return m
}()

// Lookup returns the technique with an id, in any case.
func Lookup(id string) (Technique, bool) {
	if t, ok := index[id]; ok {
		return t, true
	}
	t, ok := index[strings.ToUpper(strings.TrimSpace(id))]
	return t, ok
}

// Techniques returns the whole table in the order of the matrix.
func Techniques() []Technique { return slices.Clone(table) }

// Tactics visits the tactics in the order of the matrix.
func Tactics() iter.Seq[Tactic] { return slices.Values(tactics) }

// TacticName returns the name of a tactic id, "" for an unknown one.
func TacticName(id string) string {
	for _, t := range tactics {
		if t.ID == id {
			return t.Name
		}
	}
	return ""
}

// TacticID returns the id of a tactic given by id or by name, with blanks,
// hyphens or underscores and in any case; "" for an unknown one.
func TacticID(word string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", " ", "_", " ").Replace(strings.TrimSpace(s)))
	}
	for _, t := range tactics {
		if plain(word) == plain(t.Name) || strings.EqualFold(word, t.ID) {
			return t.ID
		}
	}
	return ""
}

// Title returns "Parent: Sub" for a sub-technique whose parent is in the
// table, the name otherwise, and the id itself when it is unknown.
func Title(id string) string {
	t, ok := Lookup(id)
	if !ok {
		return id
	}
	if parent, _, sub := strings.Cut(t.ID, "."); sub {
		if p, ok := index[parent]; ok {
			return p.Name + ": " + t.Name
		}
	}
	return t.Name
}

// Of returns the technique with its first tactic and the reason it was mapped,
// as alerts carry it. The tactic of an unknown id is empty.
func Of(id, why string) honeyguide.Technique {
	out := honeyguide.Technique{ID: id, Why: why}
	if t, ok := Lookup(id); ok {
		out.Tactic = t.Tactics[0]
	}
	return out
}
