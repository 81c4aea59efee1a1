package repro

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestReproducible builds the last commit twice, in folders, with masks of modes,
// time zones, languages and homes of their own, and compares every byte of the
// console and of the binary. HONEYGUIDE_TRUST_REPRODUCIBLE_BUILD=1 builds at all;
// 2 builds everything anew, with a cache of its own for each, which takes minutes.
func TestReproducible(t *testing.T) {
	size, _ := strconv.Atoi(os.Getenv("HONEYGUIDE_TRUST_REPRODUCIBLE_BUILD"))
	if size == 0 {
		t.Skip("make reproduce and make trust build the product twice: HONEYGUIDE_TRUST_REPRODUCIBLE_BUILD=1 does")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	commit, version, err := Commit(ctx, root)
	if err != nil {
		t.Fatal(err)
	}
	if clean, err := Clean(ctx, root); err != nil || !clean {
		t.Logf("the tree is not that of %s (%v): what is built is the commit", commit, err)
	}
	_, err = exec.LookPath("npm")
	console := err == nil
	if !console {
		t.Log("there is no npm here: the console is not built")
	}
	base := t.TempDir()
	places := []Place{
		{Dir: filepath.Join(base, "one"), Umask: "022", Env: []string{"TZ=UTC", "LANG=C"}},
		{Dir: filepath.Join(base, "another", "folder", "with a blank"), Umask: "077", Env: []string{"TZ=Pacific/Auckland", "LANG=de_DE.UTF-8", "LC_ALL=C.UTF-8", "USER=somebody", "LOGNAME=somebody", "HOSTNAME=elsewhere"}},
	}
	var sums []map[string]string
	for i, p := range places {
		if size > 1 {
			p.GoCache = filepath.Join(base, "cache"+strconv.Itoa(i))
		}
		if err := os.MkdirAll(filepath.Dir(p.Dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Checkout(ctx, root, commit, p); err != nil {
			t.Fatal(err)
		}
		if console {
			if err := Console(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		if err := Binary(ctx, p, version, "amd64", filepath.Join(p.Dir, "web", "dist", "honeyguide")); err != nil {
			t.Fatal(err)
		}
		s, err := Sums(filepath.Join(p.Dir, "web", "dist"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, s)
	}
	apart := Differences(sums[0], sums[1])
	for _, name := range apart {
		t.Errorf("%s: %.12s and %.12s", name, sums[0][name], sums[1][name])
	}
	t.Logf("commit %s, version %s, honeyguide %s", commit, version, sums[0]["honeyguide"])
	t.Logf("TRUST name=reproducible-build figure=%d unit=files target=<=0 of=%d", len(apart), len(sums[0]))
	if console && len(sums[0]) < 10 {
		t.Errorf("only %d files were built", len(sums[0]))
	}
}

func TestDifferences(t *testing.T) {
	a := map[string]string{"same": "1", "changed": "1", "gone": "1"}
	b := map[string]string{"same": "1", "changed": "2", "new": "1"}
	if got := Differences(a, b); len(got) != 3 {
		t.Errorf("%v", got)
	}
	if got := Differences(a, a); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
