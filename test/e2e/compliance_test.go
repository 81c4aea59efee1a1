package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/app"
	"honeyguide/internal/comply"
	"honeyguide/test/rig"
)

// TestComplianceReports makes the four reports in all forms from a running product
// and looks for each file's hash in the audit log. Then a fact changes, and the
// control that stands on it with it; and doctor says the same.
func TestComplianceReports(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	pdftotext := rig.Need(t, "pdftotext")
	data, dir := t.TempDir(), t.TempDir()
	witness := filepath.Join(dir, "witness")
	rig.Start(t, data, append(fast, "node.name=soc-<b>1", "audit.witness=[file:"+witness+"]")...)
	run := func(args ...string) string {
		t.Helper()
		out, errs, status := rig.CLI(t, data, nil, args...)
		if status != 0 {
			t.Fatalf("%v: status %d: %s%s", args, status, out, errs)
		}
		return out
	}
	run("audit", "verify")
	sums := map[string]string{}
	for _, fw := range comply.Names() {
		for _, f := range comply.Formats() {
			file := filepath.Join(dir, fw+f.Ending)
			run("report", "compliance", "--framework", fw, "--format", f.Name, "--out", file)
			doc, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(doc)
			sums[hex.EncodeToString(sum[:])] = fw + " " + f.Name
		}
		text, err := exec.CommandContext(t.Context(), pdftotext, "-layout", filepath.Join(dir, fw+".pdf"), "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		def, err := comply.Lookup(fw)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Compliance report", "Gaps, the heaviest first", "Controls", "Facts", "Evidence", "Checkpoint of the audit log", "soc-<b>1", "Page 2 of", def.Groups[0].Title, def.Groups[len(def.Groups)-1].ID} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s.pdf does not say %q", fw, want)
			}
		}
		page, err := os.ReadFile(filepath.Join(dir, fw+".html"))
		if err != nil || strings.Contains(string(page), "<b>1") || strings.Contains(string(page), "<script") {
			t.Errorf("%s.html: a name became markup, or there is a script: %v", fw, err)
		}
	}
	for _, e := range listed[honeyguide.AuditEntry](t, data, "audit", "list", "--action", "export-compliance", "--limit", "100") {
		var said struct {
			Sum string `json:"sha256"`
		}
		if err := json.Unmarshal(e.After, &said); err != nil {
			t.Fatal(err)
		}
		delete(sums, said.Sum)
	}
	if len(sums) > 0 {
		t.Errorf("the audit log does not hold the hashes of %v", sums)
	}
	var r comply.Assessment
	read := func() map[string]comply.Status {
		t.Helper()
		if err := json.Unmarshal([]byte(run("report", "compliance", "--framework", "iso27001", "-o", "json")), &r); err != nil {
			t.Fatal(err)
		}
		out := map[string]comply.Status{}
		for i := range r.Rows {
			for _, a := range r.Rows[i].Answers {
				out[a.Check] = a.Status
			}
		}
		return out
	}
	var before map[string]comply.Status
	rig.Eventually(t, time.Minute, "a witness that took a checkpoint", func() bool {
		if _, err := os.Stat(witness); err != nil {
			return false // it is told of news four times a minute
		}
		before = read()
		return before["witness"] == comply.Met
	})
	for check, want := range map[string]comply.Status{"cage": comply.Met, "tls": comply.Met, "witness": comply.Met, "trail": comply.Met, "people": comply.Gap, "web": comply.Met, "modes": comply.Met, "retention": comply.Met} {
		if before[check] != want {
			t.Errorf("%s is %q, want %q", check, before[check], want)
		}
	}
	if err := os.Chmod(filepath.Join(data, "keys"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(data, "keys", "audit.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if after := read(); after["modes"] != comply.Gap {
		t.Errorf("others may read a key, and the check says %q", after["modes"])
	}
	var lines struct {
		Items []app.Line `json:"items"`
	}
	out, _, status := rig.CLI(t, data, nil, "doctor", "-o", "json")
	if err := json.Unmarshal([]byte(out), &lines); err != nil || status != 1 {
		t.Fatalf("status %d: %v: %s", status, err, out)
	}
	failed := map[string]bool{}
	for _, l := range lines.Items {
		if l.Status == app.StatusFail {
			failed[l.ID] = true
		}
	}
	if !failed["key-files"] || !failed["file-modes"] || len(failed) != 2 {
		t.Errorf("these fail: %v", failed)
	}
	out, errs, _ := rig.CLI(t, data, nil, "doctor", "--fix", "-o", "json")
	if !strings.Contains(errs, "audit.key: 0644 to 0600") || strings.Contains(out, `"fail"`) {
		t.Errorf("%s%s", errs, out)
	}
	for _, args := range [][]string{{"--framework", "pci"}, {"--format", "pdf"}, {"--framework", "gdpr", "--format", "docx"}} {
		if _, _, status := rig.CLI(t, data, nil, append([]string{"report", "compliance"}, args...)...); status != 2 {
			t.Errorf("%v: status %d, want 2", args, status)
		}
	}
}
