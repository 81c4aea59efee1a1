package ingest

import (
	"bytes"
	"strings"
)

// pathColumn names the log in a row of Zeek's table; its own JSON calls it so.
const pathColumn = "_path"

// zeekTable cuts the tables Zeek writes: a header of lines that begin with #, and
// rows whose cells are separated by one byte and never quoted. Tables may follow
// one another; each brings its own header.
type zeekTable struct {
	table
	path string // #path, the log's name
}

func (z *zeekTable) next(rec *Record) error {
	for {
		line, at, err := z.w.nextLine(z.max)
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(trimLeft(line)) == 0:
			continue
		case line[0] == '#':
			if why := z.header(string(line)); why != "" {
				return lineLost(line, at, why)
			}
			continue
		case len(z.names) == 0:
			return lineLost(line, at, "a row before the #fields that name its columns")
		}
		z.cut(line)
		if len(z.cells) != len(z.names) {
			return lineLost(line, at, "the row has another number of columns than #fields")
		}
		rec.doc.row(z.names, z.cells, z.text)
		rec.doc.unset()
		rec.take(at, line)
		return nil
	}
}

func lineLost(line []byte, at int64, reason string) *broken {
	b := &broken{line: at, reason: reason}
	b.take(line)
	return b
}

// header reads a line that begins with #, and says what is wrong with it.
func (z *zeekTable) header(line string) string {
	word, rest, _ := strings.Cut(line, string(z.comma))
	if sep, ok := strings.CutPrefix(line, "#separator "); ok {
		z.comma = '\t'
		if len(sep) == 4 && strings.HasPrefix(sep, `\x`) {
			if r, ok := hex4([]byte("00"+sep[2:]), 0); ok {
				z.comma = byte(r)
			}
		} else if len(sep) == 1 {
			z.comma = sep[0]
		}
		return ""
	}
	switch word {
	case "#path":
		z.path = rest
	case "#fields":
		names := strings.Split(rest, string(z.comma))
		if len(names) > MaxFields {
			return errFields.Error()
		}
		z.names = append(names, pathColumn)
	}
	return ""
}

// cut splits a row; the name of the log stands behind its cells.
func (z *zeekTable) cut(line []byte) {
	z.cells, z.text = z.cells[:0], append(z.text[:0], line...)
	start := 0
	for i := 0; i <= len(line); i++ {
		if i < len(line) && line[i] != z.comma {
			continue
		}
		if len(z.cells) > MaxFields {
			return
		}
		z.cells = append(z.cells, span{uint32(start), uint32(i - start)})
		start = i + 1
	}
	z.cells = append(z.cells, span{uint32(len(line)), uint32(len(z.path))})
	z.text = append(z.text, z.path...)
}

// unset makes what Zeek writes for no value and for an empty one what they are.
func (d *document) unset() {
	for i := 1; i < len(d.nodes); i++ {
		switch n := &d.nodes[i]; string(d.bytes(n.val)) {
		case "-":
			n.typ = Null
		case "(empty)":
			n.val.len = 0
		}
	}
}
