package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"honeyguide"
)

func identity(t testing.TB) Identity {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func encrypt(t testing.TB, plain []byte, to ...Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := Encrypt(&out, to...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decrypt(raw []byte, with ...Identity) ([]byte, error) {
	r, err := Decrypt(bytes.NewReader(raw), with...)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestStream(t *testing.T) {
	a, b, other := identity(t), identity(t), identity(t)
	for _, n := range []int{0, 1, 64 << 10, 200_000} {
		plain := make([]byte, n)
		_, _ = rand.Read(plain)
		raw := encrypt(t, plain, a.Recipient(), b.Recipient())
		for _, id := range []Identity{a, b} {
			if got, err := decrypt(raw, other, id); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes: %d back, %v", n, len(got), err)
			}
		}
		if _, err := decrypt(raw, other); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%d bytes, another key: %v", n, err)
		}
		for cut := range len(raw) {
			if cut > 400 && cut%997 != 0 && cut < len(raw)-40 {
				continue
			}
			if _, err := decrypt(raw[:cut], a); cut > 0 && !errors.Is(err, ErrTruncated) {
				t.Fatalf("%d bytes cut to %d of %d: %v", n, cut, len(raw), err)
			}
			bad := bytes.Clone(raw)
			bad[cut] ^= 1
			if _, err := decrypt(bad, a); err == nil {
				t.Fatalf("%d bytes, byte %d of %d changed: opened", n, cut, len(raw))
			}
		}
		if _, err := decrypt(append(bytes.Clone(raw), 'x'), a); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes and one more: %v", n, err)
		}
	}
}

func TestStreamPassphrase(t *testing.T) {
	to, with, err := Passphrase("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	raw := encrypt(t, []byte("hello"), to)
	if got, err := decrypt(raw, with); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	_, wrong, _ := Passphrase("wrong horse")
	for name, id := range map[string]Identity{"wrong passphrase": wrong, "a key": identity(t)} {
		if _, err := decrypt(raw, id); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Encrypt(io.Discard, to, identity(t).Recipient()); err == nil {
		t.Error("a passphrase beside a key")
	}
	// The age program's own format, with a work factor that would take 4 GiB.
	heavy := "age-encryption.org/v1\n-> scrypt 4P0NjTXe8GcQMRgXHAyGiQ 22\nfhzGHCMQ0mBAIGo2ZrIHPtC8bYIDmYvNJ3R+nk5RsHM\n--- c+hJyW6uj0SjXSSBDQRLjbDqBmTUYKyz4HIWa7zEEQk\n0123456789abcdef0123456789abcdef"
	if _, err := decrypt([]byte(heavy), with); err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("a heavy passphrase: %v", err)
	}
}

func TestStreamBadInput(t *testing.T) {
	id := identity(t)
	endless := io.MultiReader(strings.NewReader(streamHead+"-> "), repeat('x'))
	if _, err := Decrypt(endless, id); !errors.Is(err, ErrDamaged) {
		t.Errorf("a head without end: %v", err)
	}
	for _, raw := range []string{"", "PK\x03\x04", "age-encryption.org/v2\nxxxxxxxx", strings.Repeat("a", 100)} {
		if _, err := decrypt([]byte(raw), id); !errors.Is(err, ErrNotEncrypted) {
			t.Errorf("%q: %v", raw, err)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := Decrypt(io.MultiReader(strings.NewReader(streamHead), failing{broken}), id); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := Encrypt(io.Discard); err == nil {
		t.Error("encrypted to nobody")
	}
	if _, err := Encrypt(io.Discard, Recipient{}); err == nil {
		t.Error("encrypted to nothing")
	}
	if _, err := Decrypt(strings.NewReader(""), Identity{}); err == nil {
		t.Error("decrypted with nothing")
	}
	if _, _, err := Passphrase(""); err == nil {
		t.Error("an empty passphrase")
	}
}

type repeat byte

func (b repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestStreamKeys(t *testing.T) {
	id := identity(t)
	again, err := ParseIdentity("# created: today\n# public key: x\n" + id.Reveal() + "\n")
	if err != nil || again.Recipient().String() != id.Recipient().String() {
		t.Fatalf("%v", err)
	}
	to, err := ParseRecipient(id.Recipient().String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decrypt(encrypt(t, []byte("x"), to), again); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, id); strings.Contains(text, "AGE-SECRET") || strings.Contains(text, id.Reveal().Reveal()[16:]) {
			t.Errorf("%s shows the key: %s", verb, text)
		}
	}
	bad := honeyguide.Secret(id.Reveal()[:40])
	if _, err := ParseIdentity(bad); err == nil || strings.Contains(err.Error(), bad.Reveal()[16:]) {
		t.Errorf("half a key: %v", err)
	}
	for _, text := range []string{"", "age1x", id.Reveal().Reveal()} {
		if _, err := ParseRecipient(text); err == nil || len(text) > 10 && strings.Contains(err.Error(), text[20:30]) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	id := identity(f)
	f.Add(encrypt(f, []byte("hello"), id.Recipient()))
	f.Add([]byte(streamHead))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := Decrypt(bytes.NewReader(raw), id); err == nil {
			_, _ = io.Copy(io.Discard, r)
		}
	})
}
