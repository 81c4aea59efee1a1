package honeyguide

import "time"

// A Suppression keeps known noise out of incidents for a while. Alerts it holds
// for are still made, counted and searchable, with status suppressed; they join
// no incident and nothing is planned about them. It always ends.
type Suppression struct {
	ID        string    `json:"id"`
	Short     string    `json:"short"` // SUP-1
	Match     Match     `json:"match"`
	Reason    string    `json:"reason"` // why this is noise
	Owner     string    `json:"owner"`  // who answers for it
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	LiftedAt  time.Time `json:"lifted_at,omitzero"` // taken back before it expired
	LiftedBy  string    `json:"lifted_by,omitempty"`
	Alerts    int64     `json:"alerts"`           // it has hidden so far
	Events    int64     `json:"events"`           // behind them
	LastAt    time.Time `json:"last_at,omitzero"` // when it last hid something
}

// Holds reports whether s suppresses at a time.
func (s *Suppression) Holds(now time.Time) bool {
	return s.LiftedAt.IsZero() && now.Before(s.ExpiresAt)
}

// A Match says which alerts are meant: those of which every field that is given
// holds. An empty Match means none.
type Match struct {
	Rule        string   `json:"rule,omitempty"`         // rule id; a * at its end stands for any ending
	Detector    string   `json:"detector,omitempty"`     // kind of the detector
	Category    string   `json:"category,omitempty"`     // threat category
	Sensor      string   `json:"sensor,omitempty"`       // name of the sensor or source
	Src         string   `json:"src,omitempty"`          // address or prefix of the source
	Dst         string   `json:"dst,omitempty"`          // address or prefix of the target
	Title       string   `json:"title,omitempty"`        // words the title contains, in any case
	Observable  string   `json:"observable,omitempty"`   // value of one of the observables, whole
	MaxSeverity Severity `json:"max_severity,omitempty"` // worse alerts are never meant; absent means high
}

// IncidentChange is one regrouping of alerts between incidents: what was moved,
// by whom, and why. It can be undone.
type IncidentChange struct {
	ID       string    `json:"id"`
	Short    string    `json:"short"` // IC-1
	Kind     string    `json:"kind"`  // join (by correlation), merge, split or move (by a person)
	From     string    `json:"from"`  // incident that gave alerts
	Into     string    `json:"into"`  // incident that took them
	At       time.Time `json:"at"`
	By       string    `json:"by"`     // who; correlation for join
	Reason   string    `json:"reason"` // why
	Alerts   int64     `json:"alerts"` // how many were moved
	Keys     []string  `json:"keys"`   // attacker keys that were redirected
	UndoneAt time.Time `json:"undone_at,omitzero"`
	UndoneBy string    `json:"undone_by,omitempty"`

	// What the giver was before: it is that again after an undo.
	Status IncidentStatus `json:"status,omitempty"`
	Phase  Phase          `json:"phase,omitempty"`
	Title  string         `json:"title,omitempty"`
}
