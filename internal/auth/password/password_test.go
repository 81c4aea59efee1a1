package password

import (
	"errors"
	"strings"
	"testing"

	"honeyguide"
)

var cheap = Cost{Memory: 64, Time: 1, Lanes: 1}

func TestHash(t *testing.T) {
	const p honeyguide.Secret = "correct horse battery"
	phc := Hash(p, cheap)
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=64,t=1,p=1$") || Hash(p, cheap) == phc {
		t.Errorf("hash %s", phc)
	}
	if ok, c, err := Check(phc, p); !ok || c != cheap || err != nil {
		t.Errorf("the right one: %v, %+v, %v", ok, c, err)
	}
	for _, wrong := range []honeyguide.Secret{"", "correct horse batter", p + "x", honeyguide.Secret(strings.Repeat("x", 1<<20))} {
		if ok, _, err := Check(phc, wrong); ok || err != nil {
			t.Errorf("a wrong one: %v, %v", ok, err)
		}
	}
	long := honeyguide.Secret(strings.Repeat("y", MaxLength))
	if ok, _, _ := Check(Hash(long, cheap), long+"z"); ok {
		t.Error("what is longer than is looked at passes")
	}
}

// TestKnownHash is a hash of the argon2 reference implementation (RFC 9106's
// argon2id through PHC's command: "password", salt "somesalt", t=2, m=2^16, p=1).
func TestKnownHash(t *testing.T) {
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, c, err := Check(phc, "password"); !ok || err != nil || c != (Cost{65536, 2, 1}) {
		t.Errorf("got %v, %+v, %v", ok, c, err)
	}
}

func TestBadHashes(t *testing.T) {
	good := Hash("x", cheap)
	for _, bad := range []string{
		"", "x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=64", "m=4294967295", 1), strings.Replace(good, "m=64", "m=0", 1), strings.Replace(good, "t=1", "t=65", 1),
		strings.Replace(good, "p=1", "p=99", 1), good + "$", good[:len(good)-30], strings.Replace(good, "m=64,t=1", "t=1,m=64", 1),
	} {
		if ok, _, err := Check(bad, "x"); ok || !errors.Is(err, errHash) {
			t.Errorf("%q: %v, %v", bad, ok, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", Hash("x", cheap), "$argon2id$v=19$m=1,t=1,p=1$$", "$$$$$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, salt, sum, err := parse(s); err == nil && (c.Memory > maxMemory || c.Time > maxTime || len(salt) < 8 || len(sum) > maxHash) {
			t.Errorf("%+v", c)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	phc := Hash("correct horse battery", Default())
	b.ReportAllocs()
	for b.Loop() {
		if ok, _, err := Check(phc, "wrong"); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
