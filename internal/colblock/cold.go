package colblock

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"net/netip"

	"honeyguide"
)

// A Cold is the cold and raw group read whole, together with its hot group: it
// makes rows. It serves one goroutine.
type Cold struct {
	hot      hotRows
	ids      []string
	srcPort  []uint64
	dst      *addrs
	src, far side
	obs      members
	techs    members
	attrs    []attrColumn
	more     *Text
	raw      *Text
}

// side is one endpoint's columns.
type side struct {
	host, country, asorg *Text
	asn                  []uint64
}

// members is a list column: where each row's members begin, and their three fields.
type members struct {
	from   []uint32 // n+1 offsets
	fields [3]*Text
}

// attrColumn is one attribute of some rows.
type attrColumn struct {
	name   string
	bitmap []byte
	before []uint16 // rows that have it before each byte of the bitmap
	text   *Text
	boxed  []any // values of text entries
	ints   []int64
	floats []float64
	bools  []byte
	typ    byte
}

// Cold unpacks the cold group, and the raw group when there is one, of the block
// h belongs to.
func (d *Decoder) Cold(h *Hot, cold, raw []byte) (*Cold, error) {
	n := h.N()
	cols, err := d.group(n, cold)
	if err != nil {
		return nil, fmt.Errorf("cold group: %w", err)
	}
	c := &Cold{}
	if c.hot, err = h.all(); err != nil {
		return nil, fmt.Errorf("hot group: %w", err)
	}
	if err := c.read(cols); err != nil {
		return nil, fmt.Errorf("cold group: %w", err)
	}
	if raw != nil {
		rawCols, err := d.group(n, raw)
		if err != nil {
			return nil, fmt.Errorf("raw group: %w", err)
		}
		if c.raw, err = rawCols.text(colRaw); err != nil {
			return nil, fmt.Errorf("raw group: %w", err)
		}
	}
	return c, nil
}

func (c *columns) text(id uint64) (*Text, error) {
	col, err := c.column(id)
	if err != nil {
		return nil, err
	}
	t, err := col.text(c.n)
	if err != nil {
		return nil, fmt.Errorf("column %d: %w", id, err)
	}
	return t, nil
}

func (c *columns) uvarints(id, limit uint64) ([]uint64, error) {
	col, err := c.column(id)
	if err != nil {
		return nil, err
	}
	return col.uvarints(c.n, limit)
}

func (c *Cold) read(cols *columns) error {
	id, err := cols.column(colID)
	if err != nil {
		return err
	}
	if c.ids, err = id.idents(cols.n); err != nil {
		return err
	}
	if c.srcPort, err = cols.uvarints(colSrcPort, 1<<16-1); err != nil {
		return err
	}
	dst, err := cols.text(colDst)
	if err != nil {
		return err
	}
	if c.dst, err = parseAddrs(dst); err != nil {
		return err
	}
	if err := c.src.read(cols, endpointColumns{colSrcHost, colSrcCountry, colSrcASN, colSrcASOrg}); err != nil {
		return err
	}
	if err := c.far.read(cols, endpointColumns{colDstHost, colDstCountry, colDstASN, colDstASOrg}); err != nil {
		return err
	}
	if err := c.obs.read(cols, colObsCount); err != nil {
		return err
	}
	if err := c.techs.read(cols, colTechCount); err != nil {
		return err
	}
	return c.readAttrs(cols)
}

func (s *side) read(cols *columns, c endpointColumns) (err error) {
	if s.host, err = cols.text(c.host); err != nil {
		return err
	}
	if s.country, err = cols.text(c.country); err != nil {
		return err
	}
	if s.asorg, err = cols.text(c.asorg); err != nil {
		return err
	}
	s.asn, err = cols.uvarints(c.asn, math.MaxUint32)
	return err
}

// read reads the count column and the three field columns after it.
func (m *members) read(cols *columns, first uint64) error {
	counts, err := cols.uvarints(first, maxMembers)
	if err != nil {
		return err
	}
	m.from = make([]uint32, cols.n+1)
	total := uint64(0)
	for i, n := range counts {
		if total += n; total > maxMembers {
			return corrupt("%d members of a list", total)
		}
		m.from[i+1] = uint32(total)
	}
	for f := range m.fields {
		col, err := cols.column(first + 1 + uint64(f))
		if err != nil {
			return err
		}
		if m.fields[f], err = col.text(int(total)); err != nil {
			return fmt.Errorf("column %d: %w", first+1+uint64(f), err)
		}
	}
	return nil
}

