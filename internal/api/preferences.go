package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// tagOf is the ETag of an edition, which counts changes.
func tagOf(edition int64) string { return `"` + strconv.FormatInt(edition, 10) + `"` }

// editionOf reads an If-Match: -1 for any ("*"), given is false without one.
// CodeInvalid for what is no tag of ours.
func editionOf(header string) (edition int64, given bool, err error) {
	header = strings.TrimSpace(header)
	switch {
	case header == "":
		return 0, false, nil
	case header == "*":
		return -1, true, nil
	}
	text := strings.TrimPrefix(header, "W/")
	n, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 64)
	if err != nil || n < 0 || tagOf(n) != text {
		return 0, true, newProblem(context.Background(), http.StatusPreconditionFailed, "If-Match: this is no ETag of this object: read it again")
	}
	return n, true, nil
}

// precondition turns the conflict of one who came second into what If-Match promises.
func precondition(ctx context.Context, err error) error {
	if honeyguide.ErrorCode(err) == honeyguide.CodeConflict {
		return newProblem(ctx, http.StatusPreconditionFailed, "it was changed elsewhere meanwhile: read it again")
	}
	return err
}

// someone returns the id by which things belong to the one who asks.
func someone(ctx context.Context) string {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return p.ID
}

type preferencesOut struct {
	ETag string `header:"ETag"`
	Body json.RawMessage
}

type preferencesIn struct {
	Match   string          `header:"If-Match" maxLength:"64" doc:"ETag of what was read; wanted once something is stored"`
	Body    json.RawMessage `contentType:"application/json"`
	RawBody []byte
}

// preferences registers what people keep about how they want to see things. It is
// an object of their own making, which nobody else reads.
func (s *server) preferences() {
	get := op("/me/preferences", "get-preferences", "What the one who asks prefers: an object the console makes, with an ETag")
	get.Tags = []string{"me"}
	s.router.need(get.Method+" "+get.Path, auth.PermRead)
	huma.Register(s.huma, get, func(ctx context.Context, _ *struct{}) (*preferencesOut, error) {
		var doc []byte
		var edition int64
		err := s.dep.State.View(ctx, func(tx state.Tx) (err error) {
			doc, edition, err = tx.Preferences().Get(ctx, someone(ctx))
			return err
		})
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		if len(doc) == 0 {
			doc = []byte("{}")
		}
		return &preferencesOut{tagOf(edition), doc}, nil
	})
	put := op("/me/preferences", "put-preferences", "Keep what the one who asks prefers: an object of at most 64 KiB, in place of the one If-Match names")
	put.Method, put.Tags, put.MaxBodyBytes = http.MethodPut, []string{"me"}, state.MaxPreferences+1
	put.Errors = append(put.Errors, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity)
	s.router.need(put.Method+" "+put.Path, auth.PermRead)
	huma.Register(s.huma, put, func(ctx context.Context, in *preferencesIn) (*preferencesOut, error) {
		doc, err := tidyObject(in.RawBody)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		edition, _, err := editionOf(in.Match) // without If-Match only what was never stored is written
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		err = s.dep.State.Update(ctx, func(tx state.Tx) (err error) {
			edition, err = tx.Preferences().Put(ctx, someone(ctx), doc, edition)
			return precondition(ctx, err)
		})
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &preferencesOut{tagOf(edition), doc}, nil
	})
}

// tidyObject returns a JSON object without blanks between its parts.
func tidyObject(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	if len(raw) > state.MaxPreferences {
		return nil, invalid("body: at most 64 KiB")
	}
	if err := json.Compact(&out, raw); err != nil || out.Len() == 0 || out.Bytes()[0] != '{' {
		return nil, invalid("body: want a JSON object")
	}
	return out.Bytes(), nil
}
