package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/playbook"
	"honeyguide/internal/state"
)

// A Playbook is one playbook in force, in short.
type Playbook struct {
	ID          string          `json:"id"`
	Title       string          `json:"title"`
	Description string          `json:"description,omitempty"`
	Version     string          `json:"version" doc:"first 12 digits of the SHA-256 of its text"`
	Trigger     string          `json:"trigger"`
	Schedule    string          `json:"schedule,omitempty"`
	NextAt      time.Time       `json:"next_at,omitzero" doc:"when its schedule comes next"`
	When        string          `json:"when,omitempty"`
	Mode        honeyguide.Mode `json:"mode" doc:"empty: what respond.mode says"`
	Origin      string          `json:"origin" enum:"shipped,own"`
	Replaces    bool            `json:"replaces,omitempty" doc:"stands in the place of a shipped one of this id"`
	Outdated    bool            `json:"outdated,omitempty" doc:"its file has a fault now; this is what it was before"`
	Disabled    bool            `json:"disabled,omitempty"`
	File        string          `json:"file"`
	Steps       int             `json:"steps"`
	Runs        int64           `json:"runs" doc:"so far, as far as they are kept"`
	OpenRuns    int64           `json:"open_runs" doc:"that are not over"`
}

// A PlaybookText is one playbook with all there is to know of it.
type PlaybookText struct {
	Playbook
	Inputs      []playbook.Input        `json:"inputs"`
	Concurrency int                     `json:"concurrency,omitempty" doc:"runs at a time"`
	PerHour     int                     `json:"per_hour,omitempty" doc:"runs an hour"`
	StepList    []honeyguide.RunStep    `json:"step_list" doc:"as a run would begin with them"`
	Text        string                  `json:"text" doc:"the file"`
	Versions    []state.PlaybookVersion `json:"versions" doc:"all texts it had, newest first, without the texts"`
}

// catalog returns the playbooks.
func (s *server) catalog() (*playbook.Catalog, error) {
	if s.dep.Playbooks == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "there are no playbooks here"}
	}
	return s.dep.Playbooks, nil
}

func (s *server) playbooks() {
	read(s, op("/playbooks", "list-playbooks", "Playbooks in force, by id"), s.listPlaybooks)
	read(s, op("/playbooks/faults", "list-playbook-faults", "What is wrong in the files of playbooks, by file and line"), func(_ context.Context, in *struct{ Paging }) (client.Page[playbook.Fault], error) {
		c, err := s.catalog()
		if err != nil {
			return client.Page[playbook.Fault]{}, err
		}
		return cutPage(c.View().Faults, in.Paging)
	})
	o := op("/playbooks/{id}", "get-playbook", "One playbook with its text, or an older text of it")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, s.getPlaybook)
	o = post("/playbooks/test", "test-playbooks", "What playbooks would have done to the stored incidents; nothing is changed")
	o.Errors = append(o.Errors, http.StatusNotFound)
	writeAnew(s, o, auth.PermWork, s.testPlaybooks)
}

func (s *server) listPlaybooks(ctx context.Context, in *struct{ Paging }) (out client.Page[Playbook], err error) {
	c, err := s.catalog()
	if err != nil {
		return out, err
	}
	entries, err := cutPage(c.View().Entries, in.Paging)
	if err != nil {
		return out, err
	}
	out.Next, out.Items = entries.Next, make([]Playbook, 0, len(entries.Items))
	err = s.dep.State.View(ctx, func(tx state.Tx) error {
		out.Items = out.Items[:0]
		for i := range entries.Items {
			p, err := s.playbook(ctx, tx, &entries.Items[i])
			if err != nil {
				return err
			}
			out.Items = append(out.Items, p)
		}
		return nil
	})
	return out, err
}

// playbook shows an entry with the number of its runs.
func (s *server) playbook(ctx context.Context, tx state.Tx, e *playbook.Entry) (Playbook, error) {
	p := Playbook{
		ID: e.ID, Title: e.Title, Description: e.Description, Version: e.Version, Trigger: e.Trigger, Mode: e.Mode, Origin: e.Origin,
		Replaces: e.Replaces, Outdated: e.Outdated, Disabled: e.Disabled, File: e.File, Steps: len(e.Steps),
	}
	if e.When != nil {
		p.When = e.When.String()
	}
	if e.Schedule != nil {
		p.Schedule, p.NextAt = e.Schedule.String(), e.Schedule.Next(s.dep.Now())
	}
	var err error
	if p.Runs, err = tx.Runs().Since(ctx, e.ID, time.Time{}); err != nil {
		return p, err
	}
	p.OpenRuns, err = tx.Runs().Count(ctx, e.ID)
	return p, err
}

