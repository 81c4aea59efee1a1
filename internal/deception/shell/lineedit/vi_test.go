package lineedit

import (
	"strings"
	"testing"
)

// viLine types keys in vi mode and returns the line and the cursor.
func viLine(keys string) (string, int) {
	e := New(TerminalFor("xterm"), 80, fixed{hist: []string{"first line", "second"}})
	e.Configure(Settings{Vi: true, FirstLine: 1})
	e.Start("$ ")
	for i := range len(keys) {
		next := -1
		if i+1 < len(keys) {
			next = int(keys[i+1])
		}
		e.Key(keys[i], next)
	}
	if e.Pending() {
		e.Expire()
	}
	return encode(e.buf), e.pos
}

// TestVi checks what keys make of a line; that the terminal sees the same bytes
// as from the real editor is what the recordings check.
func TestVi(t *testing.T) {
	for _, tt := range []struct {
		keys, line string
		pos        int
	}{
		{"one two\x1b0dw", "two", 0},
		{"one two three\x1b02dw", "three", 0},
		{"one two three\x1b0d2w", "three", 0},
		{"one two\x1b0cwnew\x1b", "new two", 2},
		{"one two\x1b0cwnew\x1bw.", "new new", 6},
		{"one two\x1b$x", "one tw", 5},
		{"one two\x1b0yw$p", "one twoone ", 10},
		{"a.b.c\x1b0df.", "b.c", 0},
		{"ab.c\x1b0dt.", ".c", 0},
		{"a(b)c\x1b0ld%", "ac", 1},
		{"abc\x1b0~~", "ABc", 2},
		{"abc\x1b0rz", "zbc", 0},
		{"abc\x1b0RXY\x1b", "XYc", 1},
		{"abc\x1b0RXY\x7f\x1b", "Xbc", 0},
		{"abc\x1bxxu", "ab", 1},
		{"x\x1bk", "second", 0},
		{"x\x1bG", "first line", 0},
		{"x\x1b/fir\r", "first line", 0},
		{"abc def\x1b0D", "", 0},
		{"abc def\x1bS", "", 0},
		{"abc\x1bI+\x1bA-\x1b", "+abc-", 4},
		{"abc\x1bmahh`a", "abc", 2},
	} {
		if line, pos := viLine(tt.keys); line != tt.line || pos != tt.pos {
			t.Errorf("%q: line %q at %d, want %q at %d", tt.keys, line, pos, tt.line, tt.pos)
		}
	}
}

// TestMacroLoop checks that a key that types itself comes to an end.
func TestMacroLoop(t *testing.T) {
	e := New(TerminalFor("xterm"), 80, fixed{})
	var k *Keymaps
	e.Configure(Settings{Keymaps: k.Bind(Emacs, "\x18a", Binding{Macro: "x\x18a"})})
	e.Start("$ ")
	e.Key(0x18, -1)
	e.Key('a', -1)
	n := 0
	for _, ok := e.Replay(); ok; _, ok = e.Replay() {
		if n++; n > 10_000 {
			t.Fatal("a macro that types itself does not end")
		}
	}
	if got := len(e.Line()); got == 0 || got > maxMacroDepth+1 {
		t.Errorf("%d characters typed", got)
	}
}

func TestKeyNotation(t *testing.T) {
	for _, tt := range [][3]string{
		{`\C-a`, "\x01", `\C-a`},
		{`\M-x`, "\x1bx", `\ex`},
		{`\e[A`, "\x1b[A", `\e[A`},
		{`\C-?`, "\x7f", `\C-?`},
		{`\x41\101`, "AA", "AA"},
		{`\"\\`, `"\`, `\"\\`},
		{`\C-x\C-e`, "\x18\x05", `\C-x\C-e`},
		{`a\n`, "a\n", `a\C-j`},
	} {
		if got := ParseKeys(tt[0]); got != tt[1] {
			t.Errorf("ParseKeys(%q) = %q, want %q", tt[0], got, tt[1])
		}
		if got := FormatKeys(tt[1]); got != tt[2] {
			t.Errorf("FormatKeys(%q) = %q, want %q", tt[1], got, tt[2])
		}
	}
	for in, want := range map[string]string{"Control-u": "\x15", "Meta-Rubout": "\x1b\x7f", "TAB": "\t", "c-m-x": "\x1b\x18"} {
		if got := NamedKey(in); got != want {
			t.Errorf("NamedKey(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	for _, s := range []string{`\C-a`, `\M-\C-x`, `\x`, `\C-`, `\`, `\777`, `"a\"b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		keys := ParseKeys(s)
		if len(keys) > 2*len(s)+1 {
			t.Fatalf("%q became %q", s, keys)
		}
		if keys != "" && !strings.HasSuffix(FormatKeys(keys), "-") && ParseKeys(FormatKeys(keys)) != keys {
			t.Fatalf("%q: %q is shown as %q", s, keys, FormatKeys(keys))
		}
	})
}

// FuzzVi types anything in vi mode: nothing panics, the cursor stays in the line.
func FuzzVi(f *testing.F) {
	f.Add("echo abc\x1b0wdwp.u")
	f.Add("abc\x1bRxyz\x7f\x7f\x7f\x7f\x1b.u/x\r nN?y\rGkjcwz\x1b..")
	f.Add("\x1b9d9wyyp\x1b3.~rxct.;,%|`ama`b_\\*=\x04")
	f.Fuzz(func(t *testing.T, keys string) {
		if len(keys) > 300 {
			return
		}
		e := New(TerminalFor("xterm"), 40, fixed{hist: []string{"first (line)", "second"}, words: []string{"alpha", "alps"}})
		e.Configure(Settings{Vi: true, FirstLine: 1})
		e.Start("$ ")
		for i := range len(keys) {
			if r := e.Key(keys[i], -1); r != More {
				e.Start("$ ")
			}
			for r, ok := e.Replay(); ok; r, ok = e.Replay() {
				if r != More {
					e.Start("$ ")
				}
			}
			if e.pos < 0 || e.pos > len(e.buf) {
				t.Fatalf("%q: cursor at %d of %d", keys[:i+1], e.pos, len(e.buf))
			}
			e.Take()
		}
	})
}
