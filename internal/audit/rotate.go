package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"honeyguide"
)

// ActionDrop is the act by which retention removes the bodies of entries. Its
// entry says up to where; a file of hashes that no such entry covers is damage.
const ActionDrop = "drop-audit-entries"

// dropped is what an entry of ActionDrop says.
type dropped struct {
	Before int64 `json:"before"` // bodies of entries before this one are gone
}

// rotateIfDue seals entries.log when it is large enough, or of an earlier day.
// The tree runs on. While somebody reads files it waits for the next write.
func (l *Log) rotateIfDue(now time.Time) error {
	seg := l.segs[len(l.segs)-1]
	if seg.count == 0 {
		return nil
	}
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	if seg.size+seg.side < l.opt.Rotate && day(time.UnixMicro(seg.blocks[0].from)) >= day(now) {
		return nil
	}
	if !l.moves.TryLock() {
		return nil
	}
	defer l.moves.Unlock()
	l.files.Lock()
	defer l.files.Unlock()
	return l.rotate(seg)
}

// rotate renames entries.log to its sealed name and begins an empty one.
func (l *Log) rotate(seg *segment) error {
	open := filepath.Join(l.dir, entriesName)
	fresh, err := os.OpenFile(open+".tmp", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := l.hashes.f.Sync(); err != nil { // so that a power cut costs no long rebuild
		return errors.Join(err, fresh.Close())
	}
	done := *seg
	done.sealed = true
	if err := os.Rename(open, done.file(l.dir)); err != nil {
		return errors.Join(err, fresh.Close())
	}
	if err := os.Rename(open+".tmp", open); err != nil {
		return errors.Join(err, os.Rename(done.file(l.dir), open), fresh.Close())
	}
	_ = done.saveIndex(l.dir) // a cache
	_ = l.open.Close()        // all of it is durable
	l.open = fresh
	if l.side != nil {
		_ = l.side.Close()
		l.side = nil // the next write makes one
	}
	l.segs[len(l.segs)-1] = &done
	l.segs = append(l.segs, &segment{first: done.end()})
	return syncDir(l.dir)
}

// Drop removes the bodies of sealed entries that are all older than before. An
// entry says so first; the hashes stay, so everything can still be verified.
// It returns how many entries lost their bodies.
func (l *Log) Drop(ctx context.Context, before time.Time) (int64, error) {
	l.files.RLock()
	var old []*segment
	end := int64(0)
	for _, s := range l.segs {
		if !s.sealed || !s.dropped && (len(s.blocks) == 0 || newest(s) >= before.UnixMicro()) {
			break
		}
		if !s.dropped {
			old = append(old, s)
			end = s.end()
		}
	}
	l.files.RUnlock()
	if len(old) == 0 {
		return 0, nil
	}
	after, err := json.Marshal(dropped{Before: end})
	if err != nil {
		return 0, err
	}
	if err := l.recordCovering(ctx, honeyguide.AuditEntry{
		Actor: "retention", Kind: "system", Action: ActionDrop, Outcome: honeyguide.AuditAsked, After: after,
		Object: fmt.Sprintf("audit:0-%d", end-1), Reason: "older than " + before.UTC().Format(time.RFC3339),
	}, []span{{0, end - 1}}); err != nil {
		return 0, err
	}
	n := int64(0)
	for _, s := range old {
		if err := l.dropOne(s); err != nil {
			return n, fmt.Errorf("drop the bodies of %s: %w", s.stem(), err)
		}
		n += s.count
	}
	l.log.LogAttrs(ctx, slog.LevelInfo, "old audit entries dropped, their hashes stay", slog.Int64("entries", n))
	return n, nil
}

func newest(s *segment) int64 {
	at := s.blocks[0].to
	for i := range s.blocks {
		at = max(at, s.blocks[i].to)
	}
	return at
}

// dropOne writes the hashes of a sealed file, then removes the file.
func (l *Log) dropOne(s *segment) error {
	l.moves.Lock()
	defer l.moves.Unlock()
	gone := *s
	gone.dropped, gone.blocks = true, nil
	file := gone.file(l.dir)
	f, err := os.OpenFile(file+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	n, _, err := s.leaves(l.dir, s.count, func(seq, _ int64, _ []byte, leaf Hash) error {
		if kept, err := l.hashes.leaf(seq); err != nil || kept != leaf {
			return errors.Join(damage("entry %d is not the one that was recorded; nothing is dropped", seq), err)
		}
		_, err := w.Write(leaf[:])
		return err
	})
	if err == nil && n != s.count {
		err = damage("%s ends after %d of %d entries; nothing is dropped", s.stem(), n, s.count)
	}
	if err = errors.Join(err, w.Flush()); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(file + ".tmp")
		return err
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return err
	}
	if err := syncDir(l.dir); err != nil {
		return err
	}
	if err := os.Remove(s.file(l.dir)); err != nil {
		return err
	}
	_ = os.Remove(s.index(l.dir)) // a cache
	l.files.Lock()
	*s = gone
	l.files.Unlock()
	if err := os.Remove(s.parts(l.dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // the next start removes them
	}
	return syncDir(l.dir)
}
