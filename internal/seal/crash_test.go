package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crashEnv makes this program a child that works on a vault and kills itself with
// SIGKILL at a step: "work folder step".
const crashEnv = "HONEYGUIDE_SEAL_CRASH"

func TestMain(m *testing.M) {
	if order := os.Getenv(crashEnv); order != "" {
		var work, dir string
		var at int
		if _, err := fmt.Sscan(order, &work, &dir, &at); err != nil {
			panic(err)
		}
		if err := works[work].do(dir, killAt(at)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killAt ends this process at the n-th step.
func killAt(n int) func(string) {
	return func(string) {
		if n--; n < 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

var givenMaster = Master{Key: hexKey}

// A work is one change of a vault that may be killed at any step. open says with
// which master keys the vault is then opened: one of them must do.
type work struct {
	from func(t *testing.T, dir string)
	do   func(dir string, step func(string)) error
	open []Master
}

func readAll(v *Vault) error {
	for _, name := range []string{"deployment.key", "b.key"} {
		if got, err := v.Read(name); err != nil || string(got) != "CANARY "+name {
			return fmt.Errorf("%s: %q, %w", name, got, err)
		}
	}
	return nil
}

func fromNew(m Master) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		v := vault(t, VaultOptions{Dir: dir, Master: m})
		for _, name := range []string{"deployment.key", "b.key"} {
			if err := v.Write(name, []byte("CANARY "+name)); err != nil {
				t.Fatal(err)
			}
		}
		keepRow(t, dir, v)
	}
}

func fromClear(t *testing.T, dir string) {
	v := vault(t, VaultOptions{Dir: dir, Clear: true})
	for _, name := range []string{"deployment.key", "b.key"} {
		if err := v.Write(name, []byte("CANARY "+name)); err != nil {
			t.Fatal(err)
		}
	}
	keepRow(t, dir, v)
}

// The row lies beside the folder.
func keepRow(t *testing.T, dir string, v *Vault) {
	if err := os.WriteFile(dir+".row", v.Box().Seal([]byte("row"), "row"), 0o600); err != nil {
		t.Fatal(err)
	}
}

var works = map[string]work{
	"first": {
		from: func(*testing.T, string) {}, open: []Master{{}},
		do: func(dir string, step func(string)) error {
			_, err := OpenVault(VaultOptions{Dir: dir, step: step})
			return err
		},
	},
	"takeover": {
		from: fromClear, open: []Master{{}},
		do: func(dir string, step func(string)) error {
			v, err := OpenVault(VaultOptions{Dir: dir, step: step})
			return errors.Join(err, readAll(v))
		},
	},
	"off": {
		from: fromNew(Master{}), open: []Master{{}},
		do: func(dir string, step func(string)) error {
			v, err := OpenVault(VaultOptions{Dir: dir, Clear: true, step: step})
			return errors.Join(err, readAll(v))
		},
	},
	"rotate": {
		from: fromNew(Master{}), open: []Master{{}},
		do: func(dir string, step func(string)) error {
			v, err := OpenVault(VaultOptions{Dir: dir, step: step})
			if err != nil {
				return err
			}
			if err := v.Rotate(); err != nil {
				return err
			}
			if _, err := v.ResealFiles(); err != nil {
				return err
			}
			raw, err := os.ReadFile(dir + ".row")
			if err != nil {
				return err
			}
			if v.Box().Stale(raw) {
				plain, err := v.Box().Open(raw, "row")
				if err != nil {
					return err
				}
				if err := v.place(dir+".row", v.Box().Seal(plain, "row"), noTime); err != nil {
					return err
				}
			}
			return v.Finish(map[string]time.Duration{"cookie": time.Hour})
		},
	},
	"master": {
		from: fromNew(Master{}), open: []Master{{}},
		do: func(dir string, step func(string)) error {
			v, err := OpenVault(VaultOptions{Dir: dir, step: step})
			if err != nil {
				return err
			}
			return v.Rewrap(Master{})
		},
	},
	"hand-over": {
		from: fromNew(Master{}), open: []Master{givenMaster},
		do: func(dir string, step func(string)) error {
			_, err := OpenVault(VaultOptions{Dir: dir, Master: givenMaster, step: step})
			return err
		},
	},
	"give": {
		from: fromNew(givenMaster), open: []Master{givenMaster, {Key: otherKey}},
		do: func(dir string, step func(string)) error {
			v, err := OpenVault(VaultOptions{Dir: dir, Master: givenMaster, step: step})
			if err != nil {
				return err
			}
			if err := v.Rewrap(Master{Key: otherKey}); err != nil {
				return err
			}
			_, err = OpenVault(VaultOptions{Dir: dir, Master: Master{Key: otherKey}, step: step})
			return err
		},
	},
	"back": {
		from: fromNew(givenMaster), open: []Master{givenMaster, {}},
		do: func(dir string, step func(string)) error {
			v, err := OpenVault(VaultOptions{Dir: dir, Master: givenMaster, step: step})
			if err != nil {
				return err
			}
			if err := v.Rewrap(Master{}); err != nil {
				return err
			}
			_, err = OpenVault(VaultOptions{Dir: dir, step: step})
			return err
		},
	},
}

// TestCrashMatrix kills every change of a vault at every step on the disk. What was
// kept is readable after each, as is the row, and doing the same again ends well.
func TestCrashMatrix(t *testing.T) {
	killed := 0
	for name, w := range works {
		t.Run(name, func(t *testing.T) {
			for at := 0; ; at++ {
				dir := filepath.Join(t.TempDir(), "keys")
				w.from(t, dir)
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", crashEnv, name, dir, at))
				out, err := cmd.CombinedOutput()
				if err == nil {
					if at == 0 {
						t.Fatal("nothing was ever killed")
					}
					break
				}
				if st, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || st.Signal() != syscall.SIGKILL {
					t.Fatalf("step %d: %v\n%s", at, err, out)
				}
				killed++
				afterKill(t, name, dir, at, w)
			}
		})
	}
	t.Logf("killed %d times", killed)
}

// afterKill opens a vault whose change was killed.
func afterKill(t *testing.T, name, dir string, at int, w work) {
	t.Helper()
	var v *Vault
	var master Master
	var errs error
	for _, m := range w.open {
		for _, readOnly := range []bool{true, false} {
			got, err := OpenVault(VaultOptions{Dir: dir, Master: m, ReadOnly: readOnly})
			if name == "first" && readOnly && errors.Is(err, fs.ErrNotExist) {
				continue // nothing is there yet
			}
			if err != nil {
				errs = errors.Join(errs, err)
				break
			}
			if v, master = got, m; name == "first" {
				continue
			}
			if err := readAll(v); err != nil {
				t.Errorf("step %d, read-only %v: %v", at, readOnly, err)
			}
			raw, _ := os.ReadFile(dir + ".row")
			if row, err := v.Box().Open(raw, "row"); err != nil || !bytes.Equal(row, []byte("row")) {
				t.Errorf("step %d: the row: %q, %v", at, row, err)
			}
		}
		if v != nil {
			break
		}
	}
	if v == nil {
		t.Fatalf("step %d: no master key opens it: %v", at, errs)
	}
	if list, _ := filepath.Glob(filepath.Join(dir, "*"+newPrefix+"*")); len(list) > 0 {
		t.Errorf("step %d: left behind: %q", at, list)
	}
	for file, text := range tree(t, dir) {
		if strings.Contains(text, "CANARY") {
			t.Errorf("step %d: %s is in clear", at, file)
		}
	}
	if name == "rotate" || name == "master" {
		if err := w.do(dir, nil); err != nil {
			t.Errorf("step %d, once more: %v", at, err)
		}
		if s, err := vault(t, VaultOptions{Dir: dir, Master: master}).Status(); err != nil || s.Rotating() || s.Stale > 0 {
			t.Errorf("step %d, once more: %+v, %v", at, s, err)
		}
	}
}

func FuzzRing(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "keys")
	vault(f, VaultOptions{Dir: dir, Master: givenMaster})
	raw, err := os.ReadFile(filepath.Join(dir, RingFile))
	if err != nil {
		f.Fatal(err)
	}
	m, err := givenMaster.read()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	for _, s := range []string{"", "{}", `{"format":"hgring1","slots":[{"kind":"key","key":"AAAA"}]}`, `{"format":"hgring1","slots":[{"kind":"own"}],"body":"AA=="}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parseRing(raw)
		if err != nil {
			return
		}
		if r, _, err := d.open(m); err == nil {
			if _, err := r.text(); err != nil {
				t.Error(err)
			}
		}
	})
}
