package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// bootstrapID is the id and name of the key of the operator's own choice.
const bootstrapID = "bootstrap"

// StateKeys keeps keys in the state, so that taking one back holds from the
// next request on.
type StateKeys struct {
	store     state.Store
	bootstrap Key // of the operator's own choice; without Sum there is none

	mu   sync.Mutex
	used map[string]use // since they were last written down
}

type use struct {
	at   time.Time
	from netip.Addr
}

// metaKeys is where keys were kept before they had a table.
const metaKeys = "api_keys"

// NewStateKeys returns the keys kept in store. bootstrap is the key of an
// administrator that the operator has chosen (SOC_API_KEY), "" for none; it has
// at least 32 characters.
func NewStateKeys(store state.Store, bootstrap honeyguide.Secret) (*StateKeys, error) {
	k := &StateKeys{store: store, used: map[string]use{}}
	if bootstrap == "" {
		return k, nil
	}
	if len(bootstrap.Reveal()) < minBootstrap {
		return nil, &honeyguide.Error{
			Code:    honeyguide.CodeInvalid,
			Message: fmt.Sprintf("SOC_API_KEY is shorter than %d characters: choose a longer one, such as the output of `openssl rand -hex 32`", minBootstrap),
		}
	}
	k.bootstrap = Key{ID: bootstrapID, Name: bootstrapID, Scope: ScopeAdmin}
	k.bootstrap.Sum, k.bootstrap.Last4 = fingerprint(bootstrap)
	return k, nil
}

// Adopt moves the keys of an older version into their table.
func (k *StateKeys) Adopt(ctx context.Context) error {
	return k.store.Update(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, metaKeys)
		if err != nil || text == "" {
			return err
		}
		var all []Key
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return fmt.Errorf("read api keys: %w", err)
		}
		for _, key := range all {
			if err := tx.APIKeys().Save(ctx, kept(key)); err != nil {
				return err
			}
		}
		return tx.Meta().Put(ctx, metaKeys, "")
	})
}

func kept(k Key) *honeyguide.APIKey {
	return &honeyguide.APIKey{
		ID: k.ID, Name: k.Name, Role: string(k.Scope), Sum: k.Sum, Last4: k.Last4, Owner: k.Owner, From: k.From, CreatedAt: k.CreatedAt,
		ExpiresAt: k.ExpiresAt, UsedAt: k.UsedAt, UsedFrom: k.UsedFrom, Successor: k.Successor,
	}
}

func keyOf(k honeyguide.APIKey) Key {
	return Key{
		ID: k.ID, Name: k.Name, Scope: Scope(k.Role), Sum: k.Sum, Last4: k.Last4, Owner: k.Owner, From: k.From, CreatedAt: k.CreatedAt,
		ExpiresAt: k.ExpiresAt, UsedAt: k.UsedAt, UsedFrom: k.UsedFrom, Successor: k.Successor,
	}
}

// Lookup finds a key by the hash of its secret. Where that stands in an index
// tells nobody anything about a secret of 160 bits.
func (k *StateKeys) Lookup(ctx context.Context, secret honeyguide.Secret, now time.Time) (Key, error) {
	if secret == "" {
		return Key{}, ErrNoKey
	}
	sum, _ := fingerprint(secret)
	if subtle.ConstantTimeCompare([]byte(k.bootstrap.Sum), []byte(sum)) == 1 {
		return k.bootstrap, nil
	}
	var key Key
	err := k.store.View(ctx, func(tx state.Tx) error {
		row, err := tx.APIKeys().Find(ctx, sum)
		if err != nil {
			return err
		}
		key = keyOf(row)
		if key.Owner == "" {
			return nil
		}
		if u, err := tx.Users().Get(ctx, key.Owner); absent(err) || err == nil && u.Disabled {
			return ErrNoKey
		} else if err != nil {
			return err
		}
		return nil
	})
	switch {
	case absent(err), err == nil && key.over(now):
		return Key{}, ErrNoKey
	case err != nil:
		return Key{}, err
	}
	return key, nil
}

