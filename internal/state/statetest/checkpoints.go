package statetest

import (
	"context"
	"errors"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

// checkpoints: what is put is listed by key, apart from other sources', and goes
// with the transaction it was part of.
func checkpoints(b *bench) {
	at := start
	b.up(func(ctx context.Context, tx state.Tx) error {
		c := tx.Checkpoints()
		return errors.Join(
			c.Put(ctx, state.Checkpoint{Source: "eve", Key: "b", Value: []byte("1"), Seq: 3, At: at}, state.Checkpoint{Source: "eve", Key: "a", Seq: 3, At: at}),
			c.Put(ctx, state.Checkpoint{Source: "eve", Key: "b", Value: []byte("2\x00\xff"), Seq: 9, At: at}),
			c.Put(ctx, state.Checkpoint{Source: "other", Key: "b", Value: []byte("9"), At: at}),
			c.Delete(ctx, "other", "a", "nobody"),
		)
	})
	want := []state.Checkpoint{
		{Source: "eve", Key: "a", Seq: 3, At: at},
		{Source: "eve", Key: "b", Value: []byte("2\x00\xff"), Seq: 9, At: at},
	}
	b.listsCheckpoints("eve", want)
	b.listsCheckpoints("nobody", []state.Checkpoint{})
	for name, bad := range map[string]state.Checkpoint{
		"no source": {Key: "a"},
		"too large": {Source: "eve", Key: "a", Value: []byte(strings.Repeat("x", state.MaxCheckpoint+1))},
	} {
		err := b.Update(b.Context(), func(tx state.Tx) error {
			return errors.Join(tx.Checkpoints().Delete(b.Context(), "eve", "b"), tx.Checkpoints().Put(b.Context(), bad))
		})
		b.code(name, err, honeyguide.CodeInvalid)
	}
	b.listsCheckpoints("eve", want)
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Checkpoints().Delete(ctx, "eve", "a", "b") })
	b.listsCheckpoints("eve", []state.Checkpoint{})
}

func (b *bench) listsCheckpoints(source string, want []state.Checkpoint) {
	b.Helper()
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Checkpoints().List(ctx, source)
		b.same("checkpoints of "+source, got, want)
		return err
	})
}
