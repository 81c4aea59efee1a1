package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// place writes a script where nobody can run it.
func place(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for path := dir; path != os.TempDir() && len(path) > 1; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "script.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScript(t *testing.T) {
	t.Setenv("HONEYGUIDE_CANARY", "s3cret")
	user := "65534"
	if os.Getuid() != 0 {
		user = ""
	}
	for name, c := range map[string]struct {
		text   string
		args   []string
		code   int
		signal bool
		output string
	}{
		"arguments":   {`printf '<%s>' "$@"`, []string{"a b", "$(id)", "", "-n", "*"}, 0, false, "<a b><$(id)><><-n><*>"},
		"status":      {"exit 75", nil, 75, false, ""},
		"signal":      {"kill -9 $$", nil, -1, true, ""},
		"environment": {`cat /proc/self/environ | tr '\0' '\n' | grep -v '^_=\|^PWD=\|^OLDPWD=\|^SHLVL='; exit 0`, nil, 0, false, ""},
		"both":        {"echo out; echo err >&2", nil, 0, false, "out\nerr\n"},
		"input":       {"wc -c", nil, 0, false, "0\n"},
		"descriptors": {"ls /proc/self/fd | wc -l", nil, 0, false, "4\n"}, // three and ls's own
		"too much":    {"head -c 100000 /dev/zero | tr '\\0' x; exit 3", nil, 3, false, strings.Repeat("x", 1000)},
		"user":        {"[ -z \"" + user + "\" ] || id -u", nil, 0, false, strings.TrimLeft(user+"\n", "\n")},
		"groups":      {"[ -z \"" + user + "\" ] || id -G", nil, 0, false, strings.TrimLeft(user+"\n", "\n")},
		"rights":      {"grep CapAmb /proc/self/status", nil, 0, false, "CapAmb:\t0000000000000000\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := RunScript(t.Context(), Script{Path: place(t, c.text), Args: c.args, MaxOutput: 1000})
			if err != nil || got.Code != c.code || (got.Signal != 0) != c.signal || got.Output != c.output {
				t.Errorf("%v, %q, %v", got, got.Output, err)
			}
		})
	}
	if _, err := RunScript(t.Context(), Script{Path: "/nowhere/at/all"}); err == nil {
		t.Error("what is not there ran")
	}
}

// TestScriptEnds: a script that does not end is ended with all it started, and one
// that leaves something behind is not waited for after its time.
func TestScriptEnds(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		err  bool
	}{
		"sleeps":      {"sleep 600", true},
		"silent":      {"exec >/dev/null 2>&1; sleep 600", true},
		"leaves":      {"sleep 600 & exit 0", false},
		"ignores":     {"trap '' TERM INT HUP; while :; do sleep 1; done", true},
		"many":        {"for i in 1 2 3 4 5; do sleep 600 & done; wait", true},
		"writes":      {"yes", true},
		"leaves mute": {"sleep 600 >/dev/null 2>&1 & exit 0", false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			got, err := RunScript(ctx, Script{Path: place(t, "echo $$; "+c.text), MaxOutput: 100})
			pid, _, _ := strings.Cut(got.Output, "\n")
			group, bad := strconv.Atoi(pid)
			if bad != nil {
				t.Fatalf("no number: %q", got.Output)
			}
			for tries := 0; len(living(group)) > 0; tries++ { // a signal takes a moment
				if tries == 500 {
					t.Fatalf("of group %d is left: %v", group, living(group))
				}
				time.Sleep(10 * time.Millisecond)
			}
			if (err != nil) != c.err || c.err && !errors.Is(err, context.DeadlineExceeded) || !c.err && got.Code != 0 {
				t.Errorf("%v, %q, %v", got, got.Output, err)
			}
		})
	}
}

// living returns the processes of a group that are not dead, waited for or not.
func living(group int) (out []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // it ended
		}
		rest := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:])) // state, parent, group
		if len(rest) > 2 && rest[0] != "Z" && rest[0] != "X" && rest[2] == strconv.Itoa(group) {
			out = append(out, f)
		}
	}
	return out
}
