package statetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// enrichments: one answer for each provider and value, the newest one, found by
// value and listed newest first.
func enrichments(b *bench) {
	say := func(provider, value, verdict string, n int) *honeyguide.Enrichment {
		return &honeyguide.Enrichment{
			Provider: provider, Type: "ip", Value: value, Verdict: verdict, At: start.Add(time.Duration(n) * time.Minute),
			Data: map[string]string{"score": fmt.Sprint(n)},
		}
	}
	b.up(func(ctx context.Context, tx state.Tx) error {
		x := tx.Enrichments()
		return errors.Join(
			x.Put(ctx, say("abuseipdb", "203.0.113.7", "malicious", 1)), x.Put(ctx, say("greynoise", "203.0.113.7", "benign", 2)),
			x.Put(ctx, say("abuseipdb", "203.0.113.8", "unknown", 3)), x.Put(ctx, say("abuseipdb", "203.0.113.7", "suspicious", 4)),
		)
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Enrichments().Of(ctx, "ip", "203.0.113.7")
		b.same("of a value", got, []honeyguide.Enrichment{*say("abuseipdb", "203.0.113.7", "suspicious", 4), *say("greynoise", "203.0.113.7", "benign", 2)})
		for _, q := range []struct {
			q    state.EnrichmentQuery
			want string
		}{
			{state.EnrichmentQuery{}, "[abuseipdb 203.0.113.7 abuseipdb 203.0.113.8 greynoise 203.0.113.7]"},
			{state.EnrichmentQuery{Provider: "abuseipdb"}, "[abuseipdb 203.0.113.7 abuseipdb 203.0.113.8]"},
			{state.EnrichmentQuery{Verdict: "benign"}, "[greynoise 203.0.113.7]"},
			{state.EnrichmentQuery{Type: "url"}, "[]"},
		} {
			list := pages(b, 1, func(p state.Page) ([]honeyguide.Enrichment, string, error) {
				q.q.Page = p
				return tx.Enrichments().List(ctx, q.q)
			})
			names := []string{}
			for _, x := range list {
				names = append(names, x.Provider, x.Value)
			}
			b.same(fmt.Sprintf("list %+v", q.q), fmt.Sprint(names), q.want)
		}
		return err
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		b.code("an enrichment of nothing", tx.Enrichments().Put(ctx, &honeyguide.Enrichment{Provider: "x"}), honeyguide.CodeInvalid)
		_, err := tx.Retention().Drop(ctx, start.Add(3*time.Minute), 100)
		return err
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		left, _, err := tx.Enrichments().List(ctx, state.EnrichmentQuery{})
		b.same("left by retention", len(left), 2)
		return err
	})
}

// attackers: each once, at the place of its newest alert, with what its alerts
// and the services say.
func attackers(b *bench) {
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i, who := range []string{"203.0.113.7", "203.0.113.8", "203.0.113.7", "203.0.113.9", "203.0.113.8"} {
			a := honeyguide.Alert{
				Time: start, LastAt: start.Add(time.Duration(i) * time.Hour), CreatedAt: start.Add(time.Duration(i) * time.Minute), Severity: honeyguide.Severity(i + 1),
				Title: fmt.Sprint("alert ", i), Attacker: "attacker:" + who, Src: addr(who), DedupeKey: fmt.Sprint("k", i), RuleID: "r", Detector: "d",
			}
			if i == 4 {
				a.Enrichments = []honeyguide.Enrichment{{Provider: "feed:tor", Type: "ip", Value: who, Verdict: "suspicious", At: start}, {Provider: "feed:tor", Type: "ip", Value: "198.51.100.1", At: start}}
			}
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
		}
		return tx.Enrichments().Put(ctx, &honeyguide.Enrichment{Provider: "greynoise", Type: "ip", Value: "203.0.113.8", Verdict: "benign", At: start})
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		list := pages(b, 1, func(p state.Page) ([]honeyguide.Attacker, string, error) {
			return tx.Attackers().List(ctx, state.AttackerQuery{Page: p})
		})
		var got []string
		for _, a := range list {
			got = append(got, fmt.Sprintf("%s %d %s %s %d", a.Key, a.Alerts, a.Severity, a.LastTitle, len(a.Enrichments)))
		}
		b.same("attackers", got, []string{"attacker:203.0.113.8 2 critical alert 4 2", "attacker:203.0.113.9 1 high alert 3 0", "attacker:203.0.113.7 2 medium alert 2 0"})
		one, err := tx.Attackers().Get(ctx, "203.0.113.8")
		if err != nil {
			return err
		}
		b.same("times", []time.Time{one.FirstAt, one.LastAt}, []time.Time{start, start.Add(4 * time.Hour)})
		b.same("providers", []string{one.Enrichments[0].Provider, one.Enrichments[1].Provider}, []string{"feed:tor", "greynoise"})
		_, missing := tx.Attackers().Get(ctx, "203.0.113.99")
		b.code("nobody", missing, honeyguide.CodeNotFound)
		return nil
	})
}
