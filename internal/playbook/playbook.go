// Package playbook reads playbooks and says what their steps are to do. A
// playbook is a YAML file: when an incident opens or grows, at a time of day, or
// because a person asks for it, a condition is looked at, and when it holds the
// steps are done one after the other. This package decides nothing but that: who
// carries a run along asks it as each step is reached, and the guard of package
// respond beats every step.
//
//	id: contain
//	title: Block who got in
//	trigger: incident
//	when: severity >= high and not ("Discovery" in tactics)
//	steps:
//	  - name: block
//	    action: block_ip
//	    each: proven
//	    ttl: 24h
package playbook

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
)

// Bounds.
const (
	maxFile  = 64 << 10
	maxSteps = 32
	maxTTL   = respond.MaxTTL
)

// A Playbook is one file. It does not change once it is read.
type Playbook struct {
	ID, Title, Description string
	Version                string // the first 12 digits of the SHA-256 of Text
	Text                   string // of the file
	Trigger                string // one of the Trigger words
	Schedule               *Schedule
	Inputs                 []Input
	When                   *Expr           // nil: always
	Mode                   honeyguide.Mode // "": what the configuration says
	Concurrency            int             // runs at a time; 0: the default
	PerHour                int             // runs an hour; 0: the default
	Steps                  []Step
	Disabled               bool
	File                   string
}

// A Step is one action of a playbook.
type Step struct {
	Name     string
	Action   string            // name of an action
	Each     string            // a list: attackers, proven, or an expression that yields one; "": once, for Target
	Target   string            // template; "" for an action without a target
	When     *Expr             // nil: always
	Params   map[string]string // templates
	Retries  int               // after the first attempt
	Timeout  time.Duration     // of one attempt
	OnFail   string            // one of the OnFail words
	Approval *honeyguide.ApprovalRule
	Line     int // in the file
}

// Triggers.
const (
	TriggerIncident = "incident"        // opened or grown
	TriggerOpened   = "incident_opened" // opened only
	TriggerSchedule = "schedule"        // at a time of day
	TriggerManual   = "manual"          // only when a person asks
)

// What each may say beside an expression.
const (
	EachAttackers = "attackers" // the addresses of all attackers of the incident
	EachProven    = "proven"    // those that completed a handshake
)

// What becomes of a run whose step is given up.
const (
	OnFailStop     = "stop"
	OnFailContinue = "continue"
	OnFailRollback = "rollback"
)

// Load reads every .yaml file of a folder, in the order of their names. Two
// playbooks of one id are an error. The error tells the faults of all files.
func Load(fsys fs.FS, dir string) ([]*Playbook, error) {
	list, faults, err := LoadAll(fsys, dir)
	if err != nil {
		return nil, err
	}
	if err := faulty(faults); err != nil {
		return nil, err
	}
	return list, nil
}

// LoadAll reads what can be read of a folder, and tells what cannot.
func LoadAll(fsys fs.FS, dir string) ([]*Playbook, []Fault, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read playbooks: %w", err)
	}
	var out []*Playbook
	var faults []Fault
	for _, e := range entries {
		if e.IsDir() || !isPlaybook(e.Name()) {
			continue
		}
		if len(out)+len(faults) >= maxFiles {
			faults = append(faults, Fault{File: dir, Line: 1, Text: fmt.Sprintf("the folder has more than %d playbooks; the others are not read", maxFiles)})
			break
		}
		name := path.Join(dir, e.Name())
		if st, err := fs.Stat(fsys, name); err == nil && !st.Mode().IsRegular() {
			continue // opening a pipe would wait for ever
		}
		text, err := readFile(fsys, name)
		if err != nil {
			faults = append(faults, Fault{File: name, Line: 1, Text: err.Error()})
			continue
		}
		b, bad := Read(name, text)
		faults = append(faults, bad...)
		if b == nil {
			continue
		}
		if i := slices.IndexFunc(out, func(o *Playbook) bool { return o.ID == b.ID }); i >= 0 {
			faults = append(faults, Fault{File: name, Line: 1, Text: fmt.Sprintf("id %q is taken by %s", b.ID, out[i].File)})
			continue
		}
		out = append(out, b)
	}
	return out, faults, nil
}

// readFile reads a file up to one byte above what a playbook may have.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read playbook: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := readAtMost(f, maxFile+1)
	if err != nil {
		return nil, fmt.Errorf("read playbook: %w", err)
	}
	return text, nil
}
