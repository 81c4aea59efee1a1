package embedded

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Unzstd unpacks the frame at the beginning of b as far as it goes.
func Unzstd(b []byte) []byte {
	r, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.IgnoreChecksum(true))
	if err != nil {
		return nil
	}
	defer r.Close()
	out, _ := io.ReadAll(io.LimitReader(r, 16<<20)) // half a frame is worth looking at
	return out
}

// Blocks counts the blocks of all days: full ones and those of the tail.
func (s *Store) Blocks() (full, small int) {
	for _, d := range s.view.Load().days {
		full += len(d.full)
		small += len(d.small)
	}
	return full, small
}

// FilterBytes is what Bloom filters take in memory.
func (s *Store) FilterBytes() int64 { return s.filterBytes.Load() }

// OpenFiles counts the days with a pool.
func (s *Store) OpenFiles() (n int) {
	for _, d := range s.view.Load().days {
		d.file.mu.RLock()
		if d.file.db != nil {
			n++
		}
		d.file.mu.RUnlock()
	}
	return n
}
