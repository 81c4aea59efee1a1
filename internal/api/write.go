package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
)

// asked is a request with a JSON body. A field nobody knows is an error: in a
// request that changes something a typing error must not make it mean more.
type asked[T any] struct {
	ID      string `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
	Body    T
	RawBody []byte
}

// askedAnew is asked for a path without an id.
type askedAnew[T any] struct {
	Body    T
	RawBody []byte
}

// strict refuses what T has no field for.
func strict[T any](raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var v T
	if err := d.Decode(&v); err != nil {
		return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "body: a field this request does not have, or a value of the wrong kind", Err: err}
	}
	return nil
}

// post describes a route that writes.
func post(path, id, summary string) huma.Operation {
	o := op(path, id, summary)
	o.Method = http.MethodPost
	o.Errors = append(o.Errors, http.StatusUnprocessableEntity, http.StatusConflict)
	return o
}

// acting are the permissions whose requests take an Idempotency-Key. Answers that
// hold a secret are not among them: they must not be kept.
var acting = map[auth.Permission]bool{
	auth.PermWork: true, auth.PermRules: true, auth.PermTriage: true, auth.PermRespond: true, auth.PermApprove: true,
	auth.PermAllow: true, auth.PermHalt: true, auth.PermResume: true,
}

// write registers a route that takes a body, for a permission; path has an id.
func write[T, O any](s *server, o huma.Operation, need auth.Permission, f func(ctx context.Context, id string, in *T) (O, error)) {
	o.Errors = append(o.Errors, http.StatusNotFound)
	if acting[need] {
		o = s.acts(o)
	}
	s.router.need(o.Method+" "+o.Path, need)
	s.router.audits(o.Method + " " + o.Path)
	huma.Register(s.huma, o, func(ctx context.Context, in *asked[T]) (*body[O], error) {
		return done(s, ctx, in.RawBody, in.Body, func() (O, error) { return f(ctx, in.ID, &in.Body) }, strict[T])
	})
}

// writeAnew is write for a path without an id.
func writeAnew[T, O any](s *server, o huma.Operation, need auth.Permission, f func(ctx context.Context, in *T) (O, error)) {
	if acting[need] {
		o = s.acts(o)
	}
	s.router.need(o.Method+" "+o.Path, need)
	s.router.audits(o.Method + " " + o.Path)
	huma.Register(s.huma, o, func(ctx context.Context, in *askedAnew[T]) (*body[O], error) {
		return done(s, ctx, in.RawBody, in.Body, func() (O, error) { return f(ctx, &in.Body) }, strict[T])
	})
}

// done does what a body that was understood asks for, and writes down before that
// it was asked.
func done[O any](s *server, ctx context.Context, raw []byte, said any, f func() (O, error), check func([]byte) error) (*body[O], error) {
	if err := check(raw); err != nil {
		return nil, s.problem(ctx, err)
	}
	out, err := effect(ctx, s, said, f)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &body[O]{out}, nil
}

// whoAsks names the holder of the key.
func whoAsks(ctx context.Context) string {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return p.Name
}
