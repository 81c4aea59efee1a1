package state

import (
	"context"
	"time"

	"honeyguide"
)

// The lists.
const (
	ListRuns     List = 'r'
	ListTimeline List = 'l'
	ListNotices  List = 'n'
)

// Runs are what playbooks do.
type Runs interface {
	// Save stores the full value r under its ID; without one it is new and gets an
	// ID. A new one gets the next Short "R-<n>" and CreatedAt when it has none. Short,
	// CreatedAt and Incident of a stored one stay (see Move). UpdatedAt is set to now.
	Save(ctx context.Context, r *honeyguide.Run) error
	// Get takes an ID or a Short in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Run, error)
	// List returns a page by CreatedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q RunQuery) ([]honeyguide.Run, string, error)
	// Count counts the runs of a playbook that are not over, of all when it is "".
	Count(ctx context.Context, playbook string) (int64, error)
	// Since counts the runs of a playbook that began at or after a time, of all when it is "".
	Since(ctx context.Context, playbook string, at time.Time) (int64, error)
	// Move is that of [Timeline].
	Move(ctx context.Context, from, to string, only []string) ([]string, error)
}

// RunQuery selects runs; an empty field selects all.
type RunQuery struct {
	Page
	Playbook string
	State    []honeyguide.RunState // one of
	Incident string                // ID
	Open     bool                  // only those that are not over
	From, To time.Time             // CreatedAt, from <= t < to
}

// Timeline is what happened in incidents beside their alerts and plans, which
// tell their times themselves.
type Timeline interface {
	// Add stores entries; one without an ID gets one, one whose ID is known is passed over.
	Add(ctx context.Context, entries ...*honeyguide.TimelineEntry) error
	// List returns a page by At, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q TimelineQuery) ([]honeyguide.TimelineEntry, string, error)
	// Move gives entries of one incident to another (IDs), all of them when only is
	// nil, and returns the IDs of those it gave, in order.
	Move(ctx context.Context, from, to string, only []string) ([]string, error)
}

// TimelineQuery selects entries; an empty field selects all.
type TimelineQuery struct {
	Page
	Incident string // ID
	Kind     string
	From, To time.Time // At, from <= t < to
}

// Notices are messages to people.
type Notices interface {
	// Save stores the full value n under its ID, which must not be empty.
	Save(ctx context.Context, n *honeyguide.Notice) error
	Get(ctx context.Context, id string) (honeyguide.Notice, error) // CodeNotFound
	// Latest returns the newest notice of a key on a channel. CodeNotFound.
	Latest(ctx context.Context, channel, key string) (honeyguide.Notice, error)
	// Due returns queued notices of a channel ("" = of all) that are due, oldest
	// first, at most n.
	Due(ctx context.Context, channel string, now time.Time, n int) ([]honeyguide.Notice, error)
	// Next returns when the earliest queued notice of a channel ("" = of all) is due,
	// the zero time when none is queued.
	Next(ctx context.Context, channel string) (time.Time, error)
	// Since counts the notices of a channel sent at or after a time.
	Since(ctx context.Context, channel string, at time.Time) (int64, error)
	// Queued counts the queued notices by channel.
	Queued(ctx context.Context) (map[string]int64, error)
	// Over returns the IDs of at most n incidents that are resolved or closed although
	// somebody who was told about them does not know: notices that were sent, are no
	// resolve and have no ResolvedAt.
	Over(ctx context.Context, n int) ([]string, error)
	// Drop removes at most n notices that were made before a time and are not queued,
	// and returns how many it removed.
	Drop(ctx context.Context, before time.Time, n int) (int64, error)
	// List returns a page by CreatedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q NoticeQuery) ([]honeyguide.Notice, string, error)
}

// NoticeQuery selects notices; an empty field selects all.
type NoticeQuery struct {
	Page
	Channel  string
	State    honeyguide.NoticeState
	Incident string // ID
	Key      string
}

// TidyRun brings a run within the bounds of the store.
func TidyRun(r *honeyguide.Run) {
	keys(&r.ID, &r.Playbook, &r.Version, &r.Incident, &r.Trigger, &r.By)
	times(&r.CreatedAt, &r.UpdatedAt, &r.EndedAt, &r.DeadlineAt, &r.StuckAt)
	r.Title, r.Reason, r.Error = Clip(Column(r.Title), MaxTitle), Clip(Column(r.Reason), MaxLine), Clip(Column(r.Error), MaxLine)
	r.Alerts = none(union(nil, r.Alerts, sameText))
	r.Steps = append([]honeyguide.RunStep{}, r.Steps...)
	for i := range r.Steps {
		s := &r.Steps[i]
		times(&s.AskedAt, &s.StartedAt, &s.EndedAt)
		s.Error = Clip(Column(s.Error), MaxLine)
		s.Plans = none(newest(s.Plans))
		s.Decisions = none(newest(s.Decisions))
		for n := range s.Decisions {
			d := &s.Decisions[n]
			keys(&d.By, &d.Role)
			times(&d.At)
			d.Note = Clip(Column(d.Note), MaxLine)
		}
	}
}

// TidyEntry brings a timeline entry within the bounds of the store.
func TidyEntry(e *honeyguide.TimelineEntry) {
	keys(&e.ID, &e.Incident, &e.Kind, &e.By, &e.Ref)
	times(&e.At, &e.SeenAt)
	e.Text = Clip(Column(e.Text), MaxLine)
}

// TidyNotice brings a notice within the bounds of the store.
func TidyNotice(n *honeyguide.Notice) {
	keys(&n.ID, &n.Channel, &n.Event, &n.Chain, &n.Follows, &n.Key, &n.Incident, &n.Plan)
	times(&n.CreatedAt, &n.DueAt, &n.FailedAt, &n.SentAt, &n.ResolvedAt)
	n.Severity = severity(n.Severity)
	n.Title, n.Text = Clip(Column(n.Title), MaxTitle), Clip(Column(n.Text), MaxRaw)
	n.Link, n.Error, n.Ref = Clip(Column(n.Link), MaxLine), Clip(Column(n.Error), MaxLine), Clip(Column(n.Ref), MaxTitle)
}
