package privacy

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/personal"
	"honeyguide/internal/state"
)

// Why says why a subject's data stays for now: a legal hold, or that it is still
// needed. "" when it may go.
func (d *Desk) Why(ctx context.Context, s personal.Subject) (string, error) {
	if why, err := d.held(ctx, s); err != nil || why != "" {
		return why, err
	}
	if d.dep.Busy != nil {
		return d.dep.Busy(ctx, s)
	}
	return "", nil
}

func (d *Desk) held(ctx context.Context, s personal.Subject) (string, error) {
	if d.dep.Held == nil {
		return "", nil
	}
	hold, err := d.dep.Held(ctx, s)
	if err != nil {
		return "", fmt.Errorf("look for holds: %w", err)
	}
	if hold == "" {
		return "", nil
	}
	return "it is under legal hold " + hold + ": release that first", nil
}

// Erase asks for a subject to be erased. When it returns, that is written down
// and will be done; Wait waits for the end. CodeConflict: something keeps it.
func (d *Desk) Erase(ctx context.Context, s personal.Subject, reason string) (Erasure, error) {
	why, err := d.Why(ctx, s)
	if err != nil {
		return Erasure{}, err
	}
	if why != "" {
		return Erasure{}, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "nothing is erased: " + why}
	}
	now := d.dep.Now().UTC()
	id := honeyguide.NewID(now)
	clean, _ := personal.Erase(s, personal.NewMark()).Text(reason)
	e := entry{
		Erasure: Erasure{ID: id, Kind: s.Kind, Hash: s.Hash(d.dep.Key), Mark: personal.NewMark().String(), State: Waiting, Reason: clean, At: now},
		Sealed:  d.dep.Box.Seal([]byte(s.String()), LedgerKey, id),
	}
	if err := d.change(ctx, func(list []entry) []entry { return append(list, e) }); err != nil {
		return Erasure{}, fmt.Errorf("write the erasure down: %w", err)
	}
	d.poke()
	return e.Erasure, nil
}

func (d *Desk) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Wait returns an erasure when it is done, or as it stands when patience is over.
func (d *Desk) Wait(ctx context.Context, id string, patience time.Duration) (Erasure, error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		d.mu.Lock()
		done := d.done
		d.mu.Unlock()
		e, err := d.Erasure(ctx, id)
		if err != nil || e.State == Done || e.Error != "" {
			return e, err
		}
		select {
		case <-done:
		case <-t.C:
			return e, nil
		case <-ctx.Done():
			return e, ctx.Err()
		}
	}
}

// Finish carries out what waits and returns how much still does.
func (d *Desk) Finish(ctx context.Context) (left int, err error) {
	d.work.Lock()
	defer d.work.Unlock()
	list, err := d.entries(ctx)
	if err != nil {
		return 1, err
	}
	list = slices.DeleteFunc(list, func(e entry) bool { return e.State != Waiting })
	left = len(list)
	for _, e := range list {
		d.waiting(float64(left))
		counts, failed := d.finish(ctx, e)
		if failed == nil {
			left--
			continue
		}
		err = failed
		if ctx.Err() != nil {
			break
		}
		_ = d.settle(ctx, e.ID, func(e *entry) { e.Error, e.Counts = failed.Error(), counts })
	}
	d.waiting(float64(left))
	return left, err
}

