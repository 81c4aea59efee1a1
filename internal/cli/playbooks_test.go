package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"honeyguide/internal/api"
	"honeyguide/internal/playbook"
)

// guess is a login from outside that is guessed, as another honeypot tells it.
func guesses() string {
	var b strings.Builder
	for i := range 30 {
		b.WriteString(`{"eventid":"cowrie.login.failed","src_ip":"198.51.100.7","session":"0123456789ab","username":"root","password":"p` +
			string(rune('a'+i%26)) + string(rune('0'+i/26)) + `","message":"login attempt","sensor":"pot1","timestamp":"2026-11-21T19:30:` + string(rune('0'+i/10)) + string(rune('0'+i%10)) + `.123456Z"}` + "\n")
	}
	return b.String()
}

// TestWriteAPlaybook follows docs/how-to/write-a-playbook.md with its own
// examples.
func TestWriteAPlaybook(t *testing.T) {
	guide, err := os.ReadFile("../../docs/how-to/write-a-playbook.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if len(blocks) < 2 {
		t.Fatalf("%d YAML blocks", len(blocks))
	}
	d := desk{t, t.TempDir(), t.TempDir()}
	file := func(name, text string) string {
		name = filepath.Join(d.dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for i, b := range blocks {
		// Actions of the guide that are not configured here are no fault of it.
		if _, faults := playbook.Read("guide", []byte(b[1])); len(faults) > 0 {
			t.Errorf("block %d: %v", i, faults)
		}
	}
	mine := file("mine.yaml", blocks[0][1])
	var out, errs bytes.Buffer
	if got := Main([]string{"playbooks", "check", mine, "--data", d.data}, strings.NewReader(""), &out, &errs); got != 0 {
		t.Fatalf("check: %d %s", got, errs.String())
	}
	broken := file("broken.yaml", "id: x\ntitle: X\nwhen: severty > low\nsteps:\n  - {action: launch}\n  - {action: block_ip, colour: red}\n")
	errs.Reset()
	if got := Main([]string{"playbooks", "check", broken, "--data", d.data}, strings.NewReader(""), &out, &errs); got != exitUsage || strings.Count(errs.String(), "broken.yaml:") < 2 || !strings.Contains(errs.String(), "did you mean severity?") {
		t.Errorf("check: %d %s", got, errs.String())
	}
	events := file("cowrie.json", guesses())
	d.run(0, "ingest", events)
	res := decodeInto[playbook.TrialResult](t, d.run(0, "playbooks", "test", mine, "--since", "all", "-o", "json"))
	if len(res.Playbooks) != 1 {
		t.Fatalf("%+v", res)
	}
	d.run(0, "playbooks", "test", mine, "-o", "table")
	list := decodeInto[playbookList](t, d.run(0, "playbooks", "list", "-o", "json"))
	if len(list.Items) == 0 || list.Items[0].Origin != "shipped" {
		t.Errorf("%+v", list)
	}
	d.run(0, "playbooks", "list", "-o", "table")
	show := decodeInto[api.PlaybookText](t, d.run(0, "playbooks", "show", "brute-force", "-o", "json"))
	if show.ID != "brute-force" || len(show.Versions) != 1 {
		t.Errorf("%+v", show)
	}
	d.run(0, "playbooks", "show", "brute-force", "--version", show.Version[:6], "-o", "table")
	d.run(exitNotFound, "playbooks", "show", "nothing")
	d.run(exitNotFound, "playbooks", "test", "nothing")
}
