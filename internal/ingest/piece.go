package ingest

import (
	"bytes"
	"io"
)

// A Piece says that the input is a part of a stream that goes on: whole lines,
// each a record of its own, JSON or text. Nothing is found out from its beginning
// then, and nothing in it can end the reading but its receivers.
type Piece struct {
	// Origin names the stream for good, whatever it is called. Together with the
	// number of the line it tells records without an id of their own apart, so the
	// same line of the same stream has the same id whenever it is read.
	Origin string
	Line   int64  // number of the first line; 1 when 0
	Name   string // what dead letters call the stream; Options.Name when empty
	// Header is the beginning of the stream, when that names the columns of a table;
	// see [TableHeader].
	Header []byte
}

// pieces cuts a part of a stream.
func pieces(in io.Reader, p *Piece, limit int) (framer, framing, error) {
	first := max(p.Line, 1)
	if len(p.Header) > 0 && first > 1 { // at the beginning the header is there itself
		in = io.MultiReader(bytes.NewReader(p.Header), in)
		first -= int64(bytes.Count(p.Header, []byte{'\n'}))
	}
	w := newWindow(in)
	w.line = first
	if first == 1 && bytes.HasPrefix(w.fill(3), []byte(bom)) {
		w.skip(len(bom))
	}
	switch {
	case len(p.Header) == 0:
		return &lines{w: w, max: limit, text: true}, framingLines, nil
	case p.Header[0] == '#':
		return &zeekTable{table: table{w: w, max: limit, comma: '\t'}}, framingTable, nil
	}
	t, err := newTable(w, limit)
	if err != nil {
		return nil, framingTable, refuse("the header of the table cannot be read: " + err.Error())
	}
	return t, framingTable, nil
}

const bom = "\xef\xbb\xbf"

// maxHeader bounds the header of a table.
const maxHeader = 64 << 10

// TableHeader returns the part of a stream's beginning that names the columns of
// a table: Zeek's lines that begin with #, or the first line of what is said to
// be CSV. nil: the stream is no table, or its header is not complete yet.
func TableHeader(beginning []byte, format string) []byte {
	b := bytes.TrimPrefix(beginning[:min(len(beginning), maxHeader)], []byte(bom))
	if format == FormatCSV {
		return bytes.Clone(b[:bytes.IndexByte(b, '\n')+1])
	}
	if !bytes.HasPrefix(b, []byte("#separator ")) && !bytes.HasPrefix(b, []byte("#fields\t")) {
		return nil
	}
	n := 0
	for n < len(b) && b[n] == '#' {
		end := bytes.IndexByte(b[n:], '\n') + 1
		if end == 0 {
			break
		}
		n += end
	}
	return bytes.Clone(b[:n])
}
