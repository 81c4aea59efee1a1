package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// delimiters are those a CSV header is tried with, in this order.
const delimiters = ",;\t|"

// spillLines is how far a quoted cell may run over line breaks. Beyond that the
// quote was a stray one, and only its line is lost.
const spillLines = 64

var errQuote = errors.New("a quoted cell does not end")

// table cuts CSV with a header line. Cells may be quoted as in RFC 4180; the
// rows come out as objects whose members are named by the header.
type table struct {
	w     *window
	max   int
	comma byte
	names []string
	cells []span // of the row being read, into text
	text  []byte
}

// newTable reads the header.
func newTable(w *window, limit int) (*table, error) {
	t := &table{w: w, max: limit}
	for {
		line, _, err := w.nextLine(limit)
		if err != nil {
			return nil, err
		}
		if line = trimRight(line); len(trimLeft(line)) == 0 {
			continue
		}
		t.comma = sniffComma(line)
		if err := t.split(line); err != nil {
			return nil, err
		}
		break
	}
	if len(t.cells) > MaxFields {
		return nil, errFields
	}
	for i, c := range t.cells {
		name := headerName(string(t.text[c.off : c.off+c.len]))
		if name == "" {
			name = fmt.Sprintf("column_%d", i+1)
		}
		t.names = append(t.names, name)
	}
	return t, nil
}

// headerName is how a column is called: lower case, blanks and dashes as
// underscores, dots kept.
func headerName(cell string) string {
	cell = strings.ToLower(strings.TrimSpace(strings.ToValidUTF8(cell, "")))
	return strings.NewReplacer(" ", "_", "-", "_").Replace(cell)
}

// sniffComma returns the delimiter that cuts the header into most cells.
func sniffComma(header []byte) byte {
	best, most := byte(','), 0
	for i := range len(delimiters) {
		if n := bytes.Count(header, []byte{delimiters[i]}); n > most {
			best, most = delimiters[i], n
		}
	}
	return best
}

func (t *table) next(rec *Record) error {
	for {
		end, reason, err := t.row()
		if err != nil {
			return err
		}
		row, at := trimRight(t.w.rest()[:end]), t.w.line
		if reason == "" && len(row) == 0 {
			t.drop(end)
			continue
		}
		if reason == "" {
			reason = t.fault(row)
		}
		if reason != "" {
			// A row of several lines that is wrong began with a stray quote: its
			// first line is lost, the others are read for themselves.
			return t.w.skipLine(reason)
		}
		rec.doc.row(t.names, t.cells, t.text)
		rec.take(at, row)
		t.drop(end)
		return nil
	}
}

// drop consumes the row that ends before end, and its line break.
func (t *table) drop(end int) {
	if end < len(t.w.rest()) {
		t.w.skip(end + 1)
		return
	}
	t.w.skip(end)
	t.w.line++
}

// fault cuts the row into cells and says what is wrong with it, if anything.
func (t *table) fault(row []byte) string {
	if err := t.split(row); err != nil {
		return err.Error()
	}
	n := len(t.cells)
	if n < len(t.names) || n > len(t.names) && !t.emptyFrom(len(t.names)) {
		return fmt.Sprintf("the row has %d columns, the header %d", n, len(t.names))
	}
	return ""
}

// emptyFrom reports whether all cells from n on are empty.
func (t *table) emptyFrom(n int) bool {
	for _, c := range t.cells[n:] {
		if c.len > 0 {
			return false
		}
	}
	return true
}

// row finds the end of the next row, which goes over a line break only inside
// a quoted cell, or says why its first line has to be given up.
func (t *table) row() (end int, reason string, err error) {
	scanned, from, breaks := 0, 0, 0
	q := quoting{comma: t.comma}
	for {
		rest := t.w.rest()
		n := bytes.IndexByte(rest[scanned:], '\n')
		switch {
		case n < 0 && len(rest) <= t.max && t.w.more():
			scanned = len(rest)
			continue
		case n < 0 && t.w.err != nil && t.w.end() != nil:
			return 0, "", t.w.err
		case n < 0 && len(rest) == 0:
			return 0, "", io.EOF
		case n < 0:
			end = len(rest)
		default:
			end = scanned + n
		}
		if end > t.max {
			if breaks > 0 {
				return 0, errQuote.Error(), nil
			}
			return 0, tooLong(t.max), nil
		}
		if !q.open(rest[from:end]) {
			return end, "", nil
		}
		if breaks++; n < 0 || breaks > spillLines {
			return 0, errQuote.Error(), nil
		}
		from, scanned = end, end+1
	}
}

// split cuts a row into cells: t.cells are spans of t.text.
func (t *table) split(row []byte) error {
	t.cells, t.text = t.cells[:0], t.text[:0]
	for {
		start := len(t.text)
		n, err := t.cell(row)
		if err != nil {
			return err
		}
		t.cells = append(t.cells, span{uint32(start), uint32(len(t.text) - start)})
		if n >= len(row) {
			return nil
		}
		row = row[n+1:]
		if len(t.cells) > 2*MaxFields {
			return errFields
		}
	}
}

// cell appends the first cell of row to t.text and returns where it ends.
func (t *table) cell(row []byte) (int, error) {
	if len(row) == 0 || row[0] != '"' {
		n := bytes.IndexByte(row, t.comma)
		if n < 0 {
			n = len(row)
		}
		t.text = append(t.text, row[:n]...)
		return n, nil
	}
	for i := 1; i < len(row); i++ {
		switch {
		case row[i] != '"':
			t.text = append(t.text, row[i])
		case i+1 < len(row) && row[i+1] == '"':
			t.text = append(t.text, '"')
			i++
		case i+1 == len(row) || row[i+1] == t.comma:
			return i + 1, nil
		default:
			return 0, errors.New("text behind a quoted cell")
		}
	}
	return 0, errQuote
}

// quoting follows the quotes of a row piece by piece.
type quoting struct {
	comma byte
	state byte
}

const (
	cellStart  = iota
	cellPlain  // quotes are text here
	cellQuoted // delimiters and line breaks are text here
	cellClosed // a quote ended it, or is the first of two
)

// open takes the next piece and reports whether a quoted cell is still open.
func (q *quoting) open(piece []byte) bool {
	if q.state != cellQuoted && bytes.IndexByte(piece, '"') < 0 {
		return false
	}
	for _, c := range piece {
		switch {
		case q.state == cellQuoted && c == '"':
			q.state = cellClosed
		case q.state == cellQuoted:
		case c == '"' && q.state != cellPlain:
			q.state = cellQuoted
		case c == q.comma:
			q.state = cellStart
		default:
			q.state = cellPlain
		}
	}
	return q.state == cellQuoted
}
