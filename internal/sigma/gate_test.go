package sigma

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// publicRules reads the public rule set from the folder HONEYGUIDE_SIGMA_DIR
// names. It is not part of the repository.
func publicRules(t testing.TB, folders ...string) (*Ruleset, string) {
	dir := os.Getenv("HONEYGUIDE_SIGMA_DIR")
	if dir == "" {
		t.Skip("HONEYGUIDE_SIGMA_DIR does not name a checkout of the public rules")
	}
	set := &Ruleset{}
	with := Placeholders{}
	for range 60 { // every placeholder the rules name gets a value
		with[fmt.Sprint(len(with))] = []string{"x"}
	}
	for _, f := range folders {
		err := filepath.WalkDir(filepath.Join(dir, f), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".yml") {
				return err
			}
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			set.Add(p, b, anyPlaceholder())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return set, dir
}

// anyPlaceholder fills the placeholders of the public rules.
func anyPlaceholder() Placeholders {
	p := Placeholders{}
	for _, n := range strings.Fields(os.Getenv("HONEYGUIDE_SIGMA_PLACEHOLDERS")) {
		p[n] = []string{"placeholder-" + n}
	}
	return p
}

func TestPublicParse(t *testing.T) {
	set, _ := publicRules(t, "rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance", "rules-dfir")
	n := map[FaultKind]int{}
	for _, f := range set.Faults {
		n[f.Kind]++
		if f.Kind != FaultWarning && n[f.Kind] < 30 {
			t.Logf("%s:%d %s %s: %s", f.File, f.Line, f.Kind, f.Field, f.Why)
		}
	}
	start := time.Now()
	e, faults := NewEngine(set)
	always := 0
	for _, c := range e.rules {
		if c.lits == nil {
			always++
		}
	}
	t.Logf("rules %d, faults %v, engine faults %d, atoms %d, fields %d, without anchor %d, built in %s", len(set.Rules), n, len(faults), len(e.atoms), len(e.fieldNames), always, time.Since(start))
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

func TestPublicPositives(t *testing.T) {
	set, dir := publicRules(t, "rules", "rules-emerging-threats", "rules-threat-hunting")
	e, _ := NewEngine(set)
	s := e.NewScratch()
	tried, hit, slow := 0, 0, 0
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
					slow++
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
	t.Logf("%d recordings, %d rules fired", tried, hit)
}
