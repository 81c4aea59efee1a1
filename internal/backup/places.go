package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"honeyguide"
)

// A journal says which entries of a data folder change places. As long as it is
// there the change is not over, and whoever opens the folder next ends it. Every
// step of it can be done again.
type journal struct {
	Backup string   `json:"backup"` // what is put in place
	Fresh  string   `json:"fresh"`  // folder of what comes
	Aside  string   `json:"aside"`  // folder for what goes
	Old    []string `json:"old"`    // entries that go
	New    []string `json:"new"`    // entries that come
}

// residents are the entries of a data folder that a restore moves aside.
func residents(data string) ([]string, error) {
	list, err := os.ReadDir(data)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range list {
		name := d.Name()
		switch {
		case name == lockFile, name == journalName, strings.HasPrefix(name, journalName+"."), name == "lost+found":
		case strings.HasPrefix(name, restorePrefix), strings.HasPrefix(name, asidePrefix), strings.HasPrefix(name, upgradePrefix), strings.HasPrefix(name, afterPrefix):
		default:
			out = append(out, name)
		}
	}
	return out, nil
}

// Aside names the folders in a data folder that hold what a restore or the way back
// from an upgrade has replaced.
func Aside(data string) (out []string, err error) {
	list, err := os.ReadDir(data)
	for _, d := range list {
		if name := d.Name(); strings.HasPrefix(name, asidePrefix) || strings.HasPrefix(name, afterPrefix) {
			out = append(out, name)
		}
	}
	return out, err
}

// change puts what lies in fresh in the place of what is in data, which goes to
// aside. The lock on data is held.
func change(data, fresh, aside, what string, told func(string, int64)) (string, error) {
	old, err := residents(data)
	if err != nil {
		return "", err
	}
	list, err := os.ReadDir(filepath.Join(data, fresh))
	if err != nil {
		return "", err
	}
	j := journal{Backup: what, Fresh: fresh, Aside: aside, Old: old}
	for n := 2; ; n++ {
		if _, err := os.Lstat(filepath.Join(data, j.Aside)); errors.Is(err, fs.ErrNotExist) {
			break
		}
		j.Aside = fmt.Sprintf("%s-%d", aside, n)
	}
	for _, d := range list {
		if d.Name() != lockFile {
			j.New = append(j.New, d.Name())
		}
	}
	return filepath.Join(data, j.Aside), j.begin(data, told)
}

func (j *journal) begin(data string, told func(string, int64)) error {
	raw, err := json.Marshal(j)
	if err != nil {
		return err
	}
	// What is needed is made before anything is moved: names need room, too.
	if len(j.Old) > 0 {
		if err := os.Mkdir(filepath.Join(data, j.Aside), 0o700); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(filepath.Join(data, journalName+".tmp"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(raw)
		if err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(data, journalName))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(filepath.Join(data, j.Aside)), os.RemoveAll(filepath.Join(data, journalName+".tmp")))
	}
	if err := syncDir(data); err != nil {
		return err
	}
	told("moving", 0)
	return j.finish(data, told)
}

// finish does what is left to do.
func (j *journal) finish(data string, told func(string, int64)) error {
	for _, name := range j.Old {
		aside := filepath.Join(data, j.Aside, name)
		if _, err := os.Lstat(aside); err == nil {
			continue // it went before
		}
		if err := os.Rename(filepath.Join(data, name), aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		told("moving", 0)
	}
	for _, name := range j.New {
		err := os.Rename(filepath.Join(data, j.Fresh, name), filepath.Join(data, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		told("moving", 0)
	}
	var errs []error
	if len(j.Old) > 0 {
		errs = append(errs, syncDir(filepath.Join(data, j.Aside)))
	}
	if err := errors.Join(append(errs, syncDir(data))...); err != nil {
		return err
	}
	told("moved", 0)
	if err := os.RemoveAll(filepath.Join(data, j.Fresh)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(data, journalName)); err != nil {
		return err
	}
	return syncDir(data)
}

var placeForm = regexp.MustCompile(`^[A-Za-z0-9._+-]{1,255}$`)

// check refuses a journal that would move things to where they do not belong.
func (j *journal) check() error {
	for _, name := range append([]string{j.Fresh, j.Aside}, append(j.Old, j.New...)...) {
		if filepath.Base(name) != name || !filepath.IsLocal(name) || name == lockFile || name == journalName {
			return fmt.Errorf("%.80q", name)
		}
	}
	if !placeForm.MatchString(j.Fresh) || !placeForm.MatchString(j.Aside) {
		return fmt.Errorf("%.80q, %.80q", j.Fresh, j.Aside)
	}
	return nil
}

// Recover ends a change of places that was interrupted, and removes what an
// interrupted restore left behind. Whoever opens a data folder calls it first,
// with the folder's lock held.
func Recover(data string) error {
	raw, err := readSmall(filepath.Join(data, journalName), 1<<20)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		var j journal
		if err := errors.Join(strict(raw, &j), j.check()); err != nil {
			return &honeyguide.Error{Code: honeyguide.CodeConflict, Err: err, Message: fmt.Sprintf(
				"%s: a restore was interrupted, and its journal cannot be read. What was there lies in %s*, what was restored in %s*; put one of them in place and remove the journal", filepath.Join(data, journalName), asidePrefix, restorePrefix)}
		}
		if err := j.finish(data, func(string, int64) {}); err != nil {
			return fmt.Errorf("finish the restore of %s that was interrupted: %w", j.Backup, err)
		}
	}
	list, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, d := range list {
		if name := d.Name(); strings.HasPrefix(name, restorePrefix) || name == journalName+".tmp" {
			if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
