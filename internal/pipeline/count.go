package pipeline

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// counted is what events are counted by.
type counted struct {
	kind     state.TallyKind
	hour     int64
	name     string
	severity honeyguide.Severity
}

// count counts an event by where it came from and by who saw it.
func (v *verdict) count(e *honeyguide.Event) {
	hour := e.Time.Unix() / 3600
	v.counts[counted{state.TallyEvent, hour, country(e.Src.Country), e.Severity}]++
	v.counts[counted{state.TallyHeard, hour, e.Sensor, e.Severity}]++
}

// country lets through what a country looks like: what other products send may be
// anything, and each name is a row.
func country(s string) string {
	if len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return ""
}

// saveCounts keeps the counts of a transaction's events.
func saveCounts(ctx context.Context, tx state.Tx, counts map[counted]int64) error {
	for k, n := range counts {
		if err := tx.Tallies().Add(ctx, k.kind, time.Unix(k.hour*3600, 0), k.name, k.severity, n); err != nil {
			return err
		}
	}
	return nil
}
