package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"honeyguide"
	"honeyguide/internal/auth/passkey"
	"honeyguide/internal/state"
)

// Passkeys reports whether keys are taken here: browsers want a name for that,
// not an address.
func (s *Service) Passkeys() bool { return s.party != nil }

// openPasskeys prepares for keys made for the address people reach the console at.
func (s *Service) openPasskeys() {
	if s.o.Public == "" && s.o.Listen == "" {
		return
	}
	place, err := passkey.PlaceOf(s.o.Public, s.o.Listen)
	if err == nil {
		s.party, err = passkey.New(place, s.o.Now)
	}
	if err != nil {
		s.o.Log.Warn("no passkeys", "error", err)
	}
}

// lookupOf is by what a key is found: a hash, because an id may be longer than
// what the state keeps to look things up by, and two of the same beginning would
// be one.
func lookupOf(id []byte) string { return sumOf(honeyguide.Secret("passkey\x00" + string(id))) }

// holder reads the keys of an account as the ceremonies want them.
func holder(ctx context.Context, tx state.Tx, u honeyguide.User) (passkey.User, error) {
	out := passkey.User{Handle: []byte(u.ID), Name: u.Name, Display: u.Display}
	all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialPasskey)
	for _, c := range all {
		var k passkey.Key
		if err := json.Unmarshal(c.Data, &k); err != nil {
			return out, fmt.Errorf("read a passkey: %w", err)
		}
		out.Keys = append(out.Keys, k)
	}
	return out, err
}

func (s *Service) holder(ctx context.Context, user string) (out passkey.User, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		u, err := tx.Users().Get(ctx, user)
		if err != nil {
			return err
		}
		if u.Disabled || u.Kind != honeyguide.UserPerson {
			return ErrWrong
		}
		out, err = holder(ctx, tx, u)
		return err
	})
	return out, err
}

// PasskeyOptions are what a browser needs to sign in with a key: one of the
// account that is halfway in or is in already, else any.
func (s *Service) PasskeyOptions(ctx context.Context, from Caller) (json.RawMessage, error) {
	if s.party == nil {
		return nil, forbidden(errNoPasskeys.Error())
	}
	l, err := s.pending(ctx, from.Cookie)
	if errors.Is(err, ErrNoLogin) {
		return s.party.BeginSole()
	}
	if err != nil {
		return nil, err
	}
	u, err := s.holder(ctx, l.User.ID)
	if err != nil {
		return nil, err
	}
	if len(u.Keys) == 0 {
		return nil, conflict("you have no passkey: use another way")
	}
	return s.party.BeginSecond(u)
}

// Passkey signs in with a key: alone, as the second step, or to confirm who is in.
func (s *Service) Passkey(ctx context.Context, from Caller, credential []byte) (Answer, error) {
	if s.party == nil {
		return Answer{}, forbidden(errNoPasskeys.Error())
	}
	l, err := s.pending(ctx, from.Cookie)
	switch {
	case errors.Is(err, ErrNoLogin):
		return s.solePasskey(ctx, from, credential)
	case err != nil:
		return Answer{}, err
	case l.Session.Stage == honeyguide.LoginSecond:
		u, err := s.holder(ctx, l.User.ID)
		if err != nil {
			return Answer{}, err
		}
		// The signature is checked once; what follows may run again.
		entry, refusal := s.party.FinishSecond(u, credential)
		s.told(ctx, from, l.User.ID, refusal)
		return s.second(ctx, from, "passkey", func(tx state.Tx, u honeyguide.User) (bool, error) {
			if refusal != nil {
				return false, nil
			}
			return true, s.keepKey(ctx, tx, u.ID, entry.Key)
		})
	}
	return s.confirmByKey(ctx, from, l, credential)
}

// told logs why a key was refused: the reason is for operators.
func (s *Service) told(ctx context.Context, from Caller, user string, err error) {
	if r, ok := errors.AsType[*passkey.Refusal](err); ok {
		s.o.Log.WarnContext(ctx, "passkey refused", "request_id", from.Request, "user_id", user, "reason", string(r.Reason), "error", r.Err, "address", from.Address)
	}
}

func (s *Service) solePasskey(ctx context.Context, from Caller, credential []byte) (Answer, error) {
	entry, err := s.party.FinishSole(func(handle []byte) (passkey.User, error) { return s.holder(ctx, string(handle)) }, credential)
	if err != nil {
		s.told(ctx, from, "", err)
		return Answer{}, s.refused(ctx, from, honeyguide.User{}, "a passkey that is not known")
	}
	var u honeyguide.User
	if err := s.o.State.Update(ctx, func(tx state.Tx) error {
		if u, err = tx.Users().Get(ctx, string(entry.User.Handle)); err != nil {
			return err
		}
		return s.keepKey(ctx, tx, u.ID, entry.Key)
	}); err != nil {
		return Answer{}, err
	}
	return s.start(ctx, from, u, "passkey", true)
}

