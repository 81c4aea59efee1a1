package privacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/personal"
	"honeyguide/internal/state"
)

// fadedKey is where the state keeps how far data became pseudonyms.
const fadedKey = "privacy.pseudonyms"

// A faded is how far data became pseudonyms. It is written when everything up to
// there is done: whoever was cut off does it again, and finds done what is.
type faded struct {
	Before time.Time `json:"before"` // the begin of a day
	Key    string    `json:"key"`    // fingerprint of the key
	Holds  string    `json:"holds"`  // fingerprint of what was held: what is released is gone through again
}

// same reports whether nothing is to be done between the two.
func (f faded) same(g faded) bool {
	return f.Before.Equal(g.Before) && f.Key == g.Key && f.Holds == g.Holds
}

// aliases returns what stands for a subject where it became a pseudonym.
func (d *Desk) aliases(s personal.Subject) ([]personal.Subject, error) {
	if d.dep.Pseudonyms == nil {
		return nil, nil
	}
	p, err := d.dep.Pseudonyms(false)
	if err != nil || p == nil {
		return nil, err
	}
	return p.Aliases(s), nil
}

// Fade makes addresses and names in what is older than a time pseudonyms: finished
// days of events, rows nobody works with any more, recordings. The same value has the
// same pseudonym as long as the key is there. What a hold keeps stays as it is. One
// day, one page of rows and one recording is a step; each is whole before or after
// it. It returns how many events, rows and recordings changed.
func (d *Desk) Fade(ctx context.Context, before time.Time) (int64, error) {
	p, err := d.dep.Pseudonyms(true)
	if err != nil {
		return 0, fmt.Errorf("open the key of pseudonyms: %w", err)
	}
	d.work.Lock()
	defer d.work.Unlock()
	was, err := d.faded(ctx)
	if err != nil {
		return 0, err
	}
	is, held, err := d.fading(ctx, p, before)
	if err != nil || was.same(is) {
		return 0, err
	}
	r, changed := p.All(), int64(0)
	again := was.Key != is.Key || was.Holds != is.Holds // then also what was done before
	old := func(at time.Time) bool { return at.Before(is.Before) && (again || !at.Before(was.Before)) }
	got, err := d.fadeEvents(ctx, r, held, func(day time.Time) bool {
		return !day.After(is.Before) && (again || day.After(was.Before))
	})
	changed += got.Events
	if err != nil {
		return changed, fmt.Errorf("pseudonyms in the event log: %w", err)
	}
	if d.dep.Recordings != nil {
		list, err := d.dep.Recordings.Rewrite(ctx, r, false, func(session string, last time.Time) bool {
			return old(last) && (d.dep.HeldSession == nil || !d.dep.HeldSession(session))
		})
		changed += int64(len(list))
		if err != nil {
			return changed, fmt.Errorf("pseudonyms in the recordings: %w", err)
		}
	}
	if err := d.dep.Still(ctx, func(ctx context.Context) error {
		rows, err := d.dep.Rows.Rewrite(ctx, state.Rewrite{Before: is.Before, Change: func(_, column, text string) (string, int) { return r.Field(column, text) }})
		for _, n := range rows {
			changed += n
		}
		if err == nil && d.dep.Forget != nil {
			err = d.dep.Forget(ctx)
		}
		return err
	}); err != nil {
		return changed, fmt.Errorf("pseudonyms in the state: %w", err)
	}
	d.log.LogAttrs(ctx, slog.LevelInfo, "old addresses and names are pseudonyms", slog.Time("before", is.Before), slog.Int64("changed", changed))
	return changed, d.dep.State.Update(ctx, func(tx state.Tx) error {
		text, err := json.Marshal(is)
		if err != nil {
			return err
		}
		return tx.Meta().Put(ctx, fadedKey, string(text))
	})
}

// fadeEvents changes the finished days that due names by when they ended.
func (d *Desk) fadeEvents(ctx context.Context, r *personal.Rewriter, held map[string]honeyguide.Hold, due func(ended time.Time) bool) (out eventlog.Rewritten, err error) {
	sources := map[netip.Addr]honeyguide.Hold{}
	if d.dep.Sources != nil {
		if sources, err = d.dep.Sources(ctx); err != nil {
			return out, fmt.Errorf("ask for held sources: %w", err)
		}
	}
	return d.rewriteEvents(ctx, eventlog.Rewrite{
		Change: func(e honeyguide.Event) (honeyguide.Event, int) {
			if _, keeps := sources[e.Src.Addr.Addr().Unmap()]; keeps {
				return e, 0
			}
			return r.Event(e)
		},
		Day: func(name string) bool {
			day, err := time.Parse(time.DateOnly, name)
			_, keeps := held[name]
			return err == nil && !keeps && due(day.AddDate(0, 0, 1))
		},
	})
}

// Fading says how Fade stands: one is due when a day came to its age, when a hold
// was placed or released, and with a new key.
func (d *Desk) Fading(ctx context.Context, before time.Time) (s state.Standing, err error) {
	p, err := d.dep.Pseudonyms(false)
	if err != nil {
		return s, err
	}
	was, err := d.faded(ctx)
	if err != nil {
		return s, err
	}
	is, held, err := d.fading(ctx, p, before)
	if err != nil {
		return s, err
	}
	for day := range held {
		if at, err := time.Parse(time.DateOnly, day); err == nil && at.Before(is.Before) {
			s.Over++ // stays as it is
		}
	}
	s.Oldest = was.Before
	if !was.same(is) {
		s.Over++
		s.Due = 1
	}
	return s, nil
}

func (d *Desk) faded(ctx context.Context) (out faded, err error) {
	err = d.dep.State.View(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, fadedKey)
		if err != nil || text == "" {
			return err
		}
		return json.Unmarshal([]byte(text), &out)
	})
	return out, err
}

// fading is what is to be reached, and the days that are held.
func (d *Desk) fading(ctx context.Context, p *personal.Pseudonyms, before time.Time) (is faded, held map[string]honeyguide.Hold, err error) {
	is.Before = before.UTC().Truncate(24 * time.Hour)
	if p != nil {
		is.Key = p.Fingerprint()
	}
	if d.dep.Days != nil {
		if held, err = d.dep.Days(ctx); err != nil {
			return is, nil, fmt.Errorf("ask for held days: %w", err)
		}
	}
	err = d.dep.State.View(ctx, func(tx state.Tx) error {
		list, err := tx.Holds().List(ctx, true)
		if err != nil || len(list) == 0 {
			return err
		}
		sum := sha256.New()
		for _, h := range list {
			sum.Write([]byte(h.ID + "\n"))
		}
		for _, day := range slices.Sorted(maps.Keys(held)) {
			sum.Write([]byte(day + "\n"))
		}
		is.Holds = hex.EncodeToString(sum.Sum(nil)[:8])
		return nil
	})
	return is, held, err
}

// ForgetKey destroys the key of the pseudonyms: then nobody can tell whom those
// there are stand for, and what becomes one later gets others.
func (d *Desk) ForgetKey(context.Context) error {
	if d.dep.ForgetKey == nil {
		return invalid("there are no pseudonyms here")
	}
	d.work.Lock()
	defer d.work.Unlock()
	if err := d.dep.ForgetKey(); err != nil {
		return fmt.Errorf("forget the key of pseudonyms: %w", err)
	}
	d.log.Info("the key of pseudonyms is gone")
	return nil
}
