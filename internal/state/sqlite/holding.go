package sqlite

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"honeyguide"
)

// holding is what the holds in force name, and what follows from that at once.
// It is worked out once a transaction.
type holding struct {
	incidents map[string]*honeyguide.Hold // by ID, with those that took over their alerts
	sessions  map[string]*honeyguide.Hold // named themselves, or by an incident
	attackers map[string]*honeyguide.Hold // by address
}

func (s *holding) none() bool { return len(s.incidents)+len(s.sessions)+len(s.attackers) == 0 }

func (*holding) names(by map[string]*honeyguide.Hold) []string { return slices.Sorted(maps.Keys(by)) }

// json writes names for json_each.
func (s *holding) json(by map[string]*honeyguide.Hold) string {
	out, _ := json.Marshal(s.names(by)) // strings can be written
	if len(by) == 0 {
		return "[]"
	}
	return string(out)
}

// maxJoined bounds how often a held incident is followed into the one that took
// its alerts.
const maxJoined = 100

// scope works out what is held.
func (t *tx) scope(ctx context.Context) (*holding, error) {
	if t.held != nil {
		return t.held, nil
	}
	s := &holding{
		incidents: map[string]*honeyguide.Hold{}, sessions: map[string]*honeyguide.Hold{}, attackers: map[string]*honeyguide.Hold{},
	}
	all, err := holds{t}.List(ctx, true)
	if err != nil {
		return nil, err
	}
	slices.Reverse(all) // the oldest names what it keeps
	for i := range all {
		h := &all[i]
		kind, name := h.Held()
		switch kind {
		case honeyguide.HoldSession:
			set(s.sessions, name, h)
		case honeyguide.HoldAttacker:
			set(s.attackers, name, h)
		case honeyguide.HoldIncident:
			if err := t.scopeIncident(ctx, s, h, name); err != nil {
				return nil, err
			}
		}
	}
	t.held = s
	return s, nil
}

// scopeIncident adds an incident, and those its alerts went to.
func (t *tx) scopeIncident(ctx context.Context, s *holding, h *honeyguide.Hold, name string) error {
	for n := 0; name != "" && n < maxJoined; n++ {
		i, err := incidents{t}.Get(ctx, name)
		if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
			set(s.incidents, name, h) // its rows may still hang on the id
			return nil
		}
		if err != nil {
			return err
		}
		if s.incidents[i.ID] != nil {
			return nil
		}
		set(s.incidents, i.ID, h)
		for _, id := range i.Sessions {
			set(s.sessions, id, h)
		}
		name = i.Joined
	}
	return nil
}

func set(by map[string]*honeyguide.Hold, name string, h *honeyguide.Hold) {
	if by[name] == nil {
		by[name] = h
	}
}

// spared are the conditions that leave out of a table what is held; $1 and $2 are
// those of the statement, $3 the incidents, $4 the sessions and $5 the attackers
// that are held.
const (
	heldIncidents = "(SELECT value FROM json_each($3))"
	heldSessions  = "(SELECT value FROM json_each($4))"
	heldAttackers = "(SELECT value FROM json_each($5))"
	// Sessions that are held themselves, for their attacker, or for an alert of theirs.
	heldAny = "(SELECT value FROM json_each($4) UNION SELECT id FROM session WHERE src <> '' AND src IN " + heldAttackers +
		" UNION SELECT session FROM alert WHERE session <> '' AND incident <> '' AND incident IN " + heldIncidents + ")"
)

// spared says which rows of a table a hold does not keep.
var spared = map[string]string{
	"session": " AND id NOT IN " + heldAny,
	"alert": " AND incident NOT IN " + heldIncidents + " AND session NOT IN " + heldSessions + " AND src NOT IN " + heldAttackers +
		" AND attacker NOT IN " + heldAttackers,
	"incident": " AND id NOT IN " + heldIncidents + " AND num NOT IN (SELECT incident FROM incident_attacker WHERE attacker IN " + heldAttackers + ")" +
		" AND $4 IS NOT NULL",
	"sample":          " AND id NOT IN (SELECT sample FROM sighting WHERE session <> '' AND session IN " + heldAny + ")",
	"plan":            " AND incident NOT IN " + heldIncidents + " AND target NOT IN " + heldAttackers + " AND $4 IS NOT NULL",
	"run":             " AND incident NOT IN " + heldIncidents + " AND $4 IS NOT NULL AND $5 IS NOT NULL",
	"timeline":        " AND incident NOT IN " + heldIncidents + " AND $4 IS NOT NULL AND $5 IS NOT NULL",
	"notice":          " AND incident NOT IN " + heldIncidents + " AND $4 IS NOT NULL AND $5 IS NOT NULL",
	"exposure":        " AND coalesce(json_extract(doc, '$.session'), '') NOT IN " + heldAny,
	"incident_change": " AND giver NOT IN " + heldIncidents + " AND taker NOT IN " + heldIncidents + " AND $4 IS NOT NULL AND $5 IS NOT NULL",
	"attacker_note": " AND attacker NOT IN (SELECT value FROM json_each($5) UNION SELECT a.attacker FROM incident_attacker a JOIN incident i ON i.num = a.incident" +
		" WHERE i.id IN " + heldIncidents + ") AND $4 IS NOT NULL",
}

// spare returns the condition that leaves out of table what is held, and its
// arguments; both are empty when nothing is, so that most nodes pay nothing.
func (t *tx) spare(ctx context.Context, table string) (cond string, args []any, err error) {
	s, err := t.scope(ctx)
	if err != nil || s.none() || spared[table] == "" {
		return "", nil, err
	}
	return spared[table], []any{s.json(s.incidents), s.json(s.sessions), s.json(s.attackers)}, nil
}
