package backup

import (
	"bytes"
	"errors"
)

// For tests of this folder only.

func ReadFiles(raw []byte, plain bool) ([]File, error) { return readFiles(bytes.NewReader(raw), plain) }

func ReadJournal(raw []byte) error {
	var j journal
	return errors.Join(strict(raw, &j), j.check())
}

func ReadMark(raw []byte) error {
	_, err := readMark(raw)
	return err
}

// SetReserve makes the disk's own word the only one about what fits on it.
func SetReserve(t interface{ Cleanup(func()) }, n int64) {
	was := reserve
	reserve = n
	t.Cleanup(func() { reserve = was })
}
