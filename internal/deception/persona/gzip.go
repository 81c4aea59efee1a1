package persona

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// A gzip file of the index holds text, packed in one deflate block of the fixed
// code: each character below 144 takes eight bits there, so that every byte of
// the file can be made without the bytes before it, and the packed text is
// exactly as long as the index says.
const (
	gzipHead = 10
	gzipRest = 10 // ten bits around the block, check sum and length
)

func (f *file) gzip(p []byte, off int64) {
	head := append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03"), f.head...)
	if f.head != "" {
		head[3] = 8
	}
	n := f.size - int64(len(head)) - gzipRest // characters
	if n < 0 {
		f.fill(p, off, head)
		return
	}
	doc := file{form: plainForm, key: f.key, size: n}
	from := int64(len(head))
	for i := 0; i < len(p); {
		at := off + int64(i)
		switch {
		case at < from:
			i += copy(p[i:], head[at:])
		case at < from+n+2:
			end := min(int64(len(p)), int64(i)+from+n+2-at)
			deflated(p[i:end], at-from, &doc)
			i = int(end)
		default:
			i += copy(p[i:], f.gzipTrailer(&doc)[at-from-n-2:])
		}
	}
}

// deflated fills p with the bytes from off on of a last block of fixed codes:
// three bits, a code of eight bits per character, seven zero bits.
func deflated(p []byte, off int64, doc *file) {
	var buf [513]byte
	for len(p) > 0 {
		k := min(len(p), len(buf)-1)
		// Byte i holds the last bits of character i-1 and the first of i.
		text := buf[:k+1]
		clear(text)
		first := off - 1
		lo, hi := max(first, 0), min(off+int64(k), doc.size)
		if hi > lo {
			doc.ReadAt(text[lo-first:hi-first], lo)
		}
		code := func(at int64) byte {
			if at < 0 || at >= doc.size {
				return 0
			}
			return bits.Reverse8(text[at-first] + 0x30)
		}
		for i := range k {
			at := off + int64(i)
			b := code(at) << 3
			if at == 0 {
				b |= 3
			} else {
				b |= code(at-1) >> 5
			}
			p[i] = b
		}
		p, off = p[k:], off+int64(k)
	}
}

func (f *file) gzipTrailer(doc *file) []byte {
	sum := crc32.NewIEEE()
	var buf [4096]byte
	for off := int64(0); off < doc.size; off += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), doc.size-off)]
		doc.ReadAt(b, off)
		_, _ = sum.Write(b)
	}
	b := binary.LittleEndian.AppendUint32(nil, sum.Sum32())
	return binary.LittleEndian.AppendUint32(b, uint32(doc.size))
}
