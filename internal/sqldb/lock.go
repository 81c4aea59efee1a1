package sqldb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"honeyguide"
)

// lockName is the file in a data folder whose lock means "in use".
const lockName = "LOCK"

// Lock takes the folder for this process, so that a second one that would write
// the same files is refused. The lock ends with Close or with the process, however
// that ends; the file stays. When another holder has it, the error is a
// [honeyguide.Error] with CodeConflict that names the process if it is known.
func Lock(dir string) (io.Closer, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		held := errors.Is(err, syscall.EWOULDBLOCK)
		err = fmt.Errorf("lock %s: %w", path, err)
		if held {
			err = &honeyguide.Error{Code: honeyguide.CodeConflict, Message: inUse(dir, f), Err: err}
		}
		return nil, errors.Join(err, f.Close())
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// sign writes the holder's process id, for the message a second process shows.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func inUse(dir string, f *os.File) string {
	b, _ := io.ReadAll(io.LimitReader(f, 32))
	holder := "another process"
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && pid > 0 {
		holder = "process " + strconv.Itoa(pid)
	}
	return fmt.Sprintf("data folder %s is in use by %s; stop it or choose another folder (node.data)", dir, holder)
}
