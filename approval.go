package honeyguide

import (
	"slices"
	"strings"
	"time"
)

// TriggerManual is the trigger of runs that a person began.
const TriggerManual = "manual"

// Lapse returns when the approval a step waits for comes too late, the zero
// time when it never does.
func (s *RunStep) Lapse() time.Time {
	if s.Approval == nil || s.Approval.WithinMS <= 0 || s.AskedAt.IsZero() {
		return time.Time{}
	}
	return s.AskedAt.Add(time.Duration(s.Approval.WithinMS) * time.Millisecond)
}

// Needed returns how many more people have to agree to a step.
func (s *RunStep) Needed() int {
	if s.Approval == nil {
		return 0
	}
	var agreed []string
	for _, d := range s.Decisions {
		if name := person(d.By); d.Approved && !slices.Contains(agreed, name) {
			agreed = append(agreed, name)
		}
	}
	return max(0, max(1, s.Approval.People)-len(agreed))
}

// Objection returns why the holder of a key must not approve step n of the run,
// in words for them, "" when they may. People are told apart by the names of
// their keys, in any case of letters: two keys of one name are one person. It is
// one of the words so that what a person is shown and what the engine enforces
// are the same sentence.
func (r *Run) Objection(n int, by, role string, now time.Time) string {
	if n < 0 || n >= len(r.Steps) {
		return "the run has no such step"
	}
	s := &r.Steps[n]
	switch {
	case s.State != StepWaiting || s.Approval == nil:
		return "the step does not wait for an approval"
	case !s.Approval.Takes(role):
		return "it takes " + strings.Join(s.Approval.Roles, " or ") + "; this key is " + role
	case r.Trigger == TriggerManual && SamePerson(by, r.By):
		return "who began a run does not approve it"
	case !s.Lapse().IsZero() && !now.Before(s.Lapse()):
		return "the time to approve is over"
	}
	for _, d := range s.Decisions {
		if SamePerson(d.By, by) {
			return "they have decided already; the next one has to be somebody else"
		}
	}
	return ""
}

// SamePerson reports whether two names of keys are one person.
func SamePerson(a, b string) bool { return person(a) == person(b) }

// Takes reports whether a role decides about steps of this rule. Administrators
// always do: they hand out the roles.
func (a *ApprovalRule) Takes(role string) bool {
	return role == "admin" || slices.Contains(a.Roles, role)
}

// person is by what two names are the same person.
func person(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
