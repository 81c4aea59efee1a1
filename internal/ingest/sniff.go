package ingest

import (
	"bytes"
	"fmt"

	"honeyguide"
)

// A framing is how records are cut out of a stream.
type framing string

const (
	framingEmpty   framing = "empty"
	framingLines   framing = "lines"   // one JSON object a line
	framingObjects framing = "objects" // JSON objects over several lines, or an array
	framingTable   framing = "table"   // CSV with a header
)

// sniffed is how much of a stream is looked at: enough for a first record of
// the largest size.
const sniffed = MaxRecord + 1

// marks are the first bytes of what is not read, and what to do about it.
var marks = []struct{ magic, advice string }{
	{"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it first, or use gzip"},
	{"PK\x03\x04", "a zip archive: unpack it first"},
	{"BZh", "compressed with bzip2: decompress it first, or use gzip"},
	{"\xfd7zXZ", "compressed with xz: decompress it first, or use gzip"},
	{"\xff\xfe", "UTF-16 text: convert it to UTF-8 first"},
	{"\xfe\xff", "UTF-16 text: convert it to UTF-8 first"},
	{"\x1f\x8b", "compressed more than twice"},
	{"SQLite format 3", "an SQLite database, no alerts"},
}

// sniff decides the framing from the beginning of a stream. It reports sure
// when more of the stream could not change the answer. asTable says that the
// caller knows it to be CSV.
func sniff(p []byte, asTable bool) (how framing, sure bool, err error) {
	for _, m := range marks {
		if bytes.HasPrefix(p, []byte(m.magic)) {
			return "", true, refuse("the input is " + m.advice)
		}
	}
	body := trimLeft(p)
	switch {
	case len(body) == 0:
		return framingEmpty, false, nil
	case body[0] != '{' && body[0] != '[':
		return sniffText(body, asTable)
	case asTable:
		return "", true, refuse("the input is JSON, not CSV: use format json or auto")
	case body[0] == '[':
		return framingObjects, true, nil
	}
	how, sure = sniffObject(body)
	return how, sure, nil
}

// sniffText decides about an input that begins like no JSON.
func sniffText(body []byte, asTable bool) (framing, bool, error) {
	if asTable {
		return framingTable, true, nil
	}
	line, rest, ended := bytes.Cut(body, []byte("\n"))
	if bytes.Contains(line, []byte("@cee:")) {
		return framingLines, true, nil
	}
	if isHeader(line) {
		return framingTable, ended, nil
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if line = trimLeft(line); len(line) > 0 && line[0] == '{' {
			return framingLines, true, nil
		}
	}
	return "", false, refuse("the input is neither JSON nor CSV with a header line: give JSON lines, a JSON array, or CSV whose first line names its columns")
}

func refuse(message string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: message}
}

// sniffObject tells one object a line from objects over several lines.
func sniffObject(p []byte) (how framing, sure bool) {
	s := scan{}
	for i, c := range p {
		switch s.step(c) {
		case scanOn:
			if c == '\n' {
				return afterBreak(s, p[i+1:])
			}
		case scanDone:
			rest, _, ended := bytes.Cut(p[i+1:], []byte("\n"))
			if rest = trimLeft(rest); len(rest) == 0 {
				return framingLines, ended
			}
			return framingObjects, true
		default: // a broken first line
			return framingLines, true
		}
	}
	return framingLines, false // one line, cut off or too long
}

// afterBreak decides by what follows the first line break within an object:
// another object where none may nest means that the first line was cut off.
func afterBreak(s scan, rest []byte) (framing, bool) {
	rest = trimLeft(rest)
	if len(rest) > 0 && rest[0] == '{' && !s.mayNest() {
		return framingLines, true
	}
	return framingObjects, len(rest) > 0
}

// isHeader reports whether line looks like the header of a table: two columns
// or more, all of them names.
func isHeader(line []byte) bool {
	if len(line) > 64<<10 {
		return false
	}
	t := &table{comma: sniffComma(line)}
	if t.split(trimRight(line)) != nil || len(t.cells) < 2 {
		return false
	}
	for _, c := range t.cells {
		if name := bytes.TrimSpace(t.text[c.off : c.off+c.len]); len(name) > 0 && !isName(name) {
			return false
		}
	}
	return true
}

func isName(b []byte) bool {
	if len(b) > 128 || b[0] >= '0' && b[0] <= '9' {
		return false
	}
	for _, c := range b {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80 ||
			bytes.IndexByte([]byte(" _-.@/()#"), c) >= 0
		if !ok {
			return false
		}
	}
	return true
}

// frame makes the framer for what the window holds.
func frame(w *window, opts *Options) (framer, framing, error) {
	how, err := w.sniff(opts.Format == FormatCSV)
	if err != nil {
		return nil, "", err
	}
	switch how {
	case framingLines:
		return &lines{w: w, max: opts.MaxRecord}, how, nil
	case framingObjects:
		return &objects{w: w, max: opts.MaxRecord}, how, nil
	case framingTable:
		t, err := newTable(w, opts.MaxRecord)
		if err != nil {
			return nil, "", refuse("line 1: the header of the table cannot be read: " + err.Error())
		}
		return t, how, nil
	}
	return nil, how, nil
}

// sniff decides the framing from as little of the stream as that takes: a pipe
// may bring its records slowly.
func (w *window) sniff(asTable bool) (framing, error) {
	for want := 4; ; want = 1 + len(w.rest()) + len(w.rest())/8 {
		head := w.fill(want)
		if w.err != nil && w.end() != nil {
			return "", fmt.Errorf("read the beginning: %w", w.err)
		}
		if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
			w.skip(3)
			head = w.rest()
		}
		how, sure, err := sniff(head, asTable)
		if sure || w.err != nil || len(head) >= sniffed {
			return how, err
		}
	}
}
