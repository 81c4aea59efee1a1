package sigma

import "strings"

// sysmonCategories are the categories of Sysmon's events by EventID, as the
// Sigma taxonomy has them.
var sysmonCategories = map[int][]string{
	1: {"process_creation"}, 2: {"file_change"}, 3: {"network_connection"}, 4: {"sysmon_status"}, 5: {"process_termination"},
	6: {"driver_load"}, 7: {"image_load"}, 8: {"create_remote_thread"}, 9: {"raw_access_thread"}, 10: {"process_access"},
	11: {"file_event"}, 12: {"registry_add", "registry_delete", "registry_event"}, 13: {"registry_set", "registry_event"},
	14: {"registry_rename", "registry_event"}, 15: {"create_stream_hash"}, 16: {"sysmon_status"}, 17: {"pipe_created"}, 18: {"pipe_created"},
	19: {"wmi_event"}, 20: {"wmi_event"}, 21: {"wmi_event"}, 22: {"dns_query"}, 23: {"file_delete"}, 24: {"clipboard_capture"},
	25: {"process_tampering"}, 26: {"file_delete_detected", "file_delete"}, 27: {"file_block_executable"}, 28: {"file_block_shredding"}, 29: {"file_executable_detected"},
	255: {"sysmon_error"},
}

// powershellCategories are those of PowerShell's channels.
var powershellCategories = map[int][]string{
	400: {"ps_classic_start"}, 600: {"ps_classic_provider_start"}, 800: {"ps_classic_script"}, 4103: {"ps_module"}, 4104: {"ps_script"},
}

// windowsServices are the services by channel, in lower case.
var windowsServices = map[string]string{
	"security": "security", "system": "system", "application": "application",
	"microsoft-windows-sysmon/operational":                               "sysmon",
	"microsoft-windows-powershell/operational":                           "powershell",
	"powershellcore/operational":                                         "powershell",
	"windows powershell":                                                 "powershell-classic",
	"microsoft-windows-windows defender/operational":                     "windefend",
	"microsoft-windows-appxdeploymentserver/operational":                 "appxdeployment-server",
	"microsoft-windows-appxpackaging/operational":                        "appxpackaging-om",
	"microsoft-windows-appmodel-runtime/admin":                           "appmodel-runtime",
	"microsoft-windows-codeintegrity/operational":                        "codeintegrity-operational",
	"microsoft-windows-windows firewall with advanced security/firewall": "firewall-as",
	"msexchange management":                                              "msexchange-management",
	"microsoft-windows-bits-client/operational":                          "bits-client",
	"microsoft-windows-dns client events/operational":                    "dns-client",
	"microsoft-windows-dns-server/analytical":                            "dns-server-analytic",
	"dns server":                         "dns-server",
	"microsoft-windows-dns-server/audit": "dns-server-audit",
	"microsoft-windows-driverframeworks-usermode/operational":                  "driver-framework",
	"microsoft-windows-taskscheduler/operational":                              "taskscheduler",
	"microsoft-windows-ntlm/operational":                                       "ntlm",
	"microsoft-windows-wmi-activity/operational":                               "wmi",
	"microsoft-windows-applocker/msi and script":                               "applocker",
	"microsoft-windows-applocker/exe and dll":                                  "applocker",
	"microsoft-windows-applocker/packaged app-deployment":                      "applocker",
	"microsoft-windows-applocker/packaged app-execution":                       "applocker",
	"openssh/operational":                                                      "openssh",
	"microsoft-windows-smbclient/security":                                     "smbclient-security",
	"microsoft-windows-smbclient/connectivity":                                 "smbclient-connectivity",
	"microsoft-windows-smbserver/connectivity":                                 "smbserver-connectivity",
	"microsoft-iis-configuration/operational":                                  "iis-configuration",
	"microsoft-windows-terminalservices-localsessionmanager/operational":       "terminalservices-localsessionmanager",
	"microsoft-windows-lsa/operational":                                        "lsa-server",
	"microsoft-windows-printservice/admin":                                     "printservice-admin",
	"microsoft-windows-printservice/operational":                               "printservice-operational",
	"microsoft-windows-security-mitigations/kernel mode":                       "security-mitigations",
	"microsoft-windows-security-mitigations/user mode":                         "security-mitigations",
	"microsoft-windows-ldap-client/debug":                                      "ldap",
	"microsoft-windows-diagnosis-scripted/operational":                         "diagnosis-scripted",
	"microsoft-windows-shell-core/operational":                                 "shell-core",
	"microsoft-windows-capi2/operational":                                      "capi2",
	"microsoft-windows-certificateservicesclient-lifecycle-system/operational": "certificateservicesclient-lifecycle-system",
	"microsoft-windows-vhdmp-operational":                                      "vhdmp",
	"microsoft-windows-hyper-v-worker-admin":                                   "hyper-v-worker",
	"microsoft-servicebus-client":                                              "microsoft-servicebus-client",
	"microsoft-servicebus-client/operational":                                  "microsoft-servicebus-client",
	"microsoft-windows-kernel-eventtracing":                                    "kernel-event-tracing",
	"microsoft-windows-kernel-eventtracing/admin":                              "kernel-event-tracing",
	"microsoft-windows-sense/operational":                                      "sense",
}

// WindowsSources returns the log sources of a Windows event: product windows,
// the service of its channel, and the categories of its id.
func WindowsSources(channel string, id int) []Source {
	ch := strings.ToLower(channel)
	service := windowsServices[ch]
	var cats []string
	switch service {
	case "sysmon":
		cats = sysmonCategories[id]
	case "powershell", "powershell-classic":
		cats = powershellCategories[id]
	case "security":
		switch id {
		case 4688:
			cats = []string{"process_creation"}
		case 4657:
			cats = []string{"registry_set", "registry_event"}
		}
	}
	switch {
	case strings.HasPrefix(ch, "microsoft-windows-kernel-file"):
		switch id {
		case 12, 14, 15, 16:
			cats = []string{"file_access"}
		case 19, 27:
			cats = []string{"file_rename"}
		}
	}
	if len(cats) == 0 {
		return []Source{{Product: "windows", Service: service}}
	}
	out := make([]Source, len(cats))
	for i, c := range cats {
		out[i] = Source{Product: "windows", Category: c, Service: service}
	}
	return out
}

// WindowsAliases are fields a rule of process creation names, by the name the
// security log's event 4688 has for them.
var WindowsAliases = map[string]string{
	"NewProcessName": "Image", "ParentProcessName": "ParentImage", "SubjectUserName": "User",
	"NewProcessId": "ProcessId", "ProcessId": "ParentProcessId",
}
