package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// A Story is what happened in a session, step by step.
type Story struct {
	Session   honeyguide.Session `json:"session"`
	CastBegin time.Time          `json:"cast_begin,omitzero" doc:"when its recording begins, to the second; absent without one"`
	Steps     []StoryStep        `json:"steps" doc:"oldest first"`
	Cut       bool               `json:"cut,omitempty" doc:"there are more steps: these are the newest two thousand"`
	Alerts    []StoryAlert       `json:"alerts" doc:"about the session, oldest first"`
}

// StoryStep is one event of a session.
type StoryStep struct {
	Event      string    `json:"event" doc:"id"`
	At         time.Time `json:"at"`
	OffsetMS   int64     `json:"offset_ms" doc:"since the session began"`
	CastS      *float64  `json:"cast_s,omitempty" doc:"seconds into the recording"`
	Activity   string    `json:"activity"`
	Text       string    `json:"text" doc:"the command line, the file, the login; an attacker's text"`
	Detail     string    `json:"detail,omitempty" doc:"a second text, such as the password"`
	Status     string    `json:"status,omitempty" doc:"exit or response status"`
	Severity   string    `json:"severity"`
	Techniques []string  `json:"techniques" doc:"ATT&CK ids of the event"`
	Alerts     []string  `json:"alerts" doc:"short ids of alerts that name it as evidence"`
	Token      string    `json:"token,omitempty" doc:"id of the honeytoken it touched"`
	Sample     string    `json:"sample,omitempty" doc:"SHA-256 of content it brought"`
}

// StoryAlert is an alert about a session in short.
type StoryAlert struct {
	ID         string    `json:"id"`
	Short      string    `json:"short"`
	Title      string    `json:"title"`
	Severity   string    `json:"severity"`
	At         time.Time `json:"at" doc:"of its first event"`
	OffsetMS   int64     `json:"offset_ms"`
	Techniques []string  `json:"techniques"`
}

// maxSteps bounds the steps of a session that are shown.
const maxSteps = 2000

type storyIn struct {
	ID  string `path:"id" maxLength:"128"`
	All bool   `query:"all" doc:"every event; else commands, logins, files, downloads, tokens and what else people look for"`
}

// dull are the activities that say little about what somebody did.
var dull = []string{honeyguide.ActivityConnect, honeyguide.ActivityClose, honeyguide.ActivityClient, honeyguide.ActivityFileList}

func (s *server) replay() {
	o := op("/sessions/{id}/commands", "list-session-steps", "What happened in a session step by step, with the time into its recording, techniques, alerts and tokens")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *storyIn) (Story, error) { return s.story(ctx, in.ID, in.All) })
	l := op("/sessions/{id}/log", "get-session-log", "What happened in a session as a text file; control characters are made visible")
	l.Errors = append(l.Errors, http.StatusNotFound)
	l.Responses = map[string]*huma.Response{"200": {
		Description: "The log, as an attachment.", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}},
	}}
	s.router.need(l.Method+" "+l.Path, auth.PermRead)
	huma.Register(s.huma, l, func(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
		story, err := s.story(ctx, in.ID, true)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			attachment(c, "text/plain; charset=utf-8", "session.log")
			story.write(c.BodyWriter())
		}}, nil
	})
}

// attachment sets the headers of a download under a name of ours.
func attachment(c huma.Context, kind, name string) {
	c.SetHeader("Content-Type", kind)
	c.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
	c.SetHeader("X-Content-Type-Options", "nosniff")
	c.SetHeader("Content-Security-Policy", "sandbox; default-src 'none'")
}

func (s *server) story(ctx context.Context, id string, all bool) (out Story, err error) {
	out.Steps, out.Alerts = []StoryStep{}, []StoryAlert{}
	evidence := map[string][]string{}
	err = s.dep.State.View(ctx, func(tx state.Tx) error {
		if out.Session, err = tx.Sessions().Get(ctx, id); err != nil {
			return err
		}
		alerts, _, err := tx.Alerts().List(ctx, state.AlertQuery{Session: out.Session.ID, Page: state.Page{Limit: 200}})
		for i := range slices.Backward(alerts) {
			a := &alerts[i]
			x := StoryAlert{ID: a.ID, Short: a.Short, Title: a.Title, Severity: a.Severity.String(), At: a.Time, OffsetMS: a.Time.Sub(out.Session.StartedAt).Milliseconds(), Techniques: ids(a.Attacks)}
			out.Alerts = append(out.Alerts, x)
			for _, e := range a.EventIDs {
				evidence[e] = append(evidence[e], a.Short)
			}
		}
		return err
	})
	if err != nil {
		return out, err
	}
	out.CastBegin = s.castBegin(&out.Session)
	ctx, done := context.WithTimeout(ctx, huntTime)
	defer done()
	for rec, err := range s.dep.Events.Find(ctx, eventlog.Query{Session: out.Session.ID}) {
		if err != nil {
			return out, eventError(err)
		}
		e := &rec.Event
		if !all && slices.Contains(dull, e.Activity) {
			continue
		}
		if out.Cut = len(out.Steps) == maxSteps; out.Cut {
			break
		}
		out.Steps = append(out.Steps, out.step(e, evidence[e.ID]))
	}
	slices.Reverse(out.Steps) // the log gives the newest first
	return out, nil
}

