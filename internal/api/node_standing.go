package api

import (
	"context"
	"fmt"
	"time"
)

// A Standing is how this node stands: what an operator looks at first.
type Standing struct {
	Status   string         `json:"status" enum:"ready,not_ready"`
	Reasons  []string       `json:"reasons" doc:"why it cannot do its work now"`
	Node     string         `json:"node,omitempty"`
	Version  string         `json:"version"`
	Firewall *FirewallState `json:"firewall,omitempty" doc:"absent: this node commands none"`
	Disks    []DiskState    `json:"disks"`
	Backup   *BackupState   `json:"backup,omitempty" doc:"absent: none is configured, and none was made"`
}

// A BackupState is how backups stand. Why one failed is for those who may make them.
type BackupState struct {
	At      time.Time `json:"at,omitzero" doc:"when the last good one was begun"`
	Next    time.Time `json:"next,omitzero" doc:"when one is due"`
	Running bool      `json:"running"`
	Failing bool      `json:"failing" doc:"the last try failed"`
	Overdue bool      `json:"overdue" doc:"the last good one is more than twice as old as it should be"`
}

// A FirewallState is how the process that holds the firewall stands.
type FirewallState struct {
	Serving   bool     `json:"serving" doc:"the process answers"`
	Intact    bool     `json:"intact" doc:"the kernel holds what was put there, as far as was looked"`
	Blocks    int      `json:"blocks" doc:"in force"`
	Redirects int      `json:"redirects" doc:"in force"`
	Denied    int64    `json:"denied" doc:"entries its own guard refused since it started"`
	Starts    int64    `json:"starts" doc:"of the process"`
	Layers    []string `json:"layers" doc:"of its cage"`
	Detail    string   `json:"detail,omitempty" doc:"why it could not be started or asked"`
}

// A DiskState is the room under a folder of this node.
type DiskState struct {
	Name  string `json:"name" doc:"what lies there"`
	Bytes int64  `json:"bytes" doc:"size of the file system"`
	Free  int64  `json:"free" doc:"bytes this process may still write"`
}

func (s *server) standing() {
	o := op("/standing", "get-standing", "How this node stands: whether it does its work, its firewall, its disk")
	read(s, o, func(ctx context.Context, _ *struct{}) (Standing, error) {
		out := Standing{}
		if s.dep.Standing != nil {
			var err error
			if out, err = s.dep.Standing(ctx); err != nil {
				return out, fmt.Errorf("look at this node: %w", err)
			}
		}
		out.Status, out.Node, out.Version, out.Reasons = "ready", s.dep.Node, s.dep.Version, []string{}
		if out.Disks == nil {
			out.Disks = []DiskState{}
		}
		if s.dep.Health != nil {
			out.Reasons = append(out.Reasons, s.dep.Health(ctx)...)
		}
		if len(out.Reasons) > 0 {
			out.Status = "not_ready"
		}
		return out, nil
	})
}
