package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/personal"
	"honeyguide/internal/privacy"
)

// erasePatience is how long a request waits for an erasure to come to its end.
const erasePatience = 8 * time.Second

// A PrivacyDesk answers requests of people about their data.
type PrivacyDesk interface {
	Find(ctx context.Context, s personal.Subject) ([]privacy.Found, error)
	Export(ctx context.Context, s personal.Subject, w io.Writer) error
	Why(ctx context.Context, s personal.Subject) (string, error)
	Erase(ctx context.Context, s personal.Subject, reason string) (privacy.Erasure, error)
	Wait(ctx context.Context, id string, patience time.Duration) (privacy.Erasure, error)
	Erasures(ctx context.Context) ([]privacy.Erasure, error)
	Erasure(ctx context.Context, id string) (privacy.Erasure, error)
	Retention(ctx context.Context) ([]privacy.Kept, error)
	ForgetKey(ctx context.Context) error
}

func (s *server) privacyDesk() (PrivacyDesk, error) {
	if s.dep.Privacy == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "requests about personal data cannot be answered here"}
	}
	return s.dep.Privacy, nil
}

// privacy registers what data requests are answered with. Whose data it is stands
// in bodies only: paths and queries end up in logs.
func (s *server) privacy() {
	s.privacyFind()
	s.privacyExport()
	writeAnew(s, post("/privacy/erasures", "erase", "Erase what is held about somebody; it is finished whatever happens"), auth.PermPrivacy,
		func(ctx context.Context, in *client.EraseOrder) (client.Erasure, error) {
			d, err := s.privacyDesk()
			if err != nil {
				return client.Erasure{}, err
			}
			who, err := personal.Parse(in.Subject.Reveal())
			if err != nil {
				return client.Erasure{}, err
			}
			e, err := d.Erase(ctx, who, in.Reason)
			if err != nil {
				return client.Erasure{}, err
			}
			e, err = d.Wait(ctx, e.ID, erasePatience)
			return erasure(e), err
		})
	act(s, op("/privacy/erasures", "list-erasures", "What was erased, newest first: hashes and counts, nobody's data"), auth.PermPrivacy,
		func(ctx context.Context, _ *struct{}) (client.Page[client.Erasure], error) {
			p := client.Page[client.Erasure]{Items: []client.Erasure{}}
			d, err := s.privacyDesk()
			if err != nil {
				return p, err
			}
			list, err := d.Erasures(ctx)
			for _, e := range list {
				p.Items = append(p.Items, erasure(e))
			}
			return p, err
		})
	one := op("/privacy/erasures/{id}", "get-erasure", "How an erasure stands")
	one.Errors = append(one.Errors, http.StatusNotFound)
	act(s, one, auth.PermPrivacy, func(ctx context.Context, in *byID) (client.Erasure, error) {
		d, err := s.privacyDesk()
		if err != nil {
			return client.Erasure{}, err
		}
		e, err := d.Erasure(ctx, in.ID)
		return erasure(e), err
	})
	writeAnew(s, post("/privacy/forget-key", "forget-pseudonym-key", "Destroy the key of pseudonyms: nobody can tell any more whom those there are stand for"), auth.PermPrivacy,
		func(ctx context.Context, _ *client.ForgetKeyOrder) (client.KeyForgotten, error) {
			d, err := s.privacyDesk()
			if err != nil {
				return client.KeyForgotten{}, err
			}
			return client.KeyForgotten{At: s.dep.Now().UTC()}, d.ForgetKey(ctx)
		})
	act(s, op("/privacy/retention", "list-retention", "How long each class of data is kept, and how it stands"), auth.PermRead,
		func(ctx context.Context, _ *struct{}) (client.Page[client.RetentionRow], error) {
			p := client.Page[client.RetentionRow]{Items: []client.RetentionRow{}}
			d, err := s.privacyDesk()
			if err != nil {
				return p, err
			}
			list, err := d.Retention(ctx)
			for _, k := range list {
				p.Items = append(p.Items, client.RetentionRow(k))
			}
			return p, err
		})
}

func erasure(e privacy.Erasure) client.Erasure {
	return client.Erasure{
		ID: e.ID, Kind: string(e.Kind), Hash: e.Hash, Mark: e.Mark, State: e.State, Reason: e.Reason, At: e.At, Ended: e.Ended, Counts: e.Counts, Left: e.Left, Error: e.Error,
	}
}

type privacyIn struct {
	Body client.PrivacyOrder
}

// searching gives a search through everything its time: the answer comes at its end.
func searching(c huma.Context) io.Writer {
	w := c.BodyWriter()
	if rw, ok := w.(http.ResponseWriter); ok {
		_ = http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(longest)) // over no connection there is none
	}
	return w
}

func (s *server) privacyFind() {
	o := post("/privacy/find", "find-personal", "How much is held about somebody, by class")
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[client.PrivacyFound](), true, "")},
	}}}
	s.router.need(o.Method+" "+o.Path, auth.PermPrivacy)
	huma.Register(s.huma, o, func(ctx context.Context, in *privacyIn) (*huma.StreamResponse, error) {
		d, who, err := s.aboutWhom(in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			w := searching(c)
			out := client.PrivacyFound{Kind: string(who.Kind), Found: []client.PrivacyRow{}}
			list, err := d.Find(ctx, who)
			if err == nil {
				out.Keeps, err = d.Why(ctx, who)
			}
			if err != nil {
				s.dep.Log.WarnContext(ctx, "search for personal data ended early", "request_id", requestID(ctx), "error", err)
				p := s.problem(ctx, err)
				c.SetHeader("Content-Type", "application/problem+json")
				c.SetStatus(p.GetStatus())
				_ = json.NewEncoder(w).Encode(p) // the peer is gone
				return
			}
			for _, f := range list {
				out.Found = append(out.Found, client.PrivacyRow{Class: string(f.Class), What: f.What, N: f.N})
			}
			c.SetHeader("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(out) // the peer is gone
		}}, nil
	})
}

func (s *server) aboutWhom(in *privacyIn) (PrivacyDesk, personal.Subject, error) {
	d, err := s.privacyDesk()
	if err != nil {
		return nil, personal.Subject{}, err
	}
	who, err := personal.Parse(in.Body.Subject.Reveal())
	return d, who, err
}

func (s *server) privacyExport() {
	o := post("/privacy/export", "export-personal", "Everything held about somebody, as a zip archive of JSON lines")
	o.Responses = map[string]*huma.Response{"200": {Description: "The archive, as an attachment.", Content: map[string]*huma.MediaType{
		"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}}
	s.router.need(o.Method+" "+o.Path, auth.PermPrivacy)
	huma.Register(s.huma, o, func(ctx context.Context, in *privacyIn) (*huma.StreamResponse, error) {
		d, who, err := s.aboutWhom(in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "application/zip")
			c.SetHeader("Content-Disposition", `attachment; filename="personal-data.zip"`)
			c.SetHeader("X-Content-Type-Options", "nosniff")
			c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
			if err := d.Export(ctx, who, searching(c)); err != nil {
				s.dep.Log.WarnContext(ctx, "personal data was not exported to the end", "request_id", requestID(ctx), "error", err)
				panic(http.ErrAbortHandler) // half an archive must not look like a whole one
			}
		}}, nil
	})
}
