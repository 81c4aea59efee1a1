package fwhelper

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/netx"
)

// A table is what the desk needs of the kernel.
type table interface {
	present() (bool, error)
	drop() error
	replace(*state) error
	apply(*change) error
	get(a netip.Addr, net bool) (found, bool, error)
	getRedirect(r *reroute) (found, bool, error)
	intact(redirects bool) (bool, error)
	capacity() int
}

// grace is how long something is remembered after its end: the kernel's clock
// and ours differ a little, and what it may still hold must not be added as new.
const grace = 2 * time.Second

// A desk judges what is asked for, remembers what is in force and has the kernel
// do it. Ends are kept on the monotonic clock, so that nobody's block changes
// when the wall clock jumps. It is used by one goroutine at a time.
type desk struct {
	kernel table
	judge  netx.Judge
	most   int
	now    func() time.Time
	began  time.Time
	rate   bucket

	blocks    map[netip.Addr]time.Duration
	nets      map[netip.Prefix]time.Duration
	redirects map[redirectKey]redirectEnd
	admins    []netip.Addr

	known      bool // the kernel holds what the maps say; false before the first replace
	there      bool // the table exists, by what was done
	next       time.Duration
	denied     uint64
	generation uint64
}

type redirectKey struct {
	from netip.Prefix
	tcp  bool
	port uint16
}

type redirectEnd struct {
	to  netip.AddrPort
	end time.Duration
}

// defaultMost is how many entries may be in force unless the core says less.
const (
	defaultMost = 500_000
	highestMost = 1_000_000
	defaultRate = 1000 // entries a second
)

// newDesk returns the desk of a process that was told setup. local tells the
// host's surroundings.
func newDesk(k table, setup ipc.FirewallSetup, local func() ([]netx.Local, error), now func() time.Time) *desk {
	d := &desk{
		kernel: k, most: setup.Most, now: now, began: now(),
		blocks: map[netip.Addr]time.Duration{}, nets: map[netip.Prefix]time.Duration{}, redirects: map[redirectKey]redirectEnd{},
	}
	if d.most <= 0 || d.most > highestMost {
		d.most = defaultMost
	}
	if setup.PerSecond <= 0 {
		setup.PerSecond = defaultRate
	}
	d.rate = newBucket(setup.PerSecond, now())
	var allow []netip.Prefix
	for _, p := range setup.Allow {
		if n, ok := netx.Normal(p); ok {
			allow = append(allow, n)
		}
	}
	for _, a := range setup.DNS {
		allow = append(allow, netx.Single(a))
	}
	d.judge = netx.Judge{
		Allow: allow, Private: setup.Private, Loopback: setup.Loopback, Local: local,
		Admins: func() []netip.Addr { return d.admins },
	}
	return d
}

// mono is the time on the monotonic clock.
func (d *desk) mono() time.Duration { return d.now().Sub(d.began) }

// answer does what a complete ask says.
func (d *desk) answer(m *ipc.FirewallAsk) ipc.FirewallAnswer {
	a := ipc.FirewallAnswer{ID: m.ID}
	if !d.known && m.Verb != ipc.FirewallReplace && m.Verb != ipc.FirewallAdmins && m.Verb != ipc.FirewallHealth {
		a.Error = "what is to be in force was not said yet"
		return a
	}
	var err error
	switch m.Verb {
	case ipc.FirewallBlock:
		err = d.block(m.Entries, false, &a)
	case ipc.FirewallSet:
		err = d.block(m.Entries, true, &a)
	case ipc.FirewallRedirected:
		err = d.redirected(m.Redirects, &a)
	case ipc.FirewallUnblock:
		err = d.unblock(m.Entries)
	case ipc.FirewallReplace:
		err = d.replace(m.Entries, m.Redirects, &a)
	case ipc.FirewallHas:
		err = d.has(m.Entries, &a)
	case ipc.FirewallRedirectTo:
		err = d.redirect(m.Redirects, &a)
	case ipc.FirewallUnredirect:
		err = d.unredirect(m.Redirects)
	case ipc.FirewallAdmins:
		err = d.setAdmins(m.Entries, &a)
	case ipc.FirewallHealth:
		err = d.health(&a)
	default:
		err = fmt.Errorf("there is no verb %d", m.Verb)
	}
	if err != nil {
		a.Error = err.Error()
	}
	d.denied += uint64(len(a.Refused) + a.More)
	return a
}

// refuse notes one refusal in an answer.
func refuse(a *ipc.FirewallAnswer, p netip.Prefix, why string) {
	if len(a.Refused) >= ipc.MaxFirewallRefused {
		a.More++
		return
	}
	a.Refused = append(a.Refused, ipc.FirewallRefusal{Prefix: p, Reason: why})
}

