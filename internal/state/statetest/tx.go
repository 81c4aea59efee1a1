package statetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"honeyguide"
	"honeyguide/internal/state"
)

var errStop = errors.New("stop")

// transactions: all or nothing, however fn ends.
func transactions(b *bench) {
	write := func(tx state.Tx) {
		a := alert("k")
		if _, err := tx.Alerts().Save(b.Context(), &a); err != nil {
			b.Fatal(err)
		}
		if err := tx.Meta().Put(b.Context(), "x", "1"); err != nil {
			b.Fatal(err)
		}
	}
	empty := func(what string) {
		b.Helper()
		b.see(func(ctx context.Context, tx state.Tx) error {
			list, _, err := tx.Alerts().List(ctx, state.AlertQuery{})
			v, err2 := tx.Meta().Get(ctx, "x")
			if len(list) != 0 || v != "" {
				b.Errorf("%s left %d alerts and meta %q", what, len(list), v)
			}
			return errors.Join(err, err2)
		})
	}
	if err := b.Update(b.Context(), func(tx state.Tx) error { write(tx); return errStop }); !errors.Is(err, errStop) {
		b.Errorf("Update returned %v, want the function's error", err)
	}
	empty("an error")
	func() {
		defer func() {
			if recover() == nil {
				b.Error("the panic was swallowed")
			}
		}()
		_ = b.Update(b.Context(), func(tx state.Tx) error { write(tx); panic("x") })
	}()
	empty("a panic")
	ctx, cancel := context.WithCancel(b.Context())
	err := b.Update(ctx, func(tx state.Tx) error { write(tx); cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		b.Errorf("cancelled Update: %v", err)
	}
	empty("a cancelled context")
	if err := b.Update(ctx, func(state.Tx) error { b.Error("ran with a dead context"); return nil }); !errors.Is(err, context.Canceled) {
		b.Errorf("Update with a dead context: %v", err)
	}
	var kept state.Tx
	b.up(func(_ context.Context, tx state.Tx) error { kept = tx; write(tx); return nil })
	if err := kept.Meta().Put(b.Context(), "x", "2"); err == nil {
		b.Error("a Tx works after its function")
	}
	if _, _, err := kept.Alerts().List(b.Context(), state.AlertQuery{}); err == nil {
		b.Error("a Tx reads after its function")
	}
	err = b.View(b.Context(), func(tx state.Tx) error { return tx.Meta().Put(b.Context(), "x", "3") })
	b.code("write in View", err, honeyguide.CodeForbidden)
	b.see(func(ctx context.Context, tx state.Tx) error {
		v, err := tx.Meta().Get(ctx, "x")
		b.same("meta", v, "1")
		return err
	})
}

// snapshot: what a View sees does not change under it; an Update sees its own writes.
func snapshot(b *bench) {
	b.saveAlerts(alert("one"))
	b.see(func(ctx context.Context, tx state.Tx) error {
		before, _, err := tx.Alerts().List(ctx, state.AlertQuery{})
		if err != nil {
			return err
		}
		b.saveAlerts(alert("two")) // the writer does not wait for the reader
		after, _, err := tx.Alerts().List(ctx, state.AlertQuery{})
		b.same("the snapshot", after, before)
		return err
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		a := alert("three")
		if _, err := tx.Alerts().Save(ctx, &a); err != nil {
			return err
		}
		got, err := tx.Alerts().Get(ctx, a.ID)
		b.same("own write", got, a)
		list, _, err2 := tx.Alerts().List(ctx, state.AlertQuery{Text: "three"})
		b.same("own write found by its words", list, []honeyguide.Alert{a})
		return errors.Join(err, err2)
	})
}

// concurrency: many writers and readers, nothing lost, numbers dense.
func concurrency(b *bench) {
	const workers, each = 8, 25
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				err := b.Update(b.Context(), func(tx state.Tx) error {
					at, err := tx.Cursors().Cursor(b.Context(), "c")
					if err != nil {
						return err
					}
					a := alert("") // never merges
					a.Title = "of " + strconv.Itoa(w)
					if _, err := tx.Alerts().Save(b.Context(), &a); err != nil {
						return err
					}
					return tx.Cursors().Move(b.Context(), "c", at, at+1)
				})
				if err != nil {
					b.Errorf("update: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range each {
				err := b.View(b.Context(), func(tx state.Tx) error {
					at, err := tx.Cursors().Cursor(b.Context(), "c")
					if err != nil {
						return err
					}
					n, err := tx.Alerts().Counts(b.Context(), state.AlertQuery{})
					if n[honeyguide.SeverityMedium] != at {
						b.Errorf("%d alerts beside cursor %d", n[honeyguide.SeverityMedium], at)
					}
					return err
				})
				if err != nil {
					b.Errorf("view: %v", err)
				}
			}
		})
	}
	wg.Wait()
	b.see(func(ctx context.Context, tx state.Tx) error {
		at, err := tx.Cursors().Cursor(ctx, "c")
		b.same("cursor", at, int64(workers*each))
		seen := map[string]bool{}
		for _, a := range pages(b, 77, func(p state.Page) ([]honeyguide.Alert, string, error) {
			return tx.Alerts().List(ctx, state.AlertQuery{Page: p})
		}) {
			seen[a.Short] = true
		}
		for n := 1; n <= workers*each; n++ {
			if s := fmt.Sprint("A-", n); !seen[s] {
				b.Errorf("%s is missing", s)
			}
		}
		b.same("alerts", len(seen), workers*each)
		return err
	})
}

// reopen: what was written is there, numbers go on, and a closed store says so.
func reopen(b *bench) {
	saved := b.saveAlerts(alert("one"), alert("two"))
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Cursors().Move(ctx, "c", 0, 42) })
	for range 2 { // closing twice is nothing
		if err := b.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := b.View(b.Context(), func(state.Tx) error { return nil }); err == nil {
		b.Error("a closed store answers")
	}
	if err := b.Update(b.Context(), func(state.Tx) error { return nil }); err == nil {
		b.Error("a closed store takes writes")
	}
	b.Store = b.open(b.T, b.dep)
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, a := range saved {
			got, err := tx.Alerts().Get(ctx, a.ID)
			if err != nil {
				return err
			}
			b.same("after reopening", got, a)
		}
		at, err := tx.Cursors().Cursor(ctx, "c")
		b.same("cursor", at, int64(42))
		return err
	})
	b.same("number", b.saveAlerts(alert("three"))[0].Short, "A-3")
}

// readOnly: a second process reads while the first writes, and cannot write.
func readOnly(b *bench) {
	b.saveAlerts(alert("one"))
	dep := b.dep
	dep.ReadOnly = true
	r := b.open(b.T, dep)
	defer r.Close()
	b.saveAlerts(alert("two"))
	err := r.View(b.Context(), func(tx state.Tx) error {
		list, _, err := tx.Alerts().List(b.Context(), state.AlertQuery{})
		b.same("alerts seen", len(list), 2)
		return err
	})
	b.code("view", err, "")
	err = r.Update(b.Context(), func(tx state.Tx) error { return tx.Meta().Put(b.Context(), "x", "1") })
	b.code("update", err, honeyguide.CodeForbidden)
}
