package shell

import (
	"path/filepath"
	"testing"
)

// TestOwnCases compares with answers recorded from bash 5.2 on inputs of our own.
func TestOwnCases(t *testing.T) {
	cases := loadCases(t, filepath.Join("testdata", "own.json"))
	if len(cases) < 60 {
		t.Fatalf("only %d cases", len(cases))
	}
	bad := 0
	for _, c := range cases {
		stdout, stderr, rc := execCase(t, c.In)
		if c.matches(stdout, stderr, rc) {
			continue
		}
		bad++
		if testing.Verbose() {
			t.Logf("%q\n  got  %q %q %d\n  want %q %q %d", c.In, stdout, stderr, rc, c.Stdout, c.Stderr, c.RC)
		}
	}
	t.Logf("%d of %d own cases differ", bad, len(cases))
}
