package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/auth/recovery"
	"honeyguide/internal/auth/totp"
	"honeyguide/internal/state"
)

// issuer is what authenticator apps show beside a code.
const issuer = "Honeyguide"

// pendingLimit is how long a second factor that was begun waits to be confirmed.
const pendingLimit = 15 * time.Minute

// A TOTPOffer is what an authenticator app needs. It is shown once.
type TOTPOffer struct {
	Secret honeyguide.Secret
	URI    honeyguide.Secret
	QR     []string // rows of 0 and 1
}

// place names where the secret of an app is kept, so that it opens nowhere else.
func totpPlace(user string) []string { return []string{"credentials", user, "totp"} }

// one returns the credential of a kind that an account has one of; the zero
// Credential when there is none.
func one(ctx context.Context, tx state.Tx, user string, kind honeyguide.CredentialKind, pending bool) (c honeyguide.Credential, err error) {
	all, err := tx.Credentials().Of(ctx, user, kind)
	for _, each := range all {
		if each.Pending == pending {
			c = each
		}
	}
	return c, err
}

// useTOTP checks a code of an authenticator app and uses it up.
func (s *Service) useTOTP(ctx context.Context, tx state.Tx, u honeyguide.User, code honeyguide.Secret) (bool, error) {
	c, err := one(ctx, tx, u.ID, honeyguide.CredentialTOTP, false)
	if err != nil || c.ID == "" {
		return false, err
	}
	return s.spend(ctx, tx, &c, code)
}

// spend compares a code and notes its step, so that it and those before it are
// good no more.
func (s *Service) spend(ctx context.Context, tx state.Tx, c *honeyguide.Credential, code honeyguide.Secret) (bool, error) {
	secret, err := s.o.Box.Open(c.Data, totpPlace(c.User)...)
	if err != nil {
		return false, fmt.Errorf("open the secret of an authenticator app: %w", err)
	}
	step, ok := totp.Verify(honeyguide.Secret(secret), code.Reveal(), uint64(max(c.Counter, 0)), s.o.Now())
	if !ok {
		return false, nil
	}
	c.Counter, c.UsedAt = int64(step), s.now()
	if s.o.Box.Stale(c.Data) {
		c.Data = s.o.Box.Seal(secret, totpPlace(c.User)...)
	}
	return true, tx.Credentials().Save(ctx, c)
}

// useRecovery checks a recovery code and strikes it out.
func (s *Service) useRecovery(ctx context.Context, tx state.Tx, u honeyguide.User, code honeyguide.Secret) (bool, error) {
	c, err := one(ctx, tx, u.ID, honeyguide.CredentialRecovery, false)
	if err != nil || c.ID == "" {
		return false, err
	}
	var sums []string
	if err := json.Unmarshal(c.Data, &sums); err != nil {
		return false, fmt.Errorf("read recovery codes: %w", err)
	}
	left, ok := recovery.Use(sums, code.Reveal())
	if !ok {
		return false, nil
	}
	if c.Data, err = json.Marshal(left); err != nil {
		return false, fmt.Errorf("write recovery codes: %w", err)
	}
	c.UsedAt = s.now()
	return true, tx.Credentials().Save(ctx, &c)
}

// TOTP is the second step of a login by a code of an authenticator app. Errors are
// those of Login, and ErrNoLogin.
func (s *Service) TOTP(ctx context.Context, from Caller, code honeyguide.Secret) (Answer, error) {
	return s.second(ctx, from, string(honeyguide.CredentialTOTP), func(tx state.Tx, u honeyguide.User) (bool, error) { return s.useTOTP(ctx, tx, u, code) })
}

// Recovery is the second step of a login by a recovery code. Errors are those of
// Login, and ErrNoLogin.
func (s *Service) Recovery(ctx context.Context, from Caller, code honeyguide.Secret) (Answer, error) {
	return s.second(ctx, from, string(honeyguide.CredentialRecovery), func(tx state.Tx, u honeyguide.User) (bool, error) { return s.useRecovery(ctx, tx, u, code) })
}

// OfferTOTP begins an authenticator app of somebody who is in. It counts once
// ConfirmTOTP has seen a code. CodeConflict when there is one.
func (s *Service) OfferTOTP(ctx context.Context, by Actor) (o TOTPOffer, err error) {
	secret := totp.NewSecret()
	uri := totp.URI(secret, issuer, by.Name)
	if o.QR, err = totp.QR(uri); err != nil {
		return TOTPOffer{}, err
	}
	o.Secret, o.URI = secret, honeyguide.Secret(uri)
	return o, s.o.State.Update(ctx, func(tx state.Tx) error {
		all, err := tx.Credentials().Of(ctx, by.ID, honeyguide.CredentialTOTP)
		if err != nil {
			return err
		}
		for _, c := range all {
			if !c.Pending {
				return conflict("there is an authenticator app already: take it away first")
			}
			if err := tx.Credentials().Remove(ctx, c.ID); err != nil {
				return err
			}
		}
		return tx.Credentials().Save(ctx, &honeyguide.Credential{
			User: by.ID, Kind: honeyguide.CredentialTOTP, Pending: true, CreatedAt: s.now(), ExpiresAt: s.now().Add(pendingLimit),
			Data: s.o.Box.Seal([]byte(secret.Reveal()), totpPlace(by.ID)...),
		})
	})
}

