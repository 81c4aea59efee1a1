package pipeline

import (
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/state"
)

// An applying writes one verdict into one transaction. It is made anew when
// the transaction runs again.
type applying struct {
	c   *Consumer
	tx  state.Tx
	now time.Time

	links   map[string]string     // written in this transaction: attacker key to incident key
	touched map[string]*incidents // by incident key
	order   []*incidents
	created []honeyguide.Severity // of the alerts that are new
	answers []Response
	delays  []time.Duration    // from their first events to them
	live    []honeyguide.Alert // claims that nothing hides
	hidden  hidden
}

// incidents is one incident this batch touches.
type incidents struct {
	honeyguide.Incident
	opened, grown bool
	alerts        []*honeyguide.Alert // that changed it; they stay as they are from then on
	into          *incidents          // the one that absorbed it
	sla           detect.SLA          // how soon it is to be answered
}

// now returns the incident that stands for in.
func (in *incidents) now() *incidents {
	for in != nil && in.into != nil {
		in = in.into
	}
	return in
}

// maxHops bounds how often an incident's key may have been joined to another.
const maxHops = 16

// linkKey is the name in Meta of what an attacker's alerts are gathered under.
func linkKey(key string) string { return "incident_of:" + key }

// root follows the links of an attacker key to the key of its incident.
func (w *applying) root(ctx context.Context, key string) (string, error) {
	for range maxHops {
		next, err := w.link(ctx, key)
		if err != nil {
			return "", err
		}
		if next == "" || next == key {
			return key, nil
		}
		key = next
	}
	return key, nil
}

func (w *applying) link(ctx context.Context, key string) (string, error) {
	if to, ok := w.links[key]; ok {
		return to, nil
	}
	if to, ok := w.c.links.Peek(key); ok {
		return *to, nil
	}
	to, err := w.tx.Meta().Get(ctx, linkKey(key))
	if err == nil {
		w.links[key] = to // known now, also when there is none
	}
	return to, err
}

// join makes the alerts of a root go to another from now on.
func (w *applying) join(ctx context.Context, from, to string) error {
	w.links[from] = to
	return w.tx.Meta().Put(ctx, linkKey(from), to)
}

// open returns the open incident of a root, nil when there is none.
func (w *applying) open(ctx context.Context, root string) (*incidents, error) {
	if in := w.touched[root]; in != nil {
		return in, nil
	}
	found, err := w.tx.Incidents().OpenByKey(ctx, root)
	if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in := &incidents{Incident: found}
	w.touch(root, in)
	return in, nil
}

func (w *applying) touch(root string, in *incidents) {
	in.sla = w.c.cfg.SLA
	w.touched[root] = in
	w.order = append(w.order, in)
}

// A group is the alerts of a verdict that belong together because they share
// attacker keys, directly or through others.
type group struct {
	keys   []string // the one to name the group after first
	worst  *honeyguide.Alert
	alerts int
	in     *incidents // nil: the alerts stay by themselves
}

// groupsOf unites alerts by their keys and returns the group of each.
func groupsOf(alerts []honeyguide.Alert, keys map[string][]string) (of []*group, all []*group) {
	parent := map[string]string{}
	find := func(k string) string {
		for parent[k] != k {
			parent[k] = parent[parent[k]]
			k = parent[k]
		}
		return k
	}
	later := map[string]bool{} // tied to somebody who came before
	for i := range alerts {
		list := keys[alerts[i].DedupeKey]
		for _, k := range list {
			if _, known := parent[k]; !known {
				parent[k] = k
			}
			parent[find(k)] = find(list[0])
		}
		later[list[0]] = later[list[0]] || len(list) > 1
	}
	by, seen := map[string]*group{}, map[string]bool{}
	for i := range alerts {
		a := &alerts[i]
		list := keys[a.DedupeKey]
		r := find(list[0])
		g := by[r]
		if g == nil {
			g = &group{worst: a}
			by[r] = g
			all = append(all, g)
		}
		of = append(of, g)
		g.alerts++
		if a.Severity > g.worst.Severity {
			g.worst = a
		}
		for _, k := range list {
			if !seen[k] {
				seen[k] = true
				g.keys = append(g.keys, k)
			}
		}
	}
	for _, g := range all {
		slices.SortStableFunc(g.keys, func(a, b string) int { return rank(later[a]) - rank(later[b]) })
	}
	return of, all
}

