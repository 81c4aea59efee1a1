package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/incident"
	"honeyguide/internal/state"
	"honeyguide/internal/verdict"
)

// PassIncident passes a verdict for a desk.
func PassIncident(ctx context.Context, tx state.Tx, id string, v honeyguide.Verdict, overwrite bool) (honeyguide.Incident, error) {
	in, _, err := verdict.PassIncident(ctx, tx, id, v, overwrite)
	return in, err
}

// withPlans shows what was done about an incident beside it.
func withPlans(ctx context.Context, tx state.Tx, in *honeyguide.Incident) (err error) {
	in.Plans, err = tx.Plans().ByIncident(ctx, in.ID)
	if in.Plans == nil {
		in.Plans = []honeyguide.Plan{}
	}
	return err
}

// tagged is an incident and by what a later change names this state of it.
type tagged struct {
	ETag string `header:"ETag" doc:"updated_at in quotes; If-Match of a change takes it"`
	Body honeyguide.Incident
}

func (s *server) oneIncident() {
	o := op("/incidents/{id}", "get-incident", "One incident with its plans")
	o.Errors = append(o.Errors, http.StatusNotFound)
	s.router.need(o.Method+" "+o.Path, auth.PermRead)
	huma.Register(s.huma, o, func(ctx context.Context, in *byID) (*tagged, error) {
		var i honeyguide.Incident
		err := s.dep.State.View(ctx, func(tx state.Tx) (err error) {
			if i, err = tx.Incidents().Get(ctx, in.ID); err != nil {
				return err
			}
			return withPlans(ctx, tx, &i)
		})
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &tagged{client.Tag(i.UpdatedAt), i}, nil
	})
}

// Seen says which state of an incident a change was decided upon.
type Seen struct {
	Match string `header:"If-Match" maxLength:"64" doc:"ETag of the incident as it was seen, which is its updated_at in quotes: 412 when somebody has changed it since; * for whatever it is; 428 without one"`
}

// incidentPatched is a change of something that others may change, too.
type incidentPatched struct {
	Seen
	ID      string `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
	Body    client.IncidentPatch
	RawBody []byte
}

// taskPatched is that for a task.
type taskPatched struct {
	Seen
	ID      string `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
	Task    string `path:"task" maxLength:"16" doc:"T-1"`
	Body    client.TaskPatch
	RawBody []byte
}

// seen reads If-Match.
func (p Seen) seen() (time.Time, error) {
	text := strings.Trim(strings.TrimPrefix(p.Match, "W/"), `"`)
	if text == "" || text == "*" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "If-Match: want updated_at of the incident in quotes, as ETag has it"}
	}
	return t, nil
}

// patch describes a route that changes a part.
func patch(path, id, summary string) huma.Operation {
	o := post(path, id, summary)
	o.Method = http.MethodPatch
	o.Errors = append(o.Errors, http.StatusNotFound, http.StatusPreconditionFailed)
	return o
}

// late turns the conflict of one who came second into what If-Match promises.
func (s *server) late(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*honeyguide.Error](err); ok && errors.Is(err, incident.ErrStale) {
		p := newProblem(ctx, http.StatusPreconditionFailed, e.Message)
		if by, ok := errors.AsType[*incident.Stale](err); ok {
			p.Present = &Present{ETag: client.Tag(by.UpdatedAt), By: by.By, At: by.At}
		}
		return p
	}
	return err
}

func (s *server) incidentWork() {
	o := s.guarded(patch("/incidents/{id}", "change-incident", "Move its phase, give it to somebody, hold it, judge it, comment on it: all of it or nothing"))
	s.router.need(o.Method+" "+o.Path, auth.PermWork)
	s.router.audits(o.Method + " " + o.Path)
	huma.Register(s.huma, o, func(ctx context.Context, in *incidentPatched) (*tagged, error) {
		out, err := done(s, ctx, in.RawBody, in.Body, func() (honeyguide.Incident, error) { return s.changeIncident(ctx, in) }, strict[client.IncidentPatch])
		if err != nil {
			return nil, err
		}
		return &tagged{client.Tag(out.Body.UpdatedAt), out.Body}, nil
	})
	write(s, post("/incidents/{id}/comments", "comment-incident", "Write into its timeline"), auth.PermWork, func(ctx context.Context, id string, in *client.Comment) (honeyguide.TimelineEntry, error) {
		return s.dep.Desk.Comment(ctx, id, whoAsks(ctx), in.Text)
	})
	write(s, post("/incidents/{id}/tasks", "add-task", "Ask for something to be done"), auth.PermWork, func(ctx context.Context, id string, in *client.NewTask) (honeyguide.Task, error) {
		_, t, err := s.dep.Desk.AddTask(ctx, id, honeyguide.Task{Title: in.Title, Owner: in.Owner, DueAt: in.DueAt, By: whoAsks(ctx)})
		return t, err
	})
	t := s.guarded(patch("/incidents/{id}/tasks/{task}", "change-task", "Say that a task is done, or give it to somebody"))
	s.router.need(t.Method+" "+t.Path, auth.PermWork)
	s.router.audits(t.Method + " " + t.Path)
	huma.Register(s.huma, t, func(ctx context.Context, in *taskPatched) (*body[honeyguide.Task], error) {
		return done(s, ctx, in.RawBody, in.Body, func() (honeyguide.Task, error) {
			seen, err := in.seen()
			if err != nil {
				return honeyguide.Task{}, err
			}
			b := in.Body
			_, task, err := s.dep.Desk.ChangeTask(ctx, in.ID, in.Task, incident.TaskChange{By: whoAsks(ctx), Seen: seen, Done: b.Done, Owner: b.Owner, Title: b.Title, DueAt: b.DueAt})
			return task, s.late(ctx, err)
		}, strict[client.TaskPatch])
	})
	s.incidentViews()
}

