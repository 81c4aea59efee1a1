package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
)

// upgradeFile says what a copy before an upgrade is of.
const upgradeFile = "upgrade.json"

// upgraded are the parts of a data folder that an upgrade may change: what is
// copied before it, and put back when it is taken back. Events, recordings and
// samples have forms that are read by every later version and are not changed.
var upgraded = []string{stateFile, "worlds.db", keysDir, auditDir}

// An Upgrade is a change of the form of a data folder by a newer program.
type Upgrade struct {
	Version string    `json:"version" doc:"of the program that changed it"`
	From    int       `json:"from" doc:"schema of the state before"`
	To      int       `json:"to" doc:"and after"`
	At      time.Time `json:"at"`
	Events  int64     `json:"events" doc:"number of the last event then"`
	Audit   int64     `json:"audit" doc:"entries of the audit log then"`
	Bytes   int64     `json:"bytes" doc:"size of the copy"`
	Folder  string    `json:"folder,omitempty" doc:"of the copy, below the data folder"`
}

// UpgradeRoom returns the bytes a copy before an upgrade takes.
func UpgradeRoom(data string) (need int64, err error) {
	err = eachUpgraded(data, func(_ string, st fs.FileInfo) error {
		need += st.Size()
		return nil
	})
	return need, err
}

