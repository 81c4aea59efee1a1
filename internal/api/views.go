package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// SavedView is a view as it is shown.
type SavedView struct {
	state.View
	Mine bool `json:"mine" doc:"the one who asks may change it"`
}

// ViewOrder makes a view.
type ViewOrder struct {
	Name   string `json:"name" minLength:"1" maxLength:"200" doc:"text, shown as it is"`
	Room   string `json:"room" pattern:"^[a-z][a-z0-9_-]{0,31}$" doc:"where it belongs: alerts, incidents, sessions, attackers, hunt, ..."`
	Query  string `json:"query" maxLength:"8192" doc:"what the room makes of it"`
	Shared bool   `json:"shared,omitempty" doc:"everybody sees it"`
}

// ViewPatch changes a view; what is absent stays.
type ViewPatch struct {
	Name   *string `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Query  *string `json:"query,omitempty" maxLength:"8192"`
	Shared *bool   `json:"shared,omitempty"`
}

type viewOut struct {
	ETag string `header:"ETag"`
	Body SavedView
}

type viewPatched struct {
	ID      string `path:"id" maxLength:"128"`
	Match   string `header:"If-Match" maxLength:"64" doc:"ETag of the view that was read; absent: whatever it is now"`
	Body    ViewPatch
	RawBody []byte
}

type viewsIn struct {
	Paging
	Room string `query:"room" maxLength:"32"`
}

// views registers saved views: what a person wants to find again, or wants
// everybody to find.
func (s *server) views() {
	list(s, op("/views", "list-views", "Saved views: one's own and those that are shared, newest first"), func(ctx context.Context, tx state.Tx, in *viewsIn) ([]SavedView, string, error) {
		rows, next, err := tx.Views().List(ctx, state.ViewQuery{Page: in.page(), Owner: someone(ctx), Room: in.Room})
		out := make([]SavedView, len(rows))
		for i := range rows {
			out[i] = SavedView{rows[i], owns(ctx, &rows[i])}
		}
		return out, next, err
	})
	get := op("/views/{id}", "get-view", "One saved view")
	get.Errors = append(get.Errors, http.StatusNotFound)
	s.router.need(get.Method+" "+get.Path, auth.PermRead)
	huma.Register(s.huma, get, func(ctx context.Context, in *byID) (*viewOut, error) {
		var v state.View
		err := s.dep.State.View(ctx, func(tx state.Tx) (err error) {
			v, err = seenView(ctx, tx, in.ID)
			return err
		})
		return s.shownView(ctx, v, err)
	})
	writeAnew(s, post("/views", "create-view", "Save a view"), auth.PermRead, s.createView)
	p := patch("/views/{id}", "change-view", "Rename a view, change what it shows, or share it")
	p.Errors = append(p.Errors, http.StatusForbidden)
	s.router.need(p.Method+" "+p.Path, auth.PermRead)
	huma.Register(s.huma, p, s.changeView)
	remove(s, "/views/{id}", "remove-view", "Remove a saved view", auth.PermRead, func(ctx context.Context, in *byID) (out SavedView, err error) {
		err = s.dep.State.Update(ctx, func(tx state.Tx) error {
			v, err := seenView(ctx, tx, in.ID)
			if err != nil {
				return err
			}
			if !owns(ctx, &v) {
				return notYours()
			}
			out = SavedView{v, true}
			return tx.Views().Remove(ctx, v.ID)
		})
		return out, err
	})
}

// owns reports whether the one who asks may change a view: it is theirs, or it is
// shared and they are an administrator.
func owns(ctx context.Context, v *state.View) bool {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return p.ID == v.Owner || v.Shared && p.May(auth.PermKeys)
}

func notYours() error {
	return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "this view belongs to somebody else: save it as your own"}
}

// seenView reads a view as the one who asks sees it: what is somebody else's and
// not shared is not there.
func seenView(ctx context.Context, tx state.Tx, id string) (state.View, error) {
	v, err := tx.Views().Get(ctx, id)
	if err == nil && !v.Shared && v.Owner != someone(ctx) {
		return state.View{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no view with this id"}
	}
	return v, err
}

func (s *server) shownView(ctx context.Context, v state.View, err error) (*viewOut, error) {
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &viewOut{tagOf(v.Edition), SavedView{v, owns(ctx, &v)}}, nil
}

// mayShare says why somebody may not show a view to everybody.
func mayShare(ctx context.Context) error {
	if p, _ := ctx.Value(principalKey).(auth.Principal); !p.May(auth.PermWork) {
		return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "shared: only who may work on alerts shows views to everybody"}
	}
	return nil
}

func (s *server) createView(ctx context.Context, in *ViewOrder) (SavedView, error) {
	v := state.View{Name: strings.TrimSpace(in.Name), Room: in.Room, Query: in.Query, Shared: in.Shared, Owner: someone(ctx), OwnerName: whoAsks(ctx)}
	if v.Name == "" {
		return SavedView{}, invalid("name: want some text")
	}
	if v.Shared {
		if err := mayShare(ctx); err != nil {
			return SavedView{}, err
		}
	}
	err := s.dep.State.Update(ctx, func(tx state.Tx) error {
		again := v
		err := tx.Views().Save(ctx, &again)
		if err == nil {
			v = again
		}
		return err
	})
	return SavedView{v, true}, err
}

func (s *server) changeView(ctx context.Context, in *viewPatched) (*viewOut, error) {
	if err := strict[ViewPatch](in.RawBody); err != nil {
		return nil, s.problem(ctx, err)
	}
	edition, given, err := editionOf(in.Match)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	var v state.View
	err = s.dep.State.Update(ctx, func(tx state.Tx) (err error) {
		if v, err = seenView(ctx, tx, in.ID); err != nil {
			return err
		}
		if !owns(ctx, &v) {
			return notYours()
		}
		if given && edition >= 0 && edition != v.Edition {
			return newProblem(ctx, http.StatusPreconditionFailed, "the view was changed elsewhere meanwhile: read it again")
		}
		if err := in.Body.onto(ctx, &v); err != nil {
			return err
		}
		return tx.Views().Save(ctx, &v)
	})
	return s.shownView(ctx, v, err)
}

// onto changes a view.
func (p *ViewPatch) onto(ctx context.Context, v *state.View) error {
	if p.Name != nil {
		if v.Name = strings.TrimSpace(*p.Name); v.Name == "" {
			return invalid("name: want some text")
		}
	}
	if p.Query != nil {
		v.Query = *p.Query
	}
	if p.Shared != nil && *p.Shared != v.Shared {
		if v.Shared = *p.Shared; v.Shared {
			return mayShare(ctx)
		}
	}
	return nil
}
