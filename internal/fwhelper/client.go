package fwhelper

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/safetext"
)

// Block puts entries in force, or moves the ends of those that are there to
// later. It returns a [RefusedError] when some did not go in.
func (p *Process) Block(ctx context.Context, list ...Entry) error {
	if len(list) == 0 {
		return nil
	}
	began := time.Now()
	a, err := p.ask(ctx, ipc.FirewallAsk{Verb: ipc.FirewallBlock, Entries: p.entries(list)})
	p.m.took("block", began, err)
	return refusedBy(&a, err)
}

// Set puts entries in force until the times given, also when they are earlier
// than before. It returns a [RefusedError] when some did not go in.
func (p *Process) Set(ctx context.Context, list ...Entry) error {
	if len(list) == 0 {
		return nil
	}
	began := time.Now()
	a, err := p.ask(ctx, ipc.FirewallAsk{Verb: ipc.FirewallSet, Entries: p.entries(list)})
	p.m.took("block", began, err)
	return refusedBy(&a, err)
}

// Unblock ends blocks before their time, each by its exact prefix. One that is
// not in force is no error.
func (p *Process) Unblock(ctx context.Context, list ...netip.Prefix) error {
	if len(list) == 0 {
		return nil
	}
	ask := ipc.FirewallAsk{Verb: ipc.FirewallUnblock}
	for _, prefix := range list {
		ask.Entries = append(ask.Entries, ipc.FirewallEntry{Prefix: prefix})
	}
	began := time.Now()
	_, err := p.ask(ctx, ask)
	p.m.took("unblock", began, err)
	return err
}

// Replace puts t in force and ends everything else. Whoever looks at the kernel
// sees the state before or the new one. It returns a [RefusedError] when some
// entries did not go in.
func (p *Process) Replace(ctx context.Context, t Table) error {
	began := time.Now()
	a, err := p.ask(ctx, p.replaceAsk(t))
	p.m.took("replace", began, err)
	return refusedBy(&a, err)
}

func (p *Process) replaceAsk(t Table) ipc.FirewallAsk {
	ask := ipc.FirewallAsk{Verb: ipc.FirewallReplace, Entries: p.entries(t.Blocks)}
	for _, r := range t.Redirects {
		ask.Redirects = append(ask.Redirects, p.redirect(r))
	}
	return ask
}

// Has reads a block back from the kernel. It is ok when all of prefix is blocked.
func (p *Process) Has(ctx context.Context, prefix netip.Prefix) (Status, bool, error) {
	asked := p.opts.Now()
	a, err := p.ask(ctx, ipc.FirewallAsk{Verb: ipc.FirewallHas, Entries: []ipc.FirewallEntry{{Prefix: prefix}}})
	if err != nil || !a.Found {
		return Status{}, false, err
	}
	return Status{Until: asked.Add(a.Left), Packets: a.Packets}, true, nil
}

// Redirect puts redirects in force until the times given, also when they are
// earlier than before. Connections that are there already stay as they are. It returns a
// [RefusedError] when some did not go in.
func (p *Process) Redirect(ctx context.Context, list ...Redirect) error {
	ask := ipc.FirewallAsk{Verb: ipc.FirewallRedirectTo}
	for _, r := range list {
		if r.Proto != "tcp" && r.Proto != "udp" {
			return fmt.Errorf("redirect: %.20q is neither tcp nor udp", r.Proto)
		}
		ask.Redirects = append(ask.Redirects, p.redirect(r))
	}
	began := time.Now()
	a, err := p.ask(ctx, ask)
	p.m.took("redirect", began, err)
	return refusedBy(&a, err)
}

// Unredirect ends redirects before their time; From, Proto and Port say which.
func (p *Process) Unredirect(ctx context.Context, list ...Redirect) error {
	ask := ipc.FirewallAsk{Verb: ipc.FirewallUnredirect}
	for _, r := range list {
		ask.Redirects = append(ask.Redirects, p.redirect(r))
	}
	began := time.Now()
	_, err := p.ask(ctx, ask)
	p.m.took("unredirect", began, err)
	return err
}

// Redirected reads a redirect back from the kernel. It is ok when it goes where
// r goes.
func (p *Process) Redirected(ctx context.Context, r Redirect) (until time.Time, ok bool, err error) {
	asked := p.opts.Now()
	a, err := p.ask(ctx, ipc.FirewallAsk{Verb: ipc.FirewallRedirected, Redirects: []ipc.FirewallRedirect{p.redirect(r)}})
	return asked.Add(a.Left), a.Found, err
}

// Admins says which addresses administrators are logged in from now, instead of
// what was said before, and returns the blocks that ended because of it.
func (p *Process) Admins(ctx context.Context, list []netip.Addr) (lifted []netip.Prefix, err error) {
	p.mu.Lock()
	p.admins = slices.Clone(list)
	p.mu.Unlock()
	a, err := p.ask(ctx, adminsAsk(list))
	return a.Lifted, err
}