// ConfirmTOTP makes the app that was offered count, when the code is one of its. The
// first second factor comes with recovery codes, which are shown once, and the
// login gets a new cookie.
func (s *Service) ConfirmTOTP(ctx context.Context, by Actor, code honeyguide.Secret) (codes []honeyguide.Secret, a Answer, err error) {
	turn, wait := s.confirms.take(by.ID, "login:"+by.Session, by.From.Network, s.o.Now())
	if wait > 0 {
		return nil, a, &WaitError{After: wait}
	}
	if err := s.by(ctx, by, "add-totp", "user:"+by.Name, ""); err != nil {
		turn.refund()
		return nil, a, err
	}
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		c, err := one(ctx, tx, by.ID, honeyguide.CredentialTOTP, true)
		switch {
		case err != nil:
			return err
		case c.ID == "" || !s.now().Before(c.ExpiresAt):
			return conflict("no authenticator app waits to be confirmed, or it waited too long: begin again")
		}
		c.Pending, c.ExpiresAt = false, time.Time{}
		ok, err := s.spend(ctx, tx, &c, code)
		if err != nil || !ok {
			return either(err, flaw("code: is not the one the app shows now; look at the clock of the telephone"))
		}
		codes, err = s.enrolled(ctx, tx, by.ID)
		return err
	})
	if err != nil {
		return nil, a, err
	}
	turn.refund()
	a, err = s.Confirmed(ctx, by)
	return codes, a, err
}

// enrolled notes that an account has a second factor. It makes recovery codes when
// there are none.
func (s *Service) enrolled(ctx context.Context, tx state.Tx, user string) ([]honeyguide.Secret, error) {
	u, err := tx.Users().Get(ctx, user)
	if err != nil {
		return nil, err
	}
	u.SecondFactor, u.UpdatedAt = true, s.now()
	if _, err := tx.Users().Save(ctx, &u); err != nil {
		return nil, err
	}
	c, err := one(ctx, tx, user, honeyguide.CredentialRecovery, false)
	if err != nil || c.ID != "" {
		return nil, err
	}
	return s.recover(ctx, tx, user)
}

// recover makes recovery codes in the place of those of before.
func (s *Service) recover(ctx context.Context, tx state.Tx, user string) ([]honeyguide.Secret, error) {
	codes, sums := recovery.New()
	doc, err := json.Marshal(sums)
	if err != nil {
		return nil, fmt.Errorf("write recovery codes: %w", err)
	}
	if _, err := tx.Credentials().RemoveOf(ctx, user, honeyguide.CredentialRecovery); err != nil {
		return nil, err
	}
	return codes, tx.Credentials().Save(ctx, &honeyguide.Credential{User: user, Kind: honeyguide.CredentialRecovery, Data: doc, CreatedAt: s.now()})
}

// Recoveries makes new recovery codes of somebody who is in; those of before are
// good no more. CodeConflict without a second factor.
func (s *Service) Recoveries(ctx context.Context, by Actor) (codes []honeyguide.Secret, err error) {
	if err := s.by(ctx, by, "new-recovery-codes", "user:"+by.Name, ""); err != nil {
		return nil, err
	}
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		u, err := tx.Users().Get(ctx, by.ID)
		if err == nil && !u.SecondFactor {
			err = conflict("recovery codes stand in for a second factor: set one first")
		}
		if err == nil {
			codes, err = s.recover(ctx, tx, by.ID)
		}
		return err
	})
	return codes, err
}

// RemoveTOTP takes the authenticator app of somebody who is in away. CodeNotFound.
func (s *Service) RemoveTOTP(ctx context.Context, by Actor) error {
	if err := s.by(ctx, by, "remove-totp", "user:"+by.Name, ""); err != nil {
		return err
	}
	return s.o.State.Update(ctx, func(tx state.Tx) error {
		n, err := tx.Credentials().RemoveOf(ctx, by.ID, honeyguide.CredentialTOTP)
		if err == nil && n == 0 {
			err = &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no authenticator app"}
		}
		if err != nil {
			return err
		}
		return s.stripped(ctx, tx, by.ID)
	})
}

// stripped notes that a second factor went. With the last of them the recovery
// codes go, too: they would be the only factor left.
func (s *Service) stripped(ctx context.Context, tx state.Tx, user string) error {
	left, err := factors(ctx, tx, user)
	if err != nil || slices.ContainsFunc(left, func(kind string) bool { return kind != string(honeyguide.CredentialRecovery) }) {
		return err
	}
	u, err := tx.Users().Get(ctx, user)
	if err != nil {
		return err
	}
	u.SecondFactor, u.UpdatedAt = false, s.now()
	_, err = tx.Users().Save(ctx, &u)
	_, gone := tx.Credentials().RemoveOf(ctx, user, honeyguide.CredentialRecovery)
	return errors.Join(err, gone)
}
