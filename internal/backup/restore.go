package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/sqldb"
)

// restoredConfig is where the node's configuration files are put: the real ones
// may lie anywhere, and are not overwritten.
const restoredConfig = "restored-configuration"

// A Restore is a backup to be put back.
type Restore struct {
	From        *Store
	ID          string // "" = the newest
	Public      string // key that has to have signed it; "" = the one it names
	Key         Key
	Data        string
	Replace     bool // what is there may be moved aside
	EvenIfNewer bool // also when it has come further than the backup

	Probe Prober
	// Settle makes what was restored fit for work before it takes its place:
	// dir is the folder it was unpacked to.
	Settle func(ctx context.Context, dir string, what *Restored) error
	Now    func() time.Time
	Told   func(phase string, bytes int64)
}

// Restored says what was put back.
type Restored struct {
	Manifest *Manifest `json:"manifest"`
	Data     string    `json:"data"`
	Aside    string    `json:"aside,omitempty" doc:"folder of what was there before"`
	Config   string    `json:"config,omitempty" doc:"folder of the configuration files that were backed up; those in use are untouched"`
	Before   *Standing `json:"before,omitempty" doc:"how far what was there had come"`
	// Erased is the list of erasures the store was told last, at ErasedAt, as the node
	// wrote it; nil when there is none, or it cannot be used, which a note says.
	Erased   []byte    `json:"-"`
	ErasedAt time.Time `json:"-"`
	Notes    []string  `json:"notes" doc:"what was done so that nothing happens twice, and what is left to do"`
}

// Standing says how far the data that was replaced had come.
type Standing struct {
	Events    int64  `json:"events"`
	Audit     int64  `json:"audit"`
	AuditRoot string `json:"audit_root,omitempty"`
	Same      bool   `json:"same" doc:"it belongs to the deployment the backup is of"`
}

// Run puts a backup back. Until everything was unpacked, compared and checked,
// what is in the folder is not touched; when it returns an error before that, it
// is as it was.
func (r Restore) Run(ctx context.Context) (out *Restored, err error) {
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Told == nil {
		r.Told = func(string, int64) {}
	}
	if r.Data, err = filepath.Abs(r.Data); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.Data, 0o700); err != nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("the data folder cannot be made: %v", err)}
	}
	lock, err := sqldb.Lock(r.Data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := Recover(r.Data); err != nil {
		return nil, err
	}
	r.Told("manifest", 0)
	m, err := r.From.Manifest(r.ID, r.Public)
	if err != nil {
		return nil, err
	}
	files, err := r.From.Files(m, r.Key)
	if err != nil {
		return nil, err
	}
	out = &Restored{Manifest: m, Data: r.Data, Notes: []string{}}
	if out.Erased, out.ErasedAt, err = r.From.Erased(m, r.Key); err != nil {
		out.Erased = nil
		out.Notes = append(out.Notes, err.Error())
	}
	if err := r.mayReplace(ctx, m, out); err != nil {
		return nil, err
	}
	if r.Public == "" && (out.Before == nil || !out.Before.Same) {
		out.Notes = append(out.Notes, "it is signed by the key it names itself, "+m.AuditKey+": compare that with the keys/audit.pub you kept elsewhere, or whoever could write where it lay may have made it")
	}
	if err := room(r.Data, m.Figures.Bytes); err != nil {
		return nil, err
	}
	fresh := restorePrefix + m.ID + "-" + randomID(4)
	dir := filepath.Join(r.Data, fresh)
	defer func() {
		if err != nil {
			if _, e := os.Lstat(filepath.Join(r.Data, journalName)); errors.Is(e, fs.ErrNotExist) { // else it is finished at the next start
				err = errors.Join(err, os.RemoveAll(dir))
			}
		}
	}()
	if err := r.unpack(ctx, dir, m, files, out); err != nil {
		return nil, err
	}
	r.Told("checks", 0)
	report := &Report{}
	if err := check(ctx, dir, m, r.Probe, report); err != nil {
		return nil, err
	}
	if !report.Sound() {
		return nil, damaged("backup %s is not restored: %s", m.ID, strings.Join(report.Faults, "; "))
	}
	r.Told("settling", 0)
	if r.Settle != nil {
		if err := r.Settle(ctx, dir, out); err != nil {
			return nil, fmt.Errorf("settle what was restored: %w", err)
		}
	}
	if err := syncTree(dir); err != nil {
		return nil, err
	}
	r.Told("places", 0)
	aside, err := change(r.Data, fresh, asidePrefix+r.Now().UTC().Format("20060102T150405Z"), m.ID, r.Told)
	if err != nil {
		return nil, fmt.Errorf("change places: %w; what is there stays usable: the next start or restore finishes it", err)
	}
	if out.Before != nil {
		out.Aside = aside
	}
	return out, nil
}

