package playbook

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

// Bounds and defaults of a step.
const (
	maxRetries     = 10
	maxTimeout     = time.Hour
	maxApproval    = 7 * 24 * time.Hour
	defaultTimeout = 30 * time.Second
	defaultWithin  = time.Hour
	defaultRetries = 2
	maxParams      = 32
	maxValue       = 8 << 10 // bytes of one param as it is written
)

// Params that steps have keys for.
const (
	ParamTTL     = "ttl"            // how long the effect holds
	ParamConfirm = "confirm_within" // undone after that unless a person confirms it
)

// rolesThatApprove may be asked for an approval.
var rolesThatApprove = []string{"analyst", "responder", "admin"}

// onAddresses are the actions that act on addresses: without a target they act
// on each that is proven.
var onAddresses = []string{"block_ip", "redirect"}

func (d *decoder) readSteps(n *yaml.Node, b *Playbook) {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxSteps {
		d.fail(n, "steps: want a list of at most %d", maxSteps)
		return
	}
	for _, item := range n.Content {
		s := d.step(item)
		if slices.Contains(d.steps, s.Name) {
			d.fail(item, "two steps are called %q", clip(s.Name))
		}
		d.steps = append(d.steps, s.Name)
		b.Steps = append(b.Steps, s)
	}
}

func (d *decoder) step(n *yaml.Node) Step {
	m := d.mapping(n, "name", "action", "each", "target", "when", "params", "ttl", "confirm_within", "retries", "timeout", "on_fail", "approval")
	s := Step{Name: d.scalar(m["name"]), Action: d.scalar(m["action"]), Params: map[string]string{}, Retries: defaultRetries, Timeout: defaultTimeout, OnFail: OnFailStop, Line: n.Line}
	if s.Action == "" && n.Kind == yaml.MappingNode {
		d.fail(place(m["action"], n), "action: want the name of one, such as block_ip")
	}
	if s.Name == "" {
		s.Name = s.Action
	}
	if len(s.Name) > 64 {
		d.fail(m["name"], "name: want at most 64 characters")
	}
	d.targets(m, &s)
	if m["when"] != nil {
		s.When = d.condition(m["when"], "when")
	}
	d.params(m, &s)
	if m["retries"] != nil {
		s.Retries = d.number(m["retries"], "retries", 0, maxRetries)
	}
	if m["timeout"] != nil {
		s.Timeout = d.span(m["timeout"], "timeout", time.Second, maxTimeout)
	}
	if m["on_fail"] != nil {
		s.OnFail = d.word(m["on_fail"], "on_fail", OnFailStop, OnFailContinue, OnFailRollback)
	}
	if m["approval"] != nil {
		s.Approval = d.approval(m["approval"])
	}
	return s
}

// targets reads each and target. "target: attackers" is how each was written
// before there was that key.
func (d *decoder) targets(m map[string]*yaml.Node, s *Step) {
	each, target := m["each"], m["target"]
	switch {
	case each != nil && target != nil:
		d.fail(each, "each and target: want one of them")
	case each != nil:
		s.Each = d.each(each)
	case target != nil:
		s.Target = d.template(target, "target")
		if s.Target == EachAttackers || s.Target == EachProven {
			s.Each, s.Target = s.Target, ""
		}
	case slices.Contains(onAddresses, s.Action):
		s.Each = EachProven
	}
}

func (d *decoder) params(m map[string]*yaml.Node, s *Step) {
	if p := m["params"]; p != nil {
		values := d.mapping(p)
		if len(values) > maxParams {
			d.fail(p, "params: want at most %d", maxParams)
			return
		}
		for name, v := range values {
			s.Params[name] = d.template(v, name)
			if len(s.Params[name]) > maxValue {
				d.fail(v, "%s: want at most %d bytes", name, maxValue)
			}
		}
		if v := values[ParamTTL]; v != nil && !strings.Contains(v.Value, "${") {
			d.span(v, ParamTTL, time.Second, maxTTL)
		}
	}
	for _, key := range []string{ParamTTL, ParamConfirm} {
		v := m[key]
		if v == nil {
			continue
		}
		if s.Params[key] != "" {
			d.fail(v, "%s stands in params too; want it once", key)
		}
		s.Params[key] = d.template(v, key)
		if !strings.Contains(v.Value, "${") {
			d.span(v, key, time.Second, maxTTL)
		}
	}
}

func (d *decoder) approval(n *yaml.Node) *honeyguide.ApprovalRule {
	m := d.mapping(n, "roles", "people", "within")
	a := &honeyguide.ApprovalRule{Roles: []string{"responder", "admin"}, People: 1, WithinMS: defaultWithin.Milliseconds()}
	if m["roles"] != nil {
		a.Roles = d.list(m["roles"], "roles")
		for _, r := range a.Roles {
			if !slices.Contains(rolesThatApprove, r) {
				d.fail(m["roles"], "roles: no role %q; want %s", clip(r), strings.Join(rolesThatApprove, ", "))
			}
		}
		if len(a.Roles) == 0 {
			d.fail(m["roles"], "roles: want at least one of %s", strings.Join(rolesThatApprove, ", "))
		}
	}
	if m["people"] != nil {
		a.People = d.number(m["people"], "people", 1, 2)
	}
	if m["within"] != nil {
		a.WithinMS = d.span(m["within"], "within", time.Minute, maxApproval).Milliseconds()
	}
	return a
}
