package behaviour

import (
	"net/url"
	"strings"

	"honeyguide"
	"honeyguide/internal/detect"
)

// A webRule looks for parts in a request: its decoded URL, body and headers,
// in lower case.
type webRule struct {
	detect.Rule
	url   []string // in the decoded URL
	text  []string // in URL, body or headers
	agent []string // in the user agent
}

func webScanRule(title string) detect.Rule {
	return rule("web_scan", title, medium, recon, "asks for many paths or names itself a scanner", "T1595.002")
}

var webScan = webScanRule("Web scan")

// webRules are looked for in every request.
var webRules = []webRule{
	{Rule: rule("web_injection", "Command injection by HTTP", high, intrusion, "puts shell commands into a request", "T1190", "T1059.004"), text: []string{
		";wget ", "|wget ", "`wget ", "$(wget", ";curl ", "|curl ", "$(curl", "&wget ", "+wget+", ";cd /tmp", "cd+/tmp", "cd /tmp;", "/bin/busybox", "/bin/sh", "/bin/bash", "chmod 777", "chmod+777",
		"system(", "shell_exec", "passthru(", "() { :;", "${jndi:", "${${", "runtime.getruntime", "invokefunction", "call_user_func_array", "auto_prepend_file", "php://input", "allow_url_include", "processbuilder", "ognl", "%{(#", "class.module.classloader",
	}},
	{Rule: rule("web_injection", "SQL injection by HTTP", high, intrusion, "puts SQL into a request", "T1190"), text: []string{
		"union select", "union all select", "' or '1'='1", "' or 1=1", "sleep(", "benchmark(", "information_schema", "extractvalue(", "updatexml(", "xp_cmdshell", "into outfile", "waitfor delay",
	}},
	{
		Rule: rule("web_probe", "Probes for a web weakness", medium, recon, "asks for what only an attacker looks for", "T1595.002", "T1190"), url: []string{
			"../", "..\\", "/etc/passwd", "/.env", "/.git", "/.svn", "/.aws", "/.ssh", "/.ds_store", "wp-login", "wp-admin", "wp-config", "xmlrpc.php", "wlwmanifest", "phpmyadmin", "/pma", "adminer", "/cgi-bin/", "/boaform", "/gponform", "/hnap1", "/shell?", "/setup.cgi",
			"/actuator", "/vendor/phpunit", "/solr/", "/manager/html", "/jenkins", "/_ignition", "/telescope", "/owa/", "/autodiscover", "/ecp/", "/remote/login", "/dana-na", "/+cscoe+", "/global-protect", "/api/v1/pods", "/v1.24/containers", "/containers/json",
			"/server-status", "/backup", ".sql", ".bak", "config.php", "config.json", "/phpinfo", "/info.php", "/webshell", "c99", "r57", "/shell.php", "/cmd.php", "/eval-stdin", "/luci", "/login.cgi", "/hudson", "/console/", "/struts", "/axis2", "/sdk", "/evox", "/nmaplowercheck", "/.well-known/security", "/ab2g", "/ab2h", "/geoserver", "/druid", "/nacos", "/invoker", "/admin",
		},
		text: []string{"<script", "onerror=", "javascript:"},
	},
	{Rule: webScanRule("Web scanner"), agent: []string{
		"sqlmap", "nikto", "nmap", "masscan", "zgrab", "gobuster", "dirbuster", "dirb", "wfuzz", "ffuf", "nuclei", "wpscan", "feroxbuster", "acunetix", "nessus", "openvas", "burp", "censys", "shodan", "zmeu", "jorgee", "l9explore", "expanse", "netcraft", "internet-measurement", "hello, world",
	}},
}

func (d *detector) request(e *honeyguide.Event) {
	raw := e.Str(honeyguide.AttrURL)
	if raw == "" && e.Str(honeyguide.AttrBody) == "" {
		d.contact(e) // a request of another protocol; over UDP nothing connects before it
		return
	}
	line := e.Str(honeyguide.AttrMethod) + " " + raw
	target := strings.ToLower(decodeURL(clipN(raw, 8<<10)))
	text := target + "\n" + strings.ReplaceAll(target, "+", " ") + "\n" + strings.ToLower(decodeURL(clipN(e.Str(honeyguide.AttrBody), 16<<10))) + "\n" +
		strings.ToLower(clipN(e.Str(honeyguide.AttrHeaders), 8<<10)) + "\n" + strings.ToLower(clipN(e.Str(honeyguide.AttrUserAgent), 1<<10))
	agent := strings.ToLower(clipN(e.Str(honeyguide.AttrUserAgent), 1<<10))
	for i := range webRules {
		r := &webRules[i]
		if contains(target, r.url) || contains(text, r.text) || contains(agent, r.agent) {
			d.claim(&r.Rule, e, "", line)
		}
	}
	w := &d.sources.At(detect.Source(e)).paths
	p, _, _ := strings.Cut(target, "?")
	w.Add(detect.Mark{At: detect.When(e), Event: e.ID, Word: clipN(p, 128), Text: line}, d.cfg.WebWindow)
	if w.Distinct("", d.cfg.WebRequests) {
		w.Tell(d.claim(&webScan, e, "", ""))
	}
}

func contains(text string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// decodeURL undoes percent encoding twice, as evasive clients encode twice; a
// bad escape stays as it is.
func decodeURL(s string) string {
	for range 2 {
		if !strings.Contains(s, "%") {
			break
		}
		if u, err := url.PathUnescape(s); err == nil {
			s = u
			continue
		}
		s = lenientUnescape(s)
	}
	return s
}

func lenientUnescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
