package auth

import (
	"context"

	"honeyguide"
	"honeyguide/internal/state"
)

// useTOTP checks a code of an authenticator app and uses it up.
func (s *Service) useTOTP(ctx context.Context, tx state.Tx, u honeyguide.User, code honeyguide.Secret) (bool, error) {
	return false, nil
}
