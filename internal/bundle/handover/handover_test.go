package handover_test

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide/internal/bundle/handover"
)

// TestOtherPrograms opens what is handed over with 7-Zip: by the password it is
// what it was, by another nothing comes out, and a changed byte is noticed.
func TestOtherPrograms(t *testing.T) {
	seven, err := exec.LookPath("7z")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("needs 7z: test/setup.sh installs it (p7zip-full)")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("0123456789abcdef"), 1), bytes.Repeat([]byte("evidence "), 100_000)} {
		dir := t.TempDir()
		file := filepath.Join(dir, "out.zip")
		password := handover.Password()
		var b bytes.Buffer
		if err := handover.Write(&b, "I-7.zip", bytes.NewReader(content), int64(len(content)), password); err != nil {
			t.Fatal(err)
		}
		if int64(b.Len()) != handover.Size("I-7.zip", int64(len(content))) {
			t.Errorf("%d bytes, announced as %d", b.Len(), handover.Size("I-7.zip", int64(len(content))))
		}
		extract := func(text []byte, password string) ([]byte, error) {
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			to := t.TempDir()
			err := exec.Command(seven, "x", "-y", "-p"+password, "-o"+to, file).Run()
			got, _ := os.ReadFile(filepath.Join(to, "I-7.zip"))
			return got, err
		}
		if got, err := extract(b.Bytes(), password); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came out of %d: %v", len(got), len(content), err)
		}
		if _, err := extract(b.Bytes(), "wrong"); err == nil {
			t.Error("a wrong password opens it")
		}
		if len(content) > 100 {
			bad := bytes.Clone(b.Bytes())
			bad[len(bad)/2] ^= 1
			if _, err := extract(bad, password); err == nil {
				t.Error("a changed byte is not noticed")
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for name, f := range map[string]func() error{
		"no password": func() error { return handover.Write(&bytes.Buffer{}, "a", strings.NewReader(""), 0, "") },
		"a path":      func() error { return handover.Write(&bytes.Buffer{}, "../a", strings.NewReader(""), 0, "x") },
		"too large":   func() error { return handover.Write(&bytes.Buffer{}, "a", strings.NewReader(""), 1<<32, "x") },
		"too short":   func() error { return handover.Write(&bytes.Buffer{}, "a", strings.NewReader("ab"), 3, "x") },
	} {
		if f() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestDirectory reads it with a ZIP reader that knows no encryption.
func TestDirectory(t *testing.T) {
	var b bytes.Buffer
	if err := handover.Write(&b, "I-7.zip", strings.NewReader("abc"), 3, "x"); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "I-7.zip" || z.File[0].Method != 99 || z.File[0].UncompressedSize64 != 3 || z.File[0].CRC32 != 0 {
		t.Fatalf("%+v, %v", z, err)
	}
	if bytes.Contains(b.Bytes(), []byte("abc")) {
		t.Error("it is in clear")
	}
	if a, c := handover.Password(), handover.Password(); a == c || len(a) < 30 {
		t.Errorf("passwords %q %q", a, c)
	}
}
