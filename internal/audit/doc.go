// Package audit is the tamper-evident log of what people and playbooks did: a
// Merkle tree over entries that are on the disk before the acts they tell of
// take effect. Without a durable entry nothing changes.
//
// # Files
//
// One folder holds the log. entries.log has the newest entries, each as its
// length (uint32, little-endian) and its JSON; older ones are in sealed files
// entries-FIRST-COUNT.log of the same form. Where retention has removed bodies,
// entries-FIRST-COUNT.hashes has the 32-byte hashes of the entries instead, so
// that the tree can still be recomputed. checkpoint is a signed note (C2SP
// tlog-checkpoint): origin, number of entries, root. The rest is cache:
// hashes.bin holds the hashes of the tree, .idx files say where entries are.
// Both are made anew from the entries when they disagree with them.
//
// # The promise
//
// Record returns once entries.log and the checkpoint that covers the entry are
// on the disk. At start everything behind the checkpoint is cut off, because
// nobody was told that it is there; when less is there than the checkpoint says,
// the log refuses to be written.
//
// What this cannot show by itself is that all files were put back to an older
// state together. Copies of checkpoints kept elsewhere do; see [Witness].
package audit

import (
	"context"

	"honeyguide"
)

// A Recorder writes entries. Record returns when the entry is durable; when it
// returns an error the act must not happen.
type Recorder interface {
	Record(ctx context.Context, e honeyguide.AuditEntry) error
}

// A Batcher is a Recorder that takes several entries at the price of one.
type Batcher interface {
	RecordAll(ctx context.Context, list []honeyguide.AuditEntry) error
}

// A Numberer is a Recorder that says which number it gave an entry.
type Numberer interface {
	Number(ctx context.Context, e honeyguide.AuditEntry) (int64, error)
}

// Number records an entry and returns its number in the log; -1 when the recorder
// does not say.
func Number(ctx context.Context, r Recorder, e honeyguide.AuditEntry) (int64, error) {
	if n, ok := r.(Numberer); ok {
		return n.Number(ctx, e)
	}
	return -1, r.Record(ctx, e)
}

// All records several entries, together where the recorder can.
func All(ctx context.Context, r Recorder, list []honeyguide.AuditEntry) error {
	if b, ok := r.(Batcher); ok && len(list) > 0 {
		return b.RecordAll(ctx, list)
	}
	for _, e := range list {
		if err := r.Record(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
