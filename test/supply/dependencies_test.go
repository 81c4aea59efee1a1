package supply

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// direct returns the modules that a go.mod asks for itself.
func direct(t *testing.T, dir string) (paths []string) {
	t.Helper()
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = filepath.Join(root, dir)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Tool []struct{ Path string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		// A tool's module is marked as indirect, and is asked for nevertheless.
		tool := slices.ContainsFunc(mod.Tool, func(x struct{ Path string }) bool { return strings.HasPrefix(x.Path, r.Path) })
		if !r.Indirect || tool {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

// manifest is what a package.json asks for.
type manifest struct {
	Dependencies, DevDependencies, OptionalDependencies map[string]string
}

func packages(t *testing.T, name string) manifest {
	t.Helper()
	var m manifest
	if err := json.Unmarshal([]byte(read(t, name)), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

var listed = regexp.MustCompile("^\\| `([^`]+)` \\| (.+) \\| (.+) \\| ([A-Za-z0-9. -]+) \\| (.+) \\|$")

// TestDependenciesAreListed compares go.mod, tools/go.mod and the package.json
// files with docs/security/dependencies.md: what is used is listed with its reason,
// what it may touch, its licence and what else there was, and nothing else is.
func TestDependenciesAreListed(t *testing.T) {
	have := map[string]bool{}
	for _, line := range strings.Split(read(t, "docs/security/dependencies.md"), "\n") {
		m := listed.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "| `") {
				t.Errorf("this row cannot be read: %.100s", line)
			}
			continue
		}
		if have[m[1]] {
			t.Errorf("%s is listed twice", m[1])
		}
		have[m[1]] = true
	}
	want := map[string]bool{}
	for _, dir := range []string{".", "tools", "test/sigmabench"} {
		for _, p := range direct(t, dir) {
			want[p] = true
		}
	}
	for _, file := range []string{"web/package.json", "web/tools/types/package.json", "test/oidc/package.json"} {
		m := packages(t, file)
		for _, list := range []map[string]string{m.Dependencies, m.DevDependencies, m.OptionalDependencies} {
			for p := range list {
				want[p] = true
			}
		}
	}
	delete(want, "honeyguide")
	for p := range want {
		if !have[p] {
			t.Errorf("%s is used and not listed in docs/security/dependencies.md: say why it is needed, what it may touch, its licence, and what else there was", p)
		}
	}
	for p := range have {
		if !want[p] {
			t.Errorf("%s is listed in docs/security/dependencies.md and not used", p)
		}
	}
}

var (
	exact  = regexp.MustCompile(`^\d+\.\d+\.\d+([-+][A-Za-z0-9.]+)?$`)
	unruly = regexp.MustCompile(`@(latest|master|main|upgrade|next)\b|:latest\b|curl [^|\n]*\| *(ba)?sh`)
)

// TestPinned sees that nothing is built with whatever is newest today.
func TestPinned(t *testing.T) {
	for _, file := range []string{"web/package.json", "web/tools/types/package.json", "test/oidc/package.json"} {
		m := packages(t, file)
		for _, list := range []map[string]string{m.Dependencies, m.DevDependencies, m.OptionalDependencies} {
			for p, v := range list {
				if !exact.MatchString(v) {
					t.Errorf("%s: %s is asked for as %q, not as one version", file, p, v)
				}
			}
		}
		var lock struct {
			Packages map[string]struct{ Version, Resolved, Integrity string }
		}
		if err := json.Unmarshal([]byte(read(t, filepath.Join(filepath.Dir(file), "package-lock.json"))), &lock); err != nil {
			t.Fatal(err)
		}
		for p, x := range lock.Packages {
			if p != "" && (x.Version == "" || x.Resolved != "" && !strings.HasPrefix(x.Integrity, "sha512-")) {
				t.Errorf("%s: %s has no version or no hash in the lock", file, p)
			}
		}
	}
	var scripts []string
	for _, pattern := range []string{"Makefile", "test/*.sh", "tools/*.sh", "test/web/*.sh", "deploy/*", "deploy/*/*", "web/package.json", ".github/workflows/*"} {
		list, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, list...)
	}
	for _, path := range scripts {
		rel, _ := filepath.Rel(root, path)
		if isDir(path) {
			continue
		}
		for n, line := range strings.Split(read(t, rel), "\n") {
			if found := unruly.FindString(line); found != "" {
				t.Errorf("%s:%d: %s is another thing tomorrow", rel, n+1, found)
			}
		}
	}
	for _, dir := range []string{".", "tools", "test/sigmabench"} {
		if !regexp.MustCompile(`(?m)^go \d+\.\d+\.\d+$`).MatchString(read(t, filepath.Join(dir, "go.mod"))) {
			t.Errorf("%s/go.mod names no version of Go to the last number", dir)
		}
	}
	if len(scripts) < 4 {
		t.Errorf("only %v were looked at", scripts)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
