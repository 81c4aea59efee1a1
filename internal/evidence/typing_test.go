package evidence

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// tape writes a recording of input pieces, each after a number of milliseconds.
func tape(terminal bool, pieces ...any) string {
	var b strings.Builder
	b.WriteString(`{"version":3,"term":{"cols":80,"rows":24}}` + "\n")
	if terminal {
		b.WriteString(`[0.000000, "r", "80x24"]` + "\n")
	}
	for i := 0; i < len(pieces); i += 2 {
		text, _ := json.Marshal(pieces[i+1])
		fmt.Fprintf(&b, "[%f, \"i\", %s]\n[0.001, \"o\", \"x\"]\n", float64(pieces[i].(int))/1000, text)
	}
	return b.String()
}

// keys types a text key by key with uneven gaps.
func keys(text string, gap func(i int) int) (out []any) {
	for i, r := range text {
		out = append(out, gap(i), string(r))
	}
	return out
}

func TestTyping(t *testing.T) {
	uneven := func(i int) int { return 80 + i*37%170 }
	for _, tc := range []struct {
		name, cast, verdict, reason string
	}{
		{"nothing", tape(true), "unknown", "nothing was typed"},
		{"a person", tape(true, keys("uname -a\rls\r", uneven)...), "human", "key by key"},
		{"a person who errs", tape(true, keys("lss\x7f /tmp\r", uneven)...), "human", "corrections"},
		{"a person with arrows", tape(true, append(keys("echo hello\r", uneven), 400, "\x1b[A", 300, "\r")...), "human", "cursor keys"},
		{"a loader", tape(true, 10, "enable\n", 900, "system\n", 900, "shell\n", 900, "sh\n"), "bot", "whole lines at once"},
		{"a fast sender", tape(true, keys("cat /proc/cpuinfo\r", func(int) int { return 2 })...), "bot", "follow within"},
		{"an even beat", tape(true, keys("cat /proc/cpuinfo\r", func(int) int { return 50 })...), "bot", "even beat"},
		{"line feeds", tape(true, keys("cat /proc/cpuinfo\nid\n", uneven)...), "bot", "line feeds"},
		{"an exec", tape(false, 0, "uname -a\n"), "bot", "without a terminal"},
		{"two keys", tape(true, 100, "i", 100, "d"), "unknown", "only 2 keys"},
		{"not ours", "garbage\n[1]\n[1,2,3]\n", "unknown", "nothing"},
	} {
		got, err := ReadTyping(strings.NewReader(tc.cast))
		if err != nil || got.Verdict != tc.verdict || !strings.Contains(got.Reason, tc.reason) {
			t.Errorf("%s: %+v, %v", tc.name, got, err)
		}
	}
	got, _ := ReadTyping(strings.NewReader(tape(true, 0, "\x1b[200~id\x1b[201~", 100, "\r", 50, "\x7f", 25, "\x1b[D")))
	if got.Pastes != 1 || got.Keys != 7 || got.Edits != 2 || got.CR != 1 || got.Single != 3 {
		t.Errorf("counted %+v", got)
	}
}

// TestRecordedBots holds the verdict against recorded streams of attackers, each
// written in one piece a line as bots send them.
func TestRecordedBots(t *testing.T) {
	f, err := os.Open("../../../shared/corpus/attacker/tty_keystrokes.jsonl")
	if err != nil {
		t.Skip("the recorded streams are no part of the repository")
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	bots, all := 0, 0
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			t.Fatal(err)
		}
		if strings.Count(text, "\n")+strings.Count(text, "\r") < 3 || strings.ContainsAny(text, "\x7f\x1b\t\x03") {
			continue
		}
		var pieces []any
		for line := range strings.Lines(text) {
			pieces = append(pieces, 800, line)
		}
		got, err := ReadTyping(strings.NewReader(tape(true, pieces...)))
		if err != nil {
			t.Fatal(err)
		}
		if all++; got.Verdict == "bot" {
			bots++
		}
	}
	if all == 0 || bots < all*95/100 {
		t.Errorf("%d of %d streams of bots are seen as such", bots, all)
	}
}

func FuzzReadTyping(f *testing.F) {
	f.Add(tape(true, 10, "a\x1b[", 20, "\xff"))
	f.Add(`[1e308, "i", "x"]` + "\n" + `[-1, "i", "\u001b[1;5"]`)
	f.Fuzz(func(t *testing.T, s string) {
		got, _ := ReadTyping(strings.NewReader(s))
		if got.Verdict == "" || got.Reason == "" {
			t.Errorf("%+v", got)
		}
	})
}
