package backup

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Names in a data folder that belong to this room.
const (
	memoryName    = ".backup"         // what the last backup to each store saw
	restorePrefix = ".restore-"       // a restore under way
	journalName   = "restore.journal" // a restore that changes places
	asidePrefix   = "before-restore-" // what was there before a restore
	upgradePrefix = "before-upgrade-" // what was there before an upgrade
	afterPrefix   = "after-upgrade-"  // what was there before an upgrade was taken back
	auditDir      = "audit"
	eventsDir     = "events"
	keysDir       = "keys"
	masterKey     = "keys/master.key" // and what begins so: the one that is about to take its place
	stateFile     = "state.db"
	configDir     = "configuration" // in a backup: the configuration files of the node
	lockFile      = "LOCK"
	reserveFile   = "reserve" // room for the moment the disk is full; it holds nothing
)

// leftOut reports whether a path below the data folder is no part of a backup:
// locks and sockets, caches and unfinished files that are made anew, and what
// this room keeps there itself. Everything else is part of it, also what later
// versions put there.
func leftOut(p string, dir bool) bool {
	top, _, nested := strings.Cut(p, "/")
	if !nested {
		for _, prefix := range []string{restorePrefix, asidePrefix, upgradePrefix, afterPrefix} {
			if strings.HasPrefix(top, prefix) {
				return true
			}
		}
		if top == memoryName || top == journalName || top == reserveFile || strings.HasPrefix(top, journalName+".") {
			return true
		}
	} else if leftOut(top, true) {
		return true
	}
	name := path.Base(p)
	if dir {
		return strings.HasPrefix(name, ".new-")
	}
	switch {
	case name == lockFile, strings.HasSuffix(name, ".sock"), strings.HasPrefix(name, ".new-"):
		return true
	case strings.HasSuffix(name, "-wal"), strings.HasSuffix(name, "-shm"), strings.HasSuffix(name, "-journal"):
		return true
	case strings.HasSuffix(name, ".part"), strings.HasSuffix(name, ".tmp"), strings.HasSuffix(name, ".drop"), strings.HasSuffix(name, ".bak"):
		return true
	}
	return false
}

// opensKeys reports whether a path is that of a master key.
func opensKeys(p string) bool { return strings.HasPrefix(p, masterKey) }

// rank is the place of a path in the order of a copy; see the package comment.
// The audit log is taken in one piece, between the rest and the keys.
func rank(p string) int {
	top, _, _ := strings.Cut(p, "/")
	switch {
	case p == stateFile:
		return 0
	case top == eventsDir:
		return 2
	case top == auditDir:
		return 4
	case top == keysDir:
		return 5
	case strings.HasSuffix(p, ".db"):
		return 1
	}
	return 3
}

// walk lists the regular files of a folder whose rank is wanted, in order of
// their names. What vanishes meanwhile is left out.
func walk(data string, want int, found func(path string, st fs.FileInfo) error) error {
	return filepath.WalkDir(data, func(full string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && full != data {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(data, full)
		if err != nil || rel == "." {
			return err
		}
		p := filepath.ToSlash(rel)
		if leftOut(p, d.IsDir()) || p == configDir {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !d.Type().IsRegular() || rank(p) != want {
			return nil
		}
		st, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return found(p, st)
	})
}

// size is what the files of a folder that would be copied weigh.
func size(data string) (bytes int64, files int64, err error) {
	for r := range 6 {
		if err := walk(data, r, func(_ string, st fs.FileInfo) error {
			bytes, files = bytes+st.Size(), files+1
			return nil
		}); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, 0, err
		}
	}
	return bytes, files, nil
}

// syncDir puts a folder's list of names on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
