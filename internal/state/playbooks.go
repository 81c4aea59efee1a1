package state

import (
	"context"
	"time"
)

// Playbooks are the texts playbooks had: a run names the version it follows, and
// the text must be there to be read long after the file has changed.
type Playbooks interface {
	// Keep stores a version unless it is known. Of one playbook at most
	// [MaxPlaybookVersions] stay: the oldest go.
	Keep(ctx context.Context, v *PlaybookVersion) error
	// Get returns a version by the beginning of its name, the newest one for "".
	// CodeNotFound, CodeInvalid when several begin so.
	Get(ctx context.Context, playbook, version string) (PlaybookVersion, error)
	// Versions returns the versions of a playbook without their texts, newest first.
	Versions(ctx context.Context, playbook string) ([]PlaybookVersion, error)
}

// MaxPlaybookVersions bounds the versions kept of one playbook.
const MaxPlaybookVersions = 100

// A PlaybookVersion is one text of a playbook.
type PlaybookVersion struct {
	Playbook string    `json:"playbook"` // id
	Version  string    `json:"version"`
	Title    string    `json:"title"`
	Origin   string    `json:"origin"` // shipped or own
	File     string    `json:"file"`
	LoadedAt time.Time `json:"loaded_at"` // first time
	Text     string    `json:"text,omitempty"`
}

// TidyPlaybookVersion brings a version within the bounds of the store.
func TidyPlaybookVersion(v *PlaybookVersion) {
	keys(&v.Playbook, &v.Version, &v.Origin)
	times(&v.LoadedAt)
	v.Title, v.File, v.Text = Clip(Column(v.Title), MaxTitle), Clip(Column(v.File), MaxTitle), Clip(Column(v.Text), MaxRaw)
}