func (s *Service) confirmByKey(ctx context.Context, from Caller, l Login, credential []byte) (Answer, error) {
	p, err := s.principal(l)
	if err != nil {
		return Answer{}, err
	}
	u, err := s.holder(ctx, p.ID)
	if err != nil {
		return Answer{}, err
	}
	entry, err := s.party.FinishSecond(u, credential)
	if err != nil {
		s.told(ctx, from, p.ID, err)
		return Answer{}, s.refused(ctx, from, l.User, "a wrong passkey at the question who it is")
	}
	if err := s.o.State.Update(ctx, func(tx state.Tx) error { return s.keepKey(ctx, tx, p.ID, entry.Key) }); err != nil {
		return Answer{}, err
	}
	return s.Confirmed(ctx, Actor{Principal: p, From: from})
}

// keepKey writes a key down as it is after its use.
func (s *Service) keepKey(ctx context.Context, tx state.Tx, user string, k passkey.Key) error {
	all, err := tx.Credentials().Of(ctx, user, honeyguide.CredentialPasskey)
	if err != nil {
		return err
	}
	for _, c := range all {
		var kept passkey.Key
		if json.Unmarshal(c.Data, &kept) != nil || !bytes.Equal(kept.ID, k.ID) {
			continue
		}
		if c.Data, err = json.Marshal(k); err != nil {
			return err
		}
		c.Lookup, c.UsedAt = lookupOf(k.ID), s.now() // older versions looked it up by something else
		return tx.Credentials().Save(ctx, &c)
	}
	return ErrWrong // removed meanwhile
}

// A Passkey is a key of somebody, as they are shown it.
type Passkey struct {
	honeyguide.Credential
	BackedUp bool
}

// MyPasskeys lists the keys of an account, oldest first.
func (s *Service) MyPasskeys(ctx context.Context, user string) (out []Passkey, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		out = nil
		all, err := tx.Credentials().Of(ctx, user, honeyguide.CredentialPasskey)
		for _, c := range all {
			var k passkey.Key
			_ = json.Unmarshal(c.Data, &k) // one that cannot be read can still be removed
			out = append(out, Passkey{c, k.BackedUp})
		}
		return err
	})
	return out, err
}

// NewPasskey are what a browser needs to make a key.
func (s *Service) NewPasskey(ctx context.Context, by Actor) (json.RawMessage, error) {
	if s.party == nil {
		return nil, forbidden(errNoPasskeys.Error())
	}
	u, err := s.holder(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	return s.party.BeginRegistration(u)
}

// AddPasskey keeps a key that a browser made. It returns recovery codes when this
// is the first second factor.
func (s *Service) AddPasskey(ctx context.Context, by Actor, name string, credential []byte) (out Passkey, codes []honeyguide.Secret, err error) {
	if s.party == nil {
		return out, nil, forbidden(errNoPasskeys.Error())
	}
	u, err := s.holder(ctx, by.ID)
	if err != nil {
		return out, nil, err
	}
	k, err := s.party.FinishRegistration(u, credential)
	if r, ok := errors.AsType[*passkey.Refusal](err); ok {
		s.told(ctx, by.From, by.ID, err)
		return out, nil, flaw("credential: refused: " + string(r.Reason) + "; begin again")
	}
	if err != nil {
		return out, nil, err
	}
	doc, err := json.Marshal(k)
	if err != nil {
		return out, nil, err
	}
	if err := s.by(ctx, by, "add-passkey", "user:"+by.Name, ""); err != nil {
		return out, nil, err
	}
	out = Passkey{BackedUp: k.BackedUp}
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		out.Credential = honeyguide.Credential{User: by.ID, Kind: honeyguide.CredentialPasskey, Name: name, Lookup: lookupOf(k.ID), Data: doc}
		if err := tx.Credentials().Save(ctx, &out.Credential); err != nil {
			return err
		}
		codes, err = s.enrolled(ctx, tx, by.ID)
		return err
	})
	return out, codes, err
}

// myPasskey finds a key of who asks. CodeNotFound.
func myPasskey(ctx context.Context, tx state.Tx, by Actor, id string) (honeyguide.Credential, error) {
	c, err := tx.Credentials().Get(ctx, id)
	if err == nil && (c.User != by.ID || c.Kind != honeyguide.CredentialPasskey) {
		err = &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no passkey with this id"}
	}
	return c, err
}

// NamePasskey gives a key of who asks another name.
func (s *Service) NamePasskey(ctx context.Context, by Actor, id, name string) error {
	if err := s.by(ctx, by, "name-passkey", "user:"+by.Name, id); err != nil {
		return err
	}
	return s.o.State.Update(ctx, func(tx state.Tx) error {
		c, err := myPasskey(ctx, tx, by, id)
		if err != nil {
			return err
		}
		c.Name = name
		return tx.Credentials().Save(ctx, &c)
	})
}

// RemovePasskey takes a key of who asks away.
func (s *Service) RemovePasskey(ctx context.Context, by Actor, id string) error {
	if err := s.by(ctx, by, "remove-passkey", "user:"+by.Name, id); err != nil {
		return err
	}
	return s.o.State.Update(ctx, func(tx state.Tx) error {
		c, err := myPasskey(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if err := tx.Credentials().Remove(ctx, c.ID); err != nil {
			return err
		}
		return s.unrolled(ctx, tx, by.ID)
	})
}