func (c *Cold) readAttrs(cols *columns) error {
	c.attrs = make([]attrColumn, len(cols.attrs))
	for i, col := range cols.attrs {
		if err := c.attrs[i].read(col, cols.n); err != nil {
			return fmt.Errorf("attribute %d: %w", i, err)
		}
	}
	if cols.known[colMoreAttrs] == nil {
		return nil
	}
	var err error
	if c.more, err = cols.text(colMoreAttrs); err != nil {
		return err
	}
	for _, row := range c.more.entries {
		if err := eachMore(row, func(string, any) {}); err != nil {
			return err
		}
	}
	return nil
}

func (a *attrColumn) read(col rawColumn, n int) (err error) {
	r := reader{b: col.data}
	a.name = string(r.take(r.uvarint()))
	a.typ = r.byte()
	a.bitmap = r.take(uint64(n+7) / 8)
	if r.bad {
		return corrupt("attribute is cut")
	}
	if rest := n % 8; rest != 0 && a.bitmap[len(a.bitmap)-1]>>rest != 0 {
		return corrupt("attribute of rows there are not")
	}
	a.before = make([]uint16, len(a.bitmap))
	k := 0
	for i, b := range a.bitmap {
		a.before[i] = uint16(k)
		k += bits.OnesCount8(b)
	}
	col.data = r.b
	switch a.typ {
	case 'i':
		a.ints, err = col.diffs(k)
	case 'f':
		a.floats, err = col.floats(k)
	case 'b':
		a.bools, err = col.bytes(k)
	case 's', 'j':
		if a.text, err = col.text(k); err == nil {
			err = a.box()
		}
	default:
		err = corrupt("attribute type %q", a.typ)
	}
	return err
}

// box makes the values of text entries once, so that rows share them.
func (a *attrColumn) box() error {
	a.boxed = make([]any, len(a.text.entries))
	for i, b := range a.text.entries {
		if a.typ == 's' {
			continue // made when asked for
		}
		v, err := decodeJSON(b)
		if err != nil && (i > 0 || len(b) > 0) { // entry 0 of a dictionary is empty
			return corrupt("attribute is no JSON")
		}
		a.boxed[i] = v
	}
	return nil
}

// value returns the value of row i, ok false when it has none.
func (a *attrColumn) value(i int) (v any, ok bool) {
	b := a.bitmap[i/8]
	if b>>(i%8)&1 == 0 {
		return nil, false
	}
	k := int(a.before[i/8]) + bits.OnesCount8(b&(1<<(i%8)-1))
	switch a.typ {
	case 'i':
		return a.ints[k], true
	case 'f':
		return a.floats[k], true
	case 'b':
		return a.bools[k] != 0, true
	}
	c := a.text.Code(k)
	if a.boxed[c] == nil && a.typ == 's' {
		a.boxed[c] = string(a.text.entries[c])
	}
	return a.boxed[c], true
}

// eachMore yields the attributes of one row of the overflow column.
func eachMore(row []byte, yield func(name string, v any)) error {
	for r := (reader{b: row}); len(r.b) > 0; {
		name := string(r.take(r.uvarint()))
		typ := r.byte()
		value := r.take(r.uvarint())
		if r.bad {
			return corrupt("attribute list is cut")
		}
		v, err := moreValue(typ, value)
		if err != nil {
			return err
		}
		yield(name, v)
	}
	return nil
}

func moreValue(typ byte, b []byte) (any, error) {
	switch {
	case typ == 's':
		return string(b), nil
	case typ == 'i':
		r := reader{b: b}
		if v := unzigzag(r.uvarint()); r.done() {
			return v, nil
		}
	case typ == 'f' && len(b) == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case typ == 'b' && len(b) == 1:
		return b[0] != 0, nil
	case typ == 'j':
		if v, err := decodeJSON(b); err == nil {
			return v, nil
		}
	}
	return nil, corrupt("attribute of type %q", typ)
}

