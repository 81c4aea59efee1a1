package app

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich/enrichtest"
)

// A database comes in place plain, packed or in an archive, and nothing else does.
func TestUpdateGeo(t *testing.T) {
	plain := (&enrichtest.MMDB{Type: "GeoLite2-Country", Built: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}).
		Add("203.0.113.0/24", map[string]any{"country": map[string]any{"iso_code": "NL"}}).Bytes()
	zip := func(raw []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(raw); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var archive bytes.Buffer
	tw := tar.NewWriter(&archive)
	for _, f := range []struct {
		name string
		raw  []byte
	}{{"GeoLite2-Country_20260201/COPYRIGHT.txt", []byte("c")}, {"../../x/GeoLite2-Country.mmdb", plain}} {
		if err := tw.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.raw)), Mode: 0o644, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(f.raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(plain)
	damaged[len(damaged)/3] ^= 0xff
	s := Settings{Node: Node{Data: filepath.Join(t.TempDir(), "d")}}
	for _, c := range []struct {
		name string
		raw  []byte
		sum  string
		ok   bool
	}{
		{"plain", plain, fmt.Sprintf("%X", sha256.Sum256(plain)), true},
		{"packed", zip(plain), "", true},
		{"archive", zip(archive.Bytes()), "", true},
		{"another sum", plain, fmt.Sprintf("%x", sha256.Sum256(nil)), false},
		{"damaged", damaged, "", false},
		{"cut", plain[:len(plain)/2], "", false},
		{"a page", []byte("<html></html>"), "", false},
		{"nothing", nil, "", false},
	} {
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, c.raw, 0o600); err != nil {
			t.Fatal(err)
		}
		done, err := UpdateGeo(t.Context(), s, GeoUpdate{File: file, SHA256: c.sum})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.ok && (done.Type != "GeoLite2-Country" || done.Path != filepath.Join(s.Node.Data, "geo", "GeoLite2-Country.mmdb")) {
			t.Errorf("%s: %+v", c.name, done)
		}
		if got, err := os.ReadFile(filepath.Join(s.Node.Data, "geo", "GeoLite2-Country.mmdb")); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: what is in place changed: %v", c.name, err)
		}
	}
	if list, err := os.ReadDir(filepath.Join(s.Node.Data, "geo")); err != nil || len(list) != 1 {
		t.Errorf("left behind: %v %v", list, err)
	}
	if _, err := UpdateGeo(t.Context(), s, GeoUpdate{File: os.DevNull, Name: "../x"}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("%v", err)
	}
}
