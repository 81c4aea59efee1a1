package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

	"honeyguide"
	"honeyguide/internal/state"
)

// clockKey is where the time of the last pass of retention is kept.
const clockKey = "retention.clock"

// clockLeap is how far the clock may have moved on since the last pass, which is
// half a day ago unless the core was off: further, and it is more likely wrong
// than the core was off.
const clockLeap = 31 * 24 * time.Hour

// leapt reports whether a clock that says now is not to be believed by who
// deletes; last is what it said the time before, and until when it is confirmed.
func leapt(last, now, until time.Time) bool {
	return !last.IsZero() && now.Sub(last) > clockLeap && now.After(until)
}

// clockHolds reports whether retention may delete by the clock. A clock ten years
// ahead would call everything old; nothing goes until a person has confirmed it.
func (a *App) clockHolds(ctx context.Context) (bool, error) {
	now := a.now().UTC()
	var last time.Time
	err := a.state.View(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, clockKey)
		if err == nil && text != "" {
			last, err = time.Parse(time.RFC3339, text)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read the time of the last pass: %w", err)
	}
	if leapt(last, now, a.settings.Store.clockUntil()) {
		text := fmt.Sprintf("it says %s, and %s the last time: nothing is deleted until store.clock_until confirms it", now.Format(time.DateOnly), last.Format(time.DateOnly))
		a.log.LogAttrs(ctx, slog.LevelError, "the clock leapt and retention does not believe it", slog.Time("now", now), slog.Time("last", last))
		a.tell(ctx, "core-clock", honeyguide.SeverityHigh, "The clock of the core leapt", text)
		return false, nil
	}
	return true, a.state.Update(ctx, func(tx state.Tx) error { return tx.Meta().Put(ctx, clockKey, now.Format(time.RFC3339)) })
}

// kernelClock asks the kernel whether something disciplines its clock, and how wrong
// it thinks it is, in microseconds.
func kernelClock() (synced bool, t unix.Timex, err error) {
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, t, err
}

// clockUntil is the end of the day up to which the clock is confirmed.
func (s Store) clockUntil() time.Time {
	day, err := time.Parse(time.DateOnly, s.ClockUntil)
	if err != nil {
		return time.Time{}
	}
	return day.AddDate(0, 0, 1)
}
