package state

import (
	"context"
	"time"

	"honeyguide"
)

// The lists.
const (
	ListSuppressions List = 'u'
	ListChanges      List = 'c'
)

// Suppressions are what hides known noise, and for how long.
type Suppressions interface {
	// Save stores the full value s under its ID; without one it is new and gets an
	// ID, the next Short "SUP-<n>" and CreatedAt when it has none. ID, Short and
	// CreatedAt of a stored one stay, and so do its counts; see Hit.
	Save(ctx context.Context, s *honeyguide.Suppression) error
	// Get takes an ID or a Short in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Suppression, error)
	// List returns a page by CreatedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q SuppressionQuery) ([]honeyguide.Suppression, string, error)
	// Holding returns those that hold at a time, oldest first, at most [MaxHolding].
	Holding(ctx context.Context, now time.Time) ([]honeyguide.Suppression, error)
	// Hit counts alerts and events that s has hidden. CodeNotFound.
	Hit(ctx context.Context, id string, alerts, events int64, at time.Time) error
}

// MaxHolding bounds the suppressions that hold at a time.
const MaxHolding = 1000

// SuppressionQuery selects suppressions; an empty field selects all.
type SuppressionQuery struct {
	Page
	HoldsAt time.Time // those that hold at it
}

// IncidentChanges are the regroupings of alerts between incidents.
type IncidentChanges interface {
	// Add stores a new change with the ids of the alerts it moved; it gets an ID, the
	// next Short "IC-<n>", and Alerts counts them.
	Add(ctx context.Context, c *honeyguide.IncidentChange, alerts []string) error
	// Undone notes that a change was taken back. CodeNotFound; CodeConflict when it
	// was before.
	Undone(ctx context.Context, id, by string, at time.Time) error
	// Get takes an ID or a Short in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.IncidentChange, error)
	// Moved returns the ids of the alerts a change (its ID) moved.
	Moved(ctx context.Context, id string) ([]string, error)
	// Carry keeps what a change (its ID) moved besides alerts, in place of what was
	// kept before. CodeNotFound.
	Carry(ctx context.Context, id string, c Carried) error
	// Carried returns that, the zero value when nothing was kept.
	Carried(ctx context.Context, id string) (Carried, error)
	// List returns a page by At, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q ChangeQuery) ([]honeyguide.IncidentChange, string, error)
}

// ChangeQuery selects changes; an empty field selects all.
type ChangeQuery struct {
	Page
	Incident string // ID of the giver or the taker
}

// TidySuppression brings a suppression within the bounds of the store.
func TidySuppression(s *honeyguide.Suppression) {
	m := &s.Match
	keys(&s.ID, &s.Owner, &s.CreatedBy, &s.LiftedBy, &m.Rule, &m.Detector, &m.Category, &m.Sensor, &m.Src, &m.Dst)
	times(&s.CreatedAt, &s.ExpiresAt, &s.LiftedAt, &s.LastAt)
	s.Reason, m.Title, m.Observable = Clip(Column(s.Reason), MaxLine), Clip(Column(m.Title), MaxTitle), Clip(Column(m.Observable), MaxLine)
	m.MaxSeverity = severity(m.MaxSeverity)
	s.Alerts, s.Events = max(0, s.Alerts), max(0, s.Events)
}

// TidyChange brings a change within the bounds of the store.
func TidyChange(c *honeyguide.IncidentChange) {
	keys(&c.ID, &c.Kind, &c.From, &c.Into, &c.By, &c.UndoneBy)
	c.Phase = honeyguide.Phase(Key(string(c.Phase)))
	times(&c.At, &c.UndoneAt)
	c.Reason, c.Title = Clip(Column(c.Reason), MaxLine), Clip(Column(c.Title), MaxTitle)
	c.Keys = append([]string{}, c.Keys[:min(len(c.Keys), MaxMembers)]...)
	for i := range c.Keys {
		c.Keys[i] = Key(c.Keys[i])
	}
}
