package colblock

import "encoding/binary"

// A group is one blob in the making: a directory of columns and their bytes.
type group struct {
	dir   []byte
	cols  int
	body  []byte
	index map[string]uint32 // scratch of text
	codes []uint32
}

func (g *group) reset() {
	g.dir, g.body, g.cols = g.dir[:0], g.body[:0], 0
	if g.index == nil {
		g.index = make(map[string]uint32, 1024)
	}
}

// close enters the column whose bytes begin at from into the directory.
func (g *group) close(id uint64, enc byte, from int) {
	g.dir = binary.AppendUvarint(g.dir, id)
	g.dir = append(g.dir, enc)
	g.dir = binary.AppendUvarint(g.dir, uint64(len(g.body)-from))
	g.cols++
}

// append appends the finished group to dst.
func (g *group) append(dst []byte) []byte {
	dst = append(dst, version)
	dst = binary.AppendUvarint(dst, uint64(g.cols))
	dst = append(dst, g.dir...)
	return append(dst, g.body...)
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

func allEqual[T comparable](vs []T) bool {
	for _, v := range vs {
		if v != vs[0] {
			return false
		}
	}
	return true
}

// bytes adds a column of single bytes.
func (g *group) bytes(id uint64, vs []byte) {
	from := len(g.body)
	if allEqual(vs) && len(vs) > 0 {
		g.body = append(g.body, encByte, vs[0])
		g.close(id, encConst, from)
		return
	}
	g.body = append(g.body, vs...)
	g.close(id, encByte, from)
}

// uvarints adds a column of whole numbers.
func (g *group) uvarints(id uint64, vs []uint64) {
	from := len(g.body)
	if allEqual(vs) && len(vs) > 0 {
		g.body = binary.AppendUvarint(append(g.body, encUvarint), vs[0])
		g.close(id, encConst, from)
		return
	}
	for _, v := range vs {
		g.body = binary.AppendUvarint(g.body, v)
	}
	g.close(id, encUvarint, from)
}

// diffs adds a column of numbers as differences. Event times are not sorted, so
// they may be negative.
func (g *group) diffs(id uint64, vs []int64) {
	from := len(g.body)
	g.close(id, g.putDiffs(vs), from)
}

func (g *group) putDiffs(vs []int64) (enc byte) {
	if allEqual(vs) && len(vs) > 0 {
		g.body = binary.AppendUvarint(append(g.body, encDiff), zigzag(vs[0]))
		return encConst
	}
	prev := int64(0)
	for _, v := range vs {
		g.body = binary.AppendUvarint(g.body, zigzag(v-prev))
		prev = v
	}
	return encDiff
}

// text adds a column of texts.
func (g *group) text(id uint64, vs []string) {
	from := len(g.body)
	g.close(id, g.putText(vs), from)
}

// putText chooses: one value, a dictionary, or plain when a dictionary would
// hold more than half of the values.
func (g *group) putText(vs []string) (enc byte) {
	if len(vs) > 0 && allEqual(vs) {
		g.body = append(g.body, encPlain)
		g.body = binary.AppendUvarint(g.body, uint64(len(vs[0])))
		g.body = append(g.body, vs[0]...)
		return encConst
	}
	if g.dictionary(vs) {
		return encDict
	}
	for _, v := range vs {
		g.body = binary.AppendUvarint(g.body, uint64(len(v)))
	}
	for _, v := range vs {
		g.body = append(g.body, v...)
	}
	return encPlain
}

// dictionary writes vs as a dictionary, or nothing when there are too many
// distinct values.
func (g *group) dictionary(vs []string) bool {
	clear(g.index)
	g.codes = g.codes[:0]
	limit := max(len(vs)/2, 1)
	last, lastCode := "", uint32(0)
	for _, v := range vs {
		if v != last { // runs of one value are common
			c, ok := g.index[v]
			if !ok && v != "" {
				if len(g.index) == limit {
					return false
				}
				c = uint32(len(g.index) + 1)
				g.index[v] = c
			}
			last, lastCode = v, c
		}
		g.codes = append(g.codes, lastCode)
	}
	g.body = binary.AppendUvarint(g.body, uint64(len(g.index)))
	next := uint32(1)
	for i, c := range g.codes { // entries in the order of their codes: first seen first
		if c == next {
			g.body = binary.AppendUvarint(g.body, uint64(len(vs[i])))
			g.body = append(g.body, vs[i]...)
			next++
		}
	}
	for _, c := range g.codes {
		g.body = binary.AppendUvarint(g.body, uint64(c))
	}
	return true
}

// idents adds a column of ids.
func (g *group) idents(id uint64, vs []string) {
	from := len(g.body)
	forms := len(g.body)
	g.body = append(g.body, make([]byte, len(vs))...)
	for i, v := range vs {
		if v == "" {
			continue
		}
		packed, ok := packID(g.body, v)
		g.body = packed
		if ok {
			g.body[forms+i] = 1
			continue
		}
		g.body[forms+i] = 2
		g.body = binary.AppendUvarint(g.body, uint64(len(v)))
		g.body = append(g.body, v...)
	}
	g.close(id, encIdent, from)
}
