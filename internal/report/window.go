package report

import (
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Window is a span of time a console looks at. It begins at a whole hour or day,
// so that counts kept by the hour and by the day say exactly what is in it.
type Window struct {
	Name         string
	Since, Until time.Time
	Count        time.Duration // step of the counts that are read: an hour or a day
	Trend        time.Duration // step of trends
	Series       time.Duration // step of events and alerts over time
	Alerts       time.Duration // step of the counts the alerts of the series are read from
}

// Spans names the windows there are.
func Spans() []string { return []string{"24h", "7d", "30d"} }

// WindowOf returns the window of a name that ends now; CodeInvalid.
func WindowOf(name string, now time.Time) (Window, error) {
	now = now.UTC()
	w := Window{Name: name, Until: now}
	switch name {
	case "24h":
		w.Since = now.Add(-24 * time.Hour).Truncate(time.Hour)
		w.Count, w.Trend, w.Series, w.Alerts = state.TallyHour, time.Hour, 15*time.Minute, state.TallyQuarter
	case "7d":
		w.Since = now.AddDate(0, 0, -7).Truncate(24 * time.Hour)
		w.Count, w.Trend, w.Series, w.Alerts = state.TallyDay, 6*time.Hour, 2*time.Hour, state.TallyHour
	case "30d":
		w.Since = now.AddDate(0, 0, -30).Truncate(24 * time.Hour)
		w.Count, w.Trend, w.Series, w.Alerts = state.TallyDay, 24*time.Hour, 8*time.Hour, state.TallyHour
	default:
		return w, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "span: want 24h, 7d or 30d"}
	}
	return w, nil
}

// steps returns the number of steps of a length that the window has.
func (w *Window) steps(step time.Duration) int {
	return int((w.Until.Sub(w.Since) + step - 1) / step)
}

// place returns the step a moment falls in.
func (w *Window) place(at time.Time, step time.Duration) (int, bool) {
	n := int(at.Sub(w.Since) / step)
	return n, !at.Before(w.Since) && n < w.steps(step)
}
