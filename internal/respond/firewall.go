package respond

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"honeyguide/internal/fwhelper"
)

// NewFirewall lends the firewall process to the actions. What the process
// refuses is an error that trying again cannot mend.
func NewFirewall(p *fwhelper.Process) Firewall { return firewall{p} }

type firewall struct{ p *fwhelper.Process }

func (f firewall) Block(ctx context.Context, list ...Barred) error {
	entries := make([]fwhelper.Entry, len(list))
	for i, b := range list {
		entries[i] = fwhelper.Entry(b)
	}
	return final(f.p.Set(ctx, entries...))
}

func (f firewall) Unblock(ctx context.Context, list ...netip.Prefix) error {
	return f.p.Unblock(ctx, list...)
}

func (f firewall) Barred(ctx context.Context, p netip.Prefix) (until time.Time, blocked bool, err error) {
	s, ok, err := f.p.Has(ctx, p)
	return s.Until, ok, err
}

func (f firewall) Redirect(ctx context.Context, r Detour) error {
	return final(f.p.Redirect(ctx, fwhelper.Redirect(r)))
}

func (f firewall) Unredirect(ctx context.Context, r Detour) error {
	return f.p.Unredirect(ctx, fwhelper.Redirect(r))
}

func (f firewall) Redirected(ctx context.Context, r Detour) (bool, error) {
	_, ok, err := f.p.Redirected(ctx, fwhelper.Redirect(r))
	return ok, err
}

// final marks what the process refused.
func final(err error) error {
	if _, ok := errors.AsType[*fwhelper.RefusedError](err); ok {
		return Permanent(err)
	}
	return err
}
