package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestBox(t *testing.T) {
	text := []byte(strings.Repeat("ab", 32))
	b, err := parseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	sealed := b.Seal([]byte("CANARY"), "credential", "c1", "data")
	if bytes.Contains(sealed, []byte("CANARY")) {
		t.Error("the secret can be read")
	}
	again, err := parseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(sealed, "credential", "c1", "data"); err != nil || string(got) != "CANARY" {
		t.Errorf("opened: %q, %v", got, err)
	}
	for _, place := range [][]string{{"credential", "c2", "data"}, {"credential", "c1"}, {"credentialc1", "data"}, nil} {
		if _, err := b.Open(sealed, place...); !errors.Is(err, ErrSealed) {
			t.Errorf("moved to %q: %v", place, err)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := b.Open(bad, "credential", "c1", "data"); !errors.Is(err, ErrSealed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	if _, err := Random().Open(sealed, "credential", "c1", "data"); !errors.Is(err, ErrSealed) {
		t.Errorf("another key: %v", err)
	}
	if _, err := b.Open(nil); !errors.Is(err, ErrSealed) {
		t.Errorf("nothing: %v", err)
	}
}

func TestNewestKeyFirst(t *testing.T) {
	old, fresh := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	before, err := parseKeys([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	both, err := parseKeys([]byte("# note\n" + fresh + "\n\n" + old + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	sealed := before.Seal([]byte("x"))
	if got, err := both.Open(sealed); err != nil || string(got) != "x" || !both.Stale(sealed) {
		t.Errorf("the old key: %q, %v, stale %v", got, err, both.Stale(sealed))
	}
	if both.Stale(both.Seal([]byte("x"))) {
		t.Error("what the newest key sealed is stale")
	}
	if d := both.Derive("device"); len(d) != 2 || !bytes.Equal(d[1], before.Derive("device")[0]) || bytes.Equal(d[0], both.Derive("other")[0]) {
		t.Error("derived keys")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "#", "zz", strings.Repeat("ab", 32), strings.Repeat("ab", 31), strings.Repeat("ab\n", 99)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if b, err := parseKeys(text); err == nil {
			if got, err := b.Open(b.Seal([]byte("x"), "a"), "a"); err != nil || string(got) != "x" {
				t.Errorf("%q, %v", got, err)
			}
		}
	})
}
