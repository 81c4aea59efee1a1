package blocklist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
	"unique"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Times of a list.
const (
	fresh    = 250 * time.Millisecond // how old an answer may be before the state is asked again
	overlap  = 2 * time.Second        // what is told twice, and read twice after the clock was put back
	late     = 30 * time.Second       // the longest a change may have been on its way into the state
	keep     = time.Hour              // how long what ended is remembered, and what changed
	patience = time.Second            // the longest one reader waits for the state
	loading  = 5 * time.Minute        // the longest the first reading may take
	upkeep   = 30 * time.Second       // how often a list that nobody reads is brought up to date
)

// maxLog bounds the changes remembered for readers that ask what is new. One
// that comes back after more than these gets everything again.
const maxLog = 1 << 18

// ErrStale says that the state could not be asked, so that nobody knows what is
// blocked now. Readers keep what they have: this is never an empty list.
var ErrStale = errors.New("the state does not answer; keep the list you have")

// Options is what a list stands on.
type Options struct {
	State   state.Store
	Actions []string         // names of the actions whose plans are listed; nil: [DefaultActions]
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: none
}

// DefaultActions are the actions whose plans are listed unless the host says otherwise.
func DefaultActions() []string { return []string{state.ActionBlockIP, "blocklist"} }

// A List mirrors what is blocked. It is safe for concurrent use.
type List struct {
	opt  Options
	turn chan struct{} // held by who asks the state

	mu     sync.RWMutex
	shelf  shelf
	loaded bool
	at     int64 // when the state was last asked; never goes back
	clock  int64 // what the clock said then
	seen   int64 // newest change the state has told of
	next   int64 // when the next hold ends
	purged int64 // when what is long over was last thrown away
	tag    uint64
	listed int
	log    []logged // what changed, in the order it was noticed
	from   int64    // the log is complete since then
}

// logged is a change of what is listed for a target.
type logged struct {
	seen   int64
	target netip.Prefix
}

// New returns the list of what the plans in o.State block. It is empty, and says
// so by [ErrStale], until [List.Refresh] has succeeded once.
func New(o Options) *List {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Actions == nil {
		o.Actions = DefaultActions()
	}
	return &List{opt: o, turn: make(chan struct{}, 1), next: math.MaxInt64}
}

