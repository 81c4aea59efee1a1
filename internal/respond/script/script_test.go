package script_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/respondtest"
	"honeyguide/internal/respond/script"
)

// folder makes a folder of scripts that the user nobody can reach, and one file in
// it where that user may write.
func folder(t *testing.T, scripts map[string]string) (dir, notes string) {
	t.Helper()
	dir = t.TempDir()
	for path := dir; path != os.TempDir() && len(path) > 1; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	notes = filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(notes, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(notes, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(notes), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range scripts {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\nnotes="+notes+"\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, notes
}

func open(t *testing.T, dir string, settings map[string]any) (respond.Action, error) {
	t.Helper()
	dep := respondtest.Deps(t, "script", nil)
	dep.Scripts = dir
	return script.Kind.Open(t.Context(), respondtest.Decode(settings), dep)
}

func must(t *testing.T, dir string, settings map[string]any) respond.Action {
	t.Helper()
	a, err := open(t, dir, settings)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestHostile: a value arrives as it is, as one argument, or not at all.
func TestHostile(t *testing.T) {
	dir, _ := folder(t, map[string]string{"count.sh": `echo "$# $4"`, "args.sh": `for a in "$@"; do printf '%s' "$a" | od -An -v -tx1 | tr -d ' \n'; echo; done`})
	count := must(t, dir, map[string]any{"script": "count.sh", "args": []string{"--name", "{param.text}", "x={param.text}", "{plan}"}})
	refused, planned := 0, 0
	for _, text := range respondtest.Hostile() {
		p, err := respondtest.Plan(t.Context(), count, respondtest.Request("198.51.100.7", map[string]string{"text": text}), "plan-1")
		if err != nil {
			refused++
			continue
		}
		if planned++; planned%10 != 0 { // a program each is slow
			continue
		}
		if r, err := count.Apply(t.Context(), p); err != nil || r.Detail != "4 plan-1" {
			t.Fatalf("%.60q: %+v, %v", text, r, err)
		}
	}
	if refused < 100 || planned < 100 {
		t.Errorf("%d refused, %d planned", refused, planned)
	}
	// Byte for byte, for those that could do harm in a shell.
	b := must(t, dir, map[string]any{"script": "args.sh", "args": []string{"{param.text}"}})
	for _, text := range []string{"$(reboot)", "`id`", "; rm -rf /", "a b  c", `"'\`, "*", "日本語", "{target}", "${IFS}", "%s%n", "../../etc/passwd"} {
		p, err := respondtest.Plan(t.Context(), b, respondtest.Request("198.51.100.7", map[string]string{"text": text}), "plan-1")
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if r, err := b.Apply(t.Context(), p); err != nil || r.Detail != hex.EncodeToString([]byte(text)) {
			t.Errorf("%q arrives as %q, %v", text, r.Detail, err)
		}
	}
	for _, text := range []string{"-rf", "--help", "a\x00b", "a\nb", "\u202e", "\xff", strings.Repeat("x", 3000)} {
		if _, err := respondtest.Plan(t.Context(), b, respondtest.Request("", map[string]string{"text": text}), "p"); err == nil {
			t.Errorf("%.20q was planned", text)
		}
	}
}

// TestOneEffect: the plan's id is what a script knows a second call by.
func TestOneEffect(t *testing.T) {
	dir, notes := folder(t, map[string]string{"note.sh": `case $1 in
add) grep -qx "$2" $notes || echo "$2" >> $notes; echo "ref=note-$2"; echo "noted $3";;
look) grep -qx "$2" $notes || { echo missing; exit 1; };;
drop) rest=$(grep -vx "$2" $notes); printf '%s' "$rest" > $notes;;
esac`})
	a := must(t, dir, map[string]any{"script": "note.sh", "args": []string{"add", "{plan}", "{target}"}, "verify": []string{"look", "{plan}"}, "revert": []string{"drop", "{plan}"}})
	p, err := respondtest.Plan(t.Context(), a, respondtest.Request("198.51.100.7", nil), "p1")
	if err != nil || p.Irreversible {
		t.Fatalf("%+v, %v", p, err)
	}
	v, r := a.(respond.Verifier), a.(respond.Reverter)
	if err := r.Revert(t.Context(), p); err != nil {
		t.Errorf("undo what was never done: %v", err)
	}
	if err := v.Verify(t.Context(), p); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("verify: %v", err)
	}
	for range 2 {
		got, err := a.Apply(t.Context(), p)
		if err != nil || got.Ref != "note-p1" || got.Detail != "noted 198.51.100.7" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if raw, _ := os.ReadFile(notes); string(raw) != "p1\n" {
		t.Errorf("notes %q", raw)
	}
	if err := v.Verify(t.Context(), p); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := r.Revert(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	if err := v.Verify(t.Context(), p); err == nil {
		t.Error("it is still there")
	}
	plain := must(t, dir, map[string]any{"script": "note.sh"})
	if _, ok := plain.(respond.Verifier); ok {
		t.Error("it verifies without being told how")
	}
	if _, ok := plain.(respond.Reverter); ok {
		t.Error("it undoes without being told how")
	}
}

func TestOutcomes(t *testing.T) {
	dir, _ := folder(t, map[string]string{"exit.sh": `echo "why \033[2J"; exit $1`, "hang.sh": "sleep 600"})
	for status, permanent := range map[int]bool{1: false, 2: false, 64: true, 65: true, 69: false, 75: false, 77: true, 78: true, 126: true, 127: true, 200: false} {
		a := must(t, dir, map[string]any{"script": "exit.sh", "args": []string{fmt.Sprint(status)}})
		p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("", nil), "p1")
		if _, err := a.Apply(t.Context(), p); err == nil || respond.IsPermanent(err) != permanent || !strings.Contains(err.Error(), "why") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%d: %v", status, err)
		}
	}
	a := must(t, dir, map[string]any{"script": "hang.sh", "timeout": time.Second})
	p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("", nil), "p1")
	if _, err := a.Apply(t.Context(), p); err == nil || respond.IsPermanent(err) || !strings.Contains(err.Error(), "too long") {
		t.Errorf("hangs: %v", err)
	}
}

// TestPlaces: only what lies in the folder, and what nobody else can change.
func TestPlaces(t *testing.T) {
	dir, _ := folder(t, map[string]string{"good.sh": "exit 0", "writable.sh": "exit 0", "plain.sh": "exit 0", "setuid.sh": "exit 0", "theirs.sh": "exit 0"})
	outside, _ := folder(t, map[string]string{"evil.sh": "exit 0"})
	chmod := func(path string, mode os.FileMode) {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(filepath.Join(dir, "writable.sh"), 0o777)
	chmod(filepath.Join(dir, "plain.sh"), 0o644)
	chmod(filepath.Join(dir, "setuid.sh"), 0o755|os.ModeSetuid)
	if err := os.Symlink(filepath.Join(outside, "evil.sh"), filepath.Join(dir, "link.sh")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "good.sh"), filepath.Join(dir, "well.sh")); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		"good.sh": "", filepath.Join(dir, "good.sh"): "", "well.sh": "", "link.sh": "is not in the folder", "../x": "script:", filepath.Join(outside, "evil.sh"): "is not in the folder",
		"/bin/sh": "is not in the folder", ".": "is not in the folder", "writable.sh": "others may write", "plain.sh": "no program", "setuid.sh": "changes its user", "missing.sh": "no such file", "": "missing",
	}
	if os.Getuid() == 0 {
		if err := os.Chown(filepath.Join(dir, "theirs.sh"), 1000, 1000); err != nil {
			t.Fatal(err)
		}
		cases["theirs.sh"] = "belongs to somebody else"
	}
	for name, why := range cases {
		_, err := open(t, dir, map[string]any{"script": name})
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", name, err, why)
		}
	}
	if _, err := open(t, "", map[string]any{"script": "good.sh"}); err == nil || !strings.Contains(err.Error(), "respond.scripts") {
		t.Errorf("without a folder: %v", err)
	}
	// What was good at the start is looked at again.
	a := must(t, dir, map[string]any{"script": "good.sh"})
	p, _ := respondtest.Plan(t.Context(), a, respondtest.Request("", nil), "p1")
	if _, err := a.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	chmod(dir, 0o777)
	if _, err := a.Apply(t.Context(), p); !respond.IsPermanent(err) {
		t.Errorf("in a folder others may write to: %v", err)
	}
}

func TestSettings(t *testing.T) {
	for _, bad := range []map[string]any{
		{"script": "x", "args": []string{"{nonsense}"}}, {"script": "x", "args": []string{"{param.X}"}}, {"script": "x", "timeout": time.Hour}, {"args": []string{"y"}}, {"script": "x", "verify": []string{"a\x00b"}},
	} {
		if err := script.Kind.Check(respondtest.Decode(bad)); err == nil || honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := script.Kind.Check(respondtest.Decode(map[string]any{"script": "x", "args": []string{"{}", "{", "a{param.user_name}b", `{"json": 1}`}})); err != nil {
		t.Error(err)
	}
}
