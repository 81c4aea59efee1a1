package main

import (
	"bytes"
	"strings"
	"testing"
)

// told is what go test -json says of a run, in short.
func told(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

const (
	goodLine = `{"Action":"output","Test":"TestA","Output":"    a_test.go:1: TRUST name=mine figure=0 target=<=0 of=20\n"}`
	passed   = `{"Action":"pass","Test":"TestA"}`
	failed   = `{"Action":"fail","Test":"TestA"}`
	skipped  = `{"Action":"skip","Test":"TestA"}`
	excuse   = `{"Action":"output","Test":"TestA","Output":"    a_test.go:9: nft is not installed\n"}`
)

// A row is kept only when its whole test ran, passed and said a figure that meets
// the target and comes from as many attempts as are promised.
func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		told    string
		verdict string
		why     string
	}{
		"kept":                  {told(goodLine, passed, `{"Action":"pass"}`), verdictKept, ""},
		"missed":                {told(strings.Replace(goodLine, "figure=0", "figure=1", 1), passed), verdictMissed, ""},
		"failed":                {told(goodLine, excuse, failed, `{"Action":"fail"}`), verdictMissed, "nft is not"},
		"no line":               {told(passed), verdictBlind, "no figure"},
		"two lines":             {told(goodLine, goodLine, passed), verdictBlind, "2 figures"},
		"not a number":          {told(strings.Replace(goodLine, "figure=0", "figure=NaN", 1), passed), verdictBlind, "NaN"},
		"hostile":               {told(strings.Replace(goodLine, "figure=0", `figure=0\u001b[2J`, 1), passed), verdictBlind, "no number"},
		"of another row":        {told(strings.Replace(goodLine, "mine", "yours", 1), passed), verdictBlind, "no figure"},
		"skipped":               {told(excuse, skipped, `{"Action":"pass"}`), verdictBlind, "skipped: a_test.go:9: nft is not installed"},
		"a part was skipped":    {told(goodLine, skipped, passed), verdictBlind, "skipped"},
		"no such test":          {told(`{"Action":"output","Output":"testing: warning: no tests to run\n"}`, `{"Action":"pass"}`), verdictBlind, "no test"},
		"fewer than promised":   {told(strings.Replace(goodLine, "of=20", "of=3", 1), passed), verdictBlind, "tried 3 times"},
		"does not build":        {told(`{"Action":"build-fail"}`, `{"Action":"fail"}`), verdictNotRun, "build"},
		"rubbish":               {"\x00\xff{{{\n", verdictBlind, "no test"},
		"forged by the product": {told(`{"Action":"output","Test":"TestA","Output":"        core said:     a.go:1: TRUST name=mine figure=0 target=<=0 of=20\n"}`, passed), verdictBlind, "no figure"},
	} {
		t.Run(name, func(t *testing.T) {
			var copied bytes.Buffer
			e := listen(strings.NewReader(c.told), &copied)
			res := result{Target: "<=0"}
			judge(&res, row{Name: "mine"}, e, 20)
			if res.Verdict != c.verdict || !strings.Contains(res.Why, c.why) || strings.ContainsRune(res.Why, 0x1b) {
				t.Errorf("%s: %q, want %s: %q", res.Verdict, res.Why, c.verdict, c.why)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		verdicts string
		ci       bool
		want     int
	}{
		{verdictKept, false, kept},
		{verdictKept + "," + verdictMissed, false, missed},
		{verdictBlind + "," + verdictKept, false, missed},
		{verdictNotRun + "," + verdictKept, false, untried},
		{verdictNotRun + "," + verdictMissed, false, missed},
		{verdictNotRun, true, missed},
	} {
		r := report{}
		for v := range strings.SplitSeq(c.verdicts, ",") {
			r.Rows = append(r.Rows, result{Verdict: v})
		}
		if got := r.status(c.ci); got != c.want {
			t.Errorf("%s, CI %v: %d, want %d", c.verdicts, c.ci, got, c.want)
		}
	}
}

func TestReportIsPrinted(t *testing.T) {
	none, one := 0.0, 1.0
	r := report{Rows: []result{
		{Name: "a", Target: "<=0", Figure: &none, Of: 200, Unit: "records", Verdict: verdictKept},
		{Name: "b", Target: "<=0", Figure: &one, Verdict: verdictMissed, Promise: "Nothing is lost.", Busy: true, Foreign: 0.5},
		{Name: "d", Target: "<=1000", Figure: &one, Of: 3, Unit: "ms", Verdict: verdictKept},
		{Name: "c", Target: "<=0", Verdict: verdictNotRun, Why: "needs root"},
	}}
	var out bytes.Buffer
	r.print(&out)
	for _, want := range []string{"0 of 200 records", "1 ms (3 tries)", "MISSED", "Nothing is lost.", "none", "needs root", "busy machine (50 %)", "4 promises: 2 kept, 1 missed, 0 without a figure, 1 not run"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// The table itself: names are names, every target can be read, and every row has
// a test to run.
func TestRows(t *testing.T) {
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	tests := testsOf(t, root)
	names := map[string]bool{}
	for _, r := range rows {
		if names[r.Name] || !rowName.MatchString(r.Name) || r.Promise == "" {
			t.Errorf("%q: a row has a name of its own and a promise", r.Name)
		}
		names[r.Name] = true
		for _, long := range []bool{false, true} {
			if _, err := parseTarget(r.goal(long)); err != nil {
				t.Errorf("%s: %v", r.Name, err)
			}
		}
		if !tests.match(r.Dir, r.Pkg, r.Run) {
			t.Errorf("%s: no test of %s/%s matches %s", r.Name, r.Dir, r.Pkg, r.Run)
		}
	}
}
