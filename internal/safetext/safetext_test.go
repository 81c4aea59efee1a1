package safetext_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"honeyguide/internal/safetext"
)

func TestTerm(t *testing.T) {
	for in, want := range map[string]string{
		"uname -a":           "uname -a",
		"a\x1b]0;pwned\x07b": `a\x1b]0;pwned\x07b`,
		"x\nlevel=ERROR":     `x\nlevel=ERROR`,
		`C:\dir`:             `C:\\dir`,
		"bad\xffutf":         `bad\xffutf`,
		"\u202egnp.exe":      `\u202egnp.exe`,
		"line\u2028sep":      `line\u2028sep`,
		"\u009b31m":          `\x9b31m`,
		"grüße 日本":           "grüße 日本",
		"\U000e0041tag":      `\U000e0041tag`,
	} {
		if got := safetext.Term(in); got != want {
			t.Errorf("Term(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTermNCutsHugeInput(t *testing.T) {
	if got := safetext.TermN(strings.Repeat("\x1b", 1<<20), 10); len([]rune(got)) != 10 {
		t.Errorf("got %q", got)
	}
}

func TestCSV(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "=1+1": "'=1+1", "  @sum": "'  @sum", "＝x": "'＝x", "\tx": "'\tx", "": "", "-2": "'-2",
	} {
		if got := safetext.CSV(in); got != want {
			t.Errorf("CSV(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzTerm(f *testing.F) {
	f.Add("a\x1b[31m\\\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range safetext.Term(s) {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError && !strings.ContainsRune(s, r) {
				t.Fatalf("Term(%q) lets %U through", s, r)
			}
		}
	})
}

func TestJSONSaysTheSameWithoutControl(t *testing.T) {
	in := "x\u009b31m\u202e\x7f\U000e0041 ok"
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	safe := safetext.JSON(raw)
	if safetext.Hostile(string(safe)) || !safetext.Hostile(string(raw)) {
		t.Errorf("%q became %q", raw, safe)
	}
	var back string
	if err := json.Unmarshal(safe, &back); err != nil || back != in {
		t.Errorf("got %q, %v", back, err)
	}
}
