package pipeline

import (
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A sessionDelta is what one batch adds to one session.
type sessionDelta struct {
	add    honeyguide.Session // counts and lists of this batch alone
	closed bool
}

// A tally gathers the sessions of a batch.
type tally struct {
	by   map[string]*sessionDelta
	list []*sessionDelta // in the order of their first event
}

func newTally() *tally { return &tally{by: map[string]*sessionDelta{}} }

func (t *tally) at(id string) *sessionDelta {
	d := t.by[id]
	if d == nil {
		d = &sessionDelta{add: honeyguide.Session{ID: id}}
		t.by[id] = d
		t.list = append(t.list, d)
	}
	return d
}

// add counts an event into its session.
func (t *tally) add(e *honeyguide.Event) {
	if e.Session == "" {
		return
	}
	d := t.at(e.Session)
	s := &d.add
	if s.Events == 0 {
		s.Sensor, s.Service, s.Src, s.Dst, s.StartedAt, s.LastAt = e.Sensor, e.Service, e.Src, e.Dst, e.Time, e.Time
	}
	s.Events++
	s.StartedAt, s.LastAt = earlier(s.StartedAt, e.Time), later(s.LastAt, e.Time)
	s.Severity = max(s.Severity, e.Severity)
	switch e.Activity {
	case honeyguide.ActivityClose:
		d.closed = true
		s.EndedAt = later(s.EndedAt, e.Time)
	case honeyguide.ActivityClient:
		s.Client = e.Str(honeyguide.AttrClient)
	case honeyguide.ActivityLoginFailed:
		s.Logins++
	case honeyguide.ActivityLoginSuccess:
		s.Logins++
		s.User = e.Str(honeyguide.AttrUser)
	case honeyguide.ActivityCommand:
		s.Commands++
	case honeyguide.ActivityRequest:
		s.Requests++
		if s.Client == "" {
			s.Client = e.Str(honeyguide.AttrUserAgent)
		}
	}
	if id := e.Str(honeyguide.AttrSHA256); id != "" && e.Activity == honeyguide.ActivitySample && len(s.Samples) < honeyguide.MaxSampleList && !slices.Contains(s.Samples, id) {
		s.Samples = append(s.Samples, id)
	}
	if id := e.Str(honeyguide.AttrToken); id != "" && !slices.Contains(s.Tokens, id) {
		s.Tokens = append(s.Tokens, id)
	}
}

// alert lifts the session an alert is about to the alert's severity.
func (t *tally) alert(a *honeyguide.Alert) {
	if d := t.by[a.Session]; d != nil && a.Session != "" {
		d.add.Severity = max(d.add.Severity, a.Severity)
	}
}

// merge adds the delta to what is stored.
func (d *sessionDelta) merge(s honeyguide.Session) honeyguide.Session {
	a := &d.add
	if s.ID == "" {
		return *a
	}
	s.StartedAt, s.LastAt, s.EndedAt = earlier(s.StartedAt, a.StartedAt), later(s.LastAt, a.LastAt), later(s.EndedAt, a.EndedAt)
	s.Events, s.Logins, s.Commands, s.Requests = s.Events+a.Events, s.Logins+a.Logins, s.Commands+a.Commands, s.Requests+a.Requests
	s.Severity = max(s.Severity, a.Severity)
	if a.User != "" {
		s.User = a.User
	}
	if s.Client == "" {
		s.Client = a.Client
	}
	s.Tokens, s.Samples = united(s.Tokens, a.Tokens), united(s.Samples, a.Samples)
	return s
}

// united returns a with what only b has.
func united(a, b []string) []string {
	out := slices.Clone(a)
	for _, id := range b {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// saveSessions writes the sessions of a batch. cache spares reading those of
// the last batches; what is new for it is returned, to be kept after commit.
func (c *Consumer) saveSessions(ctx context.Context, tx state.Tx, list []*sessionDelta) ([]honeyguide.Session, error) {
	saved := make([]honeyguide.Session, 0, len(list))
	for _, d := range list {
		var old honeyguide.Session
		if known, ok := c.sessions.Peek(d.add.ID); ok {
			old = *known
		} else {
			var err error
			old, err = tx.Sessions().Get(ctx, d.add.ID)
			if err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
				return nil, err
			}
		}
		s := d.merge(old)
		if s.Recording == "" && c.dep.Recording != nil {
			s.Recording = c.dep.Recording(s.ID)
		}
		if err := tx.Sessions().Save(ctx, &s); err != nil {
			return nil, err
		}
		saved = append(saved, s)
	}
	return saved, nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
