package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/incident"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
)

// Bounds of what one archive gathers.
const (
	maxEvents  = 1_000_000 // events
	maxLookups = 2_000     // events of alerts that are asked for one by one
	margin     = time.Minute
)

// A gathering is what one snapshot of the state says of an incident.
type gathering struct {
	dossier incident.Dossier
	custody []honeyguide.CustodyStep
	holds   []honeyguide.Hold
	notes   []state.Note
	blocks  []honeyguide.Block
}

// look reads the snapshot.
func (r *Room) look(ctx context.Context, id string, who Actor, now time.Time) (g gathering, err error) {
	err = r.dep.State.View(ctx, func(tx state.Tx) (err error) {
		g = gathering{}
		if g.dossier, err = incident.Gather(ctx, tx, id, who.Name, now); err != nil {
			return err
		}
		in := &g.dossier.Incident
		if g.custody, err = chain(ctx, tx, in.Short); err != nil {
			return err
		}
		all, err := tx.Holds().List(ctx, false)
		if err != nil {
			return err
		}
		for _, h := range all {
			if h.Object == honeyguide.HoldIncident+":"+in.Short {
				g.holds = append(g.holds, h)
			}
		}
		for _, at := range in.Attackers {
			notes, err := tx.Notes().Of(ctx, at)
			if err != nil {
				return err
			}
			g.notes = append(g.notes, notes...)
		}
		for i := range in.Plans {
			if in.Plans[i].Action == state.ActionBlockIP {
				g.blocks = append(g.blocks, in.Plans[i].Block())
			}
		}
		return nil
	})
	return g, err
}

// chain reads a whole chain of custody.
func chain(ctx context.Context, tx state.Tx, incident string) (all []honeyguide.CustodyStep, err error) {
	for {
		after := int64(len(all))
		more, err := tx.Custody().List(ctx, incident, after)
		if all = append(all, more...); err != nil || len(more) < state.MaxLimit {
			return all, err
		}
	}
}

