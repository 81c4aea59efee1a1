package incident_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/incident"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// crowded is a store with open incidents and one that has many alerts.
func crowded(b *testing.B, incidents, alerts int) state.Store {
	b.Helper()
	s, err := sqlite.Kind.Open(b.Context(), nil, state.Deps{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	err = s.Update(b.Context(), func(tx state.Tx) error {
		for n := range incidents {
			in := honeyguide.Incident{Key: fmt.Sprint("k", n), Title: "Broke in", Severity: honeyguide.SeverityHigh, CreatedAt: noon, DueAt: noon.Add(time.Hour)}
			if _, err := tx.Incidents().Save(b.Context(), &in); err != nil {
				return err
			}
			for i := range alerts {
				if n > 0 {
					break
				}
				a := honeyguide.Alert{Time: noon, LastAt: noon, Title: "alert", RuleID: "r", Detector: "behaviour", Incident: in.ID, DedupeKey: fmt.Sprint(i), EventIDs: []string{fmt.Sprint(i)}}
				if _, err := tx.Alerts().Save(b.Context(), &a); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkTimeline reads the first page of an incident with many alerts.
func BenchmarkTimeline(b *testing.B) {
	s := crowded(b, 1, 5000)
	for b.Loop() {
		err := s.View(b.Context(), func(tx state.Tx) error {
			_, _, err := incident.Timeline(b.Context(), tx, "I-1", incident.TimelineQuery{})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLook looks at the clocks of many open incidents.
func BenchmarkLook(b *testing.B) {
	s := crowded(b, 5000, 0)
	d := incident.NewDesk(incident.Deps{State: s, Now: func() time.Time { return noon }})
	for b.Loop() {
		if _, err := d.Look(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
