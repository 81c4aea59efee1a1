package api

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Found is what a search found, in groups.
type Found struct {
	Groups []SearchGroup `json:"groups" doc:"the likeliest first; empty groups are left out"`
	Hunt   string        `json:"hunt,omitempty" doc:"a query for events that looks for the same"`
}

// SearchGroup is the hits of one kind.
type SearchGroup struct {
	Kind string      `json:"kind" doc:"alert, incident, session, attacker, token, run, block, sample, rule, playbook, view"`
	Hits []SearchHit `json:"hits"`
	More bool        `json:"more" doc:"there are more than are shown"`
	List string      `json:"list,omitempty" doc:"path and query of a list of all of them, below /api/v1"`
}

// SearchHit is one thing that was found.
type SearchHit struct {
	ID       string    `json:"id" doc:"for the path of its kind"`
	Short    string    `json:"short,omitempty"`
	Title    string    `json:"title" doc:"may hold attackers' text"`
	Sub      string    `json:"sub,omitempty" doc:"a second line; may hold attackers' text"`
	Severity string    `json:"severity,omitempty"`
	At       time.Time `json:"at,omitzero"`
	Exact    bool      `json:"exact,omitempty" doc:"it was called by its id"`
}

type searchIn struct {
	Q string `query:"q" required:"true" minLength:"1" maxLength:"256" doc:"a short id, an id, an address, a hash, a user, a rule or words"`
}

// Bounds of a search.
const (
	hits       = 5
	searchTime = 3 * time.Second
)

var (
	shortForm = regexp.MustCompile(`^(?i)(A|I|R|HT|SUP|IC)-[1-9][0-9]{0,18}$`)
	hexDigits = regexp.MustCompile(`^[0-9a-fA-F]{8,128}$`)
	opaque    = regexp.MustCompile(`^[0-9a-v]{20,32}$`)
)

// A searcher gathers groups.
type searcher struct {
	s   *server
	tx  state.Tx
	q   string
	out *Found
}

func (s *server) search() {
	read(s, op("/search", "search", "One box for everything: short ids, addresses, hashes, users, rules and words; a few hits of each kind"), func(ctx context.Context, in *searchIn) (out Found, err error) {
		out.Groups = []SearchGroup{}
		q := strings.TrimSpace(in.Q)
		if q == "" {
			return out, invalid("q: want some text")
		}
		quick, done := context.WithTimeout(ctx, searchTime)
		defer done()
		err = s.dep.State.View(quick, func(tx state.Tx) error {
			out.Groups = []SearchGroup{}
			x := &searcher{s, tx, q, &out}
			return x.all(quick)
		})
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			err = nil // what was found until then
		}
		return out, err
	})
}

// missing passes over what is not there.
func missing(err error) error {
	if err != nil && (honeyguide.ErrorCode(err) == honeyguide.CodeNotFound || honeyguide.ErrorCode(err) == honeyguide.CodeInvalid) {
		return nil
	}
	return err
}

func (x *searcher) group(kind, list string, more bool, found []SearchHit) {
	if len(found) > 0 {
		x.out.Groups = append(x.out.Groups, SearchGroup{Kind: kind, Hits: found, More: more, List: list})
	}
}

// quotedFor writes a value for the language of hunting.
func quotedFor(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
}

func (x *searcher) all(ctx context.Context) error {
	q := x.q
	x.out.Hunt = quotedFor(q)
	switch {
	case shortForm.MatchString(q):
		return x.exact(ctx)
	case opaque.MatchString(q) && !hexDigits.MatchString(q):
		if err := x.exact(ctx); err != nil || len(x.out.Groups) > 0 {
			x.out.Hunt = "session:" + q
			return err
		}
	}
	if a, err := netip.ParseAddr(q); err == nil {
		a = a.Unmap().WithZone("")
		x.out.Hunt = "src:" + a.String()
		return x.address(ctx, a.String())
	}
	if _, err := netip.ParsePrefix(q); err == nil {
		x.out.Hunt = "src:" + q
		return x.blocks(ctx)
	}
	if hexDigits.MatchString(q) {
		x.out.Hunt = "observable:" + strings.ToLower(q)
		if err := x.sample(ctx); err != nil {
			return err
		}
		if err := x.exact(ctx); err != nil {
			return err
		}
	}
	x.rules()
	return x.words(ctx)
}