// eachUpgraded lists the files an upgrade may change.
func eachUpgraded(data string, found func(p string, st fs.FileInfo) error) error {
	for _, r := range []int{0, 1, 4, 5} {
		if err := walk(data, r, func(p string, st fs.FileInfo) error {
			if top, _, _ := strings.Cut(p, "/"); !slices.Contains(upgraded, top) {
				return nil
			}
			return found(p, st)
		}); err != nil {
			return err
		}
	}
	return nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._+-]+`)

// KeepBefore copies what an upgrade may change to before-upgrade-VERSION in the
// data folder, which nobody has open; its lock is held. The copy has its name
// only when it is whole and on the disk. Too little room is an error that says
// how much is wanted: nothing has been changed then.
func KeepBefore(ctx context.Context, data string, u Upgrade) (err error) {
	if u.Bytes, err = UpgradeRoom(data); err != nil {
		return err
	}
	// As much again for the change itself: it is written beside what there was.
	if err := room(data, 2*u.Bytes); err != nil {
		return fmt.Errorf("there is no room for the copy before the upgrade: %w", err)
	}
	part := filepath.Join(data, restorePrefix+"upgrade-"+randomID(4)) // removed at the next start when it stays
	defer func() { err = errors.Join(err, os.RemoveAll(part)) }()
	if err := os.Mkdir(part, 0o700); err != nil {
		return err
	}
	err = eachUpgraded(data, func(p string, st fs.FileInfo) error {
		to := filepath.Join(part, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		return keepFile(ctx, filepath.Join(data, filepath.FromSlash(p)), to, look(p, st))
	})
	if err != nil {
		return fmt.Errorf("copy what was there before the upgrade: %w", err)
	}
	raw, err := json.MarshalIndent(u, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(part, upgradeFile), raw, 0o600); err != nil {
		return err
	}
	if err := syncTree(part); err != nil {
		return err
	}
	name := upgradePrefix + strings.Trim(notInNames.ReplaceAllString(u.Version, "-"), "-")
	for n := 2; ; n++ {
		if _, err := os.Lstat(filepath.Join(data, name)); errors.Is(err, fs.ErrNotExist) {
			break
		}
		name = fmt.Sprintf("%s%s-%d", upgradePrefix, strings.Trim(notInNames.ReplaceAllString(u.Version, "-"), "-"), n)
	}
	if err := os.Rename(part, filepath.Join(data, name)); err != nil {
		return err
	}
	return syncDir(data)
}

// keepFile copies one file with its times.
func keepFile(ctx context.Context, from, to string, s seen) (err error) {
	kind, err := kindOf(from, s, false, time.Time{})
	if err != nil {
		return err
	}
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = source(ctx, kind, from, s, false)(io.Writer(w))
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	return os.Chtimes(to, s.Mtime, s.Mtime)
}

// Upgrades lists the copies there are, newest first.
func Upgrades(data string) ([]Upgrade, error) {
	list, err := os.ReadDir(data)
	if err != nil {
		return nil, err
	}
	out := []Upgrade{}
	for _, d := range list {
		if !d.IsDir() || !strings.HasPrefix(d.Name(), upgradePrefix) {
			continue
		}
		raw, err := readSmall(filepath.Join(data, d.Name(), upgradeFile), 64<<10)
		if err != nil {
			return nil, err
		}
		var u Upgrade
		if err := json.Unmarshal(raw, &u); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name(), err)
		}
		u.Folder = d.Name()
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b Upgrade) int { return b.At.Compare(a.At) })
	return out, nil
}

// ForgetUpgrades removes the copies that are older than a time.
func ForgetUpgrades(data string, before time.Time) (gone []string, err error) {
	list, err := Upgrades(data)
	if err != nil {
		return nil, err
	}
	for _, u := range list {
		if u.At.Before(before) {
			// It goes whole: half of one would be taken for a copy. What is left of it is
			// removed at the next start.
			going := filepath.Join(data, restorePrefix+"gone-"+randomID(4))
			if err := errors.Join(os.Rename(filepath.Join(data, u.Folder), going), os.RemoveAll(going)); err != nil {
				return gone, err
			}
			gone = append(gone, u.Folder)
		}
	}
	return gone, nil
}

// A Rollback is an upgrade to be taken back.
type Rollback struct {
	Data        string
	Probe       Prober
	EvenIfNewer bool // also when something happened since
	Now         time.Time
	Told        func(phase string, bytes int64)
}

// RolledBack says what was put back.
type RolledBack struct {
	Upgrade
	Aside string `json:"aside" doc:"folder of what the newer program had made of it"`
	Lost  Lost   `json:"lost"`
}

// Lost says what happened after the upgrade and is not in what was put back.
type Lost struct {
	Events int64 `json:"events" doc:"they stay in the event log, and are worked off again"`
	Audit  int64 `json:"audit" doc:"entries of the audit log; they stay in the folder that was moved aside"`
}

// Run takes the newest upgrade back: what was copied before it is put in its
// place again. The folder's lock is held. Events stay: every version reads them.
// When anything happened since it is refused with figures, unless EvenIfNewer.
func (r Rollback) Run(ctx context.Context) (out *RolledBack, err error) {
	if r.Told == nil {
		r.Told = func(string, int64) {}
	}
	list, err := Upgrades(r.Data)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no copy from before an upgrade in " + r.Data + "; restore a backup instead (honeyguide restore)"}
	}
	out = &RolledBack{Upgrade: list[0]}
	p, err := r.Probe(ctx, r.Data)
	if err != nil && !r.EvenIfNewer {
		return nil, fmt.Errorf("see what happened since the upgrade: %w; --even-if-newer takes it back all the same", err)
	}
	size, _ := auditSize(r.Data)
	out.Lost = Lost{max(p.Events-out.Events, 0), max(size-out.Audit, 0)}
	if (out.Lost.Events > 0 || out.Lost.Audit > 0) && !r.EvenIfNewer {
		return nil, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf(
			"%d events and %d audit entries are newer than the upgrade of %s. The events stay in the log and are worked off again by the older program; what people did since (verdicts, users, blocks, %d audit entries) would be lost to it. "+
				"To keep it, make a backup first (honeyguide backup --to FOLDER); then give --even-if-newer. What is there is moved aside, not deleted",
			out.Lost.Events, out.Lost.Audit, out.At.Format(time.RFC3339), out.Lost.Audit)}
	}
	fresh := filepath.Join(r.Data, out.Folder)
	list2, err := os.ReadDir(fresh)
	if err != nil {
		return nil, err
	}
	j := journal{Backup: out.Folder, Fresh: out.Folder, Aside: afterPrefix + r.Now.UTC().Format("20060102T150405Z")}
	for _, d := range list2 {
		if d.Name() != upgradeFile {
			j.New = append(j.New, d.Name())
		}
	}
	for _, name := range j.New {
		for _, more := range []string{"", "-wal", "-shm", "-journal"} {
			if _, err := os.Lstat(filepath.Join(r.Data, name+more)); err == nil {
				j.Old = append(j.Old, name+more)
			}
		}
	}
	out.Aside = filepath.Join(r.Data, j.Aside)
	return out, j.begin(r.Data, r.Told)
}

// auditSize returns how many entries a log signs for.
func auditSize(data string) (int64, error) {
	key, err := os.ReadFile(filepath.Join(data, keysDir, "audit.pub"))
	if err != nil {
		return 0, err
	}
	msg, err := os.ReadFile(filepath.Join(data, auditDir, "checkpoint"))
	if err != nil {
		return 0, err
	}
	c, err := audit.OpenCheckpoint(msg, string(key))
	return c.Size, err
}

// AuditSize returns how many entries the audit log of a data folder signs for; 0
// when there is none.
func AuditSize(data string) (int64, error) {
	n, err := auditSize(data)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return n, err
}
