package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"honeyguide"
)

// fileHead begins a sealed file. What follows is what [Box.Seal] makes.
const fileHead = "hgseal1\n"

// maxFile bounds a private file.
const maxFile = 4 << 20

// VaultOptions say how a vault is opened.
type VaultOptions struct {
	Dir      string            // folder of the private files, data/keys
	Folders  map[string]string // other folders with sealed files, by the name their files begin with
	Master   Master            // zero: the own key
	Clear    bool              // keep files in clear: what is sealed stays readable
	ReadOnly bool              // change and make nothing
	Now      func() time.Time  // nil: time.Now

	step func(what string) // of tests: called around every change on the disk
}

// A Vault keeps the private files of a node, sealed under a ring of data keys that
// a master key opens. It is safe for concurrent use. One process at a time opens
// one that is not read-only.
type Vault struct {
	o   VaultOptions
	box *Box
	did []string // what opening it changed, for the log

	mu     sync.Mutex // of what follows, and of every write
	ring   ring       // without slots: files are in clear
	master string     // kind of the master key that opened it
}

// Clear returns a vault that keeps files in clear, as they lie: for tests and for
// what has no data folder. Its box seals with a key that is kept nowhere.
func Clear(dir string) *Vault {
	return &Vault{o: VaultOptions{Dir: dir, Clear: true, Now: time.Now}, box: Random()}
}

