package minisign

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func key(t *testing.T) SecretKey {
	t.Helper()
	k, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSignVerify(t *testing.T) {
	k, content := key(t), []byte("what is signed\n")
	sig, err := Sign(k, content, "honeyguide v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if comment, err := Verify(k.Public(), content, sig); err != nil || comment != "honeyguide v1.0.0" {
		t.Fatalf("%q, %v", comment, err)
	}
	// Any bit of any byte; the first line alone is not signed, as its name says.
	for i := bytes.IndexByte(sig, '\n') + 1; i < len(sig)-1; i++ {
		for bit := range 8 {
			bad := bytes.Clone(sig)
			bad[i] ^= 1 << bit
			if _, err := Verify(k.Public(), content, bad); err == nil {
				t.Errorf("bit %d of byte %d changed, and it verifies:\n%s", bit, i, bad)
			}
		}
	}
	if _, err := Verify(k.Public(), append(content, 0), sig); err == nil {
		t.Error("another content verifies")
	}
	if _, err := Verify(key(t).Public(), content, sig); err == nil {
		t.Error("another key verifies")
	}
	if _, err := Sign(k, content, "two\nlines"); err == nil {
		t.Error("a comment of two lines is signed")
	}
}

func TestKeyFiles(t *testing.T) {
	k := key(t)
	text, _ := k.MarshalText()
	back, err := ParseSecretKey(text)
	if err != nil || !back.Key.Equal(k.Key) || back.ID != k.ID {
		t.Errorf("%v, %v", back, err)
	}
	public, _ := k.Public().MarshalText()
	if p, err := ParsePublicKey(public); err != nil || !p.Key.Equal(k.Public().Key) {
		t.Errorf("%v, %v", p, err)
	}
	for _, bad := range []string{"", "untrusted comment: x", "untrusted comment: x\nAAAA\n", "x\n" + strings.Repeat("A", 212) + "\n", string(text[:len(text)-9]), strings.Replace(string(text), "RWQAAEIy", "RWRTY0Iy", 1)} {
		if _, err := ParseSecretKey([]byte(bad)); err == nil {
			t.Errorf("read as a key: %q", bad)
		}
	}
}

// The real program verifies what this package signs, with keys of this package.
func TestStockProgram(t *testing.T) {
	program, err := exec.LookPath("minisign")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("minisign is not installed, and nothing is skipped with CI=true; make setup installs it")
		}
		t.Skip("minisign is not installed; make setup installs it")
	}
	dir, k := t.TempDir(), key(t)
	file := filepath.Join(dir, "SHA256SUMS")
	content := []byte("some sums\n")
	sig, err := Sign(k, content, "honeyguide v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	public, _ := k.Public().MarshalText()
	secret, _ := k.MarshalText()
	for name, raw := range map[string][]byte{file: content, file + ".minisig": sig, filepath.Join(dir, "key.pub"): public, filepath.Join(dir, "key"): secret} {
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) error {
		out, err := exec.Command(program, args...).CombinedOutput()
		t.Logf("minisign %s: %v: %s", strings.Join(args, " "), err, out)
		return err
	}
	if err := run("-Vm", file, "-p", filepath.Join(dir, "key.pub")); err != nil {
		t.Error("it does not verify")
	}
	if err := run("-Vm", file, "-P", k.Public().String()); err != nil {
		t.Error("it does not verify with the key in one word")
	}
	// And it signs with a key this package made.
	if err := run("-Sm", file, "-s", filepath.Join(dir, "key"), "-t", "by the program"); err != nil {
		t.Error("it does not take the secret key")
	}
	again, err := os.ReadFile(file + ".minisig")
	if err != nil {
		t.Fatal(err)
	}
	if comment, err := Verify(k.Public(), content, again); err != nil || comment != "by the program" {
		t.Errorf("what it signed: %q, %v", comment, err)
	}
	if err := os.WriteFile(file, []byte("other sums\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run("-Vm", file, "-p", filepath.Join(dir, "key.pub")); err == nil {
		t.Error("a changed file verifies")
	}
}
