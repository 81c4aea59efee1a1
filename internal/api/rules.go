package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

type rulesIn struct {
	Paging
	Least
	Q        string `query:"q" maxLength:"256" doc:"text in id, title, tags or description"`
	Origin   string `query:"origin" enum:"shipped,own"`
	Product  string `query:"product" maxLength:"64" doc:"of the log source"`
	Category string `query:"category" maxLength:"64"`
	Service  string `query:"service" maxLength:"64"`
	Unfed    bool   `query:"unfed" doc:"only those whose log source nothing feeds"`
	Off      bool   `query:"off" doc:"only those that are switched off"`
	Hit      bool   `query:"hit" doc:"only those that fired since the start"`
}

// A RuleText is a rule with the file it stands in.
type RuleText struct {
	rulebook.Info
	Text string `json:"text" doc:"the file"`
}

// A RuleFault is a document, or a part of one, that could not be used as it is.
type RuleFault struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Rule  string `json:"rule,omitempty"`
	Kind  string `json:"kind" doc:"error, unsupported, needs_placeholder: not used; warning: used"`
	Field string `json:"field,omitempty"`
	Why   string `json:"why"`
}

func faultsOf(list []sigma.Fault) []RuleFault {
	out := make([]RuleFault, 0, len(list))
	for _, f := range list {
		out = append(out, RuleFault{File: f.File, Line: f.Line, Rule: f.Rule, Kind: string(f.Kind), Field: f.Field, Why: f.Why})
	}
	return out
}

// A RulesStatus says how the rules stand as a whole.
type RulesStatus struct {
	Edition int64     `json:"edition" doc:"counts the readings since the start"`
	Loaded  time.Time `json:"loaded"`
	Rules   int       `json:"rules"`
	InForce int       `json:"in_force"`
	Faults  int       `json:"faults"`
	Sources []string  `json:"sources" doc:"log sources that feed rules: product/category/service"`
}

// noRules is the answer where no rules are.
var errNoRules = &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "there are no Sigma rules here"}

// book returns the rules in force.
func (s *server) book() (*rulebook.Book, error) {
	if s.dep.Rules == nil {
		return nil, errNoRules
	}
	return s.dep.Rules, nil
}

func (s *server) rules() {
	read(s, op("/rules", "list-rules", "Sigma rules and correlations, by id"), s.listRules)
	read(s, op("/rules/status", "rules-status", "How the rules stand as a whole"), func(context.Context, *struct{}) (RulesStatus, error) {
		b, err := s.book()
		if err != nil {
			return RulesStatus{}, err
		}
		e := b.Current()
		out := RulesStatus{Edition: e.Number, Loaded: e.Loaded, Rules: len(e.Rules), InForce: e.InForce, Faults: len(e.Faults), Sources: []string{}}
		for _, src := range b.Sources() {
			out.Sources = append(out.Sources, src.Product+"/"+src.Category+"/"+src.Service)
		}
		return out, nil
	})
	read(s, op("/rules/faults", "list-rule-faults", "What could not be used of the rules, by file and line"), func(_ context.Context, in *struct{ Paging }) (client.Page[RuleFault], error) {
		b, err := s.book()
		if err != nil {
			return client.Page[RuleFault]{}, err
		}
		return cutPage(faultsOf(b.Current().Faults), in.Paging)
	})
	o := op("/rules/{id}", "get-rule", "One rule with its text")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(_ context.Context, in *ByRule) (RuleText, error) {
		b, x, info, err := s.rule(in.ID)
		if err != nil {
			return RuleText{}, err
		}
		text, err := b.Text(x)
		return RuleText{Info: info, Text: text}, err
	})
	s.explainRule()
	s.switchRule()
	s.backtest()
}

// ByRule names one rule. It is exported because the library only looks into
// embedded fields that are.
type ByRule struct {
	ID string `path:"id" maxLength:"256" doc:"id, name or title, with or without sigma: before it"`
}

func (s *server) rule(id string) (*rulebook.Book, *rulebook.Entry, rulebook.Info, error) {
	b, err := s.book()
	if err != nil {
		return nil, nil, rulebook.Info{}, err
	}
	info, x, ok := b.Info(id)
	if !ok {
		return nil, nil, info, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no rule with this id"}
	}
	return b, x, info, nil
}

func (s *server) listRules(_ context.Context, in *rulesIn) (client.Page[rulebook.Info], error) {
	b, err := s.book()
	if err != nil {
		return client.Page[rulebook.Info]{}, err
	}
	all := b.List(rulebook.Filter{
		Text: in.Q, Level: in.severity(), Origin: in.Origin, Product: in.Product, Category: in.Category, Service: in.Service,
		Unfed: in.Unfed, Off: in.Off, Hit: in.Hit,
	})
	return cutPage(all, in.Paging)
}

// A cursor of a list in memory is how many rows came before.
const rowCursor = "r"