// Run keeps the list up to date until ctx ends, so that the first reader need
// not wait for it.
func (l *List) Run(ctx context.Context) error {
	tick := time.NewTicker(upkeep)
	defer tick.Stop()
	for {
		if err := l.Refresh(ctx); err != nil && ctx.Err() == nil {
			l.opt.Log.WarnContext(ctx, "blocklist not brought up to date", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Refresh brings the list up to date with the state, unless that was done a
// moment ago. It waits a second or two, as long as it takes when it is the first time.
// The error is [ErrStale] with its reason.
func (l *List) Refresh(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-wait.Done():
		return ErrStale
	}
	l.mu.RLock()
	loaded, at := l.loaded, l.at
	l.mu.RUnlock()
	now := micros(l.opt.Now())
	if age := now - at; loaded && age >= 0 && age < fresh.Microseconds() {
		return nil
	}
	limit := patience
	if !loaded {
		limit = loading
	}
	asking, stop := context.WithTimeout(ctx, limit)
	defer stop()
	if err := l.read(asking, max(now, at), loaded); err != nil {
		return fmt.Errorf("%w: %w", ErrStale, err)
	}
	l.clock = now
	return nil
}

// read takes in what changed in the state since the last time, and what is over.
func (l *List) read(ctx context.Context, now int64, loaded bool) error {
	// Transactions that write come one after the other, each with the time of its
	// own, so nothing appears before what has been seen, unless the clock went back.
	since := l.seen
	if l.seen > l.clock {
		since = l.clock - overlap.Microseconds()
	}
	if !loaded {
		// No block lasts longer than that, so nothing older matters to anybody.
		since = now - (respond.MaxTTL + keep).Microseconds()
	}
	err := l.opt.State.View(ctx, func(tx state.Tx) error {
		for _, action := range l.opt.Actions {
			err := tx.Plans().Changed(ctx, action, time.UnixMicro(since), func(p *honeyguide.Plan, at time.Time) error {
				l.take(p, micros(at), now, loaded)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !loaded {
		l.settle(now)
	}
	l.at, l.loaded = now, true
	l.over(now)
	return nil
}

// settle brings the log of the first reading into order. A change may have been
// noticed by nobody for as long as its transaction took, so it counts as that
// much younger than it says.
func (l *List) settle(now int64) {
	slices.SortStableFunc(l.log, func(a, b logged) int { return int(a.seen - b.seen) })
	for i := range l.log {
		l.log[i].seen = min(l.log[i].seen+late.Microseconds(), now)
	}
	l.from = now - keep.Microseconds()
	l.trim(now)
}

// take notes what one plan does to its target.
func (l *List) take(p *honeyguide.Plan, at, now int64, loaded bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = max(l.seen, at)
	h, target, ok := holdOf(p, at)
	if !ok {
		return
	}
	e := l.shelf.get(target)
	known := e != nil && e.find(h.plan) != nil
	if h.ended != 0 && !known && (p.AppliedAt.IsZero() || h.end() < now-keep.Microseconds()) {
		return // it never held, or whoever was told of it has let go of it by itself
	}
	switch {
	case e == nil:
		e = l.shelf.add(entry{target: target, first: h})
	case !known:
		e.more = append(e.more, h)
	default:
		old := e.find(h.plan)
		h.over = old.over && h.until == old.until
		if *old == h {
			return // read twice
		}
		*old = h
	}
	if h.ended == 0 && !h.over {
		l.next = min(l.next, h.until)
	}
	l.weigh(e, now)
	switch {
	case loaded:
		l.log = append(l.log, logged{now, target})
		l.trim(now)
	case at >= now-(keep+late).Microseconds():
		l.log = append(l.log, logged{at, target})
	}
}

// holdOf returns what a plan does. ok is false when that is nothing a list can say.
func holdOf(p *honeyguide.Plan, at int64) (h hold, target netip.Prefix, ok bool) {
	target, err := respond.ParseTarget(p.Target)
	if err != nil || p.ID == "" {
		return h, target, false
	}
	since := p.AppliedAt
	if since.IsZero() {
		since = p.CreatedAt
	}
	h = hold{
		plan: p.ID, since: micros(since), until: micros(p.ExpiresAt),
		note: unique.Make(note{p.Action, p.Playbook, p.Incident, scenario(p.Playbook)}),
	}
	if h.until == 0 { // a plan of another hand; blocks always end
		h.until = micros(p.CreatedAt.Add(respond.MaxTTL))
	}
	if !p.State.InForce() {
		if h.ended = micros(p.EndedAt); h.ended == 0 {
			h.ended = at
		}
	}
	h.changed = max(h.since, h.ended)
	return h, target, true
}

// weigh brings the tag and the number of listed targets up to date with e.
func (l *List) weigh(e *entry, now int64) {
	best := e.best(now)
	sum := e.sum(best)
	l.tag ^= e.shown ^ sum
	switch {
	case e.shown == 0 && sum != 0:
		l.listed++
	case e.shown != 0 && sum == 0:
		l.listed--
	}
	e.shown = sum
}

// over notices holds whose time is up, and forgets what was over long ago.
func (l *List) over(now int64) {
	if now < l.next && now-l.purged < keep.Microseconds()/4 {
		return
	}
	l.next, l.purged = math.MaxInt64, now
	old := now - keep.Microseconds()
	l.shelf.sweep(func(e *entry) bool {
		ended := false
		e.each(func(h *hold) {
			switch {
			case h.ended != 0 || h.over:
			case h.until <= now:
				h.over, ended = true, true
			default:
				l.next = min(l.next, h.until)
			}
		})
		if ended {
			l.log = append(l.log, logged{now, e.target})
			l.weigh(e, now)
		}
		return e.forget(old)
	})
	l.trim(now)
}

// forget drops holds that ended before a time; it returns false when none is left.
func (e *entry) forget(old int64) bool {
	gone := func(h *hold) bool { return (h.over || h.ended != 0) && h.end() < old }
	e.more = slices.DeleteFunc(e.more, func(h hold) bool { return gone(&h) })
	if !gone(&e.first) {
		return true
	}
	if len(e.more) == 0 {
		return false
	}
	e.first = e.more[0]
	if e.more = slices.Delete(e.more, 0, 1); len(e.more) == 0 {
		e.more = nil
	}
	return true
}

// trim forgets changes that are old or too many.
func (l *List) trim(now int64) {
	old := now - keep.Microseconds()
	n := 0
	if len(l.log) > maxLog {
		n = len(l.log) - maxLog*3/4
	} else if len(l.log) > 0 && l.log[0].seen < old-keep.Microseconds()/4 {
		n, _ = slices.BinarySearchFunc(l.log, old, func(c logged, at int64) int { return int(c.seen - at) })
	}
	if n == 0 {
		return
	}
	l.from = max(l.from, l.log[n-1].seen+1)
	l.log = append(make([]logged, 0, len(l.log)), l.log[n:]...)
}

// A Mark names a state of the list: what a reader has seen up to. The zero Mark
// has seen nothing.
type Mark int64

// Mark returns the mark of now: give it to [List.Changes] to learn what comes after.
func (l *List) Mark() Mark {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return Mark(l.at)
}

// Tag names the content of the list: two lists of one tag are written alike.
func (l *List) Tag() string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return strconv.FormatUint(l.tag, 36) + "-" + strconv.Itoa(l.listed)
}

// Len returns how many targets are listed.
func (l *List) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.listed
}
