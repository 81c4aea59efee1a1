// Package seal encrypts the few secrets that must be readable again, such as
// those of authenticator apps, under a key that lies beside the state and not in
// it: XChaCha20-Poly1305, bound to the place a secret is kept in, so that a row
// moved elsewhere does not open.
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
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"honeyguide"
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
// concurrent use.
type Box struct {
	keys []key
}

type key struct {
	id   [idSize]byte
	aead cipher.AEAD
	raw  [chacha20poly1305.KeySize]byte
}

// Open reads the keys of a file, one a line in hex, newest first; it makes the
// file, mode 0600, when it is not there. Lines that begin with # are notes.
func Open(file string) (*Box, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if raw, err = create(file); err != nil {
			return nil, fmt.Errorf("make the key of secrets: %w", err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of secrets: %w", err)
	}
	b, err := Parse(raw)
	if err != nil {
		return nil, &honeyguide.Error{
			Code: honeyguide.CodeInvalid, Err: err,
			Message: file + " holds no key: want lines of 64 hexadecimal digits; restore it from a backup, or move it away: then second factors have to be set up anew",
		}
	}
	return b, nil
}

// Parse reads the keys of a text.
func Parse(text []byte) (*Box, error) {
	b := &Box{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		raw, err := hex.DecodeString(line)
		if err != nil || len(raw) != chacha20poly1305.KeySize || len(b.keys) == maxKeys {
			return nil, errors.New("a line is no key")
		}
		k, err := newKey([chacha20poly1305.KeySize]byte(raw))
		if err != nil {
			return nil, err
		}
		b.keys = append(b.keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(b.keys) == 0 {
		return nil, errors.New("there is no key")
	}
	return b, nil
}

// Random returns a box of a key that is kept nowhere.
func Random() *Box {
	var raw [chacha20poly1305.KeySize]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	k, _ := newKey(raw)      // the size is right
	return &Box{keys: []key{k}}
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
	k := b.keys[0]
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
	for _, k := range b.keys {
		if [idSize]byte(sealed[1:]) != k.id {
			continue
		}
		plain, err := k.aead.Open(nil, sealed[1+idSize:headSize], sealed[headSize:], bound(sealed[:1+idSize], place))
		if err == nil {
			return plain, nil
		}
	}
	return nil, ErrSealed
}

// Stale reports whether something was sealed with another key than the first.
func (b *Box) Stale(sealed []byte) bool {
	return len(sealed) < headSize || [idSize]byte(sealed[1:]) != b.keys[0].id
}

// Derive returns 32 bytes for one use from each key, the first key's first: for
// signatures, whose makers ask no state.
func (b *Box) Derive(use string) [][]byte {
	var out [][]byte
	for _, k := range b.keys {
		sum := sha256.Sum256(append([]byte("honeyguide derived key\x00"+use+"\x00"), k.raw[:]...))
		out = append(out, sum[:])
	}
	return out
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

// create writes a file with a new key; it appears whole or not at all.
func create(file string) ([]byte, error) {
	var raw [chacha20poly1305.KeySize]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	text := []byte("# seals secrets in the state; back it up apart from it\n" + hex.EncodeToString(raw[:]) + "\n")
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // not there any more when all went well
	if _, err := f.Write(text); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return text, os.Rename(f.Name(), file)
}
