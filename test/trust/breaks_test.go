package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testNames are the names of all tests, by folder.
type testNames map[string][]string

func testsOf(t testing.TB, root string) testNames {
	t.Helper()
	found := testNames{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && file != root):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				found[filepath.ToSlash(rel)] = append(found[filepath.ToSlash(rel)], fn.Name.Name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// match reports whether some test of a package is run by a pattern.
func (n testNames) match(dir, pkg, pattern string) bool {
	re, err := regexp.Compile(strings.Split(pattern, "/")[0])
	return err == nil && slices.ContainsFunc(n[path.Join(dir, pkg)], func(name string) bool {
		return strings.HasPrefix(name, "Test") && re.MatchString(name)
	})
}

// quick are the rows whose break is tried in every run of the tests; make
// trust-breaks tries them all, and so does HONEYGUIDE_TRUST_BREAKS=1 here.
var quick = []string{"sandbox-escapes-open", "licences"}

// TestEveryRowCanFail breaks the product for each row: the line it breaks must
// still stand in the source, once, and the row must then miss.
func TestEveryRowCanFail(t *testing.T) {
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	all := os.Getenv("HONEYGUIDE_TRUST_BREAKS") != ""
	for _, r := range rows {
		t.Run(r.Name, func(t *testing.T) {
			b, err := breakOf(root, r.Name)
			if err != nil {
				t.Fatal(err)
			}
			file, broken, err := b.apply(root)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.ParseFile(token.NewFileSet(), file, broken, 0); err != nil {
				t.Fatalf("what is broken is no Go any more, so nothing would be tried: %v", err)
			}
			if !all && (!slices.Contains(quick, r.Name) || testing.Short()) {
				return
			}
			if why := lacking(r); why != "" {
				if os.Getenv("CI") == "true" {
					t.Fatal(why)
				}
				t.Skip(why)
			}
			res, why := tryBreak(t.Context(), root, t.TempDir(), r, io.Discard)
			if why != "" {
				t.Errorf("%s", why)
			}
			t.Logf("%s: %s %s %s", r.Name, res.figure(), res.Verdict, res.Why)
		})
	}
}

// No break is left over from a row that is gone.
func TestBreaksBelongToRows(t *testing.T) {
	list, err := filepath.Glob("breaks/*.txt")
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, file := range list {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if !slices.ContainsFunc(rows, func(r row) bool { return r.Name == name }) {
			t.Errorf("%s: there is no row %s", file, name)
		}
	}
}

func TestReadBreak(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"good":            {"a.go\n---\nold\n---\nnew\n", true},
		"no end":          {"a.go\n---\nold\n", false},
		"nothing changed": {"a.go\n---\nold\n---\nold\n", false},
		"nothing to find": {"a.go\n---\n\n---\nnew\n", false},
		"outside":         {"../a.go\n---\nold\n---\nnew\n", false},
		"absolute":        {"/etc/a.go\n---\nold\n---\nnew\n", false},
		"no Go":           {"a.txt\n---\nold\n---\nnew\n", false},
	} {
		file := filepath.Join(t.TempDir(), "row.txt")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := readBreak(file); (err == nil) != c.ok {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
	root := t.TempDir()
	for text, want := range map[string]bool{"one line": true, "one line one line": false, "another": false} {
		if err := os.WriteFile(filepath.Join(root, "a.go"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := (breakage{Row: "r", File: "a.go", Old: "one", New: "two"}).apply(root); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}
