package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/personal"
	"honeyguide/internal/state"
)

// LedgerKey is where the ledger stands in the state.
const LedgerKey = "privacy.erasures"

// maxErasures bounds the ledger: the oldest that are done go first.
const maxErasures = 10_000

// The states of an erasure.
const (
	Waiting = "waiting" // asked for; it is finished whatever happens
	Done    = "done"
)

// An Erasure is one erasure in the ledger. It does not say whose data it was.
type Erasure struct {
	ID     string           `json:"id"`
	Kind   personal.Kind    `json:"kind" doc:"address, user or email"`
	Hash   string           `json:"hash" doc:"keyed hash of the value"`
	Mark   string           `json:"mark" doc:"random; it stands in the value's place"`
	State  string           `json:"state" doc:"waiting or done"`
	Reason string           `json:"reason,omitempty"`
	At     time.Time        `json:"at" doc:"when it was asked for"`
	Ended  time.Time        `json:"ended,omitzero"`
	Counts map[string]int64 `json:"counts,omitempty" doc:"what was changed: events, tables by rows, recordings, worlds, audit entries"`
	Left   []string         `json:"left,omitempty" doc:"what may still hold it, why, and what to do: files that cannot be read, folders of older data somebody has put aside, audit entries of an older form"`
	Error  string           `json:"error,omitempty" doc:"why the last attempt did not come to its end"`
}

// entry is an erasure as it is kept: while it waits, with the value, sealed.
type entry struct {
	Erasure
	Sealed []byte `json:"sealed,omitempty"`
}

func isLedger(row state.Row) bool {
	return row.Table == "meta" && len(row.Cells) > 0 && row.Cells[0].Text == LedgerKey
}

func readLedger(ctx context.Context, tx state.Tx) ([]entry, error) {
	text, err := tx.Meta().Get(ctx, LedgerKey)
	if err != nil || text == "" {
		return nil, err
	}
	var list []entry
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read the ledger of erasures: %w", err)
	}
	return list, nil
}

// change changes the ledger in one transaction.
func (d *Desk) change(ctx context.Context, fn func([]entry) []entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dep.State.Update(ctx, func(tx state.Tx) error {
		list, err := readLedger(ctx, tx)
		if err != nil {
			return err
		}
		list = fn(list)
		for len(list) > maxErasures {
			i := slices.IndexFunc(list, func(e entry) bool { return e.State == Done })
			if i < 0 {
				return invalid("too many erasures wait")
			}
			list = slices.Delete(list, i, i+1)
		}
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		return tx.Meta().Put(ctx, LedgerKey, string(text))
	})
}

func (d *Desk) entries(ctx context.Context) (list []entry, err error) {
	err = d.dep.State.View(ctx, func(tx state.Tx) (err error) {
		list, err = readLedger(ctx, tx)
		return err
	})
	return list, err
}

// Erasures lists the erasures, newest first.
func (d *Desk) Erasures(ctx context.Context) ([]Erasure, error) {
	list, err := d.entries(ctx)
	out := make([]Erasure, 0, len(list))
	for _, e := range slices.Backward(list) {
		out = append(out, e.Erasure)
	}
	return out, err
}

// Erasure returns one erasure; CodeNotFound.
func (d *Desk) Erasure(ctx context.Context, id string) (Erasure, error) {
	list, err := d.entries(ctx)
	if err != nil {
		return Erasure{}, err
	}
	for _, e := range list {
		if e.ID == id {
			return e.Erasure, nil
		}
	}
	return Erasure{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no erasure %.40q", id)}
}

// A Ledger is what a restored backup is brought up to date with: the erasures of
// the time between the backup and its restoring.
type Ledger interface {
	// Since returns the erasures that were asked for at or after a time.
	Since(ctx context.Context, at time.Time) ([]Erasure, error)
	// Apply erases, in what there is now, the subjects of erasures another state of
	// this installation carried out, and takes them into the ledger.
	Apply(ctx context.Context, list []Erasure) error
}

var _ Ledger = (*Desk)(nil)

// Since returns the erasures from a time on.
func (d *Desk) Since(ctx context.Context, at time.Time) ([]Erasure, error) {
	all, err := d.Erasures(ctx)
	return slices.DeleteFunc(all, func(e Erasure) bool { return e.At.Before(at) }), err
}
