package pipeline

import (
	"context"

	"honeyguide"
	"honeyguide/internal/state"
)

// A sight is one sample brought, or run when it has no sighting.
type sight struct {
	sample honeyguide.Sample
	at     honeyguide.Sighting
	ran    string // id of the event that says it was run
}

// sample notes what an event says of content that was brought.
func (v *verdict) sample(e *honeyguide.Event) {
	id := e.Str(honeyguide.AttrSHA256)
	if id == "" {
		return
	}
	switch e.Activity {
	case honeyguide.ActivityExecute:
		v.seen = append(v.seen, sight{sample: honeyguide.Sample{ID: id}, ran: e.ID})
	case honeyguide.ActivitySample:
		v.seen = append(v.seen, sight{
			sample: honeyguide.Sample{
				ID: id, Size: e.Int(honeyguide.AttrSize), Type: e.Str(honeyguide.AttrFileType), Kept: e.Str(honeyguide.AttrKept),
				Indicators: e.Observables,
			},
			at: honeyguide.Sighting{
				EventID: e.ID, Time: e.Time, Session: e.Session, Src: e.Src, Path: e.Str(honeyguide.AttrPath), Tool: e.Str(honeyguide.AttrTool),
			},
		})
	}
}

// saveSamples writes the samples of a batch, in the order of their events.
func saveSamples(ctx context.Context, tx state.Tx, list []sight) error {
	for _, s := range list {
		if s.ran != "" {
			if err := tx.Samples().Ran(ctx, s.sample.ID, s.ran); err != nil {
				return err
			}
			continue
		}
		if err := tx.Samples().Sight(ctx, s.sample, s.at); err != nil {
			return err
		}
	}
	return nil
}