// List returns the keys kept, oldest first.
func (k *StateKeys) List(ctx context.Context) ([]Key, error) {
	var all []Key
	err := k.store.View(ctx, func(tx state.Tx) error {
		rows, err := tx.APIKeys().List(ctx)
		all = all[:0]
		for _, row := range rows {
			all = append(all, keyOf(row))
		}
		return err
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range all {
		if u, ok := k.used[all[i].ID]; ok {
			all[i].UsedAt, all[i].UsedFrom = u.at, u.from
		}
	}
	return all, err
}

// Add keeps a key.
func (k *StateKeys) Add(ctx context.Context, key Key) error {
	return k.store.Update(ctx, func(tx state.Tx) error { return tx.APIKeys().Save(ctx, kept(key)) })
}

// Remove takes a key back, by its id; CodeNotFound.
func (k *StateKeys) Remove(ctx context.Context, id string) error {
	return k.store.Update(ctx, func(tx state.Tx) error { return tx.APIKeys().Remove(ctx, id) })
}

// Replace keeps next as the successor of a key.
func (k *StateKeys) Replace(ctx context.Context, id string, next Key, ends time.Time) error {
	return k.store.Update(ctx, func(tx state.Tx) error {
		old, err := tx.APIKeys().Get(ctx, id)
		if err != nil {
			return err
		}
		if old.ExpiresAt.IsZero() || ends.Before(old.ExpiresAt) {
			old.ExpiresAt = ends
		}
		old.Successor = next.ID
		if err := tx.APIKeys().Save(ctx, &old); err != nil {
			return err
		}
		return tx.APIKeys().Save(ctx, kept(next))
	})
}

// Used notes that a key was shown.
func (k *StateKeys) Used(key Key, from netip.Addr, now time.Time) {
	if key.ID == bootstrapID {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(key.UsedAt) > time.Minute || key.UsedFrom != from {
		k.used[key.ID] = use{now.UTC().Truncate(time.Microsecond), from}
	}
}

// Run writes down when keys were used, until ctx ends.
func (k *StateKeys) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := k.flush(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (k *StateKeys) flush(ctx context.Context) error {
	k.mu.Lock()
	used := k.used
	k.used = map[string]use{}
	k.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	return k.store.Update(ctx, func(tx state.Tx) error {
		for id, u := range used {
			row, err := tx.APIKeys().Get(ctx, id)
			if absent(err) {
				continue
			}
			if err == nil {
				row.UsedAt, row.UsedFrom = u.at, u.from
				err = tx.APIKeys().Save(ctx, &row)
			}
			if err != nil {
				return fmt.Errorf("note when keys were used: %w", err)
			}
		}
		return nil
	})
}

// OfKey returns who shows a key: it may what its scope or role grants, and no
// more than the account it belongs to.
func (s *Service) OfKey(ctx context.Context, k Key) (Principal, error) {
	p := Principal{ID: k.ID, Name: k.Name, Scope: k.Scope, Sort: SortKey, Confirmed: true}
	if k.Owner == "" && k.Scope.Known() {
		return p, nil
	}
	err := s.o.State.View(ctx, func(tx state.Tx) error {
		all, err := powers(ctx, tx, string(k.Scope))
		if err != nil {
			return err
		}
		p.Permissions = all
		if k.Owner == "" {
			return nil
		}
		u, err := tx.Users().Get(ctx, k.Owner)
		if err != nil {
			return err
		}
		most, err := powers(ctx, tx, u.Role)
		p.Permissions = common(all, most)
		return err
	})
	return p, err
}

func common(a, b []Permission) []Permission {
	out := []Permission{}
	for _, p := range a {
		for _, q := range b {
			if p == q {
				out = append(out, p)
			}
		}
	}
	return out
}
