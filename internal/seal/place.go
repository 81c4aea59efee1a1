package seal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// newPrefix begins the names of files on their way.
const newPrefix = ".new-"

// place writes a private file (0600) whole or not at all, and durably. at is its
// time of change; zero means now.
func place(file string, content []byte, at time.Time) error {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, newPrefix+"*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // not there any more when all went well
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if !at.IsZero() {
		if err := os.Chtimes(f.Name(), at, at); err != nil {
			return err
		}
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return syncDir(dir)
}

// replace is place over a file that held a secret in clear: what is left of it is
// overwritten once the new one stands. Disks that move blocks around may keep a
// copy all the same.
func replace(file string, content []byte, at time.Time) error {
	old, err := hold(file)
	if err != nil {
		return err
	}
	if err := place(file, content, at); err != nil {
		return errors.Join(err, old.Close())
	}
	return wipe(old)
}

// remove removes a file that held a secret in clear.
func remove(file string) error {
	old, err := hold(file)
	if err != nil {
		return err
	}
	if err := errors.Join(os.Remove(file), syncDir(filepath.Dir(file))); err != nil {
		return errors.Join(err, old.Close())
	}
	return wipe(old)
}

// hold opens a file to be overwritten later. One that somebody has made read-only is
// theirs to keep from accidents, not from us.
func hold(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if !errors.Is(err, fs.ErrPermission) || os.Chmod(file, 0o600) != nil {
		return f, err
	}
	return os.OpenFile(file, os.O_WRONLY, 0)
}

// wipe overwrites an open file that has no name any more, and closes it.
func wipe(f *os.File) error {
	st, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, zeros{}, st.Size())
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
