package evtx

import (
	"encoding/binary"
	"hash/crc32"
	"unicode/utf16"
)

// A builder makes event log files for tests. Offsets are those in the chunk.
type builder struct{ b []byte }

func (w *builder) u8(v ...byte)    { w.b = append(w.b, v...) }
func (w *builder) u16(v int)       { w.b = binary.LittleEndian.AppendUint16(w.b, uint16(v)) }
func (w *builder) u32(v int)       { w.b = binary.LittleEndian.AppendUint32(w.b, uint32(v)) }
func (w *builder) u64(v uint64)    { w.b = binary.LittleEndian.AppendUint64(w.b, v) }
func (w *builder) put32(at, v int) { binary.LittleEndian.PutUint32(w.b[at:], uint32(v)) }

func utf(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// name writes a name right where it is needed.
func (w *builder) name(s string) {
	w.u32(len(w.b) + 4)
	w.u32(0)
	w.u16(0)
	w.u16(len([]rune(s)))
	w.b = append(w.b, utf(s)...)
	w.u16(0)
}

// element writes an element; inside is called for what is in it.
func (w *builder) element(name string, dependency int, attrs func(), inside func()) {
	token := byte(tokenOpen)
	if attrs != nil {
		token |= hasMore
	}
	w.u8(token)
	w.u16(dependency)
	size := len(w.b)
	w.u32(0)
	w.name(name)
	if attrs != nil {
		w.u32(0)
		attrs()
	}
	if inside == nil {
		w.u8(tokenCloseEmpty)
	} else {
		w.u8(tokenCloseStart)
		inside()
		w.u8(tokenCloseEnd)
	}
	w.put32(size, len(w.b)-size-4)
}

func (w *builder) attribute(name string, value func()) {
	w.u8(tokenAttribute)
	w.name(name)
	value()
}

func (w *builder) text(s string) {
	w.u8(tokenValue, typeString)
	w.u16(len([]rune(s)))
	w.b = append(w.b, utf(s)...)
}

func (w *builder) hole(token byte, id int) { w.u8(token); w.u16(id); w.u8(typeString) }

type filled struct {
	typ  byte
	data []byte
}

// template writes an instance of a template whose definition stands in it.
func (w *builder) template(body func(), values ...filled) {
	w.u8(tokenTemplate, 1)
	w.u32(7)
	w.u32(len(w.b) + 4)
	w.u32(0)
	w.b = append(w.b, make([]byte, 16)...)
	size := len(w.b)
	w.u32(0)
	w.u8(tokenFragment, 1, 1, 0)
	body()
	w.u8(tokenEnd)
	w.put32(size, len(w.b)-size-4)
	w.values(values...)
}

func (w *builder) values(values ...filled) {
	w.u32(len(values))
	for _, v := range values {
		w.u16(len(v.data))
		w.u8(v.typ, 0)
	}
	for _, v := range values {
		w.b = append(w.b, v.data...)
	}
}

// record writes a record around binary XML.
func (w *builder) record(id uint64, body func()) {
	start := len(w.b)
	w.b = append(w.b, recordMagic...)
	w.u32(0)
	w.u64(id)
	w.u64(133_000_000_000_000_000)
	w.u8(tokenFragment, 1, 1, 0)
	body()
	w.u8(tokenEnd)
	size := len(w.b) - start + 4
	w.u32(size)
	w.put32(start+4, size)
}

// newChunk begins a chunk.
func newChunk() *builder {
	w := &builder{b: make([]byte, records)}
	copy(w.b, chunkMagic)
	return w
}

// seal ends a chunk with its checksums.
func (w *builder) seal() []byte {
	free := min(len(w.b), chunkSize)
	w.put32(48, free)
	w.b = append(w.b, make([]byte, max(chunkSize-len(w.b), 0))...)[:chunkSize]
	sums(w.b, free)
	return w.b
}

func sums(c []byte, free int) {
	binary.LittleEndian.PutUint32(c[52:], crc32.ChecksumIEEE(c[records:free]))
	binary.LittleEndian.PutUint32(c[124:], crc32.Update(crc32.ChecksumIEEE(c[:120]), crc32.IEEETable, c[128:records]))
}

// file puts a header before chunks.
func file(chunks ...[]byte) []byte {
	b := make([]byte, fileHeader)
	copy(b, Magic)
	b[38] = 3
	for _, c := range chunks {
		b = append(b, c...)
	}
	return b
}

// sample is a chunk of two records; the second uses the template of the first.
func sample() []byte {
	w := newChunk()
	at := 0
	body := func() {
		w.element("Event", noDependency, func() { w.attribute("xmlns", func() { w.text("urn:x") }) }, func() {
			w.element("System", noDependency, nil, func() {
				w.element("Provider", noDependency, func() {
					w.attribute("Name", func() { w.hole(tokenOptional, 0) })
					w.attribute("Guid", func() { w.hole(tokenOptional, 1) })
				}, nil)
				w.element("EventID", noDependency, nil, func() { w.hole(tokenNormal, 2) })
				w.element("Task", 3, nil, func() { w.hole(tokenOptional, 3) })
				w.element("TimeCreated", noDependency, func() { w.attribute("SystemTime", func() { w.hole(tokenNormal, 4) }) }, nil)
				w.element("Security", noDependency, func() { w.attribute("UserID", func() { w.hole(tokenOptional, 5) }) }, nil)
			})
			w.element("EventData", noDependency, nil, func() {
				w.element("Data", noDependency, func() { w.attribute("Name", func() { w.text("Image") }) }, func() { w.hole(tokenNormal, 6) })
			})
		})
	}
	values := []filled{
		{typeString, utf("Sysmon")},
		{typeNull, nil},
		{typeUint16, []byte{1, 0}},
		{typeNull, nil},
		{typeTime, binary.LittleEndian.AppendUint64(nil, 133_000_000_000_000_000)},
		{typeSID, []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0}},
		{typeString, utf(`C:\a & <b>.exe` + "\x00")},
	}
	w.record(1, func() {
		at = len(w.b) + 10
		w.template(body, values...)
	})
	values[1] = filled{typeGUID, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
	values[3] = filled{typeUint16, []byte{7, 0}}
	w.record(2, func() {
		w.u8(tokenTemplate, 1)
		w.u32(7)
		w.u32(at)
		w.values(values...)
	})
	return w.seal()
}
