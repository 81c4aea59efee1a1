package api

import (
	"context"

	"honeyguide/internal/auth"
)

// MyFactors are the second factors of who asks.
type MyFactors struct {
	TOTP          bool `json:"totp" doc:"an authenticator app is set"`
	Passkeys      int  `json:"passkeys"`
	RecoveryCodes int  `json:"recovery_codes" doc:"not used yet"`
	PasskeysHere  bool `json:"passkeys_here" doc:"this console takes passkeys"`
}

func (s *server) myFactors() {
	mine(s, op("/me/factors", "my-factors", "Which second factors you have set, and how many recovery codes are left"),
		func(ctx context.Context, by auth.Actor, _ *struct{}) (MyFactors, error) {
			f, err := s.dep.Identity.MyFactors(ctx, by.ID)
			return MyFactors{TOTP: f.TOTP, Passkeys: f.Passkeys, RecoveryCodes: f.RecoveryCodes, PasskeysHere: s.dep.Identity.Passkeys()}, err
		})
}
