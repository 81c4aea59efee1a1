package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/auth/passkey"
	"honeyguide/internal/state"
)

// maxPasskeys is how many passkeys an account has at most.
const maxPasskeys = 20

// errNoPasskeys says that this console cannot take passkeys.
func errNoPasskeys() error {
	return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "this console takes no passkeys: browsers want a host name for them; set api.url to https://NAME"}
}

// A PasskeyInfo is a passkey as its owner sees it.
type PasskeyInfo struct {
	ID        string
	Name      string
	CreatedAt time.Time
	UsedAt    time.Time
	Sole      bool // it is good for signing in without anything else
	Synced    bool // a copy of it is kept by the maker of the device
}

// Passkeys reports whether this console takes passkeys.
func (s *Service) Passkeys() bool { return s.party != nil }

// lookupOf is by what a passkey is found: ids are long, a hash of them is not.
func lookupOf(id []byte) string {
	h := sha256.Sum256(id)
	return hex.EncodeToString(h[:])
}

// keyring reads the passkeys of an account.
func keyring(ctx context.Context, tx state.Tx, u honeyguide.User) (passkey.User, []honeyguide.Credential, error) {
	out := passkey.User{Handle: []byte(u.ID), Name: u.Name, Display: u.Display}
	all, err := tx.Credentials().Of(ctx, u.ID, honeyguide.CredentialPasskey)
	for _, c := range all {
		k, err := readKey(c)
		if err != nil {
			return out, nil, err
		}
		out.Keys = append(out.Keys, k)
	}
	return out, all, err
}

func readKey(c honeyguide.Credential) (k passkey.Key, err error) {
	if err := json.Unmarshal(c.Data, &k); err != nil {
		return k, fmt.Errorf("read passkey %s: %w", c.ID, err)
	}
	k.Counter = uint32(c.Counter)
	return k, nil
}

// owner reads an account and its passkeys.
func (s *Service) owner(ctx context.Context, id string) (u honeyguide.User, ring passkey.User, all []honeyguide.Credential, err error) {
	err = s.o.State.View(ctx, func(tx state.Tx) error {
		if u, err = tx.Users().Get(ctx, id); err != nil {
			return err
		}
		ring, all, err = keyring(ctx, tx, u)
		return err
	})
	return u, ring, all, err
}

// PasskeyOptions returns what a browser needs to show a passkey: one of their own
// to somebody who is in or on the way, any to a stranger.
func (s *Service) PasskeyOptions(ctx context.Context, from Caller) (json.RawMessage, error) {
	if s.party == nil {
		return nil, errNoPasskeys()
	}
	l, err := s.pending(ctx, from.Cookie)
	if errors.Is(err, ErrNoLogin) {
		return s.party.BeginSole()
	}
	if err != nil {
		return nil, err
	}
	_, ring, _, err := s.owner(ctx, l.User.ID)
	if err != nil {
		return nil, err
	}
	if len(ring.Keys) == 0 {
		return nil, conflict("you have no passkey here")
	}
	return s.party.BeginSecond(ring)
}

// Passkey takes what a browser showed: as the second step of a login, as the answer
// to the question who it is, or as a whole login. by is who is in, if anybody.
// Errors are those of Login.
func (s *Service) Passkey(ctx context.Context, by Actor, credential []byte) (Answer, error) {
	if s.party == nil {
		return Answer{}, errNoPasskeys()
	}
	l, err := s.pending(ctx, by.From.Cookie)
	switch {
	case errors.Is(err, ErrNoLogin):
		return s.sole(ctx, by.From, credential)
	case err != nil:
		return Answer{}, err
	case l.Session.Stage == honeyguide.LoginSecond:
		return s.second(ctx, by.From, string(honeyguide.CredentialPasskey), func(tx state.Tx, u honeyguide.User) (bool, error) {
			return s.usePasskey(ctx, tx, by.From, u, credential)
		})
	}
	who, err := s.principal(l)
	if err != nil {
		return Answer{}, err
	}
	by.Principal = who
	turn, wait := s.confirms.take(l.User.ID, "login:"+l.Session.ID, by.From.Network, s.o.Now())
	if wait > 0 {
		return Answer{}, &WaitError{After: wait}
	}
	right, err := s.tried(ctx, l, func(tx state.Tx, u honeyguide.User) (bool, error) {
		return s.usePasskey(ctx, tx, by.From, u, credential)
	})
	if err != nil {
		turn.refund()
		return Answer{}, err
	}
	s.checks.With("confirm").Add(1)
	if !right {
		return Answer{}, s.refused(ctx, by.From, l.User, "wrong passkey at the question who it is")
	}
	turn.refund()
	return s.Confirmed(ctx, by)
}

