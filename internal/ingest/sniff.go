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
	framingTable   framing = "table"   // CSV with a header, or Zeek's
	framingText    framing = "text"    // lines of text
	framingXML     framing = "xml"     // Windows events
	framingEvtx    framing = "evtx"    // a Windows event log file
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

// A hint is what the caller knows of a stream.
type hint struct {
	table bool              // it is CSV
	text  bool              // it is lines of text, if nothing else
	known func([]byte) bool // whether somebody knows a line of text; may be nil
}

// sniff decides the framing from the beginning of a stream. It reports sure
// when more of the stream could not change the answer.
func sniff(p []byte, h hint) (how framing, sure bool, err error) {
	if bytes.HasPrefix(p, []byte(evtxMagic)) {
		return framingEvtx, true, nil
	}
	for _, m := range marks {
		if bytes.HasPrefix(p, []byte(m.magic)) {
			return "", true, refuse("the input is " + m.advice)
		}
	}
	body := trimLeft(p)
	switch {
	case len(body) == 0:
		return framingEmpty, false, nil
	case !h.table && startsLike(body, "<Event"), !h.table && startsLike(body, "<?xml"):
		return framingXML, len(body) >= len("<Event"), nil
	case !h.table && (startsLike(body, "#separator ") || startsLike(body, "#fields\t")):
		return framingTable, len(body) >= len("#separator "), nil
	case body[0] != '{' && body[0] != '[':
		return sniffText(body, h)
	case h.table:
		return "", true, refuse("the input is JSON, not CSV: use format json or auto")
	case body[0] == '[':
		return framingObjects, true, nil
	}
	how, sure = sniffObject(body)
	return how, sure, nil
}

// startsLike reports whether body begins with mark, or could when more of it comes.
func startsLike(body []byte, mark string) bool {
	n := min(len(body), len(mark))
	return string(body[:n]) == mark[:n]
}

// sniffLines is how many lines of text are shown to the mappers.
const sniffLines = 20

// sniffText decides about an input that begins like no JSON.
func sniffText(body []byte, h hint) (framing, bool, error) {
	switch {
	case h.table:
		return framingTable, true, nil
	case h.text:
		return framingText, true, nil
	}
	for rest, n := body, 0; h.known != nil && len(rest) > 0 && n < sniffLines; n++ {
		line, tail, ended := bytes.Cut(rest, []byte("\n"))
		if line = trimRight(trimLeft(line)); len(line) > 0 && line[0] != '{' && h.known(line) {
			return framingText, ended, nil
		}
		rest = tail
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
	return "", false, refuse("the input is neither JSON nor CSV with a header line, nor lines of a known log: give JSON lines, a JSON array, CSV whose first line names its columns, or say --format")
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
	how, err := w.sniff(opts.hint())
	if err != nil {
		return nil, "", err
	}
	switch how {
	case framingLines:
		return &lines{w: w, max: opts.MaxRecord}, how, nil
	case framingText:
		return &lines{w: w, max: opts.MaxRecord, text: true}, how, nil
	case framingXML:
		return &markup{w: w, max: opts.MaxRecord}, how, nil
	case framingEvtx:
		return newEvtx(w)
	case framingObjects:
		return &objects{w: w, max: opts.MaxRecord}, how, nil
	case framingTable:
		if w.rest()[0] == '#' && opts.Format != FormatCSV {
			return &zeekTable{table: table{w: w, max: opts.MaxRecord, comma: '\t'}}, how, nil
		}
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
func (w *window) sniff(h hint) (framing, error) {
	for want := 4; ; want = 1 + len(w.rest()) + len(w.rest())/8 {
		head := w.fill(want)
		if w.err != nil && w.end() != nil {
			return "", fmt.Errorf("read the beginning: %w", w.err)
		}
		if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
			w.skip(3)
			head = w.rest()
		}
		how, sure, err := sniff(head, h)
		if sure || w.err != nil || len(head) >= sniffed {
			return how, err
		}
	}
}

// hint is what the options say of the input.
func (o *Options) hint() hint {
	h := hint{table: o.Format == FormatCSV}
	probe := Record{Now: o.Now(), Zone: o.Zone}
	var asked []Format
	for _, f := range o.Mappers {
		switch {
		case o.Format == FormatAuto:
			asked = append(asked, f)
		case o.Format == f.Name:
			asked = append(asked, f)
			_, h.text = f.Mapper.(Liner)
		}
	}
	h.known = func(line []byte) bool {
		probe.takeLine(0, line)
		for _, f := range asked {
			if f.Match(&probe) > 0 {
				return true
			}
		}
		return false
	}
	return h
}
