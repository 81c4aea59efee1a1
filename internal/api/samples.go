package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/evidence"
	"honeyguide/internal/state"
)

// SampleStore opens what attackers brought. [evidence.Samples] is one.
type SampleStore interface {
	// Content is the content itself, Sealed what lies on the disk, encrypted.
	// CodeNotFound when it is not kept.
	Content(id string) (io.ReadCloser, error)
	Sealed(id string) (io.ReadCloser, error)
}

type samplesIn struct {
	Paging
	Type    string `query:"type" maxLength:"32" doc:"first word of the type: elf, script, pe, archive, text, ..."`
	Session string `query:"session" maxLength:"64" doc:"that brought it"`
}

func (s *server) samples() {
	list(s, op("/samples", "list-samples", "What attackers brought, newest first"), func(ctx context.Context, tx state.Tx, in *samplesIn) ([]honeyguide.Sample, string, error) {
		return tx.Samples().List(ctx, state.SampleQuery{Page: in.page(), Type: in.Type, Session: in.Session})
	})
	one(s, op("/samples/{id}", "get-sample", "One sample, by its SHA-256 or the first 8 digits of it or more"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Sample, error) {
		return tx.Samples().Get(ctx, id)
	})
	o := op("/samples/{id}/sightings", "list-sightings", "When a sample was brought, newest first: the last hundred")
	o.Errors = append(o.Errors, http.StatusNotFound)
	list(s, o, func(ctx context.Context, tx state.Tx, in *byID) ([]honeyguide.Sighting, string, error) {
		sample, err := tx.Samples().Get(ctx, in.ID)
		if err != nil {
			return nil, "", err
		}
		all, err := tx.Samples().Sightings(ctx, sample.ID)
		return all, "", err
	})
	s.sampleContent()
	s.typing()
}

type contentIn struct {
	ID   string `path:"id" maxLength:"128" doc:"SHA-256, or the first 8 digits of it or more"`
	Form string `query:"form" enum:"sealed,raw" default:"sealed" doc:"sealed: as it lies on the disk, encrypted with age; raw: the malware itself"`
}

// sampleContent hands the content out: never under a name or a type that
// anything would run or show it by.
func (s *server) sampleContent() {
	o := op("/samples/{id}/content", "get-sample-content", "The content of a sample. It is malware")
	o.Errors = append(o.Errors, http.StatusNotFound)
	o.Responses = map[string]*huma.Response{"200": {
		Description: "The content, as an attachment.",
		Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
	s.router.need(o.Method+" "+o.Path, auth.PermSamples)
	huma.Register(s.huma, o, func(ctx context.Context, in *contentIn) (*huma.StreamResponse, error) {
		sample, content, err := s.openSample(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		who, _ := ctx.Value(principalKey).(auth.Principal)
		s.dep.Log.InfoContext(ctx, "sample taken", "sample", sample.ID, "form", in.Form, "by", who.Name, "request_id", requestID(ctx))
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer content.Close()
			ending := map[string]string{"sealed": ".age", "raw": ".sample"}[in.Form]
			c.SetHeader("Content-Type", "application/octet-stream")
			c.SetHeader("Content-Disposition", `attachment; filename="`+sample.ID+ending+`"`)
			c.SetHeader("X-Content-Type-Options", "nosniff")
			c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
			if _, err := io.Copy(c.BodyWriter(), content); err != nil {
				s.dep.Log.DebugContext(ctx, "sample was not taken to the end", "request_id", requestID(ctx), "error", err)
			}
		}}, nil
	})
}

func (s *server) openSample(ctx context.Context, in *contentIn) (sample honeyguide.Sample, content io.ReadCloser, err error) {
	err = s.dep.State.View(ctx, func(tx state.Tx) error {
		sample, err = tx.Samples().Get(ctx, in.ID)
		return err
	})
	switch {
	case err != nil:
		return sample, nil, err
	case s.dep.Sample == nil:
		return sample, nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "no content is kept here"}
	case in.Form == "raw":
		content, err = s.dep.Sample.Content(sample.ID)
	default:
		content, err = s.dep.Sample.Sealed(sample.ID)
	}
	return sample, content, err
}

// typing tells how a session's input came.
func (s *server) typing() {
	o := op("/sessions/{id}/typing", "get-typing", "How a session's input came: what tells a person from a program")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byID) (evidence.Typing, error) {
		cast, err := s.openRecording(ctx, in.ID)
		if err != nil {
			return evidence.Typing{}, err
		}
		defer cast.Close()
		return evidence.ReadTyping(cast)
	})
}
