package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"honeyguide/internal/audit"
	"honeyguide/internal/sqldb"
)

// A Probe says how far a data folder has come.
type Probe struct {
	Events int64 // number of the last event
	Cursor int64 // up to where the state has worked them off
}

// A Prober looks at a data folder nobody has open, without changing it.
type Prober func(ctx context.Context, data string) (Probe, error)

// A Report says what a verification found.
type Report struct {
	Manifest *Manifest `json:"manifest"`
	Objects  int64     `json:"objects" doc:"contents compared with their names"`
	Bytes    int64     `json:"bytes" doc:"of them"`
	Files    int64     `json:"files" doc:"files whose contents were compared; 0 when there was no key to open them"`
	Opened   int64     `json:"opened" doc:"databases opened and checked"`
	Audit    int64     `json:"audit" doc:"entries of the audit log verified"`
	Faults   []string  `json:"faults" doc:"what is wrong, in words; empty when nothing is"`
	Own      bool      `json:"own" doc:"the signature was compared with the key the backup names itself, not with one given"`
}

// Sound reports whether nothing is wrong.
func (r *Report) Sound() bool { return len(r.Faults) == 0 }

const maxFaults = 100

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// A Check is what is to be verified.
type Check struct {
	From   *Store
	ID     string // "" = the newest
	Public string // key that has to have signed it; "" = the one it names
	Key    Key    // opens what is encrypted; empty = only what can be verified without
	Work   string // folder for what has to be unpacked; "" = the system's
	Probe  Prober
	Told   func(phase string, bytes int64)
}

// Verify compares a backup with what was written. Without the key it reads the
// signature and every object; with it also every file, and it opens the
// databases and verifies the audit log. What is wrong is in the report; an error
// says that it could not be found out.
func Verify(ctx context.Context, c Check) (*Report, error) {
	if c.Told == nil {
		c.Told = func(string, int64) {}
	}
	r := &Report{Faults: []string{}, Own: c.Public == ""}
	m, err := c.From.Manifest(c.ID, c.Public)
	if err != nil {
		return r, err
	}
	r.Manifest = m
	if _, err := c.From.readErased(m.AuditKey); err != nil {
		r.fault("%v", err)
	}
	c.Told("objects", 0)
	for _, o := range m.Objects {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		n, err := c.From.whole(o)
		c.Told("", n)
		if err != nil {
			r.fault("%v", err)
			continue
		}
		r.Objects, r.Bytes = r.Objects+1, r.Bytes+n
	}
	if !r.Sound() || m.Encrypted && c.Key.Empty() {
		return r, nil
	}
	return r, c.inside(ctx, m, r)
}

// whole reads an object to its end.
func (s *Store) whole(o Object) (int64, error) {
	r, err := s.object(o)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 256<<10))
}

// inside opens what the objects hold.
func (c Check) inside(ctx context.Context, m *Manifest, r *Report) (err error) {
	files, err := c.From.Files(m, c.Key)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(c.Work, "honeyguide-verify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	root, err := os.OpenRoot(work)
	if err != nil {
		return err
	}
	defer root.Close()
	c.Told("files", 0)
	for i := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &files[i]
		if strings.HasSuffix(f.Path, ".db") || strings.HasPrefix(f.Path, auditDir+"/") {
			err = c.From.unpack(root, m, c.Key, f, f.Path)
		} else {
			err = c.From.extract(io.Discard, m, c.Key, Object{f.Object, f.Stored}, f.Sum, f.Size)
		}
		c.Told("", f.Size)
		if err != nil {
			r.fault("%s: %v", f.Path, err)
			continue
		}
		r.Files++
	}
	if !r.Sound() {
		return nil
	}
	c.Told("databases", 0)
	return check(ctx, work, m, c.Probe, r)
}

// check looks into an unpacked data folder.
func check(ctx context.Context, dir string, m *Manifest, probe Prober, r *Report) error {
	err := filepath.WalkDir(dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(full, ".db") {
			return err
		}
		if kind, err := kindOf(full, seen{}, false, m.Ended); err != nil || kind == other {
			return err
		}
		rel, _ := filepath.Rel(dir, full)
		if err := checkDB(ctx, full); err != nil {
			r.fault("%s: %v", rel, err)
		}
		r.Opened++
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	report, err := audit.Verify(ctx, audit.Check{Dir: filepath.Join(dir, auditDir), Key: m.AuditKey})
	if err != nil {
		return fmt.Errorf("verify the audit log: %w", err)
	}
	r.Audit = report.Checked + report.Dropped
	for _, f := range report.Faults {
		r.fault("audit log: %s", f)
	}
	if report.Size != m.Figures.Audit {
		r.fault("the audit log has %d entries, and the manifest says %d", report.Size, m.Figures.Audit)
	}
	if probe == nil || !r.Sound() {
		return nil
	}
	p, err := probe(ctx, dir)
	switch {
	case err != nil:
		r.fault("%v", err)
	case p.Cursor > p.Events:
		r.fault("the state has worked off events up to %d, and the log ends at %d", p.Cursor, p.Events)
	case p.Events < m.Figures.Events:
		r.fault("the log ends at event %d, and the manifest says %d", p.Events, m.Figures.Events)
	}
	return nil
}

func checkDB(ctx context.Context, full string) (err error) {
	db, err := sqldb.OpenImmutable(ctx, full)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return sqldb.Check(ctx, db, false)
}
