package colblock

// A Text is a column of texts: distinct entries, and which one each row has. A
// plain column has an entry per row. A Text serves one goroutine.
type Text struct {
	entries [][]byte
	codes   []uint32 // nil: row i has entry i, or the only one
	strs    []string // entries as strings, made when asked for
}

// text reads a column of n texts.
func (col rawColumn) text(n int) (*Text, error) {
	r := reader{b: col.data}
	t := &Text{}
	switch {
	case col.enc == encPlain:
		t.entries = make([][]byte, n)
		rest := reader{b: r.b}
		for range n { // the lengths come first
			rest.uvarint()
		}
		for i := range t.entries {
			t.entries[i] = rest.take(r.uvarint())
		}
		if !rest.done() {
			return nil, corrupt("text column of another length")
		}
		return t, nil
	case col.enc == encDict:
		if err := t.dictionary(&r, n); err != nil {
			return nil, err
		}
	case col.enc == encConst && r.byte() == encPlain:
		t.entries = [][]byte{r.take(r.uvarint())}
	default:
		return nil, corrupt("text column with encoding %d", col.enc)
	}
	if !r.done() {
		return nil, corrupt("text column of another length")
	}
	return t, nil
}

func (t *Text) dictionary(r *reader, n int) error {
	k := r.uvarint()
	if k > uint64(n) {
		return corrupt("dictionary of %d entries for %d rows", k, n)
	}
	t.entries = make([][]byte, k+1)
	for i := range k {
		t.entries[i+1] = r.take(r.uvarint())
	}
	t.codes = make([]uint32, n)
	for i := range t.codes {
		c := r.uvarint()
		if c > k {
			return corrupt("code %d in a dictionary of %d entries", c, k)
		}
		t.codes[i] = uint32(c)
	}
	return nil
}

// Entries returns the distinct values; in a plain column one per row. They are
// part of the block: do not change or keep them.
func (t *Text) Entries() [][]byte { return t.entries }

// Code returns which entry row i has.
func (t *Text) Code(i int) int {
	switch {
	case t.codes != nil:
		return int(t.codes[i])
	case len(t.entries) == 1:
		return 0
	}
	return i
}

// At returns the value of row i.
func (t *Text) At(i int) string { return t.entry(t.Code(i)) }

// entry returns entry c as a string of its own, so that who keeps one value does
// not keep the block.
func (t *Text) entry(c int) string {
	if t.strs == nil {
		t.strs = make([]string, len(t.entries))
	}
	if s := t.strs[c]; s != "" || len(t.entries[c]) == 0 {
		return s
	}
	t.strs[c] = string(t.entries[c])
	return t.strs[c]
}
