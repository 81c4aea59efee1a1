package cli

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/client"
	"honeyguide/internal/verdict"
)

// TestHandleFromTheShell: alerts are found, given a status one by one and by
// filter, taken back, and carried away.
func TestHandleFromTheShell(t *testing.T) {
	d := desk{t, t.TempDir(), t.TempDir()}
	file := filepath.Join(d.dir, "alerts.ndjson")
	var b strings.Builder
	for _, n := range []string{"1", "2", "3"} {
		b.WriteString(`{"id":"g-` + n + `","timestamp":"2026-11-21T10:0` + n + `:00Z","source_ip":"198.51.100.` + n + `","event_type":"rule_` + n + `","description":"=cmd of rule ` + n + `","severity":"high"}` + "\n")
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run(0, "ingest", file)
	all := decodeInto[client.Page[honeyguide.Alert]](t, d.run(0, "alerts", "list", "--severity", "high"))
	if len(all.Items) != 3 {
		t.Fatalf("%d alerts: %+v", len(all.Items), all.Items)
	}
	status := func(id string) honeyguide.AlertStatus {
		return decodeInto[honeyguide.Alert](t, d.run(0, "alerts", "show", id)).Status
	}
	one, two := all.Items[0].Short, all.Items[1].Short
	undo := ""
	for _, step := range []struct {
		verb string
		want honeyguide.AlertStatus
	}{{"ack", honeyguide.AlertAcknowledged}, {"escalate", honeyguide.AlertEscalated}, {"close", honeyguide.AlertClosed}, {"reopen", honeyguide.AlertNew}, {"close", honeyguide.AlertClosed}} {
		out := decodeInto[verdict.Handling](t, d.run(0, "alerts", step.verb, one, two, "--note", "seen"))
		if undo = out.Undo; out.Changed != 2 || undo == "" || status(one) != step.want || status(two) != step.want {
			t.Errorf("%s: %+v, %s is %s", step.verb, out, one, status(one))
		}
	}
	if out := decodeInto[verdict.Handling](t, d.run(0, "alerts", "undo", undo)); out.Changed != 2 || status(one) != honeyguide.AlertNew {
		t.Errorf("undo: %+v, %s is %s", out, one, status(one))
	}
	if out := decodeInto[verdict.Handling](t, d.run(0, "alerts", "ack", "--severity", "high", "--expect", "3")); out.Changed != 3 {
		t.Errorf("by filter: %+v", out)
	}
	for _, args := range [][]string{{"ack"}, {"ack", one, "--expect", "1"}} {
		d.run(2, append([]string{"alerts"}, args...)...)
	}
	if found := decodeInto[api.Found](t, d.run(0, "search", one)); len(found.Groups) != 1 || !found.Groups[0].Hits[0].Exact {
		t.Errorf("search: %+v", found)
	}
	rows, err := csv.NewReader(strings.NewReader(d.run(0, "alerts", "export", "--format", "csv", "--src", "198.51.100.2"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[0][0] != "id" {
		t.Fatalf("export: %v %v", rows, err)
	}
	for _, cell := range rows[1] {
		if strings.HasPrefix(cell, "=") {
			t.Errorf("a spreadsheet would run %q", cell)
		}
	}
	if lines := strings.Count(d.run(0, "alerts", "export", "--format", "jsonl"), "\n"); lines != 3 {
		t.Errorf("%d lines", lines)
	}
	if out := d.run(0, "events", "export", "--most", "2"); strings.Count(out, "\n") != 3 {
		t.Errorf("events: %s", out)
	}
}
