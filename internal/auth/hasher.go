package auth

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"honeyguide"
	"honeyguide/internal/auth/password"
)

// ErrBusy says that too many passwords are being checked already: ask again in a
// second.
var ErrBusy = errors.New("too many passwords are being checked")

// hashQueue is how many checks may wait.
const hashQueue = 16

// A hasher makes and checks hashes, a few at a time: each takes tens of
// megabytes and a core.
type hasher struct {
	cost  password.Cost
	slots chan struct{} // of those at work
	queue chan struct{} // of those at work or waiting
	dummy func() string // the hash of nothing, for accounts that have none
}

func newHasher(cost password.Cost, cores int) *hasher {
	return &hasher{
		cost: cost, slots: make(chan struct{}, cores), queue: make(chan struct{}, cores+hashQueue),
		dummy: sync.OnceValue(func() string { return password.Hash(honeyguide.Secret(honeyguide.NewID(never)), cost) }),
	}
}

// within runs f when it is its turn; ErrBusy.
func (h *hasher) within(ctx context.Context, f func()) error {
	select {
	case h.queue <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-h.queue }()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	f()
	if len(h.queue) > cap(h.slots) {
		// Others wait: each of them would take tens of megabytes more before the
		// collector comes by itself.
		runtime.GC()
	}
	return nil
}

// hash makes a hash.
func (h *hasher) hash(ctx context.Context, p honeyguide.Secret) (phc string, err error) {
	err = h.within(ctx, func() { phc = password.Hash(p, h.cost) })
	return phc, err
}

// check compares with a hash; "" stands for an account without a password, about
// which the same work is done. stale says that the hash was made at another cost.
func (h *hasher) check(ctx context.Context, phc string, p honeyguide.Secret) (ok, stale bool, err error) {
	none := phc == ""
	if none {
		phc = h.dummy()
	}
	var bad error
	err = h.within(ctx, func() {
		var c password.Cost
		ok, c, bad = password.Check(phc, p)
		stale = c != h.cost
	})
	if err == nil {
		err = bad
	}
	return ok && !none, stale, err
}
