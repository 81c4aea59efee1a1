package api

import (
	"context"
	"encoding/json"
	"net/http"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// credentialIn is what PublicKeyCredential.toJSON() makes.
type credentialIn struct {
	Credential json.RawMessage `json:"credential" doc:"PublicKeyCredential.toJSON()"`
}

type namedCredentialIn struct {
	Name       string          `json:"name" minLength:"1" maxLength:"100"`
	Credential json.RawMessage `json:"credential" doc:"PublicKeyCredential.toJSON()"`
}

type passkeyAsk struct {
	Name string `json:"name,omitempty" maxLength:"128" doc:"not needed: the device knows whose key it is"`
}

// newPasskey is a passkey that was made, with recovery codes when it is the first
// second factor.
type newPasskey struct {
	client.PasskeyRow
	Codes []string `json:"codes,omitempty" doc:"recovery codes, shown once"`
}

// factors registers second factors: showing them, and setting the own ones.
func (s *server) factors() {
	id := s.dep.Identity
	step := func(path, name, summary string, f func(context.Context, auth.Caller, honeyguide.Secret) (auth.Answer, error)) {
		enter(s, openPost(path, name, summary), auth.PermOpen, func(ctx context.Context, in *client.CodeOrder) (client.LoginAnswer, []string, error) {
			a, err := f(ctx, callOf(ctx), in.Code)
			return loginAnswer(a), s.cookies(a), err
		})
	}
	step("/auth/totp", "login-totp", "Second step of a login: the code of an authenticator app", id.TOTP)
	step("/auth/recovery", "login-recovery", "Second step of a login: a recovery code, which is used up", id.Recovery)
	enter(s, openPost("/auth/passkey/options", "login-passkey-options", "What a browser needs to log in with a passkey (parseRequestOptionsFromJSON)"), auth.PermOpen,
		func(ctx context.Context, _ *passkeyAsk) (json.RawMessage, []string, error) {
			raw, err := id.PasskeyOptions(ctx, callOf(ctx))
			return raw, nil, err
		})
	enter(s, openPost("/auth/passkey", "login-passkey", "Log in with a passkey: alone, as the second step, or to confirm that it is you"), auth.PermOpen,
		func(ctx context.Context, in *credentialIn) (client.LoginAnswer, []string, error) {
			a, err := id.Passkey(ctx, callOf(ctx), in.Credential)
			return loginAnswer(a), s.cookies(a), err
		})
	s.myTOTP()
	s.myPasskeys()
	s.myFactors()
	p := base + "/me/"
	s.router.lately("POST "+p+"totp", "POST "+p+"totp/confirm", "DELETE "+p+"totp", "POST "+p+"recovery-codes",
		"POST "+p+"passkeys/options", "POST "+p+"passkeys", "PATCH "+p+"passkeys/{id}", "DELETE "+p+"passkeys/{id}")
}

func revealed(codes []honeyguide.Secret) []string {
	out := []string{}
	for _, c := range codes {
		out = append(out, c.Reveal())
	}
	return out
}

func (s *server) myTOTP() {
	id := s.dep.Identity
	mine(s, post("/me/totp", "begin-totp", "Begin with an authenticator app: its secret, shown once, opens nothing before it is confirmed"),
		func(ctx context.Context, by auth.Actor, _ *struct{}) (client.NewTOTP, error) {
			n, err := id.BeginTOTP(ctx, by)
			return client.NewTOTP{Secret: n.Secret.Reveal(), URI: n.URI, QR: n.QR}, err
		})
	enter(s, post("/me/totp/confirm", "confirm-totp", "Turn the authenticator app on with a code it shows; recovery codes come with the first second factor"), auth.PermSelf,
		func(ctx context.Context, in *client.CodeOrder) (client.RecoveryCodes, []string, error) {
			by, err := person(ctx)
			if err != nil {
				return client.RecoveryCodes{}, nil, err
			}
			codes, err := id.ConfirmTOTP(ctx, by, in.Code)
			return client.RecoveryCodes{Codes: revealed(codes)}, nil, err
		})
	o := op("/me/totp", "remove-totp", "Take the authenticator app away")
	o.Method, o.Errors = http.MethodDelete, append(o.Errors, http.StatusNotFound)
	mine(s, o, func(ctx context.Context, by auth.Actor, _ *struct{}) (struct{}, error) {
		return struct{}{}, id.RemoveTOTP(ctx, by)
	})
	mine(s, post("/me/recovery-codes", "new-recovery-codes", "Make new recovery codes, shown once; those before are good no more"),
		func(ctx context.Context, by auth.Actor, _ *struct{}) (client.RecoveryCodes, error) {
			codes, err := id.RecoveryCodes(ctx, by)
			return client.RecoveryCodes{Codes: revealed(codes)}, err
		})
}

func passkeyRow(k auth.Passkey) client.PasskeyRow {
	return client.PasskeyRow{ID: k.ID, Name: k.Name, CreatedAt: k.CreatedAt, UsedAt: k.UsedAt, BackedUp: k.BackedUp}
}

func (s *server) myPasskeys() {
	id := s.dep.Identity
	mine(s, op("/me/passkeys", "my-passkeys", "Your passkeys, oldest first"), func(ctx context.Context, by auth.Actor, _ *struct{}) (client.Page[client.PasskeyRow], error) {
		all, err := id.MyPasskeys(ctx, by.ID)
		p := client.Page[client.PasskeyRow]{Items: []client.PasskeyRow{}}
		for _, k := range all {
			p.Items = append(p.Items, passkeyRow(k))
		}
		return p, err
	})
	mine(s, post("/me/passkeys/options", "new-passkey-options", "What a browser needs to make a passkey (parseCreationOptionsFromJSON)"),
		func(ctx context.Context, by auth.Actor, _ *struct{}) (json.RawMessage, error) {
			return id.NewPasskey(ctx, by)
		})
	enter(s, post("/me/passkeys", "add-passkey", "Keep a passkey that the browser made"), auth.PermSelf,
		func(ctx context.Context, in *namedCredentialIn) (newPasskey, []string, error) {
			by, err := person(ctx)
			if err != nil {
				return newPasskey{}, nil, err
			}
			k, codes, err := id.AddPasskey(ctx, by, in.Name, in.Credential)
			out := newPasskey{PasskeyRow: passkeyRow(k)}
			if len(codes) > 0 {
				out.Codes = revealed(codes)
			}
			return out, nil, err
		})
	change := post("/me/passkeys/{id}", "name-passkey", "Give a passkey another name")
	change.Method, change.Errors = http.MethodPatch, append(change.Errors, http.StatusNotFound)
	mine(s, change, func(ctx context.Context, by auth.Actor, in *struct {
		ID   string `path:"id" maxLength:"128"`
		Body client.NameOrder
	},
	) (struct{}, error) {
		return struct{}{}, id.NamePasskey(ctx, by, in.ID, in.Body.Name)
	})
	o := op("/me/passkeys/{id}", "remove-passkey", "Take a passkey away")
	o.Method, o.Errors = http.MethodDelete, append(o.Errors, http.StatusNotFound)
	mine(s, o, func(ctx context.Context, by auth.Actor, in *byID) (struct{}, error) {
		return struct{}{}, id.RemovePasskey(ctx, by, in.ID)
	})
}
