package blocklist

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"honeyguide/internal/state"
)

// A Reader is what is known of one that pulls the list: it is told what changed
// since its mark.
type Reader struct {
	Mark      Mark      `json:"mark"`
	LastPull  time.Time `json:"last_pull,omitzero"`
	Agent     string    `json:"agent,omitempty"`   // what it calls itself; any text
	Address   string    `json:"address,omitempty"` // it last came from
	Pulls     int64     `json:"pulls,omitempty"`
	Dropped   int64     `json:"dropped,omitempty"`   // packets or requests it says it has stopped, summed up
	Active    int64     `json:"active,omitempty"`    // decisions it says it enforces
	MetricsAt time.Time `json:"metrics_at,omitzero"` // when it last said so
}

// flushEvery is how often what changed in a book is written. A mark that was not
// written costs its reader an answer it has had already, nothing more.
const flushEvery = 5 * time.Second

// MaxAgent bounds what is kept of an agent's name, in bytes.
const MaxAgent = 128

// A Book keeps the readers of a list in the state. Pulls are frequent and the
// state has one writer, so marks are written now and then and not at each pull.
// It is safe for concurrent use.
type Book struct {
	store state.Store
	log   *slog.Logger

	mu    sync.Mutex
	known map[string]*Reader
	dirty map[string]bool
}

// NewBook returns the book kept in store. A nil log discards.
func NewBook(store state.Store, log *slog.Logger) *Book {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Book{store: store, log: log, known: map[string]*Reader{}, dirty: map[string]bool{}}
}

// meta is where the reader of a key is kept.
func meta(key string) string { return "blocklist_reader/" + key }

// Reader returns what is known of the reader with a key (its ID); nothing, when
// it never came.
func (b *Book) Reader(ctx context.Context, key string) (Reader, error) {
	b.mu.Lock()
	r, ok := b.known[key]
	if ok {
		defer b.mu.Unlock()
		return *r, nil
	}
	b.mu.Unlock()
	var read Reader
	err := b.store.View(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, meta(key))
		if err != nil || text == "" {
			return err
		}
		return json.Unmarshal([]byte(text), &read)
	})
	if err != nil {
		return Reader{}, fmt.Errorf("read what is known of a reader: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r, ok := b.known[key]; ok {
		return *r, nil // somebody was quicker, and may have noted something
	}
	b.known[key] = &read
	return read, nil
}

// Note changes what is known of a reader that [Book.Reader] has returned.
func (b *Book) Note(key string, edit func(*Reader)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.known[key]
	if r == nil {
		r = &Reader{}
		b.known[key] = r
	}
	edit(r)
	r.Agent = Agent(r.Agent)
	b.dirty[key] = true
}

// Forget drops a reader whose key was taken back.
func (b *Book) Forget(ctx context.Context, key string) error {
	b.mu.Lock()
	delete(b.known, key)
	delete(b.dirty, key)
	b.mu.Unlock()
	return b.store.Update(ctx, func(tx state.Tx) error { return tx.Meta().Put(ctx, meta(key), "") })
}

// Agent is what is kept of a name an agent gives itself.
func Agent(name string) string { return state.Clip(state.Column(name), MaxAgent) }

// Flush writes what was noted.
func (b *Book) Flush(ctx context.Context) error {
	texts, err := b.takeDirty()
	if err != nil || len(texts) == 0 {
		return err
	}
	err = b.store.Update(ctx, func(tx state.Tx) error {
		for _, t := range texts {
			if err := tx.Meta().Put(ctx, meta(t[0]), t[1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range texts {
		if b.known[t[0]] != nil { // not forgotten meanwhile
			b.dirty[t[0]] = true
		}
	}
	return fmt.Errorf("write the readers of the blocklist: %w", err)
}

// takeDirty returns keys and texts of what has to be written, sorted by key.
func (b *Book) takeDirty() ([][2]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out [][2]string
	for key := range b.dirty {
		text, err := json.Marshal(b.known[key])
		if err != nil {
			return nil, fmt.Errorf("write a reader of the blocklist: %w", err)
		}
		out = append(out, [2]string{key, string(text)})
	}
	clear(b.dirty)
	slices.SortFunc(out, func(x, y [2]string) int { return slices.Compare(x[:], y[:]) })
	return out, nil
}

// Run writes what was noted now and then, and once more when ctx has ended.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			return b.Flush(last)
		case <-tick.C:
		}
		if err := b.Flush(ctx); err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "readers of the blocklist not written", "error", err)
		}
	}
}
