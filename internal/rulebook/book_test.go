package rulebook_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"honeyguide"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

const simple = `
title: Simple
id: 7a0c3d5e-0000-4000-8000-000000000021
name: simple
logsource: {product: linux, category: process_creation}
detection:
  selection: {CommandLine|contains: whoami}
  condition: selection
level: low
`

// folder writes files and returns where.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, opt rulebook.Options) *rulebook.Book {
	t.Helper()
	b, err := rulebook.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// names are the ids of an edition's entries that are in force.
func names(e *rulebook.Edition) string {
	var out []string
	for _, x := range e.Rules {
		if x.Off == nil {
			out = append(out, x.ID())
		}
	}
	return strings.Join(out, " ")
}

func TestOwnRuleReplacesShipped(t *testing.T) {
	shipped := fstest.MapFS{"a/simple.yml": {Data: []byte(simple)}, "a/other.yml": {Data: []byte(strings.NewReplacer("simple", "other", "000021", "000022").Replace(simple))}}
	dir := folder(t, map[string]string{"mine.yaml": strings.Replace(simple, "level: low", "level: high", 1)})
	e := open(t, rulebook.Options{Shipped: shipped, Folder: dir}).Current()
	if names(e) != "other simple" || len(e.Faults) != 0 {
		t.Fatalf("%s, faults %+v", names(e), e.Faults)
	}
	x, _ := e.Find("simple")
	if x.Origin != rulebook.OriginOwn || x.Meta.Level != honeyguide.SeverityHigh {
		t.Errorf("%+v", x)
	}
}

func TestTwoOwnRulesOfOneName(t *testing.T) {
	e := open(t, rulebook.Options{Folder: folder(t, map[string]string{"a.yml": simple, "b.yml": simple})}).Current()
	if names(e) != "simple" || len(e.Faults) != 1 || !strings.HasSuffix(e.Faults[0].File, "b.yml") || !strings.Contains(e.Faults[0].Why, "a.yml") {
		t.Errorf("%s %+v", names(e), e.Faults)
	}
}

func TestFolderIsReadAnew(t *testing.T) {
	dir := folder(t, map[string]string{"sub/a.yml": simple})
	b := open(t, rulebook.Options{Folder: dir})
	first := b.Current()
	if b.Refresh(t.Context()) {
		t.Error("nothing has changed")
	}
	for _, step := range []struct {
		what string
		do   func()
		read bool
		want string
	}{
		{"a file more", func() {
			write(t, filepath.Join(dir, "b.yml"), strings.NewReplacer("simple", "second", "000021", "000023").Replace(simple))
		}, true, "second simple"},
		{"examples are no rules", func() { write(t, filepath.Join(dir, "b.test.yaml"), "match: []") }, false, "second simple"},
		{"a file replaced", func() { rename(t, dir, strings.NewReplacer("simple", "third", "000021", "000024").Replace(simple)) }, true, "simple third"},
		{"a broken file", func() { write(t, filepath.Join(dir, "c.yml"), "title: x\n") }, true, "simple third"},
		{"a file gone", func() { _ = os.Remove(filepath.Join(dir, "b.yml")) }, true, "simple"},
		{"no folder", func() { _ = os.RemoveAll(dir) }, true, ""},
	} {
		step.do()
		if got := b.Refresh(t.Context()); got != step.read || names(b.Current()) != step.want {
			t.Errorf("%s: read %v, rules %q; want %v, %q", step.what, got, names(b.Current()), step.read, step.want)
		}
	}
	if names(first) != "simple" || b.Current().Number <= first.Number {
		t.Error("an edition has changed")
	}
}

// rename puts a file in the place of b.yml as editors do, with the same size
// and time.
func rename(t *testing.T, dir, text string) {
	t.Helper()
	old := filepath.Join(dir, "b.yml")
	st, err := os.Stat(old)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".new"), text)
	if err := errors.Join(os.Chtimes(filepath.Join(dir, ".new"), st.ModTime(), st.ModTime()), os.Rename(filepath.Join(dir, ".new"), old)); err != nil {
		t.Fatal(err)
	}
}

