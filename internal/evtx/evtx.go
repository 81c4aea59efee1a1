// Package evtx reads Windows event log files (.evtx, version 3) and gives each
// record as the XML Windows shows for it.
//
// A file is a header of 4 KiB and chunks of 64 KiB, each with records in a binary
// form of XML: a template with holes, and the values that fill them. One chunk is
// in memory at a time. Everything in a chunk is untrusted: offsets are checked,
// and what one record may cost is bounded. A damaged chunk or record is told of and
// passed over.
//
// The layout follows the public descriptions of the format by the libyal project
// and by Microsoft ([MS-EVEN6] 2.2.12 for the binary XML).
package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// Magic begins every file.
const Magic = "ElfFile\x00"

const (
	fileHeader = 4096
	chunkSize  = 64 << 10
	chunkMagic = "ElfChnk\x00"
	records    = 512 // where they begin in a chunk
	recordHead = 24
)

var recordMagic = []byte{0x2a, 0x2a, 0, 0}

// ErrFormat says that the input is no event log file of a version that is read.
var ErrFormat = errors.New("not a Windows event log file of version 3")

// A Damage is a chunk or record that cannot be read; what follows can.
type Damage struct {
	Chunk  int    // number of the chunk, from 0
	Record uint64 // number of the record; 0: the whole chunk
	Size   int    // bytes lost
	Why    string
}

func (d *Damage) Error() string {
	if d.Record == 0 {
		return fmt.Sprintf("chunk %d: %s", d.Chunk, d.Why)
	}
	return fmt.Sprintf("record %d: %s", d.Record, d.Why)
}

// A Record is one event.
type Record struct {
	ID      uint64    // its number in the log
	Written time.Time // UTC
	XML     []byte    // valid until the next call of Next
	Dirty   bool      // the checksum of its chunk is wrong: it was not closed properly
}

// A Reader reads a file from its beginning to its end.
type Reader struct {
	r     io.Reader
	chunk []byte
	n     int // number of the chunk in memory
	pos   int // of the next record in it; 0: none is in memory
	end   int
	dirty bool
	xml   writer
}

// NewReader reads the header of a file.
func NewReader(r io.Reader) (*Reader, error) {
	head := make([]byte, fileHeader)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, cutOff(err)
	}
	if string(head[:8]) != Magic || binary.LittleEndian.Uint16(head[38:]) != 3 {
		return nil, ErrFormat
	}
	return &Reader{r: r, chunk: make([]byte, chunkSize), n: -1}, nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrFormat
	}
	return err
}

// Next returns the next record; io.EOF at the end, a *Damage for what cannot be
// read, and any other error when the input failed.
func (r *Reader) Next() (Record, error) {
	for {
		if r.pos == 0 {
			if err := r.next(); err != nil {
				return Record{}, err
			}
			continue
		}
		if r.pos+recordHead > r.end || !bytes.Equal(r.chunk[r.pos:r.pos+4], recordMagic) {
			r.pos = 0
			continue
		}
		return r.record()
	}
}

// next reads the next chunk.
func (r *Reader) next() error {
	n, err := io.ReadFull(r.r, r.chunk)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	r.n++
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if n < records {
			return io.EOF
		}
		clear(r.chunk[n:])
	} else if err != nil {
		return err
	}
	c := r.chunk
	le := binary.LittleEndian
	if string(c[:8]) != chunkMagic {
		if len(bytes.Trim(c[:8], "\x00")) == 0 {
			return nil // space that was not used yet
		}
		return &Damage{Chunk: r.n, Size: n, Why: "it does not begin like one"}
	}
	sum := crc32.Update(crc32.ChecksumIEEE(c[:120]), crc32.IEEETable, c[128:records])
	if sum != le.Uint32(c[124:]) {
		return &Damage{Chunk: r.n, Size: n, Why: "the checksum of its header is wrong"}
	}
	free := int(le.Uint32(c[48:]))
	if free < records || free > n {
		free = n
	}
	r.dirty = crc32.ChecksumIEEE(c[records:free]) != le.Uint32(c[52:])
	r.pos, r.end = records, free
	r.xml.tokens, r.xml.total, r.xml.out = 0, 0, r.xml.out[:0]
	return nil
}

// record reads the record at pos.
func (r *Reader) record() (Record, error) {
	le := binary.LittleEndian
	at := r.chunk[r.pos:r.end]
	size := int(le.Uint32(at[4:]))
	id := le.Uint64(at[8:])
	if size < recordHead+4 || size > len(at) || int(le.Uint32(at[size-4:])) != size {
		lost := len(at)
		r.pos = 0
		return Record{}, &Damage{Chunk: r.n, Record: max(id, 1), Size: lost, Why: "its size is wrong; the rest of its chunk is lost"}
	}
	start := r.pos + recordHead
	end := r.pos + size - 4
	r.pos += size
	r.xml.reset(r.chunk)
	if err := r.xml.fragment(start, end, nil, 0); err != nil {
		return Record{}, &Damage{Chunk: r.n, Record: max(id, 1), Size: size, Why: err.Error()}
	}
	return Record{ID: id, Written: fileTime(le.Uint64(at[16:])), XML: r.xml.out, Dirty: r.dirty}, nil
}

// fileTime is a count of 100 ns since 1601.
func fileTime(n uint64) time.Time {
	const epoch = 116444736000000000
	d := int64(n) - epoch
	return time.Unix(d/1e7, d%1e7*100).UTC()
}