type playbookIn struct {
	ID      string `path:"id" maxLength:"128" doc:"of the playbook"`
	Version string `query:"version" maxLength:"64" doc:"or the beginning of it; the one in force when absent"`
}

func (s *server) getPlaybook(ctx context.Context, in *playbookIn) (out PlaybookText, err error) {
	c, err := s.catalog()
	if err != nil {
		return out, err
	}
	var entry *playbook.Entry
	for _, e := range c.View().Entries {
		if e.ID == in.ID {
			entry = &e
		}
	}
	err = s.dep.State.View(ctx, func(tx state.Tx) (err error) {
		if out.Versions, err = tx.Playbooks().Versions(ctx, in.ID); err != nil {
			return err
		}
		e := entry
		if e == nil || in.Version != "" {
			old, err := tx.Playbooks().Get(ctx, in.ID, in.Version)
			if err != nil {
				return err
			}
			if e == nil || e.Version != old.Version {
				e = formerly(&old)
			}
		}
		if out.Playbook, err = s.playbook(ctx, tx, e); err != nil {
			return err
		}
		out.Inputs, out.Text, out.Concurrency, out.PerHour = append([]playbook.Input{}, e.Inputs...), e.Text, e.Concurrency, e.PerHour
		out.StepList = e.Start(&playbook.Facts{Now: s.dep.Now()}).Steps
		return nil
	})
	return out, err
}

// formerly is a version that is not in force. A text this program does not
// understand any more is shown as a text.
func formerly(v *state.PlaybookVersion) *playbook.Entry {
	b, err := playbook.Parse(v.File, []byte(v.Text))
	if err != nil {
		b = &playbook.Playbook{ID: v.Playbook, Title: v.Title, Version: v.Version, Text: v.Text, File: v.File}
	}
	return &playbook.Entry{Playbook: b, Origin: v.Origin, Outdated: true}
}

// A PlaybookTest asks what playbooks would have done.
type playbookTest struct {
	Playbook string    `json:"playbook,omitempty" maxLength:"128" doc:"id of one in force; all when both are absent"`
	Text     string    `json:"text,omitempty" maxLength:"65536" doc:"or the text of one that need not be in force"`
	File     string    `json:"file,omitempty" maxLength:"256" doc:"what to call it in messages"`
	From     time.Time `json:"from,omitzero" doc:"incidents opened not before; thirty days ago when absent"`
	To       time.Time `json:"to,omitzero" doc:"and before; now when absent"`
}

// trialTime bounds a test, so that it answers within the write timeout.
const trialTime = 8 * time.Second

func (s *server) testPlaybooks(ctx context.Context, in *playbookTest) (out playbook.TrialResult, err error) {
	c, err := s.catalog()
	if err != nil {
		return out, err
	}
	now := s.dep.Now().UTC()
	t := playbook.Trial{Actions: c.Actions(), From: in.From, To: in.To}
	if t.To.IsZero() {
		t.To = now
	}
	if t.From.IsZero() {
		t.From = t.To.AddDate(0, 0, -30)
	}
	if !t.From.Before(t.To) {
		return out, invalid("from: want a time before to")
	}
	if t.Books, err = tried(c, in); err != nil {
		return out, err
	}
	end := now.Add(trialTime)
	t.Enough = func() bool { return s.dep.Now().After(end) || ctx.Err() != nil }
	return t.Run(ctx, s.dep.State)
}

// tried returns the playbooks a test is about.
func tried(c *playbook.Catalog, in *playbookTest) ([]*playbook.Playbook, error) {
	switch {
	case in.Text != "" && in.Playbook != "":
		return nil, invalid("playbook, text: want one of them")
	case in.Text != "":
		name := in.File
		if name == "" {
			name = "text"
		}
		b, err := playbook.Parse(name, []byte(in.Text))
		if err != nil {
			return nil, err
		}
		if bad := playbook.CheckActions(b, c.Actions()); len(bad) > 0 {
			return nil, invalid(bad[0].String())
		}
		return []*playbook.Playbook{b}, nil
	case in.Playbook != "":
		b, ok := c.Shelf().Get(in.Playbook)
		if !ok {
			return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no playbook with this id; " + strconv.Itoa(len(c.Shelf().List())) + " are in force"}
		}
		return []*playbook.Playbook{b}, nil
	}
	return c.Shelf().List(), nil
}