// accepted returns the entries that may be blocked, in canonical form, and notes
// the others.
func (d *desk) accepted(list []ipc.FirewallEntry, a *ipc.FirewallAnswer) []ipc.FirewallEntry {
	prefixes := make([]netip.Prefix, len(list))
	for i, e := range list {
		prefixes[i] = e.Prefix
	}
	bad := map[int]bool{}
	d.judge.RefuseAll(prefixes, func(i int, why string) {
		bad[i] = true
		refuse(a, prefixes[i], why)
	})
	out := make([]ipc.FirewallEntry, 0, len(list)-len(bad))
	for i, e := range list {
		if bad[i] {
			continue
		}
		if why := badTTL(e.TTL); why != "" {
			refuse(a, e.Prefix, netx.Canonical(e.Prefix)+" "+why)
			continue
		}
		e.Prefix, _ = netx.Normal(e.Prefix)
		out = append(out, e)
	}
	return out
}

func badTTL(d time.Duration) string {
	switch {
	case d <= 0:
		return "has no time left to be blocked"
	case d > MaxTTL:
		return fmt.Sprintf("would be blocked for %v; no block lasts longer than %v", d, MaxTTL)
	}
	return ""
}

// block adds entries, or moves the ends of those that are there: to later, or,
// when they are exact, to where they are given.
func (d *desk) block(list []ipc.FirewallEntry, exact bool, a *ipc.FirewallAnswer) error {
	b := d.begin()
	for _, e := range d.accepted(list, a) {
		switch {
		case !d.rate.take(d.now()):
			refuse(a, e.Prefix, fmt.Sprintf("%s comes too fast: more than %d entries a second", netx.Canonical(e.Prefix), d.rate.perSecond))
		case !d.holds(e.Prefix) && d.count() >= d.most:
			refuse(a, e.Prefix, fmt.Sprintf("%s is one too many: %d entries are in force", netx.Canonical(e.Prefix), d.most))
		default:
			b.set(e.Prefix, b.at+e.TTL, exact)
		}
	}
	return b.commit()
}

// unblock takes entries out, by their exact prefix.
func (d *desk) unblock(list []ipc.FirewallEntry) error {
	b := d.begin()
	for _, e := range list {
		if p, ok := netx.Normal(e.Prefix); ok {
			b.unset(p)
		}
	}
	return b.commit()
}

// replace puts a whole state in force.
func (d *desk) replace(list []ipc.FirewallEntry, redirects []ipc.FirewallRedirect, a *ipc.FirewallAnswer) error {
	at := d.mono()
	blocks, nets, reroutes := map[netip.Addr]time.Duration{}, map[netip.Prefix]time.Duration{}, map[redirectKey]redirectEnd{}
	for _, e := range d.accepted(list, a) {
		if len(blocks)+len(nets) >= d.most {
			refuse(a, e.Prefix, fmt.Sprintf("%s is one too many: %d entries are the most", netx.Canonical(e.Prefix), d.most))
			continue
		}
		if e.Prefix.IsSingleIP() {
			blocks[e.Prefix.Addr()] = max(blocks[e.Prefix.Addr()], at+e.TTL)
		} else {
			nets[e.Prefix] = max(nets[e.Prefix], at+e.TTL)
		}
	}
	for _, r := range redirects {
		if why := d.badRedirect(&r, reroutes); why != "" {
			refuse(a, r.From, why)
			continue
		}
		reroutes[keyOf(&r)] = redirectEnd{r.To, at + r.TTL}
	}
	if err := d.kernel.replace(stateOf(blocks, nets, reroutes, at)); err != nil {
		return err
	}
	d.blocks, d.nets, d.redirects = blocks, nets, reroutes
	d.known, d.there, d.next = true, len(blocks)+len(nets)+len(reroutes) > 0, 0
	d.generation++
	return nil
}

// setAdmins replaces the addresses administrators are logged in from, and ends
// what is in force against them.
func (d *desk) setAdmins(list []ipc.FirewallEntry, a *ipc.FirewallAnswer) error {
	if len(list) > maxAdmins {
		return fmt.Errorf("%d administrators; at most %d", len(list), maxAdmins)
	}
	var admins []netip.Addr
	for _, e := range list {
		if p, ok := netx.Normal(e.Prefix); ok && p.IsSingleIP() {
			admins = append(admins, p.Addr())
		}
	}
	d.admins = admins
	if !d.known {
		return nil // the first replace judges
	}
	b := d.begin()
	for p := range d.nets {
		if d.judge.Refuse(p) != "" {
			b.unset(p)
			a.Lifted = append(a.Lifted, p)
		}
	}
	for _, addr := range admins {
		if _, hit := d.blocks[addr]; hit && d.judge.Refuse(netx.Single(addr)) != "" {
			b.unset(netx.Single(addr))
			a.Lifted = append(a.Lifted, netx.Single(addr))
		}
	}
	for key := range d.redirects {
		if d.judge.Refuse(key.from) != "" {
			b.unredirect(key)
			a.Lifted = append(a.Lifted, key.from)
		}
	}
	if len(a.Lifted) > ipc.MaxFirewallRefused {
		a.Lifted = a.Lifted[:ipc.MaxFirewallRefused]
	}
	return b.commit()
}

