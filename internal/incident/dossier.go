package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// A Dossier is all that is known about an incident, to hand on or to file.
type Dossier struct {
	MadeAt   time.Time                  `json:"made_at"`
	MadeBy   string                     `json:"made_by"`
	Incident honeyguide.Incident        `json:"incident"`
	Timeline []honeyguide.TimelineEntry `json:"timeline"` // oldest first
	Alerts   []honeyguide.Alert         `json:"alerts"`   // oldest first, the newest MaxAlerts
	Left     int64                      `json:"alerts_left_out"`
	Runs     []honeyguide.Run           `json:"runs"`
	Linked   Links                      `json:"linked"`
}

// Gather reads the dossier of an incident from one snapshot.
func Gather(ctx context.Context, tx state.Tx, id, by string, now time.Time) (d Dossier, err error) {
	d = Dossier{MadeAt: state.Time(now), MadeBy: by, Runs: []honeyguide.Run{}}
	if d.Incident, err = tx.Incidents().Get(ctx, id); err != nil {
		return d, err
	}
	in := &d.Incident
	if in.Plans, err = tx.Plans().ByIncident(ctx, in.ID); err != nil {
		return d, err
	}
	if d.Alerts, err = alertsOf(ctx, tx, in.ID); err != nil {
		return d, err
	}
	if d.Alerts == nil {
		d.Alerts = []honeyguide.Alert{}
	}
	d.Left = max(in.AlertCount-int64(len(d.Alerts)), 0)
	if in.Joined != "" {
		d.Left = 0 // its alerts are elsewhere
	}
	if d.Timeline, err = everything(ctx, tx, in); err != nil {
		return d, err
	}
	slices.SortFunc(d.Timeline, inOrder)
	if runs, _, err := tx.Runs().List(ctx, state.RunQuery{Incident: in.ID, Page: state.Page{Limit: state.MaxLimit}}); err != nil {
		return d, err
	} else {
		slices.Reverse(runs)
		d.Runs = append(d.Runs, runs...)
	}
	d.Linked, err = linked(ctx, tx, in, d.Alerts)
	return d, err
}

// A Format is a form of a dossier.
type Format struct {
	Name   string // markdown, json, pdf
	Type   string // of its content
	Ending string // of the name of a file of it
}

// Formats returns the forms there are.
func Formats() []Format {
	return []Format{{"markdown", "text/markdown; charset=utf-8", ".md"}, {"json", "application/json", ".json"}, {"pdf", "application/pdf", ".pdf"}}
}

// Write writes a dossier in a form. What attackers wrote is made harmless in each:
// visible escapes for what steers terminals, no markup, no links.
func (d *Dossier) Write(format string) (doc []byte, f Format, err error) {
	i := slices.IndexFunc(Formats(), func(f Format) bool { return f.Name == format })
	if i < 0 {
		return nil, f, invalid("format: %.20q; want markdown, json or pdf", format)
	}
	f = Formats()[i]
	switch f.Name {
	case "json":
		if doc, err = json.MarshalIndent(d, "", "  "); err != nil {
			return nil, f, fmt.Errorf("write dossier: %w", err)
		}
		return append(safetext.JSON(doc), '\n'), f, nil
	case "pdf":
		doc, err = d.pdf()
		return doc, f, err
	}
	return d.markdown(), f, nil
}
