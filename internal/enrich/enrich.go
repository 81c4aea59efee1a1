// Package enrich is the room of what is known about addresses, names, hashes
// and machines. Its kinds are of two sorts.
//
// A [Local] kind answers from memory: where an address is registered, whose
// machine it is, which feed lists it. It works at the intake on every event,
// before the event is stored, and asks nobody. What it says never changes later.
//
// A [Service] kind asks somebody on the network. Services are off until they
// are configured, because each question tells a third party whom we watch.
// They are asked by the [Desk], away from the flow of events, and their answers
// live in the state.
package enrich

import (
	"context"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
	"honeyguide/internal/telemetry"
)

// An Enricher is one opened kind: a [Local] or a [Service].
type Enricher interface {
	// Status says how each of its sources stands.
	Status() []Status
}

// A Local adds facts to events.
type Local interface {
	Enricher
	// Fact adds to e what is known. It neither blocks nor waits, takes about a
	// microsecond, and is called concurrently.
	Fact(e *honeyguide.Event)
	// Load reads what is on the disk. It is called once before the first event.
	Load(ctx context.Context)
	// Run keeps the facts up to date until ctx ends: it loads files that changed
	// and fetches what is old.
	Run(ctx context.Context) error
}

// Outbound is a kind that may reach out.
type Outbound interface {
	// ReachesOut reports whether it does as it is configured.
	ReachesOut() bool
}

// A Checker is a kind that can tell whether a file is a whole database of its.
type Checker interface {
	// Check reads all of raw and says what it is and when it was made.
	Check(raw []byte) (kind string, built time.Time, err error)
}

// Deps is what the room lends to a kind.
type Deps struct {
	Dir     string       // data folder, for what is downloaded
	Fetch   fetcher.Doer // the way to the network; nil: there is none
	Metrics *telemetry.Registry
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

// Fill puts defaults in place of what is nil.
func (d Deps) Fill() Deps {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

// Kind is one implementation of the room.
type Kind = kind.Kind[Deps, Enricher]

// Set is the list of kinds there are.
type Set = kind.Set[Deps, Enricher]

// States of a source.
const (
	StateOK     = "ok"
	StateStale  = "stale"  // older than it should be; it still answers
	StateFailed = "failed" // the newest attempt failed; what was there before still answers
	StateEmpty  = "empty"  // nothing was loaded yet
)

// A Status is how one source of facts stands.
type Status struct {
	Name     string    `json:"name"`             // feed:tor, geo:country.mmdb, abuseipdb
	Kind     string    `json:"kind"`             // geo, assets, feeds, or the service
	Source   string    `json:"source,omitempty"` // file or URL, without secrets
	State    string    `json:"state"`
	Detail   string    `json:"detail,omitempty"`    // what is wrong
	Items    int64     `json:"items"`               // entries that answer
	Bad      int64     `json:"bad"`                 // lines or records that could not be read
	BadLines []BadLine `json:"bad_lines,omitempty"` // the first of them
	Cut      bool      `json:"cut,omitempty"`       // more than the limit; the rest was left out
	AsOf     time.Time `json:"as_of,omitzero"`      // when its data were made or fetched
	Loaded   time.Time `json:"loaded,omitzero"`     // when they were loaded
	NextAt   time.Time `json:"next_at,omitzero"`    // when it is fetched again
	Asked    int64     `json:"asked,omitempty"`     // questions sent to a service today
	Budget   int64     `json:"budget,omitempty"`    // questions it may be sent a day
}

// A BadLine is one line or record that could not be read.
type BadLine struct {
	Line   int64  `json:"line"` // 1-based line or record
	Reason string `json:"reason"`
}

// MaxBadLines is how many bad lines a status names.
const MaxBadLines = 20
