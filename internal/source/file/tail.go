package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/source"
)

const (
	pieceSize = source.MaxPiece
	// headSize is how much of a file's beginning tells it from others, tailSize how
	// much before a place tells that it is the same place.
	headSize = 1 << 10
	tailSize = 256
	// keepHead is how much of a line that is too long is kept.
	keepHead = 64 << 10
)

// An ident is a file as the kernel knows it. Inodes are used again.
type ident struct {
	Dev uint64 `json:"dev"`
	Ino uint64 `json:"ino"`
}

// A mark is the place in a file as it is kept.
type mark struct {
	Path   string    `json:"path"` // where it was last seen
	ID     ident     `json:"id"`
	Head   stamp     `json:"head"`   // of its first bytes
	Tail   stamp     `json:"tail"`   // of the bytes before Offset
	Offset int64     `json:"offset"` // of what was taken, uncompressed
	Line   int64     `json:"line"`   // number of the next line
	Done   bool      `json:"done"`   // it will never grow
	Seen   time.Time `json:"seen"`   // when it was last there
	// Origin names the content for good: copies of it have the same.
	Origin string `json:"origin"`
}

// A tail is a file that is followed.
type tail struct {
	key  string
	mark mark

	file *os.File // nil when it is not held open
	zip  *gzip.Reader
	left []byte // of zip, read and not taken yet

	size  int64 // as last seen; of a compressed file its own
	tried int64 // the size at which a compressed file could not be read
	part  int64 // the size at which only a part of a line was left
	other bool  // its content is not what was read
	dirty bool  // the mark has changed without anything being read
	seen  bool  // a name of it was found by the last scan
	moved bool  // that name is not one that was asked for: it was rotated
	gone  bool  // no name of it is left; it can be read while it is open
	wrong string
	news  time.Time // when it last grew, or came
	table []byte    // header of a table, once known
	asked bool      // table was looked for
	long  *long     // a line over the limit is being passed over
}

// long is a line that is too long to be a record.
type long struct {
	head []byte
	size int64
}

func (t *tail) zipped() bool { return t.zip != nil || isZipped(t.mark.Path) }

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close() // it was only read
	}
	t.file, t.zip, t.left = nil, nil, nil
}

// state is how people see the file; "" when there is nothing to see.
func (t *tail) state() string {
	switch {
	case t.wrong != "":
		return t.wrong
	case !t.seen && t.file == nil:
		return ""
	case t.mark.Done:
		return "read to its end"
	case t.gone:
		return "removed"
	case t.moved:
		return "rotated"
	}
	return "followed"
}

// encode returns the mark as it is kept.
func (t *tail) encode() source.Mark {
	value, _ := json.Marshal(t.mark) // plain fields always encode
	return source.Mark{Key: t.key, Value: value}
}

// openRead opens a file that must not make us wait: a pipe would.
func openRead(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a plain file")
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, st, nil
}

func identOf(st fs.FileInfo) ident {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return ident{}
	}
	return ident{uint64(s.Dev), s.Ino}
}

// read takes one piece of a file, and reports whether there may be more at once.
func (r *run) read(ctx context.Context, t *tail) (more bool, err error) {
	if t.mark.Done || !t.seen && t.file == nil {
		return false, nil
	}
	if t.file == nil && !t.zipped() && (t.size <= t.mark.Offset || t.size == t.part && !t.ending(r.now())) {
		return false, nil
	}
	if err := t.reopen(); err != nil {
		return false, r.trouble(ctx, t, err)
	}
	if t.zipped() {
		return r.readZip(ctx, t)
	}
	st, err := t.file.Stat()
	if err != nil {
		return false, r.trouble(ctx, t, err)
	}
	if st.Size() > t.size {
		t.news = r.now()
	}
	t.size = st.Size()
	if t.size < t.mark.Offset {
		t.other, r.stale = true, true // emptied: the next scan says what became of it
		return false, nil
	}
	if t.size == t.mark.Offset || t.size == t.part && t.long == nil && !t.ending(r.now()) {
		t.rest(r.now())
		return false, nil
	}
	if !t.mark.holds(t.file) {
		t.other, r.stale = true, true // emptied, and more was written since
		return false, nil
	}
	n, err := t.file.ReadAt(r.buf[:min(int64(len(r.buf)), t.size-t.place())], t.place())
	if err != nil && !errors.Is(err, io.EOF) {
		return false, r.trouble(ctx, t, err)
	}
	t.wrong = ""
	return r.take(ctx, t, r.buf[:n])
}

// place is where to read on: behind what was passed over.
func (t *tail) place() int64 {
	if t.long != nil {
		return t.mark.Offset + t.long.size
	}
	return t.mark.Offset
}

