package playbook

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
)

// Due is what a step is to do now.
type Due struct {
	Targets []string          // [""] for a step without a target
	Params  map[string]string // filled in; attacker bytes may be inside
	Skip    string            // why there is nothing to do, "" = do it
}

// maxTargets bounds the targets of one step.
const maxTargets = 500

// Matches reports whether a playbook applies: it is not disabled, its trigger is
// what asks, its condition holds. Asked by hand (trigger manual) it applies
// whatever its trigger and condition are: who asks has decided.
func (b *Playbook) Matches(f *Facts) (bool, error) {
	if b.Disabled {
		return false, nil
	}
	switch f.Trigger {
	case TriggerManual:
		return true, nil
	case TriggerSchedule:
		if b.Trigger != TriggerSchedule {
			return false, nil
		}
	default:
		if b.Trigger != TriggerIncident && (b.Trigger != TriggerOpened || !f.Opened) {
			return false, nil
		}
	}
	return b.When == nil || b.When.True(fields(f.incident(), f.Alerts)), nil
}

// Start returns a run of the playbook with its steps frozen: conditions and
// texts stand as they are written and are resolved when their step is reached.
// It has no ID and no State; its Mode is "" when the playbook names none.
func (b *Playbook) Start(f *Facts) honeyguide.Run {
	r := honeyguide.Run{
		Playbook: b.ID, Title: b.Title, Version: b.Version, Trigger: b.Trigger, Mode: b.Mode, Reason: reason(b),
		Vars: maps.Clone(f.Vars), CreatedAt: f.Now.UTC(), Steps: make([]honeyguide.RunStep, 0, len(b.Steps)),
	}
	if f.Trigger == TriggerManual {
		r.Trigger, r.Reason = TriggerManual, b.Title+"."
	}
	if f.Incident != nil {
		r.Incident = f.Incident.ID
	}
	for i := range f.Alerts {
		r.Alerts = append(r.Alerts, f.Alerts[i].ID)
	}
	for i := range b.Steps {
		s := &b.Steps[i]
		rs := honeyguide.RunStep{
			Name: s.Name, Action: s.Action, Each: s.Each, Target: s.Target, Params: maps.Clone(s.Params),
			Retries: s.Retries, TimeoutMS: s.Timeout.Milliseconds(), OnFail: s.OnFail, State: honeyguide.StepPending,
		}
		if s.When != nil {
			rs.When = s.When.String()
		}
		if s.Approval != nil {
			a := *s.Approval
			a.Roles = slices.Clone(a.Roles)
			rs.Approval = &a
		}
		r.Steps = append(r.Steps, rs)
	}
	return r
}

func reason(b *Playbook) string {
	if b.When == nil {
		return b.Title + "."
	}
	return b.Title + ": " + b.When.String() + "."
}

// Resolve says what a step of a run is to do now: whether its condition holds,
// to whom, and with which params.
func Resolve(s *honeyguide.RunStep, f *Facts) (Due, error) {
	if s.When != "" {
		when, err := Compile(s.When)
		if err != nil {
			return Due{}, fmt.Errorf("step %s: when: %w", s.Name, err)
		}
		if !when.True(fields(f.incident(), f.Alerts)) {
			return Due{Skip: "its condition does not hold: " + s.When}, nil
		}
	}
	d := Due{Params: maps.Clone(s.Params)}
	switch s.Each {
	case "":
		d.Targets = []string{s.Target}
		return d, nil
	case EachAttackers:
		d.Targets = addresses(f.incident().Attackers)
	case EachProven:
		d.Targets = addresses(f.incident().Proven)
	default:
		return Due{}, fmt.Errorf("step %s: each: %q is no list", s.Name, s.Each)
	}
	if len(d.Targets) == 0 {
		d.Skip = "there is no target: " + s.Each + " is empty"
	}
	return d, nil
}

// incident returns the incident, an empty one when there is none.
func (f *Facts) incident() *honeyguide.Incident {
	if f.Incident == nil {
		return &honeyguide.Incident{}
	}
	return f.Incident
}

// addresses returns the addresses among the members of an incident, each once.
func addresses(members []string) []string {
	var out []string
	for _, s := range members {
		a, err := netip.ParseAddr(strings.TrimPrefix(s, "attacker:"))
		if err != nil {
			continue
		}
		if s = a.Unmap().WithZone("").String(); !slices.Contains(out, s) && len(out) < maxTargets {
			out = append(out, s)
		}
	}
	return out
}
