package api

import (
	"context"
	"fmt"
	"sync"

	"honeyguide"
	"honeyguide/internal/state"
)

// engine is a Responder that enforces nothing: whatever reaches it is done. What
// it must not be asked is for the door to refuse.
type engine struct {
	store state.Store
	mu    sync.Mutex
	calls []string
	halt  HaltState
	fail  error            // of every call but Halted
	block func()           // called by each order, when set
	deny  map[string]error // by plan, of RevertPlan
	last  any              // what was asked last
}

func (e *engine) did(what string, asked any) error {
	if e.block != nil {
		e.block()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls, e.last = append(e.calls, what), asked
	return e.fail
}

func (e *engine) asked() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.calls...)
}

func (e *engine) run(what, id string, asked any) (honeyguide.Run, error) {
	err := e.did(what, asked)
	return honeyguide.Run{ID: id, Steps: []honeyguide.RunStep{}, State: honeyguide.RunRunning}, err
}

func (e *engine) Start(_ context.Context, r StartRequest) (honeyguide.Run, error) {
	return e.run("start", "r1", r)
}

func (e *engine) Decide(_ context.Context, run string, step int, d honeyguide.Decision) (honeyguide.Run, error) {
	return e.run(fmt.Sprint("decide ", run, " ", step), run, d)
}

func (e *engine) Cancel(_ context.Context, run, by, why string) (honeyguide.Run, error) {
	return e.run("cancel "+run, run, by+": "+why)
}

func (e *engine) Retry(_ context.Context, run, by string) (honeyguide.Run, error) {
	return e.run("retry "+run, run, by)
}

func (e *engine) Revert(_ context.Context, run, by, why string) (honeyguide.Run, error) {
	return e.run("revert "+run, run, by+": "+why)
}

func (e *engine) Confirm(_ context.Context, run, by string) (honeyguide.Run, error) {
	return e.run("confirm "+run, run, by)
}

func (e *engine) Block(_ context.Context, r BlockRequest) (honeyguide.Run, error) {
	return e.run("block", "r1", r)
}

// RevertPlan ends a plan as the real one does: it holds no more afterwards.
func (e *engine) RevertPlan(ctx context.Context, plan, by, why string) (p honeyguide.Plan, err error) {
	if err := e.did("revert plan "+plan, by+": "+why); err != nil {
		return p, err
	}
	if err := e.deny[plan]; err != nil {
		return p, err
	}
	err = e.store.Update(ctx, func(tx state.Tx) error {
		if p, err = tx.Plans().Get(ctx, plan); err != nil {
			return err
		}
		p.State, p.EndedBy = honeyguide.PlanReverted, by
		return tx.Plans().Save(ctx, &p)
	})
	return p, err
}

func (e *engine) Halt(_ context.Context, by, why string) (HaltState, error) {
	err := e.did("halt", by+": "+why)
	e.halt = HaltState{On: true, By: by, Why: why}
	return e.halt, err
}

func (e *engine) Resume(_ context.Context, by, why string) (HaltState, error) {
	err := e.did("resume", by+": "+why)
	e.halt = HaltState{By: by, Why: why}
	return e.halt, err
}

func (e *engine) Halted(context.Context) (HaltState, error) { return e.halt, nil }
