package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/incident"
	"honeyguide/internal/kind"
	"honeyguide/internal/notice"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// newNotices makes the outbox. It has no channels until the actions are open, and
// actions need it to be opened.
func (a *App) newNotices() (err error) {
	a.notices, err = notice.New(a.settings.Notify, notice.Deps{
		State: a.state, Node: a.settings.Node.Name, Console: a.settings.API.URL, Metrics: a.metrics, Log: a.log, Now: a.now,
	})
	return err
}

// openNotices gives the outbox its channels: the actions that carry messages.
func (a *App) openNotices() error {
	messengers := map[string]respond.Messenger{}
	for name, act := range a.actions {
		if m, ok := act.(respond.Messenger); ok {
			messengers[name] = m
		}
	}
	return a.notices.Open(messengers)
}

// escalate tells people that an incident waits for an answer.
func (a *App) escalate(ctx context.Context, tx state.Tx, in *honeyguide.Incident, level incident.Level) error {
	return a.notices.Clock(ctx, tx, in, level == incident.LevelBreach)
}

// carriers names the configured actions that carry messages.
func carriers(ctx context.Context, s Settings) []string {
	var out []string
	for _, in := range s.Actions {
		k, err := builtin.Actions().Lookup(in.Kind)
		if err != nil || !in.Enabled {
			continue
		}
		act, err := k.Open(ctx, kind.Decode(in.Decode), respond.Deps{Name: in.Name, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		if err != nil {
			continue // what cannot be opened alone carries no messages, or is told of when the core starts
		}
		if _, ok := act.(respond.Messenger); ok {
			out = append(out, in.Name)
		}
	}
	return out
}

// checkNotify says whether anybody would be told anything. carriers are the
// names of the actions that carry messages.
func checkNotify(s Settings, carriers []string) Finding {
	if len(carriers) == 0 {
		return Finding{"notices", StatusWarn, "no channel is configured: notices are kept and shown, and nobody is told", "add an action that carries messages below actions:, then honeyguide notices test NAME; see docs/how-to/be-notified.md"}
	}
	slices.Sort(carriers)
	text := fmt.Sprintf("people are told on %s", strings.Join(carriers, ", "))
	if n := len(s.Notify.Chains); n > 0 {
		return ok("notices", "%s; chains: %s", text, strings.Join(slices.Sorted(maps.Keys(s.Notify.Chains)), ", "))
	}
	if len(carriers) > 1 {
		return Finding{"notices", StatusWarn, text + ", and nobody follows when nobody answers", "name a chain below notify.chains and make it notify.default; see docs/how-to/be-notified.md"}
	}
	return ok("notices", "%s", text)
}
