package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

// base is where versioned paths begin.
const base = "/api/v1"

// Paging is what every list takes. These parts of inputs are exported because the
// library only looks into embedded fields that are.
type Paging struct {
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"rows of the page"`
	After string `query:"after" maxLength:"512" doc:"cursor: next of the page before"`
	Count bool   `query:"count" doc:"also count the rows of all pages, up to 10,000; what cannot be counted cheaply has no total"`
	total *state.Total
}

func (p Paging) page() state.Page {
	return state.Page{After: p.After, Limit: p.Limit, Count: p.total}
}

func (p *Paging) paging() *Paging { return p }

// Following is Paging for lists that can be read in the order of changes.
type Following struct {
	Paging
	UpdatedAfter time.Time `query:"updated_after" doc:"in the order of changes: what was written at or after it, oldest change first; next is always there, and goes on with what changes later"`
}

func (f Following) page() state.Page {
	p := f.Paging.page()
	p.Since = f.UpdatedAfter
	return p
}

// Span is a range of time.
type Span struct {
	From time.Time `query:"from" doc:"at or after"`
	To   time.Time `query:"to" doc:"before"`
}

// Least is the severity filter.
type Least struct {
	Severity string `query:"severity" enum:"informational,low,medium,high,critical" doc:"at least"`
}

func (l Least) severity() honeyguide.Severity {
	if l.Severity == "" {
		return honeyguide.SeverityUnknown
	}
	s, _ := honeyguide.ParseSeverity(l.Severity) // the schema lets nothing else through
	return s
}

// body is an answer without headers of its own.
type body[T any] struct{ Body T }

// op describes a route that reads.
func op(path, id, summary string) huma.Operation {
	tag, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: base + path, Summary: summary, Tags: []string{tag},
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}
}

// read registers a route for auth.PermRead whose errors become problems.
func read[I, O any](s *server, o huma.Operation, f func(context.Context, *I) (O, error)) {
	s.router.need(o.Method+" "+o.Path, auth.PermRead)
	answer(s, o, f)
}

// list registers a list over one snapshot of the state.
func list[I, T any](s *server, o huma.Operation, f func(context.Context, state.Tx, *I) ([]T, string, error)) {
	read(s, o, func(ctx context.Context, in *I) (client.Page[T], error) {
		var p client.Page[T]
		var total state.Total
		pg, paged := any(in).(interface{ paging() *Paging })
		if paged = paged && pg.paging().Count; paged {
			pg.paging().total = &total
		}
		err := s.dep.State.View(ctx, func(tx state.Tx) error {
			var err error
			p.Items, p.Next, err = f(ctx, tx, in)
			return err
		})
		if p.Items == nil {
			p.Items = []T{}
		}
		if paged && !total.Known && p.Next == "" && pg.paging().After == "" {
			total = state.Total{Known: true, Rows: int64(len(p.Items))}
		}
		if total.Known {
			p.Total, p.Capped = &total.Rows, total.Capped
		}
		return p, err
	})
}

// linked says in a header where the next page is (RFC 8288), so that a reader can
// ask for it while this one is still on its way.
func linked(ctx huma.Context, status string, v any) (any, error) {
	page, ok := v.(interface{ Following() string })
	if !ok || status != "200" || page.Following() == "" {
		return v, nil
	}
	at := ctx.URL()
	q := at.Query()
	q.Set("after", page.Following())
	if mask := maskOf(ctx.Context()); mask != nil {
		q.Set("fields", strings.Join(slices.Sorted(maps.Keys(mask)), ","))
	}
	ctx.AppendHeader("Link", "<?"+q.Encode()+`>; rel="next"`)
	return v, nil
}

// byID names one row.
type byID struct {
	ID string `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
}

// one registers a single row of the state.
func one[T any](s *server, o huma.Operation, f func(context.Context, state.Tx, string) (T, error)) {
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byID) (T, error) {
		var row T
		err := s.dep.State.View(ctx, func(tx state.Tx) error {
			var err error
			row, err = f(ctx, tx, in.ID)
			return err
		})
		return row, err
	})
}