func rank(later bool) int {
	if later {
		return 1
	}
	return 0
}

// place finds the incident of a group: the open one of its attackers, several
// made one, or a new one when an alert is severe enough; none otherwise.
func (w *applying) place(ctx context.Context, g *group) error {
	var roots []string
	var found []*incidents
	seen := map[string]bool{}
	for _, k := range g.keys {
		r, err := w.root(ctx, k)
		if err != nil {
			return err
		}
		if seen[r] {
			continue
		}
		seen[r] = true
		roots = append(roots, r)
		in, err := w.open(ctx, r)
		if err != nil {
			return err
		}
		if in != nil {
			found = append(found, in)
		}
	}
	switch {
	case len(found) > 0:
		slices.SortStableFunc(found, func(x, y *incidents) int { return x.CreatedAt.Compare(y.CreatedAt) })
		g.in = found[0]
		for _, other := range found[1:] {
			if w.isApart(g.in.Key, other.Key) {
				continue
			}
			if err := w.absorb(ctx, g.in, other); err != nil {
				return err
			}
		}
	case g.worst.Severity >= w.c.cfg.Min:
		in, err := w.begin(ctx, g.worst, roots[0])
		if err != nil {
			return err
		}
		g.in = in
	default:
		return nil
	}
	return w.unite(ctx, g.in, roots)
}

// unite makes all roots one and takes in what attackers new to the incident
// did before.
func (w *applying) unite(ctx context.Context, in *incidents, roots []string) error {
	for _, r := range roots {
		if w.isApart(r, in.Key) {
			continue
		}
		if r != in.Key {
			if err := w.join(ctx, r, in.Key); err != nil {
				return err
			}
		} else if !in.opened {
			continue
		}
		if err := w.adopt(ctx, in, r); err != nil {
			return err
		}
	}
	return nil
}

// begin opens an incident. It is saved at once, because the store gives it its
// identity, which its alerts carry.
func (w *applying) begin(ctx context.Context, a *honeyguide.Alert, key string) (*incidents, error) {
	in := &incidents{opened: true, grown: true, Incident: honeyguide.Incident{
		Key: key, Status: honeyguide.IncidentNew, Phase: honeyguide.PhaseNew, CreatedAt: w.now, UpdatedAt: w.now, FirstAt: a.Time,
	}}
	if _, err := w.tx.Incidents().Save(ctx, &in.Incident); err != nil {
		return nil, err
	}
	w.touch(key, in)
	return in, nil
}

// adopt takes in the alerts an attacker raised before they were severe enough
// for an incident.
func (w *applying) adopt(ctx context.Context, in *incidents, attacker string) error {
	list, _, err := w.tx.Alerts().List(ctx, state.AlertQuery{
		Attacker: attacker, Status: []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated},
	})
	if err != nil {
		return err
	}
	for _, a := range slices.Backward(list) {
		if a.Incident != "" {
			continue
		}
		a.Incident = in.ID
		if err := w.tx.Alerts().Put(ctx, &a); err != nil {
			return err
		}
		in.take(&a, a.Count, true, w.now)
	}
	return nil
}

