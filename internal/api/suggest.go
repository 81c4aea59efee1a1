package api

import (
	"context"
	"net/http"
	"slices"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/playbook"
	"honeyguide/internal/state"
)

// A Suggestion is a playbook and whether it fits an alert.
type Suggestion struct {
	ID      string          `json:"id"`
	Title   string          `json:"title"`
	Trigger string          `json:"trigger"`
	When    string          `json:"when,omitempty" doc:"its condition"`
	Mode    honeyguide.Mode `json:"mode" doc:"empty: what respond.mode says"`
	Fits    bool            `json:"fits" doc:"it would run for the incident of this alert, or runs by hand"`
	Why     string          `json:"why" doc:"why it fits or does not"`
	Steps   []string        `json:"steps" doc:"actions in order"`
	Asks    bool            `json:"asks" doc:"a step waits for people"`
	Ran     []string        `json:"ran" doc:"short ids of its runs for the incident"`
}

func (s *server) suggestions() {
	o := op("/alerts/{id}/playbooks", "suggest-playbooks", "Which playbooks fit an alert, which do not, and why")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byID) (p client.Page[Suggestion], err error) {
		p.Items = []Suggestion{}
		c, err := s.catalog()
		if err != nil {
			return p, err
		}
		f := &playbook.Facts{Trigger: playbook.TriggerIncident, Opened: true, Now: s.dep.Now().UTC(), Node: s.dep.Node}
		var runs []honeyguide.Run
		err = s.dep.State.View(ctx, func(tx state.Tx) error {
			a, err := tx.Alerts().Get(ctx, in.ID)
			if err != nil {
				return err
			}
			f.Alerts = []honeyguide.Alert{a}
			if a.Incident == "" {
				return nil
			}
			i, err := tx.Incidents().Get(ctx, a.Incident)
			if missing(err) != nil || err != nil {
				return missing(err)
			}
			f.Incident = &i
			if f.Plans, err = tx.Plans().ByIncident(ctx, i.ID); err != nil {
				return err
			}
			runs, _, err = tx.Runs().List(ctx, state.RunQuery{Incident: i.ID})
			return err
		})
		if err != nil {
			return p, err
		}
		entries := c.View().Entries
		for i := range entries {
			p.Items = append(p.Items, suggestion(&entries[i], f, runs))
		}
		slices.SortStableFunc(p.Items, func(a, b Suggestion) int {
			switch {
			case a.Fits == b.Fits:
				return 0
			case a.Fits:
				return -1
			}
			return 1
		})
		return p, nil
	})
}

func suggestion(b *playbook.Entry, f *playbook.Facts, runs []honeyguide.Run) Suggestion {
	x := Suggestion{ID: b.ID, Title: b.Title, Trigger: b.Trigger, Mode: b.Mode, Steps: []string{}, Ran: []string{}}
	if b.When != nil {
		x.When = b.When.String()
	}
	for i := range b.Steps {
		x.Steps = append(x.Steps, b.Steps[i].Action)
		x.Asks = x.Asks || b.Steps[i].Approval != nil
	}
	for i := range runs {
		if runs[i].Playbook == b.ID {
			x.Ran = append(x.Ran, runs[i].Short)
		}
	}
	x.Fits, x.Why = fits(b, f)
	return x
}

// fits says whether a playbook fits, and why, in words.
func fits(b *playbook.Entry, f *playbook.Facts) (bool, string) {
	switch {
	case b.Disabled:
		return false, "it is disabled"
	case b.Trigger == playbook.TriggerManual:
		return true, "it is begun by hand, for whatever a person chooses"
	case b.Trigger == playbook.TriggerSchedule:
		return false, "it runs by the clock, not for incidents"
	case f.Incident == nil:
		return false, "this alert belongs to no incident, and the playbook is about one"
	}
	ok, err := b.Matches(f)
	switch {
	case err != nil:
		return false, "its condition cannot be asked of this incident"
	case !ok:
		return false, "its condition does not hold for " + f.Incident.Short
	case b.Trigger == playbook.TriggerOpened:
		return true, "it runs when an incident such as " + f.Incident.Short + " is opened"
	case b.When == nil:
		return true, "it runs for every incident"
	}
	return true, "its condition holds for " + f.Incident.Short
}
