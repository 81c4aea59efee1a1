package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"honeyguide/internal/bundle"
	"honeyguide/internal/privacy"
	"honeyguide/internal/state"
)

// Privacy configures how long personal data is kept, class by class.
type Privacy struct {
	Events      int `yaml:"events_days" doc:"days of events kept; 0 = store.retention_days, which DATA_RETENTION_DAYS sets"`
	Sessions    int `yaml:"sessions_days" doc:"days of sessions and their recordings kept; 0 = store.retention_days"`
	Samples     int `yaml:"samples_days" doc:"days since it came last that what attackers brought is kept; 0 = store.retention_days"`
	Alerts      int `yaml:"alerts_days" doc:"days of alerts, and of incidents once they are closed, kept; 0 = store.retention_days"`
	Attackers   int `yaml:"attackers_days" doc:"days of what is known of attackers kept: reputation, notes, exposures; 0 = store.retention_days"`
	DeadLetters int `yaml:"dead_letters_days" doc:"days of input that could not be understood kept; 0 = store.retention_days"`
	Notices     int `yaml:"notices_days" doc:"days of messages to people kept; 0 = store.retention_days"`
	Logins      int `yaml:"logins_days" doc:"days of login attempts and ended logins kept; 0 = store.retention_days"`
	Pseudonyms  int `yaml:"pseudonymise_after_days" doc:"days after which addresses and names in events, alerts, closed incidents, sessions and recordings become keyed pseudonyms; 0 = never"`
	// Banner is text, never markup.
	Banner string `yaml:"login_banner" doc:"text people read before they log in to the console, such as what is recorded about them and why; empty = none"`
}

// mostDays bounds the settings in days: a hundred years.
const mostDays = 36_500

func (p Privacy) validate() error {
	for key, days := range map[string]int{
		"events": p.Events, "sessions": p.Sessions, "samples": p.Samples, "alerts": p.Alerts, "attackers": p.Attackers, "dead_letters": p.DeadLetters,
		"notices": p.Notices, "logins": p.Logins,
	} {
		if days < 0 || days > mostDays {
			return invalid("privacy.%s_days: %d; want 1 to %d, or 0 for store.retention_days", key, days, mostDays)
		}
	}
	if n := p.Pseudonyms; n < 0 || n > mostDays {
		return invalid("privacy.pseudonymise_after_days: %d; want 1 to %d, or 0 for never", n, mostDays)
	}
	if len(p.Banner) > 4000 {
		return invalid("privacy.login_banner: %d bytes; want at most 4000", len(p.Banner))
	}
	return nil
}

// longest is how many days the class that is kept longest is kept.
func (s *Settings) longest() int {
	p, all := s.Privacy, s.Store.RetentionDays
	return max(cmp.Or(p.Events, all), cmp.Or(p.Sessions, all), cmp.Or(p.Samples, all), cmp.Or(p.Alerts, all), cmp.Or(p.Attackers, all),
		cmp.Or(p.DeadLetters, all), cmp.Or(p.Notices, all), cmp.Or(p.Logins, all))
}

// openRetention says what grows old, and how what is old goes.
func (a *App) openRetention() *privacy.Retention {
	p, all := a.settings.Privacy, a.settings.Store.RetentionDays
	days := func(n int) int { return cmp.Or(n, all) }
	rows := func(class privacy.Class, of state.Class, n int) privacy.Keeper {
		return privacy.Keeper{
			Class: class, Days: days(n),
			Drop: func(ctx context.Context, before time.Time) (n int64, err error) {
				err = a.state.Update(ctx, func(tx state.Tx) (err error) {
					n, err = tx.Retention().DropOf(ctx, of, before, dropBatch)
					return err
				})
				return n, err
			},
			Standing: func(ctx context.Context, before time.Time) (s state.Standing, err error) {
				err = a.state.View(ctx, func(tx state.Tx) (err error) {
					s, err = tx.Retention().Standing(ctx, of, before)
					return err
				})
				return s, err
			},
		}
	}
	return privacy.NewRetention([]privacy.Keeper{
		{Class: privacy.EventData, Days: days(p.Events), Drop: a.dropEvents, Standing: a.eventsStanding},
		a.recorded(rows(privacy.Sessions, state.ClassSessions, p.Sessions)),
		rows(privacy.Samples, state.ClassSamples, p.Samples),
		rows(privacy.Alerts, state.ClassAlerts, p.Alerts),
		rows(privacy.Attackers, state.ClassAttackers, p.Attackers),
		rows(privacy.DeadLetter, state.ClassDeadLetters, p.DeadLetters),
		rows(privacy.Notices, state.ClassNotices, p.Notices),
		{Class: privacy.Audit, Days: a.settings.Audit.RetentionDays, Drop: none, Standing: nothing},
		{Class: privacy.Worlds, Days: a.settings.Deception.WorldsDays, Drop: none, Standing: a.worldsStanding},
		rows(privacy.Logins, state.ClassLogins, p.Logins),
		{
			// Last: what goes need not become anything else before.
			Class: privacy.Readable, Days: p.Pseudonyms,
			Drop: func(ctx context.Context, before time.Time) (int64, error) { return a.privacy.Fade(ctx, before) },
			Standing: func(ctx context.Context, before time.Time) (state.Standing, error) {
				return a.privacy.Fading(ctx, before)
			},
		},
	}, a.state, a.audit.Record, a.metrics, a.log, a.now)
}

