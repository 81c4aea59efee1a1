package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"honeyguide/internal/ipc"
)

// cast is one recording being written.
type cast struct {
	name  string
	file  *os.File
	size  int64
	added int64 // bytes the opening added
	last  time.Time
	rest  map[byte][]byte // the begun character of each stream
	head  []byte          // the header, to be written with the first line
}

// openCast opens a recording for appending, or begins it with a header made of
// the first chunk.
func openCast(dir *os.Root, name string, c ipc.Chunk) (*cast, error) {
	f, err := dir.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	k := &cast{name: name, file: f, last: c.Time}
	if err := k.resume(c); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("begin recording: %w", err)
	}
	return k, nil
}

// resume stands the file behind its last whole line, or writes the header into
// an empty one.
func (k *cast) resume(c ipc.Chunk) error {
	info, err := k.file.Stat()
	if err != nil {
		return err
	}
	end, err := lastLine(k.file, info.Size())
	if err != nil {
		return err
	}
	k.size = end
	k.added = end - info.Size()
	if k.added < 0 {
		if err := k.file.Truncate(end); err != nil {
			return err
		}
	}
	if end > 0 {
		if _, err := k.file.Seek(end, io.SeekStart); err != nil {
			return err
		}
		// The time of the last line is about that of the last write.
		if at := info.ModTime(); at.Before(c.Time) {
			k.last = at
		}
		return nil
	}
	k.head = header(c)
	return nil
}

// maxLine bounds what is read back to find a line end; a line is a chunk.
const maxLine = 8 * ipc.MaxChunk

// lastLine returns the offset behind the last line feed.
func lastLine(f *os.File, size int64) (int64, error) {
	if size == 0 {
		return 0, nil
	}
	from := max(size-maxLine, 0)
	buf := make([]byte, size-from)
	if _, err := f.ReadAt(buf, from); err != nil {
		return 0, err
	}
	return from + int64(bytes.LastIndexByte(buf, '\n')+1), nil
}

// header is the first line of an asciicast.
func header(c ipc.Chunk) []byte {
	cols, rows := 80, 24
	if c.Stream == 'r' {
		cols, rows = size(string(c.Data))
	}
	line, _ := json.Marshal(struct {
		Version int            `json:"version"`
		Term    map[string]any `json:"term"`
		At      int64          `json:"timestamp"`
		Title   string         `json:"title"`
	}{3, map[string]any{"cols": cols, "rows": rows}, c.Time.Unix(), "session " + c.Session})
	return append(line, '\n')
}

// size reads "80x24"; what is no size is 80x24.
func size(s string) (cols, rows int) {
	a, b, _ := strings.Cut(s, "x")
	cols, err1 := strconv.Atoi(a)
	rows, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || cols < 1 || rows < 1 || cols > 4096 || rows > 4096 {
		return 80, 24
	}
	return cols, rows
}

// lines appends a chunk as event lines: [seconds since the last one, code, text].
func (k *cast) lines(line []byte, c ipc.Chunk) []byte {
	var text string
	switch c.Stream {
	case 'o', 'i':
		text = k.whole(c.Stream, c.Data)
	case 'r':
		cols, rows := size(string(c.Data))
		text = strconv.Itoa(cols) + "x" + strconv.Itoa(rows)
	case 'x', 'm':
		text = strings.ToValidUTF8(string(c.Data), "\ufffd")
	default:
		return line
	}
	if text == "" {
		return line
	}
	gap := max(c.Time.Sub(k.last), 0)
	if c.Time.After(k.last) {
		k.last = c.Time
	}
	if len(line) == 0 {
		line = k.head
		k.head = nil
	}
	line = append(line, '[')
	line = strconv.AppendFloat(line, gap.Seconds(), 'f', 6, 64)
	line = append(line, `, "`...)
	line = append(line, c.Stream)
	line = append(line, `", `...)
	quoted, _ := json.Marshal(text)
	line = append(line, quoted...)
	return append(line, "]\n"...)
}

// whole returns the text of data with the character a chunk before began, and
// keeps back one that data begins. Bytes that are no text become U+FFFD.
func (k *cast) whole(stream byte, data []byte) string {
	if rest := k.rest[stream]; len(rest) > 0 {
		data = append(rest, data...)
		delete(k.rest, stream)
	}
	if n := begun(data); n > 0 {
		if k.rest == nil {
			k.rest = map[byte][]byte{}
		}
		k.rest[stream] = append([]byte(nil), data[len(data)-n:]...)
		data = data[:len(data)-n]
	}
	return strings.ToValidUTF8(string(data), "\ufffd")
}

// begun returns how many bytes at the end of p begin a character that is not
// complete.
func begun(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		tail := p[len(p)-n:]
		if utf8.RuneStart(tail[0]) {
			if tail[0] >= utf8.RuneSelf && !utf8.FullRune(tail) {
				return n
			}
			return 0
		}
	}
	return 0
}
