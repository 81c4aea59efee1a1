package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Kinds of changes between incidents.
const (
	changeJoin  = "join"  // correlation found them to be one
	changeMerge = "merge" // a person did
	changeSplit = "split"
)

// Bounds of one regrouping.
const (
	maxMerged    = 100
	maxRegrouped = 20_000 // alerts
	maxApart     = 1000   // pairs that are kept apart; the oldest is forgotten first
)

// pinned begins the key of an incident that keeps its alerts although their
// attacker has another one.
const pinned = "split:"

// Merge moves all alerts of the incidents from into one that is open, and closes
// them. What their attackers do from now on goes there, too. One change a giver
// is returned; each can be undone.
func Merge(ctx context.Context, tx state.Tx, into string, from []string, by, reason string, now time.Time) ([]honeyguide.IncidentChange, error) {
	taker, err := tx.Incidents().Get(ctx, into)
	switch {
	case err != nil:
		return nil, err
	case !state.OpenIncident(taker.Status):
		return nil, clash(taker.Short + " is " + string(taker.Status) + "; reopen it, or merge into another one")
	case len(from) == 0 || len(from) > maxMerged:
		return nil, invalid("incidents: want 1 to 100 to merge")
	}
	var out []honeyguide.IncidentChange
	for _, id := range from {
		giver, err := tx.Incidents().Get(ctx, id)
		if err != nil {
			return nil, err
		}
		switch {
		case giver.ID == taker.ID:
			return nil, invalid("incidents: " + giver.Short + " is the one to merge into")
		case giver.Joined != "":
			return nil, clash(giver.Short + " was joined to another incident already; merge that one, or undo it first")
		}
		c := honeyguide.IncidentChange{
			Kind: changeMerge, From: giver.ID, Into: taker.ID, At: now, By: by, Reason: reason, Keys: []string{giver.Key},
			Status: giver.Status, Phase: giver.Phase, Title: giver.Title,
		}
		moved, err := move(ctx, tx, state.AlertQuery{Incident: giver.ID}, taker.ID, nil)
		if err != nil {
			return nil, err
		}
		carried, err := carry(ctx, tx, &giver, &taker)
		if err != nil {
			return nil, err
		}
		closeJoined(&giver, &taker, now)
		if _, err := tx.Incidents().Save(ctx, &giver); err != nil {
			return nil, err
		}
		if err := link(ctx, tx, giver.Key, taker.Key); err != nil {
			return nil, err
		}
		if err := setApart(ctx, tx, giver.Key, taker.Key, false); err != nil {
			return nil, err
		}
		if err := tx.IncidentChanges().Add(ctx, &c, moved); err != nil {
			return nil, err
		}
		if err := tx.IncidentChanges().Carry(ctx, c.ID, carried); err != nil {
			return nil, err
		}
		if err := tell(ctx, tx, &giver, &taker, "merged", by, reason, c.Alerts, now); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rebuild(ctx, tx, &taker, now)
}

// closeJoined closes what is empty from now on.
func closeJoined(in, into *honeyguide.Incident, now time.Time) {
	in.Status, in.Phase, in.UpdatedAt, in.Joined = honeyguide.IncidentClosed, honeyguide.PhaseClosed, now, into.ID
	in.Title = clip("Joined to "+into.Short+": "+in.Title, 500)
}

// Split moves alerts out of an incident into a new one: those named, and all of
// the attackers named. What these attackers do from now on goes there, too, and
// correlation joins the two no more. An incident stays with the attacker it is
// named after: when that one is split off, the others move.
func Split(ctx context.Context, tx state.Tx, from string, alerts, attackers []string, by, reason string, now time.Time) (honeyguide.IncidentChange, error) {
	var c honeyguide.IncidentChange
	giver, err := tx.Incidents().Get(ctx, from)
	if err != nil {
		return c, err
	}
	if !state.OpenIncident(giver.Status) {
		return c, clash(giver.Short + " is " + string(giver.Status) + "; reopen it first")
	}
	s := splitting{keys: attackerKeys(attackers), ids: map[string]bool{}}
	for _, id := range alerts {
		a, err := tx.Alerts().Get(ctx, id)
		if err != nil {
			return c, err
		}
		if a.Incident != giver.ID {
			return c, invalid("alerts: " + a.Short + " is not in " + giver.Short)
		}
		s.ids[a.ID] = true
	}
	if s.swap = slices.Contains(s.keys, giver.Key); s.swap && len(alerts) > 0 {
		return c, invalid("attackers: " + giver.Short + " is named after one of them; split it off without naming alerts, too")
	}
	if err := s.count(ctx, tx, giver.ID); err != nil {
		return c, err
	}
	switch {
	case s.moving == 0:
		return c, invalid("alerts, attackers: nothing in " + giver.Short + " is meant")
	case s.staying == 0:
		return c, invalid("alerts, attackers: all of " + giver.Short + " is meant; there is nothing to split")
	}
	taker := honeyguide.Incident{
		Key: s.key(&giver, now), Status: honeyguide.IncidentNew, Phase: honeyguide.PhaseNew, CreatedAt: now, UpdatedAt: now, Title: "Split from " + giver.Short,
	}
	if other, err := tx.Incidents().OpenByKey(ctx, taker.Key); err == nil {
		return c, clash(other.Short + " is open about " + taker.Key + "; merge with it first")
	} else if honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		return c, err
	}
	if _, err := tx.Incidents().Save(ctx, &taker); err != nil {
		return c, err
	}
	moved, err := move(ctx, tx, state.AlertQuery{Incident: giver.ID}, taker.ID, s.goes)
	if err != nil {
		return c, err
	}
	c = honeyguide.IncidentChange{Kind: changeSplit, From: giver.ID, Into: taker.ID, At: now, By: by, Reason: reason, Status: giver.Status, Phase: giver.Phase, Title: giver.Title}
	if !strings.HasPrefix(taker.Key, pinned) {
		c.Keys = s.moved
		for _, k := range c.Keys {
			if err := link(ctx, tx, k, taker.Key); err != nil {
				return c, err
			}
		}
	}
	if err := setApart(ctx, tx, giver.Key, taker.Key, true); err != nil {
		return c, err
	}
	carried, err := splitOff(ctx, tx, &giver, &taker, moved)
	if err != nil {
		return c, err
	}
	if err := tx.IncidentChanges().Add(ctx, &c, moved); err != nil {
		return c, err
	}
	if err := tx.IncidentChanges().Carry(ctx, c.ID, carried); err != nil {
		return c, err
	}
	if err := tell(ctx, tx, &giver, &taker, "split off", by, reason, c.Alerts, now); err != nil {
		return c, err
	}
	if err := rebuild(ctx, tx, &taker, now); err != nil {
		return c, err
	}
	return c, rebuild(ctx, tx, &giver, now)
}

