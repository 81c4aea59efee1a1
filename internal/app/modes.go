package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"honeyguide/internal/certs"
)

// Modes of what lies in the data folder. Folders are for their owner alone, and so
// are files; samples cannot even be written again.
const (
	folderMode = 0o700
	sampleMode = 0o400
)

// mostRepaired bounds the files of one folder that are looked at: the folder itself
// keeps others out of the rest.
const mostRepaired = 20_000

// modes is what a walk over the data folder found.
type modes struct {
	repaired []string // had a mode that let others in
	foreign  []string // belong to somebody else
	open     []string // folders above, in which others may put something else in its place
	failed   []string // modes that could not be repaired
}

// private are the folders whose files are looked at one by one.
var private = []string{"keys", "audit", "events", "recordings", "samples", certs.ACMEFolder}

// lookModes looks at the modes in a data folder and, with mend, repairs them. Links
// are not followed.
func lookModes(data string, mend bool) (modes, error) {
	m := modes{open: openParents(data)}
	list, err := os.ReadDir(data)
	if err != nil {
		return m, err
	}
	m.look(data, mend, false)
	for _, e := range list {
		m.look(filepath.Join(data, e.Name()), mend, false)
	}
	for _, name := range private {
		n := 0
		err := filepath.WalkDir(filepath.Join(data, name), func(path string, _ fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile, or there is none
			}
			if n++; err != nil || n > mostRepaired {
				return errors.Join(err, fs.SkipAll)
			}
			m.look(path, mend, name == "samples" && filepath.Ext(path) == ".age")
			return nil
		})
		if err != nil && !errors.Is(err, fs.SkipAll) {
			return m, err
		}
	}
	return m, nil
}

// look looks at one file or folder.
func (m *modes) look(path string, mend, sample bool) {
	st, err := os.Lstat(path)
	if err != nil || st.Mode()&fs.ModeSymlink != 0 {
		return
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() {
		m.foreign = append(m.foreign, path)
	}
	want := st.Mode().Perm() &^ 0o077
	switch {
	case st.IsDir():
		want = folderMode
	case sample:
		want = sampleMode
	}
	if st.Mode().Perm()&^want == 0 {
		return
	}
	m.repaired = append(m.repaired, fmt.Sprintf("%s (%04o)", path, st.Mode().Perm()))
	if mend && os.Chmod(path, want) != nil {
		m.failed = append(m.failed, path)
	}
}

// openParents names the folders above in which others may put something else in the
// place of a name: they are writable for others and not sticky, or somebody else's.
func openParents(data string) (out []string) {
	abs, err := filepath.Abs(data)
	if err != nil {
		return nil
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		st, err := os.Stat(dir)
		if err == nil {
			sys, ok := st.Sys().(*syscall.Stat_t)
			others := ok && sys.Uid != 0 && int(sys.Uid) != os.Geteuid()
			if others || st.Mode().Perm()&0o022 != 0 && st.Mode()&fs.ModeSticky == 0 {
				out = append(out, dir)
			}
		}
		if dir == filepath.Dir(dir) {
			return out
		}
	}
}

// refuse says why a data folder cannot be used: what holds the keys belongs to
// somebody else. The machine's administrator may look into every folder.
func (m *modes) refuse(data string) error {
	if os.Geteuid() == 0 {
		return nil
	}
	for _, path := range m.foreign {
		rel, err := filepath.Rel(data, path)
		if err == nil && (rel == "." || rel == "keys" || filepath.Dir(rel) == "keys") {
			return invalid("%s belongs to another user, who could change or replace it; chown -R it to the user Honeyguide runs as, or choose another folder with --data", path)
		}
	}
	return nil
}
