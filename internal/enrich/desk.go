package enrich

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// DeskDeps is what a desk works with.
type DeskDeps struct {
	State    state.Store
	Fetch    fetcher.Doer
	Services []Service
	Own      []netip.Prefix // addresses nobody is told about: own networks, own scanners
	// Rescore weighs what is known about the source of an alert into its score and
	// reports whether that changed it. Nil: scores stay.
	Rescore func(a *honeyguide.Alert, known []honeyguide.Enrichment) bool
	Metrics *telemetry.Registry
	Log     *slog.Logger
	Now     func() time.Time
}

// A Desk asks services about the attackers of new alerts. It works beside the
// flow of events: it finds alerts in the state and leaves answers there, so that
// no alert ever waits for a service or is lost with one.
type Desk struct {
	dep   DeskDeps
	seats []*seat
	since time.Time       // alerts created before were looked at
	seen  map[string]bool // ids of those created about then
}

// Times of the desk.
const (
	lookEvery = 2 * time.Second
	lookBack  = time.Hour       // at the start: what was asked about is in the state
	overlap   = 5 * time.Second // alerts of one moment may come one after the other
)

// least is the severity from which attackers are asked about.
const least = honeyguide.SeverityMedium

// NewDesk returns a desk. Run works at it.
func NewDesk(dep DeskDeps) *Desk {
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	d := &Desk{dep: dep, since: dep.Now().Add(-lookBack)}
	answers := dep.Metrics.Counter("honeyguide_enrich_lookups_total", "Questions to services, by how they ended.", "service", "result")
	for _, s := range dep.Services {
		d.seats = append(d.seats, newSeat(s.Spec(), dep.Now, answers))
	}
	return d
}

// Run asks until ctx ends. It returns at once when there is nobody to ask.
func (d *Desk) Run(ctx context.Context) error {
	if len(d.seats) == 0 {
		<-ctx.Done()
		return nil
	}
	g := supervise.New(d.dep.Log)
	for _, s := range d.seats {
		g.Keep(ctx, "ask "+s.spec.Name, func(ctx context.Context) error { return d.sit(ctx, s) })
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := d.look(ctx); err != nil && ctx.Err() == nil {
			d.dep.Log.LogAttrs(ctx, slog.LevelWarn, "new alerts not read", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return g.Wait()
		case <-tick.C:
		}
	}
}

// sit works off the queue of one service.
func (d *Desk) sit(ctx context.Context, s *seat) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for d.step(ctx, s) {
			if ctx.Err() != nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// step deals with one value and reports whether there may be another.
func (d *Desk) step(ctx context.Context, s *seat) bool {
	if s.idle() {
		return false
	}
	it, ok := s.next()
	if !ok {
		return false
	}
	fresh, err := d.fresh(ctx, s.spec.Name, it)
	switch {
	case err != nil:
		s.put(it)
		return false
	case fresh:
		s.count("cached")
		return true
	case !s.may():
		s.put(it)
		return false
	}
	x, err := s.ask(ctx, d.dep.Fetch, it)
	if err != nil {
		d.dep.Log.LogAttrs(ctx, slog.LevelDebug, "service not asked", slog.String("service", s.spec.Name), slog.Any("error", err))
		if it.tries++; it.tries < maxTries {
			s.put(it)
		} else {
			s.count("dropped")
		}
		return false
	}
	if err := d.keep(ctx, &x); err != nil {
		d.dep.Log.LogAttrs(ctx, slog.LevelWarn, "answer not kept", slog.String("service", s.spec.Name), slog.Any("error", err))
		return false
	}
	return true
}

// fresh reports whether the state holds an answer that still counts.
func (d *Desk) fresh(ctx context.Context, provider string, it item) (fresh bool, err error) {
	err = d.dep.State.View(ctx, func(tx state.Tx) error {
		list, err := tx.Enrichments().Of(ctx, it.kind, it.value)
		for i := range list {
			fresh = fresh || list[i].Provider == provider && list[i].Expires.After(d.dep.Now())
		}
		return err
	})
	return fresh, err
}

// maxTouched bounds the alerts that one answer changes.
const maxTouched = 50

// keep stores an answer and weighs it into the open alerts of the attacker.
func (d *Desk) keep(ctx context.Context, x *honeyguide.Enrichment) error {
	return d.dep.State.Update(ctx, func(tx state.Tx) error {
		if err := tx.Enrichments().Put(ctx, x); err != nil {
			return err
		}
		if d.dep.Rescore == nil || x.Type != typeIP {
			return nil
		}
		known, err := tx.Enrichments().Of(ctx, x.Type, x.Value)
		if err != nil {
			return err
		}
		alerts, _, err := tx.Alerts().List(ctx, state.AlertQuery{
			Page: state.Page{Limit: maxTouched}, Attacker: "attacker:" + x.Value,
			Status: []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated},
		})
		if err != nil {
			return err
		}
		for i := range alerts {
			if !d.dep.Rescore(&alerts[i], known) {
				continue
			}
			if err := tx.Alerts().Put(ctx, &alerts[i]); err != nil {
				return fmt.Errorf("weigh an answer into %s: %w", alerts[i].Short, err)
			}
		}
		return nil
	})
}

// Types of values.
const (
	typeIP   = "ip"
	typeHash = "hash"
)

// look queues the attackers, and the hashes, of the alerts that are new.
func (d *Desk) look(ctx context.Context) error {
	newest, seen := d.since, map[string]bool{}
	q := state.AlertQuery{Page: state.Page{Limit: 500}, Severity: least, From: d.since.Add(-overlap)}
	for range maxPages {
		var alerts []honeyguide.Alert
		var next string
		err := d.dep.State.View(ctx, func(tx state.Tx) (err error) {
			alerts, next, err = tx.Alerts().List(ctx, q)
			return err
		})
		if err != nil {
			return err
		}
		for i := range alerts {
			seen[alerts[i].ID] = true
			if !d.seen[alerts[i].ID] {
				d.queue(&alerts[i])
			}
			if at := alerts[i].CreatedAt; at.After(newest) {
				newest = at
			}
		}
		if q.After = next; next == "" {
			break
		}
	}
	d.since, d.seen = newest, seen
	return nil
}

// maxPages bounds the new alerts that are looked at at a time.
const maxPages = 20

// queue asks about the source of an alert and about the hashes in it.
func (d *Desk) queue(a *honeyguide.Alert) {
	if addr := a.Src.Addr.Addr().Unmap(); Public(addr) && !d.own(addr) {
		d.ask(item{kind: typeIP, value: addr.String(), severity: a.Severity})
	}
	for _, o := range a.Observed {
		if o.Type == typeHash {
			d.ask(item{kind: typeHash, value: o.Value, severity: a.Severity})
		}
	}
}

func (d *Desk) own(a netip.Addr) bool {
	for _, p := range d.dep.Own {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func (d *Desk) ask(it item) {
	for _, s := range d.seats {
		if s.takes(it.kind, it.value) {
			s.put(it)
		}
	}
}

// Status says how each service stands.
func (d *Desk) Status() []Status {
	var out []Status
	for _, s := range d.seats {
		out = append(out, s.status())
	}
	return out
}
