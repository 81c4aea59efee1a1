package incident

import (
	"cmp"
	"context"
	"slices"

	"honeyguide"
	"honeyguide/internal/state"
)

// Links is what an incident is about: everything its alerts and sessions name.
type Links struct {
	Indicators []Indicator             `json:"indicators" doc:"observables of its alerts, those in most alerts first, at most 1000"`
	Attackers  []honeyguide.Attacker   `json:"attackers"`
	Sessions   []honeyguide.Session    `json:"sessions"`
	Tokens     []honeyguide.Honeytoken `json:"tokens" doc:"honeytokens read or used"`
	Samples    []honeyguide.Sample     `json:"samples" doc:"files brought"`
}

// An Indicator is one observable of an incident.
type Indicator struct {
	Type   string `json:"type"`
	Value  string `json:"value"` // attacker bytes: show through safetext only
	Alerts int    `json:"alerts" doc:"alerts of the incident it stands in"`
	Known  string `json:"known,omitempty" doc:"what feeds say about it: malicious, suspicious, ..."`
}

// maxIndicators bounds the indicators of one incident.
const maxIndicators = 1000

// Linked returns what an incident is about.
func Linked(ctx context.Context, tx state.Tx, id string) (Links, error) {
	in, err := tx.Incidents().Get(ctx, id)
	if err != nil {
		return Links{}, err
	}
	alerts, err := alertsOf(ctx, tx, in.ID)
	if err != nil {
		return Links{}, err
	}
	return linked(ctx, tx, &in, alerts)
}

func linked(ctx context.Context, tx state.Tx, in *honeyguide.Incident, alerts []honeyguide.Alert) (l Links, err error) {
	l = Links{Indicators: indicators(alerts), Attackers: []honeyguide.Attacker{}, Tokens: []honeyguide.Honeytoken{}, Samples: []honeyguide.Sample{}}
	if l.Sessions, err = sessionsOf(ctx, tx, in); err != nil {
		return l, err
	}
	if l.Attackers, err = known(in.Attackers, func(a string) (honeyguide.Attacker, error) { return tx.Attackers().Get(ctx, a) }); err != nil {
		return l, err
	}
	if l.Tokens, err = known(tokensOf(l.Sessions, alerts), func(id string) (honeyguide.Honeytoken, error) { return tx.Tokens().Get(ctx, id) }); err != nil {
		return l, err
	}
	var samples []string
	for i := range l.Sessions {
		for _, id := range l.Sessions[i].Samples {
			if !slices.Contains(samples, id) {
				samples = append(samples, id)
			}
		}
	}
	l.Samples, err = known(samples, func(id string) (honeyguide.Sample, error) { return tx.Samples().Get(ctx, id) })
	return l, err
}

// known gets those of a list that are still there.
func known[T any](ids []string, get func(string) (T, error)) ([]T, error) {
	out := make([]T, 0, len(ids))
	for _, id := range ids {
		v, err := get(id)
		if err != nil {
			if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
				continue
			}
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// indicators counts the observables of alerts, each once an alert.
func indicators(alerts []honeyguide.Alert) []Indicator {
	type name [2]string
	of := map[name]*Indicator{}
	for i := range alerts {
		seen := map[name]bool{}
		for _, o := range alerts[i].Observed {
			n := name{o.Type, o.Value}
			if seen[n] || o.Value == "" {
				continue
			}
			seen[n] = true
			if of[n] == nil {
				of[n] = &Indicator{Type: o.Type, Value: o.Value}
			}
			of[n].Alerts++
		}
		for _, x := range alerts[i].Enrichments {
			if ind := of[name{x.Type, x.Value}]; ind != nil && (ind.Known == "" || x.Verdict == honeyguide.SaysMalicious) {
				ind.Known = x.Verdict
			}
		}
	}
	out := make([]Indicator, 0, len(of))
	for _, ind := range of {
		out = append(out, *ind)
	}
	slices.SortFunc(out, func(a, b Indicator) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), maxIndicators)]
}
