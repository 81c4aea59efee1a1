package bundle

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strconv"
)

// A stage is where objects lie while an archive is made: files of a folder of
// its own, which is removed whatever happens.
type stage struct {
	dir     string
	n       int
	total   int64
	objects map[string]staged // by sum
	items   []Item
	missing []Missing
	tell    func(total int64) // how far it has come
}

type staged struct {
	path string
	size int64
	crc  uint32
}

func newStage(parent string, tell func(int64)) (*stage, error) {
	dir, err := os.MkdirTemp(parent, stagePrefix)
	if err != nil {
		return nil, fmt.Errorf("make room to collect in: %w", err)
	}
	return &stage{dir: dir, objects: map[string]staged{}, missing: []Missing{}, tell: tell}, nil
}

func (s *stage) remove() error { return os.RemoveAll(s.dir) }

// A spool is an object on its way.
type spool struct {
	f    *os.File
	buf  *bufio.Writer
	sum  hash.Hash
	crc  hash.Hash32
	size int64
	s    *stage
}

func (s *stage) spool() (*spool, error) {
	s.n++
	f, err := os.OpenFile(s.dir+"/"+strconv.Itoa(s.n), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	o := &spool{f: f, sum: sha256.New(), crc: crc32.NewIEEE(), s: s}
	o.buf = bufio.NewWriterSize(counted{o}, 64<<10)
	return o, nil
}

// counted is the way of bytes into a spool.
type counted struct{ *spool }

func (c counted) Write(p []byte) (int, error) {
	c.sum.Write(p)
	c.crc.Write(p)
	c.size += int64(len(p))
	if c.s.total += int64(len(p)); c.s.total > MaxArchive {
		return 0, errTooLarge
	}
	c.s.tell(c.s.total)
	return c.f.Write(p)
}

// done makes what was spooled the object of an item.
func (o *spool) done(it Item) error {
	if err := o.buf.Flush(); err != nil {
		o.drop()
		return err
	}
	err := o.f.Close()
	if err != nil {
		return err
	}
	it.SHA256, it.Size = hex.EncodeToString(o.sum.Sum(nil)), o.size
	if _, known := o.s.objects[it.SHA256]; known {
		err = os.Remove(o.f.Name())
	} else {
		o.s.objects[it.SHA256] = staged{o.f.Name(), o.size, o.crc.Sum32()}
	}
	o.s.items = append(o.s.items, it)
	return err
}

// drop gives an object up that turned out not to be there.
func (o *spool) drop() {
	o.s.total -= o.size
	_ = o.f.Close()
	_ = os.Remove(o.f.Name())
}

// bytes stages a text.
func (s *stage) bytes(it Item, text []byte) error {
	o, err := s.spool()
	if err != nil {
		return err
	}
	if _, err := o.buf.Write(text); err != nil {
		o.drop()
		return err
	}
	return o.done(it)
}

// doc stages a document.
func (s *stage) doc(name, kind string, v any) error {
	text, err := encode(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return s.bytes(Item{Name: name, Kind: kind, Type: "application/json"}, text)
}

// list stages a list with its sums; fill adds its lines.
func (s *stage) list(name string, fill func(add func(any) error) error) error {
	lines, err := s.spool()
	if err != nil {
		return err
	}
	sums, err := s.spool()
	if err != nil {
		lines.drop()
		return err
	}
	l := lister{out: lines.buf, sums: sums.buf}
	if err := fill(l.add); err != nil {
		lines.drop()
		sums.drop()
		return fmt.Errorf("write %s: %w", name, err)
	}
	it := Item{Name: name, Kind: ItemList, Type: "application/x-ndjson", Records: l.n, Sums: "sums/" + name + ".sums"}
	return errors.Join(lines.done(it), sums.done(Item{Name: it.Sums, Kind: ItemSums, Type: "text/plain; charset=utf-8", Records: l.n}))
}

// listOf stages a list that is in memory.
func listOf[T any](s *stage, name string, all []T) error {
	return s.list(name, func(add func(any) error) error {
		for i := range all {
			if err := add(&all[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// stream stages what a reader gives; transform may encrypt it on its way.
func (s *stage) stream(it Item, r io.Reader, transform func(io.Writer) (io.WriteCloser, error)) error {
	o, err := s.spool()
	if err != nil {
		return err
	}
	if transform == nil {
		_, err = io.Copy(o.buf, r)
	} else {
		var w io.WriteCloser
		if w, err = transform(o.buf); err == nil {
			_, err = io.Copy(w, r)
			err = errors.Join(err, w.Close())
		}
	}
	if err != nil {
		o.drop()
		return err
	}
	return o.done(it)
}

// lacks notes what could not be had.
func (s *stage) lacks(name, why string) { s.missing = append(s.missing, Missing{name, why}) }

// A spooled is a place in the temporary file of events.
type spooled struct {
	seq int64
	off int64
	len int32
}

// inOrder stages records that come in any order, some of them twice, by number.
func (s *stage) inOrder(ctx context.Context, name string, most int, each func(put func(seq int64, line []byte) error) error) error {
	f, err := os.CreateTemp(s.dir, "events-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	w := bufio.NewWriterSize(f, 256<<10)
	var index []spooled
	var off int64
	err = each(func(seq int64, line []byte) error {
		if len(index) == most || off > MaxArchive {
			return errTooLarge
		}
		index = append(index, spooled{seq, off, int32(len(line))})
		off += int64(len(line))
		_, err := w.Write(line)
		return errors.Join(err, ctx.Err())
	})
	if err = errors.Join(err, w.Flush()); err != nil {
		return err
	}
	slices.SortFunc(index, func(a, b spooled) int { return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.off, b.off)) })
	index = slices.CompactFunc(index, func(a, b spooled) bool { return a.seq == b.seq })
	return s.list(name, func(add func(any) error) error {
		var buf []byte
		for _, at := range index {
			buf = append(buf[:0], make([]byte, at.len)...)
			if _, err := f.ReadAt(buf, at.off); err != nil {
				return err
			}
			if err := add(rawLine(buf)); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// rawLine is a line that is JSON already.
type rawLine []byte

// MarshalJSON returns the line.
func (r rawLine) MarshalJSON() ([]byte, error) { return r, nil }
