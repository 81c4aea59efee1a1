package honeyguide

import "time"

// A Sample is one content that attackers brought or built, however often. Its
// ID is the SHA-256 of the content in hex.
type Sample struct {
	ID         string       `json:"id"`
	Size       int64        `json:"size"`
	Type       string       `json:"type"` // what it is by how it begins: elf 64-bit x86-64 executable, script /bin/sh
	Kept       string       `json:"kept"` // yes, truncated, or why its content is not kept
	FirstAt    time.Time    `json:"first_at"`
	LastAt     time.Time    `json:"last_at"`
	Count      int64        `json:"count"`              // sightings
	Paths      []string     `json:"paths"`              // where it was put, at most MaxSampleList
	Sessions   []string     `json:"sessions"`           // that brought it, newest last, at most MaxSampleList
	Sources    []string     `json:"sources"`            // addresses that brought it, at most MaxSampleList
	Indicators []Observable `json:"indicators"`         // what stands in it
	Executed   int64        `json:"executed,omitempty"` // times it was run, or seemed to be
}

// MaxSampleList bounds each list of a sample.
const MaxSampleList = 50

// A Sighting is one time a sample was brought.
type Sighting struct {
	Sample  string    `json:"sample"`
	EventID string    `json:"event_id"`
	Time    time.Time `json:"time"`
	Session string    `json:"session,omitempty"`
	Src     Endpoint  `json:"src"`
	Path    string    `json:"path,omitempty"` // attacker bytes: show through safetext only
	Tool    string    `json:"tool,omitempty"` // sftp, or "" for a shell
}
