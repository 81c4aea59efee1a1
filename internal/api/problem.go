package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/client"
)

// A Problem is an error answer (RFC 9457).
type Problem struct {
	Type     string               `json:"type" doc:"kind of the failure, stable: urn:honeyguide:problem:<code>"`
	Title    string               `json:"title"`
	Status   int                  `json:"status"`
	Detail   string               `json:"detail,omitempty" doc:"what went wrong and what to do"`
	Instance string               `json:"instance,omitempty" doc:"id of the request, as in the log"`
	Errors   []ProblemItem        `json:"errors,omitempty" doc:"what is wrong with single fields"`
	Present  *Present             `json:"present,omitempty" doc:"what there is instead of what a change was decided upon"`
	Ingest   *client.IngestResult `json:"ingest,omitempty" doc:"what an ingest did before it failed"`
}

// Present is the state a change that came second would have met.
type Present struct {
	ETag string    `json:"etag,omitempty"`
	By   string    `json:"by,omitempty" doc:"who was first"`
	At   time.Time `json:"at,omitzero" doc:"and when"`
}

// A ProblemItem is what is wrong with one field.
type ProblemItem struct {
	Location string `json:"location" doc:"such as query.limit"`
	Message  string `json:"message"`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// codes names the kind of failure of each status that is sent.
var codes = map[int]honeyguide.Code{
	http.StatusBadRequest: honeyguide.CodeInvalid, http.StatusUnprocessableEntity: honeyguide.CodeInvalid,
	http.StatusRequestEntityTooLarge: honeyguide.CodeInvalid, http.StatusUnauthorized: "unauthenticated",
	http.StatusForbidden: honeyguide.CodeForbidden, http.StatusNotFound: honeyguide.CodeNotFound,
	http.StatusMethodNotAllowed: "method_not_allowed", http.StatusConflict: honeyguide.CodeConflict,
	http.StatusPreconditionFailed: honeyguide.CodeConflict, http.StatusPreconditionRequired: "precondition_required", http.StatusNotAcceptable: "not_acceptable", http.StatusRequestTimeout: "timeout",
	http.StatusMisdirectedRequest: "misdirected",
	http.StatusTooManyRequests:    "too_many_requests", http.StatusServiceUnavailable: honeyguide.CodeUnavailable,
	http.StatusInternalServerError: honeyguide.CodeInternal,
}

func newProblem(ctx context.Context, status int, detail string) *Problem {
	code, ok := codes[status]
	if !ok {
		code = honeyguide.CodeInternal
	}
	return &Problem{
		Type: "urn:honeyguide:problem:" + string(code), Title: http.StatusText(status), Status: status,
		Detail: detail, Instance: requestID(ctx),
	}
}

// humaProblem makes a problem of what the library found. The values it found
// fault with are left out.
func humaProblem(ctx context.Context, status int, msg string, errs []error) *Problem {
	p := newProblem(ctx, status, msg)
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			d := d.ErrorDetail()
			p.Errors = append(p.Errors, ProblemItem{Location: d.Location, Message: d.Message})
		}
	}
	return p
}

// statuses are the answers to errors a user may be told about.
var statuses = map[honeyguide.Code]int{
	honeyguide.CodeInvalid: http.StatusBadRequest, honeyguide.CodeNotFound: http.StatusNotFound,
	honeyguide.CodeConflict: http.StatusConflict, honeyguide.CodeForbidden: http.StatusForbidden,
	honeyguide.CodeUnavailable: http.StatusServiceUnavailable,
}

var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"`)

// problem makes the answer to an error. What is not for users goes to the log.
func (s *server) problem(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	e, ok := errors.AsType[*honeyguide.Error](err)
	if ok && statuses[e.Code] != 0 {
		if e.Err != nil {
			s.dep.Log.WarnContext(ctx, "request refused", "request_id", requestID(ctx), "error", e.Err)
		}
		message := e.Message
		if e.Code == honeyguide.CodeNotFound {
			// The state names what it was asked for, which came from the peer.
			message = quoted.ReplaceAllString(message, "with this id")
		}
		return newProblem(ctx, statuses[e.Code], message)
	}
	if ctx.Err() != nil {
		return newProblem(ctx, http.StatusServiceUnavailable, "the request was given up")
	}
	s.dep.Log.ErrorContext(ctx, "request failed", "request_id", requestID(ctx), "error", err)
	return newProblem(ctx, http.StatusInternalServerError, "something went wrong inside; the log has it under the request's id")
}

// writeProblem sends a problem from a plain handler.
func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the peer may be gone
}
