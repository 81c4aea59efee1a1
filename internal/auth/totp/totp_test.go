package totp

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"honeyguide"
)

// vector is the key of the tables of RFC 6238, appendix B: "12345678901234567890".
const vector honeyguide.Secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func TestVectors(t *testing.T) {
	for unix, want := range map[int64]string{ // the last six of the eight digits there
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got, err := Code(vector, time.Unix(unix, 0)); err != nil || got != want {
			t.Errorf("at %d: %s, %v; want %s", unix, got, err, want)
		}
	}
}

func TestVerify(t *testing.T) {
	now := time.Unix(1111111109, 0)
	at := func(steps int) string {
		c, err := Code(vector, now.Add(time.Duration(steps)*Step))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	here := uint64(1111111109 / 30)
	for name, c := range map[string]struct {
		code string
		last uint64
		want uint64
		ok   bool
	}{
		"now":                      {at(0), 0, here, true},
		"spaced":                   {at(0)[:3] + " " + at(0)[3:], 0, here, true},
		"clock slow":               {at(-1), 0, here - 1, true},
		"clock fast":               {at(1), 0, here + 1, true},
		"two steps old":            {at(-2), 0, 0, false},
		"two steps ahead":          {at(2), 0, 0, false},
		"used":                     {at(0), here, here, false},
		"older than the used one":  {at(-1), here, here, false},
		"older, after a fast one":  {at(0), here + 1, here + 1, false},
		"next after the used one":  {at(1), here, here + 1, true},
		"wrong":                    {"000000", 0, 0, false},
		"short":                    {at(0)[:5], 0, 0, false},
		"long":                     {at(0) + "0", 0, 0, false},
		"empty":                    {"", 0, 0, false},
		"other digits":             {"١٢٣", 0, 0, false},
		"a clock set back by days": {at(0), here + 5000, here + 5000, false},
	} {
		if got, ok := Verify(vector, c.code, c.last, now); got != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v; want %d, %v", name, got, ok, c.want, c.ok)
		}
	}
	if _, ok := Verify("", "000000", 0, now); ok {
		t.Error("no secret accepts a code")
	}
	early, err := Code(vector, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := Verify(vector, early, 0, time.Unix(-100, 0)); ok {
		t.Error("a clock before 1970 accepts counter 0, which stands for none")
	}
}

func TestSecrets(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	if a == b || len(a.Reveal()) != 32 {
		t.Fatalf("secrets of %d characters", len(a.Reveal()))
	}
	if _, err := Code(a, time.Now()); err != nil {
		t.Error(err)
	}
	typed := honeyguide.Secret(strings.ToLower(vector.Reveal()[:4]) + " " + vector.Reveal()[4:8] + "-" + vector.Reveal()[8:])
	if got, err := Code(typed, time.Unix(59, 0)); err != nil || got != "287082" {
		t.Errorf("as typed: %s, %v", got, err)
	}
	for _, s := range []honeyguide.Secret{"", "ABC", "0189", honeyguide.Secret(strings.Repeat("A", 1000))} {
		if _, err := Code(s, time.Now()); err == nil || strings.Contains(err.Error(), "0189") {
			t.Errorf("%d characters: %v", len(s.Reveal()), err)
		}
	}
}

func TestURI(t *testing.T) {
	text := URI(vector, "Honeyguide: soc", `ann@example.org/?&"`)
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != `/Honeyguide  soc:ann@example.org ?&"` {
		t.Errorf("%s", text)
	}
	if q.Get("secret") != vector.Reveal() || q.Get("issuer") != "Honeyguide  soc" || q.Get("period") != "30" || strings.Contains(text, "+") {
		t.Errorf("%s", text)
	}
}

func TestQR(t *testing.T) {
	rows, err := QR(URI(vector, "Honeyguide", "ann"))
	if err != nil {
		t.Fatal(err)
	}
	n := len(rows)
	if n < 21+2*quiet || (n-2*quiet-17)%4 != 0 {
		t.Errorf("%d rows", n)
	}
	for y, row := range rows {
		if len(row) != n || strings.Trim(row, "01") != "" || !strings.HasPrefix(row, "0000") || !strings.HasSuffix(row, "0000") {
			t.Fatalf("row %d: %q", y, row)
		}
	}
	// The finder pattern in three corners (ISO/IEC 18004, 6.3.3).
	if corner := rows[quiet][quiet : quiet+8]; corner != "11111110" {
		t.Errorf("corner %s", corner)
	}
	if _, err := QR(strings.Repeat("x", 600)); err == nil {
		t.Error("a huge text is drawn")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(vector.Reveal(), "081804", uint64(0), int64(1111111109))
	f.Add("", "", uint64(1<<63), int64(-1))
	f.Fuzz(func(t *testing.T, secret, code string, last uint64, unix int64) {
		got, ok := Verify(honeyguide.Secret(secret), code, last, time.Unix(unix, 0))
		if ok != (got > last) {
			t.Errorf("counter %d after %d: %v", got, last, ok)
		}
		if _, again := Verify(honeyguide.Secret(secret), code, got, time.Unix(unix, 0)); ok && again {
			// The same digits may by chance be those of a later step, which is another code.
			if next, _ := Verify(honeyguide.Secret(secret), code, got, time.Unix(unix, 0)); next <= got {
				t.Error("a code is good twice")
			}
		}
	})
}
