package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll reads a file to its end.
func readAll(t testing.TB, in io.Reader) (texts []string, lost []*Damage) {
	t.Helper()
	r, err := NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := r.Next()
		d, damaged := errors.AsType[*Damage](err)
		switch {
		case errors.Is(err, io.EOF):
			return texts, lost
		case damaged:
			lost = append(lost, d)
		case err != nil:
			t.Fatal(err)
		default:
			texts = append(texts, string(rec.XML))
		}
		if len(lost) > 10_000 {
			t.Fatal("it does not end")
		}
	}
}

const (
	first  = `<Event xmlns="urn:x"><System><Provider Name="Sysmon"></Provider><EventID>1</EventID><TimeCreated SystemTime="2022-06-18T04:26:40.0000000Z"></TimeCreated><Security UserID="S-1-5-18"></Security></System><EventData><Data Name="Image">C:\a &amp; &lt;b&gt;.exe</Data></EventData></Event>`
	second = `<Event xmlns="urn:x"><System><Provider Name="Sysmon" Guid="{04030201-0605-0807-090a-0b0c0d0e0f10}"></Provider><EventID>1</EventID><Task>7</Task><TimeCreated SystemTime="2022-06-18T04:26:40.0000000Z"></TimeCreated><Security UserID="S-1-5-18"></Security></System><EventData><Data Name="Image">C:\a &amp; &lt;b&gt;.exe</Data></EventData></Event>`
)

