package api

import (
	"context"
	"net/netip"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

// befores read how things stand before an act, where that takes one look. What
// cannot be read is left out: the act itself will say why.
var befores = map[string]func(context.Context, *server, *attempt) any{
	"change-incident":  beforeIncident,
	"switch-rule":      beforeRule,
	"remove-allowed":   beforeAllowed,
	"remove-key":       beforeKey,
	"lift-suppression": beforeSuppression,
	"pass-verdict":     beforeVerdict,
	"halt":             beforeHalt,
	"resume":           beforeHalt,
}

// name returns the value behind the colon of what an attempt is about.
func (a *attempt) name() string {
	_, name, _ := strings.Cut(a.object, ":")
	return name
}

func look[T any](ctx context.Context, s *server, f func(tx state.Tx) (T, error)) (out T, ok bool) {
	err := s.dep.State.View(ctx, func(tx state.Tx) (err error) {
		out, err = f(tx)
		return err
	})
	return out, err == nil
}

func beforeIncident(ctx context.Context, s *server, a *attempt) any {
	in, ok := look(ctx, s, func(tx state.Tx) (honeyguide.Incident, error) { return tx.Incidents().Get(ctx, a.name()) })
	if !ok {
		return nil
	}
	return map[string]any{"status": in.Status, "phase": in.Phase, "owner": in.Owner, "verdict": in.Verdict, "severity": in.Severity}
}

func beforeVerdict(ctx context.Context, s *server, a *attempt) any {
	in, ok := look(ctx, s, func(tx state.Tx) (honeyguide.Alert, error) { return tx.Alerts().Get(ctx, a.name()) })
	if !ok {
		return nil
	}
	return map[string]any{"status": in.Status, "verdict": in.Verdict}
}

func beforeSuppression(ctx context.Context, s *server, a *attempt) any {
	x, ok := look(ctx, s, func(tx state.Tx) (honeyguide.Suppression, error) { return tx.Suppressions().Get(ctx, a.name()) })
	if !ok {
		return nil
	}
	return map[string]any{"match": x.Match, "owner": x.Owner, "expires_at": x.ExpiresAt}
}

func beforeRule(_ context.Context, s *server, a *attempt) any {
	_, _, info, err := s.rule(a.name())
	if err != nil {
		return nil
	}
	return map[string]any{"on": info.Off == nil, "off": info.Off}
}

func beforeAllowed(ctx context.Context, s *server, a *attempt) any {
	all, ok := look(ctx, s, func(tx state.Tx) ([]honeyguide.Allowed, error) { return tx.Allowlist().All(ctx) })
	if !ok {
		return nil
	}
	for i := range all {
		if sameNetwork(all[i].Address, a.name()) {
			return all[i]
		}
	}
	return nil
}

// sameNetwork compares addresses and prefixes however they are written.
func sameNetwork(a, b string) bool {
	parse := func(s string) (netip.Prefix, error) {
		if p, err := netip.ParsePrefix(s); err == nil {
			return p.Masked(), nil
		}
		at, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return at.Unmap().Prefix(at.Unmap().BitLen())
	}
	p, err1 := parse(a)
	q, err2 := parse(b)
	return err1 == nil && err2 == nil && p == q
}

func beforeKey(ctx context.Context, s *server, a *attempt) any {
	all, err := s.dep.Keys.List(ctx)
	if err != nil {
		return nil
	}
	for _, k := range all {
		if k.ID == a.name() || strings.EqualFold(k.Name, a.name()) {
			return map[string]any{"id": k.ID, "name": k.Name, "scope": k.Scope, "sha256_key": k.Sum, "expires_at": k.ExpiresAt}
		}
	}
	return nil
}

func beforeHalt(ctx context.Context, s *server, _ *attempt) any {
	if s.dep.Responder == nil {
		return nil
	}
	h, err := s.dep.Responder.Halted(ctx)
	if err != nil {
		return nil
	}
	return h
}
