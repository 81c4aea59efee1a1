package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Pruned says what was removed.
type Pruned struct {
	Backups []string `json:"backups"`
	Objects int      `json:"objects"`
	Bytes   int64    `json:"bytes"`
}

// Prune removes the oldest backups of a folder but so many, and the objects that
// none of those left names. When one of those left cannot be read, nothing is
// removed: what it names is not known.
func Prune(dir string, keep int) (out Pruned, err error) {
	if strings.HasSuffix(dir, ArchiveSuffix) {
		return out, nil
	}
	f, err := openFolder(dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	s, err := Open(dir)
	if err != nil {
		return out, err
	}
	ids, err := s.IDs()
	if err != nil {
		return out, err
	}
	gone := max(len(ids)-max(keep, 1), 0)
	named := map[string]bool{}
	for _, id := range ids[gone:] {
		m, err := s.Manifest(id, "")
		if err != nil {
			return out, fmt.Errorf("nothing is removed: %w", err)
		}
		for _, o := range m.Objects {
			named[o.Name] = true
		}
	}
	// The manifests first: a manifest never names what is not there.
	for _, id := range ids[:gone] {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(genPath(id)))); err != nil {
			return out, err
		}
		out.Backups = append(out.Backups, id)
	}
	if err := syncDir(filepath.Join(dir, genDir)); err != nil {
		return out, err
	}
	return out, f.forget(named, &out)
}

// forget removes the objects that are not named: of removed backups, and of
// those that were never finished.
func (f *folder) forget(named map[string]bool, out *Pruned) error {
	root := filepath.Join(f.dir, objectsDir)
	return filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := filepath.Base(filepath.Dir(full)) + d.Name()
		if named[name] || !hexForm.MatchString(name) {
			return nil
		}
		st, err := d.Info()
		if err == nil {
			err = os.Remove(full)
		}
		if err == nil {
			out.Objects, out.Bytes = out.Objects+1, out.Bytes+st.Size()
		}
		return err
	})
}

// Listed is one backup in a list.
type Listed struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at,omitzero"`
	Node      string    `json:"node,omitempty"`
	Version   string    `json:"version,omitempty"`
	Encrypted bool      `json:"encrypted"`
	Figures   Figures   `json:"figures"`
	Problem   string    `json:"problem,omitempty" doc:"why it cannot be used; empty when nothing is wrong with its manifest"`
}

// List lists the backups of a store, newest first, by what their manifests say.
func List(s *Store, key string) ([]Listed, error) {
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	out := make([]Listed, 0, len(ids))
	for i := len(ids) - 1; i >= 0; i-- {
		m, err := s.Manifest(ids[i], key)
		if err != nil {
			out = append(out, Listed{ID: ids[i], Problem: err.Error()})
			continue
		}
		out = append(out, Listed{ID: m.ID, At: m.Began, Node: m.Node, Version: m.Version, Encrypted: m.Encrypted, Figures: m.Figures})
	}
	return out, nil
}