func TestTemplates(t *testing.T) {
	got, lost := readAll(t, iotest.OneByteReader(bytes.NewReader(file(sample(), sample()))))
	want := []string{first, second, first, second}
	if len(lost) != 0 || len(got) != len(want) {
		t.Fatalf("got %d records, lost %v", len(got), lost)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("record %d\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

func TestValues(t *testing.T) {
	for name, c := range map[string]struct {
		typ  byte
		data []byte
		want string
	}{
		"int8":         {typeInt8, []byte{0xff}, "-1"},
		"uint8":        {typeUint8, []byte{0xff}, "255"},
		"int16":        {typeInt16, []byte{0xff, 0xff}, "-1"},
		"int32":        {typeInt32, []byte{0xfe, 0xff, 0xff, 0xff}, "-2"},
		"uint32":       {typeUint32, []byte{1, 0, 0, 0x80}, "2147483649"},
		"int64":        {typeInt64, bytes.Repeat([]byte{0xff}, 8), "-1"},
		"uint64":       {typeUint64, bytes.Repeat([]byte{0xff}, 8), "18446744073709551615"},
		"real32":       {typeReal32, []byte{0, 0, 0xc0, 0x3f}, "1.5"},
		"real64":       {typeReal64, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, "1.5"},
		"true":         {typeBool, []byte{1, 0, 0, 0}, "true"},
		"binary":       {typeBinary, []byte{0xab, 1}, "AB01"},
		"size of 32":   {typeSize, []byte{0x10, 0, 0, 0}, "0x10"},
		"size of 64":   {typeSize, []byte{0x10, 0, 0, 0, 0, 0, 0, 0}, "0x10"},
		"hex32":        {typeHex32, []byte{0xff, 0, 0, 0}, "0xff"},
		"hex64":        {typeHex64, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, "0x8000000000000000"},
		"system time":  {typeSystem, []byte{0xea, 7, 11, 0, 6, 0, 21, 0, 19, 0, 30, 0, 5, 0, 123, 0}, "2026-11-21T19:30:05.123Z"},
		"ansi":         {typeANSI, []byte("a<\xe4\x00"), "a&lt;ä"},
		"strings":      {typeArray | typeString, utf("a\x00bc\x00"), "a, bc"},
		"strings, cut": {typeArray | typeString, utf("a\x00bc"), "a, bc"},
		"numbers":      {typeArray | typeUint16, []byte{1, 0, 2, 0, 3}, "1, 2"},
		"surrogates":   {typeString, utf("😀"), "😀"},
		"control":      {typeString, utf("a\x01\tb\r\n"), "a\uFFFD\tb&#13;\n"},
		"too short":    {typeGUID, []byte{1, 2}, ""},
		"unknown":      {0x30, []byte{1, 2}, ""},
	} {
		w := newChunk()
		w.record(1, func() {
			w.template(func() { w.element("a", noDependency, nil, func() { w.hole(tokenNormal, 0) }) }, filled{c.typ, c.data})
		})
		got, lost := readAll(t, bytes.NewReader(file(w.seal())))
		if len(lost) != 0 || len(got) != 1 || got[0] != "<a>"+c.want+"</a>" {
			t.Errorf("%s: got %q, lost %v, want %q", name, got, lost, c.want)
		}
	}
}

// Binary XML as a value, as EventData mostly comes.
func TestNested(t *testing.T) {
	w := newChunk()
	w.record(1, func() {
		inner := &builder{}
		w.template(func() { w.element("Event", noDependency, nil, func() { w.hole(tokenNormal, 0) }) })
		// The value has to know its place in the chunk: rebuild it behind its head.
		w.b = w.b[:len(w.b)-4]
		w.u32(1)
		start := len(w.b) + 4
		inner.b = make([]byte, start)
		inner.u8(tokenFragment, 1, 1, 0)
		inner.template(func() { inner.element("EventData", noDependency, nil, func() { inner.text("x") }) })
		inner.u8(tokenEnd)
		w.u16(len(inner.b) - start)
		w.u8(typeBinXML, 0)
		w.b = append(w.b, inner.b[start:]...)
	})
	got, lost := readAll(t, bytes.NewReader(file(w.seal())))
	if len(lost) != 0 || len(got) != 1 || got[0] != "<Event><EventData>x</EventData></Event>" {
		t.Errorf("got %q, lost %v", got, lost)
	}
}

func TestDamage(t *testing.T) {
	good := sample()
	edit := func(f func(c []byte)) []byte { c := bytes.Clone(good); f(c); return c }
	free := int(binary.LittleEndian.Uint32(good[48:]))
	selfish := newChunk()
	selfish.record(1, func() { // a template that is its own content, twice
		at := len(selfish.b) + 10
		selfish.template(func() {
			for range 2 {
				selfish.u8(tokenTemplate, 1)
				selfish.u32(7)
				selfish.u32(at)
				selfish.values()
			}
		})
	})
	deep := newChunk()
	deep.record(1, func() {
		for range 200 {
			deep.u8(tokenOpen)
			deep.u16(noDependency)
			deep.u32(0)
			deep.name("a")
		}
	})
	for name, c := range map[string]struct {
		chunk     []byte
		texts     int
		why       string
		afterward int
	}{
		"header checksum": {edit(func(c []byte) { c[200] ^= 1 }), 0, "checksum of its header", 2},
		"magic":           {edit(func(c []byte) { c[0] = 'X' }), 0, "does not begin like one", 2},
		"unused":          {make([]byte, chunkSize), 0, "", 2},
		"record size":     {edit(func(c []byte) { c[records+4]++; sums(c, free) }), 0, "size is wrong", 2},
		"name outside":    {edit(func(c []byte) { binary.LittleEndian.PutUint32(c[records+24+4+34+4+7:], 1<<30); sums(c, free) }), -1, "", 2},
		"itself within":   {selfish.seal(), 0, "nested too deeply", 2},
		"deep":            {deep.seal(), 0, "nested too deeply", 2},
	} {
		texts, lost := readAll(t, bytes.NewReader(file(c.chunk, good)))
		if c.texts >= 0 && len(texts) != c.texts+c.afterward {
			t.Errorf("%s: %d records", name, len(texts))
		}
		if c.why != "" && (len(lost) == 0 || !strings.Contains(lost[0].Error(), c.why)) {
			t.Errorf("%s: lost %v, want %q", name, lost, c.why)
		}
	}
	for name, in := range map[string][]byte{"empty": nil, "cut header": file()[:100], "version": append([]byte(Magic), make([]byte, fileHeader)...), "text": bytes.Repeat([]byte("x"), 5000)} {
		if _, err := NewReader(bytes.NewReader(in)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// A file that is cut off within a chunk gives what is whole.
	if texts, _ := readAll(t, bytes.NewReader(file(good, good)[:fileHeader+chunkSize+free])); len(texts) != 4 {
		t.Errorf("cut file: %d records", len(texts))
	}
	// A chunk that was not closed is read, and says so.
	r, err := NewReader(bytes.NewReader(file(edit(func(c []byte) {
		c[52] ^= 1
		binary.LittleEndian.PutUint32(c[124:], crc32.Update(crc32.ChecksumIEEE(c[:120]), crc32.IEEETable, c[128:records]))
	}))))
	if err != nil {
		t.Fatal(err)
	}
	if rec, err := r.Next(); err != nil || !rec.Dirty {
		t.Errorf("dirty chunk: %v %v", rec.Dirty, err)
	}
}

// Records that use one large template over and over do not grow without bound.
func TestAmplification(t *testing.T) {
	w := newChunk()
	at := 0
	body := func() {
		w.element("a", noDependency, nil, func() {
			for range 3000 {
				w.hole(tokenNormal, 0)
			}
		})
	}
	w.record(1, func() {
		at = len(w.b) + 10
		w.template(body, filled{typeString, utf("<<<<<<<<<<<<<<<<")})
	})
	for id := uint64(2); len(w.b) < chunkSize-200; id++ {
		w.record(id, func() {
			w.u8(tokenTemplate, 1)
			w.u32(7)
			w.u32(at)
			w.values(filled{typeString, utf("<<<<<<<<<<<<<<<<")})
		})
	}
	texts, lost := readAll(t, bytes.NewReader(file(w.seal())))
	total := 0
	for _, s := range texts {
		total += len(s)
	}
	if total > maxChunkXML+maxXML || len(lost) == 0 {
		t.Errorf("%d bytes of XML of one chunk, %d records lost", total, len(lost))
	}
}

// FuzzRecords changes a chunk behind its header and mends the checksums, so that
// every change reaches the parser.
func FuzzRecords(f *testing.F) {
	f.Add(sample()[records:])
	f.Fuzz(func(t *testing.T, body []byte) {
		c := make([]byte, chunkSize)
		copy(c, chunkMagic)
		n := copy(c[records:], body)
		binary.LittleEndian.PutUint32(c[48:], uint32(records+n))
		sums(c, records+n)
		texts, _ := readAll(t, bytes.NewReader(file(c)))
		for _, s := range texts {
			if len(s) > maxXML+8*chunkSize {
				t.Fatalf("%d bytes of XML", len(s))
			}
		}
	})
}

func BenchmarkNext(b *testing.B) {
	in := file(sample(), sample(), sample())
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(in))
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := r.Next(); err != nil {
				break
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}
