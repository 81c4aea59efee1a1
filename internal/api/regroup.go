package api

import (
	"context"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

type changesIn struct {
	Paging
	Incident string `query:"incident" maxLength:"64" doc:"id or short form of the incident that gave or took"`
}

func (s *server) regrouping() {
	write(s, post("/incidents/{id}/merge", "merge-incidents", "Move the alerts of other incidents into this one"), auth.PermWork, s.mergeIncidents)
	write(s, post("/incidents/{id}/split", "split-incident", "Move alerts or attackers out into a new incident"), auth.PermWork, s.splitIncident)
	write(s, post("/incident-changes/{id}/undo", "undo-incident-change", "Take a join, a merge or a split back"), auth.PermWork, s.undoChange)
	list(s, op("/incident-changes", "list-incident-changes", "What was moved between incidents, newest first"), func(ctx context.Context, tx state.Tx, in *changesIn) ([]honeyguide.IncidentChange, string, error) {
		incident, err := incidentID(ctx, tx, in.Incident)
		if err != nil {
			return nil, "", err
		}
		return tx.IncidentChanges().List(ctx, state.ChangeQuery{Page: in.page(), Incident: incident})
	})
}

// regrouped reads what a change has led to.
func regrouped(ctx context.Context, tx state.Tx, into string, changes ...honeyguide.IncidentChange) (out client.Regrouping, err error) {
	out.Changes = changes
	if out.Incident, err = tx.Incidents().Get(ctx, into); err != nil {
		return out, err
	}
	return out, withPlans(ctx, tx, &out.Incident)
}

func (s *server) mergeIncidents(ctx context.Context, id string, in *client.MergeRequest) (out client.Regrouping, err error) {
	err = s.dep.State.Update(ctx, func(tx state.Tx) error {
		changes, err := pipeline.Merge(ctx, tx, id, in.Incidents, whoAsks(ctx), in.Reason, s.dep.Now().UTC())
		if err != nil {
			return err
		}
		out, err = regrouped(ctx, tx, changes[0].Into, changes...)
		return err
	})
	return out, err
}

func (s *server) splitIncident(ctx context.Context, id string, in *client.SplitRequest) (out client.Regrouping, err error) {
	err = s.dep.State.Update(ctx, func(tx state.Tx) error {
		c, err := pipeline.Split(ctx, tx, id, in.Alerts, in.Attackers, whoAsks(ctx), in.Reason, s.dep.Now().UTC())
		if err != nil {
			return err
		}
		out, err = regrouped(ctx, tx, c.Into, c)
		return err
	})
	return out, err
}

func (s *server) undoChange(ctx context.Context, id string, _ *struct{}) (out client.Regrouping, err error) {
	err = s.dep.State.Update(ctx, func(tx state.Tx) error {
		c, err := pipeline.Undo(ctx, tx, id, whoAsks(ctx), s.dep.Now().UTC())
		if err != nil {
			return err
		}
		out, err = regrouped(ctx, tx, c.From, c)
		return err
	})
	return out, err
}