// reopen opens the file again, if it is still the one that is meant.
func (t *tail) reopen() error {
	if t.file != nil {
		return nil
	}
	f, st, err := openRead(t.mark.Path)
	if err != nil {
		return err
	}
	if identOf(st) != t.mark.ID {
		return errors.Join(errMoved, f.Close())
	}
	t.file = f
	return nil
}

var errMoved = errors.New("another file has this name now")

// trouble notes what is wrong with one file; the others go on.
func (r *run) trouble(ctx context.Context, t *tail, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errMoved) {
		r.stale = true
		return nil
	}
	t.wrong = "cannot be read"
	r.fault(ctx, fmt.Errorf("read %s: %w", t.mark.Path, err))
	return nil
}

// fault tells what keeps the source from a part of its work.
func (r *run) fault(ctx context.Context, err error) {
	r.bad = true
	r.sink.Fault(ctx, err)
}

// rest closes what has had no news for a while.
func (t *tail) rest(now time.Time) {
	switch idle := now.Sub(t.news); {
	case t.gone && idle > quietTime, !t.gone && idle > closeTime:
		t.close()
	}
}

// ending reports whether nobody will write to the file any more.
func (t *tail) ending(now time.Time) bool {
	return (t.gone || t.moved) && now.Sub(t.news) > quietTime && t.size > t.mark.Offset
}

// take hands on the whole lines of p, which begins at t.place().
func (r *run) take(ctx context.Context, t *tail, p []byte) (more bool, err error) {
	if t.long != nil {
		return r.pass(ctx, t, p)
	}
	whole := bytes.LastIndexByte(p, '\n') + 1
	switch {
	case whole > 0:
		p = p[:whole]
	case len(p) > source.MaxRecord:
		t.long = &long{head: bytes.Clone(p[:keepHead]), size: int64(len(p))}
		return true, nil
	case !t.ending(r.now()):
		t.part = t.size // the rest of the line is still to come
		t.rest(r.now())
		return false, nil
	}
	return true, r.deliver(ctx, t, p)
}

// deliver stores lines and moves the mark behind them.
func (r *run) deliver(ctx context.Context, t *tail, p []byte) error {
	before := t.mark
	r.header(t, p)
	t.advance(p)
	piece := source.Piece{Stream: t.mark.Path, Origin: t.mark.Origin, Line: before.Line, Header: t.table, Data: p, Marks: []source.Mark{t.encode()}}
	if err := r.sink.Take(ctx, piece); err != nil {
		t.mark = before
		return err
	}
	t.news = r.now()
	return nil
}

// header looks for the columns of a table at the beginning of the file; p is what
// is being delivered.
func (r *run) header(t *tail, p []byte) {
	if t.asked {
		return
	}
	t.asked = true
	if t.mark.Offset == 0 {
		t.table = ingest.TableHeader(p, r.sink.Format())
		return
	}
	if t.file == nil {
		return
	}
	b := make([]byte, 64<<10)
	from := io.Reader(io.NewSectionReader(t.file, 0, int64(len(b))))
	if t.zipped() {
		z, err := gzip.NewReader(from)
		if err != nil {
			return
		}
		from = z
	}
	n, _ := fill(from, b) // the beginning is enough
	t.table = ingest.TableHeader(b[:n], r.sink.Format())
}

// advance moves the mark behind p.
func (t *tail) advance(p []byte) {
	t.mark.Offset += int64(len(p))
	t.mark.Line += int64(bytes.Count(p, []byte{'\n'}))
	t.mark.Tail = stampOf(p[max(0, len(p)-tailSize):])
	if n := min(t.mark.Offset, headSize); n > t.mark.Head.N && t.file != nil && t.zip == nil {
		t.mark.Head = headOf(t.file, n)
	}
}

// pass goes on over a line that is too long.
func (r *run) pass(ctx context.Context, t *tail, p []byte) (bool, error) {
	end := bytes.IndexByte(p, '\n')
	if end < 0 {
		t.long.size += int64(len(p))
		return len(p) > 0, nil
	}
	t.long.size += int64(end) + 1
	return true, r.passed(ctx, t)
}

// passed tells of a line that was too long, and moves the mark behind it.
func (r *run) passed(ctx context.Context, t *tail) error {
	l := t.long
	t.long = nil
	d := honeyguide.DeadLetter{
		ID: honeyguide.NewID(r.now()), Source: t.mark.Path, Line: t.mark.Line, Bytes: l.size, Raw: l.head,
		Reason: source.TooLong(source.MaxRecord),
	}
	t.mark.Offset += l.size
	t.mark.Line++
	t.mark.Tail = stamp{}
	return r.sink.Refuse(ctx, d, t.encode())
}
