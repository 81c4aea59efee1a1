package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"honeyguide"
	"honeyguide/internal/auth/recovery"
	"honeyguide/internal/auth/totp"
	"honeyguide/internal/state"
)

// Issuer is what an authenticator app shows beside a code.
const Issuer = "Honeyguide"

// sealedAt names the place of a secret: it opens nowhere else.
func sealedAt(user string) []string { return []string{"credential", user, "totp"} }

// A NewTOTP is what an authenticator app needs to know.
type NewTOTP struct {
	Secret honeyguide.Secret
	URI    string
	QR     []string
}

// BeginTOTP makes a secret for an authenticator app. It opens nothing before
// ConfirmTOTP; the one before it stays good until then.
func (s *Service) BeginTOTP(ctx context.Context, by Actor) (n NewTOTP, err error) {
	n.Secret = totp.NewSecret()
	n.URI = totp.URI(n.Secret, Issuer, by.Name)
	if n.QR, err = totp.QR(n.URI); err != nil {
		return n, err
	}
	if err := s.by(ctx, by, "begin-totp", "user:"+by.Name, ""); err != nil {
		return n, err
	}
	return n, s.o.State.Update(ctx, func(tx state.Tx) error {
		all, err := tx.Credentials().Of(ctx, by.ID, honeyguide.CredentialTOTP)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.Pending {
				if err := tx.Credentials().Remove(ctx, c.ID); err != nil {
					return err
				}
			}
		}
		// Sealed in here: a rotation that begins meanwhile has its turn after this.
		sealed := s.o.Box.Seal([]byte(n.Secret.Reveal()), sealedAt(by.ID)...)
		return tx.Credentials().Save(ctx, &honeyguide.Credential{User: by.ID, Kind: honeyguide.CredentialTOTP, Data: sealed, Pending: true})
	})
}

// ConfirmTOTP turns a secret on, when somebody shows that their app has it. It
// returns recovery codes when this is their first second factor.
func (s *Service) ConfirmTOTP(ctx context.Context, by Actor, code honeyguide.Secret) (codes []honeyguide.Secret, err error) {
	turn, wait := s.confirms.take(by.ID, "totp:"+by.Session, by.From.Network, s.o.Now())
	if wait > 0 {
		return nil, &WaitError{After: wait}
	}
	if err := s.by(ctx, by, "set-totp", "user:"+by.Name, ""); err != nil {
		return nil, err
	}
	right := false
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		right = false
		all, err := tx.Credentials().Of(ctx, by.ID, honeyguide.CredentialTOTP)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(c honeyguide.Credential) bool { return c.Pending })
		if i < 0 {
			return conflict("there is nothing to confirm: begin with POST /me/totp")
		}
		fresh := all[i]
		if right, err = s.matches(&fresh, code); err != nil || !right {
			return err
		}
		for _, c := range all {
			if !c.Pending {
				if err := tx.Credentials().Remove(ctx, c.ID); err != nil {
					return err
				}
			}
		}
		fresh.Pending = false
		if err := tx.Credentials().Save(ctx, &fresh); err != nil {
			return err
		}
		codes, err = s.enrolled(ctx, tx, by.ID)
		return err
	})
	if err == nil && !right {
		return nil, flaw("code: is not the one the app shows now; look whether the clock of the phone is right")
	}
	turn.refund()
	return codes, err
}

// matches checks a code against a secret and moves its counter: no code is good
// twice.
func (s *Service) matches(c *honeyguide.Credential, code honeyguide.Secret) (bool, error) {
	secret, err := s.o.Box.Open(c.Data, sealedAt(c.User)...)
	if err != nil {
		return false, fmt.Errorf("open the secret of an authenticator app: %w", err)
	}
	step, ok := totp.Verify(honeyguide.Secret(secret), code.Reveal(), uint64(max(c.Counter, 0)), s.o.Now())
	if ok {
		c.Counter, c.UsedAt = int64(step), s.now()
	}
	return ok, nil
}

// useTOTP checks a code of an authenticator app and uses it up.
func (s *Service) useTOTP(ctx context.Context, tx state.Tx, u honeyguide.User, code honeyguide.Secret) (bool, error) {
	all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialTOTP)
	if err != nil {
		return false, err
	}
	for _, c := range all {
		if c.Pending {
			continue
		}
		ok, err := s.matches(&c, code)
		if err != nil || !ok {
			return false, err
		}
		return true, tx.Credentials().Save(ctx, &c)
	}
	return false, nil
}

