package persona

import (
	"encoding/binary"
	"hash/crc32"
	"strings"

	"honeyguide/internal/image"
)

// mix is a cheap hash of a position: equal positions give equal bytes.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// bytesOf is arbitrary bytes that are always the same.
type bytesOf struct{ key uint64 }

// ReadAt implements vfs.Source.
func (b bytesOf) ReadAt(p []byte, off int64) {
	words(p, off, func(at uint64) uint64 { return mix(b.key + at*0x9e3779b97f4a7c15) })
}

// words fills p, the bytes from off on of a file of eight-byte words.
func words(p []byte, off int64, word func(at uint64) uint64) {
	var w [8]byte
	at := uint64(off >> 3)
	if skip := off & 7; skip != 0 && len(p) > 0 {
		binary.LittleEndian.PutUint64(w[:], word(at))
		n := copy(p, w[skip:])
		p, at = p[n:], at+1
	}
	for ; len(p) >= 8; p, at = p[8:], at+1 {
		binary.LittleEndian.PutUint64(p, word(at))
	}
	if len(p) > 0 {
		binary.LittleEndian.PutUint64(w[:], word(at))
		copy(p, w[:])
	}
}

// zeros is a file of zeros.
type zeros struct{}

// ReadAt implements vfs.Source.
func (zeros) ReadAt(p []byte, _ int64) { clear(p) }

// A form is what many files of an image have in common.
type form struct {
	kind  image.Kind
	head  string // fixed first bytes
	style style  // of text
	elf   image.ELFHead
}

// A file is the content of one file of the index: bytes made where they are
// read, right in kind, always the same, and exactly as many as the index says.
type file struct {
	*form
	key  uint64
	size int64
}

// A code is the content of a file of Python's byte code.
type code struct {
	file
	source uint64 // time of change and size of what it was made from
}

// ReadAt implements vfs.Source.
func (c *code) ReadAt(p []byte, off int64) {
	// Number of Python 3.11, flags, time and size of the source, an object.
	b := binary.LittleEndian.AppendUint64([]byte("\xa7\r\r\n\x00\x00\x00\x00"), c.source)
	c.fill(p, off, append(b, "\xe3\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\xf3"...))
}

// ReadAt implements vfs.Source.
func (f *file) ReadAt(p []byte, off int64) {
	switch f.kind {
	case image.ELF:
		f.program(p, off)
	case image.Text:
		f.text(p, off)
	case image.Gzip:
		f.gzip(p, off)
	default:
		f.fill(p, off, f.start())
	}
}

// fill writes head and, behind it, noise with runs of zeros as tables have them.
func (f *file) fill(p []byte, off int64, head []byte) {
	n := 0
	if off < int64(len(head)) {
		n = copy(p, head[off:])
	}
	noise(p[n:], off+int64(n), f.key)
}

// noise is bytes like code: runs of zeros between functions, and never a word
// of letters long enough for strings.
func noise(p []byte, off int64, key uint64) {
	words(p, off, func(at uint64) uint64 {
		if mix(key^at>>2)%5 == 0 {
			return 0
		}
		return mix(key+at*0x9e3779b97f4a7c15) | 0x80000080_00800000
	})
}

// start is how files of a kind begin.
func (f *file) start() []byte {
	le := binary.LittleEndian
	switch f.kind {
	case image.Archive:
		// An archive of one member, its size to the end.
		return []byte("!<arch>\n" + pad("/", 16) + pad("0", 12) + pad("0", 6) + pad("0", 6) + pad("0", 8) + pad(decimal(max(0, f.size-68)), 10) + "`\n")
	case image.PNG:
		side := uint32(16 + f.key%48)
		b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), "IHDR"...)
		b = binary.BigEndian.AppendUint32(b, side)
		b = binary.BigEndian.AppendUint32(b, side)
		b = append(b, 8, 6, 0, 0, 0)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:29]))
		b = binary.BigEndian.AppendUint32(b, uint32(max(0, f.size-57)))
		return append(b, "IDAT\x78\xda"...)
	case image.GIF:
		return []byte{'G', 'I', 'F', '8', '9', 'a', byte(16 + f.key%40), 0, byte(16 + f.key%40), 0, 0xb3, 0, 0}
	case image.JPEG:
		return []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
	case image.Message: // magic, revision, strings, their tables
		n := uint32(f.size / 120)
		b := []byte("\xde\x12\x04\x95\x00\x00\x00\x00")
		b = le.AppendUint32(b, n)
		b = le.AppendUint32(b, 28)
		b = le.AppendUint32(b, 28+8*n)
		b = le.AppendUint32(b, 0)
		return le.AppendUint32(b, 28+16*n)
	case image.Terminfo:
		return []byte("\x1a\x01\x14\x00\x1e\x00\x10\x00\x7d\x01\x00\x00")
	case image.Zone:
		return zoneHead(f.size)
	case image.XZ:
		return []byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46")
	case image.Bzip2:
		return []byte("BZh91AY&SY")
	case image.Zstd:
		return []byte("\x28\xb5\x2f\xfd\x04\x88")
	case image.Zip:
		return []byte("PK\x03\x04\x14\x00\x00\x00\x08\x00")
	case image.SQLite:
		return []byte("SQLite format 3\x00\x10\x00\x01\x01\x00\x40\x20\x20")
	case image.PGP:
		return []byte("\x99\x02\x0d\x04")
	}
	return []byte(f.head)
}

// zoneHead is the beginning of a compiled time zone; the smallest is UTC whole.
func zoneHead(size int64) []byte {
	head := func(types, letters byte) string {
		return "TZif2" + strings.Repeat("\x00", 15) + strings.Repeat("\x00", 12) + "\x00\x00\x00\x00" + "\x00\x00\x00" + string(types) + "\x00\x00\x00" + string(letters)
	}
	one := head(1, 4) + "\x00\x00\x00\x00\x00\x00UTC\x00"
	if size == 114 {
		return []byte(one + one + "\nUTC0\n")
	}
	return []byte(head(1, 4))
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-len(s))) }

func decimal(n int64) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}
