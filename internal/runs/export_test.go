package runs

import (
	"context"
	"errors"
)

// Look is one look of the watch.
func (e *Engine) Look(ctx context.Context) error { return errors.Join(e.clockBack(ctx), e.look(ctx)) }

// Tick is one look at all schedules.
func (e *Engine) Tick(ctx context.Context) error {
	var errs []error
	for _, b := range e.dep.Shelf.List() {
		if b.Schedule != nil {
			errs = append(errs, e.tick(ctx, b))
		}
	}
	return errors.Join(errs...)
}
