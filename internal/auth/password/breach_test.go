package password

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"honeyguide"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// list makes a sorted list of the hashes of n passwords.
func list(n int, hash func(string) string, form string) string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(form, hash(fmt.Sprintf("stolen-%d", i)), i+1))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func TestHashes(t *testing.T) {
	if got := sha1Hex("password"); got != "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8" {
		t.Error(got)
	}
	if got := ntlmHex("password"); got != "8846F7EAEE8FB117AD06BDD830B7586C" {
		t.Error(got)
	}
}

func TestBreaches(t *testing.T) {
	cut := func(s string) string { return sha1Hex(s)[:20] }
	for name, text := range map[string]string{
		"sha-1":               list(500, sha1Hex, "%s:%d\r\n"),
		"ntlm":                list(500, ntlmHex, "%s:%d\n"),
		"cut":                 list(500, cut, "%s:%d\n"),
		"without counts":      list(500, sha1Hex, "%[1]s\n"),
		"small letters":       strings.ToLower(list(500, sha1Hex, "%s:%d\n")),
		"no line feed at end": strings.TrimSuffix(list(500, sha1Hex, "%s:%d\n"), "\n"),
		"one line":            list(1, sha1Hex, "%s:%d\n"),
		"two lines":           list(2, sha1Hex, "%s:%d"+"\n"),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := OpenBreaches(write(t, text))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			n := strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1
			for i := range 2 * n {
				if got, err := b.Has(fmt.Sprintf("stolen-%d", i)); err != nil || got != (i < n) {
					t.Fatalf("password %d of %d: %v, %v", i, n, got, err)
				}
			}
		})
	}
}

func TestRanges(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "00000.txt"), []byte("0005AD76BD555C1D6D771DE417A4B87E4B4:10\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hash := sha1Hex("password")
	padded := "00000000000000000000000000000000000:0\r\n"
	if err := os.WriteFile(filepath.Join(dir, hash[:5]+".txt"), []byte(padded+hash[5:]+":9545824\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := OpenBreaches(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Has("password"); err != nil || !got {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := b.Has("another"); err == nil || got {
		t.Errorf("a range file that is missing: %v, %v", got, err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestBadLists(t *testing.T) {
	good := list(300, sha1Hex, "%s:%d\n")
	lines := strings.SplitAfter(good, "\n")
	slices.Reverse(lines)
	for name, path := range map[string]string{
		"missing":     filepath.Join(t.TempDir(), "none"),
		"folder":      t.TempDir(),
		"empty":       write(t, ""),
		"no hashes":   write(t, "password\n123456\n"),
		"unsorted":    write(t, strings.Join(lines, "")),
		"mixed":       write(t, "0000000000000000\n"+good),
		"one endless": write(t, strings.Repeat("A", 1<<16)),
		"binary":      write(t, strings.Repeat("\x00\xff", 1<<10)),
		"gzip":        write(t, "\x1f\x8b\x08\x00"+strings.Repeat("x", 100)+"\n"),
	} {
		b, err := OpenBreaches(path)
		if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), "auth.breach_list") {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	var none *Breaches
	if got, err := none.Has("password"); got || err != nil {
		t.Errorf("no list: %v, %v", got, err)
	}
	if err := none.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzBreaches(f *testing.F) {
	f.Add(list(5, sha1Hex, "%s:%d\n"), "stolen-1")
	f.Add("0\n\n:\n", "")
	f.Fuzz(func(t *testing.T, text, password string) {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := OpenBreaches(path)
		if err != nil {
			return
		}
		defer b.Close()
		if got, err := b.Has(password); err == nil && got && !strings.Contains(strings.ToUpper(text), sha1Hex(password)[:b.width]) && !b.ntlm {
			t.Errorf("%q is not on the list", password)
		}
	})
}
