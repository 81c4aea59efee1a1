// Package seal encrypts what must be readable again. A master key opens a ring of
// data keys; with those a [Vault] keeps the private files of a node and a [Box]
// seals secrets in rows, such as those of authenticator apps:
// XChaCha20-Poly1305, bound to the place a secret is kept in, so that a row or a
// file moved elsewhere does not open. What leaves the machine, such as backups,
// goes through [Encrypt] and [Decrypt] (age).
package seal

import (
	"bufio"
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	version  = 1
	idSize   = 4
	headSize = 1 + idSize + chacha20poly1305.NonceSizeX
	maxKeys  = 64 // in a file
)

// ErrSealed says that a secret does not open: it was changed, moved, or sealed
// under a key that is gone.
var ErrSealed = errors.New("the secret does not open with the keys there are")

// A Box seals with its first key and opens with all of them. It is safe for
// concurrent use, also while a [Vault] changes its keys.
type Box struct {
	held atomic.Pointer[held]
}

// held are the keys of a box at one time.
type held struct {
	keys []key // newest first
	// old are keys that are on the disk no more. What was read before they went
	// still opens, until the process ends.
	old     []key
	derived map[string][][]byte // what is left of keys that are gone, by use
}

func boxOf(keys ...key) *Box {
	b := &Box{}
	b.held.Store(&held{keys: keys})
	return b
}

func (b *Box) first() key { return b.held.Load().keys[0] }

type key struct {
	id   [idSize]byte
	aead cipher.AEAD
	raw  [chacha20poly1305.KeySize]byte
}

// parseKeys reads the keys of a text, one a line in hex, newest first. Lines that
// begin with # are notes.
func parseKeys(text []byte) (*Box, error) {
	var keys []key
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		raw, err := hex.DecodeString(line)
		if err != nil || len(raw) != chacha20poly1305.KeySize || len(keys) == maxKeys {
			return nil, errors.New("a line is no key")
		}
		k, err := newKey([chacha20poly1305.KeySize]byte(raw))
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key")
	}
	return boxOf(keys...), nil
}

// Random returns a box of a key that is kept nowhere.
func Random() *Box {
	return boxOf(randomKey())
}

func randomKey() key {
	var raw [chacha20poly1305.KeySize]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	k, _ := newKey(raw)      // the size is right
	return k
}

func newKey(raw [chacha20poly1305.KeySize]byte) (key, error) {
	aead, err := chacha20poly1305.NewX(raw[:])
	k := key{aead: aead, raw: raw}
	sum := sha256.Sum256(append([]byte("honeyguide key id\x00"), raw[:]...))
	copy(k.id[:], sum[:])
	return k, err
}

// Seal encrypts. place names where the result is kept: table, row, column.
func (b *Box) Seal(plain []byte, place ...string) []byte {
	k := b.first()
	out := make([]byte, headSize, headSize+len(plain)+k.aead.Overhead())
	out[0] = version
	copy(out[1:], k.id[:])
	nonce := out[1+idSize : headSize]
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return k.aead.Seal(out, nonce, plain, bound(out[:1+idSize], place))
}

// Open decrypts what Seal made for the same place; ErrSealed.
func (b *Box) Open(sealed []byte, place ...string) ([]byte, error) {
	if len(sealed) < headSize || sealed[0] != version {
		return nil, ErrSealed
	}
	h := b.held.Load()
	for _, keys := range [][]key{h.keys, h.old} {
		for _, k := range keys {
			if [idSize]byte(sealed[1:]) != k.id {
				continue
			}
			plain, err := k.aead.Open(nil, sealed[1+idSize:headSize], sealed[headSize:], bound(sealed[:1+idSize], place))
			if err == nil {
				return plain, nil
			}
		}
	}
	return nil, ErrSealed
}

// Stale reports whether something was sealed with another key than the first.
func (b *Box) Stale(sealed []byte) bool {
	return len(sealed) < headSize || [idSize]byte(sealed[1:]) != b.first().id
}

// Derive returns 32 bytes for one use from each key, the first key's first: for
// signatures, whose makers ask no state. Those of keys that are gone follow for a
// while, for the uses a [Vault] keeps them for.
func (b *Box) Derive(use string) [][]byte {
	h := b.held.Load()
	var out [][]byte
	for _, k := range h.keys {
		out = append(out, k.derive(use))
	}
	return append(out, h.derived[use]...)
}

func (k key) derive(use string) []byte {
	sum := sha256.Sum256(append([]byte("honeyguide derived key\x00"+use+"\x00"), k.raw[:]...))
	return sum[:]
}

// bound is the data that is authenticated beside the secret; no two lists of
// names have the same text.
func bound(head []byte, place []string) []byte {
	out := append([]byte{}, head...)
	for _, p := range place {
		out = append(append(out, fmt.Sprint(len(p), ":")...), p...)
	}
	return out
}

// keysText is the content of a file of keys.
func keysText(keys []key) []byte {
	text := []byte("# seals secrets in the state; back it up apart from it\n")
	for _, k := range keys {
		text = append(hex.AppendEncode(text, k.raw[:]), '\n')
	}
	return text
}
