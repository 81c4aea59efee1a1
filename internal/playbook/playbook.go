// Package playbook reads playbooks and plans their steps. A playbook is a YAML
// file: when an incident opens or grows and a condition holds, its steps say
// what would be done. The engine plans, in dry run; it never acts, and the
// guard of package respond beats every step.
//
//	id: contain
//	title: Block who got in
//	trigger: incident
//	when: severity >= high and not ('Discovery' in tactics)
//	mode: dry_run
//	steps:
//	  - name: block
//	    action: block_ip
//	    target: attackers
//	    params: {ttl: 24h}
package playbook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
)

// Bounds.
const (
	maxFile    = 64 << 10
	maxSteps   = 32
	maxTargets = 64 // attackers one step plans for
)

// A Playbook is one file.
type Playbook struct {
	ID, Title, Description string
	Trigger                string // incident: opened or grown; incident_opened: opened only
	When                   *Expr  // nil: always
	Mode                   string // dry_run
	Steps                  []Step
	Disabled               bool
	File                   string
}

// A Step is one action of a playbook.
type Step struct {
	Name   string
	Action string // name of a kind of package respond
	Target string // attackers, or an address or prefix
	When   *Expr  // nil: always
	Params map[string]string
}

// Triggers and modes.
const (
	TriggerIncident = "incident"
	TriggerOpened   = "incident_opened"
	ModeDryRun      = "dry_run"
)

// Load reads every .yaml file of a folder, in the order of their names. Two
// playbooks of one id are an error.
func Load(fsys fs.FS, dir string) ([]*Playbook, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("read playbooks: %w", err)
	}
	var out []*Playbook
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".yaml" && path.Ext(e.Name()) != ".yml" {
			continue
		}
		name := path.Join(dir, e.Name())
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read playbook: %w", err)
		}
		b, err := Parse(name, text)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(out, func(o *Playbook) bool { return o.ID == b.ID }); i >= 0 {
			return nil, invalid(name, 1, "id %q is taken by %s", b.ID, out[i].File)
		}
		out = append(out, b)
	}
	return out, nil
}

func invalid(file string, line int, text string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("%s:%d: %s", file, line, fmt.Sprintf(text, args...))}
}

// An Engine plans the steps of playbooks.
type Engine struct {
	books   []*Playbook
	actions map[string]respond.Action
}

// NewEngine returns an engine. A step whose action is not among actions is an
// error.
func NewEngine(books []*Playbook, actions map[string]respond.Action) (*Engine, error) {
	var names []string
	for name := range actions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, b := range books {
		for _, s := range b.Steps {
			if actions[s.Action] == nil {
				return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("%s: step %s: no action %q; there are: %s", b.File, s.Name, s.Action, strings.Join(names, ", "))}
			}
		}
	}
	return &Engine{books, actions}, nil
}

// Playbooks returns what the engine runs.
func (e *Engine) Playbooks() []*Playbook { return slices.Clone(e.books) }

// Plan returns the plans of all playbooks whose condition holds for an
// incident; of several that would do the same the strongest. alerts are those that changed it now; opened says that it is new.
// A step that fails does not stop the others; the errors are joined.
func (e *Engine) Plan(ctx context.Context, in *honeyguide.Incident, alerts []honeyguide.Alert, opened bool, now time.Time) ([]honeyguide.Plan, error) {
	var out []honeyguide.Plan
	var errs []error
	get := fields(in, alerts)
	for _, b := range e.books {
		if b.Disabled || b.Trigger == TriggerOpened && !opened || b.When != nil && !b.When.True(get) {
			continue
		}
		for _, s := range b.Steps {
			if s.When != nil && !s.When.True(get) {
				continue
			}
			for _, target := range targets(s.Target, in) {
				p, err := e.actions[s.Action].Plan(ctx, respond.Request{
					Incident: in, Playbook: b.ID, Step: s.Name, Target: target, Params: s.Params, Mode: honeyguide.Mode(b.Mode), Reason: reason(b), Now: now,
				})
				p.ID = honeyguide.DerivedID(in.CreatedAt, "plan", in.ID, p.Action, p.Target)
				p.Incident, p.Playbook, p.Step, p.Mode, p.CreatedAt = in.ID, b.ID, s.Name, honeyguide.Mode(b.Mode), now.UTC()
				if err != nil {
					errs = append(errs, fmt.Errorf("playbook %s, step %s: %w", b.ID, s.Name, err))
					continue
				}
				if i := slices.IndexFunc(out, func(o honeyguide.Plan) bool { return o.ID == p.ID }); i < 0 {
					out = append(out, p)
				} else if Stronger(&p, &out[i]) {
					out[i] = p
				}
			}
		}
	}
	return out, errors.Join(errs...)
}

func reason(b *Playbook) string {
	if b.When == nil {
		return b.Title + "."
	}
	return b.Title + ": " + b.When.String() + "."
}

// targets expands the word attackers to the addresses of an incident.
func targets(target string, in *honeyguide.Incident) []string {
	if target != "attackers" {
		return []string{target}
	}
	var out []string
	for _, s := range in.Attackers {
		s = strings.TrimPrefix(s, "attacker:")
		if _, err := netip.ParseAddr(s); err == nil && !slices.Contains(out, s) && len(out) < maxTargets {
			out = append(out, s)
		}
	}
	return out
}

// Stronger reports whether plan a should stand instead of b, a plan of the same
// id: it acts where b was refused, or its effect lasts longer.
func Stronger(a, b *honeyguide.Plan) bool {
	if a.State != b.State {
		return a.State == honeyguide.PlanPlanned
	}
	return a.ExpiresAt.Sub(a.CreatedAt) > b.ExpiresAt.Sub(b.CreatedAt)
}
