package api

import (
	"context"

	"honeyguide/internal/respond"
)

// guardIn asks about one address or prefix.
type guardIn struct {
	Address string `query:"address" required:"true" minLength:"1" maxLength:"64" doc:"address or prefix"`
}

// A GuardWord is what the guard says about blocking something.
type GuardWord struct {
	Address string `json:"address" doc:"as it would be blocked: canonical"`
	Refused string `json:"refused,omitempty" doc:"why it must not be blocked; absent when it may be"`
}

// guardWord registers the question people ask before they block by hand. The
// guard judges again when the block is planned and when it is carried out.
func (s *server) guardWord() {
	o := op("/guard", "ask-guard", "What the guard says about blocking an address or a prefix; nothing is changed")
	read(s, o, func(_ context.Context, in *guardIn) (out GuardWord, err error) {
		if s.dep.Refuse == nil {
			_, err = s.responder()
			return out, err
		}
		p, err := respond.ParseTarget(in.Address)
		if err != nil {
			return out, invalid("address: want an address or a prefix: 203.0.113.7 or 203.0.113.0/24")
		}
		out.Address = respond.Canonical(p)
		out.Refused = s.dep.Refuse(p)
		return out, nil
	})
}