// gather stages everything that belongs into the archive.
func (r *Room) gather(ctx context.Context, s *stage, g *gathering, to []seal.Recipient) error {
	d := &g.dossier
	plans := d.Incident.Plans
	in := d.Incident
	in.Plans = []honeyguide.Plan{} // a list of their own
	steps := []func() error{
		func() error { return s.doc("incident.json", ItemIncident, in) },
		func() error { return listOf(s, "timeline.jsonl", d.Timeline) },
		func() error { return listOf(s, "alerts.jsonl", d.Alerts) },
		func() error { return listOf(s, "runs.jsonl", d.Runs) },
		func() error { return listOf(s, "plans.jsonl", plans) },
		func() error { return listOf(s, "blocks.jsonl", g.blocks) },
		func() error { return listOf(s, "sessions.jsonl", d.Linked.Sessions) },
		func() error { return listOf(s, "attackers.jsonl", d.Linked.Attackers) },
		func() error { return listOf(s, "indicators.jsonl", d.Linked.Indicators) },
		func() error { return listOf(s, "tokens.jsonl", d.Linked.Tokens) },
		func() error { return listOf(s, "samples.jsonl", d.Linked.Samples) },
		func() error { return listOf(s, "notes.jsonl", g.notes) },
		func() error { return listOf(s, "holds.jsonl", g.holds) },
		func() error { return listOf(s, custodyItem, g.custody) },
		func() error { return r.events(ctx, s, d) },
		func() error { return r.recordings(ctx, s, d.Linked.Sessions) },
		func() error { return r.samples(ctx, s, d.Linked.Samples, to) },
		func() error { return r.snapshots(ctx, s) },
	}
	if d.Left > 0 {
		s.lacks("alerts.jsonl", fmt.Sprintf("the oldest %d alerts are left out: an archive has the newest %d", d.Left, incident.MaxAlerts))
	}
	for _, do := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(); err != nil {
			return err
		}
	}
	slices.SortFunc(s.items, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// A numbered is an event and its place in the log.
type numbered struct {
	Seq   int64             `json:"seq"`
	Event *honeyguide.Event `json:"event"`
}

// events stages the events of the incident's sessions, of its attackers in its
// time, and those its alerts rest on, by number.
func (r *Room) events(ctx context.Context, s *stage, d *incident.Dossier) error {
	wanted := map[string]time.Time{} // events of alerts that are still to be found
	for i := range d.Alerts {
		for _, id := range d.Alerts[i].EventIDs {
			wanted[id] = d.Alerts[i].Time
		}
	}
	unwritable := 0
	err := s.inOrder(ctx, "events.jsonl", maxEvents, func(put func(int64, []byte) error) error {
		find := func(q eventlog.Query) error {
			for rec, err := range r.dep.Events.Find(ctx, q) {
				if err != nil {
					return fmt.Errorf("read events: %w", err)
				}
				delete(wanted, rec.Event.ID)
				line, err := json.Marshal(numbered{int64(rec.Seq), &rec.Event})
				if err != nil {
					unwritable++
					continue
				}
				if err := put(int64(rec.Seq), line); err != nil {
					return err
				}
			}
			return nil
		}
		for _, q := range queriesOf(d) {
			if err := find(q); err != nil {
				return err
			}
		}
		left := slices.Sorted(maps.Keys(wanted)) // so that equal input is asked for in equal order
		for _, id := range left[:min(len(left), maxLookups)] {
			at := wanted[id]
			delete(wanted, id)
			if err := find(eventlog.Query{ID: id, From: at.AddDate(0, 0, -2), To: at.AddDate(0, 0, 2), Limit: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	if len(wanted) > 0 {
		s.lacks("events.jsonl", fmt.Sprintf("%d events that alerts name were not looked for", len(wanted)))
	}
	if unwritable > 0 {
		s.lacks("events.jsonl", fmt.Sprintf("%d events have no form in JSON", unwritable))
	}
	return err
}

// queriesOf are the questions whose answers are the events of an incident.
func queriesOf(d *incident.Dossier) (out []eventlog.Query) {
	for i := range d.Linked.Sessions {
		x := &d.Linked.Sessions[i]
		q := eventlog.Query{Session: x.ID, From: x.StartedAt.Add(-margin)}
		if !x.EndedAt.IsZero() {
			q.To = x.LastAt.Add(margin)
		}
		out = append(out, q)
	}
	in := &d.Incident
	for _, name := range in.Attackers {
		at, err := netip.ParseAddr(name)
		if err != nil {
			continue
		}
		at = at.Unmap()
		out = append(out, eventlog.Query{Src: netip.PrefixFrom(at, at.BitLen()), From: in.FirstAt.Add(-margin), To: in.LastAt.Add(margin)})
	}
	return out
}

// recordings stages what sessions looked like.
func (r *Room) recordings(ctx context.Context, s *stage, all []honeyguide.Session) error {
	for i := range all {
		if all[i].Recording == "" || r.dep.Recording == nil {
			continue
		}
		name := "recordings/" + all[i].ID + ".cast"
		f, err := r.dep.Recording(all[i].ID)
		if err == nil {
			err = errors.Join(s.stream(Item{Name: name, Kind: ItemRecording, Type: "application/x-asciicast", Of: all[i].ID}, f, nil), f.Close())
		}
		if err := s.missed(name, err); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// missed notes what is not there any more; every other error stays one.
func (s *stage) missed(name string, err error) error {
	if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		s.lacks(name, err.Error())
		return nil
	}
	return err
}

// samples stages what attackers brought: as it lies here, encrypted to the
// deployment's own key, or encrypted anew to those it goes to.
func (r *Room) samples(ctx context.Context, s *stage, all []honeyguide.Sample, to []seal.Recipient) error {
	for i := range all {
		if r.dep.Samples == nil {
			return nil
		}
		name := "samples/" + all[i].ID + ".age"
		open, transform := r.dep.Samples.Sealed, (func(io.Writer) (io.WriteCloser, error))(nil)
		if len(to) > 0 {
			open, transform = r.dep.Samples.Content, func(w io.Writer) (io.WriteCloser, error) { return seal.Encrypt(w, to...) }
		}
		f, err := open(all[i].ID)
		if err == nil {
			err = errors.Join(s.stream(Item{Name: name, Kind: ItemSample, Type: "application/vnd.age", Of: all[i].ID}, f, transform), f.Close())
		}
		if err := s.missed(name, err); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// snapshots stages how the deployment stood.
func (r *Room) snapshots(ctx context.Context, s *stage) error {
	for _, x := range []struct {
		name, kind string
		take       func(context.Context) ([]byte, error)
	}{
		{"configuration.yaml", "application/yaml", r.dep.Configuration},
		{"firewall.json", "application/json", r.dep.Firewall},
		{"node.json", "application/json", r.dep.Standing},
	} {
		if x.take == nil {
			s.lacks(x.name, "it is not known here")
			continue
		}
		text, err := x.take(ctx)
		if err != nil {
			s.lacks(x.name, "it could not be had when the evidence was collected")
			r.dep.Log.WarnContext(ctx, "snapshot for evidence not taken", "snapshot", x.name, "error", err)
			continue
		}
		if err := s.bytes(Item{Name: x.name, Kind: ItemSnapshot, Type: x.kind}, text); err != nil {
			return err
		}
	}
	return nil
}