const maxAdmins = 1024

// health looks at the kernel.
func (d *desk) health(a *ipc.FirewallAnswer) error {
	s := &ipc.FirewallState{Entries: d.count(), Redirects: len(d.redirects), Denied: d.denied, Generation: d.generation, Elements: d.kernel.capacity()}
	a.Health = s
	var err error
	if s.Table, err = d.kernel.present(); err != nil {
		return err
	}
	if s.Intact = d.known && s.Table == d.there; !s.Intact || !s.Table {
		return nil
	}
	if s.Intact, err = d.kernel.intact(len(d.redirects) > 0); err != nil || !s.Intact {
		return err
	}
	s.Intact, err = d.sampled()
	return err
}

// samples is how many entries a look at the kernel asks for.
const samples = 8

// sampled looks whether some entries are in the kernel.
func (d *desk) sampled() (bool, error) {
	at, n := d.mono(), 0
	for addr, end := range d.blocks { // maps begin anywhere
		if end-at < grace {
			continue
		}
		if _, ok, err := d.kernel.get(addr, false); err != nil || !ok {
			return false, err
		}
		if n++; n == samples {
			break
		}
	}
	n = 0
	for p, end := range d.nets {
		if end-at < grace {
			continue
		}
		if _, ok, err := d.kernel.get(p.Addr(), true); err != nil || !ok {
			return false, err
		}
		if n++; n == samples {
			break
		}
	}
	return true, nil
}

// count is how many blocks are remembered.
func (d *desk) count() int { return len(d.blocks) + len(d.nets) }

func (d *desk) holds(p netip.Prefix) bool {
	if p.IsSingleIP() {
		_, ok := d.blocks[p.Addr()]
		return ok
	}
	_, ok := d.nets[p]
	return ok
}

// sweep forgets what has ended, and removes the table once nothing is left. It
// is called about once a second.
func (d *desk) sweep() error {
	at := d.mono()
	if !d.known || at < d.next {
		return nil
	}
	next := at + time.Minute
	note := func(end time.Duration) bool {
		if end+grace <= at {
			return true
		}
		next = min(next, end+grace)
		return false
	}
	for addr, end := range d.blocks {
		if note(end) {
			delete(d.blocks, addr)
		}
	}
	for p, end := range d.nets {
		if note(end) {
			delete(d.nets, p)
		}
	}
	for key, r := range d.redirects {
		if note(r.end) {
			delete(d.redirects, key)
		}
	}
	// Looking through very many is not done every second.
	d.next = max(next, at+time.Duration(d.count()/50_000)*time.Second)
	if d.there && d.count()+len(d.redirects) == 0 {
		if err := d.kernel.drop(); err != nil {
			return err
		}
		d.there = false
		d.generation++
	}
	return nil
}

// has reads a block back from the kernel: of a single address what the kernel
// holds of it or of a network around it, of a network all its parts.
func (d *desk) has(list []ipc.FirewallEntry, a *ipc.FirewallAnswer) error {
	if len(list) != 1 {
		return errors.New("has: want one prefix")
	}
	p, ok := netx.Normal(list[0].Prefix)
	if !ok {
		return errors.New("has: that is no prefix")
	}
	take := func(f found) {
		a.Packets += f.packets
		if !a.Found || f.left > a.Left {
			a.Left = f.left
		}
		a.Found = true
	}
	if p.IsSingleIP() {
		for _, net := range []bool{false, true} {
			f, ok, err := d.kernel.get(p.Addr(), net)
			if err != nil {
				return err
			}
			if ok {
				take(f)
			}
		}
		return nil
	}
	return d.hasNet(p, a)
}

func (d *desk) hasNet(p netip.Prefix, a *ipc.FirewallAnswer) error {
	var around []span
	for q, end := range d.nets {
		if q.Overlaps(p) {
			around = append(around, span{q, end})
		}
	}
	at := p.Addr()
	for _, s := range segments(around) {
		if s.last.Less(at) || lastOf(p).Less(s.first) {
			continue
		}
		if at.Less(s.first) {
			break // a hole
		}
		f, ok, err := d.kernel.get(at, true)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		a.Packets += f.packets
		if a.Left == 0 || f.left < a.Left {
			a.Left = f.left
		}
		if !s.last.Less(lastOf(p)) {
			a.Found = true
			return nil
		}
		at = s.last.Next()
	}
	a.Left, a.Packets = 0, 0
	return nil
}
