// Package audit is the tamper-evident log of what people and playbooks did: a
// Merkle tree over entries that are on the disk before the acts they tell of
// take effect. Without a durable entry nothing changes.
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
