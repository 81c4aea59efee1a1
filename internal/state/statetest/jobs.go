package statetest

import (
	"context"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func (b *bench) addJobs(list ...state.Job) []state.Job {
	b.Helper()
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i := range list {
			if err := tx.Jobs().Add(ctx, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return list
}

func (b *bench) claim(n int, lease time.Duration, kinds ...string) (got []state.Job) {
	b.Helper()
	b.up(func(ctx context.Context, tx state.Tx) (err error) {
		got, err = tx.Jobs().Claim(ctx, b.clock.now(), kinds, n, lease)
		return err
	})
	return got
}

// held runs one of the fenced calls.
func (b *bench) held(fn func(ctx context.Context, j state.Jobs) (bool, error)) (ok bool) {
	b.Helper()
	b.up(func(ctx context.Context, tx state.Tx) (err error) {
		ok, err = fn(ctx, tx.Jobs())
		return err
	})
	return ok
}

// jobs: order, due times, kinds, keys, arguments.
func jobs(b *bench) {
	added := b.addJobs(
		state.Job{Kind: "mail", Arg: []byte("\x00\xffbytes")},
		state.Job{Kind: "mail", RunAt: start.Add(time.Minute)},
		state.Job{Kind: "block", Key: "203.0.113.7", RunAt: start.Add(-time.Second), MaxAttempts: 3},
		state.Job{Kind: "block", Key: "203.0.113.7"},
		state.Job{Kind: "mail", Key: "203.0.113.7"},
	)
	b.same("ids", []int64{added[0].ID, added[1].ID, added[2].ID, added[3].ID, added[4].ID}, []int64{1, 2, 3, 0, 4})
	b.see(func(ctx context.Context, tx state.Tx) error {
		for kind, want := range map[string]time.Time{"mail": start, "block": start.Add(-time.Second), "none": {}} {
			at, err := tx.Jobs().Next(ctx, []string{kind})
			b.code("next", err, "")
			b.same("next "+kind, at, want)
		}
		return nil
	})
	got := b.claim(10, time.Minute, "block")
	if len(got) != 1 || got[0].ID != 3 || got[0].Attempt != 1 || got[0].Key != "203.0.113.7" || got[0].MaxAttempts != 3 || !got[0].Lease.Equal(start.Add(time.Minute)) {
		b.Errorf("claimed %+v", got)
	}
	if more := b.claim(10, time.Minute, "block"); len(more) != 0 {
		b.Errorf("claimed twice: %+v", more)
	}
	got = b.claim(1, time.Minute)
	if len(got) != 1 || got[0].ID != 1 || string(got[0].Arg) != "\x00\xffbytes" || got[0].MaxAttempts != state.DefaultAttempts {
		b.Errorf("claimed %+v", got)
	}
	if ids := jobIDs(b.claim(10, time.Minute)); fmt.Sprint(ids) != "[4]" {
		b.Errorf("claimed %v, want what is due", ids)
	}
	b.clock.step(30 * time.Second)
	if ids := jobIDs(b.claim(10, time.Minute)); len(ids) != 0 {
		b.Errorf("claimed %v before its time", ids)
	}
	if ok := b.held(func(ctx context.Context, j state.Jobs) (bool, error) { return j.Done(ctx, 3, 1) }); !ok {
		b.Error("done by its holder: lost")
	}
	if a := b.addJobs(state.Job{Kind: "block", Key: "203.0.113.7"}); a[0].ID == 0 {
		b.Error("a key stays taken after its job is done")
	}
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Jobs().Add(b.Context(), &state.Job{}) })
	b.code("no kind", err, honeyguide.CodeInvalid)
	// A job of a transaction that failed was never there.
	_ = b.Update(b.Context(), func(tx state.Tx) error {
		if err := tx.Jobs().Add(b.Context(), &state.Job{Kind: "ghost"}); err != nil {
			b.Error(err)
		}
		return errStop
	})
	if got := b.claim(1, time.Minute, "ghost"); len(got) != 0 {
		b.Error("the job of a failed transaction lives")
	}
}

func jobIDs(list []state.Job) (ids []int64) {
	for _, j := range list {
		ids = append(ids, j.ID)
	}
	return ids
}

// jobLeases: a lost lease fences, failures come back, the last one stays to be seen.
func jobLeases(b *bench) {
	b.addJobs(state.Job{Kind: "k", Key: "u", MaxAttempts: 3})
	first := b.claim(1, time.Minute)[0]
	b.clock.step(30 * time.Second)
	if ok := b.held(func(ctx context.Context, j state.Jobs) (bool, error) {
		return j.Extend(ctx, first.ID, first.Attempt, b.clock.now().Add(time.Minute))
	}); !ok {
		b.Error("extend by its holder: lost")
	}
	b.clock.step(45 * time.Second) // beyond the first lease, within the second
	if got := b.claim(1, time.Minute); len(got) != 0 {
		b.Fatal("claimed under an extended lease")
	}
	b.clock.step(time.Hour) // the holder is gone
	second := b.claim(1, time.Minute)[0]
	b.same("attempt", second.Attempt, 2)
	for name, fn := range map[string]func(context.Context, state.Jobs) (bool, error){
		"done": func(ctx context.Context, j state.Jobs) (bool, error) { return j.Done(ctx, first.ID, first.Attempt) },
		"fail": func(ctx context.Context, j state.Jobs) (bool, error) {
			return j.Fail(ctx, first.ID, first.Attempt, "x", start)
		},
		"extend": func(ctx context.Context, j state.Jobs) (bool, error) {
			return j.Extend(ctx, first.ID, first.Attempt, start.Add(time.Hour))
		},
		"nobody": func(ctx context.Context, j state.Jobs) (bool, error) { return j.Done(ctx, 999, 1) },
	} {
		if b.held(fn) {
			b.Errorf("%s with a lost lease went through", name)
		}
	}
	retry := b.clock.now().Add(time.Minute)
	if !b.held(func(ctx context.Context, j state.Jobs) (bool, error) {
		return j.Fail(ctx, 1, 2, "no route \xff", retry)
	}) {
		b.Error("fail by its holder: lost")
	}
	if b.held(func(ctx context.Context, j state.Jobs) (bool, error) { return j.Done(ctx, 1, 2) }) {
		b.Error("done after fail went through")
	}
	if a := b.addJobs(state.Job{Kind: "k", Key: "u"}); a[0].ID != 0 {
		b.Error("a key is free while its job waits for a retry")
	}
	if got := b.claim(1, time.Minute); len(got) != 0 {
		b.Error("claimed before its retry")
	}
	b.clock.step(time.Minute)
	third := b.claim(1, time.Minute)[0]
	b.same("the error travels", third.Error, "no route \ufffd")
	b.clock.step(time.Hour) // the last attempt never ends
	if got := b.claim(1, time.Minute); len(got) != 0 {
		b.Error("a fourth attempt of three")
	}
	dead := func() (list []state.Job) {
		b.see(func(ctx context.Context, tx state.Tx) (err error) {
			list, _, err = tx.Jobs().List(ctx, state.JobQuery{Dead: true})
			return err
		})
		return list
	}
	if d := dead(); len(d) != 1 || d[0].Attempt != 3 || !d[0].Dead || d[0].Error == "" {
		b.Errorf("dead: %+v", d)
	}
	if b.held(func(ctx context.Context, j state.Jobs) (bool, error) { return j.Done(ctx, 1, 3) }) {
		b.Error("done of a dead job went through")
	}
	again := b.addJobs(state.Job{Kind: "k", Key: "u", MaxAttempts: 1})[0]
	if again.ID == 0 {
		b.Error("a dead job keeps its key")
	}
	revive := func() error {
		return b.Update(b.Context(), func(tx state.Tx) error { return tx.Jobs().Revive(b.Context(), 1, b.clock.now()) })
	}
	b.code("revive beside a living one", revive(), honeyguide.CodeConflict)
	b.claim(1, time.Minute)
	if !b.held(func(ctx context.Context, j state.Jobs) (bool, error) { return j.Fail(ctx, again.ID, 1, "last", start) }) {
		b.Error("fail of the last attempt: lost")
	}
	b.same("dead", jobIDs(dead()), []int64{again.ID, 1})
	b.code("revive", revive(), "")
	b.code("revive twice", revive(), honeyguide.CodeNotFound)
	if got := b.claim(5, time.Minute); len(got) != 1 || got[0].Attempt != 1 {
		b.Errorf("after reviving: %+v", got)
	}
}