// TOTP is the second step with an authenticator app.
func (s *Service) TOTP(ctx context.Context, from Caller, code honeyguide.Secret) (Answer, error) {
	return s.second(ctx, from, "totp", func(tx state.Tx, u honeyguide.User) (bool, error) { return s.useTOTP(ctx, tx, u, code) })
}

// Recovery is the second step with a code on paper, which is used up.
func (s *Service) Recovery(ctx context.Context, from Caller, code honeyguide.Secret) (Answer, error) {
	return s.second(ctx, from, "recovery", func(tx state.Tx, u honeyguide.User) (bool, error) {
		all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialRecovery)
		if err != nil || len(all) == 0 {
			return false, err
		}
		c, sums := all[0], []string{}
		if err := json.Unmarshal(c.Data, &sums); err != nil {
			return false, fmt.Errorf("read recovery codes: %w", err)
		}
		left, ok := recovery.Use(sums, code.Reveal())
		if !ok {
			return false, nil
		}
		if c.Data, err = json.Marshal(left); err != nil {
			return false, err
		}
		c.UsedAt = s.now()
		return true, tx.Credentials().Save(ctx, &c)
	})
}

// enrolled notes that an account has a second factor now, and makes recovery
// codes when it has none.
func (s *Service) enrolled(ctx context.Context, tx state.Tx, user string) ([]honeyguide.Secret, error) {
	u, err := tx.Users().Get(ctx, user)
	if err != nil {
		return nil, err
	}
	u.SecondFactor, u.UpdatedAt = true, s.now()
	if _, err := tx.Users().Save(ctx, &u); err != nil {
		return nil, err
	}
	have, err := tx.Credentials().Of(ctx, user, honeyguide.CredentialRecovery)
	if err != nil || len(have) > 0 {
		return nil, err
	}
	return newCodes(ctx, tx, user)
}

// newCodes puts a set of recovery codes in the place of the one before.
func newCodes(ctx context.Context, tx state.Tx, user string) ([]honeyguide.Secret, error) {
	codes, sums := recovery.New()
	doc, err := json.Marshal(sums)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Credentials().RemoveOf(ctx, user, honeyguide.CredentialRecovery); err != nil {
		return nil, err
	}
	return codes, tx.Credentials().Save(ctx, &honeyguide.Credential{User: user, Kind: honeyguide.CredentialRecovery, Data: doc})
}

// RecoveryCodes makes a new set of recovery codes; those before are good no more.
func (s *Service) RecoveryCodes(ctx context.Context, by Actor) (codes []honeyguide.Secret, err error) {
	if err := s.by(ctx, by, "new-recovery-codes", "user:"+by.Name, ""); err != nil {
		return nil, err
	}
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		u, err := tx.Users().Get(ctx, by.ID)
		if err != nil {
			return err
		}
		if !u.SecondFactor {
			return conflict("set a second factor first: recovery codes stand in for one")
		}
		codes, err = newCodes(ctx, tx, u.ID)
		return err
	})
	return codes, err
}

// RemoveTOTP takes the authenticator app away.
func (s *Service) RemoveTOTP(ctx context.Context, by Actor) error {
	if err := s.by(ctx, by, "remove-totp", "user:"+by.Name, ""); err != nil {
		return err
	}
	return s.o.State.Update(ctx, func(tx state.Tx) error {
		n, err := tx.Credentials().RemoveOf(ctx, by.ID, honeyguide.CredentialTOTP)
		if err != nil {
			return err
		}
		if n == 0 {
			return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no authenticator app to remove"}
		}
		return s.unrolled(ctx, tx, by.ID)
	})
}

// unrolled notes that a factor was removed: without any, recovery codes stand in
// for nothing.
func (s *Service) unrolled(ctx context.Context, tx state.Tx, user string) error {
	u, err := tx.Users().Get(ctx, user)
	if err != nil {
		return err
	}
	left, err := factors(ctx, tx, user)
	if err != nil {
		return err
	}
	u.SecondFactor = slices.ContainsFunc(left, func(f string) bool { return f != string(honeyguide.CredentialRecovery) })
	if !u.SecondFactor {
		if _, err := tx.Credentials().RemoveOf(ctx, user, honeyguide.CredentialRecovery); err != nil {
			return err
		}
	}
	u.UpdatedAt = s.now()
	_, err = tx.Users().Save(ctx, &u)
	return err
}

var errNoPasskeys = errors.New("passkeys are not offered here")
