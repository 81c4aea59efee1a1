package pattern

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		pat, s string
		f      Flags
		want   bool
	}{
		{"", "", 0, true},
		{"", "a", 0, false},
		{"a*", "abc", 0, true},
		{"*c", "abc", 0, true},
		{"a*b*c", "aXbYc", 0, true},
		{"a?c", "abc", 0, true},
		{"a?c", "a/c", Path, false},
		{"*", "a/b", Path, false},
		{"*", ".hid", Path, false},
		{".*", ".hid", Path, true},
		{"*", ".hid", 0, true},
		{"[abc]", "b", 0, true},
		{"[!abc]", "b", 0, false},
		{"[^a]", "b", 0, true},
		{"[a-c]x", "bx", 0, true},
		{"[]a]", "]", 0, true},
		{"[a", "[a", 0, true},
		{"[[:digit:]]*", "1a", 0, true},
		{"[[:alpha:]]", "1", 0, false},
		{"[[:upper:][:digit:]]", "Q", 0, true},
		{`\*`, "*", 0, true},
		{`\*`, "a", 0, false},
		{`[\]]`, "]", 0, true},
		{"é?", "éx", 0, true},
		{"?", "é", 0, true},
		{"ABC", "abc", Fold, true},
		{"[a-c]", "B", Fold, true},
		{"[a-]", "-", 0, true},
		{"@(a|b)c", "bc", Ext, true},
		{"@(a|b)c", "cc", Ext, false},
		{"+(a)", "aaa", Ext, true},
		{"+(a)", "", Ext, false},
		{"*(a|b)", "", Ext, true},
		{"*(a|b)x", "abax", Ext, true},
		{"?(a)b", "b", Ext, true},
		{"?(a)b", "ab", Ext, true},
		{"!(a)", "b", Ext, true},
		{"!(a)", "a", Ext, false},
		{"!(*.c)", "x.h", Ext, true},
		{"a*(b)c", "abbc", Ext, true},
		{"@(a|b)c", "@(a|b)c", 0, true},
		{"*@(x)", "aax", Ext, true},
		{"*.@(c|h)", "a.h", Ext, true},
	}
	for _, tt := range tests {
		if got := Match(tt.pat, tt.s, tt.f); got != tt.want {
			t.Errorf("Match(%q, %q, %d) = %v", tt.pat, tt.s, tt.f, got)
		}
	}
}

func TestEnds(t *testing.T) {
	if n := Prefix("*/", "a/b/c", false, 0); n != 2 {
		t.Errorf("shortest prefix %d", n)
	}
	if n := Prefix("*/", "a/b/c", true, 0); n != 4 {
		t.Errorf("longest prefix %d", n)
	}
	if n := Suffix(".*", "a.b.c", false, 0); n != 3 {
		t.Errorf("shortest suffix at %d", n)
	}
	if n := Suffix(".*", "a.b.c", true, 0); n != 1 {
		t.Errorf("longest suffix at %d", n)
	}
	if n := Prefix("x", "abc", true, 0); n != -1 {
		t.Errorf("no prefix %d", n)
	}
	if i, j := Find("b*d", "abcdbd", 0); i != 1 || j != 6 {
		t.Errorf("found %d-%d", i, j)
	}
	if i, _ := Find("z", "abc", 0); i != -1 {
		t.Errorf("found z at %d", i)
	}
}

func TestEscape(t *testing.T) {
	for _, s := range []string{"", "a", "*", `\`, "[a]*?", "!(x|y)"} {
		if !Match(Escape(s), s, Ext) || Unescape(Escape(s)) != s {
			t.Errorf("%q escaped is %q", s, Escape(s))
		}
	}
}

// TestHostile checks that what is exponential elsewhere ends.
func TestHostile(t *testing.T) {
	a := strings.Repeat("a", 5000)
	for _, p := range []string{strings.Repeat("*a", 50) + "b", "*(*(a)|*(a))b", "+(+(a)+(a))b", "!(!(!(a*)))b", strings.Repeat("@(", 400), strings.Repeat("[", 400)} {
		Match(p, a, Ext)
		Find(p, a, Ext)
		Prefix(p, a, true, Ext)
		Suffix(p, a, true, Ext)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a*[b-d]?(x|y)", "abxc", uint8(2))
	f.Add(`[[:alpha:]\]]`, "é", uint8(5))
	f.Fuzz(func(t *testing.T, pat, s string, flags uint8) {
		fl := Flags(flags) & 7
		Match(pat, s, fl)
		if n := Prefix(pat, s, true, fl); n > len(s) {
			t.Fatal("prefix beyond the end")
		}
		if n := Suffix(pat, s, true, fl); n > len(s) {
			t.Fatal("suffix beyond the end")
		}
		if i, j := Find(pat, s, fl); i > j || j > len(s) {
			t.Fatal("found beyond the end")
		}
		if !Match(Escape(s), s, 0) {
			t.Fatalf("%q escaped does not match itself", s)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for b.Loop() {
		Match("*.tar.g[xyz]", "some-archive-1.2.3.tar.gz", 0)
	}
}