// exact looks for what has this id.
func (x *searcher) exact(ctx context.Context) error {
	q, tx := x.q, x.tx
	if a, err := tx.Alerts().Get(ctx, q); err == nil {
		x.group("alert", "", false, []SearchHit{{ID: a.ID, Short: a.Short, Title: a.Title, Sub: state.Addr(a.Src), Severity: a.Severity.String(), At: a.CreatedAt, Exact: true}})
	} else if missing(err) != nil {
		return err
	}
	if i, err := tx.Incidents().Get(ctx, q); err == nil {
		x.group("incident", "", false, []SearchHit{{ID: i.ID, Short: i.Short, Title: i.Title, Sub: string(i.Status), Severity: i.Severity.String(), At: i.UpdatedAt, Exact: true}})
	} else if missing(err) != nil {
		return err
	}
	if r, err := tx.Runs().Get(ctx, q); err == nil {
		x.group("run", "", false, []SearchHit{{ID: r.ID, Short: r.Short, Title: r.Title, Sub: string(r.State), At: r.CreatedAt, Exact: true}})
	} else if missing(err) != nil {
		return err
	}
	if t, err := tx.Tokens().Get(ctx, q); err == nil {
		x.group("token", "", false, []SearchHit{{ID: t.ID, Short: t.Short, Title: t.Path, Sub: t.Kind, At: t.CreatedAt, Exact: true}})
	} else if missing(err) != nil {
		return err
	}
	if u, err := tx.Suppressions().Get(ctx, q); err == nil {
		x.group("suppression", "", false, []SearchHit{{ID: u.ID, Short: u.Short, Title: u.Reason, At: u.CreatedAt, Exact: true}})
	} else if missing(err) != nil {
		return err
	}
	s, err := tx.Sessions().Get(ctx, q)
	if err == nil {
		x.group("session", "", false, []SearchHit{{ID: s.ID, Title: state.Addr(s.Src) + " " + s.Service, Sub: s.User, Severity: s.Severity.String(), At: s.StartedAt, Exact: true}})
	}
	return missing(err)
}

// address looks for all about an address.
func (x *searcher) address(ctx context.Context, addr string) error {
	a, err := x.tx.Attackers().Get(ctx, addr)
	if err == nil {
		x.group("attacker", "", false, []SearchHit{{ID: a.Key, Title: addr, Sub: a.LastTitle, Severity: a.Severity.String(), At: a.LastAt, Exact: true}})
	}
	if missing(err) != nil {
		return err
	}
	if err := x.alerts(ctx, state.AlertQuery{Src: addr}, "/alerts?src="+addr); err != nil {
		return err
	}
	if err := x.sessions(ctx, state.SessionQuery{Src: addr}, "/sessions?src="+addr); err != nil {
		return err
	}
	if err := x.incidents(ctx, state.IncidentQuery{Attacker: "attacker:" + addr}); err != nil {
		return err
	}
	return x.blocks(ctx)
}

func (x *searcher) blocks(ctx context.Context) error {
	p, err := respond.ParseTarget(x.q)
	if err != nil {
		return nil
	}
	name := p.String()
	if p.IsSingleIP() {
		name = p.Addr().String()
	}
	list, next, err := x.tx.Plans().List(ctx, state.PlanQuery{Action: state.ActionBlockIP, Target: name, Page: state.Page{Limit: 1}})
	if err == nil && len(list) > 0 {
		x.group("block", "", next != "", []SearchHit{{ID: name, Title: name, Sub: string(list[0].State), At: list[0].CreatedAt, Exact: true}})
	}
	return missing(err)
}

