package sigma

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestFoldTable folds every character beside its neighbours in a word, so that
// each place of the eight bytes taken at a time is seen.
func TestFoldTable(t *testing.T) {
	for c := range 128 {
		for pad := range 9 {
			s := strings.Repeat("@[`{", 3)[:pad] + string(rune(c)) + strings.Repeat("Zz", 5)
			want := strings.ToLower(s)
			if got := folded(s); got != want {
				t.Fatalf("%q: %q, want %q", s, got, want)
			}
		}
	}
	for r := rune(128); r < unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		if f := unicode.SimpleFold(r); folded(string(r)) != folded(string(f)) {
			t.Errorf("%c and %c are the same but for case", r, f)
		}
	}
	if got := folded("A\xffB\xc3"); got != "a\xffb\xc3" {
		t.Errorf("what is no UTF-8: %q", got)
	}
}

func BenchmarkFold(b *testing.B) {
	s := strings.Repeat(`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -NoP `, 4)
	var buf []byte
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		buf = fold(buf[:0], s)
	}
}
