package respond

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Widest entries of the allowlist. One that covers everything would be a second
// stop switch that nobody sees.
const (
	widestAllowed4 = 8
	widestAllowed6 = 16
)

// An Allowlist is what people keep from being blocked. It lives in the state, so
// that it outlives the process, and in memory, because the guard asks it before
// every plan. It is safe for concurrent use.
type Allowlist struct {
	store  state.Store
	now    func() time.Time
	undoes []string // names of actions

	mu      sync.Mutex
	entries []entry
	held    []netip.Prefix // of those that hold
	until   time.Time      // held is right before it; zero: for good
}

type entry struct {
	prefix netip.Prefix
	until  time.Time
}

// OpenAllowlist reads the allowlist of a store.
func OpenAllowlist(ctx context.Context, store state.Store, now func() time.Time) (*Allowlist, error) {
	l := &Allowlist{store: store, now: now, undoes: []string{state.ActionBlockIP}}
	return l, l.read(ctx)
}

// read brings memory to what is stored.
func (l *Allowlist) read(ctx context.Context) error {
	var all []honeyguide.Allowed
	err := l.store.View(ctx, func(tx state.Tx) (err error) {
		all, err = tx.Allowlist().All(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the allowlist: %w", err)
	}
	entries := make([]entry, 0, len(all))
	for i := range all {
		p, err := ParseTarget(all[i].Address)
		if err != nil {
			return fmt.Errorf("read the allowlist: %w", err)
		}
		entries = append(entries, entry{p, all[i].ExpiresAt})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = entries
	l.sift(l.now())
	return nil
}

// sift finds out what holds, and until when that is right.
func (l *Allowlist) sift(now time.Time) {
	l.held, l.until = make([]netip.Prefix, 0, len(l.entries)), time.Time{}
	for _, e := range l.entries {
		if !e.until.IsZero() && !now.Before(e.until) {
			continue
		}
		l.held = append(l.held, e.prefix)
		if !e.until.IsZero() && (l.until.IsZero() || e.until.Before(l.until)) {
			l.until = e.until
		}
	}
}

// Prefixes returns what holds now. The caller does not change it.
func (l *Allowlist) Prefixes() []netip.Prefix {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.until.IsZero() && !now.Before(l.until) {
		l.sift(now)
	}
	return l.held
}

// Add stores an entry, over the one of the same address, and holds it from the
// moment it returns: what is planned afterwards finds it. a.Address is made
// canonical. What is blocked already is for the caller to lift.
func (l *Allowlist) Add(ctx context.Context, a *honeyguide.Allowed) (netip.Prefix, error) {
	p, err := ParseTarget(a.Address)
	bad := func(text string) (netip.Prefix, error) {
		return p, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
	}
	wide := widestAllowed4
	if p.Addr().Is6() {
		wide = widestAllowed6
	}
	switch {
	case err != nil:
		return bad("address: want an address or a prefix, such as 203.0.113.7 or 203.0.113.0/24")
	case p.Bits() < wide:
		return bad(fmt.Sprintf("address: wider than /%d for IPv4 or /%d for IPv6; to block nothing at all, use the stop switch", widestAllowed4, widestAllowed6))
	case a.Reason == "":
		return bad("reason: say why this must not be blocked")
	case !a.Holds(l.now()):
		return bad("expires_at: lies in the past")
	}
	a.Address = Canonical(p)
	if err := l.store.Update(ctx, func(tx state.Tx) error { return tx.Allowlist().Save(ctx, a) }); err != nil {
		return p, err
	}
	return p, l.read(ctx)
}

// Remove takes the entry of an address away and returns it. CodeNotFound.
func (l *Allowlist) Remove(ctx context.Context, address string) (a honeyguide.Allowed, err error) {
	p, err := ParseTarget(address)
	if err != nil {
		return a, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "address: want an address or a prefix, such as 203.0.113.7 or 203.0.113.0/24"}
	}
	err = l.store.Update(ctx, func(tx state.Tx) (err error) {
		if a, err = tx.Allowlist().Get(ctx, Canonical(p)); err != nil {
			return err
		}
		return tx.Allowlist().Remove(ctx, a.Address)
	})
	if err != nil {
		return a, err
	}
	return a, l.read(ctx)
}

// Undoes says which actions, by the names playbooks call them, an entry ends:
// those that can be undone. It is called before the list is first used; until
// then it is block_ip alone.
func (l *Allowlist) Undoes(actions map[string]Action) {
	l.undoes = []string{}
	for name, a := range actions {
		if _, ok := a.(Reverter); ok {
			l.undoes = append(l.undoes, name)
		}
	}
	slices.Sort(l.undoes)
}

// Overlapping calls fn for every plan that holds, can be undone and has a target
// that overlaps p, inside a transaction: fn must not ask the store. Targets that
// are no addresses overlap nothing.
func (l *Allowlist) Overlapping(ctx context.Context, tx state.Tx, p netip.Prefix, fn func(*honeyguide.Plan) error) error {
	for _, action := range l.undoes {
		targets := []string{Canonical(p)}
		if p.IsSingleIP() { // what overlaps it are itself and what covers it
			targets = append(targets, wider(p)...)
		} else if err := tx.Plans().Targets(ctx, action, func(target string) error {
			if t, err := ParseTarget(target); err == nil && t != p && t.Overlaps(p) {
				targets = append(targets, target)
			}
			return nil
		}); err != nil {
			return err
		}
		if err := inForce(ctx, tx, action, targets, fn); err != nil {
			return err
		}
	}
	return nil
}

// Covering calls fn for every block that holds on a prefix which covers p and is
// not p itself, the narrowest first.
func Covering(ctx context.Context, tx state.Tx, p netip.Prefix, fn func(*honeyguide.Plan) error) error {
	return inForce(ctx, tx, state.ActionBlockIP, wider(p), fn)
}

// wider lists the prefixes that cover p and are not p, the narrowest first. They
// are few, so that asking for each is quicker than looking at all there is.
func wider(p netip.Prefix) []string {
	var out []string
	for bits := p.Bits() - 1; bits >= 0; bits-- {
		out = append(out, Canonical(netip.PrefixFrom(p.Addr(), bits)))
	}
	return out
}

func inForce(ctx context.Context, tx state.Tx, action string, targets []string, fn func(*honeyguide.Plan) error) error {
	for _, target := range targets {
		if err := tx.Plans().InForce(ctx, action, target, fn); err != nil {
			return err
		}
	}
	return nil
}
