package howto

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// fenced finds the blocks of a guide: their language and their text.
var fenced = regexp.MustCompile("(?s) *```([a-z]+)\n(.*?)```")

// guides are those that connect a product, and the title of the alert their sample
// makes.
var guides = []struct{ name, alert string }{
	{"connect-suricata", "ET EXPLOIT Apache path traversal"},
	{"connect-wazuh", "sshd: brute force trying to get access"},
	{"connect-sysmon", "Way back removed"},
}

// TestConnect types what the guides say, with their samples, and sees what they
// promise; then it follows a file with the source they configure.
func TestConnect(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	rig.Binary(t) // before the folder changes
	for _, g := range guides {
		t.Run(g.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", "how-to", g.name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			data := t.TempDir()
			t.Chdir(t.TempDir())
			sample, source, printed := "", "", ""
			for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
				body := unindent(block[2])
				switch block[1] {
				case "json", "xml":
					sample = "sample." + block[1]
					put(t, sample, body)
				case "sh":
					for line := range strings.Lines(body) {
						printed += typed(t, data, strings.TrimSpace(line))
					}
				case "text":
					for line := range strings.Lines(body) {
						if want := strings.TrimSpace(line); !strings.Contains(printed, want) {
							t.Errorf("the guide promises %q; printed was\n%s", want, printed)
						}
					}
				case "yaml":
					source = body
				default:
					t.Errorf("the guide has a block in %q", block[1])
				}
			}
			if sample == "" || source == "" || printed == "" {
				t.Fatal("the guide has no sample, no source or no command")
			}
			follow(t, source, sample, g.alert)
		})
	}
}

func unindent(s string) string { return regexp.MustCompile(`(?m)^   `).ReplaceAllString(s, "") }

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// typed runs a line of the guide against the data folder of the test.
func typed(t *testing.T, data, line string) string {
	t.Helper()
	args := strings.Fields(line)
	if len(args) < 2 || args[0] != "honeyguide" {
		t.Fatalf("not a command: %q", line)
	}
	out, errs, status := rig.CLI(t, data, nil, args[1:]...)
	if status != 0 {
		t.Fatalf("%s: status %d\n%s%s", line, status, out, errs)
	}
	return out
}

// follow starts a core with the guide's source on a file that grows by the sample.
func follow(t *testing.T, source, sample, alert string) {
	t.Helper()
	record, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	grows := filepath.Join(t.TempDir(), "grows")
	put(t, grows, "")
	sets := []string{"sensors.ssh.enabled=false", "sensors.telnet.enabled=false", "sensors.http.enabled=false"}
	name := "" // of the source
	for line := range strings.Lines(source) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); {
		case key == "sources":
		case value == "":
			name = key
		case key == "path":
			sets = append(sets, "sources."+name+".path="+grows)
		default:
			sets = append(sets, "sources."+name+"."+key+"="+value)
		}
	}
	core := rig.Start(t, t.TempDir(), sets...)
	f, err := os.OpenFile(grows, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append([]byte(strings.TrimSpace(string(record))), '\n')); err != nil {
		t.Fatal(err)
	}
	f.Close()
	rig.Eventually(t, 20*time.Second, "the record of the followed file is there", func() bool {
		alerts, err := rig.List[honeyguide.Alert](core, "/api/v1/alerts")
		if err != nil {
			return false
		}
		for _, a := range alerts {
			if a.Title == alert {
				return true
			}
		}
		return false
	})
}
