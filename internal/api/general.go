package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
)

// What holds for all routes: a mask of fields, spans of time by name, and changes
// that say which state they were decided upon. It happens before a route is
// served, because the library looks at inputs of one route each.

// general is what is known of one route.
type general struct {
	fields  map[string]bool // that an answer, or a row of its list, may have; nil: no mask
	spans   bool            // takes from and to
	guarded bool            // wants If-Match
}

// spanNames are ranges of time by name.
var spanNames = []string{"15m", "1h", "4h", "24h", "7d", "30d", "90d", "today", "yesterday"}

// guarded says that a change wants If-Match.
func (s *server) guarded(o huma.Operation) huma.Operation {
	s.guards[o.Method+" "+o.Path] = true
	o.Errors = append(o.Errors, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	return o
}

// learn reads what holds for each route out of the description of the API, and
// writes into it what it did not say.
func (s *server) learn() {
	doc := s.huma.OpenAPI()
	for path, item := range doc.Paths {
		for method, o := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PATCH": item.Patch, "PUT": item.Put, "DELETE": item.Delete} {
			if o == nil {
				continue
			}
			pattern := method + " " + path
			g := general{guarded: s.guards[pattern]}
			if method == "GET" {
				g.fields = fieldsOf(doc.Components.Schemas, o)
				has := func(name string) bool {
					return slices.ContainsFunc(o.Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
				}
				if has("fields") {
					g.fields = nil
				}
				if g.spans = has("from") && has("to") && !has("span"); g.spans {
					o.Parameters = append(o.Parameters, &huma.Param{
						Name: "span", In: "query", Description: "instead of from and to: the time until now, or a day (UTC)",
						Schema: &huma.Schema{Type: "string", Enum: anys(spanNames)},
					})
				}
			}
			if g.fields != nil {
				o.Parameters = append(o.Parameters, &huma.Param{
					Name: "fields", In: "query", Description: "only these fields of the answer, or of each of its items; comma-separated", Schema: &huma.Schema{Type: "string"},
				})
			}
			if g.guarded && !slices.ContainsFunc(o.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" }) {
				o.Parameters = append(o.Parameters, &huma.Param{
					Name: "If-Match", In: "header", Required: true, Description: "ETag of what the change was decided upon, or *: 412 when somebody has changed it since, 428 without one", Schema: &huma.Schema{Type: "string"},
				})
			}
			s.generals[pattern] = g
		}
	}
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// fieldsOf returns the names of the fields of an answer that is an object, or of
// the items of one that is a list.
func fieldsOf(registry huma.Registry, o *huma.Operation) map[string]bool {
	ok := o.Responses["200"]
	if ok == nil || ok.Content["application/json"] == nil {
		return nil
	}
	schema := resolved(registry, ok.Content["application/json"].Schema)
	if schema != nil && schema.Properties["items"] != nil && schema.Properties["next"] != nil {
		schema = resolved(registry, resolved(registry, schema.Properties["items"]).Items)
	}
	if schema == nil || len(schema.Properties) == 0 {
		return nil
	}
	out := map[string]bool{}
	for name := range schema.Properties {
		out[name] = true
	}
	return out
}

func resolved(registry huma.Registry, schema *huma.Schema) *huma.Schema {
	if schema != nil && schema.Ref != "" {
		return registry.SchemaFromRef(schema.Ref)
	}
	return schema
}

// generalRules applies to a request what holds for all routes, before its route is
// served. nil and a problem: it is not.
func (s *server) generalRules(r *http.Request, pattern string) (*http.Request, *Problem) {
	g := s.generals[pattern]
	ctx := r.Context()
	match := r.Header.Get("If-Match")
	switch {
	case g.guarded && match == "":
		return nil, newProblem(ctx, http.StatusPreconditionRequired, "this change wants If-Match: the ETag of what it was decided upon, or * for whatever is there")
	case match != "":
		ctx = context.WithValue(ctx, matchKey, match)
	}
	if r.URL.RawQuery == "" || g.fields == nil && !g.spans {
		return r.WithContext(ctx), nil
	}
	q := r.URL.Query()
	fields, span := q.Get("fields"), q.Get("span")
	if (g.fields == nil || !q.Has("fields")) && (!g.spans || span == "") {
		return r.WithContext(ctx), nil
	}
	if g.fields != nil && q.Has("fields") {
		mask := map[string]bool{}
		for name := range strings.SplitSeq(fields, ",") {
			if !g.fields[name] {
				return nil, newProblem(ctx, http.StatusBadRequest, "fields: this answer has no such field; the description of the API lists them")
			}
			mask[name] = true
		}
		ctx = context.WithValue(ctx, maskKey, mask)
		q.Del("fields")
	}
	if g.spans && span != "" {
		if q.Has("from") || q.Has("to") {
			return nil, newProblem(ctx, http.StatusBadRequest, "span: stands for from and to; leave them out")
		}
		from, to, ok := named(span, s.dep.Now().UTC())
		if !ok {
			return nil, newProblem(ctx, http.StatusBadRequest, "span: want one of "+strings.Join(spanNames, ", "))
		}
		q.Del("span")
		q.Set("from", from.Format(time.RFC3339Nano))
		if !to.IsZero() {
			q.Set("to", to.Format(time.RFC3339Nano))
		}
	}
	r = r.Clone(ctx)
	r.URL.RawQuery = q.Encode()
	return r, nil
}

// named returns a span of time by its name. A span until now is open at its end.
func named(name string, now time.Time) (from, to time.Time, ok bool) {
	midnight := now.Truncate(24 * time.Hour)
	switch name {
	case "today":
		return midnight, to, true
	case "yesterday":
		return midnight.AddDate(0, 0, -1), midnight, true
	}
	if !slices.Contains(spanNames, name) {
		return from, to, false
	}
	if days, whole := strings.CutSuffix(name, "d"); whole {
		var n int
		_, err := fmt.Sscanf(days, "%d", &n)
		return now.AddDate(0, 0, -n), to, err == nil
	}
	d, err := time.ParseDuration(name)
	return now.Add(-d), to, err == nil
}

// plainJSON writes v as the library does.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// etag names the present state of an object. Of what people edit it names what
// they decided: what grows by itself is no reason to refuse a change.
func etag(v any) string {
	switch x := v.(type) {
	case honeyguide.Alert:
		v = []any{x.ID, x.Status, x.Handled, x.Verdict, x.Suppression}
	case honeyguide.Suppression:
		x.Alerts, x.Events, x.LastAt = 0, 0, time.Time{}
		v = x
	case RuleText:
		v = []any{x.ID, x.Off, x.Text}
	}
	raw, _ := plainJSON(v) // what is answered always can
	sum := sha256.Sum256(raw)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// unchanged returns 412 when a change was decided upon another state than the
// present one, and says who was first.
func unchanged(ctx context.Context, now, by string, at time.Time) error {
	match, _ := ctx.Value(matchKey).(string)
	if match == "" || match == "*" || match == now {
		return nil
	}
	why := "it was changed since you read it; look at it again, then decide"
	if by != "" {
		why = fmt.Sprintf("%s was first: changed it at %s; look at it again, then decide", by, at.UTC().Format("15:04:05 MST"))
	}
	p := newProblem(ctx, http.StatusPreconditionFailed, why)
	p.Present = &Present{ETag: now, By: by, At: at}
	return p
}
