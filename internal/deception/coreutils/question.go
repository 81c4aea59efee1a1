package coreutils

import "honeyguide/internal/deception/vfs"

// FileIs answers the question -OP of test(1) that a file's inode answers alone:
// e and a (is there), s, u, g, k, O, G, N and the types b, c, d, f, p and S.
// Unknown letters are answered with no. The shell's own test asks the same.
func FileIs(i vfs.Info, c vfs.Cred, op byte) bool {
	switch op {
	case 'e', 'a':
		return true
	case 's':
		return i.Size > 0
	case 'u':
		return i.Mode&vfs.Setuid != 0
	case 'g':
		return i.Mode&vfs.Setgid != 0
	case 'k':
		return i.Mode&vfs.Sticky != 0
	case 'O':
		return i.UID == c.UID
	case 'G':
		return i.GID == c.GID
	case 'N':
		return i.Mtime.After(i.Atime)
	case 'b':
		return i.Type() == vfs.Block
	case 'c':
		return i.Type() == vfs.Char
	case 'd':
		return i.IsDir()
	case 'f':
		return i.IsRegular()
	case 'p':
		return i.Type() == vfs.Fifo
	case 'S':
		return i.Type() == vfs.Socket
	}
	return false
}

// CompareFiles answers LEFT -nt RIGHT, -ot and -ef: a file that is not there is
// older than any other and the same as none.
func CompareFiles(stat func(string) (vfs.Info, error), left, op, right string) bool {
	a, err1 := stat(left)
	b, err2 := stat(right)
	switch op {
	case "-nt":
		return err1 == nil && (err2 != nil || a.Mtime.After(b.Mtime))
	case "-ot":
		return err2 == nil && (err1 != nil || a.Mtime.Before(b.Mtime))
	}
	return err1 == nil && err2 == nil && a.Ino == b.Ino && a.Dev == b.Dev
}

// CompareNumbers answers A -eq B, -ne, -lt, -le, -gt and -ge.
func CompareNumbers(a int64, op string, b int64) bool {
	switch op {
	case "-eq":
		return a == b
	case "-ne":
		return a != b
	case "-lt":
		return a < b
	case "-le":
		return a <= b
	case "-gt":
		return a > b
	}
	return a >= b
}
