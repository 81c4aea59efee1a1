// Package notice is the outbox: messages to people, stored before they are sent,
// and sent so that people go on reading them. The same again is counted, quiet
// hours are kept, what is not urgent is gathered into digests, a channel says at
// most so much an hour, and who does not answer is followed by the next in the
// chain. A message is tried until the other side has taken it, or given up where
// it can be seen and sent again by hand.
//
// Everything is kept in the state; see [honeyguide.Notice]. A crash between
// sending and writing that down sends once more with the same ID, by which the
// other side may know it again; nothing is lost.
package notice

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// Deps is what an outbox works with.
type Deps struct {
	State   state.Store
	Node    string // name of this node
	Console string // address of the console, "" when unknown
	Metrics *telemetry.Registry
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
	// Jitter returns a factor for a pause, near 1, so that many do not try again at
	// the same moment. Nil: at random, 0.8 to 1.2.
	Jitter func() float64
}

// An Outbox takes notices and sends them. It is safe for concurrent use once it
// is open.
type Outbox struct {
	dep      Deps
	rules    *rules
	channels map[string]*channel

	queued *telemetry.GaugeVec
	sent   *telemetry.CounterVec
	dead   *telemetry.CounterVec
	held   *telemetry.CounterVec
}

var _ respond.Notices = (*Outbox)(nil)

// New checks the settings and returns an outbox without channels.
func New(cfg Config, dep Deps) (*Outbox, error) {
	r, err := cfg.compile()
	if err != nil {
		return nil, err
	}
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Jitter == nil {
		dep.Jitter = jitter
	}
	m := dep.Metrics
	return &Outbox{
		dep: dep, rules: r, channels: map[string]*channel{},
		queued: m.Gauge("honeyguide_notices_queued", "Notices that wait to be sent, by channel.", "channel"),
		sent:   m.Counter("honeyguide_notices_sent_total", "Notices the other side took, by channel.", "channel"),
		dead:   m.Counter("honeyguide_notices_dead_total", "Notices given up, by channel.", "channel"),
		held:   m.Counter("honeyguide_notices_held_back_total", "Notices that were not sent by themselves: counted into another one, gathered into a digest, dropped because somebody had acknowledged.", "why"),
	}, nil
}

// Open gives the outbox its channels: actions that carry messages, by name. It
// refuses settings that name others. Call it once, before anything is posted.
func (o *Outbox) Open(messengers map[string]respond.Messenger) error {
	for name, m := range messengers {
		l, ok := o.rules.lanes[name]
		if !ok {
			l = lane{rate: o.rules.Rate, quiet: o.rules.quiet}
		}
		o.channels[name] = newChannel(o, name, m, l)
		o.queued.With(name).Set(0)
		o.sent.With(name).Add(0)
		o.dead.With(name).Add(0)
	}
	there := "there are: " + strings.Join(o.Names(), ", ")
	if len(messengers) == 0 {
		there = "there is none; add one below actions:, such as webhook or email"
	}
	for _, name := range slices.Sorted(maps.Keys(o.rules.lanes)) {
		if o.channels[name] == nil {
			return invalid("notify.channels.%s: no action of this name carries messages; %s", name, there)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.rules.chains)) {
		if o.channels[name] != nil {
			return invalid("notify.chains.%s: an action has this name, too; choose another one", name)
		}
		for i, l := range o.rules.chains[name].levels {
			for _, c := range l.Channels {
				if o.channels[c] == nil {
					return invalid("notify.chains.%s.levels[%d].channels: no action %.60q carries messages; %s", name, i, c, there)
				}
			}
		}
	}
	if _, err := o.route(o.rules.Default); err != nil {
		return invalid("notify.default: %v", err)
	}
	return nil
}

// Names returns the names of the channels, sorted.
func (o *Outbox) Names() []string { return slices.Sorted(maps.Keys(o.channels)) }

func (o *Outbox) now() time.Time { return state.Time(o.dep.Now()) }

// Run sends what is due until ctx ends. Each channel works by itself, so that a
// slow one delays nobody else.
func (o *Outbox) Run(ctx context.Context) error {
	if err := o.orphans(ctx); err != nil {
		return err
	}
	g := supervise.New(o.dep.Log)
	for _, c := range o.channels {
		g.Keep(ctx, "notices on "+c.name, c.run)
	}
	g.Keep(ctx, "notices upkeep", o.upkeep)
	return g.Wait()
}

// Wake lets every channel look for work at once. Call it after a transaction
// that used [Outbox.Put].
func (o *Outbox) Wake() {
	for _, c := range o.channels {
		select {
		case c.wake <- struct{}{}:
		default: // one look is pending already
		}
	}
}

// link returns the address of an incident in the console, "" when unknown.
func (o *Outbox) link(incident string) string {
	return respond.Deps{Console: o.dep.Console}.Link(incident)
}

// change rereads a notice that waits and saves what f makes of it. One that does
// not wait any more is left alone.
func change(ctx context.Context, tx state.Tx, id string, f func(n *honeyguide.Notice)) error {
	n, err := tx.Notices().Get(ctx, id)
	if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		return nil
	}
	if err != nil || n.State != honeyguide.NoticeQueued {
		return err
	}
	f(&n)
	return tx.Notices().Save(ctx, &n)
}
