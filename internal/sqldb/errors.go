package sqldb

import (
	"errors"
	"syscall"

	"modernc.org/sqlite"
)

// Primary result codes (https://www.sqlite.org/rescode.html). The extended code
// carries the primary one in its low byte.
const (
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeCorrupt    = 11
	codeFull       = 13
	codeNotADB     = 26
	extIOShmSize   = 4874 // no room to grow the -shm file
	extPrimaryKey  = 1555
	extUnique      = 2067
	extRowID       = 2579
	primaryMask    = 0xff
	noCode         = -1
	extFsync       = 1034
	extWriteFailed = 778
)

func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return noCode
}

// IsFull reports whether err says that the disk or the quota is full. Nothing of
// the transaction was kept; the same one may work later.
func IsFull(err error) bool {
	c := code(err)
	return c != noCode && (c&primaryMask == codeFull || c == extIOShmSize) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// IsBusy reports whether err says that another connection held a lock for longer
// than Options.Busy. The same transaction may work at once.
func IsBusy(err error) bool {
	c := code(err)
	return c != noCode && (c&primaryMask == codeBusy || c&primaryMask == codeLocked)
}

// IsCorrupt reports whether err says that the file is damaged or no database at
// all. Trying again does not help.
func IsCorrupt(err error) bool {
	c := code(err)
	return c != noCode && (c&primaryMask == codeCorrupt || c&primaryMask == codeNotADB) || errors.Is(err, errDamage)
}

// IsReadOnly reports whether err says that the connection may not write.
func IsReadOnly(err error) bool {
	c := code(err)
	return c != noCode && c&primaryMask == codeReadOnly
}

// IsUnique reports whether err says that a row with the same key exists.
func IsUnique(err error) bool {
	c := code(err)
	return c == extUnique || c == extPrimaryKey || c == extRowID
}

// IsLost reports whether err says that the disk failed to write or sync. What the
// file holds is not known until it is opened again: the caller must close the
// pool and open a new one.
func IsLost(err error) bool {
	c := code(err)
	return c == extFsync || c == extWriteFailed || errors.Is(err, syscall.EIO)
}
