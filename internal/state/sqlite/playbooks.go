package sqlite

import (
	"context"
	"fmt"

	"honeyguide/internal/state"
)

type playbooks struct{ *tx }

func (t *tx) Playbooks() state.Playbooks { return playbooks{t} }

// Keep inserts and forgets the oldest.
func (t playbooks) Keep(ctx context.Context, v *state.PlaybookVersion) error {
	state.TidyPlaybookVersion(v)
	if v.Playbook == "" || v.Version == "" {
		return doing("keep playbook", invalid("playbook, version: a version needs both"))
	}
	if v.LoadedAt.IsZero() {
		v.LoadedAt = state.Time(t.now())
	}
	bare := *v
	bare.Text = ""
	doc, err := encode(&bare)
	if err != nil {
		return doing("keep playbook", err)
	}
	n, err := t.exec(ctx, "INSERT INTO playbook_version (playbook, version, loaded, doc, text) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (playbook, version) DO NOTHING",
		v.Playbook, v.Version, micros(v.LoadedAt), doc, v.Text)
	if err != nil || n == 0 {
		return doing("keep playbook", err)
	}
	const q = `DELETE FROM playbook_version WHERE playbook = $1 AND version NOT IN
		(SELECT version FROM playbook_version WHERE playbook = $1 ORDER BY loaded DESC, version DESC LIMIT $2)`
	_, err = t.exec(ctx, q, v.Playbook, state.MaxPlaybookVersions)
	return doing("keep playbook", err)
}

// Get finds by the beginning of a version.
func (t playbooks) Get(ctx context.Context, playbook, version string) (state.PlaybookVersion, error) {
	var found []state.PlaybookVersion
	const q = `SELECT doc, text FROM playbook_version WHERE playbook = $1 AND substr(version, 1, length($2)) = $2 ORDER BY loaded DESC, version DESC LIMIT 2`
	err := t.each(ctx, q, []any{state.Key(playbook), state.Key(version)}, func(scan func(...any) error) error {
		var doc, text string
		if err := scan(&doc, &text); err != nil {
			return err
		}
		var v state.PlaybookVersion
		err := decode(doc, &v)
		v.Text = text
		found = append(found, v)
		return err
	})
	switch {
	case err != nil:
		return state.PlaybookVersion{}, doing("get playbook", err)
	case len(found) == 0:
		return state.PlaybookVersion{}, doing("get playbook", notFound("version of a playbook", playbook+" "+version))
	case len(found) > 1 && version != "":
		return state.PlaybookVersion{}, doing("get playbook", invalid(fmt.Sprintf("version: several begin with %q", version)))
	}
	return found[0], nil
}

// Versions reads all of one playbook.
func (t playbooks) Versions(ctx context.Context, playbook string) ([]state.PlaybookVersion, error) {
	out := []state.PlaybookVersion{}
	err := t.each(ctx, "SELECT doc FROM playbook_version WHERE playbook = $1 ORDER BY loaded DESC, version DESC", []any{state.Key(playbook)}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var v state.PlaybookVersion
		err := decode(doc, &v)
		out = append(out, v)
		return err
	})
	return out, doing("list versions of a playbook", err)
}