// settle changes one entry and tells those who wait.
func (d *Desk) settle(ctx context.Context, id string, fn func(*entry)) error {
	err := d.change(ctx, func(list []entry) []entry {
		for i := range list {
			if list[i].ID == id {
				fn(&list[i])
			}
		}
		return list
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.done)
	d.done = make(chan struct{})
	return err
}

// finish carries out one erasure and returns what it changed in all attempts.
func (d *Desk) finish(ctx context.Context, e entry) (map[string]int64, error) {
	text, err := d.dep.Box.Open(e.Sealed, LedgerKey, e.ID)
	if err != nil {
		return e.Counts, fmt.Errorf("open what erasure %s is about: %w", e.ID, err)
	}
	s, err := personal.Parse(string(text))
	if err != nil {
		return e.Counts, fmt.Errorf("read what erasure %s is about: %w", e.ID, err)
	}
	mark, err := personal.ParseMark(e.Mark)
	if err != nil {
		return e.Counts, err
	}
	// A hold may have come between the asking and now.
	if why, err := d.held(ctx, s); err != nil || why != "" {
		return e.Counts, cmp.Or(err, error(&honeyguide.Error{Code: honeyguide.CodeConflict, Message: why}))
	}
	counts, remains, err := d.erase(ctx, personal.Erase(s, mark), &s, e.ID)
	if err == nil {
		err = d.eraseAliases(ctx, s, mark, e.ID, counts)
	}
	for what, n := range e.Counts { // of attempts that were cut off
		counts[what] += n
	}
	if err != nil {
		return counts, err
	}
	if err := d.settle(ctx, e.ID, func(e *entry) {
		e.State, e.Ended, e.Counts, e.Left, e.Error, e.Sealed = Done, d.dep.Now().UTC(), counts, remains, "", nil
	}); err != nil {
		return counts, err
	}
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	d.erased(1)
	d.values(float64(total))
	d.log.LogAttrs(ctx, slog.LevelInfo, "erased", slog.String("erasure", e.ID), slog.String("kind", string(e.Kind)), slog.Int64("changed", total), slog.Int("left", len(remains)))
	return counts, nil
}

// eraseAliases erases what became a pseudonym of the subject before.
func (d *Desk) eraseAliases(ctx context.Context, s personal.Subject, mark personal.Mark, id string, counts map[string]int64) error {
	list, err := d.aliases(s)
	for _, alias := range list {
		more, _, failed := d.erase(ctx, personal.Erase(alias, mark), &alias, id)
		for what, n := range more {
			counts[what] += n
		}
		if failed != nil {
			return failed
		}
	}
	return err
}

// erase replaces in everything there is. s is nil when only hashes are known.
func (d *Desk) erase(ctx context.Context, r *personal.Rewriter, s *personal.Subject, id string) (map[string]int64, []string, error) {
	counts := map[string]int64{}
	var remains []string
	err := d.dep.Still(ctx, func(ctx context.Context) error {
		got, err := d.rewriteEvents(ctx, eventlog.Rewrite{Change: r.Event})
		if err != nil {
			return fmt.Errorf("erase in the event log: %w", err)
		}
		counts["events"] = got.Events
		for _, file := range got.Left {
			remains = append(remains, file+" cannot be read and may hold it: remove it by hand, or leave it to retention")
		}
		if d.dep.Recordings != nil {
			sessions, err := d.dep.Recordings.Rewrite(ctx, r, false, nil)
			if err != nil {
				return fmt.Errorf("erase in the recordings: %w", err)
			}
			counts["recordings"] = int64(len(sessions))
		}
		if d.dep.Worlds != nil {
			var who personal.Subject
			if s != nil {
				who = *s
			}
			n, err := d.dep.Worlds(ctx, who, func(b []byte) bool { return r.Has(string(b)) > 0 }, false)
			if err != nil {
				return fmt.Errorf("erase in the worlds: %w", err)
			}
			counts["worlds"] = int64(n)
		}
		rows, err := d.dep.Rows.Rewrite(ctx, state.Rewrite{Change: func(table, column, text string) (string, int) { return field(r, table, column, text) }})
		for table, n := range rows {
			counts[table] += n
		}
		if err != nil {
			return fmt.Errorf("erase in the state: %w", err)
		}
		if d.dep.Forget != nil {
			return d.dep.Forget(ctx)
		}
		return nil
	})
	if err != nil {
		return counts, remains, err
	}
	if d.dep.Copies != nil {
		aside, err := d.dep.Copies()
		if err != nil {
			return counts, remains, fmt.Errorf("remove older copies: %w", err)
		}
		for _, folder := range aside {
			remains = append(remains, folder+" was moved aside and may hold it: remove it by hand when nobody needs it")
		}
	}
	if d.dep.Trail != nil {
		n, old, err := d.dep.Trail.Erase(ctx, func(text string) bool {
			_, hits := r.Field("", text)
			return hits > 0
		}, "erasure "+id)
		if err != nil {
			return counts, remains, fmt.Errorf("erase in the audit log: %w", err)
		}
		counts["audit"] = int64(n)
		remains = append(remains, old...)
	}
	for what, n := range counts {
		if n == 0 {
			delete(counts, what)
		}
	}
	return counts, remains, nil
}

// Apply erases by hash.
func (d *Desk) Apply(ctx context.Context, list []Erasure) error {
	ledger := map[string]personal.Mark{}
	var ids []string
	for _, e := range list {
		m, err := personal.ParseMark(e.Mark)
		if err != nil {
			return err
		}
		ledger[e.Hash] = m
		ids = append(ids, e.ID)
	}
	if len(ledger) == 0 {
		return nil
	}
	d.work.Lock()
	defer d.work.Unlock()
	if _, _, err := d.erase(ctx, personal.EraseHashes(d.dep.Key, ledger), nil, strings.Join(ids, ", ")); err != nil {
		return err
	}
	return d.change(ctx, func(have []entry) []entry {
		for _, e := range list {
			if !slices.ContainsFunc(have, func(h entry) bool { return h.ID == e.ID }) {
				if e.State != Done { // where it comes from it was still waited for
					e.State, e.Ended, e.Error = Done, d.dep.Now().UTC(), ""
				}
				have = append(have, entry{Erasure: e})
			}
		}
		slices.SortStableFunc(have, func(a, b entry) int { return a.At.Compare(b.At) })
		return have
	})
}
