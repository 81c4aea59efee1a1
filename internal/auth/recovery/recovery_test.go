package recovery

import (
	"fmt"
	"strings"
	"testing"
)

func TestCodes(t *testing.T) {
	codes, sums := New()
	if len(codes) != Count || len(sums) != Count {
		t.Fatalf("%d codes, %d sums", len(codes), len(sums))
	}
	seen := map[string]bool{}
	for i, c := range codes {
		text := c.Reveal()
		if len(text) != 19 || strings.Count(text, "-") != 3 || seen[text] {
			t.Errorf("an odd code of %d characters", len(text))
		}
		seen[text] = true
		if strings.Contains(strings.Join(sums, " "), strings.ReplaceAll(text, "-", "")) || fmt.Sprint(c) != "[masked]" {
			t.Errorf("code %d shows", i)
		}
	}
	left := sums
	for i, c := range codes {
		typed := c.Reveal()
		switch i % 4 {
		case 1:
			typed = strings.ToUpper(strings.ReplaceAll(typed, "-", ""))
		case 2:
			typed = "  " + strings.ReplaceAll(typed, "-", " ") + " "
		case 3:
			typed = strings.NewReplacer("0", "o", "1", "l").Replace(typed)
		}
		now, ok := Use(left, typed)
		if !ok || len(now) != len(left)-1 {
			t.Fatalf("code %d: %v, %d left", i, ok, len(now))
		}
		if again, ok := Use(now, typed); ok || len(again) != len(now) {
			t.Errorf("code %d is good twice", i)
		}
		left = now
	}
	if len(sums) != Count || len(left) != 0 {
		t.Errorf("%d sums of the caller, %d left", len(sums), len(left))
	}
}

func TestWrong(t *testing.T) {
	codes, sums := New()
	_, other := New()
	for _, given := range []string{"", " ", "----", sums[0], codes[0].Reveal()[:18], codes[0].Reveal() + "0", strings.Repeat("0", 16), strings.Repeat("a", 1<<20), "\x00\xff"} {
		if left, ok := Use(sums, given); ok || len(left) != Count {
			t.Errorf("%.40q is good", given)
		}
	}
	if _, ok := Use(other, codes[0].Reveal()); ok {
		t.Error("a code of another set is good")
	}
	if _, ok := Use(nil, codes[0].Reveal()); ok {
		t.Error("no set accepts a code")
	}
}

func FuzzUse(f *testing.F) {
	_, sums := New()
	f.Add("abcd-efgh-jkmn-pqrs")
	f.Add("")
	f.Fuzz(func(t *testing.T, given string) {
		if _, ok := Use(sums, given); ok {
			t.Errorf("%q was guessed", given)
		}
	})
}
