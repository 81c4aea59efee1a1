package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
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
	// Replace keeps next as the successor of the key of an id, which ends at a time,
	// or at once when that has come; CodeNotFound.
	Replace(ctx context.Context, id string, next Key, ends time.Time) error
	// Used notes that a key was shown, and from where. It is written down later.
	Used(key Key, from netip.Addr, now time.Time)
}

// A Key is what is kept of an API key: never the key itself.
type Key struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Scope     Scope          `json:"scope"`  // or the name of a role
	Sum       string         `json:"sha256"` // of the secret, in hex
	Last4     string         `json:"last4"`
	Owner     string         `json:"owner,omitempty"` // id of the account it belongs to
	From      []netip.Prefix `json:"from,omitempty"`  // addresses it is good from; none: any
	CreatedAt time.Time      `json:"created_at"`
	ExpiresAt time.Time      `json:"expires_at,omitzero"` // zero: it does not end
	UsedAt    time.Time      `json:"used_at,omitzero"`
	UsedFrom  netip.Addr     `json:"used_from,omitzero"`
	Successor string         `json:"successor,omitempty"` // id of the key that took its place
}

// Good reports whether a key is good from an address.
func (k Key) Good(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	return len(k.From) == 0 || slices.ContainsFunc(k.From, func(p netip.Prefix) bool { return p.Contains(from) })
}

// over reports whether a key has ended.
func (k Key) over(now time.Time) bool { return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) }

// keyPrefix makes keys recognisable, to people and to scanners of secrets.
const keyPrefix = "hg_"

var keyText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewKey makes a key: hg_, 160 random bits, and a checksum by which a typing
// error is told from a key that was taken back. The secret is shown once. scope
// is a built-in one; the caller may put the name of a role in its place.
func NewKey(name string, scope Scope, now, expires time.Time) (honeyguide.Secret, Key, error) {
	if !scope.Known() {
		return "", Key{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "scope: want one of admin, responder, analyst, viewer, auditor, read, ingest, metrics, bouncer, or a role of your own"}
	}
	if name == "" || len(name) > 64 {
		return "", Key{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "name: want 1 to 64 characters"}
	}
	secret, k := freshKey(now)
	k.Name, k.Scope, k.ExpiresAt = name, scope, expires
	return secret, k, nil
}

// freshKey makes a secret and what is kept of it.
func freshKey(now time.Time) (honeyguide.Secret, Key) {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	body := keyPrefix + keyText.EncodeToString(random[:])
	secret := honeyguide.Secret(body + checksum(body))
	k := Key{ID: honeyguide.NewID(now), CreatedAt: now.UTC().Truncate(time.Microsecond)}
	k.Sum, k.Last4 = fingerprint(secret)
	return secret, k
}

// Renewed makes a key that is good for what another is.
func (k Key) Renewed(now time.Time) (honeyguide.Secret, Key) {
	secret, next := freshKey(now)
	next.Name, next.Scope, next.Owner, next.From, next.ExpiresAt = k.Name, k.Scope, k.Owner, k.From, k.ExpiresAt
	return secret, next
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
