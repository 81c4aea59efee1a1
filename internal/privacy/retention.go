package privacy

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// Kept says how long one class of data is kept and how it stands.
type Kept struct {
	Class  string
	Days   int       // 0: for ever
	Oldest time.Time // of what is there
	Next   time.Time // when the oldest goes, unless something keeps it
	Kept   int64     // rows, days or files there are
	Spared int64     // old enough to go, and kept: still in use, of open incidents, or held
	Last   int64     // removed by the last run
	LastAt time.Time
}

// A Keeper looks after one class of data.
type Keeper struct {
	Class Class
	Days  int // 0: for ever
	// Drop removes what is older than a time, as much as one step may, and returns
	// how much that was; it is called again until it is 0. What a hold keeps stays.
	Drop func(ctx context.Context, before time.Time) (int64, error)
	// Standing says what there is, how much of it is older than a time, and how much
	// of that Drop would remove.
	Standing func(ctx context.Context, before time.Time) (state.Standing, error)
}

// A Retention lets what is old go, class by class.
type Retention struct {
	keepers []Keeper
	store   state.Store
	record  func(ctx context.Context, e honeyguide.AuditEntry) error
	now     func() time.Time
	log     *slog.Logger
	dropped *telemetry.CounterVec
	spared  *telemetry.GaugeVec
	stuck   map[Class]int64 // due after the last run all the same
	scour   func(ctx context.Context) error
}

// NewRetention returns a retention. record makes an entry of every run that is
// about to remove something of a class; without the entry nothing is removed.
func NewRetention(keepers []Keeper, store state.Store, record func(context.Context, honeyguide.AuditEntry) error, m *telemetry.Registry, log *slog.Logger, now func() time.Time) *Retention {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Retention{
		keepers: keepers, store: store, record: record, now: now, log: log, stuck: map[Class]int64{},
		dropped: m.Counter("honeyguide_retention_dropped_total", "Rows, days and files removed because they were old, by class.", "class"),
		spared:  m.Gauge("honeyguide_retention_spared", "Rows, days and files that are old and kept because they are in use, of open incidents, or held, by class.", "class"),
	}
	for _, k := range keepers {
		r.dropped.With(string(k.Class)).Add(0)
		r.spared.With(string(k.Class)).Set(0)
	}
	return r
}

// Scouring makes the retention leave nothing of removed rows in free pages and
// journals, after each run that removed some.
func (r *Retention) Scouring(scour func(ctx context.Context) error) { r.scour = scour }

// scourKey is where the state keeps that rows were removed and their file was not
// made anew yet.
const scourKey = "privacy.scour"

// owe notes that, and clean does it.
func (r *Retention) owe(ctx context.Context, owed string) error {
	return r.store.Update(ctx, func(tx state.Tx) error { return tx.Meta().Put(ctx, scourKey, owed) })
}

func (r *Retention) clean(ctx context.Context) error {
	owed := ""
	if err := r.store.View(ctx, func(tx state.Tx) (err error) {
		owed, err = tx.Meta().Get(ctx, scourKey)
		return err
	}); err != nil || owed == "" || r.scour == nil {
		return err
	}
	if err := r.scour(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// The rows are gone. To try at once again would take the room others need.
		r.log.LogAttrs(ctx, slog.LevelWarn, "what was removed may still be in free pages of the state's file; it is made anew at a later pass", slog.Any("error", err))
		return nil
	}
	return r.owe(ctx, "")
}

// runKey is where the state keeps how the last run of a class ended.
func runKey(c Class) string { return "privacy.retention." + string(c) }

// Run removes what is old, of every class. A class that fails does not keep the
// others from theirs.
func (r *Retention) Run(ctx context.Context) (failed error) {
	for _, k := range r.keepers {
		if err := r.run(ctx, k); err != nil && failed == nil {
			failed = fmt.Errorf("retention of %s: %w", k.Class, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := r.clean(ctx); err != nil && failed == nil {
		failed = err
	}
	return failed
}

func (r *Retention) run(ctx context.Context, k Keeper) error {
	if k.Days <= 0 {
		return nil
	}
	now := r.now()
	before := since(now, k.Days)
	s, err := k.Standing(ctx, before)
	if err != nil {
		return err
	}
	n := int64(0)
	// What is due and did not go, such as a day with an event of tomorrow, does not
	// go now: an entry twice a day about nothing would hide those that matter.
	if s.Due > 0 && s.Due != r.stuck[k.Class] {
		if n, err = r.drop(ctx, k, before); err != nil {
			return err
		}
		if s, err = k.Standing(ctx, before); err != nil {
			return err
		}
	}
	r.stuck[k.Class] = s.Due
	r.spared.With(string(k.Class)).Set(float64(s.Over - s.Due))
	return r.store.Update(ctx, func(tx state.Tx) error {
		return tx.Meta().Put(ctx, runKey(k.Class), fmt.Sprintf("%d %d", now.Unix(), n))
	})
}

// drop removes what is old of a class. An entry says so before anything is removed.
func (r *Retention) drop(ctx context.Context, k Keeper, before time.Time) (n int64, err error) {
	if err := r.record(ctx, honeyguide.AuditEntry{
		Time: r.now(), Actor: "retention", Kind: "system", Action: "retain", Object: "data:" + string(k.Class), Outcome: honeyguide.AuditAsked,
		Reason: fmt.Sprintf("older than %d days: before %s", k.Days, before.UTC().Format(time.RFC3339)),
	}); err != nil {
		return 0, err
	}
	if err := r.owe(ctx, "owed"); err != nil { // before: a crash leaves it to the next run
		return 0, err
	}
	for {
		step, err := k.Drop(ctx, before)
		if n += step; err != nil || step == 0 {
			r.dropped.With(string(k.Class)).Add(float64(n))
			if n > 0 {
				r.log.LogAttrs(ctx, slog.LevelInfo, "old data removed", slog.String("class", string(k.Class)), slog.Int64("removed", n), slog.Int("days", k.Days))
			}
			return n, err
		}
	}
}

// List says how every class stands.
func (r *Retention) List(ctx context.Context) ([]Kept, error) {
	var out []Kept
	for _, k := range r.keepers {
		row := Kept{Class: string(k.Class), Days: k.Days}
		s, err := k.Standing(ctx, since(r.now(), max(k.Days, 0)))
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", k.Class, err)
		}
		row.Kept, row.Oldest = s.Kept, s.Oldest
		if k.Days > 0 {
			if row.Spared = s.Over - s.Due; !s.Oldest.IsZero() {
				row.Next = s.Oldest.Add(time.Duration(k.Days) * 24 * time.Hour)
			}
		}
		var text string
		if err := r.store.View(ctx, func(tx state.Tx) (err error) {
			text, err = tx.Meta().Get(ctx, runKey(k.Class))
			return err
		}); err != nil {
			return nil, err
		}
		var at int64
		if _, err := fmt.Sscanf(text, "%d %d", &at, &row.Last); err == nil {
			row.LastAt = time.Unix(at, 0).UTC()
		}
		out = append(out, row)
	}
	return out, nil
}

// Retention says how every class of data stands.
func (d *Desk) Retention(ctx context.Context) ([]Kept, error) {
	if d.dep.Retention == nil {
		return nil, nil
	}
	return d.dep.Retention.List(ctx)
}
