package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/client"
	"honeyguide/internal/rulebook"
)

// desk is a folder to work in as the guide says.
type desk struct {
	t    *testing.T
	dir  string
	data string
}

// run runs one command line and returns what it printed.
func (d desk) run(status int, args ...string) string {
	d.t.Helper()
	var out, errs bytes.Buffer
	if got := Main(append(args, "--data", d.data), strings.NewReader(""), &out, &errs); got != status {
		d.t.Fatalf("honeyguide %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, out.String(), errs.String())
	}
	return out.String()
}

func decodeInto[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// recorded is what another honeypot recorded: it needs no decoy here.
const recorded = `{"eventid":"cowrie.command.input","src_ip":"198.51.100.7","session":"0123456789ab","input":"nc -lvp 4444","message":"CMD: nc -lvp 4444","sensor":"pot1","timestamp":"2026-11-21T19:30:00.123456Z"}
{"eventid":"cowrie.command.input","src_ip":"198.51.100.7","session":"0123456789ab","input":"uptime","message":"CMD: uptime","sensor":"pot1","timestamp":"2026-11-21T19:30:01.123456Z"}
`

// TestWriteARule follows docs/how-to/write-a-rule.md with its own examples.
func TestWriteARule(t *testing.T) {
	guide, err := os.ReadFile("../../docs/how-to/write-a-rule.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if len(blocks) != 3 {
		t.Fatalf("%d YAML blocks, want the rule, its examples and a filter", len(blocks))
	}
	d := desk{t, t.TempDir(), t.TempDir()}
	file := func(name, text string) string {
		name = filepath.Join(d.dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	rule := file("netcat.yml", blocks[0][1])
	file("netcat.test.yaml", blocks[1][1])
	records := file("attack.json", recorded)

	d.run(0, "rules", "check", rule)
	if out := d.run(0, "rules", "test", rule); !strings.Contains(out, `"tried": 2`) {
		t.Errorf("test: %s", out)
	}
	if r := decodeInto[rulebook.Result](t, d.run(0, "rules", "test", rule, "--events", records)); r.Events != 2 || r.Rules[0].Hits != 1 {
		t.Errorf("test --events: %+v", r)
	}
	d.run(0, "ingest", records)
	if r := decodeInto[rulebook.Result](t, d.run(0, "rules", "backtest", rule, "--from", "all")); r.Events < 2 || r.Rules[0].Hits != 1 || r.Rules[0].Days["2026-11-21"] != 1 {
		t.Errorf("backtest: %+v", r)
	}

	// Put in force, it fires on what comes.
	if err := os.CopyFS(filepath.Join(d.data, "rules"), os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	d.run(0, "ingest", file("later.json", strings.ReplaceAll(recorded, "19:30:0", "19:40:0")))
	alerts := decodeInto[client.Page[honeyguide.Alert]](t, d.run(0, "alerts", "list", "--rule", "sigma:my_netcat_listens"))
	if len(alerts.Items) != 1 || alerts.Items[0].Severity != honeyguide.SeverityHigh || len(alerts.Items[0].Evidence) < 2 {
		t.Fatalf("alerts: %+v", alerts)
	}
	event := alerts.Items[0].EventIDs[0]
	if x := decodeInto[api.Explained](t, d.run(0, "rules", "explain", "my_netcat_listens", event)); !x.Fires || len(x.Reasons) != 2 {
		t.Errorf("explain: %+v", x)
	}
	if r := decodeInto[api.RuleText](t, d.run(0, "rules", "show", "my_netcat_listens")); r.Text != blocks[0][1] || r.Origin != rulebook.OriginOwn {
		t.Errorf("show: %+v", r)
	}
	d.run(0, "rules", "disable", "my_netcat_listens", "--reason", "too loud")
	off := decodeInto[client.Page[rulebook.Info]](t, d.run(0, "rules", "list", "--off"))
	if len(off.Items) != 1 || off.Items[0].Off.Reason != "too loud" { // it outlives the process, each command being one
		t.Errorf("list --off: %+v", off)
	}
	d.run(0, "rules", "enable", "my_netcat_listens")
	d.run(4, "rules", "show", "nothing")

	file("filter.yml", blocks[2][1])
	d.run(0, "rules", "check", filepath.Join(d.dir, "filter.yml"), "../../rules/sigma/linux")
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	d := desk{t, t.TempDir(), t.TempDir()}
	bad := filepath.Join(d.dir, "bad.yml")
	if err := os.WriteFile(bad, []byte("title: Bad\nlogsource: {product: linux}\ndetection:\n  a: {b: c}\n  condition: d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := decodeInto[checked](t, d.run(3, "rules", "check", d.dir))
	if len(out.Faults) != 1 || out.Faults[0].File != bad || out.Faults[0].Line != 5 || out.Faults[0].Kind != "error" {
		t.Errorf("%+v", out)
	}
	d.run(3, "rules", "test", bad)
	d.run(1, "rules", "check", filepath.Join(d.dir, "none.yml"))
	d.run(2, "rules", "backtest", bad, "--from", "yesterday")
}

func TestImport(t *testing.T) {
	d := desk{t, t.TempDir(), t.TempDir()}
	rule := "title: %T\nid: 7a0c3d5e-0000-4000-8000-0000000000%N\nstatus: %S\nauthor: Somebody\nlicense: DRL 1.1\nlogsource: {product: linux}\ndetection: {s: {a: b}, condition: s}\nlevel: %L\n"
	for name, words := range map[string][]string{
		"x/high.yml": {"%T", "High", "%N", "31", "%S", "test", "%L", "high"}, "x/low.yml": {"%T", "Low", "%N", "32", "%S", "test", "%L", "low"},
		"new.yml": {"%T", "New", "%N", "33", "%S", "experimental", "%L", "high"}, "bad.yml": {"%T", "Bad", "%N", "34", "%S", "test", "%L", "enormous"},
		"readme.md": {"%T", "x"},
	} {
		name = filepath.Join(d.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(strings.NewReplacer(words...).Replace(rule)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dry := decodeInto[imported](t, d.run(0, "rules", "import", d.dir, "--status", "test", "--level", "high", "--dry-run"))
	if dry.Files != 4 || dry.Copied != 1 || dry.Left != 2 || len(dry.Faults) != 1 {
		t.Errorf("dry run: %+v", dry)
	}
	if _, err := os.Stat(filepath.Join(d.data, "rules")); err == nil {
		t.Error("a dry run writes")
	}
	d.run(0, "rules", "import", d.dir, "--level", "high,low")
	own := decodeInto[client.Page[rulebook.Info]](t, d.run(0, "rules", "list", "--origin", "own"))
	if len(own.Items) != 3 || own.Items[0].Author != "Somebody" || own.Items[0].License != "DRL 1.1" {
		t.Errorf("imported: %+v", own)
	}
}
