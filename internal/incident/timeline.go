package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// MaxAlerts is how many alerts of an incident, the newest, stand in its timeline
// and its dossier.
const MaxAlerts = 10_000

// A TimelineQuery selects lines of a timeline.
type TimelineQuery struct {
	state.Page
	Oldest bool     // oldest first; else newest first
	Kinds  []string // of these kinds; none means all
}

// The cursors of a whole timeline: one belongs to one order.
const (
	listNewest state.List = 'L'
	listOldest state.List = 'O'
)

// Timeline returns a page of all that happened in an incident and because of
// it, ordered by when it happened: what was noted, alerts, runs and what they
// did, honeytokens read and used, connections. The cursor of the next page is ""
// at the end.
func Timeline(ctx context.Context, tx state.Tx, id string, q TimelineQuery) ([]honeyguide.TimelineEntry, string, error) {
	in, err := tx.Incidents().Get(ctx, id)
	if err != nil {
		return nil, "", err
	}
	all, err := everything(ctx, tx, &in)
	if err != nil {
		return nil, "", err
	}
	all = slices.DeleteFunc(all, func(e honeyguide.TimelineEntry) bool { return len(q.Kinds) > 0 && !slices.Contains(q.Kinds, e.Kind) })
	name, sign := listNewest, -1
	if q.Oldest {
		name, sign = listOldest, 1
	}
	order := func(a, b honeyguide.TimelineEntry) int { return sign * inOrder(a, b) }
	slices.SortFunc(all, order)
	if q.After != "" {
		at, last, err := state.ParseCursor(name, q.After)
		if err != nil {
			return nil, "", err
		}
		from := honeyguide.TimelineEntry{At: time.UnixMicro(at).UTC(), ID: last}
		i, found := slices.BinarySearchFunc(all, from, order)
		if found {
			i++
		}
		all = all[i:]
	}
	if len(all) <= q.Rows() {
		return all, "", nil
	}
	all = all[:q.Rows()]
	last := all[len(all)-1]
	return all, state.Cursor(name, last.At.UnixMicro(), last.ID), nil
}

// inOrder compares lines by when they happened.
func inOrder(a, b honeyguide.TimelineEntry) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
}

// everything gathers the lines of an incident, in no order.
func everything(ctx context.Context, tx state.Tx, in *honeyguide.Incident) ([]honeyguide.TimelineEntry, error) {
	noted, err := notedIn(ctx, tx, in.ID)
	if err != nil {
		return nil, err
	}
	alerts, err := alertsOf(ctx, tx, in.ID)
	if err != nil {
		return nil, err
	}
	g := gathering{in: in, entries: noted, out: slices.Clone(noted)}
	for i := range alerts {
		g.alert(&alerts[i])
	}
	if err := g.acts(ctx, tx); err != nil {
		return nil, err
	}
	sessions, err := g.sessions(ctx, tx)
	if err != nil {
		return nil, err
	}
	return g.out, g.tokens(ctx, tx, sessions, alerts)
}

