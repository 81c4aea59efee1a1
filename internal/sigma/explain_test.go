package sigma

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExplain(t *testing.T) {
	set := &Ruleset{}
	set.Add("x.yml", []byte(`
title: X
logsource: {product: p}
detection:
  process: {Image|endswith: '\cmd.exe', CommandLine|contains|all: [whoami, '/c']}
  name: {User: ROOT}
  shape: {CommandLine|re: 'h..mi +/'}
  words: [secret]
  gone: {ParentImage: null}
  filter: {Host: good}
  condition: all of them and not filter or (process and not filter)
`), nil)
	e, _ := NewEngine(set)
	s := e.NewScratch()
	r := &Record{Sources: []Source{{Product: "p"}}, Raw: "the Secret line", Fields: []Field{
		{Name: "Image", Text: `C:\Windows\CMD.exe`},
		{Name: "CommandLine", Text: "cmd /c WhoAmI"},
		{Name: "CommandLine", Text: "cmd /c whoami  /all"},
		{Name: "User", Text: "root"},
		{Name: "Host", Text: "bad"},
	}}
	if !fires(t, e, s, r, set.Rules[0]) {
		t.Fatal("does not fire")
	}
	want := []Reason{
		{"process", "Image", `\cmd.exe`, `C:\Windows\CMD.exe`, 10},
		{"process", "CommandLine", "whoami", "cmd /c WhoAmI", 7},
		{"process", "CommandLine", "/c", "cmd /c WhoAmI", 4},
		{"name", "User", "ROOT", "root", 0},
		{"shape", "CommandLine", "h..mi +/", "cmd /c whoami  /all", 8},
		{"words", "", "secret", "the Secret line", 4},
		{"gone", "ParentImage", "null", "", -1},
	}
	if d := cmp.Diff(want, e.Explain(s, r, set.Rules[0])); d != "" {
		t.Error(d)
	}
	other := &Ruleset{}
	other.Add("y.yml", []byte("title: Y\nlogsource: {product: p}\ndetection: {s: {f: x}, condition: s}\n"), nil)
	if e.Explain(s, r, other.Rules[0]) != nil {
		t.Error("explains a rule it does not have")
	}
}
