package sigma

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// The tests of this file hold the engine against the public rules, which are no
// part of the repository: `make sigma-gate` runs them.

var (
	gateFolders = []string{"rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance"}
	oldFolders  = []string{"deprecated", "unsupported"}
)

// publicDir is the checkout of the public rules.
func publicDir(t testing.TB) string {
	dir := os.Getenv("HONEYGUIDE_SIGMA_DIR")
	if dir == "" {
		t.Skip("HONEYGUIDE_SIGMA_DIR does not name a checkout of the public rules")
	}
	return dir
}

// ruleFiles reads the files of folders of the public rules.
func ruleFiles(t testing.TB, folders []string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, f := range folders {
		err := filepath.WalkDir(filepath.Join(publicDir(t), f), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".yml") {
				return err
			}
			files[p], err = os.ReadFile(p)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func loadFiles(files map[string][]byte, with Placeholders) *Ruleset {
	set := &Ruleset{}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		set.Add(p, files[p], with)
	}
	return set
}

var missing = regexp.MustCompile(`placeholder %([^%]+)%`)

// publicSet loads the public rules with a value for each placeholder.
func publicSet(t testing.TB) *Ruleset {
	t.Helper()
	files, with := ruleFiles(t, gateFolders), Placeholders{}
	for {
		set, more := loadFiles(files, with), false
		for _, f := range set.Faults {
			if f.Kind == FaultPlaceholder {
				name := missing.FindStringSubmatch(f.Why)[1]
				with[name], more = []string{"value-of-" + name}, true
			}
		}
		if !more {
			return set
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestGateParse(t *testing.T) {
	files := ruleFiles(t, gateFolders)
	n := map[FaultKind]int{}
	set := loadFiles(files, nil)
	for _, f := range set.Faults {
		n[f.Kind]++
		if f.Kind == FaultError || f.Kind == FaultUnsupported {
			t.Errorf("%s:%d %s: %s", f.File, f.Line, f.Field, f.Why)
		}
	}
	if len(set.Rules)+n[FaultPlaceholder] != len(files) || len(files) < 3780 {
		t.Errorf("%d rules, %d want values for placeholders, of %d", len(set.Rules), n[FaultPlaceholder], len(files))
	}
	t.Logf("%d rules without placeholders, %d want values, %d warnings", len(set.Rules), n[FaultPlaceholder], n[FaultWarning])
	set = publicSet(t)
	if len(set.Rules) != len(files) {
		t.Errorf("with placeholders %d rules of %d", len(set.Rules), len(files))
	}
	e, faults := NewEngine(set)
	if len(faults) > 0 {
		t.Error(faults)
	}
	always := 0
	for _, c := range e.rules {
		if c.lits == nil {
			always++
		}
	}
	t.Logf("%d rules: %d atoms, %d fields, %d without a literal", e.Len(), len(e.atoms), len(e.fieldNames), always)
}

// TestGateOld loads the folders of old rules: each document ends as a rule, or
// as a fault with a reason.
func TestGateOld(t *testing.T) {
	files := ruleFiles(t, oldFolders)
	loaded, unsupported := 0, 0
	for p, text := range files {
		set := &Ruleset{}
		set.Add(p, text, rowPlaceholders)
		bad := false
		for _, f := range set.Faults {
			switch f.Kind {
			case FaultUnsupported, FaultPlaceholder:
				bad = true
			case FaultError:
				t.Errorf("%s:%d %s: %s", f.File, f.Line, f.Field, f.Why)
			}
		}
		switch {
		case bad:
			unsupported++
		case len(set.Rules) > 0:
			loaded++
		default:
			t.Errorf("%s: neither loaded nor told of", p)
		}
	}
	t.Logf("of %d old files %d load, %d are told of as unsupported", len(files), loaded, unsupported)
}

// TestGateLoad holds the budgets of loading, in processor time.
func TestGateLoad(t *testing.T) {
	files := ruleFiles(t, gateFolders)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var spent []time.Duration
	var e *Engine
	for range 5 {
		runtime.GC() // what the round before left behind
		began := cpuTime()
		set := loadFiles(files, nil)
		e, _ = NewEngine(set)
		spent = append(spent, cpuTime()-began)
	}
	e.Match(e.NewScratch(), &Record{Sources: []Source{{Product: "windows", Category: "process_creation", Service: "sysmon"}}}, nil)
	runtime.GC()
	runtime.ReadMemStats(&after)
	slices.Sort(spent)
	used := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("loaded in %v of processor time (median of %v), holds %d MiB", spent[2].Round(time.Millisecond), spent, used>>20)
	if spent[2] > 2*time.Second {
		t.Errorf("loading takes %v of processor time, want at most 2s", spent[2])
	}
	if used > 150<<20 {
		t.Errorf("the rules hold %d MiB, want at most 150", used>>20)
	}
	runtime.KeepAlive(e)
}

// TestGateEvaluates asks every rule of events in which its fields are all kinds
// of things, and of random ones: nothing panics, and both ways agree.
func TestGateEvaluates(t *testing.T) {
	e, _ := NewEngine(publicSet(t))
	s := e.NewScratch()
	values := map[string][]Field{
		"absent": nil, "null": {{Null: true}}, "empty": {{}}, "x": {{Text: "x"}}, "number": {{Text: "4711"}}, "bool": {{Text: "true"}},
		"list": {{Text: "a"}, {Null: true}, {Text: "b"}}, "object": {{Text: "inner"}},
	}
	n := 0
	for _, c := range e.rules {
		fields := map[string]bool{}
		fieldsOf(e, c.cond, fields)
		for kind, v := range values {
			r := &Record{Sources: []Source{c.rule.Logsource}}
			for f := range fields {
				for _, x := range v {
					x.Name = f
					if kind == "object" {
						x.Name += ".inner"
					}
					r.Fields = append(r.Fields, x)
				}
			}
			fires(t, e, s, r, c.rule)
			n++
		}
	}
	r := rand.New(rand.NewPCG(1, 5))
	for range 10_000 {
		rec := &Record{Sources: []Source{e.rules[r.IntN(len(e.rules))].rule.Logsource}, Raw: randomText(r)}
		for range r.IntN(30) {
			rec.Fields = append(rec.Fields, Field{Name: e.fieldNames[r.IntN(len(e.fieldNames))], Text: randomText(r), Null: r.IntN(20) == 0})
		}
		fires(t, e, s, rec, e.rules[0].rule)
		n++
	}
	t.Logf("%d rules, %d events", e.Len(), n)
}

func fieldsOf(e *Engine, x *expr, out map[string]bool) {
	if x.op == 'a' {
		if a := &e.atoms[x.id]; a.field >= 0 {
			out[a.name] = true
		}
	}
	for _, a := range x.args {
		fieldsOf(e, a, out)
	}
}

// TestGateCandidates asks all rules of the recorded events, with candidate
// selection and without.
func TestGateCandidates(t *testing.T) {
	e, _ := NewEngine(publicSet(t))
	s := e.NewScratch()
	n, hits := 0, 0
	for _, name := range recordings {
		for _, r := range recording(t, name) {
			n++
			fast, all := e.Match(s, r, nil), e.MatchAll(s, r, nil)
			if hits += len(all); !slices.Equal(fast, all) {
				t.Errorf("%s, event %s: %d rules, want %d", name, r.ID, len(fast), len(all))
			}
		}
	}
	t.Logf("%d events, %d hits", n, hits)
}

type obj = map[string]any

// windowsRecord flattens an event as the regression data has it.
func windowsRecord(o obj) *Record {
	r := &Record{}
	ev, _ := o["Event"].(obj)
	if ev == nil {
		ev = o
	}
	put := func(k string, v any) {
		switch v := v.(type) {
		case nil:
			r.Fields = append(r.Fields, Field{Name: k, Null: true})
		case obj, []any:
		default:
			r.Fields = append(r.Fields, Field{Name: k, Text: fmt.Sprint(v)})
		}
	}
	channel, id := "", 0
	if sys, ok := ev["System"].(obj); ok {
		for k, v := range sys {
			switch k {
			case "EventID":
				if m, ok := v.(obj); ok {
					v = m["#text"]
				}
				fmt.Sscan(fmt.Sprint(v), &id)
				put(k, v)
			case "Provider":
				if m, ok := v.(obj); ok {
					if a, ok := m["#attributes"].(obj); ok {
						put("Provider_Name", a["Name"])
					}
				}
			case "Channel":
				channel = fmt.Sprint(v)
				put(k, v)
			default:
				put(k, v)
			}
		}
	}
	for _, part := range []string{"EventData", "UserData"} {
		var walk func(o obj)
		walk = func(o obj) {
			for k, v := range o {
				if m, ok := v.(obj); ok {
					walk(m)
					continue
				}
				put(k, v)
				if id == 4688 {
					if a := WindowsAliases[k]; a != "" {
						put(a, v)
					}
				}
			}
		}
		if d, ok := ev[part].(obj); ok {
			walk(d)
		}
	}
	r.Sources = WindowsSources(channel, id)
	return r
}

func TestGatePositives(t *testing.T) {
	dir := publicDir(t)
	e, _ := NewEngine(publicSet(t))
	s := e.NewScratch()
	tried, hit := 0, 0
	err := filepath.WalkDir(filepath.Join(dir, "regression_data"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "info.yml" {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		var info struct {
			Rules []struct{ ID string } `yaml:"rule_metadata"`
		}
		if err := yaml.Unmarshal(b, &info); err != nil {
			return err
		}
		files, _ := filepath.Glob(filepath.Join(filepath.Dir(p), "*.json"))
		for _, f := range files {
			tried++
			b, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			dec := json.NewDecoder(strings.NewReader(string(b)))
			dec.UseNumber()
			var fired []string
			for {
				var o obj
				if err := dec.Decode(&o); err == io.EOF {
					break
				} else if err != nil {
					t.Errorf("%s: %v", f, err)
					break
				}
				r := windowsRecord(o)
				fast := e.Match(s, r, nil)
				all := e.MatchAll(s, r, nil)
				if !slices.Equal(fast, all) {
					t.Errorf("%s: candidate selection loses rules: %d, want %d", f, len(fast), len(all))
				}
				for _, x := range fast {
					fired = append(fired, x.ID)
				}
			}
			for _, want := range info.Rules {
				if slices.Contains(fired, want.ID) {
					hit++
				} else {
					t.Errorf("%s: rule %s does not fire", f, want.ID)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tried < 202 {
		t.Errorf("only %d recordings", tried)
	}
	t.Logf("%d recordings, %d rules fired", tried, hit)
}