// cutPage cuts a page out of a list that is in memory.
func cutPage[T any](all []T, p Paging) (client.Page[T], error) {
	from := 0
	if p.After != "" {
		digits, ok := strings.CutPrefix(p.After, rowCursor)
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || n < 1 {
			return client.Page[T]{}, invalid("after: this is no cursor of this list; take next of the page before")
		}
		from = min(n, len(all))
	}
	to := min(from+p.Limit, len(all))
	out := client.Page[T]{Items: slices.Clone(all[from:to])}
	if out.Items == nil {
		out.Items = []T{}
	}
	if n := int64(len(all)); p.Count {
		out.Total = &n
	}
	if to < len(all) {
		out.Next = rowCursor + strconv.Itoa(to)
	}
	return out, nil
}

// An Explained says why a rule fires on an event, or that it does not.
type Explained struct {
	Rule    string              `json:"rule"`
	Event   string              `json:"event"`
	Fires   bool                `json:"fires"`
	Reasons []string            `json:"reasons" doc:"which selection held by which value"`
	Records []map[string]string `json:"records" doc:"the event as rules see it; @sources names its log sources"`
}

func (s *server) explainRule() {
	o := op("/rules/{id}/explain", "explain-rule", "Why a rule fires on an event, or how the rule sees it")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *struct {
		ByRule
		Event string `query:"event" required:"true" maxLength:"128" doc:"id of the event"`
	},
	) (Explained, error) {
		_, x, _, err := s.rule(in.ID)
		if err != nil {
			return Explained{}, err
		}
		out := Explained{Rule: x.ID(), Event: in.Event, Reasons: []string{}, Records: []map[string]string{}}
		if x.Rule == nil {
			return out, invalid("a correlation is about several events; explain one of its rules")
		}
		for rec, err := range s.dep.Events.Find(ctx, eventlog.Query{ID: in.Event, Limit: 1}) {
			if err != nil {
				return out, eventError(err)
			}
			bench := rulebook.NewBench(s.dep.Rules.Current().Only(x))
			out.Records = bench.Seen(&rec.Event)
			bench.Fired(&rec.Event, func(r *sigma.Rule, seen *sigma.Record) {
				out.Fires = true
				out.Reasons = bench.Reasons(r, seen)
			})
			return out, nil
		}
		return out, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no event with this id"}
	})
}

func (s *server) switchRule() {
	o := op("/rules/{id}/switch", "switch-rule", "Switch a rule on or off; it takes effect at once")
	o.Method = http.MethodPost
	o.Errors = append(o.Errors, http.StatusNotFound)
	act(s, s.acts(s.guarded(o)), auth.PermRules, func(ctx context.Context, in *struct {
		ByRule
		Body struct {
			On     bool   `json:"on"`
			Reason string `json:"reason,omitempty" maxLength:"1024" doc:"why, for those who find it switched off"`
		}
	},
	) (rulebook.Info, error) {
		b, x, was, err := s.rule(in.ID)
		if err != nil {
			return rulebook.Info{}, err
		}
		text, err := b.Text(x)
		if err != nil {
			return rulebook.Info{}, err
		}
		var by rulebook.Switch
		if was.Off != nil {
			by = *was.Off
		}
		if err := unchanged(ctx, etag(RuleText{Info: was, Text: text}), by.By, by.At); err != nil {
			return rulebook.Info{}, err
		}
		who, _ := ctx.Value(principalKey).(auth.Principal)
		if _, err := b.Turn(ctx, x.Meta.Key(), in.Body.On, who.Name, in.Body.Reason); err != nil {
			return rulebook.Info{}, err
		}
		s.dep.Log.InfoContext(ctx, "rule switched", "rule", x.ID(), "on", in.Body.On, "by", who.Name, "request_id", requestID(ctx))
		info, _, _ := b.Info(x.Meta.Key())
		return info, nil
	})
}

// single is an object and the name of its present state.
type single[T any] struct {
	ETag string `header:"ETag" doc:"names this state; If-Match of a change takes it"`
	Body T
}

// act registers a route that changes something, or works hard.
func act[I, O any](s *server, o huma.Operation, need auth.Permission, f func(context.Context, *I) (O, error)) {
	s.router.need(o.Method+" "+o.Path, need)
	s.router.audits(o.Method + " " + o.Path)
	answer(s, o, func(ctx context.Context, in *I) (O, error) {
		return effect(ctx, s, said(in), func() (O, error) { return f(ctx, in) })
	})
}

// answer serves a route; a single object is answered with the name of its state.
func answer[I, O any](s *server, o huma.Operation, f func(context.Context, *I) (O, error)) {
	if o.Method == http.MethodGet && strings.HasSuffix(o.Path, "}") {
		huma.Register(s.huma, o, func(ctx context.Context, in *I) (*single[O], error) {
			out, err := f(ctx, in)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			return &single[O]{etag(out), out}, nil
		})
		return
	}
	huma.Register(s.huma, o, func(ctx context.Context, in *I) (*body[O], error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &body[O]{out}, nil
	})
}
