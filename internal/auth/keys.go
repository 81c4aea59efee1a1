package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// ErrNoKey says that a key is not known, or has ended.
var ErrNoKey = errors.New("no such key")

// Keys knows who holds which key.
type Keys interface {
	// Lookup returns the key a secret belongs to; ErrNoKey.
	Lookup(ctx context.Context, secret honeyguide.Secret, now time.Time) (Key, error)
	// List returns the keys that were handed out, oldest first.
	List(ctx context.Context) ([]Key, error)
	// Add keeps a key.
	Add(ctx context.Context, key Key) error
	// Remove takes a key back, by its id; CodeNotFound.
	Remove(ctx context.Context, id string) error
}

// A Key is what is kept of an API key: never the key itself.
type Key struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Scope     Scope     `json:"scope"`
	Sum       string    `json:"sha256"` // of the secret, in hex
	Last4     string    `json:"last4"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: it does not end
}

// keyPrefix makes keys recognisable, to people and to scanners of secrets.
const keyPrefix = "hg_"

var keyText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewKey makes a key: hg_, 160 random bits, and a checksum by which a typing
// error is told from a key that was taken back. The secret is shown once.
func NewKey(name string, scope Scope, now, expires time.Time) (honeyguide.Secret, Key, error) {
	if !scope.Known() {
		return "", Key{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "scope: want one of admin, responder, analyst, auditor, read, ingest, metrics, bouncer"}
	}
	if name == "" || len(name) > 64 {
		return "", Key{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "name: want 1 to 64 characters"}
	}
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	body := keyPrefix + keyText.EncodeToString(random[:])
	secret := honeyguide.Secret(body + checksum(body))
	k := Key{ID: honeyguide.NewID(now), Name: name, Scope: scope, CreatedAt: now.UTC().Truncate(time.Microsecond), ExpiresAt: expires}
	k.Sum, k.Last4 = fingerprint(secret)
	return secret, k, nil
}

// WellFormed reports whether a secret is a key as NewKey makes them: a wrong
// checksum means that it was mistyped.
func WellFormed(secret honeyguide.Secret) bool {
	s := secret.Reveal()
	n := len(s) - 7
	return n > len(keyPrefix) && strings.HasPrefix(s, keyPrefix) && s[n:] == checksum(s[:n])
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return keyText.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

func fingerprint(secret honeyguide.Secret) (sum, last4 string) {
	s := secret.Reveal()
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:]), s[max(len(s)-4, 0):]
}

// minBootstrap is the shortest key an operator may choose.
const minBootstrap = 32

// StateKeys keeps keys in the state, so that taking one back holds from the
// next request on.
type StateKeys struct {
	store     state.Store
	bootstrap Key // of the operator's own choice; without Sum there is none
}

const metaKeys = "api_keys"

// NewStateKeys returns the keys kept in store. bootstrap is the key of an
// administrator that the operator has chosen (SOC_API_KEY), "" for none; it has
// at least 32 characters.
func NewStateKeys(store state.Store, bootstrap honeyguide.Secret) (*StateKeys, error) {
	k := &StateKeys{store: store}
	if bootstrap == "" {
		return k, nil
	}
	if len(bootstrap.Reveal()) < minBootstrap {
		return nil, &honeyguide.Error{
			Code:    honeyguide.CodeInvalid,
			Message: fmt.Sprintf("SOC_API_KEY is shorter than %d characters: choose a longer one, such as the output of `openssl rand -hex 32`", minBootstrap),
		}
	}
	k.bootstrap = Key{ID: "bootstrap", Name: "bootstrap", Scope: ScopeAdmin}
	k.bootstrap.Sum, k.bootstrap.Last4 = fingerprint(bootstrap)
	return k, nil
}

// Lookup compares with every key in constant time.
func (k *StateKeys) Lookup(ctx context.Context, secret honeyguide.Secret, now time.Time) (Key, error) {
	if secret == "" {
		return Key{}, ErrNoKey
	}
	sum, _ := fingerprint(secret)
	all, err := k.List(ctx)
	if err != nil {
		return Key{}, err
	}
	found := -1
	for i, key := range append(all, k.bootstrap) {
		if subtle.ConstantTimeCompare([]byte(key.Sum), []byte(sum)) == 1 {
			found = i
		}
	}
	switch {
	case found < 0:
		return Key{}, ErrNoKey
	case found == len(all):
		return k.bootstrap, nil
	case !all[found].ExpiresAt.IsZero() && !now.Before(all[found].ExpiresAt):
		return Key{}, ErrNoKey
	}
	return all[found], nil
}

// List returns the keys kept, oldest first.
func (k *StateKeys) List(ctx context.Context) ([]Key, error) {
	var all []Key
	err := k.store.View(ctx, func(tx state.Tx) error {
		var err error
		all, err = readKeys(ctx, tx)
		return err
	})
	return all, err
}

func readKeys(ctx context.Context, tx state.Tx) ([]Key, error) {
	text, err := tx.Meta().Get(ctx, metaKeys)
	if err != nil || text == "" {
		return nil, err
	}
	var all []Key
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("read api keys: %w", err)
	}
	return all, nil
}

// Add keeps a key.
func (k *StateKeys) Add(ctx context.Context, key Key) error {
	return k.change(ctx, func(all []Key) ([]Key, error) { return append(all, key), nil })
}

// Remove takes a key back, by its id; CodeNotFound.
func (k *StateKeys) Remove(ctx context.Context, id string) error {
	return k.change(ctx, func(all []Key) ([]Key, error) {
		for i, key := range all {
			if key.ID == id {
				return append(all[:i], all[i+1:]...), nil
			}
		}
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no key with this id"}
	})
}

func (k *StateKeys) change(ctx context.Context, edit func([]Key) ([]Key, error)) error {
	return k.store.Update(ctx, func(tx state.Tx) error {
		all, err := readKeys(ctx, tx)
		if err != nil {
			return err
		}
		if all, err = edit(all); err != nil {
			return err
		}
		text, err := json.Marshal(all)
		if err != nil {
			return fmt.Errorf("write api keys: %w", err)
		}
		return tx.Meta().Put(ctx, metaKeys, string(text))
	})
}