// mayReplace refuses to replace what nobody said may be replaced, or what has
// come further than the backup.
func (r Restore) mayReplace(ctx context.Context, m *Manifest, out *Restored) error {
	old, err := residents(r.Data)
	if err != nil || len(old) == 0 {
		return err
	}
	if !r.Replace {
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf("%s is not empty (%s, ...): nothing was changed. Name an empty folder with --data, or give --replace: what is there is then moved aside, not deleted", r.Data, old[0])}
	}
	s, err := r.standing(ctx, m)
	out.Before = s
	switch {
	case r.EvenIfNewer:
	case err != nil:
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Err: err, Message: fmt.Sprintf("how far the data in %s has come cannot be read (%v): nothing was changed. Give --even-if-newer to replace it all the same; it is moved aside, not deleted", r.Data, err)}
	case !s.Same:
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf("%s belongs to another deployment than the backup (its audit log has another key): nothing was changed. Give --even-if-newer to replace it all the same", r.Data)}
	case s.Events > m.Figures.Events || s.Audit > m.Figures.Audit:
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf(
			"%s is newer than the backup of %s: it has %d events and the backup %d, %d audit entries and the backup %d. Nothing was changed. Give --even-if-newer to replace it all the same; it is moved aside, not deleted",
			r.Data, m.Began.Format(time.RFC3339), s.Events, m.Figures.Events, s.Audit, m.Figures.Audit)}
	}
	return nil
}

// standing says how far the data that would be replaced has come.
func (r Restore) standing(ctx context.Context, m *Manifest) (*Standing, error) {
	s := &Standing{}
	key, err := os.ReadFile(filepath.Join(r.Data, keysDir, "audit.pub"))
	if err != nil {
		return s, err
	}
	s.Same = string(bytes.TrimSpace(key)) == m.AuditKey
	msg, err := os.ReadFile(filepath.Join(r.Data, auditDir, "checkpoint"))
	if err != nil {
		return s, err
	}
	c, err := audit.OpenCheckpoint(msg, string(key))
	if err != nil {
		return s, err
	}
	root, err := c.Root.MarshalJSON()
	s.Audit, s.AuditRoot = c.Size, strings.Trim(string(root), `"`)
	if err != nil || r.Probe == nil {
		return s, err
	}
	p, err := r.Probe(ctx, r.Data)
	s.Events = max(p.Events, p.Cursor)
	return s, err
}

// unpack writes all files into a new folder, each compared with its SHA-256.
func (r Restore) unpack(ctx context.Context, dir string, m *Manifest, files []File, out *Restored) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	r.Told("files", 0)
	for i := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &files[i]
		to := f.Path
		if name, ok := strings.CutPrefix(to, configDir+"/"); ok {
			to = restoredConfig + "/" + name
			out.Config = filepath.Join(r.Data, restoredConfig)
		}
		if err := r.From.unpack(root, m, r.Key, f, to); err != nil {
			return fmt.Errorf("restore %s: %w", f.Path, err)
		}
		r.Told("", f.Size)
	}
	return nil
}

// unpack writes one file, whole and durably.
func (s *Store) unpack(root *os.Root, m *Manifest, k Key, f *File, to string) (err error) {
	to = filepath.FromSlash(to)
	if dir := filepath.Dir(to); dir != "." {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	w, err := root.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = s.extract(w, m, k, Object{f.Object, f.Stored}, f.Sum, f.Size)
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	if err := root.Chmod(to, fs.FileMode(f.Mode)&0o700|0o400); err != nil {
		return err
	}
	return root.Chtimes(to, f.Mtime, f.Mtime)
}

// syncTree puts the names in a folder and all below it on the disk.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(full)
	})
}
