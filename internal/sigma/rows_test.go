package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var rowPlaceholders = Placeholders{"admins": {"root", "toor"}, "dirs": {"tmp", "var/*"}}

// A row is what a rule of the file is tested with.
type row struct {
	Title        string
	Fires, Quiet []obj
	Loose        bool
	Negative     bool // fires for want of something
	Filter       any
}

// rows reads the rules and their events.
func rows(t testing.TB) (*Ruleset, []row) {
	t.Helper()
	b, err := os.ReadFile("testdata/rows.yml")
	if err != nil {
		t.Fatal(err)
	}
	set := &Ruleset{}
	set.Add("rows.yml", b, rowPlaceholders)
	for _, f := range set.Faults {
		t.Errorf("%s:%d: %s %s: %s", f.File, f.Line, f.Rule, f.Field, f.Why)
	}
	var out []row
	dec := yaml.NewDecoder(bytes.NewReader(b))
	for {
		var r row
		err := dec.Decode(&r)
		if errors.Is(err, io.EOF) {
			return set, out
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.Filter == nil {
			out = append(out, r)
		}
	}
}

// flatten makes a record of an event as a test writes it.
func flatten(o obj, source Source) *Record {
	r := &Record{Sources: []Source{source}}
	var put func(name string, v any)
	put = func(name string, v any) {
		switch v := v.(type) {
		case obj:
			for _, k := range sortedKeys(v) {
				path := k
				if name != "" {
					path = name + "." + k
				}
				put(path, v[k])
			}
		case []any:
			for _, x := range v {
				put(name, x)
			}
		case nil:
			r.Fields = append(r.Fields, Field{Name: name, Null: true})
		default:
			r.Fields = append(r.Fields, Field{Name: name, Text: fmt.Sprint(v)})
		}
	}
	raw, _ := o["_raw"].(string)
	r.Raw = raw
	for _, k := range sortedKeys(o) {
		if k != "_raw" {
			put(k, o[k])
		}
	}
	return r
}

func sortedKeys(o obj) []string {
	var out []string
	for k := range o {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// fires asks both ways whether a rule fires; they must agree.
func fires(t testing.TB, e *Engine, s *Scratch, r *Record, rule *Rule) bool {
	t.Helper()
	fast, all := e.Match(s, r, nil), e.MatchAll(s, r, nil)
	if !slices.Equal(fast, all) {
		t.Errorf("candidate selection finds %d rules, asking all %d", len(fast), len(all))
	}
	return slices.Contains(fast, rule)
}

func TestRows(t *testing.T) {
	set, rows := rows(t)
	if len(set.Rules) != len(rows) {
		t.Fatalf("%d rules of %d were read", len(set.Rules), len(rows))
	}
	e, faults := NewEngine(set)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	s := e.NewScratch()
	for i, row := range rows {
		rule := set.Rules[i]
		t.Run(row.Title, func(t *testing.T) {
			if len(row.Fires) == 0 || len(row.Quiet) == 0 {
				t.Error("a rule needs events it fires on, and near misses")
			}
			for _, o := range row.Fires {
				r := flatten(o, rule.Logsource)
				if !fires(t, e, s, r, rule) {
					t.Errorf("does not fire on %v", o)
				}
				if len(e.Explain(s, r, rule)) == 0 && !row.Negative {
					t.Errorf("fires on %v without a reason", o)
				}
				// Events of another product are not its business.
				r.Sources = []Source{{Product: "zeek"}}
				if fires(t, e, s, r, rule) {
					t.Errorf("fires on another product's %v", o)
				}
			}
			for _, o := range row.Quiet {
				if fires(t, e, s, flatten(o, rule.Logsource), rule) {
					t.Errorf("fires on %v", o)
				}
			}
			if !row.Loose {
				mutate(t, e, s, row, rule)
			}
		})
	}
}

// mutate takes a character out of each text a rule fired because of: the rule
// must stop, or the text is not what it looks for.
func mutate(t *testing.T, e *Engine, s *Scratch, row row, rule *Rule) {
	t.Helper()
	for _, o := range row.Fires[:1] {
		r := flatten(o, rule.Logsource)
		for _, why := range e.Explain(s, r, rule) {
			at, from, to := literalIn(r, &why)
			for i := from; i < to; i++ {
				m := *r
				m.Fields = slices.Clone(r.Fields)
				if at < 0 {
					m.Raw = r.Raw[:i] + r.Raw[i+1:]
				} else {
					v := r.Fields[at].Text
					m.Fields[at].Text = v[:i] + v[i+1:]
				}
				if fires(t, e, s, &m, rule) {
					t.Errorf("still fires on %v without byte %d of %q", o, i, why.Value)
				}
			}
		}
	}
}

// literalIn finds the value a reason is about in a record, and the first piece
// without a wildcard in it.
func literalIn(r *Record, why *Reason) (field, from, to int) {
	piece := strings.FieldsFunc(why.Wanted, func(c rune) bool { return c == '*' || c == '?' || c == '\\' })
	if len(piece) == 0 || piece[0] == "true" || piece[0] == "false" || piece[0] == "null" {
		return 0, 0, 0
	}
	find := func(v string) bool {
		from = strings.Index(v, piece[0])
		to = from + len(piece[0])
		return v == why.Value && from >= 0
	}
	for i, f := range r.Fields {
		if find(f.Text) {
			return i, from, to
		}
	}
	if find(r.Raw) {
		return -1, from, to
	}
	return 0, 0, 0
}

// TestMutationsHappen keeps the test of mutations honest.
func TestMutationsHappen(t *testing.T) {
	set, rows := rows(t)
	e, _ := NewEngine(set)
	s := e.NewScratch()
	n := 0
	for i, row := range rows {
		if row.Loose {
			continue
		}
		r := flatten(row.Fires[0], set.Rules[i].Logsource)
		for _, why := range e.Explain(s, r, set.Rules[i]) {
			_, from, to := literalIn(r, &why)
			n += to - from
		}
	}
	if n < 150 {
		t.Errorf("%d characters were taken out in all, want at least 150", n)
	}
}
