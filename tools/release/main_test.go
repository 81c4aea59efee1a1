package main

import (
	"os"
	"path/filepath"
	"testing"

	"honeyguide/tools/minisign"
)

func TestSignAndCheck(t *testing.T) {
	dir, keys := t.TempDir(), t.TempDir()
	file := filepath.Join(keys, "release.key")
	if err := run(t.Context(), []string{"-keygen", file}); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-keygen", file}); err == nil {
		t.Error("a key was written over another")
	}
	key, err := readKey("/nowhere", file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"honeyguide-v1-linux-amd64": "binary", "honeyguide-v1-linux-amd64.cdx.json": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := sign(dir, []string{"honeyguide-v1-linux-amd64", "honeyguide-v1-linux-amd64.cdx.json"}, key, "honeyguide v1"); err != nil {
		t.Fatal(err)
	}
	verify := func() error { return run(t.Context(), []string{"-verify", dir, "-public", file + ".pub"}) }
	if err := verify(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"honeyguide-v1-linux-amd64", "honeyguide-v1-linux-amd64.cdx.json", "SHA256SUMS", "SHA256SUMS.minisig"} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := append([]byte{}, good...)
		bad[len(bad)-2] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if verify() == nil {
			t.Errorf("%s was changed, and nobody says so", name)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "honeyguide-v1-linux-amd64")); err != nil || verify() == nil {
		t.Error("a file is missing, and nobody says so")
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readKey("/nowhere", file); err == nil {
		t.Error("a key that all can read is used")
	}
	if _, err := readKey(keys, file); err == nil {
		t.Error("a key in the repository is used")
	}
	other, err := minisign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	text, _ := other.Public().MarshalText()
	if err := os.WriteFile(file+".pub", text, 0o600); err != nil || verify() == nil {
		t.Error("another key verifies")
	}
}
