package pipeline

import (
	"context"
	"slices"
	"strings"
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
	created []honeyguide.Alert
	plans   []honeyguide.Plan
}

// incidents is one incident this batch touches.
type incidents struct {
	honeyguide.Incident
	opened, grown bool
	alerts        []honeyguide.Alert
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
	w.touched[root] = in
	w.order = append(w.order, in)
}

// groups unites the keys of a batch: alerts that share an attacker key belong
// together, whichever comes first. It returns for each alert all keys of its
// group, the one to name the group after first.
func groups(keys [][]string) [][]string {
	parent := map[string]string{}
	var find func(k string) string
	find = func(k string) string {
		if p, ok := parent[k]; ok && p != k {
			r := find(p)
			parent[k] = r
			return r
		}
		parent[k] = k
		return k
	}
	for _, list := range keys {
		for _, k := range list[1:] {
			parent[find(k)] = find(list[0])
		}
		find(list[0])
	}
	members := map[string][]string{}
	for _, list := range keys {
		for _, k := range list {
			r := find(k)
			if !slices.Contains(members[r], k) {
				members[r] = append(members[r], k)
			}
		}
	}
	// Who came first leads: not one who is tied to somebody before.
	later := map[string]bool{}
	for _, list := range keys {
		later[list[0]] = later[list[0]] || len(list) > 1
	}
	for _, list := range members {
		slices.SortStableFunc(list, func(a, b string) int { return rank(later[a]) - rank(later[b]) })
	}
	out := make([][]string, len(keys))
	for i, list := range keys {
		out[i] = members[find(list[0])]
	}
	return out
}

func rank(later bool) int {
	if later {
		return 1
	}
	return 0
}

// incident returns the incident an alert belongs to: the open one of its
// attackers, several made one, or a new one when the alert is severe enough;
// nil when it stays by itself.
func (w *applying) incident(ctx context.Context, a *honeyguide.Alert, keys []string) (*incidents, error) {
	var roots []string
	var found []*incidents
	for _, k := range keys {
		r, err := w.root(ctx, k)
		if err != nil {
			return nil, err
		}
		if slices.Contains(roots, r) {
			continue
		}
		roots = append(roots, r)
		in, err := w.open(ctx, r)
		if err != nil {
			return nil, err
		}
		if in != nil {
			found = append(found, in)
		}
	}
	var in *incidents
	switch {
	case len(found) > 0:
		slices.SortStableFunc(found, func(x, y *incidents) int { return x.CreatedAt.Compare(y.CreatedAt) })
		in = found[0]
		for _, other := range found[1:] {
			if err := w.absorb(ctx, in, other); err != nil {
				return nil, err
			}
		}
	case a.Severity >= w.c.cfg.Min:
		var err error
		if in, err = w.begin(ctx, a, roots[0]); err != nil {
			return nil, err
		}
	default:
		return nil, nil
	}
	return in, w.gather(ctx, in, keys, roots)
}

// gather makes all roots one and takes in what attackers new to the incident
// did before.
func (w *applying) gather(ctx context.Context, in *incidents, keys, roots []string) error {
	fresh := in.opened && len(in.alerts) == 0
	for _, r := range roots {
		if r == in.Key {
			continue
		}
		if err := w.join(ctx, r, in.Key); err != nil {
			return err
		}
		if !fresh {
			if err := w.adopt(ctx, in, []string{r}); err != nil {
				return err
			}
		}
	}
	if fresh {
		return w.adopt(ctx, in, keys)
	}
	return nil
}

// begin opens an incident. It is saved at once, because the store gives it its
// identity, which its alerts carry.
func (w *applying) begin(ctx context.Context, a *honeyguide.Alert, key string) (*incidents, error) {
	in := &incidents{opened: true, grown: true, Incident: honeyguide.Incident{
		Key: key, Status: honeyguide.IncidentNew, Phase: "detection_analysis", CreatedAt: w.now, UpdatedAt: w.now, FirstAt: a.Time,
	}}
	if _, err := w.tx.Incidents().Save(ctx, &in.Incident); err != nil {
		return nil, err
	}
	w.touch(key, in)
	return in, nil
}

// adopt takes in the alerts the attackers raised before they were severe
// enough for an incident.
func (w *applying) adopt(ctx context.Context, in *incidents, keys []string) error {
	for _, k := range keys {
		list, _, err := w.tx.Alerts().List(ctx, state.AlertQuery{
			Attacker: k, Status: []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated},
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
	}
	return nil
}

// absorb makes the younger incident part of the older one and closes it.
func (w *applying) absorb(ctx context.Context, in, other *incidents) error {
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
	for _, s := range other.Sessions {
		in.Sessions = put(in.Sessions, s)
	}
	in.grown = true
	in.alerts = append(in.alerts, other.alerts...)
	delete(w.touched, other.Key)
	w.order = slices.DeleteFunc(w.order, func(x *incidents) bool { return x == other })
	w.touched[in.Key] = in
	other.Status, other.Phase, other.UpdatedAt = honeyguide.IncidentClosed, "post_incident", w.now
	other.Title = clip("Joined to "+in.Short+": "+other.Title, 500)
	_, err := w.tx.Incidents().Save(ctx, &other.Incident)
	return err
}

// take counts an alert in; n are the events it adds.
func (in *incidents) take(a *honeyguide.Alert, n int64, created bool, now time.Time) {
	if created {
		in.AlertCount++
	}
	in.EventCount += n
	in.FirstAt, in.LastAt = earlier(in.FirstAt, a.Time), later(in.LastAt, a.LastAt)
	before := len(in.Attackers) + len(in.Attacks)
	for _, addr := range actors(a) {
		in.Attackers = put(in.Attackers, addr)
	}
	if a.Session != "" {
		in.Sessions = put(in.Sessions, a.Session)
	}
	for _, t := range a.Attacks {
		in.Attacks = detect.UniteAttacks(in.Attacks, t)
	}
	in.grown = in.grown || len(in.Attackers)+len(in.Attacks) > before
	title := a.Title
	if from := attackerAddr(a.Attacker); from != "" {
		title += " from " + from
	}
	in.rate(a.Severity, a.Score, title, now)
	in.UpdatedAt = now
	in.alerts = append(in.alerts, *a)
}

// rate lifts severity and score; the worst alert gives the title, and a higher
// severity a nearer due time.
func (in *incidents) rate(sev honeyguide.Severity, score float64, title string, now time.Time) {
	if sev > in.Severity || sev == in.Severity && score > in.Score {
		in.Title = title
	}
	if sev > in.Severity {
		in.Severity, in.grown = sev, true
		if due := now.Add(detect.Clock(sev)); in.DueAt.IsZero() || due.Before(in.DueAt) {
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
	} else if !strings.HasPrefix(a.Attacker, "campaign:") && a.Attacker != "" {
		out = append(out, a.Attacker)
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
