package api

import (
	"context"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// Secrets are the keys a node seals private files and rows with.
type Secrets interface {
	Status(context.Context) (client.SecretsStatus, error)
	Rotate(context.Context, client.SecretsOrder) (client.SecretsStatus, error)
}

// secrets registers how the keys stand and how they are changed.
func (s *server) secrets() {
	act(s, op("/secrets", "get-secrets", "How the keys stand that private files and secrets are sealed with; no key is shown"), auth.PermSettings,
		func(ctx context.Context, _ *struct{}) (client.SecretsStatus, error) {
			if s.dep.Secrets == nil {
				return client.SecretsStatus{}, noSecrets()
			}
			return s.dep.Secrets.Status(ctx)
		})
	writeAnew(s, post("/secrets/rotate", "rotate-secrets", "Change the data keys and seal everything anew, or go on with that; or change the master key"), auth.PermSettings,
		func(ctx context.Context, in *client.SecretsOrder) (client.SecretsStatus, error) {
			if s.dep.Secrets == nil {
				return client.SecretsStatus{}, noSecrets()
			}
			return s.dep.Secrets.Rotate(ctx, *in)
		})
	s.router.lately("POST " + base + "/secrets/rotate")
}

func noSecrets() error {
	return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "this node seals nothing"}
}