func (x *searcher) sample(ctx context.Context) error {
	s, err := x.tx.Samples().Get(ctx, strings.ToLower(x.q))
	if err == nil {
		x.group("sample", "", false, []SearchHit{{ID: s.ID, Title: s.ID, Sub: s.Type, At: s.LastAt, Exact: true}})
	}
	return missing(err)
}

func (x *searcher) alerts(ctx context.Context, q state.AlertQuery, list string) error {
	q.Page, q.Shown = state.Page{Limit: hits}, true
	rows, next, err := x.tx.Alerts().List(ctx, q)
	var out []SearchHit
	for i := range rows {
		a := &rows[i]
		out = append(out, SearchHit{ID: a.ID, Short: a.Short, Title: a.Title, Sub: state.Addr(a.Src), Severity: a.Severity.String(), At: a.CreatedAt})
	}
	x.group("alert", list, next != "", out)
	return missing(err)
}

func (x *searcher) sessions(ctx context.Context, q state.SessionQuery, list string) error {
	q.Page = state.Page{Limit: hits}
	rows, next, err := x.tx.Sessions().List(ctx, q)
	var out []SearchHit
	for i := range rows {
		s := &rows[i]
		out = append(out, SearchHit{ID: s.ID, Title: state.Addr(s.Src) + " " + s.Service, Sub: s.User, Severity: s.Severity.String(), At: s.StartedAt})
	}
	x.group("session", list, next != "", out)
	return missing(err)
}

func (x *searcher) incidents(ctx context.Context, q state.IncidentQuery) error {
	q.Page = state.Page{Limit: hits}
	rows, next, err := x.tx.Incidents().List(ctx, q)
	var out []SearchHit
	for i := range rows {
		r := &rows[i]
		out = append(out, SearchHit{ID: r.ID, Short: r.Short, Title: r.Title, Sub: string(r.Status), Severity: r.Severity.String(), At: r.UpdatedAt})
	}
	x.group("incident", "", next != "", out)
	return missing(err)
}

// rules looks for rules and playbooks whose id or title holds the text.
func (x *searcher) rules() {
	low := strings.ToLower(x.q)
	holds := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(strings.ToLower(p), low) {
				return true
			}
		}
		return false
	}
	if x.s.dep.Rules != nil && len(low) > 2 {
		var out []SearchHit
		more := false
		for _, e := range x.s.dep.Rules.Current().Rules {
			if !holds(e.ID(), e.Meta.ID, e.Meta.Title) {
				continue
			}
			if more = len(out) == hits; more {
				break
			}
			out = append(out, SearchHit{ID: e.ID(), Title: e.Meta.Title, Sub: e.ID(), Exact: strings.EqualFold(e.ID(), x.q)})
		}
		x.group("rule", "", more, out)
	}
	if x.s.dep.Playbooks != nil && len(low) > 2 {
		var out []SearchHit
		for i := range x.s.dep.Playbooks.View().Entries {
			if e := &x.s.dep.Playbooks.View().Entries[i]; len(out) < hits && holds(e.ID, e.Title) {
				out = append(out, SearchHit{ID: e.ID, Title: e.Title, Sub: e.ID, Exact: strings.EqualFold(e.ID, x.q)})
			}
		}
		x.group("playbook", "", false, out)
	}
}

// words looks for users and words.
func (x *searcher) words(ctx context.Context) error {
	if err := x.sessions(ctx, state.SessionQuery{User: x.q}, ""); err != nil {
		return err
	}
	users := len(x.out.Groups)
	if err := x.alerts(ctx, state.AlertQuery{Rule: x.q}, ""); err != nil {
		return err
	}
	if len(x.out.Groups) == users { // no rule of that name
		if err := x.alerts(ctx, state.AlertQuery{Text: x.q}, ""); err != nil {
			return err
		}
	}
	if err := x.incidents(ctx, state.IncidentQuery{Text: x.q}); err != nil {
		return err
	}
	for _, g := range x.out.Groups {
		if g.Kind == "session" {
			return nil
		}
	}
	return x.sessions(ctx, state.SessionQuery{Text: x.q}, "")
}