func (s *server) changeIncident(ctx context.Context, in *incidentPatched) (out honeyguide.Incident, err error) {
	seen, err := in.seen()
	if err != nil {
		return out, err
	}
	b := in.Body
	out, err = s.dep.Desk.Change(ctx, in.ID, incident.Change{
		By: whoAsks(ctx), Reason: b.Reason, Seen: seen, Phase: b.Phase, Owner: b.Owner, Hold: b.Hold, Acknowledge: b.Acknowledge,
		Verdict: b.Verdict, Overwrite: b.Overwrite, Comment: b.Comment,
	})
	if err != nil {
		return out, s.late(ctx, err)
	}
	if b.Verdict != "" && s.dep.Judged != nil {
		s.dep.Judged()
	}
	s.dep.Log.InfoContext(ctx, "incident changed", "incident", out.Short, "phase", string(out.Phase), "by", whoAsks(ctx), "request_id", requestID(ctx))
	err = s.dep.State.View(ctx, func(tx state.Tx) error { return withPlans(ctx, tx, &out) })
	return out, err
}

type timelineIn struct {
	Paging
	ID    string   `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
	Order string   `query:"order" enum:"newest,oldest" default:"newest" doc:"which comes first"`
	Kind  []string `query:"kind" enum:"alert,phase,owner,verdict,comment,task,run,act,escalation,merge,evidence,token,session" doc:"one of, comma-separated"`
}

type exportIn struct {
	ID     string `path:"id" maxLength:"128" doc:"id, or the short form where there is one"`
	Format string `query:"format" enum:"markdown,json,pdf" default:"markdown"`
}

func (s *server) incidentViews() {
	o := op("/incidents/{id}/timeline", "list-timeline", "All that happened in an incident and because of it, by when it happened")
	o.Errors = append(o.Errors, http.StatusNotFound)
	list(s, o, func(ctx context.Context, tx state.Tx, in *timelineIn) ([]honeyguide.TimelineEntry, string, error) {
		return incident.Timeline(ctx, tx, in.ID, incident.TimelineQuery{Page: in.page(), Oldest: in.Order == "oldest", Kinds: in.Kind})
	})
	one(s, op("/incidents/{id}/linked", "list-linked", "What an incident is about: indicators, attackers, sessions, honeytokens, samples"), incident.Linked)
	s.exportIncident()
}

// exportIncident hands a dossier out as a file.
func (s *server) exportIncident() {
	o := op("/incidents/{id}/export", "export-incident", "All about an incident in one document")
	o.Errors = append(o.Errors, http.StatusNotFound)
	content := map[string]*huma.MediaType{}
	for _, f := range incident.Formats() {
		content[f.Type] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: "The document, as an attachment.", Content: content}}
	s.router.need(o.Method+" "+o.Path, auth.PermRead)
	huma.Register(s.huma, o, func(ctx context.Context, in *exportIn) (*huma.StreamResponse, error) {
		var d incident.Dossier
		err := s.dep.State.View(ctx, func(tx state.Tx) (err error) {
			d, err = incident.Gather(ctx, tx, in.ID, whoAsks(ctx), s.dep.Now())
			return err
		})
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		doc, f, err := d.Write(in.Format)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		s.dep.Log.InfoContext(ctx, "incident exported", "incident", d.Incident.Short, "format", f.Name, "by", whoAsks(ctx), "request_id", requestID(ctx))
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", f.Type)
			c.SetHeader("Content-Disposition", `attachment; filename="`+d.Incident.Short+f.Ending+`"`)
			c.SetHeader("X-Content-Type-Options", "nosniff")
			c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
			if _, err := c.BodyWriter().Write(doc); err != nil {
				s.dep.Log.DebugContext(ctx, "dossier was not taken to the end", "request_id", requestID(ctx), "error", err)
			}
		}}, nil
	})
}
