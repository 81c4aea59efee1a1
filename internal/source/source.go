// Package source is the host of what keeps bringing in the records of other
// products: files that grow, listeners, servers that are asked again and again.
//
// A kind knows how to get at bytes and how far it has come; everything else is
// done here. It hands pieces of whole records to its [Sink], which has them
// mapped by package ingest, appends the events to the log and, once they are
// durable, keeps the place the kind names in the state, in one transaction with
// the dead letters that came before it.
//
// # Nothing lost, nothing twice
//
// The order is fixed: events first, then the place. A crash between the two
// makes a source read some records again; their ids follow from the records
// themselves, and the sink learns at the start, from the end of the log, which
// of them it has stored behind the last place that was kept. A piece the log or
// the state cannot take is tried again until it can: the source waits, nothing
// is dropped.
package source

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// A Source keeps bringing in records.
type Source interface {
	// Run brings in records until ctx ends, then returns nil or ctx's error. Any
	// other error is shown, and Run is called again after a pause, which begins at
	// the place that was kept. Returning nil early says that there will never be
	// more.
	Run(ctx context.Context, sink *Sink) error
}

// Deps is what the host lends to every kind.
type Deps struct {
	Name string           // of the instance
	Log  *slog.Logger     // never nil
	Now  func() time.Time // never nil
	In   Input            // the process's standard input; nil: it has none to give
	// Listen opens a door, "tcp" or "udp"; the error says what to do about it.
	Listen func(ctx context.Context, network, addr string) (net.Listener, net.PacketConn, error)
}

// Input is standard input.
type Input interface{ Read(p []byte) (int, error) }

// Set is the list of kinds of sources.
type Set = kind.Set[Deps, Source]

// Feed is the part of the configuration every source has.
type Feed struct {
	Format string `yaml:"format" doc:"what the records are, as honeyguide ingest --format; auto = found out for each record"`
	Zone   string `yaml:"zone" doc:"time zone of times that name none, such as Europe/Berlin; empty = UTC"`
}

// Location returns the zone.
func (f Feed) Location() (*time.Location, error) {
	if f.Zone == "" {
		return time.UTC, nil
	}
	l, err := time.LoadLocation(f.Zone)
	if err != nil {
		return nil, invalid("zone: %q is not known here; want a name such as Europe/Berlin, whose data the package tzdata brings", f.Zone)
	}
	return l, nil
}

// A Piece is some whole records of one stream.
type Piece struct {
	Stream string // what dead letters call it: a path, a peer
	Origin string // names the stream for good, see ingest.Piece
	Line   int64  // number of the first line, 1-based
	Data   []byte // whole lines; the sink does not keep it
	Header []byte // of a table, see ingest.TableHeader
	// Marks are the places the source has reached once Data is stored, by stream.
	Marks []Mark
	// Attrs are added to events that do not have them: who handed the record in.
	Attrs map[string]any
}

// A Mark is a place in a stream. An empty Value forgets the stream.
type Mark struct {
	Key   string
	Value []byte
}

// A Stream is one part of a source as people see it: a file, a peer.
type Stream struct {
	Name     string `json:"name"`
	Position int64  `json:"position" doc:"bytes read"`
	Size     int64  `json:"size" doc:"bytes there are, where that is known"`
	State    string `json:"state"`
}

// States of a source.
const (
	StateStopped = "stopped" // the core does not run
	StateWaiting = "waiting" // nothing has come yet
	StateRunning = "running"
	StateFailing = "failing" // see Status.Detail
	StateDone    = "done"    // there will never be more
	StateOff     = "off"     // not enabled
)

// A Status is one source as people see it. Counts are since the core started.
type Status struct {
	Name       string    `json:"name"`
	Kind       string    `json:"kind"`
	Format     string    `json:"format"`
	State      string    `json:"state" doc:"stopped, waiting, running, failing, done or off"`
	Detail     string    `json:"detail,omitempty" doc:"what keeps it from its work"`
	Records    int64     `json:"records"`
	Events     int64     `json:"events"`
	Rejected   int64     `json:"rejected" doc:"records that became dead letters"`
	Duplicates int64     `json:"duplicates"`
	Ignored    int64     `json:"ignored" doc:"understood and left out on purpose"`
	Dropped    int64     `json:"dropped" doc:"records given up at the door because of a limit"`
	Bytes      int64     `json:"bytes"`
	Errors     int64     `json:"errors"`
	LagBytes   int64     `json:"lag_bytes" doc:"known to be there and not read yet"`
	LagSeconds float64   `json:"lag_seconds" doc:"how old the newest record was when it was stored"`
	LastAt     time.Time `json:"last_at,omitzero" doc:"when the last record was stored"`
	SavedAt    time.Time `json:"saved_at,omitzero" doc:"when its place was last kept"`
	Streams    []Stream  `json:"streams"`
}

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// MaxPiece is how many bytes a kind should hand over at a time: enough to share
// the cost of a sync, little enough to hold.
const MaxPiece = 4 << 20

// MaxRecord is the largest record, see package ingest.
const MaxRecord = ingest.MaxRecord
