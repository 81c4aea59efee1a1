// Package live is the room of what happens now: a hub that tells those who
// listen which rows of the state changed, a moment after the change is durable.
//
// # Messages
//
// A [Message] is the newest value of one row, in the form a list shows it in.
// The hub keeps the last [Kept] of them in a ring; a listener is a place in that
// ring and nothing else, so that a slow one costs no more than a quick one. When
// a row changes again its older message leaves the ring: who reads later gets
// the newer one, once.
//
// # Numbers
//
// Every message has a number, and numbers only grow, over restarts too: a core
// begins with the microseconds of its clock, or behind what the core before it
// had set aside, whichever is more. A number of another run of the core is
// therefore known as such, and whoever comes with one starts anew.
//
// # Who may be slow
//
// Publishing takes a lock for the time of a few map writes and never waits for a
// listener; rows are written as JSON by the listener who needs them first. Who
// falls behind by [MaxLag] messages or [MaxAge] gets a [Summary] in their place.
package live

import "time"

// Bounds of the hub.
const (
	Kept      = 10_000          // messages in the ring
	keptBytes = 32 << 20        // of their rows, about
	maxRow    = 192 << 10       // bytes of a row as JSON; a larger one is left out and has to be asked for
	MaxLag    = 5_000           // messages a listener may be behind
	MaxAge    = 2 * time.Second // time a listener may be behind
	batchRows = 1_000           // messages of a batch
	batchSize = 256 << 10       // bytes of a batch, about: what a listener costs
	MaxOwn    = 16              // streams of one principal
	MaxAll    = 256             // streams of all
)

// Pace is the least time between two batches to a listener that keeps up.
const Pace = 100 * time.Millisecond

// A Topic is what a message is about.
type Topic string

// The topics.
const (
	Alerts    Topic = "alerts"
	Incidents Topic = "incidents"
	Sessions  Topic = "sessions"
	Runs      Topic = "runs"
	Notices   Topic = "notices"
	Events    Topic = "events" // figures of each second, see [Second]
	Health    Topic = "health" // how the core stands
)

var topics = [...]Topic{Alerts, Incidents, Sessions, Runs, Notices, Events, Health}

// Topics returns all topics.
func Topics() []Topic { return append([]Topic{}, topics[:]...) }

// A Kind says what became of a row. A listener stores the row either way.
type Kind string

// The kinds.
const (
	New     Kind = "new"
	Changed Kind = "changed"
	Gone    Kind = "gone" // has no row
)

// A Message is one row as it is now.
type Message struct {
	Topic Topic
	Kind  Kind
	ID    string
	Short string // what people call it; "" when it has no short form
	Row   []byte // JSON as in a list; nil when it is gone, or too large to be sent along
}

// A Summary stands for messages a listener did not get.
type Summary struct {
	From   int64           `json:"from"` // the first number left out
	To     int64           `json:"to"`   // and the last
	Counts map[Topic]int64 `json:"counts"`
}

// A Batch is what a listener gets at a time.
type Batch struct {
	ID       int64     // to resume behind it
	Messages []Message // oldest change first
	Summary  *Summary  // instead of messages
}