// usePasskey checks a passkey of an account as a second factor.
func (s *Service) usePasskey(ctx context.Context, tx state.Tx, from Caller, u honeyguide.User, credential []byte) (bool, error) {
	ring, _, err := keyring(ctx, tx, u)
	if err != nil {
		return false, err
	}
	entry, err := s.party.FinishSecond(ring, credential)
	if err != nil {
		return false, s.passkeyRefused(ctx, from, u, err)
	}
	return true, s.moveOn(ctx, tx, u, entry)
}

// passkeyRefused notes why a passkey was refused. It returns nil: what a stranger
// learns is that it was wrong.
func (s *Service) passkeyRefused(ctx context.Context, from Caller, u honeyguide.User, err error) error {
	r, ok := errors.AsType[*passkey.Refusal](err)
	if !ok {
		return err
	}
	s.o.Log.WarnContext(ctx, "passkey refused", "request_id", from.Request, "user_id", u.ID, "reason", string(r.Reason), "address", from.Address, "error", err)
	if r.Reason != passkey.Copied {
		return nil
	}
	return s.record(ctx, from, honeyguide.AuditEntry{
		Action: "login", Object: "user:" + u.Name, Outcome: honeyguide.AuditRefused,
		Detail: "the counter of passkey " + lookupOf(r.Key)[:12] + " went back: somebody may have a copy of it",
	})
}

// moveOn keeps the counter of a key, unless it has moved past it meanwhile.
func (s *Service) moveOn(ctx context.Context, tx state.Tx, u honeyguide.User, e passkey.Entry) error {
	c, err := tx.Credentials().Find(ctx, honeyguide.CredentialPasskey, lookupOf(e.Key.ID))
	if err != nil {
		return err
	}
	if c.User != u.ID || c.Counter >= int64(e.Key.Counter) && e.Key.Counter != 0 {
		return ErrWrong
	}
	if c.Data, err = json.Marshal(e.Key); err != nil {
		return fmt.Errorf("write passkey: %w", err)
	}
	c.Counter, c.UsedAt = int64(e.Key.Counter), s.now()
	return tx.Credentials().Save(ctx, &c)
}

// sole logs somebody in by a passkey alone. The device has verified who holds it,
// so no other factor is asked for.
func (s *Service) sole(ctx context.Context, from Caller, credential []byte) (Answer, error) {
	// A key cannot be guessed: only work is saved here, network by network.
	turn, wait := s.logins.take("\x00passkey "+from.Network.String(), "", from.Network, s.o.Now())
	if wait > 0 {
		s.results.With("throttled").Add(1)
		return Answer{}, &WaitError{After: wait}
	}
	var u honeyguide.User
	entry, err := s.party.FinishSole(func(handle []byte) (ring passkey.User, err error) {
		u, ring, _, err = s.owner(ctx, string(handle))
		if err == nil && (u.Disabled || u.Kind != honeyguide.UserPerson) {
			err = ErrWrong
		}
		return ring, err
	}, credential)
	if err == nil {
		err = s.o.State.Update(ctx, func(tx state.Tx) error { return s.moveOn(ctx, tx, u, entry) })
	} else if err = s.passkeyRefused(ctx, from, u, err); err == nil {
		err = ErrWrong
	}
	if errors.Is(err, ErrWrong) || absent(err) {
		return Answer{}, s.refused(ctx, from, u, "wrong passkey")
	}
	turn.refund()
	if err != nil {
		return Answer{}, err
	}
	return s.start(ctx, from, u, string(honeyguide.CredentialPasskey), true)
}

// MyPasskeys lists the passkeys of an account, oldest first.
func (s *Service) MyPasskeys(ctx context.Context, user string) ([]PasskeyInfo, error) {
	_, ring, all, err := s.owner(ctx, user)
	out := []PasskeyInfo{}
	for i, c := range all {
		out = append(out, infoOf(c, ring.Keys[i]))
	}
	return out, err
}

func infoOf(c honeyguide.Credential, k passkey.Key) PasskeyInfo {
	return PasskeyInfo{ID: c.ID, Name: c.Name, CreatedAt: c.CreatedAt, UsedAt: c.UsedAt, Sole: k.Resident, Synced: k.BackedUp}
}

