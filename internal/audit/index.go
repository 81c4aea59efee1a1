package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io/fs"
	"os"
)

// blockEntries is how many entries one line of the index stands for.
const blockEntries = 256

// A block is a line of the index: where 256 entries and their personal parts
// begin, when they happened, which actors, actions and outcomes are among them,
// each as one bit of a hash, and how many personal parts were removed. It says
// where there is surely nothing, in 64 bytes for 256 entries.
type block struct {
	off, side                 int64
	from, to                  int64 // least and largest time, µs of Unix
	actors, actions, outcomes uint64
	marks                     uint64 // covering, and the number of parts removed
}

// covering marks a block with an entry that removed something of others.
const covering = 1 << 63

// gone is how many personal parts were removed.
func (b *block) gone() int64 { return int64(b.marks &^ covering) }

func bit(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails (hash.Hash)
	return 1 << (h.Sum64() >> 58)
}

// note adds an entry of a segment to the index.
func (s *segment) note(x *item) {
	e := &x.rec.AuditEntry
	at := e.Time.UnixMicro()
	if int64(len(s.blocks)) <= (x.seq-s.first)/blockEntries { // not by the number alone: an entry before may have been unreadable
		s.blocks = append(s.blocks, block{off: x.off, side: x.side, from: at, to: at})
	}
	b := &s.blocks[len(s.blocks)-1]
	b.from, b.to = min(b.from, at), max(b.to, at)
	b.actors |= bit(e.Actor)
	b.actions |= bit(e.Action)
	b.outcomes |= bit(string(e.Outcome))
	if len(x.rec.covers) > 0 {
		b.marks |= covering
	}
	if x.removed {
		b.marks++
	}
}

// An index file is a head, its lines of 64 bytes each, and SHA-256 of both. The
// head holds the sizes of the two files it was made of: one that is stale, because
// personal parts were removed since, is not believed.
const (
	indexMark  = "hgindex2"
	indexHead  = len(indexMark) + 16
	blockBytes = 64
)

func encodeBlocks(list []block, size, side int64) []byte {
	out := make([]byte, 0, indexHead+len(list)*blockBytes+sha256.Size)
	out = append(out, indexMark...)
	out = binary.LittleEndian.AppendUint64(out, uint64(size))
	out = binary.LittleEndian.AppendUint64(out, uint64(side))
	for i := range list {
		b := &list[i]
		for _, v := range []uint64{uint64(b.off), uint64(b.side), uint64(b.from), uint64(b.to), b.actors, b.actions, b.outcomes, b.marks} {
			out = binary.LittleEndian.AppendUint64(out, v)
		}
	}
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

func decodeBlocks(raw []byte, entries, size, side int64) ([]block, error) {
	want := int64(indexHead) + (entries+blockEntries-1)/blockEntries*blockBytes + sha256.Size
	if int64(len(raw)) != want {
		return nil, errors.New("the index has the wrong size")
	}
	body := raw[:len(raw)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], raw[len(body):]) {
		return nil, errors.New("the index was changed")
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(body[8*i:]) }
	if string(body[:len(indexMark)]) != indexMark || int64(word(1)) != size || int64(word(2)) != side {
		return nil, errors.New("the index is of other files")
	}
	body = body[indexHead:]
	out := make([]block, 0, len(body)/blockBytes)
	for ; len(body) > 0; body = body[blockBytes:] {
		b := block{int64(word(0)), int64(word(1)), int64(word(2)), int64(word(3)), word(4), word(5), word(6), word(7)}
		last := block{off: -1}
		if len(out) > 0 {
			last = out[len(out)-1]
		}
		if b.off <= last.off || b.side < last.side || len(out) == 0 && (b.off != 0 || b.side != 0) || b.gone() > blockEntries {
			return nil, errors.New("the index is not in order")
		}
		out = append(out, b)
	}
	return out, nil
}

// sizes are those of the two files of a segment; a file of personal parts that is
// not there has none.
func (s *segment) sizes(dir string) (size, side int64, err error) {
	st, err := os.Stat(s.file(dir))
	if err != nil {
		return 0, 0, err
	}
	size = st.Size()
	switch st, err = os.Stat(s.parts(dir)); {
	case err == nil:
		side = st.Size()
	case !errors.Is(err, fs.ErrNotExist):
		return 0, 0, err
	}
	return size, side, nil
}

// loadIndex reads the index of a sealed segment, and makes it anew when it
// cannot be used.
func (s *segment) loadIndex(dir string) (err error) {
	if s.dropped {
		return nil
	}
	if s.size, s.side, err = s.sizes(dir); err != nil {
		return err
	}
	if raw, err := os.ReadFile(s.index(dir)); err == nil {
		if s.blocks, err = decodeBlocks(raw, s.count, s.size, s.side); err == nil {
			return nil
		}
	}
	s.blocks = nil
	e, err := s.walk(dir, s.count, func(x *item) error {
		if x.fault != "" {
			return &Damage{x.fault}
		}
		s.note(x)
		return nil
	})
	switch {
	case err != nil:
		return err
	case e.n < s.count:
		return damage("%s: it ends after %d of %d entries", s.stem(), e.n, s.count)
	case e.side != s.side:
		return damage("%s: %d bytes follow its last personal part", partsName(s.first), s.side-e.side)
	}
	_ = s.saveIndex(dir) // a cache: it is made again when it is not there
	return nil
}

func (s *segment) saveIndex(dir string) error {
	return os.WriteFile(s.index(dir), encodeBlocks(s.blocks, s.size, s.side), 0o600)
}