// notedIn returns what stands in the timeline by itself.
func notedIn(ctx context.Context, tx state.Tx, incident string) (all []honeyguide.TimelineEntry, err error) {
	q := state.TimelineQuery{Incident: incident, Page: state.Page{Limit: state.MaxLimit}}
	for {
		list, next, err := tx.Timeline().List(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if q.After = next; next == "" {
			return all, nil
		}
	}
}

// alertsOf returns the alerts of an incident, oldest first: the MaxAlerts newest.
func alertsOf(ctx context.Context, tx state.Tx, incident string) (all []honeyguide.Alert, err error) {
	q := state.AlertQuery{Incident: incident, Page: state.Page{Limit: state.MaxLimit}}
	for len(all) < MaxAlerts {
		list, next, err := tx.Alerts().List(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if q.After = next; next == "" {
			break
		}
	}
	all = all[:min(len(all), MaxAlerts)]
	slices.Reverse(all)
	return all, nil
}

// A gathering collects the lines of one incident.
type gathering struct {
	in      *honeyguide.Incident
	entries []honeyguide.TimelineEntry // what stands in the timeline by itself
	out     []honeyguide.TimelineEntry
}

// add appends a line made of something that has a time of its own, unless that
// time has not come, or who did it has written it down.
func (g *gathering) add(id, kind, ref, by, text string, at, seen time.Time) {
	if at.IsZero() || (kind == honeyguide.EntryAct || kind == honeyguide.EntryRun) && g.noted(kind, ref, at) {
		return
	}
	g.out = append(g.out, honeyguide.TimelineEntry{ID: state.Key(id), Incident: g.in.ID, At: at, SeenAt: seen, Kind: kind, By: by, Ref: ref, Text: text})
}

// noted reports whether somebody has written down what became of a thing then.
func (g *gathering) noted(kind, ref string, at time.Time) bool {
	return slices.ContainsFunc(g.entries, func(e honeyguide.TimelineEntry) bool {
		return e.Kind == kind && e.Ref == ref && e.At.Sub(at).Abs() < time.Second
	})
}

func (g *gathering) alert(a *honeyguide.Alert) {
	text := fmt.Sprintf("%s %s (%s, score %.0f, %d events)", a.Short, a.Title, a.Severity, a.Score, a.Count)
	g.add("alert."+a.ID, honeyguide.EntryAlert, a.ID, a.RuleSource()+"/"+a.RuleID, text, a.Time, a.CreatedAt)
}

// acts adds runs and what they did.
func (g *gathering) acts(ctx context.Context, tx state.Tx) error {
	q := state.RunQuery{Incident: g.in.ID, Page: state.Page{Limit: state.MaxLimit}}
	for {
		runs, next, err := tx.Runs().List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range runs {
			g.run(&r)
		}
		if q.After = next; next == "" {
			break
		}
	}
	pq := state.PlanQuery{Incident: g.in.ID, Page: state.Page{Limit: state.MaxLimit}}
	for {
		plans, next, err := tx.Plans().List(ctx, pq)
		if err != nil {
			return err
		}
		for _, p := range plans {
			g.plan(&p)
		}
		if pq.After = next; next == "" {
			return nil
		}
	}
}

func (g *gathering) run(r *honeyguide.Run) {
	what := r.Short + " " + or(r.Title, r.Playbook) + " (" + string(r.Mode) + ")"
	g.add("run."+r.ID, honeyguide.EntryRun, r.ID, or(r.By, r.Playbook), because(what+" began", r.Reason), r.CreatedAt, r.CreatedAt)
	if r.EndedAt.After(r.CreatedAt) {
		g.add("run.end."+r.ID, honeyguide.EntryRun, r.ID, or(r.By, r.Playbook), because(what+" ended: "+string(r.State), r.Error), r.EndedAt, r.EndedAt)
	}
}

func (g *gathering) plan(p *honeyguide.Plan) {
	by := or(p.By, p.Playbook)
	what := strings.TrimSpace(p.Action + " " + p.Target)
	if p.AppliedAt.IsZero() {
		g.add("act."+p.ID, honeyguide.EntryAct, p.ID, by, because(what+" "+string(p.State)+" ("+string(p.Mode)+")", or(p.Error, p.Reason)), p.CreatedAt, p.CreatedAt)
	}
	g.add("act.applied."+p.ID, honeyguide.EntryAct, p.ID, by, because(what+" applied", p.Effect), p.AppliedAt, p.AppliedAt)
	g.add("act.verified."+p.ID, honeyguide.EntryAct, p.ID, by, what+" verified", p.VerifiedAt, p.VerifiedAt)
	g.add("act.ended."+p.ID, honeyguide.EntryAct, p.ID, or(p.EndedBy, by), because(what+" ended: "+string(p.State), p.Error), p.EndedAt, p.EndedAt)
}

// sessions adds when connections began.
func (g *gathering) sessions(ctx context.Context, tx state.Tx) (list []honeyguide.Session, err error) {
	if list, err = sessionsOf(ctx, tx, g.in); err != nil {
		return nil, err
	}
	for i := range list {
		s := &list[i]
		text := s.Service + " connection to " + or(s.Sensor, "a sensor")
		if s.User != "" {
			text += " as " + s.User
		}
		g.add("session."+s.ID, honeyguide.EntrySession, s.ID, state.Addr(s.Src), text+fmt.Sprintf(", %d events", s.Events), s.StartedAt, s.StartedAt)
	}
	return list, nil
}

// sessionsOf returns the sessions of an incident that are still known.
func sessionsOf(ctx context.Context, tx state.Tx, in *honeyguide.Incident) ([]honeyguide.Session, error) {
	list := []honeyguide.Session{}
	for _, id := range in.Sessions {
		s, err := tx.Sessions().Get(ctx, id)
		if err != nil {
			if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
				continue // retention took it
			}
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// tokens adds who read honeytokens, and that they came back.
func (g *gathering) tokens(ctx context.Context, tx state.Tx, sessions []honeyguide.Session, alerts []honeyguide.Alert) error {
	tells := map[string]*honeyguide.Alert{} // of the use of a token, by event
	for i := range alerts {
		if alerts[i].Category == honeyguide.CategoryToken {
			for _, id := range alerts[i].EventIDs {
				tells[id] = &alerts[i]
			}
		}
	}
	for _, id := range tokensOf(sessions, alerts) {
		t, err := tx.Tokens().Get(ctx, id)
		if err != nil {
			if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
				continue
			}
			return err
		}
		read, err := tx.Tokens().Exposures(ctx, t.ID)
		if err != nil {
			return err
		}
		for _, x := range read {
			if x.Session != "" && slices.Contains(g.in.Sessions, x.Session) {
				g.add("token.read."+x.EventID, honeyguide.EntryToken, t.ID, state.Addr(x.Src), because(t.Short+" ("+t.Kind+") read", x.By), x.Time, x.Time)
			}
		}
		used, err := tx.Tokens().Uses(ctx, t.ID, time.Time{})
		if err != nil {
			return err
		}
		for _, u := range used {
			if a := tells[u.EventID]; a != nil {
				g.add("token.used."+u.EventID, honeyguide.EntryToken, t.ID, state.Addr(a.Src), t.Short+" ("+t.Kind+") used", u.At, a.CreatedAt)
			}
		}
	}
	return nil
}

// tokensOf returns the IDs of the honeytokens sessions and alerts name, each once.
func tokensOf(sessions []honeyguide.Session, alerts []honeyguide.Alert) []string {
	var out []string
	add := func(id string) {
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for i := range sessions {
		for _, id := range sessions[i].Tokens {
			add(id)
		}
	}
	for i := range alerts {
		for _, o := range alerts[i].Observed {
			if o.Type == "token" {
				add(o.Value)
			}
		}
	}
	return out
}