func ids(list []honeyguide.Technique) []string {
	out := []string{}
	for _, x := range list {
		if !slices.Contains(out, x.ID) {
			out = append(out, x.ID)
		}
	}
	return out
}

func (s *Story) step(e *honeyguide.Event, alerts []string) StoryStep {
	x := StoryStep{
		Event: e.ID, At: e.Time, OffsetMS: e.Time.Sub(s.Session.StartedAt).Milliseconds(), Activity: e.Activity, Severity: e.Severity.String(),
		Techniques: ids(e.Attacks), Alerts: append([]string{}, alerts...), Token: e.Str(honeyguide.AttrToken), Sample: e.Str(honeyguide.AttrSHA256),
	}
	if !s.CastBegin.IsZero() {
		at := max(e.Time.Sub(s.CastBegin).Seconds(), 0)
		x.CastS = &at
	}
	if v, ok := e.Attrs[honeyguide.AttrStatus]; ok {
		x.Status = eventlog.AttrText(v)
	}
	switch e.Activity {
	case honeyguide.ActivityLoginFailed, honeyguide.ActivityLoginSuccess:
		x.Text, x.Detail = e.Str(honeyguide.AttrUser), e.Str(honeyguide.AttrPassword)
		if x.Detail == "" {
			x.Detail = e.Str(honeyguide.AttrKeyFingerprint)
		}
		return x
	case honeyguide.ActivityRequest:
		x.Text, x.Detail = strings.TrimSpace(e.Str(honeyguide.AttrMethod)+" "+e.Str(honeyguide.AttrURL)), e.Str(honeyguide.AttrBody)
		return x
	}
	for _, name := range []string{honeyguide.AttrCommand, honeyguide.AttrURL, honeyguide.AttrPath, honeyguide.AttrClient, honeyguide.AttrDetail, honeyguide.AttrMessage, honeyguide.AttrToken} {
		if v := e.Str(name); v != "" && x.Text == "" {
			x.Text = v
		} else if v != "" && x.Detail == "" && (name == honeyguide.AttrDetail || name == honeyguide.AttrPath) {
			x.Detail = v
		}
	}
	return x
}

// castBegin returns when the recording of a session begins, zero without one.
func (s *server) castBegin(session *honeyguide.Session) time.Time {
	if s.dep.Recording == nil || session.Recording == "" {
		return time.Time{}
	}
	cast, err := s.dep.Recording(session.ID)
	if err != nil {
		return time.Time{}
	}
	defer cast.Close()
	line, err := bufio.NewReader(io.LimitReader(cast, 64<<10)).ReadBytes('\n')
	var head struct {
		Timestamp int64 `json:"timestamp"`
	}
	if err != nil || json.Unmarshal(line, &head) != nil || head.Timestamp <= 0 {
		return time.Time{}
	}
	return time.Unix(head.Timestamp, 0).UTC()
}

// write writes the story as lines of safe text.
func (s *Story) write(w io.Writer) {
	b := bufio.NewWriter(w)
	defer b.Flush() //nolint:errcheck // the peer may be gone
	x := &s.Session
	fmt.Fprintf(b, "session %s on %s (%s), from %s\nbegan %s\n", safetext.Term(x.ID), safetext.Term(x.Sensor), safetext.Term(x.Service), state.Addr(x.Src), x.StartedAt.Format(time.RFC3339))
	if s.Cut {
		fmt.Fprintf(b, "the first steps are left out\n")
	}
	for i := range s.Steps {
		e := &s.Steps[i]
		fmt.Fprintf(b, "%s +%9.3fs %-14s %s", e.At.Format(time.RFC3339), float64(e.OffsetMS)/1000, safetext.Term(e.Activity), safetext.Term(e.Text))
		if e.Detail != "" {
			fmt.Fprintf(b, " | %s", safetext.Term(e.Detail))
		}
		if e.Status != "" {
			fmt.Fprintf(b, " -> %s", safetext.Term(e.Status))
		}
		if len(e.Alerts) > 0 {
			fmt.Fprintf(b, " [%s]", safetext.Term(strings.Join(e.Alerts, " ")))
		}
		b.WriteByte('\n')
	}
}
