package seal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide"
)

const (
	hexKey   = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	otherKey = "ff23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func vault(t testing.TB, o VaultOptions) *Vault {
	t.Helper()
	v, err := OpenVault(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tree reads all files of a folder.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[rel] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameTree(t testing.TB, dir string, before map[string]string) {
	t.Helper()
	after := tree(t, dir)
	for name, text := range before {
		if after[name] != text {
			t.Errorf("%s was changed", name)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files became %d", len(before), len(after))
	}
}

func TestVaultKeeps(t *testing.T) {
	for name, master := range map[string]Master{
		"own": {}, "key": {Key: hexKey}, "long text": {Key: "a text that is no key but has more than 32 characters"}, "passphrase": {Passphrase: "correct horse battery"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			o := VaultOptions{Dir: dir, Master: master}
			v := vault(t, o)
			if err := v.Write("a.key", []byte("CANARY")); err != nil {
				t.Fatal(err)
			}
			row := v.Box().Seal([]byte("CANARY"), "row")
			made := 0
			mk := func() ([]byte, error) { made++; return []byte("CANARY made"), nil }
			for range 2 {
				if got, err := v.Keep("b.key", mk); err != nil || string(got) != "CANARY made" || made != 1 {
					t.Errorf("kept: %q, %v, made %d times", got, err, made)
				}
			}
			for file, text := range tree(t, dir) {
				if strings.Contains(text, "CANARY") || strings.Contains(text, hexKey) {
					t.Errorf("%s shows a secret", file)
				}
				if st, err := os.Stat(filepath.Join(dir, file)); err != nil || st.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", file, st.Mode(), err)
				}
			}
			if _, err := v.Read("c.key"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file that is not there: %v", err)
			}
			o.ReadOnly = true
			before := tree(t, dir)
			again := vault(t, o)
			if got, err := again.Read("a.key"); err != nil || string(got) != "CANARY" {
				t.Errorf("read again: %q, %v", got, err)
			}
			if got, err := again.Box().Open(row, "row"); err != nil || string(got) != "CANARY" {
				t.Errorf("a row: %q, %v", got, err)
			}
			if err := again.Write("a.key", nil); err == nil {
				t.Error("written through a vault that is for reading")
			}
			sameTree(t, dir, before)
			// A file that took the name of another does not open.
			if err := os.Rename(filepath.Join(dir, "a.key"), filepath.Join(dir, "b.key")); err != nil {
				t.Fatal(err)
			}
			if _, err := again.Read("b.key"); err == nil || !strings.Contains(err.Error(), "backup") {
				t.Errorf("a file in the place of another: %v", err)
			}
		})
	}
}

// A folder of an older version, with every file in clear.
func oldFolder(t testing.TB) (dir string, box *Box) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "keys")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	k := randomKey()
	if err := os.WriteFile(filepath.Join(dir, legacyFile), keysText([]key{k}), 0o600); err != nil {
		t.Fatal(err)
	}
	box = boxOf(k)
	for _, name := range []string{"deployment.key", "audit.pub"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("CANARY "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-1000 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(filepath.Join(dir, "deployment.key"), long, long); err != nil {
		t.Fatal(err)
	}
	return dir, box
}

// TestReadOnlyFiles: a key file its owner has made read-only can still be sealed, and
// the master key replaced, by a core that is not root.
func TestReadOnlyFiles(t *testing.T) {
	dir, _ := oldFolder(t)
	if os.Geteuid() == 0 {
		// Root may write everything; the file system asks this thread's own user.
		const nobody = 65534
		for _, path := range []string{dir, filepath.Join(dir, legacyFile), filepath.Join(dir, "deployment.key"), filepath.Join(dir, "audit.pub")} {
			if err := os.Chown(path, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		for up := filepath.Dir(dir); up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
			if err := os.Chmod(up, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(nobody); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }() // this very thread was root before
	}
	file, master := filepath.Join(dir, "deployment.key"), filepath.Join(dir, MasterFile)
	for _, path := range []string{file, filepath.Join(dir, legacyFile)} {
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err == nil {
		t.Fatal("this user may write read-only files, so the test shows nothing")
	}
	v := vault(t, VaultOptions{Dir: dir})
	if got, err := v.Read("deployment.key"); err != nil || string(got) != "CANARY deployment.key" {
		t.Fatalf("%q, %v", got, err)
	}
	if err := os.Chmod(master, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := v.Rewrap(Master{}); err != nil {
		t.Fatal(err)
	}
	if got, err := vault(t, VaultOptions{Dir: dir}).Read("deployment.key"); err != nil || string(got) != "CANARY deployment.key" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestVaultTakesOver(t *testing.T) {
	dir, old := oldFolder(t)
	row := old.Seal([]byte("CANARY"), "row")
	was, _ := os.Stat(filepath.Join(dir, "deployment.key"))
	// One look at it changes nothing.
	before := tree(t, dir)
	if got, err := vault(t, VaultOptions{Dir: dir, ReadOnly: true}).Read("deployment.key"); err != nil || string(got) != "CANARY deployment.key" {
		t.Errorf("%q, %v", got, err)
	}
	sameTree(t, dir, before)

	v := vault(t, VaultOptions{Dir: dir})
	for range 2 {
		if got, err := v.Read("deployment.key"); err != nil || string(got) != "CANARY deployment.key" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if got, err := v.Box().Open(row, "row"); err != nil || string(got) != "CANARY" || v.Box().Stale(row) {
		t.Errorf("a row: %q, %v", got, err)
	}
	if !bytes.Equal(v.Box().Derive("x")[0], old.Derive("x")[0]) {
		t.Error("derived keys changed")
	}
	st, err := os.Stat(filepath.Join(dir, "deployment.key"))
	if err != nil || !st.ModTime().Equal(was.ModTime()) {
		t.Errorf("the time of the deployment changed: %v, %v", st.ModTime(), err)
	}
	files := tree(t, dir)
	if _, ok := files[legacyFile]; ok || !Seals([]byte(files["deployment.key"])) || Seals([]byte(files["audit.pub"])) {
		t.Errorf("after the take-over: %q", files)
	}
	s, err := v.Status()
	if err != nil || s.Files != 1 || s.Stale != 0 || len(s.Keys) != 1 || len(s.Clear) != 0 || s.Master != MasterOwn || s.Rotating() {
		t.Errorf("status: %+v, %v", s, err)
	}
}

func TestVaultInClear(t *testing.T) {
	dir, old := oldFolder(t)
	row := old.Seal([]byte("x"), "row")
	o := VaultOptions{Dir: dir, Clear: true}
	before := tree(t, dir)
	v := vault(t, o)
	if got, err := v.Read("deployment.key"); err != nil || string(got) != "CANARY deployment.key" {
		t.Errorf("%q, %v", got, err)
	}
	if err := v.Rotate(); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("rotated what is in clear: %v", err)
	}
	sameTree(t, dir, before)
	// On, and off again.
	if _, err := vault(t, VaultOptions{Dir: dir}).Read("deployment.key"); err != nil {
		t.Fatal(err)
	}
	v = vault(t, o)
	if got, err := v.Read("deployment.key"); err != nil || string(got) != "CANARY deployment.key" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := v.Box().Open(row, "row"); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	files := tree(t, dir)
	if files["deployment.key"] != before["deployment.key"] || files[legacyFile] != before[legacyFile] || files[RingFile] != "" {
		t.Errorf("%q", files)
	}
}

func TestVaultRefuses(t *testing.T) {
	fresh := func(t *testing.T, m Master) string {
		dir := filepath.Join(t.TempDir(), "keys")
		v := vault(t, VaultOptions{Dir: dir, Master: m})
		if err := v.Write("a.key", []byte("x")); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	spoil := func(name string, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if to == "" {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(to), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	nothing := func(*testing.T, string) {}
	for name, tc := range map[string]struct {
		made, given Master
		spoil       func(*testing.T, string)
		want        string
	}{
		"no own key":           {spoil: spoil(MasterFile, ""), want: "is missing"},
		"another own key":      {spoil: spoil(MasterFile, otherKey), want: "not the master key"},
		"a damaged own key":    {spoil: spoil(MasterFile, "zz"), want: "64 hexadecimal"},
		"no ring":              {spoil: spoil(RingFile, ""), want: "Restore it from a backup"},
		"a damaged ring":       {spoil: spoil(RingFile, "{}"), want: "damaged"},
		"none given":           {made: Master{Key: hexKey}, spoil: nothing, want: "SOC_ENCRYPTION_KEY"},
		"another one given":    {made: Master{Key: hexKey}, given: Master{Key: otherKey, From: "SOC_ENCRYPTION_KEY"}, spoil: nothing, want: "SOC_ENCRYPTION_KEY is not the master key"},
		"another passphrase":   {made: Master{Passphrase: "correct horse battery"}, given: Master{Passphrase: "correct horse batterz"}, spoil: nothing, want: "a passphrase set"},
		"a short key":          {made: Master{Key: hexKey}, given: Master{Key: "short"}, spoil: nothing, want: "openssl rand"},
		"a short passphrase":   {made: Master{Key: hexKey}, given: Master{Passphrase: "short"}, spoil: nothing, want: "at least 12"},
		"a file that is not":   {made: Master{Key: hexKey}, given: Master{KeyFile: "/nowhere/key"}, spoil: nothing, want: "no such file"},
		"a key for passphrase": {made: Master{Passphrase: honeyguide.Secret(hexKey)}, given: Master{Key: hexKey}, spoil: nothing, want: "not the master key"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fresh(t, tc.made)
			tc.spoil(t, dir)
			before := tree(t, dir)
			for _, readOnly := range []bool{true, false} {
				_, err := OpenVault(VaultOptions{Dir: dir, Master: tc.given, ReadOnly: readOnly})
				if err == nil || !strings.Contains(err.Error(), tc.want) || honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
					t.Errorf("read-only %v: %v", readOnly, err)
				}
				if err != nil && (strings.Contains(err.Error(), "batterz") || strings.Contains(err.Error(), otherKey)) {
					t.Errorf("the error shows the secret: %v", err)
				}
			}
			sameTree(t, dir, before)
		})
	}
}

func TestVaultHandsOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := vault(t, VaultOptions{Dir: dir}).Write("a.key", []byte("x")); err != nil {
		t.Fatal(err)
	}
	given := VaultOptions{Dir: dir, Master: Master{Key: hexKey}}
	v := vault(t, given)
	if got, err := v.Read("a.key"); err != nil || string(got) != "x" || len(v.Did()) != 1 {
		t.Errorf("%q, %v, %q", got, err, v.Did())
	}
	if v = vault(t, given); len(v.Did()) != 0 {
		t.Errorf("handed over twice: %q", v.Did())
	}
	if _, err := OpenVault(VaultOptions{Dir: dir}); err == nil {
		t.Error("the own key still opens it")
	}
	// And back: the old file of the own key is not overwritten.
	if err := v.Rewrap(Master{}); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("over the old own key: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, MasterFile)); err != nil {
		t.Fatal(err)
	}
	if err := v.Rewrap(Master{}); err != nil {
		t.Fatal(err)
	}
	vault(t, given) // still good
	if got, err := vault(t, VaultOptions{Dir: dir}).Read("a.key"); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := OpenVault(VaultOptions{Dir: dir, Master: Master{Key: otherKey}}); err != nil {
		t.Errorf("a key that is given takes over from the own one: %v", err)
	}
}

func TestRewrapGiven(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	was, next := VaultOptions{Dir: dir, Master: Master{Key: hexKey}}, VaultOptions{Dir: dir, Master: Master{Passphrase: "correct horse battery"}}
	v := vault(t, was)
	if err := v.Write("a.key", []byte("x")); err != nil {
		t.Fatal(err)
	}
	file := tree(t, dir)["a.key"]
	if err := v.Rewrap(was.Master); err == nil {
		t.Error("the same key is a new one")
	}
	if err := v.Rewrap(next.Master); err != nil {
		t.Fatal(err)
	}
	if s, err := v.Status(); err != nil || s.Masters != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	vault(t, was)
	if got, err := vault(t, next).Read("a.key"); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := OpenVault(was); err == nil {
		t.Error("the key before still opens it")
	}
	if tree(t, dir)["a.key"] != file {
		t.Error("a file was sealed anew")
	}
}

func TestRotate(t *testing.T) {
	dir, acme := filepath.Join(t.TempDir(), "keys"), t.TempDir()
	o := VaultOptions{Dir: dir, Folders: map[string]string{"acme": acme}}
	v := vault(t, o)
	for _, name := range []string{"a.key", "b.key"} {
		if err := v.Write(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(acme, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	inAcme := filepath.Join(acme, "sub", "c")
	if err := os.WriteFile(inAcme, v.Enclose([]byte("c"), "acme/sub/c"), 0o600); err != nil {
		t.Fatal(err)
	}
	row, cookie := v.Box().Seal([]byte("x"), "row"), v.Box().Derive("cookie")[0]
	copied := tree(t, dir)
	if err := v.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := v.Finish(nil); err == nil {
		t.Error("finished with files under the old key")
	}
	if s, _ := v.Status(); !s.Rotating() || s.Stale != 3 {
		t.Errorf("%+v", s)
	}
	if n, err := v.ResealFiles(); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := v.Rotate(); err != nil || len(v.ring.keys) != 2 {
		t.Errorf("going on made a key: %d, %v", len(v.ring.keys), err)
	}
	if !v.Box().Stale(row) {
		t.Error("the row is not stale")
	}
	fresh := v.Box().Seal([]byte("x"), "row")
	if err := v.Finish(map[string]time.Duration{"cookie": time.Hour}); err != nil {
		t.Fatal(err)
	}
	// Whoever had read the row before still opens it; a new process does not.
	if _, err := v.Box().Open(row, "row"); err != nil {
		t.Errorf("what was read before: %v", err)
	}
	again := vault(t, o)
	if _, err := again.Box().Open(row, "row"); !errors.Is(err, ErrSealed) {
		t.Errorf("the old key still opens: %v", err)
	}
	if got, err := again.Box().Open(fresh, "row"); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	for name, want := range map[string]string{"a.key": "a.key", "b.key": "b.key"} {
		if got, err := again.Read(name); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	raw, _ := os.ReadFile(inAcme)
	if got, err := again.Disclose(raw, "acme/sub/c"); err != nil || string(got) != "c" {
		t.Errorf("%q, %v", got, err)
	}
	if !slices.ContainsFunc(again.Box().Derive("cookie"), func(k []byte) bool { return bytes.Equal(k, cookie) }) {
		t.Error("cookies of the old key are not known")
	}
	o.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if len(vault(t, o).Box().Derive("cookie")) != 1 {
		t.Error("cookies of the old key are known for ever")
	}
	for name, text := range copied {
		if now := tree(t, dir)[name]; name != MasterFile && now == text {
			t.Errorf("%s is as before", name)
		}
	}
}
