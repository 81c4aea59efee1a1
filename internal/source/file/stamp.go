package file

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// A stamp tells bytes from others: their number and the beginning of their
// SHA-256.
type stamp struct {
	N   int64  `json:"n"`
	Sum string `json:"sum"`
}

func stampOf(b []byte) stamp {
	if len(b) == 0 {
		return stamp{}
	}
	sum := sha256.Sum256(b)
	return stamp{int64(len(b)), hex.EncodeToString(sum[:12])}
}

// headOf is the stamp of the first n bytes, or of as many as there are.
func headOf(r io.ReaderAt, n int64) stamp {
	b := make([]byte, n)
	got, _ := r.ReadAt(b, 0) // fewer are a stamp too
	return stampOf(b[:got])
}

// fits reports whether r has bytes of this stamp at an offset. The stamp of
// nothing fits anywhere.
func (p stamp) fits(r io.ReaderAt, at int64) bool {
	if p.N == 0 {
		return true
	}
	if at < 0 || p.N > headSize {
		return false
	}
	b := make([]byte, p.N)
	n, _ := r.ReadAt(b, at) // fewer fit not
	return int64(n) == p.N && stampOf(b) == p
}

// holds reports whether r is the content of the mark: its head, and the bytes
// before the place.
func (m *mark) holds(r io.ReaderAt) bool {
	return m.Head.fits(r, 0) && m.Tail.fits(r, m.Offset-m.Tail.N)
}

// A heading is the beginning of a file, which is compared with many.
type heading struct {
	bytes  []byte
	stamps map[int64]stamp
}

// stamp returns the stamp of the first n bytes, or of as many as there are.
func (h *heading) stamp(n int64) stamp {
	n = min(n, int64(len(h.bytes)))
	s, ok := h.stamps[n]
	if !ok {
		if h.stamps == nil {
			h.stamps = map[int64]stamp{}
		}
		s = stampOf(h.bytes[:n])
		h.stamps[n] = s
	}
	return s
}
