package auth

import (
	"context"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// deviceUse is what the keys of device cookies are derived for.
const deviceUse = "device cookie"

// KeptDerived says how long what was derived of a data key has to be known after
// it is gone, by use: devices would be strangers otherwise.
func KeptDerived() map[string]time.Duration {
	return map[string]time.Duration{deviceUse: DeviceLife}
}

// Sealed counts the secrets in rows.
type Sealed struct {
	Rows  int // of all accounts
	Stale int // under an older key than the newest
	Lost  int // that open with none
}

// resealBatch is how many accounts one transaction looks at.
const resealBatch = 100

// Sealed looks at every secret in a row.
func (s *Service) Sealed(ctx context.Context) (out Sealed, err error) {
	var part Sealed
	err = s.batches(ctx, s.o.State.View, func(_ state.Tx, list []honeyguide.Credential) error {
		part = Sealed{Rows: len(list)}
		for _, c := range list {
			if s.o.Box.Stale(c.Data) {
				part.Stale++
			}
			if _, err := s.o.Box.Open(c.Data, sealedAt(c.User)...); err != nil {
				part.Lost++
			}
		}
		return nil
	}, func() { out.Rows, out.Stale, out.Lost = out.Rows+part.Rows, out.Stale+part.Stale, out.Lost+part.Lost })
	return out, err
}

// Reseal seals every secret in a row under the newest key that is not yet. Each
// batch is one transaction: what a crash leaves is sealed under one key or the
// other, and doing it again goes on. Rows that open with no key stay as they are.
// step is called after each batch; nil: nobody cares.
func (s *Service) Reseal(ctx context.Context, step func()) (n int, err error) {
	part := 0
	err = s.batches(ctx, s.o.State.Update, func(tx state.Tx, list []honeyguide.Credential) error {
		part = 0
		for _, c := range list {
			plain, err := s.o.Box.Open(c.Data, sealedAt(c.User)...)
			if err != nil || !s.o.Box.Stale(c.Data) {
				continue
			}
			c.Data = s.o.Box.Seal(plain, sealedAt(c.User)...)
			clear(plain)
			if err := tx.Credentials().Save(ctx, &c); err != nil {
				return err
			}
			part++
		}
		return nil
	}, func() {
		if n += part; step != nil {
			step()
		}
	})
	return n, err
}

// batches goes through the sealed secrets of all accounts, those of some accounts
// in one transaction, which may be tried again. after is called once each is done.
func (s *Service) batches(
	ctx context.Context, in func(context.Context, func(state.Tx) error) error, fn func(state.Tx, []honeyguide.Credential) error, after func(),
) error {
	for at := ""; ; {
		var next string
		err := in(ctx, func(tx state.Tx) error {
			users, cursor, err := tx.Users().List(ctx, state.UserQuery{Page: state.Page{After: at, Limit: resealBatch}})
			if err != nil {
				return err
			}
			next = cursor
			var list []honeyguide.Credential
			for _, u := range users {
				all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialTOTP)
				if err != nil {
					return err
				}
				list = append(list, all...)
			}
			return fn(tx, list)
		})
		if err != nil {
			return fmt.Errorf("go through the secrets of accounts: %w", err)
		}
		after()
		if at = next; at == "" {
			return nil
		}
	}
}
