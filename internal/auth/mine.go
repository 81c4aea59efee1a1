package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"honeyguide"
	"honeyguide/internal/state"
)

// Factors are the second factors of an account, without anything of their secrets.
type Factors struct {
	TOTP          bool // an authenticator app
	Passkeys      int
	RecoveryCodes int // not used yet
}

// MyFactors says which second factors an account has.
func (s *Service) MyFactors(ctx context.Context, user string) (f Factors, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		app, err := tx.Credentials().Of(ctx, user, honeyguide.CredentialTOTP)
		if err != nil {
			return err
		}
		keys, err := tx.Credentials().Of(ctx, user, honeyguide.CredentialPasskey)
		if err != nil {
			return err
		}
		codes, err := tx.Credentials().Of(ctx, user, honeyguide.CredentialRecovery)
		if err != nil {
			return err
		}
		// What nobody has confirmed opens nothing.
		set := func(c honeyguide.Credential) bool { return !c.Pending }
		f = Factors{TOTP: slices.ContainsFunc(app, set)}
		for i := range keys {
			if set(keys[i]) {
				f.Passkeys++
			}
		}
		for _, c := range codes {
			var left []json.RawMessage // only how many there are
			if err := json.Unmarshal(c.Data, &left); err != nil {
				return fmt.Errorf("read recovery codes: %w", err)
			}
			f.RecoveryCodes += len(left)
		}
		return nil
	})
	return f, err
}
