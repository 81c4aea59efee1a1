package runs

import "context"

// Look is one look of the watch.
func (e *Engine) Look(ctx context.Context) error { return e.look(ctx) }