// OfferPasskey returns what a browser needs to make a passkey of somebody who is in.
func (s *Service) OfferPasskey(ctx context.Context, by Actor) (json.RawMessage, error) {
	if s.party == nil {
		return nil, errNoPasskeys()
	}
	_, ring, _, err := s.owner(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	if len(ring.Keys) >= maxPasskeys {
		return nil, conflict(fmt.Sprintf("there are %d passkeys already: take one away first", maxPasskeys))
	}
	return s.party.BeginRegistration(ring)
}

// AddPasskey keeps what a browser made. The first second factor comes with recovery
// codes, which are shown once, and the login gets a new cookie.
func (s *Service) AddPasskey(ctx context.Context, by Actor, name string, credential []byte) (p PasskeyInfo, codes []honeyguide.Secret, a Answer, err error) {
	if s.party == nil {
		return p, nil, a, errNoPasskeys()
	}
	if name == "" || len(name) > 100 {
		return p, nil, a, flaw("name: want 1 to 100 bytes, such as that of the device")
	}
	_, ring, _, err := s.owner(ctx, by.ID)
	if err != nil {
		return p, nil, a, err
	}
	k, err := s.party.FinishRegistration(ring, credential)
	if err != nil {
		return p, nil, a, s.notMade(ctx, by, err)
	}
	if err := s.by(ctx, by, "add-passkey", "user:"+by.Name, base64.RawURLEncoding.EncodeToString(k.Model)); err != nil {
		return p, nil, a, err
	}
	doc, err := json.Marshal(k)
	if err != nil {
		return p, nil, a, fmt.Errorf("write passkey: %w", err)
	}
	err = s.o.State.Update(ctx, func(tx state.Tx) error {
		c := honeyguide.Credential{User: by.ID, Kind: honeyguide.CredentialPasskey, Name: name, Lookup: lookupOf(k.ID), Data: doc, Counter: int64(k.Counter), CreatedAt: s.now()}
		if err := tx.Credentials().Save(ctx, &c); err != nil {
			return err
		}
		p = infoOf(c, k)
		codes, err = s.enrolled(ctx, tx, by.ID)
		return err
	})
	if err != nil {
		return p, nil, a, err
	}
	a, err = s.Confirmed(ctx, by)
	return p, codes, a, err
}

// notMade says in plain words why a passkey was not kept.
func (s *Service) notMade(ctx context.Context, by Actor, err error) error {
	r, ok := errors.AsType[*passkey.Refusal](err)
	if !ok {
		return err
	}
	s.o.Log.WarnContext(ctx, "passkey not kept", "request_id", by.From.Request, "user_id", by.ID, "reason", string(r.Reason), "error", err)
	switch r.Reason {
	case passkey.Stale:
		return conflict("this took too long, or was answered already: begin again")
	case passkey.Known:
		return conflict("this passkey is yours already")
	case passkey.WrongOrigin, passkey.WrongPlace:
		return flaw("credential: was made for another address; open the console at " + s.party.Place().Origins[0])
	}
	return flaw("credential: is none a browser makes here: " + string(r.Reason))
}

// mine finds a passkey of an account. CodeNotFound.
func mine(ctx context.Context, tx state.Tx, user, id string) (honeyguide.Credential, error) {
	c, err := tx.Credentials().Get(ctx, id)
	if err == nil && (c.User != user || c.Kind != honeyguide.CredentialPasskey) {
		err = &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no passkey with this id"}
	}
	return c, err
}

// RenamePasskey changes what the owner calls a passkey. CodeNotFound.
func (s *Service) RenamePasskey(ctx context.Context, by Actor, id, name string) (p PasskeyInfo, err error) {
	if name == "" || len(name) > 100 {
		return p, flaw("name: want 1 to 100 bytes, such as that of the device")
	}
	return p, s.o.State.Update(ctx, func(tx state.Tx) error {
		c, err := mine(ctx, tx, by.ID, id)
		if err != nil {
			return err
		}
		k, err := readKey(c)
		if err != nil {
			return err
		}
		c.Name = name
		p = infoOf(c, k)
		return tx.Credentials().Save(ctx, &c)
	})
}

// RemovePasskey takes a passkey of somebody who is in away. CodeNotFound.
func (s *Service) RemovePasskey(ctx context.Context, by Actor, id string) error {
	if err := s.by(ctx, by, "remove-passkey", "user:"+by.Name, id); err != nil {
		return err
	}
	return s.o.State.Update(ctx, func(tx state.Tx) error {
		c, err := mine(ctx, tx, by.ID, id)
		if err != nil {
			return err
		}
		if err := tx.Credentials().Remove(ctx, c.ID); err != nil {
			return err
		}
		return s.stripped(ctx, tx, by.ID)
	})
}
