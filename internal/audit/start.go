package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"honeyguide/internal/seal"
)

// Open opens a log, and makes it at the first start. When files were changed or
// lost the log is returned all the same and refuses to be written, see
// [Log.Refused]; an error means that it cannot even be looked at.
func Open(ctx context.Context, opt Options) (*Log, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Rotate <= 0 {
		opt.Rotate = 64 << 20
	}
	if opt.Vault == nil {
		opt.Vault = seal.Clear(opt.Keys)
	}
	l := &Log{
		opt: opt, dir: opt.Dir, log: opt.Log, m: newMetrics(opt.Metrics), turn: make(chan struct{}, 1),
	}
	l.damper.now = opt.Now
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, err
	}
	k, err := l.openKeys()
	if err != nil {
		return nil, err
	}
	l.signer, l.public, l.masker = k.signer, k.public, Masker{k.mask}
	if err := l.recover(ctx); err != nil {
		var d *Damage
		if !errors.As(err, &d) {
			return nil, errors.Join(err, l.Close())
		}
		l.refuse(ctx, d.What)
	}
	l.m.size.Set(float64(l.point.Size))
	return l, nil
}

// openKeys reads the keys, or makes them together with the empty log: where the
// key that signs is, a checkpoint was, so a log that is gone is noticed.
func (l *Log) openKeys() (keys, error) {
	k, err := readKeys(l.opt.Vault)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := l.untouched(); err != nil {
		return k, err
	}
	k, private, err := newKeys()
	if err != nil {
		return k, err
	}
	var none frontier
	point, err := signCheckpoint(k.signer, 0, none.root())
	if err != nil {
		return k, err
	}
	if err := place(filepath.Join(l.dir, checkpointName), point.Note); err != nil {
		return k, err
	}
	return k, k.write(l.opt.Vault, private)
}

// untouched makes sure that a folder without a key has no entries either.
func (l *Log) untouched() error {
	list, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	for _, d := range list {
		st, err := d.Info()
		if err != nil {
			return err
		}
		if name := d.Name(); name != checkpointName && name != checkpointName+".tmp" && st.Size() > 0 {
			return damagedKey(filepath.Join(l.opt.Keys, signFile), "it is missing, and "+l.dir+" holds a log it signed")
		}
	}
	return nil
}

// recover brings the files to the state of the checkpoint.
func (l *Log) recover(ctx context.Context) error {
	v, err := note.NewVerifier(l.public)
	if err != nil {
		return err
	}
	msg, err := os.ReadFile(filepath.Join(l.dir, checkpointName))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return damage("%s is missing, and there was a log", checkpointName)
		}
		return err
	}
	if l.point, err = openOwn(msg, v); err != nil {
		return &Damage{err.Error()}
	}
	if l.segs, err = sealedSegments(l.dir); err != nil {
		return err
	}
	for _, s := range l.segs {
		if err := s.loadIndex(l.dir); err != nil {
			return err
		}
	}
	open := &segment{}
	if n := len(l.segs); n > 0 {
		open.first = l.segs[n-1].end()
	}
	l.segs = append(l.segs, open)
	if err := l.openFiles(open); err != nil {
		return err
	}
	if err := l.catchUp(ctx, open); err != nil {
		return err
	}
	if err := l.loadCovers(); err != nil {
		return err
	}
	if err := errors.Join(l.leftovers(), l.finish(ctx)); err != nil {
		var d *Damage
		if errors.As(err, &d) {
			return d
		}
		l.log.LogAttrs(ctx, slog.LevelWarn, "audit log: what was removed is still on the disk, and is removed later", slog.Any("error", err))
	}
	return nil
}

