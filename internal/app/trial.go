package app

import (
	"context"
	"log/slog"

	"honeyguide/internal/builtin"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// KnownActions returns the actions that are configured, so that playbooks can be
// checked without a core that runs. They are good for being asked which params
// they take, for nothing else; one that cannot be opened alone is nil.
func KnownActions(ctx context.Context, s Settings) map[string]respond.Action {
	out := map[string]respond.Action{}
	guard, err := respond.NewGuard(respond.Defaults(), nil)
	if err != nil {
		guard = nil
	}
	for _, in := range s.Actions {
		if !in.Enabled {
			continue
		}
		out[in.Name] = nil
		if k, err := builtin.Actions().Lookup(in.Kind); err == nil {
			dep := respond.Deps{Name: in.Name, Log: slog.New(slog.DiscardHandler), Guard: guard, Node: s.Node.Name, Data: s.Node.Data}
			if a, err := k.Open(ctx, kind.Decode(in.Decode), dep); err == nil {
				out[in.Name] = a
			}
		}
	}
	return out
}
