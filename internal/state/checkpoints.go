package state

import (
	"context"
	"time"
)

// A Checkpoint says how far a source has come in one of its streams.
type Checkpoint struct {
	Source string    // name of the source
	Key    string    // which of its streams, in the source's own words
	Value  []byte    // the place, in the source's own words, at most [MaxCheckpoint] bytes
	Seq    int64     // the event log holds all that came before the place at or below this number
	At     time.Time // when it was written
}

// MaxCheckpoint bounds the value of one checkpoint.
const MaxCheckpoint = 64 << 10

// Checkpoints are the places of those who write the event log. A place is put
// after the events before it are durable, together with the dead letters before it.
type Checkpoints interface {
	// List returns all checkpoints of a source by Key.
	List(ctx context.Context, source string) ([]Checkpoint, error)
	// Put writes checkpoints over those of the same Source and Key. CodeInvalid when
	// one has no Source or too large a value.
	Put(ctx context.Context, list ...Checkpoint) error
	// Delete forgets keys of a source; one that is not there is no error.
	Delete(ctx context.Context, source string, keys ...string) error
}
