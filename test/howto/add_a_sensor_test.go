// Package howto follows the guides of docs/how-to to the letter, so that they
// stay true.
package howto

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block finds the Go blocks of a guide; they are indented below list items.
var block = regexp.MustCompile("(?s)```go\n(.*?)```")

// TestAddASensor does in a copy of the repository what the guide says, and
// counts what it touched: one folder and one generated file.
func TestAddASensor(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the product once more; -short leaves it out")
	}
	root := t.TempDir()
	copyTree(t, "../..", root)
	guide, err := os.ReadFile("../../docs/how-to/add-a-sensor.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := block.FindAllSubmatch(guide, -1)
	if len(blocks) != 2 {
		t.Fatalf("the guide has %d Go blocks, want the sensor and its test", len(blocks))
	}
	dir := filepath.Join(root, "internal", "sensor", "discard")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"discard.go", "discard_test.go"} {
		src := regexp.MustCompile(`(?m)^   `).ReplaceAll(blocks[i][1], nil)
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, filepath.Join(root, "tools"), "go", "run", "./kinds", "..")
	if got := changed(t, "../..", root); !slices.Equal(got, []string{"internal/builtin/sensor.go", "internal/sensor/discard/discard.go", "internal/sensor/discard/discard_test.go"}) {
		t.Errorf("touched %q", got)
	}
	run(t, root, "go", "test", ".", "./internal/sensor/discard")
	run(t, root, "go", "build", "-o", "hg", "./cmd/honeyguide")
	if docs := run(t, root, "./hg", "config", "docs"); !strings.Contains(docs, "sensors.discard.max_bytes") {
		t.Error("the new sensor's key is not documented by the binary")
	}
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// sources lists the files of a tree that belong to the product.
func sources(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == ".git" || rel == "bin" || rel == "data" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			files = append(files, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	for _, rel := range sources(t, from) {
		raw, err := os.ReadFile(filepath.Join(from, rel))
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// changed lists the files of now that are missing in, or differ from, before.
func changed(t *testing.T, before, now string) []string {
	t.Helper()
	var out []string
	for _, rel := range sources(t, now) {
		a, errA := os.ReadFile(filepath.Join(before, rel))
		b, errB := os.ReadFile(filepath.Join(now, rel))
		if errB != nil {
			t.Fatal(errB)
		}
		if errA != nil || !bytes.Equal(a, b) {
			out = append(out, filepath.ToSlash(rel))
		}
	}
	slices.Sort(out)
	return out
}
