package live

import (
	"context"
	"maps"
	"slices"

	"honeyguide"
	"honeyguide/internal/state"
)

// Places in [topics].
const (
	topicAlerts = iota
	topicIncidents
	topicSessions
	topicRuns
	topicNotices
	topicEvents
	topicHealth
)

// Watch returns store, with the hub told of what each transaction changed once
// it is durable: whoever changed it, the pipeline, a person or a playbook.
func Watch(store state.Store, h *Hub) state.Store { return watched{store, h} }

type watched struct {
	state.Store
	hub *Hub
}

// Update runs fn and tells of what it wrote. fn may run more than once: only what
// its last run wrote is told.
func (w watched) Update(ctx context.Context, fn func(state.Tx) error) error {
	var t *tx
	err := w.Store.Update(ctx, func(inner state.Tx) error {
		// Updates run one at a time, so tickets are in the order of the commits.
		t = &tx{Tx: inner, ticket: w.hub.ticket.Add(1)}
		return fn(t)
	})
	if err == nil && t != nil {
		w.hub.publish(t.ticket, t.changes)
	}
	return err
}

// tx notes what is written. The rows it notes share texts with those of the
// caller, and the lists nobody writes into; other lists are copied.
type tx struct {
	state.Tx
	ticket  uint64
	changes []change
}

func (t *tx) note(topic int, created bool, id, short string, row any, size int) {
	c := change{topic: topic, kind: Changed, id: id, short: short, row: row, size: size}
	if created {
		c.kind = New
	}
	t.changes = append(t.changes, c)
}

func (t *tx) Alerts() state.Alerts       { return alerts{t.Tx.Alerts(), t} }
func (t *tx) Verdicts() state.Verdicts   { return verdicts{t.Tx.Verdicts(), t} }
func (t *tx) Incidents() state.Incidents { return incidents{t.Tx.Incidents(), t} }
func (t *tx) Sessions() state.Sessions   { return sessions{t.Tx.Sessions(), t} }
func (t *tx) Runs() state.Runs           { return runs{t.Tx.Runs(), t} }
func (t *tx) Notices() state.Notices     { return notices{t.Tx.Notices(), t} }

type alerts struct {
	state.Alerts
	t *tx
}

// alert notes an alert. Its lists are those the store remembers: read only.
func (t *tx) alert(a *honeyguide.Alert, created bool) {
	row, size := *a, 800+len(a.Title)+len(a.Seen)+160*len(a.Reasons)+60*len(a.Attacks)+30*len(a.EventIDs)+600*len(a.Enrichments)
	for i := range a.Evidence {
		size += 90 + len(a.Evidence[i].Text)
	}
	for i := range a.Observed {
		size += 40 + len(a.Observed[i].Name) + len(a.Observed[i].Value)
	}
	t.note(topicAlerts, created, a.ID, a.Short, &row, size)
}

// Save saves and notes.
func (s alerts) Save(ctx context.Context, a *honeyguide.Alert) (bool, error) {
	created, err := s.Alerts.Save(ctx, a)
	if err == nil {
		s.t.alert(a, created)
	}
	return created, err
}

// SaveAll saves and notes.
func (s alerts) SaveAll(ctx context.Context, list []honeyguide.Alert) ([]bool, error) {
	created, err := s.Alerts.SaveAll(ctx, list)
	if err == nil {
		for i := range list {
			s.t.alert(&list[i], created[i])
		}
	}
	return created, err
}

// Put replaces and notes.
func (s alerts) Put(ctx context.Context, a *honeyguide.Alert) error {
	err := s.Alerts.Put(ctx, a)
	if err == nil {
		s.t.alert(a, false)
	}
	return err
}

type verdicts struct {
	state.Verdicts
	t *tx
}

// Pass passes and notes the alert.
func (s verdicts) Pass(ctx context.Context, id string, v honeyguide.Verdict) (honeyguide.Alert, bool, error) {
	a, changed, err := s.Verdicts.Pass(ctx, id, v)
	if err == nil && changed {
		s.t.alert(&a, false)
	}
	return a, changed, err
}

type incidents struct {
	state.Incidents
	t *tx
}

// Save saves and notes.
func (s incidents) Save(ctx context.Context, in *honeyguide.Incident) (bool, error) {
	created, err := s.Incidents.Save(ctx, in)
	if err == nil {
		row := *in
		row.Attackers, row.Sessions, row.Attacks = slices.Clone(in.Attackers), slices.Clone(in.Sessions), slices.Clone(in.Attacks)
		row.Tasks, row.Proven, row.Plans = slices.Clone(in.Tasks), slices.Clone(in.Proven), []honeyguide.Plan{}
		size := 900 + len(in.Title) + 40*len(in.Attackers) + 40*len(in.Sessions) + 60*len(in.Attacks) + 300*len(in.Tasks) + 40*len(in.Proven)
		s.t.note(topicIncidents, created, in.ID, in.Short, &row, size)
	}
	return created, err
}

type sessions struct {
	state.Sessions
	t *tx
}

// Save saves and notes. Whether a session is new the hub knows.
func (s sessions) Save(ctx context.Context, x *honeyguide.Session) error {
	err := s.Sessions.Save(ctx, x)
	if err == nil {
		row := *x
		row.Tokens, row.Samples = slices.Clone(x.Tokens), slices.Clone(x.Samples)
		s.t.note(topicSessions, false, x.ID, "", &row, 600+40*len(x.Tokens)+80*len(x.Samples))
	}
	return err
}

type runs struct {
	state.Runs
	t *tx
}

// Save saves and notes.
func (s runs) Save(ctx context.Context, r *honeyguide.Run) error {
	created := r.Short == ""
	err := s.Runs.Save(ctx, r)
	if err == nil {
		s.t.run(r, created)
	}
	return err
}

// Move moves and notes.
func (s runs) Move(ctx context.Context, from, to string, only []string) ([]string, error) {
	ids, err := s.Runs.Move(ctx, from, to, only)
	for _, id := range ids {
		if err != nil {
			break
		}
		var r honeyguide.Run
		if r, err = s.Runs.Get(ctx, id); err == nil {
			s.t.run(&r, false)
		}
	}
	return ids, err
}

func (t *tx) run(r *honeyguide.Run, created bool) {
	row := *r
	row.Vars, row.Alerts, row.Steps = maps.Clone(r.Vars), slices.Clone(r.Alerts), slices.Clone(r.Steps)
	size := 700 + 30*len(r.Alerts)
	for i := range row.Steps {
		s := &row.Steps[i]
		s.Params, s.Plans, s.Decisions = maps.Clone(s.Params), slices.Clone(s.Plans), slices.Clone(s.Decisions)
		size += 400 + 40*len(s.Plans) + 200*len(s.Decisions)
	}
	t.note(topicRuns, created, r.ID, r.Short, &row, size)
}

type notices struct {
	state.Notices
	t *tx
}

// Save saves and notes.
func (s notices) Save(ctx context.Context, n *honeyguide.Notice) error {
	created := n.CreatedAt.IsZero() || n.State == honeyguide.NoticeQueued && n.Attempts == 0 && n.Count <= 1
	err := s.Notices.Save(ctx, n)
	if err == nil {
		row := *n
		s.t.note(topicNotices, created, n.ID, "", &row, 500+len(n.Title)+len(n.Text))
	}
	return err
}