// Row sets r to row i.
func (c *Cold) Row(i int, r *Row) {
	h := &c.hot
	r.Outbox, r.Number, r.Derived = h.outbox.At(i), h.numbers[i], false
	e := &r.Event
	*e = honeyguide.Event{
		ID: c.ids[i], Time: micros(h.times[i]), Observed: micros(h.times[i] + h.observed[i]),
		Class: honeyguide.Class(h.classes[i]), Activity: h.activity.At(i), Severity: honeyguide.Severity(h.sevs[i]),
		Sensor: h.sensor.At(i), Service: h.service.At(i), Session: h.session.At(i),
		Src: c.src.at(i, netip.AddrPortFrom(h.src.at(i), uint16(c.srcPort[i]))),
		Dst: c.far.at(i, netip.AddrPortFrom(c.dst.at(i), uint16(h.ports[i]))),
	}
	if e.ID == "" && r.Outbox != "" {
		e.ID, r.Derived = c.ID(i), true
	}
	c.lists(i, e)
	c.attributes(i, e)
	if c.raw != nil {
		if raw := c.raw.entries[c.raw.Code(i)]; len(raw) > 0 {
			e.Raw = append([]byte(nil), raw...)
		}
	}
}

// ID returns the id of row i; it costs less than making the row.
func (c *Cold) ID(i int) string {
	id, outbox := c.ids[i], c.hot.outbox.At(i)
	if id == "" && outbox != "" {
		return EventID(outbox, c.hot.numbers[i], micros(c.hot.times[i]))
	}
	return id
}

func (s *side) at(i int, addr netip.AddrPort) honeyguide.Endpoint {
	return honeyguide.Endpoint{Addr: addr, Hostname: s.host.At(i), Country: s.country.At(i), ASN: uint32(s.asn[i]), ASOrg: s.asorg.At(i)}
}

func (c *Cold) lists(i int, e *honeyguide.Event) {
	if from, to := int(c.obs.from[i]), int(c.obs.from[i+1]); to > from {
		e.Observables = make([]honeyguide.Observable, to-from)
		for j := range e.Observables {
			f := &c.obs.fields
			e.Observables[j] = honeyguide.Observable{Name: f[0].At(from + j), Type: f[1].At(from + j), Value: f[2].At(from + j)}
		}
	}
	if from, to := int(c.techs.from[i]), int(c.techs.from[i+1]); to > from {
		e.Attacks = make([]honeyguide.Technique, to-from)
		for j := range e.Attacks {
			f := &c.techs.fields
			e.Attacks[j] = honeyguide.Technique{ID: f[0].At(from + j), Tactic: f[1].At(from + j), Why: f[2].At(from + j)}
		}
	}
}

func (c *Cold) attributes(i int, e *honeyguide.Event) {
	k := 0
	for j := range c.attrs {
		k += int(c.attrs[j].bitmap[i/8] >> (i % 8) & 1)
	}
	var more []byte
	if c.more != nil {
		more = c.more.entries[c.more.Code(i)]
	}
	if k == 0 && len(more) == 0 {
		return
	}
	e.Attrs = make(map[string]any, k)
	for j := range c.attrs {
		if v, ok := c.attrs[j].value(i); ok {
			e.Attrs[c.attrs[j].name] = v
		}
	}
	// Read once before: it cannot fail now.
	_ = eachMore(more, func(name string, v any) { e.Attrs[name] = v })
}

// Country returns the country of row i's source.
func (c *Cold) Country(i int) string { return c.src.country.At(i) }

// ASN returns the autonomous system number of row i's source, 0 for none.
func (c *Cold) ASN(i int) uint32 { return uint32(c.src.asn[i]) }

// Attr returns an attribute of row i; it costs less than making the row.
func (c *Cold) Attr(i int, name string) (v any, ok bool) {
	for j := range c.attrs {
		if c.attrs[j].name != name {
			continue
		}
		if v, ok := c.attrs[j].value(i); ok {
			return v, true
		}
	}
	if c.more != nil {
		_ = eachMore(c.more.entries[c.more.Code(i)], func(n string, w any) {
			if n == name {
				v, ok = w, true
			}
		})
	}
	return v, ok
}
