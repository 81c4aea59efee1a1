package password

import (
	"strings"
	"testing"
)

func TestMeasure(t *testing.T) {
	for _, c := range []struct {
		password string
		low, top int
		warns    string
	}{
		{"", 0, 0, ""},
		{"password", 0, 0, "first passwords"},
		{"P@ssw0rd", 0, 0, "first passwords"},
		{"drowssap", 0, 0, "first passwords"},
		{"123456789012", 0, 0, ""},
		{"qwertyuiop[]", 0, 0, "side by side"},
		{"1qaz2wsx3edc", 0, 0, "side by side"},
		{"aaaaaaaaaaaaaaaaaaaaaaaa", 0, 0, "repeated"},
		{"abcdefghijklmnop", 0, 0, "order"},
		{"ponmlkjihgfedcba", 0, 0, "order"},
		{"Summer2024!", 0, 1, "tried first"},
		{"24121987", 0, 0, "Dates"},
		{"annmiller1", 0, 1, "belongs to you"},
		{"4nnMiller!", 0, 1, "belongs to you"},
		{"honeyguide2026", 0, 1, ""},
		{"xk7qv", 0, 1, "short"},
		{"blorptix", 1, 2, "short"},
		{"tg5Kp0#vRz", 2, 3, ""},
		{"mV9$kq2LwZ!x7c", 4, 4, ""},
		{"turnip gravel mandolin oxbow", 4, 4, ""},
		{"Überfällige Straßenlaterne", 4, 4, ""},
		{strings.Repeat("a", 1<<20), 0, 0, "repeated"},
		{strings.Repeat("\xff\x00", 5000), 0, 1, ""},
	} {
		got := Measure(c.password, "ann.miller", "Ann Miller", "honeyguide")
		if got.Score < c.low || got.Score > c.top || !strings.Contains(got.Warning, c.warns) {
			t.Errorf("%.40q: %+v; want %d to %d, %q", c.password, got, c.low, c.top, c.warns)
		}
		if got.Score < 3 && len(got.Suggestions) == 0 || got.Score >= 3 && got.Warning != "" {
			t.Errorf("%.40q: advice %+v", c.password, got)
		}
	}
	with, without := Measure("kowalczyk-kowalczyk", "kowalczyk"), Measure("kowalczyk-kowalczyk")
	if with.Bits >= without.Bits {
		t.Errorf("a name costs %v, a stranger's word %v", with.Bits, without.Bits)
	}
}

// TestCommon checks that every listed word is refused, bare and dressed.
func TestCommon(t *testing.T) {
	if n := len(common()); n < 300 || n > 1000 {
		t.Errorf("%d words", n)
	}
	for w := range common() {
		if len(w) < minWord || len(w) > maxWord || w != strings.ToLower(w) {
			t.Errorf("%q cannot be found", w)
		}
		if s := Measure(w); s.Score > 0 {
			t.Errorf("%q: %+v", w, s)
		}
		if s := Measure(strings.ToUpper(w[:1]) + w[1:] + "1!"); s.Score > 1 {
			t.Errorf("%q dressed up: %+v", w, s)
		}
	}
}

func FuzzMeasure(f *testing.F) {
	f.Add("P@ssw0rd2024", "ann")
	f.Add("\xff\xfe", "\x00")
	f.Fuzz(func(t *testing.T, password, name string) {
		s := Measure(password, name)
		if s.Score < 0 || s.Score > 4 || s.Bits < 0 || s.Bits > 6*maxMeasured+1 {
			t.Errorf("%+v", s)
		}
		if more := Measure(password+"\u2603\u00e9k", name); len([]rune(password)) < maxMeasured-3 && more.Bits < s.Bits {
			t.Errorf("%q: longer is weaker: %v, %v", password, s.Bits, more.Bits)
		}
	})
}

func BenchmarkMeasure(b *testing.B) {
	long := strings.Repeat("aB3$ab", 40)
	for b.Loop() {
		Measure(long, "ann")
	}
}
