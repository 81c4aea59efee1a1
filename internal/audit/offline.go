package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"honeyguide"
)

// ProveIn proves an entry of a log in a folder, or of a copy of it, with nothing
// but its public key. The tree is made from the entries, in a temporary file:
// the caches of the folder are not needed.
func ProveIn(ctx context.Context, dir, key string, seq int64) (honeyguide.AuditEntry, Proof, error) {
	var none honeyguide.AuditEntry
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return none, Proof{}, fmt.Errorf("read the public key: %w", err)
	}
	r := &Report{}
	point, err := readPoint(Check{Dir: dir}, v, r)
	if err != nil {
		return none, Proof{}, err
	}
	if point == nil {
		return none, Proof{}, damage("%s", strings.Join(r.Faults, "; "))
	}
	if seq < 0 || seq >= point.Size {
		return none, Proof{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no audit entry %d; the last one is %d", seq, point.Size-1)}
	}
	f, err := os.CreateTemp("", "honeyguide-audit-")
	if err != nil {
		return none, Proof{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	found, by, tree, err := spread(ctx, dir, point.Size, seq, f)
	if err != nil {
		return none, Proof{}, err
	}
	if tree.size != point.Size || tree.root() != point.Root {
		return none, Proof{}, damage("the entries do not give the root the checkpoint signs for; honeyguide audit verify says more")
	}
	if found == nil {
		return none, Proof{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "the text of this audit entry was removed by retention; its hash is still part of the log"}
	}
	path, err := tlog.ProveRecord(point.Size, seq, hashFile{f})
	if err != nil {
		return none, Proof{}, fmt.Errorf("prove entry %d: %w", seq, err)
	}
	p := found.proof(path, point)
	e, _, err := CheckProof(p, key)
	e.ErasedBy = by
	return e, p, err
}

// find reads one entry of a file with its personal part.
func (s *segment) find(dir string, seq int64) (*row, error) {
	var found *row
	_, err := s.walk(dir, seq-s.first+1, func(x *item) error {
		if x.seq != seq || x.text == nil {
			return nil
		}
		if x.fault != "" {
			return &Damage{x.fault}
		}
		if err := x.full(); err != nil {
			return err
		}
		found = &row{x.rec.AuditEntry, bytes.Clone(x.text), bytes.Clone(x.part)}
		return nil
	})
	return found, err
}

// spread writes the stored hashes of a folder's first entries to f and returns one
// of them, and the number of the entry that says that its personal part was
// removed.
func spread(ctx context.Context, dir string, size, seq int64, f *os.File) (found *row, by int64, tree frontier, err error) {
	segs, err := sealedSegments(dir)
	if err != nil {
		return nil, 0, tree, err
	}
	open := &segment{}
	if n := len(segs); n > 0 {
		open.first = segs[n-1].end()
	}
	w := bufio.NewWriterSize(f, 256<<10)
	var stored []Hash
	for _, s := range append(segs, open) {
		if seq >= s.first && (seq < s.end() || s == open) {
			if found, err = s.find(dir, seq); err != nil {
				return nil, 0, tree, err
			}
		}
		_, _, err := s.leaves(dir, size-tree.size, func(at, _ int64, text []byte, leaf Hash) error {
			if by == 0 && at > seq && bytes.Contains(text, []byte(`"covers":`)) {
				if r, err := decode(text, at); err == nil && coverOf(addCovers(nil, r.erases(), at), seq) > 0 {
					by = at
				}
			}
			stored = tree.add(leaf, stored[:0])
			for i := range stored {
				if _, err := w.Write(stored[i][:]); err != nil {
					return err
				}
			}
			if at%10_000 == 0 {
				return ctx.Err()
			}
			return nil
		})
		if err != nil {
			return nil, 0, tree, err
		}
	}
	switch {
	case found == nil || !isForm2(found.text):
	case by > 0: // also when it is still there: it is not to be shown any more
		found.part = nil
	case found.part == nil:
		return nil, 0, tree, damage("the personal part of entry %d is gone, and no entry says that it was removed", seq)
	}
	return found, by, tree, errors.Join(w.Flush(), ctx.Err())
}
