package source

import (
	"bytes"
	"fmt"
	"io"
)

// TooLong is the reason of a dead letter for a record over a limit.
func TooLong(limit int) string { return fmt.Sprintf("larger than %d bytes", limit) }

// keepHead is how much of a record that is too long is kept.
const keepHead = 64 << 10

// A Lines cuts a stream into pieces of whole lines. It holds no more than one
// piece, however long a line is.
type Lines struct {
	r    io.Reader
	max  int // bytes of a line
	buf  []byte
	n    int // bytes in buf
	err  error
	long int64 // bytes of a line over the limit so far; head is its beginning
	head []byte
}

// NewLines reads lines of at most limit bytes in pieces of about size bytes.
func NewLines(r io.Reader, limit, size int) *Lines {
	return &Lines{r: r, max: limit, buf: make([]byte, max(size, limit+1))}
}

// A Cut is what came: whole lines, or one that was too long.
type Cut struct {
	Data []byte // whole lines; of one that is too long its beginning
	Long int64  // bytes of a line over the limit, 0 for whole lines
}

// Next returns what came next. The last line needs no line break. After an error
// there is nothing more.
func (l *Lines) Next() (Cut, error) {
	for {
		if c, ok := l.cut(); ok {
			return c, nil
		}
		if l.err != nil {
			return Cut{}, l.err
		}
		n, err := l.r.Read(l.buf[l.n:])
		l.n += n
		l.err = err
		if err != nil && (l.n > 0 || l.long > 0) && (l.n == 0 || l.buf[l.n-1] != '\n') {
			l.buf = append(l.buf[:l.n], '\n')
			l.n++
		}
	}
}

// cut takes what is complete from the buffer.
func (l *Lines) cut() (Cut, bool) {
	have := l.buf[:l.n]
	if l.long > 0 {
		end := bytes.IndexByte(have, '\n')
		if end < 0 {
			l.long += int64(l.n)
			l.n = 0
			return Cut{}, false
		}
		c := Cut{Data: l.head, Long: l.long + int64(end) + 1}
		l.long, l.head = 0, nil
		l.n = copy(l.buf, have[end+1:])
		return c, true
	}
	if end := bytes.LastIndexByte(have, '\n') + 1; end > 0 {
		c := Cut{Data: bytes.Clone(have[:end])}
		l.n = copy(l.buf, have[end:])
		return c, true
	}
	if l.n > l.max {
		l.long, l.head = int64(l.n), bytes.Clone(have[:min(l.n, keepHead)])
		l.n = 0
	}
	return Cut{}, false
}
