package ingest

import (
	"bytes"
	"errors"
	"io"
)

// keepRaw is how much of a record is kept in an event or a dead letter.
const keepRaw = 64 << 10

// A window is the part of a stream that is in memory: buf[r:w] is unread. It
// grows to what one record may have and no further.
type window struct {
	src  io.Reader
	buf  []byte
	r, w int
	err  error // why no more comes; io.EOF at the end
	line int64 // number of the line buf[r] is on, 1-based
}

const windowStart = 64 << 10

func newWindow(src io.Reader) *window {
	return &window{src: src, buf: make([]byte, windowStart), line: 1}
}

// rest returns what is in memory and unread.
func (w *window) rest() []byte { return w.buf[w.r:w.w] }

// more reads on, and reports whether anything came. The unread part moves.
func (w *window) more() bool {
	if w.err != nil {
		return false
	}
	if w.r > 0 && (w.r == w.w || w.w == len(w.buf)) {
		w.w = copy(w.buf, w.buf[w.r:w.w])
		w.r = 0
	}
	if w.w == len(w.buf) {
		w.buf = append(w.buf, make([]byte, len(w.buf))...)
	}
	for range 100 { // a reader that returns nothing for ever is broken
		n, err := w.src.Read(w.buf[w.w:])
		w.w += n
		w.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// fill reads until n bytes are in memory or no more comes.
func (w *window) fill(n int) []byte {
	for w.w-w.r < n && w.more() {
	}
	return w.rest()
}

// skip drops n unread bytes, counting their lines.
func (w *window) skip(n int) {
	w.line += int64(bytes.Count(w.buf[w.r:w.r+n], []byte{'\n'}))
	w.r += n
}

// end returns nil when the stream came to its proper end.
func (w *window) end() error {
	if errors.Is(w.err, io.EOF) {
		return nil
	}
	return w.err
}

// A broken is a record that could not be cut out of the stream.
type broken struct {
	line   int64
	size   int64
	head   []byte // its beginning
	reason string
}

func (b *broken) Error() string { return b.reason }

// skipLine drops everything up to the next line break without holding it, and
// returns the line as broken. from is where the line begins in the window.
func (w *window) skipLine(reason string) *broken {
	b := &broken{line: w.line, reason: reason}
	for {
		rest := w.rest()
		n := bytes.IndexByte(rest, '\n')
		part := rest
		if n >= 0 {
			part = rest[:n+1]
		}
		b.take(part)
		w.skip(len(part))
		if n >= 0 || !w.more() {
			return b
		}
	}
}

// take adds a piece to a broken record, of which only the beginning is kept.
func (b *broken) take(part []byte) {
	b.size += int64(len(part))
	b.head = append(b.head, part[:min(len(part), keepRaw-len(b.head))]...)
}

// A framer cuts a stream into records. next fills rec, which is valid until the
// next call; it returns io.EOF at the end, a *broken for a record that is lost,
// and any other error when the stream itself failed.
type framer interface {
	next(rec *Record) error
}

// lines cuts JSON lines, or lines of text. A line that holds several objects
// gives each of them.
type lines struct {
	w     *window
	max   int
	text  bool   // lines that are no JSON are records too
	left  []byte // of the line that is being read
	at    int64  // its number
	audit audits
}

func (l *lines) next(rec *Record) error {
	for {
		if l.left = trimLeft(l.left); len(l.left) > 0 {
			if l.text && l.left[0] != '{' {
				if l.plain(rec) {
					return nil
				}
				continue
			}
			return l.object(rec)
		}
		if l.audit.ready(rec) {
			return nil
		}
		line, at, err := l.w.nextLine(l.max)
		if errors.Is(err, io.EOF) && l.audit.last(rec) {
			return nil
		}
		if err != nil {
			return err
		}
		l.left, l.at = trimRight(cee(line)), at
	}
}

// plain takes a line of text and reports whether it is a record by itself: lines
// of the audit daemon wait for those they belong to.
func (l *lines) plain(rec *Record) bool {
	line := l.left
	l.left = nil
	if body := embedded(line); body != nil {
		if n, err := rec.doc.parse(body); err == nil && len(trimLeft(body[n:])) == 0 {
			rec.take(l.at, body)
			return true
		}
	}
	if l.audit.add(line, l.at) {
		return false
	}
	rec.takeLine(l.at, line)
	return true
}

// embedded returns the JSON object that is the message of a line of syslog.
func embedded(line []byte) []byte {
	if line[len(line)-1] != '}' {
		return nil
	}
	if i := bytes.Index(line[:min(len(line), 1024)], []byte(": {")); i >= 0 {
		return line[i+2:]
	}
	return nil
}

// object parses the object at the beginning of what is left of the line.
func (l *lines) object(rec *Record) error {
	n, err := rec.doc.parse(l.left)
	if err != nil {
		b := &broken{line: l.at, reason: err.Error()}
		b.take(l.left)
		l.left = nil
		return b
	}
	rec.take(l.at, l.left[:n])
	l.left = l.left[n:]
	return nil
}

// cee removes the mark syslog writers put before JSON.
func cee(line []byte) []byte {
	if i := bytes.Index(line[:min(len(line), 1024)], []byte("@cee:")); i >= 0 && (len(line) == 0 || line[0] != '{') {
		return line[i+len("@cee:"):]
	}
	return line
}

// nextLine returns the next line without its break, and its number. It is
// valid until the next call.
func (w *window) nextLine(limit int) ([]byte, int64, error) {
	seen := 0
	for {
		rest := w.rest()
		if n := bytes.IndexByte(rest[seen:], '\n'); n >= 0 && seen+n <= limit {
			line, at := rest[:seen+n], w.line
			w.r += seen + n + 1
			w.line++
			return line, at, nil
		}
		if seen = len(rest); seen > limit {
			return nil, 0, w.skipLine(tooLong(limit))
		}
		if w.more() {
			continue
		}
		if err := w.end(); err != nil {
			return nil, 0, err
		}
		if seen == 0 {
			return nil, 0, io.EOF
		}
		line, at := rest, w.line
		w.r = w.w
		w.line++
		return line, at, nil
	}
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	return b
}

func trimRight(b []byte) []byte {
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
