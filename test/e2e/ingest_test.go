package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/test/rig"
)

// Records as the products write them, with documentation addresses.
const (
	suricataAlert = `{"timestamp":"2026-11-21T19:30:00.123456+0000","flow_id":1398609176796675,"in_iface":"eth0","event_type":"alert","src_ip":"198.51.100.7","src_port":33270,"dest_ip":"192.0.2.10","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2034125,"rev":4,"signature":"ET EXPLOIT Apache path traversal","category":"Attempted Administrator Privilege Gain","severity":1},"app_proto":"http"}`
	suricataStats = `{"timestamp":"2026-11-21T19:30:08.000001+0000","event_type":"stats","stats":{"uptime":8}}`
	wazuhAlert    = `{"timestamp":"2026-11-21T19:30:00.123+0000","rule":{"level":10,"description":"sshd: brute force trying to get access","id":"5712","mitre":{"id":["T1110"],"tactic":["Credential Access"],"technique":["Brute Force"]},"groups":["syslog","sshd"]},"agent":{"id":"004","name":"web1","ip":"192.0.2.4"},"manager":{"name":"m1"},"id":"1795289400.48122","full_log":"Nov 21 19:30:00 web1 sshd[9]: Invalid user x from 203.0.113.9 port 4222","decoder":{"name":"sshd"},"data":{"srcip":"203.0.113.9","srcport":"4222","srcuser":"x"},"location":"/var/log/auth.log"}`
)

// TestIngestOnce feeds files of three products to a folder at rest and finds
// the alerts; what is broken is listed, not lost, and makes exit status 3.
func TestIngestOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	dir, data := t.TempDir(), t.TempDir()
	eve := filepath.Join(dir, "eve.json")
	write(t, eve, []byte(suricataAlert+"\n"+suricataStats+"\n{broken\n"))
	wazuh := filepath.Join(dir, "alerts.json.gz")
	write(t, wazuh, zipped(t, wazuhAlert+"\n"))
	table := filepath.Join(dir, "alerts.csv")
	write(t, table, []byte("id,timestamp,src_ip,dst_ip,type,description,severity,source_port,destination_port\n"+
		"7,2026-11-21T19:31:00Z,198.51.100.200,192.0.2.11,malware,\"beacon, every minute\",critical,5555,443\n"+
		"8,2026-11-21T19:31:01Z,not-an-address,192.0.2.11,malware,x,high,1,2\n"))

	out, errs, status := rig.CLI(t, data, nil, "ingest", "-o", "json", eve, wazuh, table)
	if status != 3 {
		t.Fatalf("status %d, want 3 (some records refused): %s%s", status, out, errs)
	}
	alerts := listed[honeyguide.Alert](t, data, "alerts", "list")
	for src, want := range map[string]honeyguide.Severity{
		"198.51.100.7": honeyguide.SeverityHigh, "203.0.113.9": honeyguide.SeverityHigh, "198.51.100.200": honeyguide.SeverityCritical,
	} {
		found := false
		for _, a := range alerts {
			found = found || a.Src.Addr.Addr().String() == src && a.Severity == want && len(a.Reasons) > 0
		}
		if !found {
			t.Errorf("no %v alert from %s among %d alerts: %s", want, src, len(alerts), errs)
		}
	}
	if n := len(alerts); n != 3 {
		t.Errorf("%d alerts, want 3", n)
	}
	dead := listed[honeyguide.DeadLetter](t, data, "dead-letters", "list")
	if len(dead) != 2 {
		t.Fatalf("%d dead letters, want 2: %+v", len(dead), dead)
	}
	for _, want := range []struct {
		source, reason string
		line           int64
	}{{eve, "", 3}, {table, "src_ip", 3}} {
		found := false
		for _, d := range dead {
			found = found || strings.HasSuffix(d.Source, filepath.Base(want.source)) && d.Line == want.line && strings.Contains(d.Reason, want.reason)
		}
		if !found {
			t.Errorf("no dead letter of %s line %d about %q: %+v", want.source, want.line, want.reason, dead)
		}
	}

	// The same again through standard input: nothing is counted twice.
	if _, errs, status = rig.CLI(t, data, strings.NewReader(suricataAlert+"\n"), "ingest", "-o", "json", "-"); status != 0 {
		t.Errorf("stdin: status %d: %s", status, errs)
	}
	if again := listed[honeyguide.Alert](t, data, "alerts", "list"); len(again) != 3 {
		t.Errorf("%d alerts after the same record came again, want 3", len(again))
	}
	// And the same files, in a process that never saw them.
	out, errs, status = rig.CLI(t, data, nil, "ingest", "-o", "json", eve, wazuh, table)
	var sums struct{ Items []client.IngestResult }
	if err := json.Unmarshal([]byte(out), &sums); status != 3 || err != nil || len(sums.Items) != 3 {
		t.Fatalf("again: status %d, %v: %s%s", status, err, out, errs)
	}
	for _, s := range sums.Items {
		if s.Events != 0 || s.Duplicates != 1 {
			t.Errorf("%s again: %d events and %d duplicates, want 0 and 1", s.Name, s.Events, s.Duplicates)
		}
	}
	counts := map[string]int64{}
	for _, a := range alerts {
		counts[a.ID] = a.Count
	}
	for _, a := range listed[honeyguide.Alert](t, data, "alerts", "list") {
		if was, ok := counts[a.ID]; !ok || a.Count != was {
			t.Errorf("%s counts %d events after the same files came again, want %d", a.Short, a.Count, was)
		}
	}
	if _, errs, status = rig.CLI(t, data, nil, "ingest", filepath.Join(dir, "missing.json")); status == 0 || !strings.Contains(errs, "missing.json") {
		t.Errorf("a missing file: status %d: %s", status, errs)
	}
}

