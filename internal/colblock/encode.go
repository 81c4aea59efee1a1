package colblock

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"honeyguide"
)

// An Encoder packs rows. It keeps scratch memory and serves one goroutine.
type Encoder struct {
	seed  uint64
	zstd  *zstd.Encoder
	g     group
	plain []byte // an uncompressed group

	text  []string
	nums  []uint64
	ints  []int64
	bytes []byte
	addrs map[netip.Addr]string
	atts  attrTable
	terms terms
}

// NewEncoder returns an encoder whose Bloom filters start from seed.
func NewEncoder(seed uint64) (*Encoder, error) {
	z, err := newCompressor()
	if err != nil {
		return nil, fmt.Errorf("start zstd: %w", err)
	}
	return &Encoder{seed: seed, zstd: z, addrs: map[netip.Addr]string{}, atts: attrTable{cols: map[attrKey]*attrCol{}}}, nil
}

// Encode packs 1 to MaxRows rows whose events are in the form of [Canon].
func (e *Encoder) Encode(rows []*Row) (Block, error) {
	if len(rows) == 0 || len(rows) > MaxRows {
		return Block{}, fmt.Errorf("block of %d rows: want 1 to %d", len(rows), MaxRows)
	}
	b := Block{N: len(rows)}
	clear(e.addrs)
	e.hot(rows, &b)
	b.Hot = e.pack()
	if err := e.cold(rows); err != nil {
		return Block{}, err
	}
	b.Cold = e.pack()
	if slices.ContainsFunc(rows, func(r *Row) bool { return len(r.Event.Raw) > 0 }) {
		e.raw(rows)
		b.Raw = e.pack()
	}
	b.Bloom, b.Flags = e.bloom(rows)
	return b, nil
}

// pack compresses the group in the making into memory of its own.
func (e *Encoder) pack() []byte {
	e.plain = e.g.append(e.plain[:0])
	return e.zstd.EncodeAll(e.plain, make([]byte, 0, len(e.plain)/4+64))
}

func (e *Encoder) hot(rows []*Row, b *Block) {
	g := &e.g
	g.reset()
	times := e.int64s(rows, func(r *Row) int64 { return r.Event.Time.UnixMicro() })
	b.TS0, b.TS1 = slices.Min(times), slices.Max(times)
	g.diffs(colTime, times)
	e.bytes = e.bytes[:0]
	for i := range rows {
		s := rows[i].Event.Severity
		e.bytes = append(e.bytes, byte(s))
		b.Sev |= 1 << (s & 7)
	}
	g.bytes(colSeverity, e.bytes)
	g.uvarints(colClass, e.uints(rows, func(r *Row) uint64 { return uint64(r.Event.Class) }))
	g.text(colActivity, e.texts(rows, func(r *Row) string { return r.Event.Activity }))
	g.text(colSensor, e.texts(rows, func(r *Row) string { return r.Event.Sensor }))
	g.text(colService, e.texts(rows, func(r *Row) string { return r.Event.Service }))
	g.text(colSession, e.texts(rows, func(r *Row) string { return r.Event.Session }))
	g.text(colSrc, e.texts(rows, func(r *Row) string { return e.addr(r.Event.Src.Addr) }))
	g.text(colAttacks, e.techniqueSets(rows))
	g.uvarints(colDstPort, e.uints(rows, func(r *Row) uint64 { return uint64(r.Event.Dst.Addr.Port()) }))
	g.diffs(colObserved, e.int64s(rows, func(r *Row) int64 { return r.Event.Observed.UnixMicro() - r.Event.Time.UnixMicro() }))
	g.text(colOutbox, e.texts(rows, func(r *Row) string { return r.Outbox }))
	g.diffs(colNumber, e.int64s(rows, func(r *Row) int64 { return r.Number }))
}

func (e *Encoder) texts(rows []*Row, get func(*Row) string) []string {
	e.text = e.text[:0]
	for i := range rows {
		e.text = append(e.text, get(rows[i]))
	}
	return e.text
}

func (e *Encoder) uints(rows []*Row, get func(*Row) uint64) []uint64 {
	e.nums = e.nums[:0]
	for i := range rows {
		e.nums = append(e.nums, get(rows[i]))
	}
	return e.nums
}

func (e *Encoder) int64s(rows []*Row, get func(*Row) int64) []int64 {
	e.ints = e.ints[:0]
	for i := range rows {
		e.ints = append(e.ints, get(rows[i]))
	}
	return e.ints
}

// addr is the text of an address, "" for none. Writing one costs more than
// finding it again.
func (e *Encoder) addr(ap netip.AddrPort) string {
	a := ap.Addr()
	if !a.IsValid() {
		return ""
	}
	s, ok := e.addrs[a]
	if !ok {
		s = a.String()
		e.addrs[a] = s
	}
	return s
}

