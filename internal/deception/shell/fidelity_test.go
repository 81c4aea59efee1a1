package shell

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	fidelityTable = flag.Bool("fidelity", false, "print how often the shell answers as the real one did")
	fidelityDiff  = flag.String("diff", "", "print the difference of every failing case whose group/id begins so; all means all")
	fidelityBare  = flag.Bool("bare", false, "with -diff, print ids alone")
)

// goldenDir holds the answers this repository recorded; see tools/golden.
const goldenDir = "../../../test/fidelity"

// A verdict says how one case or one step of a scenario was answered.
type verdict struct {
	id    string // file/case or file/scenario step N
	good  bool
	speak bool // the real machine wrote to stderr
	why   string
}

var number = regexp.MustCompile(`[ \t]*[0-9]+([.,:][0-9]+)*(e[-+]?[0-9]+)?`)

var usageLine = regexp.MustCompile(`(?m)^[ \t]*[Uu]sage\b.*\n`)

// cutUsage drops what follows the first line of a usage text: the recordings
// do not hold it either.
func cutUsage(text string) string {
	if at := usageLine.FindStringIndex(text); at != nil {
		return text[:at[1]]
	}
	return text
}

// judge runs one recorded command.
func (c corpusCase) judge(t testing.TB, file string) verdict {
	stdout, stderr, rc := execCase(t, c.In)
	out, errs := stdout, stderr
	if slices.Contains(c.Tags, "usage") {
		out, errs = cutUsage(out), cutUsage(errs)
		stdout, stderr = out, errs
	}
	if slices.Contains(c.Tags, "digits") {
		out, errs = number.ReplaceAllString(out, " 0"), number.ReplaceAllString(errs, " 0")
	}
	if slices.Contains(c.Tags, "long") && len(c.Stdout) == 64 {
		sum := sha256.Sum256([]byte(out))
		out = hex.EncodeToString(sum[:])
	}
	v := verdict{id: file + "/" + c.ID, good: c.matches(out, errs, rc), speak: c.Stderr != ""}
	if !v.good {
		v.why = fmt.Sprintf("  in   %s\n%s", strings.ReplaceAll(c.In, "\n", "\n       "), lineDiff(stdout, c.Stdout, "out"))
		v.why += lineDiff(stderr, c.Stderr, "err")
		if rc != c.RC {
			v.why += fmt.Sprintf("  status got %d, want %d\n", rc, c.RC)
		}
	}
	return v
}

// lineDiff shows the lines that differ, ours first.
func lineDiff(got, want, what string) string {
	if got == want {
		return ""
	}
	var b strings.Builder
	g, w := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for len(g) > 0 && len(w) > 0 && g[0] == w[0] {
		g, w = g[1:], w[1:]
	}
	for len(g) > 0 && len(w) > 0 && g[len(g)-1] == w[len(w)-1] {
		g, w = g[:len(g)-1], w[:len(w)-1]
	}
	for _, l := range g[:min(len(g), 12)] {
		fmt.Fprintf(&b, "  %s got  %q\n", what, short(l))
	}
	for _, l := range w[:min(len(w), 12)] {
		fmt.Fprintf(&b, "  %s want %q\n", what, short(l))
	}
	return b.String()
}

