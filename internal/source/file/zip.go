package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"honeyguide/internal/source"
)

// isZipped reports whether a name is that of a compressed file.
func isZipped(path string) bool { return strings.HasSuffix(path, ".gz") }

// headOfZip returns the first bytes of what a compressed file holds.
func headOfZip(f *os.File) ([]byte, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<20), 4<<10))
	if err != nil {
		return nil, err
	}
	b := make([]byte, headSize)
	n, err := io.ReadFull(z, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:n], nil
}

// readZip takes one piece of a compressed file, which is read to its end once.
func (r *run) readZip(ctx context.Context, t *tail) (more bool, err error) {
	if t.zip == nil {
		if t.tried == t.size && r.now().Sub(t.news) < quietTime {
			return false, nil // it was not complete at this size
		}
		if err := t.openZip(); err != nil {
			return false, r.unzipped(ctx, t, err)
		}
	}
	n := copy(r.buf, t.left)
	m, err := fill(t.zip, r.buf[n:])
	p, end := r.buf[:n+m], errors.Is(err, io.EOF)
	if err != nil && !end && m == 0 {
		return false, r.unzipped(ctx, t, err)
	}
	used, err := r.consume(ctx, t, p, end)
	if err != nil {
		return false, err
	}
	t.left = bytes.Clone(p[used:])
	if !end || len(t.left) > 0 || t.long != nil {
		return true, nil
	}
	t.mark.Done, t.wrong = true, ""
	t.close()
	return false, r.sink.Save(ctx, t.encode())
}

// fill reads until p is full or no more comes.
func fill(from io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = from.Read(p[n:])
		n += m
	}
	return n, err
}

// consume hands on what it can of p and returns how much that was; end says that
// nothing follows.
func (r *run) consume(ctx context.Context, t *tail, p []byte, end bool) (int, error) {
	whole := bytes.LastIndexByte(p, '\n') + 1
	switch {
	case t.long != nil:
		cut := bytes.IndexByte(p, '\n') + 1
		if cut == 0 {
			t.long.size += int64(len(p))
			cut = len(p)
			if !end {
				return cut, nil
			}
		} else {
			t.long.size += int64(cut)
		}
		return cut, r.passed(ctx, t)
	case whole > 0:
		return whole, r.deliver(ctx, t, p[:whole])
	case len(p) > source.MaxRecord:
		t.long = &long{head: bytes.Clone(p[:keepHead]), size: int64(len(p))}
		if end {
			return len(p), r.passed(ctx, t)
		}
		return len(p), nil
	case end && len(p) > 0:
		return len(p), r.deliver(ctx, t, p)
	}
	return 0, nil
}

// openZip opens the stream at the place of the mark.
func (t *tail) openZip() error {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(t.file, 64<<10))
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, z, t.mark.Offset); err != nil {
		return err
	}
	t.zip = z
	return nil
}

// unzipped says what to do about a compressed file that cannot be read: it may
// not be complete yet.
func (r *run) unzipped(ctx context.Context, t *tail, err error) error {
	t.close()
	if t.tried = t.size; r.now().Sub(t.news) < quietTime {
		t.wrong = "incomplete"
		return nil
	}
	t.mark.Done, t.wrong = true, "damaged"
	r.fault(ctx, fmt.Errorf("read %s to its end: %w; what came before was taken", t.mark.Path, err))
	return r.sink.Save(ctx, t.encode())
}
