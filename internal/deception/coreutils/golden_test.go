package coreutils_test

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"honeyguide/internal/deception/coreutils"
)

// golden is what the real programs of Debian 12 answered to inputs of our own:
// each ran alone in a folder like the bench's fixture, as root, in the C.UTF-8
// locale.
//
//go:embed testdata/golden.json
var golden []byte

type goldenCase struct {
	Argv         []string
	In, Out, Err string
	RC           int
}

// goldenFloor is the share of recorded answers we give byte for byte. It only
// ever goes up.
const goldenFloor = 0.99

func TestGolden(t *testing.T) {
	var cases []goldenCase
	if err := json.Unmarshal(golden, &cases); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, "debian-12-fresh")
	good, total := 0, 0
	for _, c := range cases {
		if _, ok := coreutils.Lookup(c.Argv[0]); !ok {
			continue
		}
		total++
		b.reset()
		b.now = moment
		b.fixture()
		out, err, rc := b.run(c.In, c.Argv...)
		if unordered[c.Argv[0]] {
			out, c.Out = sortLines(out), sortLines(c.Out)
		}
		if out == c.Out && mask(err) == mask(c.Err) && rc == c.RC {
			good++
			continue
		}
		t.Logf("%q < %q\n got %q %q %d\nwant %q %q %d", c.Argv, c.In, out, err, rc, c.Out, c.Err, c.RC)
	}
	share := float64(good) / float64(total)
	t.Logf("%d of %d answers equal, %.1f %%", good, total, 100*share)
	if share < goldenFloor {
		t.Errorf("%.1f %% of the recorded answers, want %.1f %%", 100*share, 100*goldenFloor)
	}
}

// unordered commands list folders in directory order, which is the image's own.
var unordered = map[string]bool{"find": true, "cp": true, "rm": true, "tar": true, "grep": true}

func sortLines(s string) string {
	l := strings.SplitAfter(s, "\n")
	slices.Sort(l)
	return strings.Join(l, "")
}

// mask hides dd's figures of time.
func mask(s string) string {
	if i := strings.Index(s, " copied, "); i >= 0 {
		return s[:i]
	}
	return s
}