// judge plays one recorded scenario.
func (sc *longScenario) judge(t *testing.T, file string) (all []verdict) {
	id := func(i int) string { return fmt.Sprintf("%s/%s step %d", file, sc.ID, i) }
	if !sc.TTY {
		n := sc.pipeIn(t)
		return []verdict{{id: id(0), good: n == 1, why: "  no terminal; run the scenario's test with -v\n"}}
	}
	f := newFakeTTY()
	s := sc.shell(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	term := s.Open(ctx, Attachment{Out: f, Ended: func(int) { close(ended) }})
	for i, st := range sc.Steps {
		more := sc.More.Steps[i]
		var got string
		switch {
		case more.Resize != nil:
			s.Resize(more.Resize[0], more.Resize[1])
			f.pass(time.Second) // the recorder waits for a silence
			got = f.settle()
		case more.Wait > 0:
			f.pass(time.Duration(more.Wait) * time.Millisecond)
			got = f.settle()
		case i > 0 || st.In != "":
			got = f.step(term, ended, st.In)
			if got == "" && sc.More.patient {
				f.pass(patience) // the recorder waits longer for a first word
				got = f.settle()
			}
		default:
			got = f.step(term, ended)
		}
		got, want := mask(got), mask(st.Out)
		if more.Cut {
			got = cutUsage(got)
		}
		if slices.Contains(sc.More.Tags, "digits") {
			got, want = number.ReplaceAllString(got, " 0"), number.ReplaceAllString(want, " 0")
		}
		if more.Booted {
			continue
		}
		v := verdict{id: id(i), good: got == want || slices.ContainsFunc(st.Alt, func(a string) bool { return mask(a) == got })}
		if !v.good {
			v.why = fmt.Sprintf("  in   %q\n  got  %q\n  want %q\n", st.In, got, want)
		}
		all = append(all, v)
	}
	cancel()
	<-ended
	return all
}

// patience is how long the recorder waits for the first word of a step.
const patience = 1200 * time.Millisecond

// settle returns what is written until nothing more comes for a moment; what
// it waits for is work of this process and not of a clock.
func (f *fakeTTY) settle() string {
	var all string
	for quiet := 0; quiet < 5; quiet++ {
		time.Sleep(2 * time.Millisecond)
		if s := f.take(); s != "" {
			all, quiet = all+s, 0
		}
	}
	return all
}

// A longScenario also holds what only our own recordings have.
type longScenario struct {
	scenario
	More struct {
		patient bool // recorded by tools/golden
		Tags    []string
		Steps   []struct {
			Resize []int
			Wait   int
			Cut    bool // recorded up to the first line of a usage text
			Booted bool // a booted server answers otherwise
		}
	}
}

// judgeFile gives the verdicts over one file of recorded answers.
func judgeFile(t *testing.T, path string) (all []verdict) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Cases     []corpusCase
		Scenarios []json.RawMessage
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	file := strings.TrimSuffix(filepath.Base(path), ".json")
	for _, c := range f.Cases {
		if !slices.Contains(c.Tags, "booted") {
			all = append(all, c.judge(t, file))
		}
	}
	for _, raw := range f.Scenarios {
		var sc longScenario
		if err := json.Unmarshal(raw, &sc.scenario); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &sc.More); err != nil {
			t.Fatal(err)
		}
		sc.More.patient = strings.HasPrefix(path, goldenDir)
		all = append(all, sc.judge(t, file)...)
	}
	return all
}

// knownFailures are the cases of our own recordings that are not answered
// exactly yet. The list only ever gets shorter.
func knownFailures(t *testing.T) map[string]bool {
	raw, err := os.ReadFile(filepath.Join(goldenDir, "known.txt"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			known[line] = true
		}
	}
	return known
}

// TestFidelity compares with what the real machine answered to the cases of
// test/fidelity: a case that was right once stays right.
func TestFidelity(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(goldenDir, "golden", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded answers in %s: %v", goldenDir, err)
	}
	known := knownFailures(t)
	mended := 0
	for _, path := range files {
		for _, v := range judgeFile(t, path) {
			switch {
			case !v.good && !known[v.id]:
				t.Errorf("%s is answered otherwise than by the real machine\n%s", v.id, v.why)
			case v.good && known[v.id]:
				mended++
				t.Logf("%s is right now: take it out of known.txt", v.id)
			}
		}
	}
	t.Logf("%d known failures, %d of them mended", len(known), mended)
}

