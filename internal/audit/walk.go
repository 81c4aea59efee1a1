package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// partsName is the name of the file with the personal parts of the entries of a
// file. It is named by the first entry alone, so that sealing a file leaves it be.
func partsName(first int64) string { return fmt.Sprintf("personal-%016d", first) }

func (s *segment) parts(dir string) string { return filepath.Join(dir, partsName(s.first)) }

// An item is an entry with all that belongs to it, as a walk meets it.
type item struct {
	seq       int64
	off, side int64  // where the entry and its personal part begin in their files
	text      []byte // JSON of the entry; nil when only the hash is left
	leaf      Hash
	rec       record
	part      []byte // salt and JSON; nil in form 1 and when it was removed
	removed   bool   // the personal part was
	fault     string // what is wrong with it, "" = nothing
}

// full reads all of the personal part; a walk reads only who acted.
func (x *item) full() error {
	if len(x.part) == 0 {
		return nil
	}
	if err := x.rec.fill(x.part); err != nil {
		return &Damage{err.Error()}
	}
	return nil
}

// ends says how far a walk came.
type ends struct {
	n         int64 // entries
	off, side int64 // where the last ones ended in the two files
	gone      int64 // personal parts that were removed
}

// walk calls f with each entry of a segment and its personal part, up to most of
// them, good until f returns. What does not fit is in [item.fault]: f says
// whether to go on.
func (s *segment) walk(dir string, most int64, f func(x *item) error) (e ends, err error) {
	side := sideReader{file: s.parts(dir)}
	defer side.close()
	var x item
	e.n, e.off, err = s.leaves(dir, most, func(seq, off int64, text []byte, leaf Hash) error {
		x = item{seq: seq, off: off, side: side.r.off, text: text, leaf: leaf}
		if text != nil {
			if err := side.match(&x); err != nil {
				return err
			}
			if x.removed {
				e.gone++
			}
		}
		return f(&x)
	})
	e.side = side.r.off
	return e, err
}

// A sideReader reads personal parts beside entries.
type sideReader struct {
	file string
	f    *os.File
	r    records
	lost bool // what follows makes no sense
}

func (s *sideReader) close() {
	if s.f != nil {
		_ = s.f.Close() // it was only read
	}
}

// open opens the file, to be read from an offset on.
func (s *sideReader) open(off int64) (err error) {
	if s.f, err = os.Open(s.file); err != nil {
		return err
	}
	if off > 0 {
		if _, err = s.f.Seek(off, io.SeekStart); err != nil {
			return err
		}
	}
	s.r = records{r: bufio.NewReaderSize(s.f, 128<<10), off: off}
	return nil
}

// next reads the part of an entry; empty when it was removed.
func (s *sideReader) next(seq int64) (part []byte, fault string, err error) {
	if s.lost {
		return nil, "", nil
	}
	if s.f == nil {
		if err := s.open(s.r.off); errors.Is(err, fs.ErrNotExist) {
			s.lost = true
			return nil, filepath.Base(s.file) + " is missing", nil
		} else if err != nil {
			return nil, "", err
		}
	}
	part, err = s.r.part()
	if err == io.EOF || errors.Is(err, errTorn) {
		s.lost = true
		return nil, fmt.Sprintf("%s: the personal part of entry %d cannot be read: it was changed or cut off", filepath.Base(s.file), seq), nil
	}
	return part, "", err
}

// match reads the personal part of an entry and puts both together.
func (s *sideReader) match(x *item) (err error) {
	var part []byte
	var fault string
	if isForm2(x.text) {
		if part, fault, err = s.next(x.seq); err != nil {
			return err
		}
	}
	s.join(x, part, fault)
	return nil
}

// join decodes an entry and fills in its personal part.
func (s *sideReader) join(x *item, part []byte, fault string) {
	var wrong error
	if x.rec, wrong = decode(x.text, x.seq); wrong != nil {
		x.fault = wrong.Error()
	}
	switch {
	case x.fault != "" || !isForm2(x.text):
	case fault != "" || s.lost:
		x.fault = fault
	case len(part) == 0:
		x.removed = true
	default:
		if err := x.rec.hold(part); err != nil {
			x.fault = filepath.Base(s.file) + ": " + err.Error()
		}
		x.part = part
	}
}