// A splitting says which alerts of an incident go.
type splitting struct {
	keys  []string        // attackers
	ids   map[string]bool // alerts
	swap  bool            // those of other attackers go
	moved []string        // attacker keys of which all alerts go

	moving, staying int
}

func (s *splitting) goes(a *honeyguide.Alert) bool {
	return s.ids[a.ID] || len(s.keys) > 0 && slices.Contains(s.keys, a.Attacker) != s.swap
}

func (s *splitting) count(ctx context.Context, tx state.Tx, incident string) error {
	all, err := alertsOf(ctx, tx, state.AlertQuery{Incident: incident})
	if err != nil {
		return err
	}
	for i := range all {
		a := &all[i]
		if !s.goes(a) {
			s.staying++
			continue
		}
		s.moving++
		if !s.ids[a.ID] && !slices.Contains(s.moved, a.Attacker) {
			s.moved = append(s.moved, a.Attacker)
		}
	}
	return nil
}

// key names the new incident after the first attacker that moves, or, when only
// some alerts do, after nobody.
func (s *splitting) key(giver *honeyguide.Incident, now time.Time) string {
	if len(s.moved) > 0 {
		return s.moved[0]
	}
	return pinned + honeyguide.DerivedID(now, giver.ID, strconv.Itoa(len(s.ids)))
}

