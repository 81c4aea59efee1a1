package audit

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// A frontier is what is needed of a tree to let it grow: the roots of its whole
// subtrees, largest first. It takes 64 hashes at most.
type frontier struct {
	size  int64
	roots []Hash
}

// add appends a leaf and returns the hashes that are stored for it, in the
// order of tlog.StoredHashIndex.
func (f *frontier) add(leaf Hash, stored []Hash) []Hash {
	stored = append(stored, leaf)
	h := leaf
	for range bits.TrailingZeros64(^uint64(f.size)) { // as many ones as the size ends with
		last := len(f.roots) - 1
		h = tlog.NodeHash(f.roots[last], h)
		f.roots = f.roots[:last]
		stored = append(stored, h)
	}
	f.roots = append(f.roots, h)
	f.size++
	return stored
}

// root returns the hash of the tree.
func (f *frontier) root() Hash {
	if len(f.roots) == 0 {
		return sha256.Sum256(nil)
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.roots[i], h)
	}
	return h
}

func (f *frontier) clone() frontier { return frontier{f.size, slices.Clone(f.roots)} }

// frontierAt reads the frontier of the first size entries out of stored hashes.
func frontierAt(size int64, r tlog.HashReader) (frontier, error) {
	f := frontier{size: size}
	var at []int64
	begin := int64(0)
	for level := 62; level >= 0; level-- {
		if size&(1<<level) != 0 {
			at = append(at, tlog.StoredHashIndex(level, begin>>level))
			begin += 1 << level
		}
	}
	if len(at) == 0 {
		return f, nil
	}
	var err error
	f.roots, err = r.ReadHashes(at)
	return f, err
}

// frontierOf is frontierAt that believes nothing but the leaves: every hash above
// them is computed again, so that a bit changed anywhere comes out, here or in the
// root. A million entries take half a second (BenchmarkLook).
func frontierOf(size int64, r io.Reader) (f frontier, err error) {
	var stored []Hash
	var leaf Hash
	buf := make([]byte, tlog.HashSize)
	for f.size < size {
		if _, err := io.ReadFull(r, leaf[:]); err != nil {
			return f, fmt.Errorf("hashes.bin ends at entry %d: %w", f.size, err)
		}
		stored = f.add(leaf, stored[:0])
		if !sameHashes(r, stored[1:], buf) {
			return f, fmt.Errorf("hashes.bin contradicts itself at entry %d", f.size-1)
		}
	}
	return f, nil
}

// hashFile is hashes.bin: the stored hashes of the tree, 32 bytes each.
type hashFile struct{ f *os.File }

// ReadHashes reads hashes by their index; it makes hashFile a tlog.HashReader.
func (h hashFile) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	for i, at := range indexes {
		if _, err := h.f.ReadAt(out[i][:], at*tlog.HashSize); err != nil {
			return nil, fmt.Errorf("hashes.bin: %w", err)
		}
	}
	return out, nil
}

// write puts hashes in place from an index on.
func (h hashFile) write(at int64, list []Hash) error {
	if len(list) == 0 {
		return nil
	}
	buf := make([]byte, 0, len(list)*tlog.HashSize)
	for i := range list {
		buf = append(buf, list[i][:]...)
	}
	if _, err := h.f.WriteAt(buf, at*tlog.HashSize); err != nil {
		return fmt.Errorf("hashes.bin: %w", err)
	}
	return nil
}

// leaf returns the hash of one entry.
func (h hashFile) leaf(seq int64) (Hash, error) {
	list, err := h.ReadHashes([]int64{tlog.StoredHashIndex(0, seq)})
	if err != nil {
		return Hash{}, err
	}
	return list[0], nil
}

// sameHashes compares a stretch of a reader with hashes.
func sameHashes(r io.Reader, want []Hash, buf []byte) bool {
	for i := range want {
		if _, err := io.ReadFull(r, buf[:tlog.HashSize]); err != nil || Hash(buf[:tlog.HashSize]) != want[i] {
			return false
		}
	}
	return true
}
