package howto

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAddASource does in a copy of the repository what the guide says, and
// counts what it touched: one folder and one generated file.
func TestAddASource(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the product once more; -short leaves it out")
	}
	root := t.TempDir()
	copyTree(t, "../..", root)
	guide, err := os.ReadFile("../../docs/how-to/add-a-source.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := block.FindAllSubmatch(guide, -1)
	if len(blocks) != 2 {
		t.Fatalf("the guide has %d Go blocks, want the source and its test", len(blocks))
	}
	dir := filepath.Join(root, "internal", "source", "heartbeat")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"heartbeat.go", "heartbeat_test.go"} {
		src := regexp.MustCompile(`(?m)^   `).ReplaceAll(blocks[i][1], nil)
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, filepath.Join(root, "tools"), "go", "run", "./kinds", "..")
	want := []string{"internal/builtin/source.go", "internal/source/heartbeat/heartbeat.go", "internal/source/heartbeat/heartbeat_test.go"}
	if got := changed(t, "../..", root); !slices.Equal(got, want) {
		t.Errorf("touched %q", got)
	}
	run(t, root, "go", "test", ".", "./internal/source/heartbeat")
	run(t, root, "go", "build", "-o", "hg", "./cmd/honeyguide")
	if docs := run(t, root, "./hg", "config", "docs"); !strings.Contains(docs, "sources.heartbeat.every") {
		t.Error("the new source's key is not documented by the binary")
	}
}
