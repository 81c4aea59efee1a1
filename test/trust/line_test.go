package main

import (
	"strings"
	"testing"
)

func TestReadLine(t *testing.T) {
	good := "    crash_test.go:72: TRUST name=kill9-lost figure=0 unit=records target=<=0 of=200\n"
	f, ok, err := readLine(good)
	if err != nil || !ok || f.Name != "kill9-lost" || f.Value != 0 || f.Unit != "records" || f.Target != (target{"<=", 0}) || f.Of != 200 {
		t.Errorf("%+v %v %v", f, ok, err)
	}
	for name, line := range map[string]string{
		"not at the beginning":  "    crash_test.go:72: it said TRUST name=a figure=0 target=<=0",
		"text a test quotes":    "        crash_test.go:72: TRUST name=a figure=0 target=<=0",
		"printed, not logged":   "TRUST name=a figure=0 target=<=0",
		"no file before it":     "    TRUST name=a figure=0 target=<=0",
		"a file like a command": "    x;rm.go:1: TRUST name=a figure=0 target=<=0",
		"another word":          "    a_test.go:1: TRUSTED name=a figure=0 target=<=0",
	} {
		if f, ok, err := readLine(line); ok || err != nil {
			t.Errorf("%s: read as %+v, %v", name, f, err)
		}
	}
	for name, rest := range map[string]string{
		"nothing":            "",
		"no name":            "figure=0 target=<=0",
		"no figure":          "name=a target=<=0",
		"no target":          "name=a figure=0",
		"empty figure":       "name=a figure= target=<=0",
		"not a number":       "name=a figure=NaN target=<=0",
		"without end":        "name=a figure=+Inf target=<=0",
		"too large":          "name=a figure=1e99 target=<=0 of=1e999",
		"hex":                "name=a figure=0x0 target=<=0",
		"underscores":        "name=a figure=1_0 target=<=0",
		"hostile figure":     "name=a figure=0\x1b[31m target=<=0",
		"hostile unit":       "name=a figure=0 unit=\u202eevents target=<=0",
		"hostile name":       "name=../../etc figure=0 target=<=0",
		"two figures":        "name=a figure=0 figure=1 target=<=0",
		"no operator":        "name=a figure=0 target=0",
		"target not a word":  "name=a figure=0 target=<=none",
		"less than none":     "name=a figure=0 target=<=0 of=-1",
		"a word alone":       "name=a figure=0 target=<=0 kept",
		"a long line":        "name=a figure=0 target=<=0 unit=" + strings.Repeat("x", 500),
		"a very long number": "name=a figure=" + strings.Repeat("9", 40) + " target=<=0",
	} {
		if f, ok, err := readLine("    a_test.go:1: TRUST " + rest); !ok || err == nil {
			t.Errorf("%s: read as %+v, %v, %v", name, f, ok, err)
		}
	}
}

func TestOneFigure(t *testing.T) {
	line := func(name, value string) string {
		return "    a_test.go:1: TRUST name=" + name + " figure=" + value + " target=<=0\n"
	}
	for name, c := range map[string]struct {
		output string
		why    string // "": it is read
	}{
		"one":               {"=== RUN   TestA\n" + line("mine", "0") + "--- PASS: TestA\n", ""},
		"among others":      {line("other", "7") + line("mine", "0"), ""},
		"none":              {"ok\n", "no figure was printed"},
		"of another":        {line("other", "0"), "no figure was printed"},
		"two":               {line("mine", "0") + line("mine", "0"), "2 figures"},
		"one that is bad":   {line("mine", "0") + line("other", "NaN"), "cannot be read"},
		"a number of words": {line("mine", "none"), "cannot be read"},
	} {
		_, err := oneFigure("mine", c.output)
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
}

func TestTarget(t *testing.T) {
	for _, c := range []struct {
		target string
		value  float64
		met    bool
	}{
		{"<=0", 0, true},
		{"<=0", 1, false},
		{"<10", 10, false},
		{">=2000", 2000, true},
		{">=2000", 1999, false},
		{">0", 0, false},
		{"=1", 1, true},
		{"==1", 2, false},
		{"<=0.5", 0.5, true},
		{"<=-1", 0, false},
	} {
		goal, err := parseTarget(c.target)
		if err != nil || goal.met(c.value) != c.met {
			t.Errorf("%s for %v: %v, %v", c.target, c.value, !c.met, err)
		}
	}
}

func FuzzReadLine(f *testing.F) {
	f.Add("    crash_test.go:72: TRUST name=kill9-lost figure=0 unit=records target=<=0 of=200")
	f.Add("    a.go:1: TRUST name=a figure=NaN target=<=0")
	f.Add("    a.go:1: TRUST")
	f.Fuzz(func(t *testing.T, line string) {
		x, ok, err := readLine(line)
		if !ok || err != nil {
			return
		}
		if !rowName.MatchString(x.Name) || x.Value != x.Value || printable(x.Unit) != x.Unit {
			t.Errorf("%q is read as %+v", line, x)
		}
	})
}
