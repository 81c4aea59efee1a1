package sigma

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/auditd"
	"honeyguide/internal/ingest/cowrie"
	"honeyguide/internal/ingest/opencanary"
	"honeyguide/internal/ingest/suricata"
	"honeyguide/internal/ingest/syslog"
	"honeyguide/internal/ingest/weblog"
	"honeyguide/internal/ingest/windows"
	"honeyguide/internal/ingest/zeek"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

// read turns records of other products into events as ingest does.
func read(t testing.TB, formats []ingest.Format, name, text string) (out []honeyguide.Event) {
	t.Helper()
	_, err := ingest.Read(t.Context(), strings.NewReader(text), ingest.Options{Name: name, Mappers: formats, Format: "auto"},
		func(_ context.Context, list []honeyguide.Event) error { out = append(out, list...); return nil },
		func(_ context.Context, d honeyguide.DeadLetter) error {
			t.Errorf("%s:%d: %s", name, d.Line, d.Reason)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func formats(t testing.TB) []ingest.Format {
	t.Helper()
	all, err := ingest.OpenAll(t.Context(), ingest.Set{
		windows.Kind, syslog.Kind, weblog.Kind, zeek.Kind, suricata.Kind, auditd.Kind, cowrie.Kind, opencanary.Kind,
	}, ingest.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The same event in each of its encodings fires the same rule, and records of
// every product reach the rules about them.
func TestRecordsOfOtherProducts(t *testing.T) {
	const command = `vssadmin delete shadows /all /quiet`
	escaped := `C:\\Windows\\System32\\vssadmin.exe`
	for name, c := range map[string]struct{ text, want string }{
		"flat":              {`{"SourceModuleType":"im_msvistalog","EventReceivedTime":"2026-11-21 19:30:01","EventTime":"2026-11-21 19:30:00","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Hostname":"w1","SourceName":"Microsoft-Windows-Sysmon","Image":"` + escaped + `","CommandLine":"` + command + `","ProcessId":"12"}`, "windows_recovery_removed"},
		"evtx JSON":         {`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"w1","TimeCreated":{"#attributes":{"SystemTime":"2026-11-21T19:30:00.1234567Z"}}},"EventData":{"Image":"` + escaped + `","CommandLine":"` + command + `","ProcessId":12}}}`, "windows_recovery_removed"},
		"event XML":         {`<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Microsoft-Windows-Sysmon"/><EventID>1</EventID><TimeCreated SystemTime="2026-11-21T19:30:00.1234567Z"/><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>w1</Computer></System><EventData><Data Name="Image">C:\Windows\System32\vssadmin.exe</Data><Data Name="CommandLine">` + command + `</Data></EventData></Event>`, "windows_recovery_removed"},
		"Log Analytics":     {`{"Type":"WindowsEvent","TenantId":"x","Provider":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"w1","TimeGenerated":"2026-11-21T19:30:00.34Z","EventData":"{\"Image\":\"C:\\\\Windows\\\\System32\\\\vssadmin.exe\",\"CommandLine\":\"` + command + `\"}"}`, "windows_recovery_removed"},
		"security 4688":     {`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":4688,"Channel":"Security","Computer":"w1","TimeCreated":{"#attributes":{"SystemTime":"2026-11-21T19:30:00.1234567Z"}}},"EventData":{"NewProcessName":"` + escaped + `","CommandLine":"` + command + `"}}}`, "windows_recovery_removed"},
		"service installed": {`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Service Control Manager"}},"EventID":7045,"Channel":"System","Computer":"w1","TimeCreated":{"#attributes":{"SystemTime":"2026-11-21T19:30:00.1Z"}}},"EventData":{"ServiceName":"PSEXESVC","ImagePath":"x"}}}`, "windows_remote_service_tool"},
		"sudo":              {"Nov 21 19:30:00 web1 sudo[7]:   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow\n", "linux_read_shadow"},
		"web log":           {`198.51.100.7 - - [21/Nov/2026:19:30:00 +0000] "GET /.env HTTP/1.1" 404 12 "-" "zgrab/0.x"` + "\n", "web_env_file web_scanner_agent"},
		"suricata":          {`{"timestamp":"2026-11-21T19:30:00.123456+0000","flow_id":1,"event_type":"http","src_ip":"198.51.100.7","src_port":1,"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","http":{"hostname":"x","url":"/.git/config","http_method":"GET","status":404}}`, "web_version_folder"},
		"auditd": {`type=SYSCALL msg=audit(1795289400.155:92733): arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=1 pid=2 auid=1000 uid=0 comm="cat" exe="/usr/bin/cat" key=(null)
type=EXECVE msg=audit(1795289400.155:92733): argc=2 a0="cat" a1="/etc/shadow"
type=EOE msg=audit(1795289400.155:92733):
`, "linux_read_shadow"},
		"another honeypot": {`{"eventid":"cowrie.command.input","src_ip":"198.51.100.7","session":"0123456789ab","input":"cat /etc/shadow","message":"CMD: cat /etc/shadow","sensor":"pot1","timestamp":"2026-11-21T19:30:00.123456Z"}`, "linux_read_shadow"},
	} {
		events := read(t, formats(t), name, c.text)
		if got := ids(feed(t, detectorOf(t, nil), events...)); got != c.want {
			t.Errorf("%s: %q, want %q; events %+v", name, got, c.want, events)
		}
	}
}

// TestPublicPositives sends the recordings of the public rules through ingest,
// the adapter and the detector: each fires the rule it is a recording for.
func TestPublicPositives(t *testing.T) {
	dir := os.Getenv("HONEYGUIDE_SIGMA_DIR")
	if dir == "" {
		t.Skip("HONEYGUIDE_SIGMA_DIR does not name a checkout of the public rules")
	}
	set := &sigma.Ruleset{}
	for _, f := range []string{"rules", "rules-emerging-threats", "rules-threat-hunting"} {
		rulebook.ReadFolder(set, os.DirFS(filepath.Join(dir, f)), f+"/", nil)
	}
	bench := rulebook.NewBench(set)
	all := formats(t)
	tried, hit := 0, 0
	err := filepath.WalkDir(filepath.Join(dir, "regression_data"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "info.yml" {
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		var info struct {
			Rules []struct{ ID string } `yaml:"rule_metadata"`
		}
		if err := yaml.Unmarshal(text, &info); err != nil {
			return err
		}
		files, _ := filepath.Glob(filepath.Join(filepath.Dir(p), "*.json"))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			var fired []string
			events := read(t, all, f, string(text))
			for i := range events {
				bench.Fired(&events[i], func(r *sigma.Rule, _ *sigma.Record) { fired = append(fired, r.ID) })
			}
			for _, want := range info.Rules {
				tried++
				if slices.Contains(fired, want.ID) {
					hit++
				} else {
					t.Errorf("%s: rule %s does not fire on %d events", f, want.ID, len(events))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d recordings", hit, tried)
}
