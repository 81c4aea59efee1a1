package colblock

import (
	"encoding/binary"
	"math"
)

// A reader takes bytes from the front and remembers that they ran out.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // most are small
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// take returns the next n bytes, nil and bad when there are fewer.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

// done reports whether everything was read and nothing was missing.
func (r *reader) done() bool { return !r.bad && len(r.b) == 0 }

// A rawColumn is a column as it stands in a group.
type rawColumn struct {
	enc  byte
	data []byte
}

// columns is the directory of one uncompressed group of n rows.
type columns struct {
	n     int
	known [64]*rawColumn
	attrs []rawColumn
}

// maxColumns bounds a directory: all known ids and every attribute.
const maxColumns = 64 + maxAttrs

// parseColumns reads the directory of a group.
func parseColumns(b []byte, n int) (*columns, error) {
	r := reader{b: b}
	if v := r.byte(); v != version {
		return nil, corrupt("group version %d", v)
	}
	count := r.uvarint()
	if count > maxColumns {
		return nil, corrupt("%d columns", count)
	}
	type entry struct {
		id, length uint64
		enc        byte
	}
	dir := make([]entry, count)
	for i := range dir {
		dir[i].id = r.uvarint()
		dir[i].enc = r.byte()
		dir[i].length = r.uvarint()
	}
	c := &columns{n: n}
	all := make([]rawColumn, count)
	for i, d := range dir {
		all[i] = rawColumn{d.enc, r.take(d.length)}
		switch {
		case d.id == colAttr:
			c.attrs = append(c.attrs, all[i])
		case d.id < uint64(len(c.known)):
			if c.known[d.id] != nil {
				return nil, corrupt("column %d twice", d.id)
			}
			c.known[d.id] = &all[i]
		}
	}
	if !r.done() {
		return nil, corrupt("group has %d bytes too many or too few", len(r.b))
	}
	return c, nil
}

func (c *columns) column(id uint64) (rawColumn, error) {
	if col := c.known[id]; col != nil {
		return *col, nil
	}
	return rawColumn{}, corrupt("column %d is missing", id)
}

// bytes reads a column of n single bytes.
func (col rawColumn) bytes(n int) ([]byte, error) {
	switch {
	case col.enc == encByte && len(col.data) == n:
		return col.data, nil
	case col.enc == encConst && len(col.data) == 2 && col.data[0] == encByte:
		out := make([]byte, n)
		for i := range out {
			out[i] = col.data[1]
		}
		return out, nil
	}
	return nil, corrupt("byte column of %d bytes, encoding %d", len(col.data), col.enc)
}

// uvarints reads a column of n whole numbers of at most limit.
func (col rawColumn) uvarints(n int, limit uint64) ([]uint64, error) {
	r := reader{b: col.data}
	out := make([]uint64, n)
	switch {
	case col.enc == encUvarint:
		for i := range out {
			if out[i] = r.uvarint(); out[i] > limit {
				return nil, corrupt("number %d", out[i])
			}
		}
	case col.enc == encConst && r.byte() == encUvarint:
		v := r.uvarint()
		if v > limit {
			return nil, corrupt("number %d", v)
		}
		for i := range out {
			out[i] = v
		}
	default:
		return nil, corrupt("number column with encoding %d", col.enc)
	}
	if !r.done() {
		return nil, corrupt("number column of another length")
	}
	return out, nil
}

// diffs reads a column of n numbers kept as differences.
func (col rawColumn) diffs(n int) ([]int64, error) {
	r := reader{b: col.data}
	out := make([]int64, n)
	switch {
	case col.enc == encDiff:
		prev := int64(0)
		for i := range out {
			prev += unzigzag(r.uvarint())
			out[i] = prev
		}
	case col.enc == encConst && r.byte() == encDiff:
		v := unzigzag(r.uvarint())
		for i := range out {
			out[i] = v
		}
	default:
		return nil, corrupt("difference column with encoding %d", col.enc)
	}
	if !r.done() {
		return nil, corrupt("difference column of another length")
	}
	return out, nil
}

// floats reads a column of n floating-point numbers.
func (col rawColumn) floats(n int) ([]float64, error) {
	if col.enc != encFloat || len(col.data) != 8*n {
		return nil, corrupt("float column of %d bytes, encoding %d", len(col.data), col.enc)
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(col.data[8*i:]))
	}
	return out, nil
}

// idents reads a column of n ids.
func (col rawColumn) idents(n int) ([]string, error) {
	r := reader{b: col.data}
	forms := r.take(uint64(n))
	if col.enc != encIdent || r.bad {
		return nil, corrupt("id column with encoding %d", col.enc)
	}
	out := make([]string, n)
	for i, form := range forms {
		switch form {
		case 0:
		case 1:
			if b := r.take(16); b != nil {
				out[i] = unpackID(b)
			}
		case 2:
			out[i] = string(r.take(r.uvarint()))
		default:
			return nil, corrupt("id form %d", form)
		}
	}
	if !r.done() {
		return nil, corrupt("id column of another length")
	}
	return out, nil
}
