package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"honeyguide/internal/personal"
	"honeyguide/internal/seal"
)

// pseudonymFile holds the key of the pseudonyms that old data get. Who has it can
// tell whether a pseudonym is somebody's; without it nobody can.
const pseudonymFile = "pseudonyms.key"

// pseudonyms keep the key.
type pseudonyms struct {
	vault *seal.Vault
	mu    sync.Mutex
	known *personal.Pseudonyms // nil: not read yet
}

// get returns the pseudonyms, nil when there is no key; made makes one.
func (p *pseudonyms) get(made bool) (*personal.Pseudonyms, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	text, err := p.vault.Read(pseudonymFile)
	if errors.Is(err, fs.ErrNotExist) {
		if !made {
			return nil, nil
		}
		text, err = p.vault.Keep(pseudonymFile, newPseudonymKey)
	}
	if err != nil {
		return nil, err
	}
	defer clear(text)
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, invalid("%s: want 64 hexadecimal digits; restore it from a backup, or give it up with: honeyguide privacy forget-key", filepath.Join(p.vault.Dir(), pseudonymFile))
	}
	p.known = personal.NewPseudonyms(key)
	clear(key)
	return p.known, nil
}

// forget puts a new key in the place of the old one: it is gone with that.
func (p *pseudonyms) forget() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, err := newPseudonymKey()
	if err != nil {
		return err
	}
	defer clear(text)
	p.known = nil
	return p.vault.Write(pseudonymFile, text)
}

func newPseudonymKey() ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return []byte(hex.EncodeToString(key) + "\n"), nil
}
