// Package passkey is signing in with a key that a device or a stick holds
// (WebAuthn, https://www.w3.org/TR/webauthn-3/).
//
// What goes to the browser is what PublicKeyCredential.parseCreationOptionsFromJSON
// and parseRequestOptionsFromJSON take; what comes back is what toJSON makes of a
// credential. Origin, place, challenge, presence and signature are always checked.
package passkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
)

// A Key is what is kept of a passkey. There is no secret in it.
type Key struct {
	ID             []byte   `json:"id"`         // the device knows it by this
	PublicKey      []byte   `json:"public_key"` // COSE
	Counter        uint32   `json:"counter"`    // of signatures; stays 0 on keys that are copied between devices
	BackupEligible bool     `json:"backup_eligible"`
	BackedUp       bool     `json:"backed_up"`
	Resident       bool     `json:"resident"` // the browser said that it is good as the only thing to sign in with
	Model          []byte   `json:"model"`    // AAGUID, zeros when the maker does not tell
	Transports     []string `json:"transports,omitempty"`
}

// A User is somebody who has keys or is about to.
type User struct {
	Handle  []byte // 1 to 64 bytes by which a device remembers whose key it is; no name
	Name    string
	Display string
	Keys    []Key
}

// An Entry is a successful sign-in.
type Entry struct {
	User     User
	Key      Key  // as it is to be kept now: its counter has moved
	Verified bool // the device asked for a finger, a face or a PIN
}

// Bounds.
const (
	MaxCredential = 64 << 10        // bytes of what the browser sends
	life          = 5 * time.Minute // of a challenge
	maxKeyID      = 1023            // bytes (WebAuthn, 5.4.3)
)

// A Party checks keys for one place.
type Party struct {
	place      Place
	lib        *webauthn.WebAuthn
	open, held *challenges
}

// New returns a party for a place. now is the clock.
func New(place Place, now func() time.Time) (*Party, error) {
	lib, err := webauthn.New(&webauthn.Config{RPID: place.ID, RPDisplayName: "Honeyguide", RPOrigins: place.Origins})
	if err != nil {
		return nil, fmt.Errorf("prepare passkeys for %s: %w", place.ID, err)
	}
	return &Party{place: place, lib: lib, open: newChallenges(now), held: newChallenges(now)}, nil
}

// Place returns the place keys are made for.
func (p *Party) Place() Place { return p.place }

// BeginRegistration returns the options with which a browser makes a new key of a
// user. Devices that hold one of the user's keys already are told so.
func (p *Party) BeginRegistration(user User) (json.RawMessage, error) {
	var have []protocol.CredentialDescriptor
	for _, k := range user.Keys {
		have = append(have, descriptor(k))
	}
	options, session, err := p.lib.BeginRegistration(account{user},
		webauthn.WithExclusions(have),
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred}),
		webauthn.WithCredentialParameters(algorithms()),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Timeout = int(life.Milliseconds())
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("begin a passkey: %w", err)
	}
	p.held.keep(*session)
	return marshal(options.Response)
}

// algorithms are what keys may sign with: ECDSA on P-256, Ed25519, and RSA for
// Windows Hello.
func algorithms() []protocol.CredentialParameter {
	var out []protocol.CredentialParameter
	for _, a := range []webauthncose.COSEAlgorithmIdentifier{webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgRS256} {
		out = append(out, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: a})
	}
	return out
}

func marshal(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the options of a passkey: %w", err)
	}
	return raw, nil
}

// FinishRegistration checks what a browser made and returns the key to keep. The
// error is a [Refusal].
func (p *Party) FinishRegistration(user User, credential []byte) (Key, error) {
	if len(credential) > MaxCredential {
		return Key{}, refuse(Malformed, nil)
	}
	got, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return Key{}, refuse(Malformed, err)
	}
	session, err := p.held.take(got.Response.CollectedClientData.Challenge)
	if err != nil {
		return Key{}, err
	}
	data := got.Response.AttestationObject.AuthData
	if !bytes.Equal(session.UserID, user.Handle) {
		return Key{}, refuse(WrongUser, nil)
	}
	if err := p.check(got.Response.CollectedClientData, protocol.CreateCeremony, data); err != nil {
		return Key{}, err
	}
	made, err := p.lib.CreateCredential(account{user}, session, got)
	if err != nil {
		return Key{}, refuse(Unsigned, err)
	}
	if len(made.ID) > maxKeyID || slices.ContainsFunc(user.Keys, func(k Key) bool { return bytes.Equal(k.ID, made.ID) }) {
		return Key{}, refuse(Known, nil)
	}
	k := Key{
		ID: made.ID, PublicKey: made.PublicKey, Counter: made.Authenticator.SignCount, Model: made.Authenticator.AAGUID,
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
		Resident: made.Extensions.RK != nil && *made.Extensions.RK,
	}
	for _, t := range made.Transport[:min(len(made.Transport), 8)] {
		k.Transports = append(k.Transports, string(t))
	}
	return k, nil
}

// check looks at what the library looks at again, so that the reason of a refusal
// is known.
func (p *Party) check(client protocol.CollectedClientData, ceremony protocol.CeremonyType, data protocol.AuthenticatorData) error {
	want := sha256.Sum256([]byte(p.place.ID))
	switch {
	case client.Type != ceremony:
		return refuse(Malformed, nil)
	case client.CrossOrigin || !slices.Contains(p.place.Origins, client.Origin):
		return refuse(WrongOrigin, fmt.Errorf("the origin is %.100q", client.Origin))
	case !bytes.Equal(data.RPIDHash, want[:]):
		return refuse(WrongPlace, nil)
	case !data.Flags.HasUserPresent():
		return refuse(Absent, nil)
	}
	return nil
}

func descriptor(k Key) protocol.CredentialDescriptor {
	d := protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: k.ID}
	for _, t := range k.Transports {
		d.Transport = append(d.Transport, protocol.AuthenticatorTransport(t))
	}
	return d
}

// An account shows a user to the library.
type account struct{ user User }

// WebAuthnID returns the handle.
func (a account) WebAuthnID() []byte { return a.user.Handle }

// WebAuthnName returns the name people sign in with.
func (a account) WebAuthnName() string { return a.user.Name }

// WebAuthnDisplayName returns the name people are called by.
func (a account) WebAuthnDisplayName() string {
	if a.user.Display == "" {
		return a.user.Name
	}
	return a.user.Display
}

// WebAuthnCredentials returns the keys.
func (a account) WebAuthnCredentials() []webauthn.Credential {
	var out []webauthn.Credential
	for _, k := range a.user.Keys {
		out = append(out, webauthn.Credential{
			ID: k.ID, PublicKey: k.PublicKey,
			Flags:         webauthn.CredentialFlags{BackupEligible: k.BackupEligible, BackupState: k.BackedUp},
			Authenticator: webauthn.Authenticator{AAGUID: k.Model, SignCount: k.Counter},
		})
	}
	return out
}