// kept are switches that outlive a book.
type kept struct {
	off  map[string]rulebook.Switch
	fail error
}

func (k *kept) Load(context.Context) (map[string]rulebook.Switch, error) { return k.off, k.fail }
func (k *kept) Save(_ context.Context, off map[string]rulebook.Switch) error {
	if k.fail == nil {
		k.off = off
	}
	return k.fail
}

func TestSwitches(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": simple})
	keep := &kept{}
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	opt := rulebook.Options{Folder: dir, Switches: keep, Now: func() time.Time { return at }}
	b := open(t, opt)
	x, err := b.Turn(t.Context(), "simple", false, "ann", "too loud")
	if err != nil || x.Off == nil || *x.Off != (rulebook.Switch{By: "ann", At: at, Reason: "too loud"}) {
		t.Fatalf("%+v, %v", x, err)
	}
	if again := open(t, opt); names(again.Current()) != "" || again.Current().InForce != 0 {
		t.Errorf("forgotten: %q", names(again.Current()))
	}
	if _, err := b.Turn(t.Context(), "nothing", false, "ann", ""); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("unknown rule: %v", err)
	}
	keep.fail = errors.New("disk full")
	if _, err := b.Turn(t.Context(), "simple", true, "ann", ""); err == nil || names(b.Current()) != "" {
		t.Errorf("in force though it could not be remembered: %v", err)
	}
	keep.fail = nil
	if x, err := b.Turn(t.Context(), "simple", true, "ann", ""); err != nil || x.Off != nil || len(keep.off) != 0 {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestPlaceholders(t *testing.T) {
	text := strings.Replace(simple, "CommandLine|contains: whoami", `CommandLine|contains|expand: "%words%"`, 1)
	dir := folder(t, map[string]string{"a.yml": text})
	b := open(t, rulebook.Options{Folder: dir})
	if f := b.Current().Faults; len(f) != 1 || f[0].Kind != sigma.FaultPlaceholder || !strings.Contains(f[0].Why, "words") {
		t.Fatalf("%+v", f)
	}
	values := filepath.Join(t.TempDir(), "values.yaml")
	write(t, values, "words: [alpha, beta]\n")
	b = open(t, rulebook.Options{Folder: dir, Placeholders: values})
	if names(b.Current()) != "simple" || len(b.Current().Faults) != 0 {
		t.Fatalf("%q %+v", names(b.Current()), b.Current().Faults)
	}
	bench := rulebook.NewBench(b.Current().Only(b.Current().Rules[0]))
	if why := bench.Try(bench.Edition().Rules[0].Rule, &rulebook.Example{Command: "echo BETA"}, true); why != "" {
		t.Error(why)
	}
	write(t, values, "words: {a: b}\n")
	b.Refresh(t.Context())
	if f := b.Current().Faults; len(f) != 2 || f[1].File != values && f[0].File != values {
		t.Errorf("a broken file of values: %+v", f)
	}
	if _, err := rulebook.Open(t.Context(), rulebook.Options{Placeholders: filepath.Join(dir, "none")}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("a file of values that is not there: %v", err)
	}
}

// A filter in the folder takes events out of a shipped rule.
func TestFilter(t *testing.T) {
	filter := "title: Not this one\nlogsource: {product: linux}\nfilter:\n  rules: [simple]\n  ours: {CommandLine|contains: backup}\n  condition: ours\n"
	b := open(t, rulebook.Options{Shipped: fstest.MapFS{"a/simple.yml": {Data: []byte(simple)}}, Folder: folder(t, map[string]string{"f.yml": filter})})
	x, _ := b.Current().Find("simple")
	bench := rulebook.NewBench(b.Current().Only(x))
	r := bench.Edition().Rules[0].Rule
	for line, want := range map[string]bool{"whoami": true, "whoami --backup": false} {
		if why := bench.Try(r, &rulebook.Example{Command: line}, want); why != "" {
			t.Error(why)
		}
	}
}