// nothing is how the audit log stands: it counts by itself.
func nothing(context.Context, time.Time) (state.Standing, error) { return state.Standing{}, nil }

// none drops nothing: the audit log (its upkeep drops texts, with an entry of its
// own) and worlds let go by themselves.
func none(context.Context, time.Time) (int64, error) { return 0, nil }

func (a *App) worldsStanding(context.Context, time.Time) (state.Standing, error) {
	n, _ := a.worlds.Size()
	return state.Standing{Kept: int64(n)}, nil
}

func (a *App) dropEvents(ctx context.Context, before time.Time) (int64, error) {
	days, err := a.events.Drop(ctx, before)
	return int64(len(days)), err
}

// eventsStanding counts days, and as over also files of days that were put aside.
// The newest day is never old.
func (a *App) eventsStanding(ctx context.Context, before time.Time) (s state.Standing, err error) {
	entries, err := os.ReadDir(filepath.Join(a.settings.Node.Data, "events"))
	if err != nil {
		return s, err
	}
	held, err := bundle.Keeper{State: a.state}.Days(ctx)
	if err != nil {
		return s, err
	}
	newest, over, due := "", map[string]int64{}, map[string]int64{}
	for _, e := range entries { // in the order of days
		name, rest, ok := strings.Cut(e.Name(), ".db")
		day, err := time.Parse(time.DateOnly, name)
		whole := rest == ""
		if !ok || err != nil || !whole && !strings.HasPrefix(rest, ".bad") {
			continue
		}
		if whole {
			newest = name
			if s.Kept++; s.Oldest.IsZero() || day.Before(s.Oldest) {
				s.Oldest = day
			}
		}
		if day.AddDate(0, 0, 1).After(before) {
			continue
		}
		over[name]++
		if _, ok := held[name]; !ok {
			due[name]++
		}
	}
	delete(over, newest)
	delete(due, newest)
	for name, n := range over {
		s.Over += n
		s.Due += due[name]
	}
	return s, nil
}

// recorded adds the recordings of sessions that are gone, and of those the state
// never knew.
func (a *App) recorded(k privacy.Keeper) privacy.Keeper {
	rows := k.Drop
	k.Drop = func(ctx context.Context, before time.Time) (int64, error) {
		n, err := rows(ctx, before)
		if n > 0 || err != nil {
			return n, err
		}
		_, due, err := a.oldRecordings(ctx, before)
		for _, session := range due {
			if err != nil {
				break
			}
			if err = a.recordings.Remove(session); err == nil {
				n++
			}
		}
		return n, err
	}
	standing := k.Standing
	k.Standing = func(ctx context.Context, before time.Time) (state.Standing, error) {
		s, err := standing(ctx, before)
		if err != nil {
			return s, err
		}
		over, due, err := a.oldRecordings(ctx, before)
		s.Over += int64(over)
		s.Due += int64(len(due))
		return s, err
	}
	return k
}

// oldRecordings counts the recordings from before a time and names the sessions of
// those that no hold keeps.
func (a *App) oldRecordings(ctx context.Context, before time.Time) (over int, due []string, err error) {
	list, err := a.recordings.List(0)
	if err != nil {
		return 0, nil, err
	}
	err = a.state.View(ctx, func(tx state.Tx) error {
		for _, r := range list {
			if !r.LastAt.Before(before) {
				continue
			}
			over++
			_, held, err := tx.Holds().On(ctx, state.HeldSession, r.Session)
			if err != nil {
				return err
			}
			if !held {
				due = append(due, r.Session)
			}
		}
		return nil
	})
	return over, due, err
}

// dropCounts lets old counts go. They say nothing about anybody but their sources,
// and go without an entry; before rows do, so that the file is made anew after both.
func (a *App) dropCounts(ctx context.Context) error {
	days := cmp.Or(a.settings.Privacy.Alerts, a.settings.Store.RetentionDays)
	var before time.Time // kept for ever: those in short steps alone
	if days > 0 {
		before = a.now().AddDate(0, 0, -days)
	}
	for {
		n := int64(0)
		err := a.state.Update(ctx, func(tx state.Tx) (err error) {
			n, err = tx.Retention().DropCounts(ctx, before)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// retention lets what is old go, twice a day.
func (a *App) retention(ctx context.Context) error {
	tick := time.NewTicker(12 * time.Hour)
	defer tick.Stop()
	for {
		believed, err := a.clockHolds(ctx)
		if err != nil {
			return err
		}
		if believed {
			if err := errors.Join(a.dropCounts(ctx), a.retain.Run(ctx), a.pruneSamples(ctx)); err != nil && ctx.Err() == nil {
				return fmt.Errorf("let old data go: %w", err)
			}
		}
		a.log.LogAttrs(ctx, slog.LevelDebug, "retention ran")
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// dropBatch is how many rows one transaction gives up: others wait for it.
const dropBatch = 500
