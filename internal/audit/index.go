package audit

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"

	"honeyguide"
)

// blockEntries is how many entries one line of the index stands for.
const blockEntries = 256

// A block is a line of the index: where 256 entries begin, when they happened,
// and which actors, actions and outcomes are among them, each as one bit of a
// hash. It says where there is surely nothing, in 42 bytes for 256 entries.
type block struct {
	off                       int64
	from, to                  int64 // least and largest time, µs of Unix
	actors, actions, outcomes uint64
}

func bit(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails (hash.Hash)
	return 1 << (h.Sum64() >> 58)
}

// note adds entry n of a segment to the index.
func (s *segment) note(n, off int64, e *honeyguide.AuditEntry) {
	at := e.Time.UnixMicro()
	if int64(len(s.blocks)) <= n/blockEntries { // not by n alone: an entry before may have been unreadable
		s.blocks = append(s.blocks, block{off: off, from: at, to: at})
	}
	b := &s.blocks[len(s.blocks)-1]
	b.from, b.to = min(b.from, at), max(b.to, at)
	b.actors |= bit(e.Actor)
	b.actions |= bit(e.Action)
	b.outcomes |= bit(string(e.Outcome))
}

// An index file is its lines, 48 bytes each.
const blockBytes = 48

func encodeBlocks(list []block) []byte {
	out := make([]byte, 0, len(list)*blockBytes)
	for i := range list {
		b := &list[i]
		for _, v := range []uint64{uint64(b.off), uint64(b.from), uint64(b.to), b.actors, b.actions, b.outcomes} {
			out = binary.LittleEndian.AppendUint64(out, v)
		}
	}
	return out
}

func decodeBlocks(raw []byte, entries int64) ([]block, error) {
	if want := (entries + blockEntries - 1) / blockEntries * blockBytes; int64(len(raw)) != want {
		return nil, errors.New("the index has the wrong size")
	}
	out := make([]block, 0, len(raw)/blockBytes)
	for ; len(raw) > 0; raw = raw[blockBytes:] {
		v := func(i int) uint64 { return binary.LittleEndian.Uint64(raw[8*i:]) }
		b := block{int64(v(0)), int64(v(1)), int64(v(2)), v(3), v(4), v(5)}
		if b.off < 0 || len(out) > 0 && b.off <= out[len(out)-1].off || len(out) == 0 && b.off != 0 {
			return nil, errors.New("the index is not in order")
		}
		out = append(out, b)
	}
	return out, nil
}

// loadIndex reads the index of a sealed segment, and makes it anew when it
// cannot be used.
func (s *segment) loadIndex(dir string) error {
	if s.dropped {
		return nil
	}
	st, err := os.Stat(s.file(dir))
	if err != nil {
		return err
	}
	s.size = st.Size()
	if raw, err := os.ReadFile(s.index(dir)); err == nil {
		if s.blocks, err = decodeBlocks(raw, s.count); err == nil {
			return nil
		}
	}
	s.blocks = nil
	n, _, err := s.leaves(dir, s.count, func(seq, off int64, text []byte, _ Hash) error {
		e, err := decode(text, seq)
		if err != nil {
			return &Damage{err.Error()}
		}
		s.note(seq-s.first, off, &e)
		return nil
	})
	if err == nil && n < s.count {
		err = damage("%s: it ends after %d of %d entries", s.stem(), n, s.count)
	}
	if err != nil {
		return err
	}
	_ = s.saveIndex(dir) // a cache: it is made again when it is not there
	return nil
}

func (s *segment) saveIndex(dir string) error {
	return os.WriteFile(s.index(dir), encodeBlocks(s.blocks), 0o600)
}
