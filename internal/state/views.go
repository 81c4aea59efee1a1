package state

import (
	"context"
	"time"
)

// ListViews is the list of saved views.
const ListViews List = 'w'

// Bounds of what people keep about their own work.
const (
	MaxPreferences = 64 << 10 // bytes of one principal's preferences
	MaxViewQuery   = 8 << 10  // bytes of the query of a view
	MaxViews       = 200      // of one owner
	MaxNote        = 4 << 10  // bytes of a note
	MaxNotes       = 200      // of one attacker; the oldest go first
)

// A View is a saved place of the console: a room, and what it is to show.
type View struct {
	ID        string    `json:"id"`
	Name      string    `json:"name" doc:"what people call it: text, shown as it is"`
	Room      string    `json:"room" doc:"where it belongs: alerts, incidents, hunt, ..."`
	Query     string    `json:"query" doc:"what the room makes of it: its filter, order and columns as text"`
	Shared    bool      `json:"shared" doc:"everybody sees it; only its owner and administrators change it"`
	Owner     string    `json:"owner" doc:"id of the principal"`
	OwnerName string    `json:"owner_name"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Edition   int64     `json:"edition" doc:"counts changes"`
}

// Views are saved views.
type Views interface {
	// Save stores the full value v: with an ID over the stored one, whose owner and
	// CreatedAt stay and whose Edition grows; else as a new one, which gets an ID when
	// it has none. CodeConflict when the owner has MaxViews.
	Save(ctx context.Context, v *View) error
	Get(ctx context.Context, id string) (View, error) // CodeNotFound
	Remove(ctx context.Context, id string) error      // CodeNotFound
	// List returns a page by CreatedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q ViewQuery) ([]View, string, error)
}

// ViewQuery selects the views somebody sees: their own and the shared ones.
type ViewQuery struct {
	Page
	Owner string // whose; their own and shared ones are listed
	Room  string // "" = of all rooms
}

// Preferences are what principals prefer, as JSON objects nobody else reads.
type Preferences interface {
	// Get returns what a principal keeps and its edition; nothing is edition 0.
	Get(ctx context.Context, owner string) (doc []byte, edition int64, err error)
	// Put stores doc over edition, and returns the new edition. CodeConflict when the
	// stored one is another; edition -1 stores over any.
	Put(ctx context.Context, owner string, doc []byte, edition int64) (int64, error)
}

// A Note is what a person wrote about an attacker.
type Note struct {
	ID       string    `json:"id"`
	Attacker string    `json:"attacker" doc:"key"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Text     string    `json:"text"`
}

// Notes are notes about attackers. Retention takes them with everything else that
// is old.
type Notes interface {
	// Add stores a note and gives it an ID, and a time when it has none.
	Add(ctx context.Context, n *Note) error
	// Of returns the notes about an attacker (its key), newest first.
	Of(ctx context.Context, attacker string) ([]Note, error)
}