// attackerKeys reads addresses and keys.
func attackerKeys(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		s = strings.TrimSpace(s)
		if a, err := netip.ParseAddr(s); err == nil {
			s = "attacker:" + a.Unmap().WithZone("").String()
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Undo takes a change back: the alerts that were moved return, and those that the
// redirected attackers have raised since follow them. The giver is what it was.
func Undo(ctx context.Context, tx state.Tx, change, by string, now time.Time) (honeyguide.IncidentChange, error) {
	c, err := tx.IncidentChanges().Get(ctx, change)
	if err != nil {
		return c, err
	}
	giver, err := tx.Incidents().Get(ctx, c.From)
	if err != nil {
		return c, err
	}
	taker, err := tx.Incidents().Get(ctx, c.Into)
	if err != nil {
		return c, err
	}
	if err := tx.IncidentChanges().Undone(ctx, c.ID, by, now); err != nil {
		return c, err
	}
	ids, err := tx.IncidentChanges().Moved(ctx, c.ID)
	if err != nil {
		return c, err
	}
	if c.Kind == changeMove {
		if err := handBack(ctx, tx, &c, &giver, &taker, ids, by, now); err != nil {
			return c, err
		}
		return tx.IncidentChanges().Get(ctx, c.ID)
	}
	back := func(a *honeyguide.Alert) bool {
		_, found := slices.BinarySearch(ids, a.ID)
		return found || !a.CreatedAt.Before(c.At) && slices.Contains(c.Keys, a.Attacker) || c.Kind == changeSplit
	}
	if _, err := move(ctx, tx, state.AlertQuery{Incident: taker.ID}, giver.ID, back); err != nil {
		return c, err
	}
	apart := c.Kind != changeSplit
	for _, k := range c.Keys {
		to := ""
		if !apart {
			to = giver.Key
		}
		if err := link(ctx, tx, k, to); err != nil {
			return c, err
		}
	}
	if err := setApart(ctx, tx, giver.Key, taker.Key, apart); err != nil {
		return c, err
	}
	proven := slices.Clone(taker.Proven)
	if apart { // it was closed by the change
		giver.Status, giver.Phase, giver.Title, giver.Joined = c.Status, c.Phase, c.Title, ""
		err = giveBack(ctx, tx, c.ID, &giver, &taker)
	} else { // nothing is left of the new one
		if err = takeBack(ctx, tx, &giver, &taker); err == nil {
			closeJoined(&taker, &giver, now)
		}
	}
	if err != nil {
		return c, err
	}
	if err := tell(ctx, tx, &giver, &taker, "taken back what went", by, c.Short, c.Alerts, now); err != nil {
		return c, err
	}
	if err := rebuild(ctx, tx, &giver, now); err != nil {
		return c, err
	}
	if err := rebuild(ctx, tx, &taker, now); err != nil {
		return c, err
	}
	if err := prove(ctx, tx, &giver, proven); err != nil {
		return c, err
	}
	return tx.IncidentChanges().Get(ctx, c.ID)
}

// prove notes those of an incident's attackers who are known to own their
// addresses: it may have been learnt while their alerts were elsewhere.
func prove(ctx context.Context, tx state.Tx, in *honeyguide.Incident, proven []string) error {
	n := len(in.Proven)
	for _, p := range proven {
		if slices.Contains(in.Attackers, p) {
			in.Proven = put(in.Proven, p)
		}
	}
	if len(in.Proven) == n {
		return nil
	}
	_, err := tx.Incidents().Save(ctx, in)
	return err
}

// alertsOf reads all alerts a question finds, oldest first.
func alertsOf(ctx context.Context, tx state.Tx, q state.AlertQuery) ([]honeyguide.Alert, error) {
	var out []honeyguide.Alert
	q.Limit = state.MaxLimit
	for {
		list, next, err := tx.Alerts().List(ctx, q)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
		if len(out) > maxRegrouped {
			return nil, invalid(fmt.Sprintf("alerts: more than %d in one incident; that is too many to regroup", maxRegrouped))
		}
		if next == "" {
			slices.Reverse(out)
			return out, nil
		}
		q.After = next
	}
}

// move gives the alerts that which means (nil: all) to another incident and
// returns their ids.
func move(ctx context.Context, tx state.Tx, q state.AlertQuery, into string, which func(*honeyguide.Alert) bool) ([]string, error) {
	all, err := alertsOf(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range all {
		a := &all[i]
		if which != nil && !which(a) {
			continue
		}
		a.Incident = into
		if err := tx.Alerts().Put(ctx, a); err != nil {
			return nil, err
		}
		ids = append(ids, a.ID)
	}
	return ids, nil
}

// rebuild makes an incident what its alerts say, and saves it. Status, phase and
// due time stay; so do the title and all else when it has no alerts any more.
func rebuild(ctx context.Context, tx state.Tx, in *honeyguide.Incident, now time.Time) error {
	all, err := alertsOf(ctx, tx, state.AlertQuery{Incident: in.ID})
	if err != nil {
		return err
	}
	in.UpdatedAt = now
	if len(all) > 0 {
		x := incidents{Incident: *in}
		x.AlertCount, x.EventCount, x.FirstAt, x.LastAt = 0, 0, time.Time{}, time.Time{}
		x.Attackers, x.Sessions, x.Attacks = []string{}, []string{}, []honeyguide.Technique{}
		x.Severity, x.Score, x.Proven = 0, 0, nil
		slices.SortStableFunc(all, func(a, b honeyguide.Alert) int {
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), a.Time.Compare(b.Time))
		})
		for i := range all {
			x.take(&all[i], all[i].Count, true, now)
		}
		due := in.DueAt
		*in = x.Incident
		if !due.IsZero() {
			in.DueAt = due
		}
	}
	_, err = tx.Incidents().Save(ctx, in)
	return err
}

func clash(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: text}
}

