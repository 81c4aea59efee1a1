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
	if b.When == nil {
		return true, nil
	}
	ok, err := b.When.True(b.given(f))
	if err != nil {
		return false, fmt.Errorf("playbook %s: when: %w", b.ID, err)
	}
	return ok, nil
}

// given returns the facts with the defaults of inputs nobody gave.
func (b *Playbook) given(f *Facts) *Facts {
	if len(b.Inputs) == 0 {
		return f
	}
	g := *f
	g.Vars = maps.Clone(f.Vars)
	if g.Vars == nil {
		g.Vars = map[string]string{}
	}
	for i := range b.Inputs {
		if in := &b.Inputs[i]; g.Vars[in.Name] == "" {
			g.Vars[in.Name] = in.Default
		}
	}
	return &g
}

// Start returns a run of the playbook with its steps frozen: conditions and
// texts stand as they are written and are resolved when their step is reached.
// It has no ID and no State; its Mode is "" when the playbook names none. Its
// Vars are those of f and the defaults of the others, and f gets them too, so
// that the steps can be resolved with it.
func (b *Playbook) Start(f *Facts) honeyguide.Run {
	f.Vars = b.given(f).Vars
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
// to whom, and with which params. The texts of s are those [Playbook.Start] gave
// it: one whose texts were filled in already must not come here again, for
// attacker bytes would be read as expressions.
func Resolve(s *honeyguide.RunStep, f *Facts) (Due, error) {
	d, err := resolve(s, f)
	if err != nil {
		return Due{}, fmt.Errorf("step %s: %w", s.Name, err)
	}
	return d, nil
}

func resolve(s *honeyguide.RunStep, f *Facts) (d Due, err error) {
	if s.When != "" {
		when, err := recall(s.When, wantBool)
		if err != nil {
			return d, fmt.Errorf("when: %w", err)
		}
		ok, err := when.True(f)
		if err != nil {
			return d, fmt.Errorf("when: %w", err)
		}
		if !ok {
			return Due{Skip: "its condition does not hold: " + s.When}, nil
		}
	}
	if d.Targets, d.Skip, err = targets(s, f); err != nil || d.Skip != "" {
		return d, err
	}
	d.Params = make(map[string]string, len(s.Params))
	for name, text := range s.Params {
		if d.Params[name], err = fill(text, f); err != nil {
			return d, fmt.Errorf("%s: %w", name, err)
		}
	}
	return d, nil
}

// targets returns whom a step acts on, or why there is nobody.
func targets(s *honeyguide.RunStep, f *Facts) (list []string, skip string, err error) {
	switch s.Each {
	case "":
		target, err := fill(s.Target, f)
		if err != nil {
			return nil, "", fmt.Errorf("target: %w", err)
		}
		if s.Target != "" && strings.TrimSpace(target) == "" {
			return nil, "its target is empty: " + s.Target, nil
		}
		return []string{target}, "", nil
	case EachAttackers:
		list = addresses(f.incident().Attackers)
	default:
		each, err := recall(s.Each, wantList)
		if err != nil {
			return nil, "", fmt.Errorf("each: %w", err)
		}
		v, err := each.eval(f)
		if err != nil {
			return nil, "", fmt.Errorf("each: %w", err)
		}
		members, ok := texts(v)
		if !ok {
			return nil, "", fmt.Errorf("each: %T is no list of texts", v)
		}
		list = distinct(members)
	}
	if len(list) == 0 {
		return nil, "there is no target: " + s.Each + " is empty", nil
	}
	return list, "", nil
}

// distinct returns the members of a list that are not empty, each once.
func distinct(list []string) []string {
	var out []string
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if s != "" && !seen[s] && len(out) < maxTargets {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
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
	if len(members) == 0 {
		return nil
	}
	out := make([]string, 0, len(members))
	for _, s := range members {
		if a, err := netip.ParseAddr(strings.TrimPrefix(s, "attacker:")); err == nil {
			out = append(out, a.Unmap().WithZone("").String())
		}
	}
	return distinct(out)
}
