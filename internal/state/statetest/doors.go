package statetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func allowlist(b *bench) {
	a := honeyguide.Allowed{Address: "203.0.113.0/24", Reason: "the office\x00", Owner: "anna", CreatedBy: "anna", ExpiresAt: start.Add(time.Hour)}
	other := honeyguide.Allowed{Address: "2001:db8::1", Reason: "monitoring", Owner: "ben", CreatedBy: "ben"}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Allowlist().Save(ctx, &a) })
	b.same("tidied", a.Reason, "the office\uFFFD")
	b.same("created", a.CreatedAt, state.Time(start))
	b.clock.step(time.Minute)
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Allowlist().Save(ctx, &other) })
	changed := a
	changed.CreatedAt, changed.CreatedBy, changed.Owner, changed.ExpiresAt = time.Time{}, "mallory", "carol", time.Time{}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Allowlist().Save(ctx, &changed) })
	b.same("who made it stays", []any{changed.CreatedAt, changed.CreatedBy, changed.Owner}, []any{a.CreatedAt, "anna", "carol"})
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Allowlist().Save(b.Context(), &honeyguide.Allowed{Reason: "x"}) })
	b.code("without an address", err, honeyguide.CodeInvalid)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Allowlist().Get(ctx, a.Address)
		b.same("get", got, changed)
		_, none := tx.Allowlist().Get(ctx, "203.0.113.7")
		b.code("nobody", none, honeyguide.CodeNotFound)
		all, e2 := tx.Allowlist().All(ctx)
		b.same("all", all, []honeyguide.Allowed{changed, other})
		return errors.Join(err, e2)
	})
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Allowlist().Remove(ctx, a.Address) })
	err = b.Update(b.Context(), func(tx state.Tx) error { return tx.Allowlist().Remove(b.Context(), a.Address) })
	b.code("removed twice", err, honeyguide.CodeNotFound)
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i := range state.MaxAllowed - 1 {
			if err := tx.Allowlist().Save(ctx, &honeyguide.Allowed{Address: fmt.Sprint("full-", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	err = b.Update(b.Context(), func(tx state.Tx) error {
		return tx.Allowlist().Save(b.Context(), &honeyguide.Allowed{Address: "one more"})
	})
	b.code("one more than it may have", err, honeyguide.CodeConflict)
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Allowlist().Save(ctx, &other) })
}

func replies(b *bench) {
	begin := func(r state.Reply) (begun bool, out state.Reply) {
		b.up(func(ctx context.Context, tx state.Tx) (err error) {
			begun, err = tx.Replies().Begin(ctx, &r)
			return err
		})
		return begun, r
	}
	begun, first := begin(state.Reply{ID: "one", Request: "r1", Status: 200, Body: []byte("not yet")})
	b.same("begun", []any{begun, first}, []any{true, state.Reply{ID: "one", Request: "r1", At: state.Time(start)}})
	begun, again := begin(state.Reply{ID: "one", Request: "r2"})
	b.same("begun twice", []any{begun, again}, []any{false, first})
	first.Status, first.Body = 200, []byte("{\"a\":\x00\xff}")
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Replies().Finish(ctx, &first) })
	_, again = begin(state.Reply{ID: "one"})
	b.same("answered", again, first)
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Replies().Finish(b.Context(), &state.Reply{ID: "two"}) })
	b.code("never begun", err, honeyguide.CodeNotFound)
	err = b.Update(b.Context(), func(tx state.Tx) error { _, err := tx.Replies().Begin(b.Context(), &state.Reply{}); return err })
	b.code("without an id", err, honeyguide.CodeInvalid)
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(tx.Replies().Remove(ctx, "one"), tx.Replies().Remove(ctx, "never"))
	})
	for i := range 5 {
		b.clock.step(time.Minute)
		begin(state.Reply{ID: fmt.Sprint(i)})
	}
	left := func(before time.Time, keep int) (ids []string) {
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Replies().Trim(ctx, before, keep) })
		rollback := errors.New("only looked")
		for i := range 5 {
			err := b.Update(b.Context(), func(tx state.Tx) error {
				begun, err := tx.Replies().Begin(b.Context(), &state.Reply{ID: fmt.Sprint(i)})
				if err != nil {
					return err
				}
				if !begun {
					ids = append(ids, fmt.Sprint(i))
				}
				return rollback
			})
			if !errors.Is(err, rollback) {
				b.Error(err)
			}
		}
		return ids
	}
	b.same("none too many", left(start, 9), []string{"0", "1", "2", "3", "4"})
	b.same("too old", left(start.Add(2*time.Minute), 9), []string{"1", "2", "3", "4"})
	b.same("too many", left(start, 2), []string{"3", "4"})
}

func targets(b *bench) {
	for i, p := range []honeyguide.Plan{
		{Target: "203.0.113.9", Action: state.ActionBlockIP, Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified},
		{Target: "203.0.113.7", Action: state.ActionBlockIP, Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified},
		{Target: "203.0.113.7", Action: state.ActionBlockIP, Mode: honeyguide.ModeApply, State: honeyguide.PlanApplying},
		{Target: "203.0.113.1", Action: state.ActionBlockIP, Mode: honeyguide.ModeDryRun, State: honeyguide.PlanPlanned},
		{Target: "203.0.113.2", Action: state.ActionBlockIP, Mode: honeyguide.ModeApply, State: honeyguide.PlanExpired},
		{Target: "203.0.113.3", Action: "redirect", Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified},
	} {
		p.ID = fmt.Sprint("p", i)
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Plans().Save(ctx, &p) })
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		var got []string
		err := tx.Plans().Targets(ctx, state.ActionBlockIP, func(s string) error { got = append(got, s); return nil })
		if !slices.Equal(got, []string{"203.0.113.7", "203.0.113.9"}) {
			b.Errorf("targets %v", got)
		}
		stop := errors.New("enough")
		if e := tx.Plans().Targets(ctx, state.ActionBlockIP, func(string) error { return stop }); !errors.Is(e, stop) {
			b.Errorf("an error of fn: %v", e)
		}
		_, e := tx.Plans().Get(ctx, "p0") // the transaction goes on
		return errors.Join(err, e)
	})
}
