package app

import (
	"context"
	"fmt"
	"log/slog"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/kind"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/rules"
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

// checkPlaybooks reads the playbooks as the core would.
func checkPlaybooks(ctx context.Context, s Settings) Finding {
	c, err := playbook.OpenCatalog(ctx, playbook.Options{Shipped: rules.Playbooks, Folder: s.Respond.Playbooks, Actions: KnownActions(ctx, s)})
	if err != nil {
		return Finding{"playbooks", StatusFail, fmt.Sprint(err), "see respond.playbooks"}
	}
	v := c.View()
	switch {
	case len(v.Faults) > 0:
		return Finding{"playbooks", StatusFail, fmt.Sprintf("%d faults; the first: %s", len(v.Faults), v.Faults[0]), "honeyguide playbooks list shows all of them"}
	case s.Respond.Mode != honeyguide.ModeApply:
		return Finding{"playbooks", StatusWarn, fmt.Sprintf("%d playbooks plan and change nothing (respond.mode: %s)", len(v.Entries), s.Respond.Mode), "look at what they would have done (honeyguide playbooks test), then set respond.mode: apply"}
	}
	return ok("playbooks", "%d in force, and they act", len(v.Entries))
}
