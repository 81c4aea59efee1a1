package audit

import (
	"context"
	"path/filepath"
)

// A Part is a file of the log, to be copied up to a length.
type Part struct {
	Name string // below the log's folder
	Size int64  // bytes that belong to it; -1 = all of it, it no longer changes
}

// Snapshot hands the log as it is at one moment to take: the signed checkpoint,
// and the files that hold every entry it signs for, with its personal part, and
// none behind it. Caches
// are not among them. Sealing files and dropping bodies wait until take returns;
// recording does not.
func (l *Log) Snapshot(ctx context.Context, take func(ctx context.Context, point Checkpoint, parts []Part) error) error {
	l.moves.RLock()
	defer l.moves.RUnlock()
	l.files.RLock()
	point := l.point
	var parts []Part
	for _, s := range l.segs {
		size, side := s.size, s.side
		if s.sealed {
			size, side = -1, -1 // a removal on request puts another file in its place
		}
		parts = append(parts, Part{filepath.Base(s.file(l.dir)), size})
		if s.side > 0 && !s.dropped {
			parts = append(parts, Part{partsName(s.first), side})
		}
	}
	l.files.RUnlock()
	return take(ctx, point, parts)
}
