package rulebook

import (
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/sigma"
)

// An Adapter shows events as records. It remembers of each session who is
// logged in and in which folder, so events should come in the order of the log.
// It is not safe for concurrent use, and a record is good until the next call.
type Adapter struct {
	saw      func([]sigma.Source) // told of each kind of event; nil: nobody
	ed       *Edition
	plans    map[planKey]*plan
	sessions generations
	recs     []sigma.Record // reused
	n        int            // of recs in use
}

// NewAdapter returns an adapter that remembers nothing yet. saw, if not nil, is
// told the log sources of each kind of event that comes; see [Book.Saw].
func NewAdapter(saw func([]sigma.Source)) *Adapter {
	return &Adapter{saw: saw, plans: map[planKey]*plan{}}
}

// A planKey is what decides which log sources an event belongs to.
type planKey struct {
	product, category, service string // as mappers say
	activity, kind             string // of the event; kind is the sensor's or the product's
	channel                    string // Windows
	id                         int64  // Windows
	program                    string // of a line of syslog, if a rule names it
	decoy                      bool   // ours, or one like ours
}

// A plan is how events of one kind become records.
type plan struct {
	sources []sigma.Source // those any rule in force is about; empty: nobody is interested
	show    func(*Adapter, *honeyguide.Event, *plan)
}

// maxPlans bounds the plans kept: only odd input has more.
const maxPlans = 4096

// Records returns what rules see of an event; nothing when no rule of the
// edition is about such events.
func (a *Adapter) Records(ed *Edition, e *honeyguide.Event) []sigma.Record {
	if a.ed != ed {
		a.ed = ed
		clear(a.plans)
	}
	a.remember(e)
	p := a.plan(e)
	if len(p.sources) == 0 {
		return nil
	}
	a.n = 0
	p.show(a, e, p)
	return a.recs[:a.n]
}

// plan returns how to treat an event.
func (a *Adapter) plan(e *honeyguide.Event) *plan {
	key := a.key(e)
	if p := a.plans[key]; p != nil {
		return p
	}
	if len(a.plans) >= maxPlans {
		clear(a.plans)
	}
	sources, show := sourcesOf(&key)
	if a.saw != nil {
		a.saw(sources)
	}
	p := &plan{show: show}
	for _, s := range sources {
		if a.ed.wants(s) {
			p.sources = append(p.sources, s)
		}
	}
	a.plans[key] = p
	return p
}

// wants reports whether a rule in force is about events of the source.
func (e *Edition) wants(s sigma.Source) bool {
	for _, r := range e.set.Rules {
		if covers(r.Logsource, s) {
			return true
		}
	}
	return false
}

// covers reports whether everything a rule's logsource names is the same in s.
func covers(rule, s sigma.Source) bool {
	return (rule.Product == "" || rule.Product == s.Product) && (rule.Category == "" || rule.Category == s.Category) &&
		(rule.Service == "" || rule.Service == s.Service)
}

func (a *Adapter) key(e *honeyguide.Event) planKey {
	product := e.Str(honeyguide.AttrProduct)
	key := planKey{
		product: e.Str(honeyguide.AttrLogProduct), category: e.Str(honeyguide.AttrLogCategory), service: e.Str(honeyguide.AttrLogService),
		activity: e.Activity, kind: product,
	}
	switch {
	case key.product == "" && key.category == "" && key.service == "" && product == "", product == otherDecoy:
		key.kind = e.Service
		key.decoy = key.kind == "" || e.Session != ""
		return key
	case key.product == "linux":
		if program := e.Str(attrProgram); a.ed.Engine.KnowsService(program) {
			key.program = program
		}
	}
	if channel := e.Str(unmapped + "Channel"); channel != "" {
		key.channel, key.id = channel, number(e.Attrs[unmapped+"EventID"])
	}
	return key
}

// attrProgram is the program that wrote a line of syslog.
const attrProgram = "metadata.log_name"

// number reads a whole number, 0 for anything else.
func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	case string:
		i, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
		if err == nil {
			return i
		}
	}
	return 0
}

// next returns a fresh record of an event for the plan's sources.
func (a *Adapter) next(e *honeyguide.Event, sources []sigma.Source) *sigma.Record {
	if a.n == len(a.recs) {
		a.recs = append(a.recs, sigma.Record{})
	}
	r := &a.recs[a.n]
	a.n++
	*r = sigma.Record{ID: e.ID, Time: e.Time, Sources: sources, Fields: r.Fields[:0]}
	return r
}

// put adds a field unless it is empty.
func put(r *sigma.Record, name, text string) {
	if text != "" {
		r.Fields = append(r.Fields, sigma.Field{Name: name, Text: text})
	}
}

// text returns an attribute as rules see it.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}

// A seat is what is remembered of one session.
type seat struct{ user, dir string }

// generations remember up to twice maxSeats sessions: when the newer map is
// full it becomes the older one, and what nobody asked for is forgotten.
type generations struct{ newer, older map[string]seat }

const maxSeats = 8192

func (g *generations) get(id string) seat {
	if s, ok := g.newer[id]; ok {
		return s
	}
	s, ok := g.older[id]
	if ok {
		g.set(id, s)
	}
	return s
}

func (g *generations) set(id string, s seat) {
	if g.newer == nil || len(g.newer) >= maxSeats {
		g.older, g.newer = g.newer, make(map[string]seat, 64)
	}
	g.newer[id] = s
}

// remember notes who logs in to a decoy.
func (a *Adapter) remember(e *honeyguide.Event) {
	if e.Activity != honeyguide.ActivityLoginSuccess || e.Session == "" {
		return
	}
	user := e.Str(honeyguide.AttrUser)
	a.sessions.set(e.Session, seat{user: user, dir: home(user)})
}

func home(user string) string {
	switch user {
	case "":
		return ""
	case "root":
		return "/root"
	}
	return "/home/" + user
}
