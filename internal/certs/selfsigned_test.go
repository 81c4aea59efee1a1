package certs

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"honeyguide/internal/seal"
)

func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v := seal.Clear(dir)
	now := time.Now()
	_, first, err := SelfSigned(v, []string{"core.example"}, now)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, pairFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	for _, c := range []struct {
		what  string
		hosts []string
		now   time.Time
		same  bool
	}{
		{"again", []string{"core.example"}, now, true},
		{"fewer hosts", nil, now, true},
		{"names that fit no certificate", []string{"", "my node", "knoten-ä", "."}, now, true},
		{"another host", []string{"other.example", "192.0.2.9"}, now, false},
		{"near its end", []string{"other.example"}, now.Add(certLife - renewWithin + time.Hour), false},
	} {
		cert, sum, err := SelfSigned(v, c.hosts, c.now)
		if err != nil || (sum == first) != c.same {
			t.Errorf("%s: the same %v, want %v, %v", c.what, sum == first, c.same, err)
		}
		for _, host := range append(slices.DeleteFunc(c.hosts, unfit), "localhost", "127.0.0.1", "::1") {
			if err := cert.Leaf.VerifyHostname(host); err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		first = sum
	}
	if err := os.WriteFile(filepath.Join(dir, pairFile), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := SelfSigned(v, nil, now); err == nil {
		t.Error("a spoilt file is passed over")
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".new-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