// Names in Meta. Who changes links of incidents, or what is apart, from outside a
// consumer's transaction moves the epoch on, so that consumers forget what they
// remember of both.
const (
	metaEpoch = "incident_epoch"
	metaApart = "incidents_apart"
)

// link makes what a key's attacker does go to another key; "" to its own.
func link(ctx context.Context, tx state.Tx, key, to string) error {
	if key == to {
		to = ""
	}
	if err := tx.Meta().Put(ctx, linkKey(key), to); err != nil {
		return err
	}
	return nextEpoch(ctx, tx)
}

func nextEpoch(ctx context.Context, tx state.Tx) error {
	text, err := tx.Meta().Get(ctx, metaEpoch)
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(text, 10, 64) // "" at first
	return tx.Meta().Put(ctx, metaEpoch, strconv.FormatInt(n+1, 10))
}

// A pair is two incident keys in order.
type pair [2]string

func pairOf(a, b string) pair { return pair{min(a, b), max(a, b)} }

// readApart returns the pairs of incident keys a person has told apart.
func readApart(ctx context.Context, tx state.Tx) ([]pair, error) {
	text, err := tx.Meta().Get(ctx, metaApart)
	if err != nil || text == "" {
		return nil, err
	}
	var list []pair
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read what is kept apart: %w", err)
	}
	return list, nil
}

// setApart notes whether correlation may join two incidents.
func setApart(ctx context.Context, tx state.Tx, a, b string, apart bool) error {
	list, err := readApart(ctx, tx)
	if err != nil {
		return err
	}
	p := pairOf(a, b)
	list = slices.DeleteFunc(list, func(x pair) bool { return x == p })
	if apart {
		list = append(list, p)
		list = list[max(0, len(list)-maxApart):]
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if err := tx.Meta().Put(ctx, metaApart, string(text)); err != nil {
		return err
	}
	return nextEpoch(ctx, tx)
}