// TestHostileFile feeds what breaks parsers: a 100 MB line, NUL, invalid
// UTF-8, terminal escapes. Memory stays bounded because nothing is held.
func TestHostileFile(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100 MB; -short leaves it out")
	}
	dir, data := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "hostile.ndjson")
	var b bytes.Buffer
	b.WriteString(`{"timestamp":"2026-11-21T19:30:00Z","src_ip":"198.51.100.7","type":"scan","description":"` + "\x1b]0;pwned\x07 caf\xff\\u0000" + `","severity":"high"}` + "\n")
	b.WriteString(`{"timestamp":"`)
	b.Write(bytes.Repeat([]byte("A"), 100<<20))
	b.WriteString("\"}\n\x00\x00\x00\n")
	b.WriteString(strings.Repeat("[", 100000) + "\n")
	b.WriteString(`{"timestamp":"2026-11-21T19:30:01Z","src_ip":"198.51.100.8","type":"scan","description":"last","severity":"high"}` + "\n")
	write(t, file, b.Bytes())
	out, errs, status := rig.CLI(t, data, nil, "ingest", "-o", "table", file)
	if status != 3 {
		t.Fatalf("status %d, want 3: %s%s", status, out, errs)
	}
	show, _, _ := rig.CLI(t, data, nil, "alerts", "list", "-o", "table")
	for name, text := range map[string]string{"ingest": out + errs, "alerts list": show} {
		if strings.ContainsAny(text, "\x1b\x07\x00") {
			t.Errorf("%s: a control character reached the terminal: %q", name, text)
		}
	}
	if n := len(listed[honeyguide.Alert](t, data, "alerts", "list")); n != 2 {
		t.Errorf("%d alerts, want the first and the last record", n)
	}
}

func listed[T any](t *testing.T, data string, args ...string) []T {
	t.Helper()
	out, errs, status := rig.CLI(t, data, nil, append(args, "-o", "json", "--limit", "1000")...)
	var page rig.Page[T]
	if err := json.Unmarshal([]byte(out), &page); status != 0 || err != nil {
		t.Fatalf("%v: status %d, %v: %s%s", args, status, err, out, errs)
	}
	return page.Items
}

func write(t *testing.T, file string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
