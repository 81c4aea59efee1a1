package audit

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// Names of the files of a log.
const (
	entriesName    = "entries.log"
	hashesName     = "hashes.bin"
	checkpointName = "checkpoint"
)

var sealedName = regexp.MustCompile(`^entries-(\d{16})-(\d{1,10})\.(log|hashes)$`)

// A segment is one file of entries. The open one, entries.log, is the last.
type segment struct {
	first, count int64
	sealed       bool
	dropped      bool // only hashes are left
	blocks       []block
	size         int64 // bytes
	side         int64 // bytes of the personal parts
}

func (s *segment) stem() string {
	if !s.sealed {
		return "entries"
	}
	return fmt.Sprintf("entries-%016d-%d", s.first, s.count)
}

func (s *segment) file(dir string) string {
	if s.dropped {
		return filepath.Join(dir, s.stem()+".hashes")
	}
	return filepath.Join(dir, s.stem()+".log")
}

func (s *segment) index(dir string) string { return filepath.Join(dir, s.stem()+".idx") }

// end is the number of the entry after the last.
func (s *segment) end() int64 { return s.first + s.count }

// sealedSegments lists the sealed files of a folder in order. What is missing
// between them is an error.
func sealedSegments(dir string) ([]*segment, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := map[int64]*segment{}
	for _, d := range list {
		m := sealedName.FindStringSubmatch(d.Name())
		if m == nil {
			continue
		}
		first, err1 := strconv.ParseInt(m[1], 10, 64)
		count, err2 := strconv.ParseInt(m[2], 10, 64)
		if err := errors.Join(err1, err2); err != nil || count == 0 {
			return nil, damage("%s: its name says no number of entries", d.Name())
		}
		s := &segment{first: first, count: count, sealed: true, dropped: m[3] == "hashes"}
		if s.stem()+"."+m[3] != d.Name() {
			return nil, damage("%s: it is no name this log gives", d.Name())
		}
		switch old := found[first]; {
		case old == nil:
			found[first] = s
		case old.count != count:
			return nil, damage("%s and %s begin at the same entry", old.stem(), s.stem())
		case !s.dropped: // a removal of bodies that did not end
			old.dropped = false
		}
	}
	out := make([]*segment, 0, len(found))
	for _, s := range found {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	want := int64(0)
	for _, s := range out {
		if s.first != want {
			return nil, damage("entries %d to %d are missing: there is no file of them", want, s.first-1)
		}
		want = s.end()
	}
	return out, nil
}

// A Damage says that the log is not what it was: something was changed, taken
// out or lost.
type Damage struct{ What string }

// Error says what is wrong.
func (d *Damage) Error() string { return d.What }

func damage(format string, args ...any) error { return &Damage{fmt.Sprintf(format, args...)} }

// leaves calls f with the hash of each entry of a segment, up to most of them,
// and with its JSON where it is still there; text is good until f returns. off
// is where the entry begins. It returns how many there were and where the last
// one ended.
func (s *segment) leaves(dir string, most int64, f func(seq, off int64, text []byte, leaf Hash) error) (n, end int64, err error) {
	file, err := os.Open(s.file(dir))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, 0, damage("%s is missing", filepath.Base(s.file(dir)))
		}
		return 0, 0, err
	}
	defer file.Close()
	if s.dropped {
		return s.hashesOnly(file, most, f)
	}
	r := records{r: bufio.NewReaderSize(file, 256<<10)}
	for n < most {
		off := r.off
		text, err := r.next()
		switch {
		case err == io.EOF:
			return n, r.off, nil
		case errors.Is(err, errTorn):
			return n, r.off, nil // the caller knows how many there have to be
		case err != nil:
			return n, r.off, err
		}
		if err := f(s.first+n, off, text, tlog.RecordHash(text)); err != nil {
			return n, r.off, err
		}
		n++
	}
	return n, r.off, nil
}

func (s *segment) hashesOnly(file io.Reader, most int64, f func(seq, off int64, text []byte, leaf Hash) error) (n, end int64, err error) {
	r := bufio.NewReaderSize(file, 64<<10)
	for ; n < min(most, s.count); n++ {
		var h Hash
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return n, n * tlog.HashSize, nil //nolint:nilerr // the caller knows how many there have to be
		}
		if err := f(s.first+n, n*tlog.HashSize, nil, h); err != nil {
			return n, n * tlog.HashSize, err
		}
	}
	return n, n * tlog.HashSize, nil
}

// read returns entries [from, to) of a segment whose bodies are there, using its
// index to begin near by. want looks at the bytes of an entry and of its personal
// part before more is done with them; nil = all.
func (s *segment) read(dir string, from, to int64, want func(text, part []byte) bool, f func(x *item) error) error {
	file, err := os.Open(s.file(dir))
	if err != nil {
		return err
	}
	defer file.Close()
	at := (from - s.first) / blockEntries
	if at >= int64(len(s.blocks)) {
		return damage("%s has no entry %d", s.stem(), from)
	}
	if _, err := file.Seek(s.blocks[at].off, io.SeekStart); err != nil {
		return err
	}
	side := sideReader{file: s.parts(dir)}
	side.r.off = s.blocks[at].side
	defer side.close()
	r := records{r: bufio.NewReaderSize(file, 64<<10)}
	for seq := s.first + at*blockEntries; seq < to; seq++ {
		text, err := r.next()
		if err == io.EOF || errors.Is(err, errTorn) {
			return damage("%s: entry %d cannot be read: it was changed or cut off", filepath.Base(s.file(dir)), seq)
		}
		if err != nil {
			return err
		}
		var part []byte
		var fault string
		if isForm2(text) {
			if part, fault, err = side.next(seq); err != nil {
				return err
			}
		}
		if fault == "" && (seq < from || want != nil && !want(text, part)) {
			continue
		}
		x := item{seq: seq, text: text}
		side.join(&x, part, fault)
		if x.fault != "" {
			return &Damage{x.fault}
		}
		if err := x.full(); err != nil {
			return err
		}
		if err := f(&x); err != nil {
			return err
		}
	}
	return nil
}
