package secrets

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRepository scans the files and the history of this repository.
func TestRepository(t *testing.T) {
	tree, files, err := Tree(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	past, commits, err := History(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(tree, past...) {
		t.Errorf("%v; take it out and make it void, or add it to tools/secrets/allow.go with the reason", f)
	}
	t.Logf("%d files, %d commits", files, commits)
	t.Logf("TRUST name=secret-scan figure=%d unit=secrets target=<=0 of=%d", len(tree)+len(past), files+commits)
	if files < 500 || commits < 1 {
		t.Errorf("%d files and %d commits: not everything was looked at", files, commits)
	}
}

// planted are credentials of the kinds there are, put together here so that they
// stand in no file.
func planted() []string {
	random := "kJ8vQ2mZx7LpW4nTbY9sRf3HdCgE6aUo"
	return []string{
		"-----BEGIN OPENSSH " + "PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAA", "AGE-SECRET-" + "KEY-1" + strings.Repeat("QZ7", 19) + "Q", "key = AKIA" + "Q7ZK3MWXP2LNV5TB",
		"gh" + "p_" + random + "A1b2", "gl" + "pat-" + random, "xox" + "b-" + random, "https://hooks.slack.com/" + "services/T00/B11/" + random, "AI" + "za" + random + "xyz",
		"sk_" + "live_" + random, "sk-" + "ant-" + random + random, "np" + "m_" + random + "Zz19", "hg" + "_" + random, "ey" + "J" + random + ".ey" + "J" + random + "." + random,
		"postgres://app:" + "vQ2mZx7LpW4nTb" + "@db.internal.net/x", `api_` + `key := "` + random + `"`, `password` + `: '` + random + `99'`,
	}
}

// TestPlanted plants credentials in a repository, takes them out again, and finds
// them both times: a scan that finds nothing anywhere proves nothing.
func TestPlanted(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) {
		cmd := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	file := filepath.Join(dir, "config.go")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "-q")
	write("package config\n")
	run("add", ".")
	run("commit", "-qm", "clean")
	write("package config\n" + strings.Join(planted(), "\n") + "\n")
	found, _, err := Tree(t.Context(), dir)
	if err != nil || len(found) < len(planted()) {
		t.Errorf("%d of %d found in the tree, %v: %v", len(found), len(planted()), err, found)
	}
	run("commit", "-qam", "with secrets")
	write("package config\n")
	run("commit", "-qam", "without")
	if found, _, err := Tree(t.Context(), dir); err != nil || len(found) != 0 {
		t.Errorf("in the clean tree: %v, %v", found, err)
	}
	found, commits, err := History(t.Context(), dir)
	if err != nil || len(found) < len(planted()) || commits != 3 {
		t.Errorf("%d of %d found in %d commits, %v: %v", len(found), len(planted()), commits, err, found)
	}
	for _, f := range found {
		if strings.Contains(f.String(), f.Word) {
			t.Errorf("the report shows the secret: %v", f)
		}
	}
}

// What is in a file the way others write it is no credential.
func TestHarmless(t *testing.T) {
	for _, line := range []string{
		"package secret", `password := ""`, `token := os.Getenv("TOKEN")`, "https://example.org/a:b@c", "AKIAIOSFODNN7EXAMPLE", `secret: "aaaaaaaaaaaaaaaaaaaaaaaa"`,
		"-----BEGIN PUBLIC KEY-----", "-----BEGIN PRIVATE KEY-----", "sk-learn-is-a-library", strings.Repeat("A", 10_000),
	} {
		if found := scanLine("a.go", line); len(found) > 0 {
			t.Errorf("%.60q: %v", line, found)
		}
	}
}

// Every exception has its reason and is still needed by something.
func TestReasons(t *testing.T) {
	for _, a := range allow {
		if a.why == "" || a.file == "" && a.word == nil {
			t.Errorf("%+v: an exception names a file or a word, and why", a)
		}
	}
}

func FuzzPatches(f *testing.F) {
	f.Add("commit abc\ndiff --git a/x b/x\n+++ b/x\n@@ -0,0 +1 @@\n+x\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := patches(strings.NewReader(text)); err != nil {
			t.Error(err)
		}
	})
}
