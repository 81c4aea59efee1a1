package playbook

import (
	"fmt"
	"maps"
	"slices"

	"honeyguide/internal/respond"
)

// common are the params that every step may have: they are for who carries the
// step out.
var common = []string{ParamTTL, ParamConfirm, "ladder"}

// CheckActions returns the faults of steps whose action is not there, or does
// not know their params. A nil action is there and may have any params.
func CheckActions(b *Playbook, actions map[string]respond.Action) []Fault {
	out := Unknown(b, slices.Collect(maps.Keys(actions)))
	for i := range b.Steps {
		s := &b.Steps[i]
		d, ok := actions[s.Action].(respond.Describer)
		if !ok {
			continue
		}
		names := slices.Clone(common)
		for _, p := range d.Params() {
			names = append(names, p.Name)
			if p.Required && s.Params[p.Name] == "" {
				out = append(out, Fault{File: b.File, Line: s.Line, Text: fmt.Sprintf("step %s: %s needs the param %s (%s)", s.Name, s.Action, p.Name, p.Doc)})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Params)) {
			if !slices.Contains(names, name) {
				out = append(out, Fault{File: b.File, Line: s.Line, Text: fmt.Sprintf("step %s: %s has no param %s; %s", s.Name, s.Action, clip(name), hint(name, names))})
			}
		}
	}
	return out
}

// Unknown returns the faults of steps whose action is not among names.
func Unknown(b *Playbook, names []string) []Fault {
	var out []Fault
	for i := range b.Steps {
		if s := &b.Steps[i]; !slices.Contains(names, s.Action) {
			out = append(out, Fault{File: b.File, Line: s.Line, Text: fmt.Sprintf("step %s: no action %q; there are: %s", s.Name, clip(s.Action), list(names))})
		}
	}
	return out
}

// Usable returns the playbooks all of whose actions are there.
func Usable(books []*Playbook, actions map[string]respond.Action) []*Playbook {
	var out []*Playbook
	for _, b := range books {
		if len(CheckActions(b, actions)) == 0 {
			out = append(out, b)
		}
	}
	return out
}
