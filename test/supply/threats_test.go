package supply

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"honeyguide/internal/archtest"
)

const root = "../.."

// threats is how many rows the threat model has.
const threats = 46

var (
	threatRow = regexp.MustCompile(`^\| (\d+) ([STRIDE](?:/[STRIDE])?) \| (.+) \| (.+) \| (.+) \|$`)
	testName  = regexp.MustCompile("`((?:internal|test|tools|cmd)[a-z0-9/_]*)\\.((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)`")
	trustName = regexp.MustCompile("`([a-z0-9]+(?:-[a-z0-9]+)+)`")
)

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestThreatModel checks that all rows are there and that each names a test that
// exists, or says that nothing proves it.
func TestThreatModel(t *testing.T) {
	files, err := archtest.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string][]string{}
	for _, f := range files {
		if f.Test {
			tests[f.Dir] = append(tests[f.Dir], f.Functions()...)
		}
	}
	next, named, open := 1, 0, 0
	promises := read(t, "test/trust/rows.go")
	for _, line := range strings.Split(read(t, "docs/security/threat-model.md"), "\n") {
		m := threatRow.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| # |") {
				t.Errorf("this row cannot be read: %.80s", line)
			}
			continue
		}
		if n, _ := strconv.Atoi(m[1]); n != next {
			t.Errorf("row %d stands where %d is expected", n, next)
		}
		next++
		proofs := testName.FindAllStringSubmatch(m[5], -1)
		for _, p := range proofs {
			named++
			if !slices.Contains(tests[p[1]], p[2]) {
				t.Errorf("row %s names %s.%s, which does not exist", m[1], p[1], p[2])
			}
		}
		for _, p := range trustName.FindAllStringSubmatch(m[5], -1) {
			if !strings.Contains(promises, `Name: "`+p[1]+`"`) {
				t.Errorf("row %s names %s, which is no row of make trust", m[1], p[1])
			}
		}
		if strings.Contains(m[5], "Not proven") {
			open++
		} else if len(proofs) == 0 {
			t.Errorf("row %s names no test and does not say that it is not proven", m[1])
		}
	}
	if next != threats+1 {
		t.Errorf("%d rows, want %d", next-1, threats)
	}
	t.Logf("%d rows, %d tests named, %d rows say that they are not proven", next-1, named, open)
}