// OpenVault opens a vault, or makes one. Files of an older version are taken over:
// what is in clear is sealed when it is read next. The error of a wrong or missing
// master key says what to do, and nothing was changed then.
func OpenVault(o VaultOptions) (*Vault, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	v := &Vault{o: o}
	if !o.ReadOnly {
		if err := v.sweep(); err != nil {
			return nil, fmt.Errorf("open the vault: %w", err)
		}
	}
	raw, err := os.ReadFile(v.path(RingFile))
	switch {
	case err == nil:
		err = v.openRing(raw)
	case errors.Is(err, fs.ErrNotExist):
		err = v.begin()
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (v *Vault) step(what string) {
	if v.o.step != nil {
		v.o.step(what)
	}
}

func (v *Vault) place(file string, content []byte, at time.Time) error {
	v.step("before " + filepath.Base(file))
	defer v.step("after " + filepath.Base(file))
	return place(file, content, at)
}

func (v *Vault) replace(file string, content []byte, at time.Time) error {
	v.step("before " + filepath.Base(file))
	defer v.step("after " + filepath.Base(file))
	return replace(file, content, at)
}

func (v *Vault) remove(file string) error {
	v.step("before removing " + filepath.Base(file))
	defer v.step("after removing " + filepath.Base(file))
	return remove(file)
}

func (v *Vault) path(name string) string { return filepath.Join(v.o.Dir, name) }

// Dir is the folder of the private files.
func (v *Vault) Dir() string { return v.o.Dir }

// Sealed reports whether files are sealed.
func (v *Vault) Sealed() bool { return !v.o.Clear }

// Box seals what lies in rows.
func (v *Vault) Box() *Box { return v.box }

// Did says what opening it changed, for the log of the node.
func (v *Vault) Did() []string { return v.did }

// sweep removes what a crash left on its way.
func (v *Vault) sweep() error {
	if err := os.MkdirAll(v.o.Dir, 0o700); err != nil {
		return err
	}
	list, err := os.ReadDir(v.o.Dir)
	for _, e := range list {
		if strings.HasPrefix(e.Name(), newPrefix) {
			err = errors.Join(err, os.Remove(v.path(e.Name())))
		}
	}
	return err
}

// Read returns a private file; fs.ErrNotExist. A file in clear is sealed on this
// occasion.
func (v *Vault) Read(name string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.read(name)
}

func (v *Vault) read(name string) ([]byte, error) {
	raw, st, err := readPrivate(v.path(name))
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(raw, []byte(fileHead)) {
		if v.o.Clear || v.o.ReadOnly {
			return raw, nil
		}
		if err := v.replace(v.path(name), v.sealFile(raw, name), st.ModTime()); err != nil {
			return nil, fmt.Errorf("seal %s: %w", v.path(name), err)
		}
		return raw, nil
	}
	plain, err := v.openFile(raw, name)
	if err != nil {
		return nil, &honeyguide.Error{
			Code: honeyguide.CodeInvalid, Err: err,
			Message: v.path(name) + " does not open with the keys in " + RingFile + ": it was changed, or comes from elsewhere; restore both from the same backup",
		}
	}
	if v.o.Clear && !v.o.ReadOnly {
		if err := v.place(v.path(name), plain, st.ModTime()); err != nil {
			return nil, fmt.Errorf("open %s: %w", v.path(name), err)
		}
	}
	return plain, nil
}

// Write keeps a private file: whole or not at all, and durably.
func (v *Vault) Write(name string, content []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.write(name, content)
}

func (v *Vault) write(name string, content []byte) error {
	if v.o.ReadOnly {
		return fmt.Errorf("write %s: the vault is open for reading only", v.path(name))
	}
	if !v.o.Clear {
		content = v.sealFile(content, name)
	}
	if err := v.place(v.path(name), content, noTime); err != nil {
		return fmt.Errorf("write %s: %w", v.path(name), err)
	}
	return nil
}

// Keep returns a private file, made at its first use.
func (v *Vault) Keep(name string, mk func() ([]byte, error)) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	raw, err := v.read(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return raw, err
	}
	if raw, err = mk(); err != nil {
		return nil, fmt.Errorf("make %s: %w", v.path(name), err)
	}
	return raw, v.write(name, raw)
}

// Enclose returns content as it is kept in a file of one of the other folders:
// sealed, unless files are in clear. name begins with the folder's name.
func (v *Vault) Enclose(content []byte, name string) []byte {
	if v.o.Clear {
		return content
	}
	return v.sealFile(content, name)
}

// Disclose returns what Enclose took, in either form.
func (v *Vault) Disclose(raw []byte, name string) ([]byte, error) {
	if !bytes.HasPrefix(raw, []byte(fileHead)) {
		return raw, nil
	}
	return v.openFile(raw, name)
}

// Lock keeps rotations away while another room writes a file of its folder.
func (v *Vault) Lock() (unlock func()) {
	v.mu.Lock()
	return v.mu.Unlock
}

func (v *Vault) sealFile(content []byte, name string) []byte {
	return append([]byte(fileHead), v.box.Seal(content, "file", name)...)
}

func (v *Vault) openFile(raw []byte, name string) ([]byte, error) {
	return v.box.Open(bytes.TrimPrefix(raw, []byte(fileHead)), "file", name)
}

// readPrivate reads a small regular file.
func readPrivate(file string) ([]byte, fs.FileInfo, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxFile {
		return nil, nil, fmt.Errorf("%s is no small regular file", file)
	}
	raw, err := os.ReadFile(file)
	return raw, st, err
}

// Seals reports whether the content of a file is sealed.
func Seals(raw []byte) bool { return bytes.HasPrefix(raw, []byte(fileHead)) }

// sealedNames lists the sealed files below all folders, by the names they are
// bound to.
func (v *Vault) sealedNames() (map[string]string, error) {
	out := map[string]string{}
	folders := map[string]string{"": v.o.Dir}
	for name, dir := range v.o.Folders {
		folders[name+"/"] = dir
	}
	for prefix, dir := range folders {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile, or there is none
			}
			if err != nil || d.IsDir() && prefix == "" && path != dir {
				if d != nil && d.IsDir() && err == nil {
					return fs.SkipDir
				}
				return err
			}
			if !d.Type().IsRegular() || strings.HasPrefix(d.Name(), newPrefix) {
				return nil
			}
			sealed, err := headOf(path)
			if err != nil || !sealed {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			out[prefix+filepath.ToSlash(rel)] = path
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look for sealed files: %w", err)
		}
	}
	return out, nil
}

func headOf(path string) (sealed bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	head := make([]byte, len(fileHead))
	n, err := f.Read(head)
	_ = f.Close()
	if n < len(head) {
		return false, nil // too short, whatever the reason
	}
	return string(head) == fileHead, err
}
