package certs

import (
	"context"

	"github.com/caddyserver/certmagic"

	"honeyguide/internal/seal"
)

// ACMEFolder is the name that files of ACME are bound to in a vault, and that of
// their folder.
const ACMEFolder = "acme"

// A shelf keeps what ACME keeps, keys of accounts and certificates among it, sealed.
type shelf struct {
	*certmagic.FileStorage
	vault *seal.Vault
}

// Store keeps a value.
func (s *shelf) Store(ctx context.Context, key string, value []byte) error {
	defer s.vault.Lock()()
	return s.FileStorage.Store(ctx, key, s.vault.Enclose(value, ACMEFolder+"/"+key))
}

// Load returns a value, also one that was kept before values were sealed; that one
// is sealed on this occasion.
func (s *shelf) Load(ctx context.Context, key string) ([]byte, error) {
	raw, err := s.FileStorage.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	plain, err := s.vault.Disclose(raw, ACMEFolder+"/"+key)
	if err == nil && seal.Seals(raw) != s.vault.Sealed() {
		err = s.Store(ctx, key, plain)
	}
	return plain, err
}