func adminsAsk(list []netip.Addr) ipc.FirewallAsk {
	ask := ipc.FirewallAsk{Verb: ipc.FirewallAdmins}
	for _, a := range list {
		a = a.Unmap().WithZone("")
		ask.Entries = append(ask.Entries, ipc.FirewallEntry{Prefix: netip.PrefixFrom(a, a.BitLen())})
	}
	return ask
}

// Health says how the table stands. Without a process that serves it says so, and
// why, and is no error.
func (p *Process) Health(ctx context.Context) (Health, error) {
	p.mu.Lock()
	h := Health{Starts: p.starts, Layers: p.layers, Refusal: p.refusal, Serving: p.conn != nil}
	p.mu.Unlock()
	if !h.Serving {
		return h, nil
	}
	a, err := p.ask(ctx, ipc.FirewallAsk{Verb: ipc.FirewallHealth})
	if err != nil || a.Health == nil {
		return h, err
	}
	s := a.Health
	h.Table, h.Intact, h.Blocks, h.Redirects, h.Denied, h.Generation = s.Table, s.Intact, s.Entries, s.Redirects, s.Denied, s.Generation
	p.m.saw(&h)
	return h, nil
}

// entries turns ends into times left.
func (p *Process) entries(list []Entry) []ipc.FirewallEntry {
	now := p.opts.Now()
	out := make([]ipc.FirewallEntry, len(list))
	for i, e := range list {
		out[i] = ipc.FirewallEntry{Prefix: e.Prefix, TTL: e.Until.Sub(now)}
	}
	return out
}

func (p *Process) redirect(r Redirect) ipc.FirewallRedirect {
	return ipc.FirewallRedirect{From: r.From, TCP: r.Proto == "tcp", Port: r.Port, To: r.To, TTL: r.Until.Sub(p.opts.Now())}
}

// refusedBy turns the refusals of an answer into an error.
func refusedBy(a *ipc.FirewallAnswer, err error) error {
	if err != nil || len(a.Refused) == 0 {
		return err
	}
	e := &RefusedError{More: a.More}
	for _, r := range a.Refused {
		e.Refused = append(e.Refused, Refusal{r.Prefix, safetext.TermN(r.Reason, 200)})
	}
	return e
}

// ask asks the process for one thing and waits for the answer. It waits for the
// process to be ready, too.
func (p *Process) ask(ctx context.Context, m ipc.FirewallAsk) (ipc.FirewallAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for {
		p.mu.Lock()
		conn, ready := p.conn, p.ready
		p.mu.Unlock()
		if conn != nil {
			return p.exchange(ctx, conn, m)
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return ipc.FirewallAnswer{}, p.unavailable(ctx.Err())
		}
	}
}

func (p *Process) unavailable(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal != "" {
		return fmt.Errorf("%w: %s", ErrUnavailable, p.refusal)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// exchange sends one ask and receives its answer.
func (p *Process) exchange(ctx context.Context, conn *ipc.Conn, m ipc.FirewallAsk) (ipc.FirewallAnswer, error) {
	answer := make(chan ipc.FirewallAnswer, 1)
	p.mu.Lock()
	p.last++
	m.ID = p.last
	p.waiting[m.ID] = answer
	p.mu.Unlock()
	defer p.take(m.ID)
	if err := p.send(conn, m); err != nil {
		return ipc.FirewallAnswer{}, fmt.Errorf("ask the firewall process: %w", err)
	}
	select {
	case a, ok := <-answer:
		switch {
		case !ok:
			return a, fmt.Errorf("%w: it ended before it answered", ErrUnavailable)
		case a.Error != "":
			return a, fmt.Errorf("the firewall process: %s", safetext.TermN(a.Error, 300))
		}
		return a, nil
	case <-ctx.Done():
		return ipc.FirewallAnswer{}, fmt.Errorf("no answer of the firewall process in time: %w", ctx.Err())
	}
}

// send writes an ask, its list in as many frames as it needs. After half an ask
// the connection is of no use.
func (p *Process) send(conn *ipc.Conn, m ipc.FirewallAsk) (err error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	defer func() {
		if err != nil && !errors.Is(err, ipc.ErrTooLarge) {
			_ = conn.Close()
		}
	}()
	if err := conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	list := m.Entries
	for len(list) > ipc.MaxFirewallEntries {
		if err := conn.Send(ipc.FirewallPart{ID: m.ID, Entries: list[:ipc.MaxFirewallEntries]}); err != nil {
			return err
		}
		list = list[ipc.MaxFirewallEntries:]
	}
	m.Entries = list
	return conn.Send(m)
}