func (l *Log) openFiles(open *segment) (err error) {
	switch l.side, err = os.OpenFile(open.parts(l.dir), os.O_RDWR, 0); {
	case errors.Is(err, fs.ErrNotExist): // the first write makes it
		l.side = nil
	case err != nil:
		return err
	}
	if l.open, err = os.OpenFile(filepath.Join(l.dir, entriesName), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	l.hashes.f, err = os.OpenFile(filepath.Join(l.dir, hashesName), os.O_CREATE|os.O_RDWR, 0o600)
	return err
}

// catchUp reads the open file up to the checkpoint, compares the root and cuts
// off what nobody was told of.
func (l *Log) catchUp(ctx context.Context, open *segment) error {
	want := l.point.Size - open.first
	if want < 0 {
		return damage("there are sealed entries up to %d, and the checkpoint says %d: it was put back", open.first, l.point.Size)
	}
	var leaves []Hash
	e, err := open.walk(l.dir, want, func(x *item) error {
		if x.fault != "" {
			return &Damage{x.fault}
		}
		open.note(x)
		leaves = append(leaves, x.leaf)
		return nil
	})
	if err != nil {
		return err
	}
	open.count, open.size, open.side = e.n, e.off, e.side
	if e.n < want {
		return damage("the checkpoint says %d entries, and only %d can be read: entries are missing or changed", l.point.Size, open.end())
	}
	if err := l.buildTree(ctx, open.first, leaves); err != nil {
		return err
	}
	return l.cutTail(ctx, open)
}

// buildTree makes the tree out of the stored hashes before first and the leaves
// from there on; when that is not the tree of the checkpoint, out of all entries.
func (l *Log) buildTree(ctx context.Context, first int64, leaves []Hash) error {
	tree, err := frontierOf(first, bufio.NewReaderSize(io.NewSectionReader(l.hashes.f, 0, tlog.StoredHashCount(first)*tlog.HashSize), 64<<10))
	if err == nil {
		var stored []Hash
		for _, leaf := range leaves {
			stored = tree.add(leaf, stored)
		}
		if tree.root() == l.point.Root {
			l.tree = tree
			return l.keepHashes(tlog.StoredHashCount(first), stored)
		}
	}
	l.log.LogAttrs(ctx, slog.LevelWarn, "audit log: stored hashes disagree with the checkpoint and are made anew", slog.Any("error", err))
	return l.rebuild()
}

// keepHashes writes stored hashes where the file has others.
func (l *Log) keepHashes(at int64, stored []Hash) error {
	r := io.NewSectionReader(l.hashes.f, at*tlog.HashSize, int64(len(stored))*tlog.HashSize)
	if sameHashes(bufio.NewReader(r), stored, make([]byte, tlog.HashSize)) {
		return nil
	}
	return l.hashes.write(at, stored)
}

// rebuild makes hashes.bin out of the entries.
func (l *Log) rebuild() error {
	file := filepath.Join(l.dir, hashesName)
	f, err := os.OpenFile(file+".tmp", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 256<<10)
	var tree frontier
	var stored []Hash
	for _, s := range l.segs {
		n, _, err := s.leaves(l.dir, s.count, func(_, _ int64, _ []byte, leaf Hash) error {
			stored = tree.add(leaf, stored[:0])
			for i := range stored {
				if _, err := w.Write(stored[i][:]); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil && n < s.count {
			err = damage("%s ends after %d of %d entries", filepath.Base(s.file(l.dir)), n, s.count)
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := w.Flush(); err != nil {
		return errors.Join(err, f.Close())
	}
	if tree.root() != l.point.Root {
		_ = f.Close()
		_ = os.Remove(file + ".tmp")
		return damage("the entries do not give the root of the checkpoint: something among the first %d was changed; honeyguide audit verify says where", tree.size)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return errors.Join(err, f.Close())
	}
	err = l.hashes.f.Close()
	l.hashes.f, l.tree = f, tree
	return err
}

// cutTail removes what stands behind the checkpoint: a write that was never
// acknowledged. It is one batch at most; more was put there by somebody else.
func (l *Log) cutTail(ctx context.Context, open *segment) error {
	if err := l.hashes.f.Truncate(tlog.StoredHashCount(l.point.Size) * tlog.HashSize); err != nil {
		return fmt.Errorf("cut off unacknowledged hashes: %w", err)
	}
	if err := l.cutFile(ctx, l.open, open.size, (*records).next); err != nil {
		return err
	}
	if l.side == nil {
		return nil
	}
	return l.cutFile(ctx, l.side, open.side, (*records).part)
}

// cutFile cuts a file off behind size.
func (l *Log) cutFile(ctx context.Context, f *os.File, size int64, next func(*records) ([]byte, error)) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	tail := st.Size() - size
	if tail == 0 {
		return nil
	}
	r := records{r: io.NewSectionReader(f, size, tail)}
	n := 0
	for ; n <= maxBatch; n++ {
		if _, err := next(&r); err != nil {
			break
		}
	}
	if n > maxBatch || tail > maxBatch*(saltBytes+maxEntry+4) {
		return damage("%s: more than one write stands behind the checkpoint of %d entries: the checkpoint was put back", filepath.Base(f.Name()), l.point.Size)
	}
	l.log.LogAttrs(ctx, slog.LevelWarn, "audit log: an unacknowledged write is cut off", slog.Int64("bytes", tail), slog.Int("entries", n))
	if err := f.Truncate(size); err != nil {
		return fmt.Errorf("cut off an unacknowledged write: %w", err)
	}
	return f.Sync()
}