func (e *Encoder) techniqueSets(rows []*Row) []string {
	e.text = e.text[:0]
	for i := range rows {
		e.text = append(e.text, techniqueSet(rows[i].Event.Attacks))
	}
	return e.text
}

// techniqueSet is the column value of a list of techniques.
func techniqueSet(list []honeyguide.Technique) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return escapeTechnique(list[0].ID)
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = escapeTechnique(list[i].ID)
	}
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), " ")
}

var (
	techniqueEscape   = strings.NewReplacer("%", "%25", " ", "%20")
	techniqueUnescape = strings.NewReplacer("%25", "%", "%20", " ")
)

// escapeTechnique keeps a foreign product's odd id from looking like two.
func escapeTechnique(id string) string {
	if strings.ContainsAny(id, "% ") {
		return techniqueEscape.Replace(id)
	}
	return id
}

// endpointColumns are the columns of one side.
type endpointColumns struct{ host, country, asn, asorg uint64 }

func (e *Encoder) cold(rows []*Row) error {
	g := &e.g
	g.reset()
	g.idents(colID, e.texts(rows, storedID))
	g.uvarints(colSrcPort, e.uints(rows, func(r *Row) uint64 { return uint64(r.Event.Src.Addr.Port()) }))
	g.text(colDst, e.texts(rows, func(r *Row) string { return e.addr(r.Event.Dst.Addr) }))
	e.endpoint(rows, func(r *Row) *honeyguide.Endpoint { return &r.Event.Src }, endpointColumns{colSrcHost, colSrcCountry, colSrcASN, colSrcASOrg})
	e.endpoint(rows, func(r *Row) *honeyguide.Endpoint { return &r.Event.Dst }, endpointColumns{colDstHost, colDstCountry, colDstASN, colDstASOrg})
	e.observables(rows)
	e.techniques(rows)
	return e.attributes(rows)
}

// storedID is the id that has to be kept: none when it follows from the rest.
func storedID(r *Row) string {
	if r.Derived {
		return ""
	}
	return r.Event.ID
}

func (e *Encoder) endpoint(rows []*Row, side func(*Row) *honeyguide.Endpoint, c endpointColumns) {
	e.g.text(c.host, e.texts(rows, func(r *Row) string { return side(r).Hostname }))
	e.g.text(c.country, e.texts(rows, func(r *Row) string { return side(r).Country }))
	e.g.uvarints(c.asn, e.uints(rows, func(r *Row) uint64 { return uint64(side(r).ASN) }))
	e.g.text(c.asorg, e.texts(rows, func(r *Row) string { return side(r).ASOrg }))
}

func (e *Encoder) observables(rows []*Row) {
	e.g.uvarints(colObsCount, e.uints(rows, func(r *Row) uint64 { return uint64(len(r.Event.Observables)) }))
	for id, get := range []func(*honeyguide.Observable) string{
		func(o *honeyguide.Observable) string { return o.Name },
		func(o *honeyguide.Observable) string { return o.Type },
		func(o *honeyguide.Observable) string { return o.Value },
	} {
		e.text = e.text[:0]
		for i := range rows {
			for j := range rows[i].Event.Observables {
				e.text = append(e.text, get(&rows[i].Event.Observables[j]))
			}
		}
		e.g.text(colObsName+uint64(id), e.text)
	}
}

func (e *Encoder) techniques(rows []*Row) {
	e.g.uvarints(colTechCount, e.uints(rows, func(r *Row) uint64 { return uint64(len(r.Event.Attacks)) }))
	for id, get := range []func(*honeyguide.Technique) string{
		func(t *honeyguide.Technique) string { return t.ID },
		func(t *honeyguide.Technique) string { return t.Tactic },
		func(t *honeyguide.Technique) string { return t.Why },
	} {
		e.text = e.text[:0]
		for i := range rows {
			for j := range rows[i].Event.Attacks {
				e.text = append(e.text, get(&rows[i].Event.Attacks[j]))
			}
		}
		e.g.text(colTechID+uint64(id), e.text)
	}
}

func (e *Encoder) raw(rows []*Row) {
	g := &e.g
	g.reset()
	from := len(g.body)
	for i := range rows {
		g.body = binary.AppendUvarint(g.body, uint64(len(rows[i].Event.Raw)))
	}
	for i := range rows {
		g.body = append(g.body, rows[i].Event.Raw...)
	}
	g.close(colRaw, encPlain, from)
}

// attrKey names a column of attributes: one name may have values of several types.
type attrKey struct {
	name string
	typ  byte
}

