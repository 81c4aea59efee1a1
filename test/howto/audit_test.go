package howto

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide/test/rig"
)

// TestVerifyTheAuditLog types what the guide says, and sees what it promises.
func TestVerifyTheAuditLog(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	rig.Binary(t) // before the folder changes
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "how-to", "verify-the-audit-log.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	printed, last := "", ""
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		switch block[1] {
		case "sh":
			for line := range strings.Lines(block[2]) {
				words := strings.Fields(line)
				file := ""
				if n := len(words); n > 2 && words[n-2] == ">" {
					words, file = words[:n-2], words[n-1]
				}
				out, errs, status := rig.CLI(t, "data", nil, words[1:]...)
				if status != 0 {
					t.Fatalf("%s: status %d: %s%s", line, status, out, errs)
				}
				if file != "" {
					put(t, file, out)
				}
				last = out
				printed += out
			}
		case "text":
			if want := strings.TrimSpace(block[2]); !strings.Contains(printed, want) {
				t.Errorf("the guide promises %q; printed was\n%s", want, printed)
			}
		}
	}
	if !strings.Contains(last, `"action": "create-key"`) {
		t.Errorf("the proof says\n%s", last)
	}
}