// TestFidelityTable prints the table of `make fidelity`.
func TestFidelityTable(t *testing.T) {
	if !*fidelityTable {
		t.Skip("make fidelity prints the table")
	}
	rows := map[string]*[4]int{}
	count := func(row string, own bool, good bool) {
		r := rows[row]
		if r == nil {
			r = new([4]int)
			rows[row] = r
		}
		i := 0
		if own {
			i = 2
		}
		r[i+1]++
		if good {
			r[i]++
		}
	}
	paths, _ := filepath.Glob(filepath.Join(goldenDir, "golden", "*.json"))
	own := len(paths)
	given := givenDir()
	for _, name := range []string{"language.json", "recon.json", "interactive.json"} {
		if given != "" {
			paths = append(paths, filepath.Join(given, name))
		}
	}
	for i, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		for _, v := range judgeFile(t, path) {
			if i >= own {
				v.id = "given/" + v.id
			}
			count(name, i < own, v.good)
			if v.speak {
				count("writes errors", i < own, v.good)
			}
			if !v.good && *fidelityDiff != "" && (*fidelityDiff == "all" || strings.HasPrefix(v.id, *fidelityDiff)) {
				fmt.Println(v.id)
				if !*fidelityBare {
					fmt.Print(v.why)
				}
			}
		}
	}
	if given != "" {
		countChecks(t, given, func(row string, good bool) { count(row, false, good) })
		countTemplates(t, func(good bool) { count("attacker lines", false, good) })
	}
	fmt.Printf("%-20s %22s %22s\n", "exact answers", "given", "own")
	for _, name := range []string{"language", "recon", "errors", "admin", "interactive", "writes errors", "checks, fixed", "checks, state", "attacker lines"} {
		if r := rows[name]; r != nil {
			fmt.Printf("%-20s %22s %22s\n", name, share(r[0], r[1]), share(r[2], r[3]))
		}
	}
}

func share(good, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%d / %d  %5.1f %%", good, all, 100*float64(good)/float64(all))
}

// givenDir is the corpus next to the repository, "" when there is none.
func givenDir() string {
	for _, rel := range []string{"../../../../shared", "../../../../../shared"} {
		dir := filepath.Join(rel, "corpus", "fidelity")
		if _, err := os.Stat(filepath.Join(dir, "language.json")); err == nil {
			return dir
		}
	}
	return ""
}

// countChecks runs the one-line checks scanners send: those with one right
// answer, and those of which only breakage is told.
func countChecks(t *testing.T, given string, count func(row string, good bool)) {
	lines, err := os.ReadFile(filepath.Join(given, "checks", "shell_checks.txt"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(given, "checks", "expected", "bash-5.2-debian12.json"))
	if err != nil {
		t.Fatal(err)
	}
	var fixed map[string]struct {
		RC       int
		Out, Err string
	}
	if err := json.Unmarshal(raw, &fixed); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lines)) {
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			continue
		}
		s := newTestShell(t, Budget{})
		s.opt.Env = []string{"LANG=C"}
		var out, errw bytes.Buffer
		rc := s.Exec(t.Context(), line, strings.NewReader(""), &out, &errw)
		if want, ok := fixed[line]; ok {
			count("checks, fixed", want.Out == out.String() && want.Err == errw.String() && want.RC == rc)
			continue
		}
		broken := slices.ContainsFunc([]string{"command not found", "Exec format error", "syntax error", "invalid option"}, func(s string) bool {
			return strings.Contains(out.String()+errw.String(), s)
		})
		if broken && *fidelityDiff != "" {
			fmt.Printf("broken state line %q: %s", line, errw.String())
		}
		count("checks, state", !broken)
	}
}

// countTemplates runs one line of every template attackers typed and tells
// whether anything in it is unsupported.
func countTemplates(t *testing.T, count func(good bool)) {
	seen := map[string]bool{}
	why := map[string]int{}
	jsonLines(t, attackerFiles(t, "*__*.jsonl"), func(b []byte) {
		var l struct {
			C string
			T any
		}
		if json.Unmarshal(b, &l) != nil || l.C == "" {
			return
		}
		key := fmt.Sprint(l.T)
		if l.T == nil {
			key = l.C
		}
		if seen[key] {
			return
		}
		seen[key] = true
		s := newTestShell(t, Budget{Steps: 300_000})
		w := &unsupported{seen: map[string]int{}}
		s.opt.Watch = w
		s.Exec(t.Context(), l.C, strings.NewReader(""), io.Discard, io.Discard)
		for what := range w.seen {
			why[what]++
		}
		count(len(w.seen) == 0)
	})
	if *fidelityDiff != "" {
		for what, n := range why {
			fmt.Printf("unsupported in %d templates: %q\n", n, what)
		}
	}
}
