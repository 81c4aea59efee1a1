package incident_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/incident"
	"honeyguide/internal/state"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hostile is what an attacker would like to see in a report: markup, a link, a
// table's end, terminal escapes, text that runs backwards, and a script none of
// the fonts of a PDF know.
const hostile = "`</script>|[here](http://evil.example/) ![x](y) \x1b[31mred\x07 \u202eback \u6f22\u5b57 \u20ac \U0001f41d\nnew line"

// dossier is that of a story with hostile words in it.
func (o *office) dossier() incident.Dossier {
	o.Helper()
	in := o.story()
	o.tx(func(ctx context.Context, tx state.Tx) error {
		a := honeyguide.Alert{
			Time: noon, LastAt: noon, CreatedAt: noon, Title: hostile, RuleID: "r|x", Detector: "behaviour", Incident: in.ID, DedupeKey: "hostile", Score: 61,
			Reasons: []honeyguide.Reason{{Feature: "f", Weight: 61, Text: "typed " + hostile}}, Observed: []honeyguide.Observable{{Type: "url", Value: "http://evil.example/" + hostile}},
		}
		in.Title, in.Attacks = "Broke in "+hostile, []honeyguide.Technique{{ID: "T1552.001"}}
		_, err := tx.Incidents().Save(ctx, &in)
		_, err2 := tx.Alerts().Save(ctx, &a)
		return errors.Join(err, err2)
	})
	owner, yes := "ben", true
	o.clock = noon.Add(10 * time.Minute)
	o.change(in.ID, incident.Change{Owner: &owner, Phase: honeyguide.PhaseContained, Reason: "cut off"})
	if _, _, err := o.AddTask(o.Context(), in.ID, honeyguide.Task{Title: "reset the password", Owner: "ben", By: "anna"}); err != nil {
		o.Fatal(err)
	}
	if _, _, err := o.ChangeTask(o.Context(), in.ID, "T-1", incident.TaskChange{By: "ben", Done: &yes}); err != nil {
		o.Fatal(err)
	}
	var d incident.Dossier
	if err := o.state.View(o.Context(), func(tx state.Tx) (err error) {
		d, err = incident.Gather(o.Context(), tx, in.ID, "anna", noon.Add(time.Hour))
		return err
	}); err != nil {
		o.Fatal(err)
	}
	return d
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what it was; look at the difference, then `go test ./internal/incident -update`:\n%s", file, got)
	}
}

func write(t *testing.T, d *incident.Dossier, format string) []byte {
	t.Helper()
	doc, f, err := d.Write(format)
	if err != nil || f.Name != format {
		t.Fatalf("%s: %v", format, err)
	}
	return doc
}

func TestMarkdown(t *testing.T) {
	o := newOffice(t)
	d := o.dossier()
	doc := write(t, &d, "markdown")
	golden(t, "dossier.md", doc)
	// Every line of a table has as many cells as its head, whatever is in them, and
	// outside of code spans there are only our own words.
	columns := 0
	for n, l := range strings.Split(string(doc), "\n") {
		bare := strings.ReplaceAll(l, `\|`, "")
		if strings.HasPrefix(l, "|") {
			cells := strings.Count(bare, "|")
			if columns == 0 {
				columns = cells
			}
			if cells != columns {
				t.Errorf("line %d has %d cells, want %d: %s", n+1, cells, columns, l)
			}
		} else {
			columns = 0
		}
		outside := ""
		for i, part := range strings.Split(bare, "`") {
			if i%2 == 0 {
				outside += part
			}
		}
		if strings.ContainsAny(outside, "<>[]\x1b") || strings.Contains(outside, "://") || strings.Count(bare, "`")%2 != 0 {
			t.Errorf("line %d has markup of somebody else: %s", n+1, l)
		}
	}
}

func TestJSON(t *testing.T) {
	o := newOffice(t)
	d := o.dossier()
	doc := write(t, &d, "json")
	for _, b := range []string{"\x1b", "\u202e", "\x07"} {
		if bytes.Contains(doc, []byte(b)) {
			t.Errorf("the document has %q in it", b)
		}
	}
	var back incident.Dossier
	if err := json.Unmarshal(doc, &back); err != nil {
		t.Fatal(err)
	}
	again, _, err := back.Write("json")
	if err != nil || !bytes.Equal(again, doc) {
		t.Errorf("read back it is another one: %v", err)
	}
	if len(back.Timeline) != 18 || len(back.Alerts) != 4 || len(back.Runs) != 1 || len(back.Incident.Plans) != 2 || len(back.Linked.Sessions) != 1 {
		t.Errorf("%d lines, %d alerts, %d runs, %d plans, %d sessions", len(back.Timeline), len(back.Alerts), len(back.Runs), len(back.Incident.Plans), len(back.Linked.Sessions))
	}
	if _, _, err := d.Write("docx"); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("another form: %v", err)
	}
}

// parsed reads a PDF as a reader of PDFs does.
func parsed(t *testing.T, doc []byte) string {
	t.Helper()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("pdftotext is missing; test/setup.sh installs it")
		}
		t.Skip("pdftotext is missing (package poppler-utils; make setup installs it): the PDF is not read back")
	}
	file := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-layout", "-enc", "UTF-8", file, "-")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("pdftotext: %v: %s", err, errs.String())
	}
	return string(out)
}

func TestPDF(t *testing.T) {
	o := newOffice(t)
	d := o.dossier()
	doc := write(t, &d, "pdf")
	if !bytes.Equal(doc, write(t, &d, "pdf")) {
		t.Error("the same dossier gives two documents")
	}
	text := parsed(t, doc)
	for _, want := range []string{
		"Incident I-1", "Facts", "Clocks", "Tasks", "Acts", "Timeline", "Alerts", "Linked", "page 1 of 2", "page 2 of 2", "reset the password", "block_ip 198.51.100.2", "HT-1 (aws_key) used",
		"phase new -> contained: cut off", "T1552.001 Credentials In Files", "€", "U+6F22U+5B57", "U+1F41D", `\u202eback`, `\x1b[31mred`, "are written as U+",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// A long incident fills pages, and says what it leaves out.
func TestLongPDF(t *testing.T) {
	d := incident.Dossier{MadeAt: noon, MadeBy: "anna", Incident: honeyguide.Incident{Short: "I-7", Title: strings.Repeat("long ", 200), CreatedAt: noon}}
	for n := range 3000 {
		d.Timeline = append(d.Timeline, honeyguide.TimelineEntry{ID: fmt.Sprint(n), At: noon, SeenAt: noon, Kind: "comment", By: "anna", Text: strings.Repeat("x", n%900)})
	}
	text := parsed(t, write(t, &d, "pdf"))
	if !strings.Contains(text, "The newest 2000 of 3000 lines") || strings.Count(text, "\f") < 50 {
		t.Errorf("%d pages", strings.Count(text, "\f"))
	}
}

func BenchmarkPDF(b *testing.B) {
	d := incident.Dossier{MadeAt: noon, Incident: honeyguide.Incident{Short: "I-7", CreatedAt: noon}}
	for n := range 500 {
		d.Timeline = append(d.Timeline, honeyguide.TimelineEntry{ID: fmt.Sprint(n), At: noon, SeenAt: noon, Kind: "comment", By: "anna", Text: "a line of the usual length, about what somebody did"})
	}
	for b.Loop() {
		if _, _, err := d.Write("pdf"); err != nil {
			b.Fatal(err)
		}
	}
}