// absorb makes the younger incident part of the older one and closes it.
func (w *applying) absorb(ctx context.Context, in, other *incidents) error {
	var moved []string
	change := honeyguide.IncidentChange{
		Kind: changeJoin, From: other.ID, Into: in.ID, At: w.now, By: "correlation", Keys: []string{other.Key},
		Reason: "something ties " + other.Key + " to " + in.Key, Status: other.Status, Phase: other.Phase, Title: other.Title,
	}
	q := state.AlertQuery{Incident: other.ID, Page: state.Page{Limit: state.MaxLimit}}
	for {
		list, next, err := w.tx.Alerts().List(ctx, q)
		if err != nil {
			return err
		}
		for _, a := range list {
			a.Incident = in.ID
			if err := w.tx.Alerts().Put(ctx, &a); err != nil {
				return err
			}
			moved = append(moved, a.ID)
		}
		if next == "" {
			break
		}
		q.After = next
	}
	in.AlertCount += other.AlertCount
	in.EventCount += other.EventCount
	in.rate(other.Severity, other.Score, other.Title, w.now)
	in.FirstAt, in.LastAt = earlier(in.FirstAt, other.FirstAt), later(in.LastAt, other.LastAt)
	for _, t := range other.Attacks {
		in.Attacks = detect.UniteAttacks(in.Attacks, t)
	}
	for _, s := range other.Attackers {
		in.Attackers = put(in.Attackers, s)
	}
	for _, s := range other.Proven {
		in.Proven = put(in.Proven, s)
	}
	for _, s := range other.Sessions {
		in.Sessions = put(in.Sessions, s)
	}
	in.grown, other.into = true, in
	in.alerts = append(in.alerts, other.alerts...)
	delete(w.touched, other.Key)
	w.order = slices.DeleteFunc(w.order, func(x *incidents) bool { return x == other })
	w.touched[in.Key] = in
	carried, err := carry(ctx, w.tx, &other.Incident, &in.Incident)
	if err != nil {
		return err
	}
	closeJoined(&other.Incident, &in.Incident, w.now)
	if _, err := w.tx.Incidents().Save(ctx, &other.Incident); err != nil {
		return err
	}
	if err := w.tx.IncidentChanges().Add(ctx, &change, moved); err != nil {
		return err
	}
	if err := w.tx.IncidentChanges().Carry(ctx, change.ID, carried); err != nil {
		return err
	}
	return tell(ctx, w.tx, &other.Incident, &in.Incident, "joined", change.By, change.Reason, change.Alerts, w.now)
}

// take counts an alert in; n are the events it adds.
func (in *incidents) take(a *honeyguide.Alert, n int64, created bool, now time.Time) {
	if created {
		in.AlertCount++
	}
	in.EventCount += n
	in.FirstAt, in.LastAt = earlier(in.FirstAt, a.Time), later(in.LastAt, a.LastAt)
	before := len(in.Attackers) + len(in.Attacks) + len(in.Proven)
	for _, addr := range actors(a) {
		in.Attackers = put(in.Attackers, addr)
	}
	if a.Proven {
		in.Proven = put(in.Proven, attackerAddr(a.Attacker))
	}
	if a.Session != "" {
		in.Sessions = put(in.Sessions, a.Session)
	}
	for _, t := range a.Attacks {
		in.Attacks = detect.UniteAttacks(in.Attacks, t)
	}
	in.grown = in.grown || len(in.Attackers)+len(in.Attacks)+len(in.Proven) > before
	title := a.Title
	if from := attackerAddr(a.Attacker); from != "" {
		title += " from " + from
	}
	in.rate(a.Severity, a.Score, title, now)
	in.UpdatedAt = now
	in.alerts = append(in.alerts, a)
}

// rate lifts severity and score; the worst alert gives the title, and a higher
// severity a nearer due time.
func (in *incidents) rate(sev honeyguide.Severity, score float64, title string, now time.Time) {
	if sev > in.Severity || sev == in.Severity && score > in.Score {
		in.Title = title
	}
	if sev > in.Severity {
		in.Severity, in.grown = sev, true
		if due := now.Add(in.sla.Within(sev)); in.DueAt.IsZero() || due.Before(in.DueAt) {
			in.DueAt = due
		}
	}
	if score > in.Score {
		in.Score, in.grown = score, true
	}
}

// actors are the addresses an alert is about: its source, the reader of its
// token, the sources of a spray.
func actors(a *honeyguide.Alert) []string {
	var out []string
	if addr := attackerAddr(a.Attacker); addr != "" {
		out = append(out, addr)
	}
	for _, o := range a.Observed {
		if o.Type == "ip" && (o.Name == honeyguide.AttrReader || o.Name == "source") && !slices.Contains(out, o.Value) {
			out = append(out, o.Value)
		}
	}
	return out
}

// put adds s to a bounded list once.
func put(list []string, s string) []string {
	if s == "" || len(list) >= state.MaxMembers || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
