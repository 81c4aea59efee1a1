package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/ingest"
	"honeyguide/internal/state"
)

// plain registers a route that the library does not serve.
func (s *server) plain(pattern string, need auth.Permission, h http.HandlerFunc) {
	s.router.need(pattern, need)
	s.router.HandleFunc(pattern, h)
}

// health answers whether the core lives, whether it can work, and its figures.
func (s *server) health() {
	s.plain("GET /healthz", auth.PermOpen, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	s.plain("GET /readyz", auth.PermOpen, func(w http.ResponseWriter, r *http.Request) {
		reasons := []string{}
		if s.dep.Health != nil {
			reasons = append(reasons, s.dep.Health(r.Context())...)
		}
		status, word := http.StatusOK, "ready"
		if len(reasons) > 0 {
			status, word = http.StatusServiceUnavailable, "not_ready"
		}
		writeJSON(w, status, map[string]any{"status": word, "reasons": reasons})
	})
	s.plain("GET /metrics", auth.PermMetrics, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		if s.dep.Metrics == nil {
			return
		}
		if _, err := s.dep.Metrics.WriteTo(w); err != nil {
			s.dep.Log.DebugContext(r.Context(), "metrics were not taken to the end", "error", err)
		}
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the peer may be gone
}

// about is what the API says of itself.
type about struct {
	Version string   `json:"version"`
	Formats []string `json:"formats" doc:"what ingest reads"`
}

func (s *server) about() {
	read(s, op("/about", "about", "Version and abilities"), func(context.Context, *struct{}) (about, error) {
		return about{s.dep.Version, ingest.FormatNames(s.dep.Mappers)}, nil
	})
	s.plain("GET "+base+"/openapi.json", auth.PermRead, func(w http.ResponseWriter, r *http.Request) {
		doc, err := s.document()
		if err != nil {
			writeProblem(w, s.problem(r.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc) // the peer may be gone
	})
}

// document is the OpenAPI description, the same bytes every time.
func (s *server) document() ([]byte, error) {
	raw, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, raw, "", " ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

// OpenAPI returns the description of the API, as /api/v1/openapi.json has it.
func OpenAPI(dep Deps) ([]byte, error) {
	s, err := build(dep)
	if err != nil {
		return nil, err
	}
	return s.document()
}

// recording streams the asciicast of a session as a download.
func (s *server) recording() {
	o := op("/sessions/{id}/recording", "get-recording", "What a session looked like: asciicast version 3")
	o.Errors = append(o.Errors, http.StatusNotFound)
	o.Responses = map[string]*huma.Response{"200": {
		Description: "The recording. It holds what the attacker sent: show it with a player that is apart from the page.",
		Content:     map[string]*huma.MediaType{castType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
	s.router.need(o.Method+" "+o.Path, auth.PermRead)
	huma.Register(s.huma, o, func(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
		cast, err := s.openRecording(ctx, in.ID)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer cast.Close()
			c.SetHeader("Content-Type", castType)
			c.SetHeader("Content-Disposition", `attachment; filename="session.cast"`)
			c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
			if _, err := io.Copy(c.BodyWriter(), cast); err != nil {
				s.dep.Log.DebugContext(ctx, "recording was not taken to the end", "request_id", requestID(ctx), "error", err)
			}
		}}, nil
	})
}

const castType = "application/x-asciicast"

func (s *server) openRecording(ctx context.Context, id string) (io.ReadCloser, error) {
	var session honeyguide.Session
	err := s.dep.State.View(ctx, func(tx state.Tx) error {
		var err error
		session, err = tx.Sessions().Get(ctx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.dep.Recording == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "this session was not recorded"}
	}
	return s.dep.Recording(session.ID)
}
