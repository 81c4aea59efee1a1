package shell

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// attackerFiles are the recorded inputs next to the repository. They are
// hostile text: nothing but this evaluator, which can reach no file, program or
// socket, ever runs them.
func attackerFiles(t *testing.T, glob string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(corpusDir(t)), "attacker", glob))
	if err != nil || len(files) == 0 {
		t.Skip("no recorded attacker inputs next to the repository")
	}
	return files
}

// jsonLines calls fn with every line of the files.
func jsonLines(t *testing.T, files []string, fn func([]byte)) {
	t.Helper()
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			fn(sc.Bytes())
		}
		f.Close()
	}
}

// TestAttackerLines runs what attackers typed: no panic, no parse that fails
// for a reason of ours, and few things unsupported.
func TestAttackerLines(t *testing.T) {
	unknown := map[string]int{}
	lines, bad := 0, 0
	jsonLines(t, attackerFiles(t, "*__*.jsonl"), func(b []byte) {
		var l struct{ C string }
		if json.Unmarshal(b, &l) != nil || l.C == "" {
			return
		}
		lines++
		s := newTestShell(t, Budget{Steps: 300_000})
		w := &unsupported{seen: unknown}
		s.opt.Watch = w
		s.Exec(t.Context(), l.C, strings.NewReader(""), io.Discard, io.Discard)
		if w.panicked != "" {
			t.Errorf("%q: %s", l.C, w.panicked)
		}
		if w.mine != "" {
			bad++
			t.Logf("%q: %s", short(l.C), w.mine)
		}
	})
	t.Logf("%d lines, %d with something this package does not do, %d kinds unsupported in all", lines, bad, len(unknown))
	if testing.Verbose() {
		for what, n := range unknown {
			t.Logf("%4d %s", n, what)
		}
	}
	if bad*100 > lines {
		t.Errorf("%d of %d lines are not understood", bad, lines)
	}
}

// TestAttackerKeys types recorded keystrokes at a prompt.
func TestAttackerKeys(t *testing.T) {
	n := 0
	jsonLines(t, attackerFiles(t, "tty_keystrokes.jsonl"), func(b []byte) {
		var keys string
		if json.Unmarshal(b, &keys) != nil {
			return
		}
		n++
		s := newTestShell(t, Budget{Steps: 300_000})
		s.opt.Term = "xterm"
		w := &unsupported{seen: map[string]int{}}
		s.opt.Watch = w
		s.Interactive(t.Context(), scriptedTTY{strings.NewReader(keys), io.Discard})
		if w.panicked != "" {
			t.Errorf("%q: %s", short(keys), w.panicked)
		}
	})
	t.Logf("%d streams", n)
}

// unsupported gathers what the evaluator and the commands could not do.
type unsupported struct {
	nobody
	seen     map[string]int
	panicked string
	mine     string // of this package
}

func (u *unsupported) Unsupported(what string) {
	u.seen[what]++
	if strings.HasPrefix(what, "panic") {
		u.panicked = what
	}
	if strings.HasPrefix(what, "syntax") || strings.HasPrefix(what, "shell:") {
		u.mine = what
	}
}
