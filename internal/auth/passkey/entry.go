package passkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

func lasting(o *protocol.PublicKeyCredentialRequestOptions) error {
	o.Timeout = int(life.Milliseconds())
	return nil
}

// BeginSole returns the options to sign in with a key and nothing else. They name
// nobody and no key: who asks learns nothing about who is there.
func (p *Party) BeginSole() (json.RawMessage, error) {
	options, session, err := p.lib.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired), lasting)
	if err != nil {
		return nil, fmt.Errorf("begin a sign-in with a passkey: %w", err)
	}
	p.open.keep(*session)
	return marshal(options.Response)
}

// FinishSole checks a sign-in begun by BeginSole. find returns the user of a
// handle; its error says that there is none. The device must have verified its
// owner. The error is a [Refusal].
func (p *Party) FinishSole(find func(handle []byte) (User, error), credential []byte) (Entry, error) {
	got, session, err := p.parse(p.open, credential)
	if err != nil {
		return Entry{}, err
	}
	if !got.Response.AuthenticatorData.Flags.HasUserVerified() {
		return Entry{}, refuse(Unverified, nil)
	}
	handle := got.Response.UserHandle
	if len(handle) == 0 || len(handle) > 64 {
		return Entry{}, refuse(Malformed, nil)
	}
	user, err := find(handle)
	if err != nil || !bytes.Equal(user.Handle, handle) {
		return Entry{}, refuse(Unknown, err)
	}
	key, ok := user.key(got.RawID)
	if !ok {
		return Entry{}, refuse(Unknown, nil)
	}
	_, cred, err := p.lib.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return account{user}, nil }, session, got)
	return entry(user, key, got, cred, err)
}

// BeginSecond returns the options to confirm with one of a user's keys what was
// begun with a password.
func (p *Party) BeginSecond(user User) (json.RawMessage, error) {
	if len(user.Keys) == 0 {
		return nil, refuse(Unknown, errors.New("the user has no key"))
	}
	var allowed []protocol.CredentialDescriptor
	for _, k := range user.Keys {
		allowed = append(allowed, descriptor(k))
	}
	options, session, err := p.lib.BeginLogin(account{user}, webauthn.WithAllowedCredentials(allowed), webauthn.WithUserVerification(protocol.VerificationPreferred), lasting)
	if err != nil {
		return nil, fmt.Errorf("begin a second factor: %w", err)
	}
	p.held.keep(*session)
	return marshal(options.Response)
}

// FinishSecond checks what was begun by BeginSecond for the same user. The error
// is a [Refusal].
func (p *Party) FinishSecond(user User, credential []byte) (Entry, error) {
	got, session, err := p.parse(p.held, credential)
	if err != nil {
		return Entry{}, err
	}
	if !bytes.Equal(session.UserID, user.Handle) || len(got.Response.UserHandle) > 0 && !bytes.Equal(got.Response.UserHandle, user.Handle) {
		return Entry{}, refuse(WrongUser, nil)
	}
	key, ok := user.key(got.RawID)
	if !ok {
		return Entry{}, refuse(Unknown, nil)
	}
	cred, err := p.lib.ValidateLogin(account{user}, session, got)
	return entry(user, key, got, cred, err)
}

// parse reads an assertion and spends its challenge.
func (p *Party) parse(from *challenges, credential []byte) (*protocol.ParsedCredentialAssertionData, webauthn.SessionData, error) {
	if len(credential) > MaxCredential {
		return nil, webauthn.SessionData{}, refuse(Malformed, nil)
	}
	got, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return nil, webauthn.SessionData{}, refuse(Malformed, err)
	}
	session, err := from.take(got.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, session, err
	}
	return got, session, p.check(got.Response.CollectedClientData, protocol.AssertCeremony, got.Response.AuthenticatorData)
}

// key returns the key of an id.
func (u User) key(id []byte) (Key, bool) {
	for _, k := range u.Keys {
		if bytes.Equal(k.ID, id) {
			return k, true
		}
	}
	return Key{}, false
}

// entry judges what the library found. A counter that does not move forward means
// that a second device has the same key.
func entry(user User, key Key, got *protocol.ParsedCredentialAssertionData, cred *webauthn.Credential, err error) (Entry, error) {
	switch {
	case err != nil:
		return Entry{}, refuse(Unsigned, err)
	case cred.Authenticator.CloneWarning:
		return Entry{}, &Refusal{Reason: Copied, Key: key.ID, Err: fmt.Errorf("the counter is %d after %d", got.Response.AuthenticatorData.Counter, key.Counter)}
	}
	key.Counter, key.BackedUp = cred.Authenticator.SignCount, cred.Flags.BackupState
	return Entry{User: user, Key: key, Verified: got.Response.AuthenticatorData.Flags.HasUserVerified()}, nil
}