// attrCol gathers the values of one attribute.
type attrCol struct {
	key    attrKey
	bitmap []byte
	text   []string
	ints   []int64
	floats []float64
	bools  []byte
}

type attrTable struct {
	cols map[attrKey]*attrCol
	list []*attrCol
	free []*attrCol
	more []string // per row, what found no column
	some bool
}

func (t *attrTable) reset(n int) {
	clear(t.cols)
	t.free = append(t.free, t.list...)
	t.list, t.some = t.list[:0], false
	t.more = slices.Grow(t.more[:0], n)[:n]
	clear(t.more)
}

// column returns the column of key, a new one when there is room, or nil.
func (t *attrTable) column(key attrKey, n int) *attrCol {
	if c := t.cols[key]; c != nil || len(t.list) == maxAttrs {
		return c
	}
	var c *attrCol
	if k := len(t.free); k > 0 {
		c, t.free = t.free[k-1], t.free[:k-1]
	} else {
		c = new(attrCol)
	}
	size := (n + 7) / 8
	c.key = key
	c.bitmap = slices.Grow(c.bitmap[:0], size)[:size]
	clear(c.bitmap)
	c.text, c.ints, c.floats, c.bools = c.text[:0], c.ints[:0], c.floats[:0], c.bools[:0]
	t.cols[key] = c
	t.list = append(t.list, c)
	return c
}

func (e *Encoder) attributes(rows []*Row) error {
	t := &e.atts
	t.reset(len(rows))
	for i := range rows {
		for name, v := range rows[i].Event.Attrs {
			if err := t.put(i, len(rows), name, v); err != nil {
				return fmt.Errorf("row %d: attribute %q: %w", i, name, err)
			}
		}
	}
	// Maps have no order; blocks of the same rows should be the same bytes.
	slices.SortFunc(t.list, func(a, b *attrCol) int {
		if c := strings.Compare(a.key.name, b.key.name); c != 0 {
			return c
		}
		return int(a.key.typ) - int(b.key.typ)
	})
	for _, c := range t.list {
		e.attribute(c)
	}
	if t.some {
		e.g.text(colMoreAttrs, t.more)
	}
	return nil
}

// put files one value of row i of n.
func (t *attrTable) put(i, n int, name string, v any) error {
	key := attrKey{name: name}
	var j []byte
	switch v.(type) {
	case string:
		key.typ = 's'
	case int64:
		key.typ = 'i'
	case float64:
		key.typ = 'f'
	case bool:
		key.typ = 'b'
	default:
		key.typ = 'j'
		var err error
		if j, err = json.Marshal(v); err != nil {
			return err
		}
	}
	c := t.column(key, n)
	if c == nil {
		t.overflow(i, key, v, j)
		return nil
	}
	c.bitmap[i/8] |= 1 << (i % 8)
	switch x := v.(type) {
	case string:
		c.text = append(c.text, x)
	case int64:
		c.ints = append(c.ints, x)
	case float64:
		c.floats = append(c.floats, x)
	case bool:
		c.bools = append(c.bools, truth(x))
	default:
		c.text = append(c.text, string(j))
	}
	return nil
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// overflow keeps a value that found no column: uvarint length, name, type,
// uvarint length, value.
func (t *attrTable) overflow(i int, key attrKey, v any, j []byte) {
	var value []byte
	switch x := v.(type) {
	case string:
		value = []byte(x)
	case int64:
		value = binary.AppendUvarint(nil, zigzag(x))
	case float64:
		value = binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))
	case bool:
		value = []byte{truth(x)}
	default:
		value = j
	}
	row := []byte(t.more[i])
	row = binary.AppendUvarint(row, uint64(len(key.name)))
	row = append(append(row, key.name...), key.typ)
	row = binary.AppendUvarint(row, uint64(len(value)))
	t.more[i], t.some = string(append(row, value...)), true
}

// attribute adds the column of one attribute.
func (e *Encoder) attribute(c *attrCol) {
	g := &e.g
	from := len(g.body)
	g.body = binary.AppendUvarint(g.body, uint64(len(c.key.name)))
	g.body = append(append(g.body, c.key.name...), c.key.typ)
	g.body = append(g.body, c.bitmap...)
	enc := byte(encByte)
	switch c.key.typ {
	case 'i':
		enc = g.putDiffs(c.ints)
	case 'f':
		enc = encFloat
		for _, f := range c.floats {
			g.body = binary.LittleEndian.AppendUint64(g.body, math.Float64bits(f))
		}
	case 'b':
		g.body = append(g.body, c.bools...)
	default:
		enc = g.putText(c.text)
	}
	g.close(colAttr, enc, from)
}
